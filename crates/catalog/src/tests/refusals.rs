//! What is not ours to serve is refused with one clear message, and nothing in it is changed.

use std::io::IoSlice;

use disk::{OpenHow, RealDisk, write_atomically};
use records::control::ControlType;
use settings::Settings;
use wire::metadata_records::{
    BeginTransactionRecord, BrokerRegistrationChangeRecord, ConfigRecord, EndTransactionRecord,
    FeatureLevelRecord, PartitionRecord, ProducerIdsRecord, RegisterBrokerRecord, TopicRecord,
    ZkMigrationStateRecord,
};

use super::*;

const LOG: &str = "__cluster_metadata-0/00000000000000000000.log";

/// Opens the directory, expects a refusal, and that not one operation changed the disk.
fn refused(disk: &CrashDisk, config: CatalogConfig) -> String {
    let before = disk.operations();
    let error = Catalog::open_unlocked(disk.shared(), config, ids(9), NOW).unwrap_err();
    assert_eq!(disk.operations(), before, "{error}");
    error.to_string()
}

fn ours() -> CatalogConfig {
    config(Path::new(DIR))
}

fn file(disk: &CrashDisk, name: &str, content: &[u8]) {
    let path = Path::new(DIR).join(name);
    disk.create_dir_all(path.parent().unwrap()).unwrap();
    write_atomically(disk, &path, content).unwrap();
}

/// A directory that was served and stopped, with these records behind its own.
fn with_records(records: &[MetadataRecord]) -> CrashDisk {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let base = catalog.metadata_offset().next().next();
    catalog.close(NOW).unwrap();
    if records.is_empty() {
        return disk;
    }
    let mut builder = BatchBuilder::new(base).leader_epoch(base::LeaderEpoch(1));
    for record in records {
        let value = record.encode(record.highest_version()).unwrap();
        builder.push(&NewRecord { timestamp: NOW, value: Some(&value), ..NewRecord::default() });
    }
    add(&disk, &builder.build());
    disk
}

fn add(disk: &CrashDisk, bytes: &[u8]) {
    let file = disk.open(&Path::new(DIR).join(LOG), OpenHow::Write).unwrap();
    file.write_at(file.len().unwrap(), &[IoSlice::new(bytes)]).unwrap();
}

#[test]
fn a_directory_of_something_else() {
    let disk = CrashDisk::calm(1);
    file(&disk, "important.txt", b"");
    assert_eq!(
        refused(&disk, ours()),
        "the directory /ottla-data is not empty and holds no meta.properties, so it is no Kafka data directory (it holds \
         \"important.txt\", for example); choose an empty or a new one"
    );
    let disk = CrashDisk::calm(1);
    disk.create_dir_all(&Path::new(DIR).join("lost+found")).unwrap();
    assert!(refused(&disk, ours()).contains("lost+found"));

    let disk = CrashDisk::calm(1);
    disk.open(Path::new(DIR), OpenHow::New).unwrap();
    assert_eq!(refused(&disk, ours()), "the data directory /ottla-data is no directory; choose another path");
}

#[test]
fn what_a_format_that_was_cut_short_leaves_counts_as_empty() {
    let disk = CrashDisk::calm(1);
    file(&disk, ".lock", b"");
    disk.open(&Path::new(DIR).join("meta.properties.tmp"), OpenHow::New).unwrap();
    open(&disk, 1).unwrap();
}

#[test]
fn a_sub_directory_that_is_no_partition() {
    let disk = CrashDisk::calm(1);
    open(&disk, 1).unwrap().close(NOW).unwrap();
    disk.create_dir_all(&Path::new(DIR).join("backup")).unwrap();
    assert_eq!(
        refused(&disk, ours()),
        "the data directory /ottla-data holds \"backup\", which is no partition's directory; move it elsewhere"
    );
}

#[test]
fn another_cluster_another_node_another_version() {
    let disk = CrashDisk::calm(1);
    open(&disk, 1).unwrap().close(NOW).unwrap();
    assert_eq!(
        refused(&disk, CatalogConfig { cluster_id: Some("elsewhere".into()), ..ours() }),
        "the data directory /ottla-data belongs to the cluster 4L6g3nShT-eMCtK--X86sw, not to elsewhere; choose \
         another directory"
    );
    assert_eq!(
        refused(&disk, CatalogConfig { node_id: NodeId(2), ..ours() }),
        "the data directory /ottla-data belongs to node 1, not to node 2; set node.id=1, or choose another directory"
    );
    file(&disk, "meta.properties", b"version=9\n");
    assert_eq!(
        refused(&disk, ours()),
        "cannot understand /ottla-data/meta.properties: version 9 is not known"
    );
}

#[test]
fn settings_that_no_topic_could_have() {
    let disk = CrashDisk::calm(1);
    let mut settings = Settings::default();
    settings.set("log.roll.ms", "0").unwrap();
    let refused = refused(&disk, CatalogConfig { settings: Arc::new(settings), ..ours() });
    assert!(refused.contains("log.roll.ms"), "{refused}");
}

#[test]
fn a_directory_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Catalog::open(Arc::new(RealDisk::new()), config(dir.path()), ids(1), NOW);
    let first = open().unwrap();
    let error = open().unwrap_err();
    assert!(matches!(error, OpenError::Locked(_)), "{error}");
    assert!(error.to_string().ends_with("; stop what uses it, or choose another directory"), "{error}");
    first.close(NOW).unwrap();
    open().unwrap();
}

#[test]
fn a_foreign_directory_is_not_even_locked() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("x"), "").unwrap();
    let refused = Catalog::open(Arc::new(RealDisk::new()), config(dir.path()), ids(1), NOW);
    assert!(matches!(refused, Err(OpenError::NotOurs { .. })));
    assert_eq!(names(&RealDisk::new(), dir.path()), ["x"]);
}

#[test]
fn a_cluster_of_several_nodes() {
    let disk =
        with_records(&[RegisterBrokerRecord { broker_id: 2, ..RegisterBrokerRecord::default() }.into()]);
    assert_eq!(
        refused(&disk, ours()),
        "the data directory /ottla-data cannot be served: broker 2 belongs to its cluster too, and Ottla runs as a single \
         node 1; serve it with Kafka, or move all partitions to node 1 and take the other out (kafka-cluster.sh unregister \
         --id 2)"
    );

    let topic = Uuid::from_u128(5);
    let partition = |replicas: Vec<i32>, directory| PartitionRecord {
        partition_id: 0,
        topic_id: topic,
        replicas,
        leader_epoch: 0,
        partition_epoch: 0,
        directories: vec![Uuid::from_u128(directory)],
        ..PartitionRecord::default()
    };
    let name = TopicRecord { name: "a".into(), topic_id: topic };
    let disk = with_records(&[name.clone().into(), partition(vec![2, 3], 0).into()]);
    assert!(
        refused(&disk, ours())
            .contains("partition a-0 is kept by nodes [2, 3], and Ottla runs as a single node 1")
    );
    let disk = with_records(&[name.clone().into(), partition(vec![1], 0xabcd_ef00).into()]);
    assert!(
        refused(&disk, ours()).contains("partition a-0 lies in the log directory AAAAAAAAAAAAAAAAq83vAA")
    );
    let disk = with_records(&[name.into(), partition(vec![1], 0).into()]);
    open(&disk, 2).unwrap();

    let disk = with_records(&[]);
    let state = r#"{"leaderId":2,"leaderEpoch":4,"votedId":-1,"currentVoters":[{"voterId":1},{"voterId":2}],"data_version":0}"#;
    file(&disk, "__cluster_metadata-0/quorum-state", state.as_bytes());
    assert!(refused(&disk, ours()).contains("node 2 votes on its metadata log"));
}

#[test]
fn what_only_a_newer_or_an_older_kafka_understands() {
    let level =
        |name: &'static str, feature_level| FeatureLevelRecord { name: name.into(), feature_level }.into();
    let disk = with_records(&[level("metadata.version", 28)]);
    assert!(refused(&disk, ours()).contains("its metadata.version is 28, and Ottla knows 7 to 27"));
    let disk = with_records(&[ZkMigrationStateRecord { zk_migration_state: 1 }.into()]);
    assert!(
        refused(&disk, ours())
            .ends_with("its migration from ZooKeeper was never finished; finish it with Kafka 3.9")
    );

    let disk = with_records(&[]);
    let mut builder = BatchBuilder::new(Offset(12)).leader_epoch(base::LeaderEpoch(1));
    builder.push(&NewRecord { timestamp: NOW, value: Some(&[1, 99, 0]), ..NewRecord::default() });
    add(&disk, &builder.build());
    assert_eq!(
        refused(&disk, ours()),
        "cannot understand the metadata log in /ottla-data/__cluster_metadata-0/00000000000000000000.log: the record at offset \
         12 cannot be decoded: unknown record type 99 (a newer Kafka than 4.1 may have written it)"
    );
    let disk = with_records(&[]);
    let mut builder = BatchBuilder::new(Offset(12)).leader_epoch(base::LeaderEpoch(1)).control(true);
    builder.push(&NewRecord {
        timestamp: NOW,
        key: Some(&ControlType::Abort.key()),
        value: Some(&[0; 6]),
        headers: &[],
    });
    add(&disk, &builder.build());
    assert!(refused(&disk, ours()).ends_with("no control record of type 0 belongs into a metadata log"));
}

#[test]
fn records_that_do_not_fit() {
    let disk = with_records(&[
        ProducerIdsRecord { broker_id: 1, broker_epoch: 9, next_producer_id: 1000 }.into(),
        ProducerIdsRecord { broker_id: 1, broker_epoch: 9, next_producer_id: 1000 }.into(),
    ]);
    assert!(
        refused(&disk, ours())
            .ends_with("the record at offset 13 sets the next producer id from 1000 to 1000")
    );
    let partition =
        PartitionRecord { topic_id: Uuid::from_u128(5), replicas: vec![1], ..PartitionRecord::default() };
    assert!(refused(&with_records(&[partition.into()]), ours()).contains("does not fit those before it"));
}

#[test]
fn a_transaction_that_never_ended_is_dropped() {
    let topic = |name: &'static str, id| TopicRecord { name: name.into(), topic_id: Uuid::from_u128(id) };
    let partition = |id| PartitionRecord {
        partition_id: 0,
        topic_id: Uuid::from_u128(id),
        replicas: vec![1],
        isr: vec![1],
        leader: 1,
        leader_epoch: 0,
        partition_epoch: 0,
        ..PartitionRecord::default()
    };
    let begin = || BeginTransactionRecord::default().into();
    let ended = [begin(), topic("a", 5).into(), partition(5).into(), EndTransactionRecord {}.into()];
    let open_ended = [begin(), topic("b", 6).into(), partition(6).into()];
    let disk = with_records(&[&ended[..], &open_ended[..]].concat());
    let catalog = open(&disk, 2).unwrap();
    assert_eq!(partitions(&catalog), ["a-0 e0"]);
    let lines = metadata_lines(&disk, Path::new(DIR));
    assert_eq!(lines[20], "6 @20 e2 ABORT_TRANSACTION_RECORD v0 {reason=Controller failover}");
    catalog.close(NOW).unwrap();
    assert_eq!(partitions(&open(&disk, 3).unwrap()), ["a-0 e0"]);

    let disk = with_records(&[EndTransactionRecord {}.into()]);
    assert!(refused(&disk, ours()).ends_with("a transaction ends that never began"));
    let disk = with_records(&[begin(), begin()]);
    assert!(refused(&disk, ours()).ends_with("a transaction begins within another one"));
}

#[test]
fn damage_is_told_from_a_torn_end() {
    let disk = with_records(&[BrokerRegistrationChangeRecord::default().into()]);
    let path = Path::new(DIR).join(LOG);
    let whole = disk::read_whole(&disk, &path, 100_000).unwrap().unwrap();

    // Cut within the last batch: that was never answered for.
    let torn = disk.after(testkit::Crash::ProcessKill);
    torn.open(&path, OpenHow::Write).unwrap().set_len(whole.len() as u64 - 3).unwrap();
    open(&torn, 2).unwrap();

    // A flipped bit before the end: what follows shows that it was on disk once.
    let mut bytes = whole.clone();
    bytes[150] ^= 1;
    write_atomically(&disk, &path, &bytes).unwrap();
    assert_eq!(
        refused(&disk, ours()),
        "cannot understand the metadata log in /ottla-data/__cluster_metadata-0/00000000000000000000.log: it is damaged at \
         position 91: its checksum does not fit; restore it from a copy"
    );
}

#[test]
fn a_log_without_its_beginning_needs_a_snapshot() {
    let disk = with_records(&[]);
    let dir = Path::new(DIR).join("__cluster_metadata-0");
    disk.rename(&Path::new(DIR).join(LOG), &dir.join("00000000000000000005.log")).unwrap();
    assert!(
        refused(&disk, ours())
            .ends_with("it begins at offset 5, and there is no snapshot of what came before")
    );
    file(&disk, "__cluster_metadata-0/00000000000000000005-0000000001.checkpoint", b"");
    assert!(refused(&disk, ours()).contains("it ends without a footer"));
}

#[test]
fn partitions_without_a_metadata_log() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    create(&catalog, "a", 1);
    catalog.close(NOW).unwrap();
    disk.remove_dir_all(&Path::new(DIR).join("__cluster_metadata-0")).unwrap();
    assert!(
        refused(&disk, ours())
            .contains("cannot be served: it holds a-0, and no metadata log; if metadata.log.dir")
    );
}

#[test]
fn a_metadata_directory_of_another_topic() {
    let disk = with_records(&[]);
    file(&disk, "__cluster_metadata-0/partition.metadata", b"version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAABQ");
    assert!(refused(&disk, ours()).contains("names the topic"));
}

#[test]
fn without_a_cluster_id_any_cluster_will_do_and_a_fresh_one_gets_its_own() {
    let disk = CrashDisk::calm(1);
    let config = CatalogConfig { cluster_id: None, settings: Arc::new(Settings::default()), ..ours() };
    let first = Catalog::open_unlocked(disk.shared(), config.clone(), ids(1), NOW).unwrap();
    assert_eq!(first.cluster_id().len(), 22);
    first.close(NOW).unwrap();
    let second = Catalog::open_unlocked(disk.shared(), config, ids(2), NOW).unwrap();
    assert_eq!(second.cluster_id(), first.cluster_id());
}

#[test]
fn several_log_directories() {
    let registered = |dirs: &[u128]| RegisterBrokerRecord {
        broker_id: 1,
        log_dirs: dirs.iter().map(|id| Uuid::from_u128(*id)).collect(),
        ..RegisterBrokerRecord::default()
    };
    let topic = Uuid::from_u128(5);
    let name = TopicRecord { name: "a".into(), topic_id: topic };
    let partition = PartitionRecord {
        partition_id: 0,
        topic_id: topic,
        replicas: vec![1],
        leader_epoch: 0,
        partition_epoch: 0,
        ..PartitionRecord::default()
    };
    let records = |dirs: &[u128]| [registered(dirs).into(), name.clone().into(), partition.clone().into()];
    let disk = with_records(&records(&[900, 901]));
    assert_eq!(
        refused(&disk, ours()),
        "the data directory /ottla-data cannot be served: its node had 2 log directories, and partition a-0 is not in this \
         one; Ottla serves one log directory only: move the partition's directory here, or all of them with Kafka \
         (kafka-reassign-partitions.sh with log_dirs)"
    );
    disk.create_dir_all(&Path::new(DIR).join("a-0")).unwrap();
    open(&disk, 2).unwrap();
    open(&with_records(&records(&[900])), 2).unwrap();

    let disk = with_records(&[]);
    disk.create_dir_all(&Path::new(DIR).join("a-0.770528d31c504aefb896a34829919133-future")).unwrap();
    let refused = refused(&disk, ours());
    assert!(
        refused.contains("a move of that partition between log directories was never finished"),
        "{refused}"
    );
    let mut settings = Settings::default();
    settings.set("log.dirs", "/one,/two").unwrap();
    assert!(settings.check().unwrap_err().to_string().contains("must be one directory"));
}

#[test]
fn a_topic_in_tiered_storage() {
    let topic = TopicRecord { name: "a".into(), topic_id: Uuid::from_u128(5) };
    let config = |value: &'static str| ConfigRecord {
        resource_type: 2,
        resource_name: "a".into(),
        name: "remote.storage.enable".into(),
        value: Some(value.into()),
    };
    let disk = with_records(&[topic.clone().into(), config("true").into()]);
    assert!(refused(&disk, ours()).contains("topic a keeps a part of its records in tiered storage"));
    open(&with_records(&[topic.into(), config("false").into()]), 2).unwrap();
}

/// Names, bytes and times of change of all files below a directory.
fn fingerprint(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>, std::time::SystemTime)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let modified = path.metadata().unwrap().modified().unwrap();
        if path.is_dir() {
            found.push((path.clone(), Vec::new(), modified));
            found.extend(fingerprint(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).unwrap(), modified));
        }
    }
    found.sort();
    found
}

/// On the file system, through the door that takes the lock.
#[test]
fn a_refusal_leaves_every_file_as_it_was() {
    let level = FeatureLevelRecord { name: "metadata.version".into(), feature_level: 28 };
    let unknown = FeatureLevelRecord { name: "streams.next.version".into(), feature_level: 1 };
    let other = RegisterBrokerRecord { broker_id: 2, ..RegisterBrokerRecord::default() };
    for records in [&[level.into()], &[unknown.into()], &[other.into()]] as [&[MetadataRecord]; 3] {
        let made = with_records(records);
        let dir = tempfile::tempdir().unwrap();
        copy_out(&made, Path::new(DIR), dir.path());
        std::fs::write(dir.path().join(".lock"), "").unwrap();
        let before = fingerprint(dir.path());
        let refused = Catalog::open(Arc::new(RealDisk::new()), config(dir.path()), ids(9), NOW);
        assert!(matches!(refused, Err(OpenError::Unservable { .. })), "{refused:?}");
        assert_eq!(fingerprint(dir.path()), before);
    }
}

fn copy_out(disk: &CrashDisk, from: &Path, to: &Path) {
    for entry in disk.list(from).unwrap() {
        let (from, to) = (from.join(&entry.name), to.join(&entry.name));
        if entry.is_dir {
            std::fs::create_dir(&to).unwrap();
            copy_out(disk, &from, &to);
        } else {
            std::fs::write(to, disk::read_whole(disk, &from, 1 << 20).unwrap().unwrap()).unwrap();
        }
    }
}
