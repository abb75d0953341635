//! What the writer of a log and its readers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use base::Offset;
use parking_lot::Mutex;

use crate::checkpoint;
use crate::epochs::Epochs;
use crate::error::LogError;
use crate::place::Place;
use crate::segment::Segment;

/// The published state of a log. The writer alone changes it; readers see each part as it was at some moment, and the
/// parts change in an order that keeps them true: an end is published after the bytes below it.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) place: Arc<Place>,
    /// Ascending by base offset; never empty.
    pub(crate) segments: ArcSwap<Vec<Arc<Segment>>>,
    log_start: AtomicI64,
    log_end: AtomicI64,
    pub(crate) epochs: ArcSwap<Epochs>,
    /// Held while the leader-epoch-checkpoint is written, by a flush or by the writer.
    epochs_file: Mutex<()>,
}

impl Shared {
    pub(crate) fn new(
        place: Arc<Place>,
        segments: Vec<Arc<Segment>>,
        log_start: Offset,
        log_end: Offset,
        epochs: Epochs,
    ) -> Self {
        Self {
            place,
            segments: ArcSwap::from_pointee(segments),
            log_start: AtomicI64::new(log_start.0),
            log_end: AtomicI64::new(log_end.0),
            epochs: ArcSwap::from_pointee(epochs),
            epochs_file: Mutex::new(()),
        }
    }

    pub(crate) fn log_start(&self) -> Offset {
        Offset(self.log_start.load(Ordering::Acquire))
    }

    pub(crate) fn log_end(&self) -> Offset {
        Offset(self.log_end.load(Ordering::Acquire))
    }

    /// For the writer alone.
    pub(crate) fn set_log_start(&self, offset: Offset) {
        self.log_start.store(offset.0, Ordering::Release);
    }

    /// For the writer alone, after the segment was published.
    pub(crate) fn set_log_end(&self, offset: Offset) {
        self.log_end.store(offset.0, Ordering::Release);
    }

    /// Bytes in all segments.
    pub(crate) fn size(&self) -> u64 {
        self.segments.load().iter().map(|segment| segment.len()).sum()
    }

    /// Writes the epochs of now to the leader-epoch-checkpoint, synced.
    pub(crate) fn write_epochs(&self) -> Result<(), LogError> {
        let _writing = self.epochs_file.lock();
        let epochs = self.epochs.load_full();
        checkpoint::write_epochs(&*self.place.disk, &self.place.dir, epochs.lines())
    }

    pub(crate) fn out_of_range(&self, from: Offset) -> LogError {
        LogError::OutOfRange {
            dir: self.place.dir.clone(),
            from,
            log_start: self.log_start(),
            log_end: self.log_end(),
        }
    }
}

/// The index of the segment that holds `offset`, or would: the last one that begins there or earlier.
pub(crate) fn holding(segments: &[Arc<Segment>], offset: Offset) -> usize {
    segments.partition_point(|segment| segment.base <= offset).saturating_sub(1)
}
