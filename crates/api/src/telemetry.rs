//! GetTelemetrySubscriptions (key 71) and PushTelemetry (key 72): the metrics of clients (KIP-714), written into the log.
//!
//! Kafka hands them to a plugin, and offers neither without one. Here `ottla.client.telemetry` says what is done with them.

mod metrics;
mod subscriptions;

use std::net::SocketAddr;
use std::sync::Arc;

use base::Uuid;
use catalog::Catalog;
use parking_lot::Mutex;
use records::Codec;
use settings::Settings;
use state_machines::telemetry::{self, Client, Push, shown};
use wire::StrBytes;
use wire::messages::get_telemetry_subscriptions::{
    GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse,
};
use wire::messages::push_telemetry::{PushTelemetryRequest, PushTelemetryResponse};

use crate::answer::{Handled, body, ready};
use crate::broker::{Broker, Request};
use crate::code::Code;
use crate::telemetry::subscriptions::Subscriptions;

/// The codecs that a push may have, the best one first: zstd, lz4, gzip, snappy.
const CODECS: [i8; 4] = [4, 3, 1, 2];
/// Most bytes that a push may unpack to, unless a push may have more packed (`telemetry.max.bytes`).
const MOST_UNPACKED: usize = 4 << 20;

/// What the two share.
#[derive(Debug)]
pub(crate) struct Telemetry {
    /// `None`: nobody is asked for metrics.
    known: Option<Known>,
    most_bytes: i32,
}

#[derive(Debug)]
struct Known {
    /// Whoever connects or goes takes its turn here.
    rules: Mutex<telemetry::Telemetry>,
    /// What `rules` go by. Locked first, while what is new is read: only those wait who need it.
    subscriptions: Mutex<Subscriptions>,
}

impl Telemetry {
    pub(crate) fn new(settings: &Settings) -> Self {
        let most_bytes = settings.telemetry_max_bytes();
        let rules = telemetry::Telemetry::new(usize::try_from(most_bytes).unwrap_or(0));
        let is_on = settings.client_telemetry() != "off";
        let known = is_on.then(|| Known { rules: Mutex::new(rules), subscriptions: Mutex::default() });
        Self { known, most_bytes }
    }

    pub(crate) const fn is_on(&self) -> bool {
        self.known.is_some()
    }

    /// The client at `peer` has said what it runs on.
    pub(crate) fn introduced(&self, peer: SocketAddr, name: &str, version: &str) {
        if let Some(known) = &self.known {
            known.rules.lock().introduced(peer, name, version);
        }
    }

    pub(crate) fn ended(&self, peer: SocketAddr) {
        if let Some(known) = &self.known {
            known.rules.lock().ended(peer);
        }
    }

    /// The rules, which go by the subscriptions that stand now.
    fn with<R>(&self, catalog: &Catalog, rules: impl FnOnce(&mut telemetry::Telemetry) -> R) -> R {
        let known = self.known.as_ref().expect("served only where it is on");
        known.follow(catalog);
        rules(&mut known.rules.lock())
    }
}

impl Known {
    fn follow(&self, catalog: &Catalog) {
        let mut subscriptions = self.subscriptions.lock();
        if let Some(news) = subscriptions.follow(catalog.configs()) {
            self.rules.lock().want(news);
        }
    }
}

fn client(request: &Request) -> Client<'_> {
    Client { peer: request.peer, client_id: request.client_id() }
}

/// Says what a client is to push.
pub(crate) fn subscriptions(broker: &Arc<Broker>, request: &Request) -> Handled {
    let asked: GetTelemetrySubscriptionsRequest = body(request)?;
    let (id, answer) = broker.telemetry.with(&broker.catalog, |rules| {
        let mut id = asked.client_instance_id;
        while id.is_nil() || (asked.client_instance_id.is_nil() && rules.knows(id)) {
            id = Uuid::new_v4();
        }
        (id, rules.ask(id, client(request), request.received_at))
    });
    let response = match answer {
        Err(refusal) => GetTelemetrySubscriptionsResponse {
            error_code: Code::from(refusal).into(),
            ..GetTelemetrySubscriptionsResponse::default()
        },
        Ok(wanted) => GetTelemetrySubscriptionsResponse {
            throttle_time_ms: 0,
            error_code: 0,
            client_instance_id: id,
            subscription_id: wanted.subscription_id,
            accepted_compression_types: CODECS.to_vec(),
            push_interval_ms: wanted.interval_ms,
            telemetry_max_bytes: broker.telemetry.most_bytes,
            delta_temporality: true,
            requested_metrics: wanted.metrics.into_iter().map(StrBytes::from).collect(),
        },
    };
    ready(&response, request.version())
}

/// Takes what a client pushes.
pub(crate) fn push(broker: &Arc<Broker>, request: &Request) -> Handled {
    let pushed: PushTelemetryRequest = body(request)?;
    let push = Push {
        instance: pushed.client_instance_id,
        subscription_id: pushed.subscription_id,
        is_last: pushed.terminating,
        compression: pushed.compression_type,
        bytes: pushed.metrics.len(),
    };
    let verdict = broker.telemetry.with(&broker.catalog, |rules| {
        let verdict = rules.push(push, client(request), request.received_at);
        let (name, version) = rules.software(request.peer);
        verdict.map(|()| format!("{name} {version}"))
    });
    let code = match verdict {
        Err(refusal) => Code::from(refusal),
        Ok(_) if pushed.metrics.is_empty() => Code::None,
        Ok(software) => {
            let most_bytes = usize::try_from(broker.telemetry.most_bytes).unwrap_or(0);
            write_down(&pushed, request, &software, most_bytes.max(MOST_UNPACKED))
        }
    };
    ready(&PushTelemetryResponse { error_code: code.into(), ..Default::default() }, request.version())
}

/// Writes the metrics into the log.
fn write_down(
    pushed: &PushTelemetryRequest,
    request: &Request,
    software: &str,
    most_unpacked: usize,
) -> Code {
    let (client_id, peer) = (request.client_id(), request.peer);
    let instance = shown(pushed.client_instance_id);
    // Kafka's numbers of the codecs count from 0.
    let codec = usize::try_from(pushed.compression_type).ok().and_then(|number| Codec::ALL.get(number));
    let unpacked = records::unpack(*codec.expect("it was judged"), &pushed.metrics, most_unpacked);
    let read = unpacked
        .map_err(|why| why.to_string())
        .and_then(|bytes| metrics::read(&bytes).map_err(|why| why.to_string()));
    match read {
        Ok(metrics) => {
            let is_last = pushed.terminating;
            tracing::info!(client_id, software, instance, %peer, is_last, "client metrics: {metrics}");
            Code::None
        }
        Err(why) => {
            tracing::info!(client_id, software, instance, %peer, "client metrics that cannot be read: {why}");
            Code::InvalidRecord
        }
    }
}
