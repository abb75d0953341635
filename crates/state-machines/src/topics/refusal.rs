//! Why a request about topics is refused.

use base::{NodeId, PartitionIndex};

use super::name::NameError;

/// Why a topic may not be created, grown or deleted. The number in each line is
/// the error code of Kafka that goes with it; the words are ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// INVALID_TOPIC_EXCEPTION 17: not a name.
    #[error(transparent)]
    InvalidName(#[from] NameError),
    /// INVALID_TOPIC_EXCEPTION 17: the name differs from an existing one only in `.` and `_`.
    #[error("topic {name} would fall together with {existing}, from which it differs only in '.' and '_'")]
    Collides {
        /// The new name.
        name: String,
        /// The topic that exists.
        existing: String,
    },
    /// TOPIC_ALREADY_EXISTS 36.
    #[error("there is a topic {name} already")]
    Exists {
        /// The name.
        name: String,
    },
    /// INVALID_REQUEST 42: the metadata log is no topic.
    #[error("{} is the metadata log and cannot be created as a topic", super::name::CLUSTER_METADATA)]
    MetadataTopic,
    /// INVALID_REQUEST 42: the same name twice in one request. Every entry with that name gets this answer.
    #[error("the request names this topic more than once")]
    DuplicateName,
    /// INVALID_REQUEST 42: the same id twice in one request. Every entry with that id gets this answer.
    #[error("the request names this topic id more than once")]
    DuplicateId,
    /// INVALID_REQUEST 42: one topic both by name and by id. Both entries get this answer.
    #[error("the request names this topic both by name and by id")]
    NamedTwice,
    /// INVALID_CONFIG 40: keys without a value.
    #[error("these topic configs have no value: {}", .keys.join(", "))]
    NullConfig {
        /// The keys, in the order of the request.
        keys: Vec<String>,
    },
    /// INVALID_CONFIG 40: a key that is not known, or a value it cannot take.
    #[error("{0}")]
    InvalidConfig(String),
    /// INVALID_REPLICATION_FACTOR 38: 0, or below -1.
    #[error("the replication factor must be at least 1, or -1 for the default")]
    ReplicationFactorNotPositive,
    /// INVALID_REPLICATION_FACTOR 38: more copies than nodes.
    #[error(
        "a replication factor of {factor} needs {factor} brokers, and there are {nodes}; ask for {nodes}, or have the \
         broker lower it with ottla.replication.factor.clamp=true"
    )]
    TooFewNodes {
        /// Copies wanted.
        factor: i16,
        /// Nodes there are.
        nodes: usize,
    },
    /// INVALID_PARTITIONS 37: 0, or below -1.
    #[error("the number of partitions must be at least 1, or -1 for the default")]
    PartitionsNotPositive,
    /// INVALID_PARTITIONS 37: CreatePartitions with the number there is.
    #[error("the topic has {count} partitions already")]
    AlreadyHas {
        /// Partitions there are.
        count: usize,
    },
    /// INVALID_PARTITIONS 37: CreatePartitions with fewer than there are.
    #[error("topic {topic} has {count} partitions and can only grow; {wanted} were asked for")]
    NotAnIncrease {
        /// The topic.
        topic: String,
        /// Partitions there are.
        count: usize,
        /// Partitions wanted.
        wanted: i32,
    },
    /// POLICY_VIOLATION 44: CreatePartitions of an internal topic. Kafka does it, and does not find what it kept there after a
    /// restart.
    #[error(
        "{topic} keeps its {count} partitions: where a group or a transaction lives follows from their number"
    )]
    FixedCount {
        /// The topic.
        topic: String,
        /// Partitions there are.
        count: usize,
    },
    /// INVALID_REQUEST 42.
    #[error("with replicas assigned by hand the replication factor must be -1")]
    AssignmentWithFactor,
    /// INVALID_REQUEST 42.
    #[error("with replicas assigned by hand the number of partitions must be -1")]
    AssignmentWithPartitions,
    /// INVALID_REPLICA_ASSIGNMENT 39.
    #[error("partition {index} is assigned more than once")]
    AssignedTwice {
        /// The partition.
        index: PartitionIndex,
    },
    /// INVALID_REPLICA_ASSIGNMENT 39.
    #[error("a partition is assigned to no broker")]
    EmptyAssignment,
    /// INVALID_REPLICA_ASSIGNMENT 39.
    #[error("a partition is assigned to broker {node}, which does not exist")]
    UnknownNode {
        /// The node that is not there.
        node: NodeId,
    },
    /// INVALID_REPLICA_ASSIGNMENT 39.
    #[error("a partition is assigned to broker {node} more than once")]
    NodeTwice {
        /// The node.
        node: NodeId,
    },
    /// INVALID_REPLICA_ASSIGNMENT 39: partitions with different numbers of copies.
    #[error(
        "a partition is assigned to {copies} brokers, the ones before it to {before}; all partitions of a topic need the \
         same number"
    )]
    UnevenAssignment {
        /// Copies of this partition.
        copies: usize,
        /// Copies of those before.
        before: usize,
    },
    /// INVALID_REPLICA_ASSIGNMENT 39.
    #[error("the assigned partitions must be numbered 0, 1, 2 and so on")]
    AssignmentGap,
    /// INVALID_REPLICA_ASSIGNMENT 39: CreatePartitions with another number of assignments than new partitions.
    #[error("{additional} partitions are to be added, and {assigned} are assigned")]
    AssignmentCount {
        /// Partitions to be added.
        additional: i64,
        /// Assignments given.
        assigned: usize,
    },
    /// POLICY_VIOLATION 44: more partitions in one request than [`super::MAX_PARTITIONS_PER_REQUEST`].
    #[error("one request may create at most {} partitions", super::MAX_PARTITIONS_PER_REQUEST)]
    TooManyPartitions,
    /// UNKNOWN_TOPIC_OR_PARTITION 3.
    #[error("there is no such topic")]
    UnknownTopic,
    /// UNKNOWN_TOPIC_OR_PARTITION 3.
    #[error("there is no partition {index}")]
    UnknownPartition {
        /// The partition that is not there.
        index: PartitionIndex,
    },
    /// NO_REASSIGNMENT_IN_PROGRESS 85.
    #[error("the partition is not being moved")]
    NoReassignment,
    /// UNKNOWN_TOPIC_ID 100.
    #[error("there is no topic with this id")]
    UnknownTopicId,
}
