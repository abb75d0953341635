//! What one event leads to.

use base::Millis;

use super::record::Record;
use super::reply::Reply;
use super::settings::Settings;
use super::timers::{Timer, Timers};

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
    /// What deadlines go by.
    pub(super) now: Millis,
    /// What is stored.
    pub(super) wall: Millis,
}

impl Context<'_> {
    pub(super) fn reply(&mut self, ticket: Ticket, reply: Reply) {
        self.step.replies.push((ticket, reply));
    }

    /// Sets a deadline that many milliseconds from now; clients name timeouts, and may name negative ones.
    pub(super) fn set_timer(&mut self, timer: Timer, after_ms: i64) {
        self.timers.set(timer, self.now.plus(after_ms.max(0)));
    }
}
