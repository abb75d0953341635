//! Stories that are cut off at each of their disk operations, by a process kill and by power losses; then recovered.
//!
//! Promised is: at a process kill, every batch whose append returned; at a power loss, everything below the end of the
//! last flush that returned. What is left is a prefix of what was written, and the indexes agree with it.

use std::io::IoSlice;
use std::path::Path;

use base::{Millis, Offset};
use bytes::Bytes;
use disk::{Disk, OpenHow};
use log::index::{OffsetEntry, TimeEntry};
use log::names::{FileName, Kind};
use log::{Known, Log, LogConfig, LogError};
use records::BatchHeader;
use testkit::{Crash, CrashDisk, Random};

use crate::common::*;

const DIR: &str = "/data/t-0";

#[derive(Clone, Copy, Debug)]
enum Step {
    Append(Plan),
    Roll,
    Flush,
    /// Moves the log start so many offsets up, and removes what lies below it.
    Retain(i64),
    RemoveFiles,
    /// A clean stop, and a start.
    Reopen,
}

/// What clients and the checkpoint files were told when the story ended.
#[derive(Default)]
struct Told {
    /// Every batch that was tried, in order.
    tried: Vec<Bytes>,
    /// How many of them were acknowledged.
    acknowledged: usize,
    flushed: Offset,
    /// The recovery point as the checkpoint has it: it may lag.
    checkpoint: Offset,
    log_start: Offset,
    /// The log was closed, and not opened since.
    closed: bool,
}

impl Told {
    fn end_of(&self, batches: usize) -> Offset {
        self.tried[..batches]
            .last()
            .map_or(Offset(0), |batch| BatchHeader::parse(batch).unwrap().next_offset())
    }

    fn promised(&self, crash: Crash) -> Offset {
        match crash {
            Crash::ProcessKill => self.end_of(self.acknowledged),
            Crash::PowerLoss => self.flushed,
        }
    }
}

fn story(random: &mut Random, steps: usize) -> Vec<Step> {
    let mut epoch = 0;
    (0..steps)
        .map(|at| match random.below(20) {
            0..=11 => Step::Append(Plan {
                epoch,
                ..Plan::of(
                    1 + random.below(3) as i32,
                    [0, 20, 90, 400][random.below(4) as usize],
                    100 * at as i64 - random.below(300) as i64,
                )
            }),
            12 | 13 => Step::Roll,
            14..=16 => Step::Flush,
            17 => Step::Retain(random.below(6) as i64),
            18 => Step::RemoveFiles,
            _ => {
                epoch += 1;
                Step::Reopen
            }
        })
        .collect()
}

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 1500,
        index_interval_bytes: 100,
        retention_ms: -1,
        file_delete_delay_ms: 0,
        ..LogConfig::default()
    }
}

/// A disk with a data directory on it.
fn prepared(disk: CrashDisk) -> CrashDisk {
    disk.create_dir_all(Path::new(DIR).parent().unwrap()).unwrap();
    disk.settle();
    disk
}

fn open(disk: &CrashDisk, known: Known) -> Result<Log, LogError> {
    Ok(Log::open(disk.shared(), Path::new(DIR), config(), known, NOW)?.0)
}

/// Plays the story until it ends or the disk stops, and says what was told by then.
fn play(story: &[Step], disk: &CrashDisk) -> Told {
    let mut told = Told::default();
    let result = try_play(story, disk, &mut told);
    assert!(result.is_ok() || disk.has_stopped(), "{result:?}");
    told
}

fn try_play(story: &[Step], disk: &CrashDisk, told: &mut Told) -> Result<(), LogError> {
    let mut log = open(disk, NEW)?;
    for (at, step) in story.iter().enumerate() {
        match *step {
            Step::Append(plan) => {
                let batch = plan.at(log.log_end());
                if log.roll_due(&BatchHeader::parse(&batch).unwrap(), NOW) {
                    log.roll(NOW)?;
                }
                told.tried.push(batch.clone());
                append_bytes(&mut log, &batch)?;
                told.acknowledged += 1;
            }
            Step::Roll => _ = log.roll(NOW)?,
            Step::Flush => {
                let flush = log.begin_flush();
                flush.run()?;
                log.flushed(&flush);
                told.flushed = flush.up_to();
            }
            Step::Retain(up) => {
                let offset = log.log_start().plus(up).min(log.log_end());
                told.log_start = log.delete_records_before(offset);
                log.apply_retention(log.log_end(), NOW)?;
            }
            Step::RemoveFiles => _ = log.take_due_files(Millis(i64::MAX)).remove()?,
            Step::Reopen => {
                log.close()?;
                told.flushed = log.log_end();
                told.checkpoint = told.flushed;
                told.closed = true;
                let known = Known { clean: true, recovery_point: told.flushed, log_start: told.log_start };
                // The marker goes before the log is opened.
                told.closed = false;
                log = open(disk, known)?;
            }
        }
        if at % 5 == 0 {
            told.checkpoint = log.recovery_point();
        }
    }
    Ok(())
}

/// Checks that the log holds what was promised and nothing that was not written, and that it is fit to go on.
fn check(log: &mut Log, disk: &CrashDisk, told: &Told, crash: Crash) {
    let reader = log.reader();
    assert!(
        log.log_end() >= told.promised(crash),
        "{} was promised, {} is left",
        told.promised(crash),
        log.log_end()
    );
    assert!(log.log_end() <= told.end_of(told.tried.len()).max(told.log_start));
    assert!(log.recovery_point() <= log.log_end());

    let start = told.log_start.max(log.log_start());
    let expected: Vec<&Bytes> = told
        .tried
        .iter()
        .filter(|batch| {
            let header = BatchHeader::parse(batch).unwrap();
            header.next_offset() > start && header.next_offset() <= log.log_end()
        })
        .collect();
    let bytes: Vec<u8> = expected.iter().flat_map(|batch| batch.to_vec()).collect();
    assert_eq!(read_from(&reader, start, 300), bytes, "a prefix of what was written");
    for batch in &expected {
        let header = BatchHeader::parse(batch).unwrap();
        for offset in header.base_offset.max(start).0..header.next_offset().0 {
            let out = reader.read(Offset(offset), log.log_end(), 1, true).unwrap();
            assert_eq!(out.range.unwrap().read().unwrap(), **batch);
            assert_eq!(reader.epoch_at(Offset(offset)), Some(header.leader_epoch), "offset {offset}");
        }
    }
    let times: Vec<(i64, i64)> = expected
        .iter()
        .flat_map(|batch| {
            let records = records::records_of(batch, 9999).unwrap();
            let header = *records.header();
            let all: Vec<(i64, i64)> = records
                .iter()
                .map(|record| record.unwrap())
                .map(|record| (record.offset(&header).0, record.timestamp(&header).0))
                .collect();
            all
        })
        .filter(|(offset, _)| *offset >= start.0)
        .collect();
    if start == log.log_start() {
        for asked in (0..6000).step_by(173) {
            let found = reader.offset_for_timestamp(Millis(asked), log.log_end()).unwrap();
            let expected = times.iter().find(|(_, time)| *time >= asked);
            assert_eq!(
                found.map(|found| (found.offset.0, found.timestamp.0)),
                expected.copied(),
                "since {asked}"
            );
        }
    }
    check_indexes(log, disk);
}

/// Each entry names the last offset of the batch at its position, or the timestamp of the batch with its offset.
fn check_indexes(log: &Log, disk: &CrashDisk) {
    let batches: Vec<(u64, BatchHeader, std::path::PathBuf)> = log
        .reader()
        .headers(Offset(0))
        .map(|walked| walked.unwrap())
        .map(|walked| (walked.at.position, walked.header, walked.at.file.path().to_owned()))
        .collect();
    for base in log.reader().segment_bases() {
        let path = |kind| Path::new(DIR).join(FileName::new(base, kind).to_string());
        let here = || batches.iter().filter(|(.., file)| *file == path(Kind::Log));
        let bytes = disk::read_whole(disk, &path(Kind::Index), 99_999).unwrap().unwrap_or_default();
        assert!(bytes.len().is_multiple_of(OffsetEntry::LEN));
        for entry in OffsetEntry::all(&bytes) {
            let found = here().find(|(position, ..)| *position == entry.position as u64);
            assert_eq!(found.map(|(_, header, _)| header.last_offset()), Some(entry.offset(base)));
        }
        let bytes = disk::read_whole(disk, &path(Kind::TimeIndex), 99_999).unwrap().unwrap_or_default();
        assert!(bytes.len().is_multiple_of(TimeEntry::LEN));
        for entry in TimeEntry::all(&bytes) {
            // Of two power losses one may leave a part of the offset: it then still lies in the batch.
            let found = here().find(|(_, header, _)| header.last_offset() >= entry.offset(base));
            assert_eq!(found.map(|(_, header, _)| header.max_timestamp), Some(entry.timestamp));
        }
    }
}

/// What was recovered goes on: it takes more, stops cleanly, and has it all after that.
fn go_on(mut log: Log, disk: &CrashDisk) {
    let (start, before) = (log.log_start(), log.log_end());
    for at in 0..6 {
        let plan = Plan { epoch: 99, ..Plan::of(2, 300, 50_000 + at) };
        write(&mut log, plan).unwrap();
    }
    log.close().unwrap();
    let end = log.log_end();
    assert_eq!(end, before.plus(12));
    let after = disk.after(Crash::PowerLoss);
    let log = open(&after, Known { clean: true, recovery_point: end, log_start: start }).unwrap();
    assert_eq!((log.log_start(), log.log_end()), (start, end));
    assert_eq!(walked(&log.reader(), before), (0..6).map(|at| before.0 + 2 * at).collect::<Vec<_>>());
    check_indexes(&log, &after);
}

/// What was recovered takes a little more, and then the power is lost: nothing that was cut comes back.
fn crash_again(disk: &CrashDisk, told: &Told, known: Known, flushed: bool, seed: u64) {
    let mut log = open(disk, known).unwrap();
    let kept = log.log_end();
    let mut then = Told { log_start: told.log_start, ..Told::default() };
    let held = |batch: &&Bytes| BatchHeader::parse(batch).unwrap().next_offset() <= kept;
    then.tried = told.tried.iter().filter(held).cloned().collect();
    // Where a log began anew above all batches, there is nothing to be compared.
    if then.end_of(then.tried.len()) != kept {
        return;
    }
    for value in [0, 90, 20] {
        let plan = Plan { epoch: 50, ..Plan::of(1, value, 4000) };
        then.tried.push(plan.at(log.log_end()));
        write(&mut log, plan).unwrap();
    }
    if flushed {
        flush(&mut log);
        then.flushed = log.log_end();
    }
    drop(log);
    let after = disk.after_with(Crash::PowerLoss, seed);
    let mut log = open(&after, known).unwrap();
    check(&mut log, &after, &then, Crash::PowerLoss);
}

fn every_cut(seed: u64) {
    let mut random = Random::new(seed);
    let story = story(&mut random, 30);
    let calm = prepared(CrashDisk::calm(seed));
    play(&story, &calm);
    for cut in 1..=calm.operations() {
        let disk = prepared(CrashDisk::new(seed, cut));
        let told = play(&story, &disk);
        for (crash, again) in
            [(Crash::ProcessKill, 0), (Crash::PowerLoss, 1), (Crash::PowerLoss, 2), (Crash::PowerLoss, 3)]
        {
            let (tried, acknowledged) = (told.tried.len(), told.acknowledged);
            let case = format!(
                "seed {seed}, cut {cut}, {crash:?} {again}: {tried} tried, {acknowledged} acknowledged, flushed to {}",
                told.flushed
            );
            let _case = OnPanic(&case);
            let after = disk.after_with(crash, seed + again);
            let lagging = again % 2 == 1;
            let known = Known {
                clean: false,
                recovery_point: if lagging { told.checkpoint } else { told.flushed },
                log_start: if lagging { Offset(0) } else { told.log_start },
            };
            let mut log = open(&after, known).unwrap();
            check(&mut log, &after, &told, crash);
            go_on(log, &after);

            let soon = disk.after_with(crash, seed + again);
            crash_again(&soon, &told, known, random.below(2) == 0, seed + again);

            // And a crash while it is being recovered.
            let again = disk.after_with(crash, seed + again);
            again.cut_after(random.below(6));
            let _ = open(&again, known);
            for (then, promise) in [(Crash::ProcessKill, crash), (Crash::PowerLoss, Crash::PowerLoss)] {
                let third = again.after(then);
                let mut log = open(&third, known).unwrap();
                check(&mut log, &third, &told, promise);
            }
        }
    }
}

struct OnPanic<'a>(&'a str);

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}

/// Four batches of one record each; the one at offset 1 is damaged, above the recovery point. After a recovery another
/// batch of the same size stands in its place, and the power is lost: what followed the damaged one must not come back.
/// The batches fill whole sectors, so that old and new ones may survive side by side.
fn cut_off_stays_off(rolled: bool) {
    let known = Known { clean: false, recovery_point: Offset(0), log_start: Offset(0) };
    let value = (900..1024).find(|value| Plan::of(1, *value, 1).at(Offset(0)).len() == 1024).unwrap();
    let config = LogConfig::default();
    let open = |disk: &CrashDisk, known| {
        Log::open(disk.shared(), Path::new(DIR), config.clone(), known, NOW).unwrap().0
    };
    for seed in 0..60 {
        let disk = prepared(CrashDisk::calm(seed));
        let mut log = open(&disk, NEW);
        for at in 0..4 {
            append(&mut log, Plan::of(1, value, at));
            if rolled {
                log.roll(NOW).unwrap();
            }
        }
        log.close().unwrap();
        let base = if rolled { 1 } else { 0 };
        let path = Path::new(DIR).join(FileName::new(Offset(base), Kind::Log).to_string());
        let file = disk.open(&path, OpenHow::Write).unwrap();
        file.write_at(if rolled { 90 } else { 1024 + 90 }, &[IoSlice::new(b"damage")]).unwrap();
        drop((log, file));
        disk.settle();

        let mut log = open(&disk, known);
        assert_eq!(log.log_end(), Offset(1));
        append(&mut log, Plan::of(1, value, 77));
        drop(log);
        let log = open(&disk.after(Crash::PowerLoss), known);
        assert!(log.log_end() <= Offset(2), "seed {seed}: {} is the end", log.log_end());
    }
}

#[test]
fn batches_behind_a_cut_do_not_come_back() {
    cut_off_stays_off(false);
}

#[test]
fn segments_behind_a_cut_do_not_come_back() {
    cut_off_stays_off(true);
}

/// Always played: the first, and those that once found something. `LOG_CRASH_SEEDS=100-200` plays others.
const PINNED: [u64; 6] = [1, 6, 11, 12, 36, 444];

#[test]
fn a_crash_at_any_operation_loses_nothing_promised() {
    match std::env::var("LOG_CRASH_SEEDS") {
        Err(_) => PINNED.into_iter().for_each(every_cut),
        Ok(seeds) => {
            let (first, last) = seeds.split_once('-').expect("two numbers");
            (first.parse().unwrap()..=last.parse().unwrap()).for_each(every_cut);
        }
    }
}
