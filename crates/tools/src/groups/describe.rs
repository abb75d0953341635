//! `--describe`: offsets and lag, members, state.

use std::collections::{BTreeMap, BTreeSet};

use client::{Client, ClientError, Committed, LATEST, TopicPartition, Wanted};
use wire::consumer_protocol::{ConsumerProtocol, ConsumerProtocolAssignment};
use wire::messages::describe_groups::{DescribeGroupsRequest, DescribedGroup, DescribedGroupMember};

use super::{chosen, complain};
use crate::call::{Call, Failure};

/// What stands for a value that is not there.
const MISSING: &str = "-";

pub(super) fn describe(call: &mut Call<'_>, client: &mut Client) -> Result<(), Failure> {
    let mut groups = chosen(call, client)?;
    groups.sort_unstable();
    groups.dedup();
    // As in Kafka nothing is shown when one of them is not there.
    let described: Vec<_> = groups.iter().map(|group| described(client, group)).collect::<Result<_, _>>()?;
    for (group, node) in &described {
        if call.options.has("members") {
            members(call, group)?;
        } else if call.options.has("state") {
            state(call, group, node)?;
        } else {
            offsets(call, client, group)?;
        }
    }
    Ok(())
}

/// A group, and its coordinator as Kafka's tool shows it.
pub(super) fn described(client: &mut Client, group: &str) -> Result<(DescribedGroup, String), ClientError> {
    client.persist(|client| {
        let (node, address) = client.coordinator(group)?;
        let groups = vec![group.to_owned().into()];
        let answer = client.call(&address, LATEST, |_| DescribeGroupsRequest {
            groups,
            include_authorized_operations: false,
        })?;
        let found = answer.groups.into_iter().next();
        let found = found.ok_or_else(|| ClientError::Lost(format!("no answer for group {group}")))?;
        ClientError::of(found.error_code, found.error_message.as_deref())?;
        Ok((found, format!("{address}  ({node})")))
    })
}

/// Says what is special about the group's state, and whether there is something to show.
fn shows(call: &mut Call<'_>, group: &DescribedGroup, rows: usize) -> Result<bool, Failure> {
    let name = &group.group_id;
    match &*group.group_state {
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

/// The partitions that a member has. One whose assignment cannot be read (it is no consumer's) has none.
fn assigned(member: &DescribedGroupMember) -> BTreeSet<TopicPartition> {
    if member.member_assignment.is_empty() {
        return BTreeSet::new();
    }
    match ConsumerProtocolAssignment::decode_versioned(member.member_assignment.clone()) {
        Ok((assignment, _)) => (assignment.assigned_partitions.iter())
            .flat_map(|topic| {
                topic.partitions.iter().map(|number| TopicPartition::new(&topic.topic, *number))
            })
            .collect(),
        Err(_) => BTreeSet::new(),
    }
}

fn offsets(call: &mut Call<'_>, client: &mut Client, group: &DescribedGroup) -> Result<(), Failure> {
    let committed = client.committed(&group.group_id)?;
    let mut of_members: Vec<_> = group.members.iter().map(|member| (member, assigned(member))).collect();
    of_members.retain(|(_, partitions)| !partitions.is_empty());
    of_members.sort_by_key(|(_, partitions)| std::cmp::Reverse(partitions.len()));
    let taken: BTreeSet<_> = of_members.iter().flat_map(|(_, partitions)| partitions.clone()).collect();
    let left: BTreeSet<_> =
        committed.keys().filter(|partition| !taken.contains(partition)).cloned().collect();
    let wanted = taken.iter().chain(&left).map(|partition| (partition.clone(), Wanted::Latest)).collect();
    let ends = client.offsets(&wanted, false)?;
    let ends: BTreeMap<_, _> =
        ends.into_iter().map(|(partition, end)| Ok((partition, end?))).collect::<Result<_, ClientError>>()?;
    let mut rows = Vec::new();
    for (member, partitions) in &of_members {
        let who = [&*member.member_id, &*member.client_host, &*member.client_id];
        rows.extend(partitions.iter().map(|partition| row(group, partition, &committed, &ends, who)));
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
    group: &DescribedGroup,
    partition: &TopicPartition,
    committed: &BTreeMap<TopicPartition, Committed>,
    ends: &BTreeMap<TopicPartition, Option<i64>>,
    who: [&str; 3],
) -> [String; 10] {
    let at = committed.get(partition);
    let end = ends.get(partition).copied().flatten();
    let shown = |number: Option<i64>| number.map_or_else(|| MISSING.to_owned(), |number| number.to_string());
    [
        group.group_id.to_string(),
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

fn members(call: &mut Call<'_>, group: &DescribedGroup) -> Result<(), Failure> {
    shows(call, group, group.members.len())?;
    let verbose = call.options.has("verbose");
    let instances =
        group.members.iter().any(|member| member.group_instance_id.as_ref().is_some_and(|id| !id.is_empty()));
    let mut rows: Vec<[String; 7]> = Vec::new();
    for member in &group.members {
        let partitions = assigned(member);
        rows.push([
            group.group_id.to_string(),
            member.member_id.to_string(),
            member.group_instance_id.as_deref().unwrap_or_default().to_owned(),
            member.client_host.to_string(),
            member.client_id.to_string(),
            partitions.len().to_string(),
            if partitions.is_empty() { MISSING.to_owned() } else { by_topic(&partitions) },
        ]);
    }
    let widest = |at: usize, least: usize| {
        rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0).max(least)
    };
    let widths = [widest(0, 15), widest(1, 15), widest(2, 17), widest(3, 15), widest(4, 15), 15];
    let assignment = widest(6, 20);
    let header = ["GROUP", "CONSUMER-ID", "GROUP-INSTANCE-ID", "HOST", "CLIENT-ID", "#PARTITIONS", ""];
    writeln!(call.out)?;
    for (at, row) in std::iter::once(header.map(str::to_owned)).chain(rows).enumerate() {
        for (column, (text, width)) in row.iter().zip(widths).enumerate() {
            if column != 2 || instances {
                write!(call.out, "{text:<width$} ")?;
            }
        }
        if verbose {
            // Epochs and targets are those of KIP-848.
            let [epoch, current, target_epoch, target] = match at {
                0 => ["CURRENT-EPOCH", "CURRENT-ASSIGNMENT", "TARGET-EPOCH", "TARGET-ASSIGNMENT"],
                _ => [MISSING, &*row[6], MISSING, MISSING],
            };
            write!(call.out, "{epoch:<15} {current:<assignment$} {target_epoch:<15} {target:<20}")?;
        }
        writeln!(call.out)?;
    }
    Ok(())
}

/// `topic:0,1;other:2`.
fn by_topic(partitions: &BTreeSet<TopicPartition>) -> String {
    let mut topics: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for partition in partitions {
        topics.entry(&partition.topic).or_default().push(partition.partition.to_string());
    }
    let shown: Vec<_> =
        topics.iter().map(|(topic, numbers)| format!("{topic}:{}", numbers.join(","))).collect();
    shown.join(";")
}

fn state(call: &mut Call<'_>, group: &DescribedGroup, coordinator: &str) -> Result<(), Failure> {
    if !shows(call, group, 1)? {
        return Ok(());
    }
    let verbose = call.options.has("verbose");
    let strategy = if group.protocol_data.is_empty() { MISSING } else { &*group.protocol_data };
    let members = group.members.len().to_string();
    let header = [
        "GROUP",
        "COORDINATOR (ID)",
        "ASSIGNMENT-STRATEGY",
        "STATE",
        "GROUP-EPOCH",
        "TARGET-ASSIGNMENT-EPOCH",
        "#MEMBERS",
    ];
    let row = [&*group.group_id, coordinator, strategy, &*group.group_state, MISSING, MISSING, &*members];
    let widths = [group.group_id.chars().count().max(15), coordinator.len().max(25), 20, 20, 15, 25, 0];
    for line in [header, row] {
        let columns = line.iter().zip(widths).enumerate().filter(|(at, _)| verbose || !(4..6).contains(at));
        let line: Vec<_> = columns.map(|(_, (text, width))| format!("{text:<width$}")).collect();
        write!(call.out, "\n{}", line.join(" "))?;
    }
    Ok(writeln!(call.out)?)
}
