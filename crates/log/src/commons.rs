//! What all logs of a process have in common: a bound on open files, and how far the checks after an unclean stop are.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use disk::{Disk, DiskError, DiskFile, OpenHow};
use parking_lot::Mutex;

use crate::segment::Segment;

/// A segment has so many files open at most: `.log`, `.index`, `.timeindex`.
const FILES_PER_SEGMENT: usize = 3;

/// So many segments may always be open: a log that reads and writes needs a few.
const FEWEST: usize = 4;

/// How many segments that were used meanwhile are passed over when one is to be closed.
const PASSED_OVER: usize = 64;

/// When the process can open no more files, so many segments are closed at once.
const CLOSED_AT_ONCE: usize = 64;

/// Shared by all logs of a process.
#[derive(Debug)]
pub struct Commons {
    pub(crate) open_files: OpenFiles,
    pub(crate) checks: Checks,
}

impl Default for Commons {
    /// For a log on its own.
    fn default() -> Self {
        Self::new(24)
    }
}

impl Commons {
    /// Logs that together keep at most `open_files` files of segments open (but at least 12). What was handed out for
    /// reading stays open beyond that, for as long as it is held.
    #[must_use]
    pub fn new(open_files: usize) -> Self {
        let most = (open_files / FILES_PER_SEGMENT).max(FEWEST);
        Self { open_files: OpenFiles { most, opened: Mutex::default() }, checks: Checks::default() }
    }

    /// The checks that are under way.
    #[must_use]
    pub fn checks(&self) -> &Checks {
        &self.checks
    }
}

/// Which segments have files open, in about the order of their last use.
#[derive(Debug)]
pub(crate) struct OpenFiles {
    most: usize,
    opened: Mutex<VecDeque<Weak<Segment>>>,
}

impl OpenFiles {
    /// Takes note that `segment` has files open, and closes those of the ones that were not used for longest when there are
    /// too many. Who holds such a file keeps it; the next use opens it again.
    pub(crate) fn note(&self, segment: &Arc<Segment>) {
        segment.mark_used();
        if segment.set_listed(true) {
            return;
        }
        let closing = {
            let mut opened = self.opened.lock();
            opened.push_back(Arc::downgrade(segment));
            let surplus = opened.len().saturating_sub(self.most);
            Self::take(&mut opened, surplus)
        };
        closing.iter().for_each(|segment| segment.close_files());
    }

    /// Takes `count` segments out, those that were not used since they were looked at last before others.
    fn take(opened: &mut VecDeque<Weak<Segment>>, count: usize) -> Vec<Arc<Segment>> {
        let mut taken = Vec::new();
        let (mut gone, mut passed_over) = (0, 0);
        while taken.len() + gone < count
            && let Some(next) = opened.pop_front()
        {
            let Some(segment) = next.upgrade() else {
                gone += 1;
                continue;
            };
            if passed_over < PASSED_OVER && segment.take_used() {
                passed_over += 1;
                opened.push_back(next);
                continue;
            }
            segment.set_listed(false);
            taken.push(segment);
        }
        taken
    }

    /// Opens a file of a segment. When the process may open no more, others are closed for it.
    pub(crate) fn open(
        &self,
        disk: &dyn Disk,
        path: &Path,
        how: OpenHow,
    ) -> Result<Arc<dyn DiskFile>, DiskError> {
        match disk.open(path, how) {
            Err(error) if error.is_too_many_files() => {
                let closing = Self::take(&mut self.opened.lock(), CLOSED_AT_ONCE);
                closing.iter().for_each(|segment| segment.close_files());
                disk.open(path, how)
            }
            other => other,
        }
    }
}

/// The logs that are being read and checked because nothing vouches for them.
#[derive(Debug, Default)]
pub struct Checks {
    running: Mutex<Vec<Arc<Check>>>,
    /// Bytes that were checked, by those that are over as well.
    done: AtomicU64,
}

#[derive(Debug)]
struct Check {
    dir: PathBuf,
    done: AtomicU64,
    total: u64,
}

/// How far a check is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checking {
    /// The log's directory.
    pub dir: PathBuf,
    /// Bytes that were checked.
    pub done: u64,
    /// Bytes to be checked in all.
    pub total: u64,
}

impl Checks {
    /// The checks that are under way.
    #[must_use]
    pub fn running(&self) -> Vec<Checking> {
        let running = self.running.lock();
        let state = |check: &Arc<Check>| Checking {
            dir: check.dir.clone(),
            done: check.done.load(Ordering::Relaxed),
            total: check.total,
        };
        running.iter().map(state).collect()
    }

    /// Bytes that were checked so far, by all.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// A log of which `total` bytes are to be checked.
    pub(crate) fn begin(&self, dir: &Path, total: u64) -> Running<'_> {
        let check = Arc::new(Check { dir: dir.to_owned(), done: AtomicU64::new(0), total });
        if total > 0 {
            self.running.lock().push(Arc::clone(&check));
        }
        Running { checks: self, check }
    }
}

/// A check that is under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    checks: &'a Checks,
    check: Arc<Check>,
}

impl Running<'_> {
    pub(crate) fn advance(&self, bytes: u64) {
        self.check.done.fetch_add(bytes, Ordering::Relaxed);
        self.checks.done.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.checks.running.lock().retain(|other| !Arc::ptr_eq(other, &self.check));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_shown_while_it_runs() {
        let checks = Checks::default();
        let one = checks.begin(Path::new("/d/t-0"), 100);
        let two = checks.begin(Path::new("/d/t-1"), 50);
        let _nothing_to_do = checks.begin(Path::new("/d/t-2"), 0);
        one.advance(30);
        two.advance(50);
        drop(two);
        assert_eq!(checks.running(), [Checking { dir: "/d/t-0".into(), done: 30, total: 100 }]);
        drop(one);
        assert_eq!((checks.running().len(), checks.done()), (0, 80));
    }
}
