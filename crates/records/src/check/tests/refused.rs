use base::{ProducerId, Sequence};

use super::*;
use crate::RecordFault;
use crate::samples::plain_record;

fn sound() -> Bytes {
    batch(Codec::None, 2).build()
}

/// With another number at its place, and no CRC made right.
fn with_length(length: i32) -> Vec<u8> {
    let mut bytes = sound().to_vec();
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes
}

fn with_magic(magic: i8) -> Vec<u8> {
    let mut bytes = sound().to_vec();
    bytes[16] = magic as u8;
    bytes
}

#[test]
fn row_5_no_complete_batch() {
    let sound = sound();
    for end in [0, 11, 12, 16, 17, 60, sound.len() - 1] {
        assert_eq!(refused(&sound[..end], &plain()), Refusal::NoBatch, "{end} bytes");
    }
    assert_eq!(refused(&with_length(i32::MAX), &plain()), Refusal::NoBatch);
}

#[test]
fn row_6_a_first_batch_of_an_old_format() {
    assert_eq!(refused(&with_magic(0), &plain()), Refusal::OldMagic(0));
    assert_eq!(refused(&with_magic(1), &plain()), Refusal::OldMagic(1));
    let two = [with_magic(1), sound().to_vec()].concat();
    assert_eq!(refused(&two, &plain()), Refusal::OldMagic(1), "before a second batch is looked for");
}

#[test]
fn row_7_zstd_before_produce_version_7() {
    let zstd = batch(Codec::Zstd, 2).build();
    assert!(check(&zstd, 7, &plain(), NOW).is_ok());
    for version in 3..7 {
        let early = check(&zstd, version, &plain(), NOW).unwrap_err();
        assert_eq!(early, Refusal::ZstdTooEarly { produce_version: version });
        assert!(check(&batch(Codec::Lz4, 2).build(), version, &plain(), NOW).is_ok());
    }
    let two = Bytes::from([&zstd[..], &zstd[..]].concat());
    let early = check(&two, 6, &plain(), NOW).unwrap_err();
    assert_eq!(early, Refusal::ZstdTooEarly { produce_version: 6 }, "before a second batch is looked for");
}

#[test]
fn row_8_a_second_complete_batch() {
    let sound = sound();
    let two = [&sound[..], &sound[..]].concat();
    assert_eq!(refused(&two, &plain()), Refusal::SecondBatch);
    let old = [&sound[..], &with_magic(0)].concat();
    assert_eq!(refused(&old, &plain()), Refusal::SecondBatch, "of whatever format");
    let mut broken_first = two;
    broken_first[70] ^= 1;
    assert_eq!(refused(&broken_first, &plain()), Refusal::SecondBatch, "before the CRC is looked at");
}

#[test]
fn row_15_a_length_or_a_magic_that_does_not_exist() {
    for length in [i32::MIN, -1, 0, 13] {
        assert_eq!(refused(&with_length(length), &plain()), Refusal::Length(length));
    }
    for magic in [-128, -1, 3, 127] {
        assert_eq!(refused(&with_magic(magic), &plain()), Refusal::UnknownMagic(magic));
    }
    let zeros = [&sound()[..], &[0; 12]].concat();
    assert_eq!(refused(&zeros, &plain()), Refusal::Length(0), "behind the batch, too");
    let magic_9 = [&sound()[..], &with_magic(9)].concat();
    assert_eq!(refused(&magic_9, &plain()), Refusal::UnknownMagic(9), "behind the batch, too");
}

#[test]
fn row_16_a_base_offset_other_than_0() {
    for base_offset in [i64::MIN, -1, 1, i64::MAX] {
        let records = bent(|header| header.base_offset = Offset(base_offset));
        assert_eq!(refused(&records, &plain()), Refusal::BaseOffset(Offset(base_offset)));
    }
    let mut broken = bent(|header| header.base_offset = Offset(1)).to_vec();
    broken[70] ^= 1;
    assert_eq!(refused(&broken, &plain()), Refusal::BaseOffset(Offset(1)), "before the CRC is looked at");
}

#[test]
fn row_17_a_batch_larger_than_the_topic_takes() {
    let sound = sound();
    let rules = |limit| BatchRules { max_message_bytes: limit, ..plain() };
    assert!(check(&sound, 9, &rules(sound.len()), NOW).is_ok());
    let too_large = Refusal::TooLarge { size: sound.len(), limit: sound.len() - 1, rebuilt: false };
    assert_eq!(refused(&sound, &rules(sound.len() - 1)), too_large);
    let mut broken = sound.to_vec();
    broken[70] ^= 1;
    assert_eq!(refused(&broken, &rules(sound.len() - 1)), too_large, "before the CRC is looked at");
}

#[test]
fn row_18_a_batch_smaller_than_its_header() {
    for length in [14, 15, 48] {
        let size = 12 + length as usize;
        assert_eq!(refused(&with_length(length)[..size], &plain()), Refusal::TooSmall(size));
    }
}

#[test]
fn row_18_a_crc_that_does_not_match() {
    let sound = sound();
    for at in 17..sound.len() {
        let mut broken = sound.to_vec();
        broken[at] ^= 0x10;
        assert!(matches!(refused(&broken, &plain()), Refusal::Crc { .. }), "byte {at}");
    }
    let header = BatchHeader::parse(&sound).unwrap();
    let mut broken = sound.to_vec();
    broken[17..21].copy_from_slice(&5_u32.to_be_bytes());
    assert_eq!(refused(&broken, &plain()), Refusal::Crc { stored: 5, computed: header.crc });
}

#[test]
fn a_last_offset_before_the_first() {
    let records = bent(|header| header.last_offset_delta = -1);
    assert_eq!(refused(&records, &plain()), Refusal::LastOffsetDelta(-1));
}

#[test]
fn no_records_or_fewer() {
    for count in [0, -1, i32::MIN] {
        let records = bent(|header| header.record_count = count);
        assert_eq!(refused(&records, &plain()), Refusal::RecordCount(count));
    }
}

#[test]
fn a_count_other_than_the_offsets_say() {
    for (record_count, last_offset_delta) in [(1, 1), (3, 1), (2, 0), (2, i32::MAX), (i32::MAX, 1)] {
        let records = bent(|header| {
            (header.record_count, header.last_offset_delta) = (record_count, last_offset_delta);
        });
        assert_eq!(refused(&records, &plain()), Refusal::CountMismatch { record_count, last_offset_delta });
    }
}

#[test]
fn a_control_batch() {
    let records = bent(|header| header.attributes = header.attributes.with_control(true));
    assert_eq!(refused(&records, &plain()), Refusal::Control);
}

#[test]
fn a_producer_id_without_a_sequence() {
    let records = bent(|header| header.base_sequence = Sequence(-1));
    let expected = Refusal::NoSequence { producer_id: ProducerId(3001), base_sequence: Sequence(-1) };
    assert_eq!(refused(&records, &plain()), expected);
    let negative = bent(|header| (header.producer_id, header.base_sequence) = (ProducerId(-2), Sequence(-1)));
    assert!(check(&negative, 9, &plain(), NOW).is_ok(), "any negative producer id is none");
}

#[test]
fn records_that_are_not_what_the_header_claims() {
    let one = plain_record(0);
    let two = [one, plain_record(1)].concat();
    let mut longer = one;
    longer[0] += 2;
    let mut endless = one;
    endless[..6].fill(0x80);
    for codec in Codec::ALL {
        let refused = |count, body: &[u8]| match refused(&around(codec, count, body), &plain()) {
            Refusal::Malformed(why) => why,
            other => panic!("{codec}: {other}"),
        };
        let record = |index, what| BatchError::Record { index, what };
        assert_eq!(refused(1, &two), BatchError::LeftOver(1), "{codec}");
        assert_eq!(refused(3, &two), record(2, RecordFault::Truncated), "{codec}");
        assert_eq!(refused(i32::MAX, &two), record(2, RecordFault::Truncated), "{codec}");
        assert_eq!(refused(1, &one[..7]), record(0, RecordFault::Truncated), "{codec}");
        assert_eq!(
            refused(2, &[&longer[..], &one].concat()),
            record(0, RecordFault::LengthMismatch),
            "{codec}"
        );
        assert_eq!(refused(1, &endless), record(0, RecordFault::EndlessVarint), "{codec}");
    }
}

#[test]
fn a_body_that_does_not_decompress() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let header = BatchHeader::parse(&batch(codec, 1).build()).unwrap();
        let why = refused(&seal(&header, &[b'*'; 40]), &plain());
        assert!(
            matches!(&why, Refusal::Malformed(BatchError::Decompression { codec: c, .. }) if *c == codec)
        );
        assert!(matches!(refused(&seal(&header, b""), &plain()), Refusal::Malformed(_)), "{codec}, empty");
    }
}

#[test]
fn a_codec_that_does_not_exist() {
    for codec in 5..8 {
        let records = bent(|header| header.attributes = Attributes(codec));
        assert_eq!(refused(&records, &plain()), Refusal::Malformed(BatchError::UnknownCodec(codec as u8)));
    }
}

#[test]
fn records_that_unpack_to_more_than_is_allowed() {
    let rules = BatchRules { max_decompressed_bytes: 99, ..plain() };
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let refusal = refused(&batch(codec, 100).build(), &rules);
        assert_eq!(refusal, Refusal::DecompressedTooLarge { limit: 99 }, "{codec}");
    }
    assert!(check(&batch(Codec::None, 100).build(), 9, &rules, NOW).is_ok(), "nothing is unpacked here");
}

fn record_errors(records: &Bytes, rules: &BatchRules) -> (Vec<i32>, bool) {
    match refused(records, rules) {
        Refusal::Records { errors, total, timestamp } => {
            assert_eq!(errors.len(), total as usize);
            assert!(errors.iter().all(|error| !error.message.is_empty()));
            (errors.iter().map(|error| error.batch_index).collect(), timestamp)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_compacted_topic_asks_for_keys() {
    let rules = BatchRules { keys_required: true, ..plain() };
    for codec in Codec::ALL {
        let mut builder = BatchBuilder::new(Offset::ZERO).codec(codec, None);
        for key in [Some(&b"k"[..]), None, Some(b""), None] {
            builder.push(&NewRecord { timestamp: THEN, key, ..NewRecord::default() });
        }
        assert_eq!(record_errors(&builder.build(), &rules), (vec![1, 3], false), "{codec}");
    }
}

#[test]
fn a_record_may_not_be_too_old_or_too_new() {
    let at = |times: &[i64]| {
        let mut builder = BatchBuilder::new(Offset::ZERO);
        for &time in times {
            builder.push(&NewRecord { timestamp: Millis(time), ..NewRecord::default() });
        }
        builder.build()
    };
    let rules = BatchRules { timestamp_before_max_ms: 1000, timestamp_after_max_ms: 500, ..plain() };
    let records = at(&[NOW.0, NOW.0 - 1001, NOW.0 - 1000, NOW.0 + 500, NOW.0 + 501, -1, -2]);
    assert_eq!(record_errors(&records, &rules), (vec![1, 4, 6], true));
    let refusal = refused(&records, &rules);
    let Refusal::Records { errors, .. } = refusal else { panic!("{refusal}") };
    assert!(errors[0].message.contains("1699999998999 is not within 1699999999000 to 1700000000500"));

    assert_eq!(
        record_errors(&at(&[i64::MIN]), &plain()),
        (vec![0], true),
        "the difference wraps, as in Kafka"
    );
    assert!(check(&at(&[-5]), 9, &plain(), NOW).is_ok(), "negative times are only old");
    assert!(check(&at(&[i64::MAX]), 9, &append_time(), NOW).is_ok(), "with append time nobody looks");
}

#[test]
fn a_producer_may_not_say_append_time() {
    let marked = bent(|header| {
        header.attributes = header.attributes.with_timestamp_type(TimestampType::LogAppendTime);
    });
    assert_eq!(record_errors(&marked, &append_time()), (vec![0, 1], true));
    assert!(
        check(&marked, 9, &plain(), NOW).is_ok(),
        "unless the topic has create time: then the mark is taken away"
    );
    let no_time = bent_from(&marked, |header| header.max_timestamp = Millis::NONE);
    assert_eq!(record_errors(&no_time, &plain()), (vec![0, 1], true));
}

#[test]
fn the_key_comes_before_the_timestamp_and_one_timestamp_error_decides() {
    let rules = BatchRules { keys_required: true, ..plain() };
    let mut builder = BatchBuilder::new(Offset::ZERO);
    let far = NOW.plus(1_000_000_000);
    builder.push(&NewRecord { timestamp: far, ..NewRecord::default() });
    assert_eq!(record_errors(&builder.build(), &rules), (vec![0], false), "one error a record: the key's");
    let mut builder = BatchBuilder::new(Offset::ZERO);
    builder.push(&NewRecord { timestamp: far, ..NewRecord::default() });
    builder.push(&NewRecord { timestamp: far, key: Some(b"k"), ..NewRecord::default() });
    assert_eq!(record_errors(&builder.build(), &rules), (vec![0, 1], true));
}

#[test]
fn a_malformed_record_behind_failing_ones_is_what_is_said() {
    let rules = BatchRules { keys_required: true, ..plain() };
    let body = [&plain_record(0)[..], &[0x80; 5]].concat();
    assert!(matches!(refused(&around(Codec::None, 2, &body), &rules), Refusal::Malformed(_)));
}

#[test]
fn a_million_failing_records_are_counted_but_not_all_listed() {
    let rules = BatchRules { keys_required: true, ..plain() };
    let count = 1_000_000;
    let body = plain_record(0).repeat(count);
    let refusal = refused(&around(Codec::Zstd, count as i32, &body), &rules);
    let Refusal::Records { errors, total, .. } = refusal else { panic!("{refusal}") };
    assert_eq!((errors.len(), total as usize), (MAX_LISTED_ERRORS, count));
}

#[test]
fn row_20_a_rebuilt_batch_larger_than_the_topic_takes() {
    let zeros = vec![0; 10_000];
    let mut builder = BatchBuilder::new(Offset::ZERO).codec(Codec::Zstd, None);
    builder.push(&NewRecord { timestamp: THEN, value: Some(&zeros), ..NewRecord::default() });
    let small = builder.build();
    let rules = BatchRules { max_message_bytes: 5000, ..compressed_as(Codec::None) };
    let refusal = refused(&small, &rules);
    assert!(matches!(refusal, Refusal::TooLarge { size: 10_001.., limit: 5000, rebuilt: true }), "{refusal}");
    assert!(refusal.to_string().contains("after recompression"));
}
