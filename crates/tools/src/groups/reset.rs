//! `--reset-offsets`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use client::{Client, ClientError, TopicPartition, Wanted};

use super::{chosen, complain, is_gone, plan_file};
use crate::call::{Call, Failure};
use crate::moment;

const SCENARIOS: [&str; 8] = [
    "to-offset",
    "shift-by",
    "to-datetime",
    "by-duration",
    "to-earliest",
    "to-latest",
    "to-current",
    "from-file",
];

/// The offsets that a reset would commit.
pub(super) type Plan = BTreeMap<TopicPartition, i64>;

pub(super) fn reset(call: &mut Call<'_>, client: &mut Client) -> Result<(), Failure> {
    let scenario = scenario(call)?;
    let execute = call.options.has("execute");
    if !execute && !call.options.has("dry-run") {
        writeln!(call.err, "WARN: nothing is changed without --execute")?;
    }
    let mut plans: Vec<(String, Plan)> = Vec::new();
    for group in chosen(call, client)? {
        let state = match client.describe_group(&group) {
            Ok(found) => found.state,
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
        if execute && !plan.is_empty() {
            client.commit(&group, &plan)?;
        }
        plans.push((group, plan));
    }
    if call.options.has("export") {
        let one_group = call.options.all("group").count() == 1;
        return Ok(writeln!(call.out, "{}", plan_file::written(&plans, !one_group))?);
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

/// What a group's offsets would be.
fn plan(call: &mut Call<'_>, client: &mut Client, group: &str, scenario: &str) -> Result<Plan, Failure> {
    let options = &call.options;
    let number = |flag: &str| Ok::<_, Failure>(options.number::<i64>(flag)?.unwrap_or(0));
    let committed: Plan =
        client.committed(group)?.into_iter().map(|(partition, at)| (partition, at.offset)).collect();
    let partitions: BTreeSet<_> = if options.has("all-topics") {
        committed.keys().cloned().collect()
    } else if options.has("topic") {
        named(call, client)?
    } else if scenario == "from-file" {
        BTreeSet::new()
    } else {
        return Err(Failure::Usage(
            "One of the reset scopes should be defined: --all-topics, --topic.".to_owned(),
        ));
    };
    let to = |offset: i64| partitions.iter().map(|partition| (partition.clone(), offset)).collect::<Plan>();
    match scenario {
        "to-earliest" => Ok(look_up(client, &partitions, Wanted::Earliest)?),
        "to-latest" => Ok(look_up(client, &partitions, Wanted::Latest)?),
        "to-offset" => Ok(within(client, to(number(scenario)?))?),
        "to-current" => {
            let (there, missing): (BTreeSet<_>, _) =
                partitions.into_iter().partition(|partition| committed.contains_key(partition));
            // Without an offset the end, as in Kafka.
            let mut plan = look_up(client, &missing, Wanted::Latest)?;
            plan.extend(committed.into_iter().filter(|(partition, _)| there.contains(partition)));
            Ok(plan)
        }
        "shift-by" => {
            let by = number(scenario)?;
            if let Some(partition) = partitions.iter().find(|partition| !committed.contains_key(partition)) {
                return Err(Failure::Usage(format!(
                    "Cannot shift offset for partition {partition} since there is no current committed offset"
                )));
            }
            let shifted = committed.into_iter().filter(|(partition, _)| partitions.contains(partition));
            Ok(within(client, shifted.map(|(partition, at)| (partition, at.saturating_add(by))).collect())?)
        }
        "from-file" => {
            let one = options.value("group").ok().flatten();
            match plan_file::read(options.required(scenario)?, one)?.remove(group) {
                Some(plan) => Ok(within(client, plan)?),
                None => {
                    complain(call, &format!("No reset plan for group {group} found"))?;
                    Ok(Plan::new())
                }
            }
        }
        _ => {
            let text = options.required(scenario)?;
            let time = if scenario == "to-datetime" {
                moment::datetime(text)
            } else {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
                moment::duration(text).map(|span| i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(span))
            };
            at_time(call, client, &partitions, time.map_err(Failure::Told)?)
        }
    }
}

/// The first offsets of a time; where there is none, the ends.
fn at_time(
    call: &mut Call<'_>,
    client: &mut Client,
    partitions: &BTreeSet<TopicPartition>,
    time: i64,
) -> Result<Plan, Failure> {
    let asked = partitions.iter().map(|partition| (partition.clone(), Wanted::At(time))).collect();
    let (mut plan, mut empty) = (Plan::new(), BTreeSet::new());
    for (partition, found) in client.offsets(&asked, false)? {
        match found? {
            Some(offset) => {
                plan.insert(partition, offset);
            }
            None => {
                writeln!(
                    call.out,
                    "\nWarn: Partition {} from topic {} is empty. Falling back to latest known offset.",
                    partition.partition, partition.topic
                )?;
                empty.insert(partition);
            }
        }
    }
    plan.extend(look_up(client, &empty, Wanted::Latest)?);
    Ok(plan)
}

/// Each offset, but not before the start and not behind the end.
fn within(client: &mut Client, plan: Plan) -> Result<Plan, ClientError> {
    let partitions = plan.keys().cloned().collect();
    let starts = look_up(client, &partitions, Wanted::Earliest)?;
    let ends = look_up(client, &partitions, Wanted::Latest)?;
    let clamped = plan.into_iter().map(|(partition, offset)| {
        let clamped = offset.max(starts[&partition]).min(ends[&partition]);
        (partition, clamped)
    });
    Ok(clamped.collect())
}

fn look_up(
    client: &mut Client,
    partitions: &BTreeSet<TopicPartition>,
    wanted: Wanted,
) -> Result<Plan, ClientError> {
    if partitions.is_empty() {
        return Ok(Plan::new());
    }
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

/// The partitions of all `--topic`.
fn named(call: &Call<'_>, client: &mut Client) -> Result<BTreeSet<TopicPartition>, Failure> {
    let mut partitions = BTreeSet::new();
    for text in call.options.all("topic") {
        partitions.extend(partitions_of(client, text)?);
    }
    Ok(partitions)
}

/// The partitions of a `--topic`: `topic` for all of them, `topic:0,2` for some.
pub(super) fn partitions_of(client: &mut Client, text: &str) -> Result<Vec<TopicPartition>, Failure> {
    let Some((topic, numbers)) = text.split_once(':') else {
        return Ok(client.persist(|client| client.leaders(&[text]))?.into_keys().collect());
    };
    let partition = |number: &str| {
        let number = number.parse().map_err(|_| {
            Failure::Usage(format!("Invalid partition '{number}' specified in topic arg '{text}''"))
        })?;
        Ok(TopicPartition::new(topic, number))
    };
    numbers.split(',').map(partition).collect()
}
