//! JoinGroup (key 11): enters a classic group, or enters it anew in a rebalance.
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | the rebalance timeout, apart from the session timeout (KIP-62) |
//! | 2 | answer: throttle time |
//! | 4 | the answer may give a member id to join again with (KIP-394) |
//! | 5 | static members (KIP-345) |
//! | 6 | flexible |
//! | 7 | answer: the protocol type; the protocol name may be null (KIP-559) |
//! | 8 | why the member joins (KIP-800) |
//! | 9 | answer: whether the leader leaves the assignment as it is (KIP-814) |

use bytes::Bytes;

use crate::{Message, StrBytes};

/// Asks to be a member.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = JoinGroup, response = JoinGroupResponse, versions = "0-9", flexible = "6+")]
pub struct JoinGroupRequest {
    /// The group.
    pub group_id: StrBytes,
    /// After how many milliseconds without a heartbeat the member counts as dead.
    pub session_timeout_ms: i32,
    /// For how many milliseconds a rebalance waits for the member; before version 1 the session timeout is meant.
    #[field(versions = "1+", default = -1, ignorable)]
    pub rebalance_timeout_ms: i32,
    /// The member; empty for a new one.
    pub member_id: StrBytes,
    /// The name of a static member (KIP-345); null for a dynamic one.
    #[field(versions = "5+", default = null)]
    pub group_instance_id: Option<StrBytes>,
    /// The kind of group, such as `consumer`.
    pub protocol_type: StrBytes,
    /// The protocols (for consumers: assignors) that the member supports, the preferred one first.
    pub protocols: Vec<JoinGroupRequestProtocol>,
    /// Why the member joins, for people.
    #[field(versions = "8+", default = null, ignorable)]
    pub reason: Option<StrBytes>,
}

/// A protocol that a member supports.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct JoinGroupRequestProtocol {
    /// The protocol's name.
    pub name: StrBytes,
    /// What the leader should know of the member; for consumers [`crate::consumer_protocol::ConsumerProtocolSubscription`].
    pub metadata: Bytes,
}

/// The generation that the member belongs to.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = JoinGroup, versions = "0-9", flexible = "6+")]
pub struct JoinGroupResponse {
    /// For how long a quota holds the client back, in milliseconds.
    #[field(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The generation of the group; -1 with an error.
    #[field(default = -1)]
    pub generation_id: i32,
    /// The kind of group.
    #[field(versions = "7+", default = null, ignorable)]
    pub protocol_type: Option<StrBytes>,
    /// The protocol that was chosen.
    #[field(nullable = "7+")]
    pub protocol_name: Option<StrBytes>,
    /// The member that assigns.
    pub leader: StrBytes,
    /// Whether the leader should leave the assignment as it is (KIP-814).
    #[field(versions = "9+")]
    pub skip_assignment: bool,
    /// The member that asked.
    pub member_id: StrBytes,
    /// All members, for the leader; empty for the others.
    pub members: Vec<JoinGroupResponseMember>,
}

/// A member, as the leader sees it.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct JoinGroupResponseMember {
    /// The member.
    pub member_id: StrBytes,
    /// The name of a static member (KIP-345); null for a dynamic one.
    #[field(versions = "5+", default = null, ignorable)]
    pub group_instance_id: Option<StrBytes>,
    /// What the member sent for the protocol that was chosen.
    pub metadata: Bytes,
}
