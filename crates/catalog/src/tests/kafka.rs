//! Directories that Apache Kafka 4.1.1 wrote (see `tests/fixtures/kafka-4.1.1`).

use disk::write_atomically;

use super::*;
use crate::features::KRAFT_VERSION;

/// A copy of a fixture, on a disk in memory.
pub(crate) fn fixture(name: &str) -> CrashDisk {
    let disk = CrashDisk::calm(1);
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kafka-4.1.1").join(name);
    copy(&from, &disk, Path::new(DIR));
    disk.settle();
    disk
}

fn copy(from: &Path, disk: &CrashDisk, to: &Path) {
    disk.create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, disk, &to.join(name));
        } else {
            write_atomically(disk, &to.join(name), &std::fs::read(&path).unwrap()).unwrap();
        }
    }
}

fn end(catalog: &Catalog, topic: &str, index: i32) -> Offset {
    let id = catalog.topics().by_name(topic).unwrap().id;
    catalog.partition(id, PartitionIndex(index)).unwrap().marks().log_end
}

#[test]
fn a_clean_stop_of_kafka_is_taken_over() {
    let disk = fixture("clean-stop");
    let catalog = open(&disk, 1).unwrap();
    // Kafka took the leadership away when it stopped, and so raised the epoch; taking it again raises it once more.
    assert_eq!(
        partitions(&catalog),
        ["orders-0 e2", "orders-1 e2", "with.dots-0 e2", "with.dots-1 e2", "with.dots-2 e2"]
    );
    let topics = catalog.topics();
    let configs = |name: &str| topics.by_name(name).unwrap().configs.clone().into_iter().collect::<Vec<_>>();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(configs("orders"), [pair("cleanup.policy", "compact,delete")]);
    assert_eq!(configs("with.dots"), [pair("max.message.bytes", "2000000")]);
    let orders = topics.by_name("orders").unwrap();
    assert!(catalog.topic_settings(orders.id).unwrap().compact);
    assert_eq!(end(&catalog, "orders", 0).0 + end(&catalog, "orders", 1).0, 3);
    assert_eq!((0..3).map(|index| end(&catalog, "with.dots", index).0).sum::<i64>(), 3);
    assert_eq!(catalog.next_producer_id(NOW).unwrap().0, 1000, "Kafka took the first block");

    let lines = metadata_lines(&disk, Path::new(DIR));
    let ours: Vec<_> = lines[39..].iter().map(|line| line.split(" v").next().unwrap()).collect();
    assert_eq!(
        ours,
        [
            "19 @39 e2 LEADER_CHANGE",
            "20 @40 e2 REGISTER_CONTROLLER_RECORD",
            "20 @41 e2 REGISTER_BROKER_RECORD",
            "20 @42 e2 BROKER_REGISTRATION_CHANGE_RECORD",
            "20 @43 e2 PARTITION_CHANGE_RECORD",
            "20 @44 e2 PARTITION_CHANGE_RECORD",
            "20 @45 e2 PARTITION_CHANGE_RECORD",
            "20 @46 e2 PARTITION_CHANGE_RECORD",
            "20 @47 e2 PARTITION_CHANGE_RECORD",
            "21 @48 e2 PRODUCER_IDS_RECORD",
        ]
    );
    assert!(
        lines[43].ends_with("isr=[1] leader=1 eligibleLeaderReplicas=[] lastKnownElr=[]}"),
        "as Kafka writes it: {}",
        lines[43]
    );
    let seen = catalog.topics();
    catalog.close(NOW).unwrap();
    assert_eq!(open(&disk, 2).unwrap().topics(), seen);
}

#[test]
fn a_metadata_log_that_begins_with_a_snapshot_is_read() {
    let disk = fixture("snapshot");
    let catalog = open(&disk, 1).unwrap();
    let names: Vec<_> = catalog.topics().iter().map(|topic| topic.name.to_string()).collect();
    assert_eq!(names, ["late1", "late2", "late3", "late4", "late5", "late6", "one", "two"]);
    assert_eq!(catalog.topics().by_name("one").unwrap().configs["retention.ms"], "7200000");
    assert_eq!(end(&catalog, "two", 0), Offset(3));
    assert_eq!(end(&catalog, "late3", 0), Offset(0), "its directory is missing, and is made again");
    assert_eq!(catalog.next_producer_id(NOW).unwrap().0, 1000);
    assert!(partitions(&catalog).iter().all(|partition| partition.ends_with(" e1")), "Kafka was killed");
    create(&catalog, "more", 1);
    let seen = catalog.topics();
    catalog.close(NOW).unwrap();
    assert_eq!(open(&disk, 2).unwrap().topics(), seen);
}

#[test]
fn a_directory_that_was_only_formatted_is_bootstrapped_as_it_says() {
    let disk = fixture("formatted-standalone");
    let catalog = open(&disk, 1).unwrap();
    let text =
        disk::read_whole(&disk, &Path::new(DIR).join("__cluster_metadata-0/quorum-state"), 1000).unwrap();
    let kafka = r#"{"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}"#;
    assert_eq!(text.unwrap(), kafka.as_bytes(), "its voters stand in the log: {KRAFT_VERSION} 1");
    let lines = metadata_lines(&disk, Path::new(DIR));
    assert!(lines[2].ends_with("{name=metadata.version featureLevel=27}"), "{}", lines[2]);
    assert!(lines[6].ends_with("name=min.insync.replicas value=1}"), "{}", lines[6]);
    create(&catalog, "a", 1);
    catalog.close(NOW).unwrap();
    assert_eq!(partitions(&open(&disk, 2).unwrap()), ["a-0 e0"]);
}

#[test]
fn a_directory_that_a_newer_kafka_formatted_is_refused() {
    let disk = fixture("formatted-standalone");
    let path = Path::new(DIR).join("bootstrap.checkpoint");
    let mut builder = BatchBuilder::new(Offset(0));
    let level =
        wire::metadata_records::FeatureLevelRecord { name: "metadata.version".into(), feature_level: 30 };
    let value = MetadataRecord::from(level).encode(0).unwrap();
    builder.push(&NewRecord { timestamp: NOW, value: Some(&value), ..NewRecord::default() });
    let mut footer = BatchBuilder::new(Offset(1)).control(true);
    let key = ControlType::SnapshotFooter.key();
    footer.push(&NewRecord { timestamp: NOW, key: Some(&key), value: Some(&[0, 0, 0]), headers: &[] });
    write_atomically(&disk, &path, &[builder.build(), footer.build()].concat()).unwrap();
    let before = disk.operations();
    let refused = open(&disk, 1).unwrap_err().to_string();
    assert!(refused.contains("its metadata.version is 30, and Ottla knows 7 to 27"), "{refused}");
    assert_eq!(disk.operations(), before);
}
