//! ListPartitionReassignments (key 46): the moves of partitions that are under way (KIP-455).

use crate::{Message, StrBytes};

/// Asks for the moves that are under way.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = ListPartitionReassignments, response = ListPartitionReassignmentsResponse, versions = "0", flexible = "0+")]
pub struct ListPartitionReassignmentsRequest {
    /// How long to wait, in milliseconds.
    #[field(default = 60000)]
    pub timeout_ms: i32,
    /// The topics to look at; null for all.
    #[field(default = null)]
    pub topics: Option<Vec<ListPartitionReassignmentsTopics>>,
}

/// Partitions of a topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ListPartitionReassignmentsTopics {
    /// The topic's name.
    pub name: StrBytes,
    /// The partitions.
    pub partition_indexes: Vec<i32>,
}

/// The moves that are under way.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = ListPartitionReassignments, versions = "0", flexible = "0+")]
pub struct ListPartitionReassignmentsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    pub error_message: Option<StrBytes>,
    /// The topics.
    pub topics: Vec<OngoingTopicReassignment>,
}

/// The moves within a topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OngoingTopicReassignment {
    /// The topic's name.
    pub name: StrBytes,
    /// The partitions.
    pub partitions: Vec<OngoingPartitionReassignment>,
}

/// The move of one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OngoingPartitionReassignment {
    /// The partition.
    pub partition_index: i32,
    /// Node ids of the replicas.
    pub replicas: Vec<i32>,
    /// Node ids of those that are being added.
    pub adding_replicas: Vec<i32>,
    /// Node ids of those that are being taken away.
    pub removing_replicas: Vec<i32>,
}
