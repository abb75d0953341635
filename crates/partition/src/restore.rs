//! How a partition's producers outlive a restart.
//!
//! A `.snapshot` file keeps the newest batch of each producer, and Kafka remembers no more than that after a clean stop.
//! A producer with five requests in flight may repeat any of them, so we bring back all five: the newest usable snapshot
//! says exactly who there was and where each stood, and the batch headers *before* it, walked from an earlier offset into
//! an empty tracker, say what else each had written. The same walk serves a clean stop, a kill, and a directory that
//! Kafka stopped; no second snapshot is needed, and none that Kafka would not write itself.
//!
//! The aborted transactions of a segment that was scanned (its `.txnindex`) come from such a walk as well.
//!
//! The walk looks back no farther than [`REACH`]: a producer whose batch lies deeper keeps its newest batch only.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::UNIX_EPOCH;

use base::{Millis, Offset, Sequence};
use disk::Disk;
use log::index::TxnEntry;
use log::names::{FileName, Kind};
use log::producer_snapshot::{self, SnapshotRow};
use log::{Log, LogError, LogReader, Walked};
use records::control::EndTxnMarker;
use state_machines::sequence::{Claim, Ended, Marker, Origin, Outcome, REMEMBERED_BATCHES, Row, Tracker};

use crate::reach;

/// How many bytes before the log end the batches of a producer are looked for after a restart. Five batches of 1 MiB,
/// the largest there are by default, fit with room for other producers.
pub(crate) const REACH: u64 = 8 << 20;

/// The walk begins short and goes back farther only while somebody's batches are missing: most partitions have a few
/// producers, and theirs are the last batches of the log.
const REACHES: [u64; 4] = [0, 256 << 10, 2 << 20, REACH];

/// Producer state as it was found.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) tracker: Tracker,
    /// The snapshot that was loaded.
    pub(crate) snapshot: Option<Offset>,
    /// Snapshots that were damaged, and are removed now.
    pub(crate) bad: Vec<Offset>,
    /// Headers that were walked over.
    pub(crate) replayed: u64,
}

/// Removes snapshots that say nothing about this log (Kafka: `ProducerStateManager.removeStraySnapshots`,
/// `truncateAndReload`), then restores the producers from the newest good one and the log.
///
/// # Errors
/// When a file operation fails. A damaged snapshot is not an error: it is removed, and the next older one serves.
pub(crate) fn restore(
    disk: &dyn Disk,
    dir: &Path,
    log: &LogReader,
    expiration_ms: i64,
    now: Millis,
) -> Result<Restored, LogError> {
    let end = log.log_end();
    let mut bad = Vec::new();
    let base = newest_good(disk, dir, tidy(disk, dir, log)?, &mut bad)?;
    let snapshot = base.as_ref().map(|(offset, _)| *offset);
    let (base, rows) = base.unwrap_or_else(|| (first_offset(log), Vec::new()));
    let ages = Ages::of(disk, dir, now)?;
    let rows: Vec<(Row, Millis)> =
        rows.iter().map(|row| (from_file(row), ages.at(Offset(row.last_offset)))).collect();

    let floor = if rows.is_empty() { end } else { reach::offset_before_end(log, REACH, dir)? };
    let mut replayed = 0;
    let mut tracker = Tracker::new(expiration_ms);
    for (attempt, reach) in REACHES.into_iter().enumerate() {
        let from = if reach == 0 { base } else { reach::offset_before_end(log, reach, dir)?.max(floor) };
        if attempt > 0 && from >= base {
            continue;
        }
        tracker = Tracker::new(expiration_ms);
        replayed += replay(log, &mut tracker, from, base, drop)?;
        tracker.load(rows.iter().copied());
        replayed += replay(log, &mut tracker, base, end, drop)?;
        if from <= floor || is_complete(&tracker, floor) {
            break;
        }
    }
    tracker.expire(now);
    Ok(Restored { tracker, snapshot, bad, replayed })
}

/// The newest of these snapshots (ascending) that can be read. Damaged ones are removed, and added to `bad`.
fn newest_good(
    disk: &dyn Disk,
    dir: &Path,
    offsets: Vec<Offset>,
    bad: &mut Vec<Offset>,
) -> Result<Option<(Offset, Vec<SnapshotRow>)>, LogError> {
    for offset in offsets.into_iter().rev() {
        let Some(bytes) = producer_snapshot::read(disk, dir, offset)? else { continue };
        match producer_snapshot::decode(&bytes) {
            Ok(rows) => return Ok(Some((offset, rows))),
            Err(why) => {
                let partition = dir.display();
                tracing::warn!(%partition, %offset, %why, "a damaged producer snapshot is removed");
                producer_snapshot::remove(disk, dir, offset)?;
                bad.push(offset);
            }
        }
    }
    Ok(None)
}

/// Writes the `.txnindex` of these segments anew (Kafka: `LogSegment.recover`): replays the producers, from the newest good
/// snapshot at or below the first of them on, and sees which transactions their markers abort. Returns the snapshots that
/// were damaged, and are removed now.
///
/// # Errors
/// When a file operation fails.
pub(crate) fn index_aborted(
    disk: &dyn Disk,
    dir: &Path,
    log: &mut Log,
    segments: &[Offset],
) -> Result<Vec<Offset>, LogError> {
    let (Some(&first), Some(&last)) = (segments.first(), segments.last()) else { return Ok(Vec::new()) };
    let reader = log.reader();
    let bases = reader.segment_bases();
    let mut usable = producer_snapshot::list(disk, dir)?;
    usable.retain(|offset| *offset >= first_offset(&reader) && *offset <= first);
    let mut bad = Vec::new();
    let (from, rows) =
        newest_good(disk, dir, usable, &mut bad)?.unwrap_or_else(|| (first_offset(&reader), Vec::new()));
    let mut tracker = Tracker::new(i64::MAX);
    tracker.load(rows.iter().map(|row| (from_file(row), Millis::NONE)));
    let behind = bases.iter().find(|base| **base > last).copied().unwrap_or(reader.log_end());
    let mut aborted: BTreeMap<Offset, Vec<TxnEntry>> =
        segments.iter().map(|base| (*base, Vec::new())).collect();
    replay(&reader, &mut tracker, from, behind, |ended| {
        let within = bases.partition_point(|base| *base <= ended.last_offset).saturating_sub(1);
        let entries = bases.get(within).and_then(|base| aborted.get_mut(base));
        if let (Outcome::Abort, Some(entries)) = (ended.outcome, entries) {
            entries.push(TxnEntry {
                version: 0,
                producer_id: ended.producer_id,
                first_offset: ended.first_offset,
                last_offset: ended.last_offset,
                last_stable_offset: ended.last_stable,
            });
        }
    })?;
    aborted.iter().try_for_each(|(base, entries)| log.write_aborted(*base, entries))?;
    Ok(bad)
}

/// Removes the snapshots outside the log, and all between segments but the newest; returns the offsets that stay.
///
/// Kafka also removes those at and below the log start. We keep them as long as the segment behind them is there: after
/// retention has taken every other segment, and where records were deleted within one, they are all that is left of the
/// producers.
pub(crate) fn tidy(disk: &dyn Disk, dir: &Path, log: &LogReader) -> Result<Vec<Offset>, LogError> {
    let bases = log.segment_bases();
    let first = first_offset(log);
    let mut kept = producer_snapshot::list(disk, dir)?;
    let newest = kept.iter().copied().filter(|offset| *offset <= log.log_end()).max();
    let is_beyond = kept.iter().any(|offset| *offset > log.log_end());
    let mut failed = None;
    kept.retain(|offset| {
        let stays = first <= *offset && (Some(*offset) == newest || bases.contains(offset));
        if !stays && let Err(error) = producer_snapshot::remove(disk, dir, *offset) {
            failed = Some(error);
        }
        stays
    });
    failed.map_or(Ok(()), Err)?;
    if is_beyond {
        // Were it to come back by a power loss, it would speak of batches that others have taken the place of by then.
        disk.sync_dir(dir)?;
    }
    Ok(kept)
}

/// Where the first segment begins: at the log start, or below it where records were deleted.
pub(crate) fn first_offset(log: &LogReader) -> Offset {
    log.segment_bases().first().copied().unwrap_or(log.log_start())
}

/// Whether each producer with a batch at or above `floor` has all the batches that it may ask about.
fn is_complete(tracker: &Tracker, floor: Offset) -> bool {
    tracker.producers().rows().filter(|row| row.last_offset >= floor).all(|row| {
        let remembered = tracker.remembered(row.producer_id);
        // Sequence 0 begins an epoch, or follows 2147483647, but not before as many records have been written.
        let begins_epoch = |first: Offset, sequence: Sequence| {
            sequence == Sequence::FIRST && first.0 <= i64::from(Sequence::LAST.0)
        };
        remembered.len() == REMEMBERED_BATCHES
            || remembered
                .first()
                .is_none_or(|batch| begins_epoch(batch.first_offset(), batch.first_sequence()))
    })
}

/// Tells `tracker` every batch in `from..to` and `on_end` every transaction that ends there, and says how many headers were
/// read. What is damaged the log steps over.
fn replay(
    log: &LogReader,
    tracker: &mut Tracker,
    from: Offset,
    to: Offset,
    mut on_end: impl FnMut(Ended),
) -> Result<u64, LogError> {
    let mut replayed = 0;
    if from < to {
        for walked in log.headers(from) {
            let walked = walked?;
            if walked.header.base_offset >= to {
                break;
            }
            replay_one(tracker, &walked)?.into_iter().for_each(&mut on_end);
            replayed += 1;
        }
    }
    Ok(replayed)
}

fn replay_one(tracker: &mut Tracker, walked: &Walked) -> Result<Option<Ended>, LogError> {
    let Walked { header, at, appended_before } = walked;
    if !header.producer_id.is_some() {
        return Ok(None);
    }
    if !header.attributes.is_control() {
        tracker.replay(&claim_of(header), header.base_offset, *appended_before);
        return Ok(None);
    }
    // A control batch that compaction has emptied says nothing; other control records do not concern producers.
    let batch = at.read()?;
    let Ok(records) = records::records_of(&batch, MARKER_BYTES) else { return Ok(None) };
    let Some(Ok(record)) = records.iter().next() else { return Ok(None) };
    let Ok(end) = EndTxnMarker::of(&record) else { return Ok(None) };
    let marker = Marker {
        producer_id: header.producer_id,
        epoch: header.producer_epoch,
        coordinator_epoch: end.coordinator_epoch,
        outcome: if end.committed { Outcome::Commit } else { Outcome::Abort },
        timestamp: header.max_timestamp,
    };
    Ok(tracker.replay_marker(&marker, header.base_offset, *appended_before))
}

/// More than any control record takes, should one ever be compressed.
const MARKER_BYTES: usize = 64 << 10;

/// What a batch's header claims, as a client's.
pub(crate) fn claim_of(header: &records::BatchHeader) -> Claim {
    Claim {
        producer_id: header.producer_id,
        epoch: header.producer_epoch,
        base_sequence: header.base_sequence,
        last_offset_delta: header.last_offset_delta,
        transactional: header.attributes.is_transactional(),
        max_timestamp: header.max_timestamp,
        origin: Origin::Client,
    }
}

fn from_file(row: &SnapshotRow) -> Row {
    Row {
        producer_id: base::ProducerId(row.producer_id),
        epoch: base::ProducerEpoch(row.producer_epoch),
        last_sequence: Sequence(row.last_sequence),
        last_offset: Offset(row.last_offset),
        offset_delta: row.offset_delta,
        timestamp: Millis(row.timestamp),
        coordinator_epoch: row.coordinator_epoch,
        open_transaction: (row.current_txn_first_offset >= 0).then_some(Offset(row.current_txn_first_offset)),
    }
}

/// A row as the file has it.
pub(crate) fn for_file(row: &Row) -> SnapshotRow {
    SnapshotRow {
        producer_id: row.producer_id.0,
        producer_epoch: row.epoch.0,
        last_sequence: row.last_sequence.0,
        last_offset: row.last_offset.0,
        offset_delta: row.offset_delta,
        timestamp: row.timestamp.0,
        coordinator_epoch: row.coordinator_epoch,
        current_txn_first_offset: row.open_transaction.unwrap_or(Offset::NONE).0,
    }
}

/// When each segment was last written: a snapshot does not say when its producers last wrote, but no batch was appended
/// after the next segment had begun.
struct Ages(Vec<(Offset, Millis)>);

impl Ages {
    fn of(disk: &dyn Disk, dir: &Path, now: Millis) -> Result<Self, LogError> {
        let ages = disk.list(dir)?.into_iter().filter_map(|entry| {
            let name = FileName::parse(&entry.name)?;
            let modified = entry.modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
            let modified = Millis(i64::try_from(modified).unwrap_or(i64::MAX)).min(now);
            (name.kind == Kind::Log && name.parked.is_none()).then_some((name.offset, modified))
        });
        let mut ages: Vec<_> = ages.collect();
        ages.sort_unstable();
        Ok(Self(ages))
    }

    /// A time before which the record at `offset` was appended. What lies before the first segment was appended before
    /// that was last written.
    fn at(&self, offset: Offset) -> Millis {
        let behind = self.0.partition_point(|(base, _)| *base <= offset);
        self.0.get(behind.saturating_sub(1)).map_or(Millis::NONE, |(_, modified)| *modified)
    }
}
