//! Building batches: for the broker's own logs, for rebuilt batches, for tests.

use base::{LeaderEpoch, Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use bytes::Bytes;

use crate::{BatchHeader, Codec};

/// A record to be put into a batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewRecord<'a> {
    /// The record's time.
    pub timestamp: Millis,
    /// The key, or `None` for null.
    pub key: Option<&'a [u8]>,
    /// The value, or `None` for null.
    pub value: Option<&'a [u8]>,
    /// Key and value of each header.
    pub headers: &'a [(&'a [u8], Option<&'a [u8]>)],
}

/// Collects records and makes one batch of them. Without further words: CreateTime, no codec, no producer, no leader
/// epoch (-1).
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    base_offset: Offset,
}

impl BatchBuilder {
    /// A batch whose first record has this offset.
    #[must_use]
    pub fn new(base_offset: Offset) -> Self {
        Self { base_offset }
    }

    /// The epoch of the leader that appends it.
    #[must_use]
    pub fn leader_epoch(self, epoch: LeaderEpoch) -> Self {
        let _ = epoch;
        todo!()
    }

    /// How the records are compressed; `level` is the codec's own, `None` its default. (lz4 and snappy have one level.)
    #[must_use]
    pub fn codec(self, codec: Codec, level: Option<i32>) -> Self {
        let _ = (codec, level);
        todo!()
    }

    /// Signs the batch with an idempotent producer's three numbers.
    #[must_use]
    pub fn producer(self, id: ProducerId, epoch: ProducerEpoch, base_sequence: Sequence) -> Self {
        let _ = (id, epoch, base_sequence);
        todo!()
    }

    /// Makes it part of a transaction, or not.
    #[must_use]
    pub fn transactional(self, transactional: bool) -> Self {
        let _ = transactional;
        todo!()
    }

    /// Makes it a control batch, or not.
    #[must_use]
    pub fn control(self, control: bool) -> Self {
        let _ = control;
        todo!()
    }

    /// Makes it a LogAppendTime batch, all of whose records have this time.
    #[must_use]
    pub fn log_append_time(self, now: Millis) -> Self {
        let _ = now;
        todo!()
    }

    /// Marks from when on compaction may drop the batch's tombstones.
    #[must_use]
    pub fn delete_horizon(self, horizon: Millis) -> Self {
        let _ = horizon;
        todo!()
    }

    /// Adds a record behind the last one.
    pub fn push(&mut self, record: &NewRecord<'_>) {
        let _ = record;
        todo!()
    }

    /// Adds a record with a given offset delta, which must not be negative; compaction leaves such gaps.
    pub fn push_at(&mut self, offset_delta: i32, record: &NewRecord<'_>) {
        let _ = (offset_delta, record);
        todo!()
    }

    /// How many records there are so far.
    #[must_use]
    pub fn len(&self) -> usize {
        todo!()
    }

    /// Whether there are none yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes the batch would take without compression.
    #[must_use]
    pub fn uncompressed_size(&self) -> usize {
        todo!()
    }

    /// The bytes of the batch.
    #[must_use]
    pub fn build(self) -> Bytes {
        todo!()
    }
}

/// A whole batch of this header and these bytes behind it, with length and CRC made right. Everything else in the
/// header stays as given, sensible or not: the broker gets its batches from [`BatchBuilder`], tests their broken ones here.
#[must_use]
pub fn seal(header: &BatchHeader, rest: &[u8]) -> Bytes {
    let batch_length = i32::try_from(crate::HEADER_LEN - crate::LENGTH_OVERHEAD + rest.len()).unwrap_or(i32::MAX);
    let mut header = BatchHeader { batch_length, ..*header };
    header.crc = header.crc_with(rest);
    [&header.encode()[..], rest].concat().into()
}
