//! Deleted records do not come back.

use disk::Operation;
use testkit::{Crash, FailingDisk, Fault, Injected};

use super::*;
use crate::{NoPartition, RecordsError, TopicRef};

fn delete(catalog: &Catalog, topic: Uuid, before: Option<i64>) -> Result<i64, RecordsError> {
    catalog.delete_records(topic, PartitionIndex(0), before.map(Offset)).map(|start| start.0)
}

/// A topic with five records in its only partition.
fn five(catalog: &Catalog, name: &str, configs: &[(&str, &str)]) -> Uuid {
    let configs = configs.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect();
    let wish = NewTopic { configs, ..topic(name, 1) };
    let id = catalog.create_topics(vec![wish], false, NOW).remove(0).unwrap().id;
    for value in ["a", "b", "c", "d", "e"] {
        append(catalog, id, value);
    }
    id
}

fn log_start(catalog: &Catalog, topic: Uuid) -> i64 {
    catalog.partition(topic, PartitionIndex(0)).unwrap().marks().log_start.0
}

/// Kafka writes the checkpoint once a minute.
#[test]
fn an_acknowledged_deletion_outlives_a_kill_and_a_power_loss() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = five(&catalog, "a", &[]);
    catalog.partition(id, PartitionIndex(0)).unwrap().flush().unwrap();
    assert_eq!(delete(&catalog, id, Some(3)).unwrap(), 3);
    assert_eq!(delete(&catalog, id, Some(2)).unwrap(), 3, "never down");
    catalog.keep_log_starts().unwrap();
    for crash in [Crash::ProcessKill, Crash::PowerLoss] {
        let after = open(&disk.after(crash), 2).unwrap();
        assert_eq!(log_start(&after, id), 3, "{crash:?}");
    }
    let before = disk.operations();
    catalog.keep_log_starts().unwrap();
    assert_eq!(disk.operations(), before, "what is on disk is not written again");
}

#[test]
fn a_deletion_up_to_the_end_leaves_an_empty_partition_that_goes_on() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = five(&catalog, "a", &[]);
    assert_eq!(delete(&catalog, id, None).unwrap(), 5);
    catalog.keep_log_starts().unwrap();
    for crash in [Crash::ProcessKill, Crash::PowerLoss] {
        let after = open(&disk.after(crash), 2).unwrap();
        assert_eq!(log_start(&after, id), 5, "{crash:?}");
        assert_eq!(append(&after, id, "f"), Offset(5), "{crash:?}");
    }
}

/// A log that ended below its start would be dropped whole, and with it what was promised to its producers.
#[test]
fn no_power_loss_takes_the_end_of_a_log_below_its_start() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = five(&catalog, "a", &[]);
    let end = |disk: &CrashDisk| {
        let marks =
            open(disk, 2).unwrap().partition(id, PartitionIndex(0)).map(|partition| partition.marks());
        marks.map(|marks| (marks.log_start.0, marks.log_end.0)).unwrap()
    };
    catalog.partition(id, PartitionIndex(0)).unwrap().flush().unwrap();
    append(&catalog, id, "f");
    append(&catalog, id, "g");
    assert_eq!(delete(&catalog, id, Some(6)).unwrap(), 6);
    // Upkeep writes the checkpoints before it is acknowledged. Until then it may have happened or not, but the log does not
    // end below its start.
    catalog.tend(NOW.plus(60_000));
    for seed in 0..20 {
        let (start, end) = end(&disk.after_with(Crash::PowerLoss, seed));
        assert!((5..=6).contains(&start) && end >= start, "from {start} to {end}");
    }
    catalog.keep_log_starts().unwrap();
    for seed in 0..20 {
        assert_eq!(end(&disk.after_with(Crash::PowerLoss, seed)), (6, 7));
    }
}

#[test]
fn what_cannot_be_deleted() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = five(&catalog, "a", &[]);
    for asked in [-2, 6, i64::MIN, i64::MAX] {
        assert!(matches!(delete(&catalog, id, Some(asked)), Err(RecordsError::Partition(_))), "{asked}");
    }
    let compacted = five(&catalog, "compacted", &[("cleanup.policy", "compact")]);
    // Kafka looks at the policy first.
    for asked in [None, Some(0), Some(-7)] {
        assert!(matches!(delete(&catalog, compacted, asked), Err(RecordsError::KeptByPolicy)));
    }
    let both = five(&catalog, "both", &[("cleanup.policy", "compact,delete")]);
    assert_eq!(delete(&catalog, both, Some(1)).unwrap(), 1);
    let nowhere = catalog.delete_records(id, PartitionIndex(1), None);
    assert!(matches!(nowhere, Err(RecordsError::NoPartition(NoPartition::Unknown { .. }))));
}

#[test]
fn a_new_topic_of_the_name_begins_at_zero() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = five(&catalog, "a", &[]);
    delete(&catalog, id, Some(4)).unwrap();
    catalog.keep_log_starts().unwrap();
    catalog.delete_topics(vec![TopicRef::Id(id)], NOW).remove(0).unwrap();
    let again = create(&catalog, "a", 1);
    for crash in [Crash::ProcessKill, Crash::PowerLoss] {
        let after = open(&disk.after(crash), 2).unwrap();
        assert_eq!(log_start(&after, again), 0, "{crash:?}");
    }
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_an_error_and_tried_again() {
    let behind = CrashDisk::calm(1);
    let disk = FailingDisk::new(behind.shared());
    let catalog =
        Catalog::open_unlocked(Arc::new(disk.clone()), config(Path::new(DIR)), ids(1), NOW).unwrap();
    let id = five(&catalog, "a", &[]);
    delete(&catalog, id, Some(3)).unwrap();
    disk.fail(Fault::on(Operation::Sync, "*/log-start-offset-checkpoint*", Injected::NoSpace));
    assert!(catalog.keep_log_starts().is_err());
    disk.heal();
    catalog.keep_log_starts().unwrap();
    assert_eq!(log_start(&open(&behind.after(Crash::ProcessKill), 2).unwrap(), id), 3);
}
