//! What a partition answers when it cannot do what it was asked.

use std::sync::Arc;

use base::Offset;
use log::LogError;
use state_machines::sequence;

/// Why a partition takes no more appends. It stays so until the process starts anew; reads go on.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Shut {
    /// A write failed and the file may hold part of it, or failed in a way that speaks against the disk.
    #[error("an earlier write failed: {0}")]
    Write(Arc<LogError>),
    /// A flush failed: what was written since the last good one is in doubt.
    #[error("an earlier flush failed: {0}")]
    Flush(Arc<LogError>),
    /// The code of this partition panicked.
    #[error("an earlier operation panicked: {0}")]
    Panic(Arc<str>),
}

/// Why a partition does not do what would change it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Stopped {
    /// Something failed that only a restart can put right (Kafka: KAFKA_STORAGE_ERROR).
    #[error("the partition takes no more appends until the broker restarts: {0}")]
    Shut(#[from] Shut),
    /// It was closed or deleted (Kafka: NOT_LEADER_OR_FOLLOWER).
    #[error("the partition is closed")]
    Closed,
}

impl From<Stopped> for AppendError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Shut(why) => Self::Shut(why),
            Stopped::Closed => Self::Closed,
        }
    }
}

impl From<Stopped> for PartitionError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Shut(why) => Self::Shut(why),
            Stopped::Closed => Self::Closed,
        }
    }
}

/// Why a batch was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The producer's epoch or sequence does not fit (Kafka: 45, 47, 48).
    #[error(transparent)]
    Refused(#[from] sequence::Refusal),
    /// The batch alone is larger than a segment may be (Kafka: RECORD_LIST_TOO_LARGE).
    #[error("a batch of {size} bytes is larger than a segment may be: {limit} bytes")]
    LargerThanSegment {
        /// The batch's size in bytes.
        size: u64,
        /// `segment.bytes`.
        limit: u32,
    },
    /// This write failed and was undone; a later append may be tried (Kafka: KAFKA_STORAGE_ERROR).
    #[error(transparent)]
    Failed(LogError),
    /// No append is taken until restart (Kafka: KAFKA_STORAGE_ERROR).
    #[error("the partition takes no more appends until the broker restarts: {0}")]
    Shut(#[from] Shut),
    /// The partition was closed or deleted (Kafka: NOT_LEADER_OR_FOLLOWER).
    #[error("the partition is closed")]
    Closed,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The offset is below the log start or above the log end (Kafka: OFFSET_OUT_OF_RANGE).
    #[error("offset {from} is outside the partition, which holds {log_start} to {log_end} (exclusive)")]
    OutOfRange {
        /// What was asked for.
        from: Offset,
        /// The first offset there is.
        log_start: Offset,
        /// The offset after the last record.
        log_end: Offset,
    },
    /// A file could not be read, or is damaged there (Kafka: KAFKA_STORAGE_ERROR).
    #[error(transparent)]
    Log(LogError),
}

/// Why opening, flushing, closing or changing a partition failed.
#[derive(Debug, thiserror::Error)]
pub enum PartitionError {
    /// The log could not do it.
    #[error(transparent)]
    Log(#[from] LogError),
    /// An earlier failure answers for this one.
    #[error("the partition is shut until the broker restarts: {0}")]
    Shut(#[from] Shut),
    /// The partition was closed or deleted.
    #[error("the partition is closed")]
    Closed,
    /// `DeleteRecords` asked for an offset below zero or above the high watermark (Kafka: OFFSET_OUT_OF_RANGE).
    #[error("records cannot be deleted up to offset {asked}: the high watermark is {high_watermark}")]
    NotDeletable {
        /// What was asked for.
        asked: Offset,
        /// Up to where records may be deleted.
        high_watermark: Offset,
    },
}
