//! Deadlines, sorted: setting, moving and finding one costs O(log n), whatever the number of members.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use base::Millis;

/// What a deadline is for. There is at most one of each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Timer {
    /// A member, or one who was given a member id, has been silent for too long.
    Session {
        /// The group.
        group: Arc<str>,
        /// The member.
        member: Arc<str>,
    },
    /// The initial delay or the join phase of a group is over.
    Join(Arc<str>),
    /// The time to send SyncGroup is over.
    Sync(Arc<str>),
    /// The time of a consumer group's member to give partitions up is over.
    Rebalance {
        /// The group.
        group: Arc<str>,
        /// The member.
        member: Arc<str>,
    },
    /// The time of a consumer group's member that speaks the classic protocol to join is over.
    MemberJoin {
        /// The group.
        group: Arc<str>,
        /// The member.
        member: Arc<str>,
    },
    /// The time of such a member to sync is over.
    MemberSync {
        /// The group.
        group: Arc<str>,
        /// The member.
        member: Arc<str>,
    },
    /// Offsets are looked through for expired ones.
    Expiry,
}

/// All deadlines of the groups of one partition.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeSet<(Millis, Timer)>,
    /// The same, by what they are for.
    set: HashMap<Timer, Millis>,
}

impl Timers {
    /// Sets a deadline, in place of an earlier or later one for the same.
    pub(super) fn set(&mut self, timer: Timer, at: Millis) {
        if let Some(before) = self.set.insert(timer.clone(), at) {
            if before == at {
                return;
            }
            self.due.remove(&(before, timer.clone()));
        }
        self.due.insert((at, timer));
    }

    /// Whether there is a deadline for this.
    pub(super) fn is_set(&self, timer: &Timer) -> bool {
        self.set.contains_key(timer)
    }

    /// Forgets a deadline, if it is set.
    pub(super) fn cancel(&mut self, timer: Timer) {
        if let Some(at) = self.set.remove(&timer) {
            self.due.remove(&(at, timer));
        }
    }

    /// How many deadlines have passed.
    pub(super) fn count_due(&self, now: Millis) -> usize {
        self.due.iter().take_while(|(at, _)| *at <= now).count()
    }

    /// Takes out the earliest deadline if it has passed.
    pub(super) fn take_due(&mut self, now: Millis) -> Option<Timer> {
        self.due.first().filter(|(at, _)| *at <= now)?;
        let (_, timer) = self.due.pop_first()?;
        self.set.remove(&timer);
        Some(timer)
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Millis> {
        self.due.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_a_moved_one_comes_once() {
        let mut timers = Timers::default();
        let join = |group: &str| Timer::Join(Arc::from(group));
        timers.set(join("a"), Millis(30));
        timers.set(join("b"), Millis(20));
        timers.set(join("c"), Millis(10));
        timers.set(join("b"), Millis(40));
        timers.cancel(join("c"));
        timers.cancel(join("never set"));
        assert_eq!(timers.next(), Some(Millis(30)));
        assert_eq!(timers.take_due(Millis(29)), None);
        assert_eq!(timers.count_due(Millis(40)), 2);
        assert_eq!(timers.take_due(Millis(40)), Some(join("a")));
        timers.set(join("b"), Millis(50));
        assert_eq!(timers.take_due(Millis(40)), None);
        assert_eq!(timers.next(), Some(Millis(50)));
    }
}
