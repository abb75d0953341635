//! Share groups (KIP-932): types 10 to 15. Ottla has none; `dump-log` shows them.

use uuid::Uuid;

use super::consumer::TopicPartitions;
use crate::{Message, StrBytes};

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 10, versions = "0", flexible = "none")]
pub struct ShareGroupMemberMetadataKey {
    /// The group.
    pub group_id: StrBytes,
    /// The member.
    pub member_id: StrBytes,
}

/// What a member is and wants.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 10, versions = "0", flexible = "0+")]
pub struct ShareGroupMemberMetadataValue {
    /// The member's rack; null for none.
    pub rack_id: Option<StrBytes>,
    /// The name that its client gave itself.
    pub client_id: StrBytes,
    /// Where its client is.
    pub client_host: StrBytes,
    /// The topics that it wants.
    pub subscribed_topic_names: Vec<StrBytes>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 11, versions = "0", flexible = "none")]
pub struct ShareGroupMetadataKey {
    /// The group.
    pub group_id: StrBytes,
}

/// A group's epoch.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 11, versions = "0", flexible = "0+")]
pub struct ShareGroupMetadataValue {
    /// The group's epoch.
    pub epoch: i32,
    /// A hash over the topics that the group reads.
    pub metadata_hash: i64,
}

/// The assignment of a group.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 12, versions = "0", flexible = "none")]
pub struct ShareGroupTargetAssignmentMetadataKey {
    /// The group.
    pub group_id: StrBytes,
}

/// How new the assignment of a group is.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 12, versions = "0", flexible = "0+")]
pub struct ShareGroupTargetAssignmentMetadataValue {
    /// The epoch of the group that the assignment was made for.
    pub assignment_epoch: i32,
}

/// A member's part of the assignment.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 13, versions = "0", flexible = "none")]
pub struct ShareGroupTargetAssignmentMemberKey {
    /// The group.
    pub group_id: StrBytes,
    /// The member.
    pub member_id: StrBytes,
}

/// What a member is to have.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 13, versions = "0", flexible = "0+")]
pub struct ShareGroupTargetAssignmentMemberValue {
    /// The partitions, by topic.
    pub topic_partitions: Vec<TopicPartitions>,
}

/// What a member has.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 14, versions = "0", flexible = "none")]
pub struct ShareGroupCurrentMemberAssignmentKey {
    /// The group.
    pub group_id: StrBytes,
    /// The member.
    pub member_id: StrBytes,
}

/// What a member has.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 14, versions = "0", flexible = "0+")]
pub struct ShareGroupCurrentMemberAssignmentValue {
    /// The member's epoch.
    pub member_epoch: i32,
    /// The epoch before, with which a member comes back whose answer was lost.
    pub previous_member_epoch: i32,
    /// The state of the member.
    pub state: i8,
    /// The partitions that it has.
    pub assigned_partitions: Vec<TopicPartitions>,
}

/// The partitions that a group keeps state of.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 15, versions = "0", flexible = "none")]
pub struct ShareGroupStatePartitionMetadataKey {
    /// The group.
    pub group_id: StrBytes,
}

/// The partitions that a group keeps state of.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 15, versions = "0", flexible = "0+")]
pub struct ShareGroupStatePartitionMetadataValue {
    /// Those whose state is being made.
    pub initializing_topics: Vec<TopicPartitionsInfo>,
    /// Those whose state is there.
    pub initialized_topics: Vec<TopicPartitionsInfo>,
    /// Those whose state is being deleted.
    pub deleting_topics: Vec<TopicInfo>,
}

/// Partitions of a topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicPartitionsInfo {
    /// The topic's id.
    pub topic_id: Uuid,
    /// The topic's name.
    pub topic_name: StrBytes,
    /// Its partitions.
    pub partitions: Vec<i32>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicInfo {
    /// The topic's id.
    pub topic_id: Uuid,
    /// The topic's name.
    pub topic_name: StrBytes,
}
