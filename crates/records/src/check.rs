//! What a producer sent, held against the rules: out comes one batch that may be appended, or why not.

use base::{LeaderEpoch, Millis, Offset};
use bytes::Bytes;

use crate::{BatchError, BatchHeader, Codec, HEADER_LEN, TimestampType};

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

/// Why a batch is not appended. In brackets: the error code of Kafka's Produce response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The field holds no whole batch. (INVALID_RECORD, 87)
    #[error("the records of a partition hold no complete batch")]
    NoBatch,
    /// A batch length is too small for any format. (CORRUPT_MESSAGE, 2)
    #[error("a batch has the length {0}, which is too small for any batch")]
    Length(i32),
    /// A magic number that no Kafka has written. (CORRUPT_MESSAGE, 2)
    #[error("a batch has the magic number {0}, which does not exist")]
    UnknownMagic(i8),
    /// A batch of the formats before Kafka 0.11. (INVALID_RECORD, 87)
    #[error("the batch has magic {0}; Produce takes only magic 2")]
    OldMagic(i8),
    /// zstd before it was introduced. (UNSUPPORTED_COMPRESSION_TYPE, 76; KIP-110)
    #[error("the batch is compressed with zstd, which Produce version {produce_version} does not know; it takes 7")]
    ZstdTooEarly {
        /// The version of the request.
        produce_version: i16,
    },
    /// More than one batch for a partition. (INVALID_RECORD, 87)
    #[error("a second batch follows; the records of a partition must be exactly one batch")]
    SecondBatch,
    /// The base offset is the broker's to give. (INVALID_RECORD, 87)
    #[error("the batch has the base offset {0}; a producer's must be 0")]
    BaseOffset(Offset),
    /// Larger than the topic allows. (MESSAGE_TOO_LARGE, 10)
    #[error("the batch takes {size} bytes{}, more than max.message.bytes = {limit}", if *.rebuilt { " after recompression" } else { "" })]
    TooLarge {
        /// Bytes of the batch.
        size: usize,
        /// `max.message.bytes`.
        limit: usize,
        /// Whether only the recompressed batch is too large.
        rebuilt: bool,
    },
    /// Smaller than a header. (CORRUPT_MESSAGE, 2)
    #[error("the batch takes {0} bytes, fewer than the 61 of its header")]
    TooSmall(usize),
    /// The CRC does not match. (CORRUPT_MESSAGE, 2)
    #[error("the batch is corrupt: its CRC should be {computed}, but {stored} stands in it")]
    Crc {
        /// What stands in the header.
        stored: u32,
        /// What the bytes amount to.
        computed: u32,
    },
    /// The last offset lies before the first. (INVALID_RECORD, 87)
    #[error("the batch has the last offset delta {0}")]
    LastOffsetDelta(i32),
    /// No record, or fewer. (INVALID_RECORD, 87)
    #[error("the batch claims {0} records")]
    RecordCount(i32),
    /// Offsets and count differ. (INVALID_RECORD, 87)
    #[error("the batch claims {record_count} records, but its last offset delta is {last_offset_delta}")]
    CountMismatch {
        /// Records claimed.
        record_count: i32,
        /// Should be one less.
        last_offset_delta: i32,
    },
    /// Control batches are the broker's. (INVALID_RECORD, 87)
    #[error("a producer may not write control records")]
    Control,
    /// A producer id asks for a sequence. (INVALID_RECORD, 87)
    #[error("the batch has producer id {producer_id} but the base sequence {base_sequence}")]
    NoSequence {
        /// The producer.
        producer_id: base::ProducerId,
        /// The negative sequence.
        base_sequence: base::Sequence,
    },
    /// The records are not what the header claims. (INVALID_RECORD, 87)
    #[error(transparent)]
    Malformed(#[from] BatchError),
    /// The compressed records unpack to more than is allowed. (MESSAGE_TOO_LARGE, 10)
    #[error("the records take more than {limit} bytes once decompressed")]
    DecompressedTooLarge {
        /// `max_decompressed_bytes`.
        limit: usize,
    },
    /// Records that break a rule of the topic. (INVALID_TIMESTAMP, 32, if any of them does so by its timestamp,
    /// otherwise INVALID_RECORD, 87; with `record_errors` = `errors`)
    #[error("{total} records of the batch break a rule of the topic")]
    Records {
        /// The failing records, by position; at most 1000 are listed.
        errors: Vec<RecordError>,
        /// How many records fail.
        total: u32,
        /// Whether one of them fails by its timestamp.
        timestamp: bool,
    },
}

/// One record that breaks a rule of the topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The record's position in the batch, from 0.
    pub batch_index: i32,
    /// What is wrong with it.
    pub message: String,
}

/// Holds `records`, what a Produce request of version `produce_version` (3 or later) carries for one partition,
/// against the rules of its topic, in Kafka's order (`ProduceRequest.validateRecords`,
/// `UnifiedLog.analyzeAndValidateRecords`, `LogValidator`). `now` is what a LogAppendTime topic stamps.
///
/// # Errors
/// The first rule that is broken.
pub fn check(
    records: &Bytes, produce_version: i16, rules: &BatchRules, now: Millis,
) -> Result<CheckedBatch, Refusal> {
    let _ = (records, produce_version, rules, now);
    todo!()
}
