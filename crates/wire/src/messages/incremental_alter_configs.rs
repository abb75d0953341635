//! IncrementalAlterConfigs (key 44): changes single settings of a topic, a broker, a group or a client metrics
//! subscription (KIP-339).
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | flexible |

use crate::{Message, StrBytes};

/// Changes settings.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(
    request = IncrementalAlterConfigs,
    response = IncrementalAlterConfigsResponse,
    versions = "0-1",
    flexible = "1+"
)]
pub struct IncrementalAlterConfigsRequest {
    /// Whose settings.
    pub resources: Vec<AlterConfigsResource>,
    /// Whether to check the request without doing it.
    pub validate_only: bool,
}

/// The changes of one resource: all of them happen, or none.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct AlterConfigsResource {
    /// What it is: 2 topic, 4 broker, 8 loggers of a broker, 16 client metrics subscription, 32 group.
    pub resource_type: i8,
    /// Its name; of a broker its number, or nothing for what holds for all of them.
    pub resource_name: StrBytes,
    /// The changes.
    pub configs: Vec<AlterableConfig>,
}

/// The change of a setting.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct AlterableConfig {
    /// The setting.
    pub name: StrBytes,
    /// What is done to it: 0 set, 1 taken away, 2 added to its list, 3 taken from its list.
    pub config_operation: i8,
    /// The value, or the items of the list.
    pub value: Option<StrBytes>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = IncrementalAlterConfigs, versions = "0-1", flexible = "1+")]
pub struct IncrementalAlterConfigsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// The answers, by resource.
    pub responses: Vec<AlterConfigsResourceResponse>,
}

/// What became of one resource.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct AlterConfigsResourceResponse {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    pub error_message: Option<StrBytes>,
    /// What the resource is, as it was asked for.
    pub resource_type: i8,
    /// Its name, as it was asked for.
    pub resource_name: StrBytes,
}
