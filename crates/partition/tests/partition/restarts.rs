//! What is remembered after a stop, a kill, and after Kafka has been at it.

use std::collections::BTreeSet;

use base::{Millis, Offset, Sequence};
use log::producer_snapshot::{self, SnapshotRow};
use partition::PartitionConfig;
use testkit::Random;

use crate::stage::{NOW, Send, Stage, anonymous, on_each_disk, send, small_segments};

/// Six batches of each of three producers, mixed.
fn three_producers(stage: &Stage) {
    for batch in 0..6 {
        for producer in 1..=3 {
            stage.fresh(send(producer, batch * 10, 10));
            stage.fresh(anonymous(1));
        }
    }
}

fn offset_of(producer: i64, batch: i32) -> Offset {
    Offset(i64::from(batch) * 33 + (producer - 1) * 11)
}

/// The five newest are known, the sixth newest is not, and the next one is fresh.
#[track_caller]
fn all_five_are_remembered(stage: &Stage) {
    for producer in 1..=3 {
        assert_eq!(stage.out_of_order(send(producer, 0, 10)), Sequence(60));
        for batch in 1..6 {
            assert_eq!(stage.duplicate(send(producer, batch * 10, 10)), offset_of(producer, batch));
        }
        assert_eq!(stage.out_of_order(send(producer, 70, 10)), Sequence(60));
    }
}

#[test]
fn five_batches_after_a_clean_restart() {
    on_each_disk(|stage| {
        three_producers(&stage);
        let stage = stage.restart();
        assert_eq!(stage.opened.snapshot, Some(Offset(198)), "at the log end");
        assert_eq!(stage.opened.producers, 3);
        all_five_are_remembered(&stage);
        // Again, without a word in between: nothing is forgotten by restarting.
        let stage = stage.restart().restart();
        all_five_are_remembered(&stage);
        assert_eq!(stage.fresh(send(1, 60, 1)), Offset(198));
    });
}

#[test]
fn five_batches_after_a_kill() {
    on_each_disk(|stage| {
        three_producers(&stage);
        let stage = stage.kill();
        all_five_are_remembered(&stage);
        let stage = stage.kill().restart().kill();
        all_five_are_remembered(&stage);
        assert_eq!(stage.fresh(send(1, 60, 1)), Offset(198));
    });
}

/// Two batches per segment: the five newest lie in several, and each of those has its own snapshot.
#[test]
fn five_batches_over_several_segments() {
    on_each_disk(|stage| {
        let stage = Stage::on(stage.disk, &stage.dir.with_file_name("small-0"), small_segments(700));
        three_producers(&stage);
        assert!(stage.partition.log().segment_bases().len() > 3, "the story rolls");
        let stage = stage.kill();
        all_five_are_remembered(&stage);
        let stage = stage.restart();
        all_five_are_remembered(&stage);
    });
}

#[test]
fn a_clean_stop_leaves_what_kafka_leaves() {
    let stage = Stage::in_memory(small_segments(700));
    three_producers(&stage);
    let bases = stage.partition.log().segment_bases();
    let stage = stage.restart();
    let mut expected: BTreeSet<String> =
        bases.iter().skip(1).map(|base| format!("{:020}.snapshot", base.0)).collect();
    expected.insert(format!("{:020}.snapshot", 198));
    assert_eq!(stage.snapshots(), expected.into_iter().collect::<Vec<_>>());
    let bytes = producer_snapshot::read(stage.disk.as_ref(), &stage.dir, Offset(198)).unwrap().unwrap();
    let rows = producer_snapshot::decode(&bytes).unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[0].producer_id, rows[0].last_sequence, rows[0].last_offset), (1, 59, 174));
}

/// Kafka stops cleanly with one snapshot at the log end: that is all that is needed.
#[test]
fn five_batches_of_a_directory_that_kafka_stopped() {
    let stage = Stage::in_memory(PartitionConfig::default());
    three_producers(&stage);
    stage.partition.close(stage.now).unwrap();
    assert_eq!(stage.snapshots().len(), 1);
    let known = stage.known(true);
    all_five_are_remembered(&stage.open(known));
}

#[test]
fn a_damaged_snapshot_is_removed_and_the_next_older_one_serves() {
    let stage = Stage::in_memory(small_segments(700));
    three_producers(&stage);
    stage.partition.close(stage.now).unwrap();
    let known = stage.known(true);
    let path = stage.dir.join(format!("{:020}.snapshot", 198));
    let file = stage.disk.open(&path, disk::OpenHow::Write).unwrap();
    file.write_at(20, &[std::io::IoSlice::new(b"?")]).unwrap();
    let stage = stage.open(known);
    assert_eq!(stage.opened.bad_snapshots, [Offset(198)]);
    assert!(stage.opened.snapshot.unwrap() < Offset(198));
    assert!(stage.opened.replayed_batches > 0);
    all_five_are_remembered(&stage);
    assert!(!stage.snapshots().contains(&format!("{:020}.snapshot", 198)));
}

#[test]
fn without_any_snapshot_the_whole_log_is_walked() {
    let stage = Stage::in_memory(small_segments(700));
    three_producers(&stage);
    stage.partition.close(stage.now).unwrap();
    let known = stage.known(true);
    for offset in producer_snapshot::list(stage.disk.as_ref(), &stage.dir).unwrap() {
        producer_snapshot::remove(stage.disk.as_ref(), &stage.dir, offset).unwrap();
    }
    let stage = stage.open(known);
    assert_eq!(stage.opened.snapshot, None);
    assert_eq!(stage.opened.replayed_batches, 36);
    all_five_are_remembered(&stage);
}

#[test]
fn snapshots_beyond_the_log_end_are_removed() {
    let stage = Stage::in_memory(PartitionConfig::default());
    stage.fresh(send(1, 0, 10));
    let row = SnapshotRow {
        producer_id: 1,
        producer_epoch: 9,
        last_sequence: 5000,
        last_offset: 999,
        offset_delta: 0,
        timestamp: NOW.0,
        coordinator_epoch: -1,
        current_txn_first_offset: -1,
    };
    producer_snapshot::write(stage.disk.as_ref(), &stage.dir, Offset(1000), [row], false).unwrap();
    let stage = stage.kill();
    assert!(stage.snapshots().iter().all(|name| !name.contains("1000")), "{:?}", stage.snapshots());
    assert_eq!(stage.duplicate(send(1, 0, 10)), Offset(0));
}

#[test]
fn of_the_snapshots_between_segments_only_the_newest_stays() {
    let stage = Stage::in_memory(PartitionConfig::default());
    for batch in 0..4 {
        stage.fresh(send(1, batch * 10, 10));
    }
    for offset in [10, 20, 30] {
        let rows: [SnapshotRow; 0] = [];
        producer_snapshot::write(stage.disk.as_ref(), &stage.dir, Offset(offset), rows, false).unwrap();
    }
    let stage = stage.kill();
    assert_eq!(stage.opened.snapshot, Some(Offset(30)));
    assert_eq!(stage.snapshots(), [format!("{:020}.snapshot", 30)]);
}

/// Batches near each other are restored, one that lies too deep keeps the newest of its producer: as Kafka.
#[test]
fn beyond_the_reach_only_the_newest_batch_is_remembered() {
    let stage = Stage::in_memory(PartitionConfig::default());
    for batch in 0..3 {
        stage.fresh(send(1, batch, 1));
    }
    let megabyte = Send { value: 1 << 20, ..anonymous(1) };
    for _ in 0..12 {
        stage.fresh(megabyte);
    }
    for batch in 0..3 {
        stage.fresh(send(2, batch, 1));
    }
    let stage = stage.restart();
    assert_eq!(stage.duplicate(send(1, 2, 1)), Offset(2));
    assert_eq!(stage.out_of_order(send(1, 1, 1)), Sequence(3));
    for batch in 0..3 {
        assert_eq!(stage.duplicate(send(2, batch, 1)), Offset(15 + i64::from(batch)));
    }
    assert!(stage.opened.replayed_batches < 40, "{}", stage.opened.replayed_batches);
}

#[test]
fn five_batches_of_a_megabyte_each_are_within_reach() {
    let stage = Stage::in_memory(PartitionConfig::default());
    let large = |first| Send { value: 1 << 20, ..send(1, first, 1) };
    for first in 0..6 {
        stage.fresh(large(first));
    }
    let stage = stage.restart();
    for first in 1..6 {
        assert_eq!(stage.duplicate(large(first)), Offset(i64::from(first)));
    }
}

/// The walk goes no farther back than it must: the five newest are the last of a long log.
#[test]
fn a_long_log_is_not_walked() {
    let stage = Stage::in_memory(PartitionConfig::default());
    for _ in 0..400 {
        stage.fresh(Send { value: 8_000, ..anonymous(1) });
    }
    for batch in 0..6 {
        stage.fresh(send(1, batch, 1));
    }
    let stage = stage.restart();
    assert_eq!(stage.duplicate(send(1, 1, 1)), Offset(401));
    assert!(stage.opened.replayed_batches < 60, "{}", stage.opened.replayed_batches);
}

#[test]
fn without_producers_nothing_is_walked_after_a_clean_stop() {
    let stage = Stage::in_memory(PartitionConfig::default());
    for _ in 0..50 {
        stage.fresh(anonymous(1));
    }
    let stage = stage.restart();
    assert_eq!(stage.opened.replayed_batches, 0);
}

#[test]
fn the_epoch_counts_after_a_restart_too() {
    let stage = Stage::in_memory(PartitionConfig::default());
    stage.fresh(send(1, 0, 1));
    stage.fresh(Send { epoch: 1, ..send(1, 0, 1) });
    let stage = stage.restart();
    assert!(stage.append(send(1, 1, 1)).unwrap_err().to_string().starts_with("stale producer epoch"));
    assert_eq!(stage.duplicate(Send { epoch: 1, ..send(1, 0, 1) }), Offset(1));
}

#[test]
fn sequences_past_the_largest_are_remembered_over_a_restart() {
    let stage = Stage::in_memory(PartitionConfig::default());
    stage.fresh(send(1, i32::MAX - 2, 2));
    stage.fresh(send(1, i32::MAX, 3));
    stage.fresh(send(1, 2, 1));
    let stage = stage.restart();
    assert_eq!(stage.duplicate(send(1, i32::MAX - 2, 2)), Offset(0));
    assert_eq!(stage.duplicate(send(1, i32::MAX, 3)), Offset(2));
    assert_eq!(stage.fresh(send(1, 3, 1)), Offset(6));
}

/// A producer that has been silent is not kept alive by restarts, nor forgotten for old record times.
#[test]
fn idle_time_counts_over_restarts() {
    let day = PartitionConfig::default().producer_expiration_ms;
    let mut stage = Stage::in_memory(PartitionConfig::default());
    stage.fresh(Send { time: Millis(5), ..send(1, 0, 1) });
    stage.now = NOW.plus(day - 1_000);
    let mut stage = stage.restart();
    assert_eq!(stage.opened.producers, 1, "its records are old, its append is not");
    stage.now = NOW.plus(day);
    let stage = stage.restart();
    assert_eq!(stage.opened.producers, 0);
}

/// Random producers, stops and kills against a memory of everything.
#[test]
fn random_restarts() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let mut stage = Stage::in_memory(small_segments(300 + random.below(4_000) as u32));
        let mut written: Vec<Vec<(i32, i32, Offset)>> = vec![Vec::new(); 4];
        for _ in 0..60 {
            let producer = random.below(4) as usize;
            let batches = &written[producer];
            let next = batches.last().map_or(0, |(first, records, _)| first + records);
            match random.below(10) {
                0 => stage = stage.restart(),
                1 => stage = stage.kill(),
                2..=4 => {
                    for (first, records, offset) in batches.iter().rev().take(5) {
                        assert_eq!(
                            stage.duplicate(send(producer as i64, *first, *records)),
                            *offset,
                            "seed {seed}"
                        );
                    }
                }
                5 if !batches.is_empty() => {
                    assert_eq!(
                        stage.out_of_order(send(producer as i64, next + 7, 1)),
                        Sequence(next),
                        "seed {seed}"
                    );
                }
                _ => {
                    let records = 1 + random.below(5) as i32;
                    let offset = stage.fresh(send(producer as i64, next, records));
                    written[producer].push((next, records, offset));
                }
            }
        }
    }
}
