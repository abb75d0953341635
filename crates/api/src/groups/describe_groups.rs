//! DescribeGroups (key 15): classic groups with their members.
//!
//! A group that does not exist, or is of another kind, is answered as `Dead`; from version 6 on also with
//! GROUP_ID_NOT_FOUND (KIP-1043).

use std::sync::Arc;

use state_machines::group::{DescribedGroup, DescribedMember};
use wire::StrBytes;
use wire::messages::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup as Answered, DescribedGroupMember,
};

use super::repeats::{GROUPS, Repeats};
use super::{all, answered, answered_bytes, check_count};
use crate::answer::{Handled, body, outcome};
use crate::broker::{Broker, Pending, Request};
use crate::code::Code;
use crate::operations;

/// From this version on a group that does not exist is an error.
const NAMES_UNKNOWN_GROUP: i16 = 6;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: DescribeGroupsRequest = body(request)?;
    check_count(request, asked.groups.len())?;
    let names: Vec<StrBytes> =
        asked.groups.iter().map(|group| StrBytes::from(group.as_str().to_owned())).collect();
    // Who names a large group again and again does not get it as often.
    let mut repeats = Repeats::default();
    let is_answered: Vec<bool> = names.iter().map(|name| repeats.allow(name.as_str(), GROUPS)).collect();
    let looks = names.iter().zip(&is_answered).filter(|(_, is_answered)| **is_answered).map(|(name, _)| {
        let group = name.clone();
        broker.coordinator.look(name.as_str(), move |groups| groups.describe(group.as_str()))
    });
    let looks = looks.collect();
    let operations =
        if asked.include_authorized_operations { operations::ON_GROUP } else { operations::NOT_ASKED };
    Ok(Pending::Later(Box::pin(async move {
        let mut seen = all(looks).await.into_iter();
        let groups = names.into_iter().zip(is_answered).map(|(name, is_answered)| {
            match is_answered.then(|| seen.next()).flatten() {
                Some(Ok(Some(group))) => {
                    Answered { authorized_operations: operations, ..described(name, &group) }
                }
                Some(Ok(None)) if version >= NAMES_UNKNOWN_GROUP => unknown(name),
                Some(Ok(None)) => Answered { authorized_operations: operations, ..dead(name, Code::None) },
                Some(Err(why)) => refused(name, why.into()),
                None => refused(name, Code::InvalidRequest),
            }
        });
        let response =
            DescribeGroupsResponse { groups: groups.collect(), ..DescribeGroupsResponse::default() };
        outcome(&response, version)
    })))
}

fn described(group_id: StrBytes, group: &DescribedGroup) -> Answered {
    Answered {
        error_code: Code::None.into(),
        group_id,
        group_state: StrBytes::from_static(group.state.name()),
        protocol_type: answered(&group.protocol_type),
        protocol_data: answered(&group.protocol),
        members: group.members.iter().map(member).collect(),
        ..Answered::default()
    }
}

fn member(member: &DescribedMember) -> DescribedGroupMember {
    DescribedGroupMember {
        member_id: answered(&member.member_id),
        group_instance_id: member.instance_id.as_ref().map(answered),
        client_id: answered(&member.client_id),
        client_host: answered(&member.client_host),
        member_metadata: answered_bytes(&member.metadata),
        member_assignment: answered_bytes(&member.assignment),
    }
}

fn unknown(group_id: StrBytes) -> Answered {
    let why = format!("there is no classic group {}", group_id.as_str());
    Answered { error_message: Some(StrBytes::from(why)), ..dead(group_id, Code::GroupIdNotFound) }
}

fn dead(group_id: StrBytes, code: Code) -> Answered {
    Answered { group_state: StrBytes::from_static("Dead"), ..refused(group_id, code) }
}

fn refused(group_id: StrBytes, code: Code) -> Answered {
    Answered { error_code: code.into(), group_id, ..Answered::default() }
}
