//! Holding clients back that have more than their quotas allow (Kafka: `ClientQuotaManager`, `RequestHandlerHelper`).
//!
//! What counts is decided by `state_machines::quotas`; here requests become amounts and times to wait become fields of
//! answers. The answer leaves at once and says how long to wait, and the connection is muted for so long. As long as nobody
//! has a quota, a request costs one look at a number.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use base::Millis;
use catalog::Catalog;
use parking_lot::Mutex;
use settings::Settings;
use state_machines::quotas::{Client, Kind, Meters, Strictness, Window};
use wire::ApiKey;

use crate::broker::{Broker, Outcome, Pending, Reply, Request};

/// Who everybody is where nobody has to say so (Kafka: `KafkaPrincipal.ANONYMOUS`).
const USER: &str = "ANONYMOUS";

/// The bit of connections; the others are those of the kinds.
const CONNECTIONS: u8 = 1 << 4;

/// What clients had, against their quotas.
pub(crate) struct Throttles {
    /// What anybody has a quota of: a bit each.
    limited: AtomicU8,
    /// The lock is held for a lookup and some additions.
    meters: Mutex<Meters>,
}

impl Throttles {
    pub(crate) fn new(settings: &Settings, catalog: &Catalog) -> Self {
        let clients = Window::new(settings.quota_window_num(), settings.quota_window_size_seconds());
        let controller = Window::new(
            settings.controller_quota_window_num(),
            settings.controller_quota_window_size_seconds(),
        );
        let meters = Mutex::new(Meters::new(clients, controller));
        let throttles = Self { limited: AtomicU8::new(0), meters };
        throttles.follow(catalog);
        throttles
    }

    /// From now on the quotas count that the catalogue has.
    pub(crate) fn follow(&self, catalog: &Catalog) {
        // Asked for under the lock, so that of two changes the later one lasts.
        let mut meters = self.meters.lock();
        meters.set(&catalog.quotas());
        let kinds = [Kind::Produce, Kind::Fetch, Kind::Request, Kind::Mutation];
        let bits = kinds.into_iter().filter(|kind| meters.limits(*kind)).map(bit);
        let connections = if meters.limits_addresses() { CONNECTIONS } else { 0 };
        self.limited.store(bits.fold(connections, |all, bit| all | bit), Ordering::Relaxed);
    }

    fn limits(&self, kind: Kind) -> bool {
        self.limited.load(Ordering::Relaxed) & bit(kind) != 0
    }

    /// Whether what requests take has to be looked at.
    fn limits_requests(&self) -> bool {
        self.limited.load(Ordering::Relaxed) & (bit(Kind::Produce) | bit(Kind::Request)) != 0
    }

    /// Whether what Fetches take has to be looked at.
    pub(crate) fn limits_fetches(&self) -> bool {
        self.limited.load(Ordering::Relaxed) & (bit(Kind::Fetch) | bit(Kind::Request)) != 0
    }

    /// How long a client has to wait that had `amount`.
    fn charge(&self, kind: Kind, client_id: &str, amount: f64, now: Millis) -> i32 {
        if !self.limits(kind) {
            return 0;
        }
        self.meters.lock().charge(kind, client(client_id), amount, now)
    }

    fn charge_time(&self, client_id: &str, spent: Duration, now: Millis) -> i32 {
        self.charge(Kind::Request, client_id, spent.as_secs_f64() * 100.0, now)
    }

    /// See [`Broker::refuses_connection`].
    pub(crate) fn connect(&self, address: IpAddr, rate: Option<f64>, now: Millis) -> Option<Duration> {
        if self.limited.load(Ordering::Relaxed) & CONNECTIONS == 0 {
            return None;
        }
        let mut meters = self.meters.lock();
        let time = duration(meters.connect(address, now));
        if time.is_some() && rate.is_some() {
            meters.unaccept(now);
        }
        time
    }

    /// See [`Broker::delays_connection`].
    pub(crate) fn accept(&self, rate: Option<f64>, now: Millis) -> Option<Duration> {
        duration(self.meters.lock().accept(rate?, now))
    }

    /// The most that a Fetch may answer without making its client wait for certain.
    pub(crate) fn most_fetched(&self, client_id: &str) -> Option<i32> {
        if !self.limits(Kind::Fetch) {
            return None;
        }
        let most = self.meters.lock().most_at_once(Kind::Fetch, client(client_id))?;
        #[expect(clippy::cast_possible_truncation, reason = "what is too large becomes the largest")]
        let most = most as i32;
        Some(most)
    }

    /// How long a Fetch has to wait that would get `bytes` of records and took `spent` of a thread. If it has to, it gets
    /// none of them, and they do not count.
    pub(crate) fn fetched(&self, client_id: &str, bytes: u64, spent: Duration, now: Millis) -> i32 {
        let by_time = self.charge_time(client_id, spent, now);
        #[expect(clippy::cast_precision_loss, reason = "an answer is smaller than that")]
        let bytes = bytes as f64;
        let throttle_ms = by_time.max(self.charge(Kind::Fetch, client_id, bytes, now));
        if throttle_ms > 0 && self.limits(Kind::Fetch) {
            self.meters.lock().refund(Kind::Fetch, client(client_id), bytes, now);
        }
        throttle_ms
    }
}

fn duration(throttle_ms: i32) -> Option<Duration> {
    u64::try_from(throttle_ms).ok().filter(|ms| *ms > 0).map(Duration::from_millis)
}

const fn bit(kind: Kind) -> u8 {
    1 << kind as u8
}

fn client(id: &str) -> Client<'_> {
    Client { user: USER, id }
}

/// Serves a request and has its client wait if it has to.
pub(crate) fn hold_back(
    broker: &Arc<Broker>,
    request: &Request,
    serve: impl FnOnce(&Arc<Broker>, &Request) -> Pending,
) -> Pending {
    if !broker.throttles.limits_requests() {
        return serve(broker, request);
    }
    let begun = Instant::now();
    let pending = serve(broker, request);
    let mut bill = Bill::new(request, begun.elapsed());
    match pending {
        Pending::Ready(reply) => Pending::Ready(bill.settle(&broker.throttles, request, reply)),
        Pending::Silent { .. } => Pending::Silent { mute: bill.settle_silently(&broker.throttles, request) },
        Pending::Close(reason) => Pending::Close(reason),
        Pending::Later(mut work) => {
            let (broker, request) = (Arc::clone(broker), request.envelope());
            Pending::Later(Box::pin(async move {
                let outcome = std::future::poll_fn(|cx| {
                    let resumed = Instant::now();
                    let polled: Poll<Outcome> = work.as_mut().poll(cx);
                    bill.spent += resumed.elapsed();
                    polled
                });
                match outcome.await {
                    Outcome::Reply(reply) => Outcome::Reply(bill.settle(&broker.throttles, &request, reply)),
                    Outcome::Close(reason) => Outcome::Close(reason),
                }
            }))
        }
    }
}

/// What a request took.
struct Bill {
    key: Option<ApiKey>,
    /// The size of the request.
    bytes: usize,
    begun: Instant,
    /// Time of threads.
    spent: Duration,
}

impl Bill {
    fn new(request: &Request, spent: Duration) -> Self {
        // The header's own bytes: two numbers of two bytes, one of four, and a text.
        let header = 10 + request.client_id().len();
        Self {
            key: ApiKey::try_from(request.header.api_key).ok(),
            bytes: request.body.len() + header,
            begun: Instant::now(),
            spent,
        }
    }

    fn settle(&self, throttles: &Throttles, request: &Request, mut reply: Reply) -> Reply {
        let now = later(request.received_at, self.begun.elapsed());
        let throttle_ms = match self.key {
            // It has settled already, since it answers with nothing if it has to wait.
            Some(ApiKey::Fetch) => 0,
            Some(ApiKey::Produce) => self.produced(throttles, request, now).max(throttles.charge_time(
                request.client_id(),
                self.spent,
                now,
            )),
            _ => throttles.charge_time(request.client_id(), self.spent, now),
        };
        reply.throttle(throttle_ms);
        reply
    }

    /// Without an answer the time does not count, as in Kafka.
    fn settle_silently(&self, throttles: &Throttles, request: &Request) -> Duration {
        let throttle_ms = self.produced(throttles, request, request.received_at);
        Duration::from_millis(u64::try_from(throttle_ms).unwrap_or(0))
    }

    fn produced(&self, throttles: &Throttles, request: &Request, now: Millis) -> i32 {
        #[expect(clippy::cast_precision_loss, reason = "a request is smaller than that")]
        let bytes = self.bytes as f64;
        throttles.charge(Kind::Produce, request.client_id(), bytes, now)
    }
}

/// The clock, as it stands `after` it was read for a request.
pub(crate) fn later(received_at: Millis, after: Duration) -> Millis {
    received_at.plus(i64::try_from(after.as_millis()).unwrap_or(i64::MAX))
}

/// A client's leave to have partitions come and go (`controller_mutation_rate`; Kafka: `ControllerMutationQuota`).
pub(crate) struct Leave {
    broker: Arc<Broker>,
    client_id: String,
    strictness: Strictness,
    received_at: Millis,
    begun: Instant,
    /// How long to wait, and since when.
    throttle: Option<(Instant, i32)>,
}

impl Leave {
    /// From this version on the API can say THROTTLING_QUOTA_EXCEEDED.
    pub(crate) fn ask(broker: &Arc<Broker>, request: &Request, strict_since: i16) -> Self {
        let strictness =
            if request.version() >= strict_since { Strictness::Strict } else { Strictness::Permissive };
        Self {
            broker: Arc::clone(broker),
            client_id: request.client_id().to_owned(),
            strictness,
            received_at: request.received_at,
            begun: Instant::now(),
            throttle: None,
        }
    }

    /// Whether so many partitions may come or go.
    pub(crate) fn permits(&mut self, partitions: usize) -> bool {
        let throttles = &self.broker.throttles;
        if !throttles.limits(Kind::Mutation) {
            return true;
        }
        let now = later(self.received_at, self.begun.elapsed());
        let mut meters = throttles.meters.lock();
        let permit = meters.permit(client(&self.client_id), partitions, self.strictness, now);
        if permit.throttle_ms > 0 {
            self.throttle = Some((Instant::now(), permit.throttle_ms));
        }
        permit.granted
    }

    /// How long the client has to wait from now on.
    pub(crate) fn throttle_ms(&self) -> i32 {
        let Some((since, ms)) = self.throttle else { return 0 };
        let gone = i32::try_from(since.elapsed().as_millis()).unwrap_or(i32::MAX);
        ms.saturating_sub(gone).max(0)
    }
}
