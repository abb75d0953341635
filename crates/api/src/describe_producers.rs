//! DescribeProducers (key 61): what partitions remember of their producers (KIP-664).
//!
//! A partition that stands twice in a request is described once and then refused: four bytes of request must not be
//! worth a list of all producers each time. Kafka describes it again.

use std::collections::HashSet;

use base::Offset;
use catalog::Catalog;
use state_machines::sequence::Row;
use state_machines::topics::{Topic, name};
use wire::messages::describe_producers::{
    DescribeProducersRequest, DescribeProducersResponse, PartitionResponse, ProducerState, TopicResponse,
};

use crate::answer::{Handled, body, message, ready};
use crate::broker::Request;
use crate::code::Code;
use crate::partitions::partition;

pub(crate) fn handle(catalog: &Catalog, request: &Request) -> Handled {
    let asked: DescribeProducersRequest = body(request)?;
    let known = catalog.topics();
    let mut described = HashSet::new();
    let topics = asked
        .topics
        .into_iter()
        .map(|topic| {
            let found = match name::check(&topic.name) {
                Err(error) => Err((Code::InvalidTopicException, error.to_string())),
                Ok(()) => known
                    .by_name(&topic.name)
                    .ok_or_else(|| (Code::UnknownTopicOrPartition, "there is no such topic".to_owned())),
            };
            let partitions = topic
                .partition_indexes
                .iter()
                .map(|&index| match &found {
                    Err((code, text)) => refused(index, *code, Some(text)),
                    Ok(topic) if described.insert((topic.id, index)) => describe(catalog, topic, index),
                    Ok(_) => {
                        let text = "the partition is named twice in the request".to_owned();
                        refused(index, Code::InvalidRequest, Some(&text))
                    }
                })
                .collect();
            TopicResponse { name: topic.name, partitions }
        })
        .collect();
    ready(&DescribeProducersResponse { topics, ..DescribeProducersResponse::default() }, request.version())
}

fn describe(catalog: &Catalog, topic: &Topic, index: i32) -> PartitionResponse {
    match partition(catalog, topic, index) {
        Err(code) => refused(index, code, None),
        Ok(partition) => PartitionResponse {
            partition_index: index,
            active_producers: partition.producers().iter().map(producer).collect(),
            ..PartitionResponse::default()
        },
    }
}

fn producer(row: &Row) -> ProducerState {
    ProducerState {
        producer_id: row.producer_id.0,
        producer_epoch: i32::from(row.epoch.0),
        last_sequence: row.last_sequence.0,
        last_timestamp: row.timestamp.0,
        coordinator_epoch: row.coordinator_epoch,
        current_txn_start_offset: row.open_transaction.unwrap_or(Offset::NONE).0,
    }
}

fn refused(index: i32, code: Code, text: Option<&String>) -> PartitionResponse {
    PartitionResponse {
        partition_index: index,
        error_code: code.into(),
        error_message: text.and_then(message),
        ..PartitionResponse::default()
    }
}
