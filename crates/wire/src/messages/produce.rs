//! Produce (key 0): record batches on their way in.
//!
//! Carries one batch per partition, opaque here. Version 3 is the lowest since Kafka 4.0 (KIP-896); ApiVersions still
//! lists 0 as the minimum for the sake of librdkafka (KAFKA-18659).
//!
//! | version | what changed |
//! | --- | --- |
//! | 4 | the answer may say KAFKA_STORAGE_ERROR |
//! | 5 | answer: log start offset |
//! | 7 | zstd batches (KIP-110) |
//! | 8 | answer: the records at fault and a message (KIP-467) |
//! | 9 | flexible |
//! | 10 | answer: the current leader, tagged (KIP-951) |
//! | 11, 12 | the answer may say TRANSACTION_ABORTABLE; 12 adds partitions to a transaction by itself (KIP-890) |
//! | 13 | topics by id instead of name (KIP-516) |

use uuid::Uuid;

use crate::{Message, Payload, StrBytes};

/// Appends record batches.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = Produce, response = ProduceResponse, versions = "3-13", flexible = "9+")]
pub struct ProduceRequest {
    /// The producer's transactional id; null when it has none.
    #[field(default = null)]
    pub transactional_id: Option<StrBytes>,
    /// Who must have the records before the answer: 0 nobody (and no answer comes), 1 the leader, -1 all
    /// in-sync replicas.
    pub acks: i16,
    /// How long to wait for the acknowledgements, in milliseconds.
    pub timeout_ms: i32,
    /// What goes to each topic.
    pub topic_data: Vec<TopicProduceData>,
}

/// What goes to one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicProduceData {
    /// The topic's name, before it is named by id.
    #[field(versions = "0-12", ignorable)]
    pub name: StrBytes,
    /// The topic's id.
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    /// What goes to each partition.
    pub partition_data: Vec<PartitionProduceData>,
}

/// What goes to one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct PartitionProduceData {
    /// The partition.
    pub index: i32,
    /// One record batch; null and empty are refused by the broker, not by the codec.
    #[field(default = null)]
    pub records: Option<Payload>,
}

/// Where the batches went, or why not.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = Produce, versions = "3-13", flexible = "9+")]
pub struct ProduceResponse {
    /// What became of each topic's batches.
    pub responses: Vec<TopicProduceResponse>,
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Where the leaders named in this answer are (KIP-951).
    #[field(versions = "10+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// What became of one topic's batches.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicProduceResponse {
    /// The topic's name.
    #[field(versions = "0-12", ignorable)]
    pub name: StrBytes,
    /// The topic's id.
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    /// What became of each partition's batch.
    pub partition_responses: Vec<PartitionProduceResponse>,
}

/// What became of one partition's batch.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct PartitionProduceResponse {
    /// The partition.
    pub index: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The offset given to the first record; -1 with an error.
    pub base_offset: i64,
    /// When the broker appended the batch, if the topic has LogAppendTime; else -1.
    #[field(default = -1)]
    pub log_append_time_ms: i64,
    /// The first offset that the partition still holds; -1 if not known.
    #[field(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    /// The records for which the whole batch was refused.
    #[field(versions = "8+", ignorable)]
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    /// What went wrong, for people; null for nothing to say.
    #[field(versions = "8+", default = null, ignorable)]
    pub error_message: Option<StrBytes>,
    /// The leader to turn to, with NOT_LEADER_OR_FOLLOWER (KIP-951).
    #[field(versions = "10+", tag = 0)]
    pub current_leader: LeaderIdAndEpoch,
}

/// A record for which its batch was refused (KIP-467).
#[derive(Clone, Debug, PartialEq, Message)]
pub struct BatchIndexAndErrorMessage {
    /// Position of the record within its batch, from 0.
    pub batch_index: i32,
    /// What is wrong with the record; null for nothing to say.
    #[field(default = null)]
    pub batch_index_error_message: Option<StrBytes>,
}

/// A partition's leader.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct LeaderIdAndEpoch {
    /// Node id of the leader; -1 when nobody knows.
    #[field(default = -1)]
    pub leader_id: i32,
    /// The newest known leader epoch.
    #[field(default = -1)]
    pub leader_epoch: i32,
}

/// Where a node is.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct NodeEndpoint {
    /// The node.
    pub node_id: i32,
    /// Its host name.
    pub host: StrBytes,
    /// Its port.
    pub port: i32,
    /// Its rack; null when it has none.
    #[field(default = null)]
    pub rack: Option<StrBytes>,
}
