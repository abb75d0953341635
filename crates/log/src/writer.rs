//! The single writer of a log.

use std::path::Path;
use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset};
use disk::Disk;
use records::{BatchHeader, HEADER_LEN};

use crate::config::{Known, LogConfig};
use crate::error::{Damage, LogError};
use crate::reader::LogReader;

/// The single writer of one log directory.
#[derive(Debug)]
pub struct Log {}

/// What [`Log::open`] found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Whether the directory had no segment, and got its first one now.
    pub created: bool,
    /// Bytes that were read and checked because nothing vouched for them.
    pub scanned_bytes: u64,
    /// Bytes cut off the end of the last good segment.
    pub truncated_bytes: u64,
    /// Base offsets of segments that were dropped because they followed the cut, or lay below the log start.
    pub dropped_segments: Vec<Offset>,
    /// Base offsets of segments whose indexes were rebuilt.
    pub rebuilt_indexes: Vec<Offset>,
    /// What was flushed once and is damaged now. It was left as it is.
    pub damage: Vec<Damage>,
}

/// Where a batch went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The batch's first offset.
    pub base_offset: Offset,
    /// The batch's last offset.
    pub last_offset: Offset,
    /// The base offset of its segment.
    pub segment: Offset,
    /// Where it begins in the segment's file.
    pub position: u64,
    /// Its size in bytes.
    pub size: u32,
}

/// What retention took away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Base offsets of the removed segments.
    pub segments: Vec<Offset>,
    /// The log start after that.
    pub log_start: Offset,
}

/// What must be synced so that everything below [`Flush::up_to`] is on disk.
#[derive(Debug)]
pub struct Flush {}

impl Flush {
    /// Everything below this offset is flushed when [`Self::run`] has succeeded.
    #[must_use]
    pub fn up_to(&self) -> Offset {
        todo!()
    }

    /// Syncs the files. Needs no lock; may run while appends go on.
    ///
    /// # Errors
    /// When a sync fails: what was written since the last success is then in doubt, and the log must take no more.
    pub fn run(&self) -> Result<(), LogError> {
        todo!()
    }
}

impl Log {
    /// Opens the log in `dir`, which is made together with a first segment if missing.
    ///
    /// # Errors
    /// When a file operation fails.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        config: LogConfig,
        known: Known,
        now: Millis,
    ) -> Result<(Self, Opened), LogError> {
        let _ = (disk, dir, config, known, now);
        todo!()
    }

    /// Whether [`Self::roll`] must be called before `header`'s batch is appended.
    #[must_use]
    pub fn roll_due(&self, header: &BatchHeader, now: Millis) -> bool {
        let _ = (header, now);
        todo!()
    }

    /// Seals the active segment and begins a new one at the log end, whose offset is returned. Does nothing while the
    /// active segment is empty. Flush soon after: the sealed segment is not synced here.
    ///
    /// # Errors
    /// When a file operation fails.
    pub fn roll(&mut self, now: Millis) -> Result<Offset, LogError> {
        let _ = now;
        todo!()
    }

    /// Appends one batch: `head`, its 61 header bytes, and `rest`, in one write. The base offset must be the log end.
    /// A newer leader epoch than the log knows gets its checkpoint entry first.
    ///
    /// # Errors
    /// When the batch is larger than a segment or the write fails; nothing is visible to readers then.
    pub fn append(
        &mut self,
        header: &BatchHeader,
        head: &[u8; HEADER_LEN],
        rest: &[u8],
    ) -> Result<Written, LogError> {
        let _ = (header, head, rest);
        todo!()
    }

    /// A view for readers.
    #[must_use]
    pub fn reader(&self) -> LogReader {
        todo!()
    }

    /// The offset that the next record gets.
    #[must_use]
    pub fn log_end(&self) -> Offset {
        todo!()
    }

    /// The first offset that may be read.
    #[must_use]
    pub fn log_start(&self) -> Offset {
        todo!()
    }

    /// Everything below this offset has been flushed.
    #[must_use]
    pub fn recovery_point(&self) -> Offset {
        todo!()
    }

    /// The base offset of the segment that is appended to.
    #[must_use]
    pub fn active_base(&self) -> Offset {
        todo!()
    }

    /// Changes the limits from the next append on.
    pub fn set_config(&mut self, config: LogConfig) {
        let _ = config;
        todo!()
    }

    /// What must be synced to move the recovery point to the log end of now.
    #[must_use]
    pub fn begin_flush(&self) -> Flush {
        todo!()
    }

    /// Tells the log that `flush` has run well.
    pub fn flushed(&mut self, flush: &Flush) {
        let _ = flush;
        todo!()
    }

    /// Begins `epoch` at the log end (leader-epoch-checkpoint), unless it is known already.
    ///
    /// # Errors
    /// When the checkpoint cannot be written.
    pub fn assign_leader_epoch(&mut self, epoch: LeaderEpoch) -> Result<(), LogError> {
        let _ = epoch;
        todo!()
    }

    /// Moves the log start up to `offset`, which must not be above the log end, and returns the log start. Segments
    /// below it go with the next [`Self::apply_retention`].
    pub fn delete_records_before(&mut self, offset: Offset) -> Offset {
        let _ = offset;
        todo!()
    }

    /// Removes segments from the oldest on, as the limits say, never beyond `high_watermark`. Their files (and the
    /// `.snapshot` of the same number) become `.deleted` and go with [`Self::remove_due_files`].
    ///
    /// # Errors
    /// When a file operation fails.
    pub fn apply_retention(&mut self, high_watermark: Offset, now: Millis) -> Result<Removed, LogError> {
        let _ = (high_watermark, now);
        todo!()
    }

    /// Removes the `.deleted` files whose delay is over, and says how many there were.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn remove_due_files(&mut self, now: Millis) -> Result<usize, LogError> {
        let _ = now;
        todo!()
    }

    /// Ends the log cleanly: final time index entry, indexes of exactly their entries, everything synced, recovery
    /// point at the log end. The log must not be appended to afterwards; readers stay valid.
    ///
    /// # Errors
    /// When a file operation fails; then the stop was not clean.
    pub fn close(&mut self) -> Result<(), LogError> {
        todo!()
    }
}
