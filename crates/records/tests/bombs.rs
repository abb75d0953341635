//! A few bytes that unpack to gigabytes get an error, and no memory. One test, in a process of its own, since it asks
//! the operating system what the whole process has used.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(target_os = "linux")]

use std::io::Write;

use base::{LeaderEpoch, Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use bytes::Bytes;
use records::{
    Attributes, BatchHeader, BatchRules, Codec, Refusal, TimestampType, TopicCompression, check, seal,
};

const MIB: usize = 1024 * 1024;

/// The most memory this process has had resident so far, in bytes.
fn most_resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// `front`, then `piece` so many times. Gzip members and zstd frames may stand one behind the other, so each is packed
/// only once.
fn packed(codec: Codec, front: &[u8], piece: &[u8], times: usize) -> Vec<u8> {
    let pack = |bytes: &[u8]| match codec {
        Codec::Gzip => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            out.write_all(bytes).unwrap();
            out.finish().unwrap()
        }
        Codec::Zstd => zstd::stream::encode_all(bytes, 3).unwrap(),
        other => panic!("{other} cannot pack that much into a message"),
    };
    [pack(front), pack(piece).repeat(times)].concat()
}

fn batch(codec: Codec, record_count: i32, body: &[u8]) -> Bytes {
    let header = BatchHeader {
        base_offset: Offset(0),
        batch_length: 0,
        leader_epoch: LeaderEpoch::NONE,
        magic: 2,
        crc: 0,
        attributes: Attributes::default().with_codec(codec),
        last_offset_delta: record_count - 1,
        base_timestamp: Millis(0),
        max_timestamp: Millis(0),
        producer_id: ProducerId::NONE,
        producer_epoch: ProducerEpoch::NONE,
        base_sequence: Sequence::NONE,
        record_count,
    };
    seal(&header, body)
}

#[test]
fn a_small_batch_that_unpacks_to_gigabytes_gets_an_error_and_no_memory() {
    // One record of 1 GiB of zeros: length, attributes, deltas, no key, the value; and the smallest record, 146 million
    // times.
    let one_record = [0x94, 0x80, 0x80, 0x80, 0x08, 0, 0, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x08];
    let smallest = [6 << 1, 0, 0, 0, 1, 1, 0];
    let mut bombs = Vec::new();
    for codec in [Codec::Gzip, Codec::Zstd] {
        bombs.push((codec, batch(codec, 1, &packed(codec, &one_record, &vec![0; MIB], 1024))));
        let many = packed(codec, &smallest, &smallest.repeat(146_000), 1000);
        bombs.push((codec, batch(codec, 146_000_001, &many)));
    }
    // Blocks that claim room which nothing fills.
    bombs.push((Codec::Snappy, batch(Codec::Snappy, 1, &[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0])));
    bombs.push((
        Codec::Lz4,
        batch(Codec::Lz4, 1, &[0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73, 1, 0, 0, 0, 0xf0]),
    ));
    // A frame that asks for the largest window and holds nothing.
    bombs.push((Codec::Zstd, batch(Codec::Zstd, 1, &[0x28, 0xb5, 0x2f, 0xfd, 0, 0x88, 1, 0, 0])));

    let rules = |compression, max_decompressed_bytes| BatchRules {
        compression,
        max_decompressed_bytes,
        max_message_bytes: 10 * MIB,
        timestamp_type: TimestampType::LogAppendTime,
        keys_required: true,
        ..BatchRules::default()
    };
    let before = most_resident();
    for (codec, bomb) in &bombs {
        assert!(bomb.len() < 2 * MIB, "{codec}: {} bytes", bomb.len());
        let refusal = check(bomb, 9, &rules(TopicCompression::Producer, 16 * MIB), Millis(0)).unwrap_err();
        let unpacked = bomb.len() > 1000;
        assert_eq!(matches!(refusal, Refusal::DecompressedTooLarge { .. }), unpacked, "{codec}: {refusal}");
        assert_eq!(matches!(refusal, Refusal::Malformed(_)), !unpacked, "{codec}: {refusal}");
        // Repacking holds at most one record, so its bound is what a record may take.
        check(bomb, 9, &rules(TopicCompression::Codec(Codec::Lz4, None), 2 * MIB), Millis(0)).unwrap_err();
    }
    let grown = most_resident() - before;
    assert!(grown < 12 * MIB, "checking {} small batches took {} KiB", bombs.len(), grown / 1024);
}
