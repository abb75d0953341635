//! Whom a quota is for.

use std::collections::BTreeMap;

/// The type of a part that names a user.
pub const USER: &str = "user";
/// The type of a part that names what a client calls itself.
pub const CLIENT_ID: &str = "client-id";
/// The type of a part that names the address a connection comes from.
pub const IP: &str = "ip";

/// Whom a quota is for: type and name of each part, such as a user and a client id. A part without a name stands for all
/// that have no quota of their own (Kafka: `ClientQuotaEntity`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entity(BTreeMap<String, Option<String>>);

impl Entity {
    /// The entity of these parts; of a type given twice the last one counts.
    pub fn new(parts: impl IntoIterator<Item = (String, Option<String>)>) -> Self {
        Self(parts.into_iter().collect())
    }

    /// Its parts: type and name, in the order of the types.
    pub fn parts(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(kind, name)| (kind.as_str(), name.as_deref()))
    }

    /// How many parts it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no part.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of the part of this type, if there is one.
    #[must_use]
    pub fn part(&self, kind: &str) -> Option<Option<&str>> {
        self.0.get(kind).map(Option::as_deref)
    }
}
