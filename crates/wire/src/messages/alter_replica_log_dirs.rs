//! AlterReplicaLogDirs (key 34): moves partitions between the log directories of a broker (KIP-113).
//!
//! Version 0 went with Kafka 4.0 (KIP-896).
//!
//! | version | what changed |
//! | --- | --- |
//! | 2 | flexible |

use crate::{Message, StrBytes};

/// Moves partitions into directories.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = AlterReplicaLogDirs, response = AlterReplicaLogDirsResponse, versions = "1-2", flexible = "2+")]
pub struct AlterReplicaLogDirsRequest {
    /// The directories.
    pub dirs: Vec<AlterReplicaLogDir>,
}

/// A directory, and what is to move there.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct AlterReplicaLogDir {
    /// Its absolute path.
    pub path: StrBytes,
    /// What is to move there.
    pub topics: Vec<AlterReplicaLogDirTopic>,
}

/// A topic that moves.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct AlterReplicaLogDirTopic {
    /// The topic's name.
    pub name: StrBytes,
    /// The partitions.
    pub partitions: Vec<i32>,
}

/// What became of the moves.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = AlterReplicaLogDirs, versions = "1-2", flexible = "2+")]
pub struct AlterReplicaLogDirsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// What became of each topic.
    pub results: Vec<AlterReplicaLogDirTopicResult>,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct AlterReplicaLogDirTopicResult {
    /// The topic's name.
    pub topic_name: StrBytes,
    /// What became of each partition.
    pub partitions: Vec<AlterReplicaLogDirPartitionResult>,
}

/// What became of one partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct AlterReplicaLogDirPartitionResult {
    /// The partition.
    pub partition_index: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
}
