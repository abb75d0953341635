//! Batches for the tests of this room.

use base::{Millis, Offset, ProducerEpoch, ProducerId, Sequence};

use crate::{BatchBuilder, Codec, NewRecord};

/// When the first record of [`batch`] was made.
pub(crate) const THEN: Millis = Millis(1_589_818_655_780);

/// `count` records `{"msg_count": N}` of an idempotent producer, a millisecond apart.
pub(crate) fn batch(codec: Codec, count: usize) -> BatchBuilder {
    let mut batch = BatchBuilder::new(Offset::ZERO).codec(codec, None).producer(
        ProducerId(3001),
        ProducerEpoch(0),
        Sequence(0),
    );
    for index in 0..count {
        let value = format!("{{\"msg_count\": {index}}}");
        let timestamp = THEN.plus(index as i64);
        batch.push(&NewRecord { timestamp, value: Some(value.as_bytes()), ..NewRecord::default() });
    }
    batch
}

/// One record for a body put together by hand: no key, the value "v", no headers.
pub(crate) fn plain_record(offset_delta: u8) -> [u8; 8] {
    [7 << 1, 0, 0, offset_delta << 1, 1, 2, b'v', 0]
}
