//! DeleteRecords (key 21): takes away what lies below an offset (KIP-107).
//!
//! The log start moves when the request is begun, so that the next request of the connection sees it, and the answer waits
//! until that is on disk. As in Kafka (`KafkaApis.handleDeleteRecordsRequest`) a partition that stands twice in a request
//! is answered once, and its last offset counts; a topic without partitions is not answered; and `timeout_ms` is for other
//! replicas, of which there are none.

use std::collections::HashMap;
use std::sync::Arc;

use base::{Offset, PartitionIndex};
use catalog::{Catalog, RecordsError};
use state_machines::topics::{Topics, name};
use wire::StrBytes;
use wire::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse,
    DeleteRecordsTopic, DeleteRecordsTopicResult,
};

use crate::answer::{Handled, body, outcome, ready};
use crate::blocking;
use crate::broker::Request;
use crate::code::Code;

/// Asks for all that may be deleted.
const HIGH_WATERMARK: i64 = -1;

pub(crate) fn handle(catalog: &Arc<Catalog>, request: &Request) -> Handled {
    let version = request.version();
    let asked: DeleteRecordsRequest = body(request)?;
    let known = catalog.topics();
    let topics = merged(asked.topics).into_iter().map(|topic| {
        let delete = |asked: &DeleteRecordsPartition| {
            let deleted = delete(catalog, &known, &topic.name, asked);
            result(asked.partition_index, deleted)
        };
        let partitions = topic.partitions.iter().map(delete).collect();
        DeleteRecordsTopicResult { name: topic.name, partitions }
    });
    let mut answer = DeleteRecordsResponse { topics: topics.collect(), ..DeleteRecordsResponse::default() };
    if moved(&mut answer).next().is_none() {
        return ready(&answer, version);
    }
    let catalog = catalog.clone();
    Ok(blocking::answer(move || {
        if let Err(error) = catalog.keep_log_starts() {
            tracing::error!(
                "{error}; the log starts that a DeleteRecords moved may be forgotten by a restart"
            );
            for partition in moved(&mut answer) {
                *partition = result(partition.partition_index, Err(Code::KafkaStorageError));
            }
        }
        outcome(&answer, version)
    }))
}

/// The partitions whose records are gone.
fn moved(answer: &mut DeleteRecordsResponse) -> impl Iterator<Item = &mut DeleteRecordsPartitionResult> {
    let partitions = answer.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
    partitions.filter(|partition| partition.error_code == i16::from(Code::None))
}

/// Each topic with a partition once, and in it each partition once, with the last offset that was named.
fn merged(asked: Vec<DeleteRecordsTopic>) -> Vec<DeleteRecordsTopic> {
    let mut topics: Vec<DeleteRecordsTopic> = Vec::new();
    let mut places: HashMap<StrBytes, usize> = HashMap::new();
    let mut offsets: HashMap<(usize, i32), usize> = HashMap::new();
    for topic in asked.into_iter().filter(|topic| !topic.partitions.is_empty()) {
        let place = *places.entry(topic.name.clone()).or_insert_with(|| {
            topics.push(DeleteRecordsTopic { name: topic.name, partitions: Vec::new() });
            topics.len() - 1
        });
        let partitions = &mut topics[place].partitions;
        for partition in topic.partitions {
            let known = *offsets.entry((place, partition.partition_index)).or_insert(partitions.len());
            match partitions.get_mut(known) {
                Some(earlier) => earlier.offset = partition.offset,
                None => partitions.push(partition),
            }
        }
    }
    topics
}

fn delete(
    catalog: &Catalog,
    known: &Topics,
    topic: &str,
    asked: &DeleteRecordsPartition,
) -> Result<Offset, Code> {
    let found = known.by_name(topic).ok_or(Code::UnknownTopicOrPartition)?;
    let index = asked.partition_index;
    if !usize::try_from(index).is_ok_and(|index| index < found.partitions.len()) {
        return Err(Code::UnknownTopicOrPartition);
    }
    if name::is_internal(topic) {
        return Err(Code::InvalidTopicException);
    }
    let before = (asked.offset != HIGH_WATERMARK).then_some(Offset(asked.offset));
    catalog.delete_records(found.id, PartitionIndex(index), before).map_err(|error: RecordsError| {
        tracing::debug!(topic, index, offset = asked.offset, %error, "records were not deleted");
        Code::from(&error)
    })
}

fn result(partition_index: i32, deleted: Result<Offset, Code>) -> DeleteRecordsPartitionResult {
    let (low_watermark, code) = match deleted {
        Ok(log_start) => (log_start, Code::None),
        Err(code) => (Offset::NONE, code),
    };
    DeleteRecordsPartitionResult { partition_index, low_watermark: low_watermark.0, error_code: code.into() }
}
