//! ConsumerGroupHeartbeat (key 68): joins, keeps and leaves a consumer group, whose partitions the broker gives out
//! (KIP-848). Never waits for other members.

use std::sync::Arc;

use base::{PartitionIndex, Uuid};
use coordinator::Unavailable;
use state_machines::group::{ConsumerHeartbeat, Event, Partitions, Refused, Reply};
use wire::StrBytes;
use wire::messages::consumer_group_heartbeat::{
    Assignment, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};

use super::{answered, begin, consumer_groups_are_served, host, optional_text, text};
use crate::answer::{Handled, body, ready};
use crate::broker::{Broker, Request};
use crate::code::Code;

/// From this version on a member makes its own id (KIP-1082).
const REQUIRES_MEMBER_ID: i16 = 1;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: ConsumerGroupHeartbeatRequest = body(request)?;
    if !consumer_groups_are_served(broker) {
        return ready(&refused(Code::UnsupportedVersion, None), version);
    }
    let event = Event::ConsumerHeartbeat(ConsumerHeartbeat {
        group_id: text(&asked.group_id),
        member_id: text(&asked.member_id),
        member_epoch: asked.member_epoch,
        instance_id: optional_text(asked.instance_id.as_ref()),
        rack_id: optional_text(asked.rack_id.as_ref()),
        rebalance_timeout_ms: asked.rebalance_timeout_ms,
        subscribed_topic_names: asked
            .subscribed_topic_names
            .as_ref()
            .map(|names| names.iter().map(text).collect()),
        subscribed_topic_regex: optional_text(asked.subscribed_topic_regex.as_ref()),
        server_assignor: optional_text(asked.server_assignor.as_ref()),
        topic_partitions: asked
            .topic_partitions
            .as_ref()
            .map(|topics| topics.iter().map(|topic| (topic.topic_id, indexes(&topic.partitions))).collect()),
        client_id: Arc::from(request.client_id()),
        client_host: host(request.peer),
        uuid: Uuid::new_v4(),
        requires_member_id: version >= REQUIRES_MEMBER_ID,
    });
    begin(broker, request, asked.group_id.as_str(), event, respond)
}

fn respond(reply: Result<Reply, Unavailable>) -> ConsumerGroupHeartbeatResponse {
    match reply {
        Ok(Reply::ConsumerHeartbeat(Ok(answer))) => ConsumerGroupHeartbeatResponse {
            error_code: Code::None.into(),
            member_id: Some(answered(&answer.member_id)),
            member_epoch: answer.member_epoch,
            heartbeat_interval_ms: answer.heartbeat_interval_ms,
            assignment: answer.assignment.as_ref().map(assignment),
            ..ConsumerGroupHeartbeatResponse::default()
        },
        Ok(Reply::ConsumerHeartbeat(Err(Refused { error, message }))) => {
            refused((&error).into(), Some(message))
        }
        Ok(_) => refused(Code::UnknownServerError, None),
        Err(why) => refused(why.into(), Some(why.to_string())),
    }
}

fn refused(code: Code, message: Option<String>) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse {
        error_code: code.into(),
        error_message: message.map(StrBytes::from),
        ..ConsumerGroupHeartbeatResponse::default()
    }
}

fn assignment(partitions: &Partitions) -> Assignment {
    let topics = partitions.iter().map(|(&topic_id, partitions)| TopicPartitions {
        topic_id,
        partitions: partitions.iter().map(|partition| partition.0).collect(),
    });
    Assignment { topic_partitions: topics.collect() }
}

fn indexes(partitions: &[i32]) -> Vec<PartitionIndex> {
    partitions.iter().copied().map(PartitionIndex).collect()
}
