//! ConsumerGroupHeartbeat (key 68): joins, keeps and leaves a consumer group whose assignments the broker makes
//! (KIP-848).
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | a regular expression over topic names; the client makes its own member id (KIP-1082) |

use uuid::Uuid;

use crate::{Message, StrBytes};

/// What a member is and has. Null or -1 in most fields means: as in the last heartbeat.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(
    request = ConsumerGroupHeartbeat,
    response = ConsumerGroupHeartbeatResponse,
    versions = "0-1",
    flexible = "0+"
)]
pub struct ConsumerGroupHeartbeatRequest {
    /// The group.
    pub group_id: StrBytes,
    /// The member, for the life of its process; empty for the broker to make one, at version 0.
    pub member_id: StrBytes,
    /// The member's epoch; 0 to join, -1 to leave, -2 for a static member that will be back.
    pub member_epoch: i32,
    /// The name of a static member.
    #[field(default = null)]
    pub instance_id: Option<StrBytes>,
    /// The member's rack.
    #[field(default = null)]
    pub rack_id: Option<StrBytes>,
    /// For how many milliseconds the group waits for the member to give partitions back.
    #[field(default = -1)]
    pub rebalance_timeout_ms: i32,
    /// The topics that the member wants.
    #[field(default = null)]
    pub subscribed_topic_names: Option<Vec<StrBytes>>,
    /// A regular expression (RE2) over the names of the topics that the member wants.
    #[field(versions = "1+", default = null)]
    pub subscribed_topic_regex: Option<StrBytes>,
    /// The assignor that the member wants.
    #[field(default = null)]
    pub server_assignor: Option<StrBytes>,
    /// The partitions that the member owns.
    #[field(default = null)]
    pub topic_partitions: Option<Vec<TopicPartitions>>,
}

/// What the member should do.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = ConsumerGroupHeartbeat, versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    #[field(default = null)]
    pub error_message: Option<StrBytes>,
    /// The member.
    #[field(default = null)]
    pub member_id: Option<StrBytes>,
    /// The member's epoch from here on.
    pub member_epoch: i32,
    /// After how many milliseconds the next heartbeat is due.
    pub heartbeat_interval_ms: i32,
    /// What the member is assigned; null when that has not changed.
    #[field(default = null)]
    pub assignment: Option<Assignment>,
}

/// What a member is assigned.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct Assignment {
    /// The partitions that the member may use at once.
    pub topic_partitions: Vec<TopicPartitions>,
}

/// Partitions of a topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicPartitions {
    /// The topic's id.
    pub topic_id: Uuid,
    /// Its partitions.
    pub partitions: Vec<i32>,
}
