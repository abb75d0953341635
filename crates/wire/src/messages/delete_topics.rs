//! DeleteTopics (key 20).
//!
//! | version | what changed |
//! | --- | --- |
//! | 3 | the answer may say TOPIC_DELETION_DISABLED |
//! | 4 | flexible |
//! | 5 | answer: a message; it may say THROTTLING_QUOTA_EXCEEDED (KIP-599) |
//! | 6 | topics by name or id, in a list of another shape (KIP-516) |

use uuid::Uuid;

use crate::{Message, StrBytes};

/// Deletes topics.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = DeleteTopics, response = DeleteTopicsResponse, versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsRequest {
    /// The topics to delete, by name or id.
    #[field(versions = "6+")]
    pub topics: Vec<DeleteTopicState>,
    /// The topics to delete.
    #[field(versions = "0-5", ignorable)]
    pub topic_names: Vec<StrBytes>,
    /// How long to wait for the topics to be gone, in milliseconds.
    pub timeout_ms: i32,
}

/// A topic to delete.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DeleteTopicState {
    /// The topic's name; null when it is given by id.
    #[field(default = null)]
    pub name: Option<StrBytes>,
    /// The topic's id; zero when it is named.
    pub topic_id: Uuid,
}

/// What became of the topics.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = DeleteTopics, versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// What became of each topic.
    pub responses: Vec<DeletableTopicResult>,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DeletableTopicResult {
    /// The topic's name; null when it was given by an id that is unknown.
    #[field(nullable = "6+")]
    pub name: Option<StrBytes>,
    /// The topic's id.
    #[field(versions = "6+", ignorable)]
    pub topic_id: Uuid,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    #[field(versions = "5+", default = null, ignorable)]
    pub error_message: Option<StrBytes>,
}
