//! RenewDelegationToken (key 39): makes a delegation token live longer (KIP-48).
//!
//! Version 0 went with Kafka 4.0 (KIP-896).
//!
//! | version | what changed |
//! | --- | --- |
//! | 2 | flexible |

use bytes::Bytes;

use crate::Message;

/// Renews a token.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = RenewDelegationToken, response = RenewDelegationTokenResponse, versions = "1-2", flexible = "2+")]
pub struct RenewDelegationTokenRequest {
    /// The token's HMAC.
    pub hmac: Bytes,
    /// For how long to renew it, in milliseconds.
    pub renew_period_ms: i64,
}

/// Until when the token lives now.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = RenewDelegationToken, versions = "1-2", flexible = "2+")]
pub struct RenewDelegationTokenResponse {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// When the token ends, in milliseconds.
    pub expiry_timestamp_ms: i64,
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
}
