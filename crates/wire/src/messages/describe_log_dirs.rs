//! DescribeLogDirs (key 35): what lies in the log directories, and how large it is (KIP-113).
//!
//! Version 0 went with Kafka 4.0 (KIP-896).
//!
//! | version | what changed |
//! | --- | --- |
//! | 2 | flexible |
//! | 3 | answer: an error code of its own |
//! | 4 | answer: total and usable bytes of the volume (KIP-827) |

use crate::{Message, StrBytes};

/// Asks for the log directories.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = DescribeLogDirs, response = DescribeLogDirsResponse, versions = "1-4", flexible = "2+")]
pub struct DescribeLogDirsRequest {
    /// The topics to look for; null for all.
    pub topics: Option<Vec<DescribableLogDirTopic>>,
}

/// A topic to look for.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribableLogDirTopic {
    /// The topic's name.
    pub topic: StrBytes,
    /// The partitions.
    pub partitions: Vec<i32>,
}

/// The log directories.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = DescribeLogDirs, versions = "1-4", flexible = "2+")]
pub struct DescribeLogDirsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    #[field(versions = "3+", ignorable)]
    pub error_code: i16,
    /// The directories.
    pub results: Vec<DescribeLogDirsResult>,
}

/// One log directory.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribeLogDirsResult {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// Its absolute path.
    pub log_dir: StrBytes,
    /// The topics.
    pub topics: Vec<DescribeLogDirsTopic>,
    /// Size of the volume in bytes; -1 if not known.
    #[field(versions = "4+", default = -1, ignorable)]
    pub total_bytes: i64,
    /// Bytes that may still be written to the volume; -1 if not known.
    #[field(versions = "4+", default = -1, ignorable)]
    pub usable_bytes: i64,
}

/// What lies there of a topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribeLogDirsTopic {
    /// The topic's name.
    pub name: StrBytes,
    /// The partitions.
    pub partitions: Vec<DescribeLogDirsPartition>,
}

/// What lies there of a partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribeLogDirsPartition {
    /// The partition.
    pub partition_index: i32,
    /// Bytes of its segments.
    pub partition_size: i64,
    /// How many offsets the log's end is behind: of the high watermark, or of the log that a future one is to replace.
    pub offset_lag: i64,
    /// Whether it is to replace the log that is in use, once it has caught up with it.
    pub is_future_key: bool,
}
