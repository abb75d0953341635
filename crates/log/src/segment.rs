//! One segment, as its writer and its readers share it: how much of it counts, its files, its indexes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering};

use base::{Millis, Offset};
use disk::{DiskFile, OpenHow};
use parking_lot::Mutex;

use crate::aborted::Aborted;
use crate::clean::Sketch;
use crate::error::LogError;
use crate::index::{OffsetEntry, TimeEntry};
use crate::index_file::IndexFile;
use crate::names::{Kind, Parked};
use crate::place::Place;
use crate::rebuild::{IndexRules, MaxTimestamp};
use crate::whereabouts::{OWN, Whereabouts};

/// What [`Segment::gone`] says.
const PRESENT: u8 = 0;
const REMOVED: u8 = 1;
const REPLACED: u8 = 2;

/// A segment. The writer appends and publishes; readers see what is published. Nothing below the published length
/// ever changes.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) base: Offset,
    pub(crate) place: Arc<Place>,
    pub(crate) files: Arc<Whereabouts>,
    pub(crate) rules: IndexRules,
    pub(crate) offsets: IndexFile<OffsetEntry>,
    pub(crate) times: IndexFile<TimeEntry>,
    /// The transactions that were aborted in it.
    pub(crate) aborted: Aborted,
    /// Bytes of whole batches, from the start of the file.
    len: AtomicU64,
    /// The offset after the last batch; for a sealed segment, the base offset of the next one.
    end: AtomicI64,
    /// Whether nothing is appended any more.
    sealed: AtomicBool,
    /// Whether it is no segment of the log any more, and why: its files may be gone.
    gone: AtomicU8,
    /// Whether entries of its indexes, sealed as it is, are only in memory, because the disk was full.
    unsettled: AtomicBool,
    log: Mutex<Option<LogFile>>,
    /// Whether the segment is in the list of those that have files open, and was used since that was looked through.
    listed: AtomicBool,
    used: AtomicBool,
    /// The largest timestamp; `None` while nobody has asked.
    pub(crate) max: Mutex<Option<MaxTimestamp>>,
    /// The damaged stretches that were met so far, ascending.
    pub(crate) holes: Mutex<Vec<Hole>>,
    /// Held over I/O by who rebuilds the indexes; only others who found them wrong as well wait for it.
    pub(crate) repair: Mutex<()>,
    /// How often the indexes were rebuilt since the log was opened.
    pub(crate) rebuilds: AtomicU32,
}

/// A stretch of a segment without whole batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    /// Where it begins.
    pub(crate) from: u64,
    /// Where whole batches go on, or the segment ends.
    pub(crate) to: u64,
    /// The first offset that is lost.
    pub(crate) first: Offset,
    /// The offset at which the log goes on.
    pub(crate) next: Offset,
    /// What is wrong at its beginning.
    pub(crate) why: String,
}

/// What is known of a segment's files when it is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lengths {
    pub(crate) log: u64,
    pub(crate) index: u64,
    pub(crate) time_index: u64,
}

impl Lengths {
    /// A new segment's.
    pub(crate) const NOTHING: Self = Self { log: 0, index: 0, time_index: 0 };
}

impl Segment {
    /// A segment whose files are there. `end`: the offset after its last batch, or at least an upper bound.
    pub(crate) fn new(
        place: &Arc<Place>,
        base: Offset,
        lengths: Lengths,
        end: Offset,
        rules: IndexRules,
    ) -> Self {
        Self::of(Whereabouts::new(place, base, None), base, lengths, end, rules)
    }

    /// As [`Self::new`], with files that may have a second suffix.
    pub(crate) fn of(
        files: Arc<Whereabouts>,
        base: Offset,
        lengths: Lengths,
        end: Offset,
        rules: IndexRules,
    ) -> Self {
        Self {
            base,
            place: Arc::clone(&files.place),
            rules,
            offsets: IndexFile::new(Arc::clone(&files), lengths.index),
            times: IndexFile::new(Arc::clone(&files), lengths.time_index),
            aborted: Aborted::default(),
            files,
            len: AtomicU64::new(lengths.log),
            end: AtomicI64::new(end.0),
            sealed: AtomicBool::new(true),
            gone: AtomicU8::new(PRESENT),
            unsettled: AtomicBool::new(false),
            log: Mutex::new(None),
            listed: AtomicBool::new(false),
            used: AtomicBool::new(false),
            max: Mutex::new(None),
            holes: Mutex::new(Vec::new()),
            repair: Mutex::new(()),
            rebuilds: AtomicU32::new(0),
        }
    }

    pub(crate) fn path(&self, kind: Kind) -> PathBuf {
        self.files.path(kind)
    }

    /// Bytes that count, and an offset that is not below the end of the batches in them. (The other way round than
    /// they are published, so that the second never lags behind the first.)
    pub(crate) fn published(&self) -> (u64, Offset) {
        let len = self.len.load(Ordering::Acquire);
        (len, Offset(self.end.load(Ordering::Acquire)))
    }

    /// Bytes that count.
    pub(crate) fn len(&self) -> u64 {
        self.len.load(Ordering::Acquire)
    }

    /// Shows readers all up to `len`, whose last batch ends before `end`. For the writer alone.
    pub(crate) fn publish(&self, len: u64, end: Offset) {
        self.end.store(end.0, Ordering::Release);
        self.len.store(len, Ordering::Release);
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }

    /// Nothing is appended from now on.
    pub(crate) fn seal(&self) {
        self.sealed.store(true, Ordering::Release);
    }

    /// Batches are appended from now on. For the writer alone.
    pub(crate) fn activate(&self) {
        self.sealed.store(false, Ordering::Release);
    }

    /// Whether retention has taken it away.
    pub(crate) fn is_removed(&self) -> bool {
        self.gone.load(Ordering::Acquire) == REMOVED
    }

    /// Whether compaction has put another one in its place.
    pub(crate) fn is_replaced(&self) -> bool {
        self.gone.load(Ordering::Acquire) == REPLACED
    }

    /// Retention takes it away. To be said before a file of it goes.
    pub(crate) fn remove(&self) {
        self.gone.store(REMOVED, Ordering::Release);
    }

    /// Another one is in its place. To be said before a file of it goes.
    pub(crate) fn replace(&self) {
        self.gone.store(REPLACED, Ordering::Release);
    }

    /// Renames all its files to `.deleted`, and says what they are called now. The `.log` goes first, so that what a crash
    /// leaves is an index without one, which the next start removes.
    pub(crate) fn park(&self) -> Result<Vec<PathBuf>, LogError> {
        let mut parked = Vec::new();
        for kind in OWN {
            parked.extend(self.files.rename(kind, Some(Parked::Deleted))?);
        }
        Ok(parked)
    }

    /// Whether the last flush could not write the indexes of this sealed segment, and the next one is to try again.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.unsettled.load(Ordering::Acquire)
    }

    pub(crate) fn keep_unsettled(&self, unsettled: bool) {
        self.unsettled.store(unsettled, Ordering::Release);
    }

    /// The largest timestamp of the first batch; none in an empty segment.
    pub(crate) fn first_timestamp(self: &Arc<Self>) -> Result<Millis, LogError> {
        let first = match self.batches_from(self.base, self.len(), false)? {
            Some(mut batches) => batches.next()?,
            None => None,
        };
        Ok(first.map_or(Millis::NONE, |(_, header)| header.max_timestamp))
    }

    /// What planning a compaction has to know.
    pub(crate) fn sketch(&self) -> Sketch {
        let (index_len, time_index_len) = (self.offsets.bytes(), self.times.bytes());
        Sketch { base: self.base, len: self.len(), index_len, time_index_len }
    }

    /// The open `.log` file, for reading.
    pub(crate) fn log_file(self: &Arc<Self>) -> Result<Arc<dyn DiskFile>, LogError> {
        if let Some(file) = self.open_log_file() {
            return Ok(file);
        }
        let file = self.files.open(Kind::Log, OpenHow::Read)?;
        self.log.lock().get_or_insert_with(|| LogFile { file: Arc::clone(&file), writable: false });
        self.place.commons.open_files.note(self);
        Ok(file)
    }

    /// The open `.log` file, for writing.
    pub(crate) fn writer(self: &Arc<Self>) -> Result<Arc<dyn DiskFile>, LogError> {
        if let Some(open) = self.log.lock().as_ref()
            && open.writable
        {
            self.mark_used();
            return Ok(Arc::clone(&open.file));
        }
        let file = self.files.open(Kind::Log, OpenHow::Existing)?;
        *self.log.lock() = Some(LogFile { file: Arc::clone(&file), writable: true });
        self.place.commons.open_files.note(self);
        Ok(file)
    }

    /// The `.log` file, if it is open.
    fn open_log_file(&self) -> Option<Arc<dyn DiskFile>> {
        let file = Arc::clone(&self.log.lock().as_ref()?.file);
        self.mark_used();
        Some(file)
    }

    /// The `.log` file as a sync wants it, if it is open so: some systems refuse to sync one that was opened for reading.
    pub(crate) fn open_writer(&self) -> Option<Arc<dyn DiskFile>> {
        self.log.lock().as_ref().filter(|open| open.writable).map(|open| Arc::clone(&open.file))
    }

    /// Closes its files, for all who do not hold them. The next use opens them again.
    pub(crate) fn close_files(&self) {
        *self.log.lock() = None;
        self.offsets.close_handle();
        self.times.close_handle();
        if self.is_sealed() {
            self.aborted.give_up();
        }
    }

    pub(crate) fn mark_used(&self) {
        // Read first: what many threads write in turn is slow.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn take_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    /// Sets whether it is in the list of those that have files open, and says whether it was.
    pub(crate) fn set_listed(&self, listed: bool) -> bool {
        self.listed.swap(listed, Ordering::AcqRel)
    }
}

/// An open `.log` file.
#[derive(Clone, Debug)]
struct LogFile {
    file: Arc<dyn DiskFile>,
    writable: bool,
}
