//! ListConfigResources (key 74): what there are settings for. In Kafka 4.0 and before, and here in version 0, it is
//! ListClientMetricsResources (KIP-714, KIP-1142).
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | types, to choose by and in the answer |

use crate::{Message, StrBytes};

/// Asks what there are settings for.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(
    request = ListConfigResources,
    response = ListConfigResourcesResponse,
    versions = "0-1",
    flexible = "0+"
)]
pub struct ListConfigResourcesRequest {
    /// The types to list: 2 topic, 4 broker, 8 loggers of a broker, 16 client metrics subscription, 32 group; none for
    /// all.
    #[field(versions = "1+")]
    pub resource_types: Vec<i8>,
}

/// What there are settings for.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = ListConfigResources, versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The resources.
    pub config_resources: Vec<ConfigResource>,
}

/// Something that there are settings for.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ConfigResource {
    /// Its name.
    pub resource_name: StrBytes,
    /// What it is.
    #[field(versions = "1+", default = 16, ignorable)]
    pub resource_type: i8,
}
