//! A directory with an open transaction is refused by name.

use std::io::IoSlice;

use base::{ProducerEpoch, ProducerId, Sequence};
use disk::OpenHow;
use log::producer_snapshot::{self, SnapshotRow};
use records::control::ControlType;
use testkit::Crash;
use wire::transaction_records::{
    PartitionsSchema, TransactionLogKey, TransactionLogValue, TransactionRecord,
};
use wire::{Keyed, StrBytes};

use super::*;

const COORDINATOR: &str = "__transaction_state";

/// A directory that was stopped cleanly, with these states of transactional ids, and with what `more` did to it.
fn with_states(states: &[(&'static str, Option<i8>)], version: i16, more: impl Fn(&CrashDisk)) -> CrashDisk {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    create(&catalog, COORDINATOR, 2);
    create(&catalog, "a", 1);
    catalog.close(NOW).unwrap();
    let mut builder = BatchBuilder::new(Offset(0));
    for (id, state) in states {
        let key = TransactionLogKey { transactional_id: StrBytes::from(*id) };
        let value = |status| TransactionLogValue {
            producer_id: 5,
            transaction_status: status,
            transaction_partitions: (status != 0)
                .then(|| vec![PartitionsSchema { topic: "a".into(), partition_ids: vec![0, 1] }]),
            ..TransactionLogValue::default()
        };
        let record = match state {
            Some(state) => Keyed::new(key, version, value(*state)),
            None => Keyed::tombstone(key),
        };
        let (key, value) = TransactionRecord::from(record).encode().unwrap();
        builder.push(&NewRecord { timestamp: NOW, key: Some(&key), value: value.as_deref(), headers: &[] });
    }
    if !builder.is_empty() {
        put(&disk, "__transaction_state-1", &builder.build());
    }
    more(&disk);
    disk
}

/// Appends bytes to the first segment of a partition.
fn put(disk: &CrashDisk, partition: &str, bytes: &[u8]) {
    let path = Path::new(DIR).join(partition).join("00000000000000000000.log");
    let file = disk.open(&path, OpenHow::Write).unwrap();
    file.write_at(file.len().unwrap(), &[IoSlice::new(bytes)]).unwrap();
}

fn refused(disk: &CrashDisk) -> String {
    let before = disk.operations();
    let error = open(disk, 9).unwrap_err().to_string();
    assert_eq!(disk.operations(), before, "{error}");
    error
}

fn transactional(base: i64, producer: i64, control: Option<ControlType>) -> Bytes {
    let epoch = ProducerEpoch(0);
    let sequence = if control.is_some() { Sequence::NONE } else { Sequence(0) };
    let mut builder = BatchBuilder::new(Offset(base))
        .leader_epoch(base::LeaderEpoch(0))
        .producer(ProducerId(producer), epoch, sequence)
        .transactional(true)
        .control(control.is_some());
    let key = control.map(ControlType::key);
    let key = key.as_ref().map(|key| &key[..]);
    builder.push(&NewRecord { timestamp: NOW, key, value: Some(&[0; 6]), headers: &[] });
    builder.build()
}

#[test]
fn one_that_the_coordinator_knows_is_named() {
    for version in [0, 1] {
        for (state, name) in [(1, "Ongoing"), (2, "PrepareCommit"), (3, "PrepareAbort")] {
            let states = [
                ("done", Some(1)),
                ("mine", Some(state)),
                ("done", Some(4)),
                ("gone", Some(1)),
                ("gone", None),
            ];
            let disk = with_states(&states, version, |_| {});
            assert_eq!(
                refused(&disk),
                format!(
                    "the data directory /ottla-data cannot be served: the transaction of the transactional id \"mine\" \
                     (producer id 5, {name}, in a-0, a-1) is still open, and Ottla does not run transactions yet; start \
                     Kafka on the directory, let it commit or abort (kafka-transactions.sh lists, describes and aborts), \
                     stop Kafka, and start Ottla again"
                )
            );
        }
    }
    let disk = with_states(&[("a", Some(1)), ("b", Some(1)), ("c", Some(1))], 1, |_| {});
    assert!(
        refused(&disk)
            .contains("\"a\" (producer id 5, Ongoing, in a-0, a-1) is still open, and 2 more, and Ottla")
    );
}

#[test]
fn those_that_have_ended_hinder_nobody() {
    let states =
        [("a", Some(0)), ("b", Some(4)), ("c", Some(5)), ("d", Some(1)), ("d", Some(2)), ("d", Some(4))];
    open(&with_states(&states, 1, |_| {}), 2).unwrap();
    open(&with_states(&[], 1, |_| {}), 2).unwrap();
}

#[test]
fn one_that_nobody_owns_is_named_by_its_partition() {
    let snapshot = |first: i64| {
        move |disk: &CrashDisk| {
            let row = SnapshotRow {
                producer_id: 7,
                producer_epoch: 0,
                last_sequence: 0,
                last_offset: 3,
                offset_delta: 0,
                timestamp: NOW.0,
                coordinator_epoch: 0,
                current_txn_first_offset: first,
            };
            let dir = Path::new(DIR).join("a-0");
            producer_snapshot::write(disk, &dir, Offset(4), [row], true).unwrap();
        }
    };
    assert_eq!(
        refused(&with_states(&[("b", Some(4))], 1, snapshot(3))),
        "the data directory /ottla-data cannot be served: a transaction of producer id 7 in a-0, which begins at offset 3 \
         and which no transactional id owns, is still open, and Ottla does not run transactions yet; start Kafka on the \
         directory, let it commit or abort (kafka-transactions.sh lists, describes and aborts), stop Kafka, and start \
         Ottla again"
    );
    open(&with_states(&[], 1, snapshot(-1)), 2).unwrap();
}

#[test]
fn after_a_kill_the_batches_tell() {
    let marker = |disk: &CrashDisk| {
        disk.remove_file(&Path::new(DIR).join(".kafka_cleanshutdown")).unwrap();
    };
    let begun = |disk: &CrashDisk| {
        marker(disk);
        put(disk, "a-0", &transactional(0, 7, None));
        put(disk, "a-0", &transactional(1, 8, None));
        put(disk, "a-0", &transactional(2, 7, Some(ControlType::Commit)));
    };
    let disk = with_states(&[], 1, begun);
    assert!(refused(&disk).contains("a transaction of producer id 8 in a-0, which begins at offset 1 and"));
    let disk = with_states(&[], 1, |disk| {
        begun(disk);
        put(disk, "a-0", &transactional(3, 8, Some(ControlType::Abort)));
        put(disk, "a-0", &[1, 2, 3]);
    });
    open(&disk.after(Crash::ProcessKill), 2).unwrap();
}

#[test]
fn without_the_coordinators_topic_nothing_is_looked_at() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    create(&catalog, "a", 1);
    catalog.close(NOW).unwrap();
    disk.remove_file(&Path::new(DIR).join(".kafka_cleanshutdown")).unwrap();
    put(&disk, "a-0", &transactional(0, 7, None));
    open(&disk, 2).unwrap();
}

#[test]
fn what_the_coordinator_of_a_newer_kafka_wrote_is_refused() {
    let newer = |disk: &CrashDisk| {
        let mut builder = BatchBuilder::new(Offset(0));
        let key = [0, 0, 0, 1, b'x'];
        builder.push(&NewRecord { timestamp: NOW, key: Some(&key), value: Some(&[0, 9, 0]), headers: &[] });
        put(disk, "__transaction_state-0", &builder.build());
    };
    let refused = refused(&with_states(&[], 1, newer));
    assert!(refused.contains("the record at offset 0 of __transaction_state-0 cannot be read"), "{refused}");
}
