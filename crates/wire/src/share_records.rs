//! The records of `__share_group_state` (KIP-932): how far the records of a partition are through a share group.
//!
//! Ottla has no share groups; `dump-log` shows their records.

use uuid::Uuid;

use crate::coordinator_record::coordinator_records;
use crate::{Message, StrBytes};

coordinator_records! {
    /// A record of `__share_group_state`.
    ShareRecord;
    ShareSnapshot(ShareSnapshotKey, ShareSnapshotValue) = 0;
    ShareUpdate(ShareUpdateKey, ShareUpdateValue) = 1;
}

/// A partition that a share group reads.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 0, versions = "0", flexible = "none")]
pub struct ShareSnapshotKey {
    /// The group.
    pub group_id: StrBytes,
    /// The topic's id.
    pub topic_id: Uuid,
    /// The partition.
    pub partition: i32,
}

/// Where the group stands in the partition.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 0, versions = "0", flexible = "0+")]
pub struct ShareSnapshotValue {
    /// How many snapshots there were before.
    pub snapshot_epoch: i32,
    /// The epoch of the state, which rises when it is made anew.
    pub state_epoch: i32,
    /// The leader epoch of the partition.
    pub leader_epoch: i32,
    /// The first offset that is not done with.
    pub start_offset: i64,
    /// When the state was made, in milliseconds.
    pub create_timestamp: i64,
    /// When it was last written, in milliseconds.
    pub write_timestamp: i64,
    /// The records from there on.
    pub state_batches: Vec<StateBatch>,
}

/// A partition that a share group reads.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 1, versions = "0", flexible = "none")]
pub struct ShareUpdateKey {
    /// The group.
    pub group_id: StrBytes,
    /// The topic's id.
    pub topic_id: Uuid,
    /// The partition.
    pub partition: i32,
}

/// What has changed since the snapshot.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 1, versions = "0", flexible = "0+")]
pub struct ShareUpdateValue {
    /// The snapshot that this changes.
    pub snapshot_epoch: i32,
    /// The leader epoch of the partition.
    pub leader_epoch: i32,
    /// The first offset that is not done with; -1 for no change.
    pub start_offset: i64,
    /// The records that have changed.
    pub state_batches: Vec<StateBatch>,
}

/// A run of records in the same state.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct StateBatch {
    /// The offset of the first one.
    pub first_offset: i64,
    /// The offset of the last one.
    pub last_offset: i64,
    /// 0 available, 2 acknowledged, 4 archived.
    pub delivery_state: i8,
    /// How often they were delivered.
    pub delivery_count: i16,
}
