//! What may be changed: requests in, records out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use base::NodeId;

use super::image::{Record, Resource, ResourceType};
use super::refusal::Refusal;
use crate::topics::name;

/// Most UTF-16 units of a value, as Kafka counts them.
pub(super) const LONGEST_VALUE: usize = 32_767;
/// Most records that one request may come to (Kafka: `MAX_RECORDS_PER_USER_OP`).
pub(super) const MOST_RECORDS: usize = 10_000;
/// Most bytes of keys, values and names in them: Kafka reads no larger batch of the metadata log than 8 MiB.
pub(super) const MOST_BYTES: usize = 4 << 20;
/// The one key that has rules of its own.
const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";

/// What is to become of one resource's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alteration {
    /// Whose.
    pub resource: Resource,
    /// How.
    pub change: Change,
}

/// A change of a configuration, in the order of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These are all the keys there shall be (AlterConfigs).
    Replace(Vec<(String, Option<String>)>),
    /// Each of these keys is changed so (IncrementalAlterConfigs): the key, the number of the operation, the value.
    Each(Vec<(String, i8, Option<String>)>),
}

/// What is done to one key (Kafka: `AlterConfigOp.OpType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// 0: it has this value from now on.
    Set,
    /// 1: it has no value of its own from now on.
    Delete,
    /// 2: these items are added to its list.
    Append,
    /// 3: these items are taken from its list.
    Subtract,
}

impl Operation {
    fn of(number: i8) -> Result<Self, Refusal> {
        match number {
            0 => Ok(Self::Set),
            1 => Ok(Self::Delete),
            2 => Ok(Self::Append),
            3 => Ok(Self::Subtract),
            other => Err(Refusal::UnknownOperation(other)),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set => "SET",
            Self::Delete => "DELETE",
            Self::Append => "APPEND",
            Self::Subtract => "SUBTRACT",
        })
    }
}

/// What the rules have to be told about the world.
pub trait Known {
    /// This broker.
    fn node(&self) -> NodeId;
    /// Whether `eligible.leader.replicas.version` is on (KIP-966).
    fn tracks_eligible_leaders(&self) -> bool;
    /// What a resource has of its own now; `None`: nothing.
    fn current(&self, resource: &Resource) -> Option<&BTreeMap<String, String>>;
    /// Whether there is a topic of this name.
    fn has_topic(&self, name: &str) -> bool;
    /// The default of a key whose value is a list, or `None` for any other key.
    fn list(&self, kind: ResourceType, key: &str) -> Option<&str>;
    /// Whether a resource may have all this, and nothing else.
    ///
    /// # Errors
    /// [`Refusal::InvalidConfig`] or [`Refusal::InvalidRequest`], as Kafka has it for this type.
    fn check(&self, resource: &Resource, configs: &BTreeMap<String, String>) -> Result<(), Refusal>;
}

/// Judges the changes of one request; the answers stand in its order, and each resource stands or falls alone. What is
/// first found wrong is what Kafka finds first.
pub fn alter(alterations: &[Alteration], known: &dyn Known) -> Vec<Result<Vec<Record>, Refusal>> {
    let mut times = HashMap::new();
    for alteration in alterations {
        *times.entry(&alteration.resource).or_insert(0) += 1;
    }
    let judge = |alteration: &Alteration| {
        if times[&alteration.resource] > 1 {
            return Err(Refusal::DuplicateResource);
        }
        alteration.change.check_form()?;
        judge(alteration, known)
    };
    let decided: Vec<_> = alterations.iter().map(judge).collect();
    let records = || decided.iter().flatten().flatten();
    if records().count() > MOST_RECORDS || records().map(size).sum::<usize>() > MOST_BYTES {
        return alterations.iter().map(|_| Err(Refusal::TooMuch)).collect();
    }
    decided
}

fn size(record: &Record) -> usize {
    record.resource.name.len() + record.key.len() + record.value.as_ref().map_or(0, String::len)
}

impl Change {
    /// What is wrong whatever it is for.
    fn check_form(&self) -> Result<(), Refusal> {
        let mut keys: Vec<(&String, bool)> = Vec::new();
        match self {
            Self::Replace(pairs) => keys.extend(pairs.iter().map(|(key, value)| (key, value.is_none()))),
            Self::Each(changes) => {
                let is_missing = |op: i8, value: &Option<String>| op != 1 && value.is_none();
                keys.extend(changes.iter().map(|(key, op, value)| (key, is_missing(*op, value))));
            }
        }
        let mut seen = HashSet::new();
        if let Some((key, _)) = keys.iter().find(|(key, _)| !seen.insert(*key)) {
            return Err(Refusal::DuplicateKey { key: (*key).clone() });
        }
        let missing: Vec<String> =
            keys.iter().filter(|(_, missing)| *missing).map(|(key, _)| (*key).clone()).collect();
        if missing.is_empty() { Ok(()) } else { Err(Refusal::NullValue { keys: missing }) }
    }
}

fn judge(alteration: &Alteration, known: &dyn Known) -> Result<Vec<Record>, Refusal> {
    let Alteration { resource, change } = alteration;
    match resource.kind {
        ResourceType::Topic | ResourceType::ClientMetrics | ResourceType::Group => {}
        ResourceType::Broker if resource.name.is_empty() => {}
        ResourceType::Broker => check_broker(&resource.name, known.node())?,
        ResourceType::BrokerLogger => return judge_loggers(resource, change, known.node()),
        kind @ ResourceType::Unknown(_) => return Err(Refusal::NotConfigurable { kind }),
    }
    let nothing = BTreeMap::new();
    let current = known.current(resource).unwrap_or(&nothing);
    let altered = match change {
        Change::Replace(pairs) => replaced(pairs, current),
        Change::Each(changes) => changed(resource.kind, changes, current, known)?,
    };
    let mut all = current.clone();
    for (key, value) in &altered {
        match value {
            Some(value) => all.insert(key.clone(), value.clone()),
            None => all.remove(key),
        };
    }
    // Kafka's broker checks what is for it before its controller looks at anything.
    if resource.kind == ResourceType::Broker {
        known.check(resource, &all)?;
    }
    // Records are also written of a broker's keys that stay as they are, as in Kafka (KAFKA-14136).
    let is_news = |(key, value): &(String, Option<String>)| {
        resource.kind == ResourceType::Broker || current.get(key) != value.as_ref()
    };
    let news: Vec<(String, Option<String>)> = altered.into_iter().filter(is_news).collect();
    for (key, value) in &news {
        check_record(resource, key, value.as_deref(), known)?;
    }
    match resource.kind {
        ResourceType::Broker | ResourceType::BrokerLogger | ResourceType::Unknown(_) => {}
        _ if resource.name.is_empty() => return Err(Refusal::NoName),
        ResourceType::Topic => {
            name::check(&resource.name)?;
            known.check(resource, &all)?;
            if !known.has_topic(&resource.name) {
                return Err(Refusal::UnknownTopic);
            }
        }
        ResourceType::Group | ResourceType::ClientMetrics => known.check(resource, &all)?,
    }
    let record = |(key, value)| Record { resource: resource.clone(), key, value };
    Ok(news.into_iter().map(record).collect())
}

fn check_broker(name: &str, node: NodeId) -> Result<(), Refusal> {
    // Not as a number: what is kept under `01` would be nobody's.
    if name == node.0.to_string() {
        return Ok(());
    }
    Err(Refusal::OtherBroker { name: name.to_owned(), node })
}

/// What a full set comes to, key by key: what is in it, then what is not in it any more.
fn replaced(
    pairs: &[(String, Option<String>)],
    current: &BTreeMap<String, String>,
) -> Vec<(String, Option<String>)> {
    let stays: HashSet<&String> = pairs.iter().map(|(key, _)| key).collect();
    let goes = current.keys().filter(|key| !stays.contains(key)).map(|key| (key.clone(), None));
    pairs.iter().cloned().chain(goes).collect()
}

/// What single changes come to, key by key.
fn changed(
    kind: ResourceType,
    changes: &[(String, i8, Option<String>)],
    current: &BTreeMap<String, String>,
    known: &dyn Known,
) -> Result<Vec<(String, Option<String>)>, Refusal> {
    let one = |(key, number, value): &(String, i8, Option<String>)| {
        let operation = Operation::of(*number)?;
        let value = match operation {
            Operation::Set => value.clone(),
            Operation::Delete => None,
            Operation::Append | Operation::Subtract => {
                let not_a_list = || Refusal::NotAList { operation, key: key.clone() };
                let default = known.list(kind, key).ok_or_else(not_a_list)?;
                let list = current.get(key).map_or(default, String::as_str);
                Some(with_items(list, operation, value.as_deref().unwrap_or_default()))
            }
        };
        Ok((key.clone(), value))
    };
    changes.iter().map(one).collect()
}

/// Kafka: `ConfigurationControlManager.getParts` and its caller.
fn with_items(list: &str, operation: Operation, items: &str) -> String {
    let mut parts: Vec<&str> = list.split(',').filter(|part| !part.is_empty()).collect();
    // Java drops what is empty at the end, but not the only one.
    let items = match items.trim_end_matches(',') {
        "" if !items.is_empty() => Vec::new(),
        items => items.split(',').collect(),
    };
    for item in items {
        let at = parts.iter().position(|part| *part == item);
        match (operation, at) {
            (Operation::Append, None) => parts.push(item),
            (Operation::Subtract, Some(at)) => drop(parts.remove(at)),
            _ => {}
        }
    }
    parts.join(",")
}

fn check_record(
    resource: &Resource,
    key: &str,
    value: Option<&str>,
    known: &dyn Known,
) -> Result<(), Refusal> {
    let is_common = key == MIN_INSYNC_REPLICAS
        && resource.kind == ResourceType::Broker
        && known.tracks_eligible_leaders();
    if is_common && !resource.name.is_empty() {
        return Err(Refusal::MinInsyncReplicasOfBroker);
    }
    if is_common && value.is_none() {
        return Err(Refusal::MinInsyncReplicasTakenAway);
    }
    if value.is_some_and(|value| value.encode_utf16().count() > LONGEST_VALUE) {
        return Err(Refusal::ValueTooLong { key: key.to_owned() });
    }
    Ok(())
}

/// There are no loggers by name, so none can be set (Kafka: `RuntimeLoggerManager`).
fn judge_loggers(resource: &Resource, change: &Change, node: NodeId) -> Result<Vec<Record>, Refusal> {
    let Change::Each(changes) = change else {
        return Err(Refusal::NotConfigurable { kind: resource.kind });
    };
    check_broker(&resource.name, node)?;
    let Some((logger, number, _)) = changes.first() else { return Ok(Vec::new()) };
    Err(match Operation::of(*number)? {
        Operation::Set | Operation::Delete => Refusal::NoSuchLogger(logger.clone()),
        operation => Refusal::NotForLoggers { operation },
    })
}
