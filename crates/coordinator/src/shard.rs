//! One partition of `__consumer_offsets`: the groups that live in it, and the requests that wait for them.
//!
//! A request goes into the machine under the shard's lock, what the machine decided is appended under the same lock (a
//! page-cache write), and its replies leave once the records are below the high watermark. A failed write drops the
//! machine: everybody who waits is told to ask again, and the groups are read back from the log, which is what is true.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use base::{Millis, Offset, PartitionIndex, Uuid};
use catalog::Catalog;
use parking_lot::{Condvar, Mutex};
use partition::Partition;
use state_machines::configs::Configs;
use state_machines::group::{Event, Groups, Reply, Settings, Step, Ticket};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use crate::convert::{self, Skipped};
use crate::moment::Moment;
use crate::offsets_log;
use crate::overrides;
use crate::place::partition_of;

/// Why a request is not looked at now; its sender asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// There is no `__consumer_offsets`, or it has just gone (Kafka: NOT_COORDINATOR).
    #[error("this broker coordinates no groups yet")]
    NotHere,
    /// The groups are being read from the log (Kafka: COORDINATOR_LOAD_IN_PROGRESS).
    #[error("the groups are being loaded")]
    Loading,
    /// What was decided could not be written, or the groups could not be read (Kafka: COORDINATOR_NOT_AVAILABLE).
    #[error("the log of the groups cannot be written or read; the broker's log says why")]
    Failed,
}

/// How long after a first failure the groups are read again, in milliseconds: a full disk must not have every commit read
/// the whole partition. Twice as long after each further one in a row, up to the most.
const AGAIN_AFTER_MS: i64 = 1_000;
const AGAIN_AFTER_MOST_MS: i64 = 16_000;

/// Nothing is due.
const NEVER: i64 = i64::MAX;

/// One partition's groups. Locks: `state`, then what the partition takes for an append.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) topic: Uuid,
    pub(crate) index: PartitionIndex,
    /// How many partitions there are: which groups live here follows from that, so it stays.
    count: usize,
    state: Mutex<State>,
    /// Somebody has done with reading.
    settled: Condvar,
    /// When [`Shard::tick`] is due, in milliseconds of the steady clock.
    wake_at: AtomicI64,
    /// Failures since something was last written. Only the first of a row is an error in the broker's log.
    failures: AtomicU32,
}

#[derive(Debug)]
enum State {
    /// To be read from the log.
    Unread,
    /// Somebody is reading them.
    Loading,
    Ready(Box<Ready>),
    /// Not to be read again before this time of the steady clock.
    Failed {
        again_at: Millis,
    },
    /// The topic was deleted, or the broker stops.
    Closed,
}

/// The groups, in force.
struct Ready {
    groups: Groups,
    /// Says which topics there are, and how large a batch may be.
    catalog: Arc<Catalog>,
    /// The configurations that `groups` knows: some groups have their own.
    configs: Configs,
    partition: Arc<Partition>,
    waiting: HashMap<Ticket, oneshot::Sender<Reply>>,
    next_ticket: u64,
    /// The last offset written here.
    written: Offset,
    /// The latest time that came along, by the steady clock.
    now: Millis,
    /// What leaves once the high watermark is above an offset, in order of those.
    undurable: VecDeque<(Offset, Delivery)>,
    /// Whether a task waits for the high watermark.
    awaited: bool,
}

/// Hands out an answer.
type Delivery = Box<dyn FnOnce() + Send>;

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

impl Shard {
    /// A shard that is still to be loaded, one of `count`.
    pub(crate) fn new(topic: Uuid, index: PartitionIndex, count: usize) -> Arc<Self> {
        Arc::new(Self {
            topic,
            index,
            count,
            state: Mutex::new(State::Unread),
            settled: Condvar::new(),
            wake_at: AtomicI64::new(NEVER),
            failures: AtomicU32::new(0),
        })
    }

    /// Reads the groups from the log and puts them in force. Blocks, for as long as reading the partition takes; requests
    /// are told to ask again meanwhile. When somebody does it already, it waits for that; when somebody did, it does nothing.
    pub(crate) fn load(
        self: &Arc<Self>,
        catalog: &Arc<Catalog>,
        settings: &Settings,
        window: u32,
        handle: &Handle,
        now: Moment,
    ) {
        {
            let mut state = self.state.lock();
            self.settled.wait_while(&mut state, |state| matches!(state, State::Loading));
            if !matches!(*state, State::Unread) {
                return;
            }
            *state = State::Loading;
        }
        // Left in `Loading`, the groups would be out of reach until the next start.
        let read = AssertUnwindSafe(|| self.read(catalog, settings, window));
        let loaded = catch_unwind(read).unwrap_or_else(|_told| Err("reading them panicked".into()));
        let mut state = self.state.lock();
        self.settled.notify_all();
        if matches!(*state, State::Closed) {
            return;
        }
        match loaded {
            Ok((groups, partition)) => {
                let ready = Ready {
                    groups,
                    catalog: Arc::clone(catalog),
                    configs: Configs::default(),
                    partition,
                    waiting: HashMap::new(),
                    next_ticket: 0,
                    written: Offset::NONE,
                    now: now.steady,
                    undurable: VecDeque::new(),
                    awaited: false,
                };
                *state = State::Ready(Box::new(ready));
                self.carry_out(&mut state, handle, now, |groups| groups.loaded(now.steady));
            }
            Err(why) => {
                self.complain(
                    &why,
                    "the groups of this partition of __consumer_offsets cannot be loaded; their members are refused, \
                     and it is tried again",
                );
                self.fail(&mut state, now.steady);
            }
        }
    }

    fn read(
        &self,
        catalog: &Catalog,
        settings: &Settings,
        window: u32,
    ) -> Result<(Groups, Arc<Partition>), Box<dyn std::error::Error>> {
        let partition = catalog.partition(self.topic, self.index)?;
        let mut groups = Groups::new(settings.clone());
        let mut skipped = Skipped::default();
        let records = offsets_log::replay(&partition, window, |entry| {
            convert::replay(&mut groups, &entry, &mut skipped, |group| {
                partition_of(group, self.count) == self.index
            })
        })?;
        if skipped.astray > 0 {
            tracing::warn!(
                partition = %self.index,
                "{} records of __consumer_offsets are of groups that live in another partition now that there are {}, \
                 and were passed over: the number of partitions was changed",
                skipped.astray,
                self.count
            );
        }
        if skipped.unknown > 0 {
            tracing::warn!(
                partition = %self.index,
                "{} records of __consumer_offsets are of a type that is not known here, and were passed over",
                skipped.unknown
            );
        }
        tracing::debug!(partition = %self.index, records, "groups loaded");
        Ok((groups, partition))
    }

    /// Begins a request; what it comes to is sent to `answer`, or `answer` is dropped when the groups fail.
    ///
    /// # Errors
    /// When the groups are not in force.
    pub(crate) fn handle(
        self: &Arc<Self>,
        event: Event,
        answer: oneshot::Sender<Reply>,
        handle: &Handle,
        now: Moment,
    ) -> Result<(), Unavailable> {
        let mut state = self.state.lock();
        let ready = state.ready()?;
        let ticket = Ticket(ready.next_ticket);
        ready.next_ticket += 1;
        ready.waiting.insert(ticket, answer);
        self.carry_out(&mut state, handle, now, |groups| groups.handle(ticket, event, now.steady));
        Ok(())
    }

    /// Looks at the groups, and sends what was seen once everything that it rests on is durable.
    ///
    /// # Errors
    /// When the groups are not in force.
    pub(crate) fn look<R: Send + 'static>(
        self: &Arc<Self>,
        look: impl FnOnce(&Groups) -> R,
        answer: oneshot::Sender<R>,
        handle: &Handle,
    ) -> Result<(), Unavailable> {
        let mut state = self.state.lock();
        let ready = state.ready()?;
        let seen = look(&ready.groups);
        ready.deliver(Box::new(move || drop(answer.send(seen))));
        self.await_durable(ready, handle);
        Ok(())
    }

    /// Tells the groups that a topic is gone.
    pub(crate) fn topic_deleted(self: &Arc<Self>, topic: &str, handle: &Handle, now: Moment) {
        let mut state = self.state.lock();
        if state.ready().is_ok() {
            self.carry_out(&mut state, handle, now, |groups| groups.topic_deleted(topic));
        }
    }

    /// Does what is due. Says whether the groups are to be loaded again: then the caller sees to that.
    pub(crate) fn tick(self: &Arc<Self>, handle: &Handle, now: Moment) -> bool {
        if now.steady.0 < self.due() {
            return false;
        }
        let mut state = self.state.lock();
        match &*state {
            State::Ready(_) => {
                self.carry_out(&mut state, handle, now, |groups| groups.tick(now.steady));
                false
            }
            State::Failed { again_at } if now.steady >= *again_at => {
                *state = State::Unread;
                self.wake_at.store(NEVER, Ordering::SeqCst);
                true
            }
            State::Failed { .. } | State::Unread | State::Loading | State::Closed => false,
        }
    }

    /// When [`Self::tick`] is due, in milliseconds of the steady clock; far away when nothing is.
    pub(crate) fn due(&self) -> i64 {
        self.wake_at.load(Ordering::SeqCst)
    }

    /// Takes no more requests; those that wait are told to look for their coordinator again.
    pub(crate) fn close(&self) {
        *self.state.lock() = State::Closed;
        self.settled.notify_all();
        self.wake_at.store(NEVER, Ordering::SeqCst);
    }

    /// Lets the machine decide, writes what it decided, and sees to the replies.
    fn carry_out(
        self: &Arc<Self>,
        state: &mut State,
        handle: &Handle,
        now: Moment,
        decide: impl FnOnce(&mut Groups) -> Step,
    ) {
        let State::Ready(ready) = state else { return };
        ready.now = now.steady;
        ready.groups.set_wall_ahead(now.wall.since(now.steady));
        ready.groups.set_batch_room(ready.batch_room(self.topic));
        // The version first: a change in between is looked at once more, not missed.
        let version = ready.catalog.metadata_offset().0;
        ready.groups.set_topics(&ready.catalog.topics(), version);
        let configs = ready.catalog.configs();
        if !configs.is_same(&ready.configs) {
            ready.groups.set_overrides(Arc::new(overrides::of_groups(&configs)));
            ready.configs = configs;
        }
        ready.groups.set_overrides(ready.catalog.group_overrides());
        let decided = catch_unwind(AssertUnwindSafe(|| {
            let step = decide(&mut ready.groups);
            let records: Vec<_> = step.records.iter().map(convert::key_value).collect();
            (step, records)
        }));
        let Ok((step, records)) = decided else {
            // Half a decision may stand in the machine; the log knows nothing of it.
            self.complain(&"a rule panicked", NOT_WRITTEN);
            return self.fail(state, now.steady);
        };
        self.wake_at.store(step.wake_at.map_or(NEVER, |at| at.0), Ordering::SeqCst);
        if !records.is_empty() {
            match offsets_log::append(&ready.partition, &records, step.atomic, now.wall) {
                Ok(last) => {
                    ready.written = last;
                    self.failures.store(0, Ordering::Relaxed);
                }
                Err(why) => {
                    self.complain(&why, NOT_WRITTEN);
                    return self.fail(state, now.steady);
                }
            }
        }
        for (ticket, reply) in step.replies {
            // Who asked may have gone; then nobody listens.
            if let Some(answer) = ready.waiting.remove(&ticket) {
                ready.deliver(Box::new(move || drop(answer.send(reply))));
            }
        }
        self.await_durable(ready, handle);
    }

    /// Sees to it that what waits for the high watermark leaves when it has moved.
    fn await_durable(self: &Arc<Self>, ready: &mut Ready, handle: &Handle) {
        if ready.awaited || ready.undurable.is_empty() {
            return;
        }
        ready.awaited = true;
        let (shard, partition) = (Arc::clone(self), Arc::clone(&ready.partition));
        handle.spawn(async move {
            let moved = Arc::new(Notify::new());
            let _registered = partition.on_advance(&moved);
            while shard.hand_out(&partition) {
                moved.notified().await;
            }
        });
    }

    /// Hands out what has become durable, and says whether something is left to wait for.
    fn hand_out(&self, partition: &Arc<Partition>) -> bool {
        let mut state = self.state.lock();
        let State::Ready(ready) = &mut *state else { return false };
        if !Arc::ptr_eq(&ready.partition, partition) {
            return false;
        }
        if let Err(why) = partition.health() {
            self.complain(&why, NOT_WRITTEN);
            let now = ready.now;
            self.fail(&mut state, now);
            return false;
        }
        let high_watermark = partition.marks().high_watermark;
        while ready.undurable.front().is_some_and(|(last, _)| *last < high_watermark) {
            if let Some((_, delivery)) = ready.undurable.pop_front() {
                delivery();
            }
        }
        ready.awaited = !ready.undurable.is_empty();
        ready.awaited
    }

    /// Says what failed, once for all failures in a row: an unwell disk is met again and again, by every partition.
    fn complain(&self, why: &dyn fmt::Display, what: &str) {
        if self.failures.load(Ordering::Relaxed) == 0 {
            tracing::error!(partition = %self.index, %why, "{what}");
        } else {
            tracing::debug!(partition = %self.index, %why, "again: {what}");
        }
    }

    fn fail(&self, state: &mut State, now: Millis) {
        let before = self.failures.fetch_add(1, Ordering::Relaxed).min(30);
        let again_at = now.plus((AGAIN_AFTER_MS << before).min(AGAIN_AFTER_MOST_MS));
        *state = State::Failed { again_at };
        self.wake_at.store(again_at.0, Ordering::SeqCst);
    }
}

/// What became of a decision that is not in the log.
const NOT_WRITTEN: &str =
    "a change of groups could not be written to __consumer_offsets; their members are told to ask again";

impl State {
    /// # Errors
    /// When the groups are not in force: why.
    fn ready(&mut self) -> Result<&mut Ready, Unavailable> {
        match self {
            Self::Ready(ready) => Ok(ready),
            Self::Unread | Self::Loading => Err(Unavailable::Loading),
            Self::Failed { .. } => Err(Unavailable::Failed),
            Self::Closed => Err(Unavailable::NotHere),
        }
    }
}

impl Ready {
    /// Most bytes that a batch of `__consumer_offsets` may take: what its `max.message.bytes` says and a segment holds.
    fn batch_room(&self, topic: Uuid) -> usize {
        let room = self
            .catalog
            .topic_settings(topic)
            .map_or(u32::MAX, |settings| settings.max_message_bytes.min(settings.segment_bytes));
        usize::try_from(room).unwrap_or(usize::MAX)
    }

    /// Hands out an answer once everything that was written so far is durable.
    fn deliver(&mut self, delivery: Delivery) {
        if self.undurable.is_empty() && self.partition.marks().high_watermark > self.written {
            delivery();
        } else {
            self.undurable.push_back((self.written, delivery));
        }
    }
}
