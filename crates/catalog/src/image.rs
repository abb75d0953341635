//! What the metadata log comes to: the state that replaying its records gives (Kafka: `MetadataImage`).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use base::{NodeId, Offset, Uuid};
use log::checkpoint::format_id;
use state_machines::configs::Configs;
use state_machines::quotas::Quotas;
use state_machines::topics::{PartitionChange, Record, Topics};
use wire::metadata_records::{
    BrokerRegistrationChangeRecord, ClearElrRecord, MetadataRecord, RegisterBrokerRecord,
    RegisterControllerRecord,
};

use crate::bystanders::Bystanders;
use crate::convert;
use crate::error::{MetadataFault, Unservable};
use crate::features::Levels;
use crate::meta_properties::is_reserved;
use crate::quotas;

/// The state of the cluster. [`Self::apply`] is the only way it changes, for a replay as for a fresh record. Cloning it
/// shares what is large.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MetadataImage {
    pub(crate) topics: Topics,
    /// The configurations of everything but topics.
    pub(crate) configs: Configs,
    pub(crate) levels: Levels,
    /// Brokers as they are registered, with what changed since.
    pub(crate) brokers: BTreeMap<NodeId, RegisterBrokerRecord>,
    pub(crate) controllers: BTreeMap<NodeId, RegisterControllerRecord>,
    /// The first producer id that was never handed out in a block.
    pub(crate) next_producer_id: i64,
    pub(crate) quotas: Arc<Quotas>,
    /// What Kafka keeps here and nothing acts on.
    pub(crate) bystanders: Arc<Bystanders>,
    /// Topics that were deleted in the part of the log that is still there.
    pub(crate) removed_topics: HashSet<Uuid>,
    /// How far a migration from ZooKeeper has come; 0: there was none.
    pub(crate) zk_migration_state: i8,
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
                self.brokers.insert(NodeId(record.broker_id), record.clone());
            }
            MetadataRecord::UnregisterBroker(record) => {
                self.brokers.remove(&NodeId(record.broker_id));
            }
            MetadataRecord::RegisterController(record) => {
                self.controllers.insert(NodeId(record.controller_id), record.clone());
            }
            MetadataRecord::BrokerRegistrationChange(record) => self.change_registration(record),
            MetadataRecord::FenceBroker(record) => self.fence(record.id, record.epoch, true),
            MetadataRecord::UnfenceBroker(record) => self.fence(record.id, record.epoch, false),
            MetadataRecord::ProducerIds(record) => {
                // Kafka's controller asks the same (`ProducerIdControlManager.replay`).
                if record.next_producer_id <= self.next_producer_id {
                    let (from, to) = (self.next_producer_id, record.next_producer_id);
                    return Err(MetadataFault::ProducerIds { offset, from, to });
                }
                self.next_producer_id = record.next_producer_id;
            }
            MetadataRecord::ZkMigrationState(record) => self.zk_migration_state = record.zk_migration_state,
            MetadataRecord::ClearElr(record) => self.clear_eligible_leaders(offset, record)?,
            MetadataRecord::NoOp(_) => {}
            MetadataRecord::Config(record) => self.configs.apply(&convert::of_config(record)),
            MetadataRecord::ClientQuota(record) => {
                Arc::make_mut(&mut self.quotas).apply(&quotas::of_wire(record));
            }
            MetadataRecord::DelegationToken(_)
            | MetadataRecord::UserScramCredential(_)
            | MetadataRecord::AccessControlEntry(_)
            | MetadataRecord::RemoveAccessControlEntry(_)
            | MetadataRecord::RemoveUserScramCredential(_)
            | MetadataRecord::RemoveDelegationToken(_) => Arc::make_mut(&mut self.bystanders).apply(record),
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

    /// A registration of another epoch than the record's is not meant.
    fn registration(&mut self, broker: i32, epoch: i64) -> Option<&mut RegisterBrokerRecord> {
        self.brokers.get_mut(&NodeId(broker)).filter(|registered| registered.broker_epoch == epoch)
    }

    fn fence(&mut self, broker: i32, epoch: i64, fenced: bool) {
        if let Some(registered) = self.registration(broker, epoch) {
            registered.fenced = fenced;
        }
    }

    /// Kafka: `BrokerRegistration.cloneWith`.
    fn change_registration(&mut self, record: &BrokerRegistrationChangeRecord) {
        let Some(registered) = self.registration(record.broker_id, record.broker_epoch) else { return };
        if record.fenced != 0 {
            registered.fenced = record.fenced > 0;
        }
        if record.in_controlled_shutdown != 0 {
            registered.in_controlled_shutdown = record.in_controlled_shutdown > 0;
        }
        if !record.log_dirs.is_empty() {
            registered.log_dirs.clone_from(&record.log_dirs);
        }
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

    /// Whether every partition can be in the one log directory, of the node's several, that holds the partitions `here`.
    pub(crate) fn check_directory<'a>(
        &self,
        node: NodeId,
        directory: Option<Uuid>,
        here: impl Iterator<Item = (&'a str, base::PartitionIndex)>,
    ) -> Result<(), Unservable> {
        let count = self.brokers.get(&node).map_or(0, |broker| broker.log_dirs.len());
        if count < 2 {
            return Ok(());
        }
        let here: HashSet<_> = here.collect();
        for topic in self.topics.iter() {
            for (index, info) in (0..).zip(&topic.partitions) {
                let index = base::PartitionIndex(index);
                let assigned = info.directories.first().copied() == directory && directory.is_some();
                if !assigned && !here.contains(&(&*topic.name, index)) {
                    return Err(Unservable::SeveralDirectories {
                        topic: topic.name.to_string(),
                        index,
                        count,
                    });
                }
            }
        }
        Ok(())
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
            if topic
                .configs
                .get("remote.storage.enable")
                .is_some_and(|enabled| enabled.eq_ignore_ascii_case("true"))
            {
                return Err(Unservable::TieredStorage { topic: topic.name.to_string() });
            }
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
    use state_machines::configs::ResourceType;
    use state_machines::topics::PartitionInfo;
    use wire::metadata_records::{
        AccessControlEntryRecord, ClientQuotaRecord, ConfigRecord, DelegationTokenRecord, FenceBrokerRecord,
        NoOpRecord, RemoveAccessControlEntryRecord, RemoveDelegationTokenRecord,
        RemoveUserScramCredentialRecord, UnfenceBrokerRecord, UnregisterBrokerRecord,
        UserScramCredentialRecord,
    };

    use super::*;
    use crate::convert::BROKER_RESOURCE;

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
        for record in [false, true].map(|remove| ClientQuotaRecord { remove, ..ClientQuotaRecord::default() })
        {
            apply(&mut image, record);
        }
        apply(&mut image, DelegationTokenRecord::default());
        apply(&mut image, UserScramCredentialRecord::default());
        apply(&mut image, AccessControlEntryRecord::default());
        let config = |resource_type, value: Option<&'static str>| ConfigRecord {
            resource_type,
            name: "key".into(),
            value: value.map(Into::into),
            ..ConfigRecord::default()
        };
        apply(&mut image, config(BROKER_RESOURCE, Some("1")));
        apply(&mut image, config(16, Some("a client metrics subscription")));
        let counts: Vec<_> = image.bystanders.counts().into_iter().map(|(_, count)| count).collect();
        assert_eq!(counts, [1, 1, 1]);
        let keys = |kind| -> Vec<_> {
            image.configs.of_type(kind).map(|(name, configs)| (name, configs.len())).collect()
        };
        assert_eq!(keys(ResourceType::Broker), [("", 1)]);
        assert_eq!(keys(ResourceType::ClientMetrics), [("", 1)]);

        apply(&mut image, config(BROKER_RESOURCE, None));
        apply(&mut image, config(16, None));
        apply(&mut image, RemoveDelegationTokenRecord::default());
        apply(&mut image, RemoveUserScramCredentialRecord::default());
        apply(&mut image, RemoveAccessControlEntryRecord::default());
        assert_eq!(*image.bystanders, Bystanders::default());
        assert_eq!(image.configs, Configs::default());
    }

    #[test]
    fn a_registration_is_kept_with_what_changed_since() {
        let mut image = MetadataImage::default();
        let registered =
            RegisterBrokerRecord { broker_id: 4, broker_epoch: 7, ..RegisterBrokerRecord::default() };
        apply(&mut image, registered.clone());
        let change = |broker_epoch, fenced| BrokerRegistrationChangeRecord {
            broker_id: 4,
            broker_epoch,
            fenced,
            ..BrokerRegistrationChangeRecord::default()
        };
        apply(&mut image, change(6, -1));
        assert_eq!(image.brokers[&NodeId(4)], registered, "that one was of an earlier run");
        apply(&mut image, change(7, -1));
        let stopping = BrokerRegistrationChangeRecord { in_controlled_shutdown: 1, ..change(7, 0) };
        apply(
            &mut image,
            BrokerRegistrationChangeRecord { log_dirs: vec![Uuid::from_u128(900)], ..stopping },
        );
        let now = &image.brokers[&NodeId(4)];
        assert_eq!(
            (now.fenced, now.in_controlled_shutdown, &now.log_dirs[..]),
            (false, true, &[Uuid::from_u128(900)][..])
        );
        apply(&mut image, FenceBrokerRecord { id: 4, epoch: 7 });
        assert!(image.brokers[&NodeId(4)].fenced);
        apply(&mut image, UnfenceBrokerRecord { id: 4, epoch: 7 });
        assert!(!image.brokers[&NodeId(4)].fenced);
        apply(
            &mut image,
            RegisterControllerRecord { controller_id: 4, ..RegisterControllerRecord::default() },
        );
        assert_eq!(image.controllers.len(), 1);
        apply(&mut image, UnregisterBrokerRecord { broker_id: 4, broker_epoch: 7 });
        assert!(image.brokers.is_empty());
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
