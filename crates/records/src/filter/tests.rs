use base::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};
use proptest::prelude::*;

use super::*;
use crate::{HEADER_LEN, NewRecord, crc_is_valid, records_of};

const LIMIT: usize = 1 << 20;
const KEEP: Keep = Keep { empty: false, horizon: Millis(9_000), needs_horizon: false };

/// A record as it can be compared: offset, time, key, value, headers.
type Seen = (i64, i64, Option<Vec<u8>>, Option<Vec<u8>>, Vec<(Vec<u8>, Option<Vec<u8>>)>);

fn seen(batch: &[u8]) -> Vec<Seen> {
    let records = records_of(batch, LIMIT).unwrap();
    let header = *records.header();
    records
        .iter()
        .map(|record| {
            let record = record.unwrap();
            let headers = record.headers.iter().map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec)));
            (
                record.offset(&header).0,
                record.timestamp(&header).0,
                record.key.map(<[u8]>::to_vec),
                record.value.map(<[u8]>::to_vec),
                headers.collect(),
            )
        })
        .collect()
}

/// Records `0..count`, every third of them a tombstone, every second with headers.
fn batch(codec: Codec, count: usize, append_time: Option<Millis>) -> bytes::Bytes {
    let mut builder = BatchBuilder::new(Offset(100))
        .leader_epoch(LeaderEpoch(3))
        .codec(codec, None)
        .producer(ProducerId(7), ProducerEpoch(2), Sequence(40))
        .transactional(true);
    if let Some(now) = append_time {
        builder = builder.log_append_time(now);
    }
    for at in 0..count {
        let key = format!("key-{at}");
        let headers: &[(&[u8], Option<&[u8]>)] = &[(b"h", Some(b"v")), (b"null", None)];
        builder.push(&NewRecord {
            timestamp: Millis(5_000 - at as i64 * 10),
            key: Some(key.as_bytes()),
            value: (at % 3 != 0).then_some(b"value"),
            headers: if at % 2 == 0 { headers } else { &[] },
        });
    }
    builder.build()
}

fn filtered(batch: &[u8], keep: &Keep, wanted: &[bool]) -> Filtered {
    let mut wanted = wanted.iter();
    let (filtered, counted) = filter(batch, keep, LIMIT, |_, _| *wanted.next().unwrap()).unwrap();
    assert_eq!(counted.read, records_of(batch, LIMIT).unwrap().iter().count() as u64);
    filtered
}

fn rewritten(filtered: Filtered) -> bytes::Bytes {
    match filtered {
        Filtered::Rewritten(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// What is left has the wanted records at their offsets and times, and a header that differs only where it must.
    #[test]
    fn the_wanted_records_stay_where_they_were(
        wanted in prop::collection::vec(any::<bool>(), 1..150),
        codec in prop::sample::select(Codec::ALL.to_vec()),
        append_time in prop::option::of(Just(Millis(7_777))),
        empty in any::<bool>(),
    ) {
        let before = batch(codec, wanted.len(), append_time);
        let old = BatchHeader::parse(&before).unwrap();
        let expected: Vec<Seen> =
            seen(&before).into_iter().zip(&wanted).filter(|(_, wanted)| **wanted).map(|(record, _)| record).collect();
        let tombstones = expected.iter().any(|record| record.3.is_none());
        match filtered(&before, &Keep { empty, ..KEEP }, &wanted) {
            Filtered::Gone => prop_assert!(expected.is_empty() && !empty),
            Filtered::Whole => prop_assert!(expected.len() == wanted.len() && !tombstones),
            Filtered::Rewritten(bytes) => {
                prop_assert!(crc_is_valid(&bytes));
                prop_assert_eq!(seen(&bytes), expected.clone());
                let new = BatchHeader::parse(&bytes).unwrap();
                prop_assert_eq!(bytes.len(), new.size());
                let horizon = tombstones.then_some(KEEP.horizon);
                prop_assert_eq!(new.delete_horizon(), horizon);
                let left = expected.iter().map(|record| Millis(record.1)).max();
                let codec = if expected.is_empty() { Codec::None } else { codec };
                let attributes = old.attributes.with_codec(codec).with_delete_horizon(horizon.is_some());
                let kept = BatchHeader {
                    batch_length: new.batch_length,
                    crc: new.crc,
                    attributes,
                    base_timestamp: new.base_timestamp,
                    max_timestamp: left.unwrap_or(old.max_timestamp),
                    record_count: expected.len() as i32,
                    ..old
                };
                prop_assert_eq!(new, kept);
                if expected.is_empty() {
                    prop_assert!(empty);
                    prop_assert_eq!((bytes.len(), new.base_timestamp), (HEADER_LEN, Millis::NONE));
                }
            }
        }
    }
}

#[test]
fn a_horizon_is_set_once_and_kept() {
    let first = rewritten(filtered(&batch(Codec::Zstd, 4, None), &KEEP, &[true; 4]));
    let later = Keep { horizon: Millis(50_000), ..KEEP };
    assert_eq!(filtered(&first, &later, &[true; 4]), Filtered::Whole, "it has one already");
    let less = rewritten(filtered(&first, &later, &[true, true, false, true]));
    assert_eq!(BatchHeader::parse(&less).unwrap().delete_horizon(), Some(KEEP.horizon));
    // A horizon stays although the tombstones go: the deltas count from it.
    let without = rewritten(filtered(&first, &later, &[false, true, true, false]));
    assert_eq!(BatchHeader::parse(&without).unwrap().delete_horizon(), Some(KEEP.horizon));
    assert_eq!(seen(&without), seen(&first)[1..3]);
}

#[test]
fn a_marker_can_be_given_a_horizon() {
    let mut builder = BatchBuilder::new(Offset(5)).control(true).transactional(true);
    builder.push(&NewRecord { timestamp: Millis(1), key: Some(b"k"), value: Some(b"v"), headers: &[] });
    let marker = builder.build();
    assert_eq!(filtered(&marker, &KEEP, &[true]), Filtered::Whole);
    let with = rewritten(filtered(&marker, &Keep { needs_horizon: true, ..KEEP }, &[true]));
    assert_eq!(BatchHeader::parse(&with).unwrap().delete_horizon(), Some(KEEP.horizon));
    assert_eq!(seen(&with), seen(&marker));
}

#[test]
fn an_empty_batch_stays_as_it_is_or_goes() {
    let keep = Keep { empty: true, ..KEEP };
    let empty = rewritten(filtered(&batch(Codec::Gzip, 3, Some(Millis(8))), &keep, &[false; 3]));
    assert_eq!(filtered(&empty, &keep, &[]), Filtered::Whole);
    assert_eq!(filtered(&empty, &KEEP, &[]), Filtered::Gone);
}

#[test]
fn what_cannot_be_read_is_an_error_and_no_loss() {
    let whole = batch(Codec::None, 3, None);
    let cut = &whole[..whole.len() - 1];
    assert!(filter(cut, &KEEP, LIMIT, |_, _| true).is_err());
    let packed = batch(Codec::Zstd, 200, None);
    assert!(filter(&packed, &KEEP, 100, |_, _| true).is_err());
}
