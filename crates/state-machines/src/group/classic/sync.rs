//! SyncGroup and Heartbeat (Kafka: `classicGroupSyncToClassicGroup`, `classicGroupHeartbeatToClassicGroup`).

use std::collections::HashMap;
use std::sync::Arc;

use super::ClassicGroup;
use crate::group::error::GroupError;
use crate::group::reply::{Reply, State, Synced};
use crate::group::request::{Assignment, Heartbeat, Sync};
use crate::group::size;
use crate::group::step::{Context, Ticket};
use crate::group::timers::Timer;

impl ClassicGroup {
    /// Gives a member its assignment, now or when the leader has sent it.
    pub(in crate::group) fn sync(&mut self, ticket: Ticket, sync: Sync, ctx: &mut Context<'_>) {
        if let Err(error) = self.check_sync(&sync) {
            return ctx.reply(ticket, Reply::Sync(Err(error)));
        }
        self.unsynced.remove(&sync.member_id);
        if self.unsynced.is_empty() {
            ctx.timers.cancel(Timer::Sync(Arc::clone(&self.id)));
        }
        if self.state == State::Stable {
            let assignment = Arc::clone(&self.members[&sync.member_id].assignment);
            return ctx.reply(ticket, Reply::Sync(Ok(self.synced(assignment))));
        }
        let member = self.members.get_mut(&sync.member_id).expect("checked to be a member");
        if let Some(earlier) = member.syncing.replace(ticket) {
            ctx.reply(earlier, Reply::Sync(Err(GroupError::Superseded)));
        }
        if self.is_leader(&sync.member_id) {
            self.stabilise(sync.assignments, ctx);
        }
    }

    fn check_sync(&self, sync: &Sync) -> Result<(), GroupError> {
        if self.state == State::Empty {
            return Err(GroupError::UnknownMemberId);
        }
        self.check_member(&sync.member_id, sync.instance_id.as_deref())?;
        if sync.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        let differs = |asked: &Option<Arc<str>>, own: &Option<Arc<str>>| {
            asked.is_some() && own.is_some() && asked != own
        };
        if differs(&sync.protocol_type, &self.protocol_type) || differs(&sync.protocol, &self.protocol) {
            return Err(GroupError::InconsistentProtocol);
        }
        match self.state {
            State::PreparingRebalance => Err(GroupError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// The leader has assigned: the generation is stored, and whoever waits gets its share. Who was forgotten gets nothing,
    /// which is an assignment too. When it cannot be stored, whoever waits is told so, and the group has to join again (Kafka:
    /// `resetAndPropagateAssignmentWithError`).
    fn stabilise(&mut self, assignments: Vec<Assignment>, ctx: &mut Context<'_>) {
        let mut shares: HashMap<_, _> =
            assignments.into_iter().map(|assigned| (assigned.member_id, assigned.assignment)).collect();
        let metadata = self.to_store(|id, _| shares.remove(id).unwrap_or_default());
        if size::of_generation(&self.id, &metadata) > ctx.room {
            self.answer_syncs(Err(GroupError::RecordTooLarge), ctx);
            return self.prepare_rebalance(ctx);
        }
        self.store(metadata, ctx);
        self.answer_syncs(Ok(()), ctx);
    }

    /// Answers all that wait in SyncGroup. Their sessions start anew, since they had no need to send heartbeats meanwhile.
    pub(super) fn answer_syncs(&mut self, outcome: Result<(), GroupError>, ctx: &mut Context<'_>) {
        let waiting = self.members.iter_mut().filter_map(|(id, member)| {
            let ticket = member.syncing.take()?;
            Some((Arc::clone(id), ticket, Arc::clone(&member.assignment)))
        });
        for (id, ticket, assignment) in waiting.collect::<Vec<_>>() {
            ctx.reply(ticket, Reply::Sync(outcome.map(|()| self.synced(assignment))));
            self.hear_of(&id, ctx);
        }
    }

    fn synced(&self, assignment: Arc<[u8]>) -> Synced {
        Synced { protocol_type: self.protocol_type.clone(), protocol: self.protocol.clone(), assignment }
    }

    /// Keeps a member's session alive, and tells it of a rebalance.
    pub(in crate::group) fn heartbeat(
        &self,
        heartbeat: &Heartbeat,
        ctx: &mut Context<'_>,
    ) -> Result<(), GroupError> {
        self.check_member(&heartbeat.member_id, heartbeat.instance_id.as_deref())?;
        if heartbeat.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        self.hear_of(&heartbeat.member_id, ctx);
        match self.state {
            State::PreparingRebalance => Err(GroupError::RebalanceInProgress),
            State::CompletingRebalance | State::Stable => Ok(()),
            State::Empty => Err(GroupError::UnknownMemberId),
        }
    }
}
