//! Building batches: for the broker's own logs, for rebuilt batches, for tests.

use base::{LeaderEpoch, Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use bytes::Bytes;

use crate::compression::Writer;
use crate::framing::{put_varlong, varlong_len};
use crate::record::RecordView;
use crate::{Attributes, BatchHeader, Codec, HEADER_LEN, LENGTH_OVERHEAD, MAGIC, TimestampType};

/// A record to be put into a batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewRecord<'a> {
    /// The record's time.
    pub timestamp: Millis,
    /// The key, or `None` for null.
    pub key: Option<&'a [u8]>,
    /// The value, or `None` for null.
    pub value: Option<&'a [u8]>,
    /// Key and value of each header.
    pub headers: &'a [(&'a [u8], Option<&'a [u8]>)],
}

/// Collects records and makes one batch of them. Without further words: CreateTime, no codec, no producer, no leader
/// epoch (-1). Records are packed as they come, so that only packed bytes are held.
pub struct BatchBuilder {
    header: BatchHeader,
    codec: Codec,
    level: Option<i32>,
    body: Option<Body>,
    log_append_time: Option<Millis>,
    delete_horizon: Option<Millis>,
    /// The last offset delta that the batch says, if not that of its last record.
    reaching: Option<i32>,
}

impl BatchBuilder {
    /// A batch whose first record has this offset.
    #[must_use]
    pub fn new(base_offset: Offset) -> Self {
        let header = BatchHeader {
            base_offset,
            batch_length: 0,
            leader_epoch: LeaderEpoch::NONE,
            magic: MAGIC,
            crc: 0,
            attributes: Attributes::default(),
            last_offset_delta: -1,
            base_timestamp: Millis::NONE,
            max_timestamp: Millis::NONE,
            producer_id: ProducerId::NONE,
            producer_epoch: ProducerEpoch::NONE,
            base_sequence: Sequence::NONE,
            record_count: 0,
        };
        Self {
            header,
            codec: Codec::None,
            level: None,
            body: None,
            log_append_time: None,
            delete_horizon: None,
            reaching: None,
        }
    }

    /// The epoch of the leader that appends it.
    #[must_use]
    pub fn leader_epoch(mut self, epoch: LeaderEpoch) -> Self {
        self.header.leader_epoch = epoch;
        self
    }

    /// How the records are compressed, to be said before the first one; `level` is the codec's own, `None` its default,
    /// one out of range the nearest. (snappy has one level, and so has lz4 here.)
    ///
    /// # Panics
    /// When there are records already.
    #[must_use]
    pub fn codec(mut self, codec: Codec, level: Option<i32>) -> Self {
        assert!(self.body.is_none(), "the codec is chosen before the first record");
        (self.codec, self.level) = (codec, level);
        self.header.attributes = self.header.attributes.with_codec(codec);
        self
    }

    /// Signs the batch with an idempotent producer's three numbers.
    #[must_use]
    pub fn producer(mut self, id: ProducerId, epoch: ProducerEpoch, base_sequence: Sequence) -> Self {
        self.header.producer_id = id;
        self.header.producer_epoch = epoch;
        self.header.base_sequence = base_sequence;
        self
    }

    /// Makes it part of a transaction, or not.
    #[must_use]
    pub fn transactional(mut self, transactional: bool) -> Self {
        self.header.attributes = self.header.attributes.with_transactional(transactional);
        self
    }

    /// Makes it a control batch, or not.
    #[must_use]
    pub fn control(mut self, control: bool) -> Self {
        self.header.attributes = self.header.attributes.with_control(control);
        self
    }

    /// Makes it a LogAppendTime batch, all of whose records have this time. Their own stay in the deltas.
    #[must_use]
    pub fn log_append_time(mut self, now: Millis) -> Self {
        self.header.attributes = self.header.attributes.with_timestamp_type(TimestampType::LogAppendTime);
        self.log_append_time = Some(now);
        self
    }

    /// Marks from when on compaction may drop the batch's tombstones (KIP-534). The records' deltas then count from it.
    ///
    /// # Panics
    /// When there are records already.
    #[must_use]
    pub fn delete_horizon(mut self, horizon: Millis) -> Self {
        assert!(self.body.is_none(), "the delete horizon is chosen before the first record");
        self.header.attributes = self.header.attributes.with_delete_horizon(true);
        self.delete_horizon = Some(horizon);
        self
    }

    /// Adds a record behind the last one.
    pub fn push(&mut self, record: &NewRecord<'_>) {
        self.push_at(self.header.last_offset_delta + 1, record);
    }

    /// Adds a record with this offset delta, which must be larger than the last one's; compaction leaves such gaps.
    ///
    /// # Panics
    /// When it is not, or the record takes 2 GiB.
    pub fn push_at(&mut self, offset_delta: i32, record: &NewRecord<'_>) {
        assert!(offset_delta > self.header.last_offset_delta, "offsets rise within a batch");
        let delta = self.begin_record(offset_delta, record.timestamp);
        self.body().record(delta, offset_delta, record);
    }

    /// Adds a record of another batch, at its offset delta, with the time `timestamp`.
    pub(crate) fn copy(&mut self, record: &RecordView<'_>, timestamp: Millis) {
        let delta = self.begin_record(record.offset_delta, timestamp);
        self.body().copy(delta, record);
    }

    /// Makes the batch claim offsets up to this delta, whatever its last record has: compaction may have taken it.
    #[must_use]
    pub(crate) fn reaching(mut self, last_offset_delta: i32) -> Self {
        self.reaching = Some(last_offset_delta);
        self
    }

    /// Counts a record in, and says what its timestamp delta is.
    fn begin_record(&mut self, offset_delta: i32, timestamp: Millis) -> i64 {
        if self.body.is_none() {
            self.header.base_timestamp = self.delete_horizon.unwrap_or(timestamp);
        }
        self.header.last_offset_delta = offset_delta;
        self.header.record_count += 1;
        self.header.max_timestamp = self.header.max_timestamp.max(timestamp);
        timestamp.0.wrapping_sub(self.header.base_timestamp.0)
    }

    fn body(&mut self) -> &mut Body {
        let (codec, level) = (self.codec, self.level);
        self.body.get_or_insert_with(|| Body { writer: Writer::new(codec, level), put: 0 })
    }

    /// How many records there are so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.header.record_count as usize
    }

    /// Whether there are none yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes the batch would take without compression.
    #[must_use]
    pub fn uncompressed_size(&self) -> usize {
        HEADER_LEN + self.body.as_ref().map_or(0, |body| body.put)
    }

    /// Bytes the batch takes at least, as far as they are packed: it never shrinks again.
    #[must_use]
    pub fn size_so_far(&self) -> usize {
        HEADER_LEN + self.body.as_ref().map_or(0, |body| body.writer.written())
    }

    /// The bytes of the batch. Without records it is an empty one, as compaction leaves it: last offset delta 0, no codec.
    ///
    /// # Panics
    /// When the batch takes 2 GiB.
    #[must_use]
    pub fn build(self) -> Bytes {
        let (header, rest) = self.finish();
        [&header.encode()[..], &rest].concat().into()
    }

    /// The header, with length and CRC, and the bytes behind it.
    pub(crate) fn finish(self) -> (BatchHeader, Vec<u8>) {
        let mut header = self.header;
        if self.body.is_none() {
            header.last_offset_delta = 0;
            header.attributes = header.attributes.with_codec(Codec::None);
            header.base_timestamp = self.delete_horizon.unwrap_or(Millis::NONE);
        }
        if let Some(delta) = self.reaching {
            header.last_offset_delta = delta;
        }
        if let Some(now) = self.log_append_time {
            header.max_timestamp = now;
        }
        let rest = self.body.map_or_else(Vec::new, |body| body.writer.finish());
        header.batch_length =
            i32::try_from(HEADER_LEN - LENGTH_OVERHEAD + rest.len()).expect("a batch is smaller than 2 GiB");
        header.crc = header.crc_with(&rest);
        (header, rest)
    }
}

impl std::fmt::Debug for BatchBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchBuilder").field("header", &self.header).finish_non_exhaustive()
    }
}

/// A record's fields, without its headers.
struct Fields<'a> {
    timestamp_delta: i64,
    offset_delta: i32,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
}

/// The records on their way through the codec.
struct Body {
    writer: Writer,
    /// Bytes before compression.
    put: usize,
}

/// Bytes of a nullable field with its length.
fn nullable_len(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(varlong_len(-1), |bytes| varlong_len(bytes.len() as i64) + bytes.len())
}

impl Body {
    fn record(&mut self, timestamp_delta: i64, offset_delta: i32, record: &NewRecord<'_>) {
        let headers = record.headers;
        let len = headers.iter().map(|&(key, value)| nullable_len(Some(key)) + nullable_len(value)).sum();
        let fields = Fields { timestamp_delta, offset_delta, key: record.key, value: record.value };
        self.framed(&fields, headers.len(), len, |body| {
            for &(key, value) in headers {
                body.nullable(Some(key));
                body.nullable(value);
            }
        });
    }

    fn copy(&mut self, timestamp_delta: i64, record: &RecordView<'_>) {
        let (offset_delta, headers) = (record.offset_delta, record.headers);
        let fields = Fields { timestamp_delta, offset_delta, key: record.key, value: record.value };
        self.framed(&fields, headers.len(), headers.as_stored().len(), |body| {
            body.bytes(headers.as_stored());
        });
    }

    /// One record with its length; `headers` puts the bytes of its headers, which are `headers_len`.
    fn framed(
        &mut self,
        fields: &Fields<'_>,
        header_count: usize,
        headers_len: usize,
        headers: impl FnOnce(&mut Self),
    ) {
        let len = 1 // the record's attributes, of which none exist
            + varlong_len(fields.timestamp_delta)
            + varlong_len(fields.offset_delta.into())
            + nullable_len(fields.key)
            + nullable_len(fields.value)
            + varlong_len(header_count as i64)
            + headers_len;
        let len = i32::try_from(len).expect("a record is smaller than 2 GiB");

        self.number(len.into());
        let before = self.put;
        self.bytes(&[0]);
        self.number(fields.timestamp_delta);
        self.number(fields.offset_delta.into());
        self.nullable(fields.key);
        self.nullable(fields.value);
        self.number(header_count as i64);
        headers(self);
        assert_eq!(self.put - before, len as usize, "a record's fields add up to its length");
    }

    fn nullable(&mut self, bytes: Option<&[u8]>) {
        self.number(bytes.map_or(-1, |bytes| bytes.len() as i64));
        self.bytes(bytes.unwrap_or_default());
    }

    fn number(&mut self, value: i64) {
        let mut bytes = [0; 10];
        let len = put_varlong(&mut bytes, value);
        self.bytes(&bytes[..len]);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.writer.put(bytes);
        self.put += bytes.len();
    }
}

/// A whole batch of this header and these bytes behind it, with length and CRC made right. Everything else in the
/// header stays as given, sensible or not: the broker gets its batches from [`BatchBuilder`], tests their broken ones here.
#[must_use]
pub fn seal(header: &BatchHeader, rest: &[u8]) -> Bytes {
    let batch_length = i32::try_from(HEADER_LEN - LENGTH_OVERHEAD + rest.len()).unwrap_or(i32::MAX);
    let mut header = BatchHeader { batch_length, ..*header };
    header.crc = header.crc_with(rest);
    [&header.encode()[..], rest].concat().into()
}

#[cfg(test)]
mod tests;
