//! Streams groups (KIP-1071): types 17 and 19 to 23. Ottla has none; `dump-log` shows them.

use crate::{Message, StrBytes};

/// A group.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 17, versions = "0", flexible = "none")]
pub struct StreamsGroupMetadataKey {
    /// The group.
    pub group_id: StrBytes,
}

/// A group's epoch.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 17, versions = "0", flexible = "0+")]
pub struct StreamsGroupMetadataValue {
    /// The group's epoch.
    pub epoch: i32,
    /// A hash over the topics that the group reads.
    pub metadata_hash: i64,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 19, versions = "0", flexible = "none")]
pub struct StreamsGroupMemberMetadataKey {
    /// The group.
    pub group_id: StrBytes,
    /// The member.
    pub member_id: StrBytes,
}

/// What a member is.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 19, versions = "0", flexible = "0+")]
pub struct StreamsGroupMemberMetadataValue {
    /// The name of a static member; null for a dynamic one.
    pub instance_id: Option<StrBytes>,
    /// The member's rack; null for none.
    pub rack_id: Option<StrBytes>,
    /// The name that its client gave itself.
    pub client_id: StrBytes,
    /// Where its client is.
    pub client_host: StrBytes,
    /// For how many milliseconds the group waits for it to give tasks back.
    #[field(default = -1)]
    pub rebalance_timeout_ms: i32,
    /// The epoch of the topology that it runs.
    pub topology_epoch: i32,
    /// The process that it runs in, of which it may not be the only member.
    pub process_id: StrBytes,
    /// Where it answers queries; null for nowhere.
    #[field(default = null)]
    pub user_endpoint: Option<Endpoint>,
    /// Tags by which tasks are spread.
    pub client_tags: Vec<KeyValue>,
}

/// Where a member answers queries.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct Endpoint {
    /// Its host name.
    pub host: StrBytes,
    /// Its port.
    pub port: u16,
}

/// A tag of a member.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct KeyValue {
    /// The tag.
    pub key: StrBytes,
    /// Its value.
    pub value: StrBytes,
}

/// The assignment of a group.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 20, versions = "0", flexible = "none")]
pub struct StreamsGroupTargetAssignmentMetadataKey {
    /// The group.
    pub group_id: StrBytes,
}

/// How new the assignment of a group is.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 20, versions = "0", flexible = "0+")]
pub struct StreamsGroupTargetAssignmentMetadataValue {
    /// The epoch of the group that the assignment was made for.
    pub assignment_epoch: i32,
}

/// A member's part of the assignment.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 21, versions = "0", flexible = "none")]
pub struct StreamsGroupTargetAssignmentMemberKey {
    /// The group.
    pub group_id: StrBytes,
    /// The member.
    pub member_id: StrBytes,
}

/// What a member is to have.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 21, versions = "0", flexible = "0+")]
pub struct StreamsGroupTargetAssignmentMemberValue {
    /// The tasks that it runs.
    pub active_tasks: Vec<TaskIds>,
    /// The tasks that it stands by for.
    pub standby_tasks: Vec<TaskIds>,
    /// The tasks that it warms up for.
    pub warmup_tasks: Vec<TaskIds>,
}

/// What a member has.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 22, versions = "0", flexible = "none")]
pub struct StreamsGroupCurrentMemberAssignmentKey {
    /// The group.
    pub group_id: StrBytes,
    /// The member.
    pub member_id: StrBytes,
}

/// What a member has.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 22, versions = "0", flexible = "0+")]
pub struct StreamsGroupCurrentMemberAssignmentValue {
    /// The member's epoch.
    pub member_epoch: i32,
    /// The epoch before, with which a member comes back whose answer was lost.
    pub previous_member_epoch: i32,
    /// The state of the member.
    pub state: i8,
    /// The tasks that it runs.
    pub active_tasks: Vec<TaskIds>,
    /// The tasks that it stands by for.
    pub standby_tasks: Vec<TaskIds>,
    /// The tasks that it warms up for.
    pub warmup_tasks: Vec<TaskIds>,
    /// The running tasks that it must give back.
    pub active_tasks_pending_revocation: Vec<TaskIds>,
    /// The standby tasks that it must give back.
    pub standby_tasks_pending_revocation: Vec<TaskIds>,
    /// The warm-up tasks that it must give back.
    pub warmup_tasks_pending_revocation: Vec<TaskIds>,
}

/// Tasks of a part of the topology.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TaskIds {
    /// The part.
    pub subtopology_id: StrBytes,
    /// Its partitions, one task each.
    pub partitions: Vec<i32>,
}

/// The topology of a group.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 23, versions = "0", flexible = "none")]
pub struct StreamsGroupTopologyKey {
    /// The group.
    pub group_id: StrBytes,
}

/// The topology of a group.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 23, versions = "0", flexible = "0+")]
pub struct StreamsGroupTopologyValue {
    /// The epoch of the topology.
    pub epoch: i32,
    /// Its parts.
    pub subtopologies: Vec<Subtopology>,
}

/// A part of a topology.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct Subtopology {
    /// Its name.
    pub subtopology_id: StrBytes,
    /// The topics that it reads.
    pub source_topics: Vec<StrBytes>,
    /// Regular expressions over the names of topics that it reads.
    pub source_topic_regex: Vec<StrBytes>,
    /// The topics that its state is written to.
    pub state_changelog_topics: Vec<TopicInfo>,
    /// The repartition topics that it writes.
    pub repartition_sink_topics: Vec<StrBytes>,
    /// The repartition topics that it reads.
    pub repartition_source_topics: Vec<TopicInfo>,
    /// The topics that must be partitioned alike.
    pub copartition_groups: Vec<CopartitionGroup>,
}

/// Topics that must be partitioned alike, each by its place in the lists of the [`Subtopology`].
#[derive(Clone, Debug, PartialEq, Message)]
pub struct CopartitionGroup {
    /// Of the topics that it reads.
    pub source_topics: Vec<i16>,
    /// Of the regular expressions.
    pub source_topic_regex: Vec<i16>,
    /// Of the repartition topics that it reads.
    pub repartition_source_topics: Vec<i16>,
}

/// An internal topic of a topology.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicInfo {
    /// The topic's name.
    pub name: StrBytes,
    /// How many partitions it needs; 0 for any number.
    pub partitions: i32,
    /// How many replicas it needs; 0 for the default.
    pub replication_factor: i16,
    /// Its settings.
    pub topic_configs: Vec<TopicConfig>,
}

/// A setting of a topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicConfig {
    /// The setting.
    pub key: StrBytes,
    /// Its value.
    pub value: StrBytes,
}
