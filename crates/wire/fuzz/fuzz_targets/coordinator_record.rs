//! A record of a coordinator's topic: which topic (a byte), the length of the key (a byte), key and value.
#![no_main]

use std::fmt::Debug;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wire::consumer_protocol::{ConsumerProtocol, ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use wire::group_records::GroupRecord;
use wire::share_records::ShareRecord;
use wire::transaction_records::TransactionRecord;
use wire::{CoordinatorRecordError, EncodeError};

fuzz_target!(|input: &[u8]| {
    let [topic, key_len, rest @ ..] = input else { return };
    let (key, value) = rest.split_at(rest.len().min(usize::from(*key_len)));
    let (key, value) = (Bytes::copy_from_slice(key), Bytes::copy_from_slice(value));
    match topic % 5 {
        0 => settle(key, value, GroupRecord::decode, GroupRecord::encode),
        1 => settle(key, value, TransactionRecord::decode, TransactionRecord::encode),
        2 => settle(key, value, ShareRecord::decode, ShareRecord::encode),
        3 => settle_between_consumers::<ConsumerProtocolSubscription>(value),
        _ => settle_between_consumers::<ConsumerProtocolAssignment>(value),
    }
});

/// What can be read can be written, and reads as the same again.
fn settle<R: PartialEq + Debug>(
    key: Bytes,
    value: Bytes,
    decode: impl Fn(Bytes, Option<Bytes>) -> Result<R, CoordinatorRecordError>,
    encode: impl Fn(&R) -> Result<(Bytes, Option<Bytes>), EncodeError>,
) {
    let Ok(record) = decode(key, Some(value)) else { return };
    let (key, value) = encode(&record).expect("what was read can be written");
    assert_eq!(decode(key, value), Ok(record));
}

fn settle_between_consumers<M: ConsumerProtocol>(bytes: Bytes) {
    let Ok((message, version)) = M::decode_versioned(bytes) else { return };
    let version = version.min(*M::VERSIONS.end());
    let written = message.encode_versioned(version).expect("what was read can be written");
    assert_eq!(M::decode_versioned(written), Ok((message, version)));
}
