//! Heartbeat (key 12): a member of a classic group is alive.
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | answer: throttle time |
//! | 3 | static members (KIP-345) |
//! | 4 | flexible |

use crate::{Message, StrBytes};

/// Says that a member is alive.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = Heartbeat, response = HeartbeatResponse, versions = "0-4", flexible = "4+")]
pub struct HeartbeatRequest {
    /// The group.
    pub group_id: StrBytes,
    /// The generation that the member belongs to.
    pub generation_id: i32,
    /// The member.
    pub member_id: StrBytes,
    /// The name of a static member (KIP-345); null for a dynamic one.
    #[field(versions = "3+", default = null)]
    pub group_instance_id: Option<StrBytes>,
}

/// Whether the member may go on.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = Heartbeat, versions = "0-4", flexible = "4+")]
pub struct HeartbeatResponse {
    /// For how long a quota holds the client back, in milliseconds.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none. REBALANCE_IN_PROGRESS asks the member to join again.
    pub error_code: i16,
}
