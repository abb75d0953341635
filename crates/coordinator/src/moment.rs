//! The two clocks that groups go by.

use std::time::Instant;

use base::Millis;

/// A moment by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Never jumps, whoever sets the clock: what deadlines go by (Kafka: `Time.hiResClockMs`). Counts from the wall clock of
    /// the start.
    pub(crate) steady: Millis,
    /// Milliseconds since 1970: what is stored.
    pub(crate) wall: Millis,
}

/// The steady clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steady {
    began: Instant,
    wall: Millis,
}

impl Steady {
    /// Counts from now, which is `wall`.
    pub(crate) fn from(wall: Millis) -> Self {
        Self { began: Instant::now(), wall }
    }

    pub(crate) fn now(&self) -> Millis {
        self.wall.plus(i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// This moment, which is `wall` on the wall.
    pub(crate) fn at(&self, wall: Millis) -> Moment {
        Moment { steady: self.now(), wall }
    }
}
