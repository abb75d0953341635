//! ListGroups (key 16): every group of this node, by state (KIP-518) and type (KIP-848) if asked.

use std::sync::Arc;

use coordinator::Unavailable;
use wire::StrBytes;
use wire::messages::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};

use super::{all, answered};
use crate::answer::{Handled, body, outcome};
use crate::broker::{Broker, Pending, Request};
use crate::code::Code;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: ListGroupsRequest = body(request)?;
    let words = |filter: &[StrBytes]| filter.iter().map(|word| word.as_str().to_owned()).collect::<Vec<_>>();
    let (states, types) = (words(&asked.states_filter), words(&asked.types_filter));
    let looks = broker.coordinator.look_at_all(|groups| groups.list(&states, &types));
    Ok(Pending::Later(Box::pin(async move {
        let mut groups = Vec::new();
        let mut error = Code::None;
        for seen in all(looks).await {
            match seen {
                Ok(seen) => groups.extend(seen.into_iter().map(|group| ListedGroup {
                    group_id: answered(&group.group_id),
                    protocol_type: answered(&group.protocol_type),
                    group_state: StrBytes::from_static(group.state),
                    group_type: StrBytes::from_static(group.kind.name()),
                })),
                // The topic has just gone, and its groups with it.
                Err(Unavailable::NotHere) => {}
                Err(why) => error = why.into(),
            }
        }
        if error != Code::None {
            // A list with holes would be taken for the whole.
            groups.clear();
        }
        let response =
            ListGroupsResponse { error_code: error.into(), groups, ..ListGroupsResponse::default() };
        outcome(&response, version)
    })))
}
