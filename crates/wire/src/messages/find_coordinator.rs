//! FindCoordinator (key 10): the broker that keeps a group or a transactional id.
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | the kind of key; answer: throttle time, error message |
//! | 3 | flexible |
//! | 4 | several keys at once (KIP-699) |
//! | 5 | the answer may say TRANSACTION_ABORTABLE (KIP-890) |
//! | 6 | share groups (KIP-932) |

use crate::{Message, StrBytes};

/// Asks for coordinators.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = FindCoordinator, response = FindCoordinatorResponse, versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorRequest {
    /// The group or the transactional id, while there is one.
    #[field(versions = "0-3")]
    pub key: StrBytes,
    /// What the keys are: 0 groups, 1 transactional ids, 2 `group:topic id:partition` of share groups (version 6).
    #[field(versions = "1+")]
    pub key_type: i8,
    /// The groups or transactional ids.
    #[field(versions = "4+")]
    pub coordinator_keys: Vec<StrBytes>,
}

/// The coordinators.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = FindCoordinator, versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorResponse {
    /// For how long a quota holds the client back, in milliseconds.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    #[field(versions = "0-3")]
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    #[field(versions = "1-3", ignorable)]
    pub error_message: Option<StrBytes>,
    /// The coordinator's node id; -1 with an error.
    #[field(versions = "0-3")]
    pub node_id: i32,
    /// Its host name.
    #[field(versions = "0-3")]
    pub host: StrBytes,
    /// Its port.
    #[field(versions = "0-3")]
    pub port: i32,
    /// The coordinators, by key.
    #[field(versions = "4+")]
    pub coordinators: Vec<Coordinator>,
}

/// The coordinator of one key.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct Coordinator {
    /// The key that was asked for.
    pub key: StrBytes,
    /// The coordinator's node id; -1 with an error.
    pub node_id: i32,
    /// Its host name.
    pub host: StrBytes,
    /// Its port.
    pub port: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    #[field(ignorable)]
    pub error_message: Option<StrBytes>,
}
