//! What a restart finds, after a clean stop and after none.

use std::collections::HashSet;

use proptest::prelude::*;
use testkit::Crash;

use super::*;
use crate::{FeatureUpdate, NewPartitions, TopicRef, UpgradeType};

#[test]
fn a_clean_restart_finds_everything_and_moves_no_epoch() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = create(&catalog, "a", 2);
    append(&catalog, id, "x");
    let topics = catalog.topics();
    catalog.close(NOW).unwrap();

    let catalog = open(&disk, 2).unwrap();
    assert_eq!(catalog.topics(), topics);
    assert!(
        !names(&disk, DIR).contains(&".kafka_cleanshutdown".to_owned()),
        "it goes before anything is loaded"
    );
    let partition = catalog.partition(id, PartitionIndex(0)).unwrap();
    assert_eq!((partition.marks().log_end, partition.leader_epoch().0), (Offset(1), 0));
    let lines = metadata_lines(&disk, Path::new(DIR));
    let kinds: Vec<_> = lines[15..].iter().map(|line| line.split(" v").next().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "5 @15 e2 LEADER_CHANGE",
            "6 @16 e2 REGISTER_CONTROLLER_RECORD",
            "6 @17 e2 REGISTER_BROKER_RECORD",
            "6 @18 e2 BROKER_REGISTRATION_CHANGE_RECORD",
        ]
    );
    assert_eq!(catalog.broker_epoch(), 17);
}

#[test]
fn partitions_nobody_asks_for_stay_closed_and_keep_their_checkpoints() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = create(&catalog, "a", 1);
    create(&catalog, "b", 1);
    append(&catalog, id, "x");
    catalog.close(NOW).unwrap();
    let checkpoint = Path::new(DIR).join("recovery-point-offset-checkpoint");
    let before = disk::read_whole(&disk, &checkpoint, 1000).unwrap();

    let catalog = open(&disk, 2).unwrap();
    catalog.tend(NOW.plus(10));
    catalog.close(NOW).unwrap();
    assert_eq!(disk::read_whole(&disk, &checkpoint, 1000).unwrap(), before);
    let catalog = open(&disk, 3).unwrap();
    assert_eq!(catalog.partition(id, PartitionIndex(0)).unwrap().marks().log_end, Offset(1));
}

#[test]
fn a_kill_raises_every_leader_epoch_and_loses_nothing() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = create(&catalog, "a", 1);
    create(&catalog, "b", 1);
    append(&catalog, id, "x");

    let disk = disk.after(Crash::ProcessKill);
    let catalog = open(&disk, 2).unwrap();
    assert_eq!(partitions(&catalog), ["a-0 e1", "b-0 e1"]);
    let partition = catalog.partition(id, PartitionIndex(0)).unwrap();
    assert_eq!((partition.marks().log_end, partition.leader_epoch().0), (Offset(1), 1));
    assert_eq!(append(&catalog, id, "y"), Offset(1));
    catalog.close(NOW).unwrap();
    let catalog = open(&disk, 3).unwrap();
    assert_eq!(partitions(&catalog), ["a-0 e1", "b-0 e1"]);
    let text =
        disk::read_whole(&disk, &Path::new(DIR).join("a-0/leader-epoch-checkpoint"), 100).unwrap().unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), "0\n2\n0 0\n1 1\n");
    drop(catalog);
}

#[test]
fn a_deletion_that_was_cut_short_is_finished_by_the_next_start() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = create(&catalog, "a", 1);
    append(&catalog, id, "x");
    let before = disk.after(Crash::ProcessKill);
    catalog.delete_topics(vec![TopicRef::Id(id)], NOW).remove(0).unwrap();
    // The record of the deletion beside the directories as they were before it.
    let log = Path::new(DIR).join("__cluster_metadata-0/00000000000000000000.log");
    let bytes = disk::read_whole(&disk, &log, 100_000).unwrap().unwrap();
    disk::write_atomically(&before, &log, &bytes).unwrap();

    let catalog = open(&before, 2).unwrap();
    assert!(catalog.topics().is_empty());
    let deleted = || names(&before, DIR).into_iter().filter(|name| name.ends_with("-delete")).count();
    assert!(!names(&before, DIR).contains(&"a-0".to_owned()));
    assert_eq!(deleted(), 1);
    catalog.tend(NOW.plus(59_999));
    assert_eq!(deleted(), 1);
    catalog.tend(NOW.plus(60_000));
    assert_eq!(deleted(), 0);
}

/// Also those that Kafka left.
#[test]
fn what_a_deletion_left_goes_after_the_delay_of_the_next_start() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = create(&catalog, "a", 1);
    append(&catalog, id, "x");
    catalog.delete_topics(vec![TopicRef::Id(id)], NOW).remove(0).unwrap();
    catalog.close(NOW).unwrap();
    let kafkas = Path::new(DIR).join("b-7.770528d31c504aefb896a34829919133-delete");
    disk.create_dir_all(&kafkas).unwrap();
    disk::write_atomically(&disk, &kafkas.join("00000000000000000000.log"), b"whatever").unwrap();
    let catalog = open(&disk, 2).unwrap();
    let deleted = || names(&disk, DIR).into_iter().filter(|name| name.ends_with("-delete")).count();
    catalog.tend(NOW.plus(59_999));
    assert_eq!(deleted(), 2);
    catalog.tend(NOW.plus(60_000));
    assert_eq!(deleted(), 0);
}

/// Nobody asks for the partition after the start, and its old segments go all the same.
#[test]
fn retention_comes_to_partitions_that_nobody_opened() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let created = |name: &str, policy: &str| {
        let configs = [("cleanup.policy", policy), ("internal.segment.bytes", "100"), ("retention.ms", "-1")];
        let configs = configs.map(|(key, value)| (key.to_owned(), Some(value.to_owned()))).into();
        catalog.create_topics(vec![NewTopic { configs, ..topic(name, 1) }], false, NOW).remove(0).unwrap().id
    };
    let id = created("a", "delete");
    for _ in 0..5 {
        append(&catalog, id, "x");
    }
    catalog.delete_records(id, PartitionIndex(0), Some(Offset(3))).unwrap();
    catalog.close(NOW).unwrap();
    let segments =
        || names(&disk, Path::new(DIR).join("a-0")).iter().filter(|name| name.ends_with(".log")).count();
    assert_eq!(segments(), 5);
    let catalog = open(&disk, 2).unwrap();
    // Looked at thirty seconds after the start, and under its own upkeep from then on.
    for seconds in [29, 30, 31, 62] {
        assert_eq!(segments(), 5, "before {seconds} s");
        catalog.tend(NOW.plus(seconds * 1000));
    }
    assert_eq!(segments(), 2, "what lies below the log start needs no limit to go");
}

#[test]
fn a_directory_without_a_topic_is_set_aside() {
    let disk = CrashDisk::calm(1);
    open(&disk, 1).unwrap().close(NOW).unwrap();
    let dir = Path::new(DIR).join("nobody-3");
    disk.create_dir_all(&dir).unwrap();
    log::checkpoint::write_partition_metadata(&disk, &dir, Uuid::from_u128(9)).unwrap();
    let catalog = open(&disk, 2).unwrap();
    catalog.tend(NOW.plus(1_000_000));
    let names = names(&disk, DIR);
    assert!(names.iter().any(|name| name.starts_with("nobody-3.") && name.ends_with("-stray")), "{names:?}");
    catalog.close(NOW).unwrap();
    open(&disk, 3).unwrap();
}

#[test]
fn stale_lines_of_a_checkpoint_go_at_the_start() {
    let disk = CrashDisk::calm(1);
    open(&disk, 1).unwrap().close(NOW).unwrap();
    for name in ["log-start-offset-checkpoint", "cleaner-offset-checkpoint"] {
        let path = Path::new(DIR).join(name);
        disk::write_atomically(&disk, &path, b"0\n1\ngone 0 5000\n").unwrap();
        open(&disk, 2).unwrap().close(NOW).unwrap();
        assert_eq!(disk::read_whole(&disk, &path, 100).unwrap().unwrap(), b"0\n0\n", "{name}");
    }
}

#[test]
fn the_quorum_epoch_rises_even_if_quorum_state_is_lost_or_damaged() {
    let disk = CrashDisk::calm(1);
    open(&disk, 1).unwrap().close(NOW).unwrap();
    let path = Path::new(DIR).join("__cluster_metadata-0/quorum-state");
    disk::write_atomically(&disk, &path, b"garbage").unwrap();
    open(&disk, 2).unwrap().close(NOW).unwrap();
    disk.remove_file(&path).unwrap();
    let _catalog = open(&disk, 3).unwrap();
    let lines = metadata_lines(&disk, Path::new(DIR));
    let epochs: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("LEADER_CHANGE"))
        .map(|line| line.split(' ').nth(2).unwrap())
        .collect();
    assert_eq!(epochs, ["e1", "e2", "e3"]);
}

#[test]
fn a_block_of_producer_ids_is_on_disk_before_its_first_id_is_handed_out() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    assert_eq!(catalog.try_next_producer_id(), None);
    assert_eq!(catalog.next_producer_id(NOW).unwrap().0, 0);
    assert_eq!(catalog.try_next_producer_id().unwrap().0, 1);
    assert_eq!(
        metadata_lines(&disk, Path::new(DIR)).last().unwrap(),
        "3 @11 e1 PRODUCER_IDS_RECORD v0 {brokerId=1 brokerEpoch=9 nextProducerId=1000}"
    );
    for _ in 2..1000 {
        catalog.next_producer_id(NOW).unwrap();
    }
    assert_eq!(catalog.try_next_producer_id(), None);
    assert_eq!(catalog.next_producer_id(NOW).unwrap().0, 1000);
    let catalog = open(&disk.after(Crash::PowerLoss), 2).unwrap();
    assert_eq!(catalog.next_producer_id(NOW).unwrap().0, 2000);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Take(usize),
    CleanStop,
    Crash(Crash),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1_usize..1500).prop_map(Step::Take),
        1 => Just(Step::CleanStop),
        1 => Just(Step::Crash(Crash::ProcessKill)),
        1 => Just(Step::Crash(Crash::PowerLoss)),
    ];
    prop::collection::vec(step, 1..12)
}

/// A change of the topics.
#[derive(Clone, Debug)]
enum Change {
    Create(&'static str, i32),
    Grow(&'static str, i32),
    Delete(&'static str),
    Restart(Option<Crash>),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let name = prop::sample::select(vec!["a", "b", "c.d"]);
    let change = prop_oneof![
        (name.clone(), 1..4).prop_map(|(name, count)| Change::Create(name, count)),
        (name.clone(), 1..6).prop_map(|(name, count)| Change::Grow(name, count)),
        name.prop_map(Change::Delete),
        Just(Change::Restart(None)),
        Just(Change::Restart(Some(Crash::ProcessKill))),
        Just(Change::Restart(Some(Crash::PowerLoss))),
    ];
    prop::collection::vec(change, 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn producer_ids_never_repeat(steps in steps()) {
        let mut disk = CrashDisk::calm(1);
        let mut catalog = open(&disk, 1).unwrap();
        let mut seen = HashSet::new();
        let mut seed = 1;
        for step in steps {
            seed += 1;
            match step {
                Step::Take(count) => {
                    for _ in 0..count {
                        let id = catalog.next_producer_id(NOW).unwrap();
                        prop_assert!(seen.insert(id), "{} was handed out twice", id);
                    }
                }
                Step::CleanStop => {
                    catalog.close(NOW).unwrap();
                    catalog = open(&disk, seed).unwrap();
                }
                Step::Crash(crash) => {
                    disk = disk.after(crash);
                    catalog = open(&disk, seed).unwrap();
                }
            }
        }
    }

    /// Replaying the log gives the image that was there, but for the leader epochs that a crash raises.
    #[test]
    fn a_restart_gives_the_same_topics(changes in changes()) {
        let mut disk = CrashDisk::calm(1);
        let mut catalog = open(&disk, 1).unwrap();
        for (seed, change) in (2..).zip(changes) {
            match change {
                Change::Create(name, count) => drop(catalog.create_topics(vec![topic(name, count)], false, NOW)),
                Change::Grow(name, count) => {
                    let growth = NewPartitions { topic: name.into(), count, assignments: None };
                    drop(catalog.create_partitions(vec![growth], false, NOW));
                }
                Change::Delete(name) => drop(catalog.delete_topics(vec![TopicRef::Name(name.into())], NOW)),
                Change::Restart(crash) => {
                    let before = catalog.topics();
                    match crash {
                        Some(crash) => disk = disk.after(crash),
                        None => catalog.close(NOW).unwrap(),
                    }
                    catalog = open(&disk, seed).unwrap();
                    if crash.is_none() {
                        prop_assert_eq!(catalog.topics(), before);
                        continue;
                    }
                    let shape = |topics: &crate::Topics| -> Vec<_> {
                        topics.iter().map(|topic| (topic.id, topic.partitions.len())).collect()
                    };
                    prop_assert_eq!(shape(&catalog.topics()), shape(&before));
                    for topic in catalog.topics().iter() {
                        let earlier = before.by_id(topic.id).unwrap();
                        for (now, earlier) in topic.partitions.iter().zip(&earlier.partitions) {
                            prop_assert_eq!(now.leader_epoch.0, earlier.leader_epoch.0 + 1);
                        }
                    }
                }
            }
            for topic in catalog.topics().iter() {
                let last = PartitionIndex(i32::try_from(topic.partitions.len()).unwrap() - 1);
                prop_assert!(catalog.partition(topic.id, last).is_ok());
            }
        }
        let strays = names(&disk, DIR).into_iter().filter(|name| name.ends_with("-stray")).count();
        prop_assert_eq!(strays, 0);
    }
}

#[test]
fn the_size_of_a_partition_that_nobody_opened_is_that_of_its_segments() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = create(&catalog, "a", 1);
    append(&catalog, id, "x");
    let size = catalog.partition_size(id, PartitionIndex(0)).unwrap();
    assert!(size > 0);
    catalog.close(NOW).unwrap();
    let gone = Path::new(DIR).join("a-0/00000000000000000009.log.deleted");
    let gone = disk.shared().open(&gone, disk::OpenHow::New).unwrap();
    gone.write_at(0, &[std::io::IoSlice::new(b"gone")]).unwrap();

    let catalog = open(&disk, 2).unwrap();
    assert_eq!(catalog.partition_size(id, PartitionIndex(0)), Some(size));
    assert_eq!(catalog.partition_size(id, PartitionIndex(1)), None);
    assert_eq!(catalog.partition_size(Uuid::from_u128(77), PartitionIndex(0)), None);
}

#[test]
fn changed_feature_levels_outlive_a_restart() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let update = |feature: &str, level, upgrade_type| FeatureUpdate {
        feature: feature.to_owned(),
        level,
        upgrade_type: Some(upgrade_type),
    };
    let down = [
        update("eligible.leader.replicas.version", 0, UpgradeType::SafeDowngrade),
        update("metadata.version", 24, UpgradeType::SafeDowngrade),
    ];
    catalog.update_features(&down, true, NOW).unwrap();
    let before = catalog.features();
    catalog.update_features(&down, false, NOW).unwrap();
    let after = catalog.features();
    assert_ne!(after, before);
    catalog.close(NOW).unwrap();

    let catalog = open(&disk, 2).unwrap();
    assert_eq!(catalog.features(), after);
    // Nothing more is written for what is so already.
    let end = catalog.metadata_offset();
    catalog.update_features(&[update("metadata.version", 24, UpgradeType::Upgrade)], false, NOW).unwrap();
    assert_eq!(catalog.metadata_offset(), end);
    let up = [update("eligible.leader.replicas.version", 1, UpgradeType::Upgrade)];
    catalog.update_features(&up, false, NOW).unwrap();
    let last = metadata_lines(&disk, Path::new(DIR)).pop().unwrap();
    assert!(last.contains("FEATURE_LEVEL_RECORD"), "min.insync.replicas is pinned already: {last}");
}
