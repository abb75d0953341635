//! DescribeQuorum (key 55): the voters of the metadata log, and how far each has come (KIP-595).
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | answer: times of fetching and of having caught up (KIP-836) |
//! | 2 | answer: error messages, directory ids, listeners of the voters (KIP-853) |

use uuid::Uuid;

use crate::{Message, StrBytes};

/// Asks for the quorum of partitions, of which only that of the metadata log has one.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = DescribeQuorum, response = DescribeQuorumResponse, versions = "0-2", flexible = "0+")]
pub struct DescribeQuorumRequest {
    /// The topics.
    pub topics: Vec<TopicRequest>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicRequest {
    /// The topic's name.
    pub topic_name: StrBytes,
    /// The partitions.
    pub partitions: Vec<PartitionRequest>,
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct PartitionRequest {
    /// The partition.
    pub partition_index: i32,
}

/// The quorum.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = DescribeQuorum, versions = "0-2", flexible = "0+")]
pub struct DescribeQuorumResponse {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    #[field(versions = "2+", ignorable)]
    pub error_message: Option<StrBytes>,
    /// The topics.
    pub topics: Vec<TopicData>,
    /// Where the voters are to be found.
    #[field(versions = "2+")]
    pub nodes: Vec<Node>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicData {
    /// The topic's name.
    pub topic_name: StrBytes,
    /// The partitions.
    pub partitions: Vec<PartitionData>,
}

/// The quorum of a partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct PartitionData {
    /// The partition.
    pub partition_index: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    #[field(versions = "2+", ignorable)]
    pub error_message: Option<StrBytes>,
    /// Node id of the leader; -1 if not known.
    pub leader_id: i32,
    /// The leader epoch.
    pub leader_epoch: i32,
    /// The high watermark.
    pub high_watermark: i64,
    /// The voters.
    pub current_voters: Vec<ReplicaState>,
    /// Those that follow without a vote.
    pub observers: Vec<ReplicaState>,
}

/// How far a replica has come.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ReplicaState {
    /// Node id.
    pub replica_id: i32,
    /// Id of the log directory; zero if not known.
    #[field(versions = "2+")]
    pub replica_directory_id: Uuid,
    /// Its log end; -1 if not known.
    pub log_end_offset: i64,
    /// When it last fetched, in milliseconds; -1 for the leader, or if not known.
    #[field(versions = "1+", default = -1, ignorable)]
    pub last_fetch_timestamp: i64,
    /// When it last had all that there was, in milliseconds; now for the leader, -1 if not known.
    #[field(versions = "1+", default = -1, ignorable)]
    pub last_caught_up_timestamp: i64,
}

/// A voter.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct Node {
    /// Node id.
    #[field(versions = "2+")]
    pub node_id: i32,
    /// Where it listens.
    #[field(versions = "2+")]
    pub listeners: Vec<Listener>,
}

/// Where a voter listens.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct Listener {
    /// The listener.
    #[field(versions = "2+")]
    pub name: StrBytes,
    /// Its host name.
    #[field(versions = "2+")]
    pub host: StrBytes,
    /// Its port.
    #[field(versions = "2+")]
    pub port: u16,
}
