//! What Kafka keeps in its metadata and nothing here acts on: quotas, users, delegation tokens and access rules. It is
//! kept whole, since a snapshot stands in for the log it came from (Kafka: `ClientQuotasImage`, `AclsImage`, `ScramImage`,
//! `DelegationTokenImage`).

use std::collections::BTreeMap;

use base::Uuid;
use wire::StrBytes;
use wire::metadata_records::clients::EntityData;
use wire::metadata_records::{
    AccessControlEntryRecord, ClientQuotaRecord, DelegationTokenRecord, MetadataRecord,
    UserScramCredentialRecord,
};

/// Who a quota is for: type and name of each part, in the order of the record; no name is the default.
type Entity = Vec<(StrBytes, Option<StrBytes>)>;

/// The state of all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Bystanders {
    quotas: BTreeMap<Entity, BTreeMap<StrBytes, f64>>,
    rules: BTreeMap<Uuid, AccessControlEntryRecord>,
    /// By mechanism and name.
    users: BTreeMap<(i8, StrBytes), UserScramCredentialRecord>,
    /// By id.
    tokens: BTreeMap<StrBytes, DelegationTokenRecord>,
}

impl Bystanders {
    /// Takes the record into account, if it is of this kind.
    pub(crate) fn apply(&mut self, record: &MetadataRecord) {
        match record {
            MetadataRecord::ClientQuota(record) => self.limit(record),
            MetadataRecord::AccessControlEntry(record) => {
                self.rules.insert(record.id, record.clone());
            }
            MetadataRecord::RemoveAccessControlEntry(record) => {
                self.rules.remove(&record.id);
            }
            MetadataRecord::UserScramCredential(record) => {
                self.users.insert((record.mechanism, record.name.clone()), record.clone());
            }
            MetadataRecord::RemoveUserScramCredential(record) => {
                self.users.remove(&(record.mechanism, record.name.clone()));
            }
            MetadataRecord::DelegationToken(record) => {
                self.tokens.insert(record.token_id.clone(), record.clone());
            }
            MetadataRecord::RemoveDelegationToken(record) => {
                self.tokens.remove(&record.token_id);
            }
            _ => {}
        }
    }

    fn limit(&mut self, record: &ClientQuotaRecord) {
        let part = |part: &EntityData| (part.entity_type.clone(), part.entity_name.clone());
        let entity: Entity = record.entity.iter().map(part).collect();
        if record.remove {
            take_out(&mut self.quotas, &entity, &record.key);
        } else {
            self.quotas.entry(entity).or_default().insert(record.key.clone(), record.value);
        }
    }

    /// The records that give the quotas.
    pub(crate) fn quota_records(&self) -> impl Iterator<Item = MetadataRecord> {
        let part = |(entity_type, entity_name): &(StrBytes, Option<StrBytes>)| EntityData {
            entity_type: entity_type.clone(),
            entity_name: entity_name.clone(),
        };
        self.quotas.iter().flat_map(move |(entity, quotas)| {
            quotas.iter().map(move |(key, value)| {
                let entity = entity.iter().map(part).collect();
                ClientQuotaRecord { entity, key: key.clone(), value: *value, remove: false }.into()
            })
        })
    }

    /// The records that give the access rules, the users and the delegation tokens, in this order.
    pub(crate) fn security_records(&self) -> impl Iterator<Item = MetadataRecord> {
        let rules = self.rules.values().cloned().map(MetadataRecord::from);
        let users = self.users.values().cloned().map(MetadataRecord::from);
        rules.chain(users).chain(self.tokens.values().cloned().map(MetadataRecord::from))
    }

    /// What there is and how much of it.
    pub(crate) fn counts(&self) -> Vec<(&'static str, usize)> {
        let counts = [
            ("client quotas", self.quotas.values().map(BTreeMap::len).sum()),
            ("access rules", self.rules.len()),
            ("users (SCRAM)", self.users.len()),
            ("delegation tokens", self.tokens.len()),
        ];
        counts.into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

/// Takes `key` from what `owner` has, and the owner with the last one.
fn take_out<O: Ord, V>(from: &mut BTreeMap<O, BTreeMap<StrBytes, V>>, owner: &O, key: &StrBytes) {
    if let Some(values) = from.get_mut(owner) {
        values.remove(key);
        if values.is_empty() {
            from.remove(owner);
        }
    }
}
