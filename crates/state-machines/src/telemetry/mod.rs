//! Metrics that clients push (KIP-714): which of them are wanted of whom, and when a push is taken (Kafka:
//! `ClientMetricsManager`, `ClientMetricsInstance`).
//!
//! A client has an instance id, which the broker gives it. It asks for its subscription, and pushes under the subscription's
//! number as often as that says. What is known of an instance goes with its connection, when it is silent for long, or when
//! there are too many; a client that is not known begins anew and is asked for nothing but the number.

mod subscription;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use base::{Millis, Uuid};
use twox_hash::XxHash3_64;

use subscription::{Attributes, wanted};
pub use subscription::{Budget, MOST_PATTERNS, MOST_SUBSCRIPTIONS, Subscription, faults};

/// Most instances that are known at a time (Kafka: `CACHE_MAX_SIZE`).
const MOST_INSTANCES: usize = 16_384;
/// Least time that a silent instance is known for, in milliseconds (Kafka: `DEFAULT_CACHE_EXPIRY_MS`).
const LEAST_EXPIRY_MS: i64 = 60_000;
/// The codecs of Kafka: none, gzip, snappy, lz4, zstd.
const CODECS: std::ops::RangeInclusive<i8> = 0..=4;
/// What is kept of a software's name and version, in characters; they come from outside.
const LONGEST_NAME: usize = 256;
/// What a client is called that has not said what it is (Kafka: `ClientInformation.EMPTY`).
const UNKNOWN: &str = "unknown";

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The connection.
    pub peer: SocketAddr,
    /// What it calls itself.
    pub client_id: &'a str,
}

/// A push, without its metrics.
#[derive(Clone, Copy, Debug)]
pub struct Push {
    /// Whose.
    pub instance: Uuid,
    /// The number of its subscription.
    pub subscription_id: i32,
    /// Whether it is the last one.
    pub is_last: bool,
    /// How the metrics are compressed, by Kafka's number.
    pub compression: i8,
    /// How many bytes they have, compressed.
    pub bytes: usize,
}

/// What a client is to push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The number of this subscription.
    pub subscription_id: i32,
    /// Prefixes of the metrics' names; one `*`: all metrics; none: no metrics.
    pub metrics: Vec<String>,
    /// Milliseconds between two pushes.
    pub interval_ms: i32,
}

/// Why something is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too early.
    TooEarly,
    /// Not an id of a client's, or of one that has said farewell.
    Invalid,
    /// Of another subscription than the one in force.
    UnknownSubscription,
    /// There is no such codec.
    UnknownCompression,
    /// More bytes than a push may have.
    TooLarge,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Telemetry {
    most_bytes: usize,
    subscriptions: Vec<Arc<Subscription>>,
    /// Rises with each change of the subscriptions.
    version: u64,
    instances: HashMap<Uuid, Instance>,
    /// The instances, by when they were used last.
    by_use: BTreeMap<u64, Uuid>,
    uses: u64,
    connections: HashMap<SocketAddr, Connection>,
}

/// What is known of a connection, until it ends.
#[derive(Debug, Default)]
struct Connection {
    software: Option<(String, String)>,
    instance: Option<Uuid>,
}

#[derive(Clone, Debug)]
struct Instance {
    subscription_id: i32,
    version: u64,
    interval_ms: i32,
    asked_at: Option<Millis>,
    pushed_at: Option<Millis>,
    has_said_farewell: bool,
    /// Its last push was refused for a reason that a new subscription mends.
    may_ask_again: bool,
    expires: Millis,
    used: u64,
}

impl Instance {
    fn is_over(&self, since: Option<Millis>, now: Millis) -> bool {
        // A clock that was set back keeps nobody waiting.
        since.is_none_or(|since| now < since || now.since(since) >= i64::from(self.interval_ms))
    }
}

impl Telemetry {
    /// Nobody is known, and nothing is wanted. A push may have `most_bytes` (`telemetry.max.bytes`).
    #[must_use]
    pub fn new(most_bytes: usize) -> Self {
        Self { most_bytes, ..Self::default() }
    }

    /// From now on this is wanted. Who is known asks for it with its next push, which is refused.
    pub fn want(&mut self, subscriptions: Vec<Arc<Subscription>>) {
        self.subscriptions = subscriptions;
        self.version += 1;
    }

    /// A client has said what it runs on.
    pub fn introduced(&mut self, peer: SocketAddr, name: &str, version: &str) {
        let short = |text: &str| text.chars().take(LONGEST_NAME).collect();
        self.connections.entry(peer).or_default().software = Some((short(name), short(version)));
    }

    /// What the client of a connection runs on: name and version, as far as it has said so.
    #[must_use]
    pub fn software(&self, peer: SocketAddr) -> (&str, &str) {
        let software = self.connections.get(&peer).and_then(|connection| connection.software.as_ref());
        software.map_or((UNKNOWN, UNKNOWN), |(name, version)| (name, version))
    }

    /// A connection is over, and with it what was known of its client.
    pub fn ended(&mut self, peer: SocketAddr) {
        if let Some(instance) = self.connections.remove(&peer).and_then(|connection| connection.instance) {
            self.forget(instance);
        }
    }

    /// Says whether `id` is known, so that it is not given to somebody else.
    #[must_use]
    pub fn knows(&self, id: Uuid) -> bool {
        self.instances.contains_key(&id)
    }

    /// Says what is wanted of the client with this instance id.
    ///
    /// # Errors
    /// When it has asked or pushed a moment ago.
    pub fn ask(&mut self, id: Uuid, client: Client<'_>, now: Millis) -> Result<Wanted, Refusal> {
        self.meet(id, client, now);
        let (metrics, _) = wanted(&self.subscriptions, &self.attributes(id, client));
        let instance = self.instances.get_mut(&id).expect("it was met just now");
        let last = instance.asked_at.max(instance.pushed_at);
        let is_early = !instance.is_over(last, now);
        if !is_early {
            instance.asked_at = Some(now);
        } else if !instance.may_ask_again {
            return Err(Refusal::TooEarly);
        }
        instance.may_ask_again = false;
        let (subscription_id, interval_ms) = (instance.subscription_id, instance.interval_ms);
        Ok(Wanted { subscription_id, metrics, interval_ms })
    }

    /// Whether a push is taken.
    ///
    /// # Errors
    /// Why not.
    pub fn push(&mut self, push: Push, client: Client<'_>, now: Millis) -> Result<(), Refusal> {
        /// Kafka's `Uuid.RESERVED`.
        const RESERVED: [u128; 2] = [0, 1];
        if RESERVED.contains(&push.instance.as_u128()) {
            return Err(Refusal::Invalid);
        }
        self.meet(push.instance, client, now);
        let most_bytes = self.most_bytes;
        let instance = self.instances.get_mut(&push.instance).expect("it was met just now");
        let verdict = instance.judge(push, most_bytes, now);
        instance.may_ask_again =
            matches!(verdict, Err(Refusal::UnknownSubscription | Refusal::UnknownCompression));
        instance.has_said_farewell = push.is_last;
        verdict
    }

    /// Makes the instance known, or what is known of it new.
    fn meet(&mut self, id: Uuid, client: Client<'_>, now: Millis) {
        let known = self.instances.get(&id);
        let is_known = known.is_some_and(|known| known.version == self.version && now < known.expires);
        if !is_known {
            self.forget(id);
            let (metrics, interval_ms) = wanted(&self.subscriptions, &self.attributes(id, client));
            let instance = Instance {
                subscription_id: subscription_id(&metrics, interval_ms, id),
                version: self.version,
                interval_ms,
                asked_at: None,
                pushed_at: None,
                has_said_farewell: false,
                may_ask_again: false,
                expires: now,
                used: 0,
            };
            self.instances.insert(id, instance);
            self.connections.entry(client.peer).or_default().instance = Some(id);
        }
        self.uses += 1;
        let instance = self.instances.get_mut(&id).expect("inserted, or there before");
        self.by_use.remove(&instance.used);
        instance.used = self.uses;
        instance.expires = now.plus(LEAST_EXPIRY_MS.max(3 * i64::from(instance.interval_ms)));
        self.by_use.insert(self.uses, id);
        if self.instances.len() > MOST_INSTANCES
            && let Some((_, oldest)) = self.by_use.first_key_value()
        {
            self.forget(*oldest);
        }
    }

    fn forget(&mut self, id: Uuid) {
        if let Some(instance) = self.instances.remove(&id) {
            self.by_use.remove(&instance.used);
        }
    }

    fn attributes(&self, id: Uuid, client: Client<'_>) -> Attributes {
        let (software_name, software_version) = self.software(client.peer);
        Attributes {
            instance_id: shown(id),
            client_id: client.client_id.to_owned(),
            software_name: software_name.to_owned(),
            software_version: software_version.to_owned(),
            source_address: client.peer.ip().to_canonical().to_string(),
            source_port: client.peer.port().to_string(),
        }
    }
}

impl Instance {
    fn judge(&mut self, push: Push, most_bytes: usize, now: Millis) -> Result<(), Refusal> {
        if self.has_said_farewell {
            return Err(Refusal::Invalid);
        }
        // The first push after a question comes when the client likes: it spreads them by chance.
        let is_first = self.asked_at > self.pushed_at;
        if is_first || self.is_over(self.pushed_at, now) {
            self.pushed_at = Some(now);
        } else if !push.is_last {
            return Err(Refusal::TooEarly);
        }
        if push.subscription_id != self.subscription_id {
            return Err(Refusal::UnknownSubscription);
        }
        if !CODECS.contains(&push.compression) {
            return Err(Refusal::UnknownCompression);
        }
        if push.bytes > most_bytes {
            return Err(Refusal::TooLarge);
        }
        Ok(())
    }
}

/// A number for what is wanted of an instance: another one when something else is.
fn subscription_id(metrics: &[String], interval_ms: i32, id: Uuid) -> i32 {
    let hash = XxHash3_64::oneshot(format!("{metrics:?}{interval_ms}").as_bytes());
    let (high, low) = id.as_u64_pair();
    let mixed = (hash ^ high ^ low).to_be_bytes();
    i32::from_be_bytes([mixed[0] ^ mixed[4], mixed[1] ^ mixed[5], mixed[2] ^ mixed[6], mixed[3] ^ mixed[7]])
}

/// An id as Kafka writes it: base64 for addresses, without padding.
#[must_use]
pub fn shown(id: Uuid) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // 128 bits and four zeros behind them make 22 digits.
    let number = id.as_u128();
    let digit = |place: u32| {
        let bits = if place < 21 { (number >> (122 - 6 * place)) & 63 } else { (number << 4) & 63 };
        char::from(DIGITS[usize::try_from(bits).expect("six bits")])
    };
    (0..22).map(digit).collect()
}

#[cfg(test)]
mod tests;
