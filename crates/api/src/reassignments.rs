//! AlterPartitionReassignments (key 45) and ListPartitionReassignments (key 46): moves of partitions between brokers
//! (KIP-455). With one broker every partition is where it can be, and nothing is ever under way.

use base::{NodeId, PartitionIndex};
use catalog::{Catalog, Topics};
use wire::StrBytes;
use wire::messages::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ReassignablePartition,
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use wire::messages::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};

use crate::answer::{Handled, body, message, ready};
use crate::broker::Request;
use crate::code::Code;

/// AlterPartitionReassignments.
pub(crate) fn alter(catalog: &Catalog, request: &Request) -> Handled {
    let asked: AlterPartitionReassignmentsRequest = body(request)?;
    let is_late = asked.timeout_ms <= 0 && !asked.topics.is_empty();
    let known = catalog.topics();
    let node = catalog.node_id();
    let responses = asked.topics.into_iter().map(|topic| {
        let judge = |partition: &ReassignablePartition| {
            if is_late {
                result(partition.partition_index, Code::RequestTimedOut, None)
            } else {
                reassign(&known, &topic.name, partition, node)
            }
        };
        let partitions = topic.partitions.iter().map(judge).collect();
        ReassignableTopicResponse { name: topic.name, partitions }
    });
    let response = AlterPartitionReassignmentsResponse {
        // One copy of each partition before and after: the answer does not depend on it.
        allow_replication_factor_change: asked.allow_replication_factor_change,
        error_code: if is_late { Code::RequestTimedOut } else { Code::None }.into(),
        error_message: None,
        responses: responses.collect(),
        ..AlterPartitionReassignmentsResponse::default()
    };
    ready(&response, request.version())
}

fn reassign(
    known: &Topics,
    topic: &str,
    asked: &ReassignablePartition,
    node: NodeId,
) -> ReassignablePartitionResponse {
    let index = asked.partition_index;
    let target: Option<Vec<NodeId>> =
        asked.replicas.as_ref().map(|nodes| nodes.iter().copied().map(NodeId).collect());
    match known.reassign(topic, PartitionIndex(index), target.as_deref(), node) {
        Ok(()) => result(index, Code::None, None),
        Err(refusal) => result(index, Code::from(&refusal), message(&refusal)),
    }
}

fn result(
    partition_index: i32,
    code: Code,
    error_message: Option<StrBytes>,
) -> ReassignablePartitionResponse {
    ReassignablePartitionResponse { partition_index, error_code: code.into(), error_message }
}

/// ListPartitionReassignments.
pub(crate) fn list(request: &Request) -> Handled {
    // Whatever is asked for, none of it is on its way.
    let _asked: ListPartitionReassignmentsRequest = body(request)?;
    let response = ListPartitionReassignmentsResponse {
        error_message: None,
        ..ListPartitionReassignmentsResponse::default()
    };
    ready(&response, request.version())
}
