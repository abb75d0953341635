//! DeleteGroups (key 42): groups without members go, with their offsets (KIP-229).
//!
//! | version | what changed |
//! | --- | --- |
//! | 2 | flexible |

use crate::{Message, StrBytes};

/// Deletes groups.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = DeleteGroups, response = DeleteGroupsResponse, versions = "0-2", flexible = "2+")]
pub struct DeleteGroupsRequest {
    /// The groups.
    pub groups_names: Vec<StrBytes>,
}

/// Which groups are gone.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = DeleteGroups, versions = "0-2", flexible = "2+")]
pub struct DeleteGroupsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// The answers, by group.
    pub results: Vec<DeletableGroupResult>,
}

/// The answer for one group.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DeletableGroupResult {
    /// The group.
    pub group_id: StrBytes,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
}
