//! What is remembered of one producer.

use std::fmt;

use base::{Millis, Offset, ProducerEpoch, ProducerId, Sequence};

use super::Claim;

/// How many batches are remembered per producer (Kafka: `ProducerStateEntry.NUM_BATCHES_TO_RETAIN`), which is why a
/// producer may have at most five requests in flight.
pub const REMEMBERED_BATCHES: usize = 5;

/// One batch that was appended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// The sequence of its last record; [`Sequence::NONE`] in a coordinator's batch.
    pub last_sequence: Sequence,
    /// The offset of its last record.
    pub last_offset: Offset,
    /// Its last offset less its first: not negative.
    pub offset_delta: i32,
    /// The largest timestamp of its records.
    pub timestamp: Millis,
}

impl Remembered {
    /// The sequence of its first record.
    #[must_use]
    pub fn first_sequence(&self) -> Sequence {
        if self.last_sequence.0 < 0 { Sequence::NONE } else { self.last_sequence.minus(self.offset_delta) }
    }

    /// The offset of its first record.
    #[must_use]
    pub fn first_offset(&self) -> Offset {
        self.last_offset.plus(-i64::from(self.offset_delta))
    }
}

impl fmt::Display for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={} at offset {}", self.first_sequence(), self.last_sequence, self.first_offset())
    }
}

/// One producer as a `.snapshot` file keeps it (and DescribeProducers shows it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The producer.
    pub producer_id: ProducerId,
    /// Its newest epoch; [`ProducerEpoch::NONE`] when none is known.
    pub epoch: ProducerEpoch,
    /// The last sequence of its newest batch; [`Sequence::NONE`] when no batch is remembered.
    pub last_sequence: Sequence,
    /// The last offset of that batch; [`Offset::NONE`] when there is none.
    pub last_offset: Offset,
    /// Last less first offset of that batch; 0 when there is none.
    pub offset_delta: i32,
    /// The largest record timestamp of that batch, or the timestamp of a marker that came after it.
    pub timestamp: Millis,
    /// The epoch of the coordinator that wrote the last marker; -1: none.
    pub coordinator_epoch: i32,
    /// Where its open transaction begins.
    pub open_transaction: Option<Offset>,
}

/// An offset or none, in the eight bytes of an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MaybeOffset(Offset);

impl MaybeOffset {
    pub(super) fn is_some(self) -> bool {
        self.0 != Offset::NONE
    }

    pub(super) fn is_none(self) -> bool {
        !self.is_some()
    }

    pub(super) fn into_option(self) -> Option<Offset> {
        self.is_some().then_some(self.0)
    }
}

impl From<Option<Offset>> for MaybeOffset {
    fn from(offset: Option<Offset>) -> Self {
        Self(offset.unwrap_or(Offset::NONE))
    }
}

/// What is remembered of one producer. Kept small: a partition may have many thousands.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The first `len` are remembered, oldest first, all of [`Self::epoch`].
    batches: [Remembered; REMEMBERED_BATCHES],
    len: u8,
    pub(super) epoch: ProducerEpoch,
    pub(super) coordinator_epoch: i32,
    /// Record time of the last batch or marker.
    pub(super) last_timestamp: Millis,
    /// When that was appended, as far as known: never earlier than it was.
    appended_at: Millis,
    pub(super) open_transaction: MaybeOffset,
}

impl Default for Entry {
    /// A producer of which nothing is known.
    fn default() -> Self {
        Self {
            batches: [Remembered::default(); REMEMBERED_BATCHES],
            len: 0,
            epoch: ProducerEpoch::NONE,
            coordinator_epoch: -1,
            last_timestamp: Millis::NONE,
            appended_at: Millis::NONE,
            open_transaction: None.into(),
        }
    }
}

impl Entry {
    pub(super) fn batches(&self) -> &[Remembered] {
        &self.batches[..usize::from(self.len)]
    }

    /// The remembered batch with exactly the claimed epoch and sequences.
    pub(super) fn find(&self, claim: &Claim) -> Option<Remembered> {
        if claim.epoch != self.epoch || claim.base_sequence.0 < 0 {
            return None;
        }
        let (first, last) = (claim.base_sequence, claim.last_sequence());
        self.batches()
            .iter()
            .find(|batch| batch.first_sequence() == first && batch.last_sequence == last)
            .copied()
    }

    /// Which sequence a batch of `epoch` must begin with: the one after the newest batch, or 0 in a new epoch and in an
    /// epoch known only from a marker.
    pub(super) fn expected_sequence(&self, epoch: ProducerEpoch) -> Sequence {
        match self.batches().last() {
            Some(newest) if epoch == self.epoch && newest.last_sequence != Sequence::NONE => {
                newest.last_sequence.plus(1)
            }
            _ => Sequence::FIRST,
        }
    }

    /// Adds a batch; another epoch than the known one forgets the batches of that.
    pub(super) fn add(&mut self, epoch: ProducerEpoch, batch: Remembered) {
        self.enter(epoch);
        if usize::from(self.len) == REMEMBERED_BATCHES {
            self.batches.rotate_left(1);
            self.len -= 1;
        }
        self.batches[usize::from(self.len)] = batch;
        self.len += 1;
    }

    /// Goes over to `epoch`, in which nothing has been sent yet, unless it is the known one.
    pub(super) fn enter(&mut self, epoch: ProducerEpoch) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.len = 0;
        }
    }

    /// The last batch or marker: its record time, and when it was appended.
    pub(super) fn touch(&mut self, timestamp: Millis, appended_at: Millis) {
        self.last_timestamp = timestamp;
        self.appended_at = appended_at;
    }

    /// Whether it may be forgotten: no transaction is open, and the last sign of life is `expiration_ms` old.
    pub(super) fn is_idle(&self, now: Millis, expiration_ms: i64) -> bool {
        let last_sign_of_life = self.last_timestamp.max(self.appended_at);
        self.open_transaction.is_none() && now.since(last_sign_of_life) >= expiration_ms
    }

    /// See [`super::Tracker::load`].
    pub(super) fn load(&mut self, row: &Row, appended_at: Millis) {
        let newest = Remembered {
            last_sequence: row.last_sequence,
            last_offset: row.last_offset,
            offset_delta: row.offset_delta,
            timestamp: row.timestamp,
        };
        // What a file says is only a claim: a batch with impossible numbers is taken for none.
        let newest = (newest.last_offset >= Offset::ZERO
            && newest.offset_delta >= 0
            && newest.last_sequence >= Sequence::NONE)
            .then_some(newest);
        if self.len == 0 {
            self.enter(row.epoch);
            newest.into_iter().for_each(|batch| self.add(row.epoch, batch));
            self.touch(row.timestamp, appended_at);
        }
        self.coordinator_epoch = row.coordinator_epoch;
        self.open_transaction = row.open_transaction.into();
    }

    pub(super) fn row(&self, producer_id: ProducerId) -> Row {
        let newest = self.batches().last();
        Row {
            producer_id,
            epoch: self.epoch,
            last_sequence: newest.map_or(Sequence::NONE, |batch| batch.last_sequence),
            last_offset: newest.map_or(Offset::NONE, |batch| batch.last_offset),
            offset_delta: newest.map_or(0, |batch| batch.offset_delta),
            timestamp: self.last_timestamp,
            coordinator_epoch: self.coordinator_epoch,
            open_transaction: self.open_transaction.into_option(),
        }
    }
}
