//! ListOffsets (key 2): from a time to an offset.
//!
//! Also answers for the two ends of a partition, by times below zero.
//!
//! | version | what changed |
//! | --- | --- |
//! | 2 | isolation level; answer: throttle time |
//! | 4 | leader epochs in both directions (KIP-320) |
//! | 5 | the answer may say OFFSET_NOT_AVAILABLE |
//! | 6 | flexible |
//! | 7 | time -3: the record with the largest timestamp (KIP-734) |
//! | 8 | time -4: the start of what is local (KIP-405) |
//! | 9 | time -5: the end of what is tiered (KIP-1005) |
//! | 10 | a timeout for remote storage (KIP-1075) |

use crate::{Message, StrBytes};

/// Asks for offsets by time.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = ListOffsets, response = ListOffsetsResponse, versions = "1-10", flexible = "6+")]
pub struct ListOffsetsRequest {
    /// Node id of a follower; -1 for a consumer.
    pub replica_id: i32,
    /// 0 reads up to the high watermark (read_uncommitted), 1 up to the last stable offset (read_committed).
    #[field(versions = "2+")]
    pub isolation_level: i8,
    /// What is asked, by topic.
    pub topics: Vec<ListOffsetsTopic>,
    /// How long the broker may wait for offsets from remote storage, in milliseconds.
    #[field(versions = "10+", ignorable)]
    pub timeout_ms: i32,
}

/// What is asked of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ListOffsetsTopic {
    /// The topic's name.
    pub name: StrBytes,
    /// What is asked, by partition.
    pub partitions: Vec<ListOffsetsPartition>,
}

/// What is asked of one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ListOffsetsPartition {
    /// The partition.
    pub partition_index: i32,
    /// The leader epoch that the client knows, to be fenced by (KIP-320); -1 for no check.
    #[field(versions = "4+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    /// The time to look for, in milliseconds; or -1 the end, -2 the start, -3 the record with the largest
    /// timestamp (version 7), -4 the start of what is local (8), -5 the end of what is tiered (9).
    pub timestamp: i64,
}

/// The offsets.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = ListOffsets, versions = "1-10", flexible = "6+")]
pub struct ListOffsetsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    #[field(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    /// The answers, by topic.
    pub topics: Vec<ListOffsetsTopicResponse>,
}

/// The answers for one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ListOffsetsTopicResponse {
    /// The topic's name.
    pub name: StrBytes,
    /// The answers, by partition.
    pub partitions: Vec<ListOffsetsPartitionResponse>,
}

/// The answer for one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ListOffsetsPartitionResponse {
    /// The partition.
    pub partition_index: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The timestamp of the record that was found; -1 for none.
    #[field(default = -1)]
    pub timestamp: i64,
    /// The offset that was found; -1 for none.
    #[field(default = -1)]
    pub offset: i64,
    /// The leader epoch of that offset; -1 if not known.
    #[field(versions = "4+", default = -1)]
    pub leader_epoch: i32,
}
