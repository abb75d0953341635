//! One segment, as its writer and its readers share it: how much of it counts, its files, its indexes.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

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

/// So many sealed segments of one log have their files open at most, besides the active one: each up to three files.
pub(crate) const OPEN_SEALED: usize = 8;

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
    log: Mutex<Option<Arc<dyn DiskFile>>>,
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

    /// Nothing is appended from now on, and its files may be closed when others are in demand.
    pub(crate) fn seal(self: &Arc<Self>) {
        self.sealed.store(true, Ordering::Release);
        if self.log.lock().is_some() {
            self.place.open_files.note(self);
        }
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
        if let Some(file) = self.log.lock().as_ref() {
            return Ok(Arc::clone(file));
        }
        let file = self.place.disk.open(&self.path(Kind::Log), OpenHow::Read)?;
        self.keep_open(Arc::clone(&file));
        Ok(file)
    }

    /// Lets readers use this handle of the `.log` file as well.
    pub(crate) fn keep_open(self: &Arc<Self>, file: Arc<dyn DiskFile>) {
        *self.log.lock() = Some(file);
        if self.is_sealed() {
            self.place.open_files.note(self);
        }
    }

    fn close_files(&self) {
        *self.log.lock() = None;
        self.offsets.close_handle();
        self.times.close_handle();
        self.aborted.give_up();
    }
}

/// Which sealed segments of a log have files open, in the order they were opened.
#[derive(Debug, Default)]
pub(crate) struct OpenFiles {
    opened: Mutex<VecDeque<Weak<Segment>>>,
}

impl OpenFiles {
    /// Takes note that `segment` has its files open, and closes the files of the one opened first when there are too
    /// many. A reader that holds such a file keeps it; a later read opens it again.
    pub(crate) fn note(&self, segment: &Arc<Segment>) {
        let mut opened = self.opened.lock();
        opened.retain(|other| other.as_ptr() != Arc::as_ptr(segment));
        opened.push_back(Arc::downgrade(segment));
        let surplus = opened.len().saturating_sub(OPEN_SEALED);
        let closing: Vec<_> = opened.drain(..surplus).collect();
        drop(opened);
        closing
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|other| other.is_sealed())
            .for_each(|other| other.close_files());
    }
}
