//! Quotas of clients: as records of the metadata log, and altering them (Kafka: `ClientQuotaControlManager`).

use std::sync::Arc;

use base::Millis;
use state_machines::quotas::{Alteration, Answer, Decision, Entity, Quotas, Record};
use wire::metadata_records::ClientQuotaRecord;
use wire::metadata_records::clients::EntityData;

use crate::catalog::Catalog;
use crate::error::CatalogError;
use crate::registration::Versioned;

impl Catalog {
    /// The quotas as they stand now. Cheap; the image handed out never changes.
    #[must_use]
    pub fn quotas(&self) -> Arc<Quotas> {
        self.quotas.load_full()
    }

    /// Alters quotas; one answer per entity, in the order of the request. Each stands or falls alone. With `validate_only`
    /// nothing is altered. Waits for a sync.
    ///
    /// # Errors
    /// When what was decided cannot be stored; then nothing is altered.
    pub fn alter_quotas(
        &self,
        wishes: &[Alteration],
        validate_only: bool,
        now: Millis,
    ) -> Result<Vec<Answer>, CatalogError> {
        self.at(now);
        let mut writer = self.writer.lock();
        let Decision { answers, records } = writer.image.quotas.alter(wishes);
        if validate_only || records.is_empty() {
            writer.check_open()?;
            return Ok(answers);
        }
        for record in &records {
            tracing::info!("{}", describe(record));
        }
        writer.commit(
            records.into_iter().map(|record| -> Versioned { (to_wire(record).into(), 0) }).collect(),
            now,
        )?;
        self.quotas.store(Arc::clone(&writer.image.quotas));
        self.applied(&writer);
        Ok(answers)
    }
}

fn describe(record: &Record) -> String {
    let part = |(kind, name): (&str, Option<&str>)| match name {
        Some(name) => format!("{kind} {name:?}"),
        None => format!("every other {kind}"),
    };
    let whom: Vec<String> = record.entity.parts().map(part).collect();
    let (key, whom) = (&record.key, whom.join(" with "));
    match record.value {
        Some(value) => format!("the quota {key} of {whom} is to be {value}"),
        None => format!("the quota {key} of {whom} is to go"),
    }
}

/// As the metadata log stores it.
pub(crate) fn to_wire(record: Record) -> ClientQuotaRecord {
    let part = |(kind, name): (&str, Option<&str>)| EntityData {
        entity_type: kind.to_owned().into(),
        entity_name: name.map(|name| name.to_owned().into()),
    };
    ClientQuotaRecord {
        entity: record.entity.parts().map(part).collect(),
        key: record.key.into(),
        value: record.value.unwrap_or_default(),
        remove: record.value.is_none(),
    }
}

/// As the machine takes it.
pub(crate) fn of_wire(record: &ClientQuotaRecord) -> Record {
    let part = |part: &EntityData| {
        (part.entity_type.to_string(), part.entity_name.as_ref().map(ToString::to_string))
    };
    Record {
        entity: Entity::new(record.entity.iter().map(part)),
        key: record.key.to_string(),
        value: (!record.remove).then_some(record.value),
    }
}
