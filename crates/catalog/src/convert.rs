//! Between the records of the topics machine and those of the metadata log.

use base::{LeaderEpoch, NodeId, PartitionIndex};
use state_machines::configs::{self, Resource, ResourceType};
use state_machines::topics::{PartitionChange, PartitionInfo, Record};
use wire::StrBytes;
use wire::metadata_records::{
    ConfigRecord, MetadataRecord, PartitionChangeRecord, PartitionRecord, RemoveTopicRecord, TopicRecord,
};

use crate::features::Levels;

/// ConfigRecord's number for a topic.
pub(crate) const TOPIC_RESOURCE: i8 = 2;
/// ConfigRecord's number for a broker.
pub(crate) const BROKER_RESOURCE: i8 = 4;

const NO_LEADER: i32 = -1;
const NO_LEADER_CHANGE: i32 = -2;

/// `record` as the metadata log stores it at these feature levels, and its version.
pub(crate) fn to_wire(record: Record, levels: &Levels) -> (MetadataRecord, i16) {
    match record {
        Record::Topic { id, name } => (TopicRecord { name: name.into(), topic_id: id }.into(), 0),
        Record::Config { topic, name, value } => {
            let config = ConfigRecord {
                resource_type: TOPIC_RESOURCE,
                resource_name: topic.into(),
                name: name.into(),
                value: value.map(StrBytes::from),
            };
            (config.into(), 0)
        }
        Record::Partition { topic, index, info } => {
            let list = |list: Vec<NodeId>| (!list.is_empty()).then(|| numbers(list));
            let version = levels.partition_version();
            let record = PartitionRecord {
                partition_id: index.0,
                topic_id: topic,
                replicas: numbers(info.replicas),
                isr: numbers(info.isr),
                removing_replicas: numbers(info.removing),
                adding_replicas: numbers(info.adding),
                leader: info.leader.map_or(NO_LEADER, |node| node.0),
                leader_recovery_state: info.recovering.into(),
                leader_epoch: info.leader_epoch.0,
                partition_epoch: info.partition_epoch,
                directories: if version >= 1 { info.directories } else { Vec::new() },
                eligible_leader_replicas: list(info.eligible_leaders).filter(|_| version >= 2),
                last_known_elr: list(info.last_known_eligible_leaders).filter(|_| version >= 2),
            };
            (record.into(), version)
        }
        Record::PartitionChange { topic, index, change } => {
            let version = levels.partition_version();
            let list = |list: Option<Vec<NodeId>>| list.map(numbers);
            let record = PartitionChangeRecord {
                partition_id: index.0,
                topic_id: topic,
                isr: list(change.isr),
                leader: change
                    .leader
                    .map_or(NO_LEADER_CHANGE, |leader| leader.map_or(NO_LEADER, |node| node.0)),
                replicas: list(change.replicas),
                removing_replicas: list(change.removing),
                adding_replicas: list(change.adding),
                leader_recovery_state: change.recovering.map_or(-1, i8::from),
                directories: change.directories.filter(|_| version >= 1),
                eligible_leader_replicas: list(change.eligible_leaders).filter(|_| version >= 2),
                last_known_elr: list(change.last_known_eligible_leaders).filter(|_| version >= 2),
            };
            (record.into(), version)
        }
        Record::RemoveTopic { id } => (RemoveTopicRecord { topic_id: id }.into(), 0),
    }
}

/// The configuration `record` as the metadata log stores it.
pub(crate) fn config(record: configs::Record) -> MetadataRecord {
    ConfigRecord {
        resource_type: record.resource.kind.number(),
        resource_name: record.resource.name.into(),
        name: record.key.into(),
        value: record.value.map(StrBytes::from),
    }
    .into()
}

/// What the configurations make of a record.
pub(crate) fn of_config(record: &ConfigRecord) -> configs::Record {
    configs::Record {
        resource: Resource::new(ResourceType::of(record.resource_type), record.resource_name.to_string()),
        key: record.name.to_string(),
        value: record.value.as_ref().map(ToString::to_string),
    }
}

/// What the topics machine makes of a record, if it speaks of topics.
pub(crate) fn of_wire(record: &MetadataRecord) -> Option<Record> {
    Some(match record {
        MetadataRecord::Topic(record) => Record::Topic { id: record.topic_id, name: record.name.to_string() },
        MetadataRecord::Config(record) if record.resource_type == TOPIC_RESOURCE => Record::Config {
            topic: record.resource_name.to_string(),
            name: record.name.to_string(),
            value: record.value.as_ref().map(ToString::to_string),
        },
        MetadataRecord::Partition(record) => Record::Partition {
            topic: record.topic_id,
            index: PartitionIndex(record.partition_id),
            info: PartitionInfo {
                replicas: nodes(&record.replicas),
                directories: record.directories.clone(),
                isr: nodes(&record.isr),
                removing: nodes(&record.removing_replicas),
                adding: nodes(&record.adding_replicas),
                leader: leader(record.leader),
                recovering: record.leader_recovery_state == 1,
                leader_epoch: LeaderEpoch(record.leader_epoch),
                partition_epoch: record.partition_epoch,
                eligible_leaders: nodes(record.eligible_leader_replicas.as_deref().unwrap_or_default()),
                last_known_eligible_leaders: nodes(record.last_known_elr.as_deref().unwrap_or_default()),
            },
        },
        MetadataRecord::PartitionChange(record) => Record::PartitionChange {
            topic: record.topic_id,
            index: PartitionIndex(record.partition_id),
            change: PartitionChange {
                replicas: record.replicas.as_deref().map(nodes),
                directories: record.directories.clone(),
                isr: record.isr.as_deref().map(nodes),
                removing: record.removing_replicas.as_deref().map(nodes),
                adding: record.adding_replicas.as_deref().map(nodes),
                leader: (record.leader != NO_LEADER_CHANGE).then(|| leader(record.leader)),
                recovering: (record.leader_recovery_state >= 0).then_some(record.leader_recovery_state == 1),
                eligible_leaders: record.eligible_leader_replicas.as_deref().map(nodes),
                last_known_eligible_leaders: record.last_known_elr.as_deref().map(nodes),
            },
        },
        MetadataRecord::RemoveTopic(record) => Record::RemoveTopic { id: record.topic_id },
        _ => return None,
    })
}

fn leader(number: i32) -> Option<NodeId> {
    (number >= 0).then_some(NodeId(number))
}

fn nodes(numbers: &[i32]) -> Vec<NodeId> {
    numbers.iter().copied().map(NodeId).collect()
}

fn numbers(nodes: Vec<NodeId>) -> Vec<i32> {
    nodes.into_iter().map(|node| node.0).collect()
}

#[cfg(test)]
mod tests {
    use base::Uuid;
    use proptest::prelude::*;

    use super::*;
    use crate::features::{FRESH, METADATA_VERSION};

    fn node_list() -> impl Strategy<Value = Vec<NodeId>> {
        prop::collection::vec((0..5).prop_map(NodeId), 0..3)
    }

    fn uuids() -> impl Strategy<Value = Vec<Uuid>> {
        prop::collection::vec(any::<u128>().prop_map(Uuid::from_u128), 0..3)
    }

    fn info() -> impl Strategy<Value = PartitionInfo> {
        let lists = (node_list(), node_list(), node_list(), node_list(), node_list(), node_list(), uuids());
        (lists, prop::option::of((0..5).prop_map(NodeId)), any::<bool>(), 0..9, 0..9).prop_map(
            |(
                (replicas, isr, removing, adding, eligible, last_known, directories),
                leader,
                recovering,
                epoch,
                changes,
            )| {
                PartitionInfo {
                    replicas,
                    directories,
                    isr,
                    removing,
                    adding,
                    leader,
                    recovering,
                    leader_epoch: LeaderEpoch(epoch),
                    partition_epoch: changes,
                    eligible_leaders: eligible,
                    last_known_eligible_leaders: last_known,
                }
            },
        )
    }

    fn change() -> impl Strategy<Value = PartitionChange> {
        let list = || prop::option::of(node_list());
        let lists = (list(), list(), list(), list(), list(), list(), prop::option::of(uuids()));
        let leader = prop::option::of(prop::option::of((0..5).prop_map(NodeId)));
        (lists, leader, any::<Option<bool>>()).prop_map(
            |(
                (replicas, isr, removing, adding, eligible_leaders, last_known, directories),
                leader,
                recovering,
            )| {
                PartitionChange {
                    replicas,
                    directories,
                    isr,
                    removing,
                    adding,
                    leader,
                    recovering,
                    eligible_leaders,
                    last_known_eligible_leaders: last_known,
                }
            },
        )
    }

    fn record() -> impl Strategy<Value = Record> {
        let topic = any::<u128>().prop_map(Uuid::from_u128);
        let index = (0..100).prop_map(PartitionIndex);
        prop_oneof![
            (topic.clone(), "[a-z]{1,5}").prop_map(|(id, name)| Record::Topic { id, name }),
            ("[a-z]{1,5}", "[a-z]{1,5}", prop::option::of("[a-z]{0,5}"))
                .prop_map(|(topic, name, value)| Record::Config { topic, name, value }),
            (topic.clone(), index.clone(), info()).prop_map(|(topic, index, info)| Record::Partition {
                topic,
                index,
                info
            }),
            (topic.clone(), index, change()).prop_map(|(topic, index, change)| Record::PartitionChange {
                topic,
                index,
                change
            }),
            topic.prop_map(|id| Record::RemoveTopic { id }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn every_record_survives_the_metadata_log(record in record()) {
            let mut levels = Levels::default();
            FRESH.iter().for_each(|(name, level)| levels.set(name, *level));
            let (wire, version) = to_wire(record.clone(), &levels);
            let (back, read_version) = MetadataRecord::decode(wire.encode(version).unwrap()).unwrap();
            prop_assert_eq!(read_version, version);
            prop_assert_eq!(of_wire(&back), Some(record));
        }

        /// An older cluster cannot store all of it, but encoding never fails.
        #[test]
        fn every_record_can_be_written_for_an_older_cluster(record in record(), level in 7_i16..=27) {
            let mut levels = Levels::default();
            levels.set(METADATA_VERSION, level);
            let (wire, version) = to_wire(record, &levels);
            prop_assert!(wire.encode(version).is_ok());
        }
    }
}
