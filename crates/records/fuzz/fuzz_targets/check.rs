//! Bytes as what a producer sends, with the CRC made right so that the checks behind it are reached: an answer comes,
//! and what is taken can be read again.
#![no_main]

use base::{LeaderEpoch, Millis, Offset};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use records::{
    BatchHeader, BatchRules, Codec, HEADER_LEN, TimestampType, TopicCompression, check, crc_is_valid,
    records_of, seal,
};

const LIMIT: usize = 1 << 20;

fuzz_target!(|input: (u8, &[u8])| {
    let (choice, bytes) = input;
    let records = match BatchHeader::parse(bytes) {
        Ok(header) if choice & 1 == 1 => seal(&header, &bytes[HEADER_LEN..]),
        _ => Bytes::copy_from_slice(bytes),
    };
    let rules = BatchRules {
        compression: match Codec::ALL.get(usize::from(choice >> 4)) {
            Some(&codec) => TopicCompression::Codec(codec, None),
            None => TopicCompression::Producer,
        },
        timestamp_type: if choice & 2 == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        },
        keys_required: choice & 4 != 0,
        max_decompressed_bytes: LIMIT,
        ..BatchRules::default()
    };
    let Ok(checked) = check(&records, 9, &rules, Millis(1_700_000_000_000)) else { return };
    let (header, rest) = checked.stamp(Offset(7), LeaderEpoch(1));
    let stored = [&header[..], &rest].concat();
    assert!(crc_is_valid(&stored) && stored.len() == checked.size());
    let records = records_of(&stored, 2 * LIMIT).expect("what passed the check can be read");
    assert!(records.iter().all(|record| record.is_ok()), "what passed the check can be read");
});
