//! Measuring: how much came in the last seconds, and how much is left.

use base::Millis;

/// Over what is measured: `quota.window.num` samples of `quota.window.size.seconds` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many samples; at least 1.
    pub samples: u32,
    /// How long each is, in milliseconds; at least 1.
    pub sample_ms: i64,
}

impl Window {
    /// Of so many samples of so many seconds; what is less than 1 counts as 1.
    #[must_use]
    pub fn new(samples: i32, seconds: i32) -> Self {
        Self {
            samples: u32::try_from(samples).unwrap_or(1).max(1),
            sample_ms: i64::from(seconds.max(1)) * 1000,
        }
    }

    /// All samples together, in milliseconds.
    pub(super) fn span_ms(self) -> i64 {
        i64::from(self.samples).saturating_mul(self.sample_ms)
    }
}

/// The rate of an amount over a sliding window (Kafka: `Rate` over a `WindowedSum`, a `SampledStat`). Times must not go
/// backwards.
#[derive(Clone, Debug, Default)]
pub(super) struct Rate {
    /// One more than the window has: the oldest may overlap its beginning.
    samples: Vec<Sample>,
    current: usize,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    start: Millis,
    last: Millis,
    sum: f64,
}

impl Sample {
    const fn new(now: Millis) -> Self {
        Self { start: now, last: now, sum: 0.0 }
    }
}

impl Rate {
    /// Counts an amount, which may be negative.
    pub(super) fn record(&mut self, amount: f64, now: Millis, window: Window) {
        match self.samples.get(self.current) {
            None => self.samples.push(Sample::new(now)),
            Some(current) if now.since(current.start) >= window.sample_ms => {
                self.current = (self.current + 1) % (window.samples as usize + 1);
                match self.samples.get_mut(self.current) {
                    Some(oldest) => *oldest = Sample::new(now),
                    None => self.samples.push(Sample::new(now)),
                }
            }
            Some(_) => {}
        }
        let current = &mut self.samples[self.current];
        current.sum += amount;
        current.last = now;
    }

    /// How long to wait until the rate is `limit` per second if nothing comes, in milliseconds; 0: it is not above
    /// (Kafka: `QuotaUtils.throttleTime`).
    pub(super) fn throttle_ms(&mut self, limit: f64, now: Millis, window: Window) -> i64 {
        let span = self.span_ms(now, window);
        let sum: f64 = self.samples.iter().map(|sample| sample.sum).sum();
        let rate = sum / (span / 1000.0);
        if rate > limit { round((rate - limit) / limit * span) } else { 0 }
    }

    /// What the sum is divided by, in milliseconds: the time since the oldest sample began, and at least all of the
    /// window but its last sample.
    fn span_ms(&mut self, now: Millis, window: Window) -> f64 {
        let mut oldest = now;
        for sample in &mut self.samples {
            if now.since(sample.last) >= window.span_ms() {
                *sample = Sample::new(now);
            }
            oldest = oldest.min(sample.start);
        }
        let elapsed = now.since(oldest);
        let missing = i64::from(window.samples) - 1 - elapsed / window.sample_ms;
        let span = elapsed.saturating_add(missing.max(0).saturating_mul(window.sample_ms)).max(1);
        #[expect(clippy::cast_precision_loss, reason = "a span of 285,000 years loses a millisecond")]
        let span = span as f64;
        span
    }
}

/// What may be had at once, refilled as time goes by (Kafka: `TokenBucket`). Times must not go backwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenBucket {
    /// Negative: more was taken than there was.
    tokens: f64,
    since: Millis,
}

impl TokenBucket {
    /// A full one.
    pub(super) fn new(limit: f64, now: Millis, window: Window) -> Self {
        Self { tokens: burst(limit, window), since: now }
    }

    fn refill(&mut self, limit: f64, now: Millis, window: Window) {
        #[expect(clippy::cast_precision_loss, reason = "after so long a time the bucket is full")]
        let seconds = now.since(self.since) as f64 / 1000.0;
        self.tokens = burst(limit, window).min(self.tokens + limit * seconds);
        self.since = now;
    }

    /// Takes an amount, whether it is there or not.
    pub(super) fn take(&mut self, amount: f64, limit: f64, now: Millis, window: Window) {
        self.refill(limit, now, window);
        self.tokens = burst(limit, window).min(self.tokens - amount);
    }

    /// How long to wait until it is not in debt, in milliseconds.
    pub(super) fn throttle_ms(&mut self, limit: f64, now: Millis, window: Window) -> i64 {
        self.refill(limit, now, window);
        if self.tokens < 0.0 { round(-self.tokens / limit * 1000.0) } else { 0 }
    }

    /// Whether it owes nothing.
    pub(super) fn is_square(&self) -> bool {
        self.tokens >= 0.0
    }
}

fn burst(limit: f64, window: Window) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a span of 285,000 years loses a millisecond")]
    let seconds = window.span_ms() as f64 / 1000.0;
    seconds * limit
}

/// As Java's `Math.round`.
fn round(number: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "what is too large becomes the largest")]
    let rounded = (number + 0.5).floor() as i64;
    rounded
}
