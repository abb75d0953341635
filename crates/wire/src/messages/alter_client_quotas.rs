//! AlterClientQuotas (key 49): sets and removes quotas (KIP-546).
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | flexible |

use crate::{Message, StrBytes};

/// Alters the quotas of some entities.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = AlterClientQuotas, response = AlterClientQuotasResponse, versions = "0-1", flexible = "1+")]
pub struct AlterClientQuotasRequest {
    /// The entities, each with what changes.
    pub entries: Vec<EntryData>,
    /// Whether only to say what would come of it.
    pub validate_only: bool,
}

/// An entity and what changes.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct EntryData {
    /// The entity.
    pub entity: Vec<EntityData>,
    /// The changes.
    pub ops: Vec<OpData>,
}

/// A part of an entity.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct EntityData {
    /// `user`, `client-id` or `ip`.
    pub entity_type: StrBytes,
    /// The name; null for the default of that type.
    pub entity_name: Option<StrBytes>,
}

/// A change of a quota.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OpData {
    /// The quota's key, such as `producer_byte_rate`.
    pub key: StrBytes,
    /// Its new value, unless it is removed.
    pub value: f64,
    /// Whether it is removed.
    pub remove: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = AlterClientQuotas, versions = "0-1", flexible = "1+")]
pub struct AlterClientQuotasResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// One answer per entity.
    pub entries: Vec<AlteredEntryData>,
}

/// What came of the changes to an entity.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct AlteredEntryData {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What is wrong, in words.
    pub error_message: Option<StrBytes>,
    /// The entity.
    pub entity: Vec<EntityData>,
}
