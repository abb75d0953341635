//! OffsetForLeaderEpoch (key 23): where a leader epoch ends.
//!
//! By this a consumer notices that the log it read was cut since (KIP-320). Versions below 2 went with Kafka 4.0.
//!
//! | version | what changed |
//! | --- | --- |
//! | 3 | replica id |
//! | 4 | flexible |

use crate::{Message, StrBytes};

/// Asks where leader epochs end.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = OffsetForLeaderEpoch, response = OffsetForLeaderEpochResponse, versions = "2-4", flexible = "4+")]
pub struct OffsetForLeaderEpochRequest {
    /// Node id of a follower; -1 for a consumer, -2 for a debugging one that may see beyond the high
    /// watermark.
    #[field(versions = "3+", default = -2, ignorable)]
    pub replica_id: i32,
    /// What is asked, by topic.
    pub topics: Vec<OffsetForLeaderTopic>,
}

/// What is asked of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetForLeaderTopic {
    /// The topic's name.
    pub topic: StrBytes,
    /// What is asked, by partition.
    pub partitions: Vec<OffsetForLeaderPartition>,
}

/// What is asked of one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetForLeaderPartition {
    /// The partition.
    pub partition: i32,
    /// The leader epoch that the client knows, to be fenced by (KIP-320); -1 for no check.
    #[field(default = -1)]
    pub current_leader_epoch: i32,
    /// The leader epoch whose end is asked for.
    pub leader_epoch: i32,
}

/// Where the epochs end.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = OffsetForLeaderEpoch, versions = "2-4", flexible = "4+")]
pub struct OffsetForLeaderEpochResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// The answers, by topic.
    pub topics: Vec<OffsetForLeaderTopicResult>,
}

/// The answers for one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetForLeaderTopicResult {
    /// The topic's name.
    pub topic: StrBytes,
    /// The answers, by partition.
    pub partitions: Vec<EpochEndOffset>,
}

/// The answer for one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct EpochEndOffset {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The partition.
    pub partition: i32,
    /// The largest leader epoch of the log that is not above the one asked for; -1 for none.
    #[field(default = -1)]
    pub leader_epoch: i32,
    /// Where that epoch ends; -1 for none.
    #[field(default = -1)]
    pub end_offset: i64,
}
