//! Compacting a partition beside everything else that happens to it.

use std::sync::Arc;

use base::{Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use log::clean::{CleanError, CleanLimits, KeyLimits, Summary};
use partition::{Partition, PartitionConfig};
use records::{BatchBuilder, BatchRules, CheckedBatch, NewRecord};

use crate::stage::{NOW, Stage};

const LIMITS: CleanLimits =
    CleanLimits { keys: KeyLimits { bytes: 1 << 20, load: 0.9, secret: 1 }, io_bytes: 4096 };

fn compacted() -> PartitionConfig {
    let mut config = PartitionConfig::default();
    config.log.segment_bytes = 600;
    config.log.compact_enabled = true;
    config.log.delete_enabled = false;
    config.log.file_delete_delay_ms = 0;
    config
}

/// One record with this key.
fn keyed(producer: i64, sequence: i32, key: &str) -> CheckedBatch {
    let mut builder = BatchBuilder::new(Offset::ZERO).producer(
        ProducerId(producer),
        ProducerEpoch(if producer < 0 { -1 } else { 0 }),
        Sequence(sequence),
    );
    let value = [b'v'; 40];
    builder.push(&NewRecord { timestamp: NOW, key: Some(key.as_bytes()), value: Some(&value), headers: &[] });
    records::check(&builder.build(), 9, &BatchRules::default(), NOW).unwrap()
}

fn clean(partition: &Partition, first_dirty: Option<Offset>) -> Result<(Offset, Summary), CleanError> {
    let (dirt, due) = partition.dirt(first_dirty, NOW).unwrap().expect("it is compacted");
    assert!(due, "{dirt:?}");
    partition.clean(&dirt, LIMITS, NOW, &mut |_| true)
}

fn files_of_compaction(stage: &Stage) -> Vec<String> {
    let mut names = stage.files();
    names.retain(|name| name.contains(".cleaned") || name.contains(".swap"));
    names
}

/// Everybody writes the same key, so that compaction takes all but the last record; what producers may ask about again
/// stays known.
#[test]
fn a_retry_is_known_after_compaction_and_after_any_restart() {
    let mut stage = Stage::in_memory(compacted());
    for sequence in 0..8 {
        for producer in 0..3 {
            let appended = stage.partition.append(&keyed(producer, sequence, "k"), NOW).unwrap();
            assert_eq!(appended.base_offset, Offset(i64::from(sequence) * 3 + producer));
        }
    }
    for _ in 0..10 {
        stage.partition.append(&keyed(-1, -1, "k"), NOW).unwrap();
    }
    let (cleaned_to, summary) = clean(&stage.partition, None).unwrap();
    assert!(cleaned_to > Offset(24) && summary.records_kept == 1, "{cleaned_to} {summary:?}");
    for restart in 0..3 {
        let empty = stage.headers().iter().filter(|header| header.record_count == 0).count();
        assert_eq!(empty, 3 * 5, "five batches of each producer stay as headers");
        for producer in 0..3 {
            for sequence in 3..8 {
                let again = stage.partition.append(&keyed(producer, sequence, "k"), NOW).unwrap();
                assert!(again.duplicate, "restart {restart}: {producer} {sequence}");
                assert_eq!(again.base_offset, Offset(i64::from(sequence) * 3 + producer));
            }
            assert!(stage.partition.append(&keyed(producer, 2, "k"), NOW).is_err());
        }
        stage = if restart == 0 { stage.restart() } else { stage.kill() };
    }
    for producer in 0..3 {
        assert!(!stage.partition.append(&keyed(producer, 8, "k"), NOW).unwrap().duplicate);
    }
}

#[test]
fn batches_of_forgotten_producers_go() {
    let mut config = compacted();
    config.producer_expiration_ms = 1000;
    config.producer_expiration_check_ms = 1;
    let stage = Stage::in_memory(config);
    for sequence in 0..30 {
        stage.partition.append(&keyed(7, sequence, "k"), NOW).unwrap();
    }
    stage.partition.tend(NOW.plus(2000));
    clean(&stage.partition, None).unwrap();
    let empty = stage.headers().iter().filter(|header| header.record_count == 0).count();
    assert_eq!(empty, 0, "only the last record of the clean part is left, and the active segment");
}

fn dirty() -> Stage {
    let stage = Stage::in_memory(compacted());
    for at in 0..60 {
        stage.partition.append(&keyed(-1, -1, ["a", "b", "c"][at % 3]), NOW).unwrap();
    }
    stage
}

/// Cleans, and does `work` once at the `at`-th step of it.
fn clean_while(stage: &Stage, at: u32, work: impl FnOnce(&Arc<Partition>)) -> Result<(), CleanError> {
    let (dirt, _) = stage.partition.dirt(None, NOW).unwrap().unwrap();
    let (mut step, mut work) = (0, Some(work));
    let mut go_on = |_| {
        step += 1;
        if step == at {
            work.take().unwrap()(&stage.partition);
        }
        true
    };
    let cleaned = stage.partition.clean(&dirt, LIMITS, NOW, &mut go_on).map(drop);
    assert!(work.is_none(), "there are only {step} steps");
    cleaned
}

#[test]
fn appends_and_reads_go_on_meanwhile() {
    let stage = dirty();
    let end = stage.partition.marks().log_end;
    clean_while(&stage, 5, |partition| {
        for _ in 0..30 {
            partition.append(&keyed(-1, -1, "new"), NOW).unwrap();
        }
        assert_eq!(partition.marks().log_end, end.plus(30));
    })
    .unwrap();
    let headers = stage.headers();
    assert_eq!(headers.last().unwrap().last_offset(), end.plus(29));
    assert!(headers.is_sorted_by(|a, b| a.last_offset() < b.base_offset));
    assert_eq!(headers.iter().filter(|header| header.base_offset >= end).count(), 30);
    let stage = stage.restart();
    assert_eq!(stage.headers(), headers);
}

#[test]
fn what_changes_below_it_ends_a_cleaning() {
    type Change = fn(&Arc<Partition>);
    let delete: Change = |partition| {
        // All but the active segment go.
        let end = partition.marks().log_end;
        partition.delete_records_before(Some(end.plus(-1))).unwrap();
        partition.tend(NOW.plus(60_000));
    };
    let policy: Change = |partition| {
        let mut config = compacted();
        config.log.compact_enabled = false;
        partition.set_config(config);
    };
    let close: Change = |partition| partition.close(NOW).unwrap();
    for (what, change) in [("retention", delete), ("policy", policy), ("stop", close)] {
        for at in [1, 3, 9, 12] {
            let stage = dirty();
            let error = clean_while(&stage, at, change).unwrap_err();
            assert!(matches!(error, CleanError::Stopped), "{what} at {at}: {error:?}");
            assert_eq!(files_of_compaction(&stage), Vec::<String>::new(), "{what} at {at}");
            let stage = if what == "stop" { stage } else { stage.kill() };
            assert!(!stage.headers().is_empty());
        }
    }
}

#[test]
fn a_deleted_topic_is_left_alone() {
    for at in [1, 3, 9, 12] {
        let stage = dirty();
        let before = stage.partition.log().segment_bases();
        clean_while(&stage, at, |partition| partition.abandon()).unwrap_err();
        for base in before {
            let name = format!("{:020}.log", base.0);
            assert!(stage.files().contains(&name), "at {at}: {name} was touched");
        }
    }
}

#[test]
fn a_young_partition_and_an_open_transaction_are_not_cleaned() {
    let mut config = compacted();
    config.log.compaction.min_lag_ms = 1000;
    let stage = dirty();
    stage.partition.set_config(config.clone());
    assert!(!stage.partition.dirt(None, NOW.plus(999)).unwrap().unwrap().1);
    assert!(stage.partition.dirt(None, NOW.plus(1000)).unwrap().unwrap().1);
    config.log.compaction.min_lag_ms = 0;
    config.log.compaction.min_dirty_ratio = 1.0;
    stage.partition.set_config(config.clone());
    assert!(!stage.partition.dirt(None, NOW).unwrap().unwrap().1);
    config.log.compaction.max_lag_ms = 500;
    stage.partition.set_config(config);
    assert!(!stage.partition.dirt(None, NOW.plus(500)).unwrap().unwrap().1);
    let (dirt, due) = stage.partition.dirt(None, Millis(NOW.0 + 501)).unwrap().unwrap();
    assert!(due && dirt.overdue);

    let stage = Stage::in_memory(compacted());
    let sent = crate::stage::send(1, 0, 1);
    stage.fresh(crate::stage::Send { transactional: true, ..sent });
    for _ in 0..60 {
        stage.partition.append(&keyed(-1, -1, "a"), NOW).unwrap();
    }
    let (dirt, due) = stage.partition.dirt(None, NOW).unwrap().unwrap();
    assert!(!due && dirt.end == Offset(0), "{dirt:?}");
}
