//! LeaveGroup (key 13): members leave a classic group; from version 3 on several at a time (KIP-345).

use std::sync::Arc;

use state_machines::group::{Event, Leave, Leaving, LeftMember, Reply};
use wire::messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberResponse};

use super::{answered, begin, code, optional_text, text};
use crate::answer::{Handled, body};
use crate::broker::{Broker, Request};
use crate::code::Code;

/// From this version on a request names a list of members, and each has its own result.
const NAMES_MEMBERS: i16 = 3;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: LeaveGroupRequest = body(request)?;
    let members = if version < NAMES_MEMBERS {
        vec![Leaving { member_id: text(&asked.member_id), instance_id: None }]
    } else {
        let members = asked.members.iter();
        members
            .map(|member| Leaving {
                member_id: text(&member.member_id),
                instance_id: optional_text(member.group_instance_id.as_ref()),
            })
            .collect()
    };
    let event = Event::Leave(Leave { group_id: text(&asked.group_id), members });
    begin(broker, request, asked.group_id.as_str(), event, move |reply| match reply {
        Ok(Reply::Leave(Ok(left))) if version < NAMES_MEMBERS => {
            refused(left.first().map_or(Code::UnknownMemberId, |member| code(&member.result)))
        }
        Ok(Reply::Leave(Ok(left))) => LeaveGroupResponse {
            error_code: Code::None.into(),
            members: left.iter().map(member).collect(),
            ..LeaveGroupResponse::default()
        },
        Ok(Reply::Leave(Err(error))) => refused((&error).into()),
        Ok(_) => refused(Code::UnknownServerError),
        Err(why) => refused(why.into()),
    })
}

fn member(left: &LeftMember) -> MemberResponse {
    MemberResponse {
        member_id: answered(&left.member_id),
        group_instance_id: left.instance_id.as_ref().map(answered),
        error_code: code(&left.result).into(),
    }
}

fn refused(code: Code) -> LeaveGroupResponse {
    LeaveGroupResponse { error_code: code.into(), ..LeaveGroupResponse::default() }
}
