//! OffsetFetch (key 9): where a group stands.
//!
//! Version 0 went with Kafka 4.0 (KIP-896). Version 10 is not stable in Kafka 4.1: its brokers answer it only with
//! `unstable.api.versions.enable`.
//!
//! | version | what changed |
//! | --- | --- |
//! | 2 | null asks for all topics; answer: an error of the group |
//! | 3 | answer: throttle time |
//! | 5 | answer: leader epochs (KIP-320) |
//! | 6 | flexible |
//! | 7 | whether to wait for offsets of open transactions, with UNSTABLE_OFFSET_COMMIT (KIP-447) |
//! | 8 | several groups at once (KIP-709) |
//! | 9 | member id and epoch (KIP-848); the answer may say STALE_MEMBER_EPOCH or UNKNOWN_MEMBER_ID |
//! | 10 | topics by id instead of name (KIP-848) |

use uuid::Uuid;

use crate::{Message, StrBytes};

/// Asks for committed offsets.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = OffsetFetch, response = OffsetFetchResponse, versions = "1-10", flexible = "6+")]
pub struct OffsetFetchRequest {
    /// The group, while there is one.
    #[field(versions = "0-7")]
    pub group_id: StrBytes,
    /// What is asked of it, by topic; null for all that it has committed.
    #[field(versions = "0-7", nullable = "2-7")]
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    /// What is asked, by group.
    #[field(versions = "8+")]
    pub groups: Vec<OffsetFetchRequestGroup>,
    /// Whether an offset that a transaction is about to change counts as an error to come back for (KIP-447).
    #[field(versions = "7+")]
    pub require_stable: bool,
}

/// What is asked of one topic, while there is one group.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetFetchRequestTopic {
    /// The topic's name.
    pub name: StrBytes,
    /// The partitions.
    pub partition_indexes: Vec<i32>,
}

/// What is asked of one group.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetFetchRequestGroup {
    /// The group.
    pub group_id: StrBytes,
    /// The member that asks (KIP-848); null for one from outside.
    #[field(versions = "9+", default = null, ignorable)]
    pub member_id: Option<StrBytes>,
    /// The member's epoch (KIP-848); -1 for none.
    #[field(versions = "9+", default = -1, ignorable)]
    pub member_epoch: i32,
    /// What is asked, by topic; null for all that the group has committed.
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
}

/// What is asked of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetFetchRequestTopics {
    /// The topic's name, before it is named by id.
    #[field(versions = "0-9", ignorable)]
    pub name: StrBytes,
    /// The topic's id.
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// The partitions.
    pub partition_indexes: Vec<i32>,
}

/// The committed offsets.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = OffsetFetch, versions = "1-10", flexible = "6+")]
pub struct OffsetFetchResponse {
    /// For how long a quota holds the client back, in milliseconds.
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    /// The offsets, by topic, while there is one group.
    #[field(versions = "0-7")]
    pub topics: Vec<OffsetFetchResponseTopic>,
    /// Kafka's error code for the group; 0 for none.
    #[field(versions = "2-7", ignorable)]
    pub error_code: i16,
    /// The offsets, by group.
    #[field(versions = "8+")]
    pub groups: Vec<OffsetFetchResponseGroup>,
}

/// The offsets of one topic, while there is one group.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetFetchResponseTopic {
    /// The topic's name.
    pub name: StrBytes,
    /// The offsets, by partition.
    pub partitions: Vec<OffsetFetchResponsePartition>,
}

/// The offset of one partition, while there is one group.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetFetchResponsePartition {
    /// The partition.
    pub partition_index: i32,
    /// The next offset to read; -1 for none.
    pub committed_offset: i64,
    /// Leader epoch of the last record that was read (KIP-320); -1 if not known.
    #[field(versions = "5+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    /// What the client keeps beside the offset.
    pub metadata: Option<StrBytes>,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
}

/// The offsets of one group.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetFetchResponseGroup {
    /// The group.
    pub group_id: StrBytes,
    /// The offsets, by topic.
    pub topics: Vec<OffsetFetchResponseTopics>,
    /// Kafka's error code for the group; 0 for none.
    pub error_code: i16,
}

/// The offsets of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetFetchResponseTopics {
    /// The topic's name, before it is named by id.
    #[field(versions = "0-9", ignorable)]
    pub name: StrBytes,
    /// The topic's id.
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// The offsets, by partition.
    pub partitions: Vec<OffsetFetchResponsePartitions>,
}

/// The offset of one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetFetchResponsePartitions {
    /// The partition.
    pub partition_index: i32,
    /// The next offset to read; -1 for none.
    pub committed_offset: i64,
    /// Leader epoch of the last record that was read (KIP-320); -1 if not known.
    #[field(default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    /// What the client keeps beside the offset.
    pub metadata: Option<StrBytes>,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
}
