//! The `.txnindex` files: which aborted transactions a reader is told of, and which files a start believes.

use base::{Offset, ProducerEpoch, ProducerId, Sequence};
use log::index::TxnEntry;
use log::{Known, Log, LogError};
use records::control::EndTxnMarker;
use records::{BatchBuilder, NewRecord};

use crate::common::*;

fn entry(first: i64, last: i64, stable: i64) -> TxnEntry {
    TxnEntry {
        version: 0,
        producer_id: ProducerId(1),
        first_offset: Offset(first),
        last_offset: Offset(last),
        last_stable_offset: Offset(stable),
    }
}

fn bytes(entries: &[TxnEntry]) -> Vec<u8> {
    entries.iter().flat_map(TxnEntry::encode).collect()
}

fn name(base: i64) -> String {
    format!("{base:020}.txnindex")
}

/// Forty batches of two records over several segments (the first five begin at 0, 22, 44 and 66), and the `.txnindex` of two.
fn filled(rig: &Rig) -> Log {
    let (mut log, _) = rig.open(&small(), NEW);
    for at in 0..40 {
        write(&mut log, Plan::of(2, 30, 1000 + 10 * at)).unwrap();
    }
    log.write_aborted(Offset(0), &[entry(0, 3, 2), entry(2, 9, 10)]).unwrap();
    log.write_aborted(Offset(44), &[entry(20, 60, 30), entry(30, 65, 66)]).unwrap();
    log
}

/// What a clean stop at the log's end leaves.
const STOPPED: Known = Known { recovery_point: Offset(80), ..NEW };

#[test]
fn aborted_transactions_come_from_the_index_of_each_segment() {
    let rig = Rig::new();
    let mut log = filled(&rig);
    assert_eq!(log.reader().segment_bases(), [Offset(0), Offset(22), Offset(44), Offset(66)]);
    let check = |log: &Log| {
        let aborted = |from, to| log.reader().aborted_transactions(Offset(from), Offset(to)).unwrap();
        assert_eq!(aborted(0, 2), [entry(0, 3, 2)]);
        assert_eq!(aborted(4, 40), [entry(2, 9, 10), entry(20, 60, 30), entry(30, 65, 66)]);
        assert_eq!(aborted(4, 30), [entry(2, 9, 10), entry(20, 60, 30)]);
        assert_eq!(aborted(10, 80), [entry(20, 60, 30), entry(30, 65, 66)]);
        assert_eq!(aborted(61, 80), [entry(30, 65, 66)]);
        assert_eq!(aborted(66, 80), []);
    };
    check(&log);
    log.close().unwrap();
    let (mut log, opened) = rig.open(&small(), STOPPED);
    assert_eq!(opened.unindexed, []);
    check(&log);
    log.write_aborted(Offset(44), &[]).unwrap();
    assert!(!rig.path(&name(44)).exists());
    assert_eq!(log.reader().aborted_transactions(Offset(10), Offset(80)).unwrap(), []);
}

#[test]
fn a_reader_hears_of_what_was_aborted_among_the_batches_it_gets() {
    let rig = Rig::new();
    let log = filled(&rig);
    let size = 61 + 2 * (30 + 7);
    let told = |from: i64, ceiling: i64, batches: u32| {
        let (out, aborted) =
            log.reader().read_committed(Offset(from), Offset(ceiling), batches * size, true).unwrap();
        (out.bytes.div_ceil(size), aborted.iter().map(|entry| entry.first_offset.0).collect::<Vec<_>>())
    };
    assert_eq!(told(0, 80, 1), (1, vec![0]), "the second one begins in the next batch");
    assert_eq!(told(0, 80, 2), (2, vec![0, 2]));
    assert_eq!(told(0, 2, 9), (1, vec![0]), "behind the ceiling nothing is read");
    assert_eq!(told(3, 80, 1), (1, vec![0, 2]), "from within a batch");
    assert_eq!(told(4, 80, 8), (8, vec![2]), "up to 20, where the next one begins");
    assert_eq!(told(4, 80, 9), (9, vec![2, 20]), "whose marker is two segments on");
    assert_eq!(told(22, 80, 99), (11, vec![20, 30]), "to the end of a segment");
    assert_eq!(told(66, 80, 99), (7, vec![]), "to the end of the log");
    assert_eq!(told(80, 80, 99), (0, vec![]));
}

#[test]
fn only_what_such_a_file_can_say_is_believed() {
    let rig = Rig::new();
    filled(&rig).close().unwrap();
    let good = rig.bytes(&name(44));
    let bad = [
        bytes(&[TxnEntry { version: 1, ..entry(20, 60, 30) }]),
        bytes(&[entry(30, 65, 66), entry(20, 60, 30)]),
        bytes(&[entry(20, 60, 30), entry(30, 60, 61)]),
        bytes(&[entry(61, 60, 61)]),
        bytes(&[entry(20, 43, 61)]),
        good[..40].to_vec(),
        vec![0; 34],
    ];
    for bytes in bad {
        std::fs::write(rig.path(&name(44)), &bytes).unwrap();
        let (mut log, opened) = rig.open(&small(), STOPPED);
        assert_eq!(opened.unindexed, [Offset(44)], "{bytes:?}");
        let error = log.reader().aborted_transactions(Offset(20), Offset(80)).unwrap_err();
        assert!(matches!(error, LogError::DamagedTxnIndex { .. }), "{error}");
        log.write_aborted(Offset(44), &[entry(20, 60, 30), entry(30, 65, 66)]).unwrap();
        assert_eq!(rig.bytes(&name(44)), good);
        assert_eq!(log.reader().aborted_transactions(Offset(20), Offset(80)).unwrap().len(), 2);
    }
}

#[test]
fn a_scan_asks_for_the_index_where_there_are_markers_and_removes_it_where_there_are_none() {
    let rig = Rig::new();
    let mut log = filled(&rig);
    let marker = EndTxnMarker { committed: false, coordinator_epoch: 0 };
    let mut batch = BatchBuilder::new(log.log_end())
        .producer(ProducerId(1), ProducerEpoch(0), Sequence::NONE)
        .transactional(true)
        .control(true);
    let (key, value) = (marker.control_type().key(), marker.value());
    batch.push(&NewRecord { timestamp: NOW, key: Some(&key), value: Some(&value), ..NewRecord::default() });
    append_bytes(&mut log, &batch.build()).unwrap();
    log.close().unwrap();
    std::fs::write(rig.path(&name(66)), b"rubbish").unwrap();
    let (_, opened) = rig.open(&small(), Known { recovery_point: Offset(40), ..CRASHED });
    assert_eq!(opened.unindexed, [Offset(66)], "where the marker is");
    assert!(rig.path(&name(0)).exists(), "below the recovery point");
    assert!(!rig.path(&name(44)).exists(), "there is no marker, so nothing was aborted");
}
