//! Between what the group machine stores and the record schemas of `__consumer_offsets`.

mod consumer;

use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset, PartitionIndex, Uuid};
use bytes::Bytes;
use state_machines::group::{CommittedOffset, GroupMetadata, Groups, OffsetKey, Record, StoredMember};
use state_machines::sequence::Outcome;
use wire::StrBytes;
use wire::group_records::{
    GroupMetadataKey, GroupMetadataValue, GroupRecord, LegacyOffsetCommitValue, MemberMetadata,
    OffsetCommitKey, OffsetCommitValue,
};
use wire::{CoordinatorRecordError, Keyed};

use crate::offsets_log::{Entry, KeyValue};

/// The versions that Kafka 4.1 writes (`GroupCoordinatorRecordHelpers`): an offset with an expiry of its own fits only
/// version 1.
const OFFSET_VERSION: i16 = 4;
const OFFSET_VERSION_WITH_EXPIRY: i16 = 1;
const GROUP_VERSION: i16 = 3;

/// What was passed over while groups were loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// Records of a type that is not known here.
    pub(crate) unknown: u64,
    /// Records of groups that live in another partition.
    pub(crate) astray: u64,
}

/// Tells `groups` what stands in the log, if it `is_here` that the group of a record lives.
///
/// # Errors
/// When a record is of a known type, and cannot be read.
pub(crate) fn replay(
    groups: &mut Groups,
    entry: &Entry<'_>,
    skipped: &mut Skipped,
    is_here: impl Fn(&str) -> bool,
) -> Result<(), CoordinatorRecordError> {
    match *entry {
        Entry::End { producer_id, committed } => {
            groups.complete(producer_id, if committed { Outcome::Commit } else { Outcome::Abort });
        }
        Entry::Record { transaction, key, value } => {
            // Copies of their own: what a group keeps must not hold what was read of the log.
            let value = value.map(Bytes::copy_from_slice);
            match record(GroupRecord::decode(Bytes::copy_from_slice(key), value)?) {
                Some(record) if is_here(record.group()) => groups.replay(&record, transaction),
                Some(_) => skipped.astray += 1,
                None => skipped.unknown += 1,
            }
        }
    }
    Ok(())
}

/// What a stored record says, if it concerns what is kept here.
fn record(record: GroupRecord) -> Option<Record> {
    match record {
        GroupRecord::OffsetCommit(Keyed { key, value }) => Some(Record::OffsetCommit {
            key: OffsetKey {
                group: text(&key.group),
                topic: text(&key.topic),
                partition: PartitionIndex(key.partition),
            },
            value: value.map(|value| committed(&value.content)),
        }),
        GroupRecord::LegacyOffsetCommit(Keyed { key, value }) => Some(Record::OffsetCommit {
            key: OffsetKey {
                group: text(&key.group),
                topic: text(&key.topic),
                partition: PartitionIndex(key.partition),
            },
            value: value.map(|value| legacy(&value.content)),
        }),
        GroupRecord::GroupMetadata(Keyed { key, value }) => Some(Record::GroupMetadata {
            group: text(&key.group),
            value: value.map(|value| metadata(&value.content)),
        }),
        other => consumer::record(other),
    }
}

fn committed(value: &OffsetCommitValue) -> CommittedOffset {
    CommittedOffset {
        offset: Offset(value.offset),
        leader_epoch: LeaderEpoch(value.leader_epoch),
        metadata: text(&value.metadata),
        commit_timestamp: Millis(value.commit_timestamp),
        expire_timestamp: Millis(value.expire_timestamp),
        topic_id: value.topic_id,
    }
}

/// As brokers before Kafka 0.9 wrote it.
fn legacy(value: &LegacyOffsetCommitValue) -> CommittedOffset {
    CommittedOffset {
        offset: Offset(value.offset),
        leader_epoch: LeaderEpoch::NONE,
        metadata: text(&value.metadata),
        commit_timestamp: Millis(value.commit_timestamp),
        expire_timestamp: Millis::NONE,
        topic_id: Uuid::nil(),
    }
}

fn metadata(value: &GroupMetadataValue) -> GroupMetadata {
    let members = value.members.iter();
    GroupMetadata {
        protocol_type: text(&value.protocol_type),
        generation: value.generation,
        protocol: value.protocol.as_ref().map(text),
        leader: value.leader.as_ref().map(text),
        state_since: Millis(value.current_state_timestamp),
        members: members
            .map(|member| StoredMember {
                member_id: text(&member.member_id),
                instance_id: member.group_instance_id.as_ref().map(text),
                client_id: text(&member.client_id),
                client_host: text(&member.client_host),
                rebalance_timeout_ms: member.rebalance_timeout,
                session_timeout_ms: member.session_timeout,
                subscription: Arc::from(&member.subscription[..]),
                assignment: Arc::from(&member.assignment[..]),
            })
            .collect(),
    }
}

/// A decided record as it goes to the log.
///
/// # Panics
/// Never: every value the machine decides fits the version it is written at.
pub(crate) fn key_value(record: &Record) -> KeyValue {
    let encoded = match record {
        Record::OffsetCommit { key, value } => {
            let expires = value.as_ref().is_some_and(|value| value.expire_timestamp != Millis::NONE);
            let version = if expires { OFFSET_VERSION_WITH_EXPIRY } else { OFFSET_VERSION };
            let key = OffsetCommitKey {
                group: stored(&key.group),
                topic: stored(&key.topic),
                partition: key.partition.0,
            };
            GroupRecord::OffsetCommit(keyed(key, version, value.as_ref().map(offset_value)))
        }
        Record::GroupMetadata { group, value } => {
            let key = GroupMetadataKey { group: stored(group) };
            GroupRecord::GroupMetadata(keyed(key, GROUP_VERSION, value.as_ref().map(group_value)))
        }
        Record::ConsumerGroupMetadata { group, value } => consumer::group(group, value.as_ref()),
        Record::ConsumerGroupPartitionMetadata { group, exists } => {
            consumer::partition_metadata(group, *exists)
        }
        Record::ConsumerGroupMemberMetadata { group, member, value } => {
            consumer::member_metadata(group, member, value.as_ref())
        }
        Record::ConsumerGroupTargetAssignmentMetadata { group, value } => {
            consumer::target_epoch(group, *value)
        }
        Record::ConsumerGroupTargetAssignmentMember { group, member, value } => {
            consumer::target(group, member, value.as_ref())
        }
        Record::ConsumerGroupCurrentMemberAssignment { group, member, value } => {
            consumer::current(group, member, value.as_ref())
        }
        Record::ConsumerGroupRegularExpression { group, regex, value } => {
            consumer::regex(group, regex, value.as_ref())
        }
    };
    let (key, value) = encoded.encode().expect("what is decided fits the version that is written");
    KeyValue { key, value }
}

fn offset_value(value: &CommittedOffset) -> OffsetCommitValue {
    OffsetCommitValue {
        offset: value.offset.0,
        leader_epoch: value.leader_epoch.0,
        metadata: stored(&value.metadata),
        commit_timestamp: value.commit_timestamp.0,
        expire_timestamp: value.expire_timestamp.0,
        topic_id: value.topic_id,
    }
}

fn group_value(value: &GroupMetadata) -> GroupMetadataValue {
    let members = value.members.iter();
    GroupMetadataValue {
        protocol_type: stored(&value.protocol_type),
        generation: value.generation,
        protocol: value.protocol.as_ref().map(stored),
        leader: value.leader.as_ref().map(stored),
        current_state_timestamp: value.state_since.0,
        members: members
            .map(|member| MemberMetadata {
                member_id: stored(&member.member_id),
                group_instance_id: member.instance_id.as_ref().map(stored),
                client_id: stored(&member.client_id),
                client_host: stored(&member.client_host),
                rebalance_timeout: member.rebalance_timeout_ms,
                session_timeout: member.session_timeout_ms,
                subscription: Bytes::copy_from_slice(&member.subscription),
                assignment: Bytes::copy_from_slice(&member.assignment),
            })
            .collect(),
    }
}

/// A record, or a tombstone when there is no value.
fn keyed<K, V>(key: K, version: i16, value: Option<V>) -> Keyed<K, V> {
    match value {
        Some(value) => Keyed::new(key, version, value),
        None => Keyed::tombstone(key),
    }
}

fn text(text: &StrBytes) -> Arc<str> {
    Arc::from(text.as_str())
}

fn stored(text: &Arc<str>) -> StrBytes {
    StrBytes::from(text.to_string())
}
