//! Offsets that are deleted: by OffsetDelete, with their group, with their topic.

use std::sync::Arc;

use base::{PartitionIndex, Uuid};

use super::Offsets;
use crate::group::error::GroupError;
use crate::group::record::{OffsetKey, Record};
use crate::group::reply::TopicResults;
use crate::group::request::DeleteOffsets;

impl Offsets {
    /// Deletes single offsets, except of topics that a member reads. One that is not there is deleted all the same.
    pub(in crate::group) fn delete(
        &self,
        delete: &DeleteOffsets,
        is_read: impl Fn(&str) -> bool,
    ) -> (Vec<Record>, Vec<TopicResults>) {
        let mut records = Vec::new();
        let mut results = Vec::with_capacity(delete.topics.len());
        for (name, partitions) in &delete.topics {
            let outcome = if is_read(name) { Err(GroupError::SubscribedToTopic) } else { Ok(()) };
            let there = |partition: &&PartitionIndex| {
                self.committed(&delete.group_id, name, **partition).is_some()
                    || self.is_pending(&delete.group_id, name, **partition)
            };
            if outcome.is_ok() {
                let gone = partitions.iter().filter(there);
                records.extend(gone.map(|partition| tombstone(&delete.group_id, name, *partition)));
            }
            let partitions = partitions.iter().map(|partition| (*partition, outcome)).collect();
            results.push(TopicResults { name: Arc::clone(name), topic_id: Uuid::nil(), partitions });
        }
        (records, results)
    }

    /// Tombstones for all offsets of a group, those of open transactions included.
    pub(in crate::group) fn delete_all(&self, group_id: &Arc<str>) -> Vec<Record> {
        let places = self.groups.get(group_id).into_iter().flat_map(|group| group.places());
        places.map(|(topic, partition)| tombstone(group_id, topic, partition)).collect()
    }

    /// Tombstones for all offsets of a topic.
    pub(in crate::group) fn delete_topic(&self, topic: &str) -> Vec<Record> {
        let of_topic = |(group_id, group): (&Arc<str>, &super::GroupOffsets)| {
            let places = group.places().filter(|(name, _)| &***name == topic);
            places.map(|(topic, partition)| tombstone(group_id, topic, partition)).collect::<Vec<_>>()
        };
        self.groups.iter().flat_map(of_topic).collect()
    }
}

pub(super) fn tombstone(group: &Arc<str>, topic: &Arc<str>, partition: PartitionIndex) -> Record {
    let key = OffsetKey { group: Arc::clone(group), topic: Arc::clone(topic), partition };
    Record::OffsetCommit { key, value: None }
}
