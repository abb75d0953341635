//! OffsetDelete (key 47): a group forgets offsets of topics that it no longer reads (KIP-496).

use crate::{Message, StrBytes};

/// Deletes offsets.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = OffsetDelete, response = OffsetDeleteResponse, versions = "0", flexible = "none")]
pub struct OffsetDeleteRequest {
    /// The group.
    pub group_id: StrBytes,
    /// What to delete, by topic.
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

/// What to delete of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetDeleteRequestTopic {
    /// The topic's name.
    pub name: StrBytes,
    /// The partitions.
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

/// A partition whose offset to delete.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetDeleteRequestPartition {
    /// The partition.
    pub partition_index: i32,
}

/// What was deleted.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = OffsetDelete, versions = "0", flexible = "none")]
pub struct OffsetDeleteResponse {
    /// Kafka's error code for the group; 0 for none.
    pub error_code: i16,
    /// For how long a quota holds the client back, in milliseconds.
    #[field(ignorable)]
    pub throttle_time_ms: i32,
    /// The answers, by topic.
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

/// The answers for one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetDeleteResponseTopic {
    /// The topic's name.
    pub name: StrBytes,
    /// The answers, by partition.
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

/// The answer for one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetDeleteResponsePartition {
    /// The partition.
    pub partition_index: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
}
