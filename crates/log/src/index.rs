//! Entries of the index files, to be read and written.

use base::{Millis, Offset, ProducerId};

/// An entry of an `.index` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetEntry {
    /// The last offset of a batch, less the segment's base offset.
    pub relative_offset: i32,
    /// Where that batch begins in the `.log` file.
    pub position: i32,
}

/// An entry of a `.timeindex` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeEntry {
    /// The largest timestamp of the segment up to here.
    pub timestamp: Millis,
    /// The last offset of the batch that holds it, less the segment's base offset.
    pub relative_offset: i32,
}

/// An entry of a `.txnindex` file: an aborted transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxnEntry {
    /// Version of the entry; Kafka knows 0.
    pub version: i16,
    /// The producer.
    pub producer_id: ProducerId,
    /// First offset of the transaction.
    pub first_offset: Offset,
    /// Offset of its abort marker.
    pub last_offset: Offset,
    /// The last stable offset when it was aborted.
    pub last_stable_offset: Offset,
}

impl OffsetEntry {
    /// Bytes of an entry.
    pub const LEN: usize = 8;
    /// Reads an entry.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::LEN]) -> Self {
        let _ = bytes;
        todo!()
    }
    /// The entry's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LEN] {
        todo!()
    }
    /// The entry's offset in a segment that begins at `base`.
    #[must_use]
    pub const fn offset(&self, base: Offset) -> Offset {
        base.plus(self.relative_offset as i64)
    }
    /// All whole entries of a file's bytes.
    pub fn all(bytes: &[u8]) -> impl Iterator<Item = Self> {
        let _ = bytes;
        std::iter::empty()
    }
}

impl TimeEntry {
    /// Bytes of an entry.
    pub const LEN: usize = 12;
    /// Reads an entry.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::LEN]) -> Self {
        let _ = bytes;
        todo!()
    }
    /// The entry's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LEN] {
        todo!()
    }
    /// The entry's offset in a segment that begins at `base`.
    #[must_use]
    pub const fn offset(&self, base: Offset) -> Offset {
        base.plus(self.relative_offset as i64)
    }
    /// All whole entries of a file's bytes.
    pub fn all(bytes: &[u8]) -> impl Iterator<Item = Self> {
        let _ = bytes;
        std::iter::empty()
    }
}

impl TxnEntry {
    /// Bytes of an entry.
    pub const LEN: usize = 34;
    /// Reads an entry.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::LEN]) -> Self {
        let _ = bytes;
        todo!()
    }
    /// The entry's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LEN] {
        todo!()
    }
    /// All whole entries of a file's bytes.
    pub fn all(bytes: &[u8]) -> impl Iterator<Item = Self> {
        let _ = bytes;
        std::iter::empty()
    }
}

/// What a sanity check of an index file found wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexFault {
    /// The length is not a whole number of entries.
    #[error("{len} bytes are not a multiple of {entry}")]
    Length {
        /// The file's length.
        len: u64,
        /// An entry's length.
        entry: usize,
    },
    /// The last entry lies below the segment.
    #[error("the last offset {last} is less than the base offset {base}")]
    BelowBase {
        /// The last entry's offset.
        last: Offset,
        /// The segment's base offset.
        base: Offset,
    },
    /// The last timestamp is smaller than the first.
    #[error("the last timestamp {last} is less than the first timestamp {first}")]
    TimeBackwards {
        /// The first entry's timestamp.
        first: Millis,
        /// The last entry's timestamp.
        last: Millis,
    },
}

/// Kafka's sanity check of an `.index` file (`OffsetIndex.sanityCheck`).
///
/// # Errors
/// What is wrong with it.
pub fn check_offset_index(bytes: &[u8], base: Offset) -> Result<(), IndexFault> {
    let _ = (bytes, base);
    todo!()
}

/// Kafka's sanity check of a `.timeindex` file (`TimeIndex.sanityCheck`).
///
/// # Errors
/// What is wrong with it.
pub fn check_time_index(bytes: &[u8], base: Offset) -> Result<(), IndexFault> {
    let _ = (bytes, base);
    todo!()
}
