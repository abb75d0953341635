//! One test per row of the tables of what a broker checks; the answers are those a Kafka 4.1.1 broker gave to the same
//! bytes, but for the differences named in `lib.rs`.

mod kept;
mod rebuilt;
mod refused;

use base::{LeaderEpoch, Millis, Offset};
use bytes::Bytes;

use super::*;
use crate::samples::{THEN, batch};
use crate::{Codec, seal};

const NOW: Millis = Millis(1_700_000_000_000);

/// The rules of a topic without settings of its own.
fn plain() -> BatchRules {
    BatchRules::default()
}

fn compressed_as(codec: Codec) -> BatchRules {
    BatchRules { compression: TopicCompression::Codec(codec, None), ..plain() }
}

fn append_time() -> BatchRules {
    BatchRules { timestamp_type: TimestampType::LogAppendTime, ..plain() }
}

fn checked(records: &Bytes, rules: &BatchRules) -> CheckedBatch {
    check(records, 9, rules, NOW).expect("a batch that breaks no rule")
}

fn refused(records: &[u8], rules: &BatchRules) -> Refusal {
    check(&Bytes::copy_from_slice(records), 9, rules, NOW).expect_err("a batch that breaks a rule")
}

/// A sound batch of two records with one thing in its header changed and the CRC made right again.
fn bent(change: impl FnOnce(&mut BatchHeader)) -> Bytes {
    bent_from(&batch(Codec::None, 2).build(), change)
}

fn bent_from(batch: &Bytes, change: impl FnOnce(&mut BatchHeader)) -> Bytes {
    let mut header = BatchHeader::parse(batch).unwrap();
    change(&mut header);
    seal(&header, &batch[HEADER_LEN..])
}

/// A batch that claims `count` records, around a body put together by hand.
fn around(codec: Codec, count: i32, body: &[u8]) -> Bytes {
    let mut header = BatchHeader::parse(&batch(codec, 1).build()).unwrap();
    (header.record_count, header.last_offset_delta) = (count, count - 1);
    let mut writer = compression::Writer::new(codec, None);
    writer.put(body);
    seal(&header, &writer.finish())
}

/// What goes to disk, stamped as the first batch of a log.
fn on_disk(checked: &CheckedBatch) -> Vec<u8> {
    let (header, rest) = checked.stamp(Offset::ZERO, LeaderEpoch::NONE);
    [&header[..], &rest].concat()
}
