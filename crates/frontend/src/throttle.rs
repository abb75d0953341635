//! Lines about bad clients, few enough that they cannot fill a disk.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Lets some lines a second through and counts the rest.
#[derive(Debug)]
pub(crate) struct Throttle {
    /// The lock is held for a few additions only.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    since: Instant,
    said: u32,
    swallowed: u64,
}

/// Lines that may be said in each [`WINDOW`].
const LINES: u32 = 10;
const WINDOW: Duration = Duration::from_secs(1);

impl Throttle {
    pub(crate) fn new(now: Instant) -> Self {
        Self { state: Mutex::new(State { since: now, said: 0, swallowed: 0 }) }
    }

    /// Whether a line may be said now; if so, how many were swallowed since the last one.
    pub(crate) fn allow(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock();
        if now.saturating_duration_since(state.since) >= WINDOW {
            state.since = now;
            state.said = 0;
        }
        if state.said >= LINES {
            state.swallowed += 1;
            return None;
        }
        state.said += 1;
        Some(std::mem::take(&mut state.swallowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_becomes_a_trickle_that_says_how_much_is_missing() {
        let start = Instant::now();
        let throttle = Throttle::new(start);
        let said = (0..25).filter(|_| throttle.allow(start).is_some()).count();
        assert_eq!(said, 10);
        assert_eq!(throttle.allow(start + WINDOW), Some(15));
        assert_eq!(throttle.allow(start + WINDOW), Some(0));
    }
}
