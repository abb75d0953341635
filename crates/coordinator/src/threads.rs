//! The coordinator's two threads: the one that loads, and the one that watches the clock.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::Millis;
use parking_lot::{Condvar, Mutex};

use crate::coordinator::Coordinator;
use crate::moment::Steady;

/// Things to be done one after the other by a thread that waits for them.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    /// `None` once it is over.
    waiting: Mutex<Option<Vec<T>>>,
    came: Condvar,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: Mutex::new(Some(Vec::new())), came: Condvar::new() }
    }
}

impl<T> Queue<T> {
    pub(crate) fn push(&self, thing: T) {
        if let Some(waiting) = &mut *self.waiting.lock() {
            waiting.push(thing);
            self.came.notify_one();
        }
    }

    /// Nothing more is handed out.
    pub(crate) fn end(&self) {
        *self.waiting.lock() = None;
        self.came.notify_all();
    }

    /// All that waits, as soon as something does; `None` once it is over.
    fn take(&self) -> Option<Vec<T>> {
        let mut waiting = self.waiting.lock();
        loop {
            match &mut *waiting {
                None => return None,
                Some(things) if things.is_empty() => self.came.wait(&mut waiting),
                Some(things) => return Some(std::mem::take(things)),
            }
        }
    }

    fn is_over(&self) -> bool {
        self.waiting.lock().is_none()
    }
}

/// Tells the clock's thread that somebody wants to be woken earlier than it thinks.
#[derive(Debug)]
pub(crate) struct Alarm {
    state: Mutex<Ringing>,
    rung: Condvar,
    /// Until when the thread sleeps, in milliseconds of the steady clock. [`i64::MAX`] while it is awake and looks around: whoever
    /// has a wish then rings in any case, so that no wish falls between the look and the sleep.
    sleeps_until: AtomicI64,
}

#[derive(Debug, Default)]
struct Ringing {
    rung: bool,
    over: bool,
}

impl Default for Alarm {
    fn default() -> Self {
        Self { state: Mutex::default(), rung: Condvar::new(), sleeps_until: AtomicI64::new(i64::MAX) }
    }
}

impl Alarm {
    /// Somebody waits for the moment `due`, in milliseconds of the steady clock, and has made that known before this call.
    pub(crate) fn set(&self, due: i64) {
        if due < self.sleeps_until.load(Ordering::SeqCst) {
            self.state.lock().rung = true;
            self.rung.notify_one();
        }
    }

    pub(crate) fn end(&self) {
        self.state.lock().over = true;
        self.rung.notify_one();
    }

    /// Runs `look`, which does what is due and says when to look again, until it is over.
    fn watch(&self, clock: Steady, mut look: impl FnMut() -> i64) {
        loop {
            self.sleeps_until.store(i64::MAX, Ordering::SeqCst);
            let due = look();
            let mut state = self.state.lock();
            if state.over {
                return;
            }
            if !std::mem::take(&mut state.rung) {
                self.sleeps_until.store(due, Ordering::SeqCst);
                let nap = u64::try_from(due.saturating_sub(clock.now().0)).unwrap_or(0).min(LONGEST_NAP_MS);
                self.rung.wait_for(&mut state, Duration::from_millis(nap));
                state.rung = false;
            }
        }
    }
}

/// Nothing may be due for ages; it looks now and then in any case.
const LONGEST_NAP_MS: u64 = 10_000;

/// Starts both threads; they end when the queue and the alarm do.
pub(crate) fn start(
    coordinator: &Arc<Coordinator>,
    clock: fn() -> Millis,
) -> io::Result<Vec<JoinHandle<()>>> {
    let loads = {
        let (queue, coordinator) = (Arc::clone(&coordinator.to_load), Arc::downgrade(coordinator));
        move || {
            while let Some(shards) = queue.take() {
                for shard in shards {
                    let Some(coordinator) = coordinator.upgrade().filter(|_| !queue.is_over()) else {
                        return;
                    };
                    guarded(|| coordinator.load(&shard, coordinator.steady.at(clock())));
                }
            }
        }
    };
    let watches = {
        let (alarm, steady) = (Arc::clone(&coordinator.alarm), coordinator.steady);
        let coordinator = Arc::downgrade(coordinator);
        move || {
            alarm.watch(steady, || {
                let Some(coordinator) = coordinator.upgrade() else { return i64::MAX };
                guarded(|| coordinator.tick(steady.at(clock())));
                coordinator.due()
            });
        }
    };
    let thread = |name: &str| thread::Builder::new().name(name.to_owned());
    Ok(vec![thread("group-loader").spawn(loads)?, thread("group-clock").spawn(watches)?])
}

/// What panicked has said so; the other groups still need their thread.
fn guarded(work: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(work));
}
