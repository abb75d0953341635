//! Putting a finished copy in the place of its group (Kafka: `LocalLog.replaceSegments`).
//!
//! | step | files | after a crash |
//! |---|---|---|
//! | 1 | the copy is written and synced as `.cleaned` | it is removed |
//! | 2 | the copy is renamed to `.swap`, synced | if a `.cleaned` is left, the copy is removed; else the next steps are done |
//! | 3 | readers see the copy | |
//! | 4 | the old segments are renamed to `.deleted`, synced | those that are left are removed |
//! | 5 | the copy is renamed to its plain names: first the `.log`, synced | the rest is renamed |
//!
//! Each sync keeps a power loss from taking a later step without an earlier one. Only step 3 needs the log's lock.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use base::Millis;
use disk::{DiskError, Operation};

use super::CleanError;
use super::output::{Cleaned, discard};
use crate::error::LogError;
use crate::names::{Kind, Parked};
use crate::reader::last_written_at;
use crate::whereabouts::OWN;
use crate::writer::Log;

impl Cleaned {
    /// Step 2. From now on a start finishes the swap.
    ///
    /// # Errors
    /// When a file cannot be renamed: then the copy is removed again. [`CleanError::Unfinished`] when that is in doubt.
    pub fn commit(&self) -> Result<(), CleanError> {
        let files = &self.segment.files;
        // Nothing is sped up by it, and nothing lost without it: retention looks at record times first.
        if let Err(error) = self.keep_modified() {
            tracing::debug!(%error, "the time of a compacted segment could not be kept");
        }
        let renamed = OWN.into_iter().rev().try_for_each(|kind| {
            let there = files.rename(kind, Some(Parked::Swap))?.is_some();
            if there || kind != Kind::Log {
                return Ok(());
            }
            // The log's directory was given up.
            let gone = io::Error::new(io::ErrorKind::NotFound, "the copy is gone");
            Err(LogError::Disk(DiskError::new(Operation::Rename, &files.path(kind), gone)))
        });
        if let Err(error) = renamed {
            discard(files).map_err(CleanError::Unfinished)?;
            return Err(error.into());
        }
        let place = &files.place;
        place.disk.sync_dir(&place.dir).map_err(|error| CleanError::Unfinished(error.into()))
    }

    /// The copy gets the time of the last segment that it replaces (and so does not look younger than it is).
    fn keep_modified(&self) -> Result<(), LogError> {
        let last = self.replaces.last().expect("a group has a segment");
        if let Some(modified) = last_written_at(last)? {
            let how = disk::OpenHow::Existing;
            self.segment.files.open(Kind::Log, how)?.set_modified(modified)?;
        }
        Ok(())
    }

    /// Steps 4 and 5; returns the `.deleted` files.
    ///
    /// # Errors
    /// [`CleanError::Unfinished`]: the next start does the rest.
    pub fn finish(&self) -> Result<Vec<PathBuf>, CleanError> {
        self.try_finish().map_err(CleanError::Unfinished)
    }

    fn try_finish(&self) -> Result<Vec<PathBuf>, LogError> {
        let files = &self.segment.files;
        let sync = || files.place.disk.sync_dir(&files.place.dir);
        let mut parked = Vec::new();
        for old in &self.replaces {
            parked.extend(old.park()?);
        }
        sync()?;
        for kind in OWN {
            let renamed = files.rename(kind, None)?;
            if kind == Kind::Log && renamed.is_some() {
                sync()?;
            }
        }
        sync()?;
        Ok(parked)
    }

    /// Removes a copy that is not to be swapped.
    ///
    /// # Errors
    /// [`CleanError::Unfinished`] when it cannot be removed.
    pub fn discard(&self) -> Result<(), CleanError> {
        discard(&self.segment.files).map_err(CleanError::Unfinished)
    }
}

impl Log {
    /// Whether `cleaned` can take its place: the log is still compacted, and has all segments that it replaces.
    #[must_use]
    pub fn can_swap(&self, cleaned: &Cleaned) -> bool {
        self.config.compact_enabled && self.place_of(cleaned).is_some()
    }

    fn place_of(&self, cleaned: &Cleaned) -> Option<usize> {
        let segments = self.shared.segments.load();
        let first = cleaned.replaces.first().expect("a group has a segment");
        let at = segments.iter().position(|segment| Arc::ptr_eq(segment, first))?;
        let there = segments.get(at..at + cleaned.replaces.len())?;
        there.iter().zip(&cleaned.replaces).all(|(a, b)| Arc::ptr_eq(a, b)).then_some(at)
    }

    /// Step 3: shows readers the copy instead of what it replaces. Nobody may take segments away between
    /// [`Cleaned::commit`] and [`Cleaned::finish`].
    ///
    /// # Panics
    /// When a segment that it replaces is not there.
    pub fn swap_in(&mut self, cleaned: &Cleaned) {
        let at = self.place_of(cleaned).expect("nobody takes segments away during a swap");
        let mut segments = self.shared.segments.load().to_vec();
        segments.splice(at..at + cleaned.replaces.len(), [Arc::clone(&cleaned.segment)]);
        self.shared.segments.store(Arc::new(segments));
        for old in &cleaned.replaces {
            old.replace();
            self.unsynced.retain(|segment| !Arc::ptr_eq(segment, old));
        }
    }

    /// Has the files of replaced segments removed after `file.delete.delay.ms`.
    pub fn remove_replaced(&mut self, files: Vec<PathBuf>, now: Millis) {
        let due = now.plus(self.config.file_delete_delay_ms.max(0));
        self.parked.extend(files.into_iter().map(|path| (due, path)));
    }
}
