//! Records of the coordinators' topics as JSON (Kafka: `CoordinatorRecordMessageFormatter` and what extends it).

use bytes::Bytes;
use client::Consumed;
use wire::Value;
use wire::group_records::GroupRecord;
use wire::transaction_records::TransactionRecord;

/// Which records are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coordinator {
    /// Committed offsets.
    Offsets,
    /// Groups of the classic protocol.
    Groups,
    /// Transactions.
    Transactions,
}

impl Coordinator {
    pub(super) fn by_class(name: &str) -> Option<Self> {
        match name {
            "OffsetsMessageFormatter" => Some(Self::Offsets),
            "GroupMetadataMessageFormatter" => Some(Self::Groups),
            "TransactionLogMessageFormatter" => Some(Self::Transactions),
            _ => None,
        }
    }

    /// The record, or nothing where it is of another kind. As in Kafka no line ends behind it.
    pub(super) fn text(self, record: &Consumed) -> Result<Vec<u8>, String> {
        let Some(key) = &record.key else { return Ok(Vec::new()) };
        let key = Bytes::copy_from_slice(key);
        let value = record.value.as_deref().map(Bytes::copy_from_slice);
        let read = match self {
            Self::Offsets | Self::Groups => GroupRecord::decode_reading_on(key, value)
                .map(|record| (record.record_type(), record.key(), record.value())),
            Self::Transactions => TransactionRecord::decode_reading_on(key, value)
                .map(|record| (record.record_type(), record.key(), record.value())),
        };
        let (kind, key, value) = read.map_err(|error| error.to_string())?;
        let shown = match self {
            Self::Offsets => kind <= 1,
            Self::Groups => kind == 2,
            Self::Transactions => true,
        };
        let Some(key) = key.filter(|_| shown) else { return Ok(Vec::new()) };
        let part =
            |name, number: i16, data| Value::Struct(vec![(name, Value::Int(number.into())), ("data", data)]);
        let value = value.map_or(Value::Null, |(version, value)| part("version", version, value));
        Ok(Value::Struct(vec![("key", part("type", kind, key)), ("value", value)]).to_json().into_bytes())
    }
}
