//! DescribeClientQuotas (key 48): which quotas there are, and for whom (KIP-546).

use std::collections::BTreeMap;

use catalog::Catalog;
use state_machines::quotas::{Component, Entity, Filter, Match};
use wire::StrBytes;
use wire::messages::describe_client_quotas::{
    ComponentData, DescribeClientQuotasRequest, DescribeClientQuotasResponse, EntityData, EntryData,
    ValueData,
};

use crate::answer::{Handled, body, message, ready};
use crate::broker::Request;
use crate::code::Code;

pub(crate) fn handle(catalog: &Catalog, request: &Request) -> Handled {
    let version = request.version();
    let asked: DescribeClientQuotasRequest = body(request)?;
    ready(&describe(catalog, &asked), version)
}

fn describe(catalog: &Catalog, asked: &DescribeClientQuotasRequest) -> DescribeClientQuotasResponse {
    let components: Result<Vec<Component>, &'static str> = asked.components.iter().map(component).collect();
    let components = match components {
        Ok(components) => components,
        Err(why) => return refused(Code::InvalidRequest, Some(StrBytes::from_static(why))),
    };
    let quotas = catalog.quotas();
    match quotas.describe(&Filter { components, strict: asked.strict }) {
        Ok(found) => DescribeClientQuotasResponse {
            entries: Some(found.map(|(entity, values)| entry(entity, values)).collect()),
            error_message: None,
            ..DescribeClientQuotasResponse::default()
        },
        Err(error) => refused(Code::from(&error), message(&error)),
    }
}

fn component(asked: &ComponentData) -> Result<Component, &'static str> {
    let wanted = match (asked.match_type, &asked.name) {
        (0, Some(name)) => Match::Exact(name.to_string()),
        (0, None) => return Err("a match by name has no name"),
        (1, None) => Match::Default,
        (2, None) => Match::Any,
        (1 | 2, Some(_)) => return Err("only a match by name has a name"),
        _ => return Err("there is no such match type; there are 0, 1 and 2"),
    };
    Ok(Component { kind: asked.entity_type.to_string(), wanted })
}

fn refused(code: Code, error_message: Option<StrBytes>) -> DescribeClientQuotasResponse {
    DescribeClientQuotasResponse {
        error_code: code.into(),
        error_message,
        entries: None,
        ..DescribeClientQuotasResponse::default()
    }
}

fn entry(entity: &Entity, values: &BTreeMap<String, f64>) -> EntryData {
    let part = |(kind, name): (&str, Option<&str>)| EntityData {
        entity_type: StrBytes::from(kind.to_owned()),
        entity_name: name.map(|name| StrBytes::from(name.to_owned())),
    };
    let value = |(key, value): (&String, &f64)| ValueData { key: StrBytes::from(key.clone()), value: *value };
    EntryData { entity: entity.parts().map(part).collect(), values: values.iter().map(value).collect() }
}
