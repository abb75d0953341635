//! SyncGroup (key 14): the leader hands in the assignment, every member gets its own.
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | answer: throttle time |
//! | 3 | static members (KIP-345) |
//! | 4 | flexible |
//! | 5 | protocol type and name in both directions (KIP-559) |

use bytes::Bytes;

use crate::{Message, StrBytes};

/// Asks for the member's assignment.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = SyncGroup, response = SyncGroupResponse, versions = "0-5", flexible = "4+")]
pub struct SyncGroupRequest {
    /// The group.
    pub group_id: StrBytes,
    /// The generation that the member belongs to.
    pub generation_id: i32,
    /// The member.
    pub member_id: StrBytes,
    /// The name of a static member (KIP-345); null for a dynamic one.
    #[field(versions = "3+", default = null)]
    pub group_instance_id: Option<StrBytes>,
    /// The kind of group, to be compared; null for no comparison.
    #[field(versions = "5+", default = null, ignorable)]
    pub protocol_type: Option<StrBytes>,
    /// The protocol, to be compared; null for no comparison.
    #[field(versions = "5+", default = null, ignorable)]
    pub protocol_name: Option<StrBytes>,
    /// The leader's assignments; empty for the others.
    pub assignments: Vec<SyncGroupRequestAssignment>,
}

/// What one member is assigned.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct SyncGroupRequestAssignment {
    /// The member.
    pub member_id: StrBytes,
    /// What it is assigned; for consumers [`crate::consumer_protocol::ConsumerProtocolAssignment`].
    pub assignment: Bytes,
}

/// The member's assignment.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = SyncGroup, versions = "0-5", flexible = "4+")]
pub struct SyncGroupResponse {
    /// For how long a quota holds the client back, in milliseconds.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The kind of group.
    #[field(versions = "5+", default = null, ignorable)]
    pub protocol_type: Option<StrBytes>,
    /// The protocol that was chosen.
    #[field(versions = "5+", default = null, ignorable)]
    pub protocol_name: Option<StrBytes>,
    /// What the member is assigned.
    pub assignment: Bytes,
}
