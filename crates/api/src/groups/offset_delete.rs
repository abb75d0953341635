//! OffsetDelete (key 47): forgets committed offsets of topics that nobody in the group reads (KIP-496).

use std::collections::HashMap;
use std::sync::Arc;

use base::PartitionIndex;
use state_machines::group::{DeleteOffsets, Event, Reply, TopicResults};
use wire::StrBytes;
use wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteResponse, OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};

use super::{answered, begin, code, text};
use crate::answer::{Handled, body};
use crate::broker::{Broker, Request};
use crate::code::Code;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let asked: OffsetDeleteRequest = body(request)?;
    let topics = broker.catalog.topics();
    let mut unknown: Vec<OffsetDeleteResponseTopic> = Vec::new();
    let mut known = Vec::new();
    for topic in &asked.topics {
        let count = topics.by_name(topic.name.as_str()).map_or(0, |topic| topic.partitions.len());
        let exists = |index: &i32| usize::try_from(*index).is_ok_and(|index| index < count);
        let indexes = topic.partitions.iter().map(|partition| partition.partition_index);
        let (there, missing): (Vec<i32>, Vec<i32>) = indexes.partition(exists);
        if !missing.is_empty() {
            unknown.push(OffsetDeleteResponseTopic {
                name: StrBytes::from(topic.name.as_str().to_owned()),
                partitions: missing
                    .into_iter()
                    .map(|index| result(index, Code::UnknownTopicOrPartition))
                    .collect(),
            });
        }
        if !there.is_empty() {
            known.push((text(&topic.name), there.into_iter().map(PartitionIndex).collect()));
        }
    }
    let event = Event::DeleteOffsets(DeleteOffsets { group_id: text(&asked.group_id), topics: known });
    begin(broker, request, asked.group_id.as_str(), event, |reply| {
        let refused =
            |code: Code| OffsetDeleteResponse { error_code: code.into(), ..OffsetDeleteResponse::default() };
        match reply {
            Ok(Reply::DeleteOffsets(Ok(done))) => OffsetDeleteResponse {
                error_code: Code::None.into(),
                topics: merged(unknown, &done),
                ..OffsetDeleteResponse::default()
            },
            Ok(Reply::DeleteOffsets(Err(error))) => refused((&error).into()),
            Ok(_) => refused(Code::UnknownServerError),
            Err(why) => refused(why.into()),
        }
    })
}

/// What came of the partitions that exist, added to those that do not; a topic is named once.
fn merged(
    mut topics: Vec<OffsetDeleteResponseTopic>,
    done: &[TopicResults],
) -> Vec<OffsetDeleteResponseTopic> {
    let names = topics.iter().enumerate();
    let mut places: HashMap<String, usize> =
        names.rev().map(|(place, topic)| (topic.name.as_str().to_owned(), place)).collect();
    for topic in done {
        let results = topic.partitions.iter().map(|(index, outcome)| result(index.0, code(outcome)));
        if let Some(place) = places.get(&*topic.name) {
            topics[*place].partitions.extend(results);
        } else {
            places.insert(topic.name.to_string(), topics.len());
            topics.push(OffsetDeleteResponseTopic {
                name: answered(&topic.name),
                partitions: results.collect(),
            });
        }
    }
    topics
}

fn result(partition_index: i32, code: Code) -> OffsetDeleteResponsePartition {
    OffsetDeleteResponsePartition { partition_index, error_code: code.into() }
}
