//! Bytes that no honest client sends: each is an error or another message, never a panic and never memory on someone's
//! word.

use std::fmt::Debug;

use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;
use wire::group_records::{GroupRecord, OffsetCommitKey, OffsetCommitValue};
use wire::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use wire::messages::create_topics::CreateTopicsRequest;
use wire::messages::fetch::FetchRequest;
use wire::messages::metadata::MetadataRequest;
use wire::messages::produce::{ProduceRequest, ProduceResponse};
use wire::metadata_records::{
    FrameFault, MetadataRecord, MetadataRecordError, PartitionChangeRecord, TopicRecord,
};
use wire::share_records::ShareRecord;
use wire::transaction_records::TransactionRecord;
use wire::{
    CoordinatorRecordError, DecodeError, DecodeFault, EncodeError, Keyed, Message, decode, decode_exact,
    to_bytes,
};

use crate::kafka::{coordinators_records, each_message, each_metadata_record};

fn fault<M: Message>(bytes: &[u8], version: i16) -> (String, DecodeFault) {
    let DecodeError { field, fault } =
        decode::<M>(Bytes::copy_from_slice(bytes), version).expect_err("hostile bytes");
    (field, fault)
}

#[test]
fn the_claim_that_aborts_another_codec_is_an_error() {
    // Metadata 8 with 2147483647 topics: reserving memory for them ends the process.
    let (field, fault) = fault::<MetadataRequest>(&[0x7f, 0xff, 0xff, 0xff], 8);
    assert_eq!(field, "topics");
    assert_eq!(fault, DecodeFault::LengthBeyondFrame { claimed: 0x7fff_ffff, fits: 0, left: 0 });
}

#[test]
fn a_list_is_measured_by_the_smallest_form_of_its_elements_at_that_version() {
    // A topic is at least an id, a null name and no tagged fields from version 10 on: 18 bytes, else 2.
    for (version, mut bytes, length, fits) in
        [(8, BytesMut::new(), 4, 18), (9, BytesMut::new(), 1, 18), (12, BytesMut::new(), 1, 2)]
    {
        match length {
            4 => bytes.put_i32(30),
            _ => bytes.put_u8(31),
        }
        bytes.put_bytes(0, 36);
        let (_, fault) = fault::<MetadataRequest>(&bytes, version);
        assert_eq!(
            fault,
            DecodeFault::LengthBeyondFrame { claimed: 30, fits, left: 36 },
            "version {version}"
        );
    }
}

#[test]
fn an_error_says_where_it_is() {
    // One topic with one partition whose records claim 100 bytes.
    let bytes =
        b"\xff\xff\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01t\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x64xx";
    let error = decode::<ProduceRequest>(Bytes::from_static(bytes), 3).unwrap_err();
    assert_eq!(
        error.to_string(),
        "100 bytes are claimed and 2 are left (in topicData.partitionData.records)"
    );
}

#[test]
fn a_topic_name_must_be_utf8() {
    let bytes = b"\x00\x00\x00\x01\x00\x02\xc3\x28\x00";
    assert_eq!(fault::<MetadataRequest>(bytes, 4), ("topics.name".to_owned(), DecodeFault::NotUtf8));
}

#[test]
fn a_varint_without_end_is_an_error_wherever_it_stands() {
    for at in 0..3 {
        let mut bytes = vec![1; at];
        bytes.resize(200, 0xff);
        assert_eq!(fault::<ApiVersionsRequest>(&bytes, 3).1, DecodeFault::VarintTooLong, "at {at}");
    }
}

#[test]
fn unknown_tagged_fields_are_skipped() {
    let plain = b"\x02a\x021\x00";
    let tagged = b"\x02a\x021\x02\x05\x03xyz\xff\xff\xff\xff\x0f\x00";
    let plain: ApiVersionsRequest = decode_exact(Bytes::from_static(plain), 3).unwrap();
    assert_eq!(decode_exact(Bytes::from_static(tagged), 3), Ok(plain.clone()));
    assert_eq!(to_bytes(&plain, 3).unwrap().len(), 5, "and not written again");

    // One that claims more than there is, and more of them than there can be.
    let beyond = DecodeFault::BytesBeyondFrame { claimed: 4, left: 3 };
    assert_eq!(fault::<ApiVersionsRequest>(b"\x02a\x021\x01\x05\x04xyz", 3).1, beyond);
    let none_left = DecodeFault::TooShort { needed: 1, left: 0 };
    assert_eq!(fault::<ApiVersionsRequest>(b"\x02a\x021\xff\xff\xff\xff\x0f", 3).1, none_left);
}

#[test]
fn a_known_tag_takes_all_of_its_size() {
    // The epoch of the finalized features, tag 1, eight bytes.
    let response =
        |size: u8, content: &[u8]| [&b"\x00\x00\x01\x00\x00\x00\x00\x01\x01"[..], &[size], content].concat();
    let read: ApiVersionsResponse =
        decode_exact(response(8, &[0, 0, 0, 0, 0, 0, 0, 9]).into(), 3).expect("a response");
    assert_eq!(read.finalized_features_epoch, 9);

    let field = "finalizedFeaturesEpoch".to_owned();
    let larger = fault::<ApiVersionsResponse>(&response(9, &[0; 9]), 3);
    assert_eq!(larger, (field.clone(), DecodeFault::TagSize { left: 1 }));
    let smaller = fault::<ApiVersionsResponse>(&response(7, &[0; 8]), 3);
    assert_eq!(smaller, (field, DecodeFault::TooShort { needed: 8, left: 7 }));
}

#[test]
fn a_tag_of_a_later_version_is_an_error() {
    // `directories`, tag 8, came with version 1. Kafka refuses it too.
    let change = PartitionChangeRecord { directories: Some(Vec::new()), ..Default::default() };
    let bytes = to_bytes(&change, 1).unwrap();
    assert_eq!(decode_exact(bytes.clone(), 1), Ok(change));
    let error = decode_exact::<PartitionChangeRecord>(bytes, 0).unwrap_err();
    assert_eq!(error.fault, DecodeFault::TagNotInVersion { tag: 8, version: 0 });
}

#[test]
fn what_follows_a_request_is_ignored_and_what_follows_a_record_is_not() {
    let bytes = Bytes::from_static(b"\x02a\x021\x00rest");
    assert!(decode::<ApiVersionsRequest>(bytes.clone(), 3).is_ok());
    let error = decode_exact::<ApiVersionsRequest>(bytes, 3).unwrap_err();
    assert_eq!(error.fault, DecodeFault::LeftOver(4));
}

#[test]
fn many_small_things_in_one_frame_are_refused_by_the_memory_they_take() {
    // A million topics without a name or partitions, three bytes each and 72 in memory.
    let mut bytes = BytesMut::zeroed(25);
    bytes.put_slice(&[0xc1, 0x84, 0x3d]);
    bytes.resize(4 << 20, 1);
    assert_eq!(fault::<FetchRequest>(&bytes, 12), ("topics".to_owned(), DecodeFault::ListsTooLarge));
}

#[test]
fn lists_within_lists_share_one_limit() {
    // 300 topics with 10,000 assignments each would pass if each list were looked at alone.
    let mut topic = BytesMut::from(&b"\x02t\x00\x00\x00\x00\x00\x00"[..]);
    topic.put_slice(&[0x91, 0x4e]);
    topic.put_bytes(0, 6 * 10_000);
    // Each assignment: a partition, no brokers, no tagged fields; then no settings, no tagged fields.
    for at in 0..10_000 {
        topic[10 + 6 * at + 4] = 1;
    }
    topic.put_slice(&[1, 0]);
    let mut bytes = BytesMut::from(&[0xad, 0x02][..]);
    for _ in 0..300 {
        bytes.put_slice(&topic);
    }
    bytes.put_slice(&[0; 6]);
    let (field, fault) = fault::<CreateTopicsRequest>(&bytes, 5);
    assert_eq!((field.as_str(), fault), ("topics.assignments", DecodeFault::ListsTooLarge));
}

#[test]
fn the_frame_around_a_metadata_record_is_checked() {
    let decode = |bytes: &'static [u8]| MetadataRecord::decode(Bytes::from_static(bytes)).unwrap_err();
    assert_eq!(decode(b"\x00\x02\x00"), MetadataRecordError::FrameVersion(0));
    assert_eq!(decode(b"\x02\x02\x00"), MetadataRecordError::FrameVersion(2));
    assert_eq!(decode(b"\x01\x06\x00"), MetadataRecordError::UnknownType(6));
    let too_large = FrameFault::TooLarge(32_768);
    assert_eq!(decode(b"\x01\x80\x80\x02"), MetadataRecordError::Frame { number: "type", fault: too_large });
    let missing = FrameFault::Unreadable(DecodeFault::TooShort { needed: 1, left: 0 }.into());
    assert_eq!(decode(b"\x01\x02"), MetadataRecordError::Frame { number: "version", fault: missing });
    let error = DecodeFault::UnsupportedVersion { message: "TopicRecord", version: 1 }.into();
    assert_eq!(decode(b"\x01\x02\x01"), MetadataRecordError::Message { record_type: 2, error });

    let record = MetadataRecord::from(TopicRecord { name: "t".into(), ..TopicRecord::default() });
    let mut bytes = BytesMut::from(record.encode(0).unwrap());
    bytes.put_u8(0);
    let left_over = MetadataRecordError::LeftOver { record_type: 2, left: 1 };
    assert_eq!(MetadataRecord::decode(bytes.freeze()).unwrap_err(), left_over);
}

#[test]
fn what_stands_before_a_record_of_a_coordinator_is_checked() {
    let key = |bytes: &'static [u8]| GroupRecord::decode(Bytes::from_static(bytes), None);
    let missing = DecodeFault::TooShort { needed: 2, left: 1 };
    assert_eq!(key(b"\0"), Err(CoordinatorRecordError::Type(missing.clone().into())));
    let Err(CoordinatorRecordError::Key { record_type: 2, error }) = key(b"\0\x02\0\x05grou") else {
        panic!("a group id that is cut off was read");
    };
    assert_eq!(error.fault, DecodeFault::BytesBeyondFrame { claimed: 5, left: 4 });

    let value = |bytes: &'static [u8]| match GroupRecord::decode(
        Bytes::from_static(b"\0\x02\0\x01g"),
        Some(Bytes::from_static(bytes)),
    ) {
        Err(
            CoordinatorRecordError::Version { record_type: 2, error }
            | CoordinatorRecordError::Value { record_type: 2, error, .. },
        ) => error.fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(value(b"\x01"), missing);
    let unknown = |version| DecodeFault::UnsupportedVersion { message: "GroupMetadataValue", version };
    assert_eq!(value(b"\0\x05 what came with version 5"), unknown(5));
    assert_eq!(value(b"\xff\xff"), unknown(-1));
}

#[test]
fn a_type_of_a_later_kafka_is_kept_as_it_is() {
    let (key, value) = (Bytes::from_static(b"\0\x63 a key"), Bytes::from_static(b"a value"));
    let record = GroupRecord::decode(key.clone(), Some(value.clone())).unwrap();
    assert_eq!((record.record_type(), record.key(), record.value()), (99, None, None));
    assert_eq!(record.encode(), Ok((key, Some(value))));
}

#[test]
fn what_follows_key_and_value_of_a_coordinators_record_is_ignored() {
    let record = GroupRecord::from(Keyed::new(
        OffsetCommitKey { group: "g".into(), topic: "t".into(), partition: 0 },
        3,
        OffsetCommitValue { offset: 7, ..OffsetCommitValue::default() },
    ));
    let (key, value) = record.encode().unwrap();
    let (longer_key, longer_value) = ([&key[..], b"!"].concat(), [&value.unwrap()[..], b"!"].concat());
    assert_eq!(GroupRecord::decode(longer_key.into(), Some(longer_value.into())), Ok(record));
}

#[test]
fn a_record_of_a_coordinator_that_is_damaged_does_no_harm() {
    for [key, value] in coordinators_records() {
        let (name, key, value) = (key.name, key.bytes, value.bytes);
        if name.starts_with("TransactionLog") {
            damage(&key, &value, TransactionRecord::decode, TransactionRecord::encode);
        } else if name.starts_with("ShareSnapshot") || name.starts_with("ShareUpdate") {
            damage(&key, &value, ShareRecord::decode, ShareRecord::encode);
        } else {
            damage(&key, &value, GroupRecord::decode, GroupRecord::encode);
        }
    }
}

/// Each shorter key or value is an error, and what reads with a wrong byte in it can be written and reads the same.
fn damage<R: PartialEq + Debug>(
    key: &Bytes,
    value: &Bytes,
    decode: impl Fn(Bytes, Option<Bytes>) -> Result<R, CoordinatorRecordError>,
    encode: impl Fn(&R) -> Result<(Bytes, Option<Bytes>), EncodeError>,
) {
    for len in 0..key.len() {
        assert!(decode(key.slice(..len), Some(value.clone())).is_err(), "{len} bytes of {key:x?}");
    }
    for len in 0..value.len() {
        assert!(decode(key.clone(), Some(value.slice(..len))).is_err(), "{len} bytes of {value:x?}");
    }
    let both = [&key[..], &value[..]].concat();
    for at in 0..both.len() {
        for byte in [0xff, both[at] ^ 1] {
            let mut damaged = BytesMut::from(&both[..]);
            damaged[at] = byte;
            let value = damaged.split_off(key.len()).freeze();
            let Ok(record) = decode(damaged.freeze(), Some(value)) else { continue };
            let (key, value) = encode(&record).expect("what was read can be written");
            assert_eq!(decode(key, value).as_ref(), Ok(&record));
        }
    }
}

/// What can be read can be written, and reads as the same again.
fn settle<M: Message>(bytes: Bytes, version: i16) {
    let Ok(message) = decode::<M>(bytes, version) else { return };
    let written = to_bytes(&message, version).expect("what was read can be written");
    let again: M = decode_exact(written.clone(), version).expect("what was written can be read");
    // Compared as bytes, since a NaN equals nothing.
    assert_eq!(to_bytes(&again, version), Ok(written), "{message:?}");
}

#[test]
fn a_message_that_ends_early_is_an_error() {
    each_message!(|M, line| {
        for len in 0..line.bytes.len() {
            let read = decode::<M>(line.bytes.slice(..len), line.version);
            assert!(read.is_err(), "{len} bytes of {} {}", line.name, line.version);
        }
    });
    each_metadata_record(|bytes| {
        for len in 0..bytes.len() {
            assert!(MetadataRecord::decode(bytes.slice(..len)).is_err(), "{len} bytes of {bytes:x?}");
        }
    });
}

#[test]
fn a_wrong_byte_anywhere_does_no_harm() {
    each_message!(|M, line| {
        let bytes = &line.bytes;
        for at in 0..bytes.len() {
            for byte in [0xff, bytes[at] ^ 1] {
                let mut damaged = BytesMut::from(&bytes[..]);
                damaged[at] = byte;
                settle::<M>(damaged.freeze(), line.version);
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), version in 0..20i16) {
        settle::<ProduceRequest>(bytes.clone().into(), version);
        settle::<ProduceResponse>(bytes.clone().into(), version);
        settle::<FetchRequest>(bytes.clone().into(), version);
        let _ = MetadataRecord::decode(bytes.clone().into());
        // The types are small numbers, so that one is hit now and then.
        let mut key = BytesMut::from(&version.to_be_bytes()[..]);
        key.put_slice(&bytes);
        let _ = GroupRecord::decode(key.freeze(), Some(bytes.into()));
    }
}
