//! Committed offsets: types 0 and 1. Kafka 4.1 writes type 1, at version 4, or at 1 when the offset carries an expiry of
//! its own.

use uuid::Uuid;

use crate::{Message, StrBytes};

/// The offset of a group in a partition, as brokers before 0.9 wrote it.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 0, versions = "0", flexible = "none")]
pub struct LegacyOffsetCommitKey {
    /// The group.
    pub group: StrBytes,
    /// The topic's name.
    pub topic: StrBytes,
    /// The partition.
    pub partition: i32,
}

/// A committed offset, as brokers before 0.9 wrote it.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 0, versions = "0", flexible = "none")]
pub struct LegacyOffsetCommitValue {
    /// The next offset to read.
    pub offset: i64,
    /// What the client keeps beside the offset.
    pub metadata: StrBytes,
    /// When it was committed, in milliseconds.
    pub commit_timestamp: i64,
}

/// The offset of a group in a partition.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 1, versions = "0", flexible = "none")]
pub struct OffsetCommitKey {
    /// The group.
    pub group: StrBytes,
    /// The topic's name.
    pub topic: StrBytes,
    /// The partition.
    pub partition: i32,
}

/// A committed offset. Version 1 alone carries an expiry of its own.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 1, versions = "0-4", flexible = "4+")]
pub struct OffsetCommitValue {
    /// The next offset to read.
    pub offset: i64,
    /// Leader epoch of the last record that was read (KIP-320); -1 if not known.
    #[field(versions = "3+", default = -1, ignorable)]
    pub leader_epoch: i32,
    /// What the client keeps beside the offset.
    pub metadata: StrBytes,
    /// When it was committed, in milliseconds.
    pub commit_timestamp: i64,
    /// When it is forgotten, in milliseconds; -1 for the broker's retention.
    #[field(versions = "1", default = -1, ignorable)]
    pub expire_timestamp: i64,
    /// The topic's id; zero if not known.
    #[field(versions = "4+", tag = 0, ignorable)]
    pub topic_id: Uuid,
}
