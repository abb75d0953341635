//! What groups answer.

use std::sync::Arc;

use base::{LeaderEpoch, Offset, PartitionIndex, Uuid};

use super::error::GroupError;
use super::record::Partitions;

/// The answer to an [`Event`](super::Event), of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To [`Event::Join`](super::Event::Join).
    Join(Result<Joined, JoinRefused>),
    /// To [`Event::Sync`](super::Event::Sync).
    Sync(Result<Synced, GroupError>),
    /// To [`Event::Heartbeat`](super::Event::Heartbeat).
    Heartbeat(Result<(), GroupError>),
    /// To [`Event::Leave`](super::Event::Leave). Before version 3 the error of the one member becomes the whole answer's.
    Leave(Result<Vec<LeftMember>, GroupError>),
    /// To [`Event::CommitOffsets`](super::Event::CommitOffsets). An error of the whole is answered for each partition.
    CommitOffsets(Result<Vec<TopicResults>, GroupError>),
    /// To [`Event::DeleteOffsets`](super::Event::DeleteOffsets).
    DeleteOffsets(Result<Vec<TopicResults>, GroupError>),
    /// To [`Event::DeleteGroups`](super::Event::DeleteGroups).
    DeleteGroups(Vec<(Arc<str>, Result<(), GroupError>)>),
    /// To [`Event::ConsumerHeartbeat`](super::Event::ConsumerHeartbeat).
    ConsumerHeartbeat(Result<ConsumerHeartbeatAnswer, Refused>),
}

/// What a member of a consumer group is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerHeartbeatAnswer {
    /// Its id.
    pub member_id: Arc<str>,
    /// Its epoch from now on; -1 and -2 for one that has left.
    pub member_epoch: i32,
    /// After how many milliseconds it is to come again; 0 for one that has left.
    pub heartbeat_interval_ms: i32,
    /// All that it may read, if that has changed or it has to be told once more; none: as before.
    pub assignment: Option<Partitions>,
}

/// A refusal that is explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which error.
    pub error: GroupError,
    /// What happened, and what the client has to do.
    pub message: String,
}

/// A member is in a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Its id.
    pub member_id: Arc<str>,
    /// The generation.
    pub generation: i32,
    /// The group's protocol type.
    pub protocol_type: Option<Arc<str>>,
    /// The protocol that was voted for.
    pub protocol: Option<Arc<str>>,
    /// Who leads. A static leader that came back and cannot skip the assignment is told its former id, so that it takes
    /// itself for a follower.
    pub leader: Arc<str>,
    /// The leader, back with the same protocols, need not assign (v9+).
    pub skip_assignment: bool,
    /// For the leader: all members.
    pub members: Vec<JoinedMember>,
}

/// A member as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub member_id: Arc<str>,
    /// `group.instance.id`.
    pub instance_id: Option<Arc<str>>,
    /// What it says about itself in the chosen protocol.
    pub metadata: Arc<[u8]>,
}

/// A JoinGroup that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRefused {
    /// The member id to be answered: the one asked for, a fresh one, or empty.
    pub member_id: Arc<str>,
    /// Why.
    pub error: GroupError,
}

/// A member's share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// The group's protocol type.
    pub protocol_type: Option<Arc<str>>,
    /// The protocol that was voted for.
    pub protocol: Option<Arc<str>>,
    /// What the leader assigned; empty if it forgot this member.
    pub assignment: Arc<[u8]>,
}

/// One who left, or could not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftMember {
    /// The member id of the request.
    pub member_id: Arc<str>,
    /// The instance id of the request.
    pub instance_id: Option<Arc<str>>,
    /// Whether it left.
    pub result: Result<(), GroupError>,
}

/// What became of one topic of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicResults {
    /// Its name.
    pub name: Arc<str>,
    /// The id that the request gave, or nil.
    pub topic_id: Uuid,
    /// The partitions, in the request's order.
    pub partitions: Vec<(PartitionIndex, Result<(), GroupError>)>,
}

/// One topic's offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedTopic {
    /// Its name.
    pub name: Arc<str>,
    /// The id that the request gave, or nil.
    pub topic_id: Uuid,
    /// The partitions: as asked for, or all in ascending order.
    pub partitions: Vec<FetchedPartition>,
}

/// One partition's offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedPartition {
    /// Which partition.
    pub index: PartitionIndex,
    /// The offset to go on at; [`Offset::NONE`] for none.
    pub offset: Offset,
    /// The leader epoch that was committed with it.
    pub leader_epoch: LeaderEpoch,
    /// What was committed with it.
    pub metadata: Arc<str>,
    /// An open transaction will change it, and a stable one was asked for: `UNSTABLE_OFFSET_COMMIT`, without an offset.
    pub unstable: bool,
}

/// What stage a classic group is in. Kafka's `Dead` is a group that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No members; perhaps offsets.
    Empty,
    /// Members are joining.
    PreparingRebalance,
    /// All have joined, the leader's assignment is awaited.
    CompletingRebalance,
    /// A generation is in force.
    Stable,
}

impl State {
    /// Kafka's word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// Which protocol a group speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKind {
    /// The protocol of JoinGroup and SyncGroup. Simple groups, that only have offsets, count as such.
    Classic,
    /// The protocol of ConsumerGroupHeartbeat (KIP-848).
    Consumer,
}

impl GroupKind {
    /// Kafka's word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Consumer => "consumer",
        }
    }
}

/// What stage a consumer group is in. Kafka's `Dead` is a group that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerState {
    /// No members; perhaps offsets.
    Empty,
    /// The assignment is older than the group's epoch.
    Assigning,
    /// Some member is still on its way to the assignment.
    Reconciling,
    /// Every member has what it is to have.
    Stable,
}

impl ConsumerState {
    /// Kafka's word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Assigning => "Assigning",
            Self::Reconciling => "Reconciling",
            Self::Stable => "Stable",
        }
    }
}

/// A group in ListGroups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGroup {
    /// Its id.
    pub group_id: Arc<str>,
    /// What kind of clients it has; empty for a simple group.
    pub protocol_type: Arc<str>,
    /// What state it is in, in Kafka's words.
    pub state: &'static str,
    /// Which protocol it speaks.
    pub kind: GroupKind,
}

/// A classic group in DescribeGroups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedGroup {
    /// What state it is in.
    pub state: State,
    /// What kind of clients it has; empty for a simple group.
    pub protocol_type: Arc<str>,
    /// The chosen protocol when the group is stable, else empty.
    pub protocol: Arc<str>,
    /// Its members.
    pub members: Vec<DescribedMember>,
}

/// A member in DescribeGroups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedMember {
    /// Its id.
    pub member_id: Arc<str>,
    /// `group.instance.id`.
    pub instance_id: Option<Arc<str>>,
    /// `client.id`.
    pub client_id: Arc<str>,
    /// Where it connected from.
    pub client_host: Arc<str>,
    /// Its metadata for the chosen protocol when the group is stable, else empty.
    pub metadata: Arc<[u8]>,
    /// What was last assigned to it.
    pub assignment: Arc<[u8]>,
}

/// A consumer group in ConsumerGroupDescribe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedConsumerGroup {
    /// What state it is in.
    pub state: ConsumerState,
    /// The group's epoch.
    pub group_epoch: i32,
    /// The group epoch that the target assignment was made for.
    pub assignment_epoch: i32,
    /// The assignor that most members ask for, or the broker's first one.
    pub assignor_name: Arc<str>,
    /// Its members.
    pub members: Vec<DescribedConsumerMember>,
}

/// A member in ConsumerGroupDescribe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedConsumerMember {
    /// Its id.
    pub member_id: Arc<str>,
    /// `group.instance.id`.
    pub instance_id: Option<Arc<str>>,
    /// `client.rack`.
    pub rack_id: Option<Arc<str>>,
    /// Its epoch.
    pub member_epoch: i32,
    /// `client.id`.
    pub client_id: Arc<str>,
    /// Where it connected from.
    pub client_host: Arc<str>,
    /// The topics it names.
    pub subscribed_topic_names: Vec<Arc<str>>,
    /// Its regular expression; empty or none if it has none.
    pub subscribed_topic_regex: Option<Arc<str>>,
    /// What it may read now. Topics that are gone are left out.
    pub assignment: Vec<AssignedTopic>,
    /// What it is to read in the end.
    pub target_assignment: Vec<AssignedTopic>,
    /// Which protocol it speaks (version 1; `member_type` 0 classic, 1 consumer).
    pub kind: GroupKind,
}

/// A member's share of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignedTopic {
    /// The topic's id.
    pub topic_id: Uuid,
    /// Its name.
    pub topic_name: Arc<str>,
    /// The partitions, ascending.
    pub partitions: Vec<PartitionIndex>,
}
