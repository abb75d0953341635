//! LeaveGroup (key 13): members leave a classic group, or are made to.
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | answer: throttle time |
//! | 3 | several members, by id or as static members (KIP-345) |
//! | 4 | flexible |
//! | 5 | why each member leaves (KIP-800) |

use crate::{Message, StrBytes};

/// Takes members out of a group.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = LeaveGroup, response = LeaveGroupResponse, versions = "0-5", flexible = "4+")]
pub struct LeaveGroupRequest {
    /// The group.
    pub group_id: StrBytes,
    /// The member, while there is one.
    #[field(versions = "0-2")]
    pub member_id: StrBytes,
    /// The members.
    #[field(versions = "3+")]
    pub members: Vec<MemberIdentity>,
}

/// A member that leaves.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct MemberIdentity {
    /// The member; empty when only its static name is known.
    pub member_id: StrBytes,
    /// The name of a static member (KIP-345); null for a dynamic one.
    #[field(default = null)]
    pub group_instance_id: Option<StrBytes>,
    /// Why it leaves, for people.
    #[field(versions = "5+", default = null, ignorable)]
    pub reason: Option<StrBytes>,
}

/// Who has left.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = LeaveGroup, versions = "0-5", flexible = "4+")]
pub struct LeaveGroupResponse {
    /// For how long a quota holds the client back, in milliseconds.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The answers, by member.
    #[field(versions = "3+")]
    pub members: Vec<MemberResponse>,
}

/// The answer for one member.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct MemberResponse {
    /// The member, as the request named it.
    pub member_id: StrBytes,
    /// The name of a static member, as the request named it.
    pub group_instance_id: Option<StrBytes>,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
}
