//! What a producer is told, and what a reader sees.

use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset, Sequence};
use bytes::Bytes;
use partition::{AppendError, Isolation, ReadError};
use records::{BatchBuilder, BatchRules, NewRecord, TimestampType};
use tokio::sync::Notify;

use crate::faults::is_woken;
use crate::stage::{NOW, Stage, anonymous, on_each_disk, send, small_segments};

#[test]
fn batches_get_offsets_one_behind_the_other() {
    on_each_disk(|stage| {
        let appended = stage.append(send(1, 0, 10)).unwrap();
        assert_eq!((appended.base_offset, appended.last_offset), (Offset(0), Offset(9)));
        assert_eq!((appended.log_append_time, appended.log_start), (Millis::NONE, Offset(0)));
        assert_eq!(stage.fresh(anonymous(3)), Offset(10));
        assert_eq!(stage.fresh(send(1, 10, 1)), Offset(13));
        let marks = stage.partition.marks();
        assert_eq!(
            (marks.log_end, marks.high_watermark, marks.last_stable),
            (Offset(14), Offset(14), Offset(14))
        );

        let headers = stage.headers();
        let bases: Vec<i64> = headers.iter().map(|header| header.base_offset.0).collect();
        assert_eq!(bases, [0, 10, 13]);
        assert!(headers.iter().all(|header| header.leader_epoch == LeaderEpoch(0)), "stamped on");
    });
}

#[test]
fn a_retry_is_answered_with_the_first_offset_and_stored_once() {
    on_each_disk(|stage| {
        stage.fresh(send(1, 0, 10));
        stage.fresh(send(1, 10, 5));
        assert_eq!(stage.duplicate(send(1, 0, 10)), Offset(0));
        assert_eq!(stage.duplicate(send(1, 10, 5)), Offset(10));
        assert_eq!(stage.headers().len(), 2);
        let again = stage.append(send(1, 0, 10)).unwrap();
        assert_eq!(again.log_append_time, NOW, "a duplicate is answered with its remembered timestamp");
        assert_eq!(again.last_offset, Offset(9));
    });
}

#[test]
fn a_gap_is_refused_and_leaves_no_trace() {
    on_each_disk(|stage| {
        stage.fresh(send(1, 0, 10));
        assert_eq!(stage.out_of_order(send(1, 20, 10)), Sequence(10));
        assert_eq!(stage.partition.marks().log_end, Offset(10));
        assert_eq!(stage.fresh(send(1, 10, 10)), Offset(10));
    });
}

#[test]
fn without_a_producer_every_copy_is_stored() {
    let stage = Stage::in_memory(small_segments(1 << 20));
    stage.fresh(anonymous(2));
    stage.fresh(anonymous(2));
    assert_eq!(stage.headers().len(), 2);
    assert!(stage.partition.producers().is_empty());
}

#[test]
fn a_batch_larger_than_a_segment_is_refused_before_the_producer_is_asked() {
    let stage = Stage::in_memory(small_segments(1000));
    let large = crate::stage::Send { value: 2000, ..send(1, 77, 1) };
    match stage.append(large) {
        Err(AppendError::LargerThanSegment { size, limit: 1000 }) => assert!(size > 2000),
        other => panic!("{other:?}"),
    }
    assert_eq!(stage.fresh(send(1, 0, 1)), Offset(0));
}

#[test]
fn a_log_append_time_topic_answers_its_own_time() {
    let stage = Stage::in_memory(small_segments(1 << 20));
    let mut builder = BatchBuilder::new(Offset::ZERO);
    builder.push(&NewRecord { timestamp: Millis(5), value: Some(b"v"), ..NewRecord::default() });
    let rules = BatchRules { timestamp_type: TimestampType::LogAppendTime, ..BatchRules::default() };
    let records: Bytes = builder.build();
    let batch = records::check(&records, 9, &rules, Millis(777)).unwrap();
    let appended = stage.partition.append(&batch, Millis(777)).unwrap();
    assert_eq!(appended.log_append_time, Millis(777));
}

#[test]
fn reads_stay_within_the_log_and_below_the_ceiling() {
    let stage = Stage::in_memory(small_segments(1 << 20));
    for batch in 0..4 {
        stage.fresh(send(1, batch * 10, 10));
    }
    let read =
        |from: i64, max_bytes| stage.partition.read(Offset(from), max_bytes, true, Isolation::default());
    assert!(matches!(
        read(41, 100),
        Err(ReadError::OutOfRange { from: Offset(41), log_start: Offset(0), log_end: Offset(40) })
    ));
    assert!(matches!(read(-1, 100), Err(ReadError::OutOfRange { .. })));
    let nothing = read(40, 100).unwrap();
    assert!(nothing.ranges.is_empty());
    assert_eq!((nothing.bytes, nothing.marks.log_end), (0, Offset(40)));
    let one = read(15, 1).unwrap();
    assert_eq!(one.ranges.len(), 1, "at least one batch, however large");
    let size = one.bytes;
    assert_eq!(read(15, size * 2 + 1).unwrap().bytes, size * 2, "only whole batches");
    let none = stage.partition.read(Offset(0), 1, false, Isolation::default()).unwrap();
    assert_eq!(none.bytes, 0);
    assert_eq!(stage.partition.log_size(), u64::from(size) * 4);
}

#[test]
fn offsets_are_found_by_time_and_epochs_end_somewhere() {
    let mut stage = Stage::in_memory(small_segments(1 << 20));
    for batch in 0..3 {
        let time = NOW.plus(i64::from(batch) * 1000);
        stage.fresh(crate::stage::Send { time, ..send(1, batch * 2, 2) });
    }
    let found = stage.partition.offset_for_timestamp(NOW.plus(1), Isolation::default()).unwrap().unwrap();
    assert_eq!((found.offset, found.timestamp), (Offset(2), NOW.plus(1000)));
    assert!(stage.partition.offset_for_timestamp(NOW.plus(5000), Isolation::default()).unwrap().is_none());
    let newest = stage.partition.offset_of_max_timestamp(Isolation::default()).unwrap().unwrap();
    assert_eq!(newest.timestamp, NOW.plus(2000));

    stage.leader_epoch = LeaderEpoch(4);
    let stage = stage.kill();
    assert_eq!(stage.partition.leader_epoch(), LeaderEpoch(4));
    assert_eq!(stage.fresh(send(1, 6, 1)), Offset(6));
    assert_eq!(stage.headers().last().unwrap().leader_epoch, LeaderEpoch(4));
    assert_eq!(stage.partition.end_offset_for_epoch(LeaderEpoch(0)), (LeaderEpoch(0), Offset(6)));
    assert_eq!(stage.partition.end_offset_for_epoch(LeaderEpoch(4)), (LeaderEpoch(4), Offset(7)));
}

#[test]
fn producers_are_shown_as_a_snapshot_would_keep_them() {
    let stage = Stage::in_memory(small_segments(1 << 20));
    stage.fresh(send(9, 0, 5));
    stage.fresh(send(2, 100, 3));
    let rows = stage.partition.producers();
    let seen: Vec<(i64, i32, i64)> =
        rows.iter().map(|row| (row.producer_id.0, row.last_sequence.0, row.last_offset.0)).collect();
    assert_eq!(seen, [(2, 102, 7), (9, 4, 4)]);
}

#[test]
fn an_append_wakes_those_who_wait_and_a_duplicate_does_not() {
    let stage = Stage::in_memory(small_segments(1 << 20));
    let (one, other) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let _waiting = (stage.partition.on_advance(&one), stage.partition.on_advance(&other));
    stage.fresh(send(1, 0, 10));
    assert!(is_woken(&one) && is_woken(&other));
    stage.duplicate(send(1, 0, 10));
    stage.out_of_order(send(1, 99, 1));
    assert!(!is_woken(&one), "no mark has moved");
    stage.partition.close(NOW).unwrap();
    assert!(is_woken(&one), "the end is worth knowing");
}
