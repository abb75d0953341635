//! FindCoordinator (key 10): who coordinates a group. On one node that is this node, once there is a topic to keep groups in.
//!
//! The first question for a group makes `__consumer_offsets`. A transactional id is refused with the code that producers take as
//! final, as InitProducerId does, until there are transactions. Share groups are not enabled.

use std::sync::Arc;

use wire::StrBytes;
use wire::messages::find_coordinator::{Coordinator, FindCoordinatorRequest, FindCoordinatorResponse};

use super::check_count;
use crate::answer::{Handled, body, message, outcome, ready};
use crate::broker::{Broker, Pending, Request};
use crate::code::Code;

/// From this version on one request asks for several keys (KIP-699).
const ASKS_FOR_SEVERAL: i16 = 4;

/// Kafka: `FindCoordinatorRequest.CoordinatorType`.
const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: FindCoordinatorRequest = body(request)?;
    check_count(request, asked.coordinator_keys.len())?;
    let refusal = match asked.key_type {
        GROUP => None,
        TRANSACTION => {
            let id =
                if version < ASKS_FOR_SEVERAL { Some(&asked.key) } else { asked.coordinator_keys.first() };
            broker.refuse_transaction(request, id.map(StrBytes::as_str));
            Some((Code::TransactionalIdAuthorizationFailed, "this broker has no transactions yet"))
        }
        _ => Some((Code::InvalidRequest, "this broker has no coordinator of that type")),
    };
    let envelope = request.envelope();
    if let Some((code, why)) = refusal {
        let why = message(&why);
        return ready(&respond(&asked, &envelope, &|_| Err((code, why.clone()))), version);
    }
    if broker.coordinator.has_offsets_topic() {
        return ready(&respond(&asked, &envelope, &|_| Ok(broker.catalog.node_id().0)), version);
    }
    let (coordinator, node_id, now) =
        (Arc::clone(&broker.coordinator), broker.catalog.node_id().0, request.received_at);
    let work = tokio::task::spawn_blocking(move || coordinator.ensure_offsets_topic(now));
    Ok(Pending::Later(Box::pin(async move {
        let made = match work.await {
            Ok(Ok(())) => Ok(node_id),
            Ok(Err(error)) => {
                tracing::warn!(%error, "__consumer_offsets cannot be made, so no group can be served");
                Err((Code::CoordinatorNotAvailable, message(&error)))
            }
            Err(_panicked) => Err((Code::CoordinatorNotAvailable, None)),
        };
        outcome(&respond(&asked, &envelope, &|_| made.clone()), version)
    })))
}

/// The node for a key, or why there is none.
type Found = Result<i32, (Code, Option<StrBytes>)>;

fn respond(
    asked: &FindCoordinatorRequest,
    request: &Request,
    find: &dyn Fn(&StrBytes) -> Found,
) -> FindCoordinatorResponse {
    // Kafka's word when nothing is wrong, where other answers have null.
    let no_error = StrBytes::from_static(if request.version() >= ASKS_FOR_SEVERAL { "" } else { "NONE" });
    let one = |key: &StrBytes| {
        let advertised = || {
            request.listener.advertised.as_ref().ok_or_else(|| {
                let text = format!("`advertised.listeners` has no {}", request.listener.name);
                (Code::CoordinatorNotAvailable, message(&text))
            })
        };
        match find(key).and_then(|node_id| Ok((node_id, advertised()?))) {
            Ok((node_id, (host, port))) => Coordinator {
                key: key.clone(),
                node_id,
                host: StrBytes::from(host.clone()),
                port: i32::from(*port),
                error_code: Code::None.into(),
                error_message: Some(no_error.clone()),
            },
            Err((code, why)) => Coordinator {
                key: key.clone(),
                node_id: -1,
                host: StrBytes::default(),
                port: -1,
                error_code: code.into(),
                error_message: why,
            },
        }
    };
    if request.version() >= ASKS_FOR_SEVERAL {
        let coordinators = asked.coordinator_keys.iter().map(one).collect();
        return FindCoordinatorResponse { coordinators, ..FindCoordinatorResponse::default() };
    }
    let Coordinator { node_id, host, port, error_code, error_message, .. } = one(&asked.key);
    FindCoordinatorResponse {
        node_id,
        host,
        port,
        error_code,
        error_message,
        ..FindCoordinatorResponse::default()
    }
}
