//! SyncGroup (key 14): the leader hands in who gets what, and every member fetches its part.

use std::sync::Arc;

use state_machines::group::{Assignment, Event, Reply, Sync};
use wire::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};

use super::{answered, answered_bytes, begin, optional_text, text};
use crate::answer::{Handled, body, ready};
use crate::broker::{Broker, Request};
use crate::code::Code;

/// From this version on a member names the protocol that it believes was chosen (KIP-559).
const NAMES_PROTOCOL: i16 = 5;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: SyncGroupRequest = body(request)?;
    if version >= NAMES_PROTOCOL && (asked.protocol_type.is_none() || asked.protocol_name.is_none()) {
        // Kafka: `SyncGroupRequest.areMandatoryProtocolTypeAndNamePresent`.
        return ready(&refused(Code::InconsistentGroupProtocol), version);
    }
    let assignments = asked.assignments.iter();
    let event = Event::Sync(Sync {
        group_id: text(&asked.group_id),
        member_id: text(&asked.member_id),
        instance_id: optional_text(asked.group_instance_id.as_ref()),
        generation: asked.generation_id,
        protocol_type: optional_text(asked.protocol_type.as_ref()),
        protocol: optional_text(asked.protocol_name.as_ref()),
        assignments: assignments
            .map(|one| Assignment {
                member_id: text(&one.member_id),
                assignment: Arc::from(&one.assignment[..]),
            })
            .collect(),
    });
    begin(broker, request, asked.group_id.as_str(), event, |reply| match reply {
        Ok(Reply::Sync(Ok(synced))) => SyncGroupResponse {
            error_code: Code::None.into(),
            protocol_type: synced.protocol_type.as_ref().map(answered),
            protocol_name: synced.protocol.as_ref().map(answered),
            assignment: answered_bytes(&synced.assignment),
            ..SyncGroupResponse::default()
        },
        Ok(Reply::Sync(Err(error))) => refused((&error).into()),
        Ok(_) => refused(Code::UnknownServerError),
        Err(why) => refused(why.into()),
    })
}

fn refused(code: Code) -> SyncGroupResponse {
    SyncGroupResponse { error_code: code.into(), ..SyncGroupResponse::default() }
}
