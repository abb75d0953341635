//! What is stored in `__consumer_offsets`, as plain values (Kafka: `OffsetCommitKey`, `OffsetCommitValue`,
//! `GroupMetadataKey`, `GroupMetadataValue`).
//!
//! The records of KIP-848 groups (types 3 to 8 and 16) become further variants of [`Record`].

use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset, PartitionIndex, Uuid};

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
