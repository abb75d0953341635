//! What is stored in `__consumer_offsets`, as plain values (Kafka: `OffsetCommitKey`, `OffsetCommitValue`,
//! `GroupMetadataKey`, `GroupMetadataValue` and the `ConsumerGroup*` schemas).

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset, PartitionIndex, Uuid};

pub use super::assignor::Partitions;
use super::request::Protocol;

/// One record of `__consumer_offsets`. A value of `None` is a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Record types 0 and 1: what a group has committed for one partition.
    OffsetCommit {
        /// Whose offset, and for which partition.
        key: OffsetKey,
        /// The offset.
        value: Option<CommittedOffset>,
    },
    /// Record type 2: a classic group's generation.
    GroupMetadata {
        /// The group.
        group: Arc<str>,
        /// Its generation.
        value: Option<GroupMetadata>,
    },
    /// Record type 3: a consumer group's epoch (`ConsumerGroupMetadata`). Its tombstone ends the group.
    ConsumerGroupMetadata {
        /// The group.
        group: Arc<str>,
        /// Its epoch.
        value: Option<ConsumerGroupMetadata>,
    },
    /// Record type 4: what was known of the topics (`ConsumerGroupPartitionMetadata`). Brokers before 4.1 wrote it, and 4.1 keeps
    /// a hash in type 3 instead; only its tombstone is written now.
    ConsumerGroupPartitionMetadata {
        /// The group.
        group: Arc<str>,
        /// Whether it is no tombstone. Never written with `true`.
        exists: bool,
    },
    /// Record type 5: who a member is and what it subscribes to (`ConsumerGroupMemberMetadata`).
    ConsumerGroupMemberMetadata {
        /// The group.
        group: Arc<str>,
        /// The member.
        member: Arc<str>,
        /// What it says of itself.
        value: Option<ConsumerMemberMetadata>,
    },
    /// Record type 6: for which group epoch the target assignment was made (`ConsumerGroupTargetAssignmentMetadata`).
    ConsumerGroupTargetAssignmentMetadata {
        /// The group.
        group: Arc<str>,
        /// The epoch.
        value: Option<i32>,
    },
    /// Record type 7: what a member is to have in the end (`ConsumerGroupTargetAssignmentMember`).
    ConsumerGroupTargetAssignmentMember {
        /// The group.
        group: Arc<str>,
        /// The member.
        member: Arc<str>,
        /// Its share.
        value: Option<Partitions>,
    },
    /// Record type 8: what a member has now (`ConsumerGroupCurrentMemberAssignment`).
    ConsumerGroupCurrentMemberAssignment {
        /// The group.
        group: Arc<str>,
        /// The member.
        member: Arc<str>,
        /// Its epoch and its partitions.
        value: Option<CurrentAssignment>,
    },
    /// Record type 16: the topics that a regular expression stands for (`ConsumerGroupRegularExpression`).
    ConsumerGroupRegularExpression {
        /// The group.
        group: Arc<str>,
        /// The regular expression.
        regex: Arc<str>,
        /// What it was found to match.
        value: Option<ResolvedRegex>,
    },
}

impl Record {
    /// The group that it is about.
    #[must_use]
    pub const fn group(&self) -> &Arc<str> {
        match self {
            Self::OffsetCommit { key, .. } => &key.group,
            Self::GroupMetadata { group, .. }
            | Self::ConsumerGroupMetadata { group, .. }
            | Self::ConsumerGroupPartitionMetadata { group, .. }
            | Self::ConsumerGroupMemberMetadata { group, .. }
            | Self::ConsumerGroupTargetAssignmentMetadata { group, .. }
            | Self::ConsumerGroupTargetAssignmentMember { group, .. }
            | Self::ConsumerGroupCurrentMemberAssignment { group, .. }
            | Self::ConsumerGroupRegularExpression { group, .. } => group,
        }
    }
}

/// The key of an offset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OffsetKey {
    /// The group.
    pub group: Arc<str>,
    /// The topic, by name.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: PartitionIndex,
}

/// An offset as it is stored. Kafka 4.1 writes it in version 4, or in version 1 when it has an expiry of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The offset to go on at.
    pub offset: Offset,
    /// The leader epoch of the last record consumed, or none.
    pub leader_epoch: LeaderEpoch,
    /// The client's own words.
    pub metadata: Arc<str>,
    /// When it was committed, by the broker's clock.
    pub commit_timestamp: Millis,
    /// When it expires, or [`Millis::NONE`] to leave that to `offsets.retention.minutes`. Only OffsetCommit 2 to 4 can say so.
    pub expire_timestamp: Millis,
    /// The topic's id at the time; nil when the request did not tell.
    pub topic_id: Uuid,
}

/// A classic group's generation as it is stored. Kafka writes it in version 3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMetadata {
    /// What kind of clients these are, `consumer` for consumers; empty for a group that never had members.
    pub protocol_type: Arc<str>,
    /// Counts completed joins.
    pub generation: i32,
    /// The protocol that was voted for; none without members.
    pub protocol: Option<Arc<str>>,
    /// The leader's member id; none without members.
    pub leader: Option<Arc<str>>,
    /// When the group came into its state, or [`Millis::NONE`] (before version 2).
    pub state_since: Millis,
    /// The members, with what was assigned to them. Empty: nobody is in the group.
    pub members: Vec<StoredMember>,
}

/// A member as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMember {
    /// Its id.
    pub member_id: Arc<str>,
    /// `group.instance.id` of a static member (KIP-345).
    pub instance_id: Option<Arc<str>>,
    /// `client.id`.
    pub client_id: Arc<str>,
    /// Where it connected from, as Kafka spells it: `/127.0.0.1`.
    pub client_host: Arc<str>,
    /// How long it may take to rejoin; -1 (before version 1) stands for its session timeout.
    pub rebalance_timeout_ms: i32,
    /// How long it may be silent.
    pub session_timeout_ms: i32,
    /// Its metadata for the chosen protocol.
    pub subscription: Arc<[u8]>,
    /// What the leader assigned to it.
    pub assignment: Arc<[u8]>,
}

/// A consumer group's epoch. Kafka writes it in version 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerGroupMetadata {
    /// Rises whenever the assignment has to be thought over.
    pub epoch: i32,
    /// A hash over the topics that are subscribed to, 0 for none (tag 0, since 4.1).
    pub metadata_hash: i64,
}

/// A member of a consumer group, without its partitions. Kafka writes it in version 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerMemberMetadata {
    /// `group.instance.id` of a static member.
    pub instance_id: Option<Arc<str>>,
    /// `client.rack`.
    pub rack_id: Option<Arc<str>>,
    /// `client.id`.
    pub client_id: Arc<str>,
    /// Where it connected from, as Kafka spells it: `/127.0.0.1`.
    pub client_host: Arc<str>,
    /// The topics it names, without repetition; Kafka leaves their order open.
    pub subscribed_topic_names: Vec<Arc<str>>,
    /// Its regular expression; Kafka writes an empty one for none.
    pub subscribed_topic_regex: Option<Arc<str>>,
    /// How long it may take to give partitions up, in milliseconds; -1 if it never said.
    pub rebalance_timeout_ms: i32,
    /// The assignor that it asks for.
    pub server_assignor: Option<Arc<str>>,
    /// Of a member that speaks the classic protocol (tag 0).
    pub classic: Option<ClassicMemberMetadata>,
}

/// What a member of the classic protocol brings into a consumer group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicMemberMetadata {
    /// How long it may be silent, in milliseconds.
    pub session_timeout_ms: i32,
    /// The protocols it speaks, dearest first.
    pub supported_protocols: Vec<Protocol>,
}

/// What a member has now. Kafka writes it in version 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CurrentAssignment {
    /// The epoch that the member is expected to name. -2 of a static member that is away.
    pub member_epoch: i32,
    /// The epoch before, which it names if the last answer was lost.
    pub previous_member_epoch: i32,
    /// Kafka's number of the member's state: 0 stable, 1 it has to give partitions up first, 2 it waits for partitions of
    /// others.
    pub state: i8,
    /// What it may read.
    pub assigned: Partitions,
    /// What it has to give up.
    pub pending_revocation: Partitions,
}

/// What a regular expression was found to match. Kafka writes it in version 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedRegex {
    /// The topics, by name.
    pub topics: BTreeSet<Arc<str>>,
    /// Which version of the metadata was looked at.
    pub version: i64,
    /// When.
    pub timestamp: Millis,
}
