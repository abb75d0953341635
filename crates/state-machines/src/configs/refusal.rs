//! Why a change of a configuration is refused.

use base::NodeId;

use super::decide::Operation;
use super::image::ResourceType;
use crate::topics::name::NameError;

/// Why the configuration of a resource is not changed. The number in each line is the error code of Kafka that goes with
/// it; the words are ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// INVALID_REQUEST 42: the same resource twice in one request. Each of them gets this answer.
    #[error("the request names this resource more than once")]
    DuplicateResource,
    /// INVALID_REQUEST 42: the same key twice for one resource.
    #[error("the request names the key {key} more than once")]
    DuplicateKey {
        /// The first such key.
        key: String,
    },
    /// INVALID_REQUEST 42: keys without a value, where they are not taken away.
    #[error("these keys have no value: {}", .keys.join(", "))]
    NullValue {
        /// The keys, in the order of the request.
        keys: Vec<String>,
    },
    /// INVALID_REQUEST 42: nothing of this type has a configuration that is changed this way.
    #[error("resources of the type {} are not configured here", .kind.number())]
    NotConfigurable {
        /// The type.
        kind: ResourceType,
    },
    /// INVALID_REQUEST 42: a broker is named by its number, and there is one.
    #[error("{name:?} is not this broker, which is {node}")]
    OtherBroker {
        /// What stands for its number.
        name: String,
        /// This broker.
        node: NodeId,
    },
    /// INVALID_REQUEST 42: not one of the four operations.
    #[error("there is no operation {0}")]
    UnknownOperation(i8),
    /// INVALID_CONFIG 40: items are added to, or taken from, what is no list, or is not known.
    #[error("{operation} is for lists, and {key} is none")]
    NotAList {
        /// What was to be done.
        operation: Operation,
        /// The key.
        key: String,
    },
    /// INVALID_REQUEST 42: the levels of loggers are set and taken away, and are no lists.
    #[error("{operation} is not for the levels of loggers")]
    NotForLoggers {
        /// What was to be done.
        operation: Operation,
    },
    /// INVALID_CONFIG 40.
    #[error("there is no logger {0}")]
    NoSuchLogger(String),
    /// INVALID_CONFIG 40: while `eligible.leader.replicas.version` is on, all brokers have the same (KIP-966).
    #[error("min.insync.replicas of one broker cannot be changed; it can for all brokers, and for topics")]
    MinInsyncReplicasOfBroker,
    /// INVALID_CONFIG 40: while `eligible.leader.replicas.version` is on.
    #[error("min.insync.replicas of all brokers can be changed, but not taken away")]
    MinInsyncReplicasTakenAway,
    /// INVALID_CONFIG 40: the metadata log has no room for it.
    #[error("the value of {key} is longer than {} characters", super::decide::LONGEST_VALUE)]
    ValueTooLong {
        /// The key.
        key: String,
    },
    /// INVALID_REQUEST 42: what has no configuration without a name: a topic, a group, a subscription.
    #[error("the resource has no name")]
    NoName,
    /// INVALID_TOPIC_EXCEPTION 17.
    #[error(transparent)]
    InvalidName(#[from] NameError),
    /// INVALID_CONFIG 40: a key that is not known, or a value it cannot take; of a topic or a group.
    #[error("{0}")]
    InvalidConfig(String),
    /// INVALID_REQUEST 42: the same of a broker, and most of it of a subscription, for which Kafka has this code.
    #[error("{0}")]
    InvalidRequest(String),
    /// POLICY_VIOLATION 44: more in one request than one batch of the metadata log may hold. Each resource gets this answer.
    #[error(
        "one request may change at most {} keys, and {} bytes of keys and values",
        super::decide::MOST_RECORDS,
        super::decide::MOST_BYTES
    )]
    TooMuch,
    /// POLICY_VIOLATION 44: every client is held against every subscription.
    #[error(
        "there can be at most {} subscriptions to client metrics, with {} patterns together",
        crate::telemetry::MOST_SUBSCRIPTIONS,
        crate::telemetry::MOST_PATTERNS
    )]
    TooManySubscriptions,
    /// UNKNOWN_TOPIC_OR_PARTITION 3.
    #[error("there is no such topic")]
    UnknownTopic,
}
