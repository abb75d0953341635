//! Settings of what DescribeConfigs knows: topics, brokers and their loggers, groups, client metrics.

use std::collections::BTreeSet;

use client::{Client, ClientError, LATEST};
use wire::messages::describe_cluster::DescribeClusterRequest;
use wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
};
use wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use wire::messages::list_config_resources::ListConfigResourcesRequest;
use wire::messages::list_groups::ListGroupsRequest;

use super::change::Change;
use super::entity::{Entity, Kind};
use crate::call::{Call, Failure};

/// Kafka's number for a kind.
const fn number(kind: Kind) -> i8 {
    match kind {
        Kind::Broker => 4,
        Kind::BrokerLogger => 8,
        Kind::ClientMetrics => 16,
        Kind::Group => 32,
        _ => 2,
    }
}

/// Whether a setting was set for `entity` itself, as DescribeConfigs says where it is from. A logger's level always is.
fn is_own(kind: Kind, entity: &str, setting: &DescribeConfigsResourceResult) -> bool {
    let source = match kind {
        Kind::BrokerLogger => return true,
        Kind::Broker if entity.is_empty() => 3,
        Kind::Broker => 2,
        Kind::ClientMetrics => 7,
        Kind::Group => 8,
        _ => 1,
    };
    setting.config_source == source
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

/// What there is of a kind; of brokers also what holds for all.
fn entities(client: &mut Client, kind: Kind) -> Result<BTreeSet<String>, ClientError> {
    client.persist(|client| match kind {
        Kind::Broker | Kind::BrokerLogger => {
            let answer = client.ask(LATEST, |_| DescribeClusterRequest::default())?;
            ClientError::of(answer.error_code, answer.error_message.as_deref())?;
            let numbers = answer.brokers.iter().map(|broker| broker.broker_id.to_string());
            Ok(numbers.chain([String::new()]).collect())
        }
        Kind::ClientMetrics => resources(client, kind),
        Kind::Group => {
            let mut names = resources(client, kind)?;
            for broker in client.metadata(Some(&[]), false)?.brokers {
                let answer = client.ask_node(broker.node_id, LATEST, |_| ListGroupsRequest::default())?;
                ClientError::of(answer.error_code, None)?;
                names.extend(answer.groups.iter().map(|group| group.group_id.to_string()));
            }
            Ok(names)
        }
        _ => {
            let topics = client.metadata(None, false)?.topics;
            Ok(topics.iter().filter_map(|topic| topic.name.as_ref()).map(ToString::to_string).collect())
        }
    })
}

/// What has settings of its own.
fn resources(client: &mut Client, kind: Kind) -> Result<BTreeSet<String>, ClientError> {
    let kind = number(kind);
    let answer = client.ask(LATEST, |_| ListConfigResourcesRequest { resource_types: vec![kind] })?;
    ClientError::of(answer.error_code, None)?;
    let found = answer.config_resources.iter().filter(|resource| resource.resource_type == kind);
    Ok(found.map(|resource| resource.resource_name.to_string()).collect())
}

pub(super) fn describe(call: &mut Call<'_>, client: &mut Client, entity: &Entity) -> Result<(), Failure> {
    let all = call.options.has("all");
    let kind = entity.kind();
    let chosen = match entity.name() {
        Some(name) if !all && !entities(client, kind)?.contains(name) => {
            let kind = kind.singular();
            writeln!(call.out, "The {kind} '{name}' doesn't exist and doesn't have dynamic config.")?;
            return Ok(());
        }
        Some(name) => BTreeSet::from([name.to_owned()]),
        None => entities(client, kind)?,
    };
    for entity in chosen {
        match (&*entity, all) {
            ("", _) => writeln!(call.out, "Default configs for {kind} in the cluster are:")?,
            (_, true) => writeln!(call.out, "All configs for {} {entity} are:", kind.singular())?,
            (_, false) => writeln!(call.out, "Dynamic configs for {} {entity} are:", kind.singular())?,
        }
        let mut settings = settings_of(client, kind, &entity, true)?;
        settings.retain(|setting| all || is_own(kind, &entity, setting));
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

fn settings_of(
    client: &mut Client,
    kind: Kind,
    entity: &str,
    include_synonyms: bool,
) -> Result<Vec<DescribeConfigsResourceResult>, ClientError> {
    client.persist(|client| {
        let resources = vec![DescribeConfigsResource {
            resource_type: number(kind),
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
            found.ok_or_else(|| ClientError::Lost(format!("no answer for {} {entity}", kind.singular())))?;
        ClientError::of(found.error_code, found.error_message.as_deref())?;
        Ok(found.configs)
    })
}

/// Who answers for an entity: a broker for itself, anybody for the rest.
fn address(client: &mut Client, kind: Kind, entity: &str) -> Result<String, ClientError> {
    match entity.parse() {
        Ok(node) if matches!(kind, Kind::Broker | Kind::BrokerLogger) => {
            client.metadata(Some(&[]), false)?;
            client.address_of(node)
        }
        _ => client.any(),
    }
}

pub(super) fn alter(client: &mut Client, entity: &Entity, change: &Change) -> Result<(), Failure> {
    const SET: i8 = 0;
    const DELETE: i8 = 1;
    let (kind, entity) = (entity.kind(), entity.name().unwrap_or_default());
    let there = settings_of(client, kind, entity, false)?;
    let is_set =
        |name: &str| there.iter().any(|setting| &*setting.name == name && is_own(kind, entity, setting));
    if kind == Kind::BrokerLogger {
        let unknown: Vec<_> = change.names().filter(|name| !is_set(name)).collect();
        if !unknown.is_empty() {
            return Err(Failure::Told(format!("Invalid broker logger(s): {}", unknown.join(","))));
        }
    }
    change.deletes_only(is_set)?;
    let changed = |name: &str, config_operation, value: &str| AlterableConfig {
        name: name.to_owned().into(),
        config_operation,
        value: Some(value.to_owned().into()),
    };
    let mut configs: Vec<_> = change.deleted.iter().map(|name| changed(name, DELETE, "")).collect();
    configs.extend(change.set.iter().map(|(name, value)| changed(name, SET, value)));
    Ok(client.persist(|client| {
        let resources = vec![AlterConfigsResource {
            resource_type: number(kind),
            resource_name: entity.to_owned().into(),
            configs: configs.clone(),
        }];
        let address = address(client, kind, entity)?;
        let request = IncrementalAlterConfigsRequest { resources, validate_only: false };
        let answer = client.call(&address, LATEST, |_| request)?;
        let mut results = answer.responses.iter();
        results.try_for_each(|result| ClientError::of(result.error_code, result.error_message.as_deref()))
    })?)
}
