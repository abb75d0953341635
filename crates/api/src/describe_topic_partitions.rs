//! DescribeTopicPartitions (key 75): topics page by page, in the order of their names (KIP-966).
//!
//! A page ends after as many partitions as the client or `max.request.partition.size.limit` allows, and its cursor says
//! where the next one begins (Kafka: `DescribeTopicPartitionsRequestHandler`).

use std::collections::BTreeSet;

use base::NodeId;
use catalog::{Catalog, Topics};
use settings::Settings;
use state_machines::topics::{PartitionInfo, Topic, name};
use wire::StrBytes;
use wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};

use crate::answer::{Handled, body, ready};
use crate::broker::Request;
use crate::code::Code;
use crate::metadata::offline;
use crate::operations;

pub(crate) fn handle(catalog: &Catalog, settings: &Settings, request: &Request) -> Handled {
    let version = request.version();
    let asked: DescribeTopicPartitionsRequest = body(request)?;
    if is_astray(&asked) {
        return ready(&refused(asked), version);
    }
    let limit = asked.response_partition_limit.min(settings.max_request_partition_size_limit()).max(1);
    let limit = usize::try_from(limit).expect("at least 1");
    ready(&page(&catalog.topics(), catalog.node_id(), &asked, limit), version)
}

/// Whether the cursor stands outside of what is asked for.
fn is_astray(asked: &DescribeTopicPartitionsRequest) -> bool {
    asked.cursor.as_ref().is_some_and(|cursor| {
        cursor.partition_index < 0
            || !(asked.topics.is_empty() || asked.topics.iter().any(|topic| topic.name == cursor.topic_name))
    })
}

fn refused(asked: DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
    let topic = |name| DescribeTopicPartitionsResponseTopic {
        error_code: Code::InvalidRequest.into(),
        name: Some(name),
        ..DescribeTopicPartitionsResponseTopic::default()
    };
    DescribeTopicPartitionsResponse {
        topics: asked.topics.into_iter().map(|asked| topic(asked.name)).collect(),
        ..DescribeTopicPartitionsResponse::default()
    }
}

fn page(
    known: &Topics,
    node: NodeId,
    asked: &DescribeTopicPartitionsRequest,
    limit: usize,
) -> DescribeTopicPartitionsResponse {
    let start = asked.cursor.as_ref().map_or("", |cursor| cursor.topic_name.as_str());
    let first_of = |name: &str| match &asked.cursor {
        Some(cursor) if cursor.topic_name == *name => usize::try_from(cursor.partition_index).unwrap_or(0),
        _ => 0,
    };
    let mut page = DescribeTopicPartitionsResponse::default();
    let mut left = limit;
    let names: BTreeSet<&str> = if asked.topics.is_empty() {
        known.iter().map(|topic| &*topic.name).filter(|name| *name >= start).collect()
    } else {
        asked.topics.iter().map(|topic| topic.name.as_str()).filter(|name| *name >= start).collect()
    };
    for name in names {
        if left == 0 {
            page.next_cursor = Some(cursor(name, 0));
            break;
        }
        let Some(topic) = known.by_name(name) else {
            page.topics.push(absent(name));
            continue;
        };
        let first = first_of(name).min(topic.partitions.len());
        let end = topic.partitions.len().min(first.saturating_add(left));
        page.topics.push(shown(topic, first..end, node));
        if end < topic.partitions.len() {
            page.next_cursor = Some(cursor(name, end));
            break;
        }
        left -= end - first;
    }
    page
}

fn cursor(name: &str, partition: usize) -> Cursor {
    Cursor {
        topic_name: StrBytes::from(name.to_owned()),
        partition_index: i32::try_from(partition).expect("partitions are counted in 32 bits"),
    }
}

fn absent(topic: &str) -> DescribeTopicPartitionsResponseTopic {
    let code =
        if name::check(topic).is_ok() { Code::UnknownTopicOrPartition } else { Code::InvalidTopicException };
    DescribeTopicPartitionsResponseTopic {
        error_code: code.into(),
        name: Some(StrBytes::from(topic.to_owned())),
        is_internal: name::is_internal(topic),
        topic_authorized_operations: operations::ON_TOPIC,
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}

fn shown(topic: &Topic, range: std::ops::Range<usize>, node: NodeId) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic {
        error_code: Code::None.into(),
        name: Some(StrBytes::from(topic.name.to_string())),
        topic_id: topic.id,
        is_internal: name::is_internal(&topic.name),
        partitions: (0..)
            .zip(&topic.partitions)
            .skip(range.start)
            .take(range.len())
            .map(|(index, info)| place(index, info, node))
            .collect(),
        topic_authorized_operations: operations::ON_TOPIC,
    }
}

fn place(index: i32, info: &PartitionInfo, node: NodeId) -> DescribeTopicPartitionsResponsePartition {
    let ids = |nodes: &[NodeId]| nodes.iter().map(|node| node.0).collect();
    DescribeTopicPartitionsResponsePartition {
        error_code: Code::None.into(),
        partition_index: index,
        leader_id: if info.leader == Some(node) { node.0 } else { -1 },
        leader_epoch: info.leader_epoch.0,
        replica_nodes: ids(&info.replicas),
        isr_nodes: ids(&info.isr),
        eligible_leader_replicas: Some(Vec::new()),
        last_known_elr: Some(Vec::new()),
        offline_replicas: offline(info, node),
    }
}
