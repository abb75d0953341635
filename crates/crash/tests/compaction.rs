//! Compaction on a disk that crashes: cut at sampled operations, what is left is recovered and held against what was
//! acknowledged.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the answer, also in the functions that several tests share"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::{Millis, Offset, PartitionIndex, ProducerEpoch, ProducerId, Sequence};
use catalog::{Catalog, Cleaner, NewTopic, Round};
use crash::cluster::{self, BEGIN, DIR};
use crash::scan;
use disk::Disk;
use log::names::{FileName, Kind};
use partition::Partition;
use records::{BatchBuilder, BatchHeader, BatchRules, CheckedBatch, NewRecord, crc_is_valid, records_of};
use testkit::{Crash, CrashDisk, Random};

const ROUNDS: usize = 4;
const APPENDS: usize = 30;
const KEYS: u64 = 6;
/// How long a tombstone stays after the first cleaning that met it.
const DELETE_RETENTION_MS: i64 = 1_000;
/// Time between two rounds of appends: a tombstone of the first is gone at the end.
const ROUND_MS: i64 = 700;

#[derive(Clone, Debug)]
struct Sent {
    offset: Offset,
    key: u8,
    value: Option<Vec<u8>>,
    batch: CheckedBatch,
}

/// What was acknowledged, in order; the last one may have failed.
#[derive(Debug, Default)]
struct Ledger {
    acknowledged: Vec<Sent>,
    pending: Option<Sent>,
    /// What an fsync has covered.
    flushed: Offset,
}

fn orders() -> PathBuf {
    Path::new(DIR).join("orders-0")
}

fn batch(producer: u64, sequence: i32, key: u8, value: Option<&[u8]>, now: Millis) -> CheckedBatch {
    let id = ProducerId(producer as i64);
    let mut builder = BatchBuilder::new(Offset::ZERO).producer(id, ProducerEpoch(0), Sequence(sequence));
    builder.push(&NewRecord { timestamp: now, key: Some(&[key]), value, headers: &[] });
    records::check(&builder.build(), 9, &BatchRules::default(), now).unwrap()
}

fn create(catalog: &Catalog) -> bool {
    let pairs = [
        ("cleanup.policy", "compact".to_owned()),
        ("internal.segment.bytes", "700".to_owned()),
        ("index.interval.bytes", "100".to_owned()),
        ("delete.retention.ms", DELETE_RETENTION_MS.to_string()),
    ];
    let configs = pairs.map(|(key, value)| (key.to_owned(), Some(value))).into();
    let topic = NewTopic { partitions: 1, configs, ..NewTopic::with_defaults("orders") };
    catalog.create_topics(vec![topic], false, BEGIN).remove(0).is_ok()
}

fn partition(catalog: &Catalog) -> Option<Arc<Partition>> {
    let topic = catalog.topics().by_name("orders")?.id;
    catalog.partition(topic, PartitionIndex(0)).ok()
}

fn clean(catalog: &Arc<Catalog>, now: Millis) -> u32 {
    let mut cleaner = Cleaner::new(Arc::clone(catalog)).unwrap();
    let mut cleaned = 0;
    while cleaner.round(now, &mut |_: Duration| true) == Round::Cleaned {
        cleaned += 1;
    }
    cleaned
}

/// Plays until the disk stops. Returns how many cleanings came to their end.
fn play(disk: &CrashDisk, seed: u64, ledger: &mut Ledger) -> u32 {
    let mut random = Random::new(seed);
    let mut sequences = [0; 2];
    let mut cleaned = 0;
    let Ok(catalog) = cluster::start(disk.shared(), 0, BEGIN) else { return 0 };
    if !create(&catalog) {
        return 0;
    }
    let Some(partition) = partition(&catalog) else { return 0 };
    for round in 0..ROUNDS {
        let now = BEGIN.plus(ROUND_MS * round as i64);
        disk.set_time(now);
        for _ in 0..APPENDS {
            let producer = random.below(2);
            let key = random.below(KEYS) as u8;
            let value =
                (!random.one_in(5)).then(|| vec![random.below(256) as u8; 10 + random.below(60) as usize]);
            let sequence = &mut sequences[producer as usize];
            let batch = batch(producer, *sequence, key, value.as_deref(), now);
            *sequence += 1;
            let offset = ledger.acknowledged.last().map_or(Offset::ZERO, |sent| sent.offset.plus(1));
            let sent = Sent { offset, key, value, batch };
            ledger.pending = Some(sent.clone());
            let Ok(appended) = partition.append(&sent.batch, now) else { return cleaned };
            assert_eq!(appended.base_offset, offset);
            ledger.pending = None;
            ledger.acknowledged.push(sent);
            ledger.flushed = ledger.flushed.max(partition.marks().flushed);
        }
        cleaned += clean(&catalog, now);
        ledger.flushed = ledger.flushed.max(partition.marks().flushed);
        catalog.tend(now);
    }
    cleaned
}

/// Each record in the files, with its offset, key and value. Offsets ascend over all segments, and every batch is whole.
fn stored(disk: &dyn Disk) -> Vec<(Offset, u8, Option<Vec<u8>>)> {
    let mut found: Vec<(Offset, u8, Option<Vec<u8>>)> = Vec::new();
    let mut next = Offset::ZERO;
    for base in scan::segments(disk, &orders()).unwrap() {
        let bytes = scan::content(disk, &orders(), base, Kind::Log).unwrap();
        assert!(next <= base, "segment {base} begins below {next}");
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let header = BatchHeader::parse(rest).unwrap();
            assert!(
                crc_is_valid(&rest[..header.size()]) && header.base_offset >= next,
                "{header:?} after {next}"
            );
            for record in records_of(&rest[..header.size()], 1 << 20).unwrap().iter() {
                let record = record.unwrap();
                let value = record.value.map(<[u8]>::to_vec);
                found.push((record.offset(&header), record.key.unwrap()[0], value));
            }
            next = header.next_offset();
            rest = &rest[header.size()..];
        }
    }
    found
}

fn judge(disk: &CrashDisk, ledger: &Ledger, crash: Crash, now: Millis, what: &str) {
    let catalog = cluster::start(disk.shared(), 5, now).unwrap_or_else(|error| panic!("{what}: {error}"));
    let Some(partition) = partition(&catalog) else {
        assert!(ledger.acknowledged.is_empty(), "{what}: the topic is gone");
        return;
    };
    let end = partition.marks().log_end;
    let acknowledged = ledger.acknowledged.last().map_or(Offset::ZERO, |sent| sent.offset.plus(1));
    let promised = if crash == Crash::ProcessKill { acknowledged } else { ledger.flushed };
    assert!(end >= promised, "{what}: the log ends at {end}, and {promised} was promised");
    // Of what no fsync had covered a power loss may also take something in the middle: in a compacted topic a missing offset is
    // no trace of it.
    let found = stored(disk);
    let stands =
        |sent: &&Sent| sent.offset < promised || found.iter().any(|(offset, ..)| *offset == sent.offset);
    let sent: Vec<&Sent> = ledger
        .acknowledged
        .iter()
        .chain(&ledger.pending)
        .filter(|sent| sent.offset < end)
        .filter(stands)
        .collect();
    holds(&found, &sent, what);

    // Life goes on: the last five batches of each producer are known (before a loss in the middle, none is asked for), and a
    // cleaning after the crash breaks nothing.
    let remembered = if crash == Crash::ProcessKill { 5 } else { 1 };
    for producer in 0..2 {
        let own = sent.iter().rev().filter(|sent| sent.batch.header().producer_id == ProducerId(producer));
        for sent in own.take(remembered) {
            let again = partition.append(&sent.batch, now).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(
                again.duplicate && again.base_offset == sent.offset,
                "{what}: {again:?} for {}",
                sent.offset
            );
        }
    }
    clean(&catalog, now);
    holds(&stored(disk), &sent, &format!("{what}, cleaned again"));
    assert_eq!(partition.marks().log_end, end, "{what}");
    catalog.close(now).unwrap();
    let names = disk.list(&orders()).unwrap().into_iter().filter_map(|entry| FileName::parse(&entry.name));
    let left: BTreeSet<String> = names.filter_map(|name| Some(format!("{:?}", name.parked?))).collect();
    assert!(left.iter().all(|parked| parked == "Deleted"), "{what}: {left:?}");
}

/// Only what was sent is there, each at its offset, and of every key the newest; a newest one that is a tombstone may be gone.
fn holds(stored: &[(Offset, u8, Option<Vec<u8>>)], sent: &[&Sent], what: &str) {
    for (offset, key, value) in stored {
        let at = sent.iter().find(|sent| sent.offset == *offset);
        let same = at.is_some_and(|sent| sent.key == *key && sent.value == *value);
        assert!(same, "{what}: the record at {offset} was not sent: {at:?}");
    }
    let newest: BTreeMap<u8, &&Sent> = sent.iter().map(|sent| (sent.key, sent)).collect();
    for (key, sent) in newest {
        let last = stored.iter().rev().find(|(_, stored, _)| *stored == key);
        let found = last.is_some_and(|(offset, ..)| *offset == sent.offset);
        // A tombstone goes only after everything that it deletes.
        let rightly_gone = sent.value.is_none() && last.is_none();
        assert!(
            found || rightly_gone,
            "{what}: the newest of key {key} is at {}, found {last:?}",
            sent.offset
        );
    }
}

#[test]
fn of_every_key_the_newest_survives_a_crash_amid_compaction() {
    for seed in 0..2 {
        let calm = CrashDisk::calm(seed);
        let mut ledger = Ledger::default();
        let cleaned = play(&calm, seed, &mut ledger);
        assert_eq!(cleaned, ROUNDS as u32, "story {seed}: each round is cleaned");
        let all = ledger.acknowledged.len();
        assert!(stored(&*calm.shared()).len() < all / 2, "story {seed}: most records had newer ones");
        let now = BEGIN.plus(ROUND_MS * ROUNDS as i64);
        for cut in (seed..calm.operations()).step_by(9) {
            for crash in [Crash::ProcessKill, Crash::PowerLoss] {
                let disk = CrashDisk::new(seed, cut);
                let mut ledger = Ledger::default();
                play(&disk, seed, &mut ledger);
                let left = disk.after_with(crash, cut);
                judge(&left, &ledger, crash, now, &format!("story {seed}, cut {cut}, {crash:?}"));
            }
        }
    }
}
