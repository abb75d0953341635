//! `<end offset>-<epoch>.checkpoint`: a snapshot of the metadata log, which stands in for everything below its end offset
//! (KIP-630; Kafka: `Snapshots`, `RecordsSnapshotWriter`, `FileRawSnapshotWriter`).
//!
//! A sequence of batches whose offsets count from 0: a header, the records of the image, a footer. It is written beside
//! its place, synced and renamed, so that a name ending in `.checkpoint` is a whole snapshot or a damaged one.

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset};
use bytes::Bytes;
use disk::{Disk, DiskError, DiskFile, OpenHow};
use records::control::ControlType;
use records::{BatchBuilder, BatchHeader, NewRecord, records_of};
use wire::control_records::{KRaftVersionRecord, SnapshotFooterRecord, SnapshotHeaderRecord};
use wire::{Message, decode_exact, to_bytes};

use crate::batches::Batches;
use crate::error::CatalogError;
use crate::image::MetadataImage;
use crate::image_records;
use crate::replay::Quorum;

/// A data batch is ended when it has this many bytes. Kafka allows 8 MiB; smaller ones take less memory to read.
const BATCH: usize = 1 << 20;

const SUFFIX: &str = ".checkpoint";
const PARTIAL: &str = ".checkpoint.part";
const DELETED: &str = ".checkpoint.deleted";

/// Which snapshot: everything below `end`, the last of it of the epoch `epoch`. The newest is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SnapshotId {
    pub(crate) epoch: LeaderEpoch,
    pub(crate) end: Offset,
}

/// What a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotName {
    /// A finished snapshot.
    Whole(SnapshotId),
    /// One that was being written, or was to be removed.
    Leftover,
}

impl SnapshotName {
    /// `None` for a file that has nothing to do with snapshots.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (number, kind) = name.split_at_checked(31)?;
        let (end, epoch) = number.split_once('-')?;
        let digits =
            |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        let (true, true) = (digits(end, 20), digits(epoch, 10)) else { return None };
        let id = SnapshotId { epoch: LeaderEpoch(epoch.parse().ok()?), end: Offset(end.parse().ok()?) };
        match kind {
            SUFFIX => Some(Self::Whole(id)),
            _ if kind.ends_with(PARTIAL) || kind == DELETED => Some(Self::Leftover),
            _ => None,
        }
    }
}

impl SnapshotId {
    fn file(self, dir: &Path, suffix: &str) -> PathBuf {
        dir.join(format!("{:020}-{:010}{suffix}", self.end.0, self.epoch.0))
    }

    pub(crate) fn path(self, dir: &Path) -> PathBuf {
        self.file(dir, SUFFIX)
    }

    /// What it is renamed to when it is to be removed: a start removes it too.
    pub(crate) fn deleted_path(self, dir: &Path) -> PathBuf {
        self.file(dir, DELETED)
    }
}

/// What a snapshot is made of: a state of the metadata log that does not change any more.
#[derive(Clone, Debug)]
pub(crate) struct Capture {
    pub(crate) id: SnapshotId,
    /// When the last record that it contains was written.
    pub(crate) last_timestamp: Millis,
    pub(crate) image: MetadataImage,
    pub(crate) quorum: Quorum,
}

impl Capture {
    /// Writes the snapshot into `dir` and returns its size in bytes. When this returns, it is there for good.
    ///
    /// # Errors
    /// When it cannot be written; then no snapshot is there.
    pub(crate) fn write(&self, disk: &dyn Disk, dir: &Path, now: Millis) -> Result<u64, CatalogError> {
        let failed = |reason: String| CatalogError::Failed { reason };
        let partial = self.id.file(dir, &format!("-0{PARTIAL}"));
        let size = self.write_partial(disk, &partial, now);
        let size = size.and_then(|size| {
            disk.rename(&partial, &self.id.path(dir)).map_err(|e| failed(e.to_string()))?;
            disk.sync_dir(dir).map_err(|e| failed(e.to_string()))?;
            Ok(size)
        });
        if size.is_err() {
            // What cannot be removed now goes at the next start.
            let _ = disk.remove_file(&partial);
        }
        size
    }

    fn write_partial(&self, disk: &dyn Disk, path: &Path, now: Millis) -> Result<u64, CatalogError> {
        let failed = |reason: String| CatalogError::Failed { reason };
        let on_disk = |e: DiskError| failed(e.to_string());
        let file = disk.open(path, OpenHow::Write).map_err(on_disk)?;
        file.set_len(0).map_err(on_disk)?;
        let mut out = Out { file, position: 0, next: Offset::ZERO, epoch: self.id.epoch, now };
        out.put(out.control(&self.header())).map_err(on_disk)?;
        let mut builder = out.builder();
        for (record, version) in image_records::records(&self.image) {
            let value = record.encode(version).map_err(|e| failed(e.to_string()))?;
            builder.push(&NewRecord { timestamp: now, value: Some(&value), ..NewRecord::default() });
            if builder.size_so_far() >= BATCH {
                out.put(builder).map_err(on_disk)?;
                builder = out.builder();
            }
        }
        if !builder.is_empty() {
            out.put(builder).map_err(on_disk)?;
        }
        let footer = message(&SnapshotFooterRecord::default());
        out.put(out.control(&[(ControlType::SnapshotFooter, footer)])).map_err(on_disk)?;
        out.file.sync().map_err(on_disk)?;
        Ok(out.position)
    }

    fn header(&self) -> Vec<(ControlType, Bytes)> {
        let header = SnapshotHeaderRecord { version: 0, last_contained_log_timestamp: self.last_timestamp.0 };
        let mut records = vec![(ControlType::SnapshotHeader, message(&header))];
        let kraft_version = self.quorum.kraft_version;
        if kraft_version > 0 {
            let version = KRaftVersionRecord { version: 0, kraft_version };
            records.push((ControlType::KraftVersion, message(&version)));
            if let Some(voters) = &self.quorum.voter_set {
                records.push((ControlType::KraftVoters, message(voters)));
            }
        }
        records
    }
}

/// All control messages of a snapshot have one version, 0.
fn message<M: Message>(message: &M) -> Bytes {
    to_bytes(message, 0).expect("every field is within its range")
}

/// The file being written.
struct Out {
    file: Arc<dyn DiskFile>,
    position: u64,
    next: Offset,
    epoch: LeaderEpoch,
    now: Millis,
}

impl Out {
    fn builder(&self) -> BatchBuilder {
        BatchBuilder::new(self.next).leader_epoch(self.epoch)
    }

    fn control(&self, records: &[(ControlType, Bytes)]) -> BatchBuilder {
        let mut builder = self.builder().control(true);
        for (control, value) in records {
            let key = control.key();
            builder.push(&NewRecord {
                timestamp: self.now,
                key: Some(&key),
                value: Some(value),
                headers: &[],
            });
        }
        builder
    }

    fn put(&mut self, builder: BatchBuilder) -> Result<(), DiskError> {
        let count = builder.len();
        let batch = builder.build();
        self.file.write_at(self.position, &[IoSlice::new(&batch)])?;
        self.position += batch.len() as u64;
        self.next = Offset(self.next.0 + i64::try_from(count).expect("records of one batch"));
        Ok(())
    }
}

/// When the last record in the snapshot at `path` was written; `None` when its header is not understood.
pub(crate) fn last_timestamp(disk: &dyn Disk, path: &Path) -> Result<Option<Millis>, DiskError> {
    /// A header batch has about 80 bytes, more with voters.
    const LARGEST: usize = 1 << 20;
    let Some(Ok((_, batch))) = Batches::open(disk, path)?.next()? else { return Ok(None) };
    let header = || -> Option<SnapshotHeaderRecord> {
        let is_control = BatchHeader::parse(&batch).ok()?.attributes.is_control();
        let records = records_of(&batch, LARGEST).ok().filter(|_| is_control)?;
        let first = records.iter().next()?.ok()?;
        let is_header = ControlType::parse(first.key?) == Ok(ControlType::SnapshotHeader);
        decode_exact(Bytes::copy_from_slice(first.value.filter(|_| is_header)?), 0).ok()
    };
    Ok(header().map(|header| Millis(header.last_contained_log_timestamp)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kafkas() {
        let id = SnapshotId { epoch: LeaderEpoch(1), end: Offset(253) };
        let dir = Path::new("/d");
        assert_eq!(id.path(dir), Path::new("/d/00000000000000000253-0000000001.checkpoint"));
        let parse = |path: PathBuf| SnapshotName::parse(path.file_name().unwrap().to_str().unwrap());
        assert_eq!(parse(id.path(dir)), Some(SnapshotName::Whole(id)));
        assert_eq!(parse(id.deleted_path(dir)), Some(SnapshotName::Leftover));
        let partial = "00000000000000000253-0000000001-8873123.checkpoint.part";
        assert_eq!(SnapshotName::parse(partial), Some(SnapshotName::Leftover));
        for other in [
            "00000000000000000253.log",
            "00000000000000000253-0000000001.checkpoint.bak",
            "00000000000000000253-00000000001.checkpoint",
            "0000000000000000253-0000000001.checkpoint",
            "0000000000000000000ü-000000001.checkpoint",
            "bootstrap.checkpoint",
        ] {
            assert_eq!(SnapshotName::parse(other), None, "{other}");
        }
    }
}
