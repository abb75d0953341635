//! How much room a record takes in a batch, so that what cannot be stored is refused before anything goes by it.

use std::sync::Arc;

use super::classic::Transferred;
use super::record::{
    ConsumerMemberMetadata, CurrentAssignment, GroupMetadata, Partitions, Record, ResolvedRegex, StoredMember,
};
use super::request::{ConsumerHeartbeat, Join, Protocol};

/// What a record takes besides texts, bytes and list items, and what a list item does: more than any of Kafka's schemas need.
const RECORD: usize = 100;
const ITEM: usize = 40;
/// A partition's number.
const PARTITION: usize = 4;

impl Record {
    /// At least as many bytes as the record takes in a batch.
    #[must_use]
    pub fn size_bound(&self) -> usize {
        RECORD
            + match self {
                Self::OffsetCommit { key, value } => {
                    let metadata = value.as_ref().map_or(0, |value| value.metadata.len());
                    key.group.len() + key.topic.len() + metadata
                }
                Self::GroupMetadata { group, value } => {
                    group.len() + value.as_ref().map_or(0, GroupMetadata::size_bound)
                }
                Self::ConsumerGroupMetadata { group, .. }
                | Self::ConsumerGroupPartitionMetadata { group, .. }
                | Self::ConsumerGroupTargetAssignmentMetadata { group, .. } => group.len(),
                Self::ConsumerGroupMemberMetadata { group, member, value } => {
                    group.len() + member.len() + value.as_ref().map_or(0, ConsumerMemberMetadata::size_bound)
                }
                Self::ConsumerGroupTargetAssignmentMember { group, member, value } => {
                    group.len() + member.len() + value.as_ref().map_or(0, of_partitions)
                }
                Self::ConsumerGroupCurrentMemberAssignment { group, member, value } => {
                    group.len() + member.len() + value.as_ref().map_or(0, CurrentAssignment::size_bound)
                }
                Self::ConsumerGroupRegularExpression { group, regex, value } => {
                    group.len() + regex.len() + value.as_ref().map_or(0, ResolvedRegex::size_bound)
                }
            }
    }
}

impl GroupMetadata {
    fn size_bound(&self) -> usize {
        self.protocol_type.len()
            + of_optional(self.protocol.as_ref())
            + of_optional(self.leader.as_ref())
            + self.members.iter().map(StoredMember::size_bound).sum::<usize>()
    }
}

impl StoredMember {
    fn size_bound(&self) -> usize {
        let texts = self.member_id.len() + self.client_id.len() + self.client_host.len();
        ITEM + texts
            + of_optional(self.instance_id.as_ref())
            + self.subscription.len()
            + self.assignment.len()
    }
}

impl ConsumerMemberMetadata {
    fn size_bound(&self) -> usize {
        let optional =
            [&self.instance_id, &self.rack_id, &self.subscribed_topic_regex, &self.server_assignor];
        let classic = self.classic.iter().flat_map(|classic| &classic.supported_protocols);
        self.client_id.len()
            + self.client_host.len()
            + optional.into_iter().map(|text| of_optional(text.as_ref())).sum::<usize>()
            + of_texts(self.subscribed_topic_names.iter())
            + classic.map(of_protocol).sum::<usize>()
    }
}

impl CurrentAssignment {
    fn size_bound(&self) -> usize {
        of_partitions(&self.assigned) + of_partitions(&self.pending_revocation)
    }
}

impl ResolvedRegex {
    fn size_bound(&self) -> usize {
        of_texts(self.topics.iter())
    }
}

/// At least as many bytes as a batch of a group's generation takes.
pub(super) fn of_generation(group: &str, generation: &GroupMetadata) -> usize {
    RECORD + RECORD + group.len() + generation.size_bound()
}

/// At least as many bytes as the record of a consumer group's member takes that says this of itself.
pub(super) fn of_heartbeat(beat: &ConsumerHeartbeat) -> usize {
    let optional = [&beat.instance_id, &beat.rack_id, &beat.subscribed_topic_regex, &beat.server_assignor];
    let names = beat.subscribed_topic_names.iter().flatten();
    RECORD
        + RECORD
        + [&beat.group_id, &beat.member_id, &beat.client_id, &beat.client_host]
            .map(|text| text.len())
            .iter()
            .sum::<usize>()
        + optional.into_iter().map(|text| of_optional(text.as_ref())).sum::<usize>()
        + of_texts(names)
}

/// The same for one that speaks the classic protocol.
pub(super) fn of_join(join: &Join) -> usize {
    let texts = [&join.group_id, &join.member_id, &join.client_id, &join.client_host, &join.protocol_type];
    RECORD
        + RECORD
        + texts.map(|text| text.len()).iter().sum::<usize>()
        + of_optional(join.instance_id.as_ref())
        + join.protocols.iter().map(of_protocol).sum::<usize>()
}

/// At least as many bytes as a batch takes that makes a classic group of these members, in whichever of their protocols.
pub(super) fn of_transferred(group: &str, members: &[Transferred]) -> usize {
    let member = |member: &Transferred| {
        let texts = [&member.member_id, &member.client_id, &member.client_host];
        ITEM + texts.map(|text| text.len()).iter().sum::<usize>()
            + of_optional(member.instance_id.as_ref())
            + member.protocols.iter().map(of_protocol).max().unwrap_or(0)
            + member.assignment.len()
    };
    // One of them leads, and stands there twice.
    let leader = members.iter().map(|member| member.member_id.len()).max().unwrap_or(0);
    RECORD + RECORD + group.len() + leader + members.iter().map(member).sum::<usize>()
}

/// At least as many bytes as a batch of these records takes.
pub(super) fn of_records(records: &[Record]) -> usize {
    RECORD + records.iter().map(Record::size_bound).sum::<usize>()
}

fn of_protocol(protocol: &Protocol) -> usize {
    ITEM + protocol.name.len() + protocol.metadata.len()
}

fn of_optional(text: Option<&Arc<str>>) -> usize {
    text.map_or(0, |text| text.len())
}

fn of_texts<'a>(texts: impl Iterator<Item = &'a Arc<str>>) -> usize {
    texts.map(|text| ITEM + text.len()).sum()
}

fn of_partitions(partitions: &Partitions) -> usize {
    partitions.values().map(|indexes| ITEM + indexes.len() * PARTITION).sum()
}
