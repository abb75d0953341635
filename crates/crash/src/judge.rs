//! Recovers what a crash left, and holds it against what was promised.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{Millis, Offset, PartitionIndex, ProducerEpoch, ProducerId, Sequence};
use catalog::Catalog;
use disk::read_whole;
use log::names::{FileName, Kind};
use log::producer_snapshot;
use partition::{Isolation, Partition};
use records::BatchHeader;
use state_machines::sequence::Row;
use testkit::{Crash, CrashDisk};

use crate::cluster::{self, DIR};
use crate::ledger::{Ledger, PartitionLedger, Place, Sent, Standing, agree};
use crate::player::check_marks;
use crate::scan::{self, Stored};

/// What is asked of the index files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indexes {
    /// Once the broker has stopped cleanly, every entry is right.
    Exact,
    /// They were damaged: lookups are right, whatever the files say.
    Hints,
}

/// What a recovery came to, for what is played next.
#[derive(Debug)]
pub struct Recovered {
    /// The ledger, brought to what was found.
    pub ledger: Ledger,
    /// What was found, one line per partition.
    pub found: Vec<String>,
}

/// What one partition looks like; equal looks mean equal content.
#[derive(Debug, PartialEq)]
struct Look {
    log_start: Offset,
    log_end: Offset,
    stored: Vec<Stored>,
    producers: BTreeMap<ProducerId, Standing>,
}

/// Recovers `disk`, which `crash` left, and judges it. `life` is a number that no start before had.
///
/// # Errors
/// Says which promise was broken.
pub fn judge(
    disk: &CrashDisk,
    ledger: &Ledger,
    crash: Crash,
    indexes: Indexes,
    life: u64,
    now: Millis,
) -> Result<Recovered, String> {
    let catalog =
        cluster::start(disk.shared(), life, now).map_err(|error| format!("it does not start: {error}"))?;
    let list = Ledger::list(&catalog.topics());
    if !agree(&ledger.topics, &list) && !ledger.or_else.as_ref().is_some_and(|or_else| agree(or_else, &list))
    {
        return Err(format!("promised {:?}\n or {:?}\n found {list:?}", ledger.topics, ledger.or_else));
    }
    // What was found without having been acknowledged is not yet promised: only a start that comes to its end syncs it.
    let or_else = (list != ledger.topics).then(|| ledger.topics.clone());
    let mut next = Ledger { topics: list, or_else, ..ledger.clone() };
    let mut found = Vec::new();
    let mut looks = BTreeMap::new();
    for (name, dir, key) in partitions_of(&next) {
        let promised = ledger.partitions.get(&key).cloned().unwrap_or_default();
        let partition = open(&catalog, key).map_err(|why| format!("{name}: {why}"))?;
        let (look, resumed) = judge_partition(disk, &dir, &partition, &promised, crash)
            .map_err(|why| format!("{name}: {why}"))?;
        found.push(format!(
            "{name}: {} to {} in {} batches, promised to {}",
            look.log_start,
            look.log_end,
            look.stored.len(),
            promised.promised(crash)
        ));
        next.partitions.insert(key, resumed);
        looks.insert(key, look);
    }
    again(disk, &next, &looks, life, now).map_err(|why| format!("a second recovery: {why}"))?;

    let id = catalog.next_producer_id(now).map_err(|error| error.to_string())?;
    if id.0 < ledger.next_producer_id {
        return Err(format!("producer id {id} was handed out before"));
    }
    catalog.close(now).map_err(|error| format!("it does not stop cleanly: {error}"))?;
    drop(catalog);
    if indexes == Indexes::Exact {
        for (name, dir, key) in partitions_of(&next) {
            scan::check_indexes(disk, &dir, &looks[&key].stored)
                .map_err(|why| format!("after a clean stop: {name}: {why}"))?;
        }
    }
    at_rest(disk, &next, &looks, life, now).map_err(|why| format!("after a clean stop: {why}"))?;
    Ok(Recovered { ledger: next, found })
}

/// A kill right after the recovery: another one must come to the same.
fn again(
    disk: &CrashDisk,
    ledger: &Ledger,
    looks: &BTreeMap<Place, Look>,
    life: u64,
    now: Millis,
) -> Result<(), String> {
    let disk = disk.after(Crash::ProcessKill);
    let catalog = cluster::start(disk.shared(), life + 1, now).map_err(|error| error.to_string())?;
    same(&disk, &catalog, ledger, looks)
}

/// After a clean stop, a clean start comes to the same.
fn at_rest(
    disk: &CrashDisk,
    ledger: &Ledger,
    looks: &BTreeMap<Place, Look>,
    life: u64,
    now: Millis,
) -> Result<(), String> {
    let foreign = scan::foreign_names(disk, Path::new(DIR)).map_err(|error| error.to_string())?;
    if !foreign.is_empty() {
        return Err(format!("names that Kafka does not know: {foreign:?}"));
    }
    let catalog = cluster::start(disk.shared(), life + 2, now).map_err(|error| error.to_string())?;
    same(disk, &catalog, ledger, looks)?;
    for (name, _, key) in partitions_of(ledger) {
        let partition = open(&catalog, key)?;
        retry(&partition, &ledger.partitions[&key]).map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(())
}

fn same(
    disk: &CrashDisk,
    catalog: &Catalog,
    ledger: &Ledger,
    looks: &BTreeMap<Place, Look>,
) -> Result<(), String> {
    let list = Ledger::list(&catalog.topics());
    if list != ledger.topics {
        return Err(format!("the topics were {:?} and are {list:?}", ledger.topics));
    }
    for (name, dir, key) in partitions_of(ledger) {
        let partition = open(catalog, key).map_err(|why| format!("{name}: {why}"))?;
        let look = look(disk, &dir, &partition).map_err(|why| format!("{name}: {why}"))?;
        if look != looks[&key] {
            return Err(format!("{name} was {:?}\n and is {look:?}", looks[&key]));
        }
    }
    Ok(())
}

fn partitions_of(ledger: &Ledger) -> Vec<(String, PathBuf, Place)> {
    let mut all = Vec::new();
    for (name, (id, count, _)) in &ledger.topics {
        for index in 0..*count as i32 {
            let name = format!("{name}-{index}");
            let dir = Path::new(DIR).join(&name);
            all.push((name, dir, (id.expect("a topic that was found has an id"), index)));
        }
    }
    all
}

fn open(catalog: &Catalog, key: Place) -> Result<Arc<Partition>, String> {
    catalog.partition(key.0, PartitionIndex(key.1)).map_err(|error| error.to_string())
}

fn look(disk: &CrashDisk, dir: &Path, partition: &Partition) -> Result<Look, String> {
    let marks = partition.marks();
    check_marks(&marks)?;
    let stored = scan::batches(disk, dir)?;
    let end = stored.last().map(|stored| stored.header.next_offset());
    let bases = scan::segments(disk, dir).map_err(|error| error.to_string())?;
    let last_base = bases.last().copied().ok_or("there is no segment")?;
    if end.unwrap_or(last_base).max(last_base) != marks.log_end {
        return Err(format!("the log ends at {}, its files at {end:?}", marks.log_end));
    }
    let rows = partition.producers().into_iter().map(|row| {
        let Row { epoch, last_sequence, last_offset, .. } = row;
        (row.producer_id, Standing { epoch, last_sequence, last_offset })
    });
    Ok(Look { log_start: marks.log_start, log_end: marks.log_end, stored, producers: rows.collect() })
}

fn judge_partition(
    disk: &CrashDisk,
    dir: &Path,
    partition: &Partition,
    promised: &PartitionLedger,
    crash: Crash,
) -> Result<(Look, PartitionLedger), String> {
    let look = look(disk, dir, partition)?;
    is_a_prefix(&look, promised, crash)?;
    lookups(&look, partition, promised)?;
    let resumed = producers(&look, promised, crash)?;
    snapshot_and_replay(disk, dir, &look)?;
    retry(partition, &resumed)?;
    if partition.marks().log_end != look.log_end {
        return Err("a repeated batch was stored again".to_owned());
    }
    Ok((look, resumed))
}

/// What is there was written there, nothing is missing in between, nothing that was promised is missing at the end.
fn is_a_prefix(look: &Look, promised: &PartitionLedger, crash: Crash) -> Result<(), String> {
    for stored in &look.stored {
        let header = &stored.header;
        if !promised.possible().any(|sent| sent.is(header)) {
            return Err(format!("the batch at {} was never written there: {header:?}", header.base_offset));
        }
    }
    if look.log_start > promised.log_start {
        return Err(format!(
            "the log starts at {}, and was told to start at {}",
            look.log_start, promised.log_start
        ));
    }
    let end = promised.promised(crash);
    if look.log_end < end {
        return Err(format!("the log ends at {}, and {end} was promised", look.log_end));
    }
    let there = |sent: &Sent| look.stored.iter().any(|stored| sent.is(&stored.header));
    let expected = |sent: &&Sent| sent.end() > promised.log_start && sent.end() <= look.log_end;
    match promised.batches.iter().filter(expected).find(|sent| !there(sent)) {
        Some(lost) => Err(format!("the batch at {} is lost", lost.base)),
        None => Ok(()),
    }
}

/// Every lookup by offset and by time finds what a walk over all batches finds.
fn lookups(look: &Look, partition: &Partition, promised: &PartitionLedger) -> Result<(), String> {
    let marks = partition.marks();
    if marks.high_watermark != look.log_end {
        return Err(format!(
            "the high watermark stands at {} and the log ends at {}",
            marks.high_watermark, look.log_end
        ));
    }
    let visible: Vec<&Stored> =
        look.stored.iter().filter(|stored| stored.header.last_offset() >= look.log_start).collect();
    for stored in &visible {
        let header = &stored.header;
        for offset in [header.base_offset.max(look.log_start), header.last_offset()] {
            let read = partition.read(offset, 1, true, Isolation::ReadUncommitted);
            let read = read.map_err(|error| format!("offset {offset} cannot be read: {error}"))?;
            let range = read.ranges.first().ok_or(format!("nothing is read at {offset}"))?;
            let bytes = range.read().map_err(|error| error.to_string())?;
            let got = BatchHeader::parse(&bytes).map_err(|error| error.to_string())?;
            if got != *header {
                return Err(format!("offset {offset} leads to the batch at {}", got.base_offset));
            }
        }
    }
    let mut records: Vec<(Offset, i64)> = Vec::new();
    for stored in &visible {
        let sent = promised.possible().find(|sent| sent.is(&stored.header)).expect("each was looked for");
        let placed = (0..).zip(&sent.times).map(|(delta, time)| (sent.base.plus(delta), *time));
        records.extend(placed.filter(|(offset, _)| *offset >= look.log_start));
    }
    let mut asked: Vec<i64> = records.iter().step_by(3).flat_map(|(_, time)| [*time, time + 1]).collect();
    asked.extend([0, i64::MAX]);
    for time in asked {
        let expected = records.iter().find(|(_, at)| *at >= time).copied();
        let found = partition.offset_for_timestamp(Millis(time), Isolation::ReadUncommitted);
        let found = found.map_err(|error| format!("time {time} cannot be looked up: {error}"))?;
        if found.map(|found| (found.offset, found.timestamp.0)) != expected {
            return Err(format!("time {time} leads to {found:?} instead of {expected:?}"));
        }
    }
    Ok(())
}

/// Each producer stands where its newest batch in the log, or before the log, left it. Returns the ledger of what is there.
///
/// A power loss may take a batch that was not synced although the log start, which was, has passed it already. Whether its
/// producer remembers it is then anybody's guess, but it remembers all up to some point.
fn producers(look: &Look, promised: &PartitionLedger, crash: Crash) -> Result<PartitionLedger, String> {
    let mut resumed = promised.clone();
    resumed.resume(look.log_start, look.log_end);
    let end = promised.promised(crash);
    let there = |sent: &Sent| look.stored.iter().any(|stored| sent.is(&stored.header));
    loop {
        let expected = resumed.producers(look.log_end);
        if look.producers == expected {
            return Ok(resumed);
        }
        match resumed.batches.iter().rposition(|sent| sent.end() > end && !there(sent)) {
            Some(guess) => drop(resumed.batches.remove(guess)),
            None => {
                return Err(format!(
                    "the producers of a log from {} to {} stand at {:?}\n instead of {expected:?}",
                    look.log_start, look.log_end, look.producers
                ));
            }
        }
    }
}

/// Just there a replay from the newest snapshot leads.
fn snapshot_and_replay(disk: &CrashDisk, dir: &Path, look: &Look) -> Result<(), String> {
    let names = disk::Disk::list(disk, dir).map_err(|error| error.to_string())?;
    let snapshots = names.iter().filter_map(|entry| FileName::parse(&entry.name));
    let newest = snapshots
        .filter(|name| name.kind == Kind::Snapshot && name.parked.is_none())
        .map(|name| name.offset)
        .max();
    let mut replayed = BTreeMap::new();
    if let Some(newest) = newest {
        let path = dir.join(FileName::new(newest, Kind::Snapshot).to_string());
        let bytes = read_whole(disk, &path, 1 << 20).map_err(|error| error.to_string())?.unwrap_or_default();
        let rows =
            producer_snapshot::decode(&bytes).map_err(|error| format!("snapshot {newest}: {error}"))?;
        replayed.extend(rows.iter().map(|row| {
            let standing = Standing {
                epoch: ProducerEpoch(row.producer_epoch),
                last_sequence: Sequence(row.last_sequence),
                last_offset: Offset(row.last_offset),
            };
            (ProducerId(row.producer_id), standing)
        }));
    }
    for stored in &look.stored {
        let header = &stored.header;
        if newest.is_none_or(|newest| header.base_offset >= newest) && header.producer_id.is_some() {
            let standing = Standing {
                epoch: header.producer_epoch,
                last_sequence: header.base_sequence.plus(header.last_offset_delta),
                last_offset: header.last_offset(),
            };
            replayed.insert(header.producer_id, standing);
        }
    }
    if look.producers == replayed {
        return Ok(());
    }
    Err(format!(
        "the producers stand at {:?}\n, snapshot {newest:?} and a replay say {replayed:?}",
        look.producers
    ))
}

/// A retry of each of a producer's last five batches is answered with the first offset, as far as they were not deleted;
/// of the newest one in any case.
fn retry(partition: &Partition, promised: &PartitionLedger) -> Result<(), String> {
    let marks = partition.marks();
    for producer in promised.producers(marks.log_end).keys() {
        for (back, sent) in promised.newest_of(*producer, marks.log_end).into_iter().take(5).enumerate() {
            if back > 0 && sent.base < marks.log_start {
                break;
            }
            let again = partition.append(&sent.batch, sent.header().max_timestamp);
            let again = again.map_err(|error| format!("the batch at {} sent again: {error}", sent.base))?;
            if !again.duplicate || again.base_offset != sent.base {
                return Err(format!("the batch at {} sent again: {again:?}", sent.base));
            }
        }
    }
    Ok(())
}
