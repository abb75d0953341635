//! The single writer of a log: appends and rolls.

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset};
use disk::{DiskFile, OpenHow};
use records::{BatchHeader, HEADER_LEN};

use crate::config::LogConfig;
use crate::epochs::Epochs;
use crate::error::LogError;
use crate::index::OffsetEntry;
use crate::index_file::WRITE_THROUGH;
use crate::names::Kind;
use crate::reader::LogReader;
use crate::rebuild::{MaxTimestamp, relative};
use crate::segment::{Lengths, Segment};
use crate::shared::Shared;

/// The single writer of one log directory.
///
/// Invariants: the active segment is the last of the published list; its published length is where the next batch goes;
/// log start <= log end, recovery point <= log end.
#[derive(Debug)]
pub struct Log {
    pub(crate) shared: Arc<Shared>,
    pub(crate) config: LogConfig,
    pub(crate) active: Active,
    pub(crate) recovery_point: Offset,
    /// Sealed segments that have not been synced since they were written, oldest first.
    pub(crate) unsynced: Vec<Arc<Segment>>,
    /// Raised whenever a name in the directory is made, so that a flush knows what it covered.
    pub(crate) names_made: u64,
    pub(crate) names_synced: u64,
    /// Whether the directory's own name may not be on disk; the first flush then syncs the one above it.
    pub(crate) dir_made: bool,
    /// `.deleted` files and when they are to go.
    pub(crate) parked: Vec<(Millis, PathBuf)>,
    /// Raised whenever the epochs in memory change; they are in the checkpoint as of [`Self::epochs_written`].
    pub(crate) epochs_made: u64,
    pub(crate) epochs_written: u64,
}

/// The segment that is appended to, and what only its writer needs to know of it.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) segment: Arc<Segment>,
    /// Bytes appended since the last index entry, as far as this process knows.
    pub(crate) since_entry: u64,
    pub(crate) max: MaxTimestamp,
    /// The largest timestamp of the first batch; `None` while there is no batch.
    pub(crate) first_timestamp: Option<Millis>,
    /// When the segment was made, or opened.
    pub(crate) created: Millis,
    /// A number drawn from the segment's path, for `segment.jitter.ms`: this room has no randomness, and what matters is
    /// that logs differ.
    draw: u32,
    /// A failed write left bytes behind the published length, or may have.
    pub(crate) overhang: bool,
    /// The file was made larger in advance.
    pub(crate) preallocated: bool,
    /// Something was written since the last sync.
    pub(crate) unsynced: bool,
    /// The indexes on disk are not those of a sealed segment.
    pub(crate) unsettled: bool,
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

impl Active {
    /// A segment without batches.
    pub(crate) fn empty(segment: Arc<Segment>, created: Millis) -> Self {
        let max = MaxTimestamp::none(segment.base);
        let draw = crc32c::crc32c(segment.path(Kind::Log).as_os_str().as_encoded_bytes());
        segment.activate();
        Self {
            segment,
            draw,
            since_entry: 0,
            max,
            first_timestamp: None,
            created,
            overhang: false,
            preallocated: false,
            unsynced: false,
            unsettled: false,
        }
    }

    /// The file, opened for writing.
    pub(crate) fn writer(&self) -> Result<Arc<dyn DiskFile>, LogError> {
        self.segment.writer()
    }
}

impl Log {
    /// Whether [`Self::roll`] must be called before `header`'s batch is appended (Kafka: `LogSegment.shouldRoll`). Never
    /// for an empty segment, nor for a batch that no segment can hold.
    #[must_use]
    pub fn roll_due(&self, header: &BatchHeader, now: Millis) -> bool {
        let Active { segment, first_timestamp, created, .. } = &self.active;
        let (len, size) = (segment.len(), header.size() as u64);
        let limit = u64::from(self.config.segment_limit());
        if len == 0 || size > limit {
            return false;
        }
        // Record time decides, so that a segment of old records is rolled as it would have been then.
        let waited = match first_timestamp.filter(|first| *first >= Millis(0)) {
            Some(first) => header.max_timestamp.since(first),
            None => now.since(*created),
        };
        let rules = self.config.index_rules();
        len + size > limit
            || waited > self.config.segment_ms - self.jitter()
            || rules.offsets_full(segment.offsets.len())
            || rules.times_full(segment.times.len())
            || header.last_offset().since(segment.base) > i64::from(i32::MAX)
    }

    /// What is taken off `segment.ms` for the active segment.
    fn jitter(&self) -> i64 {
        let bound = self.config.segment_jitter_ms.min(self.config.segment_ms);
        if bound > 0 { i64::from(self.active.draw) % bound } else { 0 }
    }

    /// Seals the active segment and begins a new one at the log end, whose offset is returned. Does nothing while the
    /// active segment is empty. Flush soon after: the sealed segment is not synced here.
    ///
    /// # Errors
    /// When a file operation fails; the active segment is then still the same.
    pub fn roll(&mut self, now: Millis) -> Result<Offset, LogError> {
        let base = self.log_end();
        if self.active.segment.len() == 0 {
            return Ok(base);
        }
        self.settle_active(false)?;
        let next = self.create_segment(base)?;
        let mut segments = self.shared.segments.load().to_vec();
        segments.push(Arc::clone(&next));
        let sealed = std::mem::replace(&mut self.active, Active::empty(next, now));
        self.active.preallocated = self.config.preallocate;
        sealed.segment.seal();
        self.unsynced.push(sealed.segment);
        self.shared.segments.store(Arc::new(segments));
        Ok(base)
    }

    fn create_segment(&mut self, base: Offset) -> Result<Arc<Segment>, LogError> {
        let place = &self.shared.place;
        let segment = Segment::new(place, base, Lengths::NOTHING, base, self.config.index_rules());
        self.names_made += 1;
        create_files(&segment, self.config.preallocate.then(|| self.config.segment_limit()))?;
        *segment.max.lock() = Some(MaxTimestamp::none(base));
        Ok(Arc::new(segment))
    }

    /// Ends the active segment's indexes as a sealed segment has them: with the final time index entry, and files of
    /// exactly their entries. Appends may still go on.
    pub(crate) fn settle_active(&mut self, sync: bool) -> Result<(), LogError> {
        self.cut_overhang()?;
        let Active { segment, max, .. } = &self.active;
        push_time(segment, max);
        segment.offsets.settle(sync)?;
        segment.times.settle(sync)?;
        // Its files may have been closed before, and are open now.
        segment.place.commons.open_files.note(segment);
        if self.active.preallocated {
            self.active.writer()?.set_len(self.active.segment.len())?;
            self.active.preallocated = false;
        }
        self.active.unsettled = !sync;
        Ok(())
    }

    /// Appends one batch: `head`, its 61 header bytes, and `rest`, in one write. The base offset must be the log end, and
    /// [`Self::roll_due`] must have been asked. A leader epoch newer than the log's begins here.
    ///
    /// # Errors
    /// When the batch is larger than a segment or the write fails; readers see nothing of it then, and what part of it
    /// is in the file is cut off before the next append.
    ///
    /// # Panics
    /// When the caller breaks the rules above.
    pub fn append(
        &mut self,
        header: &BatchHeader,
        head: &[u8; HEADER_LEN],
        rest: &[u8],
    ) -> Result<Written, LogError> {
        let size = (HEADER_LEN + rest.len()) as u64;
        let segment = Arc::clone(&self.active.segment);
        let position = segment.len();
        let limit = self.config.segment_limit();
        if size > u64::from(limit) {
            return Err(LogError::LargerThanSegment { dir: self.shared.place.dir.clone(), size, limit });
        }
        assert_eq!(header.base_offset, self.log_end(), "appends leave no gap");
        assert_eq!(header.size() as u64, size, "the header counts the bytes behind it");
        assert!(header.last_offset() >= header.base_offset, "a batch has an offset at least");
        let end_position =
            i32::try_from(position + size).expect("a segment is rolled before it outgrows an i32");
        let last_relative = relative(segment.base, header.last_offset());

        if header.leader_epoch > self.shared.epochs.load().latest().unwrap_or(LeaderEpoch::NONE) {
            self.assign_leader_epoch(header.leader_epoch);
        }
        self.cut_overhang()?;
        let file = self.active.writer()?;
        self.active.unsynced = true;
        self.active.unsettled = true;
        if let Err(error) = file.write_at(position, &[IoSlice::new(head), IoSlice::new(rest)]) {
            // What the file holds now is unknown. If it cannot be cut now, the next append tries again.
            self.active.overhang = file.set_len(position).is_err();
            self.active.preallocated = false;
            return Err(error.into());
        }
        let end = header.next_offset();
        segment.publish(position + size, end);
        self.shared.set_log_end(end);

        let active = &mut self.active;
        active.max.take(header);
        *segment.max.lock() = Some(active.max);
        active.first_timestamp.get_or_insert(header.max_timestamp);
        if active.since_entry > u64::from(self.config.index_interval_bytes) {
            let entry = OffsetEntry { relative_offset: last_relative, position: end_position - size as i32 };
            let waiting = segment.offsets.push(entry);
            push_time(&segment, &active.max);
            active.since_entry = 0;
            if waiting.is_multiple_of(WRITE_THROUGH) {
                write_through(&segment);
            }
        }
        active.since_entry += size;
        Ok(Written {
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            segment: segment.base,
            position,
            size: size as u32,
        })
    }

    /// Cuts off what a failed write may have left.
    fn cut_overhang(&mut self) -> Result<(), LogError> {
        if self.active.overhang {
            self.active.writer()?.set_len(self.active.segment.len())?;
            self.active.overhang = false;
        }
        Ok(())
    }

    /// Begins `epoch` at the log end, unless the log knows it already. Older epochs that would contradict it go. The
    /// leader-epoch-checkpoint follows with the next flush: until the recovery point has passed this offset, a start after a
    /// crash learns the epoch from the batches.
    pub fn assign_leader_epoch(&mut self, epoch: LeaderEpoch) {
        let mut epochs = Epochs::clone(&self.shared.epochs.load());
        if epoch.0 >= 0 && epochs.assign(epoch, self.log_end()) {
            self.set_epochs(epochs);
        }
    }

    pub(crate) fn set_epochs(&mut self, epochs: Epochs) {
        self.epochs_made += 1;
        self.shared.epochs.store(Arc::new(epochs));
    }

    /// Writes the epochs to the leader-epoch-checkpoint, unless that has them.
    pub(crate) fn write_epochs(&mut self) -> Result<(), LogError> {
        if self.epochs_written < self.epochs_made {
            self.shared.write_epochs()?;
            self.epochs_written = self.epochs_made;
        }
        Ok(())
    }

    /// A view for readers.
    #[must_use]
    pub fn reader(&self) -> LogReader {
        LogReader { shared: Arc::clone(&self.shared) }
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.shared.place.dir
    }

    /// The offset that the next record gets.
    #[must_use]
    pub fn log_end(&self) -> Offset {
        self.shared.log_end()
    }

    /// The first offset that may be read.
    #[must_use]
    pub fn log_start(&self) -> Offset {
        self.shared.log_start()
    }

    /// Everything below this offset has been flushed.
    #[must_use]
    pub fn recovery_point(&self) -> Offset {
        self.recovery_point
    }

    /// The base offset of the segment that is appended to.
    #[must_use]
    pub fn active_base(&self) -> Offset {
        self.active.segment.base
    }

    /// Changes the limits from the next append on.
    pub fn set_config(&mut self, config: LogConfig) {
        self.config = config;
    }
}

/// Adds the time index entry that says what the largest timestamp is now, if it is larger than what the index says.
fn push_time(segment: &Segment, max: &MaxTimestamp) {
    if let Some(entry) = max.entry(segment.base)
        && segment.times.last().is_none_or(|last| entry.timestamp > last.timestamp)
    {
        segment.times.push(entry);
    }
}

/// Writes the waiting index entries. A failure is no failure of the append: they stay in memory, and are tried again.
pub(crate) fn write_through(segment: &Segment) {
    let written = segment.offsets.write_through().and_then(|()| segment.times.write_through());
    if let Err(error) = written {
        tracing::warn!(%error, "index entries could not be written and are kept in memory");
    }
}

/// Makes the files of a new segment, over what may be left of an older one. The `.log` comes last, in one step: an index
/// without one is swept away at the next start, but an empty `.log` that is not the last would hide what is in another.
pub(crate) fn create_files(segment: &Segment, preallocate: Option<u32>) -> Result<(), LogError> {
    let disk = &segment.place.disk;
    for kind in [Kind::Index, Kind::TimeIndex] {
        let file = disk.open(&segment.path(kind), OpenHow::Write)?;
        if file.len()? != 0 {
            file.set_len(0)?;
        }
    }
    let log = segment.path(Kind::Log);
    for stale in [&segment.path(Kind::TxnIndex), &log] {
        if disk.entry(stale)?.is_some() {
            disk.remove_file(stale)?;
        }
    }
    let file = disk.open(&log, OpenHow::New)?;
    if let Some(len) = preallocate
        && let Err(error) = file.set_len(len.into())
    {
        tracing::warn!(%error, "a segment could not be made large in advance");
    }
    Ok(())
}
