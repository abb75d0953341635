//! The bytes of record batch format v2 (KIP-98): header view, checks of what a producer sends, reading and building
//! records, the codecs, control records.
//!
//! Knows nothing of files, requests or topics' names. Whatever comes from outside is an error, never a panic, and no
//! length or count in it reserves memory beyond the bytes at hand; what compressed records unpack to is capped.
//!
//! Where the check differs from Kafka 4.1, on purpose:
//! - What would stop a consumer is not stored. Kafka keeps a compressed batch whose records are longer or shorter than
//!   their length says, or with garbage behind its gzip stream; here both are malformed, as they are uncompressed.
//! - What compressed records unpack to has a limit, and at most [`MAX_LISTED_ERRORS`] failing records are listed.
//! - A body that does not decompress, and an unknown codec, are the producer's fault (INVALID_RECORD), where Kafka
//!   answers UNKNOWN_SERVER_ERROR.
//! - A compressed batch whose offset deltas are not 0, 1, 2... is rebuilt. That is what Kafka's `LogValidator` means
//!   to do, but in 4.1 it has skipped the keys and values by then and answers UNKNOWN_SERVER_ERROR. Negative record
//!   times survive a rebuild; there Kafka answers the same.

mod builder;
mod check;
mod compression;
pub mod control;
mod error;
mod filter;
mod framing;
mod header;
mod record;
#[cfg(test)]
mod samples;

pub use builder::{BatchBuilder, NewRecord, seal};
pub use check::{BatchRules, CheckedBatch, MAX_LISTED_ERRORS, RecordError, Refusal, TopicCompression, check};
pub use compression::{unpack, unpack_old};
pub use error::{BatchError, RecordFault};
pub use filter::{Counted, Filtered, Keep, filter};
pub use header::{
    Attributes, BatchHeader, Codec, HEADER_LEN, LENGTH_OVERHEAD, MAGIC, TimestampType, crc_is_valid,
};
pub use record::{HeaderIter, Headers, RecordIter, RecordStream, RecordView, Records, records_of};
