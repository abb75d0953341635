//! The image of all topics, and the records that change it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base::{LeaderEpoch, NodeId, PartitionIndex, Uuid};

/// One partition as the metadata log has it (Kafka: `PartitionRegistration`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionInfo {
    /// Nodes that hold a copy; the first is preferred as leader.
    pub replicas: Vec<NodeId>,
    /// The log directory of each copy, in the order of `replicas`; empty when none was recorded.
    pub directories: Vec<Uuid>,
    /// The copies that are in sync.
    pub isr: Vec<NodeId>,
    /// Copies that a reassignment is taking away.
    pub removing: Vec<NodeId>,
    /// Copies that a reassignment is adding.
    pub adding: Vec<NodeId>,
    /// Who leads, if anyone does.
    pub leader: Option<NodeId>,
    /// Whether the leader was elected without being in sync and has not yet said that it is done recovering.
    pub recovering: bool,
    /// Counts changes of leadership, from 0.
    pub leader_epoch: LeaderEpoch,
    /// Counts changes of any kind, from 0.
    pub partition_epoch: i32,
    /// Copies out of sync that hold everything committed all the same (KIP-966).
    pub eligible_leaders: Vec<NodeId>,
    /// The last known such copies (KIP-966).
    pub last_known_eligible_leaders: Vec<NodeId>,
}

/// What changes in a partition; `None` leaves as it is (Kafka: PartitionChangeRecord).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionChange {
    /// New copies.
    pub replicas: Option<Vec<NodeId>>,
    /// New log directories.
    pub directories: Option<Vec<Uuid>>,
    /// New in-sync set.
    pub isr: Option<Vec<NodeId>>,
    /// New set of copies being taken away.
    pub removing: Option<Vec<NodeId>>,
    /// New set of copies being added.
    pub adding: Option<Vec<NodeId>>,
    /// New leader, `Some(None)` for nobody. Naming a leader, even the same one, raises the leader epoch.
    pub leader: Option<Option<NodeId>>,
    /// Whether the leader is still recovering.
    pub recovering: Option<bool>,
    /// New set of eligible leaders.
    pub eligible_leaders: Option<Vec<NodeId>>,
    /// New set of last known eligible leaders.
    pub last_known_eligible_leaders: Option<Vec<NodeId>>,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: Arc<str>,
    /// Its id, never used again for another topic.
    pub id: Uuid,
    /// Its own configuration, by key; what is not here comes from the broker.
    pub configs: BTreeMap<String, String>,
    /// Its partitions: number `i` at place `i`.
    pub partitions: Vec<PartitionInfo>,
}

impl Topic {
    /// The partition `index`.
    #[must_use]
    pub fn partition(&self, index: PartitionIndex) -> Option<&PartitionInfo> {
        self.partitions.get(usize::try_from(index.0).ok()?)
    }
}

/// A change of the image, as the metadata log stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A topic comes to be (TopicRecord).
    Topic {
        /// Its id.
        id: Uuid,
        /// Its name.
        name: String,
    },
    /// A topic's configuration key is set, or taken away (ConfigRecord of a topic).
    Config {
        /// The topic.
        topic: String,
        /// The key.
        name: String,
        /// The value; `None` takes the key away.
        value: Option<String>,
    },
    /// A partition comes to be, or is replaced whole (PartitionRecord).
    Partition {
        /// Its topic.
        topic: Uuid,
        /// Its number.
        index: PartitionIndex,
        /// What it is.
        info: PartitionInfo,
    },
    /// A partition changes (PartitionChangeRecord).
    PartitionChange {
        /// Its topic.
        topic: Uuid,
        /// Its number.
        index: PartitionIndex,
        /// What changes.
        change: PartitionChange,
    },
    /// A topic goes, with its partitions and configuration (RemoveTopicRecord).
    RemoveTopic {
        /// Which one.
        id: Uuid,
    },
}

/// A record that does not fit the image it meets: the log it comes from is damaged or not whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Absurd {
    /// A topic is made whose name is taken.
    #[error("topic {name} (id {id}) is created while a topic of this name exists (id {existing})")]
    NameTaken {
        /// The name.
        name: String,
        /// The new topic.
        id: Uuid,
        /// The topic that has the name.
        existing: Uuid,
    },
    /// A topic is made whose id is taken.
    #[error("topic {name} is created with the id {id} of the topic {existing}")]
    IdTaken {
        /// The new topic.
        name: String,
        /// The id.
        id: Uuid,
        /// The topic that has the id.
        existing: String,
    },
    /// A record speaks of a topic that does not exist.
    #[error("a record speaks of a topic {id} that does not exist")]
    NoTopic {
        /// The id.
        id: Uuid,
    },
    /// A record speaks of a partition that does not exist, or whose number is negative.
    #[error("a record speaks of a partition {index} that topic {topic} does not have")]
    NoPartition {
        /// The topic's name.
        topic: String,
        /// The number.
        index: PartitionIndex,
    },
    /// The log ends and partitions are missing below one that exists.
    #[error("topic {topic} has a partition {index} but not all of those below it")]
    Gap {
        /// The topic's id.
        topic: Uuid,
        /// The number of the one that exists.
        index: PartitionIndex,
    },
}

/// All topics of the cluster. Cloning shares the topics themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    by_name: BTreeMap<Arc<str>, Arc<Topic>>,
    by_id: HashMap<Uuid, Arc<str>>,
    /// Partitions met before those below them: a snapshot does not promise their order. Empty once a log is applied whole.
    early: BTreeMap<(Uuid, PartitionIndex), PartitionInfo>,
}

impl Topics {
    /// The topic called `name`.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Arc<Topic>> {
        self.by_name.get(name)
    }

    /// The topic with the id `id`.
    #[must_use]
    pub fn by_id(&self, id: Uuid) -> Option<&Arc<Topic>> {
        self.by_name.get(self.by_id.get(&id)?)
    }

    /// All topics, by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Topic>> {
        self.by_name.values()
    }

    /// How many topics there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is no topic.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Changes the image as `record` says: the same for a fresh decision and for a replay. A configuration of a topic that
    /// does not exist is dropped, as it would be with the topic.
    ///
    /// # Errors
    /// When the record does not fit; then nothing has changed.
    pub fn apply(&mut self, record: &Record) -> Result<(), Absurd> {
        match record {
            Record::Topic { id, name } => self.add(*id, name),
            Record::Config { topic, name, value } => {
                if let Some(topic) = self.by_name.get_mut(topic.as_str()).map(Arc::make_mut) {
                    match value {
                        Some(value) => topic.configs.insert(name.clone(), value.clone()),
                        None => topic.configs.remove(name),
                    };
                }
                Ok(())
            }
            Record::Partition { topic, index, info } => self.put_partition(*topic, *index, info),
            Record::PartitionChange { topic, index, change } => self.change_partition(*topic, *index, change),
            Record::RemoveTopic { id } => {
                let name = self.by_id.remove(id).ok_or(Absurd::NoTopic { id: *id })?;
                self.by_name.remove(&name);
                self.early.retain(|(topic, _), _| topic != id);
                Ok(())
            }
        }
    }

    /// Whether every topic has all the partitions below its highest one. To be asked at the end of a replay.
    ///
    /// # Errors
    /// Names a partition that stands above a gap.
    pub fn check_whole(&self) -> Result<(), Absurd> {
        match self.early.keys().next() {
            Some(&(topic, index)) => Err(Absurd::Gap { topic, index }),
            None => Ok(()),
        }
    }

    fn add(&mut self, id: Uuid, name: &str) -> Result<(), Absurd> {
        if let Some(existing) = self.by_name.get(name) {
            return Err(Absurd::NameTaken { name: name.to_owned(), id, existing: existing.id });
        }
        if let Some(existing) = self.by_id.get(&id) {
            return Err(Absurd::IdTaken { name: name.to_owned(), id, existing: existing.to_string() });
        }
        let name: Arc<str> = Arc::from(name);
        let topic = Topic { name: Arc::clone(&name), id, configs: BTreeMap::new(), partitions: Vec::new() };
        self.by_name.insert(Arc::clone(&name), Arc::new(topic));
        self.by_id.insert(id, name);
        Ok(())
    }

    fn put_partition(&mut self, id: Uuid, index: PartitionIndex, info: &PartitionInfo) -> Result<(), Absurd> {
        let topic = self.topic_mut(id)?;
        let place = usize::try_from(index.0)
            .map_err(|_| Absurd::NoPartition { topic: topic.name.to_string(), index })?;
        if let Some(known) = topic.partitions.get_mut(place) {
            known.clone_from(info);
            return Ok(());
        }
        if place > topic.partitions.len() {
            self.early.insert((id, index), info.clone());
            return Ok(());
        }
        topic.partitions.push(info.clone());
        let mut next = PartitionIndex(index.0 + 1);
        while let Some(info) = self.early.remove(&(id, next)) {
            self.topic_mut(id)?.partitions.push(info);
            next = PartitionIndex(next.0 + 1);
        }
        Ok(())
    }

    fn change_partition(
        &mut self,
        id: Uuid,
        index: PartitionIndex,
        change: &PartitionChange,
    ) -> Result<(), Absurd> {
        if let Some(early) = self.early.get_mut(&(id, index)) {
            early.change(change);
            return Ok(());
        }
        let topic = self.topic_mut(id)?;
        match usize::try_from(index.0).ok().and_then(|place| topic.partitions.get_mut(place)) {
            Some(info) => {
                info.change(change);
                Ok(())
            }
            None => Err(Absurd::NoPartition { topic: topic.name.to_string(), index }),
        }
    }

    fn topic_mut(&mut self, id: Uuid) -> Result<&mut Topic, Absurd> {
        let name = self.by_id.get(&id).ok_or(Absurd::NoTopic { id })?;
        self.by_name.get_mut(name).map(Arc::make_mut).ok_or(Absurd::NoTopic { id })
    }
}

impl PartitionInfo {
    /// Kafka: `PartitionRegistration.merge`.
    fn change(&mut self, change: &PartitionChange) {
        let set = |place: &mut Vec<NodeId>, new: &Option<Vec<NodeId>>| {
            if let Some(new) = new {
                place.clone_from(new);
            }
        };
        set(&mut self.replicas, &change.replicas);
        set(&mut self.isr, &change.isr);
        set(&mut self.removing, &change.removing);
        set(&mut self.adding, &change.adding);
        set(&mut self.eligible_leaders, &change.eligible_leaders);
        set(&mut self.last_known_eligible_leaders, &change.last_known_eligible_leaders);
        if let Some(directories) = &change.directories {
            self.directories.clone_from(directories);
        }
        if let Some(leader) = change.leader {
            self.leader = leader;
            self.leader_epoch = LeaderEpoch(self.leader_epoch.0.wrapping_add(1));
        }
        if let Some(recovering) = change.recovering {
            self.recovering = recovering;
        }
        self.partition_epoch = self.partition_epoch.wrapping_add(1);
    }
}
