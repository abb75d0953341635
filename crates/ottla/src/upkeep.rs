//! The thread that does what is due now and then.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::Millis;
use catalog::Catalog;
use settings::Settings;

/// How often the catalogue looks for what is due, in milliseconds: once a second, or more often when flushes that are due are
/// to be looked for more often (`log.flush.scheduler.interval.ms`).
const EVERY_MS: i64 = 1000;
/// It goes through all partitions each time, so not without a pause.
const MOST_OFTEN_MS: i64 = 10;

/// The running thread.
pub(crate) struct Upkeep {
    thread: JoinHandle<()>,
    /// Dropped, it tells the thread to end.
    stop: Sender<()>,
}

impl Upkeep {
    /// Starts it. The work blocks on files, so it has a thread of its own.
    pub(crate) fn start(
        catalog: Arc<Catalog>,
        settings: &Settings,
        clock: fn() -> Millis,
    ) -> io::Result<Self> {
        let every = settings.log_flush_scheduler_interval_ms().clamp(MOST_OFTEN_MS, EVERY_MS);
        let every = Duration::from_millis(every.unsigned_abs());
        let (stop, stopped) = mpsc::channel();
        let work = move || {
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                // What panicked has said so, and shut itself; the rest still needs its upkeep.
                let _ = catch_unwind(AssertUnwindSafe(|| catalog.tend(clock())));
            }
        };
        Ok(Self { thread: thread::Builder::new().name("upkeep".to_owned()).spawn(work)?, stop })
    }

    /// Lets it finish what it is at, and ends it.
    pub(crate) fn stop(self) {
        drop(self.stop);
        // A panic has been reported where it happened.
        let _ = self.thread.join();
    }
}
