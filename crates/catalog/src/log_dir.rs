//! The one log directory, and how much lies in it (Kafka: `ReplicaManager.describeLogDirs`).

use std::path::PathBuf;

use base::{PartitionIndex, Uuid};
use disk::{DiskError, Volume};
use log::names::{FileName, Kind};

use crate::catalog::Catalog;
use crate::hosted::{Hosted, Slot};
use crate::names::partition_dir;

impl Catalog {
    /// The data directory, from the root on, as AlterReplicaLogDirs has to name it.
    #[must_use]
    pub fn log_dir(&self) -> PathBuf {
        let given = &self.ground.data_dir;
        std::path::absolute(given).unwrap_or_else(|_| given.clone())
    }

    /// How large the volume of the data directory is; `None` when nobody knows.
    ///
    /// # Errors
    /// When the directory is not there any more.
    pub fn volume(&self) -> Result<Option<Volume>, DiskError> {
        self.ground.disk.volume(&self.ground.data_dir)
    }

    /// Bytes in the segments of a partition; `None` where it has no log that can be read. Opens nothing: of a partition
    /// that nobody has asked for yet the directory is looked at.
    #[must_use]
    pub fn partition_size(&self, topic: Uuid, index: PartitionIndex) -> Option<u64> {
        let state = self.state.load();
        let hosted = state.hosted.get(&topic)?;
        let slot = hosted.slot(index)?;
        match slot.opened() {
            Some(partition) => Some(partition.log_size()),
            None => self.size_on_disk(hosted, slot),
        }
    }

    fn size_on_disk(&self, hosted: &Hosted, slot: &Slot) -> Option<u64> {
        if slot.is_offline() {
            return None;
        }
        let dir = self.ground.data_dir.join(partition_dir(&hosted.name, slot.index));
        let is_segment = |name: &str| {
            matches!(FileName::parse(name), Some(FileName { kind: Kind::Log, parked: None, .. }))
        };
        let entries = self.ground.disk.list(&dir).ok()?;
        Some(entries.iter().filter(|entry| is_segment(&entry.name)).map(|entry| entry.len).sum())
    }
}
