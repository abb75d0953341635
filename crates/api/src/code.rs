//! The one place where our errors become Kafka's numbers.
//!
//! Every match is exhaustive, so a new way to fail asks here what Kafka would say.

mod names;

use catalog::{CatalogError, NoPartition, TopicError};
use partition::{AppendError, ReadError};
use state_machines::{sequence, topics};

use crate::fetch::SessionError;

pub use names::Code;

/// What a Produce answers for a batch that `records` does not let through.
impl From<&records::Refusal> for Code {
    fn from(refusal: &records::Refusal) -> Self {
        use records::Refusal;
        match refusal {
            Refusal::NoBatch
            | Refusal::OldMagic(_)
            | Refusal::SecondBatch
            | Refusal::BaseOffset(_)
            | Refusal::LastOffsetDelta(_)
            | Refusal::RecordCount(_)
            | Refusal::CountMismatch { .. }
            | Refusal::Control
            | Refusal::NoSequence { .. }
            | Refusal::Malformed(_) => Self::InvalidRecord,
            Refusal::Length(_) | Refusal::UnknownMagic(_) | Refusal::TooSmall(_) | Refusal::Crc { .. } => {
                Self::CorruptMessage
            }
            Refusal::ZstdTooEarly { .. } => Self::UnsupportedCompressionType,
            Refusal::TooLarge { .. } | Refusal::DecompressedTooLarge { .. } => Self::MessageTooLarge,
            Refusal::Records { timestamp: true, .. } => Self::InvalidTimestamp,
            Refusal::Records { timestamp: false, .. } => Self::InvalidRecord,
        }
    }
}

/// What a Produce answers for a batch whose producer epoch or sequence does not fit.
impl From<&sequence::Refusal> for Code {
    fn from(refusal: &sequence::Refusal) -> Self {
        match refusal {
            sequence::Refusal::StaleEpoch(_) => Self::InvalidProducerEpoch,
            sequence::Refusal::OutOfOrder(_) => Self::OutOfOrderSequenceNumber,
            sequence::Refusal::InTransaction(_) => Self::InvalidTxnState,
            sequence::Refusal::StaleCoordinator { .. } => Self::TransactionCoordinatorFenced,
        }
    }
}

impl From<&AppendError> for Code {
    fn from(error: &AppendError) -> Self {
        match error {
            AppendError::Refused(refusal) => refusal.into(),
            AppendError::LargerThanSegment { .. } => Self::RecordListTooLarge,
            AppendError::Failed(_) | AppendError::Shut(_) => Self::KafkaStorageError,
            AppendError::Closed => Self::NotLeaderOrFollower,
        }
    }
}

impl From<&ReadError> for Code {
    fn from(error: &ReadError) -> Self {
        match error {
            ReadError::OutOfRange { .. } => Self::OffsetOutOfRange,
            ReadError::Log(_) => Self::KafkaStorageError,
        }
    }
}

/// For a partition that the metadata knows: without a log here it is led by nobody or by another node.
impl From<&NoPartition> for Code {
    fn from(error: &NoPartition) -> Self {
        match error {
            NoPartition::Unknown { .. } => Self::NotLeaderOrFollower,
            NoPartition::Offline { .. } => Self::KafkaStorageError,
        }
    }
}

impl From<&CatalogError> for Code {
    fn from(error: &CatalogError) -> Self {
        match error {
            CatalogError::Failed { .. } | CatalogError::Shut { .. } => Self::KafkaStorageError,
            CatalogError::Closed => Self::NotController,
            CatalogError::NoProducerIds | CatalogError::NotClean { .. } => Self::UnknownServerError,
        }
    }
}

impl From<&TopicError> for Code {
    fn from(error: &TopicError) -> Self {
        match error {
            TopicError::Refused(refusal) => refusal.into(),
            TopicError::DeletionDisabled => Self::TopicDeletionDisabled,
            TopicError::Catalog(error) => error.into(),
        }
    }
}

impl From<&topics::Refusal> for Code {
    fn from(refusal: &topics::Refusal) -> Self {
        use topics::Refusal;
        match refusal {
            Refusal::InvalidName(_) | Refusal::Collides { .. } => Self::InvalidTopicException,
            Refusal::Exists { .. } => Self::TopicAlreadyExists,
            Refusal::MetadataTopic
            | Refusal::DuplicateName
            | Refusal::DuplicateId
            | Refusal::NamedTwice
            | Refusal::AssignmentWithFactor
            | Refusal::AssignmentWithPartitions => Self::InvalidRequest,
            Refusal::NullConfig { .. } | Refusal::InvalidConfig(_) => Self::InvalidConfig,
            Refusal::ReplicationFactorNotPositive | Refusal::TooFewNodes { .. } => {
                Self::InvalidReplicationFactor
            }
            Refusal::PartitionsNotPositive | Refusal::AlreadyHas { .. } | Refusal::NotAnIncrease { .. } => {
                Self::InvalidPartitions
            }
            Refusal::AssignedTwice { .. }
            | Refusal::EmptyAssignment
            | Refusal::UnknownNode { .. }
            | Refusal::NodeTwice { .. }
            | Refusal::UnevenAssignment { .. }
            | Refusal::AssignmentGap
            | Refusal::AssignmentCount { .. } => Self::InvalidReplicaAssignment,
            Refusal::TooManyPartitions => Self::PolicyViolation,
            Refusal::UnknownTopic => Self::UnknownTopicOrPartition,
            Refusal::UnknownTopicId => Self::UnknownTopicId,
        }
    }
}

impl From<SessionError> for Code {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::NotFound => Self::FetchSessionIdNotFound,
            SessionError::WrongEpoch => Self::InvalidFetchSessionEpoch,
            SessionError::OtherNaming => Self::FetchSessionTopicIdError,
        }
    }
}
