//! The settings of flushing, as a restart finds them.

use super::*;

/// The catalogue with these settings of the broker.
fn open_with(disk: &CrashDisk, seed: u128, given: &[(&str, &str)]) -> Arc<Catalog> {
    let mut settings = Settings::default();
    given.iter().for_each(|(key, value)| settings.set(key, value).unwrap());
    let config = CatalogConfig { settings: Arc::new(settings), ..config(Path::new(DIR)) };
    Catalog::open_in_order(disk.shared(), config, ids(seed), NOW).unwrap()
}

fn marks(catalog: &Catalog, topic: Uuid) -> (i64, i64) {
    let marks = catalog.partition(topic, PartitionIndex(0)).unwrap().marks();
    (marks.flushed.0, marks.high_watermark.0)
}

fn with(catalog: &Catalog, name: &str, key: &str, value: &str) -> Uuid {
    let wish = NewTopic { configs: vec![(key.into(), Some(value.into()))], ..topic(name, 1) };
    catalog.create_topics(vec![wish], false, NOW).remove(0).unwrap().id
}

#[test]
fn how_often_is_flushed_is_the_topics_word_then_the_brokers_and_a_restart_changes_it() {
    let disk = CrashDisk::calm(1);
    let catalog = open_with(&disk, 1, &[]);
    let plain = create(&catalog, "plain", 1);
    let thrice = with(&catalog, "thrice", "flush.messages", "3");
    let timed = with(&catalog, "timed", "flush.ms", "4000");
    for id in [plain, thrice, timed] {
        (0..2).for_each(|_| _ = append(&catalog, id, "x"));
        assert_eq!(marks(&catalog, id), (0, 2), "acknowledged, and not flushed");
    }
    append(&catalog, thrice, "x");
    assert_eq!(marks(&catalog, thrice), (3, 3));
    catalog.tend(NOW.plus(3999));
    assert_eq!(marks(&catalog, timed), (0, 2));
    catalog.tend(NOW.plus(4000));
    assert_eq!(marks(&catalog, timed), (2, 2));
    assert_eq!(marks(&catalog, plain), (0, 2));
    catalog.close(NOW).unwrap();

    let catalog = open_with(&disk, 2, &[("log.flush.interval.messages", "1")]);
    append(&catalog, plain, "x");
    assert_eq!(marks(&catalog, plain), (3, 3), "an ack means flushed now");
    append(&catalog, thrice, "x");
    assert_eq!(marks(&catalog, thrice), (3, 4), "the topic has its own word");
    catalog.close(NOW).unwrap();

    for (seed, key) in [(3, "log.flush.interval.ms"), (4, "log.flush.scheduler.interval.ms")] {
        let catalog = open_with(&disk, seed, &[(key, "500")]);
        let before = marks(&catalog, plain).1;
        append(&catalog, plain, "x");
        catalog.tend(NOW.plus(499));
        assert_eq!(marks(&catalog, plain), (before, before + 1), "{key}");
        catalog.tend(NOW.plus(500));
        assert_eq!(marks(&catalog, plain), (before + 1, before + 1), "{key}");
        catalog.close(NOW).unwrap();
    }
}

#[test]
fn how_often_the_checkpoints_are_written() {
    let disk = CrashDisk::calm(1);
    let settings = [
        ("log.flush.offset.checkpoint.interval.ms", "2000"),
        ("log.flush.start.offset.checkpoint.interval.ms", "7000"),
    ];
    let catalog = open_with(&disk, 1, &settings);
    let id = create(&catalog, "a", 1);
    append(&catalog, id, "x");
    let partition = catalog.partition(id, PartitionIndex(0)).unwrap();
    partition.flush().unwrap();
    let text = |name: &str| {
        let bytes = disk::read_whole(&disk, &Path::new(DIR).join(name), 1000).unwrap();
        bytes.map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let (recovery, start) = ("recovery-point-offset-checkpoint", "log-start-offset-checkpoint");
    catalog.tend(NOW.plus(1999));
    assert_eq!(text(recovery), None);
    catalog.tend(NOW.plus(2000));
    assert_eq!(text(recovery).as_deref(), Some("0\n1\na 0 1\n"));
    assert_eq!(text(start), None);
    partition.delete_records_before(Some(Offset(1))).unwrap();
    catalog.tend(NOW.plus(6999));
    assert_eq!(text(start), None);
    catalog.tend(NOW.plus(7000));
    assert_eq!(text(start).as_deref(), Some("0\n1\na 0 1\n"));
}
