//! The header of a batch, of the format of today or an older one.

use records::{BatchHeader, HEADER_LEN};

use crate::old_format::Message;

/// A batch and where it lies.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Batch {
    /// Where it begins in its file.
    pub(crate) position: u64,
    /// Bytes of all of it.
    pub(crate) size: u64,
    /// What its header says.
    pub(crate) kind: Kind,
}

/// What the header of a batch says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Format v2, or what claims to be of a later one.
    V2(BatchHeader),
    /// A message of the formats 0 and 1, which may hold others.
    Old(Message),
}

impl Batch {
    /// Bytes of the header of a batch with this magic number.
    pub(crate) const fn header_len(magic: i8) -> usize {
        match magic {
            2.. => HEADER_LEN,
            _ => Message::LONGEST_HEADER,
        }
    }

    /// Reads the header, of which `header` holds as much as the file does.
    pub(crate) fn read(magic: i8, position: u64, size: u64, header: &[u8]) -> Result<Self, String> {
        let kind = match magic {
            2.. => match header.first_chunk() {
                Some(header) => Kind::V2(BatchHeader::from_bytes(header)),
                None => return Err("the file ends within its header".to_owned()),
            },
            _ => Kind::Old(Message::read_header(header)?),
        };
        Ok(Self { position, size, kind })
    }

    /// The last offset, as the header has it.
    pub(crate) fn last_offset(&self) -> i64 {
        match &self.kind {
            Kind::V2(header) => header.last_offset().0,
            Kind::Old(message) => message.offset,
        }
    }

    /// What its CRC is computed with; `None` if it is too small to have a right one.
    pub(crate) fn crc(&self) -> Option<Crc> {
        match &self.kind {
            Kind::V2(header) => (self.size >= HEADER_LEN as u64)
                .then_some(Crc::Castagnoli { stored: header.crc, computed: 0 }),
            Kind::Old(message) => Some(Crc::Ieee { stored: message.crc, hasher: flate2::Crc::new() }),
        }
    }
}

/// A CRC on its way.
#[derive(Debug)]
pub(crate) enum Crc {
    /// Of format v2.
    Castagnoli { stored: u32, computed: u32 },
    /// Of the formats before.
    Ieee { stored: u32, hasher: flate2::Crc },
}

impl Crc {
    /// From which byte of the batch on it is computed.
    pub(crate) const fn from(&self) -> u64 {
        match self {
            Self::Castagnoli { .. } => 21,
            Self::Ieee { .. } => 16,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Castagnoli { computed, .. } => *computed = crc32c::crc32c_append(*computed, bytes),
            Self::Ieee { hasher, .. } => hasher.update(bytes),
        }
    }

    pub(crate) fn is_right(&self) -> bool {
        match self {
            Self::Castagnoli { stored, computed } => stored == computed,
            Self::Ieee { stored, hasher } => *stored == hasher.sum(),
        }
    }
}

/// A sequence `increment` further on, to the bit what Kafka's `DefaultRecordBatch.incrementSequence` gives, also for
/// numbers that no producer sends.
pub(crate) const fn increment_sequence(sequence: i32, increment: i32) -> i32 {
    if sequence > i32::MAX.wrapping_sub(increment) {
        increment.wrapping_sub(i32::MAX.wrapping_sub(sequence)).wrapping_sub(1)
    } else {
        sequence.wrapping_add(increment)
    }
}

/// The other way (`DefaultRecordBatch.decrementSequence`).
pub(crate) const fn decrement_sequence(sequence: i32, decrement: i32) -> i32 {
    if sequence < decrement {
        i32::MAX.wrapping_sub(decrement.wrapping_sub(sequence)).wrapping_add(1)
    } else {
        sequence.wrapping_sub(decrement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_smaller_than_its_header_is_not_valid_whatever_its_crc() {
        let header = BatchHeader::from_bytes(&[0; HEADER_LEN]);
        let of_size = |size| Batch { position: 0, size, kind: Kind::V2(header) };
        assert!(of_size(60).crc().is_none());
        assert!(of_size(61).crc().is_some());
    }

    #[test]
    fn sequences_go_round_as_in_kafka() {
        assert_eq!(increment_sequence(i32::MAX - 1, 3), 1);
        assert_eq!(decrement_sequence(1, 3), i32::MAX - 1);
        // What Java computes for numbers that no producer sends.
        assert_eq!(increment_sequence(5, -3), -2_147_483_646);
        assert_eq!(decrement_sequence(i32::MAX, -5), -2_147_483_644);
    }
}
