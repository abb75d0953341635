//! Topics that come, grow and go.

use log::checkpoint::read_partition_metadata;
use settings::Settings;
use state_machines::topics::Refusal;

use super::*;
use crate::{CatalogError, NewPartitions, NoPartition, TopicError, TopicRef};

fn by_name(name: &str) -> Vec<TopicRef> {
    vec![TopicRef::Name(name.into())]
}

#[test]
fn a_created_topic_can_be_written_at_once() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let mut wish = topic("orders", 2);
    wish.configs = vec![("retention.ms".into(), Some("5".into()))];
    let created = catalog.create_topics(vec![wish], false, NOW).remove(0).unwrap();
    assert_eq!((created.partitions, created.replication_factor), (2, 1));
    for dir in ["orders-0", "orders-1"] {
        let dir = Path::new(DIR).join(dir);
        assert_eq!(read_partition_metadata(&disk, &dir).unwrap(), Some(created.id));
        assert_eq!(names(&disk, dir), ["partition.metadata"], "the log itself is made when it is needed");
    }
    assert_eq!(append(&catalog, created.id, "x"), Offset(0));
    assert_eq!(catalog.topic_settings(created.id).unwrap().retention_ms, 5);
    assert_eq!(catalog.topics().by_name("orders").unwrap().configs["retention.ms"], "5");
    let lines = metadata_lines(&disk, Path::new(DIR));
    let records: Vec<_> =
        lines[11..].iter().map(|line| line.replace(&format!("#{:x}", created.id.as_u128()), "ID")).collect();
    assert_eq!(
        records,
        [
            "3 @11 e1 TOPIC_RECORD v0 {name=orders topicId=ID}",
            "3 @12 e1 CONFIG_RECORD v0 {resourceType=2 resourceName=orders name=retention.ms value=5}",
            "3 @13 e1 PARTITION_RECORD v2 {partitionId=0 topicId=ID replicas=[1] isr=[1] removingReplicas=[] \
             addingReplicas=[] leader=1 leaderEpoch=0 partitionEpoch=0 directories=[#10000000000000001]}",
            "3 @14 e1 PARTITION_RECORD v2 {partitionId=1 topicId=ID replicas=[1] isr=[1] removingReplicas=[] \
             addingReplicas=[] leader=1 leaderEpoch=0 partitionEpoch=0 directories=[#10000000000000001]}",
        ]
    );
    assert_eq!(catalog.metadata_offset(), Offset(14));
}

#[test]
fn a_request_is_one_batch_and_each_topic_stands_alone() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let mut bad = topic("bad", 1);
    bad.configs = vec![("retention.ms".into(), Some("soon".into()))];
    let answers = catalog.create_topics(vec![topic("a", 1), bad, topic("..", 1), topic("b", -1)], false, NOW);
    assert!(answers[0].is_ok() && answers[3].is_ok());
    assert!(
        matches!(&answers[1], Err(TopicError::Refused(Refusal::InvalidConfig(why))) if why.contains("retention.ms"))
    );
    assert!(matches!(&answers[2], Err(TopicError::Refused(Refusal::InvalidName(_)))));
    let lines = metadata_lines(&disk, Path::new(DIR));
    assert!(lines[11..].iter().all(|line| line.starts_with("3 ")), "{lines:?}");
    assert_eq!(partitions(&catalog), ["a-0 e0", "b-0 e0"]);
}

#[test]
fn validating_changes_nothing() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    create(&catalog, "a", 1);
    let before = disk.operations();
    assert!(catalog.create_topics(vec![topic("b", 3)], true, NOW).remove(0).is_ok());
    assert!(catalog.create_topics(vec![topic("a", 3)], true, NOW).remove(0).is_err());
    let growth = NewPartitions { topic: "a".into(), count: 4, assignments: None };
    assert!(catalog.create_partitions(vec![growth], true, NOW).remove(0).is_ok());
    assert_eq!(disk.operations(), before);
    assert_eq!(partitions(&catalog), ["a-0 e0"]);
}

#[test]
fn a_grown_topic_keeps_its_open_partitions() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = create(&catalog, "a", 1);
    let first = catalog.partition(id, PartitionIndex(0)).unwrap();
    let growth = NewPartitions { topic: "a".into(), count: 3, assignments: None };
    catalog.create_partitions(vec![growth.clone()], false, NOW).remove(0).unwrap();
    assert!(Arc::ptr_eq(&first, &catalog.partition(id, PartitionIndex(0)).unwrap()));
    assert_eq!(catalog.partition(id, PartitionIndex(2)).unwrap().marks().log_end, Offset(0));
    assert!(matches!(catalog.partition(id, PartitionIndex(3)), Err(NoPartition::Unknown { .. })));
    assert!(matches!(catalog.partition(id, PartitionIndex(-1)), Err(NoPartition::Unknown { .. })));
    let again = catalog.create_partitions(vec![growth], false, NOW).remove(0);
    assert!(matches!(again, Err(TopicError::Refused(Refusal::AlreadyHas { count: 3 }))));
}

#[test]
fn the_files_of_a_deleted_topic_go_after_a_while() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = create(&catalog, "a", 2);
    append(&catalog, id, "x");
    let partition = catalog.partition(id, PartitionIndex(0)).unwrap();
    let deleted = catalog.delete_topics(by_name("a"), NOW).remove(0).unwrap();
    assert_eq!(deleted, ("a".to_owned(), id));
    assert!(catalog.topics().is_empty());
    assert!(matches!(catalog.partition(id, PartitionIndex(0)), Err(NoPartition::Unknown { .. })));
    assert!(partition.health().is_err(), "who still holds it cannot write to it");
    let left = || names(&disk, DIR).into_iter().filter(|name| name.ends_with("-delete")).count();
    assert_eq!(left(), 2);
    assert_eq!(
        metadata_lines(&disk, Path::new(DIR)).last().unwrap(),
        &format!("4 @14 e1 REMOVE_TOPIC_RECORD v0 {{topicId=#{:x}}}", id.as_u128())
    );

    catalog.tend(NOW.plus(59_999));
    assert_eq!(left(), 2);
    catalog.tend(NOW.plus(60_000));
    assert_eq!(left(), 0);
    assert!(matches!(
        catalog.delete_topics(vec![TopicRef::Id(id)], NOW).remove(0),
        Err(TopicError::Refused(Refusal::UnknownTopicId))
    ));
}

#[test]
fn a_topic_that_is_created_again_begins_anew() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let before = create(&catalog, "a", 1);
    append(&catalog, before, "old");
    catalog.tend(NOW.plus(60_000));
    let recovery_points = Path::new(DIR).join("recovery-point-offset-checkpoint");
    let text =
        || String::from_utf8(disk::read_whole(&disk, &recovery_points, 1000).unwrap().unwrap()).unwrap();
    assert!(text().contains("a 0"));
    catalog.delete_topics(by_name("a"), NOW).remove(0).unwrap();
    assert_eq!(text(), "0\n0\n", "a new topic of the name must not believe the old one's offsets");
    let after = create(&catalog, "a", 1);
    assert_ne!(before, after);
    assert_eq!(append(&catalog, after, "new"), Offset(0));
}

#[test]
fn deletion_can_be_switched_off() {
    let disk = CrashDisk::calm(1);
    let mut settings = Settings::default();
    settings.set("delete.topic.enable", "false").unwrap();
    let config = CatalogConfig { settings: Arc::new(settings), ..config(Path::new(DIR)) };
    let catalog = Catalog::open_unlocked(disk.shared(), config, ids(1), NOW).unwrap();
    create(&catalog, "a", 1);
    assert!(matches!(catalog.delete_topics(by_name("a"), NOW).remove(0), Err(TopicError::DeletionDisabled)));
    assert_eq!(partitions(&catalog), ["a-0 e0"]);
}

#[test]
fn after_the_stop_nothing_changes_any_more() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = create(&catalog, "a", 1);
    catalog.close(NOW).unwrap();
    let before = disk.operations();
    let closed =
        |result: Result<(), TopicError>| matches!(result, Err(TopicError::Catalog(CatalogError::Closed)));
    assert!(closed(catalog.create_topics(vec![topic("b", 1)], false, NOW).remove(0).map(drop)));
    assert!(closed(catalog.create_topics(vec![topic("b", 1)], true, NOW).remove(0).map(drop)));
    assert!(closed(catalog.delete_topics(by_name("a"), NOW).remove(0).map(drop)));
    assert!(matches!(catalog.next_producer_id(NOW), Err(CatalogError::Closed)));
    assert!(matches!(catalog.partition(id, PartitionIndex(0)), Err(NoPartition::Offline { .. })));
    catalog.tend(NOW.plus(1_000_000));
    assert_eq!(disk.operations(), before);
}

#[test]
fn a_directory_of_another_topic_of_the_name_is_set_aside() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = create(&catalog, "a", 1);
    append(&catalog, id, "old");
    catalog.close(NOW).unwrap();
    log::checkpoint::write_partition_metadata(&disk, &Path::new(DIR).join("a-0"), Uuid::from_u128(77))
        .unwrap();

    let catalog = open(&disk, 2).unwrap();
    assert_eq!(append(&catalog, id, "new"), Offset(0));
    let stray =
        names(&disk, DIR).into_iter().filter(|name| name.starts_with("a-0.") && name.ends_with("-stray"));
    assert_eq!(stray.count(), 1);
}
