//! What a request may name more than once, and how often.
//!
//! Kafka answers as often as it is asked. An answer can be a thousand times as long as the name that asks for it, so that one
//! request could fill the memory.

use std::collections::HashSet;
use std::hash::Hash;

/// How often groups may be named again in one request, all taken together.
pub(super) const GROUPS: usize = 16;
/// The same of partitions.
pub(super) const PARTITIONS: usize = 1_000;

/// What a request has named so far.
#[derive(Debug)]
pub(super) struct Repeats<T> {
    named: HashSet<T>,
    again: usize,
}

impl<T> Default for Repeats<T> {
    fn default() -> Self {
        Self { named: HashSet::new(), again: 0 }
    }
}

impl<T: Eq + Hash> Repeats<T> {
    /// Whether this is named for the first time, or names have come again no more than `most` times.
    pub(super) fn allow(&mut self, name: T, most: usize) -> bool {
        if self.named.insert(name) {
            return true;
        }
        self.again += 1;
        self.again <= most
    }
}
