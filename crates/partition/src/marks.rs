//! The marks of a partition: where it stands, how they move, and which of them bounds a read.

use base::Offset;

/// Where a partition stands. Always: `log_start <= last_stable <= high_watermark <= log_end`, and `flushed <= log_end`;
/// with an fsync per ack the high watermark also never moves above `flushed`. None of them ever moves back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// The first offset that may be read.
    pub log_start: Offset,
    /// Below this no transaction is undecided: the ceiling of `read_committed`.
    pub last_stable: Offset,
    /// Everything below is acknowledged: the ceiling of `read_uncommitted`.
    pub high_watermark: Offset,
    /// Everything below survives a power loss: the recovery point.
    pub flushed: Offset,
    /// The offset that the next record gets.
    pub log_end: Offset,
}

/// Up to where a consumer reads (Kafka: `isolation.level`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Up to the high watermark.
    #[default]
    ReadUncommitted,
    /// Up to the last stable offset.
    ReadCommitted,
}

/// What an acknowledgement stands for, which is what the high watermark waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ack {
    /// The operating system has it.
    Written,
    /// It has been fsynced (`flush.messages=1`).
    Flushed,
}

/// Where the log says that it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogMarks {
    pub(crate) log_start: Offset,
    pub(crate) flushed: Offset,
    pub(crate) log_end: Offset,
}

impl Marks {
    /// The marks of a log that has just been opened. What it holds was acknowledged, as far as `ack` can say.
    pub(crate) fn at_open(log: LogMarks, ack: Ack) -> Self {
        let mut marks = Self {
            log_start: log.log_start,
            last_stable: log.log_start,
            high_watermark: log.log_start,
            flushed: log.flushed,
            log_end: log.log_end,
        };
        marks.follow(log, ack);
        marks
    }

    /// Takes over where the log stands, and lets the high watermark and the last stable offset follow. The latter
    /// needs [`Self::hold_stable`] afterwards when there are transactions.
    pub(crate) fn follow(&mut self, log: LogMarks, ack: Ack) {
        let before = *self;
        self.log_start = log.log_start;
        self.flushed = log.flushed.min(log.log_end);
        self.log_end = log.log_end;
        let reached = match ack {
            Ack::Written => self.log_end,
            Ack::Flushed => self.flushed,
        };
        self.high_watermark = before.high_watermark.max(reached).max(self.log_start);
        self.last_stable = self.high_watermark;
        assert!(
            before.log_start <= self.log_start
                && before.flushed <= self.flushed
                && before.log_end <= self.log_end,
            "no mark moves back: {before:?} to {self:?}"
        );
        assert!(
            ack == Ack::Written
                || self.high_watermark <= self.flushed.max(before.high_watermark).max(self.log_start),
            "an fsync comes before the ack: {before:?} to {self:?}"
        );
    }

    /// Holds the last stable offset at `first_unstable`, the first offset of a transaction that is not settled.
    pub(crate) fn hold_stable(&mut self, first_unstable: Option<Offset>) {
        if let Some(first) = first_unstable {
            self.last_stable = first.max(self.log_start).min(self.high_watermark);
        }
        self.check();
    }

    /// The offset up to which `isolation` reads.
    #[must_use]
    pub fn ceiling(&self, isolation: Isolation) -> Offset {
        match isolation {
            Isolation::ReadUncommitted => self.high_watermark,
            Isolation::ReadCommitted => self.last_stable,
        }
    }

    fn check(&self) {
        assert!(
            self.log_start <= self.last_stable
                && self.last_stable <= self.high_watermark
                && self.high_watermark <= self.log_end
                && self.flushed <= self.log_end,
            "the marks are out of order: {self:?}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(log_start: i64, flushed: i64, log_end: i64) -> LogMarks {
        LogMarks { log_start: Offset(log_start), flushed: Offset(flushed), log_end: Offset(log_end) }
    }

    #[test]
    fn an_ack_of_the_page_cache_follows_the_log_end() {
        let mut marks = Marks::at_open(log(0, 0, 0), Ack::Written);
        marks.follow(log(0, 0, 7), Ack::Written);
        assert_eq!(
            (marks.high_watermark, marks.last_stable, marks.flushed),
            (Offset(7), Offset(7), Offset(0))
        );
    }

    #[test]
    fn an_fsynced_ack_follows_the_flushed_offset() {
        let mut marks = Marks::at_open(log(0, 3, 9), Ack::Flushed);
        assert_eq!(
            marks.high_watermark,
            Offset(3),
            "an unflushed tail is not acknowledged after a restart either"
        );
        marks.follow(log(0, 3, 12), Ack::Flushed);
        assert_eq!(marks.high_watermark, Offset(3));
        marks.follow(log(0, 12, 14), Ack::Flushed);
        assert_eq!((marks.high_watermark, marks.log_end), (Offset(12), Offset(14)));
    }

    #[test]
    fn switching_to_fsynced_acks_takes_no_ack_back() {
        let mut marks = Marks::at_open(log(0, 0, 9), Ack::Written);
        marks.follow(log(0, 0, 10), Ack::Flushed);
        assert_eq!(marks.high_watermark, Offset(9));
        marks.follow(log(0, 10, 10), Ack::Flushed);
        assert_eq!(marks.high_watermark, Offset(10));
    }

    #[test]
    fn an_open_transaction_holds_the_stable_offset_but_not_below_the_log_start() {
        let mut marks = Marks::at_open(log(0, 0, 9), Ack::Written);
        marks.hold_stable(Some(Offset(4)));
        assert_eq!(marks.ceiling(Isolation::ReadCommitted), Offset(4));
        assert_eq!(marks.ceiling(Isolation::ReadUncommitted), Offset(9));
        marks.follow(log(6, 6, 9), Ack::Written);
        marks.hold_stable(Some(Offset(4)));
        assert_eq!(marks.last_stable, Offset(6));
    }

    #[test]
    #[should_panic(expected = "no mark moves back")]
    fn a_mark_that_moves_back_is_a_bug() {
        let mut marks = Marks::at_open(log(0, 0, 9), Ack::Written);
        marks.follow(log(0, 0, 8), Ack::Written);
    }
}
