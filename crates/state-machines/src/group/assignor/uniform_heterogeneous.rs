//! The `uniform` assignor for members with different subscriptions (Kafka: `UniformHeterogeneousAssignmentBuilder`).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use base::{PartitionIndex, Uuid};

use super::{Group, Partitions, count};

/// How often all topics are levelled at most. Where all subscribers of a topic want the same topics, the first round is enough and
/// a second one sees it; where subscriptions overlap, each round is taken to halve what is uneven.
const ROUNDS: usize = 16;

/// Leaves each member what it has of the topics it subscribes to, gives what is free to who has least, and then moves partitions
/// from who has most to who has least, topic by topic, until the subscribers of each topic are within one of each other, or those
/// who have more have nothing of that topic.
///
/// Where subscriptions overlap, this is not always the evenest assignment there is: a chain of moves over two topics is not looked
/// for.
pub(super) fn assign(group: &Group<'_>) -> Vec<Partitions> {
    let assigned: Vec<Partitions> = group.members.iter().map(|member| member.kept.clone()).collect();
    let mut work = Work { sizes: assigned.iter().map(count).collect(), assigned };
    let topics = in_order(group);

    let mut free: BTreeMap<Uuid, Vec<PartitionIndex>> = BTreeMap::new();
    for (topic, partition) in group.free() {
        free.entry(topic).or_default().push(partition);
    }
    for topic in &topics {
        work.give_out(topic, free.remove(&topic.id).unwrap_or_default());
    }

    // Over when every topic has been looked at since the last move.
    let shared: Vec<&Topic> = topics.iter().filter(|topic| topic.subscribers.len() > 1).collect();
    let mut unmoved = 0;
    for topic in shared.iter().cycle().take(shared.len() * ROUNDS) {
        unmoved = if work.level(topic) { 1 } else { unmoved + 1 };
        if unmoved >= shared.len() {
            break;
        }
    }
    work.assigned
}

struct Topic {
    id: Uuid,
    partitions: i32,
    /// Members by their place in the group, ascending.
    subscribers: Vec<usize>,
}

/// The topics in the order in which they are given out: those with the most partitions per subscriber first, then those with the
/// fewest subscribers, so that what leaves least choice is settled first.
fn in_order(group: &Group<'_>) -> Vec<Topic> {
    let mut topics: BTreeMap<Uuid, Topic> = group
        .topics
        .iter()
        .map(|(&id, &partitions)| (id, Topic { id, partitions, subscribers: Vec::new() }))
        .collect();
    for (place, member) in group.members.iter().enumerate() {
        for topic in &member.topics {
            topics.get_mut(topic).expect("it is among all topics").subscribers.push(place);
        }
    }
    let mut topics: Vec<Topic> = topics.into_values().collect();
    topics.sort_by(more_per_subscriber);
    topics
}

fn more_per_subscriber(a: &Topic, b: &Topic) -> Ordering {
    let scaled = |topic: &Topic, by: &Topic| i128::from(topic.partitions) * by.subscribers.len() as i128;
    scaled(b, a).cmp(&scaled(a, b)).then_with(|| a.subscribers.len().cmp(&b.subscribers.len()))
}

/// How many partitions of all topics a member has, and its place among the subscribers of the topic at hand.
type Load = (usize, usize);

struct Work {
    assigned: Vec<Partitions>,
    /// How many partitions of all topics each member has.
    sizes: Vec<usize>,
}

impl Work {
    fn give_out(&mut self, topic: &Topic, free: Vec<PartitionIndex>) {
        let order = self.by_size(topic);
        let mut loads = self.loads(&order);
        for partition in free {
            let (size, place) = loads.pop_first().expect("a topic has a subscriber");
            self.give(topic.id, partition, order[place]);
            loads.insert((size + 1, place));
        }
    }

    /// Whether anything moved.
    fn level(&mut self, topic: &Topic) -> bool {
        let mut order = self.by_size(topic);
        let mut loads = self.loads(&order);
        // Those who may have a partition of this topic to give. They hold the places below `places`.
        let mut givers = loads.clone();
        let mut places = order.len();
        let mut moved = false;
        while let (Some(&least), Some(&most)) = (loads.first(), givers.last()) {
            if most.0 - least.0 <= 1 {
                break;
            }
            if let Some(partition) = self.take_last(topic.id, order[most.1]) {
                self.give(topic.id, partition, order[least.1]);
                for (old, new) in [(most, (most.0 - 1, most.1)), (least, (least.0 + 1, least.1))] {
                    exchange(&mut loads, old, new);
                    exchange(&mut givers, old, new);
                }
                moved = true;
                continue;
            }
            // The last of the givers takes the place of one who has nothing to give, as it does in Kafka: places break ties.
            givers.remove(&most);
            places -= 1;
            let last = (self.sizes[order[places]], places);
            exchange(&mut givers, last, (last.0, most.1));
            if last != most {
                loads.remove(&most);
                exchange(&mut loads, last, (last.0, most.1));
                loads.insert((most.0, last.1));
            }
            order.swap(most.1, places);
        }
        moved
    }

    /// The subscribers by how much they have.
    fn by_size(&self, topic: &Topic) -> Vec<usize> {
        let mut order = topic.subscribers.clone();
        order.sort_by_key(|&member| self.sizes[member]);
        order
    }

    /// How many partitions the members of `order` have, with their places in it.
    fn loads(&self, order: &[usize]) -> BTreeSet<Load> {
        order.iter().enumerate().map(|(place, &member)| (self.sizes[member], place)).collect()
    }

    fn give(&mut self, topic: Uuid, partition: PartitionIndex, to: usize) {
        self.assigned[to].entry(topic).or_default().insert(partition);
        self.sizes[to] += 1;
    }

    fn take_last(&mut self, topic: Uuid, from: usize) -> Option<PartitionIndex> {
        let partitions = self.assigned[from].get_mut(&topic)?;
        let last = partitions.pop_last();
        if partitions.is_empty() {
            self.assigned[from].remove(&topic);
        }
        self.sizes[from] -= usize::from(last.is_some());
        last
    }
}

fn exchange(loads: &mut BTreeSet<Load>, old: Load, new: Load) {
    if loads.remove(&old) {
        loads.insert(new);
    }
}
