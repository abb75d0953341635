//! Quotas of users, clients and addresses.

use client::{Client, ClientError, LATEST};
use wire::messages::alter_client_quotas::{self as altering, AlterClientQuotasRequest};
use wire::messages::describe_client_quotas::{ComponentData, DescribeClientQuotasRequest, EntryData};

use super::change::Change;
use super::entity::{Entity, Kind};
use crate::call::{Call, Failure};
use crate::java;

/// What users and clients can be held to.
const OF_CLIENTS: [&str; 4] =
    ["producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate"];
/// What addresses can be held to.
const OF_ADDRESSES: [&str; 1] = ["connection_creation_rate"];

/// The kind as quotas have it, and as Kafka's tool shows it.
const fn names(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::User => ("user", "user-principal"),
        Kind::Client => ("client-id", "client-id"),
        _ => ("ip", "ip"),
    }
}

pub(super) fn describe(call: &mut Call<'_>, client: &mut Client, entity: &Entity) -> Result<(), Failure> {
    for entry in quotas(client, entity)? {
        let mut parts = Vec::new();
        for (kind, shown) in [Kind::User, Kind::Client, Kind::Ip].map(names) {
            for part in entry.entity.iter().filter(|part| &*part.entity_type == kind) {
                parts.push(match &part.entity_name {
                    Some(name) => format!("{shown} '{name}'"),
                    None => format!("the default {shown}"),
                });
            }
        }
        let mut values: Vec<_> =
            entry.values.iter().map(|quota| format!("{}={}", quota.key, java::number(quota.value))).collect();
        values.sort_unstable();
        writeln!(call.out, "Quota configs for {} are {}", parts.join(", "), values.join(", "))?;
    }
    Ok(())
}

/// The quotas of all that fit.
fn quotas(client: &mut Client, entity: &Entity) -> Result<Vec<EntryData>, ClientError> {
    const BY_NAME: i8 = 0;
    const DEFAULT: i8 = 1;
    const ANY: i8 = 2;
    let component = |(kind, name): (Kind, Option<&str>)| ComponentData {
        entity_type: names(kind).0.into(),
        match_type: name.map_or(ANY, |name| if name.is_empty() { DEFAULT } else { BY_NAME }),
        name: name.filter(|name| !name.is_empty()).map(|name| name.to_owned().into()),
    };
    client.persist(|client| {
        let components = entity.parts().map(component).collect();
        let answer = client.ask(LATEST, |_| DescribeClientQuotasRequest { components, strict: true })?;
        ClientError::of(answer.error_code, answer.error_message.as_deref())?;
        Ok(answer.entries.unwrap_or_default())
    })
}

pub(super) fn alter(client: &mut Client, entity: &Entity, change: &Change) -> Result<(), Failure> {
    let known = if entity.kind() == Kind::Ip { &OF_ADDRESSES[..] } else { &OF_CLIENTS };
    if let Some(scram) = change.names().find(|name| name.starts_with("SCRAM-SHA-")) {
        let why = format!("{scram} is not supported: there are no SCRAM credentials");
        return Err(Failure::Told(why));
    }
    if let Some(unknown) = change.names().find(|name| !known.contains(name)) {
        let kind = entity.kind();
        return Err(Failure::Told(format!(
            "Only quota configs can be added or deleted for '{kind}': {unknown} is none of {}",
            known.join(", ")
        )));
    }
    let there = quotas(client, entity)?;
    change
        .deletes_only(|name| there.iter().flat_map(|entry| &entry.values).any(|quota| &*quota.key == name))?;
    let op = |key: &str, value: Option<f64>| altering::OpData {
        key: key.to_owned().into(),
        value: value.unwrap_or_default(),
        remove: value.is_none(),
    };
    let mut ops = Vec::new();
    for (name, value) in &change.set {
        let number = value.parse().map_err(|_| {
            Failure::Told(format!("Cannot parse quota configuration value for {name}: {value}"))
        })?;
        ops.push(op(name, Some(number)));
    }
    ops.extend(change.deleted.iter().map(|name| op(name, None)));
    let part = |(kind, name): (Kind, Option<&str>)| altering::EntityData {
        entity_type: names(kind).0.into(),
        entity_name: name.filter(|name| !name.is_empty()).map(|name| name.to_owned().into()),
    };
    let entries = vec![altering::EntryData { entity: entity.parts().map(part).collect(), ops }];
    Ok(client.persist(|client| {
        let entries = entries.clone();
        let answer = client.ask(LATEST, |_| AlterClientQuotasRequest { entries, validate_only: false })?;
        let mut results = answer.entries.iter();
        results.try_for_each(|entry| ClientError::of(entry.error_code, entry.error_message.as_deref()))
    })?)
}
