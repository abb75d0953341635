//! AlterPartitionReassignments (key 45): moves partitions to other brokers, or calls that off (KIP-455).
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | whether the number of replicas may change (KIP-860) |

use crate::{Message, StrBytes};

/// Moves partitions.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = AlterPartitionReassignments, response = AlterPartitionReassignmentsResponse, versions = "0-1", flexible = "0+")]
pub struct AlterPartitionReassignmentsRequest {
    /// How long to wait, in milliseconds.
    #[field(default = 60000)]
    pub timeout_ms: i32,
    /// Whether the number of replicas may change.
    #[field(versions = "1+", default = true)]
    pub allow_replication_factor_change: bool,
    /// The topics.
    pub topics: Vec<ReassignableTopic>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ReassignableTopic {
    /// The topic's name.
    pub name: StrBytes,
    /// The partitions.
    pub partitions: Vec<ReassignablePartition>,
}

/// A partition, and where it is to go.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ReassignablePartition {
    /// The partition.
    pub partition_index: i32,
    /// Node ids that are to hold it; null calls off a move that is under way.
    #[field(default = null)]
    pub replicas: Option<Vec<i32>>,
}

/// What became of the moves.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = AlterPartitionReassignments, versions = "0-1", flexible = "0+")]
pub struct AlterPartitionReassignmentsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Whether the number of replicas may change.
    #[field(versions = "1+", default = true, ignorable)]
    pub allow_replication_factor_change: bool,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    pub error_message: Option<StrBytes>,
    /// What became of each topic.
    pub responses: Vec<ReassignableTopicResponse>,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ReassignableTopicResponse {
    /// The topic's name.
    pub name: StrBytes,
    /// What became of each partition.
    pub partitions: Vec<ReassignablePartitionResponse>,
}

/// What became of one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ReassignablePartitionResponse {
    /// The partition.
    pub partition_index: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    pub error_message: Option<StrBytes>,
}
