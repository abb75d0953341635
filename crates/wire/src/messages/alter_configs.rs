//! AlterConfigs (key 33): replaces all the settings of a topic, a broker, a group or a client metrics subscription.
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | the answer is sent before it is throttled |
//! | 2 | flexible |

use crate::{Message, StrBytes};

/// Replaces settings.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = AlterConfigs, response = AlterConfigsResponse, versions = "0-2", flexible = "2+")]
pub struct AlterConfigsRequest {
    /// Whose settings.
    pub resources: Vec<AlterConfigsResource>,
    /// Whether to check the request without doing it.
    pub validate_only: bool,
}

/// All the settings that one resource is to have.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct AlterConfigsResource {
    /// What it is: 2 topic, 4 broker, 8 loggers of a broker, 16 client metrics subscription, 32 group.
    pub resource_type: i8,
    /// Its name; of a broker its number, or nothing for what holds for all of them.
    pub resource_name: StrBytes,
    /// The settings. What is not among them is taken away.
    pub configs: Vec<AlterableConfig>,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct AlterableConfig {
    /// The setting.
    pub name: StrBytes,
    /// Its value.
    pub value: Option<StrBytes>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = AlterConfigs, versions = "0-2", flexible = "2+")]
pub struct AlterConfigsResponse {
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
