//! The headers before each request and response body.
//!
//! A request header names the API and its version, which decide how the rest of the header and the body are read. Header
//! version 2 (requests) or 1 (responses) goes with flexible bodies and only adds tagged fields. One exception: the
//! response to ApiVersions has header version 0 at all versions, since the client may not know yet what the broker
//! speaks (KIP-511).

use crate::api_key::ApiKey;
use crate::decoder::{DecodeError, DecodeFault, Decoder};
use crate::encoder::{EncodeError, Encoder};
use crate::field::{Layout, Nullable};
use crate::message::{Message, Request};
use crate::str_bytes::StrBytes;

/// What stands before a request body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHeader {
    /// The API; one that [`ApiKey`] knows.
    pub api_key: i16,
    /// The version of request and response; not checked here.
    pub api_version: i16,
    /// A number that the response repeats.
    pub correlation_id: i32,
    /// The name that the client gave itself. Kafka takes null as "".
    pub client_id: Option<StrBytes>,
}

impl RequestHeader {
    /// Reads a header; the body stays in `from`.
    ///
    /// # Errors
    /// [`DecodeFault::UnknownApiKey`], since then nobody knows how to read on, and whatever else is wrong with the
    /// bytes. Kafka closes the connection in each case.
    pub fn decode(from: &mut Decoder) -> Result<Self, DecodeError> {
        let api_key = from.i16().map_err(|error| error.within("requestApiKey"))?;
        let api_version = from.i16().map_err(|error| error.within("requestApiVersion"))?;
        let correlation_id = from.i32().map_err(|error| error.within("correlationId"))?;
        let key = ApiKey::try_from(api_key).map_err(|_| DecodeFault::UnknownApiKey(api_key))?;
        let client_id = StrBytes::read_nullable(from, CLIENT_ID).map_err(|error| error.within("clientId"))?;
        if request_header_version(key, api_version) >= 2 {
            skip_tagged_fields(from)?;
        }
        Ok(Self { api_key, api_version, correlation_id, client_id })
    }

    /// Writes the header.
    ///
    /// # Errors
    /// When the client id is longer than 32767 bytes.
    pub fn encode(&self, to: &mut Encoder) -> Result<(), EncodeError> {
        to.i16(self.api_key);
        to.i16(self.api_version);
        to.i32(self.correlation_id);
        StrBytes::write_nullable(self.client_id.as_ref(), to, CLIENT_ID)
            .map_err(|error| error.within("clientId"))?;
        if ApiKey::try_from(self.api_key).is_ok_and(|key| request_header_version(key, self.api_version) >= 2)
        {
            to.unsigned_varint(0);
        }
        Ok(())
    }
}

/// The client id keeps its 16-bit length in flexible headers too, so that any broker can read the header of an
/// ApiVersions request of any version.
const CLIENT_ID: Layout = Layout::new(2, false);

/// What stands before a response body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseHeader {
    /// The number that the request bore.
    pub correlation_id: i32,
}

impl ResponseHeader {
    /// Reads the header of a response to `key` at `version`; the body stays in `from`.
    ///
    /// # Errors
    /// When the bytes hold none.
    pub fn decode(from: &mut Decoder, key: ApiKey, version: i16) -> Result<Self, DecodeError> {
        let correlation_id = from.i32().map_err(|error| error.within("correlationId"))?;
        if response_header_version(key, version) >= 1 {
            skip_tagged_fields(from)?;
        }
        Ok(Self { correlation_id })
    }

    /// Writes the header of a response to `key` at `version`.
    pub fn encode(&self, to: &mut Encoder, key: ApiKey, version: i16) {
        to.i32(self.correlation_id);
        if response_header_version(key, version) >= 1 {
            to.unsigned_varint(0);
        }
    }
}

/// The version, 1 or 2, of the header before a request at `version`.
#[must_use]
pub const fn request_header_version(key: ApiKey, version: i16) -> i16 {
    if version >= key.flexible_from() { 2 } else { 1 }
}

/// The version, 0 or 1, of the header before a response at `version`.
#[must_use]
pub const fn response_header_version(key: ApiKey, version: i16) -> i16 {
    if version >= key.flexible_from() && !matches!(key, ApiKey::ApiVersions) { 1 } else { 0 }
}

/// Writes header and body of a request, without the length of the frame.
///
/// # Errors
/// When either cannot be written at `version`.
pub fn encode_request<R: Request>(
    request: &R,
    version: i16,
    correlation_id: i32,
    client_id: Option<StrBytes>,
    to: &mut Encoder,
) -> Result<(), EncodeError> {
    RequestHeader { api_key: R::API_KEY, api_version: version, correlation_id, client_id }.encode(to)?;
    Message::encode(request, to, version)
}

fn skip_tagged_fields(from: &mut Decoder) -> Result<(), DecodeError> {
    for _ in 0..from.unsigned_varint()? {
        from.tagged()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
