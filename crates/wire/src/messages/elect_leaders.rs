//! ElectLeaders (key 43): lets partitions be led by whom they prefer, or by anyone who is left (KIP-183, KIP-460).
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | unclean elections; answer: an error code of its own (KIP-460) |
//! | 2 | flexible |

use crate::{Message, StrBytes};

/// Elects leaders.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = ElectLeaders, response = ElectLeadersResponse, versions = "0-2", flexible = "2+")]
pub struct ElectLeadersRequest {
    /// 0: whoever the partition prefers; 1: whoever lives, when nobody is in sync.
    #[field(versions = "1+")]
    pub election_type: i8,
    /// The partitions, by topic; null for all.
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    /// How long to wait, in milliseconds.
    #[field(default = 60000)]
    pub timeout_ms: i32,
}

/// Partitions of a topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicPartitions {
    /// The topic's name.
    pub topic: StrBytes,
    /// The partitions.
    pub partitions: Vec<i32>,
}

/// What became of the elections.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = ElectLeaders, versions = "0-2", flexible = "2+")]
pub struct ElectLeadersResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    #[field(versions = "1+")]
    pub error_code: i16,
    /// What became of each topic.
    pub replica_election_results: Vec<ReplicaElectionResult>,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ReplicaElectionResult {
    /// The topic's name.
    pub topic: StrBytes,
    /// What became of each partition.
    pub partition_result: Vec<PartitionResult>,
}

/// What became of one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct PartitionResult {
    /// The partition.
    pub partition_id: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    pub error_message: Option<StrBytes>,
}
