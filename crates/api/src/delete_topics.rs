//! DeleteTopics (key 20): by name, and by id from version 6 (KIP-516).
//!
//! A name or id that stands twice in a request is answered once, as in Kafka (`ControllerApis.deleteTopics`).

use std::collections::HashSet;
use std::sync::Arc;

use base::Uuid;
use catalog::{Refusal, TopicError, TopicRef};
use wire::StrBytes;
use wire::messages::delete_topics::{DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse};

use crate::answer::{Handled, body, message, outcome};
use crate::blocking;
use crate::broker::{Broker, Pending, Request};
use crate::code::Code;
use crate::throttle::Leave;

/// A topic as the request names it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Named {
    name: Option<StrBytes>,
    id: Uuid,
}

/// From here on the answer can say THROTTLING_QUOTA_EXCEEDED (KIP-599).
const STRICT_SINCE: i16 = 5;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: DeleteTopicsRequest = body(request)?;
    let by_name = asked.topic_names.into_iter().map(|name| Named { name: Some(name), id: Uuid::nil() });
    let in_either_way = asked.topics.into_iter().map(|topic| Named { name: topic.name, id: topic.topic_id });
    let (clear, unclear): (Vec<Named>, Vec<Named>) =
        by_name.chain(in_either_way).partition(|topic| topic.name.is_some() == topic.id.is_nil());
    let wishes: Vec<TopicRef> = clear.iter().map(wish).collect();
    let work = blocking::begin(asked.timeout_ms, {
        let (broker, now) = (broker.clone(), request.received_at);
        let mut leave = Leave::ask(&broker, request, STRICT_SINCE);
        move || {
            let permits = &mut |partitions| leave.permits(partitions);
            let verdicts = broker.catalog.delete_topics_with(wishes, now, permits);
            verdicts.iter().flatten().for_each(|(name, _)| broker.coordinator.topic_deleted(name, now));
            (verdicts, leave.throttle_ms())
        }
    });
    Ok(Pending::Later(Box::pin(async move {
        let (responses, throttle_ms) = match work.end().await {
            Ok((verdicts, throttle_ms)) => {
                let mut responses: Vec<_> = unclear.into_iter().map(refused).collect();
                responses.extend(answers(clear, verdicts, version));
                (responses, throttle_ms)
            }
            Err(code) => {
                (clear.into_iter().chain(unclear).map(|topic| result(topic, code, None)).collect(), 0)
            }
        };
        outcome(&DeleteTopicsResponse { responses, ..DeleteTopicsResponse::default() }, version)
            .throttled(throttle_ms)
    })))
}

fn wish(topic: &Named) -> TopicRef {
    match &topic.name {
        Some(name) => TopicRef::Name(name.as_str().to_owned()),
        None => TopicRef::Id(topic.id),
    }
}

/// Named in both ways, or in none.
fn refused(topic: Named) -> DeletableTopicResult {
    let text = if topic.name.is_some() {
        "A topic is named either by name or by id, not by both."
    } else {
        "Neither the name nor the id of a topic is given."
    };
    result(topic, Code::InvalidRequest, Some(StrBytes::from_static(text)))
}

fn answers(
    topics: Vec<Named>,
    verdicts: Vec<Result<(String, Uuid), TopicError>>,
    version: i16,
) -> Vec<DeletableTopicResult> {
    let mut twice = HashSet::new();
    topics
        .into_iter()
        .zip(verdicts)
        .filter(|(topic, verdict)| {
            let duplicate =
                matches!(verdict, Err(TopicError::Refused(Refusal::DuplicateName | Refusal::DuplicateId)));
            !duplicate || twice.insert(topic.clone())
        })
        .map(|(topic, verdict)| match verdict {
            Ok((name, id)) => result(Named { name: Some(StrBytes::from(name)), id }, Code::None, None),
            // The code came with version 3.
            Err(error @ TopicError::DeletionDisabled) if version < 3 => {
                result(topic, Code::InvalidRequest, message(&error))
            }
            Err(error) => result(topic, Code::from(&error), message(&error)),
        })
        .collect()
}

fn result(topic: Named, code: Code, error_message: Option<StrBytes>) -> DeletableTopicResult {
    DeletableTopicResult { name: topic.name, topic_id: topic.id, error_code: code.into(), error_message }
}
