//! The 61 bytes in front of every record batch of format v2, as a value: parsed, encoded, and the CRC over them.

use base::{LeaderEpoch, Millis, Offset, ProducerEpoch, ProducerId, Sequence};

use crate::BatchError;

/// Bytes of a batch before its records.
pub const HEADER_LEN: usize = 61;
/// The only batch format that is written since Kafka 0.11 (KIP-98).
pub const MAGIC: i8 = 2;
/// Bytes of the base offset and the batch length, which the batch length itself does not count.
pub const LENGTH_OVERHEAD: usize = 12;

/// Where the part that the CRC covers begins: at the attributes.
const CRC_START: usize = 21;

/// The attribute bits of a batch. Only the low byte has a meaning; a rewrite by the broker clears the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attributes(pub i16);

impl Attributes {
    const CODEC: i16 = 0x07;
    const LOG_APPEND_TIME: i16 = 0x08;
    const TRANSACTIONAL: i16 = 0x10;
    const CONTROL: i16 = 0x20;
    const DELETE_HORIZON: i16 = 0x40;
    const KNOWN: i16 = 0x7f;

    /// How the records are compressed.
    ///
    /// # Errors
    /// [`BatchError::UnknownCodec`] for 5, 6 and 7.
    pub const fn codec(self) -> Result<Codec, BatchError> {
        match self.0 & Self::CODEC {
            0 => Ok(Codec::None),
            1 => Ok(Codec::Gzip),
            2 => Ok(Codec::Snappy),
            3 => Ok(Codec::Lz4),
            4 => Ok(Codec::Zstd),
            other => Err(BatchError::UnknownCodec(other as u8)),
        }
    }

    /// Whose clock the timestamps are from.
    #[must_use]
    pub const fn timestamp_type(self) -> TimestampType {
        if self.0 & Self::LOG_APPEND_TIME == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// Whether the batch is part of a transaction, or ends one.
    #[must_use]
    pub const fn is_transactional(self) -> bool {
        self.0 & Self::TRANSACTIONAL != 0
    }

    /// Whether the records speak to brokers and clients rather than to applications.
    #[must_use]
    pub const fn is_control(self) -> bool {
        self.0 & Self::CONTROL != 0
    }

    /// Whether the base timestamp is the time from which compaction may drop the batch's tombstones (KIP-534).
    #[must_use]
    pub const fn has_delete_horizon(self) -> bool {
        self.0 & Self::DELETE_HORIZON != 0
    }

    /// The same bits with this codec.
    #[must_use]
    pub const fn with_codec(self, codec: Codec) -> Self {
        Self((self.0 & !Self::CODEC) | codec as i16)
    }

    /// The same bits with this timestamp type.
    #[must_use]
    pub const fn with_timestamp_type(self, timestamp_type: TimestampType) -> Self {
        self.with(Self::LOG_APPEND_TIME, matches!(timestamp_type, TimestampType::LogAppendTime))
    }

    /// The same bits, transactional or not.
    #[must_use]
    pub const fn with_transactional(self, transactional: bool) -> Self {
        self.with(Self::TRANSACTIONAL, transactional)
    }

    /// The same bits, for a control batch or not.
    #[must_use]
    pub const fn with_control(self, control: bool) -> Self {
        self.with(Self::CONTROL, control)
    }

    /// The same bits, with a delete horizon or without.
    #[must_use]
    pub const fn with_delete_horizon(self, present: bool) -> Self {
        self.with(Self::DELETE_HORIZON, present)
    }

    /// Only the bits that have a meaning.
    #[must_use]
    pub const fn known(self) -> Self {
        Self(self.0 & Self::KNOWN)
    }

    const fn with(self, bit: i16, set: bool) -> Self {
        Self(if set { self.0 | bit } else { self.0 & !bit })
    }
}

/// How the records of a batch are compressed: as one block, behind the header. The numbers are Kafka's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Not at all.
    #[default]
    None = 0,
    /// One gzip stream (or several, one behind the other).
    Gzip = 1,
    /// Snappy blocks in the framing of xerial's snappy-java, or one bare block.
    Snappy = 2,
    /// One LZ4 frame of independent blocks.
    Lz4 = 3,
    /// One zstd frame (or several).
    Zstd = 4,
}

impl Codec {
    /// Every codec, in the order of Kafka's numbers.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The name Kafka prints: `none`, `gzip`, `snappy`, `lz4`, `zstd`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

impl std::fmt::Display for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Whose clock a batch's timestamps are from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimestampType {
    /// The producer's: each record has its own.
    #[default]
    CreateTime,
    /// The broker's: the header's max timestamp is the time of every record.
    LogAppendTime,
}

impl TimestampType {
    /// The name Kafka prints and reads: `CreateTime`, `LogAppendTime`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreateTime => "CreateTime",
            Self::LogAppendTime => "LogAppendTime",
        }
    }
}

/// The header of a batch. Any bytes of the right length, magic and size parse, and encode to the same bytes again; that
/// the numbers fit together is for [`check()`](crate::check()) and the record iterator to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record; a producer sends 0. Outside the CRC.
    pub base_offset: Offset,
    /// Bytes after this field: the whole batch is 12 larger. At least 49. Outside the CRC.
    pub batch_length: i32,
    /// Epoch of the leader that appended the batch, `-1` before that. Outside the CRC.
    pub leader_epoch: LeaderEpoch,
    /// The format: always 2 here. Outside the CRC.
    pub magic: i8,
    /// CRC-32C of everything behind it.
    pub crc: u32,
    /// Codec, timestamp type and the flags.
    pub attributes: Attributes,
    /// Offset of the last record, counted from the base offset; compaction keeps it.
    pub last_offset_delta: i32,
    /// What the records' timestamp deltas count from; the delete horizon when [`Attributes::has_delete_horizon`].
    pub base_timestamp: Millis,
    /// The largest timestamp of the records, or the append time of them all.
    pub max_timestamp: Millis,
    /// The idempotent producer, `-1` for none.
    pub producer_id: ProducerId,
    /// The producer's epoch, `-1` for none.
    pub producer_epoch: ProducerEpoch,
    /// The producer's number of the first record, `-1` for none.
    pub base_sequence: Sequence,
    /// How many records follow; 0 only after compaction.
    pub record_count: i32,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`; what follows it is not looked at.
    ///
    /// # Errors
    /// [`BatchError::Truncated`] when there are fewer than 61 bytes, [`BatchError::Magic`] for another format,
    /// [`BatchError::Length`] for a batch length below 49. The magic is looked at first, since the older formats
    /// have it at the same place.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        let Some(header) = bytes.first_chunk::<HEADER_LEN>() else {
            return Err(BatchError::Truncated { needed: HEADER_LEN, got: bytes.len() });
        };
        let parsed = Self::from_bytes(header);
        if parsed.magic != MAGIC {
            return Err(BatchError::Magic(parsed.magic));
        }
        if parsed.batch_length < (HEADER_LEN - LENGTH_OVERHEAD) as i32 {
            return Err(BatchError::Length(parsed.batch_length));
        }
        Ok(parsed)
    }

    /// What stands in 61 bytes, whether they are a header or not: for tools that show broken files.
    #[must_use]
    pub fn from_bytes(b: &[u8; HEADER_LEN]) -> Self {
        let i16_at = |at: usize| i16::from_be_bytes([b[at], b[at + 1]]);
        let i32_at = |at: usize| i32::from_be_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]]);
        let i64_at = |at: usize| {
            i64::from_be_bytes([
                b[at],
                b[at + 1],
                b[at + 2],
                b[at + 3],
                b[at + 4],
                b[at + 5],
                b[at + 6],
                b[at + 7],
            ])
        };
        Self {
            base_offset: Offset(i64_at(0)),
            batch_length: i32_at(8),
            leader_epoch: LeaderEpoch(i32_at(12)),
            magic: i8::from_be_bytes([b[16]]),
            crc: i32_at(17) as u32,
            attributes: Attributes(i16_at(21)),
            last_offset_delta: i32_at(23),
            base_timestamp: Millis(i64_at(27)),
            max_timestamp: Millis(i64_at(35)),
            producer_id: ProducerId(i64_at(43)),
            producer_epoch: ProducerEpoch(i16_at(51)),
            base_sequence: Sequence(i32_at(53)),
            record_count: i32_at(57),
        }
    }

    /// The header's bytes, with the CRC that stands in it.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, &self.base_offset.0.to_be_bytes());
        put(8, &self.batch_length.to_be_bytes());
        put(12, &self.leader_epoch.0.to_be_bytes());
        put(16, &self.magic.to_be_bytes());
        put(17, &self.crc.to_be_bytes());
        put(21, &self.attributes.0.to_be_bytes());
        put(23, &self.last_offset_delta.to_be_bytes());
        put(27, &self.base_timestamp.0.to_be_bytes());
        put(35, &self.max_timestamp.0.to_be_bytes());
        put(43, &self.producer_id.0.to_be_bytes());
        put(51, &self.producer_epoch.0.to_be_bytes());
        put(53, &self.base_sequence.0.to_be_bytes());
        put(57, &self.record_count.to_be_bytes());
        bytes
    }

    /// Bytes of the whole batch: 12 + batch length. At least 61 for a parsed header.
    #[must_use]
    pub const fn size(&self) -> usize {
        // A negative length cannot come out of `parse`; for a header made by hand it counts as none.
        LENGTH_OVERHEAD + if self.batch_length < 0 { 0 } else { self.batch_length as usize }
    }

    /// Offset of the last record. Wraps instead of overflowing on a header from outside.
    #[must_use]
    pub const fn last_offset(&self) -> Offset {
        Offset(self.base_offset.0.wrapping_add(self.last_offset_delta as i64))
    }

    /// The offset after the last record.
    #[must_use]
    pub const fn next_offset(&self) -> Offset {
        Offset(self.last_offset().0.wrapping_add(1))
    }

    /// The producer's number of the last record, with wrap-around; none when the base sequence is none, or when the
    /// last offset delta is negative (which no checked batch has).
    #[must_use]
    pub const fn last_sequence(&self) -> Sequence {
        if self.base_sequence.0 == Sequence::NONE.0 || self.last_offset_delta < 0 {
            Sequence::NONE
        } else {
            self.base_sequence.plus(self.last_offset_delta)
        }
    }

    /// When compaction may drop this batch's tombstones, if that is known (KIP-534).
    #[must_use]
    pub const fn delete_horizon(&self) -> Option<Millis> {
        if self.attributes.has_delete_horizon() { Some(self.base_timestamp) } else { None }
    }

    /// The CRC that belongs to this header in front of `rest`, the bytes from 61 on; the stored one does not matter.
    #[must_use]
    pub fn crc_with(&self, rest: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.encode()[CRC_START..]), rest)
    }
}

/// Whether `batch`, the bytes of one whole batch, is at least 61 bytes long and its stored CRC is the one computed from
/// its bytes (Kafka: `DefaultRecordBatch.isValid`). The batch length is not compared with the bytes at hand.
#[must_use]
pub fn crc_is_valid(batch: &[u8]) -> bool {
    let Some(header) = batch.first_chunk::<HEADER_LEN>() else {
        return false;
    };
    BatchHeader::from_bytes(header).crc == crc32c::crc32c(&batch[CRC_START..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> BatchHeader {
        BatchHeader {
            base_offset: Offset(0x0102_0304_0506_0708),
            batch_length: 49,
            leader_epoch: LeaderEpoch(7),
            magic: 2,
            crc: 0xdead_beef,
            attributes: Attributes(0x1234),
            last_offset_delta: 9,
            base_timestamp: Millis(-1),
            max_timestamp: Millis(i64::MAX),
            producer_id: ProducerId(3001),
            producer_epoch: ProducerEpoch(4),
            base_sequence: Sequence(i32::MAX - 3),
            record_count: 10,
        }
    }

    #[test]
    fn a_header_encodes_to_what_it_was_parsed_from() {
        let bytes = header().encode();
        assert_eq!(BatchHeader::parse(&bytes), Ok(header()));
        assert_eq!(&bytes[..8], &[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(bytes[16], 2);
        assert_eq!(&bytes[17..21], &[0xde, 0xad, 0xbe, 0xef]);
        assert_eq!(&bytes[57..], &[0, 0, 0, 10]);
    }

    #[test]
    fn a_header_says_where_its_batch_ends() {
        let header = header();
        assert_eq!(header.size(), 61);
        assert_eq!(header.last_offset(), header.base_offset.plus(9));
        assert_eq!(header.next_offset(), header.base_offset.plus(10));
        assert_eq!(header.last_sequence(), Sequence(5), "it goes on at 0 behind 2147483647");
        assert_eq!(BatchHeader { base_sequence: Sequence::NONE, ..header }.last_sequence(), Sequence::NONE);
        let last = BatchHeader { base_offset: Offset(i64::MAX), ..header };
        assert_eq!(last.next_offset(), Offset(i64::MIN + 9), "an offset from outside does not overflow");
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let bytes = header().encode();
        assert_eq!(BatchHeader::parse(&bytes[..60]), Err(BatchError::Truncated { needed: 61, got: 60 }));
        for magic in [-128, -1, 0, 1, 3] {
            assert_eq!(
                BatchHeader::parse(&BatchHeader { magic, ..header() }.encode()),
                Err(BatchError::Magic(magic))
            );
        }
        for batch_length in [i32::MIN, -1, 0, 48] {
            let short = BatchHeader { batch_length, ..header() };
            assert_eq!(BatchHeader::parse(&short.encode()), Err(BatchError::Length(batch_length)));
        }
    }

    #[test]
    fn attributes_name_their_bits() {
        let plain = Attributes::default();
        for codec in Codec::ALL {
            assert_eq!(plain.with_codec(codec).codec(), Ok(codec));
            assert_eq!(plain.with_codec(Codec::Lz4).with_codec(codec).codec(), Ok(codec));
        }
        for unknown in 5..8 {
            assert_eq!(Attributes(unknown).codec(), Err(BatchError::UnknownCodec(unknown as u8)));
        }
        let appended = plain.with_timestamp_type(TimestampType::LogAppendTime);
        assert_eq!((appended.0, appended.timestamp_type()), (8, TimestampType::LogAppendTime));
        assert_eq!(appended.with_timestamp_type(TimestampType::CreateTime), plain);
        assert!(Attributes(0x10).is_transactional() && plain.with_transactional(true) == Attributes(0x10));
        assert!(Attributes(0x20).is_control() && plain.with_control(true) == Attributes(0x20));
        assert!(Attributes(0x40).has_delete_horizon() && plain.with_delete_horizon(true) == Attributes(0x40));
        assert_eq!(Attributes(-1).known(), Attributes(0x7f));
    }

    #[test]
    fn the_crc_covers_all_from_the_attributes_on() {
        let sealed = BatchHeader { crc: header().crc_with(b"records"), ..header() };
        let batch = [&sealed.encode()[..], b"records"].concat();
        assert!(crc_is_valid(&batch));
        assert!(!crc_is_valid(&batch[..60]) && !crc_is_valid(&batch[..67]));
        for at in 0..batch.len() {
            let mut bent = batch.clone();
            bent[at] ^= 1;
            assert_eq!(crc_is_valid(&bent), at < 17, "byte {at}");
        }
    }
}
