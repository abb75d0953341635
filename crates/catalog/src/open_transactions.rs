//! Whether a directory holds a transaction that has neither committed nor aborted. Nothing here could end it, and its
//! partitions would show nothing behind it for ever; so the start is refused, until transactions are built.
//!
//! Transactions leave `__transaction_state` behind, so a directory without it is not looked at. Else the coordinator's
//! records tell most; what they do not know of (a hanging transaction, KIP-664) shows in a partition's newest producer
//! snapshot and, after an unclean stop, in the batch headers behind it. Changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

use base::{Offset, PartitionIndex};
use bytes::Bytes;
use disk::Disk;
use log::LogError;
use log::names::{FileName, Kind};
use log::producer_snapshot;
use records::{BatchHeader, records_of};
use state_machines::topics::name::TRANSACTION_STATE;
use state_machines::topics::{Topic, Topics};
use wire::transaction_records::{TransactionLogValue, TransactionRecord};

use crate::batches::Batches;
use crate::error::{OpenError, Unservable};
use crate::names::partition_dir;

/// Most bytes that a compressed batch of the coordinator may unpack to. Kafka compresses none.
const LARGEST_UNPACKED: usize = 64 << 20;

/// Partitions that a message names.
const NAMED: usize = 5;

/// A transaction that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenTransaction {
    /// The coordinator knows it.
    Named {
        /// The transactional id.
        id: String,
        /// Its producer id.
        producer_id: i64,
        /// Kafka's name of its state: `Ongoing`, `PrepareCommit` or `PrepareAbort`.
        state: &'static str,
        /// The partitions in it, as `topic-partition`.
        partitions: Vec<String>,
    },
    /// Only a partition shows it.
    Hanging {
        /// The topic.
        topic: String,
        /// The partition.
        index: PartitionIndex,
        /// The producer id.
        producer_id: i64,
        /// The offset of its first record.
        first: Offset,
    },
}

impl fmt::Display for OpenTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named { id, producer_id, state, partitions } => {
                write!(
                    f,
                    "the transaction of the transactional id {id:?} (producer id {producer_id}, {state}"
                )?;
                if !partitions.is_empty() {
                    let (named, more) = partitions.split_at(partitions.len().min(NAMED));
                    write!(f, ", in {}", named.join(", "))?;
                    if !more.is_empty() {
                        write!(f, " and {} more partitions", more.len())?;
                    }
                }
                f.write_str(")")
            }
            Self::Hanging { topic, index, producer_id, first } => write!(
                f,
                "a transaction of producer id {producer_id} in {topic}-{index}, which begins at offset {first} and which \
                 no transactional id owns,"
            ),
        }
    }
}

/// Refuses a directory that holds an open transaction. `clean`: whether its last stop was.
///
/// # Errors
/// [`Unservable::OpenTransaction`], or a file cannot be read or understood.
pub(crate) fn refuse(
    disk: &dyn Disk,
    data_dir: &Path,
    topics: &Topics,
    clean: bool,
) -> Result<(), OpenError> {
    let Some(coordinator) = topics.by_name(TRANSACTION_STATE) else { return Ok(()) };
    let unservable = |why| OpenError::Unservable { path: data_dir.to_owned(), why };
    let mut open = BTreeMap::new();
    for dir in dirs(data_dir, coordinator) {
        read_coordinator(disk, &dir.1, &mut open).map_err(|fault| match fault {
            Fault::Open(error) => error,
            Fault::Record { offset, why } => {
                unservable(Unservable::TransactionState { partition: dir.0.0, offset, why })
            }
        })?;
    }
    let named = open.into_iter().map(|(id, value)| named(id, &value));
    let mut found: Vec<OpenTransaction> = named.collect();
    if found.is_empty() {
        for topic in topics.iter() {
            for ((_, index), dir) in dirs(data_dir, topic) {
                let hanging = read_partition(disk, &dir, clean)?.into_iter();
                found.extend(hanging.map(|(producer_id, first)| OpenTransaction::Hanging {
                    topic: topic.name.to_string(),
                    index,
                    producer_id,
                    first,
                }));
            }
        }
    }
    let others = found.len().saturating_sub(1);
    match found.into_iter().next() {
        Some(transaction) => Err(unservable(Unservable::OpenTransaction { transaction, others })),
        None => Ok(()),
    }
}

/// The directories of a topic's partitions, with their name and number.
fn dirs(data_dir: &Path, topic: &Topic) -> impl Iterator<Item = ((String, PartitionIndex), PathBuf)> {
    let dir = move |(index, _)| {
        let name = partition_dir(&topic.name, PartitionIndex(index));
        let path = data_dir.join(&name);
        ((name, PartitionIndex(index)), path)
    };
    (0..).zip(&topic.partitions).map(dir)
}

/// Kafka: `TransactionState`. 6 and 7 are never written.
fn open_state(status: i8) -> Option<&'static str> {
    match status {
        1 => Some("Ongoing"),
        2 => Some("PrepareCommit"),
        3 => Some("PrepareAbort"),
        _ => None,
    }
}

fn named(id: String, value: &TransactionLogValue) -> OpenTransaction {
    let topics = value.transaction_partitions.iter().flatten();
    let partitions = topics.flat_map(|topic| {
        topic.partition_ids.iter().map(|index| partition_dir(&topic.topic, PartitionIndex(*index)))
    });
    OpenTransaction::Named {
        id,
        producer_id: value.producer_id,
        state: open_state(value.transaction_status).unwrap_or("Ongoing"),
        partitions: partitions.collect(),
    }
}

enum Fault {
    Open(OpenError),
    Record { offset: Offset, why: String },
}

impl<E: Into<OpenError>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Open(error.into())
    }
}

/// Goes through a partition of `__transaction_state`; `open` holds the transactional ids whose transaction is open so far.
fn read_coordinator(
    disk: &dyn Disk,
    dir: &Path,
    open: &mut BTreeMap<String, TransactionLogValue>,
) -> Result<(), Fault> {
    for (_, path) in segments(disk, dir)? {
        let mut batches = Batches::open(disk, &path)?;
        // What a crash left of the last write counts for nobody.
        while let Some(Ok((_, batch))) = batches.next()? {
            let Ok(header) = BatchHeader::parse(&batch) else { break };
            if !header.attributes.is_control() {
                read_records(&header, &batch, open)?;
            }
        }
    }
    Ok(())
}

fn read_records(
    header: &BatchHeader,
    batch: &Bytes,
    open: &mut BTreeMap<String, TransactionLogValue>,
) -> Result<(), Fault> {
    let fault = |offset, why: String| Fault::Record { offset, why };
    let unreadable = |why: String| fault(header.base_offset, why);
    let records = records_of(batch, LARGEST_UNPACKED).map_err(|e| unreadable(e.to_string()))?;
    for record in records.iter() {
        let record = record.map_err(|e| unreadable(e.to_string()))?;
        let copy = Bytes::copy_from_slice;
        let key = copy(record.key.ok_or_else(|| unreadable("it has no key".to_owned()))?);
        let read = TransactionRecord::decode(key, record.value.map(copy))
            .map_err(|e| fault(record.offset(header), e.to_string()))?;
        let TransactionRecord::TransactionLog(read) = read else { continue };
        let id = read.key.transactional_id.to_string();
        match read
            .value
            .map(|value| value.content)
            .filter(|value| open_state(value.transaction_status).is_some())
        {
            Some(value) => open.insert(id, value),
            None => open.remove(&id),
        };
    }
    Ok(())
}

/// The producers with an open transaction in a partition, and where it begins.
fn read_partition(disk: &dyn Disk, dir: &Path, clean: bool) -> Result<Vec<(i64, Offset)>, LogError> {
    if disk.entry(dir)?.is_none() {
        return Ok(Vec::new());
    }
    let mut open = HashMap::new();
    let mut from = Offset::ZERO;
    for offset in producer_snapshot::list(disk, dir)?.into_iter().rev() {
        let bytes = producer_snapshot::read(disk, dir, offset)?;
        // A torn one is of no use to a start either.
        let Some(rows) = bytes.and_then(|bytes| producer_snapshot::decode(&bytes).ok()) else { continue };
        let begun = rows.iter().filter(|row| row.current_txn_first_offset >= 0);
        open = begun.map(|row| (row.producer_id, Offset(row.current_txn_first_offset))).collect();
        from = offset;
        break;
    }
    if !clean {
        replay(disk, dir, from, &mut open)?;
    }
    let mut open: Vec<_> = open.into_iter().collect();
    open.sort_by_key(|(_, first)| *first);
    Ok(open)
}

/// Follows the batches from `from` on: a transactional one opens, a marker closes.
fn replay(
    disk: &dyn Disk,
    dir: &Path,
    from: Offset,
    open: &mut HashMap<i64, Offset>,
) -> Result<(), LogError> {
    let segments = segments(disk, dir)?;
    let first = segments.iter().rposition(|(base, _)| *base <= from).unwrap_or(0);
    for (_, path) in segments.iter().skip(first) {
        let mut batches = Batches::open(disk, path)?;
        while let Some(Ok((_, batch))) = batches.next()? {
            let Ok(header) = BatchHeader::parse(&batch) else { break };
            if header.base_offset < from || !header.attributes.is_transactional() {
                continue;
            }
            if header.attributes.is_control() {
                open.remove(&header.producer_id.0);
            } else {
                open.entry(header.producer_id.0).or_insert(header.base_offset);
            }
        }
    }
    Ok(())
}

/// The segments of a log by base offset; none when there is no directory.
fn segments(disk: &dyn Disk, dir: &Path) -> Result<Vec<(Offset, PathBuf)>, LogError> {
    if disk.entry(dir)?.is_none() {
        return Ok(Vec::new());
    }
    let segment = |entry: disk::Entry| match FileName::parse(&entry.name) {
        Some(FileName { offset, kind: Kind::Log, parked: None }) => Some((offset, dir.join(entry.name))),
        _ => None,
    };
    let mut segments: Vec<_> = disk.list(dir)?.into_iter().filter_map(segment).collect();
    segments.sort();
    Ok(segments)
}
