//! What the indexes of a segment should say, worked out from its batches.

use base::{Millis, Offset};
use records::BatchHeader;

use crate::index::{OffsetEntry, TimeEntry};

/// The largest timestamp of a segment, and the last offset of the first batch that holds it. No timestamp: `-1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MaxTimestamp {
    pub(crate) timestamp: Millis,
    pub(crate) last_offset: Offset,
}

impl MaxTimestamp {
    /// A segment without any timestamp.
    pub(crate) const fn none(base: Offset) -> Self {
        Self { timestamp: Millis::NONE, last_offset: base }
    }

    /// A batch whose records compaction has taken says when they were, but there is nothing to be found in it.
    pub(crate) fn take(&mut self, header: &BatchHeader) {
        if header.record_count > 0 && header.max_timestamp > self.timestamp {
            *self = Self { timestamp: header.max_timestamp, last_offset: header.last_offset() };
        }
    }

    /// The time index entry that says so; none without a timestamp.
    pub(crate) fn entry(&self, base: Offset) -> Option<TimeEntry> {
        (self.timestamp > Millis::NONE).then(|| TimeEntry {
            timestamp: self.timestamp,
            relative_offset: relative(base, self.last_offset),
        })
    }
}

/// `offset` as the indexes of the segment at `base` write it. The roll rules keep it within 31 bits.
pub(crate) fn relative(base: Offset, offset: Offset) -> i32 {
    i32::try_from(offset.since(base)).expect("a segment is rolled before its offsets outgrow an i32")
}

/// When an index gets an entry, and how many it may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexRules {
    /// `index.interval.bytes`.
    pub(crate) interval: u64,
    /// `segment.index.bytes`.
    pub(crate) index_bytes: u64,
}

impl IndexRules {
    pub(crate) fn offsets_full(&self, entries: u64) -> bool {
        entries >= self.index_bytes / OffsetEntry::LEN as u64
    }

    /// One slot is kept back for the entry with the segment's largest timestamp.
    pub(crate) fn times_full(&self, entries: u64) -> bool {
        entries + 1 >= self.index_bytes / TimeEntry::LEN as u64
    }
}

/// Builds the indexes of a segment anew while its batches go by (Kafka: `LogSegment.recover`): an entry for each batch
/// that begins more than `index.interval.bytes` behind the last one that has an entry.
#[derive(Debug)]
pub(crate) struct IndexBuilder {
    base: Offset,
    rules: IndexRules,
    last_entry_at: u64,
    pub(crate) offsets: Vec<OffsetEntry>,
    pub(crate) times: Vec<TimeEntry>,
    pub(crate) max: MaxTimestamp,
}

impl IndexBuilder {
    pub(crate) fn new(base: Offset, rules: IndexRules) -> Self {
        Self {
            base,
            rules,
            last_entry_at: 0,
            offsets: Vec::new(),
            times: Vec::new(),
            max: MaxTimestamp::none(base),
        }
    }

    /// Takes the next batch of the segment. `landmark`: it gets an entry in any case, since what lies before it cannot
    /// be walked over.
    pub(crate) fn take(&mut self, header: &BatchHeader, position: u64, landmark: bool) {
        self.max.take(header);
        let due = position - self.last_entry_at > self.rules.interval || landmark;
        let full = self.rules.offsets_full(self.offsets.len() as u64);
        // A file that somebody else made longer than an index can point into is walked there.
        if let Ok(at) = i32::try_from(position)
            && due
            && !full
        {
            let relative_offset = relative(self.base, header.last_offset());
            self.offsets.push(OffsetEntry { relative_offset, position: at });
            if !self.rules.times_full(self.times.len() as u64) {
                self.time_entry();
            }
            self.last_entry_at = position;
        }
    }

    /// Adds the entry that a sealed segment's time index ends with.
    pub(crate) fn seal(&mut self) {
        self.time_entry();
    }

    fn time_entry(&mut self) {
        if let Some(entry) = self.max.entry(self.base)
            && self.times.last().is_none_or(|last| entry.timestamp > last.timestamp)
        {
            self.times.push(entry);
        }
    }
}
