//! Who of a KIP-848 group should own which partitions (Kafka: `UniformAssignor`, `RangeAssignor`).
//!
//! The group's members, what each subscribes to and what each was told to own go in; what each should own comes out. Every
//! partition of a topic that anyone subscribes to goes to exactly one of its subscribers. Nothing here depends on the order of
//! a hash table, so equal groups get equal assignments.
//!
//! Topics that do not exist, partitions that a topic does not have, and partitions that more than one member was told to own
//! (the first one by id keeps it) are no errors: what is left of them is assigned as usual.

mod range;
mod uniform_heterogeneous;
mod uniform_homogeneous;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{PartitionIndex, Uuid};

/// Partitions of topics, by the topics' ids. A topic is only there with at least one partition.
pub type Partitions = BTreeMap<Uuid, BTreeSet<PartitionIndex>>;

/// How partitions are given out (`group.consumer.assignors`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assignor {
    /// As many partitions for each, and as few moves as that allows. The default.
    Uniform,
    /// A run of neighbouring partitions of each topic for each, the same run in topics of the same size. What was assigned
    /// before counts for nothing.
    Range,
}

impl Assignor {
    /// All there are, the default first.
    pub const ALL: [Self; 2] = [Self::Uniform, Self::Range];

    /// What requests and settings call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Range => "range",
        }
    }

    /// The assignor of that name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assignor| assignor.name() == name)
    }
}

/// A member, as far as an assignor looks at it.
#[derive(Clone, Debug)]
pub struct Subscriber<'a> {
    /// `group.instance.id` of a static member (KIP-345).
    pub instance_id: Option<Arc<str>>,
    /// The topics it wants, whether they exist or not.
    pub topics: &'a BTreeSet<Uuid>,
    /// What it was last told to own (its target assignment).
    pub assigned: &'a Partitions,
}

/// What each of `members` should own. `partitions_of` tells how many partitions a topic has, `None` for one that does not exist.
/// Each member is in the answer, possibly with nothing.
#[must_use]
pub fn assign(
    assignor: Assignor,
    members: &BTreeMap<Arc<str>, Subscriber<'_>>,
    partitions_of: &dyn Fn(Uuid) -> Option<i32>,
) -> BTreeMap<Arc<str>, Partitions> {
    let group = Group::of(members, partitions_of);
    let assigned = match assignor {
        Assignor::Range => range::assign(&group),
        Assignor::Uniform if group.subscriptions_are_equal() => uniform_homogeneous::assign(&group),
        Assignor::Uniform => uniform_heterogeneous::assign(&group),
    };
    members.keys().cloned().zip(assigned).collect()
}

/// The members by their place in the order of their ids, without the topics that do not exist.
struct Group<'a> {
    members: Vec<Member<'a>>,
    /// All topics that somebody subscribes to, with the number of their partitions.
    topics: BTreeMap<Uuid, i32>,
}

struct Member<'a> {
    id: &'a str,
    instance_id: Option<&'a str>,
    topics: BTreeSet<Uuid>,
    /// What it was told to own and may keep: it subscribes to the topic, the partition exists, and no member before it has it.
    kept: Partitions,
}

impl<'a> Group<'a> {
    fn of(
        members: &'a BTreeMap<Arc<str>, Subscriber<'_>>,
        partitions_of: &dyn Fn(Uuid) -> Option<i32>,
    ) -> Self {
        let wanted: BTreeSet<Uuid> = members.values().flat_map(|member| member.topics).copied().collect();
        let topics: BTreeMap<Uuid, i32> =
            wanted.into_iter().filter_map(|topic| Some((topic, partitions_of(topic)?))).collect();
        let mut taken = BTreeSet::new();
        let members = members
            .iter()
            .map(|(id, subscriber)| {
                let subscribed: BTreeSet<Uuid> =
                    subscriber.topics.iter().copied().filter(|topic| topics.contains_key(topic)).collect();
                let mut kept = Partitions::new();
                for (&topic, partitions) in subscriber.assigned {
                    let Some(&count) = topics.get(&topic).filter(|_| subscribed.contains(&topic)) else {
                        continue;
                    };
                    for &partition in partitions.range(PartitionIndex(0)..PartitionIndex(count)) {
                        if taken.insert((topic, partition)) {
                            kept.entry(topic).or_default().insert(partition);
                        }
                    }
                }
                Member { id, instance_id: subscriber.instance_id.as_deref(), topics: subscribed, kept }
            })
            .collect();
        Self { members, topics }
    }

    fn subscriptions_are_equal(&self) -> bool {
        self.members.windows(2).all(|pair| pair[0].topics == pair[1].topics)
    }

    /// The partitions that nobody keeps, topic by topic.
    fn free(&self) -> BTreeSet<(Uuid, PartitionIndex)> {
        let mut free: BTreeSet<_> = self
            .topics
            .iter()
            .flat_map(|(&topic, &count)| (0..count).map(move |partition| (topic, PartitionIndex(partition))))
            .collect();
        for (&topic, partitions) in self.members.iter().flat_map(|member| &member.kept) {
            for &partition in partitions {
                free.remove(&(topic, partition));
            }
        }
        free
    }
}

fn count(partitions: &Partitions) -> usize {
    partitions.values().map(BTreeSet::len).sum()
}
