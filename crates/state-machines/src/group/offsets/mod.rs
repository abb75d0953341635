//! Committed offsets, and those of open transactions (Kafka: `OffsetMetadataManager`).
//!
//! | file | |
//! | --- | --- |
//! | this one | what is kept, and the only code that changes it |
//! | `commit` | OffsetCommit |
//! | `fetch` | OffsetFetch |
//! | `delete` | OffsetDelete, and offsets that go with their group or topic |
//! | `expiry` | offsets that nobody has use for any more |

mod commit;
mod delete;
mod expiry;
mod fetch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{PartitionIndex, ProducerId};

pub(super) use self::commit::commit;
pub(super) use self::expiry::Retention;
use super::record::{CommittedOffset, OffsetKey};
use crate::sequence::Outcome;

/// All offsets of the groups of one partition. A group may be gone while its offsets are still there: when a group changes its
/// protocol, its records go and its offsets stay.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    groups: BTreeMap<Arc<str>, GroupOffsets>,
    /// Which offsets hang on each open transaction.
    transactions: BTreeMap<ProducerId, BTreeSet<OffsetKey>>,
    /// Counts the records applied. Of two commits for one partition the later in the log counts, whichever takes effect last.
    applied: u64,
}

type ByPartition<T> = BTreeMap<Arc<str>, BTreeMap<PartitionIndex, T>>;

#[derive(Debug, Default)]
struct GroupOffsets {
    committed: ByPartition<Placed>,
    /// Offsets of open transactions, by producer. No map in here is empty.
    pending: ByPartition<BTreeMap<ProducerId, Placed>>,
}

/// An offset, and which record it came in.
#[derive(Clone, Debug)]
struct Placed {
    offset: CommittedOffset,
    record: u64,
}

impl Offsets {
    /// Goes by a record: one that is read back, and one that is just being written.
    pub(super) fn apply(
        &mut self,
        key: &OffsetKey,
        value: Option<&CommittedOffset>,
        transaction: Option<ProducerId>,
    ) {
        self.applied += 1;
        let Some(offset) = value else { return self.forget(key) };
        let placed = Placed { offset: offset.clone(), record: self.applied };
        let group = self.groups.entry(Arc::clone(&key.group)).or_default();
        match transaction {
            None => drop(at(&mut group.committed, &key.topic).insert(key.partition, placed)),
            Some(producer) => {
                let pending = at(&mut group.pending, &key.topic).entry(key.partition).or_default();
                pending.insert(producer, placed);
                self.transactions.entry(producer).or_default().insert(key.clone());
            }
        }
    }

    /// A tombstone takes what is committed and what is pending.
    fn forget(&mut self, key: &OffsetKey) {
        let Some(group) = self.groups.get_mut(&key.group) else { return };
        take(&mut group.committed, &key.topic, key.partition);
        let pending = take(&mut group.pending, &key.topic, key.partition).unwrap_or_default();
        if group.is_empty() {
            self.groups.remove(&key.group);
        }
        for producer in pending.into_keys() {
            if let Some(places) = self.transactions.get_mut(&producer) {
                places.remove(key);
                if places.is_empty() {
                    self.transactions.remove(&producer);
                }
            }
        }
    }

    /// A transaction has ended: its offsets count, unless a later record has been committed meanwhile, or they are dropped.
    pub(super) fn complete(&mut self, producer: ProducerId, outcome: Outcome) {
        for OffsetKey { group: id, topic, partition } in
            self.transactions.remove(&producer).unwrap_or_default()
        {
            let Some(group) = self.groups.get_mut(&id) else { continue };
            let mut producers = take(&mut group.pending, &topic, partition).unwrap_or_default();
            let ended = producers.remove(&producer);
            if !producers.is_empty() {
                at(&mut group.pending, &topic).insert(partition, producers);
            }
            if let (Some(ended), Outcome::Commit) = (ended, outcome) {
                let committed = at(&mut group.committed, &topic);
                if committed.get(&partition).is_none_or(|known| known.record < ended.record) {
                    committed.insert(partition, ended);
                }
            }
            if group.is_empty() {
                self.groups.remove(&id);
            }
        }
    }

    fn committed(&self, group: &str, topic: &str, partition: PartitionIndex) -> Option<&CommittedOffset> {
        Some(&self.groups.get(group)?.committed.get(topic)?.get(&partition)?.offset)
    }

    fn is_pending(&self, group: &str, topic: &str, partition: PartitionIndex) -> bool {
        self.groups.get(group).is_some_and(|group| group.is_pending(topic, partition))
    }
}

impl GroupOffsets {
    fn is_empty(&self) -> bool {
        self.committed.is_empty() && self.pending.is_empty()
    }

    fn is_pending(&self, topic: &str, partition: PartitionIndex) -> bool {
        self.pending.get(topic).is_some_and(|partitions| partitions.contains_key(&partition))
    }

    /// Every partition that has an offset of either kind, once.
    fn places(&self) -> impl Iterator<Item = (&Arc<str>, PartitionIndex)> {
        let committed = self.committed.iter().flat_map(|(topic, all)| all.keys().map(move |at| (topic, *at)));
        let pending = self.pending.iter().flat_map(|(topic, all)| all.keys().map(move |at| (topic, *at)));
        let only_pending = pending.filter(|(topic, at)| {
            !self.committed.get(*topic).is_some_and(|partitions| partitions.contains_key(at))
        });
        committed.chain(only_pending)
    }
}

fn at<'a, T>(map: &'a mut ByPartition<T>, topic: &Arc<str>) -> &'a mut BTreeMap<PartitionIndex, T> {
    map.entry(Arc::clone(topic)).or_default()
}

fn take<T>(map: &mut ByPartition<T>, topic: &str, partition: PartitionIndex) -> Option<T> {
    let partitions = map.get_mut(topic)?;
    let taken = partitions.remove(&partition);
    if partitions.is_empty() {
        map.remove(topic);
    }
    taken
}
