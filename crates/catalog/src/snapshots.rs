//! When a snapshot of the metadata log is due, and which snapshots and segments are old enough to go (Kafka:
//! `SnapshotGenerator`, `KafkaMetadataLog.maybeClean`).

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{Millis, Offset};
use disk::{Disk, DiskError};
use log::{Log, LogError};
use settings::Settings;

use crate::catalog::Catalog;
use crate::error::OpenError;
use crate::replay::Replayed;
use crate::snapshot_file::{self, Capture, SnapshotId};

/// How often old snapshots are looked for (Kafka: `KafkaRaftClient.snapshotCleaner`).
const CLEAN_EVERY_MS: i64 = 60_000;

/// How long a removed snapshot stays as `.deleted`, as Kafka leaves it.
const DELETE_DELAY_MS: i64 = 60_000;

/// The settings of the metadata log. Sizes are bytes, times milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) segment_bytes: u32,
    pub(crate) segment_ms: i64,
    /// Records after which a snapshot is due.
    pub(crate) bytes_between_snapshots: u64,
    /// Time after which one is due if anything changed; 0: never.
    pub(crate) snapshot_interval_ms: i64,
    /// The oldest snapshot goes while all files together have more; negative: no limit.
    pub(crate) retention_bytes: i64,
    /// A snapshot older than this goes, if there is a newer one; negative: no limit.
    pub(crate) retention_ms: i64,
}

impl Limits {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            segment_bytes: settings.metadata_log_segment_bytes().unsigned_abs(),
            segment_ms: settings.metadata_log_segment_ms().max(1),
            bytes_between_snapshots: settings
                .metadata_log_max_record_bytes_between_snapshots()
                .unsigned_abs(),
            snapshot_interval_ms: settings.metadata_log_max_snapshot_interval_ms(),
            retention_bytes: settings.metadata_max_retention_bytes(),
            retention_ms: settings.metadata_max_retention_ms(),
        }
    }
}

/// The snapshots that there are, and what has happened since the last one.
#[derive(Debug)]
pub(crate) struct Snapshots {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    limits: Limits,
    /// Oldest first.
    there: VecDeque<Snapshot>,
    bytes_since: u64,
    /// When the last one was begun, or the log opened.
    last: Millis,
    last_append: Millis,
    next_clean: Millis,
    /// `.deleted` files, and when they go.
    parked: VecDeque<(Millis, PathBuf)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Snapshot {
    id: SnapshotId,
    size: u64,
    /// The time of its last record; read when it is first asked for.
    timestamp: Option<Millis>,
}

impl Snapshots {
    /// Takes over what a replay found: removes leftovers and what lies below the log (Kafka:
    /// `KafkaMetadataLog.recoverSnapshots`), and sets damaged snapshots aside, which Kafka would fail on.
    ///
    /// # Errors
    /// When a file cannot be removed or renamed.
    pub(crate) fn open(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        replayed: &Replayed,
        limits: Limits,
        now: Millis,
    ) -> Result<Self, OpenError> {
        let mut this = Self {
            disk: Arc::clone(disk),
            dir: dir.to_owned(),
            limits,
            there: VecDeque::new(),
            bytes_since: replayed.bytes_since_snapshot,
            last: now,
            last_append: now,
            next_clean: now,
            parked: VecDeque::new(),
        };
        for path in &replayed.leftovers {
            disk.remove_file(path)?;
        }
        for (id, why) in &replayed.damaged {
            let path = id.path(dir);
            tracing::error!(
                "the snapshot {} is damaged {why}; what it said was read from the log, and it is removed",
                path.display()
            );
            this.set_aside(*id, now)?;
        }
        for (id, size) in &replayed.snapshots {
            if id.end < replayed.start {
                disk.remove_file(&id.path(dir))?;
            } else {
                this.there.push_back(Snapshot { id: *id, size: *size, timestamp: None });
            }
        }
        Ok(this)
    }

    /// A batch of this size was appended, whose last record has this time.
    pub(crate) fn appended(&mut self, size: usize, timestamp: Millis) {
        self.bytes_since += size as u64;
        self.last_append = timestamp;
    }

    /// The time of the last record.
    pub(crate) fn last_append(&self) -> Millis {
        self.last_append
    }

    /// Whether a snapshot up to `end` is due.
    pub(crate) fn is_due(&self, end: Offset, now: Millis) -> bool {
        let says_more = self.there.back().is_none_or(|newest| newest.id.end < end);
        let Limits { bytes_between_snapshots, snapshot_interval_ms, .. } = self.limits;
        let waited = snapshot_interval_ms != 0 && now.since(self.last) >= snapshot_interval_ms;
        says_more && (self.bytes_since >= bytes_between_snapshots || waited)
    }

    /// A snapshot is begun. If it fails, the next one is due as if it had not: a full disk does not get fuller.
    pub(crate) fn begun(&mut self, now: Millis) {
        self.bytes_since = 0;
        self.last = now;
    }

    pub(crate) fn add(&mut self, snapshot: &Capture, size: u64) {
        let timestamp = Some(snapshot.last_timestamp);
        self.there.push_back(Snapshot { id: snapshot.id, size, timestamp });
        self.next_clean = Millis(i64::MIN);
    }

    /// Once a minute, and after each snapshot: removes the oldest snapshots, and the segments before the next one, while
    /// there is too much or they are too old. One always stays.
    pub(crate) fn clean(&mut self, log: &mut Log, now: Millis) -> Result<(), LogError> {
        while let Some((_, path)) = self.parked.front().filter(|(due, _)| *due <= now) {
            match self.disk.remove_file(path) {
                Err(error) if !error.is_not_found() => return Err(error.into()),
                _ => self.parked.pop_front(),
            };
        }
        if self.next_clean > now {
            return Ok(());
        }
        self.next_clean = now.plus(CLEAN_EVERY_MS);
        while self.is_too_much(log.reader().size()) && self.remove_oldest(log, now)? {}
        while self.oldest_is_too_old(now)? && self.remove_oldest(log, now)? {}
        Ok(())
    }

    fn is_too_much(&self, log_size: u64) -> bool {
        let size = self.there.iter().map(|snapshot| snapshot.size).sum::<u64>() + log_size;
        u64::try_from(self.limits.retention_bytes).is_ok_and(|limit| size > limit)
    }

    fn oldest_is_too_old(&mut self, now: Millis) -> Result<bool, DiskError> {
        let limit = self.limits.retention_ms;
        let Some(oldest) = self.there.front_mut().filter(|_| limit >= 0) else { return Ok(false) };
        if oldest.timestamp.is_none() {
            oldest.timestamp = snapshot_file::last_timestamp(&*self.disk, &oldest.id.path(&self.dir))?;
        }
        Ok(oldest.timestamp.is_some_and(|timestamp| now.since(timestamp) > limit))
    }

    /// Lets the log begin where the second oldest snapshot ends, if there is one. Says whether it did.
    fn remove_oldest(&mut self, log: &mut Log, now: Millis) -> Result<bool, LogError> {
        let Some(next) = self.there.get(1).filter(|next| next.id.end > log.log_start()) else {
            return Ok(false);
        };
        let start = next.id.end;
        log.delete_records_before(start);
        let removed = log.apply_retention(log.log_end(), now)?;
        tracing::debug!(
            "the metadata log begins at offset {start} now; {} segments went",
            removed.segments.len()
        );
        let oldest = self.there.pop_front().expect("there are two");
        self.set_aside(oldest.id, now)?;
        Ok(true)
    }

    fn set_aside(&mut self, id: SnapshotId, now: Millis) -> Result<(), DiskError> {
        let deleted = id.deleted_path(&self.dir);
        self.disk.rename(&id.path(&self.dir), &deleted)?;
        self.parked.push_back((now.plus(DELETE_DELAY_MS), deleted));
        Ok(())
    }
}

impl Catalog {
    /// Writes a snapshot of the metadata log if one is due, and removes old ones. Changes of the catalogue go on while it is
    /// written.
    pub(crate) fn tend_metadata(&self, now: Millis) {
        // One at a time, and none is left behind by a stop.
        let _only = self.snapshotting.lock();
        let (captured, dir) = {
            let mut writer = self.writer.lock();
            (writer.capture_if_due(now), writer.dir().to_owned())
        };
        let written = captured.map(|captured| {
            let snapshot = captured?;
            let size = snapshot.write(&*self.ground.disk, &dir, now)?;
            Ok::<_, crate::CatalogError>((snapshot, size))
        });
        let mut writer = self.writer.lock();
        match written {
            Some(Ok((snapshot, size))) => {
                tracing::info!("wrote {}, {size} bytes", snapshot.id.path(&dir).display());
                writer.has_snapshot(&snapshot, size);
            }
            Some(Err(error)) => tracing::error!("no snapshot of the metadata log was written: {error}"),
            None => {}
        }
        if let Err(error) = writer.clean(now) {
            tracing::error!("old parts of the metadata log are not removed: {error}; it is tried again");
        }
    }
}
