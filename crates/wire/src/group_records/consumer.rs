//! Consumer groups of KIP-848: types 3 to 8 and 16.
//!
//! What members want (5), what of it is to be (6, 7) and what is (8) are records of their own, so that a change writes
//! only what has changed.

use bytes::Bytes;
use uuid::Uuid;

use crate::{Message, StrBytes};

/// A group.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 3, versions = "0", flexible = "none")]
pub struct ConsumerGroupMetadataKey {
    /// The group.
    pub group_id: StrBytes,
}

/// A group's epoch.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 3, versions = "0", flexible = "0+")]
pub struct ConsumerGroupMetadataValue {
    /// The group's epoch, which rises with each change that calls for a new assignment.
    pub epoch: i32,
    /// A hash over the topics that the group reads: their partitions and racks as of this epoch (KIP-1101); 0 for none.
    #[field(tag = 0)]
    pub metadata_hash: i64,
}

/// The topics that a group reads, as Kafka before 4.1 kept them.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 4, versions = "0", flexible = "none")]
pub struct ConsumerGroupPartitionMetadataKey {
    /// The group.
    pub group_id: StrBytes,
}

/// The topics that a group reads. Kafka 4.1 keeps only a hash of them, in [`ConsumerGroupMetadataValue`].
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 4, versions = "0", flexible = "0+")]
pub struct ConsumerGroupPartitionMetadataValue {
    /// The topics.
    pub topics: Vec<TopicMetadata>,
}

/// A topic that a group reads.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicMetadata {
    /// The topic's id.
    pub topic_id: Uuid,
    /// The topic's name.
    pub topic_name: StrBytes,
    /// How many partitions it has.
    pub num_partitions: i32,
    /// Where they are; not used since Kafka 4.0.
    pub partition_metadata: Vec<PartitionMetadata>,
}

/// Where a partition is.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct PartitionMetadata {
    /// The partition.
    pub partition: i32,
    /// The racks of its replicas.
    pub racks: Vec<StrBytes>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 5, versions = "0", flexible = "none")]
pub struct ConsumerGroupMemberMetadataKey {
    /// The group.
    pub group_id: StrBytes,
    /// The member.
    pub member_id: StrBytes,
}

/// What a member is and wants.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 5, versions = "0", flexible = "0+")]
pub struct ConsumerGroupMemberMetadataValue {
    /// The name of a static member; null for a dynamic one.
    pub instance_id: Option<StrBytes>,
    /// The member's rack; null for none.
    pub rack_id: Option<StrBytes>,
    /// The name that its client gave itself.
    pub client_id: StrBytes,
    /// Where its client is.
    pub client_host: StrBytes,
    /// The topics that it wants.
    pub subscribed_topic_names: Vec<StrBytes>,
    /// The regular expression over topic names that it wants; null or empty for none.
    pub subscribed_topic_regex: Option<StrBytes>,
    /// For how many milliseconds the group waits for it to give partitions back.
    #[field(default = -1)]
    pub rebalance_timeout_ms: i32,
    /// The assignor that it wants; null for any.
    pub server_assignor: Option<StrBytes>,
    /// What it sent in JoinGroup if it speaks the classic protocol; null if it does not. The default is no null: Kafka
    /// writes each null out, and takes a record without this tag for one of a member with a session timeout of 0.
    #[field(tag = 0)]
    pub classic_member_metadata: Option<ClassicMemberMetadata>,
}

/// What a member that speaks the classic protocol sent.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ClassicMemberMetadata {
    /// After how many milliseconds without a heartbeat the member counts as dead.
    pub session_timeout_ms: i32,
    /// The protocols that it supports.
    pub supported_protocols: Vec<ClassicProtocol>,
}

/// A protocol that a member supports.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ClassicProtocol {
    /// The protocol's name.
    pub name: StrBytes,
    /// What the leader should know of the member.
    pub metadata: Bytes,
}

/// The assignment of a group.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 6, versions = "0", flexible = "none")]
pub struct ConsumerGroupTargetAssignmentMetadataKey {
    /// The group.
    pub group_id: StrBytes,
}

/// How new the assignment of a group is.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 6, versions = "0", flexible = "0+")]
pub struct ConsumerGroupTargetAssignmentMetadataValue {
    /// The epoch of the group that the assignment was made for.
    pub assignment_epoch: i32,
}

/// A member's part of the assignment.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 7, versions = "0", flexible = "none")]
pub struct ConsumerGroupTargetAssignmentMemberKey {
    /// The group.
    pub group_id: StrBytes,
    /// The member.
    pub member_id: StrBytes,
}

/// What a member is to have.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 7, versions = "0", flexible = "0+")]
pub struct ConsumerGroupTargetAssignmentMemberValue {
    /// The partitions, by topic.
    pub topic_partitions: Vec<TopicPartitions>,
}

/// What a member has.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 8, versions = "0", flexible = "none")]
pub struct ConsumerGroupCurrentMemberAssignmentKey {
    /// The group.
    pub group_id: StrBytes,
    /// The member.
    pub member_id: StrBytes,
}

/// What a member has, and how far it is on its way to what it is to have.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 8, versions = "0", flexible = "0+")]
pub struct ConsumerGroupCurrentMemberAssignmentValue {
    /// The member's epoch.
    pub member_epoch: i32,
    /// The epoch before, with which a member comes back whose answer was lost.
    pub previous_member_epoch: i32,
    /// 0 stable, 1 must give partitions back first, 2 waits for partitions that others still have.
    pub state: i8,
    /// The partitions that it has.
    pub assigned_partitions: Vec<TopicPartitions>,
    /// The partitions that it must give back.
    pub partitions_pending_revocation: Vec<TopicPartitions>,
}

/// Partitions of a topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicPartitions {
    /// The topic's id.
    pub topic_id: Uuid,
    /// Its partitions.
    pub partitions: Vec<i32>,
}

/// A regular expression that members of a group want.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 16, versions = "0", flexible = "none")]
pub struct ConsumerGroupRegularExpressionKey {
    /// The group.
    pub group_id: StrBytes,
    /// The regular expression over topic names.
    pub regular_expression: StrBytes,
}

/// The topics that a regular expression stands for.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 16, versions = "0", flexible = "0+")]
pub struct ConsumerGroupRegularExpressionValue {
    /// The topics' names.
    pub topics: Vec<StrBytes>,
    /// The offset of the metadata log that they were found at.
    pub version: i64,
    /// When they were found, in milliseconds.
    pub timestamp: i64,
}
