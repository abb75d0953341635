//! What is done from time to time, and at the end.

use std::path::PathBuf;

use base::Millis;
use log::LogError;
use settings::Settings;

use crate::catalog::{Catalog, State};
use crate::checkpoints::{Checkpoints, PointsByPartition};
use crate::clean_shutdown;
use crate::directories::Removal;
use crate::error::CatalogError;
use crate::hosted::{self, Ground, Hosted, Slot};
use crate::names::partition_dir;
use crate::registration;

/// What is due, and when.
#[derive(Debug)]
pub(crate) struct Upkeep {
    checkpoints: Checkpoints,
    removals: Vec<Removal>,
    /// When partitions that nobody asked for are looked at, so that their old segments go as well.
    next_retention: Millis,
    retention_every_ms: i64,
    /// Whether the stop has written the files for the last time.
    closed: bool,
}

impl Upkeep {
    pub(crate) fn new(
        checkpoints: Checkpoints,
        removals: Vec<Removal>,
        settings: &Settings,
        now: Millis,
    ) -> Self {
        Self {
            checkpoints,
            removals,
            next_retention: now.plus(settings.log_initial_task_delay_ms()),
            retention_every_ms: settings.log_retention_check_interval_ms(),
            closed: false,
        }
    }

    /// Writes down how far the partitions are flushed, unless the file says so already, or the stop has done it.
    pub(crate) fn write_recovery_points(&mut self, points: &PointsByPartition) -> Result<(), LogError> {
        if self.closed { Ok(()) } else { self.checkpoints.write_recovery_points(points) }
    }

    /// Writes the checkpoint files anew if they speak of partitions that do not exist.
    pub(crate) fn forget_strangers(&mut self, state: &State) -> Result<(), LogError> {
        let points = state.points();
        if self.checkpoints.has_strangers(&points) { self.checkpoints.write_all(&points) } else { Ok(()) }
    }

    /// Writes the file of log starts, unless it says what it should.
    pub(crate) fn keep_log_starts(&mut self, state: &State, ground: &Ground) -> Result<(), LogError> {
        let points = state.points();
        for (topic, index) in self.checkpoints.new_log_starts(&points) {
            // A directory that no flush has synced yet would come back without its topic's id, and count as a new one.
            ground.disk.sync_dir(&ground.data_dir.join(partition_dir(&topic, index)))?;
        }
        self.checkpoints.write_log_starts(&points)
    }

    /// Writes the checkpoint files that do not say what they should.
    pub(crate) fn write_checkpoints(&mut self, points: &PointsByPartition) -> Result<(), LogError> {
        self.checkpoints.write_all(points)
    }

    pub(crate) fn remove_later(&mut self, due: Millis, dir: PathBuf) {
        self.removals.push((due, dir));
    }

    fn take_removals(&mut self, now: Millis) -> Vec<PathBuf> {
        let (due, later) = std::mem::take(&mut self.removals).into_iter().partition(|(due, _)| *due <= now);
        self.removals = later;
        let due: Vec<Removal> = due;
        due.into_iter().map(|(_, dir)| dir).collect()
    }

    fn retention_is_due(&mut self, now: Millis) -> bool {
        let is_due = self.next_retention <= now;
        if is_due {
            self.next_retention = now.plus(self.retention_every_ms);
        }
        is_due
    }
}

impl Catalog {
    /// What is due by now: checkpoint files, a snapshot of the metadata log, the partitions' own upkeep (retention, expiry, timed flushes), removal of
    /// deleted directories. Blocks; call it about once a second from a thread that may wait.
    pub fn tend(&self, now: Millis) {
        self.ground.at(now);
        if self.writer.lock().check_open().is_err() {
            return;
        }
        let (removals, open_all) = {
            let mut upkeep = self.upkeep.lock();
            if !upkeep.closed
                && upkeep.checkpoints.is_due(now)
                && let Err(error) = upkeep.checkpoints.write_due(&self.state.load().points(), now)
            {
                tracing::error!("{error}; it is tried again");
            }
            (upkeep.take_removals(now), upkeep.retention_is_due(now))
        };
        for dir in removals {
            self.remove(dir, now);
        }
        self.tend_metadata(now);
        let state = self.state.load_full();
        for hosted in state.hosted.values() {
            for slot in &hosted.slots {
                self.tend_partition(hosted, slot, open_all, now);
            }
        }
    }

    fn tend_partition(&self, hosted: &Hosted, slot: &Slot, open_all: bool, now: Millis) {
        if let Some(partition) = slot.opened() {
            partition.tend(now);
        } else if open_all && hosted.may_lose_segments(slot, &self.ground) {
            // Opening it puts it under its own upkeep from the next time on.
            let _ = hosted.open(slot, &self.ground);
        }
    }

    fn remove(&self, dir: PathBuf, now: Millis) {
        if let Err(error) = self.ground.disk.remove_dir_all(&dir)
            && !error.is_not_found()
        {
            tracing::warn!("{error}; it is tried again in a minute");
            self.upkeep.lock().remove_later(now.plus(60_000), dir);
        }
    }

    /// The clean stop: closes every partition, then the metadata log, writes the checkpoints, last the marker of a clean
    /// shutdown, and lets go of the lock. Later calls that change something answer [`CatalogError::Closed`]; closing
    /// again does nothing.
    ///
    /// # Errors
    /// When something could not be written, or a partition was offline; then the marker is not written, and the next
    /// start recovers.
    pub fn close(&self, now: Millis) -> Result<(), CatalogError> {
        self.ground.at(now);
        let _no_snapshot = self.snapshotting.lock();
        let mut writer = self.writer.lock();
        if writer.check_open().is_err() {
            return Ok(());
        }
        let state = self.state.load_full();
        let partitions = hosted::close_all(&state.hosted, &self.ground, now);
        let farewell = registration::farewell(self.node_id, self.broker_epoch);
        let metadata = writer.close(vec![farewell], now);
        self.ground.flusher.segments_flushed().end();
        let checkpoints = {
            let mut upkeep = self.upkeep.lock();
            upkeep.closed = true;
            upkeep.checkpoints.write_all(&state.points())
        };
        let not_clean = |reason: String| CatalogError::NotClean { reason };
        let result = partitions
            .map_err(not_clean)
            .and(metadata)
            .and(checkpoints.map_err(|e| not_clean(e.to_string())))
            .and_then(|()| {
                clean_shutdown::write(&*self.ground.disk, &self.ground.data_dir, self.broker_epoch)
                    .map_err(|e| not_clean(e.to_string()))
            });
        drop(self.lock.lock().take());
        result
    }
}
