//! Where each leader epoch of a log begins: the rules of `leader-epoch-checkpoint` (Kafka: `LeaderEpochFileCache`).
//!
//! Pure, on a list that ascends in both columns; who calls reads and writes the file.

use base::{LeaderEpoch, Offset};

use crate::checkpoint::EpochLine;

/// The leader epochs of a log, ascending in epoch and in start offset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Epochs(Vec<EpochLine>);

impl Epochs {
    /// Takes the lines of a checkpoint, one after the other, as [`Self::assign`] does.
    pub(crate) fn from_lines(lines: &[EpochLine]) -> Self {
        let mut epochs = Self::default();
        for line in lines.iter().filter(|line| line.epoch.0 >= 0 && line.start.0 >= 0) {
            epochs.assign(line.epoch, line.start);
        }
        epochs
    }

    pub(crate) fn lines(&self) -> &[EpochLine] {
        &self.0
    }

    pub(crate) fn latest(&self) -> Option<LeaderEpoch> {
        self.0.last().map(|line| line.epoch)
    }

    /// Begins `epoch` at `start`, and drops what contradicts that: epochs that are not older, or do not begin earlier.
    /// Says whether anything changed.
    pub(crate) fn assign(&mut self, epoch: LeaderEpoch, start: Offset) -> bool {
        if self.0.last().is_some_and(|last| last.epoch == epoch && start >= last.start) {
            return false;
        }
        while self.0.last().is_some_and(|last| last.epoch >= epoch || last.start >= start) {
            self.0.pop();
        }
        self.0.push(EpochLine { epoch, start });
        true
    }

    /// Takes note of a batch that was found in the log: its epoch begins there, if it is newer than all others.
    pub(crate) fn learn(&mut self, epoch: LeaderEpoch, at: Offset) -> bool {
        epoch.0 >= 0 && self.latest().is_none_or(|latest| epoch > latest) && self.assign(epoch, at)
    }

    /// Drops the epochs that begin at `end` or above.
    pub(crate) fn truncate_end(&mut self, end: Offset) {
        self.0.retain(|line| line.start < end);
    }

    /// Drops the epochs that end at `start` or below; the one that holds `start` begins there from now on.
    pub(crate) fn truncate_start(&mut self, start: Offset) {
        let gone = self.0.partition_point(|line| line.start <= start);
        if gone > 0 {
            self.0[gone - 1].start = start;
            self.0.drain(..gone - 1);
        }
    }

    /// The largest epoch that is not above `asked`, and the offset at which it ends; `(-1, -1)` when unknown.
    pub(crate) fn end_offset_for(&self, asked: LeaderEpoch, log_end: Offset) -> (LeaderEpoch, Offset) {
        let unknown = (LeaderEpoch::NONE, Offset::NONE);
        if asked == LeaderEpoch::NONE {
            return unknown;
        }
        if self.latest() == Some(asked) {
            return (asked, log_end);
        }
        let higher = self.0.partition_point(|line| line.epoch <= asked);
        match (self.0.get(higher), higher.checked_sub(1).and_then(|at| self.0.get(at))) {
            (None, _) => unknown,
            (Some(next), None) => (asked, next.start),
            (Some(next), Some(floor)) => (floor.epoch, next.start),
        }
    }

    /// The epoch of the record at `offset`, if the log knows.
    pub(crate) fn at(&self, offset: Offset) -> Option<LeaderEpoch> {
        let after = self.0.partition_point(|line| line.start <= offset);
        after.checked_sub(1).map(|at| self.0[at].epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(lines: &[(i32, i64)]) -> Epochs {
        Epochs(
            lines
                .iter()
                .map(|(epoch, start)| EpochLine { epoch: LeaderEpoch(*epoch), start: Offset(*start) })
                .collect(),
        )
    }

    #[test]
    fn an_epoch_begins_once() {
        let mut log = Epochs::default();
        assert!(log.assign(LeaderEpoch(0), Offset(0)));
        assert!(!log.assign(LeaderEpoch(0), Offset(7)), "it has begun already");
        assert!(log.assign(LeaderEpoch(2), Offset(10)));
        assert_eq!(log, epochs(&[(0, 0), (2, 10)]));
        assert_eq!(log.latest(), Some(LeaderEpoch(2)));
    }

    #[test]
    fn a_new_epoch_drops_what_contradicts_it() {
        let mut log = epochs(&[(0, 0), (2, 10), (3, 20)]);
        assert!(log.assign(LeaderEpoch(4), Offset(20)), "epoch 3 wrote nothing");
        assert_eq!(log, epochs(&[(0, 0), (2, 10), (4, 20)]));
        assert!(log.assign(LeaderEpoch(1), Offset(5)));
        assert_eq!(log, epochs(&[(0, 0), (1, 5)]));
        assert!(log.assign(LeaderEpoch(1), Offset(3)), "the same epoch, but from an earlier offset");
        assert_eq!(log, epochs(&[(0, 0), (1, 3)]));
    }

    #[test]
    fn a_batch_teaches_only_a_newer_epoch() {
        let mut log = epochs(&[(1, 0)]);
        assert!(!log.learn(LeaderEpoch::NONE, Offset(5)));
        assert!(!log.learn(LeaderEpoch(0), Offset(5)));
        assert!(!log.learn(LeaderEpoch(1), Offset(5)));
        assert!(log.learn(LeaderEpoch(2), Offset(5)));
        assert_eq!(log, epochs(&[(1, 0), (2, 5)]));
    }

    #[test]
    fn the_end_takes_its_epochs_with_it() {
        for (end, left) in [
            (21, &[(0, 0), (2, 10), (3, 20)][..]),
            (20, &[(0, 0), (2, 10)]),
            (11, &[(0, 0), (2, 10)]),
            (10, &[(0, 0)]),
            (0, &[]),
        ] {
            let mut log = epochs(&[(0, 0), (2, 10), (3, 20)]);
            log.truncate_end(Offset(end));
            assert_eq!(log, epochs(left), "cut at {end}");
        }
    }

    #[test]
    fn the_start_keeps_the_epoch_that_holds_it() {
        for (start, left) in [
            (5, &[(0, 5), (2, 10), (3, 20)][..]),
            (10, &[(2, 10), (3, 20)]),
            (15, &[(2, 15), (3, 20)]),
            (99, &[(3, 99)]),
        ] {
            let mut log = epochs(&[(0, 0), (2, 10), (3, 20)]);
            log.truncate_start(Offset(start));
            assert_eq!(log, epochs(left), "from {start}");
        }
        let mut log = epochs(&[(4, 10)]);
        log.truncate_start(Offset(5));
        assert_eq!(log, epochs(&[(4, 10)]));
    }

    #[test]
    fn an_epoch_ends_where_the_next_begins() {
        let log = epochs(&[(1, 5), (3, 10), (4, 20)]);
        for (asked, answer) in [
            (-1, (-1, -1)),
            (0, (0, 5)),
            (1, (1, 10)),
            (2, (1, 10)),
            (3, (3, 20)),
            (4, (4, 33)),
            (5, (-1, -1)),
        ] {
            let (epoch, end) = log.end_offset_for(LeaderEpoch(asked), Offset(33));
            assert_eq!((epoch.0, end.0), answer, "epoch {asked}");
        }
        let nothing = Epochs::default().end_offset_for(LeaderEpoch(0), Offset(0));
        assert_eq!(nothing, (LeaderEpoch::NONE, Offset::NONE));
    }

    #[test]
    fn an_offset_has_the_epoch_that_began_before_it() {
        let log = epochs(&[(1, 5), (3, 10)]);
        for (offset, epoch) in [(0, None), (5, Some(1)), (9, Some(1)), (10, Some(3)), (99, Some(3))] {
            assert_eq!(log.at(Offset(offset)), epoch.map(LeaderEpoch), "offset {offset}");
        }
    }

    #[test]
    fn lines_of_a_checkpoint_are_taken_in_order() {
        let line = |epoch, start| EpochLine { epoch: LeaderEpoch(epoch), start: Offset(start) };
        let log = Epochs::from_lines(&[line(0, 0), line(-1, 3), line(2, 10), line(1, 5), line(7, -5)]);
        assert_eq!(log, epochs(&[(0, 0), (1, 5)]));
    }
}
