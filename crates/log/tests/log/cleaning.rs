//! Compaction against a simple model, with crashes at each file operation, and on disks that fail.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset};
use disk::{Disk, Operation};
use log::clean::{CleanError, CleanLimits, Cleaning, Compaction, KeyLimits, Summary};
use log::{Known, Log, LogConfig, LogError, LogReader};
use proptest::prelude::*;
use records::{BatchBuilder, BatchHeader, Codec, NewRecord, records_of};
use testkit::{Crash, CrashDisk, FailingDisk, Fault, Injected, Random};

use crate::common::*;

const DIR: &str = "/data/t-0";
/// How long a tombstone stays.
pub(crate) const TOMBSTONES_MS: i64 = 1000;

/// The newest record of each key: its offset, and its value.
type Latest = BTreeMap<u8, (i64, Option<u32>)>;

pub(crate) fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 1200,
        index_interval_bytes: 200,
        retention_ms: -1,
        file_delete_delay_ms: 0,
        delete_enabled: false,
        compact_enabled: true,
        compaction: Compaction { delete_retention_ms: TOMBSTONES_MS, ..Compaction::default() },
        ..LogConfig::default()
    }
}

fn limits(key_bytes: usize) -> CleanLimits {
    CleanLimits { keys: KeyLimits { bytes: key_bytes, load: 0.9, secret: 42 }, io_bytes: 300 }
}

/// A batch of records with these keys; every fifth value is a tombstone.
fn batch(base: Offset, keys: &[u8], codec: Codec, value: &mut u32) -> bytes::Bytes {
    let mut batch = BatchBuilder::new(base).leader_epoch(LeaderEpoch(0)).codec(codec, None);
    for key in keys {
        *value += 1;
        let bytes = value.to_be_bytes();
        batch.push(&NewRecord {
            timestamp: Millis(NOW.0 + i64::from(*value)),
            key: Some(&[*key]),
            value: (!value.is_multiple_of(5)).then_some(&bytes),
            headers: &[(b"h", Some(b"some more bytes"))],
        });
    }
    batch.build()
}

fn put(log: &mut Log, keys: &[u8], codec: Codec, value: &mut u32) -> Result<(), LogError> {
    let bytes = batch(log.log_end(), keys, codec, value);
    if log.roll_due(&BatchHeader::parse(&bytes).unwrap(), NOW) {
        log.roll(NOW)?;
    }
    append_bytes(log, &bytes).map(drop)
}

/// Every record of the log, oldest first: offset, key, value.
fn records(reader: &LogReader) -> Vec<(i64, u8, Option<u32>)> {
    let bytes = read_from(reader, reader.log_start(), 700);
    let mut found = Vec::new();
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let records = records_of(rest, 1 << 20).unwrap();
        let header = *records.header();
        for record in &records {
            let record = record.unwrap();
            let value = record.value.map(|value| u32::from_be_bytes(value.try_into().unwrap()));
            found.push((record.offset(&header).0, record.key.unwrap()[0], value));
        }
        rest = &rest[header.size()..];
    }
    found
}

fn latest(records: &[(i64, u8, Option<u32>)]) -> Latest {
    records.iter().map(|(offset, key, value)| (*key, (*offset, *value))).collect()
}

/// What a reader sees in the end: keys whose newest record is a tombstone are not there.
fn live(latest: &Latest) -> Latest {
    latest.iter().filter(|(_, (_, value))| value.is_some()).map(|(key, newest)| (*key, *newest)).collect()
}

/// Cleans all below the active segment, as a partition does; returns the next first dirty offset.
pub(crate) fn clean(
    log: &mut Log,
    first_dirty: Option<Offset>,
    key_bytes: usize,
    now: Millis,
) -> Result<(Offset, Summary), CleanError> {
    let reader = log.reader();
    let dirt = reader.dirt(first_dirty, log.recovery_point(), &config().compaction, now)?;
    if dirt.dirty_bytes == 0 {
        return Ok((dirt.first_dirty, Summary::default()));
    }
    let mut go_on = |_| true;
    let mut cleaning = Cleaning::begin(&reader, &dirt, &config(), limits(key_bytes), now, &mut go_on)?;
    while let Some(cleaned) = cleaning.next_group(&mut |batches| vec![false; batches.len()], &mut go_on)? {
        assert!(log.can_swap(&cleaned));
        cleaned.commit()?;
        log.swap_in(&cleaned);
        log.remove_replaced(cleaned.finish()?, now);
    }
    Ok((cleaning.cleaned_to(), cleaning.summary()))
}

pub(crate) fn flush_all(log: &mut Log) -> Result<(), LogError> {
    let flush = log.begin_flush();
    flush.run()?;
    log.flushed(&flush);
    Ok(())
}

fn codecs() -> impl Strategy<Value = Codec> {
    prop::sample::select(vec![Codec::None, Codec::None, Codec::Lz4, Codec::Zstd])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// Whatever is written, whenever it is cleaned, with whatever memory: the newest record of each key stays, at its
    /// offset; below what was cleaned there is no other one; and every read finds its way.
    #[test]
    fn the_newest_record_of_each_key_stays(
        rounds in prop::collection::vec(
            (prop::collection::vec((prop::collection::vec(0..30_u8, 1..9), codecs()), 1..40), any::<bool>()),
            1..5,
        ),
        key_bytes in prop::sample::select(vec![1000_usize, 3000, 1 << 20]),
    ) {
        let rig = Rig::new();
        let (mut log, _) = rig.open(&config(), NEW);
        let (mut value, mut first_dirty, mut now) = (0, None, NOW);
        for (batches, reopen) in rounds {
            for (keys, codec) in batches {
                put(&mut log, &keys, codec, &mut value).unwrap();
            }
            log.roll(NOW).unwrap();
            flush_all(&mut log).unwrap();
            let before = records(&log.reader());
            let end = log.log_end();
            // Horizons pass between some rounds and not between others.
            now = now.plus(if reopen { 2 * TOMBSTONES_MS } else { 10 });
            while first_dirty != Some(end) {
                let (cleaned_to, summary) = clean(&mut log, first_dirty, key_bytes, now).unwrap();
                prop_assert!(Some(cleaned_to) > first_dirty && cleaned_to <= end);
                prop_assert!(summary.records_kept <= summary.records_read);
                first_dirty = Some(cleaned_to);
            }
            let after = records(&log.reader());
            let (old, new) = (latest(&before), latest(&after));
            prop_assert_eq!(live(&new), live(&old));
            prop_assert!(new.iter().all(|(key, newest)| old[key] == *newest), "nothing was made up");
            prop_assert_eq!(after.len(), new.len(), "one record per key");
            prop_assert_eq!(log.log_end(), end);
            log.take_due_files(now).remove().unwrap();
            if reopen {
                log.close().unwrap();
                let known = Known { clean: true, recovery_point: log.log_end(), log_start: Offset(0) };
                let (again, opened) = rig.open(&config(), known);
                log = again;
                prop_assert_eq!((opened.scanned_bytes, opened.rebuilt_indexes), (0, vec![]));
                prop_assert_eq!((log.log_end(), records(&log.reader())), (end, after.clone()));
            }
            // Each offset, also a removed one, leads to the next record that is there.
            for from in 0..end.0 {
                let out = log.reader().read(Offset(from), end, 1, true).unwrap();
                let first = out.range.map(|range| BatchHeader::parse(&range.read().unwrap()).unwrap());
                prop_assert!(first.is_some_and(|first| first.last_offset().0 >= from), "offset {}", from);
            }
            for (offset, _, _) in after.iter().step_by(7) {
                let found = log.reader().offset_for_timestamp(NOW.plus(*offset + 1), end).unwrap();
                prop_assert_eq!(found.map(|found| found.offset.0), Some(*offset));
            }
        }
    }
}

#[test]
fn a_tombstone_goes_in_the_first_cleaning_after_its_horizon() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&config(), NEW);
    let mut value = 0;
    put(&mut log, &[1, 2, 3, 4, 5], Codec::None, &mut value).unwrap();
    put(&mut log, &[1], Codec::None, &mut value).unwrap();
    log.roll(NOW).unwrap();
    flush_all(&mut log).unwrap();
    let tombstones =
        |log: &Log| records(&log.reader()).iter().filter(|(_, _, value)| value.is_none()).count();
    assert_eq!(tombstones(&log), 1);
    clean(&mut log, None, 1 << 20, NOW).unwrap();
    let horizon = log.reader().headers(Offset(0)).next().unwrap().unwrap().header.delete_horizon();
    assert_eq!(horizon, Some(NOW.plus(TOMBSTONES_MS)));
    clean(&mut log, None, 1 << 20, NOW.plus(TOMBSTONES_MS - 1)).unwrap();
    assert_eq!(tombstones(&log), 1);
    clean(&mut log, None, 1 << 20, NOW.plus(TOMBSTONES_MS)).unwrap();
    assert_eq!(tombstones(&log), 0);
    assert_eq!(records(&log.reader()).len(), 4);
}

#[test]
fn readers_of_replaced_segments_go_on() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&LogConfig { file_delete_delay_ms: 60_000, ..config() }, NEW);
    let mut value = 0;
    for _ in 0..60 {
        put(&mut log, &[1, 2, 3], Codec::None, &mut value).unwrap();
    }
    log.roll(NOW).unwrap();
    flush_all(&mut log).unwrap();
    let reader = log.reader();
    let before = read_from(&reader, Offset(0), 1 << 20);
    let held = reader.read(Offset(0), log.log_end(), 1 << 20, true).unwrap().range.unwrap();
    let mut walk = reader.headers(Offset(0));
    walk.next().unwrap().unwrap();
    clean(&mut log, None, 1 << 20, NOW).unwrap();
    assert_eq!(held.read().unwrap(), before[..held.len as usize]);
    assert_eq!(walk.map(|walked| walked.unwrap().header.record_count).sum::<i32>(), 3 * 60 - 3);
    assert_eq!(records(&reader).len(), 3);
    assert!(rig.names().iter().any(|name| name.ends_with(".log.deleted")));
    log.take_due_files(NOW.plus(60_000)).remove().unwrap();
    assert!(!rig.names().iter().any(|name| name.contains(".deleted") || name.contains(".swap")));
}

#[test]
fn a_copy_has_the_time_of_the_last_segment_it_replaces() {
    let disk = CrashDisk::calm(1);
    let (mut log, _) = Log::open(disk.shared(), Path::new(DIR), config(), NEW, NOW).unwrap();
    let mut value = 0;
    disk.set_time(Millis(5000));
    for _ in 0..20 {
        put(&mut log, &[1, 2, 3], Codec::None, &mut value).unwrap();
    }
    log.roll(NOW).unwrap();
    flush_all(&mut log).unwrap();
    disk.set_time(Millis(9000));
    clean(&mut log, None, 1 << 20, NOW).unwrap();
    let entry = disk.entry(&Path::new(DIR).join("00000000000000000000.log")).unwrap().unwrap();
    assert_eq!(entry.modified, std::time::UNIX_EPOCH + std::time::Duration::from_secs(5));
}

#[test]
fn damage_is_not_cleaned() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&config(), NEW);
    let mut value = 0;
    for _ in 0..30 {
        put(&mut log, &[1, 2, 3], Codec::None, &mut value).unwrap();
    }
    log.roll(NOW).unwrap();
    flush_all(&mut log).unwrap();
    let names = rig.names();
    let path = rig.path("00000000000000000000.log");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[500] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    match clean(&mut log, None, 1 << 20, NOW) {
        Err(CleanError::Log(LogError::Damaged { why, .. })) => assert!(why.contains("checksum"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!((rig.names(), rig.bytes("00000000000000000000.log")), (names, bytes));
}

#[test]
fn a_batch_with_more_keys_than_there_is_memory_for_is_named() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&config(), NEW);
    let mut value = 0;
    put(&mut log, &(0..100).collect::<Vec<u8>>(), Codec::Zstd, &mut value).unwrap();
    log.roll(NOW).unwrap();
    flush_all(&mut log).unwrap();
    let error = clean(&mut log, None, 500, NOW).unwrap_err();
    assert!(matches!(error, CleanError::KeysDoNotFit { offset: Offset(0), bytes: 500, .. }), "{error:?}");
}

/// Two rounds of writing, each followed by a cleaning. Says what the newest records should be.
fn story(disk: &Arc<dyn Disk>, told: &mut Told) -> Result<(), CleanError> {
    let (mut log, _) = Log::open(Arc::clone(disk), Path::new(DIR), config(), NEW, NOW)?;
    let mut random = Random::new(7);
    let mut value = 0;
    for round in 0..2 {
        for _ in 0..20 {
            let keys: Vec<u8> = (0..1 + random.below(4)).map(|_| random.below(10) as u8).collect();
            put(&mut log, &keys, Codec::None, &mut value)?;
        }
        log.roll(NOW)?;
        flush_all(&mut log)?;
        told.recovery_point = log.recovery_point();
        told.records = records(&log.reader());
        let now = NOW.plus(round * 2 * TOMBSTONES_MS);
        let (cleaned_to, _) = clean(&mut log, told.first_dirty, 1 << 20, now)?;
        told.first_dirty = Some(cleaned_to);
        log.take_due_files(now).remove()?;
    }
    log.close()?;
    told.is_closed = true;
    Ok(())
}

#[derive(Default)]
struct Told {
    recovery_point: Offset,
    first_dirty: Option<Offset>,
    records: Vec<(i64, u8, Option<u32>)>,
    is_closed: bool,
}

fn check(left: &CrashDisk, told: &Told, what: &str) {
    for compact_enabled in [true, false] {
        // A change of policy must not make gaps look like lost writes.
        let config = LogConfig { compact_enabled, ..config() };
        let known =
            Known { clean: told.is_closed, recovery_point: told.recovery_point, log_start: Offset(0) };
        let left = left.after(Crash::ProcessKill);
        let (mut log, opened) = Log::open(left.shared(), Path::new(DIR), config, known, NOW)
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(opened.damage, [], "{what}");
        let found = records(&log.reader());
        assert!(found.is_sorted_by(|a, b| a.0 < b.0), "{what}: offsets come twice");
        let (old, new) = (latest(&told.records), latest(&found));
        let is_promised = |newest: &(i64, Option<u32>)| newest.0 < told.recovery_point.0;
        for (key, newest) in live(&old).into_iter().filter(|(_, newest)| is_promised(newest)) {
            let now = new.get(&key).unwrap_or_else(|| panic!("{what}: key {key} is gone"));
            assert!(now.0 >= newest.0, "{what}: key {key} is back at {now:?} from {newest:?}");
        }
        for (key, newest) in &old {
            // A deleted key does not come back with an old value.
            let back = new.get(key).is_some_and(|now| now.0 < newest.0 && now.1.is_some());
            assert!(!back, "{what}: key {key} is back");
        }
        for entry in left.list(Path::new(DIR)).unwrap() {
            assert!(
                !entry.name.contains(".cleaned") && !entry.name.contains(".swap"),
                "{what}: {}",
                entry.name
            );
        }
        if compact_enabled {
            // It can be cleaned on.
            log.roll(NOW).unwrap();
            flush_all(&mut log).unwrap();
            let before = live(&latest(&records(&log.reader())));
            clean(&mut log, told.first_dirty, 1 << 20, NOW).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(live(&latest(&records(&log.reader()))), before, "{what}");
        }
    }
}

#[test]
fn a_cleaning_cut_at_any_operation_loses_nothing() {
    let prepared = |disk: CrashDisk| {
        disk.create_dir_all(Path::new(DIR).parent().unwrap()).unwrap();
        disk.settle();
        disk
    };
    let calm = prepared(CrashDisk::calm(3));
    let mut told = Told::default();
    story(&calm.shared(), &mut told).unwrap();
    check(&calm, &told, "without a crash");
    let operations = calm.operations();
    assert!(operations > 150, "{operations}");
    for cut in 1..operations {
        let disk = prepared(CrashDisk::new(cut, cut));
        let mut told = Told::default();
        if let Err(error) = story(&disk.shared(), &mut told) {
            assert!(disk.has_stopped(), "{error}");
        }
        check(&disk.after(Crash::ProcessKill), &told, &format!("kill at {cut}"));
        for seed in 0..5 {
            let left = disk.after_with(Crash::PowerLoss, seed * 1000 + cut);
            check(&left, &told, &format!("power loss at {cut}, seed {seed}"));
        }
    }
}

#[test]
fn a_disk_that_fails_while_cleaning_keeps_the_old_files() {
    for (operation, error) in [
        (Operation::Write, Injected::NoSpace),
        (Operation::Sync, Injected::Io),
        (Operation::Open, Injected::NoSpace),
        (Operation::Rename, Injected::Io),
        (Operation::SyncDir, Injected::Io),
    ] {
        for after in 0..4 {
            let what = format!("{operation} after {after}");
            let disk = FailingDisk::new(CrashDisk::calm(1).shared());
            let (mut log, _) = Log::open(disk.shared(), Path::new(DIR), config(), NEW, NOW).unwrap();
            let mut value = 0;
            for at in 0..30 {
                put(&mut log, &[at % 4, 9], Codec::None, &mut value).unwrap();
            }
            log.roll(NOW).unwrap();
            flush_all(&mut log).unwrap();
            let before = live(&latest(&records(&log.reader())));
            let path = if operation == Operation::SyncDir { "*" } else { "*.cleaned" };
            disk.fail(Fault::on(operation, path, error).after(after).times(1));
            let failed = clean(&mut log, None, 1 << 20, NOW);
            disk.heal();
            assert_eq!(live(&latest(&records(&log.reader()))), before, "{what}");
            match failed {
                // The next start does the rest.
                Err(CleanError::Unfinished(_)) => {
                    assert_eq!(operation, Operation::SyncDir, "{what}");
                    let known =
                        Known { clean: false, recovery_point: log.recovery_point(), log_start: Offset(0) };
                    log = Log::open(disk.shared(), Path::new(DIR), config(), known, NOW).unwrap().0;
                }
                Err(_) => {
                    let leftovers = disk.list(Path::new(DIR)).unwrap();
                    assert!(!leftovers.iter().any(|entry| entry.name.contains(".cleaned")), "{what}");
                }
                // There are fewer such operations.
                Ok(_) => assert!(after > 1, "{what}"),
            }
            clean(&mut log, None, 1 << 20, NOW).unwrap();
            assert_eq!(live(&latest(&records(&log.reader()))), before, "{what}");
            assert_eq!(records(&log.reader()).len(), latest(&records(&log.reader())).len(), "{what}");
        }
    }
}

/// A start takes a finished copy above one that was being written for a part of it, and removes both: so nothing may be
/// cleaned while a copy is left over that cannot be removed.
#[test]
fn a_copy_that_cannot_be_removed_ends_all_cleaning() {
    let disk = FailingDisk::new(CrashDisk::calm(1).shared());
    let (mut log, _) = Log::open(disk.shared(), Path::new(DIR), config(), NEW, NOW).unwrap();
    for at in 0..30 {
        put(&mut log, &[at % 4, 9], Codec::None, &mut 0).unwrap();
    }
    log.roll(NOW).unwrap();
    flush_all(&mut log).unwrap();
    disk.fail(Fault::on(Operation::Write, "*.log.cleaned", Injected::NoSpace));
    disk.fail(Fault::on(Operation::Remove, "*.log.cleaned", Injected::Io));
    let error = clean(&mut log, None, 1 << 20, NOW).unwrap_err();
    assert!(matches!(error, CleanError::Unfinished(_)), "{error:?}");
}
