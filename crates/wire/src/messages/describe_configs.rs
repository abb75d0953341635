//! DescribeConfigs (key 32): the settings of topics, brokers, groups and client metrics subscriptions.
//!
//! Version 0 went with Kafka 4.0 (KIP-896).
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | synonyms, and sources instead of whether a value is the default (KIP-226) |
//! | 2 | the answer is sent before it is throttled |
//! | 3 | types and documentation (KIP-569) |
//! | 4 | flexible |

use crate::{Message, StrBytes};

/// Asks for settings.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = DescribeConfigs, response = DescribeConfigsResponse, versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsRequest {
    /// Whose settings.
    pub resources: Vec<DescribeConfigsResource>,
    /// Whether to say which other settings stand in for each, and what they are.
    pub include_synonyms: bool,
    /// Whether to say what each setting does.
    #[field(versions = "3+")]
    pub include_documentation: bool,
}

/// Whose settings are asked for, and which.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribeConfigsResource {
    /// What it is: 2 topic, 4 broker, 8 loggers of a broker, 16 client metrics subscription, 32 group.
    pub resource_type: i8,
    /// Its name; of a broker its number, or nothing for what holds for all of them.
    pub resource_name: StrBytes,
    /// The settings to tell; null for all.
    pub configuration_keys: Option<Vec<StrBytes>>,
}

/// The settings.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = DescribeConfigs, versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// The answers, by resource.
    pub results: Vec<DescribeConfigsResult>,
}

/// The settings of one resource.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribeConfigsResult {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    pub error_message: Option<StrBytes>,
    /// What the resource is, as it was asked for.
    pub resource_type: i8,
    /// Its name, as it was asked for.
    pub resource_name: StrBytes,
    /// Its settings.
    pub configs: Vec<DescribeConfigsResourceResult>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribeConfigsResourceResult {
    /// The setting.
    pub name: StrBytes,
    /// Its value; null when it has none or it is secret.
    pub value: Option<StrBytes>,
    /// Whether it cannot be changed while the broker runs.
    pub read_only: bool,
    /// Where the value comes from: 1 topic, 2 broker, 3 all brokers, 4 properties file, 5 default, 6 logger, 7 client
    /// metrics, 8 group; -1 if not told.
    #[field(default = -1)]
    pub config_source: i8,
    /// Whether it is a secret.
    pub is_sensitive: bool,
    /// The settings that stand in for it, and itself, strongest first.
    pub synonyms: Vec<DescribeConfigsSynonym>,
    /// The type of its value: 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password; 0 if
    /// not known.
    #[field(versions = "3+", ignorable)]
    pub config_type: i8,
    /// What it does; null if not asked for.
    #[field(versions = "3+", ignorable)]
    pub documentation: Option<StrBytes>,
}

/// A setting that stands in for another one, or the same at another place.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribeConfigsSynonym {
    /// The setting.
    pub name: StrBytes,
    /// Its value; null when it has none or it is secret.
    pub value: Option<StrBytes>,
    /// Where it is set, as in [`DescribeConfigsResourceResult::config_source`].
    pub source: i8,
}
