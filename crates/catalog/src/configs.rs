//! Changed configurations: one batch of the metadata log, and what they are for follows at once.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Millis, NodeId};
use settings::{BrokerKey, Kind, SettingError, Settings, TABLE, TopicSettings};
use state_machines::configs::{
    self, Alteration, Change, Configs, Known, Record, Refusal, Resource, ResourceType,
};
use state_machines::group::GroupOverrides;
use state_machines::telemetry::{self, Budget};
use wire::metadata_records::ClearElrRecord;

use crate::catalog::{Catalog, State};
use crate::convert;
use crate::error::ConfigsError;
use crate::features::ELIGIBLE_LEADER_REPLICAS;
use crate::hosted::topic_settings;
use crate::image::MetadataImage;
use crate::registration::{MIN_INSYNC_REPLICAS, Versioned};

/// What groups have of their own, by id.
pub(crate) type GroupOverridesById = BTreeMap<Arc<str>, GroupOverrides>;

/// Is told of the broker's settings once they have changed.
pub(crate) type SettingsListener = Box<dyn Fn(&Arc<Settings>) + Send + Sync>;

impl Catalog {
    /// The broker's settings as they are now: as given at the start, with what was changed since. Cheap.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.ground.settings()
    }

    /// The configurations of brokers, groups and subscriptions to client metrics as they stand now; those of topics are
    /// with the topics. Cheap; the image handed out never changes.
    #[must_use]
    pub fn configs(&self) -> Configs {
        self.state.load().configs.clone()
    }

    /// What groups have of their own in place of the broker's settings, by id, as far as the group machines go by it. Cheap.
    #[must_use]
    pub fn group_overrides(&self) -> Arc<GroupOverridesById> {
        Arc::clone(&self.state.load().group_overrides)
    }

    /// Calls `listener` with the broker's settings now, and whenever they have changed. It may take its time, but change no
    /// settings itself.
    pub fn on_settings(&self, listener: impl Fn(&Arc<Settings>) + Send + Sync + 'static) {
        let mut told = self.told.lock();
        listener(&self.settings());
        told.push(Box::new(listener));
    }

    /// Tells all who listen of the settings as they are now: without the lock of the writer, since one of them may look up
    /// names. Who is told last is told of the newest.
    fn tell(&self) {
        let told = self.told.lock();
        let settings = self.settings();
        told.iter().for_each(|listener| listener(&settings));
    }

    /// Changes configurations, in one batch of the metadata log; the answers stand in the order of the request, and each
    /// resource stands or falls alone. What is changed is in force when this returns. With `validate_only` nothing is
    /// changed. Waits for a sync.
    #[expect(clippy::needless_pass_by_value, reason = "callers make the list for this call")]
    pub fn alter_configs(
        &self,
        alterations: Vec<Alteration>,
        validate_only: bool,
        now: Millis,
    ) -> Vec<Result<(), ConfigsError>> {
        self.at(now);
        // Regular expressions are compiled before anybody has to wait.
        let faults = telemetry::faults(patterns(&alterations));
        let mut writer = self.writer.lock();
        let settings = self.settings();
        let subscriptions =
            RefCell::new(Budget::standing(writer.image.configs.of_type(ResourceType::ClientMetrics)));
        let world = World {
            image: &writer.image,
            settings: &settings,
            node: self.node_id,
            faults: &faults,
            subscriptions,
        };
        let tracks_eligible_leaders = world.tracks_eligible_leaders();
        let decided = configs::alter(&alterations, &world);
        let records: Vec<Record> = decided.iter().flatten().flatten().cloned().collect();
        let stored = if validate_only || records.is_empty() {
            writer.check_open()
        } else {
            writer.commit(versioned(&records, tracks_eligible_leaders), now)
        };
        if !validate_only && stored.is_ok() {
            self.follow(&writer.image, &records);
            self.applied(&writer);
        }
        drop(writer);
        if !validate_only && stored.is_ok() && names(&records, ResourceType::Broker).next().is_some() {
            self.tell();
        }
        let one = |decided: Result<Vec<Record>, Refusal>| {
            decided?;
            Ok(stored.clone()?)
        };
        decided.into_iter().map(one).collect()
    }

    /// Has everybody follow what was stored.
    fn follow(&self, image: &MetadataImage, records: &[Record]) {
        if records.is_empty() {
            return;
        }
        let topics: BTreeSet<&str> = names(records, ResourceType::Topic).collect();
        let of_broker = names(records, ResourceType::Broker).next().is_some();
        if of_broker {
            self.ground.set_settings(in_force(&self.ground.given, &image.configs, self.node_id));
        }
        let before = self.state.load();
        let of_group = names(records, ResourceType::Group).next().is_some();
        self.state.store(Arc::new(State {
            topics: Arc::new(image.topics.clone()),
            hosted: before.hosted.clone(),
            configs: image.configs.clone(),
            group_overrides: if of_group {
                group_overrides(&image.configs)
            } else {
                Arc::clone(&before.group_overrides)
            },
        }));
        let settings = self.settings();
        // Most topics have no settings of their own, and share these.
        let mut plain: Option<Arc<TopicSettings>> = None;
        for hosted in before.hosted.values() {
            let Some(topic) = image.topics.by_id(hosted.id) else { continue };
            if !of_broker && !topics.contains(&*topic.name) {
                continue;
            }
            let resolved = if topic.configs.is_empty() {
                Arc::clone(plain.get_or_insert_with(|| topic_settings(&settings, topic)))
            } else {
                topic_settings(&settings, topic)
            };
            hosted.set_settings(resolved, &self.ground);
        }
        for resource in records.iter().map(|record| &record.resource).collect::<BTreeSet<_>>() {
            tracing::info!("changed the configuration of {}", described(resource));
        }
    }
}

pub(crate) fn group_overrides(configs: &Configs) -> Arc<GroupOverridesById> {
    let of = |(id, configs): (&str, &BTreeMap<String, String>)| {
        // What is stored was checked, but for what Kafka may have stored.
        let millis = |key: &str| configs.get(key)?.trim().parse().ok();
        let overrides = GroupOverrides {
            consumer_session_timeout_ms: millis("consumer.session.timeout.ms"),
            consumer_heartbeat_interval_ms: millis("consumer.heartbeat.interval.ms"),
        };
        (Arc::from(id), overrides)
    };
    Arc::new(configs.of_type(ResourceType::Group).map(of).collect())
}

fn described(resource: &Resource) -> String {
    let name = &resource.name;
    match resource.kind {
        ResourceType::Topic => format!("topic {name}"),
        ResourceType::Broker if name.is_empty() => "all brokers".to_owned(),
        ResourceType::Broker => format!("broker {name}"),
        ResourceType::Group => format!("group {name}"),
        ResourceType::ClientMetrics => format!("client metrics subscription {name}"),
        ResourceType::BrokerLogger | ResourceType::Unknown(_) => {
            format!("{name} (type {})", resource.kind.number())
        }
    }
}

/// The patterns of subscriptions to client metrics that are to be set. (The key is no list to Kafka, so nothing is added to
/// what stands.)
fn patterns(alterations: &[Alteration]) -> impl Iterator<Item = &str> {
    let all = alterations.iter().filter(|one| one.resource.kind == ResourceType::ClientMetrics);
    all.flat_map(|one| -> Vec<(&String, &Option<String>)> {
        match &one.change {
            Change::Replace(pairs) => pairs.iter().map(|(key, value)| (key, value)).collect(),
            Change::Each(changes) => changes.iter().map(|(key, _, value)| (key, value)).collect(),
        }
    })
    .filter_map(|(key, value)| value.as_deref().filter(|_| key == "match"))
}

fn names(records: &[Record], kind: ResourceType) -> impl Iterator<Item = &str> {
    records.iter().filter(move |record| record.resource.kind == kind).map(|record| &*record.resource.name)
}

/// The records as they are stored. Where eligible leaders are kept, they are forgotten with the number they were kept for
/// (Kafka: `createClearElrRecordsAsNeeded`).
fn versioned(records: &[Record], tracks_eligible_leaders: bool) -> Vec<Versioned> {
    let isr = records.iter().filter(|record| tracks_eligible_leaders && record.key == MIN_INSYNC_REPLICAS);
    let clear = isr.map(|record| {
        let topic_name = match record.resource.kind {
            ResourceType::Topic => record.resource.name.clone().into(),
            _ => wire::StrBytes::default(),
        };
        (ClearElrRecord { topic_name }.into(), 0)
    });
    let stored = records.iter().cloned().map(|record| (convert::config(record), 0));
    stored.chain(clear).collect()
}

/// `given`, with what was changed for this broker and for all of them. What cannot be in force is left out, and said.
pub(crate) fn in_force(given: &Settings, configs: &Configs, node: NodeId) -> Settings {
    let nothing = BTreeMap::new();
    let of = |name: String| configs.get(&Resource::new(ResourceType::Broker, name)).unwrap_or(&nothing);
    let (changed, left_out) = given.with_changes(of(node.0.to_string()), of(String::new()));
    for error in left_out {
        tracing::warn!("a setting that was changed while the broker ran is not acted on: {error}");
    }
    match changed.check() {
        Ok(()) => changed,
        Err(error) => {
            tracing::error!("what was changed while the broker ran is not acted on: {error}");
            given.clone()
        }
    }
}

/// What the rules are told.
struct World<'a> {
    image: &'a MetadataImage,
    settings: &'a Settings,
    node: NodeId,
    /// What is wrong with the patterns of subscriptions, by their text; only of so many as there may be.
    faults: &'a BTreeMap<&'a str, Result<(), String>>,
    /// The subscriptions, with what this request has changed so far.
    subscriptions: RefCell<Budget>,
}

impl Known for World<'_> {
    fn node(&self) -> NodeId {
        self.node
    }

    fn tracks_eligible_leaders(&self) -> bool {
        self.image.levels.of(ELIGIBLE_LEADER_REPLICAS) > 0
    }

    fn current(&self, resource: &Resource) -> Option<&BTreeMap<String, String>> {
        match resource.kind {
            ResourceType::Topic => self.image.topics.by_name(&resource.name).map(|topic| &topic.configs),
            _ => self.image.configs.get(resource),
        }
    }

    fn has_topic(&self, name: &str) -> bool {
        self.image.topics.by_name(name).is_some()
    }

    fn list(&self, kind: ResourceType, key: &str) -> Option<&str> {
        let (kind, default) = match kind {
            ResourceType::Topic => {
                TABLE.topic.iter().find(|row| row.name == key).map(|row| (row.kind, row.default))
            }
            ResourceType::Broker => BrokerKey::named(key).ok().map(|key| (key.kind(), key.default())),
            // Kafka's controller does not know the types of their keys (`KafkaRaftServer.configSchema`).
            _ => None,
        }?;
        (kind == Kind::List).then_some(default.unwrap_or_default())
    }

    fn check(&self, resource: &Resource, configs: &BTreeMap<String, String>) -> Result<(), Refusal> {
        let invalid_config = |error: SettingError| Refusal::InvalidConfig(error.to_string());
        match resource.kind {
            ResourceType::Topic => self.settings.topic(configs).map(drop).map_err(invalid_config),
            ResourceType::Group => self.settings.check_group(configs).map_err(invalid_config),
            ResourceType::ClientMetrics => self.check_subscription(resource, configs),
            ResourceType::Broker => self
                .check_broker(resource, configs)
                .map_err(|error| Refusal::InvalidRequest(error.to_string())),
            ResourceType::BrokerLogger | ResourceType::Unknown(_) => {
                Err(Refusal::NotConfigurable { kind: resource.kind })
            }
        }
    }
}

impl World<'_> {
    fn check_subscription(
        &self,
        resource: &Resource,
        configs: &BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        settings::check_client_metrics(configs).map_err(|error| match error {
            SettingError::Bad { .. } => Refusal::InvalidConfig(error.to_string()),
            error => Refusal::InvalidRequest(error.to_string()),
        })?;
        // What stood before was read when it was set, or is left out.
        let standing = self.current(resource).and_then(|current| current.get("match"));
        if let Some(patterns) = configs.get("match").filter(|patterns| Some(*patterns) != standing) {
            let read = self.faults.get(patterns.as_str()).ok_or(Refusal::TooManySubscriptions)?;
            read.clone().map_err(Refusal::InvalidConfig)?;
        }
        let has_room = self.subscriptions.borrow_mut().take(&resource.name, configs);
        if has_room { Ok(()) } else { Err(Refusal::TooManySubscriptions) }
    }

    fn check_broker(
        &self,
        resource: &Resource,
        configs: &BTreeMap<String, String>,
    ) -> Result<(), SettingError> {
        let is_one = !resource.name.is_empty();
        let current = self.current(resource);
        for (key, value) in configs {
            // What Kafka has stored and nothing here acts on does not keep the rest from being changed.
            let is_old = current.and_then(|current| current.get(key)) == Some(value);
            match Settings::check_change(key, value, is_one) {
                Err(error) if !is_old => return Err(error),
                _ => {}
            }
        }
        let other = if is_one { String::new() } else { self.node.0.to_string() };
        let nothing = BTreeMap::new();
        let other = self.image.configs.get(&Resource::new(ResourceType::Broker, other)).unwrap_or(&nothing);
        let (broker, all) = if is_one { (configs, other) } else { (other, configs) };
        self.settings.with_changes(broker, all).0.check()
    }
}
