//! The one place where our errors become Kafka's numbers.
//!
//! Every match is exhaustive, so a new way to fail asks here what Kafka would say.

mod names;

use catalog::{CatalogError, ConfigsError, FeatureError, NoPartition, RecordsError, TopicError};
use partition::{AppendError, PartitionError, ReadError};
use state_machines::group::GroupError;
use state_machines::{configs, quotas, sequence, telemetry, topics};

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

/// What GetTelemetrySubscriptions and PushTelemetry answer to who asks or pushes what it may not.
impl From<telemetry::Refusal> for Code {
    fn from(refusal: telemetry::Refusal) -> Self {
        match refusal {
            telemetry::Refusal::TooEarly => Self::ThrottlingQuotaExceeded,
            telemetry::Refusal::Invalid => Self::InvalidRequest,
            telemetry::Refusal::UnknownSubscription => Self::UnknownSubscriptionId,
            telemetry::Refusal::UnknownCompression => Self::UnsupportedCompressionType,
            telemetry::Refusal::TooLarge => Self::TelemetryTooLarge,
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

impl From<&GroupError> for Code {
    fn from(error: &GroupError) -> Self {
        match error {
            GroupError::InvalidGroupId => Self::InvalidGroupId,
            GroupError::InvalidSessionTimeout => Self::InvalidSessionTimeout,
            GroupError::UnknownMemberId => Self::UnknownMemberId,
            GroupError::FencedInstanceId => Self::FencedInstanceId,
            GroupError::IllegalGeneration => Self::IllegalGeneration,
            GroupError::InconsistentProtocol => Self::InconsistentGroupProtocol,
            GroupError::RebalanceInProgress => Self::RebalanceInProgress,
            GroupError::MemberIdRequired => Self::MemberIdRequired,
            GroupError::GroupMaxSizeReached => Self::GroupMaxSizeReached,
            GroupError::GroupIdNotFound => Self::GroupIdNotFound,
            GroupError::NonEmptyGroup => Self::NonEmptyGroup,
            GroupError::SubscribedToTopic => Self::GroupSubscribedToTopic,
            GroupError::OffsetMetadataTooLarge => Self::OffsetMetadataTooLarge,
            GroupError::InvalidRequest => Self::InvalidRequest,
            GroupError::FencedMemberEpoch => Self::FencedMemberEpoch,
            GroupError::UnreleasedInstanceId => Self::UnreleasedInstanceId,
            GroupError::UnsupportedAssignor => Self::UnsupportedAssignor,
            GroupError::StaleMemberEpoch => Self::StaleMemberEpoch,
            GroupError::UnsupportedVersion => Self::UnsupportedVersion,
            GroupError::InvalidRegularExpression => Self::InvalidRegularExpression,
            GroupError::RecordTooLarge => Self::UnknownServerError,
            // The client looks for its coordinator and asks again.
            GroupError::Superseded => Self::CoordinatorNotAvailable,
        }
    }
}

impl From<&TopicError> for Code {
    fn from(error: &TopicError) -> Self {
        match error {
            TopicError::Refused(refusal) => refusal.into(),
            TopicError::DeletionDisabled => Self::TopicDeletionDisabled,
            TopicError::OverQuota => Self::ThrottlingQuotaExceeded,
            TopicError::Catalog(error) => error.into(),
        }
    }
}

impl From<&FeatureError> for Code {
    fn from(error: &FeatureError) -> Self {
        match error {
            FeatureError::Refused { .. } => Self::InvalidUpdateVersion,
            FeatureError::Catalog(error) => error.into(),
        }
    }
}

impl From<&ConfigsError> for Code {
    fn from(error: &ConfigsError) -> Self {
        match error {
            ConfigsError::Refused(refusal) => refusal.into(),
            ConfigsError::Catalog(error) => error.into(),
        }
    }
}

impl From<&configs::Refusal> for Code {
    fn from(refusal: &configs::Refusal) -> Self {
        use configs::Refusal;
        match refusal {
            Refusal::DuplicateResource
            | Refusal::DuplicateKey { .. }
            | Refusal::NullValue { .. }
            | Refusal::NotConfigurable { .. }
            | Refusal::OtherBroker { .. }
            | Refusal::UnknownOperation(_)
            | Refusal::NotForLoggers { .. }
            | Refusal::NoName
            | Refusal::InvalidRequest(_) => Self::InvalidRequest,
            Refusal::NotAList { .. }
            | Refusal::NoSuchLogger(_)
            | Refusal::MinInsyncReplicasOfBroker
            | Refusal::MinInsyncReplicasTakenAway
            | Refusal::ValueTooLong { .. }
            | Refusal::InvalidConfig(_) => Self::InvalidConfig,
            Refusal::InvalidName(_) => Self::InvalidTopicException,
            Refusal::TooMuch | Refusal::TooManySubscriptions => Self::PolicyViolation,
            Refusal::UnknownTopic => Self::UnknownTopicOrPartition,
        }
    }
}

impl From<&RecordsError> for Code {
    fn from(error: &RecordsError) -> Self {
        match error {
            RecordsError::NoPartition(missing) => missing.into(),
            RecordsError::KeptByPolicy => Self::PolicyViolation,
            RecordsError::Partition(error) => error.into(),
        }
    }
}

impl From<&PartitionError> for Code {
    fn from(error: &PartitionError) -> Self {
        match error {
            PartitionError::Log(_) | PartitionError::Shut(_) => Self::KafkaStorageError,
            PartitionError::Closed => Self::NotLeaderOrFollower,
            PartitionError::NotDeletable { .. } => Self::OffsetOutOfRange,
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
            Refusal::TooManyPartitions | Refusal::FixedCount { .. } => Self::PolicyViolation,
            Refusal::UnknownTopic | Refusal::UnknownPartition { .. } => Self::UnknownTopicOrPartition,
            Refusal::NoReassignment => Self::NoReassignmentInProgress,
            Refusal::UnknownTopicId => Self::UnknownTopicId,
        }
    }
}

impl From<&quotas::Refusal> for Code {
    fn from(refusal: &quotas::Refusal) -> Self {
        use quotas::Refusal;
        match refusal {
            Refusal::EmptyEntity
            | Refusal::UnknownType(_)
            | Refusal::EmptyName(_)
            | Refusal::IpWithOthers
            | Refusal::NotAnAddress(_)
            | Refusal::UnknownKey(_)
            | Refusal::NotPositive(_)
            | Refusal::TooLarge(_)
            | Refusal::Fraction(_)
            | Refusal::KeyTwice(_)
            | Refusal::EntityTwice => Self::InvalidRequest,
            Refusal::TooMany => Self::PolicyViolation,
        }
    }
}

impl From<&quotas::FilterError> for Code {
    fn from(error: &quotas::FilterError) -> Self {
        use quotas::FilterError;
        match error {
            FilterError::EmptyType | FilterError::TypeTwice(_) | FilterError::IpWithOthers => {
                Self::InvalidRequest
            }
            FilterError::UnknownType(_) => Self::UnsupportedVersion,
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

#[cfg(test)]
mod tests {
    use base::{PartitionIndex, Uuid};
    use records::{BatchError, Refusal};

    use super::*;

    #[test]
    fn codes_have_kafkas_numbers_and_names() {
        for (code, number, name) in [
            (Code::UnknownServerError, -1, "UNKNOWN_SERVER_ERROR"),
            (Code::None, 0, "NONE"),
            (Code::UnknownTopicOrPartition, 3, "UNKNOWN_TOPIC_OR_PARTITION"),
            (Code::InvalidTopicException, 17, "INVALID_TOPIC_EXCEPTION"),
            (Code::OutOfOrderSequenceNumber, 45, "OUT_OF_ORDER_SEQUENCE_NUMBER"),
            (Code::KafkaStorageError, 56, "KAFKA_STORAGE_ERROR"),
            (Code::InvalidRecord, 87, "INVALID_RECORD"),
            (Code::UnknownTopicId, 100, "UNKNOWN_TOPIC_ID"),
            (Code::ShareSessionLimitReached, 133, "SHARE_SESSION_LIMIT_REACHED"),
        ] {
            assert_eq!((code.number(), code.name()), (number, name));
        }
        let numbers: Vec<i16> = Code::ALL.iter().map(|code| code.number()).collect();
        assert_eq!(numbers, (-1..=133).collect::<Vec<i16>>());
        assert_eq!(Code::InvalidRecord.to_string(), "INVALID_RECORD (87)");
    }

    #[test]
    fn what_a_producer_sent() {
        let records = |timestamp| Refusal::Records { errors: Vec::new(), total: 1, timestamp };
        for (refusal, number) in [
            (Refusal::NoBatch, 87),
            (Refusal::Length(3), 2),
            (Refusal::UnknownMagic(3), 2),
            (Refusal::OldMagic(1), 87),
            (Refusal::ZstdTooEarly { produce_version: 6 }, 76),
            (Refusal::SecondBatch, 87),
            (Refusal::BaseOffset(base::Offset(1)), 87),
            (Refusal::TooLarge { size: 2, limit: 1, rebuilt: false }, 10),
            (Refusal::TooSmall(60), 2),
            (Refusal::Crc { stored: 1, computed: 2 }, 2),
            (Refusal::Control, 87),
            (Refusal::Malformed(BatchError::LeftOver(1)), 87),
            (Refusal::DecompressedTooLarge { limit: 1 }, 10),
            (records(true), 32),
            (records(false), 87),
        ] {
            assert_eq!(Code::from(&refusal).number(), number, "{refusal}");
        }
    }

    #[test]
    fn what_became_of_an_append_or_a_read() {
        let too_large = AppendError::LargerThanSegment { size: 2, limit: 1 };
        assert_eq!(Code::from(&too_large), Code::RecordListTooLarge);
        assert_eq!(Code::from(&AppendError::Closed), Code::NotLeaderOrFollower);
        let zero = base::Offset(0);
        let outside = ReadError::OutOfRange { from: base::Offset(9), log_start: zero, log_end: zero };
        assert_eq!(Code::from(&outside), Code::OffsetOutOfRange);
    }

    #[test]
    fn what_the_catalogue_cannot_do() {
        let (topic, index) = (Uuid::nil(), PartitionIndex(0));
        assert_eq!(Code::from(&NoPartition::Unknown { topic, index }), Code::NotLeaderOrFollower);
        let offline = NoPartition::Offline { topic: "t".to_owned(), index, reason: String::new() };
        assert_eq!(Code::from(&offline), Code::KafkaStorageError);
        let shut = CatalogError::Shut { reason: String::new() };
        assert_eq!(Code::from(&TopicError::Catalog(shut)), Code::KafkaStorageError);
        assert_eq!(Code::from(&TopicError::Catalog(CatalogError::Closed)), Code::NotController);
        assert_eq!(Code::from(&TopicError::DeletionDisabled), Code::TopicDeletionDisabled);
    }

    #[test]
    fn what_records_cannot_be_deleted() {
        let (asked, high_watermark) = (base::Offset(-2), base::Offset(7));
        let outside = RecordsError::Partition(PartitionError::NotDeletable { asked, high_watermark });
        assert_eq!(Code::from(&outside), Code::OffsetOutOfRange);
        assert_eq!(Code::from(&RecordsError::KeptByPolicy), Code::PolicyViolation);
        let closed = RecordsError::Partition(PartitionError::Closed);
        assert_eq!(Code::from(&closed), Code::NotLeaderOrFollower);
        let (topic, index) = (Uuid::nil(), PartitionIndex(0));
        let deleted = RecordsError::NoPartition(NoPartition::Unknown { topic, index });
        assert_eq!(Code::from(&deleted), Code::NotLeaderOrFollower);
    }

    #[test]
    fn what_the_rules_of_topics_forbid() {
        use topics::Refusal;
        for (refusal, number) in [
            (Refusal::Exists { name: "t".to_owned() }, 36),
            (Refusal::MetadataTopic, 42),
            (Refusal::DuplicateName, 42),
            (Refusal::InvalidConfig(String::new()), 40),
            (Refusal::TooFewNodes { factor: 3, nodes: 1 }, 38),
            (Refusal::PartitionsNotPositive, 37),
            (Refusal::EmptyAssignment, 39),
            (Refusal::TooManyPartitions, 44),
            (Refusal::FixedCount { topic: String::new(), count: 50 }, 44),
            (Refusal::UnknownTopic, 3),
            (Refusal::UnknownTopicId, 100),
        ] {
            assert_eq!(Code::from(&refusal).number(), number, "{refusal}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_fetch_session() {
        let numbers = [SessionError::NotFound, SessionError::WrongEpoch, SessionError::OtherNaming]
            .map(|error| Code::from(error).number());
        assert_eq!(numbers, [70, 71, 106]);
    }
}
