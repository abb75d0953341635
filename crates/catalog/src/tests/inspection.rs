//! What Kafka would meet in a directory is told beforehand, and nothing in it is changed.

use disk::{OpenHow, write_atomically};
use testkit::Crash;

use super::kafka::fixture;
use super::*;
use crate::{Inspection, inspect};

fn look(disk: &CrashDisk) -> Inspection {
    let before = disk.operations();
    let found = inspect(disk, Path::new(DIR)).unwrap();
    assert_eq!(disk.operations(), before);
    found
}

/// A directory with a partition `a-0` that holds a record.
fn stopped() -> CrashDisk {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let id = create(&catalog, "a", 2);
    for number in 0..100 {
        append(&catalog, id, &format!("{number} {}", "x".repeat(100)));
    }
    catalog.close(NOW).unwrap();
    disk
}

fn at(name: &str) -> std::path::PathBuf {
    Path::new(DIR).join(name)
}

/// What stands in the way after `harm` was done.
fn obstacle(harm: impl Fn(&CrashDisk)) -> String {
    let disk = stopped();
    harm(&disk);
    look(&disk).obstacles.join("; ")
}

#[test]
fn a_directory_that_was_stopped_cleanly_is_ready() {
    let found = look(&stopped());
    assert_eq!((found.node_id, &*found.cluster_id), (NodeId(1), "4L6g3nShT-eMCtK--X86sw"));
    assert_eq!((found.topics, found.partitions, found.voter), (1, 2, None));
    assert_eq!((found.obstacles, found.notes), (Vec::<String>::new(), Vec::<String>::new()));
    let kafkas = look(&fixture("clean-stop"));
    assert_eq!((kafkas.topics, kafkas.obstacles), (2, Vec::<String>::new()));
}

#[test]
fn after_a_kill_kafka_recovers() {
    let disk = CrashDisk::calm(1);
    let id = create(&open(&disk, 1).unwrap(), "a", 1);
    let disk = disk.after(Crash::ProcessKill);
    append(&open(&disk, 2).unwrap(), id, "x");
    let found = look(&disk.after(Crash::ProcessKill));
    assert_eq!(found.obstacles, Vec::<String>::new());
    assert!(
        found.notes[0].starts_with("the last stop was not clean: Kafka reads the logs"),
        "{:?}",
        found.notes
    );
}

#[test]
fn a_directory_that_nobody_served_yet_is_not_ready() {
    let found = look(&fixture("formatted-standalone"));
    assert_eq!(found.obstacles, ["its metadata log is empty: no broker has served it yet"]);
    let voter = found.voter.unwrap();
    assert_eq!((&*voter.name, &*voter.host, voter.port), ("CONTROLLER", "127.0.0.1", 29493));
}

#[test]
fn what_belongs_to_no_topic_is_told() {
    let disk = stopped();
    disk.create_dir_all(&at("nobody-0")).unwrap();
    disk.create_dir_all(&at("x-1.770528d31c504aefb896a34829919133-stray")).unwrap();
    let found = look(&disk);
    assert!(found.obstacles.is_empty());
    let notes = [
        "nobody-0 belongs to no topic; Kafka sets it aside as -stray",
        "x-1.770528d31c504aefb896a34829919133-stray is left alone",
    ];
    assert_eq!(found.notes, notes);
    disk.create_dir_all(&at("backup")).unwrap();
    assert!(matches!(inspect(&disk, Path::new(DIR)), Err(OpenError::ForeignSubdir { .. })));
}

#[test]
fn a_partition_that_kafka_would_not_serve_whole_stands_in_the_way() {
    let missing = obstacle(|disk| disk.remove_dir_all(&at("a-1")).unwrap());
    assert_eq!(missing, "partition a-1 has no directory: Kafka would make an empty one");
    let nameless = obstacle(|disk| disk.remove_file(&at("a-1/partition.metadata")).unwrap());
    assert_eq!(nameless, "partition a-1: it has no partition.metadata, and Kafka would set it aside");
    let other = obstacle(|disk| {
        log::checkpoint::write_partition_metadata(disk, &at("a-1"), Uuid::from_u128(77)).unwrap();
    });
    assert!(other.starts_with("partition a-1: its partition.metadata names the topic "), "{other}");
    let epoch =
        obstacle(|disk| write_atomically(disk, &at("a-0/leader-epoch-checkpoint"), b"0\n1\n5 0\n").unwrap());
    assert_eq!(epoch, "partition a-0: its log knows leader epoch 5, and the metadata only 0");
    let checkpoint =
        obstacle(|disk| write_atomically(disk, &at("recovery-point-offset-checkpoint"), b"7\n").unwrap());
    assert!(checkpoint.contains("recovery-point-offset-checkpoint"), "{checkpoint}");
}

#[test]
fn files_that_do_not_fit_each_other_stand_in_the_way() {
    let segment = "a-0/00000000000000000000";
    let cut = |suffix: &str, len| {
        let path = at(&format!("{segment}{suffix}"));
        move |disk: &CrashDisk| disk.open(&path, OpenHow::Write).unwrap().set_len(len).unwrap()
    };
    let does_not_fit = "does not fit its segment; remove it, and Kafka makes it again";
    for found in [obstacle(cut(".index", 9)), obstacle(cut(".timeindex", 13)), obstacle(cut(".log", 200))] {
        assert!(found.ends_with(does_not_fit), "{found}");
    }
    let garbage = obstacle(|disk| {
        write_atomically(disk, &at(&format!("{segment}.log")), &[b'x'; 20_000]).unwrap();
    });
    assert!(garbage.starts_with("partition a-0: /ottla-data/a-0/00000000000000000000.log: "), "{garbage}");
    let displaced = obstacle(|disk| {
        disk.rename(&at(&format!("{segment}.log")), &at("a-0/00000000000000000007.log")).unwrap();
    });
    assert!(displaced.ends_with(".log: its first batch has the offset 0"), "{displaced}");
}

#[test]
fn what_is_no_data_directory_is_an_error() {
    let disk = CrashDisk::calm(1);
    assert!(matches!(inspect(&disk, Path::new(DIR)), Err(OpenError::Nothing { .. })));
    disk.create_dir_all(&at("x")).unwrap();
    assert!(inspect(&disk, Path::new(DIR)).unwrap_err().to_string().contains("holds no meta.properties"));
}

#[test]
fn a_directory_that_lost_its_meta_properties_is_not_called_foreign() {
    let disk = stopped();
    disk.remove_file(&at("meta.properties")).unwrap();
    let refused = [inspect(&disk, Path::new(DIR)).unwrap_err(), open(&disk, 2).unwrap_err()];
    for error in refused {
        assert!(matches!(error, crate::OpenError::NoMetaProperties { .. }), "{error}");
    }
}
