//! The named numbers of the broker: offsets, producer ids, epochs, sequences, times and topic ids.
//!
//! Every room above speaks in these types, so that an offset cannot be handed over where a sequence is meant. They
//! carry no rules beyond their own arithmetic, and know nothing of bytes, files or requests.

mod producer;
mod time;

use std::fmt;

pub use producer::{ProducerEpoch, ProducerId, Sequence};
pub use time::Millis;
/// A topic's id, a cluster's directory id, or any other 128-bit id of Kafka.
pub use uuid::Uuid;

/// A position in a partition, counted in records from 0. `-1` means "none" where Kafka says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub i64);

impl Offset {
    /// The first offset of a partition.
    pub const ZERO: Self = Self(0);
    /// "No offset", in Kafka's words: -1.
    pub const NONE: Self = Self(-1);

    /// The offset `delta` records further on.
    #[must_use]
    pub const fn plus(self, delta: i64) -> Self {
        Self(self.0 + delta)
    }

    /// The offset after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// How many records lie between `earlier` and this offset; negative when `earlier` is the later one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

/// How often the leadership of a partition has changed: 0 for the first leader, `-1` when unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaderEpoch(pub i32);

impl LeaderEpoch {
    /// "No leader epoch", in Kafka's words: -1.
    pub const NONE: Self = Self(-1);
}

/// The number of a partition within its topic, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionIndex(pub i32);

/// The number of a broker (`node.id`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub i32);

macro_rules! shown_as_number {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}
shown_as_number!(Offset, LeaderEpoch, PartitionIndex, NodeId, ProducerId, ProducerEpoch, Sequence, Millis);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_records() {
        assert_eq!(Offset(7).next(), Offset(8));
        assert_eq!(Offset(7).plus(3).since(Offset(7)), 3);
        assert_eq!(Offset(7).to_string(), "7");
        assert!(Offset::NONE < Offset::ZERO);
    }
}
