//! Disks that fail, and threads that come at the same time.

use std::collections::HashSet;

use disk::Operation;
use testkit::{FailingDisk, Fault, Injected};

use super::*;
use crate::{CatalogError, NoPartition, TopicError, TopicRef};

/// A catalogue on a disk that can be made to fail, and the disk behind it.
fn failing() -> (CrashDisk, FailingDisk, Arc<Catalog>) {
    let behind = CrashDisk::calm(1);
    let disk = FailingDisk::new(behind.shared());
    let catalog = open_on(&disk, 1).unwrap();
    (behind, disk, catalog)
}

fn open_on(disk: &FailingDisk, seed: u128) -> Result<Arc<Catalog>, OpenError> {
    Catalog::open_unlocked(Arc::new(disk.clone()), config(Path::new(DIR)), ids(seed), NOW)
}

fn try_create(catalog: &Catalog, name: &str) -> Result<Uuid, TopicError> {
    catalog.create_topics(vec![topic(name, 2)], false, NOW).remove(0).map(|topic| topic.id)
}

const METADATA_LOG: &str = "*/__cluster_metadata-0/*.log";

#[test]
fn a_full_disk_fails_the_change_and_the_next_one_may_succeed() {
    let (_, disk, catalog) = failing();
    disk.fail(Fault::on(Operation::Write, METADATA_LOG, Injected::NoSpace).short(40));
    let failed = try_create(&catalog, "a").unwrap_err();
    assert!(
        matches!(&failed, TopicError::Catalog(CatalogError::Failed { reason }) if reason.contains(".log")),
        "{failed}"
    );
    assert!(matches!(catalog.next_producer_id(NOW), Err(CatalogError::Failed { .. })));
    assert!(catalog.topics().is_empty());

    disk.heal();
    try_create(&catalog, "a").unwrap();
    assert_eq!(catalog.next_producer_id(NOW).unwrap().0, 0);
    catalog.close(NOW).unwrap();
    assert_eq!(partitions(&open_on(&disk, 2).unwrap()), ["a-0 e0", "a-1 e0"]);
}

#[test]
fn after_a_failed_sync_nothing_is_changed_until_a_restart() {
    let (behind, disk, catalog) = failing();
    try_create(&catalog, "a").unwrap();
    disk.fail(Fault::on(Operation::Sync, METADATA_LOG, Injected::Io).times(1));
    assert!(matches!(try_create(&catalog, "b"), Err(TopicError::Catalog(CatalogError::Shut { .. }))));
    assert!(matches!(try_create(&catalog, "c"), Err(TopicError::Catalog(CatalogError::Shut { .. }))));
    assert!(matches!(catalog.next_producer_id(NOW), Err(CatalogError::Shut { .. })));
    assert_eq!(partitions(&catalog), ["a-0 e0", "a-1 e0"], "what is there is served on");
    assert!(catalog.close(NOW).is_err());
    assert!(!names(&behind, DIR).contains(&".kafka_cleanshutdown".to_owned()));
    let after = behind.after(testkit::Crash::PowerLoss);
    assert!(partitions(&open(&after, 2).unwrap()).starts_with(&["a-0 e1".to_owned(), "a-1 e1".to_owned()]));
}

#[test]
fn a_partition_that_cannot_be_made_is_offline_and_alone_so() {
    let (_, disk, catalog) = failing();
    disk.fail(Fault::on(Operation::CreateDir, "*/a-0", Injected::NoSpace));
    let id = try_create(&catalog, "a").unwrap();
    let offline = catalog.partition(id, PartitionIndex(0)).unwrap_err();
    assert!(matches!(&offline, NoPartition::Offline { reason, .. } if reason.contains("a-0")), "{offline}");
    assert!(catalog.partition(id, PartitionIndex(1)).is_ok());
    assert!(matches!(catalog.close(NOW), Err(CatalogError::NotClean { .. })), "the next start must recover");

    disk.heal();
    let catalog = open_on(&disk, 2).unwrap();
    assert!(catalog.partition(id, PartitionIndex(0)).is_ok());
    catalog.close(NOW).unwrap();
}

#[test]
fn a_partition_that_cannot_be_recovered_does_not_keep_the_others() {
    let (behind, _, catalog) = failing();
    let id = try_create(&catalog, "a").unwrap();
    append(&catalog, id, "x");
    drop(catalog);
    let disk = FailingDisk::new(behind.shared());
    disk.fail(Fault::on(Operation::Open, "*/a-0/*.log", Injected::Io));
    let catalog = open_on(&disk, 2).unwrap();
    assert!(matches!(catalog.partition(id, PartitionIndex(0)), Err(NoPartition::Offline { .. })));
    assert!(catalog.partition(id, PartitionIndex(1)).is_ok());
    assert!(catalog.close(NOW).is_err());
    disk.heal();
    let catalog = open_on(&disk, 3).unwrap();
    assert_eq!(append(&catalog, id, "y"), Offset(1));
}

#[test]
fn a_directory_that_cannot_be_renamed_goes_at_the_next_start() {
    let (behind, disk, catalog) = failing();
    let id = try_create(&catalog, "a").unwrap();
    append(&catalog, id, "x");
    disk.fail(Fault::on(Operation::Rename, "*/a-*", Injected::Io));
    catalog.delete_topics(vec![TopicRef::Id(id)], NOW).remove(0).unwrap();
    assert!(names(&behind, DIR).contains(&"a-0".to_owned()));
    disk.heal();
    catalog.close(NOW).unwrap();
    let catalog = open_on(&disk, 2).unwrap();
    catalog.tend(NOW.plus(60_000));
    assert!(!names(&behind, DIR).iter().any(|name| name.starts_with("a-")), "{:?}", names(&behind, DIR));
}

#[test]
fn upkeep_that_fails_is_tried_again() {
    let (behind, disk, catalog) = failing();
    let id = try_create(&catalog, "a").unwrap();
    append(&catalog, id, "x");
    catalog.delete_topics(vec![TopicRef::Id(id)], NOW).remove(0).unwrap();
    let left = || names(&behind, DIR).into_iter().filter(|name| name.ends_with("-delete")).count();
    disk.fail(Fault::on(Operation::Remove, "*-delete", Injected::Io));
    disk.fail(Fault::on(Operation::Write, "*-checkpoint*", Injected::NoSpace));
    catalog.tend(NOW.plus(60_000));
    assert_eq!(left(), 2);
    disk.heal();
    catalog.tend(NOW.plus(120_000));
    assert_eq!(left(), 0);
    catalog.close(NOW).unwrap();
}

#[test]
fn a_disk_that_cannot_be_written_refuses_the_start() {
    let behind = CrashDisk::calm(1);
    open(&behind, 1).unwrap().close(NOW).unwrap();
    let disk = FailingDisk::new(behind.shared());
    disk.fail(Fault::on(Operation::Remove, "*/.kafka_cleanshutdown", Injected::ReadOnly));
    let before = behind.operations();
    let refused = open_on(&disk, 2).unwrap_err().to_string();
    assert!(refused.starts_with("cannot remove /ottla-data/.kafka_cleanshutdown"), "{refused}");
    assert_eq!(behind.operations(), before);
}

#[test]
fn threads_never_share_a_producer_id() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let take = || (0..2500).map(|_| catalog.next_producer_id(NOW).unwrap()).collect::<Vec<_>>();
    let all: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 10_000);
}

#[test]
fn topics_come_and_go_under_readers() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    create(&catalog, "stays", 1);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let catalog = &catalog;
            scope.spawn(move || {
                for _ in 0..30 {
                    let name = format!("t{thread}");
                    let id = create(catalog, &name, 2);
                    append(catalog, id, "x");
                    catalog.delete_topics(vec![TopicRef::Id(id)], NOW).remove(0).unwrap();
                }
            });
        }
        let catalog = &catalog;
        scope.spawn(move || {
            for round in 0..200 {
                catalog.tend(NOW.plus(round * 1000));
                for topic in catalog.topics().iter() {
                    // It may go at any time, but never half.
                    if let Err(why) = catalog.partition(topic.id, PartitionIndex(1))
                        && &*topic.name != "stays"
                    {
                        assert!(catalog.topics().by_id(topic.id).is_none(), "{why}");
                    }
                }
            }
        });
    });
    assert_eq!(partitions(&catalog), ["stays-0 e0"]);
    catalog.close(NOW).unwrap();
}
