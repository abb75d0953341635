//! From the first joiner to the next generation, and the deadlines on the way.

use std::sync::Arc;

use super::{ClassicGroup, InitialDelay};
use crate::group::error::GroupError;
use crate::group::reply::{Reply, State};
use crate::group::step::Context;
use crate::group::timers::Timer;

/// A join phase that ended without anybody goes on for the rebalance timeout, at least so long: clients choose that timeout, and
/// may choose nothing.
const LEAST_JOIN_PHASE_MS: i64 = 100;

impl ClassicGroup {
    /// Someone joined or left: a new rebalance begins, or the one under way may be complete
    /// (Kafka: `maybePrepareRebalanceOrCompleteJoin`).
    pub(super) fn rebalance_or_complete(&mut self, ctx: &mut Context<'_>) {
        match self.state {
            State::PreparingRebalance => self.complete_if_all_rejoined(ctx),
            State::Empty | State::CompletingRebalance | State::Stable => self.prepare_rebalance(ctx),
        }
    }

    /// Ends the join phase when nobody is awaited any more. The initial delay is waited for all the same.
    pub(super) fn complete_if_all_rejoined(&mut self, ctx: &mut Context<'_>) {
        if self.state == State::PreparingRebalance && !self.from_empty && self.all_joined() {
            self.complete_join(ctx);
        }
    }

    /// Opens the join phase. Members that wait in SyncGroup are sent to join again.
    pub(in crate::group) fn prepare_rebalance(&mut self, ctx: &mut Context<'_>) {
        if self.state == State::CompletingRebalance {
            for member in self.members.values_mut() {
                member.assignment = Arc::default();
            }
            self.answer_syncs(Err(GroupError::RebalanceInProgress), ctx);
        }
        self.unsynced.clear();
        ctx.timers.cancel(Timer::Sync(Arc::clone(&self.id)));
        self.from_empty = self.state == State::Empty;
        self.enter(State::PreparingRebalance, ctx.wall);
        if self.from_empty {
            let period_ms = i64::from(ctx.settings.initial_rebalance_delay_ms);
            let rest_ms = (self.rebalance_timeout_ms() - period_ms).max(0);
            self.initial = Some(InitialDelay { period_ms, rest_ms, grew: false });
            ctx.set_timer(Timer::Join(Arc::clone(&self.id)), period_ms);
        } else if self.all_joined() {
            self.complete_join(ctx);
        } else {
            ctx.set_timer(Timer::Join(Arc::clone(&self.id)), self.rebalance_timeout_ms());
        }
    }

    /// The initial delay or the join phase is over.
    pub(in crate::group) fn join_timer_fired(&mut self, ctx: &mut Context<'_>) {
        if self.state != State::PreparingRebalance {
            return;
        }
        match self.initial {
            Some(InitialDelay { period_ms, rest_ms, grew: true }) if rest_ms > 0 => {
                let next_ms = i64::from(ctx.settings.initial_rebalance_delay_ms).min(rest_ms);
                let rest_ms = (rest_ms - period_ms).max(0);
                self.initial = Some(InitialDelay { period_ms: next_ms, rest_ms, grew: false });
                ctx.set_timer(Timer::Join(Arc::clone(&self.id)), next_ms);
            }
            _ => self.complete_join(ctx),
        }
    }

    /// Ends the join phase: who has not rejoined is out, except static members, and the next generation begins
    /// (Kafka: `completeClassicGroupJoin`).
    pub(super) fn complete_join(&mut self, ctx: &mut Context<'_>) {
        self.initial = None;
        ctx.timers.cancel(Timer::Join(Arc::clone(&self.id)));
        let absent = self
            .members
            .iter()
            .filter(|(_, member)| member.joining.is_none() && member.instance_id.is_none())
            .map(|(id, _)| Arc::clone(id));
        for id in absent.collect::<Vec<_>>() {
            self.remove(&id, GroupError::UnknownMemberId, ctx);
        }
        if self.members.is_empty() {
            return self.become_empty(ctx);
        }
        if !self.leader.as_deref().is_some_and(|leader| self.is_joining(leader)) {
            let Some((id, _)) = self.members.iter().find(|(_, member)| member.joining.is_some()) else {
                // Static members alone, and none of them is there. Their sessions will end.
                let again_ms = self.rebalance_timeout_ms().max(LEAST_JOIN_PHASE_MS);
                return ctx.set_timer(Timer::Join(Arc::clone(&self.id)), again_ms);
            };
            self.leader = Some(Arc::clone(id));
        }
        self.begin_generation(ctx);
    }

    fn become_empty(&mut self, ctx: &mut Context<'_>) {
        self.generation = next_generation(self.generation);
        self.protocol = None;
        self.leader = None;
        self.unsynced.clear();
        self.enter(State::Empty, ctx.wall);
        self.store(self.to_store(|_, member| Arc::clone(&member.assignment)), ctx);
    }

    /// All who are there are told the generation, and have to sync.
    fn begin_generation(&mut self, ctx: &mut Context<'_>) {
        self.generation = next_generation(self.generation);
        self.protocol = self.elect_protocol();
        self.subscribed = self.compute_subscribed();
        self.from_empty = false;
        self.enter(State::CompletingRebalance, ctx.wall);
        self.unsynced = self.members.keys().cloned().collect();
        let ids: Vec<_> = self.members.keys().cloned().collect();
        for id in ids {
            if let Some(ticket) = self.set_joining(&id, None) {
                let joined = self.joined(&id, self.is_leader(&id));
                ctx.reply(ticket, Reply::Join(Ok(joined)));
            }
            if let Some(member) = self.members.get_mut(&id) {
                member.is_new = false;
            }
            self.hear_of(&id, ctx);
        }
        ctx.set_timer(Timer::Sync(Arc::clone(&self.id)), self.rebalance_timeout_ms());
    }

    /// The time to sync is over: who has not is out.
    pub(in crate::group) fn sync_timer_fired(&mut self, ctx: &mut Context<'_>) {
        let late = std::mem::take(&mut self.unsynced);
        if late.is_empty() || !matches!(self.state, State::CompletingRebalance | State::Stable) {
            return;
        }
        for id in &late {
            self.remove(id, GroupError::UnknownMemberId, ctx);
        }
        self.prepare_rebalance(ctx);
    }

    /// A member, or an id that was given out, has been silent for its session timeout. Whoever waits in a request of ours is
    /// not silent; its session starts anew when the request is answered.
    pub(in crate::group) fn session_timer_fired(&mut self, id: &Arc<str>, ctx: &mut Context<'_>) {
        let pending = self.pending.contains(id);
        match self.members.get(id) {
            Some(member) if !member.is_waiting() => {}
            None if pending => {}
            _ => return,
        }
        self.remove(id, GroupError::UnknownMemberId, ctx);
        match self.state {
            State::PreparingRebalance if self.all_joined() => self.complete_join(ctx),
            State::CompletingRebalance | State::Stable if !pending => self.prepare_rebalance(ctx),
            _ => {}
        }
    }

    /// Read back with more members than are allowed: all are asked to rejoin, and the last to come are left out.
    pub(in crate::group) fn shrink_if_too_large(&mut self, ctx: &mut Context<'_>) {
        if self.members.len() > ctx.settings.max_size {
            self.prepare_rebalance(ctx);
        }
    }

    /// Sessions begin when a group has been read back, as long as each member asked for.
    pub(in crate::group) fn start_sessions(&self, ctx: &mut Context<'_>) {
        self.members.keys().for_each(|id| self.hear_of(id, ctx));
    }
}

/// Negative generations mean "none" to clients, so the count starts anew rather than go there.
fn next_generation(generation: i32) -> i32 {
    generation.checked_add(1).unwrap_or(0)
}
