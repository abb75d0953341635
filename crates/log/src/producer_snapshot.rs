//! The `.snapshot` files of producer state (Kafka: `ProducerStateManager`).

use std::path::Path;

use base::Offset;
use disk::Disk;

use crate::error::LogError;

/// One producer, as a snapshot keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotRow {
    /// The producer's id.
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i16,
    /// The last sequence of its newest batch; -1 when it has no batch.
    pub last_sequence: i32,
    /// The last offset of its newest batch; -1 when it has no batch.
    pub last_offset: i64,
    /// Last less first offset of that batch.
    pub offset_delta: i32,
    /// The largest record timestamp of that batch, or the timestamp of the last marker.
    pub timestamp: i64,
    /// The epoch of the coordinator that wrote the last marker; -1: none.
    pub coordinator_epoch: i32,
    /// The first offset of its open transaction; -1: none.
    pub current_txn_first_offset: i64,
}

/// Why a snapshot cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The file ends before its entries do.
    #[error("{len} bytes are too short for a snapshot of {entries} producers")]
    Short {
        /// The file's length.
        len: usize,
        /// The number of entries it claims; -1 if not even that is there.
        entries: i32,
    },
    /// The version is not 1.
    #[error("snapshot version {0} is not known")]
    Version(i16),
    /// The checksum does not fit.
    #[error("the checksum is {stored} where the bytes give {computed}")]
    Checksum {
        /// What the file says.
        stored: u32,
        /// What its bytes give.
        computed: u32,
    },
}

/// The bytes of a snapshot.
#[must_use]
pub fn encode(rows: &[SnapshotRow]) -> Vec<u8> {
    let _ = rows;
    todo!()
}

/// Reads a snapshot.
///
/// # Errors
/// When it is not a snapshot of version 1 with a fitting checksum.
pub fn decode(bytes: &[u8]) -> Result<Vec<SnapshotRow>, SnapshotError> {
    let _ = bytes;
    todo!()
}

/// The end offsets of the snapshots in `dir`, ascending.
///
/// # Errors
/// When the directory cannot be read.
pub fn list(disk: &dyn Disk, dir: &Path) -> Result<Vec<Offset>, LogError> {
    let _ = (disk, dir);
    todo!()
}

/// Reads the bytes of the snapshot at `offset`; `None` when it is missing.
///
/// # Errors
/// When it cannot be read.
pub fn read(disk: &dyn Disk, dir: &Path, offset: Offset) -> Result<Option<Vec<u8>>, LogError> {
    let _ = (disk, dir, offset);
    todo!()
}

/// Writes the snapshot at `offset`, synced if `durable`.
///
/// # Errors
/// When it cannot be written.
pub fn write(
    disk: &dyn Disk,
    dir: &Path,
    offset: Offset,
    rows: &[SnapshotRow],
    durable: bool,
) -> Result<(), LogError> {
    let _ = (disk, dir, offset, rows, durable);
    todo!()
}

/// Removes the snapshot at `offset`, if there is one.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(disk: &dyn Disk, dir: &Path, offset: Offset) -> Result<(), LogError> {
    let _ = (disk, dir, offset);
    todo!()
}
