//! The next step of one member on its way to its target (Kafka: `CurrentAssignmentBuilder`).
//!
//! First it gives up what it is not to have any more, and stays in its epoch until it says that it has. Then it goes to the
//! assignment's epoch and gets what is free; what others still hold it waits for.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{PartitionIndex, Uuid};

use super::ConsumerGroup;
use super::member::{Member, Owned, STABLE, UNRELEASED_PARTITIONS, UNREVOKED_PARTITIONS};
use crate::group::record::{CurrentAssignment, Partitions, Record};
use crate::group::step::Context;

impl ConsumerGroup {
    /// Takes a member a step on, if it can go on. `owned` is what it says it holds, if it says so.
    pub(super) fn reconcile(&mut self, id: &Arc<str>, owned: Option<&Owned>, ctx: &mut Context<'_>) {
        let Some(member) = self.members.get(id) else { return };
        if member.is_reconciled_to(self.assignment_epoch) {
            return;
        }
        let next = self.next_step(id, member, owned);
        if next == *member.current {
            return;
        }
        let to_revoke = next.state == UNREVOKED_PARTITIONS;
        let (classic, timeout_ms) = (member.speaks_classic(), member.about.rebalance_timeout_ms);
        self.store_current(id, next, ctx);
        // Members of the classic protocol have their own time to join and to sync.
        if !classic && to_revoke {
            ctx.set_timer(self.rebalance_timer(id), i64::from(timeout_ms));
        } else if !classic {
            ctx.timers.cancel(self.rebalance_timer(id));
        }
    }

    pub(super) fn store_current(&mut self, id: &Arc<str>, current: CurrentAssignment, ctx: &mut Context<'_>) {
        let record = Record::ConsumerGroupCurrentMemberAssignment {
            group: Arc::clone(&self.id),
            member: Arc::clone(id),
            value: Some(current),
        };
        self.store(record, ctx);
    }

    fn next_step(&self, id: &str, member: &Member, owned: Option<&Owned>) -> CurrentAssignment {
        let current = &member.current;
        match current.state {
            STABLE | UNRELEASED_PARTITIONS => self.step_from(id, member, current.member_epoch, owned),
            // The next epoch is the least that it can be in; where nothing is left to be given up it goes on to the newest.
            UNREVOKED_PARTITIONS if holds_any(owned, &current.pending_revocation) => (**current).clone(),
            UNREVOKED_PARTITIONS => self.step_from(id, member, current.member_epoch.saturating_add(1), owned),
            // A state of a later version of Kafka. The member has nothing, else it was refused: it begins anew.
            _ => self.step_from(id, member, self.assignment_epoch, owned),
        }
    }

    fn step_from(&self, id: &str, member: &Member, epoch: i32, owned: Option<&Owned>) -> CurrentAssignment {
        let nothing = (Partitions::new(), BTreeSet::new());
        let target = self.targets.get(id).unwrap_or(&nothing.0);
        let has = &member.current.assigned;
        let mut assigned = Partitions::new();
        let mut to_revoke = Partitions::new();
        let mut to_assign = Partitions::new();
        let mut waits = false;
        let topics: BTreeSet<&Uuid> = target.keys().chain(has.keys()).collect();
        for topic in topics {
            let target = target.get(topic).unwrap_or(&nothing.1);
            let has = has.get(topic).unwrap_or(&nothing.1);
            put(&mut assigned, *topic, has.intersection(target));
            put(&mut to_revoke, *topic, has.difference(target));
            let (held, free): (Vec<_>, Vec<_>) =
                target.difference(has).partition(|index| self.holders.contains_key(&(*topic, **index)));
            waits |= !held.is_empty();
            put(&mut to_assign, *topic, free.into_iter());
        }
        let epoch = if holds_any(owned, &to_revoke) {
            return CurrentAssignment {
                member_epoch: epoch,
                previous_member_epoch: member.current.member_epoch,
                state: UNREVOKED_PARTITIONS,
                assigned,
                pending_revocation: to_revoke,
            };
        } else {
            self.assignment_epoch
        };
        for (topic, indexes) in to_assign {
            assigned.entry(topic).or_default().extend(indexes);
        }
        CurrentAssignment {
            member_epoch: epoch,
            previous_member_epoch: member.current.member_epoch,
            state: if waits { UNRELEASED_PARTITIONS } else { STABLE },
            assigned,
            pending_revocation: Partitions::new(),
        }
    }

    /// Whether a member waits for partitions of which others hold some.
    pub(super) fn waits_for_others(&self, id: &str, member: &Member) -> bool {
        let is_held = |(topic, indexes): (&Uuid, &BTreeSet<PartitionIndex>)| {
            let has = member.current.assigned.get(topic);
            let missing = indexes.iter().filter(|index| !has.is_some_and(|has| has.contains(index)));
            missing.into_iter().any(|index| self.holders.contains_key(&(*topic, *index)))
        };
        member.current.state == UNRELEASED_PARTITIONS
            && self.targets.get(id).is_some_and(|target| target.iter().any(is_held))
    }
}

/// Whether a member holds any of these. One that does not say what it holds may hold all.
fn holds_any(owned: Option<&Owned>, partitions: &Partitions) -> bool {
    if partitions.is_empty() {
        return false;
    }
    let Some(owned) = owned else { return true };
    let holds = |(topic, indexes): &(Uuid, Vec<PartitionIndex>)| {
        partitions.get(topic).is_some_and(|those| indexes.iter().any(|index| those.contains(index)))
    };
    owned.iter().any(holds)
}

/// Puts partitions of a topic in, if there are any.
fn put<'a>(into: &mut Partitions, topic: Uuid, indexes: impl Iterator<Item = &'a PartitionIndex>) {
    let indexes: BTreeSet<_> = indexes.copied().collect();
    if !indexes.is_empty() {
        into.insert(topic, indexes);
    }
}
