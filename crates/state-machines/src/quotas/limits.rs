//! Which quota counts for whom.

use std::collections::HashMap;
use std::net::IpAddr;

use super::entity::{CLIENT_ID, IP, USER};
use super::image::Quotas;

/// Bytes per second that a client may produce.
pub const PRODUCER_BYTE_RATE: &str = "producer_byte_rate";
/// Bytes per second that a client may fetch.
pub const CONSUMER_BYTE_RATE: &str = "consumer_byte_rate";
/// Percent of one thread that the requests of a client may take.
pub const REQUEST_PERCENTAGE: &str = "request_percentage";
/// Partitions per second that a client may create and delete.
pub const CONTROLLER_MUTATION_RATE: &str = "controller_mutation_rate";
/// Connections per second that an address may open.
pub const CONNECTION_CREATION_RATE: &str = "connection_creation_rate";

/// What a quota of users and client ids is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `producer_byte_rate`: bytes of Produce requests.
    Produce,
    /// `consumer_byte_rate`: bytes of records in Fetch answers.
    Fetch,
    /// `request_percentage`: percent of a thread.
    Request,
    /// `controller_mutation_rate`: partitions that come and go.
    Mutation,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Produce, Self::Fetch, Self::Request, Self::Mutation];

    const fn key(self) -> &'static str {
        match self {
            Self::Produce => PRODUCER_BYTE_RATE,
            Self::Fetch => CONSUMER_BYTE_RATE,
            Self::Request => REQUEST_PERCENTAGE,
            Self::Mutation => CONTROLLER_MUTATION_RATE,
        }
    }
}

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client<'a> {
    /// The user, such as `ANONYMOUS`.
    pub user: &'a str,
    /// What the client calls itself; may be empty.
    pub id: &'a str,
}

/// A quota that counts for a client, and who shares it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limit<'a> {
    pub(super) value: f64,
    /// Whose amounts count together; "" where the user or the client id makes no difference.
    pub(super) shared_by: Client<'a>,
}

/// All limits, ready to be looked up.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    kinds: [Clients; 4],
    addresses: HashMap<IpAddr, f64>,
    any_address: Option<f64>,
}

/// The limits of one kind.
#[derive(Clone, Debug, Default)]
struct Clients {
    users: HashMap<String, User>,
    any_user: User,
    /// Without a user.
    ids: HashMap<String, f64>,
    any_id: Option<f64>,
}

/// The limits of one user.
#[derive(Clone, Debug, Default)]
struct User {
    own: Option<f64>,
    ids: HashMap<String, f64>,
    any_id: Option<f64>,
}

impl Limits {
    pub(super) fn new(quotas: &Quotas) -> Self {
        let mut limits = Self::default();
        for (entity, values) in quotas.iter() {
            // Nothing else is let in, but a metadata log may hold it.
            let value = |key| values.get(key).filter(|value| **value > 0.0);
            if let Some(address) = entity.part(IP) {
                if let Some(value) = value(CONNECTION_CREATION_RATE) {
                    limits.limit_address(address, *value);
                }
                continue;
            }
            for kind in Kind::ALL {
                if let Some(value) = value(kind.key()) {
                    limits.kinds[kind as usize].limit(entity.part(USER), entity.part(CLIENT_ID), *value);
                }
            }
        }
        limits
    }

    fn limit_address(&mut self, address: Option<&str>, value: f64) {
        match address.map(str::parse::<IpAddr>) {
            None => self.any_address = Some(value),
            Some(Ok(address)) => {
                self.addresses.insert(address.to_canonical(), value);
            }
            // A host name, which Kafka looked up and took.
            Some(Err(_)) => {}
        }
    }

    pub(super) fn has(&self, kind: Kind) -> bool {
        !self.kinds[kind as usize].is_empty()
    }

    pub(super) fn has_addresses(&self) -> bool {
        self.any_address.is_some() || !self.addresses.is_empty()
    }

    pub(super) fn of_address(&self, address: IpAddr) -> Option<f64> {
        self.addresses.get(&address.to_canonical()).copied().or(self.any_address)
    }

    pub(super) fn of_client<'a>(&self, kind: Kind, client: Client<'a>) -> Option<Limit<'a>> {
        self.kinds[kind as usize].of(client)
    }
}

impl Clients {
    fn limit(&mut self, user: Option<Option<&str>>, id: Option<Option<&str>>, value: f64) {
        let user = match user {
            None => {
                match id {
                    Some(Some(id)) => drop(self.ids.insert(id.to_owned(), value)),
                    Some(None) => self.any_id = Some(value),
                    None => {}
                }
                return;
            }
            Some(None) => &mut self.any_user,
            Some(Some(user)) => self.users.entry(user.to_owned()).or_default(),
        };
        match id {
            None => user.own = Some(value),
            Some(None) => user.any_id = Some(value),
            Some(Some(id)) => drop(user.ids.insert(id.to_owned(), value)),
        }
    }

    fn is_empty(&self) -> bool {
        let any = &self.any_user;
        self.users.is_empty()
            && self.ids.is_empty()
            && self.any_id.is_none()
            && any.ids.is_empty()
            && [any.own, any.any_id] == [None, None]
    }

    /// The most specific limit (Kafka: `ClientQuotaManager.DefaultQuotaCallback`). What is limited per client id counts
    /// for each id of a user on its own, also where the quota itself is a default.
    fn of<'a>(&self, client: Client<'a>) -> Option<Limit<'a>> {
        let own = self.users.get(client.user);
        let shared_by = |user, id| move |value| Limit { value, shared_by: Client { user, id } };
        let alone = shared_by(client.user, client.id);
        let together = shared_by(client.user, "");
        if client.id.is_empty() {
            // As in Kafka a client without an id is one only to quotas that do not ask for it.
            return own.and_then(|user| user.own).or(self.any_user.own).map(together);
        }
        let id_of = |user: &User| user.ids.get(client.id).copied().or(user.any_id);
        own.and_then(id_of)
            .map(alone)
            .or_else(|| own.and_then(|user| user.own).map(together))
            .or_else(|| id_of(&self.any_user).map(alone))
            .or_else(|| self.any_user.own.map(together))
            .or_else(|| self.ids.get(client.id).copied().or(self.any_id).map(shared_by("", client.id)))
    }
}
