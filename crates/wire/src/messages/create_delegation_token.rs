//! CreateDelegationToken (key 38): gives out a delegation token (KIP-48).
//!
//! Version 0 went with Kafka 4.0 (KIP-896).
//!
//! | version | what changed |
//! | --- | --- |
//! | 2 | flexible |
//! | 3 | tokens for others (KIP-373) |

use bytes::Bytes;

use crate::{Message, StrBytes};

/// Asks for a token.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = CreateDelegationToken, response = CreateDelegationTokenResponse, versions = "1-3", flexible = "2+")]
pub struct CreateDelegationTokenRequest {
    /// Type of the owner; null for whoever asks.
    #[field(versions = "3+")]
    pub owner_principal_type: Option<StrBytes>,
    /// Name of the owner; null for whoever asks.
    #[field(versions = "3+")]
    pub owner_principal_name: Option<StrBytes>,
    /// Who may renew the token.
    pub renewers: Vec<CreatableRenewers>,
    /// How long the token may live, in milliseconds; -1 to leave it to the broker.
    pub max_lifetime_ms: i64,
}

/// Who may renew the token.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct CreatableRenewers {
    /// Type of the principal, such as `User`.
    pub principal_type: StrBytes,
    /// Name of the principal.
    pub principal_name: StrBytes,
}

/// The token.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = CreateDelegationToken, versions = "1-3", flexible = "2+")]
pub struct CreateDelegationTokenResponse {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// Type of the principal, such as `User`.
    pub principal_type: StrBytes,
    /// Name of the principal.
    pub principal_name: StrBytes,
    /// Type of who asked for the token.
    #[field(versions = "3+")]
    pub token_requester_principal_type: StrBytes,
    /// Name of who asked for the token.
    #[field(versions = "3+")]
    pub token_requester_principal_name: StrBytes,
    /// When the token was made, in milliseconds.
    pub issue_timestamp_ms: i64,
    /// When the token ends, in milliseconds.
    pub expiry_timestamp_ms: i64,
    /// When the token ends at the latest, in milliseconds.
    pub max_timestamp_ms: i64,
    /// The token's id.
    pub token_id: StrBytes,
    /// The token's HMAC.
    pub hmac: Bytes,
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
}
