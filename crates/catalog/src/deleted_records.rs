//! DeleteRecords: where a partition begins from now on, and that a restart knows it.
//!
//! Kafka writes `log-start-offset-checkpoint` once a minute, so that a kill may bring deleted records back. Here it is
//! written and synced before the deletion is acknowledged.

use base::{Offset, PartitionIndex, Uuid};
use partition::PartitionError;

use crate::catalog::Catalog;
use crate::error::RecordsError;

impl Catalog {
    /// Moves the log start of a partition up to `before`, or to its high watermark without one; never down. Returns the
    /// log start. Waits for nothing but the page cache: [`Self::keep_log_starts`] is due before anybody is told.
    ///
    /// # Errors
    /// When the partition cannot be had, its topic does not delete, or the offset is not within it.
    pub fn delete_records(
        &self,
        topic: Uuid,
        index: PartitionIndex,
        before: Option<Offset>,
    ) -> Result<Offset, RecordsError> {
        let partition = self.partition(topic, index)?;
        if self.topic_settings(topic).is_some_and(|settings| !settings.delete) {
            return Err(RecordsError::KeptByPolicy);
        }
        Ok(partition.delete_records_before(before)?)
    }

    /// Puts on disk where the partitions begin, unless that is there. Waits for syncs; those who call at the same time
    /// share one.
    ///
    /// What lies below a log start is flushed first: were a power loss to take it, the log would end below its start, all of
    /// it would be dropped, and so would what it says of its producers.
    ///
    /// # Errors
    /// When a log cannot be flushed, or the checkpoint cannot be written.
    pub fn keep_log_starts(&self) -> Result<(), PartitionError> {
        for hosted in self.state.load_full().hosted.values() {
            for partition in hosted.slots.iter().filter_map(|slot| slot.opened()) {
                let marks = partition.marks();
                if marks.log_start > marks.flushed && partition.health().is_ok() {
                    partition.flush()?;
                }
            }
        }
        let mut upkeep = self.upkeep.lock();
        Ok(upkeep.keep_log_starts(&self.state.load(), &self.ground)?)
    }
}
