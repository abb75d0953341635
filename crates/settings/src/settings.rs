//! What the broker was told: the value of every key, where it was given, and what several of them come to.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use crate::broker::{self, BrokerRow, Scope, Values};
use crate::consumer_groups;
use crate::error::SettingError;
use crate::idle::{self, IdleRow};
use crate::listeners::{self, Endpoint};
use crate::nearest::nearest;
use crate::origin::{Given, Origin};
use crate::topic::{self, TopicSettings};
use crate::value::{Kind, Rule, filled_items};

/// Kafka asks for as much per thread that cleans.
const LEAST_DEDUPE_BUFFER: i64 = 1 << 20;

/// What the broker was told: every broker key with its value, which ones were given at the start and where, and which
/// ones were changed since.
///
/// `Settings::default()` holds the defaults. [`Settings::set`] checks one value at a time, [`Settings::check`] at the
/// end what only shows when all are known. The value of a key is what was changed for this broker, else what was changed
/// for all brokers, else what was given at the start, else its default.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub(crate) values: Values,
    /// What was given at the start, also of the keys without effect.
    pub(crate) given: BTreeMap<&'static str, Given>,
    pub(crate) changed: Changed,
}

/// What was changed while the broker ran; only keys that may be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changed {
    pub(crate) broker: BTreeMap<&'static str, String>,
    pub(crate) all_brokers: BTreeMap<&'static str, String>,
}

/// A key that Kafka has for a broker: one of the rows of the two lists.
#[derive(Clone, Copy, Debug)]
pub enum BrokerKey {
    /// With an effect.
    Works(&'static BrokerRow),
    /// Without one.
    Idle(&'static IdleRow),
}

/// All of them: every value that is told is looked for in both lists, several times.
static BY_NAME: LazyLock<HashMap<&'static str, BrokerKey>> = LazyLock::new(|| {
    let works = broker::ROWS.iter().map(|row| (row.name, BrokerKey::Works(row)));
    works.chain(idle::ROWS.iter().map(|row| (row.name, BrokerKey::Idle(row)))).collect()
});

impl BrokerKey {
    /// The key of this name.
    ///
    /// # Errors
    /// [`SettingError::Unknown`] when there is none.
    pub fn named(key: &str) -> Result<Self, SettingError> {
        if let Some(known) = BY_NAME.get(key) {
            return Ok(*known);
        }
        let known = broker::ROWS.iter().map(|row| row.name).chain(idle::ROWS.iter().map(|row| row.name));
        Err(SettingError::Unknown { key: key.to_owned(), nearest: nearest(key, known) })
    }

    /// Kafka's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Works(row) => row.name,
            Self::Idle(row) => row.name,
        }
    }

    /// Who may change it while the broker runs, in Kafka.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::Works(row) => row.scope,
            Self::Idle(row) => row.scope,
        }
    }

    /// Whether its value is a secret.
    #[must_use]
    pub const fn is_sensitive(self) -> bool {
        match self {
            Self::Works(row) => row.is_sensitive(),
            Self::Idle(row) => row.is_sensitive(),
        }
    }

    /// The type of its value.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Works(row) => row.kind,
            Self::Idle(row) => row.kind,
        }
    }

    /// Its default, as text; `None`: unset.
    #[must_use]
    pub const fn default(self) -> Option<&'static str> {
        match self {
            Self::Works(row) => row.default,
            Self::Idle(row) => row.default,
        }
    }

    /// What it does, or why it does nothing, in a sentence.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Works(row) => row.doc,
            Self::Idle(row) => row.reason.text,
        }
    }

    const fn rule(self) -> Rule {
        match self {
            Self::Works(row) => row.rule(),
            Self::Idle(row) => row.rule(),
        }
    }

    /// Checks a value.
    ///
    /// # Errors
    /// [`SettingError::Bad`] when it is not allowed.
    pub fn check(self, text: &str) -> Result<(), SettingError> {
        if self.rule().takes(text) {
            return Ok(());
        }
        let shown = if self.is_sensitive() { "[hidden]" } else { text };
        Err(bad(self.name(), shown, self.rule().to_string()))
    }
}

impl Settings {
    /// Gives `key` the value that `text` stands for, as the flag `--set` does; a later call wins.
    ///
    /// # Errors
    /// See [`Settings::set_from`].
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), SettingError> {
        self.set_from(key, text, Origin::Flag("--set"))
    }

    /// Gives `key` the value that `text` stands for; a later call wins.
    ///
    /// # Errors
    /// [`SettingError::Unknown`] when Kafka has no broker key of this name (worth a warning), [`SettingError::Bad`] when
    /// the value is not allowed; nothing has changed then.
    pub fn set_from(&mut self, key: &str, text: &str, origin: Origin) -> Result<(), SettingError> {
        let key = BrokerKey::named(key)?;
        key.check(text)?;
        if let BrokerKey::Works(row) = key {
            let is_taken = self.values.assign(row, text);
            debug_assert!(is_taken, "{} = {text} was checked", row.name);
        }
        self.given.insert(key.name(), Given { text: text.trim().to_owned(), origin });
        Ok(())
    }

    /// The text `key` was given at the start, or `None` when nobody gave it.
    #[must_use]
    pub fn given(&self, key: &str) -> Option<&str> {
        self.given.get(key).map(|given| given.text.as_str())
    }

    /// Where `key` was given at the start.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.given.get(key).map(|given| &given.origin)
    }

    /// What `key` was given at the start, and under which name: of `node.id` and `broker.id` the one stands for the other
    /// (Kafka: `KafkaConfig.populateSynonyms`).
    #[must_use]
    pub fn given_as(&self, key: &str) -> Option<(&'static str, &Given)> {
        let other = match key {
            "node.id" => "broker.id",
            "broker.id" => "node.id",
            _ => key,
        };
        [key, other]
            .into_iter()
            .find_map(|name| self.given.get_key_value(name))
            .map(|(name, given)| (*name, given))
    }

    /// The given keys that the text of `error` speaks of, each with where it was given.
    #[must_use]
    pub fn origins(&self, error: &SettingError) -> Vec<(&'static str, &Origin)> {
        let text = error.to_string();
        let named = |key: &str| text.contains(&format!("`{key}`"));
        self.given.iter().filter(|(key, _)| named(key)).map(|(key, given)| (*key, &given.origin)).collect()
    }

    /// Each key that was given at the start, also those without effect, with its text, by name.
    pub fn all_given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.given.iter().map(|(key, given)| (*key, given.text.as_str()))
    }

    /// The keys that were given a value whose effect whoever gave it will miss.
    pub fn missed(&self) -> impl Iterator<Item = &'static IdleRow> {
        idle::ROWS.iter().filter(|row| self.given(row.name).is_some_and(|text| row.is_missed(text)))
    }

    /// The kinds of groups that were asked for in `group.coordinator.rebalance.protocols` and are not built. `streams` is part
    /// of the default, which asks for nothing.
    pub fn missed_rebalance_protocols(&self) -> impl Iterator<Item = String> {
        let all = self.group_coordinator_rebalance_protocols().into_iter();
        all.filter(|protocol| protocol == "share")
    }

    /// Checks what concerns several keys at once (Kafka: `KafkaConfig.validateValues`): listeners, the one data
    /// directory, limits that contradict each other, and the values that topics take over.
    ///
    /// # Errors
    /// The first contradiction, naming the key to change.
    pub fn check(&self) -> Result<(), SettingError> {
        self.check_roles()?;
        let all = self.all_listeners()?;
        self.check_idle(&all)?;
        self.check_listener_roles(&all)?;
        self.check_inter_broker(&self.advertised_listeners()?)?;
        let dir = self.data_dir()?;
        if let Some(other) = self.metadata_log_dir().filter(|other| *other != dir) {
            let allowed =
                format!("must be unset, or the data directory ({dir}): the metadata log lies there");
            return Err(bad("metadata.log.dir", &other, allowed));
        }
        if !self.authorizer_class_name().is_empty() {
            let allowed =
                "must be empty: access rules are not built, so everybody would be let in".to_owned();
            return Err(bad("authorizer.class.name", &self.authorizer_class_name(), allowed));
        }
        let topic = self.topic(&BTreeMap::new())?;
        if topic.retention_ms == 0 {
            let key = ["log.retention.ms", "log.retention.minutes", "log.retention.hours"]
                .into_iter()
                .find(|key| self.given(key).is_some())
                .unwrap_or("log.retention.ms");
            return Err(bad(key, "0", "must be at least 1, or -1 to keep records for ever".to_owned()));
        }
        let (queued, largest) =
            (self.queued_max_request_bytes(), u64::from(self.socket_request_max_bytes().unsigned_abs()));
        if queued.is_some_and(|queued| queued < largest) {
            return Err(SettingError::Conflict(format!(
                "`queued.max.request.bytes` must be at least `socket.request.max.bytes` ({largest}), or -1 for no limit"
            )));
        }
        self.check_connections()?;
        consumer_groups::check(self)?;
        if self.log_cleaner_dedupe_buffer_size() < LEAST_DEDUPE_BUFFER {
            let given = self.log_cleaner_dedupe_buffer_size().to_string();
            let allowed = format!("must be a whole number from {LEAST_DEDUPE_BUFFER} on");
            return Err(bad("log.cleaner.dedupe.buffer.size", &given, allowed));
        }
        let load = self.log_cleaner_io_buffer_load_factor();
        if !(load > 0.0 && load < 1.0) {
            let allowed = "must be a number above 0 and below 1".to_owned();
            return Err(bad("log.cleaner.io.buffer.load.factor", &load.to_string(), allowed));
        }
        let rate = self.log_cleaner_io_max_bytes_per_second();
        if rate.is_nan() || rate <= 0.0 {
            let allowed = "must be a number above 0".to_owned();
            return Err(bad("log.cleaner.io.max.bytes.per.second", &rate.to_string(), allowed));
        }
        Ok(())
    }

    /// Bytes that all requests in work may hold together; `None`: no limit.
    #[must_use]
    pub fn queued_max_request_bytes(&self) -> Option<u64> {
        /// Kafka sets no limit unless told to. This one lets two of the largest requests in.
        const DEFAULT: u64 = 268_435_456;
        match self.queued_max_request_bytes_given() {
            None => Some(DEFAULT.max(u64::from(self.socket_request_max_bytes().unsigned_abs()))),
            Some(limit) => u64::try_from(limit).ok().filter(|limit| *limit > 0),
        }
    }

    /// How many connections single hosts may have instead of `max.connections.per.ip`: names or addresses, each with a
    /// number (Kafka: `KafkaConfig.maxConnectionsPerIpOverrides`).
    ///
    /// # Errors
    /// When an entry is no `HOST:NUMBER`.
    pub fn max_connections_per_ip_overrides(&self) -> Result<Vec<(String, usize)>, SettingError> {
        let entry = |text: String| {
            let parsed = text.rsplit_once(':').and_then(|(host, number)| {
                let host = host.trim();
                let number: i32 = number.trim().parse().ok()?;
                let is_host = !host.is_empty() && host.bytes().all(listeners::fits_host);
                is_host.then(|| (host.to_owned(), usize::try_from(number).unwrap_or(0)))
            });
            let allowed = || "must be a list, with commas, of HOST:NUMBER".to_owned();
            parsed.ok_or_else(|| bad("max.connections.per.ip.overrides", &text, allowed()))
        };
        filled_items(&self.max_connections_per_ip_overrides_text()).into_iter().map(entry).collect()
    }

    fn check_connections(&self) -> Result<(), SettingError> {
        let overrides = self.max_connections_per_ip_overrides()?;
        if self.max_connections_per_ip() == 0 && overrides.is_empty() {
            let allowed =
                "must be at least 1 unless `max.connections.per.ip.overrides` lets somebody in".to_owned();
            return Err(bad("max.connections.per.ip", "0", allowed));
        }
        Ok(())
    }

    /// The data directory.
    ///
    /// # Errors
    /// When `log.dirs` names none or several.
    pub fn data_dir(&self) -> Result<String, SettingError> {
        let (key, text) =
            self.log_dirs().map_or_else(|| ("log.dir", self.log_dir()), |text| ("log.dirs", text));
        match <[String; 1]>::try_from(filled_items(&text)) {
            Ok([dir]) => Ok(dir),
            Err(_) => Err(bad(key, &text, "must be one directory".to_owned())),
        }
    }

    /// Where clients connect: at least one endpoint, names and ports unlike. What is for controllers is left out.
    ///
    /// # Errors
    /// When an entry of `listeners` is no `NAME://HOST:PORT`, a name or port comes twice, or the protocol of a name is not
    /// built.
    pub fn listeners(&self) -> Result<Vec<Endpoint>, SettingError> {
        let controllers = self.controller_listener_names();
        let mut endpoints = self.all_listeners()?;
        endpoints.retain(|endpoint| !controllers.contains(&endpoint.name));
        Ok(endpoints)
    }

    /// Where controllers would connect: those of `listeners` that `controller.listener.names` names.
    ///
    /// # Errors
    /// As [`Settings::listeners`].
    pub fn controller_listeners(&self) -> Result<Vec<Endpoint>, SettingError> {
        let controllers = self.controller_listener_names();
        let mut endpoints = self.all_listeners()?;
        endpoints.retain(|endpoint| controllers.contains(&endpoint.name));
        Ok(endpoints)
    }

    fn all_listeners(&self) -> Result<Vec<Endpoint>, SettingError> {
        let endpoints = listeners::parse("listeners", &filled_items(&self.listeners_text()))?;
        listeners::check_ports(&endpoints)?;
        let map = self.listener_security_protocol_map().map(|text| filled_items(&text));
        listeners::check_protocols(&endpoints, map.as_deref(), &self.controller_listener_names())?;
        Ok(endpoints)
    }

    /// Where clients are told to connect; a listener that has no entry here is told to nobody. An empty host stands for
    /// the name of this machine, which the caller knows; port 0 for the port that was bound.
    ///
    /// # Errors
    /// When an entry is no `NAME://HOST:PORT`, its name is not among `listeners`, or its host is `0.0.0.0`, which no
    /// client can connect to.
    pub fn advertised_listeners(&self) -> Result<Vec<Endpoint>, SettingError> {
        let controllers = self.controller_listener_names();
        let mut endpoints = match self.advertised_listeners_text() {
            Some(text) => listeners::advertised(&self.all_listeners()?, &filled_items(&text))?,
            None => listeners::advertised_as_listened(self.listeners()?)?,
        };
        endpoints.retain(|endpoint| !controllers.contains(&endpoint.name));
        if endpoints.is_empty() {
            let text = self.advertised_listeners_text().unwrap_or_default();
            let allowed = "must say where clients connect to one of `listeners`".to_owned();
            return Err(bad("advertised.listeners", &text, allowed));
        }
        Ok(endpoints)
    }

    /// The settings of a topic with these overrides: each key from the overrides, else from the strongest broker
    /// synonym that was set, else the default.
    ///
    /// # Errors
    /// [`SettingError::Unknown`] for an override that is no topic key, [`SettingError::Bad`] for a value that is not
    /// allowed, [`SettingError::Conflict`] for two that contradict each other. Kafka answers INVALID_CONFIG to all.
    pub fn topic(&self, overrides: &BTreeMap<String, String>) -> Result<TopicSettings, SettingError> {
        topic::resolve(self, overrides)
    }
}

pub(crate) fn bad(key: &str, value: &str, allowed: String) -> SettingError {
    SettingError::Bad { key: key.to_owned(), value: value.to_owned(), allowed }
}
