//! What can go wrong with a log, and what was found damaged in one.

use std::path::PathBuf;

use base::Offset;
use disk::DiskError;

use crate::checkpoint::CheckpointError;

/// Why an operation on a log failed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// One batch alone is larger than a segment may be (Kafka: `RecordBatchTooLargeException`).
    #[error("a batch of {size} bytes is larger than a whole segment of {} may be: {limit} bytes", dir.display())]
    LargerThanSegment {
        /// The log's directory.
        dir: PathBuf,
        /// The batch's size in bytes.
        size: u64,
        /// `segment.bytes`.
        limit: u32,
    },
    /// An offset that the log does not hold.
    #[error("offset {from} is outside {}, which holds {log_start} to {log_end} (exclusive)", dir.display())]
    OutOfRange {
        /// The log's directory.
        dir: PathBuf,
        /// What was asked for.
        from: Offset,
        /// The first offset there is.
        log_start: Offset,
        /// The offset that the next record will get.
        log_end: Offset,
    },
    /// Bytes that should be a batch are not.
    #[error("no valid batch at position {position} of {}: {why}", file.display())]
    Damaged {
        /// The segment file.
        file: PathBuf,
        /// Where in it, in bytes from its start.
        position: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A `.txnindex` says what such a file cannot say.
    #[error("no aborted transaction at position {position} of {}: {why}", file.display())]
    DamagedTxnIndex {
        /// The file.
        file: PathBuf,
        /// Where in it, in bytes from its start.
        position: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A segment in message format v0 or v1, which are not read here; nothing was changed.
    #[error(
        "{} holds messages of format v0 or v1 at position {position}, which are not read here; \
         let Kafka compact or expire them first",
        file.display()
    )]
    OldFormat {
        /// The segment file.
        file: PathBuf,
        /// Where in it, in bytes from its start.
        position: u64,
    },
    /// A checkpoint file of the log's directory says something that it cannot say.
    #[error("{} is not a valid checkpoint: {source}", file.display())]
    Checkpoint {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: CheckpointError,
    },
}

/// A stretch of a segment file that should hold batches and does not, although it was flushed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment file.
    pub file: PathBuf,
    /// Where the stretch begins, in bytes from the start of the file.
    pub position: u64,
    /// Its length in bytes.
    pub len: u64,
    /// The first offset that is lost or in doubt.
    pub first: Offset,
    /// The offset at which whole batches go on.
    pub next: Offset,
}
