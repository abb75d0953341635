//! AlterClientQuotas (key 49): sets and removes quotas (KIP-546).
//!
//! The rules are those of `state_machines::quotas`. Each entity stands or falls alone. What is altered counts at once.

use std::sync::Arc;

use catalog::CatalogError;
use state_machines::quotas::{Alteration, Answer, Entity};
use wire::StrBytes;
use wire::messages::alter_client_quotas::{
    AlterClientQuotasRequest, AlterClientQuotasResponse, AlteredEntryData, EntityData, EntryData, OpData,
};

use crate::answer::{Handled, body, message, outcome};
use crate::blocking;
use crate::broker::{Broker, Request};
use crate::code::Code;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: AlterClientQuotasRequest = body(request)?;
    let wishes: Vec<Alteration> = asked.entries.iter().map(wish).collect();
    let (broker, now) = (broker.clone(), request.received_at);
    Ok(blocking::answer(move || {
        let altered = broker.catalog.alter_quotas(&wishes, asked.validate_only, now);
        broker.throttles.follow(&broker.catalog);
        let entries = answers(wishes, altered);
        outcome(&AlterClientQuotasResponse { entries, ..AlterClientQuotasResponse::default() }, version)
    }))
}

fn wish(entry: &EntryData) -> Alteration {
    let part = |part: &EntityData| {
        (part.entity_type.to_string(), part.entity_name.as_ref().map(ToString::to_string))
    };
    let change = |op: &OpData| (op.key.to_string(), (!op.remove).then_some(op.value));
    Alteration {
        entity: Entity::new(entry.entity.iter().map(part)),
        changes: entry.ops.iter().map(change).collect(),
    }
}

fn answers(wishes: Vec<Alteration>, altered: Result<Vec<Answer>, CatalogError>) -> Vec<AlteredEntryData> {
    match altered {
        Ok(answers) => answers
            .into_iter()
            .map(|(entity, answer)| match answer {
                Ok(()) => entry(&entity, Code::None, None),
                Err(refusal) => entry(&entity, Code::from(&refusal), message(&refusal)),
            })
            .collect(),
        Err(error) => {
            let failed = |wish: Alteration| entry(&wish.entity, Code::from(&error), message(&error));
            wishes.into_iter().map(failed).collect()
        }
    }
}

fn entry(entity: &Entity, code: Code, error_message: Option<StrBytes>) -> AlteredEntryData {
    let part = |(kind, name): (&str, Option<&str>)| EntityData {
        entity_type: StrBytes::from(kind.to_owned()),
        entity_name: name.map(|name| StrBytes::from(name.to_owned())),
    };
    AlteredEntryData { error_code: code.into(), error_message, entity: entity.parts().map(part).collect() }
}
