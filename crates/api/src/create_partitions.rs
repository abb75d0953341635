//! CreatePartitions (key 37): more partitions for topics that exist (KIP-195).
//!
//! The rules are those of `state_machines::topics`. A name that stands twice in a request is answered once, as in Kafka
//! (`ControllerApis.createPartitions`).

use std::collections::HashSet;
use std::sync::Arc;

use base::NodeId;
use catalog::{NewPartitions, Refusal, TopicError};
use wire::StrBytes;
use wire::messages::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic, CreatePartitionsTopicResult,
};

use crate::answer::{Handled, body, message, outcome};
use crate::blocking;
use crate::broker::{Broker, Pending, Request};
use crate::code::Code;
use crate::throttle::Leave;

/// From here on the answer can say THROTTLING_QUOTA_EXCEEDED (KIP-599).
const STRICT_SINCE: i16 = 3;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: CreatePartitionsRequest = body(request)?;
    let names: Vec<StrBytes> = asked.topics.iter().map(|topic| topic.name.clone()).collect();
    let wishes: Vec<NewPartitions> = asked.topics.iter().map(wish).collect();
    let work = blocking::begin(asked.timeout_ms, {
        let (catalog, now, validate_only) =
            (broker.catalog.clone(), request.received_at, asked.validate_only);
        let mut leave = Leave::ask(broker, request, STRICT_SINCE);
        move || {
            let permits = &mut |partitions| leave.permits(partitions);
            let verdicts = catalog.create_partitions_with(wishes, validate_only, now, permits);
            (verdicts, leave.throttle_ms())
        }
    });
    Ok(Pending::Later(Box::pin(async move {
        let (results, throttle_ms) = match work.end().await {
            Ok((verdicts, throttle_ms)) => (answers(names, verdicts), throttle_ms),
            Err(code) => (names.into_iter().map(|name| result(name, code, None)).collect(), 0),
        };
        outcome(&CreatePartitionsResponse { results, ..CreatePartitionsResponse::default() }, version)
            .throttled(throttle_ms)
    })))
}

fn wish(topic: &CreatePartitionsTopic) -> NewPartitions {
    NewPartitions {
        topic: topic.name.as_str().to_owned(),
        count: topic.count,
        assignments: topic.assignments.as_ref().map(|assignments| {
            assignments.iter().map(|one| one.broker_ids.iter().copied().map(NodeId).collect()).collect()
        }),
    }
}

fn answers(names: Vec<StrBytes>, verdicts: Vec<Result<(), TopicError>>) -> Vec<CreatePartitionsTopicResult> {
    let mut twice = HashSet::new();
    names
        .into_iter()
        .zip(verdicts)
        .filter(|(name, verdict)| {
            !matches!(verdict, Err(TopicError::Refused(Refusal::DuplicateName))) || twice.insert(name.clone())
        })
        .map(|(name, verdict)| match verdict {
            Ok(()) => result(name, Code::None, None),
            Err(error) => result(name, Code::from(&error), message(&error)),
        })
        .collect()
}

fn result(name: StrBytes, code: Code, error_message: Option<StrBytes>) -> CreatePartitionsTopicResult {
    CreatePartitionsTopicResult { name, error_code: code.into(), error_message }
}
