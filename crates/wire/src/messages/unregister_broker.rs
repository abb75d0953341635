//! UnregisterBroker (key 64): takes a broker off the cluster for good (KIP-631).

use crate::{Message, StrBytes};

/// Unregisters a broker.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = UnregisterBroker, response = UnregisterBrokerResponse, versions = "0", flexible = "0+")]
pub struct UnregisterBrokerRequest {
    /// Node id of the broker.
    pub broker_id: i32,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = UnregisterBroker, versions = "0", flexible = "0+")]
pub struct UnregisterBrokerResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    pub error_message: Option<StrBytes>,
}
