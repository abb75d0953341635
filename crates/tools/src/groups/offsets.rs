//! `--reset-offsets` and `--delete-offsets`.

use std::collections::{BTreeMap, BTreeSet};

use client::{Client, ClientError, Code, TopicPartition, Wanted};
use wire::StrBytes;
use wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};

use super::describe::described;
use super::{chosen, complain, is_gone};
use crate::call::{Call, Failure};

/// The last version of OffsetCommit that names topics instead of giving their ids.
const BY_NAME: i16 = 9;
const SCENARIOS: [&str; 5] = ["to-earliest", "to-latest", "to-current", "to-offset", "shift-by"];

type Plan = BTreeMap<TopicPartition, i64>;

pub(super) fn reset(call: &mut Call<'_>, client: &mut Client) -> Result<(), Failure> {
    let scenario = scenario(call)?;
    let execute = call.options.has("execute");
    if !execute && !call.options.has("dry-run") {
        writeln!(call.err, "WARN: nothing is changed without --execute")?;
    }
    let mut plans: Vec<(String, Plan)> = Vec::new();
    for group in chosen(call, client)? {
        let state = match described(client, &group) {
            Ok((found, _)) => found.group_state.to_string(),
            Err(error) if is_gone(&error) => "Dead".to_owned(),
            Err(error) => return Err(error.into()),
        };
        if !matches!(&*state, "Empty" | "Dead") {
            complain(
                call,
                &format!(
                    "Assignments can only be reset if the group '{group}' is inactive, but the current state is {state}."
                ),
            )?;
            plans.push((group, Plan::new()));
            continue;
        }
        let plan = plan(call, client, &group, scenario)?;
        if execute {
            commit(client, &group, &plan)?;
        }
        plans.push((group, plan));
    }
    let line = |group: &str, topic: &str, partition: &str, offset: &str| {
        format!("\n{group:<30} {topic:<30} {partition:<10} {offset:<15}")
    };
    if !plans.is_empty() {
        write!(call.out, "{}", line("GROUP", "TOPIC", "PARTITION", "NEW-OFFSET"))?;
    }
    for (group, plan) in &plans {
        for (partition, offset) in plan {
            let number = partition.partition.to_string();
            write!(call.out, "{}", line(group, &partition.topic, &number, &offset.to_string()))?;
        }
    }
    Ok(writeln!(call.out)?)
}

/// Which of the scenarios is wanted.
fn scenario(call: &Call<'_>) -> Result<&'static str, Failure> {
    let mut given = SCENARIOS.into_iter().filter(|scenario| call.options.has(scenario));
    if call.options.has("execute") && call.options.has("dry-run") {
        return Err(Failure::Usage(
            "Option [reset-offsets] only accepts one of [execute] and [dry-run]".to_owned(),
        ));
    }
    match (given.next(), given.next()) {
        (Some(one), None) => Ok(one),
        (Some(one), Some(other)) => {
            Err(Failure::Usage(format!("Option \"[{one}]\" can't be used with option \"[{other}]\"")))
        }
        (None, _) => Err(Failure::Usage(format!(
            "Option '[reset-offsets]' requires one of the following scenarios: {}",
            SCENARIOS.join(", ")
        ))),
    }
}

/// The offsets that a reset would commit.
fn plan(call: &Call<'_>, client: &mut Client, group: &str, scenario: &str) -> Result<Plan, Failure> {
    let committed = client.committed(group)?;
    let partitions: BTreeSet<_> = if call.options.has("all-topics") {
        committed.keys().cloned().collect()
    } else if call.options.has("topic") {
        named(call, client)?
    } else {
        return Err(Failure::Usage(
            "One of the reset scopes should be defined: --all-topics, --topic.".to_owned(),
        ));
    };
    let starts = ends(client, &partitions, Wanted::Earliest)?;
    let ends = ends(client, &partitions, Wanted::Latest)?;
    let mut plan = Plan::new();
    for partition in partitions {
        let (start, end) = (starts[&partition], ends[&partition]);
        let current = committed.get(&partition).map(|committed| committed.offset);
        let offset = match scenario {
            "to-earliest" => start,
            "to-latest" => end,
            // Without an offset the end, as in Kafka.
            "to-current" => current.unwrap_or(end),
            "to-offset" => call.options.number::<i64>("to-offset")?.unwrap_or(end).clamp(start, end),
            _ => {
                let by = call.options.number::<i64>("shift-by")?.unwrap_or(0);
                let current = current.ok_or_else(|| {
                    Failure::Usage(format!(
                        "Cannot shift offset for partition {partition} since there is no current committed offset"
                    ))
                })?;
                current.saturating_add(by).clamp(start, end)
            }
        };
        plan.insert(partition, offset);
    }
    Ok(plan)
}

fn ends(
    client: &mut Client,
    partitions: &BTreeSet<TopicPartition>,
    wanted: Wanted,
) -> Result<Plan, ClientError> {
    let asked = partitions.iter().map(|partition| (partition.clone(), wanted)).collect();
    client
        .offsets(&asked, false)?
        .into_iter()
        .map(|(partition, found)| {
            let lost = ClientError::Lost(format!("the broker tells no offset of {partition}"));
            Ok((partition, found?.ok_or(lost)?))
        })
        .collect()
}

/// The partitions of `--topic`: `topic` for all of them, `topic:0,2` for some.
fn named(call: &Call<'_>, client: &mut Client) -> Result<BTreeSet<TopicPartition>, Failure> {
    let mut partitions = BTreeSet::new();
    for text in call.options.all("topic") {
        let Some((topic, numbers)) = text.split_once(':') else {
            partitions.extend(client.persist(|client| client.leaders(&[text]))?.into_keys());
            continue;
        };
        for number in numbers.split(',') {
            let number = number.parse().map_err(|_| {
                Failure::Usage(format!("Invalid partition '{number}' specified in topic arg '{text}''"))
            })?;
            partitions.insert(TopicPartition::new(topic, number));
        }
    }
    Ok(partitions)
}

fn commit(client: &mut Client, group: &str, plan: &Plan) -> Result<(), ClientError> {
    if plan.is_empty() {
        return Ok(());
    }
    let mut topics: Vec<OffsetCommitRequestTopic> = Vec::new();
    for (partition, offset) in plan {
        let place = OffsetCommitRequestPartition {
            partition_index: partition.partition,
            committed_offset: *offset,
            committed_metadata: Some(StrBytes::default()),
            ..OffsetCommitRequestPartition::default()
        };
        match topics.last_mut().filter(|topic| topic.name == *partition.topic) {
            Some(topic) => topic.partitions.push(place),
            None => topics.push(OffsetCommitRequestTopic {
                name: partition.topic.clone().into(),
                partitions: vec![place],
                ..OffsetCommitRequestTopic::default()
            }),
        }
    }
    client.persist(|client| {
        let answer = client.ask_coordinator(group, BY_NAME, |_| OffsetCommitRequest {
            group_id: group.to_owned().into(),
            topics: topics.clone(),
            ..OffsetCommitRequest::default()
        })?;
        let mut results = answer.topics.iter().flat_map(|topic| &topic.partitions);
        results.try_for_each(|partition| ClientError::of(partition.error_code, None))
    })
}

pub(super) fn delete(call: &mut Call<'_>, client: &mut Client) -> Result<(), Failure> {
    let group = call.options.required("group")?.to_owned();
    let partitions = named(call, client)?;
    let mut topics: Vec<OffsetDeleteRequestTopic> = Vec::new();
    for partition in &partitions {
        let place = OffsetDeleteRequestPartition { partition_index: partition.partition };
        match topics.last_mut().filter(|topic| topic.name == *partition.topic) {
            Some(topic) => topic.partitions.push(place),
            None => topics.push(OffsetDeleteRequestTopic {
                name: partition.topic.clone().into(),
                partitions: vec![place],
            }),
        }
    }
    let answer = client.persist(|client| {
        let answer = client.ask_coordinator(&group, i16::MAX, |_| OffsetDeleteRequest {
            group_id: group.clone().into(),
            topics: topics.clone(),
        })?;
        match Code(answer.error_code) {
            code if code.is_retriable() => ClientError::of(answer.error_code, None).map(|()| answer),
            _ => Ok(answer),
        }
    })?;
    let whole = Code(answer.error_code);
    let mut results: BTreeMap<TopicPartition, Code> =
        partitions.into_iter().map(|partition| (partition, whole)).collect();
    for topic in &answer.topics {
        for partition in &topic.partitions {
            let at = TopicPartition::new(&topic.name, partition.partition_index);
            results.insert(at, Code(partition.error_code));
        }
    }
    if whole.is_error() {
        complain(call, whole.name())?;
    } else if results.values().any(|code| code.is_error()) {
        complain(call, "Encountered some partition-level error, see the follow-up details.")?;
    } else {
        writeln!(call.out, "Request succeeded for deleting offsets from group {group}.")?;
    }
    let width = results.keys().map(|partition| partition.topic.chars().count()).max().unwrap_or(0).max(15);
    write!(call.out, "\n{:<width$} {:<10} {:<15}", "TOPIC", "PARTITION", "STATUS")?;
    for (partition, code) in &results {
        let status = if code.is_error() { format!("Error: {code}") } else { "Successful".to_owned() };
        write!(call.out, "\n{:<width$} {:<10} {status:<15}", partition.topic, partition.partition)?;
    }
    Ok(writeln!(call.out)?)
}
