//! Members on their way to a consumer group, and back from one (KIP-848).

use std::sync::Arc;

use super::{ClassicGroup, Member};
use crate::group::embedded;
use crate::group::error::GroupError;
use crate::group::reply::State;
use crate::group::request::Protocol;
use crate::group::step::Context;
use crate::group::timers::Timer;

/// All that a member brings along.
#[derive(Clone, Debug)]
pub(in crate::group) struct Transferred {
    pub(in crate::group) member_id: Arc<str>,
    pub(in crate::group) instance_id: Option<Arc<str>>,
    pub(in crate::group) client_id: Arc<str>,
    pub(in crate::group) client_host: Arc<str>,
    pub(in crate::group) rebalance_timeout_ms: i32,
    pub(in crate::group) session_timeout_ms: i32,
    pub(in crate::group) protocols: Vec<Protocol>,
    /// What it says in the group's protocol; not looked at on the way back, where the group has yet to choose one.
    pub(in crate::group) subscription: Arc<[u8]>,
    pub(in crate::group) assignment: Arc<[u8]>,
}

impl ClassicGroup {
    pub(in crate::group) fn id(&self) -> &Arc<str> {
        &self.id
    }

    pub(in crate::group) const fn generation(&self) -> i32 {
        self.generation
    }

    pub(in crate::group) fn size(&self) -> usize {
        self.members.len()
    }

    pub(in crate::group) fn has_member(&self, member: &str) -> bool {
        self.members.contains_key(member)
    }

    /// The members. In a group that has not chosen a protocol yet, the dearest one of each is looked at.
    pub(in crate::group) fn transferred(&self) -> impl Iterator<Item = Transferred> {
        let protocol = self.protocol.as_deref();
        self.members.iter().map(move |(id, member)| {
            let dearest = member.protocols.first().map(|dearest| &*dearest.name);
            Transferred {
                member_id: Arc::clone(id),
                instance_id: member.instance_id.clone(),
                client_id: Arc::clone(&member.client_id),
                client_host: Arc::clone(&member.client_host),
                rebalance_timeout_ms: member.rebalance_timeout_ms,
                session_timeout_ms: member.session_timeout_ms,
                protocols: member.protocols.clone(),
                subscription: member.metadata(protocol.or(dearest)),
                assignment: Arc::clone(&member.assignment),
            }
        })
    }

    /// The group goes: whoever waits in it is sent to join again, and nothing of it is due any more.
    pub(in crate::group) fn dismiss(&mut self, ctx: &mut Context<'_>) {
        ctx.timers.cancel(Timer::Join(Arc::clone(&self.id)));
        ctx.timers.cancel(Timer::Sync(Arc::clone(&self.id)));
        for id in std::mem::take(&mut self.pending) {
            ctx.timers.cancel(self.session_timer(&id));
        }
        for id in self.members.keys().cloned().collect::<Vec<_>>() {
            ctx.timers.cancel(self.session_timer(&id));
            self.answer_waiting(&id, &id, GroupError::RebalanceInProgress, ctx);
        }
    }

    /// A stable group of consumers that speak a protocol in common, in force and stored from now on.
    pub(in crate::group) fn of_consumers(
        id: Arc<str>,
        generation: i32,
        members: Vec<Transferred>,
        ctx: &mut Context<'_>,
    ) -> Self {
        let mut group = Self::new(id, None);
        group.protocol_type = Some(Arc::from(embedded::CONSUMER));
        group.generation = generation;
        group.leader = members.first().map(|first| Arc::clone(&first.member_id));
        group.members = members.into_iter().map(Member::transferred).collect();
        group.recount();
        group.protocol = group.elect_protocol();
        group.enter(State::Stable, ctx.wall);
        group.store(group.to_store(|_, member| Arc::clone(&member.assignment)), ctx);
        group
    }
}

impl Member {
    fn transferred(member: Transferred) -> (Arc<str>, Self) {
        let Transferred { member_id, instance_id, client_id, client_host, .. } = member;
        let known = Self {
            instance_id,
            client_id,
            client_host,
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            session_timeout_ms: member.session_timeout_ms,
            protocols: member.protocols,
            assignment: member.assignment,
            joining: None,
            syncing: None,
            is_new: false,
        };
        (member_id, known)
    }
}
