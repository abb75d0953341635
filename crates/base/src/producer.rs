//! The three numbers by which an idempotent producer signs a batch (KIP-98).

/// Names one producer; handed out by InitProducerId, never twice in the life of a cluster. `-1`: not idempotent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerId(pub i64);

impl ProducerId {
    /// A batch that carries no producer id.
    pub const NONE: Self = Self(-1);

    /// Whether this names a producer at all.
    #[must_use]
    pub const fn is_some(self) -> bool {
        self.0 >= 0
    }
}

/// Counts the lives of one producer: a higher epoch fences the lower ones. 0 to 32767; `-1`: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerEpoch(pub i16);

impl ProducerEpoch {
    /// A batch without a producer, or a producer that a partition has not met yet.
    pub const NONE: Self = Self(-1);
}

/// The number of a record among those that one producer epoch has sent to one partition: 0 to 2147483647, then 0
/// again. `-1`: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub i32);

impl Sequence {
    /// A batch that carries no sequence.
    pub const NONE: Self = Self(-1);
    /// The first sequence of a producer epoch.
    pub const FIRST: Self = Self(0);
    /// The last sequence before the count starts at 0 again.
    pub const LAST: Self = Self(i32::MAX);

    /// The sequence `delta` records further on; past [`Self::LAST`] it goes on at 0
    /// (Kafka: `DefaultRecordBatch.incrementSequence`). `delta` must not be negative.
    #[must_use]
    pub const fn plus(self, delta: i32) -> Self {
        debug_assert!(delta >= 0);
        if self.0 > i32::MAX - delta { Self(delta - (i32::MAX - self.0) - 1) } else { Self(self.0 + delta) }
    }

    /// The sequence `delta` records earlier; before 0 it goes on at [`Self::LAST`]
    /// (Kafka: `DefaultRecordBatch.decrementSequence`). `delta` must not be negative.
    #[must_use]
    pub const fn minus(self, delta: i32) -> Self {
        debug_assert!(delta >= 0);
        if self.0 < delta { Self(i32::MAX - (delta - self.0) + 1) } else { Self(self.0 - delta) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_wraps_to_zero() {
        assert_eq!(Sequence(i32::MAX).plus(1), Sequence(0));
        assert_eq!(Sequence(i32::MAX - 7).plus(15), Sequence(7));
        assert_eq!(Sequence(4).plus(5), Sequence(9));
        assert_eq!(Sequence(i32::MAX).plus(i32::MAX), Sequence(i32::MAX - 1));
    }

    #[test]
    fn minus_undoes_plus() {
        for (start, delta) in [(0, 0), (0, 9), (i32::MAX - 3, 9), (i32::MAX, i32::MAX), (5, i32::MAX)] {
            assert_eq!(Sequence(start).plus(delta).minus(delta), Sequence(start), "{start} + {delta}");
        }
    }
}
