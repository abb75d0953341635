//! Classic groups (Kafka: `ClassicGroup`): members join, one of them leads and assigns, all sync, and heartbeat from then on.
//!
//! | file | |
//! | --- | --- |
//! | this one | what a group is, and how its stored part is read and written |
//! | `membership` | who comes, changes and goes, and what that does to the counts |
//! | `join` | JoinGroup |
//! | `rebalance` | from the first joiner to the next generation, and the deadlines on the way |
//! | `sync` | SyncGroup and Heartbeat |
//! | `leave` | LeaveGroup |
//! | `transfer` | members on their way to a consumer group, and back from one |
//! | `describe` | what others may see of it, and may do to its offsets |

mod describe;
mod join;
mod leave;
mod member;
mod membership;
mod rebalance;
mod sync;
mod transfer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::Millis;

pub(super) use self::join::drop_repeated_names;
use self::member::Member;
pub(super) use self::transfer::Transferred;
use super::embedded;
use super::error::GroupError;
use super::record::{GroupMetadata, Record};
use super::reply::State;
use super::request::Protocol;
use super::step::Context;
use super::timers::Timer;

/// A classic group, or a simple one, which never has members.
///
/// Stored are the generation, its protocol, leader, members and their assignments, each time that a generation comes into force,
/// that the last member has gone, and that a static member has got a new id. While members join and sync, what stands here is
/// ahead of what is stored; a restart falls back to the generation before, and the members join again.
#[derive(Debug)]
pub(super) struct ClassicGroup {
    id: Arc<str>,
    state: State,
    /// When the state was entered; for a stable group, when all had joined.
    state_since: Option<Millis>,
    protocol_type: Option<Arc<str>>,
    generation: i32,
    protocol: Option<Arc<str>>,
    leader: Option<Arc<str>>,
    members: BTreeMap<Arc<str>, Member>,
    /// The member id behind each instance id.
    static_members: BTreeMap<Arc<str>, Arc<str>>,
    /// Ids that were given out and have not joined yet. Each goes when its session timer fires.
    pending: BTreeSet<Arc<str>>,
    /// How many members have a JoinGroup waiting.
    joining: usize,
    /// Bytes of what the members say of themselves.
    said: usize,
    /// How many members speak each protocol.
    speakers: BTreeMap<Arc<str>, usize>,
    /// Members that have not sent SyncGroup in this generation.
    unsynced: BTreeSet<Arc<str>>,
    /// The topics that the members read; none if that is unknown.
    subscribed: Option<BTreeSet<Arc<str>>>,
    /// The rebalance that is being prepared began with an empty group.
    from_empty: bool,
    /// The initial delay, while it runs.
    initial: Option<InitialDelay>,
}

/// The initial delay is prolonged while members arrive, until the rebalance timeout is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct InitialDelay {
    /// How long the present period is.
    period_ms: i64,
    /// How much is left after it.
    rest_ms: i64,
    /// Someone came in the present period.
    grew: bool,
}

impl ClassicGroup {
    pub(super) const fn new(id: Arc<str>, since: Option<Millis>) -> Self {
        Self {
            id,
            state: State::Empty,
            state_since: since,
            protocol_type: None,
            generation: 0,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending: BTreeSet::new(),
            joining: 0,
            said: 0,
            speakers: BTreeMap::new(),
            unsynced: BTreeSet::new(),
            subscribed: None,
            from_empty: false,
            initial: None,
        }
    }

    pub(super) const fn state(&self) -> State {
        self.state
    }

    pub(super) fn protocol_type(&self) -> Arc<str> {
        self.protocol_type.clone().unwrap_or_default()
    }

    /// Makes a stored generation the group's own: for a record that is read back, and for one that is just being written.
    /// A member that is known keeps what is not stored: its other protocols and the requests it waits in.
    pub(super) fn adopt(&mut self, stored: &GroupMetadata) {
        self.protocol_type = Some(Arc::clone(&stored.protocol_type)).filter(|kind| !kind.is_empty());
        self.generation = stored.generation;
        self.protocol.clone_from(&stored.protocol);
        self.leader.clone_from(&stored.leader);
        self.state_since = Some(stored.state_since).filter(|since| *since != Millis::NONE);
        self.state = if stored.members.is_empty() { State::Empty } else { State::Stable };
        self.from_empty = false;

        let mut known = std::mem::take(&mut self.members);
        for stored_member in &stored.members {
            let mut member = Member::stored(stored_member, stored.protocol.as_ref());
            if let Some(known) = known.remove(&stored_member.member_id) {
                if known.protocols.iter().any(|protocol| protocol == &member.protocols[0]) {
                    member.protocols = known.protocols;
                }
                (member.joining, member.syncing, member.is_new) =
                    (known.joining, known.syncing, known.is_new);
            }
            self.members.insert(Arc::clone(&stored_member.member_id), member);
        }
        self.recount();
        self.subscribed = self.compute_subscribed();
    }

    /// The group as it now is, with these assignments.
    fn to_store(&self, mut assignment: impl FnMut(&str, &Member) -> Arc<[u8]>) -> GroupMetadata {
        let protocol = self.protocol.as_deref();
        let members =
            self.members.iter().map(|(id, member)| member.to_stored(id, protocol, assignment(id, member)));
        GroupMetadata {
            protocol_type: self.protocol_type(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            state_since: self.state_since.unwrap_or(Millis::NONE),
            members: members.collect(),
        }
    }

    /// Writes a generation, and goes by what was written.
    fn store(&mut self, metadata: GroupMetadata, ctx: &mut Context<'_>) {
        self.adopt(&metadata);
        ctx.step.records.push(Record::GroupMetadata { group: Arc::clone(&self.id), value: Some(metadata) });
    }

    /// A group that no record speaks of yet gets one, so that a restart knows it (Kafka: `newEmptyGroupMetadataRecord`).
    pub(super) fn found(&mut self, ctx: &mut Context<'_>) {
        self.state_since = Some(ctx.wall);
        self.store(self.to_store(|_, member| Arc::clone(&member.assignment)), ctx);
    }

    fn enter(&mut self, state: State, now: Millis) {
        self.state = state;
        self.state_since = Some(now);
    }

    fn is_leader(&self, member: &str) -> bool {
        self.leader.as_deref() == Some(member)
    }

    pub(super) fn is_of_consumers(&self) -> bool {
        self.protocol_type.as_deref() == Some(embedded::CONSUMER)
    }

    /// Whether a request may speak for a member (Kafka: `validateMember`).
    fn check_member(&self, member: &str, instance: Option<&str>) -> Result<(), GroupError> {
        if let Some(instance) = instance {
            let holder = self.static_members.get(instance).ok_or(GroupError::UnknownMemberId)?;
            if &**holder != member {
                return Err(GroupError::FencedInstanceId);
            }
        }
        if self.members.contains_key(member) { Ok(()) } else { Err(GroupError::UnknownMemberId) }
    }

    /// Whether one who speaks these protocols could be a member beside those that are there.
    fn speaks_with(&self, protocol_type: &str, protocols: &[Protocol]) -> bool {
        if self.state == State::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols.iter().any(|protocol| self.all_speak(&protocol.name))
    }

    fn all_speak(&self, protocol: &str) -> bool {
        self.speakers.get(protocol).copied().unwrap_or(0) == self.members.len()
    }

    /// Each member votes for the first of its protocols that all speak; of those with the most votes the first by name wins.
    fn elect_protocol(&self) -> Option<Arc<str>> {
        let mut votes: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
        for member in self.members.values() {
            let choice = member.protocols.iter().find(|protocol| self.all_speak(&protocol.name));
            *votes.entry(&choice.expect("who joins has a protocol that all speak").name).or_default() += 1;
        }
        let most = votes.values().max()?;
        votes.iter().find(|(_, count)| *count == most).map(|(protocol, _)| Arc::clone(protocol))
    }

    /// Consumers say what they read; a group of others, or one with a subscription that cannot be read, does not.
    fn compute_subscribed(&self) -> Option<BTreeSet<Arc<str>>> {
        if !self.is_of_consumers() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol.as_deref()?;
        let mut all = BTreeSet::new();
        for member in self.members.values() {
            all.append(&mut embedded::subscribed_topics(&member.metadata(Some(protocol)))?);
        }
        Some(all)
    }

    /// The longest rebalance timeout of the members.
    fn rebalance_timeout_ms(&self) -> i64 {
        self.members.values().map(|member| i64::from(member.rebalance_timeout_ms)).max().unwrap_or(0)
    }

    fn session_timer(&self, member: &Arc<str>) -> Timer {
        Timer::Session { group: Arc::clone(&self.id), member: Arc::clone(member) }
    }

    /// The member has been heard of: its session starts anew.
    pub(super) fn hear_of(&self, member: &Arc<str>, ctx: &mut Context<'_>) {
        if let Some((id, known)) = self.members.get_key_value(member) {
            ctx.set_timer(self.session_timer(id), i64::from(known.session_timeout_ms));
        }
    }
}
