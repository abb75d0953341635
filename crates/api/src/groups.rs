//! What the handlers of group requests share: an event goes to the coordinator, its reply becomes an answer.

pub(crate) mod consumer_group_describe;
pub(crate) mod consumer_group_heartbeat;
pub(crate) mod delete_groups;
pub(crate) mod describe_groups;
pub(crate) mod find_coordinator;
pub(crate) mod heartbeat;
pub(crate) mod join_group;
pub(crate) mod leave_group;
pub(crate) mod list_groups;
pub(crate) mod offset_commit;
pub(crate) mod offset_delete;
pub(crate) mod offset_fetch;
mod repeats;
pub(crate) mod sync_group;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use coordinator::{Answer, Unavailable};
use state_machines::group::{Event, GroupError, Reply};
use wire::{Message, StrBytes};

use crate::answer::{Handled, outcome, ready};
use crate::broker::{Broker, CloseReason, Pending, Request};
use crate::code::Code;

/// Begins `event`, which concerns `group`; `respond` makes the answer of its reply, or of why there is none.
fn begin<M: Message + Send + 'static>(
    broker: &Broker,
    request: &Request,
    group: &str,
    event: Event,
    respond: impl FnOnce(Result<Reply, Unavailable>) -> M + Send + 'static,
) -> Handled {
    let version = request.version();
    match broker.coordinator.submit(group, event, request.received_at) {
        Ok(answer) => match answer.at_once() {
            Ok(reply) => ready(&respond(reply), version),
            Err(answer) => {
                Ok(Pending::Later(Box::pin(async move { outcome(&respond(answer.get().await), version) })))
            }
        },
        Err(why) => ready(&respond(Err(why)), version),
    }
}

/// Whether the consumer protocol (KIP-848) is switched on: by `group.coordinator.rebalance.protocols`, and by the feature that
/// the cluster has agreed on.
fn consumer_groups_are_served(broker: &Broker) -> bool {
    let protocols = broker.settings.group_coordinator_rebalance_protocols();
    protocols.iter().any(|protocol| protocol == "consumer")
        && broker.catalog.feature_level("group.version") >= 1
}

/// What several looks at the groups come to, one after the other.
async fn all<R>(answers: Vec<Result<Answer<R>, Unavailable>>) -> Vec<Result<R, Unavailable>> {
    let mut seen = Vec::with_capacity(answers.len());
    for answer in answers {
        seen.push(match answer {
            Ok(answer) => answer.get().await,
            Err(why) => Err(why),
        });
    }
    seen
}

impl From<Unavailable> for Code {
    fn from(why: Unavailable) -> Self {
        match why {
            Unavailable::NotHere => Self::NotCoordinator,
            Unavailable::Loading => Self::CoordinatorLoadInProgress,
            Unavailable::Failed => Self::CoordinatorNotAvailable,
        }
    }
}

/// How many groups one request may name. A name of a few bytes costs a look at its shard, a place in line and an entry of the
/// answer, so that a request of some megabytes could fill the memory.
const MOST_GROUPS: usize = 100_000;

/// Whether a request names no more groups than one may.
///
/// # Errors
/// When it does: then its connection is closed.
fn check_count(request: &Request, named: usize) -> Result<(), CloseReason> {
    if named <= MOST_GROUPS {
        return Ok(());
    }
    let (key, version) = (request.header.api_key, request.version());
    Err(CloseReason::TooManyGroups { key, version, named, most: MOST_GROUPS })
}

/// The code of a result.
fn code<T>(result: &Result<T, GroupError>) -> Code {
    match result {
        Ok(_) => Code::None,
        Err(error) => error.into(),
    }
}

/// A copy of its own, so that what a group keeps does not hold the request's frame.
fn text(text: &StrBytes) -> Arc<str> {
    Arc::from(text.as_str())
}

fn optional_text(given: Option<&StrBytes>) -> Option<Arc<str>> {
    given.map(text)
}

fn answered(text: &Arc<str>) -> StrBytes {
    StrBytes::from(text.to_string())
}

fn answered_bytes(bytes: &Arc<[u8]>) -> Bytes {
    Bytes::from_owner(Arc::clone(bytes))
}

/// The client's address as Java shows it, which is what Kafka keeps of a member: after a slash, IPv6 without `::`.
fn host(peer: SocketAddr) -> Arc<str> {
    let text = match peer.ip().to_canonical() {
        IpAddr::V4(address) => format!("/{address}"),
        IpAddr::V6(address) => {
            let groups = address.segments().map(|segment| format!("{segment:x}"));
            format!("/{}", groups.join(":"))
        }
    };
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_shown_as_java_shows_it() {
        for (peer, shown) in [
            ("127.0.0.1:9", "/127.0.0.1"),
            ("[::1]:9", "/0:0:0:0:0:0:0:1"),
            ("[::ffff:10.0.0.7]:9", "/10.0.0.7"),
            ("[fe80::a]:9", "/fe80:0:0:0:0:0:0:a"),
        ] {
            assert_eq!(&*host(peer.parse().unwrap()), shown);
        }
    }
}
