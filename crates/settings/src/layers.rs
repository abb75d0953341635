//! The layers a value comes from, weakest last: topic, this broker, all brokers, the start, the default.
//!
//! What DescribeConfigs and CreateTopics answer is read off here. Kafka: `ConfigHelper`, `DynamicBrokerConfig`,
//! `KafkaConfigSchema.resolveEffectiveTopicConfig`.

use std::collections::BTreeMap;

use crate::broker::{self, Scope};
use crate::error::SettingError;
use crate::idle;
use crate::settings::{BrokerKey, Changed, Settings};
use crate::topic::{self, TopicRow};

/// Where a value comes from, strongest first (Kafka: `ConfigEntry.ConfigSource`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The topic's own override.
    Topic,
    /// A broker key that was changed for this broker.
    DynamicBroker,
    /// A broker key that was changed for all brokers.
    DynamicDefault,
    /// A broker key that was given at the start.
    Static,
    /// None of these.
    Default,
}

/// A value that a key has, or would have if the stronger ones were not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SynonymValue {
    /// The key it was given to.
    pub name: &'static str,
    /// As text.
    pub value: String,
    /// Where it comes from.
    pub source: Source,
}

/// One topic key with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its row.
    pub row: &'static TopicRow,
    /// Its value as text, in the unit of the topic key; `None`: unset.
    pub value: Option<String>,
    /// Where the value comes from: what CreateTopics answers.
    pub source: Source,
    /// What DescribeConfigs answers as synonyms, strongest first; the source that it answers is that of the first one, or
    /// [`Source::Default`]. As in Kafka, which leaves out what stands before the strongest synonym's own name, a value
    /// that comes from `log.retention.hours` alone has none.
    pub synonyms: Vec<SynonymValue>,
}

/// One broker key with its value.
#[derive(Clone, Debug)]
pub struct BrokerEntry {
    /// Its row.
    pub key: BrokerKey,
    /// Its value as text; `None`: unset.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: Source,
    /// As in [`Entry::synonyms`].
    pub synonyms: Vec<SynonymValue>,
}

/// The layers of broker keys, strongest first.
const LAYERS: [Source; 4] = [Source::DynamicBroker, Source::DynamicDefault, Source::Static, Source::Default];

/// Keys that say the same thing in other units, strongest first (Kafka: `DynamicBrokerConfig.brokerConfigSynonyms`).
const FAMILIES: [&[&str]; 3] = [
    &["log.roll.ms", "log.roll.hours"],
    &["log.roll.jitter.ms", "log.roll.jitter.hours"],
    &["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
];

/// Falls back on a key that has a meaning of its own, so it is no synonym the other way round.
const FLUSH: &[&str] = &["log.flush.interval.ms", "log.flush.scheduler.interval.ms"];

impl Settings {
    /// These settings with what was changed since the start, for this broker and for all of them: what was changed before
    /// is forgotten. With them what was left out and why: keys that are unknown here, may not be changed, or have a value
    /// that is not allowed.
    #[must_use]
    pub fn with_changes(
        &self,
        broker: &BTreeMap<String, String>,
        all_brokers: &BTreeMap<String, String>,
    ) -> (Self, Vec<SettingError>) {
        let mut settings = self.clone();
        settings.changed = Changed::default();
        let mut left_out = Vec::new();
        let mut layer = |pairs: &BTreeMap<String, String>, is_one: bool| {
            let mut layer = BTreeMap::new();
            for (key, text) in pairs {
                match Self::check_change(key, text, is_one) {
                    Ok(key) => drop(layer.insert(key.name(), text.trim().to_owned())),
                    Err(error) => left_out.push(error),
                }
            }
            layer
        };
        settings.changed.all_brokers = layer(all_brokers, false);
        settings.changed.broker = layer(broker, true);
        for row in broker::ROWS {
            // What was changed before may be gone, so every key that can change is read anew.
            if row.scope != Scope::ReadOnly {
                let text = settings.effective(row.name).map(|(text, _)| text.to_owned());
                settings.values.reset(row, text.as_deref());
            }
        }
        (settings, left_out)
    }

    /// Checks a change of one broker key while the broker runs: for one broker, or for all of them. What several keys
    /// come to together is for [`Settings::check`], on what [`Settings::with_changes`] makes of it.
    ///
    /// # Errors
    /// [`SettingError::Unknown`], [`SettingError::ReadOnly`], [`SettingError::PerBroker`] or [`SettingError::Bad`].
    pub fn check_change(key: &str, text: &str, is_one_broker: bool) -> Result<BrokerKey, SettingError> {
        let key = BrokerKey::named(key)?;
        match key.scope() {
            Scope::ReadOnly => return Err(SettingError::ReadOnly { key: key.name() }),
            // They are about TLS and SASL, and nobody shall take a secret that was stored for one that is used. Those of
            // Kerberos are no secrets, and what tries out a change of a broker takes one of them (librdkafka's tests).
            Scope::PerBroker
                if matches!(key, BrokerKey::Idle(_)) && !key.name().starts_with("sasl.kerberos.") =>
            {
                return Err(SettingError::ReadOnly { key: key.name() });
            }
            Scope::PerBroker if !is_one_broker => return Err(SettingError::PerBroker { key: key.name() }),
            Scope::PerBroker | Scope::ClusterWide => {}
        }
        key.check(text)?;
        Ok(key)
    }

    /// What was changed for this broker since the start, by key.
    #[must_use]
    pub const fn changed_for_this_broker(&self) -> &BTreeMap<&'static str, String> {
        &self.changed.broker
    }

    /// What was changed for all brokers since the start, by key.
    #[must_use]
    pub const fn changed_for_all_brokers(&self) -> &BTreeMap<&'static str, String> {
        &self.changed.all_brokers
    }

    /// Every broker key, also those without effect, with its value and where that comes from, in the order of the table.
    pub fn broker_entries(&self) -> impl Iterator<Item = BrokerEntry> {
        let works = broker::ROWS.iter().map(BrokerKey::Works);
        works.chain(idle::ROWS.iter().map(BrokerKey::Idle)).map(|key| {
            let (value, source) = match self.effective(key.name()) {
                Some((text, source)) => (Some(text.to_owned()), source),
                None => (None, Source::Default),
            };
            let synonyms = self.synonym_values(key.name(), broker_synonyms(key.name()));
            BrokerEntry { key, value, source, synonyms }
        })
    }

    /// Every topic key with its value for a topic with these overrides, and where that comes from, sorted by key. Does
    /// not check the overrides.
    #[must_use]
    pub fn topic_entries(&self, overrides: &BTreeMap<String, String>) -> Vec<Entry> {
        topic::ROWS.iter().map(|row| self.topic_entry(row, overrides)).collect()
    }

    fn topic_entry(&self, row: &'static TopicRow, overrides: &BTreeMap<String, String>) -> Entry {
        let (value, source) = match (overrides.get(row.name), self.synonym(row)) {
            (Some(text), _) => (Some(text.clone()), Source::Topic),
            (None, Some((_, text, source))) => (Some(text), source),
            (None, None) => (row.default.map(str::to_owned), Source::Default),
        };
        let mut synonyms = match row.synonyms.first() {
            Some(first) => self.synonym_values(first.name, broker_synonyms(first.name)),
            None => Vec::new(),
        };
        if let Some(text) = overrides.get(row.name) {
            let own = SynonymValue { name: row.name, value: text.clone(), source: Source::Topic };
            synonyms.insert(0, own);
        }
        Entry { row, value, source, synonyms }
    }

    /// The text of a broker key in one layer.
    fn layer(&self, key: &str, source: Source) -> Option<&str> {
        match source {
            Source::Topic => None,
            Source::DynamicBroker => self.changed.broker.get(key).map(String::as_str),
            Source::DynamicDefault => self.changed.all_brokers.get(key).map(String::as_str),
            Source::Static => self.given_as(key).map(|(_, given)| given.text.as_str()),
            Source::Default => BrokerKey::named(key).ok()?.default(),
        }
    }

    /// The text of a broker key, and where it comes from; `None`: unset.
    pub(crate) fn effective(&self, key: &str) -> Option<(&str, Source)> {
        LAYERS.into_iter().find_map(|source| Some((self.layer(key, source)?, source)))
    }

    fn synonym_values(&self, name: &str, synonyms: &[&'static str]) -> Vec<SynonymValue> {
        let every = LAYERS.into_iter().flat_map(|source| {
            let there = move |name: &&'static str| {
                let value = self.layer(name, source)?.to_owned();
                Some(SynonymValue { name, value, source })
            };
            synonyms.iter().filter_map(there)
        });
        every.skip_while(|value| value.name != name).collect()
    }

    /// The strongest value among the broker synonyms of `row` that were given or changed, converted to the topic's unit:
    /// the synonym's name, the value, and where it comes from. A stronger synonym of a weaker layer wins: hours that were
    /// changed do not beat milliseconds that were given at the start.
    pub(crate) fn synonym(&self, row: &TopicRow) -> Option<(&'static str, String, Source)> {
        row.synonyms.iter().find_map(|synonym| {
            let (text, source) =
                self.effective(synonym.name).filter(|(_, source)| *source != Source::Default)?;
            let converted = match text.parse::<i64>() {
                // Whatever its unit, a negative retention of the broker means "for ever".
                Ok(value) if value < 0 && row.name == "retention.ms" => "-1".to_owned(),
                Ok(value) => {
                    synonym.millis.map_or_else(|| text.to_owned(), |ms| value.saturating_mul(ms).to_string())
                }
                Err(_) => text.to_owned(),
            };
            Some((synonym.name, converted, source))
        })
    }
}

/// The names that a broker key's value may have been given under, strongest first.
fn broker_synonyms(name: &'static str) -> &'static [&'static str] {
    if name == FLUSH[0] {
        return FLUSH;
    }
    if let Some(family) = FAMILIES.iter().find(|family| family.contains(&name)) {
        return family;
    }
    match BrokerKey::named(name).expect("a name of the table") {
        BrokerKey::Works(row) => std::slice::from_ref(&row.name),
        BrokerKey::Idle(row) => std::slice::from_ref(&row.name),
    }
}
