//! Reading the metadata log, and the snapshot that stands in for its beginning, without changing anything.

use std::path::{Path, PathBuf};

use base::{LeaderEpoch, NodeId, Offset};
use bytes::Bytes;
use disk::Disk;
use log::names::{FileName, Kind};
use records::control::ControlType;
use records::{BatchHeader, RecordView, records_of};
use wire::control_records::{KRaftVersionRecord, LeaderChangeMessage, VotersRecord};
use wire::metadata_records::MetadataRecord;
use wire::{Message, decode_exact};

use crate::batches::Batches;
use crate::error::{MetadataFault, OpenError};
use crate::image::MetadataImage;
use crate::snapshot_file::{SnapshotId, SnapshotName};

/// Most bytes that a compressed batch may unpack to. Kafka compresses none, and keeps them below 8 MiB.
const LARGEST_UNPACKED: usize = 64 << 20;

/// What `StorageTool format` leaves for the first start.
pub(crate) const FORMAT_TOOL_FILE: &str = "bootstrap.checkpoint";

/// What the files of a metadata log come to.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) image: MetadataImage,
    pub(crate) quorum: Quorum,
    /// The first offset of the log.
    pub(crate) start: Offset,
    /// The offset after the last whole batch.
    pub(crate) end: Offset,
    /// The newest leader epoch of a batch; [`LeaderEpoch::NONE`] without any.
    pub(crate) epoch: LeaderEpoch,
    /// The snapshots that are there, oldest first, with their size in bytes. The last one was read and is whole.
    pub(crate) snapshots: Vec<(SnapshotId, u64)>,
    /// Bytes of the log behind the last snapshot.
    pub(crate) bytes_since_snapshot: u64,
    /// Newer snapshots that are damaged, so that an older one or the log itself was read instead, and why.
    pub(crate) damaged: Vec<(SnapshotId, String)>,
    /// Files of snapshots that were never finished, or were to be removed.
    pub(crate) leftovers: Vec<PathBuf>,
    /// The file that ends in a write that was cut short, and where that write begins.
    pub(crate) torn: Option<(PathBuf, u64)>,
}

/// Who votes on the metadata log, as its control records say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Quorum {
    /// 0: voters stand in the configuration; 1: in the log (KIP-853).
    pub(crate) kraft_version: i16,
    /// The voters, where a record named them.
    pub(crate) voters: Option<Vec<NodeId>>,
    /// The voters with their directories and listeners, where the log has them (`kraft.version` 1).
    pub(crate) voter_set: Option<VotersRecord>,
}

/// Reads the metadata log in `dir`; a missing directory reads as an empty log. Begins with the newest snapshot that is
/// whole; the log below its end is not read, however long it is.
///
/// # Errors
/// When a file cannot be read, or the log is not whole or not understood. A torn end is no error: it was never
/// answered for. Nor is a damaged snapshot, if an older one and the log say the same.
pub(crate) fn replay(disk: &dyn Disk, dir: &Path) -> Result<Replayed, OpenError> {
    let Some(files) = files(disk, dir)? else { return Ok(Reader::default().into_replayed()) };
    let mut damaged: Vec<(SnapshotId, String)> = Vec::new();
    for count in (0..=files.snapshots.len()).rev() {
        let (older, newest) =
            (&files.snapshots[..count], count.checked_sub(1).map(|at| files.snapshots[at].0));
        let mut reader = Reader::default();
        if let Some(id) = newest {
            match reader.read_snapshot(disk, dir, id) {
                Err(OpenError::Metadata { why: MetadataFault::Damaged { position, why }, .. }) => {
                    damaged.push((id, format!("at position {position}: {why}")));
                    continue;
                }
                read => read?,
            }
        }
        return match (reader.read_log(disk, dir, newest, &files.segments), damaged.first()) {
            (Ok(()), _) => {
                let snapshots = older.to_vec();
                Ok(Replayed { snapshots, damaged, leftovers: files.leftovers, ..reader.into_replayed() })
            }
            (Err(OpenError::Metadata { why, .. }), Some((id, fault))) => {
                let (path, fault) = (id.path(dir), fault.clone());
                let without = Box::new(why);
                Err(OpenError::Metadata { path, why: MetadataFault::DamagedSnapshot { fault, without } })
            }
            (Err(error), _) => Err(error),
        };
    }
    unreachable!("the last round needs no snapshot")
}

/// The feature levels and users that `StorageTool format` left for the first start, if it did.
///
/// # Errors
/// When the file cannot be read or understood.
pub(crate) fn format_tool_records(
    disk: &dyn Disk,
    data_dir: &Path,
) -> Result<Option<Vec<(MetadataRecord, i16)>>, OpenError> {
    let path = data_dir.join(FORMAT_TOOL_FILE);
    if disk.entry(&path)?.is_none() {
        return Ok(None);
    }
    let mut records = Vec::new();
    each_batch_of_snapshot(disk, &path, |header, batch| {
        if !header.attributes.is_control() {
            each_record(header, batch, |offset, record| {
                records.push(decode_metadata(offset, &record)?);
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(Some(records))
}

/// The files of a metadata log.
struct Files {
    /// Finished snapshots, oldest first, with their size in bytes.
    snapshots: Vec<(SnapshotId, u64)>,
    /// Segments by base offset.
    segments: Vec<(Offset, PathBuf)>,
    leftovers: Vec<PathBuf>,
}

/// `None` when there is no directory.
fn files(disk: &dyn Disk, dir: &Path) -> Result<Option<Files>, OpenError> {
    if disk.entry(dir)?.is_none() {
        return Ok(None);
    }
    let mut files = Files { snapshots: Vec::new(), segments: Vec::new(), leftovers: Vec::new() };
    for entry in disk.list(dir)? {
        match (SnapshotName::parse(&entry.name), FileName::parse(&entry.name)) {
            (Some(SnapshotName::Whole(id)), _) => files.snapshots.push((id, entry.len)),
            (Some(SnapshotName::Leftover), _) => files.leftovers.push(dir.join(entry.name)),
            (None, Some(FileName { offset, kind: Kind::Log, parked: None })) => {
                files.segments.push((offset, dir.join(entry.name)));
            }
            _ => {}
        }
    }
    files.snapshots.sort();
    files.segments.sort();
    Ok(Some(files))
}

#[derive(Default)]
struct Reader {
    image: MetadataImage,
    quorum: Quorum,
    /// The newest leader epoch, if there is any batch or snapshot.
    epoch: Option<LeaderEpoch>,
    start: Offset,
    end: Offset,
    /// Records below this offset are in the image, through a snapshot or themselves.
    applied_to: Offset,
    bytes_since_snapshot: u64,
    torn: Option<(PathBuf, u64)>,
}

impl Reader {
    fn into_replayed(self) -> Replayed {
        Replayed {
            image: self.image,
            quorum: self.quorum,
            start: self.start,
            end: self.end,
            epoch: self.epoch.unwrap_or(LeaderEpoch::NONE),
            snapshots: Vec::new(),
            bytes_since_snapshot: self.bytes_since_snapshot,
            damaged: Vec::new(),
            leftovers: Vec::new(),
            torn: self.torn,
        }
    }

    fn read_snapshot(&mut self, disk: &dyn Disk, dir: &Path, id: SnapshotId) -> Result<(), OpenError> {
        each_batch_of_snapshot(disk, &id.path(dir), |header, batch| self.take(header, batch))?;
        self.epoch = Some(id.epoch);
        self.applied_to = id.end;
        Ok(())
    }

    /// Reads what the log holds behind the snapshot.
    fn read_log(
        &mut self,
        disk: &dyn Disk,
        dir: &Path,
        snapshot: Option<SnapshotId>,
        segments: &[(Offset, PathBuf)],
    ) -> Result<(), OpenError> {
        let refuse = |why| OpenError::Metadata { path: dir.to_owned(), why };
        self.start = segments.first().map_or(self.applied_to, |(base, _)| *base);
        self.end = self.start;
        // What a snapshot stands in for is not needed. A power loss may bring back a part of what was removed.
        let needed = segments.iter().rposition(|(base, _)| *base <= self.applied_to).unwrap_or(0);
        let segments = &segments[needed.min(segments.len())..];
        if let Some((base, _)) = segments.first() {
            if *base > self.applied_to {
                return Err(refuse(MetadataFault::NoSnapshot { start: *base }));
            }
            self.end = *base;
        }
        for (number, (base, path)) in segments.iter().enumerate() {
            if *base != self.end {
                return Err(refuse(MetadataFault::Gap { end: self.end, next: *base }));
            }
            self.end = self.read_segment(disk, path, *base, number + 1 == segments.len())?;
        }
        if let Some(snapshot) = snapshot.filter(|snapshot| self.end < snapshot.end) {
            return Err(refuse(MetadataFault::EndsBeforeSnapshot { end: self.end, snapshot: snapshot.end }));
        }
        self.image.topics.check_whole().map_err(|absurd| refuse(absurd.into()))
    }

    /// Reads a segment, and answers with the offset after it.
    fn read_segment(
        &mut self,
        disk: &dyn Disk,
        path: &Path,
        base: Offset,
        is_last: bool,
    ) -> Result<Offset, OpenError> {
        let refuse = |why| OpenError::Metadata { path: path.to_owned(), why };
        let mut batches = Batches::open(disk, path)?;
        let mut next = base;
        while let Some(step) = batches.next()? {
            let (position, batch) = match step {
                Ok(found) => found,
                Err(bad) if is_last && !batches.goes_on(next)? => {
                    self.torn = Some((path.to_owned(), bad.position));
                    break;
                }
                Err(bad) => {
                    return Err(refuse(MetadataFault::Damaged { position: bad.position, why: bad.why }));
                }
            };
            let header = BatchHeader::parse(&batch)
                .map_err(|e| refuse(MetadataFault::Damaged { position, why: e.to_string() }))?;
            if header.base_offset != next || header.last_offset() < next {
                let why = format!(
                    "a batch of the offsets {} to {} stands where {next} is due",
                    header.base_offset,
                    header.last_offset()
                );
                return Err(refuse(MetadataFault::Damaged { position, why }));
            }
            next = header.next_offset();
            self.epoch = self.epoch.max(Some(header.leader_epoch));
            if header.base_offset >= self.applied_to {
                self.take(&header, &batch).map_err(refuse)?;
                self.applied_to = next;
                self.bytes_since_snapshot += batch.len() as u64;
            }
        }
        Ok(next)
    }

    fn take(&mut self, header: &BatchHeader, batch: &Bytes) -> Result<(), MetadataFault> {
        if header.attributes.is_control() {
            return each_record(header, batch, |offset, record| self.take_control(offset, &record));
        }
        each_record(header, batch, |offset, record| {
            let (record, _version) = decode_metadata(offset, &record)?;
            self.image.apply(offset, record)
        })
    }

    fn take_control(&mut self, offset: Offset, record: &RecordView<'_>) -> Result<(), MetadataFault> {
        let fault = |why: String| MetadataFault::Record { offset, why };
        let control = ControlType::parse(record.key.unwrap_or_default()).map_err(|e| fault(e.to_string()))?;
        match control {
            ControlType::LeaderChange => {
                let change: LeaderChangeMessage = decode_control(offset, record)?;
                self.quorum.voters = Some(change.voters.iter().map(|voter| NodeId(voter.voter_id)).collect());
            }
            ControlType::KraftVersion => {
                let version: KRaftVersionRecord = decode_control(offset, record)?;
                self.quorum.kraft_version = version.kraft_version;
            }
            ControlType::KraftVoters => {
                let voters: VotersRecord = decode_control(offset, record)?;
                self.quorum.voters = Some(voters.voters.iter().map(|voter| NodeId(voter.voter_id)).collect());
                self.quorum.voter_set = Some(voters);
            }
            ControlType::SnapshotHeader | ControlType::SnapshotFooter => {}
            ControlType::Abort | ControlType::Commit | ControlType::Unknown(_) => {
                return Err(fault(format!(
                    "no control record of type {} belongs into a metadata log",
                    control.id()
                )));
            }
        }
        Ok(())
    }
}

/// Hands every batch of a snapshot to `take`, and sees that it is whole: it ends in a footer.
fn each_batch_of_snapshot(
    disk: &dyn Disk,
    path: &Path,
    mut take: impl FnMut(&BatchHeader, &Bytes) -> Result<(), MetadataFault>,
) -> Result<(), OpenError> {
    let refuse = |why| OpenError::Metadata { path: path.to_owned(), why };
    let damaged = |position, why: String| refuse(MetadataFault::Damaged { position, why });
    let mut batches = Batches::open(disk, path)?;
    let mut has_footer = false;
    let mut end = 0;
    while let Some(step) = batches.next()? {
        let (position, batch) = step.map_err(|bad| damaged(bad.position, bad.why))?;
        let header = BatchHeader::parse(&batch).map_err(|e| damaged(position, e.to_string()))?;
        if header.attributes.is_control() {
            let footer = |record: RecordView<'_>| {
                ControlType::parse(record.key.unwrap_or_default()) == Ok(ControlType::SnapshotFooter)
            };
            each_record(&header, &batch, |_, record| {
                has_footer |= footer(record);
                Ok(())
            })
            .map_err(refuse)?;
        }
        take(&header, &batch).map_err(refuse)?;
        end = position + batch.len() as u64;
    }
    if has_footer { Ok(()) } else { Err(damaged(end, "it ends without a footer".to_owned())) }
}

fn each_record(
    header: &BatchHeader,
    batch: &Bytes,
    mut take: impl FnMut(Offset, RecordView<'_>) -> Result<(), MetadataFault>,
) -> Result<(), MetadataFault> {
    let fault = |why: String| MetadataFault::Record { offset: header.base_offset, why };
    let records = records_of(batch, LARGEST_UNPACKED).map_err(|e| fault(e.to_string()))?;
    for record in records.iter() {
        let record = record.map_err(|e| fault(e.to_string()))?;
        take(record.offset(header), record)?;
    }
    Ok(())
}

fn decode_metadata(offset: Offset, record: &RecordView<'_>) -> Result<(MetadataRecord, i16), MetadataFault> {
    let fault = |why: String| MetadataFault::Record { offset, why };
    let value = record.value.ok_or_else(|| fault("it has no value".to_owned()))?;
    MetadataRecord::decode(Bytes::copy_from_slice(value))
        .map_err(|e| fault(format!("{e} (a newer Kafka than 4.1 may have written it)")))
}

/// The value of a control record begins with its version.
fn decode_control<M: Message>(offset: Offset, record: &RecordView<'_>) -> Result<M, MetadataFault> {
    let fault = |why: String| MetadataFault::Record { offset, why };
    let value = record.value.unwrap_or_default();
    let version = value.first_chunk().map(|bytes| i16::from_be_bytes(*bytes));
    let version = version.ok_or_else(|| fault("a control record without a version".to_owned()))?;
    decode_exact(Bytes::copy_from_slice(value), version).map_err(|e| fault(e.to_string()))
}
