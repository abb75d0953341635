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
    /// The file that ends in a write that was cut short, and where that write begins.
    pub(crate) torn: Option<(PathBuf, u64)>,
}

/// Who votes on the metadata log, as its control records say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quorum {
    /// 0: voters stand in the configuration; 1: in the log (KIP-853).
    pub(crate) kraft_version: i16,
    /// The voters, where a record named them.
    pub(crate) voters: Option<Vec<NodeId>>,
}

/// Reads the metadata log in `dir`; a missing directory reads as an empty log.
///
/// # Errors
/// When a file cannot be read, or the log is not whole or not understood. A torn end is no error: it was never
/// answered for.
pub(crate) fn replay(disk: &dyn Disk, dir: &Path) -> Result<Replayed, OpenError> {
    let mut reader = Reader {
        image: MetadataImage::default(),
        quorum: Quorum::default(),
        epoch: LeaderEpoch::NONE,
        applied_to: Offset::ZERO,
        torn: None,
    };
    let Some((snapshot, segments)) = files(disk, dir)? else {
        return Ok(reader.into_replayed(Offset::ZERO, Offset::ZERO));
    };
    let refuse = |why| OpenError::Metadata { path: dir.to_owned(), why };
    let mut start = segments.first().map_or(Offset::ZERO, |(base, _)| *base);
    if let Some(snapshot) = &snapshot {
        reader.read_snapshot(disk, snapshot)?;
    }
    if start > reader.applied_to {
        return Err(refuse(MetadataFault::NoSnapshot { start }));
    }
    let mut end = start;
    for (number, (base, path)) in segments.iter().enumerate() {
        if *base != end {
            return Err(refuse(MetadataFault::Gap { end, next: *base }));
        }
        end = reader.read_segment(disk, path, *base, number + 1 == segments.len())?;
    }
    match &snapshot {
        Some(snapshot) if segments.is_empty() => (start, end) = (snapshot.end, snapshot.end),
        Some(snapshot) if end < snapshot.end => {
            return Err(refuse(MetadataFault::EndsBeforeSnapshot { end, snapshot: snapshot.end }));
        }
        _ => {}
    }
    reader.image.topics.check_whole().map_err(|absurd| refuse(absurd.into()))?;
    Ok(reader.into_replayed(start, end))
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

/// A snapshot of the metadata log: everything below `end`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Snapshot {
    end: Offset,
    epoch: LeaderEpoch,
    path: PathBuf,
}

impl Snapshot {
    /// `<20 digits>-<10 digits>.checkpoint`.
    fn parse(dir: &Path, name: &str) -> Option<Self> {
        let (end, epoch) = name.strip_suffix(".checkpoint")?.split_once('-')?;
        let digits =
            |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        let (true, true) = (digits(end, 20), digits(epoch, 10)) else { return None };
        Some(Self {
            end: Offset(end.parse().ok()?),
            epoch: LeaderEpoch(epoch.parse().ok()?),
            path: dir.join(name),
        })
    }
}

/// The newest snapshot, and the segments by base offset. `None` when there is no directory.
#[expect(clippy::type_complexity, reason = "a pair with names of its own would say no more")]
fn files(
    disk: &dyn Disk,
    dir: &Path,
) -> Result<Option<(Option<Snapshot>, Vec<(Offset, PathBuf)>)>, OpenError> {
    if disk.entry(dir)?.is_none() {
        return Ok(None);
    }
    let names: Vec<String> = disk.list(dir)?.into_iter().map(|entry| entry.name).collect();
    let snapshot = names.iter().filter_map(|name| Snapshot::parse(dir, name)).max();
    let segment = |name: &String| {
        let parsed = FileName::parse(name).filter(|file| file.kind == Kind::Log && file.parked.is_none())?;
        Some((parsed.offset, dir.join(name)))
    };
    let mut segments: Vec<_> = names.iter().filter_map(segment).collect();
    segments.sort();
    Ok(Some((snapshot, segments)))
}

struct Reader {
    image: MetadataImage,
    quorum: Quorum,
    epoch: LeaderEpoch,
    /// Records below this offset are in the image, through a snapshot or themselves.
    applied_to: Offset,
    torn: Option<(PathBuf, u64)>,
}

impl Reader {
    fn into_replayed(self, start: Offset, end: Offset) -> Replayed {
        Replayed { image: self.image, quorum: self.quorum, start, end, epoch: self.epoch, torn: self.torn }
    }

    fn read_snapshot(&mut self, disk: &dyn Disk, snapshot: &Snapshot) -> Result<(), OpenError> {
        each_batch_of_snapshot(disk, &snapshot.path, |header, batch| self.take(header, batch))?;
        self.epoch = self.epoch.max(snapshot.epoch);
        self.applied_to = snapshot.end;
        Ok(())
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
            self.epoch = self.epoch.max(header.leader_epoch);
            if header.base_offset >= self.applied_to {
                self.take(&header, &batch).map_err(refuse)?;
                self.applied_to = next;
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
