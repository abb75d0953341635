//! DescribeProducers (key 61): what a partition remembers of its producers (KIP-664). One version.

use crate::{Message, StrBytes};

/// Asks which producers partitions remember.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = DescribeProducers, response = DescribeProducersResponse, versions = "0", flexible = "0+")]
pub struct DescribeProducersRequest {
    /// What is asked, by topic.
    pub topics: Vec<TopicRequest>,
}

/// What is asked of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicRequest {
    /// The topic's name.
    pub name: StrBytes,
    /// The partitions.
    pub partition_indexes: Vec<i32>,
}

/// The producers.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = DescribeProducers, versions = "0", flexible = "0+")]
pub struct DescribeProducersResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// The answers, by topic.
    pub topics: Vec<TopicResponse>,
}

/// The answers for one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicResponse {
    /// The topic's name.
    pub name: StrBytes,
    /// The answers, by partition.
    pub partitions: Vec<PartitionResponse>,
}

/// The answer for one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct PartitionResponse {
    /// The partition.
    pub partition_index: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    #[field(default = null)]
    pub error_message: Option<StrBytes>,
    /// The producers that the partition remembers.
    pub active_producers: Vec<ProducerState>,
}

/// A producer that the partition remembers.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ProducerState {
    /// The producer.
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i32,
    /// The sequence of its last record; -1 for none.
    #[field(default = -1)]
    pub last_sequence: i32,
    /// The time of its last append, in milliseconds; -1 for none.
    #[field(default = -1)]
    pub last_timestamp: i64,
    /// The epoch of the transaction coordinator that wrote its last marker.
    pub coordinator_epoch: i32,
    /// Where its open transaction begins; -1 for none.
    #[field(default = -1)]
    pub current_txn_start_offset: i64,
}
