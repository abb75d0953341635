//! Snapshots of the metadata log: when they are written, what they hold, and what may go once they are there.

use std::path::PathBuf;
use std::sync::OnceLock;

use disk::{OpenHow, Operation, read_whole, write_atomically};
use settings::Settings;
use state_machines::configs::ResourceType;
use testkit::{Crash, FailingDisk, Fault, Injected, WatchedDisk};

use super::kafka::fixture;
use super::*;
use crate::image::MetadataImage;
use crate::replay::{self, Replayed};
use crate::snapshot_file::{self, Capture, SnapshotId};

const HOUR: i64 = 3_600_000;
pub(super) const BYTES: &str = "metadata.log.max.record.bytes.between.snapshots";

pub(super) fn with(pairs: &[(&str, &str)]) -> Arc<Settings> {
    let mut settings = Settings::default();
    pairs.iter().for_each(|(key, value)| settings.set(key, value).unwrap());
    Arc::new(settings)
}

pub(super) fn open_with(disk: &CrashDisk, settings: &Arc<Settings>, seed: u128) -> Arc<Catalog> {
    let config = CatalogConfig { settings: Arc::clone(settings), ..config(Path::new(DIR)) };
    Catalog::open_unlocked(disk.shared(), config, ids(seed), NOW).unwrap()
}

fn metadata_dir() -> PathBuf {
    Path::new(DIR).join("__cluster_metadata-0")
}

/// The files of the metadata log with this suffix, by their numbers.
fn files(disk: &CrashDisk, suffix: &str) -> Vec<String> {
    let all = names(disk, metadata_dir());
    let short = |name: &str| {
        let numbers = name.strip_suffix(suffix)?.split('-');
        let short = numbers.map(|number| format!("{}", number.parse::<i64>().unwrap()));
        Some(short.collect::<Vec<_>>().join("-"))
    };
    all.iter().filter_map(|name| short(name)).collect()
}

fn replay(disk: &CrashDisk) -> Replayed {
    replay::replay(disk, &metadata_dir()).unwrap()
}

/// What a restart is to find again.
fn image(disk: &CrashDisk) -> MetadataImage {
    lasting(replay(disk).image)
}

/// Which topics are gone is of use only as long as their directories are there.
fn lasting(mut image: MetadataImage) -> MetadataImage {
    image.removed_topics.clear();
    image
}

#[test]
fn a_snapshot_is_due_after_so_many_bytes_or_so_much_time() {
    let disk = CrashDisk::calm(1);
    let catalog = open_with(&disk, &with(&[(BYTES, "2000")]), 1);
    catalog.tend(NOW);
    assert!(files(&disk, ".checkpoint").is_empty());
    create(&catalog, "a", 20);
    catalog.tend(NOW);
    let end = catalog.metadata_offset().0 + 1;
    assert_eq!(files(&disk, ".checkpoint"), [format!("{end}-1")]);
    assert_eq!(files(&disk, ".log"), ["0".to_owned(), end.to_string()]);

    create(&catalog, "b", 1);
    catalog.tend(NOW.plus(HOUR - 1));
    assert_eq!(files(&disk, ".checkpoint").len(), 1);
    catalog.tend(NOW.plus(HOUR));
    assert_eq!(files(&disk, ".checkpoint").len(), 2);
    catalog.tend(NOW.plus(3 * HOUR));
    assert_eq!(files(&disk, ".checkpoint").len(), 2, "nothing has changed since");
    catalog.close(NOW).unwrap();

    let catalog = open_with(&disk, &with(&[("metadata.log.max.snapshot.interval.ms", "0")]), 2);
    create(&catalog, "c", 1);
    catalog.tend(NOW.plus(100 * HOUR));
    assert_eq!(files(&disk, ".checkpoint").len(), 2, "never by time");
}

#[test]
fn bytes_before_a_restart_count() {
    let disk = CrashDisk::calm(1);
    let settings = with(&[(BYTES, "2500")]);
    let catalog = open_with(&disk, &settings, 1);
    create(&catalog, "a", 20);
    catalog.close(NOW).unwrap();
    let catalog = open_with(&disk, &settings, 2);
    catalog.tend(NOW);
    assert_eq!(files(&disk, ".checkpoint").len(), 1);
}

#[test]
fn the_log_begins_where_the_oldest_snapshot_ends() {
    let disk = CrashDisk::calm(1);
    let settings = with(&[(BYTES, "1"), ("metadata.max.retention.bytes", "1")]);
    let catalog = open_with(&disk, &settings, 1);
    for name in ["a", "b", "c"] {
        create(&catalog, name, 1);
        catalog.tend(NOW);
    }
    let end = (catalog.metadata_offset().0 + 1).to_string();
    assert_eq!((files(&disk, ".checkpoint"), files(&disk, ".log")), (vec![format!("{end}-1")], vec![end]));
    assert_eq!(files(&disk, ".checkpoint.deleted").len(), 2);
    catalog.tend(NOW.plus(60_000));
    assert!(files(&disk, ".checkpoint.deleted").is_empty());
    assert!(files(&disk, ".log.deleted").is_empty());
    assert_eq!(names(&disk, metadata_dir()).len(), 7, "{:?}", names(&disk, metadata_dir()));

    let topics = catalog.topics();
    catalog.close(NOW).unwrap();
    let catalog = open_with(&disk, &settings, 2);
    assert_eq!(catalog.topics(), topics);
    assert_eq!(catalog.next_producer_id(NOW).unwrap().0, 0);
}

#[test]
fn old_snapshots_go_by_their_last_records_time() {
    let disk = CrashDisk::calm(1);
    let settings = with(&[(BYTES, "1"), ("metadata.max.retention.ms", "1000")]);
    let catalog = open_with(&disk, &settings, 1);
    create(&catalog, "a", 1);
    catalog.tend(NOW);
    create(&catalog, "b", 1);
    catalog.tend(NOW.plus(500));
    catalog.close(NOW).unwrap();
    assert_eq!(files(&disk, ".checkpoint").len(), 2);

    // The time stands in the file.
    let catalog = open_with(&disk, &with(&[("metadata.max.retention.ms", "1000")]), 2);
    catalog.tend(NOW.plus(1000));
    assert_eq!(files(&disk, ".checkpoint").len(), 2);
    catalog.tend(NOW.plus(62_000));
    assert_eq!(files(&disk, ".checkpoint").len(), 1, "the newest stays, however old");
    assert_eq!(files(&disk, ".log").len(), 1);
}

#[test]
fn a_start_does_not_read_what_a_snapshot_stands_in_for() {
    let disk = two_snapshots(&[]);
    let whole = image(&disk);
    let first = metadata_dir().join("00000000000000000000.log");
    let len = disk.entry(&first).unwrap().unwrap().len;
    write_atomically(&disk, &first, &vec![b'x'; usize::try_from(len).unwrap()]).unwrap();
    assert_eq!(image(&disk), whole);
    assert_eq!(open(&disk, 2).unwrap().topics().len(), 3);
}

/// Kafka made quotas, users, access rules and settings of brokers here.
#[test]
fn what_kafka_wrote_survives_a_snapshot() {
    let disk = fixture("clean-stop");
    let settings = with(&[(BYTES, "1"), ("metadata.max.retention.bytes", "1")]);
    let catalog = open_with(&disk, &settings, 1);
    let mut before = image(&disk);
    assert_eq!(before.bystanders.counts().len(), 2, "{:?}", before.bystanders.counts());
    assert!(!before.quotas.is_empty());
    assert!(before.configs.of_type(ResourceType::Broker).count() > 1);
    catalog.tend(NOW);
    catalog.next_producer_id(NOW).unwrap();
    catalog.tend(NOW);
    assert_ne!(files(&disk, ".log")[0], "0");
    let after = image(&disk);
    before.next_producer_id = 2000;
    assert_eq!(after, before);
    assert_eq!(after, lasting(catalog.writer.lock().image.clone()));
}

/// A snapshot of Kafka's, read and written again, holds the same records.
#[test]
fn our_snapshot_says_what_kafkas_does() {
    let disk = fixture("snapshot");
    let theirs = metadata_dir().join("00000000000000000253-0000000001.checkpoint");
    let replayed = replay(&disk);
    let id = SnapshotId { end: Offset(253), epoch: base::LeaderEpoch(1) };
    let timestamp = snapshot_file::last_timestamp(&disk, &theirs).unwrap().unwrap();
    assert_eq!(timestamp.0, 1_795_373_460_981);
    let (_, records) = snapshot_records(&disk, &theirs);
    let capture = Capture { id, last_timestamp: timestamp, image: replayed.image, quorum: replayed.quorum };
    let size = capture.write(&disk, Path::new(DIR), NOW).unwrap();
    let ours = id.path(Path::new(DIR));
    let bytes = read_whole(&disk, &ours, 100_000).unwrap().unwrap();
    let kafkas = read_whole(&disk, &theirs, 100_000).unwrap().unwrap();
    assert_eq!((size, bytes.len()), (kafkas.len() as u64, kafkas.len()));
    let (batches, again) = snapshot_records(&disk, &ours);
    // Header, data, footer. Topics come by name, where Kafka's order is that of a hash map.
    assert_eq!(batches, [(0, 0, 1, true), (1, 26, 1, false), (27, 27, 1, true)]);
    let sorted = |mut records: Vec<Bytes>| {
        records.sort();
        records
    };
    assert_eq!(sorted(again), sorted(records));
}

/// First and last offset and epoch of a batch, and whether it is a control batch.
type BatchLine = (i64, i64, i32, bool);

/// The batches of a snapshot, and its records' values.
fn snapshot_records(disk: &CrashDisk, path: &Path) -> (Vec<BatchLine>, Vec<Bytes>) {
    let mut batches = Batches::open(disk, path).unwrap();
    let (mut kinds, mut values) = (Vec::new(), Vec::new());
    while let Some(step) = batches.next().unwrap() {
        let batch = step.unwrap().1;
        let header = BatchHeader::parse(&batch).unwrap();
        let (first, last) = (header.base_offset.0, header.last_offset().0);
        kinds.push((first, last, header.leader_epoch.0, header.attributes.is_control()));
        for record in records_of(&batch, 1 << 20).unwrap().iter() {
            values.push(Bytes::copy_from_slice(record.unwrap().value.unwrap()));
        }
    }
    (kinds, values)
}

#[test]
fn voters_that_stand_in_the_log_stand_in_the_snapshot() {
    let disk = fixture("formatted-standalone");
    let settings = with(&[(BYTES, "1"), ("metadata.max.retention.bytes", "1")]);
    let catalog = open_with(&disk, &settings, 1);
    let before = replay(&disk).quorum;
    assert_eq!((before.kraft_version, before.voter_set.as_ref().unwrap().voters.len()), (1, 1));
    catalog.tend(NOW);
    assert_eq!(files(&disk, ".checkpoint").len(), 1, "the format tool's own snapshot is gone");
    catalog.close(NOW).unwrap();
    assert_eq!(replay(&disk).quorum, before);
    open_with(&disk, &settings, 2).close(NOW).unwrap();
    assert_eq!(replay(&disk).quorum, before);
}

/// A disk with two snapshots of a log that is whole.
fn two_snapshots(pairs: &[(&str, &str)]) -> CrashDisk {
    let disk = CrashDisk::calm(1);
    let catalog = open_with(&disk, &with(&[&[(BYTES, "1")], pairs].concat()), 1);
    create(&catalog, "a", 1);
    catalog.tend(NOW);
    create(&catalog, "b", 1);
    catalog.tend(NOW);
    create(&catalog, "c", 1);
    catalog.close(NOW).unwrap();
    disk
}

fn spoil(disk: &CrashDisk, number: &str) {
    let path =
        metadata_dir().join(snapshot_names(disk).into_iter().find(|name| name.contains(number)).unwrap());
    let file = disk.open(&path, OpenHow::Write).unwrap();
    file.set_len(file.len().unwrap() - 5).unwrap();
}

fn snapshot_names(disk: &CrashDisk) -> Vec<String> {
    names(disk, metadata_dir()).into_iter().filter(|name| name.ends_with(".checkpoint")).collect()
}

#[test]
fn a_damaged_snapshot_is_made_up_for_by_an_older_one_or_by_the_log() {
    let disk = two_snapshots(&[]);
    let whole = image(&disk);
    let [older, newer] = snapshot_names(&disk).try_into().unwrap();
    spoil(&disk, &newer);
    let replayed = replay(&disk);
    assert_eq!(replayed.snapshots.len(), 1);
    assert_eq!(replayed.damaged[0].1.split_once(": ").unwrap().1, "the file ends after 70 of its 75 bytes");
    assert_eq!(image(&disk), whole);
    spoil(&disk, &older);
    assert_eq!(image(&disk), whole);
    // Kafka would fail on them, so they are set aside.
    open(&disk, 2).unwrap();
    assert!(snapshot_names(&disk).is_empty());
    assert_eq!(files(&disk, ".checkpoint.deleted").len(), 2);
    open(&disk.after(Crash::ProcessKill), 3).unwrap();
}

#[test]
fn a_damaged_snapshot_that_nothing_makes_up_for_refuses_the_start() {
    let disk = two_snapshots(&[("metadata.max.retention.bytes", "1")]);
    let [name] = snapshot_names(&disk).try_into().unwrap();
    spoil(&disk, &name);
    let before = disk.operations();
    let error = open(&disk, 2).unwrap_err().to_string();
    assert_eq!(disk.operations(), before);
    assert!(error.contains(&name), "{error}");
    assert!(
        error.contains("this snapshot is damaged at position ")
            && error.contains("it begins at offset ")
            && error.ends_with("; restore it from a copy"),
        "{error}"
    );
}

#[test]
fn what_was_never_finished_goes_at_the_start() {
    let disk = two_snapshots(&[("metadata.max.retention.bytes", "1")]);
    for name in [
        "00000000000000000099-0000000001-0.checkpoint.part",
        "00000000000000000003-0000000001.checkpoint.deleted",
        "00000000000000000003-0000000001.checkpoint",
    ] {
        disk.open(&metadata_dir().join(name), OpenHow::New).unwrap();
    }
    open(&disk, 2).unwrap();
    assert_eq!(snapshot_names(&disk).len(), 1, "one below the log is of no use");
    let left = names(&disk, metadata_dir());
    assert!(
        !left.iter().any(|name| name.contains("000099") || name.ends_with("checkpoint.deleted")),
        "{left:?}"
    );
}

#[test]
fn a_snapshot_that_cannot_be_written_leaves_nothing_and_hinders_nobody() {
    let behind = CrashDisk::calm(1);
    let disk = FailingDisk::new(behind.shared());
    let settings = with(&[(BYTES, "1"), ("metadata.max.retention.bytes", "1")]);
    let config = CatalogConfig { settings, ..config(Path::new(DIR)) };
    let catalog = Catalog::open_unlocked(Arc::new(disk.clone()), config, ids(1), NOW).unwrap();
    for (number, operation) in (0..).zip([Operation::Write, Operation::Sync, Operation::Rename]) {
        disk.fail(Fault::on(operation, "*.checkpoint.part", Injected::NoSpace));
        create(&catalog, &format!("t{number}"), 1);
        catalog.tend(NOW);
        let left = names(&behind, metadata_dir());
        assert!(!left.iter().any(|name| name.contains("checkpoint.part")), "{left:?}");
        assert!(snapshot_names(&behind).is_empty());
        disk.heal();
    }
    create(&catalog, "more", 1);
    catalog.tend(NOW);
    assert_eq!(snapshot_names(&behind).len(), 1);
    disk.fail(Fault::on(Operation::Rename, "*.log", Injected::Io));
    create(&catalog, "most", 1);
    catalog.tend(NOW);
    disk.heal();
    catalog.tend(NOW.plus(60_000));
    let topics = catalog.topics();
    catalog.close(NOW).unwrap();
    assert_eq!(open(&behind, 2).unwrap().topics(), topics);
}

#[test]
fn topics_are_created_while_a_snapshot_is_written() {
    let catalog: Arc<OnceLock<Arc<Catalog>>> = Arc::default();
    let behind = CrashDisk::calm(1);
    let watcher = Arc::clone(&catalog);
    let disk = WatchedDisk::new(behind.shared(), move |operation, path| {
        if operation == Operation::Sync
            && path.to_str().is_some_and(|path| path.ends_with(".checkpoint.part"))
        {
            create(watcher.get().unwrap(), "meanwhile", 1);
        }
    });
    let config = CatalogConfig { settings: with(&[(BYTES, "1")]), ..config(Path::new(DIR)) };
    let opened = Catalog::open_unlocked(Arc::new(disk), config, ids(1), NOW).unwrap();
    let catalog = catalog.get_or_init(|| opened);
    create(catalog, "before", 1);
    catalog.tend(NOW);
    assert_eq!(snapshot_names(&behind).len(), 1);
    let (_, records) = snapshot_records(&behind, &metadata_dir().join(&snapshot_names(&behind)[0]));
    let holds =
        |name: &str| records.iter().any(|record| record.windows(name.len()).any(|at| at == name.as_bytes()));
    assert!(holds("before") && !holds("meanwhile"));
    let topics = catalog.topics();
    assert_eq!(topics.len(), 2);
    catalog.close(NOW).unwrap();
    assert_eq!(open(&behind, 2).unwrap().topics(), topics);
}
