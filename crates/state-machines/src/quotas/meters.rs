//! Who had how much: a meter for each client that has a limit.

use std::collections::HashMap;
use std::fmt::Write;
use std::net::IpAddr;

use base::Millis;

use super::image::Quotas;
use super::limits::{Client, Kind, Limit, Limits};
use super::rate::{Rate, TokenBucket, Window};

/// Most memory for all meters together, in bytes: enough for some 15,000 clients with the windows of Kafka's defaults.
/// Beyond it those that were quiet for longest are forgotten.
pub const MOST_BYTES: usize = 8 << 20;
/// What a meter takes beside its name and samples, roughly.
const METER_BYTES: usize = 160;
/// What a sample takes.
const SAMPLE_BYTES: usize = 24;

/// Measures clients against their limits.
#[derive(Debug)]
pub struct Meters {
    /// For bytes and request time.
    window: Window,
    /// For partitions that come and go.
    mutations: Window,
    limits: Limits,
    /// By kind and whoever shares it.
    meters: HashMap<Box<str>, Meter>,
    /// What `meters` takes.
    bytes: usize,
    /// The latest time heard of.
    now: Millis,
    /// Where names are put together.
    name: String,
}

#[derive(Debug)]
struct Meter {
    measure: Measure,
    used: Millis,
}

#[derive(Debug)]
enum Measure {
    Rate(Rate),
    Bucket(TokenBucket),
}

/// Whether somebody without permission is refused, or does it and waits afterwards (KIP-599).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Refused: for clients that know THROTTLING_QUOTA_EXCEEDED.
    Strict,
    /// Done, and to be paid for by waiting.
    Permissive,
}

/// Whether partitions may come or go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    /// Whether it may be done.
    pub granted: bool,
    /// How long the client has to wait, in milliseconds.
    pub throttle_ms: i32,
}

impl Meters {
    /// Without limits. `window` is for bytes, request time and connections, `mutations` for partitions.
    #[must_use]
    pub fn new(window: Window, mutations: Window) -> Self {
        Self {
            window,
            mutations,
            limits: Limits::default(),
            meters: HashMap::new(),
            bytes: 0,
            now: Millis(i64::MIN),
            name: String::new(),
        }
    }

    /// From now on these quotas count. What was measured stays.
    pub fn set(&mut self, quotas: &Quotas) {
        self.limits = Limits::new(quotas);
        if quotas.is_empty() {
            self.forget();
        }
    }

    /// Whether anybody has a quota of this kind.
    #[must_use]
    pub fn limits(&self, kind: Kind) -> bool {
        self.limits.has(kind)
    }

    /// Whether any address has a quota.
    #[must_use]
    pub fn limits_addresses(&self) -> bool {
        self.limits.has_addresses()
    }

    /// Counts what a client had: bytes, or percent of a thread for a second. Gives how long it has to wait, in
    /// milliseconds; 0: not at all. Request time lets wait for one sample at most, as in Kafka.
    pub fn charge(&mut self, kind: Kind, client: Client<'_>, amount: f64, now: Millis) -> i32 {
        let Some(limit) = self.limits.of_client(kind, client) else { return 0 };
        let throttle_ms = self.count(kind, &limit, amount, now);
        let most = if kind == Kind::Request { self.window.sample_ms } else { i64::MAX };
        to_i32(throttle_ms.min(most))
    }

    /// Takes back what was counted a moment ago and is not given after all.
    pub fn refund(&mut self, kind: Kind, client: Client<'_>, amount: f64, now: Millis) {
        if let Some(limit) = self.limits.of_client(kind, client) {
            self.count(kind, &limit, -amount, now);
        }
    }

    /// The most that a client can have at once without having to wait, if it had nothing lately; `None`: as much as it
    /// likes (Kafka: `ClientQuotaManager.getMaxValueInQuotaWindow`).
    #[must_use]
    pub fn most_at_once(&self, kind: Kind, client: Client<'_>) -> Option<f64> {
        let limit = self.limits.of_client(kind, client)?;
        #[expect(clippy::cast_precision_loss, reason = "a sample of 285,000 years loses a millisecond")]
        let seconds = self.window.sample_ms as f64 / 1000.0;
        Some(limit.value * f64::from(self.window.samples - 1) * seconds)
    }

    /// Asks for so many partitions to come or go.
    pub fn permit(
        &mut self,
        client: Client<'_>,
        partitions: usize,
        strictness: Strictness,
        now: Millis,
    ) -> Permit {
        let granted = Permit { granted: true, throttle_ms: 0 };
        let Some(limit) = self.limits.of_client(Kind::Mutation, client) else { return granted };
        let now = self.tick(now);
        let window = self.mutations;
        let full = || Measure::Bucket(TokenBucket::new(limit.value, now, window));
        let Measure::Bucket(bucket) = self.meter(Kind::Mutation, limit.shared_by, full) else {
            unreachable!("mutations are counted in buckets");
        };
        if strictness == Strictness::Strict {
            let throttle_ms = to_i32(bucket.throttle_ms(limit.value, now, window));
            if throttle_ms > 0 {
                return Permit { granted: false, throttle_ms };
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a request names fewer partitions than that")]
        bucket.take(partitions as f64, limit.value, now, window);
        match strictness {
            Strictness::Strict => granted,
            Strictness::Permissive => {
                Permit { throttle_ms: to_i32(bucket.throttle_ms(limit.value, now, window)), ..granted }
            }
        }
    }

    /// Counts a new connection. Gives for how long its address has had too many, in milliseconds, one sample at most; then
    /// it is not to be served, and does not count. 0: it is welcome (Kafka: `ConnectionQuotas`).
    pub fn connect(&mut self, address: IpAddr, now: Millis) -> i32 {
        let Some(value) = self.limits.of_address(address) else { return 0 };
        let name = address.to_canonical().to_string();
        let now = self.tick(now);
        let window = self.window;
        let rate = self.rate('I', Client { user: "", id: &name });
        rate.record(1.0, now, window);
        let throttle_ms = rate.throttle_ms(value, now, window);
        if throttle_ms > 0 {
            rate.record(-1.0, now, window);
        }
        to_i32(throttle_ms.min(window.sample_ms))
    }

    /// Counts a connection, whoever it is from. Gives for how long it is to wait since there were more than `limit` per
    /// second (`max.connection.creation.rate`), in milliseconds, one sample at most (Kafka:
    /// `ConnectionQuotas.recordConnectionAndGetThrottleTimeMs`).
    pub fn accept(&mut self, limit: f64, now: Millis) -> i32 {
        let now = self.tick(now);
        let window = self.window;
        let rate = self.rate('A', Client { user: "", id: "" });
        rate.record(1.0, now, window);
        to_i32(rate.throttle_ms(limit, now, window).min(window.sample_ms))
    }

    /// Takes back what [`Meters::accept`] counted: the connection is not served after all.
    pub fn unaccept(&mut self, now: Millis) {
        let now = self.tick(now);
        let window = self.window;
        self.rate('A', Client { user: "", id: "" }).record(-1.0, now, window);
    }

    /// How many meters there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.meters.len()
    }

    /// Whether there is no meter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.meters.is_empty()
    }

    fn count(&mut self, kind: Kind, limit: &Limit<'_>, amount: f64, now: Millis) -> i64 {
        let now = self.tick(now);
        let window = self.window;
        let rate = self.rate(letter(kind), limit.shared_by);
        rate.record(amount, now, window);
        rate.throttle_ms(limit.value, now, window)
    }

    /// The time that meters are told: the latest one, since requests overlap. A clock that was set back ends all
    /// measuring, and it begins anew.
    fn tick(&mut self, now: Millis) -> Millis {
        if self.now.since(now) > self.window.sample_ms {
            self.forget();
            self.now = now;
        }
        self.now = self.now.max(now);
        self.now
    }

    fn forget(&mut self) {
        self.meters = HashMap::new();
        self.bytes = 0;
    }

    fn rate(&mut self, kind: char, shared_by: Client<'_>) -> &mut Rate {
        match self.meter_of(kind, shared_by, || Measure::Rate(Rate::default())) {
            Measure::Rate(rate) => rate,
            Measure::Bucket(_) => unreachable!("only mutations are counted in buckets"),
        }
    }

    fn meter(&mut self, kind: Kind, shared_by: Client<'_>, new: impl FnOnce() -> Measure) -> &mut Measure {
        self.meter_of(letter(kind), shared_by, new)
    }

    fn meter_of(&mut self, kind: char, shared_by: Client<'_>, new: impl FnOnce() -> Measure) -> &mut Measure {
        let mut name = std::mem::take(&mut self.name);
        name.clear();
        // Writing into a String does not fail. The length keeps the two apart.
        let _ = write!(name, "{kind}{}:{}{}", shared_by.user.len(), shared_by.user, shared_by.id);
        if !self.meters.contains_key(name.as_str()) {
            self.make_room(name.len());
            self.bytes += self.size_of(name.len());
            self.meters.insert(name.as_str().into(), Meter { measure: new(), used: self.now });
        }
        let meter = self.meters.get_mut(name.as_str()).expect("it is there by now");
        meter.used = self.now;
        self.name = name;
        &mut meter.measure
    }

    fn size_of(&self, name: usize) -> usize {
        let samples = (self.window.samples as usize).saturating_add(1);
        samples.saturating_mul(SAMPLE_BYTES).saturating_add(METER_BYTES + name)
    }

    /// Forgets meters, should there be too many for another one: those that would measure nothing any more, and if that is
    /// not enough, those that were quiet for longest, a quarter of all at once.
    fn make_room(&mut self, name: usize) {
        if self.meters.is_empty() || self.bytes.saturating_add(self.size_of(name)) <= MOST_BYTES {
            return;
        }
        let (now, window, mutations) = (self.now, self.window, self.mutations);
        self.meters.retain(|_, meter| !meter.is_idle(now, window, mutations));
        self.weigh();
        if self.meters.is_empty() || self.bytes.saturating_add(self.size_of(name)) <= MOST_BYTES / 4 * 3 {
            return;
        }
        let mut times: Vec<Millis> = self.meters.values().map(|meter| meter.used).collect();
        let quarter = times.len() / 4;
        let (_, oldest, _) = times.select_nth_unstable(quarter);
        let oldest = *oldest;
        let mut left = quarter + 1;
        // Of those of the same moment only as many as a quarter has.
        self.meters.retain(|_, meter| {
            let goes = left > 0 && meter.used <= oldest;
            left -= usize::from(goes);
            !goes
        });
        self.weigh();
    }

    fn weigh(&mut self) {
        self.bytes = self.meters.keys().map(|name| self.size_of(name.len())).fold(0, usize::saturating_add);
    }
}

impl Meter {
    /// Whether a new meter would say the same.
    fn is_idle(&self, now: Millis, window: Window, mutations: Window) -> bool {
        match &self.measure {
            Measure::Rate(_) => now.since(self.used) >= window.span_ms(),
            Measure::Bucket(bucket) => now.since(self.used) >= mutations.span_ms() && bucket.is_square(),
        }
    }
}

fn letter(kind: Kind) -> char {
    match kind {
        Kind::Produce => 'P',
        Kind::Fetch => 'F',
        Kind::Request => 'R',
        Kind::Mutation => 'M',
    }
}

fn to_i32(ms: i64) -> i32 {
    i32::try_from(ms.max(0)).unwrap_or(i32::MAX)
}
