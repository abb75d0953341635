//! ConsumerGroupDescribe (key 69): consumer groups with their members, what each has, and what each is to have (KIP-848).

use std::sync::Arc;

use coordinator::Unavailable;
use state_machines::group::{AssignedTopic, DescribedConsumerGroup, DescribedConsumerMember, GroupKind};
use wire::StrBytes;
use wire::messages::consumer_group_describe::{
    Assignment, ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribedGroup, Member,
    TopicPartitions,
};

use super::repeats::{GROUPS, Repeats};
use super::{all, answered, check_count, consumer_groups_are_served};
use crate::answer::{Handled, body, outcome, ready};
use crate::broker::{Broker, Pending, Request};
use crate::code::Code;
use crate::operations;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: ConsumerGroupDescribeRequest = body(request)?;
    check_count(request, asked.group_ids.len())?;
    let names: Vec<StrBytes> =
        asked.group_ids.iter().map(|group| StrBytes::from(group.as_str().to_owned())).collect();
    if !consumer_groups_are_served(broker) {
        let groups = names.into_iter().map(|name| refused(name, Code::UnsupportedVersion, None)).collect();
        return ready(
            &ConsumerGroupDescribeResponse { groups, ..ConsumerGroupDescribeResponse::default() },
            version,
        );
    }
    let mut repeats = Repeats::default();
    let is_answered: Vec<bool> = names.iter().map(|name| repeats.allow(name.as_str(), GROUPS)).collect();
    let looks = names.iter().zip(&is_answered).filter(|(_, is_answered)| **is_answered).map(|(name, _)| {
        let group = name.clone();
        broker.coordinator.look(name.as_str(), move |groups| groups.describe_consumer(group.as_str()))
    });
    let looks = looks.collect();
    let operations =
        if asked.include_authorized_operations { operations::ON_GROUP } else { operations::NOT_ASKED };
    Ok(Pending::Later(Box::pin(async move {
        let mut seen = all(looks).await.into_iter();
        let groups = names.into_iter().zip(is_answered).map(|(name, is_answered)| {
            match is_answered.then(|| seen.next()).flatten() {
                Some(seen) => answer(name, seen, operations),
                None => refused(name, Code::InvalidRequest, None),
            }
        });
        let groups = groups.collect();
        let response = ConsumerGroupDescribeResponse { groups, ..ConsumerGroupDescribeResponse::default() };
        outcome(&response, version)
    })))
}

fn answer(
    name: StrBytes,
    seen: Result<Option<DescribedConsumerGroup>, Unavailable>,
    operations: i32,
) -> DescribedGroup {
    match seen {
        _ if name.is_empty() => refused(name, Code::InvalidGroupId, None),
        Ok(Some(group)) => DescribedGroup { authorized_operations: operations, ..described(name, &group) },
        Ok(None) => {
            let why = format!("there is no consumer group {}", name.as_str());
            refused(name, Code::GroupIdNotFound, Some(why))
        }
        Err(why) => refused(name, why.into(), None),
    }
}

fn described(group_id: StrBytes, group: &DescribedConsumerGroup) -> DescribedGroup {
    DescribedGroup {
        error_code: Code::None.into(),
        group_id,
        group_state: StrBytes::from_static(group.state.name()),
        group_epoch: group.group_epoch,
        assignment_epoch: group.assignment_epoch,
        assignor_name: answered(&group.assignor_name),
        members: group.members.iter().map(member).collect(),
        ..DescribedGroup::default()
    }
}

fn member(member: &DescribedConsumerMember) -> Member {
    Member {
        member_id: answered(&member.member_id),
        instance_id: member.instance_id.as_ref().map(answered),
        rack_id: member.rack_id.as_ref().map(answered),
        member_epoch: member.member_epoch,
        client_id: answered(&member.client_id),
        client_host: answered(&member.client_host),
        subscribed_topic_names: member.subscribed_topic_names.iter().map(answered).collect(),
        subscribed_topic_regex: member.subscribed_topic_regex.as_ref().map(answered),
        assignment: assignment(&member.assignment),
        target_assignment: assignment(&member.target_assignment),
        member_type: match member.kind {
            GroupKind::Classic => 0,
            GroupKind::Consumer => 1,
        },
    }
}

fn assignment(topics: &[AssignedTopic]) -> Assignment {
    let topics = topics.iter().map(|topic| TopicPartitions {
        topic_id: topic.topic_id,
        topic_name: answered(&topic.topic_name),
        partitions: topic.partitions.iter().map(|partition| partition.0).collect(),
    });
    Assignment { topic_partitions: topics.collect() }
}

fn refused(group_id: StrBytes, code: Code, message: Option<String>) -> DescribedGroup {
    DescribedGroup {
        error_code: code.into(),
        error_message: message.map(StrBytes::from),
        group_id,
        ..DescribedGroup::default()
    }
}
