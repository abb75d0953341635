//! The message formats 0 and 1, which Kafka wrote before 0.11 and no longer writes since 4.0: a message has an offset, a
//! length, a CRC, a magic number, attributes, in format 1 a timestamp, a key and a value; compressed, its value holds
//! further messages (Kafka: `LegacyRecord`, `AbstractLegacyRecordBatch`).

use records::{Codec, unpack_old};

/// Bytes from the start of a message: offset, length, CRC, magic number, attributes.
const MAGIC_AT: usize = 16;
const ATTRIBUTES_AT: usize = 17;
const TIMESTAMP_AT: usize = 18;
const KEY_AT_V0: usize = 18;
const KEY_AT_V1: usize = 26;
/// The smallest length: CRC, magic number, attributes, and the lengths of key and value.
const SMALLEST_LENGTH: i32 = 14;
/// The most that the messages inside one may take.
const MOST_UNPACKED: usize = i32::MAX as usize;

/// What stands in front of a message's key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    /// The offset; of a compressed message that of the last one inside.
    pub(crate) offset: i64,
    /// The CRC-32 that stands in it.
    pub(crate) crc: u32,
    /// 0 or 1.
    pub(crate) magic: i8,
    attributes: u8,
    /// The timestamp; -1 in format 0.
    pub(crate) timestamp: i64,
}

/// A message with its key and value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    /// All but key and value.
    pub(crate) message: Message,
    /// The timestamp, which a compressed message of format 1 may give to those inside.
    pub(crate) timestamp: i64,
    /// Whether its CRC is right.
    pub(crate) valid: bool,
    /// The key, if it has one.
    pub(crate) key: Option<Vec<u8>>,
    /// The value, if it has one.
    pub(crate) value: Option<Vec<u8>>,
}

impl Message {
    /// Bytes of offset, length and all up to the key's length, in format 1.
    pub(crate) const LONGEST_HEADER: usize = KEY_AT_V1;

    pub(crate) fn read_header(bytes: &[u8]) -> Result<Self, String> {
        let short = || "the bytes end within its header".to_owned();
        let field = |at: usize| bytes.get(at..).and_then(|rest| rest.first_chunk());
        let magic = i8::from_be_bytes([*bytes.get(MAGIC_AT).ok_or_else(short)?]);
        if !(0..=1).contains(&magic) {
            return Err(format!("it has the magic number {magic}, which does not exist"));
        }
        Ok(Self {
            offset: i64::from_be_bytes(*bytes.first_chunk().ok_or_else(short)?),
            crc: u32::from_be_bytes(*field(12).ok_or_else(short)?),
            magic,
            attributes: *bytes.get(ATTRIBUTES_AT).ok_or_else(short)?,
            timestamp: match magic {
                0 => -1,
                _ => {
                    let timestamp = bytes.get(TIMESTAMP_AT..).and_then(|rest| rest.first_chunk());
                    i64::from_be_bytes(*timestamp.ok_or_else(short)?)
                }
            },
        })
    }

    /// How the messages inside are compressed, or an error for a number without a meaning.
    pub(crate) fn codec(&self) -> Result<Codec, String> {
        records::Attributes((self.attributes & 0x07).into()).codec().map_err(|error| error.to_string())
    }

    /// Whose clock the timestamp is from, in Kafka's words.
    pub(crate) const fn timestamp_type(&self) -> &'static str {
        match (self.magic, self.attributes & 0x08) {
            (0, _) => "NoTimestampType",
            (_, 0) => "CreateTime",
            _ => "LogAppendTime",
        }
    }
}

/// The records of the message in `bytes`: itself, or those inside. `size` is where it ends.
pub(crate) fn records(message: &Message, bytes: &[u8]) -> Result<Vec<Record>, String> {
    let outer = read(message.clone(), bytes)?;
    let codec = message.codec()?;
    if codec == Codec::None {
        return Ok(vec![outer]);
    }
    let packed = outer.value.ok_or("it is compressed, but has no value")?;
    let unpacked =
        unpack_old(codec, message.magic, &packed, MOST_UNPACKED).map_err(|error| error.to_string())?;
    let mut inner = inner_records(message, &unpacked)?;
    let last = inner.last().ok_or("it is compressed, but holds no messages")?.message.offset;
    if message.magic == 1 {
        // Offsets inside count from 0. Early versions of librdkafka left the outer one at 0.
        let base = match message.offset {
            0 => 0,
            outer if outer < last => return Err(format!("its offset {outer} is below the {last} inside")),
            outer => outer - last,
        };
        inner.iter_mut().for_each(|record| record.message.offset += base);
    }
    Ok(inner)
}

fn inner_records(outer: &Message, mut bytes: &[u8]) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    while let Some(front) = bytes.first_chunk::<12>() {
        let length = i32::from_be_bytes([front[8], front[9], front[10], front[11]]);
        if length < SMALLEST_LENGTH {
            return Err(format!("a message inside has the length {length}"));
        }
        let Some((message, rest)) = bytes.split_at_checked(12 + length as usize) else {
            break;
        };
        bytes = rest;
        let header = Message::read_header(message)?;
        if header.magic != outer.magic {
            return Err(format!(
                "a message inside has magic {}, itself it has {}",
                header.magic, outer.magic
            ));
        }
        if header.codec()? != Codec::None {
            return Err("a message inside is compressed again".to_owned());
        }
        let mut record = read(header, message)?;
        if outer.timestamp_type() == "LogAppendTime" {
            record.timestamp = outer.timestamp;
        }
        records.push(record);
    }
    Ok(records)
}

/// Key and value of a message whose header has been read.
fn read(message: Message, bytes: &[u8]) -> Result<Record, String> {
    let mut rest = bytes
        .get(if message.magic == 0 { KEY_AT_V0 } else { KEY_AT_V1 }..)
        .ok_or("it ends within its header")?;
    let mut field = || {
        let (length, behind) = rest.split_first_chunk().ok_or("it ends within a length")?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            rest = behind;
            return Ok(None);
        };
        let (field, behind) = behind.split_at_checked(length).ok_or("a key or value reaches past its end")?;
        rest = behind;
        Ok::<_, &str>(Some(field.to_vec()))
    };
    let (key, value) = (field()?, field()?);
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[MAGIC_AT..]);
    Ok(Record { valid: crc.sum() == message.crc, timestamp: message.timestamp, message, key, value })
}
