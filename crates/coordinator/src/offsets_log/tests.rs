use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::{NodeId, ProducerEpoch, Sequence, Uuid};
use catalog::{Catalog, CatalogConfig, Cleaner, NewTopic, Round};
use disk::RealDisk;
use settings::{Endpoint, Settings};
use tempfile::TempDir;

use super::*;

const NOW: Millis = Millis(1_700_000_000_000);

/// A compacted partition whose segments are small.
struct Home {
    catalog: Arc<Catalog>,
    partition: Arc<Partition>,
    _dir: TempDir,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let endpoint = Endpoint { name: "PLAINTEXT".to_owned(), host: "here".to_owned(), port: 9092 };
        let config = CatalogConfig {
            data_dir: dir.path().join("data"),
            node_id: NodeId(1),
            cluster_id: None,
            endpoints: vec![endpoint],
            settings: Arc::new(Settings::default()),
        };
        let disk = Arc::new(RealDisk::new());
        let catalog = Catalog::open_unlocked(disk, config, Box::new(Uuid::new_v4), NOW).unwrap();
        let settings = [
            ("cleanup.policy", "compact"),
            ("segment.bytes", "1048576"),
            ("min.cleanable.dirty.ratio", "0.01"),
        ];
        let configs = settings.map(|(key, value)| (key.to_owned(), Some(value.to_owned())));
        let wish = NewTopic { configs: configs.into(), ..NewTopic::with_defaults("groups") };
        let made = catalog.create_topics(vec![wish], false, NOW).remove(0);
        made.unwrap();
        let id = catalog.topics().by_name("groups").unwrap().id;
        let partition = catalog.partition(id, base::PartitionIndex(0)).unwrap();
        Self { catalog, partition, _dir: dir }
    }

    fn replayed(&self, window: u32) -> Vec<KeyValue> {
        let mut all = Vec::new();
        let count = replay(&self.partition, window, |entry| {
            let Entry::Record { transaction: None, key, value } = entry else { panic!("{entry:?}") };
            all.push(KeyValue { key: Bytes::copy_from_slice(key), value: value.map(Bytes::copy_from_slice) });
            Ok(())
        });
        assert_eq!(count.unwrap(), all.len() as u64);
        all
    }
}

fn record(key: &str, size: usize) -> KeyValue {
    KeyValue { key: key.to_owned().into(), value: Some(vec![b'v'; size].into()) }
}

fn tombstone(key: &str) -> KeyValue {
    KeyValue { key: key.to_owned().into(), value: None }
}

#[test]
fn what_is_written_is_read_whatever_the_window() {
    let home = Home::new();
    let mut written = Vec::new();
    for place in 0..60 {
        // Some larger than a window, some larger than a comfortable batch.
        let size = [10, 100_000, 300_000][place % 3];
        let records: Vec<_> = (0..4).map(|at| record(&format!("{place}-{at}"), size / 4)).collect();
        append(&home.partition, &records, true, NOW).unwrap();
        written.extend(records);
    }
    assert!(home.partition.log_size() > 4 << 20, "several segments");
    for window in [1, 1_000, 250_000, 100 << 20] {
        assert!(home.replayed(window) == written, "window {window}");
    }
}

#[test]
fn a_list_that_may_be_divided_is_divided() {
    let home = Home::new();
    let records: Vec<_> = (0..5).map(|at| record(&format!("{at}"), 300_000)).collect();
    let last = append(&home.partition, &records, false, NOW).unwrap();
    assert_eq!(last, Offset(4));
    let batches: Vec<_> = home.partition.log().headers(Offset::ZERO).map(Result::unwrap).collect();
    let counts: Vec<_> = batches.iter().map(|batch| batch.header.record_count).collect();
    assert_eq!(counts, [3, 2]);
    assert!(home.replayed(1 << 20) == records);

    // One that may not be and fits no segment is refused before anything is written.
    let refused = append(&home.partition, &records, true, NOW);
    assert!(matches!(refused, Err(WriteError::Append(_) | WriteError::Refused(_))), "{refused:?}");
    assert_eq!(home.partition.marks().log_end, Offset(5));
    append(&home.partition, &records[..1], true, NOW).unwrap();
}

#[test]
fn what_compaction_left_is_read() {
    let home = Home::new();
    append(&home.partition, &[record("gone", 10), record("first", 10)], true, NOW).unwrap();
    for round in 0..30 {
        append(&home.partition, &[record("large", 100_000), record("other", round)], true, NOW).unwrap();
        if round == 10 {
            append(&home.partition, &[tombstone("gone")], true, NOW).unwrap();
        }
    }
    append(&home.partition, &[record("last", 1)], true, NOW).unwrap();
    let before = home.replayed(1 << 20);
    let mut cleaner = Cleaner::new(Arc::clone(&home.catalog)).unwrap();
    while cleaner.round(NOW, &mut |_: Duration| true) == Round::Cleaned {}
    let after = home.replayed(1 << 20);
    assert!(after.len() < before.len() / 2, "{} of {}", after.len(), before.len());
    assert_eq!(home.replayed(1), after, "gaps end no window early");
    assert!(!after.contains(&record("gone", 10)), "a deleted value stays away");
    let latest = |all: Vec<KeyValue>| {
        let all: BTreeMap<_, _> = all.into_iter().map(|one| (one.key, one.value)).collect();
        all.into_iter().filter(|(_, value)| value.is_some()).collect::<Vec<_>>()
    };
    let before = latest(before);
    assert_eq!(before.len(), 4);
    assert!(before == latest(after));
}

/// What a batch comes to.
fn told(batch: &[u8]) -> Result<Vec<String>, LoadError> {
    let mut all = Vec::new();
    let header = BatchHeader::parse(batch).unwrap();
    tell_batch(&header, batch, &mut |entry| {
        all.push(match entry {
            Entry::Record { transaction, key, .. } => {
                format!("{} of {:?}", String::from_utf8_lossy(key), transaction.map(|id| id.0))
            }
            Entry::End { producer_id, committed } => format!("end of {}: {committed}", producer_id.0),
        });
        Ok(())
    })?;
    Ok(all)
}

#[test]
fn transactions_and_their_ends_are_told() {
    let builder = || {
        BatchBuilder::new(Offset(7))
            .producer(ProducerId(42), ProducerEpoch(3), Sequence(0))
            .transactional(true)
    };
    let mut data = builder();
    for key in [Some(&b"offset"[..]), None, Some(b"another")] {
        data.push(&NewRecord { timestamp: NOW, key, value: Some(b"v"), headers: &[] });
    }
    let data = data.build();
    assert_eq!(told(&data).unwrap(), ["offset of Some(42)", "another of Some(42)"]);

    for committed in [true, false] {
        let marker = EndTxnMarker { committed, coordinator_epoch: 0 };
        let (key, value) = (marker.control_type().key(), marker.value());
        let mut end = builder().control(true);
        end.push(&NewRecord { timestamp: NOW, key: Some(&key), value: Some(&value), headers: &[] });
        assert_eq!(told(&end.build()).unwrap(), [format!("end of 42: {committed}")]);
    }
    let mut nonsense = builder().control(true);
    nonsense.push(&NewRecord { timestamp: NOW, key: Some(b"x"), value: None, headers: &[] });
    assert!(matches!(told(&nonsense.build()), Err(LoadError::Control { offset: Offset(7), .. })));

    let mut damaged = data.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    assert!(matches!(told(&damaged), Err(LoadError::Checksum(Offset(7)))));
}
