//! JoinGroup (key 11): enters a classic group, or its next generation. Answered when the rebalance has its members.

use std::sync::Arc;

use base::Uuid;
use coordinator::Unavailable;
use state_machines::group::{Event, Join, JoinRefused, Joined, Protocol, Reply};
use wire::StrBytes;
use wire::messages::join_group::{JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember};

use super::{answered, answered_bytes, begin, host, optional_text, text};
use crate::answer::{Handled, body};
use crate::broker::{Broker, Request};
use crate::code::Code;

/// From this version on a new member is told its id first (KIP-394).
const REQUIRES_MEMBER_ID: i16 = 4;
/// From this version on the protocol's name may be null.
const NULLABLE_PROTOCOL: i16 = 7;
/// From this version on a leader can be told to leave the assignment as it is (KIP-814).
const SKIPS_ASSIGNMENT: i16 = 9;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: JoinGroupRequest = body(request)?;
    let protocols = asked.protocols.iter();
    let event = Event::Join(Join {
        group_id: text(&asked.group_id),
        member_id: text(&asked.member_id),
        instance_id: optional_text(asked.group_instance_id.as_ref()),
        client_id: Arc::from(request.client_id()),
        client_host: host(request.peer),
        session_timeout_ms: asked.session_timeout_ms,
        rebalance_timeout_ms: if version == 0 {
            asked.session_timeout_ms
        } else {
            asked.rebalance_timeout_ms
        },
        protocol_type: text(&asked.protocol_type),
        protocols: protocols
            .map(|protocol| Protocol {
                name: text(&protocol.name),
                metadata: Arc::from(&protocol.metadata[..]),
            })
            .collect(),
        uuid: Uuid::new_v4(),
        requires_member_id: version >= REQUIRES_MEMBER_ID,
        skips_assignment: version >= SKIPS_ASSIGNMENT,
    });
    let member_id = StrBytes::from(asked.member_id.as_str().to_owned());
    if let Some(reason) = &asked.reason {
        let (group, member) = (asked.group_id.as_str(), asked.member_id.as_str());
        tracing::debug!(group, member, reason = reason.as_str(), "a member joins");
    }
    begin(broker, request, asked.group_id.as_str(), event, move |reply| respond(reply, member_id, version))
}

fn respond(reply: Result<Reply, Unavailable>, member_id: StrBytes, version: i16) -> JoinGroupResponse {
    match reply {
        Ok(Reply::Join(Ok(joined))) => welcome(&joined, version),
        Ok(Reply::Join(Err(JoinRefused { member_id, error }))) => {
            refused(answered(&member_id), (&error).into(), version)
        }
        Ok(_) => refused(member_id, Code::UnknownServerError, version),
        Err(why) => refused(member_id, why.into(), version),
    }
}

fn welcome(joined: &Joined, version: i16) -> JoinGroupResponse {
    let members = joined.members.iter();
    JoinGroupResponse {
        error_code: Code::None.into(),
        generation_id: joined.generation,
        protocol_type: joined.protocol_type.as_ref().map(answered),
        protocol_name: protocol_name(joined.protocol.as_ref().map(answered), version),
        leader: answered(&joined.leader),
        skip_assignment: joined.skip_assignment && version >= SKIPS_ASSIGNMENT,
        member_id: answered(&joined.member_id),
        members: members
            .map(|member| JoinGroupResponseMember {
                member_id: answered(&member.member_id),
                group_instance_id: member.instance_id.as_ref().map(answered),
                metadata: answered_bytes(&member.metadata),
            })
            .collect(),
        ..JoinGroupResponse::default()
    }
}

fn refused(member_id: StrBytes, code: Code, version: i16) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: code.into(),
        generation_id: -1,
        protocol_name: protocol_name(None, version),
        member_id,
        ..JoinGroupResponse::default()
    }
}

fn protocol_name(name: Option<StrBytes>, version: i16) -> Option<StrBytes> {
    if version < NULLABLE_PROTOCOL { Some(name.unwrap_or_default()) } else { name }
}
