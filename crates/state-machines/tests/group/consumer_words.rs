//! What consumer groups store and answer, in words. A topic's id is made of its name, so that it can be told by it.

use base::{PartitionIndex, Uuid};
use state_machines::group::{
    AssignedTopic, ConsumerHeartbeatAnswer, ConsumerMemberMetadata, CurrentAssignment,
    DescribedConsumerGroup, Partitions, Record, Refused,
};

use crate::words::id;

/// The id of the `time`th topic of that name, from 1.
pub(crate) fn topic_id(name: &str, time: u8) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes[15] = time;
    Uuid::from_bytes(bytes)
}

/// `t`, or `t'2` for the second topic of that name.
fn topic(id: Uuid) -> String {
    let bytes = id.as_bytes();
    let name: String =
        bytes[..15].iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
    if bytes[15] == 1 { name } else { format!("{name}'{}", bytes[15]) }
}

/// `t:0,1 u:0`
pub(crate) fn partitions(partitions: &Partitions) -> String {
    let one = |(id, indexes): (&Uuid, &std::collections::BTreeSet<PartitionIndex>)| {
        let indexes: Vec<_> = indexes.iter().map(ToString::to_string).collect();
        format!("{}:{}", topic(*id), indexes.join(","))
    };
    if partitions.is_empty() {
        return "nothing".to_owned();
    }
    partitions.iter().map(one).collect::<Vec<_>>().join(" ")
}

pub(crate) fn heartbeat(reply: &Result<ConsumerHeartbeatAnswer, Refused>) -> String {
    match reply {
        Ok(answer) => {
            let share = answer.assignment.as_ref().map(|share| format!(": {}", partitions(share)));
            let interval = match answer.heartbeat_interval_ms {
                5_000 => String::new(),
                0 if answer.member_epoch < 0 => String::new(),
                other => format!(", every {other} ms"),
            };
            let share = share.unwrap_or_default();
            format!("epoch {} as {}{interval}{share}", answer.member_epoch, id(&answer.member_id))
        }
        Err(refused) => format!("{:?}: {}", refused.error, refused.message),
    }
}

fn member(value: &ConsumerMemberMetadata) -> String {
    let mut told = format!("wants [{}]", value.subscribed_topic_names.join(" "));
    let mut add = |what: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            told.push_str(&format!(", {what} {value}"));
        }
    };
    add("regex", value.subscribed_topic_regex.as_deref());
    add("assignor", value.server_assignor.as_deref());
    add("rack", value.rack_id.as_deref());
    add("instance", value.instance_id.as_deref());
    if let Some(classic) = &value.classic {
        let names: Vec<_> = classic.supported_protocols.iter().map(|protocol| &*protocol.name).collect();
        add("classic", Some(&names.join(" ")));
    }
    told
}

fn current(value: &CurrentAssignment) -> String {
    let state = match value.state {
        0 => "stable",
        1 => "to revoke",
        2 => "waiting",
        _ => "unknown",
    };
    let mut told = format!(
        "epoch {} after {}, {state}, has {}",
        value.member_epoch,
        value.previous_member_epoch,
        partitions(&value.assigned)
    );
    if !value.pending_revocation.is_empty() {
        told.push_str(&format!(", gives up {}", partitions(&value.pending_revocation)));
    }
    told
}

pub(crate) fn describe(group: &DescribedConsumerGroup) -> Vec<String> {
    let share = |topics: &[AssignedTopic]| {
        let topic = |topic: &AssignedTopic| {
            let indexes: Vec<_> = topic.partitions.iter().map(ToString::to_string).collect();
            format!("{}:{}", topic.topic_name, indexes.join(","))
        };
        let topics: Vec<_> = topics.iter().map(topic).collect();
        if topics.is_empty() { "nothing".to_owned() } else { topics.join(" ") }
    };
    let mut lines = vec![format!(
        "{}, group epoch {}, assignment epoch {}, {}",
        group.state.name(),
        group.group_epoch,
        group.assignment_epoch,
        group.assignor_name
    )];
    for member in &group.members {
        let instance = member.instance_id.as_ref().map(|id| format!("({id})")).unwrap_or_default();
        lines.push(format!(
            "  {}{instance} {} epoch {} has {}, is to have {}",
            id(&member.member_id),
            member.kind.name(),
            member.member_epoch,
            share(&member.assignment),
            share(&member.target_assignment)
        ));
    }
    lines
}

/// A record of a consumer group; none for others.
pub(crate) fn record(record: &Record) -> Option<String> {
    let (group, told) = match record {
        Record::OffsetCommit { .. } | Record::GroupMetadata { .. } => return None,
        Record::ConsumerGroupMetadata { group, value } => (
            group,
            value.map_or("consumer group gone".to_owned(), |value| format!("group epoch {}", value.epoch)),
        ),
        Record::ConsumerGroupPartitionMetadata { group, exists } => {
            (group, format!("partition metadata {}", if *exists { "there" } else { "gone" }))
        }
        Record::ConsumerGroupMemberMetadata { group, member: of, value } => {
            (group, format!("{} {}", id(of), value.as_ref().map_or("gone".to_owned(), member)))
        }
        Record::ConsumerGroupTargetAssignmentMetadata { group, value } => {
            (group, value.map_or("target gone".to_owned(), |epoch| format!("target epoch {epoch}")))
        }
        Record::ConsumerGroupTargetAssignmentMember { group, member, value } => {
            (group, format!("{} target {}", id(member), value.as_ref().map_or("gone".to_owned(), partitions)))
        }
        Record::ConsumerGroupCurrentMemberAssignment { group, member, value } => {
            (group, format!("{} {}", id(member), value.as_ref().map_or("current gone".to_owned(), current)))
        }
        Record::ConsumerGroupRegularExpression { group, regex, value } => {
            let topics = value.as_ref().map(|value| {
                let topics: Vec<_> = value.topics.iter().map(|topic| &**topic).collect();
                format!("is [{}]", topics.join(" "))
            });
            (group, format!("regex {regex} {}", topics.unwrap_or_else(|| "gone".to_owned())))
        }
    };
    Some(format!("log: {group} {told}"))
}
