//! What became of each partition of a Produce, and the answer that says so.

use std::sync::Arc;

use base::Offset;
use catalog::Catalog;
use partition::{AppendError, Appended, Partition};
use records::{RecordError, Refusal};
use wire::StrBytes;
use wire::messages::produce::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, ProduceResponse,
    TopicProduceData, TopicProduceResponse,
};

use super::Named;
use crate::answer::message;
use crate::broker::Request;
use crate::code::Code;

/// What became of one partition.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It stands in the log, now or since an earlier try.
    Appended { appended: Appended, partition: Arc<Partition> },
    /// Nothing was written.
    Failed(Failure),
}

/// Why nothing was written, or why what was written is not acknowledged.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: Code,
    /// -1 unless the batch itself, or its producer, is at fault.
    log_start: Offset,
    pub(super) message: Option<StrBytes>,
    records: Vec<RecordError>,
}

impl Failure {
    /// Only the code.
    pub(super) const fn bare(code: Code) -> Self {
        Self { code, log_start: Offset::NONE, message: None, records: Vec::new() }
    }

    pub(super) fn because(self, why: &impl ToString) -> Self {
        Self { message: message(why), ..self }
    }

    /// Records that are not one batch of a version that Produce takes.
    pub(super) fn of_shape(refusal: &Refusal) -> Self {
        Self::bare(Code::from(refusal)).because(refusal)
    }

    /// A batch that breaks a rule.
    pub(super) fn of_batch(refusal: Refusal, partition: &Partition) -> Self {
        let code = Code::from(&refusal);
        let mut failure = Self::of_shape(&refusal);
        failure.log_start = log_start(code, partition);
        if let Refusal::Records { errors, .. } = refusal {
            failure.records = errors;
        }
        failure
    }

    /// A batch that the partition does not take.
    pub(super) fn of_append(error: &AppendError, partition: &Partition) -> Self {
        let code = Code::from(error);
        Self { log_start: log_start(code, partition), ..Self::bare(code).because(error) }
    }
}

/// The log start that goes with an error: Kafka names it only where it takes the error for the client's.
fn log_start(code: Code, partition: &Partition) -> Offset {
    match code {
        Code::UnknownTopicOrPartition
        | Code::NotLeaderOrFollower
        | Code::MessageTooLarge
        | Code::RecordListTooLarge
        | Code::CorruptMessage
        | Code::KafkaStorageError => Offset::NONE,
        _ => partition.marks().log_start,
    }
}

/// The verdicts of a request, in its order.
#[derive(Debug, Default)]
pub(super) struct Answers(Vec<(Named, Vec<(i32, Verdict)>)>);

impl Answers {
    /// Begins a topic.
    pub(super) fn topic(&mut self, data: &TopicProduceData) {
        let named = Named { name: data.name.clone(), id: data.topic_id };
        self.0.push((named, Vec::with_capacity(data.partition_data.len())));
    }

    /// Adds a partition to the topic begun last.
    pub(super) fn partition(&mut self, index: i32, verdict: Verdict) {
        let (_, partitions) = self.0.last_mut().expect("a topic was begun");
        partitions.push((index, verdict));
    }

    /// The same, without keeping the frame of the request in memory.
    pub(super) fn detached(mut self) -> Self {
        for (named, _) in &mut self.0 {
            named.name = named.name.detached();
        }
        self
    }

    pub(super) fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.0.iter().flat_map(|(_, partitions)| partitions).map(|(_, verdict)| verdict)
    }

    pub(super) fn verdicts_mut(&mut self) -> impl Iterator<Item = &mut Verdict> {
        self.0.iter_mut().flat_map(|(_, partitions)| partitions).map(|(_, verdict)| verdict)
    }

    /// The code of the first partition that failed.
    pub(super) fn first_failure(&self) -> Option<Code> {
        self.verdicts().find_map(|verdict| match verdict {
            Verdict::Failed(failure) => Some(failure.code),
            Verdict::Appended { .. } => None,
        })
    }

    pub(super) fn into_response(self, catalog: &Catalog, request: &Request) -> ProduceResponse {
        let mut response = ProduceResponse::default();
        for (named, partitions) in self.0 {
            let partition_responses = partitions
                .into_iter()
                .map(|(index, verdict)| {
                    let mut answer = answer(index, verdict);
                    if request.version() >= 10 && answer.error_code == Code::NotLeaderOrFollower.number() {
                        answer.current_leader = current_leader(catalog, &named, request.version(), index);
                        if response.node_endpoints.is_empty()
                            && answer.current_leader.leader_id == catalog.node_id().0
                        {
                            response.node_endpoints.extend(this_node(catalog, request));
                        }
                    }
                    answer
                })
                .collect();
            response.responses.push(TopicProduceResponse {
                name: named.name,
                topic_id: named.id,
                partition_responses,
            });
        }
        response
    }
}

fn answer(index: i32, verdict: Verdict) -> PartitionProduceResponse {
    match verdict {
        Verdict::Appended { appended, .. } => PartitionProduceResponse {
            index,
            error_code: Code::None.into(),
            base_offset: appended.base_offset.0,
            log_append_time_ms: appended.log_append_time.0,
            log_start_offset: appended.log_start.0,
            ..PartitionProduceResponse::default()
        },
        Verdict::Failed(failure) => PartitionProduceResponse {
            index,
            error_code: failure.code.into(),
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: failure.log_start.0,
            record_errors: failure
                .records
                .into_iter()
                .map(|record| BatchIndexAndErrorMessage {
                    batch_index: record.batch_index,
                    batch_index_error_message: message(&record.message),
                })
                .collect(),
            error_message: failure.message,
            ..PartitionProduceResponse::default()
        },
    }
}

/// Who leads a partition that does not take batches here (KIP-951).
fn current_leader(catalog: &Catalog, named: &Named, version: i16, index: i32) -> LeaderIdAndEpoch {
    let topics = catalog.topics();
    let topic = if version >= 13 { topics.by_id(named.id) } else { topics.by_name(&named.name) };
    let info = topic.and_then(|topic| topic.partitions.get(usize::try_from(index).ok()?));
    info.map_or_else(LeaderIdAndEpoch::default, |info| LeaderIdAndEpoch {
        leader_id: info.leader.map_or(-1, |node| node.0),
        leader_epoch: info.leader_epoch.0,
    })
}

/// Where clients reach this node, if they are told so on the listener that is asked.
fn this_node(catalog: &Catalog, request: &Request) -> Option<NodeEndpoint> {
    let (host, port) = request.listener.advertised.as_ref()?;
    Some(NodeEndpoint {
        node_id: catalog.node_id().0,
        host: StrBytes::from(host.clone()),
        port: i32::from(*port),
        rack: request.listener.rack(),
    })
}
