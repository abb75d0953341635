//! ListGroups (key 16): the groups that a broker coordinates.
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | answer: throttle time |
//! | 3 | flexible |
//! | 4 | states, to choose by and in the answer (KIP-518) |
//! | 5 | types, to choose by and in the answer (KIP-848) |

use crate::{Message, StrBytes};

/// Asks for the groups.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = ListGroups, response = ListGroupsResponse, versions = "0-5", flexible = "3+")]
pub struct ListGroupsRequest {
    /// The states of the groups to list, such as `Stable`; empty for any.
    #[field(versions = "4+")]
    pub states_filter: Vec<StrBytes>,
    /// The types of the groups to list, such as `classic`; empty for any.
    #[field(versions = "5+")]
    pub types_filter: Vec<StrBytes>,
}

/// The groups.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = ListGroups, versions = "0-5", flexible = "3+")]
pub struct ListGroupsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The groups.
    pub groups: Vec<ListedGroup>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ListedGroup {
    /// The group.
    pub group_id: StrBytes,
    /// The kind of group, such as `consumer`; empty for one that only has offsets.
    pub protocol_type: StrBytes,
    /// The state, such as `Stable`.
    #[field(versions = "4+", ignorable)]
    pub group_state: StrBytes,
    /// The type: `classic`, `consumer`, `share` or `streams`.
    #[field(versions = "5+", ignorable)]
    pub group_type: StrBytes,
}
