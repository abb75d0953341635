//! Keeping to a rate (Kafka: `Throttler`).

use std::time::Duration;

/// Below this nothing is waited for: it adds up with what comes next.
const LEAST_WAIT: Duration = Duration::from_millis(10);

/// More than this is not held against what comes next: a pause does not entitle to a burst.
const MOST_SAVED: Duration = Duration::from_millis(300);

/// Says how long to wait so that a rate is kept on average. Time comes in as what has passed since some moment.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    bytes_per_second: f64,
    /// Up to when the time is used up by the bytes so far.
    paid_until: Duration,
}

impl Pace {
    /// At most so many bytes per second; above 0, and no limit when infinite or as large as makes no difference.
    #[must_use]
    pub fn new(bytes_per_second: f64) -> Self {
        Self { bytes_per_second, paid_until: Duration::ZERO }
    }

    /// From now on at most so many bytes per second.
    pub fn set_rate(&mut self, bytes_per_second: f64) {
        self.bytes_per_second = bytes_per_second;
    }

    /// `bytes` are being read or written at `now`: how long to wait before going on.
    pub fn spend(&mut self, bytes: u64, now: Duration) -> Duration {
        let cost = Duration::try_from_secs_f64(bytes as f64 / self.bytes_per_second).unwrap_or(Duration::MAX);
        self.paid_until = self.paid_until.max(now.saturating_sub(MOST_SAVED)).saturating_add(cost);
        let wait = self.paid_until.saturating_sub(now);
        if wait < LEAST_WAIT { Duration::ZERO } else { wait }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_kept_on_average() {
        let mut pace = Pace::new(1_000_000.0);
        let mut now = Duration::from_secs(100);
        let start = now;
        for _ in 0..1000 {
            now += pace.spend(5_000, now);
        }
        let seconds = (now - start).as_secs_f64();
        assert!((4.6..=5.0).contains(&seconds), "5 MB in {seconds} s");
    }

    #[test]
    fn a_pause_does_not_entitle_to_a_burst() {
        let mut pace = Pace::new(1000.0);
        assert_eq!(pace.spend(300, Duration::from_secs(10)), Duration::ZERO);
        assert_eq!(pace.spend(1000, Duration::from_secs(10)), Duration::from_secs(1));
    }

    #[test]
    fn without_a_limit_nothing_is_waited_for() {
        let mut pace = Pace::new(f64::MAX);
        assert_eq!(pace.spend(u64::MAX, Duration::ZERO), Duration::ZERO);
    }
}
