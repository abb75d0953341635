//! The records of `__consumer_offsets`: committed offsets, and the groups with their members and assignments.
//!
//! The type in a key says what kind of group it is about: 0 to 2 any group and classic ones, 3 to 8 and 16 those of
//! KIP-848, 10 to 15 share groups (KIP-932), 17 to 23 streams groups (KIP-1071). Types 9 and 18 came and went before
//! they were released.

pub mod classic;
pub mod consumer;
pub mod offsets;
pub mod share;
pub mod streams;

use crate::coordinator_record::coordinator_records;

pub use classic::{GroupMetadataKey, GroupMetadataValue, MemberMetadata};
pub use consumer::{
    ClassicMemberMetadata, ClassicProtocol, ConsumerGroupCurrentMemberAssignmentKey,
    ConsumerGroupCurrentMemberAssignmentValue, ConsumerGroupMemberMetadataKey,
    ConsumerGroupMemberMetadataValue, ConsumerGroupMetadataKey, ConsumerGroupMetadataValue,
    ConsumerGroupPartitionMetadataKey, ConsumerGroupPartitionMetadataValue,
    ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue,
    ConsumerGroupTargetAssignmentMemberKey, ConsumerGroupTargetAssignmentMemberValue,
    ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue, TopicPartitions,
};
pub use offsets::{LegacyOffsetCommitKey, LegacyOffsetCommitValue, OffsetCommitKey, OffsetCommitValue};
pub use share::{
    ShareGroupCurrentMemberAssignmentKey, ShareGroupCurrentMemberAssignmentValue,
    ShareGroupMemberMetadataKey, ShareGroupMemberMetadataValue, ShareGroupMetadataKey,
    ShareGroupMetadataValue, ShareGroupStatePartitionMetadataKey, ShareGroupStatePartitionMetadataValue,
    ShareGroupTargetAssignmentMemberKey, ShareGroupTargetAssignmentMemberValue,
    ShareGroupTargetAssignmentMetadataKey, ShareGroupTargetAssignmentMetadataValue,
};
pub use streams::{
    StreamsGroupCurrentMemberAssignmentKey, StreamsGroupCurrentMemberAssignmentValue,
    StreamsGroupMemberMetadataKey, StreamsGroupMemberMetadataValue, StreamsGroupMetadataKey,
    StreamsGroupMetadataValue, StreamsGroupTargetAssignmentMemberKey,
    StreamsGroupTargetAssignmentMemberValue, StreamsGroupTargetAssignmentMetadataKey,
    StreamsGroupTargetAssignmentMetadataValue, StreamsGroupTopologyKey, StreamsGroupTopologyValue,
};

coordinator_records! {
    /// A record of `__consumer_offsets`.
    GroupRecord;
    LegacyOffsetCommit(LegacyOffsetCommitKey, LegacyOffsetCommitValue) = 0;
    OffsetCommit(OffsetCommitKey, OffsetCommitValue) = 1;
    GroupMetadata(GroupMetadataKey, GroupMetadataValue) = 2;
    ConsumerGroupMetadata(ConsumerGroupMetadataKey, ConsumerGroupMetadataValue) = 3;
    ConsumerGroupPartitionMetadata(ConsumerGroupPartitionMetadataKey, ConsumerGroupPartitionMetadataValue) = 4;
    ConsumerGroupMemberMetadata(ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue) = 5;
    ConsumerGroupTargetAssignmentMetadata(
        ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue
    ) = 6;
    ConsumerGroupTargetAssignmentMember(
        ConsumerGroupTargetAssignmentMemberKey, ConsumerGroupTargetAssignmentMemberValue
    ) = 7;
    ConsumerGroupCurrentMemberAssignment(
        ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue
    ) = 8;
    ShareGroupMemberMetadata(ShareGroupMemberMetadataKey, ShareGroupMemberMetadataValue) = 10;
    ShareGroupMetadata(ShareGroupMetadataKey, ShareGroupMetadataValue) = 11;
    ShareGroupTargetAssignmentMetadata(
        ShareGroupTargetAssignmentMetadataKey, ShareGroupTargetAssignmentMetadataValue
    ) = 12;
    ShareGroupTargetAssignmentMember(
        ShareGroupTargetAssignmentMemberKey, ShareGroupTargetAssignmentMemberValue
    ) = 13;
    ShareGroupCurrentMemberAssignment(
        ShareGroupCurrentMemberAssignmentKey, ShareGroupCurrentMemberAssignmentValue
    ) = 14;
    ShareGroupStatePartitionMetadata(
        ShareGroupStatePartitionMetadataKey, ShareGroupStatePartitionMetadataValue
    ) = 15;
    ConsumerGroupRegularExpression(
        ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue
    ) = 16;
    StreamsGroupMetadata(StreamsGroupMetadataKey, StreamsGroupMetadataValue) = 17;
    StreamsGroupMemberMetadata(StreamsGroupMemberMetadataKey, StreamsGroupMemberMetadataValue) = 19;
    StreamsGroupTargetAssignmentMetadata(
        StreamsGroupTargetAssignmentMetadataKey, StreamsGroupTargetAssignmentMetadataValue
    ) = 20;
    StreamsGroupTargetAssignmentMember(
        StreamsGroupTargetAssignmentMemberKey, StreamsGroupTargetAssignmentMemberValue
    ) = 21;
    StreamsGroupCurrentMemberAssignment(
        StreamsGroupCurrentMemberAssignmentKey, StreamsGroupCurrentMemberAssignmentValue
    ) = 22;
    StreamsGroupTopology(StreamsGroupTopologyKey, StreamsGroupTopologyValue) = 23;
}
