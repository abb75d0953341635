//! The bytes on disk, and when a segment is rolled.

use crate::common::*;
use base::{LeaderEpoch, Millis, Offset};
use log::index::{OffsetEntry, TimeEntry};
use log::{Known, LogConfig, LogError};
use records::BatchHeader;

fn offset_entries(bytes: &[u8]) -> Vec<(i32, i32)> {
    OffsetEntry::all(bytes).map(|entry| (entry.relative_offset, entry.position)).collect()
}

fn time_entries(bytes: &[u8]) -> Vec<(i64, i32)> {
    TimeEntry::all(bytes).map(|entry| (entry.timestamp.0, entry.relative_offset)).collect()
}

#[test]
fn a_new_log_has_one_segment_at_the_log_start() {
    let rig = Rig::new();
    let (log, opened) = rig.open(&LogConfig::default(), Known { log_start: Offset(7), ..NEW });
    assert!(opened.created);
    assert_eq!((log.log_start(), log.log_end(), log.recovery_point()), (Offset(7), Offset(7), Offset(7)));
    assert_eq!(
        rig.names(),
        ["00000000000000000007.index", "00000000000000000007.log", "00000000000000000007.timeindex"]
    );
    drop(log);
    let (log, opened) = rig.open(&LogConfig::default(), NEW);
    assert_eq!((log.log_end(), opened.created), (Offset(7), false));
}

#[test]
fn a_segment_holds_the_batches_and_nothing_else() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&LogConfig::default(), NEW);
    let mut expected = Vec::new();
    for at in 0..10 {
        let plan = Plan::of(3, 10 * at, 1000);
        expected.extend(plan.at(log.log_end()));
        let written = append(&mut log, plan);
        assert_eq!((written.base_offset.0, written.last_offset.0), (3 * at as i64, 3 * at as i64 + 2));
    }
    assert_eq!(rig.bytes("00000000000000000000.log"), expected);
    assert_eq!(log.reader().size(), expected.len() as u64);
    assert_eq!(read_from(&log.reader(), Offset(0), u32::MAX), expected);
}

#[test]
fn index_entries_follow_kafkas_rule() {
    // Batches of 168 bytes and an interval of 200: the entry stands before the third, fifth, ... batch, since it is
    // added for a batch that begins more than 200 bytes behind the last one that has an entry.
    let rig = Rig::new();
    let (mut log, _) = rig.open(&LogConfig { index_interval_bytes: 200, ..LogConfig::default() }, NEW);
    let timestamps = [50, 40, 70, 60, 65, 90, 80, 75];
    let size = i32::try_from(append(&mut log, Plan::of(1, 100, timestamps[0])).size).unwrap();
    for timestamp in &timestamps[1..] {
        append(&mut log, Plan::of(1, 100, *timestamp));
    }
    assert_eq!(rig.bytes("00000000000000000000.index"), b"", "entries wait in memory");
    log.close().unwrap();
    assert_eq!(
        offset_entries(&rig.bytes("00000000000000000000.index")),
        [(2, 2 * size), (4, 4 * size), (6, 6 * size)]
    );
    assert_eq!(time_entries(&rig.bytes("00000000000000000000.timeindex")), [(70, 2), (90, 5)]);
}

#[test]
fn a_sealed_segment_ends_with_its_largest_timestamp() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&LogConfig::default(), NEW);
    append(&mut log, Plan::of(2, 10, 500));
    append(&mut log, Plan::of(2, 10, 300));
    assert_eq!(log.roll(NOW).unwrap(), Offset(4));
    assert_eq!(log.roll(NOW).unwrap(), Offset(4), "an empty segment is not rolled again");
    append(&mut log, Plan::of(1, 10, -1));
    log.roll(NOW).unwrap();
    assert_eq!(rig.bytes("00000000000000000000.index"), b"");
    assert_eq!(time_entries(&rig.bytes("00000000000000000000.timeindex")), [(501, 1)]);
    assert_eq!(rig.bytes("00000000000000000004.timeindex"), b"", "no record has a timestamp");
    assert_eq!(log.reader().segment_bases(), [0, 4, 5].map(Offset));
}

#[test]
fn entries_are_written_through_in_blocks() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&LogConfig { index_interval_bytes: 0, ..LogConfig::default() }, NEW);
    for at in 0..200 {
        append(&mut log, Plan::of(1, 0, 1000 + at));
    }
    assert_eq!(rig.bytes("00000000000000000000.index").len(), 192 * 8);
    assert_eq!(rig.bytes("00000000000000000000.timeindex").len(), 192 * 12);
    flush(&mut log);
    assert_eq!(rig.bytes("00000000000000000000.index").len(), 199 * 8);
    for at in 0..200 {
        let out = log.reader().read(Offset(at), Offset(200), 1, true).unwrap();
        let header = BatchHeader::parse(&out.range.unwrap().read().unwrap()).unwrap();
        assert_eq!(header.base_offset, Offset(at));
    }
}

#[test]
fn a_segment_is_rolled_before_it_would_be_too_large() {
    let rig = Rig::new();
    let config = LogConfig { segment_bytes: 300, ..LogConfig::default() };
    let (mut log, _) = rig.open(&config, NEW);
    let size = write(&mut log, Plan::of(1, 0, 1000)).unwrap().size;
    assert_eq!(size, 68);
    let header =
        |value, log: &log::Log| BatchHeader::parse(&Plan::of(1, value, 1000).at(log.log_end())).unwrap();
    // A value of 100 bytes takes two more bytes, for the lengths before it.
    assert!(!log.roll_due(&header(162, &log), NOW), "exactly 300 bytes fit");
    assert!(log.roll_due(&header(163, &log), NOW));
    assert!(!log.roll_due(&header(1000, &log), NOW), "rolling would not help");
    match try_append(&mut log, Plan::of(1, 1000, 1000)) {
        Err(LogError::LargerThanSegment { size: 1070, limit: 300, .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(log.log_end(), Offset(1));
    assert_eq!(write(&mut log, Plan::of(1, 163, 1000)).unwrap().segment, Offset(1));
}

#[test]
fn a_segment_is_rolled_by_record_time() {
    let rig = Rig::new();
    let config = LogConfig { segment_ms: 1000, ..LogConfig::default() };
    let (mut log, _) = rig.open(&config, NEW);
    let due = |log: &log::Log, timestamp, now| {
        log.roll_due(&BatchHeader::parse(&Plan::of(1, 0, timestamp).at(log.log_end())).unwrap(), Millis(now))
    };
    assert!(!due(&log, i64::MAX, i64::MAX), "an empty segment has no first time");
    append(&mut log, Plan::of(1, 0, 5000));
    assert!(!due(&log, 6000, i64::MAX));
    assert!(due(&log, 6001, 0));
    assert!(!due(&log, 10, 0));
    log.close().unwrap();
    drop(log);
    let (mut log, _) = rig.open(&config, Known { recovery_point: Offset(1), ..NEW });
    assert!(!due(&log, 6000, i64::MAX), "the first batch's time is read again");
    assert!(due(&log, 6001, 0));
    log.roll(NOW).unwrap();
    append(&mut log, Plan::of(1, 0, -1));
    assert!(!due(&log, 0, NOW.0 + 1000), "without timestamps the clock decides");
    assert!(due(&log, 0, NOW.0 + 1001));
}

#[test]
fn jitter_takes_something_off_segment_ms() {
    let rig = Rig::new();
    let config = LogConfig { segment_ms: 1000, segment_jitter_ms: 1000, ..LogConfig::default() };
    let (mut log, _) = rig.open(&config, NEW);
    append(&mut log, Plan::of(1, 0, 0));
    let due = |log: &log::Log, timestamp| {
        log.roll_due(&BatchHeader::parse(&Plan::of(1, 0, timestamp).at(log.log_end())).unwrap(), NOW)
    };
    let limit = (0..=1001).find(|timestamp| due(&log, *timestamp)).unwrap();
    assert!((1..=1001).contains(&limit));
    assert!(due(&log, limit) && !due(&log, limit - 1), "it is the same each time");
}

#[test]
fn a_segment_is_rolled_when_an_index_is_full() {
    let rig = Rig::new();
    // 36 bytes: four offset entries; of three time entries one is kept back for the seal.
    let config = LogConfig { segment_index_bytes: 36, index_interval_bytes: 0, ..LogConfig::default() };
    let (mut log, _) = rig.open(&config, NEW);
    let segments: Vec<i64> =
        (0..8).map(|at| write(&mut log, Plan::of(1, 0, 1000 + at)).unwrap().segment.0).collect();
    assert_eq!(segments, [0, 0, 0, 3, 3, 3, 6, 6], "the time index is full after two entries");
    assert_eq!(rig.bytes("00000000000000000000.timeindex").len(), 24, "the last entry says it already");
    let segments: Vec<i64> = (0..7).map(|_| write(&mut log, Plan::of(1, 0, 5)).unwrap().segment.0).collect();
    assert_eq!(segments, [6, 6, 6, 11, 11, 11, 11], "the offset index is full after four");
}

#[test]
fn a_preallocated_file_is_cut_on_roll_and_on_close() {
    let rig = Rig::new();
    let config = LogConfig { preallocate: true, segment_bytes: 10_000, ..LogConfig::default() };
    let (mut log, _) = rig.open(&config, NEW);
    assert_eq!(rig.bytes("00000000000000000000.log").len(), 10_000);
    append(&mut log, Plan::of(1, 0, 1));
    assert_eq!(log.reader().size(), 68);
    log.roll(NOW).unwrap();
    assert_eq!(rig.bytes("00000000000000000000.log").len(), 68);
    assert_eq!(rig.bytes("00000000000000000001.log").len(), 10_000);
    log.close().unwrap();
    assert_eq!(rig.bytes("00000000000000000001.log").len(), 0);
}

#[test]
fn leader_epochs_are_written_with_the_next_flush() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&LogConfig::default(), NEW);
    let flush = |log: &mut log::Log| {
        let flush = log.begin_flush();
        flush.run().unwrap();
        log.flushed(&flush);
    };
    append(&mut log, Plan { epoch: -1, ..Plan::of(1, 0, 1) });
    flush(&mut log);
    assert!(!rig.path("leader-epoch-checkpoint").exists());
    append(&mut log, Plan { epoch: 4, ..Plan::of(2, 0, 1) });
    assert_eq!(log.reader().epoch_at(Offset(1)), Some(LeaderEpoch(4)));
    assert!(!rig.path("leader-epoch-checkpoint").exists());
    flush(&mut log);
    assert_eq!(rig.bytes("leader-epoch-checkpoint"), b"0\n1\n4 1\n");
    append(&mut log, Plan { epoch: 4, ..Plan::of(2, 0, 1) });
    log.assign_leader_epoch(LeaderEpoch(6));
    log.assign_leader_epoch(LeaderEpoch(6));
    flush(&mut log);
    assert_eq!(rig.bytes("leader-epoch-checkpoint"), b"0\n2\n4 1\n6 5\n");
    let reader = log.reader();
    assert_eq!(reader.latest_epoch(), Some(LeaderEpoch(6)));
    assert_eq!(reader.epoch_at(Offset(3)), Some(LeaderEpoch(4)));
    assert_eq!(reader.end_offset_for_epoch(LeaderEpoch(5)), (LeaderEpoch(4), Offset(5)));
    assert_eq!(reader.end_offset_for_epoch(LeaderEpoch(6)), (LeaderEpoch(6), Offset(5)));
    append(&mut log, Plan { epoch: 6, ..Plan::of(1, 0, 1) });
    log.close().unwrap();
    drop(log);
    let (log, _) = rig.open(&LogConfig::default(), Known { recovery_point: Offset(6), ..NEW });
    assert_eq!(log.reader().epoch_at(Offset(5)), Some(LeaderEpoch(6)));
    assert_eq!(log.reader().epoch_at(Offset(4)), Some(LeaderEpoch(4)));
}

#[test]
fn closing_what_was_not_changed_touches_nothing() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&small(), NEW);
    for at in 0..40 {
        write(&mut log, Plan::of(2, 30, 1000 + at)).unwrap();
    }
    log.close().unwrap();
    let known = Known { recovery_point: log.recovery_point(), ..NEW };
    assert_eq!(known.recovery_point, Offset(80));
    drop(log);
    let before: Vec<Vec<u8>> = rig.names().iter().map(|name| rig.bytes(name)).collect();
    let (mut log, opened) = rig.open(&small(), known);
    assert_eq!(opened, log::Opened::default());
    assert!(log.begin_flush().is_empty());
    log.close().unwrap();
    assert_eq!(rig.names().iter().map(|name| rig.bytes(name)).collect::<Vec<_>>(), before);
}
