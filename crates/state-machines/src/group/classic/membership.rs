//! Who comes, changes and goes. Every waiting request, every count and every index of a group changes here.

use std::sync::Arc;

use super::{ClassicGroup, Member};
use crate::group::error::GroupError;
use crate::group::reply::{JoinRefused, Reply};
use crate::group::request::Join;
use crate::group::step::{Context, Ticket};

impl ClassicGroup {
    /// Adds a member that waits in a JoinGroup. The first one leads, and says what the group speaks.
    pub(super) fn add(&mut self, id: &Arc<str>, member: Member, protocol_type: &Arc<str>, ticket: Ticket) {
        if self.members.is_empty() {
            self.protocol_type = Some(Arc::clone(protocol_type));
        }
        if self.leader.is_none() {
            self.leader = Some(Arc::clone(id));
        }
        if let Some(instance) = &member.instance_id {
            self.static_members.insert(Arc::clone(instance), Arc::clone(id));
        }
        self.pending.remove(id);
        self.count_protocols(&member, true);
        self.members.insert(Arc::clone(id), member);
        self.set_joining(id, Some(ticket));
    }

    /// Takes over what a member says of itself in a JoinGroup, and lets it wait, or not if `ticket` is none. Returns the
    /// ticket of a JoinGroup that waited already.
    pub(super) fn update(&mut self, id: &str, join: &Join, ticket: Option<Ticket>) -> Option<Ticket> {
        let mut member = self.members.remove_entry(id)?;
        self.count_protocols(&member.1, false);
        member.1.protocols.clone_from(&join.protocols);
        member.1.rebalance_timeout_ms = join.rebalance_timeout_ms;
        member.1.session_timeout_ms = join.session_timeout_ms;
        self.count_protocols(&member.1, true);
        self.members.insert(member.0, member.1);
        self.set_joining(id, ticket)
    }

    /// Removes a member, or an id that was given out. Requests that it waits in are answered with `error`; of a leader that goes
    /// another member takes the place.
    pub(super) fn remove(&mut self, id: &Arc<str>, error: GroupError, ctx: &mut Context<'_>) {
        ctx.timers.cancel(self.session_timer(id));
        self.answer_waiting(id, &Arc::default(), error, ctx);
        self.pending.remove(id);
        self.unsynced.remove(id);
        if let Some(member) = self.members.remove(id) {
            self.count_protocols(&member, false);
            if let Some(instance) = &member.instance_id {
                self.static_members.remove(instance);
            }
        }
        if self.is_leader(id) {
            self.leader = self.members.keys().next().cloned();
        }
    }

    /// Gives a static member another id. Whoever waits under the former one is fenced (KIP-345).
    pub(super) fn rename(&mut self, former: &Arc<str>, id: &Arc<str>, ctx: &mut Context<'_>) {
        ctx.timers.cancel(self.session_timer(former));
        self.answer_waiting(former, former, GroupError::FencedInstanceId, ctx);
        // Whoever comes back gets the assignment when it asks for it; its SyncGroup is not awaited.
        self.unsynced.remove(former);
        let Some(mut member) = self.members.remove(former) else { return };
        member.is_new = false;
        if let Some(instance) = &member.instance_id {
            self.static_members.insert(Arc::clone(instance), Arc::clone(id));
        }
        self.members.insert(Arc::clone(id), member);
        if self.is_leader(former) {
            self.leader = Some(Arc::clone(id));
        }
    }

    pub(super) fn answer_waiting(
        &mut self,
        id: &str,
        member_id: &Arc<str>,
        error: GroupError,
        ctx: &mut Context<'_>,
    ) {
        if let Some(ticket) = self.set_joining(id, None) {
            let refused = JoinRefused { member_id: Arc::clone(member_id), error };
            ctx.reply(ticket, Reply::Join(Err(refused)));
        }
        if let Some(ticket) = self.members.get_mut(id).and_then(|member| member.syncing.take()) {
            ctx.reply(ticket, Reply::Sync(Err(error)));
        }
    }

    /// Puts a JoinGroup into a member's waiting place, or clears it. Returns the one that was there.
    pub(super) fn set_joining(&mut self, id: &str, ticket: Option<Ticket>) -> Option<Ticket> {
        let member = self.members.get_mut(id)?;
        let before = std::mem::replace(&mut member.joining, ticket);
        self.joining += usize::from(ticket.is_some());
        self.joining -= usize::from(before.is_some());
        before
    }

    /// Whether a member has a JoinGroup waiting.
    pub(super) fn is_joining(&self, id: &str) -> bool {
        self.members.get(id).is_some_and(|member| member.joining.is_some())
    }

    /// Whether nobody is awaited any more: all members have joined, and every id that was given out has come or gone.
    pub(super) fn all_joined(&self) -> bool {
        self.joining == self.members.len() && self.pending.is_empty()
    }

    fn count_protocols(&mut self, member: &Member, more: bool) {
        self.said = if more { self.said + member.said() } else { self.said - member.said() };
        for protocol in &member.protocols {
            let count = self.speakers.entry(Arc::clone(&protocol.name)).or_default();
            *count = if more { *count + 1 } else { *count - 1 };
            if *count == 0 {
                self.speakers.remove(&protocol.name);
            }
        }
    }

    /// Makes counts and indexes anew, after the members were read from a record.
    pub(super) fn recount(&mut self) {
        self.said = 0;
        self.speakers.clear();
        self.static_members.clear();
        let members = std::mem::take(&mut self.members);
        for (id, member) in &members {
            self.count_protocols(member, true);
            if let Some(instance) = &member.instance_id {
                self.static_members.insert(Arc::clone(instance), Arc::clone(id));
            }
        }
        self.joining = members.values().filter(|member| member.joining.is_some()).count();
        self.members = members;
    }
}
