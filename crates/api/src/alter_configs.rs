//! AlterConfigs (key 33) and IncrementalAlterConfigs (key 44): configurations that change while the broker runs.
//!
//! The rules are those of `state_machines::configs`; here requests become alterations, and verdicts become answers.

use std::sync::Arc;

use catalog::{Alteration, Catalog, Change, ConfigsError, Resource, ResourceType};
use wire::StrBytes;
use wire::messages::{alter_configs as full, incremental_alter_configs as incremental};

use crate::answer::{Handled, body, message, outcome};
use crate::blocking;
use crate::broker::{CloseReason, Outcome, Request};
use crate::code::Code;

/// A resource as it was asked for: its number and its name.
type Asked = (i8, StrBytes);

pub(crate) fn handle(catalog: &Arc<Catalog>, request: &Request) -> Handled {
    let version = request.version();
    let asked: full::AlterConfigsRequest = body(request)?;
    let resources: Vec<Asked> =
        asked.resources.iter().map(|one| (one.resource_type, one.resource_name.clone())).collect();
    let alterations = asked.resources.iter().map(|one| {
        let pair = |config: &full::AlterableConfig| (owned(&config.name), config.value.as_ref().map(owned));
        alteration(
            one.resource_type,
            &one.resource_name,
            Change::Replace(one.configs.iter().map(pair).collect()),
        )
    });
    let answer = move |verdicts: Vec<(Asked, i16, Option<StrBytes>)>| {
        let one = |((resource_type, resource_name), error_code, error_message)| {
            full::AlterConfigsResourceResponse { error_code, error_message, resource_type, resource_name }
        };
        let responses = verdicts.into_iter().map(one).collect();
        outcome(&full::AlterConfigsResponse { responses, ..Default::default() }, version)
    };
    alter(catalog, request, resources, alterations.collect(), asked.validate_only, answer)
}

pub(crate) fn handle_incremental(catalog: &Arc<Catalog>, request: &Request) -> Handled {
    let version = request.version();
    let asked: incremental::IncrementalAlterConfigsRequest = body(request)?;
    let resources: Vec<Asked> =
        asked.resources.iter().map(|one| (one.resource_type, one.resource_name.clone())).collect();
    let alterations = asked.resources.iter().map(|one| {
        let change = |config: &incremental::AlterableConfig| {
            (owned(&config.name), config.config_operation, config.value.as_ref().map(owned))
        };
        alteration(
            one.resource_type,
            &one.resource_name,
            Change::Each(one.configs.iter().map(change).collect()),
        )
    });
    let answer = move |verdicts: Vec<(Asked, i16, Option<StrBytes>)>| {
        let one = |((resource_type, resource_name), error_code, error_message)| {
            incremental::AlterConfigsResourceResponse {
                error_code,
                error_message,
                resource_type,
                resource_name,
            }
        };
        let responses = verdicts.into_iter().map(one).collect();
        outcome(&incremental::IncrementalAlterConfigsResponse { responses, ..Default::default() }, version)
    };
    alter(catalog, request, resources, alterations.collect(), asked.validate_only, answer)
}

fn alteration(number: i8, name: &StrBytes, change: Change) -> Alteration {
    Alteration { resource: Resource::new(ResourceType::of(number), owned(name)), change }
}

fn owned(text: &StrBytes) -> String {
    text.as_str().to_owned()
}

fn alter(
    catalog: &Arc<Catalog>,
    request: &Request,
    resources: Vec<Asked>,
    alterations: Vec<Alteration>,
    validate_only: bool,
    answer: impl FnOnce(Vec<(Asked, i16, Option<StrBytes>)>) -> Outcome + Send + 'static,
) -> Handled {
    let (catalog, now) = (catalog.clone(), request.received_at);
    let work = move || {
        let verdicts = catalog.alter_configs(alterations, validate_only, now);
        let one = |(asked, verdict): (Asked, Result<(), ConfigsError>)| match verdict {
            Ok(()) => (asked, Code::None.into(), None),
            Err(error) => (asked, Code::from(&error).into(), message(&error)),
        };
        answer(resources.into_iter().zip(verdicts).map(one).collect())
    };
    Ok::<_, CloseReason>(blocking::answer(work))
}
