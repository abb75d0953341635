//! What is taken away, when, and what becomes of its files.

use base::{LeaderEpoch, Millis, Offset};
use log::{Known, Log, LogConfig, LogError};

use crate::common::*;

/// Eight segments of one batch each, with timestamps 100, 200, ..., and nothing behind them.
fn eight(rig: &Rig, config: &LogConfig) -> Log {
    let (mut log, _) = rig.open(config, NEW);
    for at in 1..=8 {
        append(&mut log, Plan { epoch: at, ..Plan::of(10, 10, 100 * i64::from(at)) });
        log.roll(NOW).unwrap();
    }
    log
}

fn bases(log: &Log) -> Vec<i64> {
    log.reader().segment_bases().iter().map(|base| base.0).collect()
}

fn unlimited() -> LogConfig {
    LogConfig { retention_ms: -1, retention_bytes: -1, ..LogConfig::default() }
}

fn removed(log: &mut Log, high_watermark: i64, now: i64) -> Vec<i64> {
    let ahead = log.expire(Offset(high_watermark), Millis(now)).unwrap();
    ahead.write_epochs().unwrap();
    log.wrote_epochs(&ahead);
    let expired_to = log.log_start();
    let removed = log.apply_retention(Offset(high_watermark), Millis(now)).unwrap();
    assert_eq!(removed.log_start, log.log_start());
    assert!(expired_to == log.log_start() || bases(log).len() == 1, "{expired_to} {removed:?}");
    removed.segments.iter().map(|base| base.0).collect()
}

#[test]
fn without_limits_nothing_goes() {
    let rig = Rig::new();
    let mut log = eight(&rig, &unlimited());
    assert_eq!(removed(&mut log, 80, i64::MAX), []);
    assert_eq!(bases(&log), [0, 10, 20, 30, 40, 50, 60, 70, 80]);
}

#[test]
fn what_lies_below_the_log_start_goes() {
    for delete_enabled in [true, false] {
        let rig = Rig::new();
        let mut log = eight(&rig, &LogConfig { delete_enabled, ..unlimited() });
        assert_eq!(log.delete_records_before(Offset(35)), Offset(35));
        assert_eq!(log.delete_records_before(Offset(5)), Offset(35), "it never moves back");
        assert_eq!(removed(&mut log, 80, 0), [0, 10, 20]);
        assert_eq!(log.log_start(), Offset(35));
        assert_eq!(log.reader().epoch_at(Offset(35)), Some(LeaderEpoch(4)));
        assert_eq!(log.reader().end_offset_for_epoch(LeaderEpoch(2)), (LeaderEpoch(2), Offset(35)));
        assert!(matches!(
            log.reader().read(Offset(34), Offset(80), 9, true),
            Err(LogError::OutOfRange { .. })
        ));
        log.delete_records_before(Offset(80));
        assert_eq!(removed(&mut log, 80, 0), [30, 40, 50, 60, 70]);
        assert_eq!(bases(&log), [80]);
    }
}

#[test]
fn too_old_is_what_has_no_newer_record() {
    let rig = Rig::new();
    let mut log = eight(&rig, &LogConfig { retention_ms: 1000, ..unlimited() });
    // The last record of the segment with timestamp 100 has 109.
    assert_eq!(removed(&mut log, 80, 1109), []);
    assert_eq!(removed(&mut log, 80, 1110), [0]);
    assert_eq!(removed(&mut log, 80, 1410), [10, 20, 30]);
    assert_eq!(log.log_start(), Offset(40));
    assert_eq!(removed(&mut log, 80, i64::MAX), [40, 50, 60, 70]);
    assert_eq!(bases(&log), [80]);
    assert_eq!(removed(&mut log, 80, i64::MAX), [], "an empty last segment stays");
}

#[test]
fn a_segment_without_timestamps_is_as_old_as_its_file() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&LogConfig { retention_ms: 3_600_000, ..unlimited() }, NEW);
    append(&mut log, Plan::of(1, 1, -1));
    log.roll(NOW).unwrap();
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let now = i64::try_from(since).unwrap();
    assert_eq!(removed(&mut log, 1, now + 3_000_000), []);
    assert_eq!(removed(&mut log, 1, now + 4_000_000), [0]);
}

#[test]
fn too_much_is_what_can_go_without_falling_below_the_limit() {
    let rig = Rig::new();
    let mut log = eight(&rig, &unlimited());
    let size = log.reader().size();
    let each = size / 8;
    for (limit, gone) in
        [(size, 0), (size - 1, 0), (size - each + 1, 0), (size - each, 1), (each * 3 + 1, 4), (0, 8)]
    {
        let rig = Rig::new();
        let mut log = eight(&rig, &LogConfig { retention_bytes: limit as i64, ..unlimited() });
        assert_eq!(removed(&mut log, 80, 0).len(), gone, "{limit} of {size} bytes");
    }
    log.set_config(LogConfig { retention_bytes: 0, delete_enabled: false, retention_ms: 0, ..unlimited() });
    assert_eq!(removed(&mut log, 80, i64::MAX), [], "nothing goes without the policy `delete`");
}

#[test]
fn nothing_goes_beyond_the_high_watermark() {
    let rig = Rig::new();
    let mut log = eight(&rig, &LogConfig { retention_ms: 0, retention_bytes: 0, ..unlimited() });
    assert_eq!(removed(&mut log, 9, i64::MAX), []);
    assert_eq!(removed(&mut log, 29, i64::MAX), [0, 10]);
}

#[test]
fn when_all_goes_a_new_segment_is_begun() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&LogConfig { retention_ms: 0, ..unlimited() }, NEW);
    append(&mut log, Plan::of(3, 1, 5));
    assert_eq!(removed(&mut log, 3, 100), [0]);
    assert_eq!((log.log_start(), log.log_end(), log.active_base()), (Offset(3), Offset(3), Offset(3)));
    append(&mut log, Plan::of(3, 1, 5));
    assert_eq!(walked(&log.reader(), Offset(3)), [3]);
    log.close().unwrap();
    drop(log);
    let (log, _) = rig.open(&unlimited(), Known { recovery_point: Offset(6), ..NEW });
    assert_eq!((log.log_start(), log.log_end()), (Offset(3), Offset(6)));
}

#[test]
fn files_wait_as_deleted_until_their_time() {
    let rig = Rig::new();
    let mut log = eight(&rig, &LogConfig { retention_ms: 1000, file_delete_delay_ms: 500, ..unlimited() });
    for name in
        ["00000000000000000000.snapshot", "00000000000000000000.txnindex", "00000000000000000010.snapshot"]
    {
        std::fs::write(rig.path(name), b"").unwrap();
    }
    let reader = log.reader();
    let held = reader.read(Offset(0), Offset(80), 9999, true).unwrap().range.unwrap();
    assert_eq!(log.next_removal(), None);
    assert_eq!(removed(&mut log, 80, 1110), [0]);
    assert_eq!(log.next_removal(), Some(Millis(1610)));
    let parked = |rig: &Rig| -> Vec<String> {
        rig.names().into_iter().filter(|name| name.contains("00000000000000000000.")).collect()
    };
    assert_eq!(
        parked(&rig),
        ["index", "log", "snapshot", "timeindex", "txnindex"]
            .map(|kind| { format!("00000000000000000000.{kind}.deleted") })
    );
    assert_eq!(log.take_due_files(Millis(1609)).remove().unwrap(), 0);
    assert_eq!(removed(&mut log, 80, 1210), [10]);
    assert_eq!(log.take_due_files(Millis(1610)).remove().unwrap(), 5);
    assert_eq!(parked(&rig), Vec::<String>::new());
    assert_eq!(
        held.read().unwrap(),
        Plan { epoch: 1, ..Plan::of(10, 10, 100) }.at(Offset(0)),
        "who reads keeps it"
    );
    assert_eq!(log.take_due_files(Millis(i64::MAX)).remove().unwrap(), 4);
    assert!(rig.path("00000000000000000020.log").exists());
}

#[test]
fn a_shorter_delay_overtakes_a_longer_one() {
    let rig = Rig::new();
    let mut log = eight(&rig, &LogConfig { retention_ms: 1000, file_delete_delay_ms: 60_000, ..unlimited() });
    assert_eq!(removed(&mut log, 80, 1110), [0]);
    log.set_config(LogConfig { retention_ms: 1000, file_delete_delay_ms: 0, ..unlimited() });
    assert_eq!(removed(&mut log, 80, 1210), [10]);
    assert_eq!(log.next_removal(), Some(Millis(1210)));
    assert_eq!(log.take_due_files(Millis(1210)).remove().unwrap(), 3);
    let names = rig.names();
    assert!(names.contains(&"00000000000000000000.log.deleted".to_owned()));
    assert!(!names.iter().any(|name| name.starts_with("00000000000000000010.")));
}

#[test]
fn what_was_waiting_goes_at_the_next_start() {
    let rig = Rig::new();
    let mut log = eight(&rig, &LogConfig { retention_ms: 0, ..unlimited() });
    removed(&mut log, 80, i64::MAX);
    log.close().unwrap();
    drop(log);
    let (log, _) = rig.open(&unlimited(), Known { recovery_point: Offset(80), ..NEW });
    assert_eq!(
        rig.names(),
        [
            "00000000000000000080.index",
            "00000000000000000080.log",
            "00000000000000000080.timeindex",
            "leader-epoch-checkpoint",
        ]
    );
    assert_eq!(log.log_start(), Offset(80));
}

#[test]
fn a_flush_that_runs_beside_retention_makes_no_file_anew() {
    let rig = Rig::new();
    let mut log = eight(&rig, &LogConfig { retention_bytes: 0, ..unlimited() });
    let flush = log.begin_flush();
    assert_eq!(removed(&mut log, 80, 0), [0, 10, 20, 30, 40, 50, 60, 70]);
    let before = rig.names();
    flush.run().unwrap();
    assert_eq!(rig.names(), before);
}
