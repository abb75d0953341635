//! A record as text (Kafka: `DefaultMessageFormatter`, and its deserializers).

use client::Consumed;
use records::TimestampType;

use super::coordinator::Coordinator;
use crate::java;
use crate::properties::Properties;

/// What is printed of a record, and how.
#[derive(Debug)]
pub(super) struct Formatter {
    timestamp: bool,
    partition: bool,
    offset: bool,
    delivery: bool,
    epoch: bool,
    headers: bool,
    key: bool,
    value: bool,
    key_separator: String,
    line_separator: String,
    headers_separator: String,
    null_literal: String,
    key_as: Shape,
    value_as: Shape,
    headers_as: Shape,
    /// Print something else of the record, or nothing at all.
    instead: Option<Instead>,
}

/// What is printed in the place of key and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instead {
    Nothing,
    Coordinator(Coordinator),
}

/// What bytes mean (Kafka: a `Deserializer`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// As they are.
    Raw,
    /// Text: bytes that are no UTF-8 become U+FFFD.
    Text,
    Integer,
    Long,
    Short,
    Boolean,
    Float,
    Double,
    /// An id in text.
    Uuid,
    /// Text, with what is not printable as `\x00`.
    Escaped,
}

impl Formatter {
    /// What the properties and `--formatter` say.
    pub(super) fn new(properties: &Properties, class: Option<&str>) -> Result<Self, String> {
        let instead = match class.map(simple_name) {
            None | Some("DefaultMessageFormatter") => None,
            Some("NoOpMessageFormatter") => Some(Instead::Nothing),
            Some(name) => match Coordinator::by_class(name) {
                Some(coordinator) => Some(Instead::Coordinator(coordinator)),
                None => {
                    return Err(format!("--formatter {} is not supported", class.unwrap_or_default()));
                }
            },
        };
        let is_true = |key: &str, default| properties.is_true(key).unwrap_or(default);
        let text = |key: &str, default: &str| properties.get(key).unwrap_or(default).to_owned();
        let shape = |key: &str| properties.get(key).map_or(Ok(Shape::Raw), |class| Shape::of(key, class));
        Ok(Self {
            timestamp: is_true("print.timestamp", false),
            partition: is_true("print.partition", false),
            offset: is_true("print.offset", false),
            delivery: is_true("print.delivery", false),
            epoch: is_true("print.epoch", false),
            headers: is_true("print.headers", false),
            key: is_true("print.key", false),
            value: is_true("print.value", true),
            key_separator: text("key.separator", "\t"),
            line_separator: text("line.separator", "\n"),
            headers_separator: text("headers.separator", ","),
            null_literal: text("null.literal", "null"),
            key_as: shape("key.deserializer")?,
            value_as: shape("value.deserializer")?,
            headers_as: shape("headers.deserializer")?,
            instead,
        })
    }

    /// The line of a record, with its end.
    pub(super) fn text(&self, record: &Consumed) -> Result<Vec<u8>, String> {
        let mut columns: Vec<Vec<u8>> = Vec::new();
        match self.instead {
            None => {}
            Some(Instead::Nothing) => return Ok(Vec::new()),
            Some(Instead::Coordinator(coordinator)) => return coordinator.text(record),
        }
        if self.timestamp {
            let name = match record.timestamp_type {
                TimestampType::CreateTime => "CreateTime",
                TimestampType::LogAppendTime => "LogAppendTime",
            };
            columns.push(format!("{name}:{}", record.timestamp).into());
        }
        if self.partition {
            columns.push(format!("Partition:{}", record.partition.partition).into());
        }
        if self.offset {
            columns.push(format!("Offset:{}", record.offset).into());
        }
        // The console consumer of Kafka shows neither, but for share groups.
        if self.delivery {
            columns.push(b"Delivery:NOT_PRESENT".to_vec());
        }
        if self.epoch {
            columns.push(b"Epoch:NOT_PRESENT".to_vec());
        }
        if self.headers {
            columns.push(self.headers_of(record)?);
        }
        if self.key {
            columns.push(self.shown(self.key_as, record.key.as_deref())?);
        }
        if self.value {
            columns.push(self.shown(self.value_as, record.value.as_deref())?);
        }
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        let mut line = columns.join(self.key_separator.as_bytes());
        line.extend_from_slice(self.line_separator.as_bytes());
        Ok(line)
    }

    fn headers_of(&self, record: &Consumed) -> Result<Vec<u8>, String> {
        if record.headers.is_empty() {
            return Ok(b"NO_HEADERS".to_vec());
        }
        let mut all = Vec::new();
        for (key, value) in &record.headers {
            let value = self.shown(self.headers_as, value.as_deref())?;
            all.push([key, &b":"[..], &value].concat());
        }
        Ok(all.join(self.headers_separator.as_bytes()))
    }

    fn shown(&self, shape: Shape, bytes: Option<&[u8]>) -> Result<Vec<u8>, String> {
        // As in Kafka the literal for null goes through the deserializer too.
        shape.text(bytes.unwrap_or(self.null_literal.as_bytes()))
    }
}

fn simple_name(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}

impl Shape {
    fn of(key: &str, class: &str) -> Result<Self, String> {
        Ok(match simple_name(class) {
            "StringDeserializer" => Self::Text,
            "IntegerDeserializer" => Self::Integer,
            "LongDeserializer" => Self::Long,
            "ShortDeserializer" => Self::Short,
            "BooleanDeserializer" => Self::Boolean,
            "FloatDeserializer" => Self::Float,
            "DoubleDeserializer" => Self::Double,
            "UUIDDeserializer" => Self::Uuid,
            "BytesDeserializer" => Self::Escaped,
            _ => return Err(format!("{key}={class} is not supported: a Java class cannot be loaded")),
        })
    }

    fn text(self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        fn of<const N: usize>(bytes: &[u8]) -> Result<[u8; N], String> {
            bytes.try_into().map_err(|_| format!("{} bytes where {N} are expected", bytes.len()))
        }
        let text = match self {
            Self::Raw => return Ok(bytes.to_vec()),
            Self::Text => String::from_utf8_lossy(bytes).into_owned(),
            Self::Integer => i32::from_be_bytes(of(bytes)?).to_string(),
            Self::Long => i64::from_be_bytes(of(bytes)?).to_string(),
            Self::Short => i16::from_be_bytes(of(bytes)?).to_string(),
            Self::Float => java::short_number(f32::from_be_bytes(of(bytes)?)),
            Self::Double => java::number(f64::from_be_bytes(of(bytes)?)),
            Self::Uuid => {
                let text = String::from_utf8_lossy(bytes);
                let id: base::Uuid = text.parse().map_err(|_| format!("{text} is no UUID"))?;
                id.to_string()
            }
            Self::Escaped => bytes.iter().fold(String::new(), |mut text, byte| {
                match byte {
                    b' '..=b'~' if *byte != b'\\' => text.push(char::from(*byte)),
                    _ => text.push_str(&format!("\\x{byte:02X}")),
                }
                text
            }),
            Self::Boolean => match of::<1>(bytes)? {
                [0] => "false".to_owned(),
                [1] => "true".to_owned(),
                [other] => return Err(format!("{other} is no boolean")),
            },
        };
        Ok(text.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use client::TopicPartition;

    use super::*;

    fn shown(pairs: &[&str], class: Option<&str>) -> Result<String, String> {
        let mut properties = Properties::default();
        properties.add(pairs.iter().copied());
        let record = Consumed {
            partition: TopicPartition::new("t", 3),
            offset: 7,
            timestamp: 11,
            timestamp_type: TimestampType::CreateTime,
            key: None,
            value: Some(vec![0, 0, 0, 42]),
            headers: vec![(b"a".to_vec(), Some(b"1".to_vec())), (b"b".to_vec(), None)],
        };
        let text = Formatter::new(&properties, class)?.text(&record)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    #[test]
    fn columns_are_parted_and_the_line_is_ended() {
        assert_eq!(shown(&[], None).unwrap(), "\0\0\0*\n");
        let all = ["print.timestamp=true", "print.partition=true", "print.offset=true", "print.headers=true"];
        let all = [&all[..], &["print.key=true", "value.deserializer=IntegerDeserializer"]].concat();
        assert_eq!(
            shown(&all, None).unwrap(),
            "CreateTime:11\tPartition:3\tOffset:7\ta:1,b:null\tnull\t42\n"
        );
        let bare = ["print.value=false", "print.offset=true", "line.separator=|"];
        assert_eq!(shown(&bare, None).unwrap(), "Offset:7|");
        assert_eq!(shown(&[], Some("org.apache.kafka.tools.consumer.NoOpMessageFormatter")).unwrap(), "");
    }

    #[test]
    fn what_cannot_be_shown_is_an_error_that_says_why() {
        let why = shown(&["value.deserializer=org.apache.kafka.common.serialization.LongDeserializer"], None);
        assert_eq!(why.unwrap_err(), "4 bytes where 8 are expected");
        assert!(shown(&["key.deserializer=my.Own"], None).unwrap_err().contains("my.Own"));
        assert!(shown(&[], Some("my.Formatter")).unwrap_err().contains("my.Formatter"));
    }
}
