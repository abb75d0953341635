//! What a control record says, in the words of Kafka's tool.

use bytes::Bytes;
use records::RecordView;
use records::control::{ControlError, ControlType, EndTxnMarker};
use wire::control_records::{
    KRaftVersionRecord, LeaderChangeMessage, SnapshotFooterRecord, SnapshotHeaderRecord, VotersRecord,
};
use wire::{DecodeError, Decoder, Message, Value};

/// Why a control record cannot be shown; Kafka's tool ends there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ControlFault {
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error("a control record of type {name} cannot be read: {error}")]
    Message { name: &'static str, error: DecodeError },
}

/// A control record, understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Control {
    /// The end of a transaction.
    EndTxn { control_type: &'static str, coordinator_epoch: i32 },
    /// A message: what Kafka's tool calls it, and its content.
    Message { label: &'static str, content: Value },
    /// A type of later days.
    Other { control_type: ControlType },
}

impl Control {
    pub(crate) fn read(record: &RecordView<'_>) -> Result<Self, ControlFault> {
        let control_type = ControlType::parse(record.key.unwrap_or_default())?;
        let value = record.value.unwrap_or_default();
        Ok(match control_type {
            ControlType::Abort | ControlType::Commit => Self::EndTxn {
                control_type: control_type.name(),
                coordinator_epoch: EndTxnMarker::of(record)?.coordinator_epoch,
            },
            ControlType::LeaderChange => {
                message::<LeaderChangeMessage>("LeaderChange:", value, |m| m.version)?
            }
            ControlType::SnapshotHeader => {
                message::<SnapshotHeaderRecord>("SnapshotHeader", value, |m| m.version)?
            }
            ControlType::SnapshotFooter => {
                message::<SnapshotFooterRecord>("SnapshotFooter", value, |m| m.version)?
            }
            ControlType::KraftVersion => message::<KRaftVersionRecord>("KRaftVersion", value, |m| m.version)?,
            ControlType::KraftVoters => message::<VotersRecord>("KRaftVoters", value, |m| m.version)?,
            ControlType::Unknown(_) => Self::Other { control_type },
        })
    }

    /// As the tool puts it at the end of a record's line.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::EndTxn { control_type, coordinator_epoch } => {
                format!(" endTxnMarker: {control_type} coordinatorEpoch: {coordinator_epoch}")
            }
            Self::Message { label, content } => format!(" {label} {}", content.to_json()),
            Self::Other { control_type } => {
                format!(" controlType: {}({})", control_type.name(), control_type.id())
            }
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> String {
        let members = match self {
            Self::EndTxn { control_type, coordinator_epoch } => vec![
                ("type", Value::Str((*control_type).to_owned())),
                ("coordinatorEpoch", Value::Int((*coordinator_epoch).into())),
            ],
            Self::Message { label, content } => {
                vec![("type", Value::Str(label.trim_end_matches(':').to_owned())), ("data", content.clone())]
            }
            Self::Other { control_type } => vec![
                ("type", Value::Str(control_type.name().to_owned())),
                ("typeId", Value::Int(control_type.id().into())),
            ],
        };
        Value::Struct(members).to_json()
    }
}

/// Reads a message as version 0, which is what Kafka's tool does, and shows it at the version that it says it has, if
/// that is one there is.
fn message<M: Message>(
    label: &'static str,
    value: &[u8],
    version: impl Fn(&M) -> i16,
) -> Result<Control, ControlFault> {
    let message = M::decode(&mut Decoder::new(Bytes::copy_from_slice(value)), 0)
        .map_err(|error| ControlFault::Message { name: M::NAME, error })?;
    let version = version(&message).clamp(*M::VERSIONS.start(), *M::VERSIONS.end());
    Ok(Control::Message { label, content: message.value(version) })
}
