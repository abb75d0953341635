//! Entries of the index files: their bytes, and Kafka's sanity checks. The living indexes of a log are elsewhere; this
//! is what tools need as well.

use base::{Millis, Offset, ProducerId};

/// An entry of an `.index` file: 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetEntry {
    /// The last offset of a batch (of an append, where a follower wrote several batches at once), less the segment's
    /// base offset.
    pub relative_offset: i32,
    /// Where that batch (the first of that append) begins in the `.log` file.
    pub position: i32,
}

/// An entry of a `.timeindex` file: 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeEntry {
    /// The largest timestamp of the segment up to here.
    pub timestamp: Millis,
    /// The last offset of the batch that holds it, less the segment's base offset.
    pub relative_offset: i32,
}

/// An entry of a `.txnindex` file: an aborted transaction, 34 bytes.
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
        Self { relative_offset: i32_at(bytes, 0), position: i32_at(bytes, 4) }
    }

    /// The entry's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..4].copy_from_slice(&self.relative_offset.to_be_bytes());
        bytes[4..].copy_from_slice(&self.position.to_be_bytes());
        bytes
    }

    /// The entry's offset in a segment that begins at `base`.
    #[must_use]
    pub const fn offset(&self, base: Offset) -> Offset {
        Offset(base.0.wrapping_add(self.relative_offset as i64))
    }

    /// All whole entries of a file's bytes, in order. Kafka's files may end in zeros, which are entries here.
    pub fn all(bytes: &[u8]) -> impl Iterator<Item = Self> {
        bytes.as_chunks::<{ Self::LEN }>().0.iter().map(Self::decode)
    }
}

impl TimeEntry {
    /// Bytes of an entry.
    pub const LEN: usize = 12;

    /// Reads an entry.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::LEN]) -> Self {
        Self { timestamp: Millis(i64_at(bytes, 0)), relative_offset: i32_at(bytes, 8) }
    }

    /// The entry's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&self.timestamp.0.to_be_bytes());
        bytes[8..].copy_from_slice(&self.relative_offset.to_be_bytes());
        bytes
    }

    /// The entry's offset in a segment that begins at `base`.
    #[must_use]
    pub const fn offset(&self, base: Offset) -> Offset {
        Offset(base.0.wrapping_add(self.relative_offset as i64))
    }

    /// All whole entries of a file's bytes, in order. Kafka's files may end in zeros, which are entries here.
    pub fn all(bytes: &[u8]) -> impl Iterator<Item = Self> {
        bytes.as_chunks::<{ Self::LEN }>().0.iter().map(Self::decode)
    }
}

impl TxnEntry {
    /// Bytes of an entry.
    pub const LEN: usize = 34;

    /// Reads an entry.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::LEN]) -> Self {
        Self {
            version: i16::from_be_bytes([bytes[0], bytes[1]]),
            producer_id: ProducerId(i64_at(bytes, 2)),
            first_offset: Offset(i64_at(bytes, 10)),
            last_offset: Offset(i64_at(bytes, 18)),
            last_stable_offset: Offset(i64_at(bytes, 26)),
        }
    }

    /// The entry's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..2].copy_from_slice(&self.version.to_be_bytes());
        bytes[2..10].copy_from_slice(&self.producer_id.0.to_be_bytes());
        bytes[10..18].copy_from_slice(&self.first_offset.0.to_be_bytes());
        bytes[18..26].copy_from_slice(&self.last_offset.0.to_be_bytes());
        bytes[26..].copy_from_slice(&self.last_stable_offset.0.to_be_bytes());
        bytes
    }

    /// All whole entries of a file's bytes, in order.
    pub fn all(bytes: &[u8]) -> impl Iterator<Item = Self> {
        bytes.as_chunks::<{ Self::LEN }>().0.iter().map(Self::decode)
    }
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes were sliced"))
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes were sliced"))
}

/// What a sanity check of an index file found wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexFault {
    /// The length is not a whole number of entries.
    #[error("{len} bytes are not a multiple of {entry}")]
    Length {
        /// The file's length.
        len: usize,
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

/// Kafka's sanity check of an `.index` file (`OffsetIndex.sanityCheck`), in its order.
///
/// # Errors
/// What is wrong with it.
pub fn check_offset_index(bytes: &[u8], base: Offset) -> Result<(), IndexFault> {
    if let Some(last) =
        OffsetEntry::all(bytes).last().map(|entry| entry.offset(base)).filter(|last| *last < base)
    {
        return Err(IndexFault::BelowBase { last, base });
    }
    check_length(bytes.len(), OffsetEntry::LEN)
}

/// Kafka's sanity check of a `.timeindex` file (`TimeIndex.sanityCheck`), in its order.
///
/// # Errors
/// What is wrong with it.
pub fn check_time_index(bytes: &[u8], base: Offset) -> Result<(), IndexFault> {
    if let (Some(first), Some(last)) = (TimeEntry::all(bytes).next(), TimeEntry::all(bytes).last()) {
        if last.timestamp < first.timestamp {
            return Err(IndexFault::TimeBackwards { first: first.timestamp, last: last.timestamp });
        }
        if last.offset(base) < base {
            return Err(IndexFault::BelowBase { last: last.offset(base), base });
        }
    }
    check_length(bytes.len(), TimeEntry::LEN)
}

fn check_length(len: usize, entry: usize) -> Result<(), IndexFault> {
    if len.is_multiple_of(entry) { Ok(()) } else { Err(IndexFault::Length { len, entry }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_big_endian_and_tight() {
        let entry = OffsetEntry { relative_offset: 0x0102_0304, position: 0x0506_0708 };
        assert_eq!(entry.encode(), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(OffsetEntry::decode(&entry.encode()), entry);
        assert_eq!(entry.offset(Offset(10)), Offset(10 + 0x0102_0304));

        let entry = TimeEntry { timestamp: Millis(0x0102_0304_0506_0708), relative_offset: 0x090a_0b0c };
        assert_eq!(entry.encode(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        assert_eq!(TimeEntry::decode(&entry.encode()), entry);

        let entry = TxnEntry {
            version: 0,
            producer_id: ProducerId(1),
            first_offset: Offset(2),
            last_offset: Offset(3),
            last_stable_offset: Offset(4),
        };
        let bytes = entry.encode();
        assert_eq!([bytes[9], bytes[17], bytes[25], bytes[33]], [1, 2, 3, 4]);
        assert_eq!(bytes.iter().filter(|byte| **byte != 0).count(), 4);
        assert_eq!(TxnEntry::decode(&bytes), entry);
    }

    #[test]
    fn a_part_of_an_entry_at_the_end_is_none() {
        let entry = OffsetEntry { relative_offset: 9, position: 70 };
        let mut bytes = entry.encode().to_vec();
        assert_eq!(OffsetEntry::all(&bytes).collect::<Vec<_>>(), [entry]);
        bytes.extend([0; 7]);
        assert_eq!(OffsetEntry::all(&bytes).count(), 1);
        assert_eq!(check_offset_index(&bytes, Offset(0)), Err(IndexFault::Length { len: 15, entry: 8 }));
        assert_eq!(TimeEntry::all(&bytes).count(), 1);
        assert_eq!(TxnEntry::all(&bytes).count(), 0);
    }

    #[test]
    fn sanity_checks_find_what_kafkas_find() {
        assert_eq!(check_offset_index(&[], Offset(5)), Ok(()));
        assert_eq!(check_time_index(&[], Offset(5)), Ok(()));
        let below = OffsetEntry { relative_offset: -1, position: 0 }.encode();
        assert_eq!(
            check_offset_index(&below, Offset(5)),
            Err(IndexFault::BelowBase { last: Offset(4), base: Offset(5) })
        );
        let time =
            |timestamp, relative_offset| TimeEntry { timestamp: Millis(timestamp), relative_offset }.encode();
        let backwards = [time(9, 0), time(8, 1)].concat();
        assert_eq!(
            check_time_index(&backwards, Offset(0)),
            Err(IndexFault::TimeBackwards { first: Millis(9), last: Millis(8) })
        );
        assert_eq!(
            check_time_index(&time(9, -2), Offset(1)),
            Err(IndexFault::BelowBase { last: Offset(-1), base: Offset(1) })
        );
        assert_eq!(check_time_index(&[time(8, 0), time(9, 1)].concat(), Offset(0)), Ok(()));
    }
}
