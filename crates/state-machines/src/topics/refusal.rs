//! Why a request about topics is refused.

use base::{NodeId, PartitionIndex};

use super::name::NameError;

/// Why a topic may not be created, grown or deleted. The text is what Kafka answers; the number in each line is the error
/// code that goes with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// INVALID_TOPIC_EXCEPTION 17: not a name.
    #[error(transparent)]
    InvalidName(#[from] NameError),
    /// INVALID_TOPIC_EXCEPTION 17: the name differs from an existing one only in `.` and `_`.
    #[error("Topic '{name}' collides with existing topic: {existing}")]
    Collides {
        /// The new name.
        name: String,
        /// The topic that exists.
        existing: String,
    },
    /// TOPIC_ALREADY_EXISTS 36.
    #[error("Topic '{name}' already exists.")]
    Exists {
        /// The name.
        name: String,
    },
    /// INVALID_REQUEST 42: the metadata log is no topic.
    #[error("Creation of internal topic {} is prohibited.", super::name::CLUSTER_METADATA)]
    MetadataTopic,
    /// INVALID_REQUEST 42: the same name twice in one request. Every entry with that name gets this answer.
    #[error("Duplicate topic name.")]
    DuplicateName,
    /// INVALID_REQUEST 42: the same id twice in one request. Every entry with that id gets this answer.
    #[error("Duplicate topic id.")]
    DuplicateId,
    /// INVALID_REQUEST 42: one topic both by name and by id. Both entries get this answer.
    #[error("The provided topic name maps to an ID that was already supplied.")]
    NamedTwice,
    /// INVALID_CONFIG 40: keys without a value.
    #[error("Null value not supported for topic configs: {}", .keys.join(","))]
    NullConfig {
        /// The keys, in the order of the request.
        keys: Vec<String>,
    },
    /// INVALID_CONFIG 40: a key that is not known, or a value it cannot take.
    #[error("{0}")]
    InvalidConfig(String),
    /// INVALID_REPLICATION_FACTOR 38: 0, or below -1.
    #[error("Replication factor must be larger than 0, or -1 to use the default value.")]
    ReplicationFactorNotPositive,
    /// INVALID_REPLICATION_FACTOR 38: more copies than nodes.
    #[error(
        "Unable to replicate the partition {factor} time(s): The target replication factor of {factor} cannot be \
         reached because only {nodes} broker(s) are registered."
    )]
    TooFewNodes {
        /// Copies wanted.
        factor: i16,
        /// Nodes there are.
        nodes: usize,
    },
    /// INVALID_PARTITIONS 37: 0, or below -1.
    #[error("Number of partitions was set to an invalid non-positive value.")]
    PartitionsNotPositive,
    /// INVALID_PARTITIONS 37: CreatePartitions with the number there is.
    #[error("Topic already has {count} partition(s).")]
    AlreadyHas {
        /// Partitions there are.
        count: usize,
    },
    /// INVALID_PARTITIONS 37: CreatePartitions with fewer than there are.
    #[error("The topic {topic} currently has {count} partition(s); {wanted} would not be an increase.")]
    NotAnIncrease {
        /// The topic.
        topic: String,
        /// Partitions there are.
        count: usize,
        /// Partitions wanted.
        wanted: i32,
    },
    /// INVALID_REQUEST 42.
    #[error("A manual partition assignment was specified, but replication factor was not set to -1.")]
    AssignmentWithFactor,
    /// INVALID_REQUEST 42.
    #[error("A manual partition assignment was specified, but numPartitions was not set to -1.")]
    AssignmentWithPartitions,
    /// INVALID_REPLICA_ASSIGNMENT 39.
    #[error("Found multiple manual partition assignments for partition {index}")]
    AssignedTwice {
        /// The partition.
        index: PartitionIndex,
    },
    /// INVALID_REPLICA_ASSIGNMENT 39.
    #[error("The manual partition assignment includes an empty replica list.")]
    EmptyAssignment,
    /// INVALID_REPLICA_ASSIGNMENT 39.
    #[error("The manual partition assignment includes broker {node}, but no such broker is registered.")]
    UnknownNode {
        /// The node that is not there.
        node: NodeId,
    },
    /// INVALID_REPLICA_ASSIGNMENT 39.
    #[error("The manual partition assignment includes the broker {node} more than once.")]
    NodeTwice {
        /// The node.
        node: NodeId,
    },
    /// INVALID_REPLICA_ASSIGNMENT 39: partitions with different numbers of copies.
    #[error(
        "The manual partition assignment includes a partition with {copies} replica(s), but this is not consistent \
         with previous partitions, which have {before} replica(s)."
    )]
    UnevenAssignment {
        /// Copies of this partition.
        copies: usize,
        /// Copies of those before.
        before: usize,
    },
    /// INVALID_REPLICA_ASSIGNMENT 39.
    #[error("partitions should be a consecutive 0-based integer sequence")]
    AssignmentGap,
    /// INVALID_REPLICA_ASSIGNMENT 39: CreatePartitions with another number of assignments than new partitions.
    #[error(
        "Attempted to add {additional} additional partition(s), but only {assigned} assignment(s) were specified."
    )]
    AssignmentCount {
        /// Partitions to be added.
        additional: i64,
        /// Assignments given.
        assigned: usize,
    },
    /// POLICY_VIOLATION 44: more partitions in one request than [`super::MAX_PARTITIONS_PER_REQUEST`].
    #[error("Excessively large number of partitions per request.")]
    TooManyPartitions,
    /// UNKNOWN_TOPIC_OR_PARTITION 3.
    #[error("This server does not host this topic-partition.")]
    UnknownTopic,
    /// UNKNOWN_TOPIC_ID 100.
    #[error("This server does not host this topic ID.")]
    UnknownTopicId,
}
