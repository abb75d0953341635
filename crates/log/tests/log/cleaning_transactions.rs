//! Compaction of transactions against a simple model: what a `read_committed` reader sees stays.

use std::collections::BTreeMap;

use base::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};
use log::index::TxnEntry;
use log::{Log, LogReader};
use proptest::prelude::*;
use records::control::EndTxnMarker;
use records::{BatchBuilder, BatchHeader, NewRecord, records_of};

use crate::cleaning::{TOMBSTONES_MS, clean, config, flush_all};
use crate::common::*;

/// A log, and what its partition would know of transactions.
struct Written {
    log: Log,
    value: u32,
    /// Where each open transaction begins.
    open: BTreeMap<ProducerId, Offset>,
    /// The aborted ones, by the segment of their marker.
    aborted: BTreeMap<Offset, Vec<TxnEntry>>,
}

impl Written {
    fn new(log: Log) -> Self {
        Self { log, value: 0, open: BTreeMap::new(), aborted: BTreeMap::new() }
    }

    fn append(&mut self, builder: BatchBuilder) -> Offset {
        let bytes = builder.build();
        let header = BatchHeader::parse(&bytes).unwrap();
        if self.log.roll_due(&header, NOW) {
            self.log.roll(NOW).unwrap();
        }
        append_bytes(&mut self.log, &bytes).unwrap();
        header.base_offset
    }

    fn batch(&self, producer: ProducerId) -> BatchBuilder {
        BatchBuilder::new(self.log.log_end())
            .leader_epoch(LeaderEpoch(0))
            .producer(producer, ProducerEpoch(0), Sequence(0))
            .transactional(true)
    }

    /// Records of a transaction; every fourth is a tombstone.
    fn put(&mut self, producer: ProducerId, keys: &[u8]) {
        let mut batch = self.batch(producer);
        for key in keys {
            self.value += 1;
            let bytes = self.value.to_be_bytes();
            let value = (!self.value.is_multiple_of(4)).then_some(&bytes[..]);
            batch.push(&NewRecord { timestamp: NOW, key: Some(&[*key]), value, headers: &[] });
        }
        let base = self.append(batch);
        self.open.entry(producer).or_insert(base);
    }

    fn end(&mut self, producer: ProducerId, committed: bool) {
        let Some(first_offset) = self.open.remove(&producer) else { return };
        let marker = EndTxnMarker { committed, coordinator_epoch: 0 };
        let mut batch = self.batch(producer).control(true);
        let (key, value) = (marker.control_type().key(), marker.value());
        batch.push(&NewRecord { timestamp: NOW, key: Some(&key), value: Some(&value), headers: &[] });
        let last_offset = self.append(batch);
        if !committed {
            let last_stable_offset = self.open.values().min().copied().unwrap_or(last_offset.plus(1));
            let entry =
                TxnEntry { version: 0, producer_id: producer, first_offset, last_offset, last_stable_offset };
            let segment = self.log.reader().segment_bases().last().copied().unwrap();
            self.aborted.entry(segment).or_default().push(entry);
        }
    }

    /// Everything is in closed segments, on disk, with their `.txnindex`.
    fn settle(&mut self) {
        for producer in self.open.keys().copied().collect::<Vec<_>>() {
            self.end(producer, true);
        }
        self.log.roll(NOW).unwrap();
        for (segment, entries) in std::mem::take(&mut self.aborted) {
            self.log.write_aborted(segment, &entries).unwrap();
        }
        flush_all(&mut self.log).unwrap();
    }
}

/// The newest committed record of each key that is no tombstone: offset and value.
fn committed(reader: &LogReader) -> BTreeMap<u8, (Offset, Vec<u8>)> {
    let aborted = reader.aborted_transactions(Offset(0), reader.log_end()).unwrap();
    let bytes = read_from(reader, Offset(0), 700);
    let (mut found, mut rest) = (BTreeMap::new(), &bytes[..]);
    while !rest.is_empty() {
        let records = records_of(rest, 1 << 20).unwrap();
        let header = *records.header();
        let is_aborted = aborted.iter().any(|entry| {
            entry.producer_id == header.producer_id
                && (entry.first_offset..=entry.last_offset).contains(&header.base_offset)
        });
        for record in records.iter().filter(|_| !is_aborted && !header.attributes.is_control()) {
            let record = record.unwrap();
            let (key, offset) = (record.key.unwrap()[0], record.offset(&header));
            match record.value {
                Some(value) => found.insert(key, (offset, value.to_vec())),
                None => found.remove(&key),
            };
        }
        rest = &rest[header.size()..];
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// Whatever is committed and aborted, whenever it is cleaned, with whatever memory.
    #[test]
    fn what_is_committed_stays_and_nothing_else_comes_up(
        rounds in prop::collection::vec(
            (
                prop::collection::vec((1..4_i64, prop::collection::vec(0..30_u8, 1..6), 0..6_u8), 1..60),
                any::<bool>(),
            ),
            1..5,
        ),
        key_bytes in prop::sample::select(vec![400_usize, 1000, 1 << 20]),
    ) {
        let rig = Rig::new();
        let mut written = Written::new(rig.open(&config(), NEW).0);
        let (mut first_dirty, mut now) = (None, NOW);
        for (steps, passes) in rounds {
            for (producer, keys, then) in steps {
                written.put(ProducerId(producer), &keys);
                match then {
                    0 => written.end(ProducerId(producer), true),
                    1 | 2 => written.end(ProducerId(producer), false),
                    _ => {}
                }
            }
            written.settle();
            let end = written.log.log_end();
            let before = committed(&written.log.reader());
            // Horizons pass between some rounds and not between others.
            now = now.plus(if passes { 2 * TOMBSTONES_MS } else { 10 });
            while first_dirty != Some(end) {
                let (cleaned_to, _) = clean(&mut written.log, first_dirty, key_bytes, now).unwrap();
                prop_assert!(Some(cleaned_to) > first_dirty && cleaned_to <= end);
                first_dirty = Some(cleaned_to);
                prop_assert_eq!(&committed(&written.log.reader()), &before, "cleaned to {}", cleaned_to);
            }
        }
    }
}

/// The keys fit up to the middle of a segment, which is copied whole. What was aborted behind them goes, or is still told of.
#[test]
fn what_was_aborted_behind_the_last_key_that_fits_stays_aborted() {
    let rig = Rig::new();
    let mut written = Written::new(rig.open(&config(), NEW).0);
    for key in 0..4 {
        written.put(ProducerId(1), &[key]);
    }
    written.end(ProducerId(1), true);
    let first = written.log.log_end();
    written.put(ProducerId(7), &[100, 101]);
    written.end(ProducerId(7), false);
    written.settle();
    let before = committed(&written.log.reader());
    let (cleaned_to, _) = clean(&mut written.log, None, 3 * 24 * 2, NOW).unwrap();
    assert!(cleaned_to < first, "the keys were to fit up to before {first}, not to {cleaned_to}");
    assert_eq!(committed(&written.log.reader()), before);
}
