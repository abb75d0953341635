//! What the leader epochs say about a log that is opened: which they are, and where the log begins.

use std::sync::Arc;

use base::{LeaderEpoch, Offset};

use super::Opening;
use crate::checkpoint::{self, EpochLine};
use crate::epochs::Epochs;
use crate::error::LogError;
use crate::place::Place;
use crate::segment::Segment;

impl Opening {
    /// The offset at which the first known leader epoch begins: the log start, when retention wrote it down last.
    pub(super) fn first_epoch_start(&self) -> Option<Offset> {
        self.epochs.as_ref()?.first().map(|line| line.start)
    }

    /// The log start: as known, and after a crash also as retention wrote it down in the first leader epoch, unless the
    /// log begins with batches from before there were leader epochs. What it wrote down was not acknowledged to anybody, so it
    /// moves no log beyond `log_end`, which a power loss may have left below it: the log would be dropped, and with it what
    /// was promised to its producers.
    pub(super) fn log_start(&self, log_end: Offset) -> Result<Offset, LogError> {
        let known = self.known.log_start.max(Offset(0));
        let Some(start) = self.first_epoch_start().filter(|start| !self.known.clean && *start > known) else {
            return Ok(known);
        };
        let Some(first) = self.kept.first() else {
            return Ok(start);
        };
        if start <= first.segment.base {
            return Ok(known);
        }
        let segment = &first.segment;
        let batch = match segment.batches_from(segment.base, segment.len(), false)? {
            Some(mut batches) => batches.next()?,
            None => None,
        };
        let has_epochs = batch.is_none_or(|(_, header)| header.leader_epoch > LeaderEpoch::NONE);
        Ok(if has_epochs { start.min(log_end).max(known) } else { known })
    }

    /// The leader epochs of the checkpoint, and those that the scanned batches teach; whether these must be written. If
    /// the checkpoint is lost, the headers of the whole log are asked.
    pub(super) fn epochs(
        &self,
        segments: &[Arc<Segment>],
        log_start: Offset,
        log_end: Offset,
    ) -> Result<(Epochs, bool), LogError> {
        if self.kept.is_empty() {
            return Ok((Epochs::default(), self.epochs.as_ref().is_some_and(|lines| !lines.is_empty())));
        }
        let mut learnt = false;
        let mut epochs = Epochs::from_lines(self.epochs.as_deref().unwrap_or_default());
        let begun = epochs.lines().len();
        epochs.truncate_end(log_end);
        // What the checkpoint says of records that are gone must not be believed of those that take their place.
        learnt |= epochs.lines().len() < begun;
        if self.epochs.is_none() {
            for segment in segments {
                if let Some(mut batches) = segment.batches_from(segment.base, segment.len(), true)? {
                    while let Some((_, header)) = batches.next()? {
                        epochs.learn(header.leader_epoch, header.base_offset);
                        learnt = true;
                    }
                }
            }
        }
        for scanned in self.kept.iter().filter_map(|kept| kept.scanned.as_ref()) {
            for line in &scanned.epochs {
                learnt |= epochs.learn(line.epoch, line.start);
            }
        }
        epochs.truncate_start(log_start);
        Ok((epochs, learnt))
    }
}

/// The leader epochs of the checkpoint; `None` when it is missing, empty or unreadable. An empty one must not be believed:
/// the epochs of the scanned segments alone would then say that the log begins with these.
pub(super) fn read_epochs(place: &Place) -> Result<Option<Vec<EpochLine>>, LogError> {
    match checkpoint::read_epochs(&*place.disk, &place.dir) {
        Err(LogError::Checkpoint { file, source }) => {
            tracing::warn!(file = %file.display(), why = %source, "leader epochs are learnt from the batches");
            Ok(None)
        }
        other => Ok(other?.filter(|lines| !lines.is_empty())),
    }
}
