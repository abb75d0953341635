//! The first and last record of a snapshot: control record types 3 and 4.

use crate::Message;

/// The first record of a snapshot.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(data, versions = "0", flexible = "0+")]
pub struct SnapshotHeaderRecord {
    /// The version of this schema.
    pub version: i16,
    /// The time of the last record that went into the snapshot, in milliseconds.
    pub last_contained_log_timestamp: i64,
}

/// The last record of a snapshot.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(data, versions = "0", flexible = "0+")]
pub struct SnapshotFooterRecord {
    /// The version of this schema.
    pub version: i16,
}
