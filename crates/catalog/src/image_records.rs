//! The records that give an image, in the order in which Kafka's snapshots hold them (Kafka: `MetadataImage.write`).

use state_machines::configs;
use state_machines::topics::{Record, Topic};
use wire::metadata_records::{
    FeatureLevelRecord, MetadataRecord, ProducerIdsRecord, RegisterBrokerRecord, ZkMigrationStateRecord,
};

use crate::convert;
use crate::features::{Levels, METADATA_VERSION};
use crate::image::MetadataImage;
use crate::quotas;
use crate::registration::Versioned;

/// Replayed into an empty image, the records give `image` again, but for the topics that were deleted.
pub(crate) fn records(image: &MetadataImage) -> impl Iterator<Item = Versioned> {
    let levels = &image.levels;
    let first = |record: MetadataRecord| (record, 0);
    features(levels)
        .map(first)
        .chain(migration(image).map(first))
        .chain(image.brokers.values().map(|broker| registered(broker, levels)))
        .chain(image.controllers.values().cloned().map(MetadataRecord::from).map(first))
        .chain(image.topics.iter().flat_map(|topic| topic_and_partitions(topic, levels)))
        .chain(image.topics.iter().flat_map(|topic| topic_configs(topic, levels)))
        .chain(other_configs(image).map(first))
        .chain(quota_records(image).map(first))
        .chain(producer_ids(image).map(first))
        .chain(image.bystanders.security_records().map(first))
}

/// What decides how the rest is read comes first.
fn features(levels: &Levels) -> impl Iterator<Item = MetadataRecord> {
    let others = levels.finalized().into_iter().filter(|feature| feature.name != METADATA_VERSION);
    let record = |name: String, feature_level| FeatureLevelRecord { name: name.into(), feature_level }.into();
    std::iter::once(record(METADATA_VERSION.to_owned(), levels.metadata_version()))
        .chain(others.map(move |feature| record(feature.name, feature.level)))
}

/// Kafka 4 reads it, and does not act on it.
fn migration(image: &MetadataImage) -> impl Iterator<Item = MetadataRecord> {
    let state = Some(image.zk_migration_state).filter(|state| *state != 0);
    state.map(|zk_migration_state| ZkMigrationStateRecord { zk_migration_state }.into()).into_iter()
}

fn registered(broker: &RegisterBrokerRecord, levels: &Levels) -> Versioned {
    let version = levels.register_broker_version();
    let mut record = broker.clone();
    // A field that the level cannot say was never set at that level.
    record.in_controlled_shutdown &= version >= 1;
    record.is_migrating_zk_broker &= version >= 2;
    if version < 3 {
        record.log_dirs.clear();
    }
    (record.into(), version)
}

fn topic_and_partitions(topic: &Topic, levels: &Levels) -> impl Iterator<Item = Versioned> {
    let itself = Record::Topic { id: topic.id, name: topic.name.to_string() };
    let partition = |(index, info): (i32, &state_machines::topics::PartitionInfo)| Record::Partition {
        topic: topic.id,
        index: base::PartitionIndex(index),
        info: info.clone(),
    };
    let partitions = (0..).zip(&topic.partitions).map(partition);
    std::iter::once(itself).chain(partitions).map(|record| convert::to_wire(record, levels))
}

fn topic_configs(topic: &Topic, levels: &Levels) -> impl Iterator<Item = Versioned> {
    let config = |(name, value): (&String, &String)| Record::Config {
        topic: topic.name.to_string(),
        name: name.clone(),
        value: Some(value.clone()),
    };
    topic.configs.iter().map(config).map(|record| convert::to_wire(record, levels))
}

fn other_configs(image: &MetadataImage) -> impl Iterator<Item = MetadataRecord> {
    image.configs.iter().flat_map(|(resource, configs)| {
        configs.iter().map(|(key, value)| {
            let (resource, key, value) = (resource.clone(), key.clone(), Some(value.clone()));
            convert::config(configs::Record { resource, key, value })
        })
    })
}

fn quota_records(image: &MetadataImage) -> impl Iterator<Item = MetadataRecord> {
    image.quotas.records().map(|record| quotas::to_wire(record).into())
}

/// Whose block it was does not matter any more.
fn producer_ids(image: &MetadataImage) -> impl Iterator<Item = MetadataRecord> {
    // Before the first block there is no record, and Kafka would refuse one that says 0.
    let next = Some(image.next_producer_id).filter(|next| *next > 0);
    let record =
        |next_producer_id| ProducerIdsRecord { broker_id: -1, broker_epoch: -1, next_producer_id }.into();
    next.map(record).into_iter()
}

#[cfg(test)]
mod tests {
    use base::{Offset, Uuid};
    use proptest::prelude::*;
    use wire::metadata_records::clients::EntityData;
    use wire::metadata_records::{
        AccessControlEntryRecord, BrokerRegistrationChangeRecord, ClientQuotaRecord, ConfigRecord,
        DelegationTokenRecord, PartitionChangeRecord, PartitionRecord, RegisterControllerRecord,
        RemoveAccessControlEntryRecord, RemoveDelegationTokenRecord, RemoveTopicRecord,
        RemoveUserScramCredentialRecord, TopicRecord, UserScramCredentialRecord,
    };

    use super::*;

    /// Records that speak of few things, so that they meet.
    fn record() -> impl Strategy<Value = MetadataRecord> {
        let text = || prop::sample::select(vec!["", "a", "b"]).prop_map(wire::StrBytes::from);
        let small = || 0_i8..3;
        let id = || (1_u128..4).prop_map(Uuid::from_u128);
        let nodes = || prop::collection::vec(0..3, 0..3);
        let maybe = || prop::option::of(nodes());
        let ids = || prop::collection::vec((100_u128..103).prop_map(Uuid::from_u128), 0..2);
        let config = (prop::sample::select(vec![2_i8, 4, 16, 32]), text(), text(), prop::option::of(text()));
        prop_oneof![
            config.prop_map(|(resource_type, resource_name, name, value)| {
                ConfigRecord { resource_type, resource_name, name, value }.into()
            }),
            (text(), prop::option::of(text()), text(), any::<bool>(), 0_i32..9).prop_map(
                |(entity_type, entity_name, key, remove, value)| {
                    let entity = vec![EntityData { entity_type, entity_name }];
                    ClientQuotaRecord { entity, key, value: value.into(), remove }.into()
                }
            ),
            (id(), text(), small()).prop_map(|(id, principal, operation)| {
                AccessControlEntryRecord { id, principal, operation, ..AccessControlEntryRecord::default() }
                    .into()
            }),
            id().prop_map(|id| RemoveAccessControlEntryRecord { id }.into()),
            (text(), small(), 0..9).prop_map(|(name, mechanism, iterations)| {
                let plain = UserScramCredentialRecord::default();
                UserScramCredentialRecord { name, mechanism, iterations, ..plain }.into()
            }),
            (text(), small()).prop_map(|(name, mechanism)| RemoveUserScramCredentialRecord {
                name,
                mechanism
            }
            .into()),
            (text(), text()).prop_map(|(owner, token_id)| {
                DelegationTokenRecord { owner, token_id, ..DelegationTokenRecord::default() }.into()
            }),
            text().prop_map(|token_id| RemoveDelegationTokenRecord { token_id }.into()),
            (0..3, 0_i64..3, text(), any::<bool>(), ids()).prop_map(
                |(broker_id, broker_epoch, rack, in_controlled_shutdown, log_dirs)| {
                    RegisterBrokerRecord {
                        broker_id,
                        broker_epoch,
                        rack: Some(rack),
                        in_controlled_shutdown,
                        log_dirs,
                        ..RegisterBrokerRecord::default()
                    }
                    .into()
                }
            ),
            (0..3, 0_i64..3, -1_i8..2, -1_i8..2, ids()).prop_map(
                |(broker_id, broker_epoch, fenced, in_controlled_shutdown, log_dirs)| {
                    BrokerRegistrationChangeRecord {
                        broker_id,
                        broker_epoch,
                        fenced,
                        in_controlled_shutdown,
                        log_dirs,
                    }
                    .into()
                }
            ),
            (0..3, id()).prop_map(|(controller_id, incarnation_id)| {
                let plain = RegisterControllerRecord::default();
                RegisterControllerRecord { controller_id, incarnation_id, ..plain }.into()
            }),
            (id(), text()).prop_map(|(topic_id, name)| TopicRecord { name, topic_id }.into()),
            id().prop_map(|topic_id| RemoveTopicRecord { topic_id }.into()),
            (id(), nodes(), nodes(), ids(), maybe(), maybe()).prop_map(
                |(topic_id, replicas, isr, directories, eligible, last_known)| {
                    let some = |list: Option<Vec<i32>>| list.filter(|list| !list.is_empty());
                    PartitionRecord {
                        partition_id: 0,
                        topic_id,
                        replicas,
                        isr,
                        directories,
                        eligible_leader_replicas: some(eligible),
                        last_known_elr: some(last_known),
                        leader_epoch: 3,
                        partition_epoch: 4,
                        ..PartitionRecord::default()
                    }
                    .into()
                }
            ),
            (id(), maybe(), -2..3, maybe(), maybe()).prop_map(
                |(topic_id, isr, leader, eligible_leader_replicas, last_known_elr)| {
                    PartitionChangeRecord {
                        partition_id: 0,
                        topic_id,
                        isr,
                        leader,
                        eligible_leader_replicas,
                        last_known_elr,
                        ..PartitionChangeRecord::default()
                    }
                    .into()
                }
            ),
            (1_i64..9).prop_map(|next_producer_id| {
                ProducerIdsRecord { next_producer_id, ..ProducerIdsRecord::default() }.into()
            }),
            (small()).prop_map(|state| ZkMigrationStateRecord { zk_migration_state: state }.into()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn the_records_of_an_image_give_it_again(history in prop::collection::vec(record(), 0..60)) {
            let mut image = MetadataImage::default();
            for feature in crate::features::FRESH {
                image.levels.set(feature.0, feature.1);
            }
            for record in history {
                // What does not fit changes nothing.
                let _ = image.apply(Offset(0), record);
            }
            let mut again = MetadataImage::default();
            for (record, version) in records(&image) {
                let (record, read) = MetadataRecord::decode(record.encode(version).unwrap()).unwrap();
                prop_assert_eq!(read, version);
                again.apply(Offset(0), record).unwrap();
            }
            image.removed_topics.clear();
            image.is_bootstrapped = true;
            prop_assert_eq!(again, image);
        }
    }
}
