//! The bytes of record batch format v2 (KIP-98): header view, checks of what a producer sends, reading and building
//! records, the codecs, control records.
//!
//! Knows nothing of files, requests or topics' names. Whatever comes from outside is an error, never a panic, and no
//! length or count in it reserves memory beyond the bytes at hand; what compressed records unpack to is capped.
//!
//! Where this room is stricter than Kafka 4.1's `LogValidator`, so that no stored batch can stop a consumer:
//! the framing of every record is held against its length also in a compressed batch that is kept as it is;
//! and what the records unpack to has a limit.

mod builder;
mod check;
mod compression;
pub mod control;
mod error;
mod framing;
mod header;
mod record;
#[cfg(test)]
mod samples;

pub use builder::{BatchBuilder, NewRecord, seal};
pub use check::{BatchRules, CheckedBatch, MAX_LISTED_ERRORS, RecordError, Refusal, TopicCompression, check};
pub use error::{BatchError, RecordFault};
pub use header::{
    Attributes, BatchHeader, Codec, HEADER_LEN, LENGTH_OVERHEAD, MAGIC, TimestampType, crc_is_valid,
};
pub use record::{HeaderIter, Headers, RecordIter, RecordStream, RecordView, Records, records_of};
