//! OffsetCommit. Whether the sender may commit is its group's affair; here is what each partition becomes.

use std::sync::Arc;

use base::Millis;

use crate::group::error::GroupError;
use crate::group::record::{CommittedOffset, OffsetKey, Record};
use crate::group::reply::TopicResults;
use crate::group::request::{CommitOffsets, CommitPartition, CommitTopic};
use crate::group::settings::Settings;
use crate::group::size;

/// The records of a commit, and the answer to it. Offsets with too long metadata are left out, the others go in.
///
/// # Errors
/// When the records together take more than `room` bytes: they belong into one batch.
pub(in crate::group) fn commit(
    commit: &CommitOffsets,
    settings: &Settings,
    room: usize,
    now: Millis,
) -> Result<(Vec<Record>, Vec<TopicResults>), GroupError> {
    let expire_timestamp = commit.retention_ms.map_or(Millis::NONE, |retention| now.plus(retention));
    let mut records: Vec<Record> = Vec::new();
    let mut size = size::of_records(&records);
    let mut partition_result = |topic: &CommitTopic, partition: &CommitPartition| {
        if is_longer(&partition.metadata, settings.offset_metadata_max_bytes) {
            return (partition.index, Err(GroupError::OffsetMetadataTooLarge));
        }
        let key = OffsetKey {
            group: Arc::clone(&commit.group_id),
            topic: Arc::clone(&topic.name),
            partition: partition.index,
        };
        let value = CommittedOffset {
            offset: partition.offset,
            leader_epoch: partition.leader_epoch,
            metadata: Arc::clone(&partition.metadata),
            commit_timestamp: now,
            expire_timestamp,
            topic_id: topic.topic_id,
        };
        let record = Record::OffsetCommit { key, value: Some(value) };
        size += record.size_bound();
        // No more is kept of what does not fit.
        if size <= room {
            records.push(record);
        }
        (partition.index, Ok(()))
    };
    let mut topic_results = |topic: &CommitTopic| TopicResults {
        name: Arc::clone(&topic.name),
        topic_id: topic.topic_id,
        partitions: topic.partitions.iter().map(|partition| partition_result(topic, partition)).collect(),
    };
    let results = commit.topics.iter().map(&mut topic_results).collect();
    if size <= room { Ok((records, results)) } else { Err(GroupError::RecordTooLarge) }
}

/// In UTF-16 units, as Kafka measures; there are never more of them than bytes.
fn is_longer(text: &str, units: usize) -> bool {
    text.len() > units && text.encode_utf16().count() > units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_measured_in_utf_16_units() {
        assert!(!is_longer("äöü", 3));
        assert!(is_longer("äöü", 2));
        assert!(is_longer("😀😀", 3));
        assert!(!is_longer("😀😀", 4));
    }
}
