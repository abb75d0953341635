//! Compaction: of the records with one key only the newest stays (KIP-58, KIP-534; Kafka: `Cleaner`, `LogCleanerManager`).
//!
//! A log has a clean part, which an earlier cleaning left, a dirty part behind it, and the rest, which is not cleaned yet:
//! the active segment, what no fsync has covered, open transactions, and what is younger than `min.compaction.lag.ms`. A
//! cleaning reads the dirty part and notes the newest offset of each key ([`Cleaning::begin`]); then it copies clean and
//! dirty segments, group by group, without the records that have a newer one ([`Cleaning::next_group`]), and puts each
//! copy in the place of its group. If the keys do not fit into memory, the cleaning ends where it has come to, and the
//! next one goes on from there.
//!
//! # Where each part is
//! - `dirt` says what is dirty, what is to be cleaned, and how segments are grouped; `judge` which batches and records stay;
//!   `transactions` what is left of transactions. All three are rules without I/O.
//! - `keys` is the memory of keys, `copy` reads and copies, `output` is the copy, `swap` puts it in place, and `pace`
//!   keeps to a rate.
//!
//! # What holds
//! - Whatever stays keeps its offset. A batch keeps its base offset and its last offset; of a batch without records a bare
//!   header may stay.
//! - Nothing but the swap needs the log's lock, and that only to publish the new list of segments. Readers of the replaced
//!   segments go on in their files, which wait as `.deleted`.
//! - Every batch is checked on the way. What is damaged is not cleaned, and nothing of its log is dropped.
//! - Only what lies below the recovery point is cleaned, so a gap in the offsets is never above it.

mod copy;
mod dirt;
mod judge;
mod keys;
mod output;
mod pace;
mod swap;
mod transactions;

pub use copy::{CleanLimits, Cleaning, GoOn, Needed, Summary};
pub(crate) use dirt::Sketch;
pub use dirt::{Compaction, Dirt};
pub use keys::KeyLimits;
pub use output::Cleaned;
pub use pace::Pace;

use std::path::PathBuf;

use base::Offset;

use crate::error::LogError;

/// Why a cleaning did not come to its end. Nothing is lost then; segments that were swapped by then stay so.
#[derive(Debug, thiserror::Error)]
pub enum CleanError {
    /// It was told to stop, or the log has changed below it.
    #[error("the cleaning was stopped")]
    Stopped,
    /// A file operation failed, or a batch is damaged.
    #[error(transparent)]
    Log(#[from] LogError),
    /// One batch alone holds more keys than there is memory for.
    #[error(
        "the batch at offset {offset} of {} has more keys than the {bytes} bytes of \
         `log.cleaner.dedupe.buffer.size` have room for",
        dir.display()
    )]
    KeysDoNotFit {
        /// The log's directory.
        dir: PathBuf,
        /// Where the batch begins.
        offset: Offset,
        /// The limit.
        bytes: usize,
    },
    /// The finished copy could not be put in place wholly; the next start does it. Until then this log must not be cleaned.
    #[error("a compacted segment could not be put in its place, which the next start makes good: {0}")]
    Unfinished(LogError),
}
