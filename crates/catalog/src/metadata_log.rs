//! The writing side of `__cluster_metadata-0`: one batch per change, synced before it counts (Kafka: `KafkaMetadataLog`,
//! `BatchAccumulator`).
//!
//! Each batch is synced before the next is written. So a bad batch that good ones follow is never the trace of a crash,
//! and a reader may refuse it instead of dropping what comes after.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{LeaderEpoch, Millis, NodeId, Offset, Uuid};
use bytes::Bytes;
use disk::{Disk, OpenHow};
use log::checkpoint::{PARTITION_METADATA, format_partition_metadata, read_partition_metadata};
use log::{Known, Log, LogConfig, LogError};
use records::control::ControlType;
use records::{BatchBuilder, BatchHeader, HEADER_LEN, NewRecord};
use wire::control_records::LeaderChangeMessage;
use wire::control_records::leader_change::Voter;
use wire::metadata_records::MetadataRecord;
use wire::to_bytes;

use crate::error::{CatalogError, MetadataFault, OpenError};
use crate::files;
use crate::image::MetadataImage;
use crate::quorum_state;
use crate::replay::{Quorum, Replayed};
use crate::snapshot_file::{Capture, SnapshotId};
use crate::snapshots::{Limits, Snapshots};

/// The id of the metadata log, as its `partition.metadata` has it.
const TOPIC_ID: Uuid = Uuid::from_u128(1);

/// Most bytes of a batch (Kafka: `KafkaRaftClient.MAX_BATCH_SIZE_BYTES`).
const LARGEST_BATCH: usize = 8 << 20;

/// The one writer of the metadata log.
#[derive(Debug)]
pub(crate) struct MetadataLog {
    log: Log,
    dir: PathBuf,
    epoch: LeaderEpoch,
    quorum: Quorum,
    snapshots: Snapshots,
    /// Why nothing is written any more, once a sync has failed.
    shut: Option<String>,
}

/// Whether `dir`, if it exists, is the metadata log's. Changes nothing.
pub(crate) fn check_topic_id(disk: &dyn Disk, dir: &Path) -> Result<(), OpenError> {
    if disk.entry(dir)?.is_none() {
        return Ok(());
    }
    match read_partition_metadata(disk, dir)? {
        None | Some(TOPIC_ID) => Ok(()),
        Some(other) => {
            Err(OpenError::Metadata { path: dir.to_owned(), why: MetadataFault::OtherTopic(other) })
        }
    }
}

impl MetadataLog {
    /// Opens the log that was read as `replayed`, cuts a torn end, and begins to lead it in a new epoch: the only voter
    /// elects itself at every start (Kafka: `KafkaRaftClient.transitionToLeader`).
    pub(crate) fn open(
        disk: &Arc<dyn Disk>,
        dir: PathBuf,
        replayed: &Replayed,
        node: NodeId,
        limits: Limits,
        clean: bool,
        now: Millis,
    ) -> Result<Self, OpenError> {
        let stored = quorum_state::QuorumState::read(&**disk, &dir).ok().flatten().flatten();
        let last =
            stored.map_or(LeaderEpoch(0), |state| state.leader_epoch).max(replayed.epoch).max(LeaderEpoch(0));
        let next = last.0.checked_add(1).map(LeaderEpoch);
        let epoch =
            next.ok_or(OpenError::Metadata { path: dir.clone(), why: MetadataFault::LastEpoch(last) })?;

        disk.create_dir_all(&dir)?;
        if read_partition_metadata(&**disk, &dir)?.is_none() {
            files::replace(
                &**disk,
                &dir.join(PARTITION_METADATA),
                format_partition_metadata(TOPIC_ID).as_bytes(),
            )?;
        }
        quorum_state::write(&**disk, &dir, node, epoch, replayed.quorum.kraft_version)?;
        if let Some((path, position)) = &replayed.torn {
            let file = disk.open(path, OpenHow::Write)?;
            tracing::info!(
                "cutting {} bytes of a write that never ended off {}",
                file.len()? - position,
                path.display()
            );
            file.set_len(*position)?;
        }
        let snapshots = Snapshots::open(disk, &dir, replayed, limits, now)?;
        // As Kafka does, nothing is believed that no snapshot stands in for: all of the cluster hangs on it.
        let recovery_point = replayed.snapshots.last().map_or(Offset::ZERO, |(id, _)| id.end);
        let known = Known { clean: false, recovery_point, log_start: replayed.start };
        let (log, _) = Log::open(Arc::clone(disk), &dir, config(limits), known, now)?;
        if log.log_end() != replayed.end {
            let why = MetadataFault::TwoReadings { read: replayed.end, opened: log.log_end() };
            return Err(OpenError::Metadata { path: dir, why });
        }
        if replayed.end == replayed.start {
            // The directory's name must be on disk before anything in it counts; the names in it get there with the first
            // flush. Any batch shows that this was done.
            if let Some(parent) = dir.parent() {
                disk.sync_dir(parent)?;
            }
        }

        let quorum = replayed.quorum.clone();
        let mut this = Self { log, dir, epoch, quorum, snapshots, shut: None };
        if !clean && replayed.end > replayed.start {
            // A kill may leave what only the operating system has. It must be on disk before anything stands behind it: a
            // bad batch that good ones follow counts as damage.
            this.flush()?;
        }
        let batch = this.leader_change(node, now);
        this.write(&batch, now)?;
        this.flush()?;
        Ok(this)
    }

    /// The offset that the next record gets.
    pub(crate) fn end(&self) -> Offset {
        self.log.log_end()
    }

    /// Appends `records` as one batch and syncs it. Returns the offset of the first one. Empty `records` write nothing.
    ///
    /// # Errors
    /// [`CatalogError::Failed`] when nothing was written; [`CatalogError::Shut`] when a sync fails, now or earlier: then
    /// nobody knows what is on the disk, and nothing is written any more.
    pub(crate) fn append(
        &mut self,
        records: &[(MetadataRecord, i16)],
        now: Millis,
    ) -> Result<Offset, CatalogError> {
        if let Some(reason) = &self.shut {
            return Err(CatalogError::Shut { reason: reason.clone() });
        }
        let base = self.log.log_end();
        if records.is_empty() {
            return Ok(base);
        }
        let failed = |reason: String| CatalogError::Failed { reason };
        let mut builder = BatchBuilder::new(base).leader_epoch(self.epoch);
        for (record, version) in records {
            let value = record.encode(*version).map_err(|e| failed(e.to_string()))?;
            builder.push(&NewRecord { timestamp: now, value: Some(&value), ..NewRecord::default() });
            if builder.size_so_far() > LARGEST_BATCH {
                return Err(failed(format!("the change takes more than {LARGEST_BATCH} bytes")));
            }
        }
        self.write(&builder.build(), now).map_err(|e| failed(e.to_string()))?;
        self.flush().map_err(|error| {
            tracing::error!(
                "the metadata log in {} takes no changes until a restart: {error}",
                self.dir.display()
            );
            let reason = error.to_string();
            self.shut = Some(reason.clone());
            CatalogError::Shut { reason }
        })?;
        Ok(base)
    }

    /// Whether a snapshot is due (Kafka: `SnapshotGenerator`).
    pub(crate) fn snapshot_is_due(&self, now: Millis) -> bool {
        self.shut.is_none() && self.snapshots.is_due(self.log.log_end(), now)
    }

    /// What a snapshot of this moment is to hold, and where it goes. A segment is begun, so that what the snapshot stands
    /// in for lies in segments of its own: a start then reads what came after it, and no more.
    ///
    /// # Errors
    /// When no segment can be begun.
    pub(crate) fn capture(&mut self, image: &MetadataImage, now: Millis) -> Result<Capture, CatalogError> {
        let id = SnapshotId { epoch: self.epoch, end: self.log.log_end() };
        self.snapshots.begun(now);
        self.log.roll(now).map_err(|e| CatalogError::Failed { reason: e.to_string() })?;
        Ok(Capture {
            id,
            last_timestamp: self.snapshots.last_append(),
            image: image.clone(),
            quorum: self.quorum.clone(),
        })
    }

    /// The epoch in which this process leads the log.
    pub(crate) fn epoch(&self) -> LeaderEpoch {
        self.epoch
    }

    /// Who votes.
    pub(crate) fn quorum(&self) -> &Quorum {
        &self.quorum
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The snapshot that was captured is on disk, with this size.
    pub(crate) fn has_snapshot(&mut self, snapshot: &Capture, size: u64) {
        self.snapshots.add(snapshot, size);
    }

    /// Removes old snapshots, and the segments that only they needed.
    ///
    /// # Errors
    /// When a file operation fails; it is tried again.
    pub(crate) fn clean(&mut self, now: Millis) -> Result<(), LogError> {
        self.snapshots.clean(&mut self.log, now)?;
        let mut due = self.log.take_due_files(now);
        let removed = due.remove();
        if removed.is_err() {
            self.log.remove_later(due, now);
        }
        removed.map(drop)
    }

    /// Ends the log cleanly.
    pub(crate) fn close(&mut self) -> Result<(), CatalogError> {
        if let Some(reason) = &self.shut {
            return Err(CatalogError::Shut { reason: reason.clone() });
        }
        self.log.close().map_err(|e| CatalogError::NotClean { reason: e.to_string() })
    }

    /// Version 0, as Kafka 4.1 writes it whatever the `kraft.version`; it cannot read version 1.
    fn leader_change(&self, node: NodeId, now: Millis) -> Bytes {
        let voters = vec![Voter { voter_id: node.0, ..Voter::default() }];
        let change =
            LeaderChangeMessage { version: 0, leader_id: node.0, granting_voters: voters.clone(), voters };
        let value = to_bytes(&change, 0).expect("every field is within its range");
        let key = ControlType::LeaderChange.key();
        let mut builder = BatchBuilder::new(self.log.log_end()).leader_epoch(self.epoch).control(true);
        builder.push(&NewRecord { timestamp: now, key: Some(&key), value: Some(&value), headers: &[] });
        builder.build()
    }

    fn write(&mut self, batch: &Bytes, now: Millis) -> Result<(), LogError> {
        let header = BatchHeader::parse(batch).expect("it was built here");
        let (head, rest) =
            batch.split_first_chunk::<HEADER_LEN>().expect("a batch is longer than its header");
        if self.log.roll_due(&header, now) {
            self.log.roll(now)?;
        }
        self.log.append(&header, head, rest)?;
        self.snapshots.appended(batch.len(), header.max_timestamp);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), LogError> {
        let flush = self.log.begin_flush();
        flush.run()?;
        self.log.flushed(&flush);
        Ok(())
    }
}

/// Segments go when snapshots stand in for them, never by age or size.
fn config(limits: Limits) -> LogConfig {
    LogConfig {
        segment_bytes: limits.segment_bytes,
        segment_ms: limits.segment_ms,
        retention_ms: -1,
        retention_bytes: -1,
        delete_enabled: false,
        ..LogConfig::default()
    }
}
