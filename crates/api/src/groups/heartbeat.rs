//! Heartbeat (key 12): a member of a classic group says that it lives.

use std::sync::Arc;

use coordinator::Unavailable;
use state_machines::group::{Event, Heartbeat, Reply};
use wire::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};

use super::{begin, code, optional_text, text};
use crate::answer::{Handled, body};
use crate::broker::{Broker, Request};
use crate::code::Code;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let asked: HeartbeatRequest = body(request)?;
    let event = Event::Heartbeat(Heartbeat {
        group_id: text(&asked.group_id),
        member_id: text(&asked.member_id),
        instance_id: optional_text(asked.group_instance_id.as_ref()),
        generation: asked.generation_id,
    });
    begin(broker, request, asked.group_id.as_str(), event, |reply| HeartbeatResponse {
        error_code: match reply {
            Ok(Reply::Heartbeat(result)) => code(&result),
            Ok(_) => Code::UnknownServerError,
            // A group that is being read from its log has not lost the member (`GroupCoordinatorService.heartbeat`).
            Err(Unavailable::Loading) => Code::None,
            Err(why) => why.into(),
        }
        .into(),
        ..HeartbeatResponse::default()
    })
}
