//! What a producer sent, held against the rules: out comes one batch that may be appended, or why not.

mod refusal;

use base::{LeaderEpoch, Millis, Offset, ProducerId};
use bytes::Bytes;
pub use refusal::{MAX_LISTED_ERRORS, RecordError, Refusal};

use crate::framing::{Slice, Source, Stream, read_record};
use crate::{
    Attributes, BatchBuilder, BatchError, BatchHeader, Codec, HEADER_LEN, LENGTH_OVERHEAD, MAGIC, NewRecord,
    RecordStream, TimestampType, compression,
};

/// What a topic asks of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRules {
    /// `compression.type` and the level of its codec.
    pub compression: TopicCompression,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `max.message.bytes`: the largest batch, in bytes, before and after a rebuild.
    pub max_message_bytes: usize,
    /// `message.timestamp.before.max.ms`: how far in the past a record's own time may lie.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`: how far in the future a record's own time may lie.
    pub timestamp_after_max_ms: i64,
    /// Whether `cleanup.policy` contains `compact`, so that every record needs a key.
    pub keys_required: bool,
    /// The most bytes that compressed records may unpack to. Kafka has no such limit.
    pub max_decompressed_bytes: usize,
}

impl Default for BatchRules {
    /// Kafka's defaults for a topic; 100 MiB after decompression.
    fn default() -> Self {
        Self {
            compression: TopicCompression::Producer,
            timestamp_type: TimestampType::CreateTime,
            max_message_bytes: 1024 * 1024 + 12,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 3_600_000,
            keys_required: false,
            max_decompressed_bytes: 100 * 1024 * 1024,
        }
    }
}

/// A topic's `compression.type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TopicCompression {
    /// `producer`: whatever the producer chose.
    #[default]
    Producer,
    /// One codec for all (`uncompressed` is [`Codec::None`]), with its level; `None` is the codec's default level.
    Codec(Codec, Option<i32>),
}

/// One whole batch that keeps every rule: the producer's bytes, or rebuilt ones. Attributes, max timestamp and CRC are
/// final; base offset and leader epoch are stamped on at the append.
#[derive(Clone, Debug)]
pub struct CheckedBatch {
    header: BatchHeader,
    rest: Bytes,
    log_append_time: Millis,
}

impl CheckedBatch {
    /// The header as it goes to disk, except for base offset (0) and leader epoch.
    #[must_use]
    pub const fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// Bytes of the whole batch.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.header.size()
    }

    /// The time given to every record of a LogAppendTime topic; [`Millis::NONE`] for CreateTime.
    #[must_use]
    pub const fn log_append_time(&self) -> Millis {
        self.log_append_time
    }

    /// The 61 header bytes as they go to disk, and the rest, shared with what came in unless the batch was rebuilt.
    #[must_use]
    pub fn stamp(&self, base_offset: Offset, leader_epoch: LeaderEpoch) -> ([u8; HEADER_LEN], Bytes) {
        (BatchHeader { base_offset, leader_epoch, ..self.header }.encode(), self.rest.clone())
    }
}

/// Holds `records`, what a Produce request of version `produce_version` (3 or later) carries for one partition,
/// against the rules of its topic, in Kafka's order (`ProduceRequest.validateRecords`,
/// `UnifiedLog.analyzeAndValidateRecords`, `LogValidator`). `now` is what a LogAppendTime topic stamps.
///
/// Bytes behind the batch that are no second batch are left out, as in Kafka.
///
/// # Errors
/// The first rule that is broken.
pub fn check(
    records: &Bytes,
    produce_version: i16,
    rules: &BatchRules,
    now: Millis,
) -> Result<CheckedBatch, Refusal> {
    let batch = the_one_batch(records, produce_version)?;
    let header = check_header(&batch, rules)?;
    let codec = header.attributes.codec()?;
    let target = match rules.compression {
        TopicCompression::Producer => codec,
        TopicCompression::Codec(target, _) => target,
    };
    let seen = walk(&header, codec, &batch[HEADER_LEN..], rules, now)?;
    // Kafka walks a batch that nobody compresses without looking at the offset deltas; compressed ones it rebuilds.
    let in_place = target == codec && (codec == Codec::None || seen.offsets_follow);
    let (header, rest) = if in_place {
        (restamp(header, &batch, rules, now, seen.max_timestamp), batch.slice(HEADER_LEN..))
    } else {
        rebuild(&batch, target, rules, now)?
    };
    let log_append_time = match rules.timestamp_type {
        TimestampType::CreateTime => Millis::NONE,
        TimestampType::LogAppendTime => now,
    };
    Ok(CheckedBatch { header, rest, log_append_time })
}

/// Exactly one whole batch, of format v2 (Kafka: `ProduceRequest.validateRecords`).
fn the_one_batch(records: &Bytes, produce_version: i16) -> Result<Bytes, Refusal> {
    let size = next_batch(records)?.ok_or(Refusal::NoBatch)?;
    let magic = magic_of(records).ok_or(Refusal::NoBatch)?;
    if magic != MAGIC {
        return Err(Refusal::OldMagic(magic));
    }
    if produce_version < ZSTD_SINCE && codec_of(records) == Some(Codec::Zstd) {
        return Err(Refusal::ZstdTooEarly { produce_version });
    }
    match next_batch(&records[size..])? {
        None => Ok(records.slice(..size)),
        Some(_) => Err(Refusal::SecondBatch),
    }
}

/// The first version of Produce that may carry zstd (KIP-110).
const ZSTD_SINCE: i16 = 7;
/// Bytes up to the magic number and with it.
const UP_TO_MAGIC: usize = 17;
const ATTRIBUTES_AT: usize = 21;
/// The smallest batch length of any format: a message of magic 0 without its offset and length.
const SMALLEST_LENGTH: i32 = 14;

fn magic_of(bytes: &[u8]) -> Option<i8> {
    bytes.get(UP_TO_MAGIC - 1).map(|&magic| i8::from_be_bytes([magic]))
}

/// The codec, even of a batch that is too small for its header.
fn codec_of(bytes: &[u8]) -> Option<Codec> {
    let [high, low] = *bytes.get(ATTRIBUTES_AT..ATTRIBUTES_AT + 2)? else { return None };
    Attributes(i16::from_be_bytes([high, low])).codec().ok()
}

/// Bytes of the whole batch that `bytes` begin with, of any format; `None` when there is none or it is not whole
/// (Kafka: `ByteBufferLogInputStream.nextBatchSize`).
fn next_batch(bytes: &[u8]) -> Result<Option<usize>, Refusal> {
    let Some(&[.., a, b, c, d]) = bytes.first_chunk::<LENGTH_OVERHEAD>() else {
        return Ok(None);
    };
    let length = i32::from_be_bytes([a, b, c, d]);
    if length < SMALLEST_LENGTH {
        return Err(Refusal::Length(length));
    }
    match magic_of(bytes) {
        None => Ok(None),
        Some(0..=MAGIC) => Ok(Some(LENGTH_OVERHEAD + length as usize).filter(|&size| size <= bytes.len())),
        Some(magic) => Err(Refusal::UnknownMagic(magic)),
    }
}

/// What the header alone shows (Kafka: `UnifiedLog.analyzeAndValidateRecords`, then `LogValidator.validateBatch`).
fn check_header(batch: &[u8], rules: &BatchRules) -> Result<BatchHeader, Refusal> {
    let base_offset = batch.first_chunk().map(|bytes| i64::from_be_bytes(*bytes));
    if let Some(base_offset @ (..=-1 | 1..)) = base_offset {
        return Err(Refusal::BaseOffset(Offset(base_offset)));
    }
    if batch.len() > rules.max_message_bytes {
        return Err(Refusal::TooLarge { size: batch.len(), limit: rules.max_message_bytes, rebuilt: false });
    }
    if batch.len() < HEADER_LEN {
        return Err(Refusal::TooSmall(batch.len()));
    }
    let header = BatchHeader::parse(batch)?;
    let computed = header.crc_with(&batch[HEADER_LEN..]);
    if header.crc != computed {
        return Err(Refusal::Crc { stored: header.crc, computed });
    }
    let BatchHeader { last_offset_delta, record_count, producer_id, base_sequence, .. } = header;
    if last_offset_delta < 0 {
        return Err(Refusal::LastOffsetDelta(last_offset_delta));
    }
    if record_count <= 0 {
        return Err(Refusal::RecordCount(record_count));
    }
    if i64::from(record_count) != i64::from(last_offset_delta) + 1 {
        return Err(Refusal::CountMismatch { record_count, last_offset_delta });
    }
    if header.attributes.is_control() {
        return Err(Refusal::Control);
    }
    if producer_id.0 > ProducerId::NONE.0 && base_sequence.0 < 0 {
        return Err(Refusal::NoSequence { producer_id, base_sequence });
    }
    Ok(header)
}

/// What a walk over the records finds out.
struct Seen {
    /// The largest timestamp of a record; -1 when none is larger.
    max_timestamp: Millis,
    /// Whether the offset deltas are 0, 1, 2...
    offsets_follow: bool,
}

fn walk(
    header: &BatchHeader,
    codec: Codec,
    body: &[u8],
    rules: &BatchRules,
    now: Millis,
) -> Result<Seen, Refusal> {
    match codec {
        Codec::None => walk_records(header, Slice::new(body), rules, now),
        packed => {
            let reader = compression::reader(packed, body, rules.max_decompressed_bytes)?;
            walk_records(header, Stream::new(reader, packed), rules, now)
        }
    }
}

fn walk_records<S: Source>(
    header: &BatchHeader,
    mut source: S,
    rules: &BatchRules,
    now: Millis,
) -> Result<Seen, Refusal> {
    let mut seen = Seen { max_timestamp: Millis::NONE, offsets_follow: true };
    let mut failing = Failing::default();
    for index in 0..header.record_count {
        let record = read_record(&mut source).map_err(|trouble| trouble.at(index as u32))?;
        let timestamp = match header.attributes.timestamp_type() {
            TimestampType::CreateTime => Millis(header.base_timestamp.0.wrapping_add(record.timestamp_delta)),
            TimestampType::LogAppendTime => header.max_timestamp,
        };
        if rules.keys_required && record.key.is_none() {
            failing.push(index, false, || "a compacted topic takes no record without a key".to_owned());
        } else if let Some(why) = timestamp_fault(header, timestamp, rules, now) {
            failing.push(index, true, || why.message(timestamp, rules, now));
        }
        seen.max_timestamp = seen.max_timestamp.max(timestamp);
        seen.offsets_follow &= record.offset_delta == index;
    }
    if !source.is_at_end()? {
        return Err(BatchError::LeftOver(header.record_count).into());
    }
    match failing.total {
        0 => Ok(seen),
        total => Err(Refusal::Records { errors: failing.errors, total, timestamp: failing.timestamp }),
    }
}

/// The records that break a rule of the topic.
#[derive(Default)]
struct Failing {
    errors: Vec<RecordError>,
    total: u32,
    timestamp: bool,
}

impl Failing {
    fn push(&mut self, batch_index: i32, timestamp: bool, message: impl FnOnce() -> String) {
        self.total += 1;
        self.timestamp |= timestamp;
        if self.errors.len() < MAX_LISTED_ERRORS {
            self.errors.push(RecordError { batch_index, message: message() });
        }
    }
}

enum TimestampFault {
    OutOfRange,
    MarkedAsAppendTime,
}

/// The rule on a record's time that it breaks (Kafka: `LogValidator.validateTimestamp`). The differences wrap as Java's
/// do: a time near the end of the range of i64 is out of range, not in it.
fn timestamp_fault(
    header: &BatchHeader,
    timestamp: Millis,
    rules: &BatchRules,
    now: Millis,
) -> Option<TimestampFault> {
    if rules.timestamp_type == TimestampType::CreateTime && timestamp != Millis::NONE {
        let age = now.0.wrapping_sub(timestamp.0);
        let out = age > rules.timestamp_before_max_ms || age.wrapping_neg() > rules.timestamp_after_max_ms;
        return out.then_some(TimestampFault::OutOfRange);
    }
    let marked = header.attributes.timestamp_type() == TimestampType::LogAppendTime;
    marked.then_some(TimestampFault::MarkedAsAppendTime)
}

impl TimestampFault {
    fn message(&self, timestamp: Millis, rules: &BatchRules, now: Millis) -> String {
        match self {
            Self::OutOfRange => format!(
                "the timestamp {timestamp} is not within {} to {}, which message.timestamp.before.max.ms and \
                 message.timestamp.after.max.ms allow",
                now.0.saturating_sub(rules.timestamp_before_max_ms),
                now.plus(rules.timestamp_after_max_ms),
            ),
            Self::MarkedAsAppendTime => "a producer may not set the timestamp type LogAppendTime".to_owned(),
        }
    }
}

/// The header of a batch that is kept, with the topic's timestamp type and the right max timestamp. Only when one of
/// them changes is the CRC computed anew, over the same body (Kafka: `DefaultRecordBatch.setMaxTimestamp`).
fn restamp(
    header: BatchHeader,
    batch: &[u8],
    rules: &BatchRules,
    now: Millis,
    max_timestamp: Millis,
) -> BatchHeader {
    let max_timestamp = match rules.timestamp_type {
        TimestampType::CreateTime => max_timestamp,
        TimestampType::LogAppendTime => now,
    };
    if header.attributes.timestamp_type() == rules.timestamp_type && header.max_timestamp == max_timestamp {
        return header;
    }
    let attributes = header.attributes.known().with_timestamp_type(rules.timestamp_type);
    let mut header = BatchHeader { attributes, max_timestamp, ..header };
    header.crc = header.crc_with(&batch[HEADER_LEN..]);
    header
}

/// The most a record may take to be put together again with other deltas and stay below 2 GiB.
const MAX_REBUILT: usize = 1 << 30;

/// Puts the records into a batch of the topic's codec, with offset deltas 0, 1, 2... (Kafka:
/// `LogValidator.buildRecordsAndAssignOffsets`). Producer, sequence, transactional flag and all of each record are kept.
fn rebuild(
    batch: &[u8],
    target: Codec,
    rules: &BatchRules,
    now: Millis,
) -> Result<(BatchHeader, Bytes), Refusal> {
    let limit = rules.max_decompressed_bytes.min(MAX_REBUILT);
    let level = match rules.compression {
        TopicCompression::Producer => None,
        TopicCompression::Codec(_, level) => level,
    };
    let mut records = RecordStream::open(batch, limit)?;
    let header = *records.header();
    let mut builder = BatchBuilder::new(Offset::ZERO)
        .codec(target, level)
        .producer(header.producer_id, header.producer_epoch, header.base_sequence)
        .transactional(header.attributes.is_transactional());
    if rules.timestamp_type == TimestampType::LogAppendTime {
        builder = builder.log_append_time(now);
    }
    if batch.len() > MAX_REBUILT {
        return Err(Refusal::DecompressedTooLarge { limit: MAX_REBUILT });
    }
    let too_large = |size| Refusal::TooLarge { size, limit: rules.max_message_bytes, rebuilt: true };
    while let Some(record) = records.next_record()? {
        let timestamp = record.timestamp(&header);
        let headers = record.headers.iter().collect::<Vec<_>>();
        builder.push(&NewRecord { timestamp, key: record.key, value: record.value, headers: &headers });
        if builder.size_so_far() > rules.max_message_bytes {
            return Err(too_large(builder.size_so_far()));
        }
    }
    let (header, rest) = builder.finish();
    if header.size() > rules.max_message_bytes {
        return Err(too_large(header.size()));
    }
    Ok((header, rest.into()))
}

#[cfg(test)]
mod tests;
