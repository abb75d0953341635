//! DescribeClientQuotas (key 48): which quotas there are, and for whom (KIP-546).
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | flexible |

use crate::{Message, StrBytes};

/// Asks for the quotas of the entities that fit a filter.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = DescribeClientQuotas, response = DescribeClientQuotasResponse, versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasRequest {
    /// What an entity must have, part by part.
    pub components: Vec<ComponentData>,
    /// Whether an entity must have nothing else.
    pub strict: bool,
}

/// What an entity must have.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ComponentData {
    /// `user`, `client-id` or `ip`.
    pub entity_type: StrBytes,
    /// 0: this very name, 1: the default, 2: any of the type.
    pub match_type: i8,
    /// The name; null unless the match is by name.
    #[field(name = "match")]
    pub name: Option<StrBytes>,
}

/// The quotas.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = DescribeClientQuotas, versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What is wrong, in words.
    pub error_message: Option<StrBytes>,
    /// The entities that fit; null when there is an error.
    pub entries: Option<Vec<EntryData>>,
}

/// An entity and its quotas.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct EntryData {
    /// The entity.
    pub entity: Vec<EntityData>,
    /// Its quotas.
    pub values: Vec<ValueData>,
}

/// A part of an entity.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct EntityData {
    /// `user`, `client-id` or `ip`.
    pub entity_type: StrBytes,
    /// The name; null for the default of that type.
    pub entity_name: Option<StrBytes>,
}

/// A quota.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ValueData {
    /// Its key, such as `producer_byte_rate`.
    pub key: StrBytes,
    /// Its value.
    pub value: f64,
}
