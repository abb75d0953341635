//! Why a request about a group is refused. `api` maps these to Kafka's numbers.

/// A refusal. Each stands for one error code of Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// `INVALID_GROUP_ID`.
    #[error("a group needs an id that is not empty")]
    InvalidGroupId,
    /// `INVALID_SESSION_TIMEOUT`.
    #[error(
        "the session timeout lies outside of group.min.session.timeout.ms and group.max.session.timeout.ms"
    )]
    InvalidSessionTimeout,
    /// `UNKNOWN_MEMBER_ID`.
    #[error("the group has no such member")]
    UnknownMemberId,
    /// `FENCED_INSTANCE_ID`.
    #[error("another member has taken over this instance id")]
    FencedInstanceId,
    /// `ILLEGAL_GENERATION`.
    #[error("this is not the group's generation")]
    IllegalGeneration,
    /// `INCONSISTENT_GROUP_PROTOCOL`.
    #[error("the group's members have no protocol in common with this one")]
    InconsistentProtocol,
    /// `REBALANCE_IN_PROGRESS`.
    #[error("the group rebalances: join again")]
    RebalanceInProgress,
    /// `MEMBER_ID_REQUIRED` (KIP-394).
    #[error("join again with the member id given")]
    MemberIdRequired,
    /// `GROUP_MAX_SIZE_REACHED`.
    #[error("the group has group.max.size members")]
    GroupMaxSizeReached,
    /// `GROUP_ID_NOT_FOUND`.
    #[error("there is no such group")]
    GroupIdNotFound,
    /// `NON_EMPTY_GROUP`.
    #[error("the group has members")]
    NonEmptyGroup,
    /// `GROUP_SUBSCRIBED_TO_TOPIC`.
    #[error("a member is subscribed to the topic")]
    SubscribedToTopic,
    /// `OFFSET_METADATA_TOO_LARGE`.
    #[error("the offset's metadata is longer than offset.metadata.max.bytes")]
    OffsetMetadataTooLarge,
    /// The member sent the same request once more while this one was waiting. Kafka leaves the earlier one without an answer
    /// for ever; here it is told to come again after a while, `COORDINATOR_NOT_AVAILABLE`.
    #[error("a later request of this member took the place of this one")]
    Superseded,
    /// What is to be stored is larger than a batch may be (`RecordTooLargeException`); clients are told `UNKNOWN_SERVER_ERROR`.
    #[error("what the group would have to store is larger than max.message.bytes of __consumer_offsets")]
    RecordTooLarge,
    /// `INVALID_REQUEST`.
    #[error("the request contradicts itself")]
    InvalidRequest,
    /// `FENCED_MEMBER_EPOCH` (KIP-848).
    #[error("this is not the member's epoch: it has to give up its partitions and join again")]
    FencedMemberEpoch,
    /// `UNRELEASED_INSTANCE_ID` (KIP-848).
    #[error("another member holds this instance id")]
    UnreleasedInstanceId,
    /// `UNSUPPORTED_ASSIGNOR` (KIP-848).
    #[error("group.consumer.assignors does not list this assignor")]
    UnsupportedAssignor,
    /// `STALE_MEMBER_EPOCH` (KIP-848).
    #[error("this is not the member's epoch: it has to ask again with the one that its heartbeat brings")]
    StaleMemberEpoch,
    /// `UNSUPPORTED_VERSION`: members of the new protocol commit from version 9 on.
    #[error("members of the consumer protocol need a newer version of this request")]
    UnsupportedVersion,
    /// `INVALID_REGULAR_EXPRESSION` (KIP-848).
    #[error("this is no regular expression")]
    InvalidRegularExpression,
}
