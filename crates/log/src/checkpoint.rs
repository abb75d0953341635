//! The checkpoint text files: offsets per partition, leader epochs, and `partition.metadata`.

use std::path::Path;

use base::{LeaderEpoch, Offset, PartitionIndex, Uuid};
use disk::Disk;

use crate::error::LogError;

/// Everything below is on disk.
pub const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
/// First offsets that may be read.
pub const LOG_STARTS: &str = "log-start-offset-checkpoint";
/// High watermarks.
pub const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";
/// Where each leader epoch of a partition begins; in the partition's directory.
pub const LEADER_EPOCHS: &str = "leader-epoch-checkpoint";
/// The topic id; in the partition's directory.
pub const PARTITION_METADATA: &str = "partition.metadata";

/// Why a checkpoint's text cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// A line that is not of its form.
    #[error("line {line} is malformed: {text:?}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// The line, cut to 100 characters.
        text: String,
    },
    /// The first line is not `0`.
    #[error("version {0:?} is not known")]
    Version(String),
    /// The second line does not say how many follow.
    #[error("{said} entries are announced, {found} are there")]
    Count {
        /// What the second line says.
        said: u64,
        /// How many lines follow.
        found: u64,
    },
}

/// One line of an offset checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OffsetLine {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: PartitionIndex,
    /// The offset.
    pub offset: Offset,
}

/// One line of `leader-epoch-checkpoint`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochLine {
    /// The leader epoch.
    pub epoch: LeaderEpoch,
    /// The first offset written under it.
    pub start: Offset,
}

/// Parses an offset checkpoint. An empty text has no entries.
///
/// # Errors
/// When the text is not of its form.
pub fn parse_offsets(text: &str) -> Result<Vec<OffsetLine>, CheckpointError> {
    let _ = text;
    todo!()
}

/// The text of an offset checkpoint.
#[must_use]
pub fn format_offsets(lines: &[OffsetLine]) -> String {
    let _ = lines;
    todo!()
}

/// Reads the offset checkpoint at `path`; no entries when it is missing.
///
/// # Errors
/// When it cannot be read or is not of its form.
pub fn read_offsets(disk: &dyn Disk, path: &Path) -> Result<Vec<OffsetLine>, LogError> {
    let _ = (disk, path);
    todo!()
}

/// Writes the offset checkpoint at `path`, whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_offsets(disk: &dyn Disk, path: &Path, lines: &[OffsetLine]) -> Result<(), LogError> {
    let _ = (disk, path, lines);
    todo!()
}

/// Parses a `leader-epoch-checkpoint`.
///
/// # Errors
/// When the text is not of its form.
pub fn parse_epochs(text: &str) -> Result<Vec<EpochLine>, CheckpointError> {
    let _ = text;
    todo!()
}

/// The text of a `leader-epoch-checkpoint`.
#[must_use]
pub fn format_epochs(lines: &[EpochLine]) -> String {
    let _ = lines;
    todo!()
}

/// Parses `partition.metadata`.
///
/// # Errors
/// When the text is not of its form.
pub fn parse_partition_metadata(text: &str) -> Result<Uuid, CheckpointError> {
    let _ = text;
    todo!()
}

/// The text of `partition.metadata`.
#[must_use]
pub fn format_partition_metadata(topic: Uuid) -> String {
    let _ = topic;
    todo!()
}

/// The topic id that the partition directory `dir` belongs to; `None` when its `partition.metadata` is missing.
///
/// # Errors
/// When it cannot be read or is not of its form.
pub fn read_partition_metadata(disk: &dyn Disk, dir: &Path) -> Result<Option<Uuid>, LogError> {
    let _ = (disk, dir);
    todo!()
}

/// Writes `partition.metadata` into the partition directory `dir`, whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_partition_metadata(disk: &dyn Disk, dir: &Path, topic: Uuid) -> Result<(), LogError> {
    let _ = (disk, dir, topic);
    todo!()
}

/// An id as Kafka writes it: base64url without padding, 22 characters.
#[must_use]
pub fn format_id(id: Uuid) -> String {
    let _ = id;
    todo!()
}

/// Reads an id of 22 base64url characters.
#[must_use]
pub fn parse_id(text: &str) -> Option<Uuid> {
    let _ = text;
    todo!()
}
