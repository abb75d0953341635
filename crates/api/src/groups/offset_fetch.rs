//! OffsetFetch (key 9): how far groups have got; from version 8 on several groups at a time (KIP-709).

use std::sync::Arc;

use base::{PartitionIndex, Uuid};
use catalog::Topics;
use coordinator::Answer;
use state_machines::group::{FetchOffsets, FetchTopic, FetchedPartition, FetchedTopic, GroupError};
use wire::StrBytes;
use wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};

use super::repeats::{GROUPS, PARTITIONS, Repeats};
use super::{answered, check_count, text};
use crate::answer::{Handled, body, outcome};
use crate::broker::{Broker, Pending, Request};
use crate::code::Code;

/// From this version on a request asks for several groups.
const ASKS_FOR_SEVERAL: i16 = 8;
/// From this version on an error of the group stands beside its topics.
const HAS_GROUP_ERROR: i16 = 2;

/// What a group's offsets come to.
type Fetched = Result<Vec<FetchedTopic>, Code>;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: OffsetFetchRequest = body(request)?;
    check_count(request, asked.groups.len())?;
    let require_stable = asked.require_stable;
    let groups = if version < ASKS_FOR_SEVERAL { vec![as_one_of_several(asked)] } else { asked.groups };
    let topics = broker.catalog.topics();
    let mut repeats = Repeats::default();
    let looks: Vec<_> = groups
        .iter()
        .map(|group| {
            // Metadata of offsets is long, and who asks for the same again and again does not get it as often.
            if !repeats.allow(group.group_id.as_str(), GROUPS) || names_partitions_too_often(group) {
                return Err(Code::InvalidRequest);
            }
            let fetch = wish(&topics, group, require_stable);
            let look =
                broker.coordinator.look(group.group_id.as_str(), move |groups| groups.fetch_offsets(&fetch));
            look.map_err(Code::from)
        })
        .collect();
    Ok(Pending::Later(Box::pin(async move {
        let mut answers = Vec::with_capacity(groups.len());
        for (group, look) in groups.into_iter().zip(looks) {
            let fetched = fetched(look).await;
            answers.push((group, fetched));
        }
        let response = if version < ASKS_FOR_SEVERAL {
            answers
                .pop()
                .map_or_else(OffsetFetchResponse::default, |(group, one)| single(&group, one, version))
        } else {
            let groups = answers.into_iter().map(|(group, fetched)| several(&group, fetched)).collect();
            OffsetFetchResponse { groups, ..OffsetFetchResponse::default() }
        };
        outcome(&response, version)
    })))
}

fn names_partitions_too_often(group: &OffsetFetchRequestGroup) -> bool {
    let mut repeats = Repeats::default();
    let mut topics = group.topics.iter().flatten();
    topics.any(|topic| {
        let mut indexes = topic.partition_indexes.iter();
        indexes.any(|index| !repeats.allow((topic.name.as_str(), *index), PARTITIONS))
    })
}

/// An older request, in the words of the newer ones.
fn as_one_of_several(asked: OffsetFetchRequest) -> OffsetFetchRequestGroup {
    let topics = asked.topics.map(|topics| {
        let topics = topics.into_iter();
        topics
            .map(|topic| OffsetFetchRequestTopics {
                name: topic.name,
                partition_indexes: topic.partition_indexes,
                ..OffsetFetchRequestTopics::default()
            })
            .collect()
    });
    OffsetFetchRequestGroup { group_id: asked.group_id, topics, ..OffsetFetchRequestGroup::default() }
}

fn wish(topics: &Topics, group: &OffsetFetchRequestGroup, require_stable: bool) -> FetchOffsets {
    let topic = |asked: &OffsetFetchRequestTopics| FetchTopic {
        name: text(&asked.name),
        topic_id: topics.by_name(asked.name.as_str()).map_or(Uuid::nil(), |topic| topic.id),
        partitions: asked.partition_indexes.iter().copied().map(PartitionIndex).collect(),
    };
    FetchOffsets {
        group_id: text(&group.group_id),
        topics: group.topics.as_ref().map(|topics| topics.iter().map(topic).collect()),
        require_stable,
        member_id: group.member_id.as_ref().map(text),
        member_epoch: group.member_epoch,
    }
}

async fn fetched(look: Result<Answer<Result<Vec<FetchedTopic>, GroupError>>, Code>) -> Fetched {
    match look {
        Ok(answer) => match answer.get().await {
            Ok(Ok(topics)) => Ok(topics),
            Ok(Err(error)) => Err((&error).into()),
            Err(why) => Err(why.into()),
        },
        Err(code) => Err(code),
    }
}

fn several(group: &OffsetFetchRequestGroup, fetched: Fetched) -> OffsetFetchResponseGroup {
    let group_id = StrBytes::from(group.group_id.as_str().to_owned());
    match fetched {
        Ok(topics) => OffsetFetchResponseGroup {
            group_id,
            topics: topics
                .iter()
                .map(|topic| OffsetFetchResponseTopics {
                    name: answered(&topic.name),
                    partitions: topic
                        .partitions
                        .iter()
                        .map(|partition| OffsetFetchResponsePartitions {
                            partition_index: partition.index.0,
                            committed_offset: partition.offset.0,
                            committed_leader_epoch: partition.leader_epoch.0,
                            metadata: Some(answered(&partition.metadata)),
                            error_code: partition_code(partition).into(),
                        })
                        .collect(),
                    ..OffsetFetchResponseTopics::default()
                })
                .collect(),
            error_code: Code::None.into(),
        },
        Err(code) => OffsetFetchResponseGroup {
            group_id,
            error_code: code.into(),
            ..OffsetFetchResponseGroup::default()
        },
    }
}

fn single(group: &OffsetFetchRequestGroup, fetched: Fetched, version: i16) -> OffsetFetchResponse {
    match fetched {
        Ok(topics) => {
            let topics = topics.iter().map(|topic| OffsetFetchResponseTopic {
                name: answered(&topic.name),
                partitions: topic.partitions.iter().map(partition).collect(),
            });
            OffsetFetchResponse { topics: topics.collect(), ..OffsetFetchResponse::default() }
        }
        Err(code) if version >= HAS_GROUP_ERROR => {
            OffsetFetchResponse { error_code: code.into(), ..OffsetFetchResponse::default() }
        }
        // Where the group has no place for its error, each partition has it.
        Err(code) => {
            let asked = group.topics.iter().flatten();
            let topics = asked.map(|topic| OffsetFetchResponseTopic {
                name: topic.name.as_str().to_owned().into(),
                partitions: topic
                    .partition_indexes
                    .iter()
                    .map(|&partition_index| OffsetFetchResponsePartition {
                        partition_index,
                        committed_offset: -1,
                        metadata: Some(StrBytes::default()),
                        error_code: code.into(),
                        ..OffsetFetchResponsePartition::default()
                    })
                    .collect(),
            });
            OffsetFetchResponse { topics: topics.collect(), ..OffsetFetchResponse::default() }
        }
    }
}

fn partition(fetched: &FetchedPartition) -> OffsetFetchResponsePartition {
    OffsetFetchResponsePartition {
        partition_index: fetched.index.0,
        committed_offset: fetched.offset.0,
        committed_leader_epoch: fetched.leader_epoch.0,
        metadata: Some(answered(&fetched.metadata)),
        error_code: partition_code(fetched).into(),
    }
}

/// A transaction that is still open holds an offset for the partition, and the client wants none but settled ones (KIP-447).
fn partition_code(fetched: &FetchedPartition) -> Code {
    if fetched.unstable { Code::UnstableOffsetCommit } else { Code::None }
}
