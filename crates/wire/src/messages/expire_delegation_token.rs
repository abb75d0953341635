//! ExpireDelegationToken (key 40): makes a delegation token end earlier (KIP-48).
//!
//! Version 0 went with Kafka 4.0 (KIP-896).
//!
//! | version | what changed |
//! | --- | --- |
//! | 2 | flexible |

use bytes::Bytes;

use crate::Message;

/// Ends a token.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = ExpireDelegationToken, response = ExpireDelegationTokenResponse, versions = "1-2", flexible = "2+")]
pub struct ExpireDelegationTokenRequest {
    /// The token's HMAC.
    pub hmac: Bytes,
    /// After how many milliseconds it is to end; negative for now.
    pub expiry_time_period_ms: i64,
}

/// Until when the token lives now.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = ExpireDelegationToken, versions = "1-2", flexible = "2+")]
pub struct ExpireDelegationTokenResponse {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// When the token ends, in milliseconds.
    pub expiry_timestamp_ms: i64,
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
}
