//! What the metadata log comes to: the state that replaying its records gives (Kafka: `MetadataImage`).

use std::collections::{BTreeMap, HashSet};

use base::{NodeId, Offset, Uuid};
use log::checkpoint::format_id;
use state_machines::topics::{PartitionChange, Record, Topics};
use wire::metadata_records::{ClearElrRecord, ConfigRecord, MetadataRecord};

use crate::convert::{self, BROKER_RESOURCE};
use crate::error::{MetadataFault, Unservable};
use crate::features::Levels;
use crate::meta_properties::is_reserved;

/// A broker that is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Registration {
    /// Its broker epoch.
    pub(crate) epoch: i64,
}

/// The state of the cluster. [`Self::apply`] is the only way it changes, for a replay as for a fresh record.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MetadataImage {
    pub(crate) topics: Topics,
    pub(crate) levels: Levels,
    pub(crate) brokers: BTreeMap<NodeId, Registration>,
    /// The first producer id that was never handed out in a block.
    pub(crate) next_producer_id: i64,
    /// Settings that were changed while Kafka ran: by broker (empty name: all), by key. Kept in mind; nothing acts on them.
    pub(crate) broker_configs: BTreeMap<String, BTreeMap<String, String>>,
    /// Topics that were deleted in the part of the log that is still there.
    pub(crate) removed_topics: HashSet<Uuid>,
    /// How far a migration from ZooKeeper has come; 0: there was none.
    pub(crate) zk_migration_state: i8,
    /// How many records there are of each kind that nothing here acts on.
    pub(crate) not_acted_on: BTreeMap<&'static str, u64>,
    /// Whether any record took effect: a log without one still has to be bootstrapped.
    pub(crate) is_bootstrapped: bool,
    /// The records of a transaction that has not ended (KIP-868): they have not taken effect.
    transaction: Option<Vec<(Offset, MetadataRecord)>>,
}

impl MetadataImage {
    /// Takes the record at `offset` into account.
    ///
    /// # Errors
    /// When it does not fit what came before it.
    pub(crate) fn apply(&mut self, offset: Offset, record: MetadataRecord) -> Result<(), MetadataFault> {
        let disordered = |why: &str| MetadataFault::Record { offset, why: why.to_owned() };
        match (&mut self.transaction, &record) {
            (None, MetadataRecord::BeginTransaction(_)) => self.transaction = Some(Vec::new()),
            (Some(_), MetadataRecord::BeginTransaction(_)) => {
                return Err(disordered("a transaction begins within another one"));
            }
            (None, MetadataRecord::EndTransaction(_) | MetadataRecord::AbortTransaction(_)) => {
                return Err(disordered("a transaction ends that never began"));
            }
            (Some(_), MetadataRecord::AbortTransaction(_)) => self.transaction = None,
            (Some(_), MetadataRecord::EndTransaction(_)) => {
                for (offset, record) in self.transaction.take().unwrap_or_default() {
                    self.take_effect(offset, &record)?;
                }
            }
            (Some(waiting), _) => waiting.push((offset, record)),
            (None, _) => self.take_effect(offset, &record)?,
        }
        Ok(())
    }

    /// Whether a transaction has begun and not ended.
    pub(crate) fn has_open_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    fn take_effect(&mut self, offset: Offset, record: &MetadataRecord) -> Result<(), MetadataFault> {
        self.is_bootstrapped |= !matches!(record, MetadataRecord::NoOp(_));
        if let Some(topics_record) = convert::of_wire(record) {
            self.topics.apply(&topics_record).map_err(|source| MetadataFault::Absurd { offset, source })?;
            if let Record::RemoveTopic { id } = topics_record {
                self.removed_topics.insert(id);
            }
            return Ok(());
        }
        match record {
            MetadataRecord::FeatureLevel(record) => self.levels.set(&record.name, record.feature_level),
            MetadataRecord::RegisterBroker(record) => {
                self.brokers.insert(NodeId(record.broker_id), Registration { epoch: record.broker_epoch });
            }
            MetadataRecord::UnregisterBroker(record) => {
                self.brokers.remove(&NodeId(record.broker_id));
            }
            MetadataRecord::ProducerIds(record) => {
                // Kafka's controller asks the same (`ProducerIdControlManager.replay`).
                if record.next_producer_id <= self.next_producer_id {
                    let (from, to) = (self.next_producer_id, record.next_producer_id);
                    return Err(MetadataFault::ProducerIds { offset, from, to });
                }
                self.next_producer_id = record.next_producer_id;
            }
            MetadataRecord::Config(record) if record.resource_type == BROKER_RESOURCE => {
                self.configure(record);
            }
            MetadataRecord::ZkMigrationState(record) => self.zk_migration_state = record.zk_migration_state,
            MetadataRecord::ClearElr(record) => self.clear_eligible_leaders(offset, record)?,
            // Who is fenced, and for how long, does not matter to a node that is alone.
            MetadataRecord::FenceBroker(_)
            | MetadataRecord::UnfenceBroker(_)
            | MetadataRecord::BrokerRegistrationChange(_)
            | MetadataRecord::RegisterController(_)
            | MetadataRecord::NoOp(_) => {}
            MetadataRecord::Config(_)
            | MetadataRecord::DelegationToken(_)
            | MetadataRecord::UserScramCredential(_)
            | MetadataRecord::ClientQuota(_)
            | MetadataRecord::AccessControlEntry(_)
            | MetadataRecord::RemoveAccessControlEntry(_)
            | MetadataRecord::RemoveUserScramCredential(_)
            | MetadataRecord::RemoveDelegationToken(_) => {
                *self.not_acted_on.entry(record.name()).or_default() += 1;
            }
            MetadataRecord::Topic(_)
            | MetadataRecord::Partition(_)
            | MetadataRecord::PartitionChange(_)
            | MetadataRecord::RemoveTopic(_)
            | MetadataRecord::BeginTransaction(_)
            | MetadataRecord::EndTransaction(_)
            | MetadataRecord::AbortTransaction(_) => unreachable!("looked at before"),
        }
        Ok(())
    }

    fn configure(&mut self, record: &ConfigRecord) {
        let configs = self.broker_configs.entry(record.resource_name.to_string()).or_default();
        match &record.value {
            Some(value) => configs.insert(record.name.to_string(), value.to_string()),
            None => configs.remove(&*record.name),
        };
    }

    fn clear_eligible_leaders(
        &mut self,
        offset: Offset,
        record: &ClearElrRecord,
    ) -> Result<(), MetadataFault> {
        let mut changes = Vec::new();
        for topic in self.topics.iter() {
            if !record.topic_name.is_empty() && *record.topic_name != *topic.name {
                continue;
            }
            for (index, info) in (0..).zip(&topic.partitions) {
                if !info.eligible_leaders.is_empty() || !info.last_known_eligible_leaders.is_empty() {
                    let change = PartitionChange {
                        eligible_leaders: Some(Vec::new()),
                        last_known_eligible_leaders: Some(Vec::new()),
                        ..PartitionChange::default()
                    };
                    let index = base::PartitionIndex(index);
                    changes.push(Record::PartitionChange { topic: topic.id, index, change });
                }
            }
        }
        let absurd = |source| MetadataFault::Absurd { offset, source };
        changes.iter().try_for_each(|change| self.topics.apply(change)).map_err(absurd)
    }

    /// Whether this node alone, with the log directory `directory` (if it has an id yet), is the whole cluster.
    pub(crate) fn check_servable(&self, node: NodeId, directory: Option<Uuid>) -> Result<(), Unservable> {
        self.levels.check()?;
        if !matches!(self.zk_migration_state, 0 | 3) {
            return Err(Unservable::ZkMigration);
        }
        if let Some(broker) = self.brokers.keys().find(|broker| **broker != node) {
            return Err(Unservable::OtherBroker { broker: *broker, node });
        }
        for topic in self.topics.iter() {
            for (index, info) in (0..).zip(&topic.partitions) {
                let index = base::PartitionIndex(index);
                if info.replicas != [node] {
                    let replicas = info.replicas.iter().map(|node| node.0).collect();
                    return Err(Unservable::OtherReplicas {
                        topic: topic.name.to_string(),
                        index,
                        replicas,
                        node,
                    });
                }
                let elsewhere = |id: &&Uuid| !is_reserved(**id) && Some(**id) != directory;
                if let Some(id) = info.directories.iter().find(elsewhere) {
                    let directory = format_id(*id);
                    return Err(Unservable::OtherDirectory {
                        topic: topic.name.to_string(),
                        index,
                        directory,
                    });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use base::PartitionIndex;
    use state_machines::topics::PartitionInfo;
    use wire::metadata_records::{
        AccessControlEntryRecord, BrokerRegistrationChangeRecord, ClientQuotaRecord, DelegationTokenRecord,
        FenceBrokerRecord, NoOpRecord, RegisterBrokerRecord, RegisterControllerRecord,
        RemoveAccessControlEntryRecord, RemoveDelegationTokenRecord, RemoveUserScramCredentialRecord,
        UnfenceBrokerRecord, UnregisterBrokerRecord, UserScramCredentialRecord,
    };

    use super::*;

    fn apply(image: &mut MetadataImage, record: impl Into<MetadataRecord>) {
        image.apply(Offset(0), record.into()).unwrap();
    }

    #[test]
    fn every_kind_of_record_is_taken() {
        let mut image = MetadataImage::default();
        apply(&mut image, NoOpRecord {});
        assert_eq!(
            image,
            MetadataImage::default(),
            "a log that holds nothing else still has to be bootstrapped"
        );
        apply(
            &mut image,
            RegisterBrokerRecord { broker_id: 4, broker_epoch: 7, ..RegisterBrokerRecord::default() },
        );
        assert_eq!(image.brokers[&NodeId(4)].epoch, 7);
        apply(&mut image, FenceBrokerRecord::default());
        apply(&mut image, UnfenceBrokerRecord::default());
        apply(&mut image, BrokerRegistrationChangeRecord::default());
        apply(&mut image, RegisterControllerRecord::default());
        apply(&mut image, UnregisterBrokerRecord { broker_id: 4, broker_epoch: 7 });
        assert!(image.brokers.is_empty());

        let config = |resource_type, value: Option<&'static str>| ConfigRecord {
            resource_type,
            name: "key".into(),
            value: value.map(Into::into),
            ..ConfigRecord::default()
        };
        apply(&mut image, config(BROKER_RESOURCE, Some("1")));
        assert_eq!(image.broker_configs[""]["key"], "1");
        apply(&mut image, config(BROKER_RESOURCE, None));
        assert!(image.broker_configs[""].is_empty());

        apply(&mut image, config(16, Some("a client metrics subscription")));
        apply(&mut image, DelegationTokenRecord::default());
        apply(&mut image, RemoveDelegationTokenRecord::default());
        apply(&mut image, UserScramCredentialRecord::default());
        apply(&mut image, RemoveUserScramCredentialRecord::default());
        apply(&mut image, ClientQuotaRecord::default());
        apply(&mut image, AccessControlEntryRecord::default());
        apply(&mut image, RemoveAccessControlEntryRecord::default());
        assert_eq!(image.not_acted_on.len(), 8);
    }

    #[test]
    fn eligible_leaders_are_cleared_where_there_are_any() {
        let mut image = MetadataImage::default();
        for (number, name) in [(1, "a"), (2, "b")] {
            let id = Uuid::from_u128(number);
            let info = PartitionInfo { eligible_leaders: vec![NodeId(1)], ..PartitionInfo::default() };
            image.topics.apply(&Record::Topic { id, name: name.into() }).unwrap();
            image.topics.apply(&Record::Partition { topic: id, index: PartitionIndex(0), info }).unwrap();
        }
        let left = |image: &MetadataImage| -> Vec<_> {
            image.topics.iter().map(|topic| topic.partitions[0].eligible_leaders.len()).collect()
        };
        apply(&mut image, ClearElrRecord { topic_name: "b".into() });
        assert_eq!(left(&image), [1, 0]);
        apply(&mut image, ClearElrRecord::default());
        assert_eq!(left(&image), [0, 0]);
    }
}
