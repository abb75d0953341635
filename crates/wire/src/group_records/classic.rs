//! Classic groups: type 2. One record holds a whole generation; Kafka 4.1 writes it at version 3.

use bytes::Bytes;

use crate::{Message, StrBytes};

/// A classic group.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 2, versions = "0", flexible = "none")]
pub struct GroupMetadataKey {
    /// The group.
    pub group: StrBytes,
}

/// A generation of a classic group.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 2, versions = "0-4", flexible = "4+")]
pub struct GroupMetadataValue {
    /// The kind of group, such as `consumer`.
    pub protocol_type: StrBytes,
    /// The generation.
    pub generation: i32,
    /// The protocol that was chosen; null without members.
    pub protocol: Option<StrBytes>,
    /// The member that assigns; null without members.
    pub leader: Option<StrBytes>,
    /// When the state last changed, in milliseconds; -1 if not known (KIP-211).
    #[field(versions = "2+", default = -1, ignorable)]
    pub current_state_timestamp: i64,
    /// The members.
    pub members: Vec<MemberMetadata>,
}

/// A member of a classic group.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct MemberMetadata {
    /// The member.
    pub member_id: StrBytes,
    /// The name of a static member (KIP-345); null for a dynamic one.
    #[field(versions = "3+", default = null, ignorable)]
    pub group_instance_id: Option<StrBytes>,
    /// The name that its client gave itself.
    pub client_id: StrBytes,
    /// Where its client is.
    pub client_host: StrBytes,
    /// For how many milliseconds a rebalance waits for the member; the session timeout is meant before version 1.
    #[field(versions = "1+", default = -1, ignorable)]
    pub rebalance_timeout: i32,
    /// After how many milliseconds without a heartbeat the member counts as dead.
    pub session_timeout: i32,
    /// What the member sent for the protocol that was chosen.
    pub subscription: Bytes,
    /// What the member is assigned.
    pub assignment: Bytes,
}
