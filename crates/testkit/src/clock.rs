//! Time that moves when a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base::Millis;

/// A clock that stands still until it is turned. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    now: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Millis) -> Self {
        Self { now: Arc::new(AtomicI64::new(now.0)) }
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Millis {
        Millis(self.now.load(Ordering::SeqCst))
    }

    /// Turns it to `now`, which may lie in the past: wall clocks do that.
    pub fn set(&self, now: Millis) {
        self.now.store(now.0, Ordering::SeqCst);
    }

    /// Turns it `ms` milliseconds on, and says what it shows then.
    pub fn advance(&self, ms: i64) -> Millis {
        Millis(self.now.fetch_add(ms, Ordering::SeqCst) + ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_show_the_same_time() {
        let clock = ManualClock::new(Millis(1_000));
        let other = clock.clone();
        assert_eq!(clock.advance(5), Millis(1_005));
        other.set(Millis(7));
        assert_eq!(clock.now(), Millis(7));
    }
}
