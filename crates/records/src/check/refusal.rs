//! Why a batch is refused: one variant per rule.

use base::{Offset, ProducerId, Sequence};

use crate::BatchError;

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
    #[error(
        "the batch is compressed with zstd, which Produce version {produce_version} does not know; it takes 7"
    )]
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
        producer_id: ProducerId,
        /// The negative sequence.
        base_sequence: Sequence,
    },
    /// The records are not what the header claims, or do not decompress. (INVALID_RECORD, 87)
    #[error(transparent)]
    Malformed(BatchError),
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
        /// The failing records, by position: the first [`MAX_LISTED_ERRORS`] of them.
        errors: Vec<RecordError>,
        /// How many records fail.
        total: u32,
        /// Whether one of them fails by its timestamp.
        timestamp: bool,
    },
}

impl From<BatchError> for Refusal {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::DecompressedTooLarge { limit } => Self::DecompressedTooLarge { limit },
            other => Self::Malformed(other),
        }
    }
}

/// How many failing records a refusal lists. Kafka lists all; but a few bytes of compressed input can hold millions.
pub const MAX_LISTED_ERRORS: usize = 1000;

/// One record that breaks a rule of the topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The record's position in the batch, from 0.
    pub batch_index: i32,
    /// What is wrong with it.
    pub message: String,
}
