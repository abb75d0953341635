//! What may be altered: requests in, records out (Kafka: `ClientQuotaControlManager`).

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::entity::{CLIENT_ID, Entity, IP, USER};
use super::image::{Quotas, Record};
use super::limits::{
    CONNECTION_CREATION_RATE, CONSUMER_BYTE_RATE, CONTROLLER_MUTATION_RATE, PRODUCER_BYTE_RATE,
    REQUEST_PERCENTAGE,
};

/// Most changes that one request may lead to (Kafka: `MAX_RECORDS_PER_USER_OP`), so that they fit one metadata batch.
pub const MOST_RECORDS: usize = 10_000;

/// Most bytes of the names that these changes hold: Kafka reads no larger batch of the metadata log than 8 MiB.
const MOST_RECORD_BYTES: usize = 4 << 20;

/// A wish about one entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Alteration {
    /// Whose quotas.
    pub entity: Entity,
    /// The keys, each with its new value; `None` removes it.
    pub changes: Vec<(String, Option<f64>)>,
}

/// Why the quotas of an entity are not altered. All are INVALID_REQUEST 42, but for the last.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Neither user nor client id nor address.
    #[error("the entity is empty; name a user, a client-id or an ip")]
    EmptyEntity,
    /// A type that does not exist.
    #[error("there is no entity type {0}; there are user, client-id and ip")]
    UnknownType(String),
    /// A name of no characters; the default is a null.
    #[error("the name of the {0} is empty; the default has no name at all")]
    EmptyName(String),
    /// An address stands alone.
    #[error("an ip cannot be combined with a user or a client-id")]
    IpWithOthers,
    /// Not an address.
    #[error("{0} is no IP address (host names are not looked up)")]
    NotAnAddress(String),
    /// A key that does not exist, or not for such an entity.
    #[error("there is no quota {0} for such an entity")]
    UnknownKey(String),
    /// Zero, less, or not a number.
    #[error("the quota {0} must be greater than 0")]
    NotPositive(String),
    /// More than the type of the key can hold.
    #[error("the value of the quota {0} is too large")]
    TooLarge(String),
    /// Half a byte.
    #[error("the quota {0} is a whole number")]
    Fraction(String),
    /// A key twice for one entity.
    #[error("the quota {0} is named more than once for this entity")]
    KeyTwice(String),
    /// An entity twice in one request.
    #[error("the entity is named more than once in the request; none of its quotas is altered")]
    EntityTwice,
    /// POLICY_VIOLATION 44: more than [`MOST_RECORDS`], or of more than 4 MiB.
    #[error(
        "the request alters more than {MOST_RECORDS} quotas at once, or those of names of more than {MOST_RECORD_BYTES} bytes"
    )]
    TooMany,
}

/// What comes of the wish about an entity.
pub type Answer = (Entity, Result<(), Refusal>);

/// What comes of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// One answer per entity, in the order in which they were first named.
    pub answers: Vec<Answer>,
    /// What is to be stored, for the entities that are not refused.
    pub records: Vec<Record>,
}

impl Quotas {
    /// Judges wishes. Each entity stands or falls alone; a value that is there already leads to no record.
    #[must_use]
    pub fn alter(&self, wishes: &[Alteration]) -> Decision {
        let mut times: BTreeMap<&Entity, usize> = BTreeMap::new();
        for wish in wishes {
            *times.entry(&wish.entity).or_default() += 1;
        }
        let mut decision = Decision { answers: Vec::new(), records: Vec::new() };
        for wish in wishes {
            let judged = match times.insert(&wish.entity, 0) {
                Some(0) => continue,
                Some(1) => self.judge(wish),
                _ => Err(Refusal::EntityTwice),
            };
            let answer = judged.map(|records| decision.records.extend(records));
            decision.answers.push((wish.entity.clone(), answer));
        }
        let bytes: usize = decision.records.iter().map(size).sum();
        if decision.records.len() > MOST_RECORDS || bytes > MOST_RECORD_BYTES {
            decision.records.clear();
            decision.answers.iter_mut().for_each(|(_, answer)| *answer = Err(Refusal::TooMany));
        }
        decision
    }

    fn judge(&self, wish: &Alteration) -> Result<Vec<Record>, Refusal> {
        let mut changes = BTreeMap::new();
        for (key, value) in &wish.changes {
            if changes.insert(key, *value).is_some() {
                return Err(Refusal::KeyTwice(key.clone()));
            }
        }
        let keys = keys_for(&wish.entity)?;
        let mut records = Vec::new();
        for (key, value) in changes {
            let current = self.get(&wish.entity, key);
            match value {
                None if current.is_none() => continue,
                None => {}
                Some(value) => {
                    check(keys, key, value)?;
                    if current == Some(value) {
                        continue;
                    }
                }
            }
            records.push(Record { entity: wish.entity.clone(), key: key.clone(), value });
        }
        Ok(records)
    }
}

fn size(record: &Record) -> usize {
    let parts = record.entity.parts().map(|(kind, name)| kind.len() + name.map_or(0, str::len));
    record.key.len() + parts.sum::<usize>()
}

/// The type of a quota's value, as Kafka's `QuotaConfig` has it.
#[derive(Clone, Copy)]
enum Number {
    Long,
    Int,
    Double,
}

type Keys = &'static [(&'static str, Number)];

const OF_CLIENTS: Keys = &[
    (PRODUCER_BYTE_RATE, Number::Long),
    (CONSUMER_BYTE_RATE, Number::Long),
    (REQUEST_PERCENTAGE, Number::Double),
    (CONTROLLER_MUTATION_RATE, Number::Double),
];
const OF_ADDRESSES: Keys = &[(CONNECTION_CREATION_RATE, Number::Int)];

/// The keys that an entity may have, if it is one.
fn keys_for(entity: &Entity) -> Result<Keys, Refusal> {
    for (kind, name) in entity.parts() {
        if ![USER, CLIENT_ID, IP].contains(&kind) {
            return Err(Refusal::UnknownType(kind.to_owned()));
        }
        if name == Some("") {
            return Err(Refusal::EmptyName(kind.to_owned()));
        }
    }
    match entity.part(IP) {
        None if entity.is_empty() => Err(Refusal::EmptyEntity),
        None => Ok(OF_CLIENTS),
        Some(_) if entity.len() > 1 => Err(Refusal::IpWithOthers),
        Some(Some(address)) if address.parse::<IpAddr>().is_err() => {
            Err(Refusal::NotAnAddress(address.to_owned()))
        }
        Some(_) => Ok(OF_ADDRESSES),
    }
}

fn check(keys: Keys, key: &str, value: f64) -> Result<(), Refusal> {
    let Some((_, number)) = keys.iter().find(|(name, _)| *name == key) else {
        return Err(Refusal::UnknownKey(key.to_owned()));
    };
    if value.is_nan() || value <= 0.0 {
        return Err(Refusal::NotPositive(key.to_owned()));
    }
    let most = match number {
        Number::Double => return Ok(()),
        Number::Int => f64::from(i32::MAX),
        // 2 to the 63rd: as a float, Kafka's largest long is that.
        Number::Long => 9_223_372_036_854_775_808.0,
    };
    if value > most {
        return Err(Refusal::TooLarge(key.to_owned()));
    }
    // As much as Kafka lets pass for a whole number.
    if value % 1.0 > 1e-6 { Err(Refusal::Fraction(key.to_owned())) } else { Ok(()) }
}
