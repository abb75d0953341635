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
    let known = asked.topics.iter().map(|topic| known_part(&topics, topic));
    let known: Vec<CommitTopic> = known.filter(|topic| !topic.partitions.is_empty()).collect();
    let named: Vec<OffsetCommitResponseTopic> = asked.topics.iter().map(unknown).collect();
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
        topics: known.clone(),
    });
    begin(broker, request, asked.group_id.as_str(), event, move |reply| {
        let mut answers = Answers { topics: named };
        let all = |answers: &mut Answers, code: Code| {
            for topic in &known {
                topic.partitions.iter().for_each(|partition| answers.set(&topic.name, partition.index, code));
            }
        };
        match reply {
            Ok(Reply::CommitOffsets(Ok(done))) => {
                for topic in done {
                    for (index, result) in topic.partitions {
                        answers.set(&topic.name, index, code(&result));
                    }
                }
            }
            Ok(Reply::CommitOffsets(Err(error))) => all(&mut answers, (&error).into()),
            Ok(_) => all(&mut answers, Code::UnknownServerError),
            Err(why) => all(&mut answers, why.into()),
        }
        OffsetCommitResponse { topics: answers.topics, ..OffsetCommitResponse::default() }
    })
}

/// The part of a topic's commits whose partitions exist.
fn known_part(topics: &Topics, asked: &OffsetCommitRequestTopic) -> CommitTopic {
    let topic = topics.by_name(asked.name.as_str());
    let count = topic.map_or(0, |topic| topic.partitions.len());
    let exists = |index: i32| usize::try_from(index).is_ok_and(|index| index < count);
    let partitions = asked.partitions.iter().filter(|partition| exists(partition.partition_index));
    CommitTopic {
        name: text(&asked.name),
        topic_id: topic.map_or(Uuid::nil(), |topic| topic.id),
        partitions: partitions
            .map(|partition| CommitPartition {
                index: PartitionIndex(partition.partition_index),
                offset: Offset(partition.committed_offset),
                leader_epoch: LeaderEpoch(partition.committed_leader_epoch),
                metadata: partition.committed_metadata.as_ref().map(text).unwrap_or_default(),
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

/// The answers, in the order of the request.
struct Answers {
    topics: Vec<OffsetCommitResponseTopic>,
}

impl Answers {
    fn set(&mut self, name: &str, index: PartitionIndex, code: Code) {
        let of_topic = self.topics.iter_mut().filter(|topic| topic.name.as_str() == name);
        let partitions = of_topic.flat_map(|topic| &mut topic.partitions);
        for partition in partitions.filter(|partition| partition.partition_index == index.0) {
            partition.error_code = code.into();
        }
    }
}
