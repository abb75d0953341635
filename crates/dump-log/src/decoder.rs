//! How keys and values become text: Kafka's decoder classes, and the records of the metadata log.

use base::Offset;
use bytes::Bytes;
use wire::Value;
use wire::metadata_records::{FrameFault, MetadataRecord, MetadataRecordError};

use crate::coordinator::Topic;
use crate::java_text;

/// What turns the key and the value of a record into text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoder {
    /// A class each.
    Texts {
        /// For the key.
        key: Text,
        /// For the value.
        value: Text,
    },
    /// Records of a coordinator's topic.
    Coordinator(Topic),
    /// Values are records of `__cluster_metadata`; keys are not looked at.
    ClusterMetadata,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::Texts { key: Text::String, value: Text::String }
    }
}

/// One of Kafka's classes that make something readable of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Text {
    /// UTF-8 text.
    #[default]
    String,
    /// The first four bytes as a number, as `IntegerDecoder` reads them.
    Integer,
    /// The first eight bytes as a number, as `LongDecoder` reads them.
    Long,
    /// Bytes in hexadecimal. (Kafka's `DefaultDecoder` shows where they lie in the Java heap: `[B@1b2c3d`.)
    Hex,
    /// Printable ASCII, and `\xNN`.
    Escaped,
    /// A value of exactly this many bytes.
    Exactly(Fixed),
}

/// What Kafka's deserializers of fixed size read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fixed {
    Boolean,
    Short,
    Integer,
    Long,
    Float,
    Double,
    Void,
}

/// A value that its decoder cannot read; Kafka's tool ends there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a value of {got} bytes is too short for {class}, which reads {needed}")]
pub(crate) struct TooShort {
    class: &'static str,
    needed: usize,
    got: usize,
}

impl Text {
    /// The decoder of this name: Kafka's own, by their package of today and that of 3.x, and its deserializers.
    pub(crate) fn of_class(class: &str) -> Option<Self> {
        const DECODERS: [&str; 2] = ["org.apache.kafka.tools.api.", "kafka.serializer."];
        const DESERIALIZERS: &str = "org.apache.kafka.common.serialization.";
        if let Some(decoder) = DECODERS.iter().find_map(|package| class.strip_prefix(package)) {
            return match decoder {
                "StringDecoder" => Some(Self::String),
                "IntegerDecoder" => Some(Self::Integer),
                "LongDecoder" => Some(Self::Long),
                "DefaultDecoder" => Some(Self::Hex),
                _ => None,
            };
        }
        Some(match class.strip_prefix(DESERIALIZERS)? {
            // A UUID is sent as its text.
            "StringDeserializer" | "UUIDDeserializer" => Self::String,
            "ByteArrayDeserializer" | "ByteBufferDeserializer" => Self::Hex,
            "BytesDeserializer" => Self::Escaped,
            "BooleanDeserializer" => Self::Exactly(Fixed::Boolean),
            "ShortDeserializer" => Self::Exactly(Fixed::Short),
            "IntegerDeserializer" => Self::Exactly(Fixed::Integer),
            "LongDeserializer" => Self::Exactly(Fixed::Long),
            "FloatDeserializer" => Self::Exactly(Fixed::Float),
            "DoubleDeserializer" => Self::Exactly(Fixed::Double),
            "VoidDeserializer" => Self::Exactly(Fixed::Void),
            _ => return None,
        })
    }

    /// `bytes` as text.
    pub(crate) fn show(self, bytes: &[u8]) -> Result<String, TooShort> {
        let first = |class, needed| TooShort { class, needed, got: bytes.len() };
        Ok(match self {
            Self::String => java_text::utf8(bytes),
            Self::Integer => {
                i32::from_be_bytes(*bytes.first_chunk().ok_or(first("IntegerDecoder", 4))?).to_string()
            }
            Self::Long => {
                i64::from_be_bytes(*bytes.first_chunk().ok_or(first("LongDecoder", 8))?).to_string()
            }
            Self::Hex => hex(bytes),
            Self::Escaped => java_text::escaped(bytes),
            Self::Exactly(fixed) => {
                fixed.show(bytes).unwrap_or_else(|| format!("<{} bytes: {}>", bytes.len(), hex(bytes)))
            }
        })
    }
}

impl Fixed {
    /// `None` when there are more or fewer bytes, or ones without a meaning.
    fn show(self, bytes: &[u8]) -> Option<String> {
        let double = |number: f64| Value::Float(number).to_json().trim_matches('"').to_owned();
        Some(match self {
            Self::Boolean => match bytes {
                [0] => "false".to_owned(),
                [1] => "true".to_owned(),
                _ => return None,
            },
            Self::Short => i16::from_be_bytes(bytes.try_into().ok()?).to_string(),
            Self::Integer => i32::from_be_bytes(bytes.try_into().ok()?).to_string(),
            Self::Long => i64::from_be_bytes(bytes.try_into().ok()?).to_string(),
            // The digits of an f32 that name it, read again as an f64, name the same number.
            Self::Float => double(f32::from_be_bytes(bytes.try_into().ok()?).to_string().parse().ok()?),
            Self::Double => double(f64::from_be_bytes(bytes.try_into().ok()?)),
            Self::Void => return None,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::from("0x");
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}

/// The value of a record of `__cluster_metadata` as JSON, or Kafka's note that it is none.
pub(crate) fn metadata_record(value: Option<&[u8]>, offset: Offset) -> Result<String, String> {
    let note = |why: String| format!("Error at {offset}, skipping. {why}");
    let value = value.unwrap_or_default();
    match MetadataRecord::decode(Bytes::copy_from_slice(value)) {
        Ok((record, version)) => Ok(Value::Struct(vec![
            ("type", Value::Str(record.name().to_owned())),
            ("version", Value::Int(version.into())),
            ("data", record.value(version)),
        ])
        .to_json()),
        Err(error) => Err(note(reason(&error))),
    }
}

/// What Kafka's `AbstractApiMessageSerde` says of the same fault, since it goes to standard output.
fn reason(error: &MetadataRecordError) -> String {
    match error {
        MetadataRecordError::Frame { number, fault: FrameFault::Unreadable(_) } => {
            format!("Error while reading {number}")
        }
        // Kafka reads an i32 and asks only whether it is above 32767; a negative one goes on as the i16 it ends in.
        MetadataRecordError::Frame { number, fault: FrameFault::TooLarge(value) } => match *number {
            "frame version" if *value > i32::MAX as u32 => reason(&MetadataRecordError::FrameVersion(*value as i16)),
            "type" if *value > i32::MAX as u32 => reason(&MetadataRecordError::UnknownType(*value as i16)),
            number => format!("Value for {number} was too large."),
        },
        MetadataRecordError::FrameVersion(0) => "Could not deserialize metadata record with frame version 0. Note that \
                                                 upgrades from the preview release of KRaft in 2.8 to newer versions \
                                                 are not supported."
            .to_owned(),
        MetadataRecordError::FrameVersion(version) => format!(
            "Could not deserialize metadata record due to unknown frame version {version}(only frame version 1 is \
             supported)"
        ),
        MetadataRecordError::UnknownType(record_type) => format!(
            "org.apache.kafka.common.errors.UnsupportedVersionException: Unknown metadata id {record_type}"
        ),
        MetadataRecordError::Message { record_type, .. } => {
            format!("Failed to deserialize record with type {record_type}")
        }
        MetadataRecordError::LeftOver { record_type, left } => {
            format!("Found {left} byte(s) of garbage after {record_type}")
        }
    }
}
