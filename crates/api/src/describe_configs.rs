//! DescribeConfigs (key 32): the settings of topics, brokers, groups and client metrics subscriptions, each with where its
//! value comes from (Kafka: `ConfigHelper`).

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::{Catalog, Resource, ResourceType};
use settings::{Effect, Kind, ResourceEntry, Source, SynonymValue};
use state_machines::topics::name;
use wire::StrBytes;
use wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};

use crate::answer::{Handled, body, message, outcome};
use crate::blocking;
use crate::broker::Request;
use crate::code::Code;

/// The numbers of Kafka's `DescribeConfigsResponse.ConfigSource`.
mod source {
    pub(super) const TOPIC: i8 = 1;
    pub(super) const DYNAMIC_BROKER: i8 = 2;
    pub(super) const DYNAMIC_DEFAULT: i8 = 3;
    pub(super) const STATIC: i8 = 4;
    pub(super) const DEFAULT: i8 = 5;
    pub(super) const CLIENT_METRICS: i8 = 7;
    pub(super) const GROUP: i8 = 8;
}

/// Most settings in one answer: those of 10,000 topics and more. A small request could ask for any number of them.
const MOST_SETTINGS: usize = 500_000;

pub(crate) fn handle(catalog: &Arc<Catalog>, request: &Request) -> Handled {
    let version = request.version();
    let asked: DescribeConfigsRequest = body(request)?;
    let catalog = catalog.clone();
    Ok(blocking::answer(move || {
        let results = describe(&catalog, &asked);
        outcome(&DescribeConfigsResponse { results, ..DescribeConfigsResponse::default() }, version)
    }))
}

fn describe(catalog: &Catalog, asked: &DescribeConfigsRequest) -> Vec<DescribeConfigsResult> {
    let is_unknown = |one: &&DescribeConfigsResource| {
        matches!(ResourceType::of(one.resource_type), ResourceType::Unknown(_))
    };
    // As in Kafka, one type that nobody knows fails the whole request.
    if let Some(unknown) = asked.resources.iter().find(is_unknown) {
        let text = format!("there are no resources of the type {}", unknown.resource_type);
        return asked.resources.iter().map(|one| refused(one, Code::InvalidRequest, Some(&text))).collect();
    }
    let mut told = 0;
    let mut one = |one: &DescribeConfigsResource| {
        if told > MOST_SETTINGS {
            let text = format!("the answer has {MOST_SETTINGS} settings already; ask for fewer at a time");
            return refused(one, Code::PolicyViolation, Some(&text));
        }
        match configs(catalog, one, asked) {
            Ok(configs) => {
                told += configs.len();
                result(one, Code::None, None, configs)
            }
            Err((code, text)) => refused(one, code, text.as_deref()),
        }
    };
    asked.resources.iter().map(&mut one).collect()
}

/// The number of a source of a topic's or a broker's setting.
pub(crate) fn number(source: Source) -> i8 {
    match source {
        Source::Topic => source::TOPIC,
        Source::DynamicBroker => source::DYNAMIC_BROKER,
        Source::DynamicDefault => source::DYNAMIC_DEFAULT,
        Source::Static => source::STATIC,
        Source::Default => source::DEFAULT,
    }
}

/// The number of a type, as Kafka's `DescribeConfigsResponse.ConfigType` has it.
fn type_number(kind: Kind) -> i8 {
    match kind {
        Kind::Boolean => 1,
        Kind::Text => 2,
        Kind::Int => 3,
        Kind::Short => 4,
        Kind::Long => 5,
        Kind::Double => 6,
        Kind::List => 7,
        Kind::Class => 8,
        Kind::Password => 9,
    }
}

type Failure = (Code, Option<String>);

fn configs(
    catalog: &Catalog,
    asked: &DescribeConfigsResource,
    how: &DescribeConfigsRequest,
) -> Result<Vec<DescribeConfigsResourceResult>, Failure> {
    let kind = ResourceType::of(asked.resource_type);
    let invalid = |text: &str| (Code::InvalidRequest, Some(text.to_owned()));
    // Null and none both mean all of them.
    let keys = asked.configuration_keys.as_deref().filter(|keys| !keys.is_empty());
    let view = View { keys, how };
    let name = asked.resource_name.as_str();
    let own = || catalog.configs().get(&Resource::new(kind, name)).cloned().unwrap_or_default();
    match kind {
        ResourceType::Topic => {
            name::check(name).map_err(|error| (Code::InvalidTopicException, Some(error.to_string())))?;
            let topics = catalog.topics();
            let topic = topics.by_name(name).ok_or((Code::UnknownTopicOrPartition, None))?;
            Ok(view.of_topic(catalog, &topic.configs))
        }
        ResourceType::Broker if name.is_empty() => Ok(view.of_all_brokers(catalog)),
        ResourceType::Broker => {
            check_broker(catalog, name)?;
            Ok(view.of_broker(catalog))
        }
        // There are no loggers whose levels could be told.
        ResourceType::BrokerLogger if name.is_empty() => Err(invalid("the broker is not named")),
        ResourceType::BrokerLogger => check_broker(catalog, name).map(|()| Vec::new()),
        ResourceType::ClientMetrics | ResourceType::Group if name.is_empty() => {
            Err(invalid("the resource has no name"))
        }
        ResourceType::ClientMetrics => Ok(view.of_client_metrics(&own())),
        ResourceType::Group => Ok(view.of_group(catalog, &own())),
        ResourceType::Unknown(_) => unreachable!("refused before"),
    }
}

fn check_broker(catalog: &Catalog, name: &str) -> Result<(), Failure> {
    let node = catalog.node_id();
    if name.parse() == Ok(node.0) {
        return Ok(());
    }
    Err((Code::InvalidRequest, Some(format!("{name:?} is not this broker, which is {node}"))))
}

/// What is to be told of each setting.
struct View<'a> {
    keys: Option<&'a [StrBytes]>,
    how: &'a DescribeConfigsRequest,
}

impl View<'_> {
    fn shows(&self, key: &str) -> bool {
        self.keys.is_none_or(|keys| keys.iter().any(|asked| asked.as_str() == key))
    }

    fn of_topic(
        &self,
        catalog: &Catalog,
        own: &BTreeMap<String, String>,
    ) -> Vec<DescribeConfigsResourceResult> {
        let entries = catalog.settings().topic_entries(own);
        // What Kafka has for its own tests it does not show, unless it was set.
        let is_public = |entry: &settings::Entry| {
            entry.row.effect != Effect::Internal || own.contains_key(entry.row.name)
        };
        let shown = entries.into_iter().filter(|entry| self.shows(entry.row.name) && is_public(entry));
        let one = |entry: settings::Entry| DescribeConfigsResourceResult {
            name: StrBytes::from_static(entry.row.name),
            value: entry.value.map(|text| as_read(entry.row.kind, text)),
            read_only: false,
            config_source: strongest(&entry.synonyms),
            is_sensitive: false,
            synonyms: self.synonyms(entry.synonyms, entry.row.kind, false),
            config_type: type_number(entry.row.kind),
            documentation: self.documentation(entry.row.doc),
        };
        shown.map(one).collect()
    }

    fn of_broker(&self, catalog: &Catalog) -> Vec<DescribeConfigsResourceResult> {
        let settings = catalog.settings();
        let shown = settings.broker_entries().filter(|entry| self.shows(entry.key.name()));
        shown.map(|entry| self.broker_entry(entry)).collect()
    }

    /// Only what was changed for all brokers.
    fn of_all_brokers(&self, catalog: &Catalog) -> Vec<DescribeConfigsResourceResult> {
        let settings = catalog.settings();
        let changed = settings.changed_for_all_brokers();
        let is_shown = |entry: &settings::BrokerEntry| {
            changed.contains_key(entry.key.name()) && self.shows(entry.key.name())
        };
        let one = |mut entry: settings::BrokerEntry| {
            entry.value = changed.get(entry.key.name()).cloned();
            entry.synonyms.retain(|synonym| synonym.source == Source::DynamicDefault);
            self.broker_entry(entry)
        };
        settings.broker_entries().filter(is_shown).map(one).collect()
    }

    fn broker_entry(&self, entry: settings::BrokerEntry) -> DescribeConfigsResourceResult {
        let key = entry.key;
        let is_sensitive = key.is_sensitive();
        DescribeConfigsResourceResult {
            name: StrBytes::from_static(key.name()),
            value: entry.value.filter(|_| !is_sensitive).map(|text| as_read(key.kind(), text)),
            read_only: key.scope() == settings::Scope::ReadOnly,
            config_source: strongest(&entry.synonyms),
            is_sensitive,
            synonyms: self.synonyms(entry.synonyms, key.kind(), is_sensitive),
            config_type: type_number(key.kind()),
            documentation: self.documentation(key.doc()),
        }
    }

    fn of_group(
        &self,
        catalog: &Catalog,
        own: &BTreeMap<String, String>,
    ) -> Vec<DescribeConfigsResourceResult> {
        let entries = catalog.settings().group_entries(own);
        let shown = entries.into_iter().filter(|entry| self.shows(entry.row.name));
        shown.map(|entry| self.resource_entry(entry, source::GROUP, true)).collect()
    }

    fn of_client_metrics(&self, own: &BTreeMap<String, String>) -> Vec<DescribeConfigsResourceResult> {
        let entries = settings::client_metrics_entries(own);
        let shown = entries.into_iter().filter(|entry| self.shows(entry.row.name));
        shown.map(|entry| self.resource_entry(entry, source::CLIENT_METRICS, false)).collect()
    }

    /// Of a group Kafka names the default as a synonym, of a subscription it does not.
    fn resource_entry(
        &self,
        entry: ResourceEntry,
        own: i8,
        names_default: bool,
    ) -> DescribeConfigsResourceResult {
        let name = StrBytes::from_static(entry.row.name);
        let value = Some(as_read(entry.row.kind, entry.value));
        let config_source = if entry.is_own { own } else { source::DEFAULT };
        let synonym =
            DescribeConfigsSynonym { name: name.clone(), value: value.clone(), source: config_source };
        let is_told = self.how.include_synonyms && (entry.is_own || names_default);
        DescribeConfigsResourceResult {
            name,
            value,
            read_only: false,
            config_source,
            is_sensitive: false,
            synonyms: is_told.then_some(synonym).into_iter().collect(),
            config_type: type_number(entry.row.kind),
            documentation: self.documentation(entry.row.doc),
        }
    }

    fn synonyms(
        &self,
        synonyms: Vec<SynonymValue>,
        kind: Kind,
        is_sensitive: bool,
    ) -> Vec<DescribeConfigsSynonym> {
        if !self.how.include_synonyms {
            return Vec::new();
        }
        let one = |synonym: SynonymValue| DescribeConfigsSynonym {
            name: StrBytes::from_static(synonym.name),
            // What a broker was told is shown as it was told.
            value: Some(synonym.value).filter(|_| !is_sensitive).map(|text| match synonym.source {
                Source::Topic | Source::Default => as_read(kind, text),
                Source::DynamicBroker | Source::DynamicDefault | Source::Static => StrBytes::from(text),
            }),
            source: number(synonym.source),
        };
        synonyms.into_iter().map(one).collect()
    }

    fn documentation(&self, doc: &'static str) -> Option<StrBytes> {
        self.how.include_documentation.then(|| StrBytes::from_static(doc))
    }
}

/// A value as it is read: without spaces that do not count, booleans in small letters.
fn as_read(kind: Kind, text: String) -> StrBytes {
    StrBytes::from(match kind {
        Kind::List => text.split(',').map(str::trim).collect::<Vec<_>>().join(","),
        Kind::Boolean => text.trim().to_ascii_lowercase(),
        Kind::Short | Kind::Int | Kind::Long => text.trim().trim_start_matches('+').to_owned(),
        Kind::Double | Kind::Class | Kind::Text => text.trim().to_owned(),
        Kind::Password => text,
    })
}

fn strongest(synonyms: &[SynonymValue]) -> i8 {
    number(synonyms.first().map_or(Source::Default, |synonym| synonym.source))
}

fn refused(asked: &DescribeConfigsResource, code: Code, text: Option<&str>) -> DescribeConfigsResult {
    result(asked, code, text.and_then(|text| message(&text)), Vec::new())
}

fn result(
    asked: &DescribeConfigsResource,
    code: Code,
    error_message: Option<StrBytes>,
    configs: Vec<DescribeConfigsResourceResult>,
) -> DescribeConfigsResult {
    DescribeConfigsResult {
        error_code: code.into(),
        error_message,
        resource_type: asked.resource_type,
        resource_name: asked.resource_name.clone(),
        configs,
    }
}
