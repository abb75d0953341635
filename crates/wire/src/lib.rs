//! Kafka's messages: each request, response and internal record schema declared once, and the codec that reads and
//! writes them at every version.
//!
//! A message is a plain struct with `#[derive(Message)]` (crate `wire-derive`, which explains the attributes). Field
//! names are Kafka's in snake_case, struct names those of Kafka's generated classes, and `Default` gives Kafka's
//! defaults. Numbers are plain integers here; the rooms above turn them into named ones. This room knows what a message
//! looks like, never what it means.
//!
//! # How bytes become messages
//! [`decode`] reads a request or response body, [`decode_exact`] an internal record. Strings and byte fields are slices
//! of the frame, not copies; a value that outlives its request is copied out with [`StrBytes::detached`].
//! An [`Encoder`] collects [`Segment`]s: small things are written into one buffer, large [`bytes::Bytes`] become
//! segments of their own, and a [`Payload::External`] leaves a place for bytes that lie in a file.
//!
//! # What is refused, and where Kafka is more lenient
//! Nothing read from outside is trusted. A list reserves no more memory than the bytes at hand, and a message whose
//! lists would take more than [`LIST_MEMORY_LIMIT`] in memory is refused. Beyond that, four things that Kafka lets pass
//! are errors here, since nobody known to us sends or writes them: text that is not UTF-8 (Kafka puts U+FFFD in its
//! place), a tagged field whose size is not that of its content (Kafka does not look at the size), an unsigned varint
//! of more than 32 bits (Kafka drops the bits above), and a metadata record of a version that is not declared (Kafka
//! reads it by the fields that it knows).
//!
//! Unknown tagged fields are skipped; Kafka keeps them only to write them back, which a broker never does. Bytes after
//! the end of a request are ignored, as Kafka's `AbstractRequest.parseRequest` does; after a metadata record they are an
//! error, as in its `AbstractApiMessageSerde`, and after a record of a coordinator they are not.

// The code that `#[derive(Message)]` writes speaks of `::wire`, also in here.
extern crate self as wire;

mod api_key;
pub mod consumer_protocol;
pub mod control_records;
mod coordinator_record;
mod decoder;
mod encoder;
mod field;
pub mod group_records;
pub mod header;
mod json;
mod message;
pub mod messages;
pub mod metadata_records;
mod payload;
pub mod share_records;
mod str_bytes;
pub mod transaction_records;
mod value;

pub use api_key::{ApiKey, UnknownApiKey};
pub use coordinator_record::{CoordinatorRecordError, Keyed, Versioned};
pub use decoder::{DecodeError, DecodeFault, Decoder, LIST_MEMORY_LIMIT};
pub use encoder::{EncodeError, EncodeFault, Encoder, SHARED_FROM, Segment};
pub use field::{Field, Layout, Nullable};
pub use message::{Message, Request, decode, decode_exact, to_bytes};
pub use payload::Payload;
pub use str_bytes::StrBytes;
pub use value::Value;
pub use wire_derive::Message;
