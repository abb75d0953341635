//! OffsetFetch. A group that is not known has no offsets, which is no error.

use std::sync::Arc;

use base::{LeaderEpoch, Offset, PartitionIndex, Uuid};

use super::{GroupOffsets, Offsets};
use crate::group::record::CommittedOffset;
use crate::group::reply::{FetchedPartition, FetchedTopic};
use crate::group::request::{FetchOffsets, FetchTopic};

impl Offsets {
    /// What a group has committed, for the partitions asked for or for all.
    pub(in crate::group) fn fetch(&self, fetch: &FetchOffsets, group_exists: bool) -> Vec<FetchedTopic> {
        let group = self.groups.get(&fetch.group_id).filter(|_| group_exists);
        match &fetch.topics {
            Some(topics) => topics.iter().map(|topic| some_of(group, topic, fetch.require_stable)).collect(),
            None => group.map_or_else(Vec::new, |group| all_of(group, fetch.require_stable)),
        }
    }
}

fn some_of(group: Option<&GroupOffsets>, topic: &FetchTopic, require_stable: bool) -> FetchedTopic {
    let committed = group.and_then(|group| group.committed.get(&topic.name));
    let fetched = |index: &PartitionIndex| {
        let unstable = require_stable && group.is_some_and(|group| group.is_pending(&topic.name, *index));
        let offset = committed.and_then(|partitions| partitions.get(index)).map(|placed| &placed.offset);
        fetched(*index, offset.filter(|offset| is_of(offset.topic_id, topic.topic_id)), unstable)
    };
    FetchedTopic {
        name: Arc::clone(&topic.name),
        topic_id: topic.topic_id,
        partitions: topic.partitions.iter().map(fetched).collect(),
    }
}

fn all_of(group: &GroupOffsets, require_stable: bool) -> Vec<FetchedTopic> {
    let topic = |(name, partitions): (&Arc<str>, &_)| {
        let unstable = |index| require_stable && group.is_pending(name, index);
        FetchedTopic {
            name: Arc::clone(name),
            topic_id: Uuid::nil(),
            partitions: all_partitions(partitions, unstable),
        }
    };
    group.committed.iter().map(topic).collect()
}

fn all_partitions(
    partitions: &std::collections::BTreeMap<PartitionIndex, super::Placed>,
    unstable: impl Fn(PartitionIndex) -> bool,
) -> Vec<FetchedPartition> {
    partitions.iter().map(|(index, placed)| fetched(*index, Some(&placed.offset), unstable(*index))).collect()
}

fn fetched(index: PartitionIndex, offset: Option<&CommittedOffset>, unstable: bool) -> FetchedPartition {
    match offset.filter(|_| !unstable) {
        Some(known) => FetchedPartition {
            index,
            offset: known.offset,
            leader_epoch: known.leader_epoch,
            metadata: Arc::clone(&known.metadata),
            unstable,
        },
        None => FetchedPartition {
            index,
            offset: Offset::NONE,
            leader_epoch: LeaderEpoch::NONE,
            metadata: Arc::default(),
            unstable,
        },
    }
}

/// Whether an offset that was committed for one topic id is for another; ids that are not known match any.
fn is_of(committed: Uuid, asked: Uuid) -> bool {
    committed.is_nil() || asked.is_nil() || committed == asked
}
