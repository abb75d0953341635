//! `kafka-configs.sh`: shows and changes the settings of topics and brokers (Kafka: `ConfigCommand`).

use client::{Client, ClientError, LATEST};
use wire::messages::describe_cluster::DescribeClusterRequest;
use wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
};
use wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};

use crate::call::{Call, Failure};
use crate::options::{BOOTSTRAP, Declaration, Flag, Options, Takes};
use crate::properties::Properties;

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Shows and changes the settings of topics and brokers.",
    flags: &[
        BOOTSTRAP,
        Flag { name: "describe", takes: Takes::Nothing, help: "show settings" },
        Flag { name: "alter", takes: Takes::Nothing, help: "change settings" },
        Flag { name: "entity-type", takes: Takes::Value("TYPE"), help: "topics or brokers" },
        Flag {
            name: "entity-name",
            takes: Takes::Value("NAME"),
            help: "the topic, or the number of the broker",
        },
        Flag { name: "entity-default", takes: Takes::Nothing, help: "what holds for all brokers" },
        Flag { name: "topic", takes: Takes::Value("TOPIC"), help: "the topic" },
        Flag { name: "broker", takes: Takes::Value("N"), help: "the number of the broker" },
        Flag { name: "broker-defaults", takes: Takes::Nothing, help: "what holds for all brokers" },
        Flag { name: "all", takes: Takes::Nothing, help: "describe also what nobody has set" },
        Flag {
            name: "add-config",
            takes: Takes::Value("NAME=VALUE,..."),
            help: "set these; a value with commas stands in [brackets]",
        },
        Flag { name: "add-config-file", takes: Takes::Value("FILE"), help: "set what stands in this file" },
        Flag { name: "delete-config", takes: Takes::Value("NAME,..."), help: "take these away" },
        Flag { name: "command-config", takes: Takes::Value("FILE"), help: "a file of client settings" },
        Flag {
            name: "bootstrap-controller",
            takes: Takes::Refused,
            help: "ask the broker with --bootstrap-server",
        },
        Flag { name: "client", takes: Takes::Refused, help: "only topics and brokers are" },
        Flag { name: "client-defaults", takes: Takes::Refused, help: "only topics and brokers are" },
        Flag { name: "user", takes: Takes::Refused, help: "only topics and brokers are" },
        Flag { name: "user-defaults", takes: Takes::Refused, help: "only topics and brokers are" },
        Flag { name: "broker-logger", takes: Takes::Refused, help: "only topics and brokers are" },
        Flag { name: "ip", takes: Takes::Refused, help: "only topics and brokers are" },
        Flag { name: "ip-defaults", takes: Takes::Refused, help: "only topics and brokers are" },
        Flag { name: "client-metrics", takes: Takes::Refused, help: "only topics and brokers are" },
        Flag { name: "group", takes: Takes::Refused, help: "only topics and brokers are" },
    ],
    word: None,
};

/// Whose settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Topic,
    Broker,
}

impl Kind {
    /// Kafka's number for it.
    const fn number(self) -> i8 {
        match self {
            Self::Topic => 2,
            Self::Broker => 4,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Broker => "broker",
        }
    }

    /// Where a setting is from that was set for `entity` itself, as DescribeConfigs has it.
    const fn source(self, entity: &str) -> i8 {
        match self {
            Self::Topic => 1,
            Self::Broker if entity.is_empty() => 3,
            Self::Broker => 2,
        }
    }
}

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    let options = &call.options;
    let (describes, alters) = (options.has("describe"), options.has("alter"));
    if describes == alters {
        let why = "Command must include exactly one action: --describe, --alter";
        return Err(Failure::Usage(why.to_owned()));
    }
    options.bootstrap()?;
    let (kind, entity) = entity(options)?;
    let mut client = call.client("ottla-configs", "command-config")?;
    if describes {
        for flag in ["add-config", "add-config-file", "delete-config"] {
            options.exclude("describe", &[flag])?;
        }
        return describe(call, &mut client, kind, entity);
    }
    let Some(entity) = entity else {
        return Err(Failure::Told("An entity name must be specified for every entity type".to_owned()));
    };
    alter(call, &mut client, kind, &entity)
}

/// The one entity, or all of its kind; the empty name is what holds for all brokers.
fn entity(options: &Options) -> Result<(Kind, Option<String>), Failure> {
    let several = || Failure::Usage("only one kind of entity can be named at a time".to_owned());
    let mut found = Vec::new();
    if let Some(text) = options.value("entity-type")? {
        let kind = match text {
            "topics" => Kind::Topic,
            "brokers" => Kind::Broker,
            other => {
                let why = format!("--entity-type {other} is not supported: only topics and brokers are");
                return Err(Failure::Usage(why));
            }
        };
        let default = options.has("entity-default").then_some("");
        found.push((kind, options.value("entity-name")?.or(default)));
    }
    if let Some(topic) = options.value("topic")? {
        found.push((Kind::Topic, Some(topic)));
    }
    if let Some(broker) = options.value("broker")? {
        found.push((Kind::Broker, Some(broker)));
    }
    if options.has("broker-defaults") {
        found.push((Kind::Broker, Some("")));
    }
    let (kind, name) = match found[..] {
        [one] => one,
        [] => {
            return Err(Failure::Usage(
                "At least one of --entity-type, --topic, --broker or --broker-defaults must be specified"
                    .to_owned(),
            ));
        }
        _ => return Err(several()),
    };
    if kind == Kind::Topic && name == Some("") {
        return Err(Failure::Usage(
            "topics have no defaults of their own: those of all brokers hold".to_owned(),
        ));
    }
    if kind == Kind::Broker && name.is_some_and(|name| !name.is_empty() && name.parse::<i32>().is_err()) {
        return Err(Failure::Told(format!(
            "The entity name for brokers must be a valid integer broker id, found: {}",
            name.unwrap_or_default()
        )));
    }
    Ok((kind, name.map(str::to_owned)))
}

/// What there is of a kind; of brokers also what holds for all.
fn entities(client: &mut Client, kind: Kind) -> Result<Vec<String>, ClientError> {
    match kind {
        Kind::Topic => {
            let topics = client.persist(|client| client.metadata(None, false))?.topics;
            let mut names: Vec<_> =
                topics.iter().filter_map(|topic| topic.name.as_ref()).map(ToString::to_string).collect();
            names.sort_unstable();
            Ok(names)
        }
        Kind::Broker => {
            let answer = client.persist(|client| {
                let answer = client.ask(LATEST, |_| DescribeClusterRequest::default())?;
                ClientError::of(answer.error_code, answer.error_message.as_deref()).map(|()| answer)
            })?;
            let numbers = answer.brokers.iter().map(|broker| broker.broker_id.to_string());
            Ok(numbers.chain([String::new()]).collect())
        }
    }
}

fn describe(
    call: &mut Call<'_>,
    client: &mut Client,
    kind: Kind,
    entity: Option<String>,
) -> Result<(), Failure> {
    let all = call.options.has("all");
    let there = entities(client, kind)?;
    let chosen = match entity {
        Some(entity) if !all && !there.contains(&entity) => {
            let name = kind.name();
            writeln!(call.out, "The {name} '{entity}' doesn't exist and doesn't have dynamic config.")?;
            return Ok(());
        }
        Some(entity) => vec![entity],
        None => there,
    };
    for entity in chosen {
        match (&*entity, all) {
            ("", _) => writeln!(call.out, "Default configs for {}s in the cluster are:", kind.name())?,
            (_, true) => writeln!(call.out, "All configs for {} {entity} are:", kind.name())?,
            (_, false) => writeln!(call.out, "Dynamic configs for {} {entity} are:", kind.name())?,
        }
        let mut settings = settings_of(client, kind, &entity, true)?;
        settings.retain(|setting| all || setting.config_source == kind.source(&entity));
        settings.sort_by(|one, other| one.name.cmp(&other.name));
        for setting in settings {
            let synonyms: Vec<_> = (setting.synonyms.iter())
                .map(|synonym| {
                    let value = synonym.value.as_deref().unwrap_or("null");
                    format!("{}:{}={value}", source_name(synonym.source), synonym.name)
                })
                .collect();
            writeln!(
                call.out,
                "  {}={} sensitive={} synonyms={{{}}}",
                setting.name,
                setting.value.as_deref().unwrap_or("null"),
                setting.is_sensitive,
                synonyms.join(", ")
            )?;
        }
    }
    Ok(())
}

/// Kafka's name for where a setting is from (`ConfigEntry.ConfigSource`).
fn source_name(source: i8) -> &'static str {
    match source {
        1 => "DYNAMIC_TOPIC_CONFIG",
        2 => "DYNAMIC_BROKER_CONFIG",
        3 => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        4 => "STATIC_BROKER_CONFIG",
        5 => "DEFAULT_CONFIG",
        6 => "DYNAMIC_BROKER_LOGGER_CONFIG",
        7 => "DYNAMIC_CLIENT_METRICS_CONFIG",
        8 => "DYNAMIC_GROUP_CONFIG",
        _ => "UNKNOWN",
    }
}

fn settings_of(
    client: &mut Client,
    kind: Kind,
    entity: &str,
    include_synonyms: bool,
) -> Result<Vec<DescribeConfigsResourceResult>, ClientError> {
    client.persist(|client| {
        let resources = vec![DescribeConfigsResource {
            resource_type: kind.number(),
            resource_name: entity.to_owned().into(),
            configuration_keys: None,
        }];
        let address = address(client, kind, entity)?;
        let answer = client.call(&address, LATEST, |_| DescribeConfigsRequest {
            resources,
            include_synonyms,
            include_documentation: false,
        })?;
        let found = answer.results.into_iter().next();
        let found =
            found.ok_or_else(|| ClientError::Lost(format!("no answer for {} {entity}", kind.name())))?;
        ClientError::of(found.error_code, found.error_message.as_deref())?;
        Ok(found.configs)
    })
}

/// Who answers for an entity: a broker for itself, anybody for the rest.
fn address(client: &mut Client, kind: Kind, entity: &str) -> Result<String, ClientError> {
    match entity.parse() {
        Ok(node) if kind == Kind::Broker => {
            client.metadata(Some(&[]), false)?;
            client.address_of(node)
        }
        _ => client.any(),
    }
}

fn alter(call: &mut Call<'_>, client: &mut Client, kind: Kind, entity: &str) -> Result<(), Failure> {
    let mut added = Properties::default();
    if let Some(file) = call.options.value("add-config-file")? {
        call.options.exclude("add-config-file", &["add-config"])?;
        added = Properties::read(file)?;
    }
    for (name, value) in pairs(call.options.value("add-config")?.unwrap_or_default())? {
        added.set(&name, value);
    }
    let deleted: Vec<_> = (call.options.all("delete-config"))
        .flat_map(|list| list.split(','))
        .map(|name| name.trim().to_owned())
        .collect();
    if added.names().next().is_none() && deleted.is_empty() {
        return Err(Failure::Usage(
            "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter"
                .to_owned(),
        ));
    }
    let there = settings_of(client, kind, entity, false)?;
    let is_set = |name: &String| {
        there.iter().any(|setting| setting.name == **name && setting.config_source == kind.source(entity))
    };
    let unknown: Vec<_> = deleted.iter().filter(|name| !is_set(name)).map(String::as_str).collect();
    if !unknown.is_empty() {
        return Err(Failure::Told(format!("Invalid config(s): {}", unknown.join(","))));
    }
    const SET: i8 = 0;
    const DELETE: i8 = 1;
    let change = |name: &str, config_operation, value: &str| AlterableConfig {
        name: name.to_owned().into(),
        config_operation,
        value: Some(value.to_owned().into()),
    };
    let mut configs: Vec<_> = deleted.iter().map(|name| change(name, DELETE, "")).collect();
    configs.extend(added.names().map(|name| change(name, SET, added.get(name).unwrap_or_default())));
    client.persist(|client| {
        let resources = vec![AlterConfigsResource {
            resource_type: kind.number(),
            resource_name: entity.to_owned().into(),
            configs: configs.clone(),
        }];
        let address = address(client, kind, entity)?;
        let request = IncrementalAlterConfigsRequest { resources, validate_only: false };
        let answer = client.call(&address, LATEST, |_| request)?;
        answer
            .responses
            .iter()
            .try_for_each(|result| ClientError::of(result.error_code, result.error_message.as_deref()))
    })?;
    if entity.is_empty() {
        writeln!(call.out, "Completed updating default config for {}s in the cluster.", kind.name())?;
    } else {
        writeln!(call.out, "Completed updating config for {} {entity}.", kind.name())?;
    }
    Ok(())
}

/// `a=1,b=[2,3]`: commas within brackets part nothing, and the brackets are dropped.
fn pairs(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut parts = vec![String::new()];
    let mut within = false;
    for char in text.chars() {
        match char {
            '[' => within = true,
            ']' => within = false,
            ',' if !within => parts.push(String::new()),
            other => parts.iter_mut().next_back().into_iter().for_each(|part| part.push(other)),
        }
    }
    let pair = |part: String| {
        match part.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err(Failure::Told(
            "requirement failed: Invalid entity config: all configs to be added must be in the format \"key=val\" or  \
             \"key=[val1,val2]\" to group values which contain commas."
                .to_owned(),
        )),
    }
    };
    parts.into_iter().filter(|_| !text.is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_keep_commas_together() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            pairs("a=1, cleanup.policy=[compact,delete],c=").unwrap(),
            [pair("a", "1"), pair("cleanup.policy", "compact,delete"), pair("c", "")]
        );
        assert_eq!(pairs("").unwrap(), []);
        assert!(pairs("a").is_err() && pairs("a=1,,b=2").is_err());
    }
}
