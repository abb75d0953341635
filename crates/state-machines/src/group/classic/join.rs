//! JoinGroup (Kafka: `classicGroupJoinToClassicGroup` and what it calls).

use std::sync::Arc;

use super::{ClassicGroup, Member};
use crate::group::error::GroupError;
use crate::group::reply::{JoinRefused, Joined, JoinedMember, Reply, State};
use crate::group::request::{Join, Protocol};
use crate::group::size;
use crate::group::step::{Context, Ticket};

/// A new member cannot send heartbeats while its first JoinGroup waits, and a client that gave up and came again leaves a dead
/// one behind: after five minutes it is told to come again (Kafka: `classicGroupNewMemberJoinTimeoutMs`).
const NEW_MEMBER_TIMEOUT_MS: i64 = 300_000;

impl ClassicGroup {
    /// Lets a member in, puts it off, or refuses it. The caller has looked at the group id and the session timeout, and knows
    /// that whoever names a member id means a group that was there.
    pub(in crate::group) fn join(&mut self, ticket: Ticket, mut join: Join, ctx: &mut Context<'_>) {
        drop_repeated_names(&mut join.protocols);
        let known = !join.member_id.is_empty();
        if !self.has_room_for(&join.member_id, ctx.settings.max_size) {
            let id = Arc::clone(&join.member_id);
            self.remove(&id, GroupError::GroupMaxSizeReached, ctx);
            return refuse(ticket, Arc::default(), GroupError::GroupMaxSizeReached, ctx);
        }
        if !self.has_room_for_words_of(&join, ctx.room) {
            return refuse(ticket, join.member_id, GroupError::RecordTooLarge, ctx);
        }
        if !self.speaks_with(&join.protocol_type, &join.protocols) {
            return refuse(ticket, join.member_id, GroupError::InconsistentProtocol, ctx);
        }
        match (known, &join.instance_id) {
            (true, None) if self.pending.contains(&join.member_id) => {
                self.admit(&join.member_id, ticket, &join, ctx);
            }
            (true, _) => self.rejoin(ticket, &join, ctx),
            (false, Some(instance)) => {
                let id = fresh_id(instance, &join);
                match self.static_members.get(instance).cloned() {
                    Some(former) => self.replace(&former, &id, ticket, &join, ctx),
                    None => self.admit(&id, ticket, &join, ctx),
                }
            }
            (false, None) => {
                let id = fresh_id(&join.client_id, &join);
                if join.requires_member_id {
                    // Whoever keeps asking for ids must not fill the memory.
                    if self.pending.len() >= ctx.settings.max_size {
                        return refuse(ticket, Arc::default(), GroupError::GroupMaxSizeReached, ctx);
                    }
                    ctx.set_timer(self.session_timer(&id), i64::from(join.session_timeout_ms));
                    self.pending.insert(Arc::clone(&id));
                    refuse(ticket, id, GroupError::MemberIdRequired, ctx);
                } else {
                    self.admit(&id, ticket, &join, ctx);
                }
            }
        }
    }

    /// Whether one more may come. While members join, those that have joined count: if the limit was lowered, the last to rejoin
    /// are left out.
    fn has_room_for(&self, member: &str, max_size: usize) -> bool {
        match self.state {
            State::Empty => true,
            State::PreparingRebalance => self.is_joining(member) || self.joining < max_size,
            State::CompletingRebalance | State::Stable => {
                self.members.contains_key(member) || self.members.len() < max_size
            }
        }
    }

    /// Whether the group may keep in memory what this member says of itself, beside what the others said. Kafka sets no bound
    /// here; its groups cannot store more than `room` bytes of it, which are of one protocol each.
    fn has_room_for_words_of(&self, join: &Join, room: usize) -> bool {
        let replaced = match (&join.instance_id, &*join.member_id) {
            (Some(instance), "") => self.static_members.get(instance),
            _ => Some(&join.member_id),
        };
        let said_before = replaced.and_then(|id| self.members.get(id)).map_or(0, Member::said);
        let pending = self.pending.iter().map(|id| PENDING + id.len()).sum::<usize>();
        let now = Member::joining(join).said();
        self.said - said_before + pending + now <= room.saturating_mul(PROTOCOLS_IN_MEMORY)
    }

    /// Adds a member under its id.
    fn admit(&mut self, id: &Arc<str>, ticket: Ticket, join: &Join, ctx: &mut Context<'_>) {
        if let Some(initial) = &mut self.initial {
            initial.grew = true;
        }
        ctx.set_timer(self.session_timer(id), NEW_MEMBER_TIMEOUT_MS);
        self.add(id, Member::joining(join), &join.protocol_type, ticket);
        self.rebalance_or_complete(ctx);
    }

    /// One who says that it is a member already.
    fn rejoin(&mut self, ticket: Ticket, join: &Join, ctx: &mut Context<'_>) {
        let id = &join.member_id;
        if let Err(error) = self.check_member(id, join.instance_id.as_deref()) {
            return refuse(ticket, Arc::clone(id), error, ctx);
        }
        let unchanged = self.members[id].protocols == join.protocols;
        let joins_anew = match self.state {
            State::PreparingRebalance => true,
            // The answer to its first JoinGroup may have been lost; then it is given once more.
            State::CompletingRebalance => !unchanged,
            // A leader joins again when it sees cause to assign anew, such as a topic that has grown.
            State::Stable => !unchanged || self.is_leader(id),
            State::Empty => return refuse(ticket, Arc::clone(id), GroupError::UnknownMemberId, ctx),
        };
        if !joins_anew {
            let with_members = self.state == State::CompletingRebalance && self.is_leader(id);
            let joined = self.joined(id, with_members);
            return ctx.reply(ticket, Reply::Join(Ok(joined)));
        }
        if let Some(earlier) = self.update(id, join, Some(ticket)) {
            refuse(earlier, Arc::clone(id), GroupError::Superseded, ctx);
        }
        self.rebalance_or_complete(ctx);
    }

    /// A static member comes back without its member id. As long as the chosen protocol stays, nobody else needs to know.
    fn replace(
        &mut self,
        former: &Arc<str>,
        id: &Arc<str>,
        ticket: Ticket,
        join: &Join,
        ctx: &mut Context<'_>,
    ) {
        let told_leader = self.leader.clone().unwrap_or_default();
        self.rename(former, id, ctx);
        self.hear_of(id, ctx);
        match self.state {
            State::Stable => {
                self.update(id, join, None);
                let metadata = self.to_store(|_, member| Arc::clone(&member.assignment));
                if self.elect_protocol() == self.protocol
                    && size::of_generation(&self.id, &metadata) <= ctx.room
                {
                    self.store(metadata, ctx);
                    let skip_assignment = join.skips_assignment && self.is_leader(id);
                    let mut joined = self.joined(id, skip_assignment);
                    joined.skip_assignment = skip_assignment;
                    if !join.skips_assignment {
                        joined.leader = told_leader;
                    }
                    return ctx.reply(ticket, Reply::Join(Ok(joined)));
                }
                self.set_joining(id, Some(ticket));
                self.prepare_rebalance(ctx);
            }
            // The leader may be assigning to the former id right now, so that the new one would get nothing.
            State::CompletingRebalance => {
                self.update(id, join, Some(ticket));
                self.prepare_rebalance(ctx);
            }
            State::PreparingRebalance | State::Empty => {
                self.update(id, join, Some(ticket));
                self.complete_if_all_rejoined(ctx);
            }
        }
    }

    /// What a member of the present generation is told.
    pub(super) fn joined(&self, id: &Arc<str>, with_members: bool) -> Joined {
        let protocol = self.protocol.as_deref();
        let member = |(id, member): (&Arc<str>, &Member)| JoinedMember {
            member_id: Arc::clone(id),
            instance_id: member.instance_id.clone(),
            metadata: member.metadata(protocol),
        };
        let members = if with_members { self.members.iter().map(member).collect() } else { Vec::new() };
        Joined {
            member_id: Arc::clone(id),
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            skip_assignment: false,
            members,
        }
    }
}

fn refuse(ticket: Ticket, member_id: Arc<str>, error: GroupError, ctx: &mut Context<'_>) {
    ctx.reply(ticket, Reply::Join(Err(JoinRefused { member_id, error })));
}

/// A record holds what members say in one protocol, and they speak several: so many times a record's room is kept in memory.
const PROTOCOLS_IN_MEMORY: usize = 4;

/// What an id that was given out takes beside its text.
const PENDING: usize = 100;

/// Longest text that a stored group can hold, in bytes.
const LONGEST_ID: usize = 32_767;

/// What a client calls itself may be as long as its member id may be; then it is cut, so that the id can be stored.
fn fresh_id(prefix: &str, join: &Join) -> Arc<str> {
    let uuid = join.uuid.to_string();
    let room = prefix.floor_char_boundary(LONGEST_ID - 1 - uuid.len());
    Arc::from(format!("{}-{uuid}", &prefix[..room]))
}

/// A protocol that is listed twice would count as two speakers. The dearer one stays.
pub(in crate::group) fn drop_repeated_names(protocols: &mut Vec<Protocol>) {
    let mut seen = std::collections::HashSet::new();
    protocols.retain(|protocol| seen.insert(Arc::clone(&protocol.name)));
}
