//! Short blocking work on the runtime's own threads, without a slow disk stopping every connection.
//!
//! A handler writes to the page cache and a reply may be read from it: microseconds, far cheaper done where the
//! connection runs than handed to another thread. But when the disk stalls, each such call can take a second, and a
//! thread that waits no longer polls sockets for the others. So:
//!
//! - work runs in place as long as nothing was slow lately, and at least one thread of the runtime stays free of it;
//! - otherwise `block_in_place` first gives the thread's place in the runtime away, which costs some ten microseconds;
//! - a watching thread notices work that has just become slow while it is still running, and pokes the runtime, so that
//!   a free thread goes on polling the sockets. It sleeps while there is no work.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

/// Work that takes longer than this is slow: far above what the page cache takes, far below what anybody notices.
const SLOW: Duration = Duration::from_millis(5);
/// For how long after slow work all work is taken off the runtime's threads.
const CAREFUL: Duration = Duration::from_secs(1);
/// How often running work is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// The watching thread goes to sleep when no work was begun for this long.
const QUIET: Duration = Duration::from_millis(200);

/// Runs short blocking work, and keeps an eye on it.
#[derive(Debug)]
pub(crate) struct Stalls {
    start: Instant,
    /// When each piece of work that runs in place was begun, in microseconds since `start`; [`FREE`]: none. One slot
    /// fewer than the runtime has threads; none where `block_in_place` cannot be used.
    slots: Box<[AtomicU64]>,
    /// Until when, on the same clock, work is taken off the runtime's threads.
    careful_until: AtomicU64,
    /// When work was last begun.
    begun: AtomicU64,
    /// Whether the watching thread sleeps until it is woken.
    asleep: AtomicBool,
    watcher: OnceLock<Thread>,
}

const FREE: u64 = 0;

impl Stalls {
    /// For the runtime this is called in.
    pub(crate) fn start() -> Arc<Self> {
        let handle = Handle::current();
        let places = handle.metrics().num_workers() - 1;
        let stalls = Arc::new(Self {
            start: Instant::now(),
            slots: (0..places).map(|_| AtomicU64::new(FREE)).collect(),
            careful_until: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            asleep: AtomicBool::new(false),
            watcher: OnceLock::new(),
        });
        if places > 0 {
            let weak = Arc::downgrade(&stalls);
            // Without a watcher a sudden stall is noticed when it is over.
            if let Ok(watcher) =
                thread::Builder::new().name("stalls".to_owned()).spawn(move || watch(&weak, &handle))
            {
                // Set once, here.
                let _ = stalls.watcher.set(watcher.thread().clone());
            }
        }
        stalls
    }

    /// Does `work`, here or off the runtime's threads.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        if self.slots.is_empty() {
            return work();
        }
        let begun = self.now();
        self.begun.store(begun, Ordering::Relaxed);
        let slot =
            if begun < self.careful_until.load(Ordering::Relaxed) { None } else { self.take_slot(begun) };
        let result = match slot {
            Some(_in_place) => work(),
            None => tokio::task::block_in_place(work),
        };
        if self.now() - begun > micros(SLOW) {
            self.be_careful();
        }
        result
    }

    /// A slot for work that runs in place, if the runtime has a thread to spare.
    fn take_slot(&self, begun: u64) -> Option<Slot<'_>> {
        let free = |slot: &&AtomicU64| {
            slot.compare_exchange(FREE, begun, Ordering::SeqCst, Ordering::Relaxed).is_ok()
        };
        let slot = self.slots.iter().find(free)?;
        if self.asleep.load(Ordering::SeqCst) && self.asleep.swap(false, Ordering::SeqCst) {
            self.wake_watcher();
        }
        Some(Slot(slot))
    }

    fn be_careful(&self) {
        self.careful_until.store(self.now() + micros(CAREFUL), Ordering::Relaxed);
    }

    /// Never [`FREE`].
    fn now(&self) -> u64 {
        micros(self.start.elapsed()) + 1
    }

    fn wake_watcher(&self) {
        if let Some(watcher) = self.watcher.get() {
            watcher.unpark();
        }
    }

    fn is_anything_running(&self) -> bool {
        self.slots.iter().any(|slot| slot.load(Ordering::SeqCst) != FREE)
    }

    fn is_anything_slow(&self) -> bool {
        let now = self.now();
        self.slots
            .iter()
            .map(|slot| slot.load(Ordering::SeqCst))
            .any(|begun| begun != FREE && now.saturating_sub(begun) > micros(SLOW))
    }
}

impl Drop for Stalls {
    fn drop(&mut self) {
        self.wake_watcher();
    }
}

/// Work that runs in place; also when it panics the slot is free again.
struct Slot<'a>(&'a AtomicU64);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.store(FREE, Ordering::SeqCst);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Looks at the running work until `stalls` is gone.
fn watch(stalls: &Weak<Stalls>, runtime: &Handle) {
    while let Some(watched) = stalls.upgrade() {
        if watched.is_anything_slow() {
            watched.be_careful();
            // Any task will do: a thread that waits for something to do takes it, and then polls the sockets.
            runtime.spawn(async {});
        }
        let quiet = watched.now().saturating_sub(watched.begun.load(Ordering::Relaxed)) > micros(QUIET);
        if !quiet || watched.is_anything_running() {
            drop(watched);
            thread::park_timeout(LOOK);
            continue;
        }
        watched.asleep.store(true, Ordering::SeqCst);
        // Work that was begun before it could see that the watcher sleeps.
        let missed = watched.is_anything_running();
        drop(watched);
        if !missed {
            thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime(threads: usize) -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).build().expect("threads")
    }

    /// Runs `work` as the connections do: in a task.
    fn in_task<T: Send + 'static>(
        runtime: &tokio::runtime::Runtime,
        stalls: &Arc<Stalls>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        let stalls = Arc::clone(stalls);
        runtime.spawn(async move { stalls.run(work) })
    }

    #[test]
    fn work_runs_in_place_until_it_is_slow() {
        let runtime = runtime(2);
        let _entered = runtime.enter();
        let stalls = Stalls::start();
        assert_eq!(runtime.block_on(in_task(&runtime, &stalls, || 7)).expect("no panic"), 7);
        assert_eq!(stalls.careful_until.load(Ordering::Relaxed), 0);
        runtime.block_on(in_task(&runtime, &stalls, || thread::sleep(SLOW * 2))).expect("no panic");
        assert!(stalls.careful_until.load(Ordering::Relaxed) > stalls.now());
        assert!(!stalls.is_anything_running());
    }

    #[test]
    fn a_stall_is_noticed_while_it_lasts_and_the_runtime_goes_on() {
        let runtime = runtime(3);
        let _entered = runtime.enter();
        let stalls = Stalls::start();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let stalled = in_task(&runtime, &stalls, move || ended.recv().is_err());
        let deadline = Instant::now() + Duration::from_secs(20);
        while stalls.careful_until.load(Ordering::Relaxed) == 0 {
            assert!(Instant::now() < deadline, "the watcher notices it");
            thread::sleep(Duration::from_millis(1));
        }
        assert!(!stalled.is_finished());
        runtime.block_on(in_task(&runtime, &stalls, || ())).expect("others go on");
        drop(end);
        assert!(runtime.block_on(stalled).expect("no panic"), "its end was what it waited for");
    }

    #[test]
    fn one_thread_stays_free() {
        let runtime = runtime(2);
        let _entered = runtime.enter();
        let stalls = Stalls::start();
        assert_eq!(stalls.slots.len(), 1);
        let slot = stalls.take_slot(1).expect("free");
        assert!(stalls.take_slot(1).is_none());
        drop(slot);
        assert!(stalls.take_slot(1).is_some());
    }

    #[test]
    fn a_panic_frees_its_slot() {
        let runtime = runtime(2);
        let _entered = runtime.enter();
        let stalls = Stalls::start();
        let panicked = runtime.block_on(in_task(&runtime, &stalls, || panic!("asked to panic")));
        assert!(panicked.is_err());
        assert!(!stalls.is_anything_running());
    }

    #[test]
    fn the_watcher_sleeps_when_nothing_happens_and_wakes_when_it_does() {
        let runtime = runtime(2);
        let _entered = runtime.enter();
        let stalls = Stalls::start();
        let deadline = Instant::now() + Duration::from_secs(20);
        while !stalls.asleep.load(Ordering::SeqCst) {
            assert!(Instant::now() < deadline, "it goes to sleep");
            thread::sleep(Duration::from_millis(5));
        }
        runtime.block_on(in_task(&runtime, &stalls, || ())).expect("no panic");
        assert!(!stalls.asleep.load(Ordering::SeqCst));
    }

    #[test]
    fn a_runtime_of_one_thread_does_everything_in_place() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let _entered = runtime.enter();
        let stalls = Stalls::start();
        assert!(stalls.slots.is_empty());
        assert_eq!(runtime.block_on(async { stalls.run(|| 7) }), 7);
    }
}
