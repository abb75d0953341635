//! The records of consumer groups (KIP-848): types 3 to 8 and 16.

use std::sync::Arc;

use base::{Millis, PartitionIndex};
use bytes::Bytes;
use state_machines::group::{
    ClassicMemberMetadata, ConsumerGroupMetadata, ConsumerMemberMetadata, CurrentAssignment, Partitions,
    Protocol, Record, ResolvedRegex,
};
use wire::Keyed;
use wire::group_records::{
    self, ClassicProtocol, ConsumerGroupCurrentMemberAssignmentKey,
    ConsumerGroupCurrentMemberAssignmentValue, ConsumerGroupMemberMetadataKey,
    ConsumerGroupMemberMetadataValue, ConsumerGroupMetadataKey, ConsumerGroupMetadataValue,
    ConsumerGroupPartitionMetadataKey, ConsumerGroupPartitionMetadataValue,
    ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue,
    ConsumerGroupTargetAssignmentMemberKey, ConsumerGroupTargetAssignmentMemberValue,
    ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue, GroupRecord,
    TopicPartitions,
};

use super::{keyed, stored, text};

/// The one version that Kafka 4.1 knows of each.
const VERSION: i16 = 0;

/// What a stored record says, if it is one of a consumer group.
pub(super) fn record(record: GroupRecord) -> Option<Record> {
    Some(match record {
        GroupRecord::ConsumerGroupMetadata(Keyed { key, value }) => Record::ConsumerGroupMetadata {
            group: text(&key.group_id),
            value: value.map(|value| ConsumerGroupMetadata {
                epoch: value.content.epoch,
                metadata_hash: value.content.metadata_hash,
            }),
        },
        GroupRecord::ConsumerGroupPartitionMetadata(Keyed { key, value }) => {
            Record::ConsumerGroupPartitionMetadata { group: text(&key.group_id), exists: value.is_some() }
        }
        GroupRecord::ConsumerGroupMemberMetadata(Keyed { key, value }) => {
            Record::ConsumerGroupMemberMetadata {
                group: text(&key.group_id),
                member: text(&key.member_id),
                value: value.map(|value| member(&value.content)),
            }
        }
        GroupRecord::ConsumerGroupTargetAssignmentMetadata(Keyed { key, value }) => {
            Record::ConsumerGroupTargetAssignmentMetadata {
                group: text(&key.group_id),
                value: value.map(|value| value.content.assignment_epoch),
            }
        }
        GroupRecord::ConsumerGroupTargetAssignmentMember(Keyed { key, value }) => {
            Record::ConsumerGroupTargetAssignmentMember {
                group: text(&key.group_id),
                member: text(&key.member_id),
                value: value.map(|value| partitions(&value.content.topic_partitions)),
            }
        }
        GroupRecord::ConsumerGroupCurrentMemberAssignment(Keyed { key, value }) => {
            Record::ConsumerGroupCurrentMemberAssignment {
                group: text(&key.group_id),
                member: text(&key.member_id),
                value: value.map(|value| CurrentAssignment {
                    member_epoch: value.content.member_epoch,
                    previous_member_epoch: value.content.previous_member_epoch,
                    state: value.content.state,
                    assigned: partitions(&value.content.assigned_partitions),
                    pending_revocation: partitions(&value.content.partitions_pending_revocation),
                }),
            }
        }
        GroupRecord::ConsumerGroupRegularExpression(Keyed { key, value }) => {
            Record::ConsumerGroupRegularExpression {
                group: text(&key.group_id),
                regex: text(&key.regular_expression),
                value: value.map(|value| ResolvedRegex {
                    topics: value.content.topics.iter().map(text).collect(),
                    version: value.content.version,
                    timestamp: Millis(value.content.timestamp),
                }),
            }
        }
        _ => return None,
    })
}

fn member(value: &ConsumerGroupMemberMetadataValue) -> ConsumerMemberMetadata {
    ConsumerMemberMetadata {
        instance_id: value.instance_id.as_ref().map(text),
        rack_id: value.rack_id.as_ref().map(text),
        client_id: text(&value.client_id),
        client_host: text(&value.client_host),
        subscribed_topic_names: value.subscribed_topic_names.iter().map(text).collect(),
        subscribed_topic_regex: value.subscribed_topic_regex.as_ref().map(text),
        rebalance_timeout_ms: value.rebalance_timeout_ms,
        server_assignor: value.server_assignor.as_ref().map(text),
        classic: value.classic_member_metadata.as_ref().map(|classic| ClassicMemberMetadata {
            session_timeout_ms: classic.session_timeout_ms,
            supported_protocols: classic
                .supported_protocols
                .iter()
                .map(|protocol| Protocol {
                    name: text(&protocol.name),
                    metadata: Arc::from(&protocol.metadata[..]),
                })
                .collect(),
        }),
    }
}

fn partitions(topics: &[TopicPartitions]) -> Partitions {
    let mut all = Partitions::new();
    for topic in topics.iter().filter(|topic| !topic.partitions.is_empty()) {
        all.entry(topic.topic_id).or_default().extend(topic.partitions.iter().copied().map(PartitionIndex));
    }
    all
}

pub(super) fn group(group: &Arc<str>, value: Option<&ConsumerGroupMetadata>) -> GroupRecord {
    let value = value
        .map(|value| ConsumerGroupMetadataValue { epoch: value.epoch, metadata_hash: value.metadata_hash });
    GroupRecord::ConsumerGroupMetadata(keyed(
        ConsumerGroupMetadataKey { group_id: stored(group) },
        VERSION,
        value,
    ))
}

/// With no topics: what Kafka before 4.1 kept there is not kept here.
pub(super) fn partition_metadata(group: &Arc<str>, exists: bool) -> GroupRecord {
    let value = exists.then(|| ConsumerGroupPartitionMetadataValue { topics: Vec::new() });
    GroupRecord::ConsumerGroupPartitionMetadata(keyed(
        ConsumerGroupPartitionMetadataKey { group_id: stored(group) },
        VERSION,
        value,
    ))
}

pub(super) fn member_metadata(
    group: &Arc<str>,
    member: &Arc<str>,
    value: Option<&ConsumerMemberMetadata>,
) -> GroupRecord {
    let value = value.map(|value| ConsumerGroupMemberMetadataValue {
        instance_id: value.instance_id.as_ref().map(stored),
        rack_id: value.rack_id.as_ref().map(stored),
        client_id: stored(&value.client_id),
        client_host: stored(&value.client_host),
        subscribed_topic_names: value.subscribed_topic_names.iter().map(stored).collect(),
        subscribed_topic_regex: value.subscribed_topic_regex.as_ref().map(stored),
        rebalance_timeout_ms: value.rebalance_timeout_ms,
        server_assignor: value.server_assignor.as_ref().map(stored),
        classic_member_metadata: value.classic.as_ref().map(|classic| group_records::ClassicMemberMetadata {
            session_timeout_ms: classic.session_timeout_ms,
            supported_protocols: classic
                .supported_protocols
                .iter()
                .map(|protocol| ClassicProtocol {
                    name: stored(&protocol.name),
                    metadata: Bytes::copy_from_slice(&protocol.metadata),
                })
                .collect(),
        }),
    });
    let key = ConsumerGroupMemberMetadataKey { group_id: stored(group), member_id: stored(member) };
    GroupRecord::ConsumerGroupMemberMetadata(keyed(key, VERSION, value))
}

pub(super) fn target_epoch(group: &Arc<str>, value: Option<i32>) -> GroupRecord {
    let value = value.map(|assignment_epoch| ConsumerGroupTargetAssignmentMetadataValue { assignment_epoch });
    GroupRecord::ConsumerGroupTargetAssignmentMetadata(keyed(
        ConsumerGroupTargetAssignmentMetadataKey { group_id: stored(group) },
        VERSION,
        value,
    ))
}

pub(super) fn target(group: &Arc<str>, member: &Arc<str>, value: Option<&Partitions>) -> GroupRecord {
    let value = value
        .map(|value| ConsumerGroupTargetAssignmentMemberValue { topic_partitions: stored_partitions(value) });
    let key = ConsumerGroupTargetAssignmentMemberKey { group_id: stored(group), member_id: stored(member) };
    GroupRecord::ConsumerGroupTargetAssignmentMember(keyed(key, VERSION, value))
}

pub(super) fn current(group: &Arc<str>, member: &Arc<str>, value: Option<&CurrentAssignment>) -> GroupRecord {
    let value = value.map(|value| ConsumerGroupCurrentMemberAssignmentValue {
        member_epoch: value.member_epoch,
        previous_member_epoch: value.previous_member_epoch,
        state: value.state,
        assigned_partitions: stored_partitions(&value.assigned),
        partitions_pending_revocation: stored_partitions(&value.pending_revocation),
    });
    let key = ConsumerGroupCurrentMemberAssignmentKey { group_id: stored(group), member_id: stored(member) };
    GroupRecord::ConsumerGroupCurrentMemberAssignment(keyed(key, VERSION, value))
}

pub(super) fn regex(group: &Arc<str>, regex: &Arc<str>, value: Option<&ResolvedRegex>) -> GroupRecord {
    let value = value.map(|value| ConsumerGroupRegularExpressionValue {
        topics: value.topics.iter().map(stored).collect(),
        version: value.version,
        timestamp: value.timestamp.0,
    });
    let key =
        ConsumerGroupRegularExpressionKey { group_id: stored(group), regular_expression: stored(regex) };
    GroupRecord::ConsumerGroupRegularExpression(keyed(key, VERSION, value))
}

fn stored_partitions(partitions: &Partitions) -> Vec<TopicPartitions> {
    partitions
        .iter()
        .map(|(&topic_id, partitions)| TopicPartitions {
            topic_id,
            partitions: partitions.iter().map(|partition| partition.0).collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use base::Uuid;
    use wire::StrBytes;

    use super::*;
    use crate::convert::key_value;

    fn some_partitions(topic: u128, indexes: &[i32]) -> Partitions {
        [(Uuid::from_u128(topic), indexes.iter().copied().map(PartitionIndex).collect::<BTreeSet<_>>())]
            .into()
    }

    fn records() -> Vec<Record> {
        let (group, member): (Arc<str>, Arc<str>) = ("g".into(), "m".into());
        let bare = ConsumerMemberMetadata {
            instance_id: None,
            rack_id: None,
            client_id: "client".into(),
            client_host: "/127.0.0.1".into(),
            subscribed_topic_names: Vec::new(),
            subscribed_topic_regex: None,
            rebalance_timeout_ms: -1,
            server_assignor: None,
            classic: None,
        };
        let full = ConsumerMemberMetadata {
            instance_id: Some("i".into()),
            rack_id: Some("r".into()),
            subscribed_topic_names: vec!["b".into(), "a".into()],
            subscribed_topic_regex: Some("".into()),
            rebalance_timeout_ms: 5_000,
            server_assignor: Some("range".into()),
            classic: Some(ClassicMemberMetadata {
                session_timeout_ms: 45_000,
                supported_protocols: vec![Protocol { name: "range".into(), metadata: [0, 1].into() }],
            }),
            ..bare.clone()
        };
        let current = CurrentAssignment {
            member_epoch: 3,
            previous_member_epoch: 2,
            state: 1,
            assigned: some_partitions(1, &[0, 2]),
            pending_revocation: some_partitions(2, &[1]),
        };
        let resolved = ResolvedRegex {
            topics: ["a".into(), "b".into()].into(),
            version: 7,
            timestamp: Millis(1_700_000_000_000),
        };
        let metadata = ConsumerGroupMetadata { epoch: 4, metadata_hash: -5 };
        let mut all = vec![Record::ConsumerGroupPartitionMetadata { group: group.clone(), exists: false }];
        for value in [None, Some(metadata)] {
            all.push(Record::ConsumerGroupMetadata { group: group.clone(), value });
        }
        for value in [None, Some(bare), Some(full)] {
            let (group, member) = (group.clone(), member.clone());
            all.push(Record::ConsumerGroupMemberMetadata { group, member, value });
        }
        for value in [None, Some(4)] {
            all.push(Record::ConsumerGroupTargetAssignmentMetadata { group: group.clone(), value });
        }
        for value in [None, Some(Partitions::new()), Some(some_partitions(1, &[0, 1, 2]))] {
            let (group, member) = (group.clone(), member.clone());
            all.push(Record::ConsumerGroupTargetAssignmentMember { group, member, value });
        }
        for value in [None, Some(CurrentAssignment::default()), Some(current)] {
            let (group, member) = (group.clone(), member.clone());
            all.push(Record::ConsumerGroupCurrentMemberAssignment { group, member, value });
        }
        for value in [None, Some(resolved)] {
            let (group, regex) = (group.clone(), "a|b".into());
            all.push(Record::ConsumerGroupRegularExpression { group, regex, value });
        }
        all
    }

    #[test]
    fn what_is_written_is_read_back() {
        for written in records() {
            let stored = key_value(&written);
            let read = GroupRecord::decode(stored.key, stored.value).unwrap();
            assert_eq!(record(read), Some(written));
        }
    }

    /// A broker before 4.1 kept the topics of a group. A list that names a topic twice, or one without partitions, is whole.
    #[test]
    fn what_others_wrote_is_understood() {
        let key = ConsumerGroupPartitionMetadataKey { group_id: StrBytes::from_static("g") };
        let value = ConsumerGroupPartitionMetadataValue { topics: Vec::new() };
        let of_4_0 = GroupRecord::ConsumerGroupPartitionMetadata(Keyed::new(key, VERSION, value));
        let understood = Record::ConsumerGroupPartitionMetadata { group: "g".into(), exists: true };
        assert_eq!(record(of_4_0), Some(understood));
        let topic = |topic, partitions| TopicPartitions { topic_id: Uuid::from_u128(topic), partitions };
        assert_eq!(
            partitions(&[topic(1, vec![2]), topic(2, vec![]), topic(1, vec![0, 2])]),
            some_partitions(1, &[0, 2])
        );
    }
}
