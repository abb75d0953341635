//! UnregisterBroker (key 64): takes a broker off the cluster (KIP-631).
//!
//! There is none but this one, which runs. Kafka would take a running broker off too, and leave all its partitions without
//! a leader until it is started again; here that is refused.

use catalog::Catalog;
use wire::messages::unregister_broker::{UnregisterBrokerRequest, UnregisterBrokerResponse};

use crate::answer::{Handled, body, message, ready};
use crate::broker::Request;
use crate::code::Code;

pub(crate) fn handle(catalog: &Catalog, request: &Request) -> Handled {
    let asked: UnregisterBrokerRequest = body(request)?;
    let (code, text) = if asked.broker_id == catalog.node_id().0 {
        (Code::InvalidRequest, format!("broker {} is the only one, and it runs", asked.broker_id))
    } else {
        (Code::BrokerIdNotRegistered, format!("no broker {} is registered", asked.broker_id))
    };
    let response = UnregisterBrokerResponse {
        error_code: code.into(),
        error_message: message(&text),
        ..UnregisterBrokerResponse::default()
    };
    ready(&response, request.version())
}
