//! What readers of a log hold.

use base::{LeaderEpoch, Millis, Offset};
use records::BatchHeader;

use crate::error::LogError;
use crate::index::TxnEntry;
use crate::range::FileRange;

/// A view of a log for any number of readers, valid for the life of the log. Sees whole appended batches only.
#[derive(Clone, Debug)]
pub struct LogReader {}

/// What [`LogReader::read`] found.
#[derive(Clone, Debug, Default)]
pub struct ReadOut {
    /// Whole batches, as stored; `None` when there is nothing to read.
    pub range: Option<FileRange>,
    /// Bytes in [`Self::range`].
    pub bytes: u32,
}

/// A record found by its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The record's offset.
    pub offset: Offset,
    /// The record's timestamp.
    pub timestamp: Millis,
    /// The leader epoch of its batch.
    pub leader_epoch: LeaderEpoch,
}

/// One step of a walk over batch headers.
#[derive(Clone, Debug)]
pub struct Walked {
    /// The batch's header.
    pub header: BatchHeader,
    /// The whole batch.
    pub at: FileRange,
    /// The batch was appended at this time or earlier: when its segment file was last written.
    pub appended_before: Millis,
}

/// The walk of [`LogReader::headers`]. Ends after the first error.
#[derive(Debug)]
pub struct Headers {}

impl Iterator for Headers {
    type Item = Result<Walked, LogError>;
    fn next(&mut self) -> Option<Self::Item> {
        todo!()
    }
}

impl LogReader {
    /// The first offset that may be read.
    #[must_use]
    pub fn log_start(&self) -> Offset {
        todo!()
    }

    /// The offset after the last whole appended batch.
    #[must_use]
    pub fn log_end(&self) -> Offset {
        todo!()
    }

    /// Bytes in all segments.
    #[must_use]
    pub fn size(&self) -> u64 {
        todo!()
    }

    /// The base offsets of all segments, ascending.
    #[must_use]
    pub fn segment_bases(&self) -> Vec<Offset> {
        todo!()
    }

    /// Whole batches from the one that holds `from` on, none of which reaches `ceiling`, in at most `max_bytes` bytes
    /// (the first batch may exceed that if `at_least_one`). Never crosses a segment border, as Kafka's fetch does not.
    ///
    /// # Errors
    /// When `from` is below the log start or above the log end, a file cannot be read, or is damaged there.
    pub fn read(
        &self,
        from: Offset,
        ceiling: Offset,
        max_bytes: u32,
        at_least_one: bool,
    ) -> Result<ReadOut, LogError> {
        let _ = (from, ceiling, max_bytes, at_least_one);
        todo!()
    }

    /// All batch headers from the batch that holds `from` up to the log end of now.
    #[must_use]
    pub fn headers(&self, from: Offset) -> Headers {
        let _ = from;
        todo!()
    }

    /// The first record at or above the log start and below `ceiling` whose timestamp is `timestamp` or later.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn offset_for_timestamp(
        &self,
        timestamp: Millis,
        ceiling: Offset,
    ) -> Result<Option<Found>, LogError> {
        let _ = (timestamp, ceiling);
        todo!()
    }

    /// The first record with the largest timestamp (KIP-734), if it lies below `ceiling`.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn offset_of_max_timestamp(&self, ceiling: Offset) -> Result<Option<Found>, LogError> {
        let _ = ceiling;
        todo!()
    }

    /// The largest leader epoch that is not above `epoch`, and the offset where it ends
    /// (Kafka: `LeaderEpochFileCache.endOffsetFor`). `(-1, -1)` when unknown.
    #[must_use]
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> (LeaderEpoch, Offset) {
        let _ = epoch;
        todo!()
    }

    /// The leader epoch of the record at `offset`, if known.
    #[must_use]
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        let _ = offset;
        todo!()
    }

    /// The newest leader epoch of the log.
    #[must_use]
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        todo!()
    }

    /// The aborted transactions that overlap `from..to`, from the `.txnindex` files.
    ///
    /// # Errors
    /// When such a file cannot be read or is damaged.
    pub fn aborted_transactions(&self, from: Offset, to: Offset) -> Result<Vec<TxnEntry>, LogError> {
        let _ = (from, to);
        todo!()
    }
}
