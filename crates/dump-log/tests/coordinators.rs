//! What a real broker wrote into the topics of its coordinators is read, and written again to the byte.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;

use bytes::Bytes;
use records::{BatchHeader, RecordStream};
use wire::consumer_protocol::{ConsumerProtocol, ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use wire::group_records::GroupRecord;
use wire::share_records::ShareRecord;
use wire::transaction_records::TransactionRecord;
use wire::{CoordinatorRecordError, EncodeError};

/// Key and value of each record in the log of this topic, without control records.
fn records_of(topic: &str) -> Vec<(Bytes, Option<Bytes>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/dump-log");
    let log = std::fs::read(root.join(topic).join("00000000000000000000.log")).unwrap();
    let (mut rest, mut found) = (&log[..], Vec::new());
    while !rest.is_empty() {
        let header = BatchHeader::parse(rest).unwrap();
        let (batch, others) = rest.split_at(header.size());
        rest = others;
        let mut stream = RecordStream::open(batch, 1 << 20).unwrap();
        while let Some(record) = stream.next_record().unwrap() {
            if !header.attributes.is_control() {
                let value = record.value.map(Bytes::copy_from_slice);
                found.push((Bytes::copy_from_slice(record.key.unwrap()), value));
            }
        }
    }
    found
}

/// Gives the types that were met: with a value, and as tombstones.
fn read_and_write_again<R: Debug>(
    topic: &str,
    decode: impl Fn(Bytes, Option<Bytes>) -> Result<R, CoordinatorRecordError>,
    encode: impl Fn(&R) -> Result<(Bytes, Option<Bytes>), EncodeError>,
    mut meet: impl FnMut(&R),
) -> [BTreeSet<i16>; 2] {
    let mut types = [BTreeSet::new(), BTreeSet::new()];
    for (key, value) in records_of(topic) {
        let record = decode(key.clone(), value.clone()).unwrap();
        meet(&record);
        types[usize::from(value.is_none())].insert(i16::from_be_bytes([key[0], key[1]]));
        assert_eq!(encode(&record), Ok((key, value)), "{record:?}");
    }
    types
}

#[test]
fn groups() {
    let (mut subscriptions, mut assignments, mut versions) = (0, 0, BTreeSet::new());
    let [values, tombstones] =
        read_and_write_again("__consumer_offsets", GroupRecord::decode, GroupRecord::encode, |record| {
            match record {
                GroupRecord::OffsetCommit(commit) => {
                    versions.extend(commit.value.as_ref().map(|value| value.version));
                }
                GroupRecord::GroupMetadata(group) => {
                    let Some(value) = &group.value else { return };
                    assert_eq!(value.version, 3);
                    for member in &value.content.members {
                        // "babble" says it badly, and "workers" say something else.
                        if member.client_id.starts_with("raw") {
                            continue;
                        }
                        let (said, version) =
                            ConsumerProtocolSubscription::decode_versioned(member.subscription.clone())
                                .unwrap();
                        assert_eq!(said.encode_versioned(version).as_ref(), Ok(&member.subscription));
                        subscriptions += 1;
                        let (told, version) =
                            ConsumerProtocolAssignment::decode_versioned(member.assignment.clone()).unwrap();
                        assert_eq!(told.encode_versioned(version).as_ref(), Ok(&member.assignment));
                        assignments += 1;
                    }
                }
                _ => {}
            }
        });
    // 4, the topics of a group, is only deleted by Kafka 4.1.
    assert_eq!(values, BTreeSet::from([1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16]));
    assert!(tombstones.is_superset(&BTreeSet::from([1, 2, 3, 4, 5, 6, 7, 8])), "{tombstones:?}");
    assert_eq!(versions, BTreeSet::from([1, 4]), "1 is that of an offset with an expiry of its own");
    assert!(subscriptions > 5 && assignments == subscriptions);
}

#[test]
fn transactions() {
    let mut states = BTreeSet::new();
    read_and_write_again(
        "__transaction_state",
        TransactionRecord::decode,
        TransactionRecord::encode,
        |record| {
            let TransactionRecord::TransactionLog(transaction) = record else { panic!("{record:?}") };
            states.insert(transaction.value.as_ref().unwrap().content.transaction_status);
        },
    );
    // Empty, ongoing, and both ways to its end.
    assert_eq!(states, BTreeSet::from([0, 1, 2, 3, 4, 5]));
}

#[test]
fn share_groups() {
    let [values, _] =
        read_and_write_again("__share_group_state", ShareRecord::decode, ShareRecord::encode, |_| {});
    assert_eq!(values, BTreeSet::from([0, 1]));
}
