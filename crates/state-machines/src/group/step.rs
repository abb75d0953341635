//! What one event leads to.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::Millis;

use super::record::Record;
use super::reply::Reply;
use super::settings::{GroupOverrides, Settings};
use super::timers::{Timer, Timers};
use crate::topics::Topics;

/// Names a request that waits for its answer. The number is the shell's; nothing is read into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What the shell has to do after an event, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Step {
    /// Append these to the partition.
    pub records: Vec<Record>,
    /// Whether the records belong into one batch. Those that are only tidied away may be spread over several.
    pub atomic: bool,
    /// Once the records are durable, hand these out. A ticket is answered once, here or in a later step.
    pub replies: Vec<(Ticket, Reply)>,
    /// Call [`Groups::tick`](super::Groups::tick) at this time; it replaces the time that earlier steps named.
    pub wake_at: Option<Millis>,
}

/// What a rule may touch beside its own group.
pub(super) struct Context<'a> {
    pub(super) settings: &'a Settings,
    pub(super) timers: &'a mut Timers,
    pub(super) step: &'a mut Step,
    /// Most bytes that the records of one step may take, unless they are only tidied away.
    pub(super) room: usize,
    /// What deadlines go by.
    pub(super) now: Millis,
    /// What is stored.
    pub(super) wall: Millis,
    /// The topics there are, and the version of the metadata that says so.
    pub(super) topics: &'a Topics,
    pub(super) topics_version: i64,
    pub(super) overrides: &'a BTreeMap<Arc<str>, GroupOverrides>,
}

impl Context<'_> {
    pub(super) fn reply(&mut self, ticket: Ticket, reply: Reply) {
        self.step.replies.push((ticket, reply));
    }

    /// Sets a deadline that many milliseconds from now; clients name timeouts, and may name negative ones.
    pub(super) fn set_timer(&mut self, timer: Timer, after_ms: i64) {
        self.timers.set(timer, self.now.plus(after_ms.max(0)));
    }

    /// The same, unless the deadline is set already.
    pub(super) fn set_timer_if_absent(&mut self, timer: Timer, after_ms: i64) {
        if !self.timers.is_set(&timer) {
            self.set_timer(timer, after_ms);
        }
    }

    /// How long a member of this consumer group may be silent.
    pub(super) fn consumer_session_timeout_ms(&self, group: &str) -> i32 {
        let own = self.overrides.get(group).and_then(|own| own.consumer_session_timeout_ms);
        own.unwrap_or(self.settings.consumer_session_timeout_ms)
    }

    /// How often a member of this consumer group is to come.
    pub(super) fn consumer_heartbeat_interval_ms(&self, group: &str) -> i32 {
        let own = self.overrides.get(group).and_then(|own| own.consumer_heartbeat_interval_ms);
        own.unwrap_or(self.settings.consumer_heartbeat_interval_ms)
    }
}
