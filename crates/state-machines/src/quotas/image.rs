//! The quotas as they stand.

use std::collections::BTreeMap;

use super::entity::Entity;

/// The quotas of all entities (Kafka: `ClientQuotasImage`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quotas {
    /// No entity is without a quota.
    by_entity: BTreeMap<Entity, BTreeMap<String, f64>>,
}

/// A change of one quota.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Whose.
    pub entity: Entity,
    /// Which.
    pub key: String,
    /// Its new value; `None`: it is removed.
    pub value: Option<f64>,
}

impl Quotas {
    /// Takes a record into account.
    pub fn apply(&mut self, record: &Record) {
        match record.value {
            Some(value) => {
                let quotas = self.by_entity.entry(record.entity.clone()).or_default();
                quotas.insert(record.key.clone(), value);
            }
            None => {
                if let Some(quotas) = self.by_entity.get_mut(&record.entity) {
                    quotas.remove(&record.key);
                    if quotas.is_empty() {
                        self.by_entity.remove(&record.entity);
                    }
                }
            }
        }
    }

    /// The records that give this image.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        self.by_entity.iter().flat_map(|(entity, quotas)| {
            quotas.iter().map(|(key, value)| Record {
                entity: entity.clone(),
                key: key.clone(),
                value: Some(*value),
            })
        })
    }

    /// The entities with their quotas, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Entity, &BTreeMap<String, f64>)> {
        self.by_entity.iter()
    }

    /// The value of one quota.
    #[must_use]
    pub fn get(&self, entity: &Entity, key: &str) -> Option<f64> {
        self.by_entity.get(entity)?.get(key).copied()
    }

    /// Whether there is no quota at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_entity.is_empty()
    }
}
