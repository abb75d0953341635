//! `--describe`: topics, their settings and their partitions.

use std::collections::{BTreeMap, BTreeSet};

use base::Uuid;
use client::{Client, ClientError, LATEST};
use wire::messages::describe_cluster::DescribeClusterRequest;
use wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
};
use wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponseTopic, TopicRequest,
};

use crate::call::{Call, Failure};
use crate::java;
use crate::pattern::is_internal;

/// The flags that pick partitions.
pub(super) const REPORTS: [&str; 4] = [
    "under-replicated-partitions",
    "unavailable-partitions",
    "under-min-isr-partitions",
    "at-min-isr-partitions",
];

/// Kafka's number for topics among resources that have settings.
const TOPIC: i8 = 2;
/// Where a setting is from that nobody has set.
const DEFAULT_CONFIG: i8 = 5;

type Topic = DescribeTopicPartitionsResponseTopic;

pub(super) fn describe(call: &mut Call<'_>, client: &mut Client) -> Result<(), Failure> {
    let mut by_its_id = false;
    let names = match call.options.value("topic-id")? {
        Some(text) => {
            let id = java::parse_id(text)
                .ok_or_else(|| Failure::Told(format!("Input string `{text}` is no topic id")))?;
            by_its_id = !id.is_nil();
            if by_its_id { by_id(call, client, id, text)? } else { super::existing(call, client)? }
        }
        None => super::existing(call, client)?,
    };
    if names.is_empty() {
        return Ok(());
    }
    let limit = call.options.number("partition-size-limit-per-response")?.unwrap_or(2000);
    let mut topics = describe_all(client, &names, limit)?;
    if by_its_id {
        // Kafka asks Metadata, which does not know of these.
        for partition in topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
            (partition.eligible_leader_replicas, partition.last_known_elr) = (None, None);
        }
    }
    let settings = settings_of(client, &names)?;
    let live = live_nodes(client)?;
    for topic in &topics {
        let settings = settings.get(topic.name.as_deref().unwrap_or_default());
        print(call, topic, settings.map_or(&[][..], Vec::as_slice), &live)?;
    }
    Ok(())
}

/// The name of the topic with this id.
fn by_id(call: &Call<'_>, client: &mut Client, id: Uuid, text: &str) -> Result<Vec<String>, Failure> {
    let answer = client.persist(|client| client.metadata(None, false))?;
    let exclude = call.options.has("exclude-internal");
    let found = (answer.topics.into_iter())
        .filter(|topic| topic.topic_id == id)
        .filter_map(|topic| topic.name)
        .find(|name| !(exclude && is_internal(name)));
    match found {
        Some(name) => Ok(vec![name.to_string()]),
        None if call.options.has("if-exists") => Ok(Vec::new()),
        None => Err(Failure::Told(format!("TopicId '{text}' does not exist as expected"))),
    }
}

/// All partitions of these topics, page by page.
fn describe_all(client: &mut Client, names: &[String], limit: i32) -> Result<Vec<Topic>, ClientError> {
    let mut all: Vec<Topic> = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = client.persist(|client| {
            let begin = cursor.as_ref().map_or("", |cursor| &*cursor.topic_name);
            let wanted = names.iter().filter(|name| name.as_str() >= begin);
            let topics = wanted.map(|name| TopicRequest { name: name.clone().into() }).collect();
            let cursor = cursor.clone();
            let answer = client.ask(LATEST, |_| DescribeTopicPartitionsRequest {
                topics,
                response_partition_limit: limit,
                cursor,
            })?;
            answer.topics.iter().try_for_each(|topic| ClientError::of(topic.error_code, None))?;
            Ok(answer)
        })?;
        for topic in page.topics {
            match all.last_mut().filter(|last| last.name == topic.name) {
                Some(last) => last.partitions.extend(topic.partitions),
                None => all.push(topic),
            }
        }
        // A page that does not get further would be asked for again and again.
        if page.next_cursor.is_none() || page.next_cursor == cursor {
            break;
        }
        cursor = page.next_cursor;
    }
    for topic in &mut all {
        topic.partitions.sort_by_key(|partition| partition.partition_index);
    }
    Ok(all)
}

type Settings = Vec<DescribeConfigsResourceResult>;

fn settings_of(client: &mut Client, names: &[String]) -> Result<BTreeMap<String, Settings>, ClientError> {
    client.persist(|client| {
        let resource = |name: &String| DescribeConfigsResource {
            resource_type: TOPIC,
            resource_name: name.clone().into(),
            configuration_keys: None,
        };
        let resources = names.iter().map(resource).collect();
        let answer = client.ask(LATEST, |_| DescribeConfigsRequest {
            resources,
            include_synonyms: false,
            include_documentation: false,
        })?;
        answer
            .results
            .into_iter()
            .map(|result| {
                ClientError::of(result.error_code, result.error_message.as_deref())?;
                Ok((result.resource_name.to_string(), result.configs))
            })
            .collect()
    })
}

fn live_nodes(client: &mut Client) -> Result<BTreeSet<i32>, ClientError> {
    client.persist(|client| {
        let answer = client.ask(LATEST, |_| DescribeClusterRequest::default())?;
        ClientError::of(answer.error_code, answer.error_message.as_deref())?;
        Ok(answer.brokers.iter().map(|node| node.broker_id).collect())
    })
}

fn print(
    call: &mut Call<'_>,
    topic: &Topic,
    settings: &[DescribeConfigsResourceResult],
    live: &BTreeSet<i32>,
) -> Result<(), Failure> {
    let name = topic.name.as_deref().unwrap_or_default();
    let own: Vec<_> = (settings.iter())
        .filter(|setting| setting.config_source != DEFAULT_CONFIG)
        .map(|setting| format!("{}={}", setting.name, setting.value.as_deref().unwrap_or("null")))
        .collect();
    let overrides = call.options.has("topics-with-overrides");
    let reports = REPORTS.map(|report| call.options.has(report));
    let picky = reports.contains(&true);
    if !(picky || overrides && own.is_empty()) {
        let replicas = topic.partitions.first().map_or(0, |first| first.replica_nodes.len());
        writeln!(
            call.out,
            "Topic: {name}\tTopicId: {}\tPartitionCount: {}\tReplicationFactor: {replicas}\tConfigs: {}",
            java::id(topic.topic_id),
            topic.partitions.len(),
            own.join(",")
        )?;
    }
    if overrides {
        return Ok(());
    }
    let min_isr = (settings.iter())
        .find(|setting| setting.name == "min.insync.replicas")
        .and_then(|setting| setting.value.as_deref()?.parse::<usize>().ok());
    for partition in &topic.partitions {
        let leader = Some(partition.leader_id).filter(|leader| *leader >= 0);
        let in_sync = partition.isr_nodes.len();
        let [under_replicated, unavailable, under_min_isr, at_min_isr] = reports;
        let shown = !picky
            || under_replicated && partition.replica_nodes.len() > in_sync
            || unavailable && leader.is_none_or(|leader| !live.contains(&leader))
            || under_min_isr && (leader.is_none() || min_isr.is_some_and(|min| in_sync < min))
            || at_min_isr && min_isr == Some(in_sync);
        if !shown {
            continue;
        }
        writeln!(
            call.out,
            "\tTopic: {name}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}\tElr: {}\tLastKnownElr: {}",
            partition.partition_index,
            leader.map_or_else(|| "none".to_owned(), |leader| leader.to_string()),
            nodes(&partition.replica_nodes),
            nodes(&partition.isr_nodes),
            partition.eligible_leader_replicas.as_deref().map_or_else(not_known, nodes),
            partition.last_known_elr.as_deref().map_or_else(not_known, nodes),
        )?;
    }
    Ok(())
}

fn not_known() -> String {
    "N/A".to_owned()
}

fn nodes(nodes: &[i32]) -> String {
    nodes.iter().map(i32::to_string).collect::<Vec<_>>().join(",")
}
