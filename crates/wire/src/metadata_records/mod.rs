//! The records of `__cluster_metadata-0`: what the cluster knows, as a sequence of changes (KIP-500, KIP-631).
//!
//! The value of a record is framed: the frame's version (1), the record's type and its version, each as an unsigned
//! varint, then the message, always flexible, and nothing after it (Kafka: `AbstractApiMessageSerde`).

pub mod clients;
pub mod log;
pub mod nodes;
pub mod topics;

use bytes::Bytes;

use crate::decoder::{DecodeError, Decoder};
use crate::encoder::{EncodeError, Encoder};
use crate::message::Message;
use crate::value::Value;

pub use clients::{
    AccessControlEntryRecord, ClientQuotaRecord, DelegationTokenRecord, ProducerIdsRecord,
    RemoveAccessControlEntryRecord, RemoveDelegationTokenRecord, RemoveUserScramCredentialRecord,
    UserScramCredentialRecord,
};
pub use log::{AbortTransactionRecord, BeginTransactionRecord, EndTransactionRecord, NoOpRecord};
pub use nodes::{
    BrokerRegistrationChangeRecord, FeatureLevelRecord, FenceBrokerRecord, RegisterBrokerRecord,
    RegisterControllerRecord, UnfenceBrokerRecord, UnregisterBrokerRecord, ZkMigrationStateRecord,
};
pub use topics::{
    ClearElrRecord, ConfigRecord, PartitionChangeRecord, PartitionRecord, RemoveTopicRecord, TopicRecord,
};

/// The only version of the frame around a record.
const FRAME_VERSION: u32 = 1;

/// Why the value of a record in the metadata log is none of Kafka's records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataRecordError {
    /// One of the three numbers before the message cannot be read, or is above 32767.
    #[error("the {number} cannot be read: {fault}")]
    Frame {
        /// Which one: `frame version`, `type` or `version`.
        number: &'static str,
        /// Why.
        fault: FrameFault,
    },
    /// A frame version other than 1.
    #[error("unknown frame version {0}")]
    FrameVersion(i16),
    /// A type that Kafka 4.1 does not know.
    #[error("unknown record type {0}")]
    UnknownType(i16),
    /// The message cannot be read.
    #[error("a record of type {record_type} cannot be read: {error}")]
    Message {
        /// The type of the record.
        record_type: i16,
        /// Why.
        error: DecodeError,
    },
    /// Bytes after the message.
    #[error("{left} bytes are left over after a record of type {record_type}")]
    LeftOver {
        /// The type of the record.
        record_type: i16,
        /// How many bytes.
        left: usize,
    },
}

/// Why a number of the frame cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// The bytes hold no varint.
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
    /// It is above 32767.
    #[error("{0} is above 32767")]
    TooLarge(u32),
}

macro_rules! metadata_records {
    ($($name:ident($record:ident) = $text:literal;)*) => {
        /// A record of the metadata log.
        #[derive(Clone, Debug, PartialEq)]
        pub enum MetadataRecord {
            $(
                #[doc = concat!("Type `", $text, "`.")]
                $name($record),
            )*
        }

        impl MetadataRecord {
            /// Kafka's name of the type, such as `TOPIC_RECORD`.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $text,)*
                }
            }

            /// Kafka's number of the type.
            #[must_use]
            pub const fn record_type(&self) -> i16 {
                match self {
                    $(Self::$name(_) => $record::API_KEY,)*
                }
            }

            /// The highest version of this type.
            #[must_use]
            pub const fn highest_version(&self) -> i16 {
                match self {
                    $(Self::$name(_) => *$record::VERSIONS.end(),)*
                }
            }

            /// The record as a tree of values, as Kafka's JSON converters show it.
            #[must_use]
            pub fn value(&self, version: i16) -> Value {
                match self {
                    $(Self::$name(record) => Message::value(record, version),)*
                }
            }

            fn decode_message(
                record_type: i16,
                from: &mut Decoder,
                version: i16,
            ) -> Result<Self, MetadataRecordError> {
                let message = |error| MetadataRecordError::Message { record_type, error };
                match record_type {
                    $($record::API_KEY => $record::decode(from, version).map(Self::$name).map_err(message),)*
                    unknown => Err(MetadataRecordError::UnknownType(unknown)),
                }
            }

            fn encode_message(&self, to: &mut Encoder, version: i16) -> Result<(), EncodeError> {
                match self {
                    $(Self::$name(record) => record.encode(to, version),)*
                }
            }
        }

        $(
            impl From<$record> for MetadataRecord {
                fn from(record: $record) -> Self {
                    Self::$name(record)
                }
            }
        )*
    };
}

metadata_records! {
    RegisterBroker(RegisterBrokerRecord) = "REGISTER_BROKER_RECORD";
    UnregisterBroker(UnregisterBrokerRecord) = "UNREGISTER_BROKER_RECORD";
    Topic(TopicRecord) = "TOPIC_RECORD";
    Partition(PartitionRecord) = "PARTITION_RECORD";
    Config(ConfigRecord) = "CONFIG_RECORD";
    PartitionChange(PartitionChangeRecord) = "PARTITION_CHANGE_RECORD";
    FenceBroker(FenceBrokerRecord) = "FENCE_BROKER_RECORD";
    UnfenceBroker(UnfenceBrokerRecord) = "UNFENCE_BROKER_RECORD";
    RemoveTopic(RemoveTopicRecord) = "REMOVE_TOPIC_RECORD";
    DelegationToken(DelegationTokenRecord) = "DELEGATION_TOKEN_RECORD";
    UserScramCredential(UserScramCredentialRecord) = "USER_SCRAM_CREDENTIAL_RECORD";
    FeatureLevel(FeatureLevelRecord) = "FEATURE_LEVEL_RECORD";
    ClientQuota(ClientQuotaRecord) = "CLIENT_QUOTA_RECORD";
    ProducerIds(ProducerIdsRecord) = "PRODUCER_IDS_RECORD";
    BrokerRegistrationChange(BrokerRegistrationChangeRecord) = "BROKER_REGISTRATION_CHANGE_RECORD";
    AccessControlEntry(AccessControlEntryRecord) = "ACCESS_CONTROL_ENTRY_RECORD";
    RemoveAccessControlEntry(RemoveAccessControlEntryRecord) = "REMOVE_ACCESS_CONTROL_ENTRY_RECORD";
    NoOp(NoOpRecord) = "NO_OP_RECORD";
    ZkMigrationState(ZkMigrationStateRecord) = "ZK_MIGRATION_STATE_RECORD";
    RemoveUserScramCredential(RemoveUserScramCredentialRecord) = "REMOVE_USER_SCRAM_CREDENTIAL_RECORD";
    BeginTransaction(BeginTransactionRecord) = "BEGIN_TRANSACTION_RECORD";
    EndTransaction(EndTransactionRecord) = "END_TRANSACTION_RECORD";
    AbortTransaction(AbortTransactionRecord) = "ABORT_TRANSACTION_RECORD";
    RemoveDelegationToken(RemoveDelegationTokenRecord) = "REMOVE_DELEGATION_TOKEN_RECORD";
    RegisterController(RegisterControllerRecord) = "REGISTER_CONTROLLER_RECORD";
    ClearElr(ClearElrRecord) = "CLEAR_ELR_RECORD";
}

impl MetadataRecord {
    /// Takes the value of a record apart: the record and its version.
    ///
    /// # Errors
    /// When the value is not framed as Kafka's records are, or is none that Kafka 4.1 knows.
    pub fn decode(value: Bytes) -> Result<(Self, i16), MetadataRecordError> {
        let mut from = Decoder::new(value);
        let frame_version = frame_number(&mut from, "frame version")?;
        if u32::from(frame_version.cast_unsigned()) != FRAME_VERSION {
            return Err(MetadataRecordError::FrameVersion(frame_version));
        }
        let record_type = frame_number(&mut from, "type")?;
        let version = frame_number(&mut from, "version")?;
        let record = Self::decode_message(record_type, &mut from, version)?;
        match from.remaining() {
            0 => Ok((record, version)),
            left => Err(MetadataRecordError::LeftOver { record_type, left }),
        }
    }

    /// The value of a record that holds this at `version`.
    ///
    /// # Errors
    /// When the record has no such version, or holds what that version cannot say.
    pub fn encode(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut to = Encoder::new();
        to.unsigned_varint(FRAME_VERSION);
        to.unsigned_varint(u32::from(self.record_type().cast_unsigned()));
        to.unsigned_varint(u32::from(version.cast_unsigned()));
        self.encode_message(&mut to, version)?;
        to.into_bytes()
    }
}

fn frame_number(from: &mut Decoder, number: &'static str) -> Result<i16, MetadataRecordError> {
    let read = from
        .unsigned_varint()
        .map_err(FrameFault::from)
        .and_then(|read| i16::try_from(read).map_err(|_| FrameFault::TooLarge(read)));
    read.map_err(|fault| MetadataRecordError::Frame { number, fault })
}
