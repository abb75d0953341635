//! InitProducerId (key 22): a producer id that nobody ever had, with epoch 0 (KIP-98).
//!
//! An id and epoch in the request are ignored: an idempotent producer raises its epoch by itself (KIP-360), and one that
//! asks here wants a new id. A transactional id is refused with TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which Java and
//! librdkafka take as fatal, while librdkafka asks again for ever after most other codes: as long as there are no
//! transactions, nobody is allowed to use a transactional id. A Produce with a transactional batch gets the same code.

use std::sync::Arc;

use base::ProducerId;
use catalog::CatalogError;
use wire::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};

use crate::answer::{Handled, body, outcome, ready};
use crate::broker::{Broker, Pending, Request};
use crate::code::Code;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: InitProducerIdRequest = body(request)?;
    // One of the two alone says nothing (Kafka: `KafkaApis.handleInitProducerIdRequest`).
    if (asked.producer_id == -1) != (asked.producer_epoch == -1) {
        return ready(&refused(Code::InvalidRequest), version);
    }
    match asked.transactional_id.as_deref() {
        Some("") => return ready(&refused(Code::InvalidRequest), version),
        Some(transactional_id) => {
            broker.refuse_transaction(request, Some(transactional_id));
            return ready(&refused(Code::TransactionalIdAuthorizationFailed), version);
        }
        None => {}
    }
    if let Some(id) = broker.catalog.try_next_producer_id() {
        return ready(&granted(id), version);
    }
    // A new block of ids has to be written down first.
    let (catalog, now) = (broker.catalog.clone(), request.received_at);
    let work = tokio::task::spawn_blocking(move || catalog.next_producer_id(now));
    Ok(Pending::Later(Box::pin(async move {
        let response = match work.await {
            Ok(Ok(id)) => granted(id),
            Ok(Err(error @ CatalogError::NoProducerIds)) => refused(Code::from(&error)),
            Ok(Err(error)) => {
                tracing::debug!(%error, "no producer id");
                // What Kafka answers while it waits for a block; clients ask again.
                refused(Code::CoordinatorLoadInProgress)
            }
            Err(_panicked) => refused(Code::UnknownServerError),
        };
        outcome(&response, version)
    })))
}

fn granted(id: ProducerId) -> InitProducerIdResponse {
    InitProducerIdResponse { producer_id: id.0, producer_epoch: 0, ..InitProducerIdResponse::default() }
}

fn refused(code: Code) -> InitProducerIdResponse {
    InitProducerIdResponse {
        error_code: code.into(),
        producer_id: -1,
        producer_epoch: -1,
        ..InitProducerIdResponse::default()
    }
}
