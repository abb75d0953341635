//! Wall-clock time as a number that is passed in.

/// Milliseconds since 1970-01-01 UTC. `-1` means "no timestamp" where Kafka says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// "No timestamp", in Kafka's words: -1.
    pub const NONE: Self = Self(-1);

    /// The moment `ms` milliseconds later; stays at the largest number rather than overflow.
    #[must_use]
    pub const fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds since `earlier`; negative when `earlier` is the later one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_saturates_instead_of_overflowing() {
        assert_eq!(Millis(5).plus(i64::MAX), Millis(i64::MAX));
        assert_eq!(Millis(i64::MIN).since(Millis(1)), i64::MIN);
    }
}
