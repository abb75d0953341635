//! DescribeQuorum (key 55): the voters of the metadata log (KIP-595). There is one, this node, and it leads.

use catalog::{Catalog, QuorumState};
use state_machines::topics::name::CLUSTER_METADATA;
use wire::StrBytes;
use wire::messages::describe_quorum::{
    DescribeQuorumRequest, DescribeQuorumResponse, Listener, Node, PartitionData, ReplicaState, TopicData,
    TopicRequest,
};

use crate::answer::{Handled, body, message, ready};
use crate::broker::Request;
use crate::code::Code;

pub(crate) fn handle(catalog: &Catalog, request: &Request) -> Handled {
    let asked: DescribeQuorumRequest = body(request)?;
    let response = match &asked.topics[..] {
        [topic] if is_the_metadata_log(topic) => describe(&catalog.quorum(), request),
        _ => unknown(asked.topics),
    };
    ready(&response, request.version())
}

fn is_the_metadata_log(topic: &TopicRequest) -> bool {
    topic.topic_name == *CLUSTER_METADATA
        && matches!(&topic.partitions[..], [partition] if partition.partition_index == 0)
}

fn describe(quorum: &QuorumState, request: &Request) -> DescribeQuorumResponse {
    let (voter, end) = (quorum.voter.0, quorum.end.0);
    // The leader has always just fetched, and always has all there is.
    let now = request.received_at.0;
    let replica = ReplicaState {
        replica_id: voter,
        replica_directory_id: quorum.directory.filter(|_| request.version() >= 2).unwrap_or_default(),
        log_end_offset: end,
        last_fetch_timestamp: now,
        last_caught_up_timestamp: now,
    };
    let partition = PartitionData {
        partition_index: 0,
        leader_id: voter,
        leader_epoch: quorum.leader_epoch.0,
        high_watermark: end,
        current_voters: vec![replica],
        ..PartitionData::default()
    };
    let listener = |endpoint: &catalog::VoterEndpoint| Listener {
        name: StrBytes::from(endpoint.name.clone()),
        host: StrBytes::from(endpoint.host.clone()),
        port: endpoint.port,
    };
    let nodes = match request.version() {
        2.. => vec![Node { node_id: voter, listeners: quorum.endpoints.iter().map(listener).collect() }],
        _ => Vec::new(),
    };
    DescribeQuorumResponse {
        topics: vec![TopicData {
            topic_name: StrBytes::from_static(CLUSTER_METADATA),
            partitions: vec![partition],
        }],
        nodes,
        ..DescribeQuorumResponse::default()
    }
}

/// Only the metadata log has a quorum; whoever asks for more gets none (Kafka: `hasValidTopicPartition`).
fn unknown(asked: Vec<TopicRequest>) -> DescribeQuorumResponse {
    let partition = |index: i32| PartitionData {
        partition_index: index,
        error_code: Code::UnknownTopicOrPartition.into(),
        error_message: message(&"only the metadata log has a quorum"),
        ..PartitionData::default()
    };
    let topic = |topic: TopicRequest| TopicData {
        topic_name: topic.topic_name,
        partitions: topic.partitions.iter().map(|asked| partition(asked.partition_index)).collect(),
    };
    DescribeQuorumResponse {
        topics: asked.into_iter().map(topic).collect(),
        ..DescribeQuorumResponse::default()
    }
}
