//! SIGTERM and SIGINT. Until there is something to close they end the process at once; then they ask for a clean stop.
//!
//! Both are handled from the start, as what a signal does by itself does not happen to process 1 of a container: the kernel
//! drops such a signal, and the container runtime waits, and kills.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What ends the process at once while it starts.
#[derive(Debug)]
pub(crate) struct Signals {
    is_starting: Arc<AtomicBool>,
}

/// The exit code that a signal leads to where nothing handles it.
const fn code(signal: i32) -> i32 {
    128 + signal
}

impl Signals {
    /// From now on a signal ends the process, with the exit code that the signal stands for.
    ///
    /// # Errors
    /// When the operating system does not take a handler.
    pub(crate) fn that_end_it() -> io::Result<Self> {
        let is_starting = Arc::new(AtomicBool::new(true));
        for signal in [SIGTERM, SIGINT] {
            flag::register_conditional_shutdown(signal, code(signal), Arc::clone(&is_starting))?;
        }
        Ok(Self { is_starting })
    }

    /// From now on a signal is kept for [`Stop::asked`]. Must be called inside a runtime.
    ///
    /// # Errors
    /// As [`Signals::that_end_it`].
    pub(crate) fn that_stop_it(self) -> io::Result<Stop> {
        let stop =
            Stop { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? };
        self.is_starting.store(false, Ordering::Relaxed);
        Ok(stop)
    }
}

/// What asks for a clean stop.
#[derive(Debug)]
pub(crate) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// Waits for the first signal, and leaves a task behind that ends the process at the second one, with the exit code
    /// that the signal itself would have led to.
    pub(crate) async fn asked(mut self) -> &'static str {
        let first = self.next().await.0;
        tokio::spawn(async move {
            let (second, code) = self.next().await;
            tracing::warn!("{second} again: ended without a clean stop; the next start recovers");
            std::process::exit(code);
        });
        first
    }

    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", code(SIGTERM)),
            _ = self.interrupt.recv() => ("SIGINT", code(SIGINT)),
        }
    }
}
