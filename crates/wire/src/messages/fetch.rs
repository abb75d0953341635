//! Fetch (key 1): record batches on their way out.
//!
//! Read by consumers and, in a larger cluster, by followers. Versions below 4 went with Kafka 4.0 (KIP-896).
//!
//! | version | what changed |
//! | --- | --- |
//! | 5 | log start offset in both directions |
//! | 6 | the answer may say KAFKA_STORAGE_ERROR |
//! | 7 | fetch sessions (KIP-227) |
//! | 9 | the leader epoch that the client knows (KIP-320) |
//! | 10 | zstd batches (KIP-110) |
//! | 11 | the consumer's rack and the preferred read replica (KIP-392) |
//! | 12 | flexible; last fetched epoch, answered by the diverging epoch; the current leader |
//! | 13 | topics by id instead of name (KIP-516) |
//! | 14 | the answer may say OFFSET_MOVED_TO_TIERED_STORAGE (KIP-405) |
//! | 15 | the replica id moves into a tagged field (KIP-903) |
//! | 16 | answer: where the leaders are, tagged (KIP-951) |
//! | 17, 18 | a follower's directory id (KIP-853) and high watermark (KIP-1166), tagged |

use uuid::Uuid;

use crate::{Message, Payload, StrBytes};

/// Asks for record batches.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = Fetch, response = FetchResponse, versions = "4-18", flexible = "12+")]
pub struct FetchRequest {
    /// The cluster that the fetcher believes to be in; only replicas of the metadata log set it.
    #[field(versions = "12+", tag = 0, default = null, ignorable)]
    pub cluster_id: Option<StrBytes>,
    /// Node id of a follower, up to version 14; -1 for a consumer.
    #[field(versions = "0-14", default = -1)]
    pub replica_id: i32,
    /// Who the follower is, from version 15 on (KIP-903).
    #[field(versions = "15+", tag = 1)]
    pub replica_state: ReplicaState,
    /// How long the broker may wait for [`Self::min_bytes`], in milliseconds.
    pub max_wait_ms: i32,
    /// How many bytes of records are worth an answer before the wait is over.
    pub min_bytes: i32,
    /// How many bytes of records the answer should hold at most; the first batch comes even if it is larger
    /// (KIP-74).
    #[field(default = i32::MAX)]
    pub max_bytes: i32,
    /// 0 reads up to the high watermark (read_uncommitted), 1 up to the last stable offset (read_committed).
    pub isolation_level: i8,
    /// The fetch session (KIP-227); 0 for none.
    #[field(versions = "7+", ignorable)]
    pub session_id: i32,
    /// The place of this request within its session: 0 opens one, -1 goes without.
    #[field(versions = "7+", default = -1, ignorable)]
    pub session_epoch: i32,
    /// What to fetch; within a session, what changes.
    pub topics: Vec<FetchTopic>,
    /// The partitions that leave the session.
    #[field(versions = "7+")]
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// The consumer's rack; empty for none.
    #[field(versions = "11+", ignorable)]
    pub rack_id: StrBytes,
}

/// Who a follower is.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ReplicaState {
    /// Node id of a follower; -1 for a consumer.
    #[field(default = -1)]
    pub replica_id: i32,
    /// The follower's broker epoch; -1 when there is none.
    #[field(default = -1)]
    pub replica_epoch: i64,
}

/// What to fetch of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct FetchTopic {
    /// The topic's name, before it is named by id.
    #[field(versions = "0-12", ignorable)]
    pub topic: StrBytes,
    /// The topic's id.
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    /// The partitions to fetch.
    pub partitions: Vec<FetchPartition>,
}

/// What to fetch of one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct FetchPartition {
    /// The partition.
    pub partition: i32,
    /// The leader epoch that the client knows, to be fenced by (KIP-320); -1 for no check.
    #[field(versions = "9+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    /// The first offset that is wanted.
    pub fetch_offset: i64,
    /// Leader epoch of the last record that was fetched; -1 for no check for a diverging log.
    #[field(versions = "12+", default = -1)]
    pub last_fetched_epoch: i32,
    /// The follower's log start offset; -1 for a consumer.
    #[field(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    /// How many bytes of this partition the answer should hold at most; the first batch comes even if it is
    /// larger.
    pub partition_max_bytes: i32,
    /// Id of the log directory that a follower of the metadata log stores it in.
    #[field(versions = "17+", tag = 0, ignorable)]
    pub replica_directory_id: Uuid,
    /// The high watermark that a follower of the metadata log knows; -1 for unknown, the largest number when
    /// it cannot say (KIP-1166).
    #[field(versions = "18+", tag = 1, default = i64::MAX, ignorable)]
    pub high_watermark: i64,
}

/// Partitions of one topic that leave the session.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ForgottenTopic {
    /// The topic's name, before it is named by id.
    #[field(versions = "7-12", ignorable)]
    pub topic: StrBytes,
    /// The topic's id.
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    /// The partitions to drop.
    pub partitions: Vec<i32>,
}

/// The record batches that were found.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = Fetch, versions = "4-18", flexible = "12+")]
pub struct FetchResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Kafka's error code for the request as a whole, mostly about its session; 0 for none.
    #[field(versions = "7+", ignorable)]
    pub error_code: i16,
    /// The session that the broker keeps; 0 for none.
    #[field(versions = "7+")]
    pub session_id: i32,
    /// What was found, by topic.
    pub responses: Vec<FetchableTopicResponse>,
    /// Where the leaders named in this answer are (KIP-951).
    #[field(versions = "16+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// What was found in one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct FetchableTopicResponse {
    /// The topic's name, before it is named by id.
    #[field(versions = "0-12", ignorable)]
    pub topic: StrBytes,
    /// The topic's id.
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    /// What was found, by partition.
    pub partitions: Vec<PartitionData>,
}

/// What was found in one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct PartitionData {
    /// The partition.
    pub partition_index: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The high watermark; -1 with an error.
    pub high_watermark: i64,
    /// The offset below which every transaction is decided; -1 if not known.
    #[field(default = -1)]
    pub last_stable_offset: i64,
    /// The first offset that the partition still holds; -1 if not known.
    #[field(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    /// Where the log of a fetcher that sent its last fetched epoch leaves ours.
    #[field(versions = "12+", tag = 0)]
    pub diverging_epoch: EpochEndOffset,
    /// The leader to turn to, with NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH (KIP-951).
    #[field(versions = "12+", tag = 1)]
    pub current_leader: LeaderIdAndEpoch,
    /// The snapshot to load instead, when the offset lies before the start of the metadata log.
    #[field(versions = "12+", tag = 2)]
    pub snapshot_id: SnapshotId,
    /// The aborted transactions within the records, for read_committed; null for read_uncommitted.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// The replica to read from instead; -1 for this one.
    #[field(versions = "11+", default = -1)]
    pub preferred_read_replica: i32,
    /// Whole record batches, as stored.
    #[field(default = null)]
    pub records: Option<Payload>,
}

/// The end of a leader epoch.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct EpochEndOffset {
    /// The largest leader epoch that both logs may share; -1 for none.
    #[field(default = -1)]
    pub epoch: i32,
    /// Where that epoch ends in our log; -1 for none.
    #[field(default = -1)]
    pub end_offset: i64,
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

/// A snapshot of the metadata log.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct SnapshotId {
    /// The first offset that the snapshot does not hold; -1 for none.
    #[field(default = -1)]
    pub end_offset: i64,
    /// The leader epoch of its last record; -1 for none.
    #[field(default = -1)]
    pub epoch: i32,
}

/// A transaction whose records a read_committed consumer skips.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct AbortedTransaction {
    /// The producer whose transaction was aborted.
    pub producer_id: i64,
    /// The first offset of that transaction.
    pub first_offset: i64,
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
