//! A whole message: what `#[derive(Message)]` gives to a struct with `#[message(...)]`.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::api_key::ApiKey;
use crate::decoder::{DecodeError, DecodeFault, Decoder};
use crate::encoder::{EncodeError, EncodeFault, Encoder};
use crate::field::{Field, Layout};
use crate::value::Value;

/// A request, a response or a record.
pub trait Message: Field + Clone + Debug + Default {
    /// Kafka's name, such as `ProduceRequest`.
    const NAME: &'static str;
    /// The key of the API for a request or response, the type for a record of the metadata log or a coordinator, -1 for
    /// other records.
    const API_KEY: i16;
    /// The versions that can be read and written.
    const VERSIONS: RangeInclusive<i16>;
    /// The first flexible version (KIP-482); `i16::MAX` when none is.
    const FLEXIBLE_FROM: i16;

    /// The layout of the message at `version`, which must be one of [`Message::VERSIONS`].
    #[must_use]
    fn layout(version: i16) -> Option<Layout> {
        Self::VERSIONS.contains(&version).then(|| Layout::new(version, version >= Self::FLEXIBLE_FROM))
    }

    /// Reads the message; what comes after it stays in `from`.
    ///
    /// # Errors
    /// When the bytes do not hold the message, or it has no such version.
    fn decode(from: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let layout =
            Self::layout(version).ok_or(DecodeFault::UnsupportedVersion { message: Self::NAME, version })?;
        Self::read(from, layout)
    }

    /// Writes the message.
    ///
    /// # Errors
    /// When it holds what `version` cannot say, or has no such version. `to` then holds a part of the message.
    fn encode(&self, to: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        let layout =
            Self::layout(version).ok_or(EncodeFault::UnsupportedVersion { message: Self::NAME, version })?;
        self.write(to, layout)
    }

    /// The message as a tree of values at `version`, as Kafka's JSON converters show it.
    fn value(&self, version: i16) -> Value {
        self.to_value(Layout::new(version, version >= Self::FLEXIBLE_FROM))
    }
}

/// A request, and the response that answers it.
pub trait Request: Message {
    /// The API.
    const API: ApiKey;
    /// The answer, at the same version.
    type Response: Message;
}

/// Reads the body of a request or response. Bytes after its end are ignored, as Kafka's
/// `AbstractRequest.parseRequest` ignores them.
///
/// # Errors
/// When the bytes do not hold the message, or it has no such version.
pub fn decode<M: Message>(body: Bytes, version: i16) -> Result<M, DecodeError> {
    M::decode(&mut Decoder::new(body), version)
}

/// Reads a message that must take all of `bytes`, such as a record.
///
/// # Errors
/// When the bytes do not hold the message and nothing else, or it has no such version.
pub fn decode_exact<M: Message>(bytes: Bytes, version: i16) -> Result<M, DecodeError> {
    let mut from = Decoder::new(bytes);
    let message = M::decode(&mut from, version)?;
    match from.remaining() {
        0 => Ok(message),
        left => Err(DecodeFault::LeftOver(left).into()),
    }
}

/// Writes a message as one run of bytes.
///
/// # Errors
/// As [`Message::encode`], and when it holds a [`crate::Payload::External`].
pub fn to_bytes<M: Message>(message: &M, version: i16) -> Result<Bytes, EncodeError> {
    let mut to = Encoder::new();
    message.encode(&mut to, version)?;
    to.into_bytes()
}
