//! InitProducerId (key 22): the id by which an idempotent producer signs its batches (KIP-98).
//!
//! Version 6 (two-phase commit, KIP-939) is not stable in Kafka 4.1 and left out.
//!
//! | version | what changed |
//! | --- | --- |
//! | 2 | flexible |
//! | 3 | the id and epoch that the client has, to go on with a higher epoch (KIP-360) |
//! | 4 | the answer may say PRODUCER_FENCED |
//! | 5 | the answer may say TRANSACTION_ABORTABLE (KIP-890) |

use crate::{Message, StrBytes};

/// Asks for a producer id.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = InitProducerId, response = InitProducerIdResponse, versions = "0-5", flexible = "2+")]
pub struct InitProducerIdRequest {
    /// The transactional id; null for a producer that is only idempotent.
    pub transactional_id: Option<StrBytes>,
    /// After how many idle milliseconds the broker aborts a transaction.
    pub transaction_timeout_ms: i32,
    /// The producer id that the client has, to raise its epoch (KIP-360); -1 for none.
    #[field(versions = "3+", default = -1)]
    pub producer_id: i64,
    /// The epoch that the client has; -1 for none.
    #[field(versions = "3+", default = -1)]
    pub producer_epoch: i16,
}

/// The producer id.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = InitProducerId, versions = "0-5", flexible = "2+")]
pub struct InitProducerIdResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The producer id; -1 with an error.
    #[field(default = -1)]
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i16,
}
