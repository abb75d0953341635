//! DeleteRecords (key 21): takes away what lies below an offset (KIP-107).
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | a client that a quota holds back hears of it before it waits |
//! | 2 | flexible |

use crate::{Message, StrBytes};

/// Deletes the records below an offset of each partition.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = DeleteRecords, response = DeleteRecordsResponse, versions = "0-2", flexible = "2+")]
pub struct DeleteRecordsRequest {
    /// What to delete, by topic.
    pub topics: Vec<DeleteRecordsTopic>,
    /// How long to wait for all replicas to have deleted it, in milliseconds.
    pub timeout_ms: i32,
}

/// What to delete of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DeleteRecordsTopic {
    /// The topic's name.
    pub name: StrBytes,
    /// What to delete, by partition.
    pub partitions: Vec<DeleteRecordsPartition>,
}

/// What to delete of one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DeleteRecordsPartition {
    /// The partition.
    pub partition_index: i32,
    /// The first offset that stays; -1 for the high watermark.
    pub offset: i64,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = DeleteRecords, versions = "0-2", flexible = "2+")]
pub struct DeleteRecordsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// What became of it, by topic.
    pub topics: Vec<DeleteRecordsTopicResult>,
}

/// What became of one topic's records.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DeleteRecordsTopicResult {
    /// The topic's name.
    pub name: StrBytes,
    /// What became of it, by partition.
    pub partitions: Vec<DeleteRecordsPartitionResult>,
}

/// What became of one partition's records.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DeleteRecordsPartitionResult {
    /// The partition.
    pub partition_index: i32,
    /// The first offset that all replicas still have; -1 for an error.
    pub low_watermark: i64,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
}
