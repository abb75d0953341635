//! CreatePartitions (key 37): more partitions for topics that exist (KIP-195).
//!
//! The rules are those of `state_machines::topics`. A name that stands twice in a request is answered once, as in Kafka
//! (`ControllerApis.createPartitions`).

use std::collections::HashSet;
use std::sync::Arc;

use base::NodeId;
use catalog::{Catalog, NewPartitions, Refusal, TopicError};
use wire::StrBytes;
use wire::messages::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic, CreatePartitionsTopicResult,
};

use crate::answer::{Handled, body, message, outcome};
use crate::blocking;
use crate::broker::{Pending, Request};
use crate::code::Code;

pub(crate) fn handle(catalog: &Arc<Catalog>, request: &Request) -> Handled {
    let version = request.version();
    let asked: CreatePartitionsRequest = body(request)?;
    let names: Vec<StrBytes> = asked.topics.iter().map(|topic| topic.name.clone()).collect();
    let wishes: Vec<NewPartitions> = asked.topics.iter().map(wish).collect();
    let work = blocking::begin(asked.timeout_ms, {
        let (catalog, now, validate_only) = (catalog.clone(), request.received_at, asked.validate_only);
        move || catalog.create_partitions(wishes, validate_only, now)
    });
    Ok(Pending::Later(Box::pin(async move {
        let results = match work.end().await {
            Ok(verdicts) => answers(names, verdicts),
            Err(code) => names.into_iter().map(|name| result(name, code, None)).collect(),
        };
        outcome(&CreatePartitionsResponse { results, ..CreatePartitionsResponse::default() }, version)
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
