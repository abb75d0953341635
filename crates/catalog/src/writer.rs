//! The metadata log together with the image it comes to. Changes go through here, one at a time.

use std::path::Path;

use base::{Millis, NodeId, Offset, Uuid};
use log::LogError;

use crate::error::CatalogError;
use crate::image::MetadataImage;
use crate::metadata_log::MetadataLog;
use crate::quorum::Leadership;
use crate::registration::Versioned;
use crate::snapshot_file::Capture;

/// Guarded by one lock, which is held over the sync of a change: what the image says is on disk.
#[derive(Debug)]
pub(crate) struct Writer {
    log: MetadataLog,
    pub(crate) image: MetadataImage,
    is_closed: bool,
}

impl Writer {
    pub(crate) fn new(log: MetadataLog, image: MetadataImage) -> Self {
        Self { log, image, is_closed: false }
    }

    /// The offset that the next record gets.
    pub(crate) fn end(&self) -> Offset {
        self.log.end()
    }

    /// Stores `records` as one batch, then lets the image follow. Without records nothing happens.
    ///
    /// # Errors
    /// When they are not stored for good; the image is then as it was.
    ///
    /// # Panics
    /// When the records do not fit the image they were decided against.
    pub(crate) fn commit(&mut self, records: Vec<Versioned>, now: Millis) -> Result<(), CatalogError> {
        self.check_open()?;
        let base = self.log.append(&records, now)?;
        for (offset, (record, _)) in (base.0..).zip(records) {
            self.image.apply(Offset(offset), record).expect("records are decided against this very image");
        }
        Ok(())
    }

    /// What a snapshot is to hold, if one is due. The writing of it needs no lock.
    pub(crate) fn capture_if_due(&mut self, now: Millis) -> Option<Result<Capture, CatalogError>> {
        let due = !self.is_closed && !self.image.has_open_transaction() && self.log.snapshot_is_due(now);
        due.then(|| self.log.capture(&self.image, now))
    }

    /// See [`MetadataLog::has_snapshot`].
    pub(crate) fn has_snapshot(&mut self, snapshot: &Capture, size: u64) {
        self.log.has_snapshot(snapshot, size);
    }

    /// See [`MetadataLog::clean`].
    pub(crate) fn clean(&mut self, now: Millis) -> Result<(), LogError> {
        if self.is_closed { Ok(()) } else { self.log.clean(now) }
    }

    /// This process's lead of the metadata log.
    pub(crate) fn leadership(&self, node: NodeId, directory: Uuid) -> Leadership {
        let registered = self.image.controllers.get(&node);
        Leadership::new(self.log.epoch(), self.log.quorum(), registered, node, directory)
    }

    /// The metadata log's directory.
    pub(crate) fn dir(&self) -> &Path {
        self.log.dir()
    }

    /// # Errors
    /// [`CatalogError::Closed`] after [`Self::close`].
    pub(crate) fn check_open(&self) -> Result<(), CatalogError> {
        if self.is_closed { Err(CatalogError::Closed) } else { Ok(()) }
    }

    /// Stores the last records and ends the metadata log cleanly. No change is taken any more, whatever comes of it.
    ///
    /// # Errors
    /// When that fails; then the stop was not clean.
    pub(crate) fn close(&mut self, last: Vec<Versioned>, now: Millis) -> Result<(), CatalogError> {
        let stored = self.commit(last, now);
        self.is_closed = true;
        stored.and_then(|()| self.log.close())
    }
}
