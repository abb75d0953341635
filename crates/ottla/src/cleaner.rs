//! The thread that compacts.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::Millis;
use catalog::{Catalog, Round};

/// The running thread.
pub(crate) struct Cleaner {
    thread: JoinHandle<()>,
    /// Dropped, it tells the thread to end.
    stop: Sender<()>,
}

impl Cleaner {
    /// Starts it, unless nothing is to be compacted.
    pub(crate) fn start(catalog: &Arc<Catalog>, clock: fn() -> Millis) -> io::Result<Option<Self>> {
        let Some(mut cleaner) = catalog::Cleaner::new(Arc::clone(catalog)) else {
            tracing::warn!("log.cleaner.enable is false: topics with the policy compact only grow");
            return Ok(None);
        };
        let (stop, stopped) = mpsc::channel();
        let work = move || {
            loop {
                let round = || cleaner.round(clock(), &mut |time| pause(&stopped, time));
                // What panicked has said so; other partitions still need it.
                let round = catch_unwind(AssertUnwindSafe(round)).unwrap_or(Round::Idle);
                let goes_on = match round {
                    Round::Cleaned => pause(&stopped, Duration::ZERO),
                    Round::Idle => pause(&stopped, cleaner.backoff().max(LEAST_REST)),
                    Round::Stopped => false,
                };
                if !goes_on {
                    return;
                }
            }
        };
        Ok(Some(Self { thread: thread::Builder::new().name("cleaner".to_owned()).spawn(work)?, stop }))
    }

    /// Has it leave what it is at, and ends it.
    pub(crate) fn stop(self) {
        drop(self.stop);
        // A panic has been reported where it happened.
        let _ = self.thread.join();
    }
}

/// Between two looks at what is to be compacted, however short the backoff is set.
const LEAST_REST: Duration = Duration::from_millis(10);

/// Waits for so long, and says whether to go on.
fn pause(stopped: &Receiver<()>, time: Duration) -> bool {
    if time.is_zero() {
        return stopped.try_recv() == Err(TryRecvError::Empty);
    }
    stopped.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
}
