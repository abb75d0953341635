//! CreateTopics (key 19).
//!
//! Versions below 2 went with Kafka 4.0 (KIP-896).
//!
//! | version | what changed |
//! | --- | --- |
//! | 4 | -1 for the broker's default of partitions and replicas (KIP-464) |
//! | 5 | flexible; answer: partitions, replicas and settings of the new topic (KIP-525) |
//! | 6 | the answer may say THROTTLING_QUOTA_EXCEEDED (KIP-599) |
//! | 7 | answer: topic id |

use uuid::Uuid;

use crate::{Message, StrBytes};

/// Creates topics.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = CreateTopics, response = CreateTopicsResponse, versions = "2-7", flexible = "5+")]
pub struct CreateTopicsRequest {
    /// The topics to create.
    pub topics: Vec<CreatableTopic>,
    /// How long to wait for the topics to exist, in milliseconds.
    #[field(default = 60000)]
    pub timeout_ms: i32,
    /// Whether to check the request without doing it.
    pub validate_only: bool,
}

/// A topic to create.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct CreatableTopic {
    /// The topic's name.
    pub name: StrBytes,
    /// How many partitions; -1 for the broker's default, or when they are assigned below.
    pub num_partitions: i32,
    /// How many replicas of each; -1 for the broker's default, or when they are assigned below.
    pub replication_factor: i16,
    /// Which replicas go where; empty to leave it to the broker.
    pub assignments: Vec<CreatableReplicaAssignment>,
    /// Settings that differ from the broker's.
    pub configs: Vec<CreatableTopicConfig>,
}

/// The replicas of one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct CreatableReplicaAssignment {
    /// The partition.
    pub partition_index: i32,
    /// Node ids of its replicas.
    pub broker_ids: Vec<i32>,
}

/// A setting of the topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct CreatableTopicConfig {
    /// The setting.
    pub name: StrBytes,
    /// Its value.
    pub value: Option<StrBytes>,
}

/// What became of the topics.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = CreateTopics, versions = "2-7", flexible = "5+")]
pub struct CreateTopicsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// What became of each topic.
    pub topics: Vec<CreatableTopicResult>,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct CreatableTopicResult {
    /// The topic's name.
    pub name: StrBytes,
    /// The new topic's id.
    #[field(versions = "7+", ignorable)]
    pub topic_id: Uuid,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    pub error_message: Option<StrBytes>,
    /// Kafka's error code for why the settings are not told; 0 for none.
    #[field(versions = "5+", tag = 0, ignorable)]
    pub topic_config_error_code: i16,
    /// How many partitions it has; -1 if not told.
    #[field(versions = "5+", default = -1, ignorable)]
    pub num_partitions: i32,
    /// How many replicas of each; -1 if not told.
    #[field(versions = "5+", default = -1, ignorable)]
    pub replication_factor: i16,
    /// All its settings; null if not told.
    #[field(versions = "5+", ignorable)]
    pub configs: Option<Vec<CreatableTopicConfigs>>,
}

/// A setting of the new topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct CreatableTopicConfigs {
    /// The setting.
    pub name: StrBytes,
    /// Its value; null when it has none or it is secret.
    pub value: Option<StrBytes>,
    /// Whether it cannot be changed.
    pub read_only: bool,
    /// Where the value comes from: 1 topic, 2 broker, 3 all brokers, 4 properties file, 5 default; -1 if not
    /// told.
    #[field(default = -1)]
    pub config_source: i8,
    /// Whether it is a secret.
    pub is_sensitive: bool,
}
