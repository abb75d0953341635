//! DescribeGroups (key 15): classic groups and their members.
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | answer: throttle time |
//! | 3 | what the client may do to a group (KIP-430) |
//! | 4 | answer: static members (KIP-345) |
//! | 5 | flexible |
//! | 6 | a group that does not exist is GROUP_ID_NOT_FOUND, with a message (KIP-1043) |

use bytes::Bytes;

use crate::{Message, StrBytes};

/// Asks for groups.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = DescribeGroups, response = DescribeGroupsResponse, versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsRequest {
    /// The groups.
    pub groups: Vec<StrBytes>,
    /// Whether to tell what the client may do to each group.
    #[field(versions = "3+")]
    pub include_authorized_operations: bool,
}

/// The groups.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = DescribeGroups, versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// The groups.
    pub groups: Vec<DescribedGroup>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribedGroup {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    #[field(versions = "6+", default = null)]
    pub error_message: Option<StrBytes>,
    /// The group.
    pub group_id: StrBytes,
    /// The state, such as `Stable`; empty with an error.
    pub group_state: StrBytes,
    /// The kind of group, such as `consumer`.
    pub protocol_type: StrBytes,
    /// The protocol that was chosen; empty unless the group is Stable.
    pub protocol_data: StrBytes,
    /// The members.
    pub members: Vec<DescribedGroupMember>,
    /// What the client may do to the group, a bit per operation; the smallest number when it was not asked.
    #[field(versions = "3+", default = i32::MIN)]
    pub authorized_operations: i32,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribedGroupMember {
    /// The member.
    pub member_id: StrBytes,
    /// The name of a static member (KIP-345); null for a dynamic one.
    #[field(versions = "4+", default = null, ignorable)]
    pub group_instance_id: Option<StrBytes>,
    /// The name that its client gave itself.
    pub client_id: StrBytes,
    /// Where its client is.
    pub client_host: StrBytes,
    /// What the member sent for the protocol that was chosen; empty unless the group is Stable.
    pub member_metadata: Bytes,
    /// What the member is assigned; empty unless the group is Stable.
    pub member_assignment: Bytes,
}
