//! The records of the coordinators' topics as text: keys and values as JSON, or Kafka's note that they are none.
//!
//! Kafka: `DumpLogSegments.CoordinatorRecordMessageParser`. Its notes go to standard output, so the reasons in them are
//! worded as those of its `CoordinatorRecordSerde` and of the code that it generates.

use base::Offset;
use bytes::Bytes;
use wire::consumer_protocol::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use wire::group_records::GroupRecord;
use wire::share_records::ShareRecord;
use wire::transaction_records::TransactionRecord;
use wire::{CoordinatorRecordError, DecodeError, DecodeFault, Decoder, Message, Value};

/// A topic of a coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// `__consumer_offsets`.
    Offsets,
    /// `__transaction_state`.
    Transactions,
    /// `__share_group_state`.
    ShareGroups,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Key and value as JSON; `None` for a tombstone.
    Record(String, Option<String>),
    /// Why the record is passed over.
    Note(String),
}

/// A record without a key; Kafka's tool ends there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record at offset {0} has no key, so it is none of a coordinator's topic")]
pub(crate) struct NoKey(Offset);

/// Key and value of the record at `offset`.
pub(crate) fn record(
    topic: Topic,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    offset: Offset,
) -> Result<Told, NoKey> {
    let key = Bytes::copy_from_slice(key.ok_or(NoKey(offset))?);
    let value = value.map(Bytes::copy_from_slice);
    let read = match topic {
        Topic::Offsets => GroupRecord::decode_reading_on(key, value).map(|record| {
            let value = record.value().map(|(version, value)| (version, with_assignments(value)));
            (record.record_type(), record.key(), value)
        }),
        Topic::Transactions => TransactionRecord::decode_reading_on(key, value)
            .map(|record| (record.record_type(), record.key(), record.value())),
        Topic::ShareGroups => ShareRecord::decode_reading_on(key, value)
            .map(|record| (record.record_type(), record.key(), record.value())),
    };
    Ok(match read {
        Ok((record_type, Some(key), value)) => Told::Record(
            object("type", record_type, key),
            value.map(|(version, value)| object("version", version, value)),
        ),
        Ok((record_type, None, _)) => {
            Told::Note(format!("Unknown record type {record_type} at offset {offset}, skipping."))
        }
        Err(error) => Told::Note(format!("Error at offset {offset}, skipping. {}", reason(&error))),
    })
}

/// The number is text, as in Kafka.
fn object(name: &'static str, number: i16, data: Value) -> String {
    Value::Struct(vec![(name, Value::Str(number.to_string())), ("data", data)]).to_json()
}

/// Of a classic group of consumers, what its members say to each other is shown as well; what cannot be read stays
/// base64.
fn with_assignments(mut value: Value) -> Value {
    let Value::Struct(fields) = &mut value else { return value };
    if !fields.contains(&("protocolType", Value::Str("consumer".to_owned()))) {
        return value;
    }
    let members = fields.iter_mut().find(|(name, _)| *name == "members");
    if let Some((_, Value::List(members))) = members {
        for member in members {
            let Value::Struct(fields) = member else { continue };
            for (name, value) in fields {
                let Value::Bytes(bytes) = &*value else { continue };
                let bytes = Bytes::copy_from_slice(bytes);
                let shown = match *name {
                    "subscription" => {
                        between_consumers::<ConsumerProtocolSubscription>(bytes, |subscription| {
                            subscription.owned_partitions.is_empty()
                        })
                    }
                    "assignment" => between_consumers::<ConsumerProtocolAssignment>(bytes, |assignment| {
                        assignment.assigned_partitions.is_empty()
                    }),
                    _ => None,
                };
                if let Some(shown) = shown {
                    *value = shown;
                }
            }
        }
    }
    value
}

/// Kafka's tool reads a version below 0 as 0, and of one that it does not know what has no partitions in it: only the
/// structs within a message refuse such a version.
fn between_consumers<M: Message>(bytes: Bytes, is_without_partitions: impl Fn(&M) -> bool) -> Option<Value> {
    let mut from = Decoder::new(bytes);
    let version = from.i16().ok()?;
    let known = version.clamp(*M::VERSIONS.start(), *M::VERSIONS.end());
    let message = M::decode(&mut from, known).ok()?;
    (version <= known || is_without_partitions(&message)).then(|| message.value(known))
}

fn reason(error: &CoordinatorRecordError) -> String {
    match error {
        CoordinatorRecordError::Type(_) => "Could not read version from key's buffer.".to_owned(),
        CoordinatorRecordError::Key { record_type, error } => format!(
            "Could not read record with version {record_type} from key's buffer due to: {}.",
            fault(error)
        ),
        CoordinatorRecordError::Version { .. } => "Could not read version from value's buffer.".to_owned(),
        CoordinatorRecordError::Value { record_type, version, error } => match error.fault {
            DecodeFault::UnsupportedVersion { .. } => {
                format!("Found an unknown record version {version} for {record_type} type")
            }
            _ => format!(
                "Could not read record with version {version} from value's buffer due to: {}.",
                fault(error)
            ),
        },
    }
}

/// What Kafka's generated code says of the same fault.
fn fault(error: &DecodeError) -> String {
    let field = error.field.rsplit('.').next().unwrap_or_default();
    match &error.fault {
        // A `BufferUnderflowException` has no words.
        DecodeFault::TooShort { .. } => "null".to_owned(),
        DecodeFault::BytesBeyondFrame { claimed, left } => {
            format!("Error reading byte array of {claimed} byte(s): only {left} byte(s) available")
        }
        DecodeFault::LengthBeyondFrame { claimed, left, .. } if claimed > left => format!(
            "Tried to allocate a collection of size {claimed}, but there are only {left} bytes remaining."
        ),
        DecodeFault::UnexpectedNull | DecodeFault::BadLength(_) => {
            format!("non-nullable field {field} was serialized as null")
        }
        DecodeFault::StringTooLong(length) => format!("string field {field} had invalid length {length}"),
        other => other.to_string(),
    }
}
