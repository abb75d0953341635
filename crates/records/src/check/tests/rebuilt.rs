use base::{ProducerEpoch, ProducerId, Sequence};

use super::*;
use crate::{crc_is_valid, records_of};

type Owned = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Vec<(Vec<u8>, Option<Vec<u8>>)>);

/// Time, key, value and headers of every record.
fn content(batch: &[u8]) -> Vec<Owned> {
    let records = records_of(batch, 1 << 20).unwrap();
    let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
    let one = |record: Result<crate::RecordView<'_>, _>| {
        let record = record.unwrap();
        let headers = record.headers.iter().map(|(key, value)| (key.to_vec(), owned(value))).collect();
        (record.timestamp(records.header()).0, owned(record.key), owned(record.value), headers)
    };
    records.iter().map(one).collect()
}

/// Times out of order, nulls, empty values, headers.
fn varied(codec: Codec) -> Bytes {
    let mut builder = BatchBuilder::new(Offset::ZERO)
        .codec(codec, None)
        .producer(ProducerId(77), ProducerEpoch(3), Sequence(i32::MAX - 1))
        .transactional(true);
    let headers: [(&[u8], Option<&[u8]>); 3] = [(b"h", None), (b"h", Some(b"again")), (b"", Some(b""))];
    let value = b"value ".repeat(100);
    builder.push(&NewRecord { timestamp: THEN, key: None, value: Some(&value), headers: &headers });
    builder.push(&NewRecord { timestamp: THEN.plus(-500), key: Some(b""), value: None, headers: &[] });
    builder.push(&NewRecord {
        timestamp: THEN.plus(900),
        key: Some(b"k"),
        value: Some(b""),
        headers: &headers[..1],
    });
    builder.push(&NewRecord { timestamp: Millis::NONE, key: Some(b"k"), value: Some(b"v"), headers: &[] });
    builder.build()
}

#[test]
fn another_codec_than_the_topics_is_repacked() {
    for from in Codec::ALL {
        for to in Codec::ALL {
            let records = varied(from);
            let checked = checked(&records, &compressed_as(to));
            let stored = on_disk(&checked);
            assert!(crc_is_valid(&stored), "{from} to {to}");
            let header = BatchHeader::parse(&stored).unwrap();
            assert_eq!(header.attributes.codec(), Ok(to), "{from} to {to}");
            assert_eq!(header.size(), stored.len(), "{from} to {to}");
            assert_eq!(content(&stored), content(&records), "{from} to {to}");
            let before = BatchHeader::parse(&records).unwrap();
            let kept = BatchHeader { batch_length: before.batch_length, crc: before.crc, ..header };
            let expected = BatchHeader { attributes: before.attributes.with_codec(to), ..before };
            assert_eq!(kept, expected, "{from} to {to}: producer, sequence, times, counts and flags stay");
        }
    }
}

#[test]
fn the_topics_level_is_used() {
    let text = (0..2000).map(|n| format!("{} ", n * n % 977)).collect::<String>();
    let mut builder = BatchBuilder::new(Offset::ZERO);
    builder.push(&NewRecord { timestamp: THEN, value: Some(text.as_bytes()), ..NewRecord::default() });
    let records = builder.build();
    for (codec, low, high) in [(Codec::Gzip, 1, 9), (Codec::Zstd, -50, 19)] {
        let size = |level| {
            let rules = BatchRules { compression: TopicCompression::Codec(codec, Some(level)), ..plain() };
            checked(&records, &rules).size()
        };
        assert!(size(low) > size(high), "{codec}");
    }
}

#[test]
fn append_time_is_written_into_a_rebuilt_batch() {
    let rules = BatchRules { timestamp_type: TimestampType::LogAppendTime, ..compressed_as(Codec::Gzip) };
    let checked = checked(&varied(Codec::None), &rules);
    let stored = on_disk(&checked);
    assert!(crc_is_valid(&stored));
    assert_eq!((checked.header().max_timestamp, checked.log_append_time()), (NOW, NOW));
    assert!(content(&stored).iter().all(|&(time, ..)| time == NOW.0));
    let header = bent_from(&Bytes::from(stored), |header| {
        header.attributes = header.attributes.with_timestamp_type(TimestampType::CreateTime);
    });
    assert_eq!(content(&header), content(&varied(Codec::None)), "the records' own times are still there");
}

#[test]
fn a_compressed_batch_with_other_offset_deltas_is_rebuilt_with_right_ones() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let body = [crate::samples::plain_record(0), crate::samples::plain_record(0)].concat();
        let records = around(codec, 2, &body);
        let checked = checked(&records, &plain());
        let stored = on_disk(&checked);
        assert_eq!(checked.header().attributes.codec(), Ok(codec));
        let deltas: Vec<_> =
            records_of(&stored, 1 << 20).unwrap().iter().map(|record| record.unwrap().offset_delta).collect();
        assert_eq!(deltas, [0, 1], "{codec}");
        assert_eq!(content(&stored), content(&records), "{codec}");
    }
}
