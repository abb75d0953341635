//! DescribeDelegationToken (key 41): the delegation tokens of some owners (KIP-48).
//!
//! Version 0 went with Kafka 4.0 (KIP-896).
//!
//! | version | what changed |
//! | --- | --- |
//! | 2 | flexible |
//! | 3 | answer: who asked for the token (KIP-373) |

use bytes::Bytes;

use crate::{Message, StrBytes};

/// Asks for tokens.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = DescribeDelegationToken, response = DescribeDelegationTokenResponse, versions = "1-3", flexible = "2+")]
pub struct DescribeDelegationTokenRequest {
    /// The owners; null for all.
    pub owners: Option<Vec<DescribeDelegationTokenOwner>>,
}

/// An owner.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribeDelegationTokenOwner {
    /// Type of the principal, such as `User`.
    pub principal_type: StrBytes,
    /// Name of the principal.
    pub principal_name: StrBytes,
}

/// The tokens.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = DescribeDelegationToken, versions = "1-3", flexible = "2+")]
pub struct DescribeDelegationTokenResponse {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The tokens.
    pub tokens: Vec<DescribedDelegationToken>,
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribedDelegationToken {
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
    pub issue_timestamp: i64,
    /// When the token ends, in milliseconds.
    pub expiry_timestamp: i64,
    /// When the token ends at the latest, in milliseconds.
    pub max_timestamp: i64,
    /// The token's id.
    pub token_id: StrBytes,
    /// The token's HMAC.
    pub hmac: Bytes,
    /// Who may renew the token.
    pub renewers: Vec<DescribedDelegationTokenRenewer>,
}

/// Who may renew the token.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribedDelegationTokenRenewer {
    /// Type of the principal, such as `User`.
    pub principal_type: StrBytes,
    /// Name of the principal.
    pub principal_name: StrBytes,
}
