//! OffsetCommit (key 8): how far a consumer has got, for its group or under the name of one.
//!
//! A partition that does not exist is answered alone; the others go on (Kafka: `KafkaApis.handleOffsetCommitRequest`).

use std::sync::Arc;

use base::{LeaderEpoch, Offset, PartitionIndex, Uuid};
use catalog::Topics;
use state_machines::group::{CommitOffsets, CommitPartition, CommitTopic, Event, Reply};
use wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestTopic, OffsetCommitResponse, OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
};

use super::{begin, code, optional_text, text};
use crate::answer::{Handled, body, ready};
use crate::broker::{Broker, Request};
use crate::code::Code;

/// From this version on a group that does not exist is named as such (KIP-848).
const NAMES_UNKNOWN_GROUP: i16 = 9;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: OffsetCommitRequest = body(request)?;
    let topics = broker.catalog.topics();
    let mut named: Vec<OffsetCommitResponseTopic> = asked.topics.iter().map(unknown).collect();
    let mut places = Vec::new();
    let known =
        asked.topics.iter().enumerate().map(|(at, topic)| known_part(&topics, at, topic, &mut places));
    let known: Vec<CommitTopic> = known.filter(|topic| !topic.partitions.is_empty()).collect();
    if known.is_empty() {
        // There is nothing that a group could keep.
        return ready(&OffsetCommitResponse { topics: named, ..OffsetCommitResponse::default() }, version);
    }
    let event = Event::CommitOffsets(CommitOffsets {
        group_id: text(&asked.group_id),
        member_id: text(&asked.member_id),
        instance_id: optional_text(asked.group_instance_id.as_ref()),
        generation: asked.generation_id_or_member_epoch,
        retention_ms: (asked.retention_time_ms != -1).then_some(asked.retention_time_ms),
        names_unknown_group: version >= NAMES_UNKNOWN_GROUP,
        topics: known,
    });
    begin(broker, request, asked.group_id.as_str(), event, move |reply| {
        let mut set =
            |at: &Place, code: Code| named[at.topic].partitions[at.partition].error_code = code.into();
        let mut all = |code: Code| places.iter().for_each(|at| set(at, code));
        match reply {
            // Results come in the order of what was asked.
            Ok(Reply::CommitOffsets(Ok(done))) => {
                let results = done.iter().flat_map(|topic| &topic.partitions);
                places.iter().zip(results).for_each(|(at, (_, result))| set(at, code(result)));
            }
            Ok(Reply::CommitOffsets(Err(error))) => all((&error).into()),
            Ok(_) => all(Code::UnknownServerError),
            Err(why) => all(why.into()),
        }
        OffsetCommitResponse { topics: named, ..OffsetCommitResponse::default() }
    })
}

/// Where a partition stands in the request, and in the answer.
struct Place {
    topic: usize,
    partition: usize,
}

/// The part of a topic's commits whose partitions exist. The topic is the request's `at`th; `places` learns of each of them.
fn known_part(
    topics: &Topics,
    at: usize,
    asked: &OffsetCommitRequestTopic,
    places: &mut Vec<Place>,
) -> CommitTopic {
    let topic = topics.by_name(asked.name.as_str());
    let count = topic.map_or(0, |topic| topic.partitions.len());
    let exists = |index: i32| usize::try_from(index).is_ok_and(|index| index < count);
    let partitions = asked.partitions.iter().enumerate();
    CommitTopic {
        name: text(&asked.name),
        topic_id: topic.map_or(Uuid::nil(), |topic| topic.id),
        partitions: partitions
            .filter(|(_, partition)| exists(partition.partition_index))
            .map(|(place, partition)| {
                places.push(Place { topic: at, partition: place });
                CommitPartition {
                    index: PartitionIndex(partition.partition_index),
                    offset: Offset(partition.committed_offset),
                    leader_epoch: LeaderEpoch(partition.committed_leader_epoch),
                    metadata: partition.committed_metadata.as_ref().map(text).unwrap_or_default(),
                }
            })
            .collect(),
    }
}

/// A topic's answer, as long as nothing is known of its partitions.
fn unknown(asked: &OffsetCommitRequestTopic) -> OffsetCommitResponseTopic {
    let partitions = asked.partitions.iter();
    OffsetCommitResponseTopic {
        name: asked.name.as_str().to_owned().into(),
        partitions: partitions
            .map(|partition| OffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code: Code::UnknownTopicOrPartition.into(),
            })
            .collect(),
        ..OffsetCommitResponseTopic::default()
    }
}
