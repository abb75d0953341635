//! ElectLeaders (key 43): lets partitions be led by whom they prefer, or by anyone who is left (KIP-183, KIP-460). The one
//! node leads all partitions since its start, so there is nothing to elect.

use base::PartitionIndex;
use catalog::{Catalog, Topics};
use state_machines::topics::Topic;
use wire::StrBytes;
use wire::messages::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, PartitionResult, ReplicaElectionResult, TopicPartitions,
};

use crate::answer::{Handled, body, message, ready};
use crate::broker::Request;
use crate::code::Code;

/// Kinds of election.
const PREFERRED: i8 = 0;
const UNCLEAN: i8 = 1;

pub(crate) fn handle(catalog: &Catalog, request: &Request) -> Handled {
    let asked: ElectLeadersRequest = body(request)?;
    // A list without topics is answered before anything else is looked at, as in Kafka.
    let names_none = asked.topic_partitions.as_ref().is_some_and(Vec::is_empty);
    let response = if names_none {
        ElectLeadersResponse::default()
    } else if asked.timeout_ms <= 0 {
        refused(asked, Code::RequestTimedOut)
    } else if !matches!(asked.election_type, PREFERRED | UNCLEAN) {
        refused(asked, Code::InvalidRequest)
    } else {
        let known = catalog.topics();
        let results = match &asked.topic_partitions {
            Some(topics) => topics.iter().map(|topic| named(&known, topic, asked.election_type)).collect(),
            None => known.iter().map(|topic| whole(topic, asked.election_type)).collect(),
        };
        ElectLeadersResponse { replica_election_results: results, ..ElectLeadersResponse::default() }
    };
    ready(&response, request.version())
}

/// The whole request fails, and with it each partition that it names.
fn refused(asked: ElectLeadersRequest, code: Code) -> ElectLeadersResponse {
    let topic = |topic: TopicPartitions| ReplicaElectionResult {
        topic: topic.topic,
        partition_result: topic.partitions.iter().map(|index| result(*index, code, None)).collect(),
    };
    ElectLeadersResponse {
        error_code: code.into(),
        replica_election_results: asked.topic_partitions.into_iter().flatten().map(topic).collect(),
        ..ElectLeadersResponse::default()
    }
}

fn named(known: &Topics, asked: &TopicPartitions, election_type: i8) -> ReplicaElectionResult {
    let topic = known.by_name(&asked.topic);
    let partition = |index: &i32| match topic {
        Some(topic) => elect(topic, *index, election_type),
        None => {
            result(*index, Code::UnknownTopicOrPartition, Some(&format!("there is no topic {}", asked.topic)))
        }
    };
    ReplicaElectionResult {
        topic: asked.topic.clone(),
        partition_result: asked.partitions.iter().map(partition).collect(),
    }
}

/// When all partitions are meant, those that need no election are not told.
fn whole(topic: &Topic, election_type: i8) -> ReplicaElectionResult {
    let results = (0..).zip(&topic.partitions).map(|(index, _)| elect(topic, index, election_type));
    ReplicaElectionResult {
        topic: StrBytes::from(topic.name.to_string()),
        partition_result: results
            .filter(|result| result.error_code != i16::from(Code::ElectionNotNeeded))
            .collect(),
    }
}

fn elect(topic: &Topic, index: i32, election_type: i8) -> PartitionResult {
    let Some(partition) = topic.partition(PartitionIndex(index)) else {
        let text = format!("topic {} has no partition {index}", topic.name);
        return result(index, Code::UnknownTopicOrPartition, Some(&text));
    };
    let is_settled = match election_type {
        PREFERRED => partition.leader.is_some() && partition.leader == partition.replicas.first().copied(),
        _ => partition.leader.is_some(),
    };
    let code = match (is_settled, election_type) {
        (true, _) => Code::ElectionNotNeeded,
        (false, PREFERRED) => Code::PreferredLeaderNotAvailable,
        (false, _) => Code::EligibleLeadersNotAvailable,
    };
    result(index, code, None)
}

fn result(partition_id: i32, code: Code, text: Option<&String>) -> PartitionResult {
    let error_message = text.and_then(message);
    PartitionResult { partition_id, error_code: code.into(), error_message }
}
