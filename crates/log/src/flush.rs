//! Flushing: what must be synced, the syncing itself without the log's lock, and the recovery point that moves after it.

use std::io::ErrorKind;
use std::sync::Arc;

use base::Offset;
use disk::{DiskError, OpenHow};

use crate::error::LogError;
use crate::names::Kind;
use crate::segment::Segment;
use crate::shared::Shared;
use crate::writer::{Log, write_through};

/// What must be synced so that everything below [`Flush::up_to`] is on disk.
///
/// Sealed segments are synced with their indexes, since nobody will scan them again once the recovery point has passed
/// their end; of the active segment only the batches are, since a recovery reads it anyway and makes its indexes anew. (A
/// segment that is sealed after that ends at the recovery point, perhaps with indexes that are not on disk: a recovery
/// looks at those.)
#[derive(Debug)]
pub struct Flush {
    shared: Arc<Shared>,
    sealed: Vec<Arc<Segment>>,
    active: Option<Arc<Segment>>,
    names_made: Option<u64>,
    /// Whether the directory's own name may not be on disk.
    dir_made: bool,
    /// Which epochs are not in the leader-epoch-checkpoint yet.
    epochs_made: Option<u64>,
    up_to: Offset,
}

impl Flush {
    /// Everything below this offset is flushed when [`Self::run`] has succeeded.
    #[must_use]
    pub fn up_to(&self) -> Offset {
        self.up_to
    }

    /// Whether there is nothing to sync.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sealed.is_empty()
            && self.active.is_none()
            && self.names_made.is_none()
            && self.epochs_made.is_none()
    }

    /// Writes what is to be written, and syncs. Needs no lock; may run while appends go on.
    ///
    /// # Errors
    /// Those of [`Self::write_epochs`] and [`Self::sync`].
    pub fn run(&self) -> Result<(), LogError> {
        self.write_epochs()?;
        self.sync()
    }

    /// Writes the leader epochs that are not in their checkpoint yet. Comes first: when it fails, nothing else is in doubt.
    ///
    /// # Errors
    /// When the file cannot be written; the recovery point must stay where it is then, and a later flush tries again.
    pub fn write_epochs(&self) -> Result<(), LogError> {
        if self.epochs_made.is_some() { self.shared.write_epochs() } else { Ok(()) }
    }

    /// Syncs the files.
    ///
    /// # Errors
    /// When a sync fails: what was written since the last success is then in doubt, and the log must take no more.
    pub fn sync(&self) -> Result<(), LogError> {
        for segment in &self.sealed {
            match sync_sealed(segment) {
                // Retention took it away meanwhile, or compaction put another one in its place, which is on disk.
                Err(LogError::Disk(error))
                    if error.is_not_found() && (segment.is_removed() || segment.is_replaced()) => {}
                other => other?,
            }
        }
        if let Some(segment) = &self.active {
            sync_log(segment)?;
            write_through(segment);
        }
        let place = &self.shared.place;
        if self.names_made.is_some() {
            place.disk.sync_dir(&place.dir)?;
            if let Some(parent) = place.dir.parent().filter(|_| self.dir_made) {
                place.disk.sync_dir(parent)?;
            }
        }
        Ok(())
    }
}

fn sync_sealed(segment: &Arc<Segment>) -> Result<(), LogError> {
    sync_log(segment)?;
    let settled = segment.offsets.settle(true).and_then(|()| segment.times.settle(true));
    segment.offsets.close_handle();
    segment.times.close_handle();
    match settled {
        Err(LogError::Disk(error)) if has_no_room(&error) => {
            tracing::warn!(%error, "the indexes of a segment could not be written and are kept in memory");
            segment.keep_unsettled(true);
            Ok(())
        }
        other => {
            segment.keep_unsettled(false);
            other
        }
    }
}

fn sync_log(segment: &Arc<Segment>) -> Result<(), LogError> {
    // A file that was closed since it was written is opened for it, never made anew, because retention may have renamed it.
    let file = match segment.open_writer() {
        Some(file) => file,
        None => segment.files.open(Kind::Log, OpenHow::Existing)?,
    };
    Ok(file.sync()?)
}

/// Whether the disk or a quota is full. The batches are on disk then, and of an index nothing is in doubt: what could not be
/// written is still in memory, for the next flush.
pub(crate) fn has_no_room(error: &DiskError) -> bool {
    matches!(error.source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

impl Log {
    /// What must be synced to move the recovery point to the log end of now.
    #[must_use]
    pub fn begin_flush(&self) -> Flush {
        Flush {
            shared: Arc::clone(&self.shared),
            sealed: self.unsynced.clone(),
            active: self.active.unsynced.then(|| Arc::clone(&self.active.segment)),
            names_made: (self.names_made > self.names_synced).then_some(self.names_made),
            dir_made: self.dir_made && self.names_synced == 0,
            epochs_made: (self.epochs_made > self.epochs_written).then_some(self.epochs_made),
            up_to: self.log_end(),
        }
    }

    /// Tells the log that `flush` has run well: the recovery point moves.
    pub fn flushed(&mut self, flush: &Flush) {
        self.unsynced.retain(|segment| {
            segment.is_unsettled() || !flush.sealed.iter().any(|synced| Arc::ptr_eq(synced, segment))
        });
        self.recovery_point = self.recovery_point.max(flush.up_to);
        if let Some(names_made) = flush.names_made {
            self.names_synced = self.names_synced.max(names_made);
        }
        self.wrote_epochs(flush);
        // Only if nothing was appended since the flush began is the active segment wholly synced.
        if flush.up_to == self.log_end() && !self.active.overhang {
            self.active.unsynced = false;
        }
    }

    /// Tells the log that `flush` has written the epochs, whatever becomes of the rest.
    pub fn wrote_epochs(&mut self, flush: &Flush) {
        if let Some(epochs_made) = flush.epochs_made {
            self.epochs_written = self.epochs_written.max(epochs_made);
        }
    }

    /// Ends the log cleanly: final time index entry, indexes of exactly their entries, everything synced, recovery
    /// point at the log end. Touches nothing that was not changed since it was opened. The log must not be appended to
    /// afterwards; readers stay valid.
    ///
    /// # Errors
    /// When a file operation fails; then the stop was not clean.
    pub fn close(&mut self) -> Result<(), LogError> {
        if self.active.unsettled || self.active.preallocated {
            self.settle_active(true)?;
        }
        self.write_epochs()?;
        let flush = self.begin_flush();
        flush.run()?;
        self.flushed(&flush);
        for segment in self.unsynced.iter().filter(|segment| segment.is_unsettled()) {
            // The marker of a clean stop vouches for the indexes too.
            segment.offsets.settle(true)?;
            segment.times.settle(true)?;
        }
        Ok(())
    }
}
