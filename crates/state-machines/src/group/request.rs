//! What clients ask of groups. Strings and bytes are copies of their own: what a group keeps must not hold a request's frame.

use std::sync::Arc;

use base::{LeaderEpoch, Offset, PartitionIndex, Uuid};

/// A request that may change groups or offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// JoinGroup 0 to 9.
    Join(Join),
    /// SyncGroup 0 to 5.
    Sync(Sync),
    /// Heartbeat 0 to 4.
    Heartbeat(Heartbeat),
    /// LeaveGroup 0 to 5.
    Leave(Leave),
    /// OffsetCommit 2 to 10.
    CommitOffsets(CommitOffsets),
    /// OffsetDelete 0.
    DeleteOffsets(DeleteOffsets),
    /// DeleteGroups 0 to 2, for the groups of this partition.
    DeleteGroups(Vec<Arc<str>>),
    /// ConsumerGroupHeartbeat 0 to 1.
    ConsumerHeartbeat(ConsumerHeartbeat),
}

/// A ConsumerGroupHeartbeat request (KIP-848). What is none has not changed since the member last said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerHeartbeat {
    /// The group.
    pub group_id: Arc<str>,
    /// The member's id, which it makes itself from version 1 on; in version 0 it may be empty when joining.
    pub member_id: Arc<str>,
    /// 0 to join, -1 to leave, -2 when a static member goes for a while; else the epoch that the member is in.
    pub member_epoch: i32,
    /// `group.instance.id`.
    pub instance_id: Option<Arc<str>>,
    /// `client.rack`.
    pub rack_id: Option<Arc<str>>,
    /// How long it may take to give partitions up, in milliseconds; -1 for no change.
    pub rebalance_timeout_ms: i32,
    /// The topics it wants.
    pub subscribed_topic_names: Option<Vec<Arc<str>>>,
    /// A regular expression for the topics it wants (v1+).
    pub subscribed_topic_regex: Option<Arc<str>>,
    /// The assignor it asks for.
    pub server_assignor: Option<Arc<str>>,
    /// What it holds: topic ids and their partitions.
    pub topic_partitions: Option<Vec<(Uuid, Vec<PartitionIndex>)>>,
    /// `client.id` of the request's header; empty for none.
    pub client_id: Arc<str>,
    /// Where the client connected from, as Kafka spells it: `/127.0.0.1`.
    pub client_host: Arc<str>,
    /// Random, drawn afresh for each request: the id of a member that brings none.
    pub uuid: Uuid,
    /// Whether the client has to bring a member id (v1+).
    pub requires_member_id: bool,
}

/// A JoinGroup request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// The group.
    pub group_id: Arc<str>,
    /// The member id, empty for one who has none yet.
    pub member_id: Arc<str>,
    /// `group.instance.id` (v5+).
    pub instance_id: Option<Arc<str>>,
    /// `client.id` of the request's header; empty for none.
    pub client_id: Arc<str>,
    /// Where the client connected from, as Kafka spells it: `/127.0.0.1`.
    pub client_host: Arc<str>,
    /// How long the member may be silent.
    pub session_timeout_ms: i32,
    /// How long the others wait for it to rejoin; version 0 has none, there it is the session timeout.
    pub rebalance_timeout_ms: i32,
    /// What kind of client this is.
    pub protocol_type: Arc<str>,
    /// The protocols it speaks, dearest first.
    pub protocols: Vec<Protocol>,
    /// Random, drawn afresh for each request: a new member id is made of it.
    pub uuid: Uuid,
    /// Whether one without a member id is given one and sent away to join again with it (v4+, KIP-394).
    pub requires_member_id: bool,
    /// Whether a static leader that comes back can be told to skip the assignment (v9+).
    pub skips_assignment: bool,
}

/// A protocol of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// Its name, such as `range`.
    pub name: Arc<str>,
    /// What the member says about itself in this protocol; the leader reads it.
    pub metadata: Arc<[u8]>,
}

/// A SyncGroup request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// The group.
    pub group_id: Arc<str>,
    /// The member.
    pub member_id: Arc<str>,
    /// `group.instance.id` (v3+).
    pub instance_id: Option<Arc<str>>,
    /// The generation it was told when it joined.
    pub generation: i32,
    /// The protocol type it was told (v5+).
    pub protocol_type: Option<Arc<str>>,
    /// The protocol it was told (v5+).
    pub protocol: Option<Arc<str>>,
    /// Only from the leader: what each member gets.
    pub assignments: Vec<Assignment>,
}

/// What the leader assigns to one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The member.
    pub member_id: Arc<str>,
    /// Its share.
    pub assignment: Arc<[u8]>,
}

/// A Heartbeat request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The group.
    pub group_id: Arc<str>,
    /// The member.
    pub member_id: Arc<str>,
    /// `group.instance.id` (v3+).
    pub instance_id: Option<Arc<str>>,
    /// The generation the member is in.
    pub generation: i32,
}

/// A LeaveGroup request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leave {
    /// The group.
    pub group_id: Arc<str>,
    /// Who leaves; versions 0 to 2 name one member.
    pub members: Vec<Leaving>,
}

/// One who leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// The member id; empty to remove a static member by its instance id alone.
    pub member_id: Arc<str>,
    /// `group.instance.id` (v3+).
    pub instance_id: Option<Arc<str>>,
}

/// An OffsetCommit request. Partitions that do not exist are left out by who builds it, and answered by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitOffsets {
    /// The group.
    pub group_id: Arc<str>,
    /// The member; empty for a consumer that is in no group.
    pub member_id: Arc<str>,
    /// `group.instance.id` (v7+).
    pub instance_id: Option<Arc<str>>,
    /// The member's generation (or member epoch); negative for a consumer that is in no group.
    pub generation: i32,
    /// How long the offsets are to be kept (v2 to v4); none to leave it to the broker.
    pub retention_ms: Option<i64>,
    /// Whether a member of an unknown group is told so (v9+); earlier versions call it a wrong generation. Members that speak the
    /// consumer protocol cannot commit with earlier versions.
    pub names_unknown_group: bool,
    /// What is committed.
    pub topics: Vec<CommitTopic>,
}

/// One topic's offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitTopic {
    /// Its name.
    pub name: Arc<str>,
    /// Its id, nil if unknown.
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<CommitPartition>,
}

/// One partition's offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitPartition {
    /// Which partition.
    pub index: PartitionIndex,
    /// The offset to go on at.
    pub offset: Offset,
    /// The leader epoch of the last record consumed, or none.
    pub leader_epoch: LeaderEpoch,
    /// The client's own words; null is empty.
    pub metadata: Arc<str>,
}

/// An OffsetDelete request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteOffsets {
    /// The group.
    pub group_id: Arc<str>,
    /// Topics and their partitions.
    pub topics: Vec<(Arc<str>, Vec<PartitionIndex>)>,
}

/// What OffsetFetch asks of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchOffsets {
    /// The group.
    pub group_id: Arc<str>,
    /// Of which partitions; none for all that the group has offsets for.
    pub topics: Option<Vec<FetchTopic>>,
    /// Whether a partition with an offset of an open transaction is refused (v7+, KIP-447).
    pub require_stable: bool,
    /// Who asks (v9+); none is for tools, and for clients that are in no group.
    pub member_id: Option<Arc<str>>,
    /// The member's epoch (v9+), -1 for none.
    pub member_epoch: i32,
}

/// One topic of an OffsetFetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchTopic {
    /// Its name.
    pub name: Arc<str>,
    /// Its id, nil if unknown: an offset that was committed for another topic of that name is not shown.
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<PartitionIndex>,
}
