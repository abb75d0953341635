//! What may be created, grown and deleted: requests in, records out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use base::{LeaderEpoch, NodeId, PartitionIndex, Uuid};

use super::image::{PartitionInfo, Record, Topics};
use super::name;
use super::refusal::Refusal;

/// Most partitions that one request may create (Kafka: `MAX_PARTITIONS_PER_BATCH`), so that they fit one metadata batch.
pub const MAX_PARTITIONS_PER_REQUEST: i64 = 10_000;

/// What a topic is created with when the request leaves it open, and where its partitions go.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// `num.partitions`.
    pub partitions: i32,
    /// `default.replication.factor`.
    pub replication_factor: i16,
    /// The one node there is.
    pub node: NodeId,
    /// Its log directory.
    pub directory: Uuid,
    /// `ottla.replication.factor.clamp`: who asks for several copies gets one, instead of a refusal.
    pub clamp: bool,
}

/// Says what is wrong with a topic's configuration, if anything.
pub type ConfigCheck<'a> = &'a dyn Fn(&BTreeMap<String, String>) -> Result<(), String>;

/// A wish for a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; -1 for `num.partitions`.
    pub partitions: i32,
    /// How many copies of each; -1 for `default.replication.factor`.
    pub replication_factor: i16,
    /// Which nodes hold which partition, when the client says so itself; then the two numbers must be -1. Empty: it does not.
    pub assignments: Vec<(PartitionIndex, Vec<NodeId>)>,
    /// The topic's own configuration, in the order of the request; of a key given twice the last value counts.
    pub configs: Vec<(String, Option<String>)>,
}

impl NewTopic {
    /// A topic for which everything is left to the broker, as automatic creation wants it.
    #[must_use]
    pub fn with_defaults(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            partitions: -1,
            replication_factor: -1,
            assignments: Vec::new(),
            configs: Vec::new(),
        }
    }
}

/// A wish for more partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewPartitions {
    /// The topic.
    pub topic: String,
    /// How many partitions it shall have in all.
    pub count: i32,
    /// Which nodes hold each new partition, when the client says so itself.
    pub assignments: Option<Vec<Vec<NodeId>>>,
}

/// A topic named in one of the two ways.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TopicRef {
    /// By name.
    Name(String),
    /// By id.
    Id(Uuid),
}

/// A topic that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Its name.
    pub name: String,
    /// Its id. Also when it was only validated, as Kafka answers; then nothing has that id.
    pub id: Uuid,
    /// How many partitions it has.
    pub partitions: i32,
    /// How many copies of each.
    pub replication_factor: i16,
    /// How many copies were asked for, when those were too many for one node ([`Rules::clamp`]).
    pub clamped_from: Option<usize>,
    /// Its own configuration.
    pub configs: BTreeMap<String, String>,
}

/// A topic that may be created, and the records that do it, in Kafka's order: the topic, its configuration by key, its
/// partitions by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// The answer.
    pub topic: CreatedTopic,
    /// What is to be stored.
    pub records: Vec<Record>,
}

/// Partitions that may be added, and the records that do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The topic.
    pub id: Uuid,
    /// What is to be stored.
    pub records: Vec<Record>,
}

/// A topic that may be deleted, and the record that does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Its name.
    pub name: Arc<str>,
    /// Its id.
    pub id: Uuid,
    /// What is to be stored.
    pub record: Record,
}

impl Topics {
    /// Judges the wishes of one CreateTopics request; the answers stand in its order, and each wish stands or falls alone
    /// (Kafka: `ReplicationControlManager.createTopics`). `id` gives a fresh random id.
    pub fn create(
        &self,
        wishes: &[NewTopic],
        rules: &Rules,
        check_configs: ConfigCheck<'_>,
        id: &mut dyn FnMut() -> Uuid,
    ) -> Vec<Result<Creation, Refusal>> {
        let total = wishes.iter().map(|wish| wish.total_partitions(rules)).fold(0, i64::saturating_add);
        if total > MAX_PARTITIONS_PER_REQUEST {
            return wishes.iter().map(|_| Err(Refusal::TooManyPartitions)).collect();
        }
        let counts = counts(wishes.iter().map(|wish| wish.name.as_str()));
        let mut judge = |wish: &NewTopic| {
            if counts[wish.name.as_str()] > 1 {
                return Err(Refusal::DuplicateName);
            }
            self.check_new_name(&wish.name)?;
            let configs = configs_of(wish)?;
            check_configs(&configs).map_err(Refusal::InvalidConfig)?;
            let shape = wish.shape(rules)?;
            Ok(creation(wish, configs, &shape, rules, id()))
        };
        wishes.iter().map(&mut judge).collect()
    }

    /// Judges the wishes of one CreatePartitions request (Kafka: `ReplicationControlManager.createPartitions`).
    #[must_use]
    pub fn grow(&self, wishes: &[NewPartitions], rules: &Rules) -> Vec<Result<Growth, Refusal>> {
        let counts = counts(wishes.iter().map(|wish| wish.topic.as_str()));
        let mut added = 0;
        let mut judge = |wish: &NewPartitions| {
            if counts[wish.topic.as_str()] > 1 {
                return Err(Refusal::DuplicateName);
            }
            let topic = self.by_name(&wish.topic).ok_or(Refusal::UnknownTopic)?;
            let count = topic.partitions.len();
            let additional = i64::from(wish.count) - i64::try_from(count).unwrap_or(i64::MAX);
            if additional == 0 {
                return Err(Refusal::AlreadyHas { count });
            } else if additional < 0 {
                return Err(Refusal::NotAnIncrease { topic: wish.topic.clone(), count, wanted: wish.count });
            }
            if name::is_internal(&topic.name) {
                return Err(Refusal::FixedCount { topic: wish.topic.clone(), count });
            }
            if let Some(assignments) = &wish.assignments {
                if i64::try_from(assignments.len()) != Ok(additional) {
                    return Err(Refusal::AssignmentCount { additional, assigned: assignments.len() });
                }
                if rules.clamp {
                    check_clamped(assignments.iter())?;
                } else {
                    let copies = topic.partitions.first().map_or(1, |first| first.replicas.len());
                    assignments
                        .iter()
                        .try_for_each(|nodes| check_assignment(nodes, Some(copies), rules.node))?;
                }
            }
            if added + additional > MAX_PARTITIONS_PER_REQUEST {
                return Err(Refusal::TooManyPartitions);
            }
            added += additional;
            let first = wish.count - i32::try_from(additional).expect("at most 10000");
            let records = (first..wish.count).map(|index| new_partition(topic.id, index, rules)).collect();
            Ok(Growth { id: topic.id, records })
        };
        wishes.iter().map(&mut judge).collect()
    }

    /// Judges one DeleteTopics request (Kafka: `ControllerApis.deleteTopics`).
    #[must_use]
    pub fn delete(&self, topics: &[TopicRef]) -> Vec<Result<Deletion, Refusal>> {
        let refs = counts(topics.iter());
        let find = |topic: &TopicRef| match topic {
            TopicRef::Name(name) => self.by_name(name),
            TopicRef::Id(id) => self.by_id(*id),
        };
        let ids =
            counts(topics.iter().filter(|topic| refs[topic] == 1).filter_map(|topic| Some(find(topic)?.id)));
        let judge = |topic: &TopicRef| {
            let (twice, unknown) = match topic {
                TopicRef::Name(_) => (Refusal::DuplicateName, Refusal::UnknownTopic),
                TopicRef::Id(_) => (Refusal::DuplicateId, Refusal::UnknownTopicId),
            };
            if refs[topic] > 1 {
                return Err(twice);
            }
            let topic = find(topic).ok_or(unknown)?;
            if ids[&topic.id] > 1 {
                return Err(Refusal::NamedTwice);
            }
            let record = Record::RemoveTopic { id: topic.id };
            Ok(Deletion { name: Arc::clone(&topic.name), id: topic.id, record })
        };
        topics.iter().map(judge).collect()
    }

    /// Judges a wish to move partition `index` of `topic` to the nodes `target`, or, without one, to call a move off
    /// (Kafka: `ReplicationControlManager.alterPartitionReassignment`). With one node in the cluster the only target is
    /// where the partition is, so nothing ever moves.
    ///
    /// # Errors
    /// When there is no such partition, no such target, or no move to call off.
    pub fn reassign(
        &self,
        topic: &str,
        index: PartitionIndex,
        target: Option<&[NodeId]>,
        node: NodeId,
    ) -> Result<(), Refusal> {
        let topic = self.by_name(topic).ok_or(Refusal::UnknownTopic)?;
        topic.partition(index).ok_or(Refusal::UnknownPartition { index })?;
        match target {
            None => Err(Refusal::NoReassignment),
            Some(nodes) => check_assignment(nodes, None, node),
        }
    }

    fn check_new_name(&self, name: &str) -> Result<(), Refusal> {
        if name == name::CLUSTER_METADATA {
            return Err(Refusal::MetadataTopic);
        }
        name::check(name)?;
        if self.by_name(name).is_some() {
            return Err(Refusal::Exists { name: name.to_owned() });
        }
        match self.iter().find(|topic| name::collide(&topic.name, name)) {
            Some(topic) => Err(Refusal::Collides { name: name.to_owned(), existing: topic.name.to_string() }),
            None => Ok(()),
        }
    }
}

impl NewTopic {
    fn total_partitions(&self, rules: &Rules) -> i64 {
        match (self.assignments.len(), self.partitions) {
            (0, -1) => i64::from(rules.partitions),
            (0, partitions) => i64::from(partitions.max(0)),
            (assigned, _) => i64::try_from(assigned).unwrap_or(i64::MAX),
        }
    }

    fn shape(&self, rules: &Rules) -> Result<Shape, Refusal> {
        if !self.assignments.is_empty() {
            return self.assigned_shape(rules);
        }
        if self.replication_factor < -1 || self.replication_factor == 0 {
            return Err(Refusal::ReplicationFactorNotPositive);
        }
        if self.partitions < -1 || self.partitions == 0 {
            return Err(Refusal::PartitionsNotPositive);
        }
        let partitions = if self.partitions == -1 { rules.partitions } else { self.partitions };
        let factor =
            if self.replication_factor == -1 { rules.replication_factor } else { self.replication_factor };
        let copies = usize::try_from(factor).unwrap_or_default();
        if factor > 1 && !rules.clamp {
            return Err(Refusal::TooFewNodes { factor, nodes: 1 });
        }
        Ok(Shape::new(partitions, copies))
    }

    fn assigned_shape(&self, rules: &Rules) -> Result<Shape, Refusal> {
        if self.replication_factor != -1 {
            return Err(Refusal::AssignmentWithFactor);
        }
        if self.partitions != -1 {
            return Err(Refusal::AssignmentWithPartitions);
        }
        let mut seen = BTreeSet::new();
        let mut before = None;
        for (index, nodes) in &self.assignments {
            if !seen.insert(*index) {
                return Err(Refusal::AssignedTwice { index: *index });
            }
            if !rules.clamp {
                check_assignment(nodes, before, rules.node)?;
            }
            before = Some(nodes.len());
        }
        if rules.clamp {
            check_clamped(self.assignments.iter().map(|(_, nodes)| nodes))?;
        }
        if !(0..).zip(&seen).all(|(expected, index)| index.0 == expected) {
            return Err(Refusal::AssignmentGap);
        }
        let partitions = i32::try_from(seen.len()).expect("the request was held against the limit before");
        Ok(Shape::new(partitions, before.unwrap_or(1)))
    }
}

/// How many partitions a new topic has, each in one copy.
struct Shape {
    partitions: i32,
    clamped_from: Option<usize>,
}

impl Shape {
    /// With as many partitions, for which so many copies were asked.
    fn new(partitions: i32, copies: usize) -> Self {
        Self { partitions, clamped_from: (copies > 1).then_some(copies) }
    }
}

/// An assignment that was made for a larger cluster: brokers that could exist, each once, and as many for each partition.
/// Whichever they are, the one node stands in for them.
fn check_clamped<'a>(assignments: impl Iterator<Item = &'a Vec<NodeId>>) -> Result<(), Refusal> {
    let mut before = None;
    for nodes in assignments {
        let mut seen = BTreeSet::new();
        for node in nodes {
            if node.0 < 0 {
                return Err(Refusal::UnknownNode { node: *node });
            }
            if !seen.insert(*node) {
                return Err(Refusal::NodeTwice { node: *node });
            }
        }
        match before {
            _ if nodes.is_empty() => return Err(Refusal::EmptyAssignment),
            Some(before) if before != nodes.len() => {
                return Err(Refusal::UnevenAssignment { copies: nodes.len(), before });
            }
            _ => before = Some(nodes.len()),
        }
    }
    Ok(())
}

/// Kafka: `validateManualPartitionAssignment`, with one node in the cluster.
fn check_assignment(nodes: &[NodeId], before: Option<usize>, node: NodeId) -> Result<(), Refusal> {
    if nodes.is_empty() {
        return Err(Refusal::EmptyAssignment);
    }
    // Kafka looks at the nodes in ascending order, which decides what it complains of first.
    let mut sorted = nodes.to_vec();
    sorted.sort_unstable();
    for (place, candidate) in sorted.iter().enumerate() {
        if *candidate != node {
            return Err(Refusal::UnknownNode { node: *candidate });
        }
        if place > 0 {
            return Err(Refusal::NodeTwice { node });
        }
    }
    match before {
        Some(before) if before != nodes.len() => {
            Err(Refusal::UnevenAssignment { copies: nodes.len(), before })
        }
        _ => Ok(()),
    }
}

fn configs_of(wish: &NewTopic) -> Result<BTreeMap<String, String>, Refusal> {
    let (given, missing): (Vec<_>, Vec<_>) = wish.configs.iter().partition(|(_, value)| value.is_some());
    if !missing.is_empty() {
        return Err(Refusal::NullConfig { keys: missing.into_iter().map(|(key, _)| key.clone()).collect() });
    }
    Ok(given.into_iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect())
}

fn creation(
    wish: &NewTopic,
    configs: BTreeMap<String, String>,
    shape: &Shape,
    rules: &Rules,
    id: Uuid,
) -> Creation {
    let Shape { partitions, clamped_from } = *shape;
    let topic = Record::Topic { id, name: wish.name.clone() };
    let config = |(name, value): (&String, &String)| Record::Config {
        topic: wish.name.clone(),
        name: name.clone(),
        value: Some(value.clone()),
    };
    let records = std::iter::once(topic)
        .chain(configs.iter().map(config))
        .chain((0..partitions).map(|index| new_partition(id, index, rules)))
        .collect();
    let name = wish.name.clone();
    let topic = CreatedTopic { name, id, partitions, replication_factor: 1, clamped_from, configs };
    Creation { topic, records }
}

fn new_partition(topic: Uuid, index: i32, rules: &Rules) -> Record {
    let info = PartitionInfo {
        replicas: vec![rules.node],
        directories: vec![rules.directory],
        isr: vec![rules.node],
        leader: Some(rules.node),
        leader_epoch: LeaderEpoch(0),
        ..PartitionInfo::default()
    };
    Record::Partition { topic, index: PartitionIndex(index), info }
}

fn counts<T: Eq + Hash>(items: impl Iterator<Item = T>) -> HashMap<T, usize> {
    let mut counts = HashMap::new();
    for item in items {
        *counts.entry(item).or_insert(0) += 1;
    }
    counts
}
