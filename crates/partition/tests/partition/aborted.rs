//! Aborted transactions after a crash: the `.txnindex` of what was scanned is made anew, and says what a broker wrote when
//! the markers came.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use disk::{Disk, OpenHow};
use log::index::TxnEntry;
use log::producer_snapshot::{self, SnapshotRow};
use log::{Known, Log, LogConfig};
use partition::{Flusher, Isolation, Opened, Partition, PartitionConfig};
use records::control::EndTxnMarker;
use records::{BatchBuilder, BatchHeader, HEADER_LEN, NewRecord};
use testkit::{CrashDisk, Random};

use crate::stage::NOW;

/// A log with transactions of several producers, as a broker left it, and what it knew of them.
struct Written {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    bases: Vec<Offset>,
    end: Offset,
    /// All aborted transactions, by their markers.
    aborted: Vec<TxnEntry>,
    /// Where each batch begins, in the log and in its segment.
    batches: Vec<(Offset, Offset, u64)>,
    /// Where the oldest open transaction began before the batch at each offset, if one was open.
    unstable: BTreeMap<Offset, Option<Offset>>,
}

fn config() -> PartitionConfig {
    let log = LogConfig { segment_bytes: 700, ..LogConfig::default() };
    PartitionConfig { log, ..PartitionConfig::default() }
}

/// What is open: producer, first offset of its transaction, next sequence.
type Open = BTreeMap<i64, (Option<Offset>, i32)>;

fn oldest(open: &Open) -> Option<Offset> {
    open.values().filter_map(|(first, _)| *first).min()
}

fn rows(open: &Open) -> Vec<SnapshotRow> {
    open.iter()
        .map(|(producer, (first, next))| SnapshotRow {
            producer_id: *producer,
            producer_epoch: 0,
            last_sequence: next - 1,
            // Any batch before: what counts here are the transactions.
            last_offset: 0,
            offset_delta: 0,
            timestamp: NOW.0,
            coordinator_epoch: -1,
            current_txn_first_offset: first.map_or(-1, |first| first.0),
        })
        .collect()
}

/// Sixty batches and markers, with a snapshot at each roll, and the index entries as the markers come.
fn written(seed: u64) -> Written {
    let mut random = Random::new(seed);
    let disk: Arc<dyn Disk> = CrashDisk::calm(1).shared();
    let dir = Path::new("/data/t-0");
    let known = Known { clean: true, recovery_point: Offset(0), log_start: Offset(0) };
    let (mut log, _) = Log::open(Arc::clone(&disk), dir, config().log, known, NOW).unwrap();
    let mut open = Open::new();
    let (mut aborted, mut batches, mut unstable) = (Vec::new(), Vec::new(), BTreeMap::new());
    for _ in 0..60 {
        let base = log.log_end();
        let producer = 1 + random.below(4) as i64;
        let (first, next) = open.entry(producer).or_default();
        let mut batch = BatchBuilder::new(base).leader_epoch(LeaderEpoch(0));
        let ends = first.is_some() && random.one_in(3);
        let committed = random.one_in(2);
        if ends {
            let marker = EndTxnMarker { committed, coordinator_epoch: 3 };
            batch = batch
                .producer(ProducerId(producer), ProducerEpoch(0), Sequence::NONE)
                .transactional(true)
                .control(true);
            let (key, value) = (marker.control_type().key(), marker.value());
            batch.push(&NewRecord { timestamp: NOW, key: Some(&key), value: Some(&value), headers: &[] });
        } else {
            let count = 1 + random.below(3) as i32;
            batch =
                batch.producer(ProducerId(producer), ProducerEpoch(0), Sequence(*next)).transactional(true);
            for _ in 0..count {
                batch.push(&NewRecord { timestamp: NOW, value: Some(b"value"), ..NewRecord::default() });
            }
        }
        let bytes = batch.build();
        let header = BatchHeader::parse(&bytes).unwrap();
        unstable.insert(base, oldest(&open));
        if log.roll_due(&header, NOW) {
            log.roll(NOW).unwrap();
            producer_snapshot::write(&*disk, dir, base, rows(&open), true).unwrap();
        }
        let at =
            log.append(&header, bytes.first_chunk::<HEADER_LEN>().unwrap(), &bytes[HEADER_LEN..]).unwrap();
        batches.push((base, at.segment, at.position));
        let (first, next) = open.get_mut(&producer).unwrap();
        if ends {
            let began = first.take().unwrap();
            let stable = oldest(&open).unwrap_or(base.next());
            let entry = TxnEntry {
                version: 0,
                producer_id: ProducerId(producer),
                first_offset: began,
                last_offset: base,
                last_stable_offset: stable,
            };
            aborted.extend((!committed).then_some(entry));
        } else {
            first.get_or_insert(base);
            *next += header.record_count;
        }
    }
    let end = log.log_end();
    unstable.insert(end, oldest(&open));
    let bases = log.reader().segment_bases();
    for base in &bases {
        log.write_aborted(*base, &within(&bases, *base, &aborted)).unwrap();
    }
    log.close().unwrap();
    Written { disk, dir: dir.to_owned(), bases, end, aborted, batches, unstable }
}

/// Those whose marker is in the segment at `base`.
fn within(bases: &[Offset], base: Offset, aborted: &[TxnEntry]) -> Vec<TxnEntry> {
    let next = bases.iter().find(|other| **other > base).copied().unwrap_or(Offset(i64::MAX));
    aborted.iter().filter(|entry| entry.last_offset >= base && entry.last_offset < next).copied().collect()
}

impl Written {
    fn path(&self, base: Offset, suffix: &str) -> PathBuf {
        self.dir.join(format!("{base:020}.{suffix}", base = base.0))
    }

    fn open(&self, known: Known) -> (Arc<Partition>, Opened) {
        let disk = Arc::clone(&self.disk);
        Partition::open(disk, Flusher::inline(), &self.dir, config(), known, LeaderEpoch(0), NOW).unwrap()
    }

    fn index(&self, base: Offset) -> Vec<TxnEntry> {
        let bytes = disk::read_whole(&*self.disk, &self.path(base, "txnindex"), 1 << 20).unwrap();
        assert!(bytes.as_ref().is_none_or(|bytes| !bytes.is_empty()), "an empty one is no file");
        TxnEntry::all(&bytes.unwrap_or_default()).collect()
    }

    /// Everything about transactions is what it was when the log ended at `end`.
    #[track_caller]
    fn check(&self, partition: &Partition, end: Offset) {
        let marks = partition.marks();
        assert_eq!((marks.log_end, marks.high_watermark), (end, end));
        assert_eq!(marks.last_stable, self.unstable[&end].unwrap_or(end));
        let expected: Vec<TxnEntry> =
            self.aborted.iter().filter(|entry| entry.last_offset < end).copied().collect();
        for base in self.bases.iter().filter(|base| **base < end) {
            assert_eq!(self.index(*base), within(&self.bases, *base, &expected), "segment {base}");
        }
        for (from, ..) in self.batches.iter().filter(|(base, ..)| *base < marks.last_stable) {
            let read = partition.read(*from, 1 << 20, true, Isolation::ReadCommitted).unwrap();
            let to =
                self.bases.iter().find(|base| *base > from).copied().unwrap_or(end).min(marks.last_stable);
            let overlap = |entry: &&TxnEntry| entry.last_offset >= *from && entry.first_offset < to;
            let expected: Vec<TxnEntry> = expected.iter().filter(overlap).copied().collect();
            assert_eq!(read.aborted, Some(expected), "from {from} to {to}");
        }
    }
}

fn crashed(recovery_point: Offset) -> Known {
    Known { clean: false, recovery_point, log_start: Offset(0) }
}

#[test]
fn what_was_scanned_is_indexed_as_it_was_when_the_markers_came() {
    for seed in 0..6 {
        for (number, lost_snapshots) in [(0, false), (1, true)] {
            let found = written(seed).bases.len();
            assert!(found > 4, "{found} segments");
            for at in 0..found {
                let log = written(seed);
                let point = log.bases[at].plus(number);
                for base in log.bases.iter().filter(|base| **base >= point || lost_snapshots) {
                    // What a crash may leave of a file that was never synced.
                    let file = log.disk.open(&log.path(*base, "txnindex"), OpenHow::Write).unwrap();
                    file.set_len(0).unwrap();
                    file.write_at(0, &[std::io::IoSlice::new(&[7; 50])]).unwrap();
                }
                if lost_snapshots {
                    for offset in producer_snapshot::list(&*log.disk, &log.dir).unwrap() {
                        producer_snapshot::remove(&*log.disk, &log.dir, offset).unwrap();
                    }
                }
                let (partition, _) = log.open(crashed(point));
                log.check(&partition, log.end);
                // And it stays so: now everything is known to be flushed.
                let (partition, opened) = log.open(Known { clean: true, ..crashed(log.end) });
                assert_eq!(opened.log.unindexed, []);
                log.check(&partition, log.end);
            }
        }
    }
}

#[test]
fn what_was_cut_off_is_not_aborted_any_more() {
    for seed in 0..3 {
        let cuts = written(seed).batches;
        for (end, segment, position) in cuts.into_iter().skip(1) {
            let log = written(seed);
            let file = log.disk.open(&log.path(segment, "log"), OpenHow::Existing).unwrap();
            // The next batch is torn.
            file.set_len(position + 30).unwrap();
            let (partition, _) = log.open(crashed(Offset(0)));
            log.check(&partition, end);
        }
    }
}

#[test]
fn a_transaction_that_began_below_the_log_start_is_indexed_from_the_snapshot() {
    for seed in 0..6 {
        let log = written(seed);
        let start = log.bases[3];
        let (mut kept, _) = Log::open(
            Arc::clone(&log.disk),
            &log.dir,
            config().log,
            Known { clean: true, ..crashed(log.end) },
            NOW,
        )
        .unwrap();
        kept.delete_records_before(start);
        kept.apply_retention(log.end, Millis(0)).unwrap();
        assert_eq!(kept.reader().segment_bases()[0], start);
        drop(kept);
        log.disk.open(&log.path(start, "txnindex"), OpenHow::Write).unwrap().set_len(0).unwrap();
        log.open(Known { log_start: start, ..crashed(start) });
        for base in &log.bases[3..] {
            assert_eq!(log.index(*base), within(&log.bases, *base, &log.aborted));
        }
    }
}
