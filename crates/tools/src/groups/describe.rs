//! `--describe`: offsets and lag, members, state.

use std::collections::{BTreeMap, BTreeSet};

use client::{Client, ClientError, Committed, GroupDescription, MemberDescription, TopicPartition, Wanted};

use super::{MISSING, chosen, complain};
use crate::call::{Call, Failure};

pub(super) fn describe(call: &mut Call<'_>, client: &mut Client) -> Result<(), Failure> {
    let mut groups = chosen(call, client)?;
    groups.sort_unstable();
    groups.dedup();
    // As in Kafka nothing is shown when one of them is not there.
    let described: Vec<_> =
        groups.iter().map(|group| client.describe_group(group)).collect::<Result<_, _>>()?;
    for group in &described {
        if call.options.has("members") {
            members(call, group)?;
        } else if call.options.has("state") {
            state(call, group)?;
        } else {
            offsets(call, client, group)?;
        }
    }
    Ok(())
}

/// Says what is special about the group's state, and whether there is something to show.
fn shows(call: &mut Call<'_>, group: &GroupDescription, rows: usize) -> Result<bool, Failure> {
    let name = &group.group;
    match &*group.state {
        "Dead" => {
            complain(call, &format!("Consumer group '{name}' does not exist."))?;
            return Ok(false);
        }
        "Empty" => writeln!(call.err, "\nConsumer group '{name}' has no active members.")?,
        "PreparingRebalance" | "CompletingRebalance" | "Assigning" | "Reconciling" => {
            writeln!(call.err, "\nWarning: Consumer group '{name}' is rebalancing.")?;
        }
        _ => {}
    }
    Ok(rows > 0)
}

fn offsets(call: &mut Call<'_>, client: &mut Client, group: &GroupDescription) -> Result<(), Failure> {
    let committed = client.committed(&group.group)?;
    let mut of_members: Vec<&MemberDescription> = group.members.iter().collect();
    of_members.sort_by_key(|member| std::cmp::Reverse(member.assigned.len()));
    let taken: BTreeSet<_> = of_members.iter().flat_map(|member| member.assigned.clone()).collect();
    let left: BTreeSet<_> =
        committed.keys().filter(|partition| !taken.contains(partition)).cloned().collect();
    let wanted = taken.iter().chain(&left).map(|partition| (partition.clone(), Wanted::Latest)).collect();
    let ends = client.offsets(&wanted, false)?;
    let ends: BTreeMap<_, _> =
        ends.into_iter().map(|(partition, end)| Ok((partition, end?))).collect::<Result<_, ClientError>>()?;
    let mut rows = Vec::new();
    for member in &of_members {
        let who = [&*member.id, &*member.host, &*member.client];
        rows.extend(member.assigned.iter().map(|partition| row(group, partition, &committed, &ends, who)));
    }
    rows.extend(left.iter().map(|partition| row(group, partition, &committed, &ends, [MISSING; 3])));
    if !shows(call, group, rows.len())? {
        return Ok(());
    }
    let verbose = call.options.has("verbose");
    let header = [
        "GROUP",
        "TOPIC",
        "PARTITION",
        "LEADER-EPOCH",
        "CURRENT-OFFSET",
        "LOG-END-OFFSET",
        "LAG",
        "CONSUMER-ID",
        "HOST",
        "CLIENT-ID",
    ];
    let widest = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0).max(15);
    let widths = [widest(0), widest(1), 10, 15, 15, 15, 15, widest(7), widest(8), 0];
    for row in std::iter::once(header.map(str::to_owned)).chain(rows) {
        let columns = row.iter().zip(widths).enumerate().filter(|(at, _)| verbose || *at != 3);
        let line: Vec<_> = columns.map(|(_, (text, width))| format!("{text:<width$}")).collect();
        write!(call.out, "\n{}", line.join(" "))?;
    }
    Ok(writeln!(call.out)?)
}

/// A line of `--offsets`; `who` is the member, its host and its client.
fn row(
    group: &GroupDescription,
    partition: &TopicPartition,
    committed: &BTreeMap<TopicPartition, Committed>,
    ends: &BTreeMap<TopicPartition, Option<i64>>,
    who: [&str; 3],
) -> [String; 10] {
    let at = committed.get(partition);
    let end = ends.get(partition).copied().flatten();
    [
        group.group.clone(),
        partition.topic.clone(),
        partition.partition.to_string(),
        shown(at.and_then(|at| at.leader_epoch).map(i64::from)),
        shown(at.map(|at| at.offset)),
        shown(end),
        shown(at.zip(end).map(|(at, end)| end - at.offset)),
        who[0].to_owned(),
        who[1].to_owned(),
        who[2].to_owned(),
    ]
}

fn members(call: &mut Call<'_>, group: &GroupDescription) -> Result<(), Failure> {
    shows(call, group, group.members.len())?;
    let verbose = call.options.has("verbose");
    let rows: Vec<[String; 11]> = (group.members.iter())
        .map(|member| {
            let target = member.target.as_ref();
            [
                group.group.clone(),
                member.id.clone(),
                member.instance.clone().unwrap_or_default(),
                member.host.clone(),
                member.client.clone(),
                member.assigned.len().to_string(),
                shown(target.map(|(_, epoch)| *epoch)),
                by_topic(&member.assigned),
                shown(group.epochs.map(|(_, assignment)| assignment)),
                target.map_or_else(|| MISSING.to_owned(), |(partitions, _)| by_topic(partitions)),
                shown(member.upgraded),
            ]
        })
        .collect();
    let widest = |at: usize, least: usize| {
        rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0).max(least)
    };
    let widths = [
        widest(0, 15),
        widest(1, 15),
        widest(2, 17),
        widest(3, 15),
        widest(4, 15),
        15,
        15,
        widest(7, 20),
        15,
        widest(9, 20),
        0,
    ];
    let header = [
        "GROUP",
        "CONSUMER-ID",
        "GROUP-INSTANCE-ID",
        "HOST",
        "CLIENT-ID",
        "#PARTITIONS",
        "CURRENT-EPOCH",
        "CURRENT-ASSIGNMENT",
        "TARGET-EPOCH",
        "TARGET-ASSIGNMENT",
        "UPGRADED",
    ];
    let instances = rows.iter().any(|row| !row[2].is_empty());
    // A group on its way from one protocol to the other.
    let has = |upgraded| group.members.iter().any(|member| member.upgraded == Some(upgraded));
    let migrates = has(true) && has(false);
    let is_shown = |column: &usize| match column {
        2 => instances,
        6..=9 => verbose,
        10 => verbose && migrates,
        _ => true,
    };
    writeln!(call.out)?;
    for row in std::iter::once(header.map(str::to_owned)).chain(rows) {
        for column in (0..row.len()).filter(is_shown) {
            let (text, width) = (&row[column], widths[column]);
            // Nothing stands behind what comes last.
            let end = if column >= 9 && !(column == 9 && migrates) { "" } else { " " };
            write!(call.out, "{text:<width$}{end}")?;
        }
        writeln!(call.out)?;
    }
    Ok(())
}

fn shown<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| MISSING.to_owned(), |value| value.to_string())
}

/// `topic:0,1;other:2`.
fn by_topic(partitions: &BTreeSet<TopicPartition>) -> String {
    if partitions.is_empty() {
        return MISSING.to_owned();
    }
    let mut topics: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for partition in partitions {
        topics.entry(&partition.topic).or_default().push(partition.partition.to_string());
    }
    let shown: Vec<_> =
        topics.iter().map(|(topic, numbers)| format!("{topic}:{}", numbers.join(","))).collect();
    shown.join(";")
}

fn state(call: &mut Call<'_>, group: &GroupDescription) -> Result<(), Failure> {
    if !shows(call, group, 1)? {
        return Ok(());
    }
    let verbose = call.options.has("verbose");
    let (node, address) = &group.coordinator;
    let coordinator = format!("{address}  ({node})");
    let strategy = if group.assignor.is_empty() { MISSING } else { &*group.assignor };
    let header = [
        "GROUP",
        "COORDINATOR (ID)",
        "ASSIGNMENT-STRATEGY",
        "STATE",
        "GROUP-EPOCH",
        "TARGET-ASSIGNMENT-EPOCH",
        "#MEMBERS",
    ];
    let widths = [group.group.chars().count().max(15), coordinator.len().max(25), 20, 20, 15, 25, 0];
    let row = [
        group.group.clone(),
        coordinator,
        strategy.to_owned(),
        group.state.clone(),
        shown(group.epochs.map(|(epoch, _)| epoch)),
        shown(group.epochs.map(|(_, assignment)| assignment)),
        group.members.len().to_string(),
    ];
    for line in [header.map(str::to_owned), row] {
        let columns = line.iter().zip(widths).enumerate().filter(|(at, _)| verbose || !(4..6).contains(at));
        let line: Vec<_> = columns.map(|(_, (text, width))| format!("{text:<width$}")).collect();
        write!(call.out, "\n{}", line.join(" "))?;
    }
    Ok(writeln!(call.out)?)
}
