//! ListGroups (key 16): every group of this node, by state (KIP-518) and type (KIP-848) if asked.

use std::sync::Arc;

use coordinator::Unavailable;
use state_machines::group::{ConsumerState, GroupKind, State};
use wire::StrBytes;
use wire::messages::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};

use super::{all, answered};
use crate::answer::{Handled, body, outcome};
use crate::broker::{Broker, Pending, Request};
use crate::code::Code;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: ListGroupsRequest = body(request)?;
    let states = known(&asked.states_filter, &STATES, str::trim);
    let types = known(&asked.types_filter, &TYPES, |word| word);
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

/// All states that a group can be in, by Kafka's names, and all types.
const STATES: [&str; 6] = [
    State::Empty.name(),
    State::PreparingRebalance.name(),
    State::CompletingRebalance.name(),
    State::Stable.name(),
    ConsumerState::Assigning.name(),
    ConsumerState::Reconciling.name(),
];
const TYPES: [&str; 2] = [GroupKind::Classic.name(), GroupKind::Consumer.name()];

/// What a filter says to the groups, which look at it for each of them: words that mean nothing, or mean the same again, are
/// one word at most.
fn known(filter: &[StrBytes], names: &[&str], read: fn(&str) -> &str) -> Vec<String> {
    let is_wanted = |name: &&&str| filter.iter().any(|word| read(word.as_str()).eq_ignore_ascii_case(name));
    let wanted: Vec<String> = names.iter().filter(is_wanted).map(|name| (*name).to_owned()).collect();
    if wanted.is_empty() && !filter.is_empty() { vec!["nothing".to_owned()] } else { wanted }
}
