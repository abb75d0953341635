//! DescribeTopicPartitions (key 75): topics page by page, with the eligible leader replicas (KIP-966). One version.

use uuid::Uuid;

use crate::{Message, StrBytes};

/// Asks for topics, a page at a time.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = DescribeTopicPartitions, response = DescribeTopicPartitionsResponse, versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsRequest {
    /// The topics to describe; empty for all.
    pub topics: Vec<TopicRequest>,
    /// How many partitions the answer may hold.
    #[field(default = 2000)]
    pub response_partition_limit: i32,
    /// Where to begin, from the answer before; null for the start.
    #[field(default = null)]
    pub cursor: Option<Cursor>,
}

/// What is asked of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicRequest {
    /// The topic's name.
    pub name: StrBytes,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct Cursor {
    /// The topic to begin with.
    pub topic_name: StrBytes,
    /// The partition to begin with.
    pub partition_index: i32,
}

/// A page of topics.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = DescribeTopicPartitions, versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// The topics, in order of their names.
    pub topics: Vec<DescribeTopicPartitionsResponseTopic>,
    /// Where to go on; null when this is the end.
    #[field(default = null)]
    pub next_cursor: Option<Cursor>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribeTopicPartitionsResponseTopic {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The topic's name; null if not known.
    pub name: Option<StrBytes>,
    /// The topic's id.
    pub topic_id: Uuid,
    /// Whether the topic belongs to Kafka itself.
    pub is_internal: bool,
    /// Its partitions.
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    /// What the client may do to the topic, a bit per operation; the smallest number when it was not asked.
    #[field(default = i32::MIN)]
    pub topic_authorized_operations: i32,
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribeTopicPartitionsResponsePartition {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The partition.
    pub partition_index: i32,
    /// Node id of the leader; -1 for none.
    pub leader_id: i32,
    /// Its leader epoch; -1 if not known.
    #[field(default = -1)]
    pub leader_epoch: i32,
    /// Node ids of all replicas.
    pub replica_nodes: Vec<i32>,
    /// Node ids of the replicas that are in sync.
    pub isr_nodes: Vec<i32>,
    /// Node ids of replicas that may become leader although not in sync (KIP-966); null if not known.
    #[field(default = null)]
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// Node ids of the last replicas that could; null if not known.
    #[field(default = null)]
    pub last_known_elr: Option<Vec<i32>>,
    /// Node ids of the replicas that are offline.
    pub offline_replicas: Vec<i32>,
}
