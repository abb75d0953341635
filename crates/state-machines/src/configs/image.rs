//! The image of the configurations, and the records that change it.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What a configuration is for, under Kafka's numbers (`ConfigResource.Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceType {
    /// 2: a topic.
    Topic,
    /// 4: a broker, or all brokers.
    Broker,
    /// 8: the loggers of a broker, whose levels are kept nowhere.
    BrokerLogger,
    /// 16: a subscription to client metrics (KIP-714).
    ClientMetrics,
    /// 32: a group (KIP-848).
    Group,
    /// A number that Kafka 4.1 does not know.
    Unknown(i8),
}

impl ResourceType {
    /// The type with this number.
    #[must_use]
    pub const fn of(number: i8) -> Self {
        match number {
            2 => Self::Topic,
            4 => Self::Broker,
            8 => Self::BrokerLogger,
            16 => Self::ClientMetrics,
            32 => Self::Group,
            other => Self::Unknown(other),
        }
    }

    /// Kafka's number.
    #[must_use]
    pub const fn number(self) -> i8 {
        match self {
            Self::Topic => 2,
            Self::Broker => 4,
            Self::BrokerLogger => 8,
            Self::ClientMetrics => 16,
            Self::Group => 32,
            Self::Unknown(other) => other,
        }
    }
}

/// Something that has a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// What it is.
    pub kind: ResourceType,
    /// Its name; of a broker its number, or nothing for all brokers.
    pub name: String,
}

impl Resource {
    /// The resource of this kind and name.
    #[must_use]
    pub fn new(kind: ResourceType, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

/// A key is set, or taken away (ConfigRecord).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose key.
    pub resource: Resource,
    /// The key.
    pub key: String,
    /// Its value; `None` takes the key away.
    pub value: Option<String>,
}

/// The configurations of everything but topics. Cloning shares them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configs {
    by_resource: Arc<BTreeMap<Resource, BTreeMap<String, String>>>,
}

impl Configs {
    /// What `resource` was given, by key; `None`: nothing.
    #[must_use]
    pub fn get(&self, resource: &Resource) -> Option<&BTreeMap<String, String>> {
        self.by_resource.get(resource)
    }

    /// Whether both are the same image, which nothing has changed since. Costs nothing.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.by_resource, &other.by_resource)
    }

    /// Every resource that was given something, with what that is, by type and name.
    pub fn iter(&self) -> impl Iterator<Item = (&Resource, &BTreeMap<String, String>)> {
        self.by_resource.iter()
    }

    /// The resources of one type that were given something, by name.
    pub fn of_type(&self, kind: ResourceType) -> impl Iterator<Item = (&str, &BTreeMap<String, String>)> {
        self.iter()
            .filter(move |(resource, _)| resource.kind == kind)
            .map(|(resource, configs)| (&*resource.name, configs))
    }

    /// Changes the image as `record` says: the same for a fresh decision and for a replay. A resource goes with its last
    /// key.
    pub fn apply(&mut self, record: &Record) {
        let by_resource = Arc::make_mut(&mut self.by_resource);
        match &record.value {
            Some(value) => {
                let configs = by_resource.entry(record.resource.clone()).or_default();
                configs.insert(record.key.clone(), value.clone());
            }
            None => {
                if let Some(configs) = by_resource.get_mut(&record.resource) {
                    configs.remove(&record.key);
                    if configs.is_empty() {
                        by_resource.remove(&record.resource);
                    }
                }
            }
        }
    }
}
