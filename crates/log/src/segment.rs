//! One segment, as its writer and its readers share it: how much of it counts, its files, its indexes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use base::Offset;
use disk::{DiskFile, OpenHow};
use parking_lot::Mutex;

use crate::aborted::Aborted;
use crate::error::LogError;
use crate::index::{OffsetEntry, TimeEntry};
use crate::index_file::IndexFile;
use crate::names::{FileName, Kind};
use crate::place::Place;
use crate::rebuild::{IndexRules, MaxTimestamp};

/// A segment. The writer appends and publishes; readers see what is published. Nothing below the published length
/// ever changes.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) base: Offset,
    pub(crate) place: Arc<Place>,
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
    /// Whether retention has taken it away: its files may be gone.
    removed: AtomicBool,
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
        Self {
            base,
            place: Arc::clone(place),
            rules,
            offsets: IndexFile::new(Arc::clone(place), base, lengths.index),
            times: IndexFile::new(Arc::clone(place), base, lengths.time_index),
            aborted: Aborted::default(),
            len: AtomicU64::new(lengths.log),
            end: AtomicI64::new(end.0),
            sealed: AtomicBool::new(true),
            removed: AtomicBool::new(false),
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
        self.place.path(FileName::new(self.base, kind))
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

    pub(crate) fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }

    pub(crate) fn remove(&self) {
        self.removed.store(true, Ordering::Release);
    }

    /// Whether the last flush could not write the indexes of this sealed segment, and the next one is to try again.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.unsettled.load(Ordering::Acquire)
    }

    pub(crate) fn keep_unsettled(&self, unsettled: bool) {
        self.unsettled.store(unsettled, Ordering::Release);
    }

    /// The open `.log` file, for reading.
    pub(crate) fn log_file(self: &Arc<Self>) -> Result<Arc<dyn DiskFile>, LogError> {
        if let Some(file) = self.open_log_file() {
            return Ok(file);
        }
        let file = self.place.open(&self.path(Kind::Log), OpenHow::Read)?;
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
        let file = self.place.open(&self.path(Kind::Log), OpenHow::Existing)?;
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
