//! CreateTopics (key 19).
//!
//! The rules are those of `state_machines::topics`; here a request becomes wishes, and verdicts become an answer. A name
//! that stands twice in a request is answered once, as in Kafka (`ControllerApis.createTopics`).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use base::{NodeId, PartitionIndex};
use catalog::{CreatedTopic, NewTopic, Refusal, TopicError};
use settings::{Effect, Entry, Settings, Source};
use wire::StrBytes;
use wire::messages::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};

use crate::answer::{Handled, body, message, outcome};
use crate::blocking;
use crate::broker::{Broker, Pending, Request};
use crate::code::Code;
use crate::describe_configs;
use crate::throttle::Leave;

/// From here on the answer can say THROTTLING_QUOTA_EXCEEDED (KIP-599).
const STRICT_SINCE: i16 = 6;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: CreateTopicsRequest = body(request)?;
    let names: Vec<StrBytes> = asked.topics.iter().map(|topic| topic.name.clone()).collect();
    let wishes: Vec<NewTopic> = asked.topics.iter().map(wish).collect();
    let work = blocking::begin(asked.timeout_ms, {
        let (catalog, now, validate_only) =
            (broker.catalog.clone(), request.received_at, asked.validate_only);
        let mut leave = Leave::ask(broker, request, STRICT_SINCE);
        move || {
            let permits = &mut |partitions| leave.permits(partitions);
            let verdicts = catalog.create_topics_with(wishes, validate_only, now, permits);
            (verdicts, leave.throttle_ms())
        }
    });
    let catalog = broker.catalog.clone();
    Ok(Pending::Later(Box::pin(async move {
        let (topics, throttle_ms) = match work.end().await {
            Ok((verdicts, throttle_ms)) => {
                (answers(names, verdicts, version, &catalog.settings()), throttle_ms)
            }
            Err(code) => (names.into_iter().map(|name| failed(name, code, None)).collect(), 0),
        };
        outcome(&CreateTopicsResponse { topics, ..CreateTopicsResponse::default() }, version)
            .throttled(throttle_ms)
    })))
}

fn wish(topic: &CreatableTopic) -> NewTopic {
    NewTopic {
        name: topic.name.as_str().to_owned(),
        partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: topic
            .assignments
            .iter()
            .map(|one| {
                (PartitionIndex(one.partition_index), one.broker_ids.iter().copied().map(NodeId).collect())
            })
            .collect(),
        configs: topic
            .configs
            .iter()
            .map(|config| {
                (
                    config.name.as_str().to_owned(),
                    config.value.as_ref().map(|value| value.as_str().to_owned()),
                )
            })
            .collect(),
    }
}

fn answers(
    names: Vec<StrBytes>,
    verdicts: Vec<Result<CreatedTopic, TopicError>>,
    version: i16,
    settings: &Settings,
) -> Vec<CreatableTopicResult> {
    let mut twice = HashSet::new();
    names
        .into_iter()
        .zip(verdicts)
        .filter(|(name, verdict)| {
            !matches!(verdict, Err(TopicError::Refused(Refusal::DuplicateName))) || twice.insert(name.clone())
        })
        .map(|(name, verdict)| match verdict {
            Ok(topic) => created(name, topic, version, settings),
            Err(error) => failed(name, Code::from(&error), message(&error)),
        })
        .collect()
}

fn created(name: StrBytes, topic: CreatedTopic, version: i16, settings: &Settings) -> CreatableTopicResult {
    let configs = if version >= 5 {
        let overrides: BTreeMap<String, String> = topic.configs.into_iter().collect();
        settings.topic_entries(&overrides).into_iter().filter(is_public).map(config).collect()
    } else {
        Vec::new()
    };
    CreatableTopicResult {
        name,
        topic_id: topic.id,
        error_code: Code::None.into(),
        error_message: None,
        num_partitions: topic.partitions,
        replication_factor: topic.replication_factor,
        configs: Some(configs),
        ..CreatableTopicResult::default()
    }
}

/// Kafka does not show settings that exist only for its own tests, unless they were given.
fn is_public(entry: &Entry) -> bool {
    entry.row.effect != Effect::Internal || entry.source == Source::Topic
}

fn config(entry: Entry) -> CreatableTopicConfigs {
    CreatableTopicConfigs {
        name: StrBytes::from_static(entry.row.name),
        value: entry.value.map(StrBytes::from),
        read_only: false,
        config_source: describe_configs::number(entry.source),
        is_sensitive: false,
    }
}

fn failed(name: StrBytes, code: Code, error_message: Option<StrBytes>) -> CreatableTopicResult {
    CreatableTopicResult {
        name,
        error_code: code.into(),
        error_message,
        configs: Some(Vec::new()),
        ..CreatableTopicResult::default()
    }
}
