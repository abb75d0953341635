//! What a start after a kill says while it checks what nothing vouches for.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use log::{Checking, Checks};

/// Who waits for so long hears how far it is, and then again.
const EVERY: Duration = Duration::from_secs(1);

/// Does `work`, and says once a second how far `checks` have come.
pub(crate) fn told(checks: &Checks, work: impl FnOnce()) {
    let (over, is_over) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let (mut at, mut done) = (Instant::now(), checks.done());
            while is_over.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                let (now, so_far) = (Instant::now(), checks.done());
                let rate = (so_far - done) as f64 / now.duration_since(at).as_secs_f64();
                for line in lines(&checks.running(), rate) {
                    tracing::info!("{line}");
                }
                (at, done) = (now, so_far);
            }
        });
        work();
        drop(over);
    });
}

/// What is said of the checks that run while so many bytes a second are checked by all.
fn lines(running: &[Checking], rate: f64) -> Vec<String> {
    let mb = |bytes: u64| bytes / 1_000_000;
    let line = |check: &Checking| {
        let Checking { dir, done, total } = check;
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        format!(
            "checking {name} after an unclean stop: {} of {} MB ({:.0} MB/s in all)",
            mb(*done),
            mb(*total),
            rate / 1e6
        )
    };
    running.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_partition_how_far_it_is_and_the_rate() {
        let running = [Checking { dir: "/data/orders-3".into(), done: 412_000_000, total: 1_024_000_000 }];
        assert_eq!(
            lines(&running, 830e6),
            ["checking orders-3 after an unclean stop: 412 of 1024 MB (830 MB/s in all)"]
        );
    }
}
