//! Configurations that change while the broker runs: what is stored, what survives, and what follows at once.

use std::sync::atomic::{AtomicI32, Ordering};

use state_machines::configs::{Alteration, Change, Refusal, Resource, ResourceType};

use super::*;
use crate::{Cleaner, ConfigsError, Round};

/// Sets these keys of a resource, or takes away what has no value.
fn set(kind: ResourceType, name: &str, pairs: &[(&str, Option<&str>)]) -> Alteration {
    let change = |(key, value): &(&str, Option<&str>)| {
        ((*key).to_owned(), i8::from(value.is_none()), value.map(str::to_owned))
    };
    let change = Change::Each(pairs.iter().map(change).collect());
    Alteration { resource: Resource::new(kind, name), change }
}

fn alter(catalog: &Catalog, alteration: Alteration) {
    catalog.alter_configs(vec![alteration], false, NOW).remove(0).unwrap();
}

fn alter_topic(catalog: &Catalog, pairs: &[(&str, Option<&str>)]) {
    alter(catalog, set(ResourceType::Topic, "t", pairs));
}

fn refusal(catalog: &Catalog, alteration: Alteration) -> String {
    match catalog.alter_configs(vec![alteration], false, NOW).remove(0) {
        Err(ConfigsError::Refused(why)) => why.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Names of the files of `t-0`, without what every partition has.
fn files(disk: &CrashDisk) -> Vec<String> {
    let mut names = names(disk, Path::new(DIR).join("t-0"));
    names.retain(|name| name.ends_with(".log") || name.ends_with(".deleted"));
    names
}

/// How many segments `t-0` has.
fn segments(disk: &CrashDisk) -> usize {
    files(disk).iter().filter(|name| name.ends_with(".log")).count()
}

fn stage() -> (CrashDisk, Arc<Catalog>, Uuid) {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let topic = create(&catalog, "t", 1);
    append(&catalog, topic, "first");
    (disk, catalog, topic)
}

#[test]
fn a_change_is_one_batch_and_survives() {
    let (disk, catalog, _) = stage();
    let before = metadata_lines(&disk, Path::new(DIR)).len();
    let alterations = vec![
        set(ResourceType::Topic, "t", &[("retention.ms", Some("5")), ("segment.ms", None)]),
        set(ResourceType::Group, "g", &[("consumer.session.timeout.ms", Some("50000"))]),
        set(ResourceType::ClientMetrics, "m", &[("interval.ms", Some("1"))]),
        set(ResourceType::ClientMetrics, "n", &[("interval.ms", Some("1000"))]),
        set(ResourceType::Broker, "", &[("log.segment.bytes", Some("2000000"))]),
        set(ResourceType::Broker, "1", &[("log.segment.bytes", Some("3000000"))]),
    ];
    let answers = catalog.alter_configs(alterations, false, NOW);
    let refused: Vec<_> =
        answers.iter().enumerate().filter(|(_, answer)| answer.is_err()).map(|(at, _)| at).collect();
    assert_eq!(refused, [2], "{answers:?}");
    let lines = metadata_lines(&disk, Path::new(DIR));
    let written: Vec<_> = lines[before..].iter().map(|line| line.split_once(" e1 ").unwrap()).collect();
    assert!(
        written.iter().all(|(at, _)| at.split(' ').next() == written[0].0.split(' ').next()),
        "{written:?}"
    );
    let records: Vec<_> = written.iter().map(|(_, record)| *record).collect();
    assert_eq!(
        records,
        [
            "CONFIG_RECORD v0 {resourceType=2 resourceName=t name=retention.ms value=5}",
            "CONFIG_RECORD v0 {resourceType=32 resourceName=g name=consumer.session.timeout.ms value=50000}",
            "CONFIG_RECORD v0 {resourceType=16 resourceName=n name=interval.ms value=1000}",
            "CONFIG_RECORD v0 {resourceType=4 resourceName= name=log.segment.bytes value=2000000}",
            "CONFIG_RECORD v0 {resourceType=4 resourceName=1 name=log.segment.bytes value=3000000}",
        ]
    );
    assert_eq!(catalog.metadata_offset(), Offset(i64::try_from(lines.len()).unwrap() - 1));
    let seen = (catalog.configs(), catalog.topics());
    catalog.close(NOW).unwrap();
    let catalog = open(&disk, 2).unwrap();
    assert_eq!((catalog.configs(), catalog.topics()), seen);
    assert_eq!(catalog.settings().log_segment_bytes(), 3_000_000, "this broker's own beats that of all");
    let id = catalog.topics().by_name("t").unwrap().id;
    let settings = catalog.topic_settings(id).unwrap();
    assert_eq!((settings.retention_ms, settings.segment_bytes), (5, 3_000_000));
}

#[test]
fn subscriptions_to_client_metrics_have_limits() {
    let (_disk, catalog, _) = stage();
    let metrics =
        |name: &str, key: &str, value: &str| set(ResourceType::ClientMetrics, name, &[(key, Some(value))]);
    let refused = |alterations| -> Vec<bool> {
        let one = |answer| match answer {
            Ok(()) => false,
            Err(ConfigsError::Refused(Refusal::TooManySubscriptions)) => true,
            other => panic!("{other:?}"),
        };
        catalog.alter_configs(alterations, false, NOW).into_iter().map(one).collect()
    };
    let large = refusal(&catalog, metrics("m", "match", "client_id=((a{50}){50}){6}"));
    assert!(large.contains("no regular expression"), "{large}");

    // What one request brings counts together, and what stands beside it.
    let four = |at: i32| {
        let patterns = format!("client_id={at},client_id=b,client_id=c,client_source_port={at}");
        metrics(&format!("s{at}"), "match", &patterns)
    };
    let answers = refused((0..26).map(four).collect());
    assert!(answers[..25].iter().all(|refused| !refused) && answers[25], "{answers:?}");
    assert_eq!(refused(vec![metrics("t", "match", "client_id=x")]), [true]);
    assert_eq!(refused(vec![metrics("s0", "interval.ms", "1000")]), [false]);
    assert_eq!(refused(vec![metrics("s0", "match", "client_id=x,client_id=y")]), [false]);
    assert_eq!(refused(vec![metrics("t", "match", "client_id=x"), four(0)]), [false, true]);
    let gone = set(ResourceType::ClientMetrics, "s1", &[("match", None)]);
    assert_eq!(refused(vec![gone, four(0)]), [false, false]);

    let plain = |at: i32| metrics(&format!("p{at}"), "metrics", "*");
    let answers = refused((0..75).map(plain).collect());
    let standing = catalog.configs().of_type(ResourceType::ClientMetrics).count();
    assert_eq!((standing, answers.iter().filter(|refused| **refused).count()), (100, 0), "{answers:?}");
    assert_eq!(refused(vec![plain(75), plain(1)]), [true, false]);
}

#[test]
fn validating_writes_nothing() {
    let (disk, catalog, topic) = stage();
    let before = disk.operations();
    let wish = || set(ResourceType::Topic, "t", &[("retention.ms", Some("5"))]);
    catalog.alter_configs(vec![wish()], true, NOW).remove(0).unwrap();
    let bad = set(ResourceType::Topic, "t", &[("retention.ms", Some("soon"))]);
    assert!(catalog.alter_configs(vec![bad], true, NOW).remove(0).is_err());
    assert_eq!(disk.operations(), before);
    assert_eq!(catalog.topic_settings(topic).unwrap().retention_ms, 604_800_000);
}

#[test]
fn what_a_change_may_not_be() {
    let (_disk, catalog, _) = stage();
    let broker = |pairs| set(ResourceType::Broker, "", pairs);
    for (alteration, words) in [
        (set(ResourceType::Topic, "t", &[("no.such", Some("1"))]), "unknown setting `no.such`"),
        (set(ResourceType::Topic, "t", &[("retention.ms", Some("-2"))]), "from -1"),
        (
            set(
                ResourceType::Topic,
                "t",
                &[("min.compaction.lag.ms", Some("9")), ("max.compaction.lag.ms", Some("8"))],
            ),
            "cannot be greater",
        ),
        (set(ResourceType::Topic, "u", &[("retention.ms", Some("1"))]), "no such topic"),
        (broker(&[("node.id", Some("2"))]), "cannot be changed while the broker runs"),
        (broker(&[("no.such", Some("2"))]), "unknown setting"),
        (broker(&[("log.segment.bytes", Some("1"))]), "from 1048576"),
        (
            broker(&[
                ("log.cleaner.min.compaction.lag.ms", Some("9")),
                ("log.cleaner.max.compaction.lag.ms", Some("8")),
            ]),
            "cannot be greater",
        ),
        (broker(&[("log.cleaner.io.buffer.load.factor", Some("1.5"))]), "below 1"),
        (broker(&[("min.insync.replicas", None)]), "not taken away"),
        (set(ResourceType::Broker, "1", &[("min.insync.replicas", Some("1"))]), "of one broker"),
        (set(ResourceType::Broker, "2", &[]), "is not this broker"),
        (set(ResourceType::Group, "g", &[("consumer.session.timeout.ms", Some("1"))]), "must lie between"),
        (set(ResourceType::ClientMetrics, "m", &[("match", Some("x"))]), "NAME=PATTERN"),
    ] {
        let said = refusal(&catalog, alteration.clone());
        assert!(said.contains(words), "{alteration:?}: {said}");
    }
    // The codes that differ within one type.
    let code = |alteration| match catalog.alter_configs(vec![alteration], false, NOW).remove(0) {
        Err(ConfigsError::Refused(Refusal::InvalidConfig(_))) => 40,
        Err(ConfigsError::Refused(Refusal::InvalidRequest(_))) => 42,
        other => panic!("{other:?}"),
    };
    let metrics = |key: &str, value: &str| set(ResourceType::ClientMetrics, "m", &[(key, Some(value))]);
    assert_eq!(code(metrics("interval.ms", "x")), 40);
    assert_eq!(code(metrics("match", "client_id=(")), 40);
    assert_eq!(code(metrics("interval.ms", "1")), 42);
    assert_eq!(code(metrics("interval", "1")), 42);
    assert_eq!(code(broker(&[("log.segment.bytes", Some("x"))])), 42);
}

#[test]
fn a_full_set_and_lists() {
    let (_disk, catalog, topic) = stage();
    alter_topic(&catalog, &[("retention.ms", Some("5")), ("segment.ms", Some("6"))]);
    let resource = || Resource::new(ResourceType::Topic, "t");
    let change = Change::Replace(vec![("segment.ms".into(), Some("7".into()))]);
    alter(&catalog, Alteration { resource: resource(), change });
    let change = Change::Each(vec![("cleanup.policy".into(), 2, Some("compact".into()))]);
    alter(&catalog, Alteration { resource: resource(), change });
    let settings = catalog.topic_settings(topic).unwrap();
    assert_eq!((settings.retention_ms, settings.segment_ms), (604_800_000, 7));
    assert!(settings.compact && settings.delete);
    assert_eq!(catalog.topics().by_name("t").unwrap().configs["cleanup.policy"], "delete,compact");
}

#[test]
fn min_insync_replicas_lets_go_of_eligible_leaders() {
    let (disk, catalog, _) = stage();
    alter_topic(&catalog, &[("min.insync.replicas", Some("2"))]);
    alter(&catalog, set(ResourceType::Broker, "", &[("min.insync.replicas", Some("2"))]));
    let lines = metadata_lines(&disk, Path::new(DIR));
    let last: Vec<_> =
        lines[lines.len() - 4..].iter().map(|line| line.split_once(" e1 ").unwrap().1).collect();
    assert_eq!(
        last,
        [
            "CONFIG_RECORD v0 {resourceType=2 resourceName=t name=min.insync.replicas value=2}",
            "CLEAR_ELR_RECORD v0 {topicName=t}",
            "CONFIG_RECORD v0 {resourceType=4 resourceName= name=min.insync.replicas value=2}",
            "CLEAR_ELR_RECORD v0 {topicName=}",
        ]
    );
}

#[test]
fn segments_roll_as_the_topic_says_from_now_on() {
    let (disk, catalog, topic) = stage();
    append(&catalog, topic, "fits");
    assert_eq!(segments(&disk), 1);
    alter_topic(&catalog, &[("segment.bytes", Some("1048576")), ("internal.segment.bytes", Some("80"))]);
    append(&catalog, topic, "does not fit");
    assert_eq!(segments(&disk), 2);
    alter_topic(&catalog, &[("internal.segment.bytes", None)]);
    append(&catalog, topic, "fits again");
    assert_eq!(segments(&disk), 2);
    alter_topic(&catalog, &[("segment.index.bytes", Some("8")), ("index.interval.bytes", Some("0"))]);
    for _ in 0..4 {
        append(&catalog, topic, "an index is full");
    }
    assert!(segments(&disk) > 2, "{:?}", files(&disk));
}

#[test]
fn an_index_is_as_dense_as_the_topic_says_from_now_on() {
    let indexed = |interval: &str| {
        let (disk, catalog, topic) = stage();
        alter_topic(&catalog, &[("index.interval.bytes", Some(interval))]);
        (0..10).for_each(|_| _ = append(&catalog, topic, "x"));
        catalog.close(NOW).unwrap();
        let path = Path::new(DIR).join("t-0/00000000000000000000.index");
        disk::read_whole(&disk, &path, 1000).unwrap().unwrap().len() / 8
    };
    assert_eq!((indexed("4096"), indexed("200"), indexed("0")), (0, 3, 10));
}

#[test]
fn a_preallocated_segment_takes_its_size_at_once() {
    let (disk, catalog, topic) = stage();
    alter_topic(&catalog, &[("preallocate", Some("true")), ("internal.segment.bytes", Some("100"))]);
    append(&catalog, topic, "next");
    append(&catalog, topic, "next");
    let newest = files(&disk).pop().unwrap();
    let path = Path::new(DIR).join("t-0").join(newest);
    assert_eq!(disk::read_whole(&disk, &path, 1000).unwrap().unwrap().len(), 100);
}

#[test]
fn old_segments_go_as_the_topic_says_from_now_on() {
    let (disk, catalog, topic) = stage();
    alter_topic(&catalog, &[("internal.segment.bytes", Some("80"))]);
    for _ in 0..3 {
        append(&catalog, topic, "x");
    }
    let later = NOW.plus(600_000);
    let partition = catalog.partition(topic, PartitionIndex(0)).unwrap();
    partition.flush().unwrap();
    catalog.tend(later);
    assert_eq!(segments(&disk), 4, "a week has not passed");
    alter_topic(&catalog, &[("retention.bytes", Some("150")), ("file.delete.delay.ms", Some("7"))]);
    catalog.tend(later.plus(600_000));
    assert!(segments(&disk) < 4, "{:?}", files(&disk));
    catalog.tend(later.plus(600_007));
    assert!(files(&disk).iter().all(|name| !name.ends_with(".deleted")), "{:?}", files(&disk));
    alter_topic(&catalog, &[("retention.bytes", None), ("retention.ms", Some("1"))]);
    catalog.tend(later.plus(1_200_000));
    assert_eq!(segments(&disk), 1, "{:?}", files(&disk));
    let start = partition.marks().log_start;
    alter_topic(&catalog, &[("cleanup.policy", Some("compact"))]);
    append(&catalog, topic, "stays");
    append(&catalog, topic, "stays");
    catalog.tend(later.plus(1_800_000));
    assert_eq!(partition.marks().log_start, start, "only deletion goes by age");
}

#[test]
fn flushes_come_as_the_topic_says_from_now_on() {
    let disk = CrashDisk::calm(1);
    // Where a flush that is asked for is done at once.
    let catalog = Catalog::open_in_order(disk.shared(), config(Path::new(DIR)), ids(1), NOW).unwrap();
    let topic = create(&catalog, "t", 1);
    let partition = catalog.partition(topic, PartitionIndex(0)).unwrap();
    let unflushed = || partition.marks().log_end.0 - partition.marks().flushed.0;
    append(&catalog, topic, "x");
    append(&catalog, topic, "x");
    assert_eq!(unflushed(), 2);
    alter_topic(&catalog, &[("flush.messages", Some("1"))]);
    append(&catalog, topic, "x");
    assert_eq!(unflushed(), 0);
    alter_topic(&catalog, &[("flush.messages", None)]);
    append(&catalog, topic, "x");
    catalog.tend(NOW.plus(10_000));
    assert_eq!(unflushed(), 1, "never by time");
    alter_topic(&catalog, &[("flush.ms", Some("5"))]);
    append(&catalog, topic, "x");
    assert_eq!(unflushed(), 1);
    catalog.tend(NOW.plus(4));
    assert_eq!(unflushed(), 1);
    catalog.tend(NOW.plus(5));
    assert_eq!(unflushed(), 0);
}

#[test]
fn a_change_that_is_not_about_flushing_flushes_nothing() {
    let disk = CrashDisk::calm(1);
    let catalog = Catalog::open_in_order(disk.shared(), config(Path::new(DIR)), ids(1), NOW).unwrap();
    let topic = create(&catalog, "t", 1);
    append(&catalog, topic, "x");
    let flushed = || catalog.partition(topic, PartitionIndex(0)).unwrap().marks().flushed;
    alter(&catalog, set(ResourceType::Broker, "", &[("max.connections", Some("5"))]));
    alter(&catalog, set(ResourceType::Broker, "", &[("log.retention.bytes", Some("5"))]));
    assert_eq!(flushed(), Offset(0));
    alter(&catalog, set(ResourceType::Broker, "", &[("log.flush.interval.messages", Some("1"))]));
    assert_eq!(flushed(), Offset(1), "what waits for an ack is not left waiting");
}

#[test]
fn segments_roll_by_age_as_the_topic_says_from_now_on() {
    let (disk, catalog, topic) = stage();
    let later = NOW.plus(10_000);
    let append_later = || {
        let mut builder = BatchBuilder::new(Offset::ZERO);
        builder.push(&NewRecord { timestamp: later, value: Some(b"x"), ..NewRecord::default() });
        let batch = records::check(&builder.build(), 9, &rules(), later).unwrap();
        catalog.partition(topic, PartitionIndex(0)).unwrap().append(&batch, later).unwrap();
    };
    append_later();
    assert_eq!(segments(&disk), 1);
    alter_topic(&catalog, &[("segment.ms", Some("9000"))]);
    append_later();
    assert_eq!(segments(&disk), 2);
}

#[test]
fn compaction_is_due_as_the_topic_says_from_now_on() {
    let cleaned = |before: &[(&str, &str)], change: (&str, Option<&str>)| {
        let (_disk, catalog, topic) = stage();
        alter_topic(
            &catalog,
            &[("cleanup.policy", Some("compact")), ("internal.segment.bytes", Some("1000"))],
        );
        let pairs: Vec<_> = before.iter().map(|(key, value)| (*key, Some(*value))).collect();
        alter_topic(&catalog, &pairs);
        let partition = catalog.partition(topic, PartitionIndex(0)).unwrap();
        for _ in 0..40 {
            let mut builder = BatchBuilder::new(Offset::ZERO);
            builder.push(&NewRecord { timestamp: NOW, key: Some(b"k"), value: Some(&[7; 60]), headers: &[] });
            partition.append(&records::check(&builder.build(), 9, &rules(), NOW).unwrap(), NOW).unwrap();
        }
        let mut cleaner = Cleaner::new(Arc::clone(&catalog)).unwrap();
        let mut round = || cleaner.round(NOW.plus(60_000), &mut |_| true);
        let first = round();
        alter_topic(&catalog, &[change]);
        (first, round())
    };
    let due = (Round::Idle, Round::Cleaned);
    assert_eq!(cleaned(&[("min.compaction.lag.ms", "3600000")], ("min.compaction.lag.ms", None)), due);
    assert_eq!(
        cleaned(&[("min.cleanable.dirty.ratio", "1")], ("min.cleanable.dirty.ratio", Some("0.5"))),
        due
    );
    assert_eq!(cleaned(&[("min.cleanable.dirty.ratio", "1")], ("max.compaction.lag.ms", Some("1000"))), due);
}

#[test]
fn topics_follow_what_their_broker_is_told() {
    let (disk, catalog, topic) = stage();
    alter_topic(&catalog, &[("retention.ms", Some("5"))]);
    let plain = create(&catalog, "plain", 1);
    for (key, value, topic_key) in [
        ("log.segment.bytes", "2000000", "segment.bytes"),
        ("log.roll.ms", "1", "segment.ms"),
        ("log.roll.jitter.ms", "2", "segment.jitter.ms"),
        ("log.index.size.max.bytes", "4", "segment.index.bytes"),
        ("log.flush.interval.messages", "3", "flush.messages"),
        ("log.flush.interval.ms", "4", "flush.ms"),
        ("log.retention.ms", "6", "retention.ms"),
        ("log.retention.bytes", "7", "retention.bytes"),
        ("message.max.bytes", "8", "max.message.bytes"),
        ("log.index.interval.bytes", "9", "index.interval.bytes"),
        ("log.cleaner.delete.retention.ms", "10", "delete.retention.ms"),
        ("log.cleaner.min.compaction.lag.ms", "11", "min.compaction.lag.ms"),
        ("log.cleaner.max.compaction.lag.ms", "12", "max.compaction.lag.ms"),
        ("log.segment.delete.delay.ms", "13", "file.delete.delay.ms"),
        ("log.cleaner.min.cleanable.ratio", "0.25", "min.cleanable.dirty.ratio"),
        ("log.cleanup.policy", "compact", "cleanup.policy"),
        ("compression.type", "zstd", "compression.type"),
        ("compression.gzip.level", "1", "compression.gzip.level"),
        ("compression.zstd.level", "2", "compression.zstd.level"),
        ("log.preallocate", "true", "preallocate"),
        ("log.message.timestamp.type", "LogAppendTime", "message.timestamp.type"),
        ("log.message.timestamp.before.max.ms", "14", "message.timestamp.before.max.ms"),
        ("log.message.timestamp.after.max.ms", "15", "message.timestamp.after.max.ms"),
    ] {
        let before = catalog.topic_settings(plain).unwrap();
        alter(&catalog, set(ResourceType::Broker, "", &[(key, Some(value))]));
        let changed = catalog.topic_settings(plain).unwrap();
        // What the topic would come to if it had this of its own.
        let own = [(topic_key.to_owned(), value.to_owned())].into();
        assert_eq!(*changed, catalog.settings().topic(&own).unwrap(), "{key}");
        // Levels count for the codec that is in force.
        assert!(changed != before || key.ends_with(".level"), "{key} changes nothing");
        assert_eq!(catalog.topic_settings(topic).unwrap().retention_ms, 5, "its own is stronger");
    }
    let settings = catalog.topic_settings(plain).unwrap();
    assert_eq!((settings.segment_ms, settings.retention_ms, settings.max_message_bytes), (1, 6, 8));
    assert_eq!(settings.timestamp_after_max_ms, 15);
    alter(&catalog, set(ResourceType::Broker, "1", &[("log.retention.ms", Some("60"))]));
    assert_eq!(catalog.topic_settings(plain).unwrap().retention_ms, 60);
    alter(&catalog, set(ResourceType::Broker, "1", &[("log.retention.ms", None)]));
    assert_eq!(catalog.topic_settings(plain).unwrap().retention_ms, 6);
    // What is open follows as well: each record has a segment of its own now.
    let before = segments(&disk);
    append(&catalog, topic, "x");
    append(&catalog, topic, "y");
    assert!(segments(&disk) > before);
}

#[test]
fn silent_producers_are_forgotten_as_the_broker_says_from_now_on() {
    let (_disk, catalog, topic) = stage();
    let mut builder = BatchBuilder::new(Offset::ZERO);
    builder.push(&NewRecord { timestamp: NOW, value: Some(b"x"), ..NewRecord::default() });
    let builder = builder.producer(base::ProducerId(7), base::ProducerEpoch(0), base::Sequence(0));
    let batch = records::check(&builder.build(), 9, &rules(), NOW).unwrap();
    let partition = catalog.partition(topic, PartitionIndex(0)).unwrap();
    partition.append(&batch, NOW).unwrap();
    let later = NOW.plus(3_600_000);
    catalog.tend(later);
    assert_eq!(partition.producers().len(), 1, "a day has not passed");
    alter(&catalog, set(ResourceType::Broker, "", &[("producer.id.expiration.ms", Some("1000"))]));
    catalog.tend(later.plus(3_600_000));
    assert_eq!(partition.producers().len(), 0);
}

#[test]
fn the_cleaner_reads_its_settings_anew() {
    let (_disk, catalog, _) = stage();
    let cleaner = Cleaner::new(Arc::clone(&catalog)).unwrap();
    assert_eq!(cleaner.backoff().as_millis(), 15_000);
    let pairs = [
        ("log.cleaner.backoff.ms", Some("3")),
        ("log.cleaner.dedupe.buffer.size", Some("2000000")),
        ("log.cleaner.io.buffer.size", Some("100000")),
        ("log.cleaner.io.buffer.load.factor", Some("0.5")),
        ("log.cleaner.io.max.bytes.per.second", Some("1000")),
    ];
    alter(&catalog, set(ResourceType::Broker, "", &pairs));
    assert_eq!(cleaner.backoff().as_millis(), 3);
    let limits = cleaner.limits();
    assert_eq!((limits.keys.bytes, limits.io_bytes), (2_000_000, 50_000));
    assert!((limits.keys.load - 0.5).abs() < f64::EPSILON);
}

#[test]
fn groups_are_told_what_they_have_of_their_own() {
    let (disk, catalog, _) = stage();
    let of =
        |catalog: &Catalog| catalog.group_overrides().get("g").map(|own| own.consumer_session_timeout_ms);
    assert_eq!(of(&catalog), None);
    let session = |value| set(ResourceType::Group, "g", &[("consumer.session.timeout.ms", value)]);
    alter(&catalog, session(Some("50000")));
    create(&catalog, "another", 1);
    assert_eq!(of(&catalog), Some(Some(50_000)));
    catalog.close(NOW).unwrap();
    let catalog = open(&disk, 2).unwrap();
    assert_eq!(of(&catalog), Some(Some(50_000)));
    alter(&catalog, session(None));
    assert_eq!(of(&catalog), None);
}

#[test]
fn who_asks_is_told_of_the_brokers_settings() {
    let (_disk, catalog, _) = stage();
    let seen = Arc::new(AtomicI32::new(0));
    catalog.on_settings({
        let seen = Arc::clone(&seen);
        move |settings| seen.store(settings.max_connections(), Ordering::Relaxed)
    });
    assert_eq!(seen.load(Ordering::Relaxed), 10_000);
    alter(&catalog, set(ResourceType::Broker, "1", &[("max.connections", Some("5"))]));
    assert_eq!(seen.load(Ordering::Relaxed), 5);
}

/// One of those who are told may have to look up a name, which takes its time.
#[test]
fn who_is_told_of_settings_holds_up_nobody() {
    let (_disk, catalog, _) = stage();
    let (created, creation) = std::sync::mpsc::channel();
    let is_first = std::sync::atomic::AtomicBool::new(true);
    let creation = std::sync::Mutex::new(creation);
    catalog.on_settings(move |_| {
        if !is_first.swap(false, Ordering::Relaxed) {
            let soon = std::time::Duration::from_secs(20);
            creation.lock().unwrap().recv_timeout(soon).expect("a topic is created meanwhile");
        }
    });
    std::thread::scope(|scope| {
        scope.spawn(|| alter(&catalog, set(ResourceType::Broker, "1", &[("max.connections", Some("5"))])));
        while catalog.settings().max_connections() != 5 {
            std::thread::yield_now();
        }
        create(&catalog, "meanwhile", 1);
        created.send(()).unwrap();
    });
}
