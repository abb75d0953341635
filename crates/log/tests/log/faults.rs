//! Operations that fail: nothing of them is seen, and the log goes on behind what it had.

use std::path::Path;
use std::sync::Arc;

use base::Offset;
use disk::{Disk, Operation, RevocableDisk};
use log::{Known, Log, LogConfig, LogError};
use testkit::{CrashDisk, FailingDisk, Fault, Injected};

use crate::common::*;

const DIR: &str = "/t-0";

struct Failing {
    disk: FailingDisk,
    log: Log,
}

fn failing(config: &LogConfig) -> Failing {
    let disk = FailingDisk::new(CrashDisk::calm(1).shared());
    let log = open(&disk, config, NEW);
    Failing { disk, log }
}

fn open(disk: &FailingDisk, config: &LogConfig, known: Known) -> Log {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    Log::open(disk, Path::new(DIR), config.clone(), known, NOW).unwrap().0
}

fn content(log: &Log) -> Vec<u8> {
    read_from(&log.reader(), Offset(0), u32::MAX)
}

#[test]
fn a_short_write_is_cut_off_before_the_next_append() {
    let Failing { disk, mut log } = failing(&LogConfig::default());
    let first = Plan::of(2, 30, 1).at(Offset(0));
    append(&mut log, Plan::of(2, 30, 1));
    for short in [0, 1, 60, 61, 100, 134] {
        disk.fail(Fault::on(Operation::Write, "*.log", Injected::NoSpace).short(short).times(1));
        assert!(matches!(try_append(&mut log, Plan::of(2, 30, 2)), Err(LogError::Disk(_))));
        assert_eq!((log.log_end(), log.reader().size()), (Offset(2), first.len() as u64));
        assert_eq!(content(&log), first);
    }
    let second = Plan::of(1, 3, 4).at(Offset(2));
    append(&mut log, Plan::of(1, 3, 4));
    assert_eq!(content(&log), [&first[..], &second].concat());
    let file =
        disk::read_whole(&disk, &Path::new(DIR).join("00000000000000000000.log"), 9999).unwrap().unwrap();
    assert_eq!(file, content(&log));
}

#[test]
fn what_could_not_be_cut_off_stops_the_next_append() {
    let Failing { disk, mut log } = failing(&LogConfig::default());
    append(&mut log, Plan::of(2, 30, 1));
    disk.fail(Fault::on(Operation::Write, "*.log", Injected::Io).short(100).times(1));
    disk.fail(Fault::on(Operation::SetLen, "*.log", Injected::Io).times(2));
    assert!(try_append(&mut log, Plan::of(2, 30, 2)).is_err());
    assert!(try_append(&mut log, Plan::of(1, 1, 3)).is_err(), "still it cannot be cut");
    append(&mut log, Plan::of(1, 1, 3));
    let file =
        disk::read_whole(&disk, &Path::new(DIR).join("00000000000000000000.log"), 9999).unwrap().unwrap();
    assert_eq!(file, content(&log));
    assert_eq!(log.log_end(), Offset(3));
}

#[test]
fn an_index_that_cannot_be_written_fails_no_append() {
    let config = LogConfig { index_interval_bytes: 0, ..LogConfig::default() };
    let Failing { disk, mut log } = failing(&config);
    disk.fail(Fault::on(Operation::Write, "*index", Injected::NoSpace));
    for at in 0..200 {
        append(&mut log, Plan::of(1, 0, at));
    }
    assert!(disk.failures() >= 3);
    assert_eq!(walked(&log.reader(), Offset(150)).len(), 50, "entries in memory serve as well");
    assert!(log.roll(NOW).is_err(), "a sealed segment must have its indexes");
    disk.heal();
    assert_eq!(log.roll(NOW).unwrap(), Offset(200));
    let index = Path::new(DIR).join("00000000000000000000.index");
    assert_eq!(disk::read_whole(&disk, &index, 9999).unwrap().unwrap().len(), 199 * 8);
}

#[test]
fn a_roll_that_fails_leaves_the_segment_active() {
    for path in ["*/00000000000000000002.log", "*/00000000000000000002.timeindex"] {
        let Failing { disk, mut log } = failing(&LogConfig::default());
        append(&mut log, Plan::of(2, 30, 1));
        disk.fail(Fault::on(Operation::Open, path, Injected::TooManyFiles));
        assert!(log.roll(NOW).is_err());
        assert_eq!(log.active_base(), Offset(0));
        append(&mut log, Plan::of(2, 30, 1));
        disk.heal();
        assert_eq!(log.roll(NOW).unwrap(), Offset(4));
        append(&mut log, Plan::of(2, 30, 1));
        log.close().unwrap();
        let again = open(&disk, &LogConfig::default(), Known { recovery_point: Offset(6), ..NEW });
        assert_eq!(again.reader().segment_bases(), [Offset(0), Offset(4)]);
        assert_eq!(walked(&again.reader(), Offset(2)), [2, 4]);
    }
}

#[test]
fn preallocation_is_no_condition() {
    let config = LogConfig { preallocate: true, segment_bytes: 5000, ..LogConfig::default() };
    let Failing { disk, mut log } = failing(&config);
    append(&mut log, Plan::of(2, 30, 1));
    disk.fail(Fault::on(Operation::SetLen, "*/00000000000000000002.log", Injected::NoSpace).times(1));
    assert_eq!(log.roll(NOW).unwrap(), Offset(2));
    append(&mut log, Plan::of(2, 30, 1));
    assert_eq!(walked(&log.reader(), Offset(0)), [0, 2]);
}

#[test]
fn a_clean_stop_right_after_a_flush_still_syncs_the_indexes() {
    for seed in 0..20 {
        let disk = CrashDisk::calm(seed);
        disk.create_dir_all(Path::new("/data")).unwrap();
        disk.settle();
        let dir = Path::new("/data/t-0");
        let config = LogConfig { index_interval_bytes: 0, ..LogConfig::default() };
        let (mut log, _) = Log::open(disk.shared(), dir, config, NEW, NOW).unwrap();
        for at in 0..20 {
            append(&mut log, Plan::of(1, 100, at));
        }
        flush(&mut log);
        log.close().unwrap();
        let after = disk.after(testkit::Crash::PowerLoss);
        for (name, len) in
            [("00000000000000000000.index", 19 * 8), ("00000000000000000000.timeindex", 19 * 12)]
        {
            let bytes = |disk: &CrashDisk| disk::read_whole(disk, &dir.join(name), 9999).unwrap().unwrap();
            assert_eq!(bytes(&after), bytes(&disk), "{name}");
            assert_eq!(bytes(&after).len(), len, "{name}");
        }
    }
}

#[test]
fn a_failed_flush_moves_nothing() {
    let Failing { disk, mut log } = failing(&LogConfig::default());
    append(&mut log, Plan::of(2, 30, 1));
    disk.fail(Fault::on(Operation::Sync, "*.log", Injected::Io).times(1));
    let flush = log.begin_flush();
    assert_eq!(flush.up_to(), Offset(2));
    assert!(flush.run().is_err());
    assert_eq!(log.recovery_point(), Offset(0));
}

#[test]
fn an_append_during_a_flush_is_left_for_the_next_one() {
    let Failing { mut log, .. } = failing(&LogConfig::default());
    append(&mut log, Plan::of(2, 30, 1));
    let first = log.begin_flush();
    append(&mut log, Plan::of(2, 30, 1));
    log.roll(NOW).unwrap();
    first.run().unwrap();
    log.flushed(&first);
    assert_eq!(log.recovery_point(), Offset(2));
    let second = log.begin_flush();
    assert!(!second.is_empty());
    second.run().unwrap();
    log.flushed(&second);
    assert_eq!(log.recovery_point(), Offset(4));
    assert!(log.begin_flush().is_empty());
}

#[test]
fn what_has_a_leader_epoch_that_cannot_be_written_is_not_flushed() {
    let Failing { disk, mut log } = failing(&LogConfig::default());
    append(&mut log, Plan { epoch: 1, ..Plan::of(1, 1, 1) });
    disk.fail(Fault::on(Operation::Rename, "*leader-epoch-checkpoint.tmp", Injected::ReadOnly).times(1));
    assert!(log.begin_flush().run().is_err());
    assert_eq!(log.recovery_point(), Offset(0));
    append(&mut log, Plan { epoch: 2, ..Plan::of(1, 1, 1) });
    let flush = log.begin_flush();
    flush.run().unwrap();
    log.flushed(&flush);
    assert_eq!(log.recovery_point(), Offset(2));
    let dir = log.dir().to_owned();
    let epochs = log::checkpoint::read_epochs(&*disk.shared(), &dir).unwrap().unwrap();
    assert_eq!(epochs.iter().map(|line| (line.epoch.0, line.start.0)).collect::<Vec<_>>(), [(1, 0), (2, 1)]);
    assert!(log.begin_flush().is_empty());
}

#[test]
fn a_read_error_is_passed_on_and_changes_nothing() {
    let Failing { disk, mut log } = failing(&LogConfig::default());
    append(&mut log, Plan::of(2, 30, 1));
    disk.fail(Fault::on(Operation::Read, "*.log", Injected::Io).times(1));
    assert!(matches!(log.reader().read(Offset(0), Offset(2), 99, true), Err(LogError::Disk(_))));
    assert_eq!(content(&log).len(), 135);
}

#[test]
fn a_flush_leaves_alone_what_took_the_place_of_a_log_given_up() {
    let disk = CrashDisk::calm(1).shared();
    let lent = Arc::new(RevocableDisk::new(Arc::clone(&disk)));
    let (dir, gone) = (Path::new(DIR), Path::new("/t-0.gone-delete"));
    let (mut log, _) = Log::open(lent.clone(), dir, LogConfig::default(), NEW, NOW).unwrap();
    append(&mut log, Plan::of(2, 30, 1));
    log.roll(NOW).unwrap();
    append(&mut log, Plan::of(2, 30, 1));
    let flush = log.begin_flush();

    lent.revoke();
    disk.rename(dir, gone).unwrap();
    let (mut new, _) = Log::open(Arc::clone(&disk), dir, LogConfig::default(), NEW, NOW).unwrap();
    append(&mut new, Plan::of(1, 3, 5));
    let before = disk.list(dir).unwrap();
    assert!(matches!(flush.run(), Err(LogError::Disk(error)) if error.is_not_found()));
    assert!(log.close().is_err());
    assert_eq!(disk.list(dir).unwrap(), before);
}

#[test]
fn a_full_disk_keeps_index_entries_in_memory_until_a_later_flush() {
    let Failing { disk, mut log } = failing(&LogConfig::default());
    append(&mut log, Plan::of(2, 30, 1));
    log.roll(NOW).unwrap();
    append(&mut log, Plan::of(2, 30, 2));
    disk.fail(Fault::on(Operation::SetLen, "*.timeindex", Injected::NoSpace));
    disk.fail(Fault::on(Operation::Write, "*.timeindex", Injected::NoSpace));
    disk.fail(Fault::on(Operation::Sync, "*.timeindex", Injected::NoSpace));
    flush(&mut log);
    assert_eq!(log.recovery_point(), Offset(4), "the batches are on disk");
    append(&mut log, Plan::of(2, 30, 3));
    assert!(log.close().is_err(), "a clean stop vouches for the indexes");
    disk.heal();
    flush(&mut log);
    log.close().unwrap();
    let times = disk::read_whole(&disk, &Path::new(DIR).join("00000000000000000000.timeindex"), 99).unwrap();
    assert_eq!(times.map(|bytes| bytes.len()), Some(12));
}

#[test]
fn a_full_disk_does_not_keep_what_retention_frees() {
    let config = LogConfig { retention_ms: -1, retention_bytes: 0, file_delete_delay_ms: 0, ..small() };
    let Failing { disk, mut log } = failing(&config);
    for at in 0..30 {
        write(&mut log, Plan::of(2, 30, 1000 + at)).unwrap();
    }
    log.roll(NOW).unwrap();
    disk.fail(Fault::on(Operation::Write, "*", Injected::NoSpace));
    let removed = log.apply_retention(log.log_end(), NOW).unwrap();
    assert!(removed.segments.len() > 1, "{removed:?}");
    assert!(log.take_due_files(NOW).remove().unwrap() > 1);
    disk.heal();
    let flush = log.begin_flush();
    flush.run().unwrap();
    let lines = log::checkpoint::read_epochs(&disk, Path::new(DIR)).unwrap().unwrap();
    assert_eq!(lines[0].start, log.log_start(), "the next flush writes where the epochs begin");
}
