//! OffsetCommit (key 8): how far a group has read.
//!
//! Versions below 2 went with Kafka 4.0 (KIP-896). Version 10 is not stable in Kafka 4.1: its brokers answer it only
//! with `unstable.api.versions.enable`.
//!
//! | version | what changed |
//! | --- | --- |
//! | 3 | answer: throttle time |
//! | 5 | how long to retain the offset is the broker's affair (KIP-211) |
//! | 6 | leader epochs (KIP-320) |
//! | 7 | static members (KIP-345) |
//! | 8 | flexible |
//! | 9 | a member epoch in place of a generation (KIP-848); the answer may say STALE_MEMBER_EPOCH or GROUP_ID_NOT_FOUND |
//! | 10 | topics by id instead of name (KIP-848) |

use uuid::Uuid;

use crate::{Message, StrBytes};

/// Commits offsets.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = OffsetCommit, response = OffsetCommitResponse, versions = "2-10", flexible = "8+")]
pub struct OffsetCommitRequest {
    /// The group.
    pub group_id: StrBytes,
    /// The generation that the member belongs to, or its epoch in a group of KIP-848; -1 for a commit from outside.
    #[field(default = -1, ignorable)]
    pub generation_id_or_member_epoch: i32,
    /// The member; empty for a commit from outside.
    #[field(ignorable)]
    pub member_id: StrBytes,
    /// The name of a static member (KIP-345); null for a dynamic one.
    #[field(versions = "7+", default = null)]
    pub group_instance_id: Option<StrBytes>,
    /// For how many milliseconds to retain the offsets; -1 for as long as the broker does.
    #[field(versions = "2-4", default = -1, ignorable)]
    pub retention_time_ms: i64,
    /// The offsets, by topic.
    pub topics: Vec<OffsetCommitRequestTopic>,
}

/// Offsets of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetCommitRequestTopic {
    /// The topic's name, before it is named by id.
    #[field(versions = "0-9", ignorable)]
    pub name: StrBytes,
    /// The topic's id.
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// The offsets, by partition.
    pub partitions: Vec<OffsetCommitRequestPartition>,
}

/// The offset of one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetCommitRequestPartition {
    /// The partition.
    pub partition_index: i32,
    /// The next offset to read.
    pub committed_offset: i64,
    /// Leader epoch of the last record that was read (KIP-320); -1 if not known.
    #[field(versions = "6+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    /// Whatever the client wants to keep beside the offset.
    pub committed_metadata: Option<StrBytes>,
}

/// Which offsets were committed.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = OffsetCommit, versions = "2-10", flexible = "8+")]
pub struct OffsetCommitResponse {
    /// For how long a quota holds the client back, in milliseconds.
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    /// The answers, by topic.
    pub topics: Vec<OffsetCommitResponseTopic>,
}

/// The answers for one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetCommitResponseTopic {
    /// The topic's name, before it is named by id.
    #[field(versions = "0-9", ignorable)]
    pub name: StrBytes,
    /// The topic's id.
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// The answers, by partition.
    pub partitions: Vec<OffsetCommitResponsePartition>,
}

/// The answer for one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OffsetCommitResponsePartition {
    /// The partition.
    pub partition_index: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
}
