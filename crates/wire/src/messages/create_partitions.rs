//! CreatePartitions (key 37): more partitions for a topic (KIP-195).
//!
//! | version | what changed |
//! | --- | --- |
//! | 2 | flexible |
//! | 3 | the answer may say THROTTLING_QUOTA_EXCEEDED (KIP-599) |

use crate::{Message, StrBytes};

/// Gives topics more partitions.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = CreatePartitions, response = CreatePartitionsResponse, versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsRequest {
    /// The topics that get more partitions.
    pub topics: Vec<CreatePartitionsTopic>,
    /// How long to wait for the partitions to exist, in milliseconds.
    pub timeout_ms: i32,
    /// Whether to check the request without doing it.
    pub validate_only: bool,
}

/// A topic that gets more partitions.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct CreatePartitionsTopic {
    /// The topic's name.
    pub name: StrBytes,
    /// How many partitions the topic shall have.
    pub count: i32,
    /// Which replicas the new partitions get; null to leave it to the broker.
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
}

/// The replicas of one new partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct CreatePartitionsAssignment {
    /// Node ids of the replicas of one new partition.
    pub broker_ids: Vec<i32>,
}

/// What became of the topics.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = CreatePartitions, versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// What became of each topic.
    pub results: Vec<CreatePartitionsTopicResult>,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct CreatePartitionsTopicResult {
    /// The topic's name.
    pub name: StrBytes,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    #[field(default = null)]
    pub error_message: Option<StrBytes>,
}
