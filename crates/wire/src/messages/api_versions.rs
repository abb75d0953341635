//! ApiVersions (key 18): what the broker speaks.
//!
//! The first request on a connection. A broker that does not know the version answers with version 0 and
//! UNSUPPORTED_VERSION, so the answer must stay readable for ever: its header has no tagged fields at any version.
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | answer: throttle time |
//! | 3 | flexible; the client says what it is (KIP-511); answer: features, tagged (KIP-584) |
//! | 4 | answer: also features whose lowest level is 0 (KAFKA-17011) |

use crate::{Message, StrBytes};

/// Asks what the broker speaks, and says what the client is.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = ApiVersions, response = ApiVersionsResponse, versions = "0-4", flexible = "3+")]
pub struct ApiVersionsRequest {
    /// What the client is.
    #[field(versions = "3+", ignorable)]
    pub client_software_name: StrBytes,
    /// Its version.
    #[field(versions = "3+", ignorable)]
    pub client_software_version: StrBytes,
}

/// What the broker speaks.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = ApiVersions, versions = "0-4", flexible = "3+")]
pub struct ApiVersionsResponse {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The APIs and their versions.
    pub api_keys: Vec<ApiVersion>,
    /// For how long a quota holds the client back, in milliseconds.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Features that the broker can have; up to version 3 none whose lowest level is 0.
    #[field(versions = "3+", tag = 0, ignorable)]
    pub supported_features: Vec<SupportedFeatureKey>,
    /// Grows with each change of the finalized features; -1 if not known.
    #[field(versions = "3+", tag = 1, default = -1, ignorable)]
    pub finalized_features_epoch: i64,
    /// Features that are switched on in the whole cluster.
    #[field(versions = "3+", tag = 2, ignorable)]
    pub finalized_features: Vec<FinalizedFeatureKey>,
    /// Whether a controller is ready to take over from ZooKeeper.
    #[field(versions = "3+", tag = 3, ignorable)]
    pub zk_migration_ready: bool,
}

/// The versions of one API.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ApiVersion {
    /// The API.
    pub api_key: i16,
    /// The lowest version that is spoken.
    pub min_version: i16,
    /// The highest version that is spoken.
    pub max_version: i16,
}

/// A feature that the broker can have.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct SupportedFeatureKey {
    /// The feature.
    pub name: StrBytes,
    /// Its lowest level.
    pub min_version: i16,
    /// Its highest level.
    pub max_version: i16,
}

/// A feature that is switched on.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct FinalizedFeatureKey {
    /// The feature.
    pub name: StrBytes,
    /// Its level.
    pub max_version_level: i16,
    /// Its lowest level.
    pub min_version_level: i16,
}
