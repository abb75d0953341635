//! What Kafka keeps in its metadata and nothing here acts on: users, delegation tokens and access rules. It is kept whole,
//! since a snapshot stands in for the log it came from (Kafka: `AclsImage`, `ScramImage`, `DelegationTokenImage`).

use std::collections::BTreeMap;

use base::Uuid;
use wire::StrBytes;
use wire::metadata_records::{
    AccessControlEntryRecord, DelegationTokenRecord, MetadataRecord, UserScramCredentialRecord,
};

/// The state of all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Bystanders {
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

    /// The records that give the access rules, the users and the delegation tokens, in this order.
    pub(crate) fn security_records(&self) -> impl Iterator<Item = MetadataRecord> {
        let rules = self.rules.values().cloned().map(MetadataRecord::from);
        let users = self.users.values().cloned().map(MetadataRecord::from);
        rules.chain(users).chain(self.tokens.values().cloned().map(MetadataRecord::from))
    }

    /// What there is and how much of it.
    pub(crate) fn counts(&self) -> Vec<(&'static str, usize)> {
        let counts = [
            ("access rules", self.rules.len()),
            ("users (SCRAM)", self.users.len()),
            ("delegation tokens", self.tokens.len()),
        ];
        counts.into_iter().filter(|(_, count)| *count > 0).collect()
    }
}
