//! What the broker's own settings do to topics, partitions and the metadata log, where no test of a larger story shows it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base::{ProducerEpoch, ProducerId, Sequence};
use disk::Operation;
use state_machines::configs::{Alteration, Change, Resource, ResourceType};
use testkit::WatchedDisk;

use super::*;
use crate::{Cleaner, Round};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// The catalogue with these settings of the broker, and the topic `t`.
fn stage(given: &[(&str, &str)]) -> (CrashDisk, Arc<Catalog>, Uuid) {
    let mut settings = Settings::default();
    given.iter().for_each(|(key, value)| settings.set(key, value).unwrap());
    let config = CatalogConfig { settings: Arc::new(settings), ..config(Path::new(DIR)) };
    let disk = CrashDisk::calm(1);
    let catalog = Catalog::open_in_order(disk.shared(), config, ids(1), NOW).unwrap();
    let topic = create(&catalog, "t", 1);
    (disk, catalog, topic)
}

fn change(catalog: &Catalog, kind: ResourceType, name: &str, pairs: &[(&str, &str)]) -> Result<(), String> {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), 0, Some((*value).to_owned()));
    let change = Change::Each(pairs.iter().map(pair).collect());
    let alteration = Alteration { resource: Resource::new(kind, name), change };
    catalog.alter_configs(vec![alteration], false, NOW).remove(0).map_err(|error| error.to_string())
}

fn change_topic(catalog: &Catalog, pairs: &[(&str, &str)]) {
    change(catalog, ResourceType::Topic, "t", pairs).unwrap();
}

/// Appends a record with this key and value at `now`.
fn append_at(catalog: &Catalog, topic: Uuid, key: Option<&[u8]>, value: Option<&[u8]>, now: Millis) {
    let mut builder = BatchBuilder::new(Offset::ZERO);
    builder.push(&NewRecord { timestamp: now, key, value, headers: &[] });
    let batch = records::check(&builder.build(), 9, &rules(), now).unwrap();
    catalog.partition(topic, PartitionIndex(0)).unwrap().append(&batch, now).unwrap();
}

/// How many files with this ending a directory of the data directory has.
fn count(disk: &CrashDisk, dir: &str, ending: &str) -> usize {
    names(disk, Path::new(DIR).join(dir)).iter().filter(|name| name.ends_with(ending)).count()
}

#[test]
fn how_often_silent_producers_are_looked_for() {
    for (every, is_forgotten) in [("5000", true), ("600000", false)] {
        let given =
            [("producer.id.expiration.ms", "1000"), ("producer.id.expiration.check.interval.ms", every)];
        let (_disk, catalog, topic) = stage(&given);
        let mut builder = BatchBuilder::new(Offset::ZERO);
        builder.push(&NewRecord { timestamp: NOW, value: Some(b"x"), ..NewRecord::default() });
        let builder = builder.producer(ProducerId(7), ProducerEpoch(0), Sequence(0));
        let batch = records::check(&builder.build(), 9, &rules(), NOW).unwrap();
        let partition = catalog.partition(topic, PartitionIndex(0)).unwrap();
        partition.append(&batch, NOW).unwrap();
        catalog.tend(NOW.plus(4999));
        assert_eq!(partition.producers().len(), 1, "it is not the time to look yet");
        catalog.tend(NOW.plus(5000));
        assert_eq!(partition.producers().is_empty(), is_forgotten, "every {every} ms");
    }
}

#[test]
fn a_metadata_log_that_is_long_or_old_begins_a_segment() {
    let segments = |disk: &CrashDisk| count(disk, "__cluster_metadata-0", ".log");
    let fill = |catalog: &Catalog, with: &str| {
        let long = with.repeat(30_000);
        let subscription = |at: i32| Alteration {
            resource: Resource::new(ResourceType::ClientMetrics, format!("s{at}")),
            change: Change::Each(vec![("metrics".to_owned(), 0, Some(long.clone()))]),
        };
        let all = catalog.alter_configs((0..100).map(subscription).collect(), false, NOW);
        assert!(all.iter().all(Result::is_ok));
    };
    for (bytes, expected) in [("8388608", 2), ("16777216", 1)] {
        let (disk, catalog, _) = stage(&[("metadata.log.segment.bytes", bytes)]);
        ["a", "b", "c"].iter().for_each(|with| fill(&catalog, with));
        assert_eq!(segments(&disk), expected, "9 MB in segments of {bytes}");
    }
    let (disk, catalog, _) = stage(&[("metadata.log.segment.ms", "1000")]);
    let create_at = |name: &str, now| {
        catalog.create_topics(vec![topic(name, 1)], false, now).remove(0).unwrap();
    };
    create_at("young", NOW.plus(1000));
    assert_eq!(segments(&disk), 1);
    create_at("old", NOW.plus(1001));
    assert_eq!(segments(&disk), 2);
}

#[test]
fn fresh_metadata_says_how_many_replicas_are_to_be_in_sync() {
    let (disk, _catalog, _) = stage(&[("min.insync.replicas", "2")]);
    let record = "CONFIG_RECORD v0 {resourceType=4 resourceName= name=min.insync.replicas value=2}";
    let lines = metadata_lines(&disk, Path::new(DIR));
    assert!(lines.iter().any(|line| line.ends_with(record)), "{lines:?}");
}

#[test]
fn how_often_the_high_watermarks_are_written() {
    let (disk, catalog, topic) = stage(&[("replica.high.watermark.checkpoint.interval.ms", "9000")]);
    append(&catalog, topic, "x");
    let path = Path::new(DIR).join("replication-offset-checkpoint");
    let text =
        || disk::read_whole(&disk, &path, 1000).unwrap().map(|bytes| String::from_utf8(bytes).unwrap());
    catalog.tend(NOW.plus(8999));
    assert_eq!(text(), None);
    catalog.tend(NOW.plus(9000));
    assert_eq!(text().as_deref(), Some("0\n1\nt 0 1\n"));
}

#[test]
fn segments_roll_by_the_hour() {
    let segments_after = |given: &[(&str, &str)], hours: i64| {
        let (disk, catalog, topic) = stage(given);
        append(&catalog, topic, "first");
        append_at(&catalog, topic, None, Some(b"x"), NOW.plus(hours * HOUR + 1));
        count(&disk, "t-0", ".log")
    };
    assert_eq!(segments_after(&[], 2), 1, "a week has not passed");
    assert_eq!(segments_after(&[("log.roll.hours", "2")], 1), 1);
    assert_eq!(segments_after(&[("log.roll.hours", "2")], 2), 2);
    // All of the age may be drawn off; how much it is follows from the place of the segment.
    let jitter = [("log.roll.hours", "1000"), ("log.roll.jitter.hours", "1000")];
    let rolls = |given: &[(&str, &str)]| (0..1000).find(|hours| segments_after(given, *hours) == 2);
    assert_eq!(rolls(&jitter[..1]), None);
    assert!(rolls(&jitter).is_some());
}

#[test]
fn a_jitter_counts_from_when_the_topic_is_told_of_it() {
    let (disk, catalog, topic) = stage(&[]);
    change_topic(&catalog, &[("segment.ms", "1000000")]);
    append(&catalog, topic, "first");
    append_at(&catalog, topic, None, Some(b"x"), NOW.plus(999_999));
    assert_eq!(count(&disk, "t-0", ".log"), 1);
    change_topic(&catalog, &[("segment.jitter.ms", "1000000")]);
    append_at(&catalog, topic, None, Some(b"x"), NOW.plus(999_999));
    assert_eq!(count(&disk, "t-0", ".log"), 2);
}

/// A partition with an old segment and the one that is written to, once retention has been by so many minutes later.
fn segments_left(given: &[(&str, &str)], minutes: i64) -> usize {
    let (disk, catalog, topic) = stage(given);
    change_topic(&catalog, &[("internal.segment.bytes", "80")]);
    append(&catalog, topic, "old");
    append_at(&catalog, topic, None, Some(b"young"), NOW.plus(1000 * HOUR));
    catalog.partition(topic, PartitionIndex(0)).unwrap().flush().unwrap();
    catalog.tend(NOW.plus(minutes * MINUTE));
    catalog.tend(NOW.plus(minutes * MINUTE));
    count(&disk, "t-0", ".log")
}

#[test]
fn records_are_kept_for_the_minutes_and_the_hours_that_were_set() {
    let week = 7 * 24 * 60;
    assert_eq!((segments_left(&[], week), segments_left(&[], week + 1)), (2, 1));
    let hours = [("log.retention.hours", "3")];
    assert_eq!((segments_left(&hours, 180), segments_left(&hours, 181)), (2, 1));
    let minutes = [("log.retention.minutes", "90"), hours[0]];
    assert_eq!((segments_left(&minutes, 90), segments_left(&minutes, 91)), (2, 1));
}

#[test]
fn how_often_old_segments_are_looked_for() {
    let minute = ("log.retention.minutes", "1");
    assert_eq!(
        segments_left(&[minute, ("log.retention.check.interval.ms", "6000000")], 2),
        1,
        "30 s after a start"
    );
    let left = |every: &str| {
        let (disk, catalog, topic) = stage(&[minute, ("log.retention.check.interval.ms", every)]);
        change_topic(&catalog, &[("internal.segment.bytes", "80")]);
        append(&catalog, topic, "old");
        catalog.tend(NOW.plus(MINUTE));
        append_at(&catalog, topic, None, Some(b"young"), NOW.plus(1000 * HOUR));
        catalog.partition(topic, PartitionIndex(0)).unwrap().flush().unwrap();
        catalog.tend(NOW.plus(3 * MINUTE));
        count(&disk, "t-0", ".log")
    };
    assert_eq!((left("100000"), left("200000")), (1, 2));
}

#[test]
fn how_long_after_a_start_old_segments_are_looked_for_first() {
    let delay = ("log.initial.task.delay.ms", "200000");
    assert_eq!(segments_left(&[("log.retention.minutes", "1"), delay], 3), 2);
    assert_eq!(segments_left(&[("log.retention.minutes", "1"), delay], 4), 1);

    // The same for a partition that nobody has opened; then it is under its own upkeep.
    let (disk, catalog, topic) = stage(&[]);
    change_topic(&catalog, &[("internal.segment.bytes", "80"), ("retention.ms", "1")]);
    append(&catalog, topic, "old");
    append_at(&catalog, topic, None, Some(b"young"), NOW.plus(1000 * HOUR));
    catalog.close(NOW).unwrap();
    let mut settings = Settings::default();
    settings.set("log.initial.task.delay.ms", "5000").unwrap();
    let config = CatalogConfig { settings: Arc::new(settings), ..config(Path::new(DIR)) };
    let catalog = Catalog::open_in_order(disk.shared(), config, ids(2), NOW).unwrap();
    for after in [4_999, 5_000, 9_999] {
        assert_eq!(count(&disk, "t-0", ".log"), 2);
        catalog.tend(NOW.plus(after));
    }
    assert_eq!(count(&disk, "t-0", ".log"), 2);
    catalog.tend(NOW.plus(10_000));
    assert_eq!(count(&disk, "t-0", ".log"), 1);
}

#[test]
fn tombstones_stay_as_long_as_the_topic_says_from_now_on() {
    let has_tombstone_after = |delay: i64, change: Option<&str>| {
        let (_disk, catalog, topic) = stage(&[]);
        let compacted = [
            ("cleanup.policy", "compact"),
            ("internal.segment.bytes", "1000"),
            ("min.cleanable.dirty.ratio", "0.01"),
        ];
        change_topic(&catalog, &compacted);
        append_at(&catalog, topic, Some(b"gone"), None, NOW);
        change.into_iter().for_each(|ms| change_topic(&catalog, &[("delete.retention.ms", ms)]));
        let mut cleaner = Cleaner::new(Arc::clone(&catalog)).unwrap();
        // The first cleaning that sees a tombstone says how long it stays, and a later one takes it away.
        for now in [NOW, NOW.plus(delay)] {
            (0..20).for_each(|_| append_at(&catalog, topic, Some(b"k"), Some(&[7; 60]), now));
            while cleaner.round(now, &mut |_: Duration| true) == Round::Cleaned {}
        }
        let partition = catalog.partition(topic, PartitionIndex(0)).unwrap();
        let first = partition.log().headers(Offset::ZERO).next().unwrap().unwrap();
        first.header.base_offset == Offset::ZERO
    };
    assert!(has_tombstone_after(HOUR, None), "a day has not passed");
    assert!(!has_tombstone_after(HOUR, Some("60000")));
    assert!(has_tombstone_after(HOUR, Some("7200000")));
}

#[test]
fn a_group_may_have_what_its_broker_allows() {
    let group = |given: &[(&str, &str)], pairs: &[(&str, &str)]| {
        let (_disk, catalog, _) = stage(given);
        change(&catalog, ResourceType::Group, "g", pairs)
    };
    for (key, bound, value) in [
        ("consumer.session.timeout.ms", ("group.consumer.max.session.timeout.ms", "80000"), "70000"),
        ("consumer.session.timeout.ms", ("group.consumer.min.session.timeout.ms", "20000"), "30000"),
        ("consumer.heartbeat.interval.ms", ("group.consumer.max.heartbeat.interval.ms", "20000"), "16000"),
        ("consumer.heartbeat.interval.ms", ("group.consumer.min.heartbeat.interval.ms", "1000"), "2000"),
    ] {
        let refused = group(&[], &[(key, value)]).unwrap_err();
        assert!(refused.contains(bound.0), "{refused}");
        assert_eq!(group(&[bound], &[(key, value)]), Ok(()), "{bound:?}");
    }
}

#[test]
fn nothing_is_compacted_where_that_is_switched_off() {
    let cleaner = |value| Cleaner::new(stage(&[("log.cleaner.enable", value)]).1);
    assert!(cleaner("true").is_some() && cleaner("false").is_none());
}

/// A compacted partition with so many keys, each in one record, and how it is cleaned.
fn cleaned(keys: u32, given: &[(&str, &str)]) -> Cleaned {
    let reads = Arc::new(AtomicUsize::new(0));
    let disk = WatchedDisk::new(CrashDisk::calm(1).shared(), {
        let reads = Arc::clone(&reads);
        move |operation, path: &Path| {
            if operation == Operation::Read && path.to_string_lossy().contains("/t-0/") {
                reads.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let mut settings = Settings::default();
    given.iter().for_each(|(key, value)| settings.set(key, value).unwrap());
    let config = CatalogConfig { settings: Arc::new(settings), ..config(Path::new(DIR)) };
    let catalog = Catalog::open_unlocked(Arc::new(disk), config, ids(1), NOW).unwrap();
    let topic = create(&catalog, "t", 1);
    change_topic(&catalog, &[("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0.01")]);
    let partition = catalog.partition(topic, PartitionIndex(0)).unwrap();
    let all: Vec<u32> = (0..keys).collect();
    for some in all.chunks(1000) {
        let mut builder = BatchBuilder::new(Offset::ZERO);
        for key in some {
            let key = key.to_be_bytes();
            builder.push(&NewRecord { timestamp: NOW, key: Some(&key), value: Some(&[7; 10]), headers: &[] });
        }
        partition.append(&records::check(&builder.build(), 9, &rules(), NOW).unwrap(), NOW).unwrap();
    }
    // What is appended to is not compacted.
    change_topic(&catalog, &[("internal.segment.bytes", "100")]);
    append_at(&catalog, topic, Some(b"last"), Some(b"x"), NOW);
    reads.store(0, Ordering::Relaxed);
    let mut waited = Duration::ZERO;
    let mut cleaner = Cleaner::new(Arc::clone(&catalog)).unwrap();
    let round = cleaner.round(NOW, &mut |time| {
        waited += time;
        true
    });
    assert_eq!(round, Round::Cleaned);
    let is_whole = cleaner.round(NOW, &mut |_| true) == Round::Idle;
    Cleaned { is_whole, reads: reads.load(Ordering::Relaxed), waited }
}

struct Cleaned {
    /// Whether one round was enough.
    is_whole: bool,
    reads: usize,
    waited: Duration,
}

#[test]
fn compaction_takes_the_memory_and_the_time_that_it_is_given() {
    // 24 bytes a key: of 1 MiB nine tenths hold 39,321 keys, a half 21,845.
    let (megabyte, more) =
        (("log.cleaner.dedupe.buffer.size", "1048576"), ("log.cleaner.dedupe.buffer.size", "2097152"));
    let half = ("log.cleaner.io.buffer.load.factor", "0.5");
    let whole = cleaned(30_000, &[megabyte]);
    assert!(whole.is_whole);
    assert!(!cleaned(30_000, &[megabyte, half]).is_whole);
    assert!(cleaned(30_000, &[more, half]).is_whole);
    let pieces = cleaned(30_000, &[megabyte, ("log.cleaner.io.buffer.size", "60000")]);
    assert!(pieces.reads > 2 * whole.reads, "{} and {}", pieces.reads, whole.reads);
    assert_eq!(whole.waited, Duration::ZERO);
    let slow = cleaned(30_000, &[("log.cleaner.io.max.bytes.per.second", "1000")]);
    assert!(slow.waited > Duration::from_secs(60), "a megabyte, {:?}", slow.waited);
}
