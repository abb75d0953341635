//! Which entities fit a filter (Kafka: `ClientQuotasImage.describe`).

use std::collections::BTreeMap;

use super::entity::{CLIENT_ID, Entity, IP, USER};
use super::image::Quotas;

/// What an entity must have, part by part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The parts that are asked for.
    pub components: Vec<Component>,
    /// Whether an entity must have nothing else.
    pub strict: bool,
}

/// A part that an entity must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its type.
    pub kind: String,
    /// What is asked of its name.
    pub wanted: Match,
}

/// What is asked of the name of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// This one.
    Exact(String),
    /// None: the default.
    Default,
    /// Whatever it is.
    Any,
}

/// What is wrong with a filter. All are INVALID_REQUEST 42, but for the last.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// A type of no characters.
    #[error("an entity type is empty")]
    EmptyType,
    /// A type twice.
    #[error("the entity type {0} is named more than once")]
    TypeTwice(String),
    /// Addresses have no users.
    #[error("an ip cannot be combined with a user or a client-id")]
    IpWithOthers,
    /// UNSUPPORTED_VERSION 35: a type that does not exist.
    #[error("there is no entity type {0}; there are user, client-id and ip")]
    UnknownType(String),
}

impl Quotas {
    /// The entities that fit, with their quotas, in order.
    ///
    /// # Errors
    /// When the filter makes no sense.
    pub fn describe(
        &self,
        filter: &Filter,
    ) -> Result<impl Iterator<Item = (&Entity, &BTreeMap<String, f64>)>, FilterError> {
        check(filter)?;
        Ok(self.iter().filter(|(entity, _)| fits(entity, filter)))
    }
}

fn check(filter: &Filter) -> Result<(), FilterError> {
    let kinds: Vec<&str> = filter.components.iter().map(|component| component.kind.as_str()).collect();
    for (at, kind) in kinds.iter().enumerate() {
        if kind.is_empty() {
            return Err(FilterError::EmptyType);
        }
        if kinds[..at].contains(kind) {
            return Err(FilterError::TypeTwice((*kind).to_owned()));
        }
        if ![USER, CLIENT_ID, IP].contains(kind) {
            return Err(FilterError::UnknownType((*kind).to_owned()));
        }
    }
    if kinds.contains(&IP) && kinds.len() > 1 { Err(FilterError::IpWithOthers) } else { Ok(()) }
}

fn fits(entity: &Entity, filter: &Filter) -> bool {
    let has = |component: &Component| match (entity.part(&component.kind), &component.wanted) {
        (None, _) => false,
        (Some(_), Match::Any) => true,
        (Some(name), Match::Default) => name.is_none(),
        (Some(name), Match::Exact(wanted)) => name == Some(wanted.as_str()),
    };
    (!filter.strict || entity.len() == filter.components.len()) && filter.components.iter().all(has)
}
