//! ConsumerGroupDescribe (key 69): groups of KIP-848 and their members.
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | answer: which protocol a member speaks (KIP-1099) |

use uuid::Uuid;

use crate::{Message, StrBytes};

/// Asks for groups.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(
    request = ConsumerGroupDescribe,
    response = ConsumerGroupDescribeResponse,
    versions = "0-1",
    flexible = "0+"
)]
pub struct ConsumerGroupDescribeRequest {
    /// The groups.
    pub group_ids: Vec<StrBytes>,
    /// Whether to tell what the client may do to each group.
    pub include_authorized_operations: bool,
}

/// The groups.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = ConsumerGroupDescribe, versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupDescribeResponse {
    /// For how long a quota holds the client back, in milliseconds.
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
    #[field(default = null)]
    pub error_message: Option<StrBytes>,
    /// The group.
    pub group_id: StrBytes,
    /// The state, such as `Reconciling`; empty with an error.
    pub group_state: StrBytes,
    /// The group's epoch, which rises with each change that calls for a new assignment.
    pub group_epoch: i32,
    /// The epoch of the group that the assignment was made for.
    pub assignment_epoch: i32,
    /// The assignor in use.
    pub assignor_name: StrBytes,
    /// The members.
    pub members: Vec<Member>,
    /// What the client may do to the group, a bit per operation; the smallest number when it was not asked.
    #[field(default = i32::MIN)]
    pub authorized_operations: i32,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct Member {
    /// The member.
    pub member_id: StrBytes,
    /// The name of a static member; null for a dynamic one.
    #[field(default = null)]
    pub instance_id: Option<StrBytes>,
    /// The member's rack; null for none.
    #[field(default = null)]
    pub rack_id: Option<StrBytes>,
    /// The member's epoch.
    pub member_epoch: i32,
    /// The name that its client gave itself.
    pub client_id: StrBytes,
    /// Where its client is.
    pub client_host: StrBytes,
    /// The topics that it wants.
    pub subscribed_topic_names: Vec<StrBytes>,
    /// The regular expression over topic names that it wants; null for none.
    #[field(default = null)]
    pub subscribed_topic_regex: Option<StrBytes>,
    /// What it has.
    pub assignment: Assignment,
    /// What it is to have.
    pub target_assignment: Assignment,
    /// The protocol that it speaks: 0 classic, 1 consumer, -1 not known (KIP-1099).
    #[field(versions = "1+", default = -1, ignorable)]
    pub member_type: i8,
}

/// What a member has or is to have.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct Assignment {
    /// The partitions, by topic.
    pub topic_partitions: Vec<TopicPartitions>,
}

/// Partitions of a topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicPartitions {
    /// The topic's id.
    pub topic_id: Uuid,
    /// The topic's name.
    pub topic_name: StrBytes,
    /// Its partitions.
    pub partitions: Vec<i32>,
}
