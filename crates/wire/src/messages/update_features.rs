//! UpdateFeatures (key 57): changes feature levels of the cluster (KIP-584).
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | kinds of downgrades, and checking without doing (KIP-778) |
//! | 2 | answer: one error for all of them, none for each (KIP-1022) |

use crate::{Message, StrBytes};

/// Changes feature levels: all of them or none.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = UpdateFeatures, response = UpdateFeaturesResponse, versions = "0-2", flexible = "0+")]
pub struct UpdateFeaturesRequest {
    /// How long to wait, in milliseconds.
    #[field(default = 60000)]
    pub timeout_ms: i32,
    /// The changes.
    pub feature_updates: Vec<FeatureUpdateKey>,
    /// Whether to check the request without doing it.
    #[field(versions = "1+")]
    pub validate_only: bool,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct FeatureUpdateKey {
    /// The feature, such as `metadata.version`.
    pub feature: StrBytes,
    /// The new level; 0 switches the feature off.
    pub max_version_level: i16,
    /// Whether the level may sink.
    #[field(versions = "0")]
    pub allow_downgrade: bool,
    /// 1: only up; 2: down if nothing is lost; 3: down whatever is lost.
    #[field(versions = "1+", default = 1)]
    pub upgrade_type: i8,
}

/// What became of the changes.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = UpdateFeatures, versions = "0-2", flexible = "0+")]
pub struct UpdateFeaturesResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    pub error_message: Option<StrBytes>,
    /// What became of each change.
    #[field(versions = "0-1", ignorable)]
    pub results: Vec<UpdatableFeatureResult>,
}

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct UpdatableFeatureResult {
    /// The feature, such as `metadata.version`.
    pub feature: StrBytes,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    pub error_message: Option<StrBytes>,
}
