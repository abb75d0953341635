//! Transactional data as Kafka left it: replayed, and bounded by the last stable offset.

use std::path::Path;

use base::{LeaderEpoch, Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use log::{Known, Log};
use partition::{AppendError, Isolation, PartitionConfig};
use records::control::EndTxnMarker;
use records::{BatchBuilder, BatchHeader, HEADER_LEN, NewRecord};
use testkit::CrashDisk;

use crate::stage::{NOW, Send, Stage, send};

/// Writes a marker as Kafka's coordinator would, past the partition.
fn write_marker(stage: Stage, producer: i64, committed: bool) -> Stage {
    stage.partition.close(stage.now).unwrap();
    let known = stage.known(true);
    let (mut log, _) =
        Log::open(stage.disk.clone(), &stage.dir, stage.config.log.clone(), known, stage.now).unwrap();
    let marker = EndTxnMarker { committed, coordinator_epoch: 7 };
    let mut batch = BatchBuilder::new(log.log_end())
        .leader_epoch(LeaderEpoch(0))
        .producer(ProducerId(producer), ProducerEpoch(0), Sequence::NONE)
        .transactional(true)
        .control(true);
    let (key, value) = (marker.control_type().key(), marker.value());
    batch.push(&NewRecord { timestamp: NOW, key: Some(&key), value: Some(&value), ..NewRecord::default() });
    let bytes = batch.build();
    let header = BatchHeader::parse(&bytes).unwrap();
    log.append(&header, bytes.first_chunk::<HEADER_LEN>().unwrap(), &bytes[HEADER_LEN..]).unwrap();
    log.close().unwrap();
    let known = Known { clean: false, ..known };
    stage.open(known)
}

fn transactional(producer: i64, first: i32, records: i32) -> Send {
    Send { transactional: true, ..send(producer, first, records) }
}

#[test]
fn an_open_transaction_bounds_what_is_read_committed_also_after_restarts() {
    let stage = Stage::in_memory(PartitionConfig::default());
    stage.fresh(send(2, 0, 3));
    stage.fresh(transactional(1, 0, 5));
    stage.fresh(send(2, 3, 2));
    let check = |stage: &Stage| {
        let marks = stage.partition.marks();
        assert_eq!((marks.last_stable, marks.high_watermark), (Offset(3), Offset(10)));
        assert_eq!(stage.headers_up_to(Isolation::ReadCommitted).len(), 1);
        assert_eq!(stage.headers().len(), 3);
        let row = stage.partition.producers()[0];
        assert_eq!(row.open_transaction, Some(Offset(3)));
        let error = stage.append(send(1, 5, 1)).unwrap_err();
        assert!(matches!(error, AppendError::Refused(_)), "{error}");
    };
    check(&stage);
    let stage = stage.kill();
    check(&stage);
    let stage = stage.restart().restart();
    check(&stage);
    assert_eq!(stage.duplicate(transactional(1, 0, 5)), Offset(3));
}

#[test]
fn a_marker_in_the_log_ends_the_transaction() {
    let stage = Stage::in_memory(PartitionConfig::default());
    stage.fresh(transactional(1, 0, 5));
    stage.fresh(send(2, 0, 1));
    let stage = write_marker(stage, 1, true);
    let marks = stage.partition.marks();
    assert_eq!((marks.last_stable, marks.high_watermark), (Offset(7), Offset(7)));
    let row = stage.partition.producers()[0];
    assert_eq!((row.open_transaction, row.coordinator_epoch, row.timestamp), (None, 7, NOW));
    assert_eq!(stage.duplicate(transactional(1, 0, 5)), Offset(0));
    assert_eq!(stage.fresh(send(1, 5, 1)), Offset(7), "the producer is free again");
    let stage = stage.restart();
    assert_eq!(stage.partition.producers()[0].coordinator_epoch, 7);
}

/// Control batches that are not about transactions, or say nothing readable, are stepped over.
#[test]
fn other_control_batches_say_nothing() {
    let disk = CrashDisk::calm(1).shared();
    let dir = Path::new("/data/t-0");
    let config = PartitionConfig::default();
    let known = Known { clean: true, recovery_point: Offset(0), log_start: Offset(0) };
    let (mut log, _) = Log::open(disk.clone(), dir, config.log.clone(), known, NOW).unwrap();
    for key in [&b""[..], &[0, 0, 0, 2], &[0, 0, 0, 1], &[255, 255, 0, 1]] {
        let mut batch = BatchBuilder::new(log.log_end())
            .leader_epoch(LeaderEpoch(0))
            .producer(ProducerId(5), ProducerEpoch(0), Sequence::NONE)
            .control(true);
        batch.push(&NewRecord { timestamp: Millis(1), key: Some(key), value: None, headers: &[] });
        let bytes = batch.build();
        let header = BatchHeader::parse(&bytes).unwrap();
        log.append(&header, bytes.first_chunk::<HEADER_LEN>().unwrap(), &bytes[HEADER_LEN..]).unwrap();
    }
    log.close().unwrap();
    let stage = Stage::on(disk, dir, config);
    assert_eq!(stage.opened.replayed_batches, 4);
    assert_eq!(stage.opened.producers, 0);
}
