//! DeleteGroups (key 42): forgets groups without members, and their offsets (KIP-229).

use std::collections::HashSet;
use std::sync::Arc;

use state_machines::group::{Event, Reply};
use wire::StrBytes;
use wire::messages::delete_groups::{DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse};

use super::{all, check_count, code, text};
use crate::answer::{Handled, body, outcome};
use crate::broker::{Broker, Pending, Request};
use crate::code::Code;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: DeleteGroupsRequest = body(request)?;
    check_count(request, asked.groups_names.len())?;
    // A name that stands twice is answered once, as in Kafka.
    let mut seen = HashSet::new();
    let distinct = asked.groups_names.iter().filter(|name| seen.insert(name.as_str()));
    let names: Vec<StrBytes> = distinct.map(|name| StrBytes::from(name.as_str().to_owned())).collect();
    let deletions = names.iter().map(|name| {
        let event = Event::DeleteGroups(vec![text(name)]);
        broker.coordinator.submit(name.as_str(), event, request.received_at)
    });
    let deletions = deletions.collect();
    Ok(Pending::Later(Box::pin(async move {
        let done = all(deletions).await;
        let results = names.into_iter().zip(done).map(|(group_id, reply)| DeletableGroupResult {
            group_id,
            error_code: match reply {
                Ok(Reply::DeleteGroups(results)) => {
                    results.first().map_or(Code::UnknownServerError, |(_, result)| code(result))
                }
                Ok(_) => Code::UnknownServerError,
                Err(why) => why.into(),
            }
            .into(),
        });
        let response = DeleteGroupsResponse { results: results.collect(), ..DeleteGroupsResponse::default() };
        outcome(&response, version)
    })))
}
