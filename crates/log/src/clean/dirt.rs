//! How dirty a log is, whether it is to be cleaned, and in which groups (Kafka: `LogCleanerManager.cleanableOffsets`,
//! `LogToClean`, `Cleaner.groupSegmentsBySize`).

use std::ops::Range;

use base::{Millis, Offset};

use crate::error::LogError;
use crate::reader::LogReader;
use crate::retention::largest_timestamp;

/// The topic settings of compaction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compaction {
    /// `min.cleanable.dirty.ratio`: a log is cleaned when more than this share of it is dirty; from 0 to 1.
    pub min_dirty_ratio: f64,
    /// `delete.retention.ms`: how long a tombstone stays after the first cleaning that met it; not negative.
    pub delete_retention_ms: i64,
    /// `min.compaction.lag.ms`: a segment with a younger record is not cleaned; not negative.
    pub min_lag_ms: i64,
    /// `max.compaction.lag.ms`: a log with older dirty records is cleaned whatever its ratio; at least 1.
    pub max_lag_ms: i64,
}

impl Default for Compaction {
    /// Kafka's defaults.
    fn default() -> Self {
        Self { min_dirty_ratio: 0.5, delete_retention_ms: 86_400_000, min_lag_ms: 0, max_lag_ms: i64::MAX }
    }
}

/// How dirty a log is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dirt {
    /// Where the dirty part begins: as the checkpoint says, or at the log start if that cannot be.
    pub first_dirty: Offset,
    /// Where it ends: at a segment's base offset.
    pub end: Offset,
    /// Bytes of the segments that begin before [`Self::first_dirty`].
    pub clean_bytes: u64,
    /// Bytes of the segments with dirty records.
    pub dirty_bytes: u64,
    /// Whether a dirty record is older than `max.compaction.lag.ms`.
    pub overdue: bool,
    /// Whether the checkpoint spoke of an offset that the log does not have.
    pub checkpoint_was_off: bool,
}

impl Dirt {
    /// The dirty share of what could be cleaned; 0 if there is nothing.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        match self.clean_bytes + self.dirty_bytes {
            0 => 0.0,
            total => self.dirty_bytes as f64 / total as f64,
        }
    }

    /// Whether the log is to be cleaned now.
    #[must_use]
    pub fn is_due(&self, compaction: &Compaction) -> bool {
        self.dirty_bytes > 0 && (self.overdue || self.ratio() > compaction.min_dirty_ratio)
    }
}

/// A segment, as planning sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sketch {
    pub(crate) base: Offset,
    pub(crate) len: u64,
    pub(crate) index_len: u64,
    pub(crate) time_index_len: u64,
}

/// Where the dirty part begins, given what the checkpoint says; and whether that cannot be.
fn first_dirty(checkpoint: Option<Offset>, log_start: Offset, log_end: Offset) -> (Offset, bool) {
    match checkpoint {
        Some(offset) if offset >= log_start && offset <= log_end => (offset, false),
        Some(_) => (log_start, true),
        None => (log_start, false),
    }
}

/// The base of the segment that holds `offset`, or of the first one.
fn border(segments: &[Sketch], offset: Offset) -> Offset {
    let at = segments.partition_point(|segment| segment.base <= offset).saturating_sub(1);
    segments[at].base
}

/// Bytes before `first_dirty`, and from there to `end`. A segment with both counts in both.
fn bytes(segments: &[Sketch], first_dirty: Offset, end: Offset) -> (u64, u64) {
    let from = border(segments, first_dirty);
    let sum = |of: &dyn Fn(&Sketch) -> bool| segments.iter().filter(|s| of(s)).map(|s| s.len).sum::<u64>();
    let clean = sum(&|segment| segment.base < first_dirty && segment.base < end);
    (clean, sum(&|segment| segment.base >= from && segment.base < end))
}

/// The segments below `end` in groups, each of which fits into one segment.
pub(super) fn groups(
    segments: &[Sketch],
    segment_bytes: u64,
    index_bytes: u64,
    end: Offset,
) -> Vec<Range<usize>> {
    let count = segments.partition_point(|segment| segment.base < end);
    let mut groups = Vec::new();
    let mut from = 0;
    while from < count {
        let mut sum = segments[from];
        let mut to = from + 1;
        while to < count {
            let next = &segments[to];
            let (len, index) = (sum.len + next.len, sum.index_len + next.index_len);
            let time_index = sum.time_index_len + next.time_index_len;
            let last = if to + 1 < count { segments[to + 1].base } else { end }.plus(-1);
            // An empty segment has no offsets that an index would have to reach.
            let reaches = next.len == 0 || last.since(sum.base) <= i64::from(i32::MAX);
            if len > segment_bytes || index > index_bytes || time_index > index_bytes || !reaches {
                break;
            }
            sum = Sketch { base: sum.base, len, index_len: index, time_index_len: time_index };
            to += 1;
        }
        groups.push(from..to);
        from = to;
    }
    groups
}

impl LogReader {
    /// How dirty the log is. `checkpoint`: the first dirty offset as far as it is known; `stable`: nothing from there on
    /// may be cleaned.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn dirt(
        &self,
        checkpoint: Option<Offset>,
        stable: Offset,
        compaction: &Compaction,
        now: Millis,
    ) -> Result<Dirt, LogError> {
        let segments = self.shared.segments.load_full();
        let sketches: Vec<Sketch> = segments.iter().map(|segment| segment.sketch()).collect();
        let active = sketches.last().expect("a log has a segment").base;
        let (first_dirty, checkpoint_was_off) = first_dirty(checkpoint, self.log_start(), self.log_end());
        let mut end = border(&sketches, stable.min(active));
        let dirty = || {
            let from = border(&sketches, first_dirty);
            segments.iter().filter(move |segment| segment.base >= from)
        };
        if compaction.min_lag_ms > 0 {
            for segment in dirty().take_while(|segment| segment.base < end) {
                if now.since(largest_timestamp(segment)?) < compaction.min_lag_ms {
                    end = segment.base;
                    break;
                }
            }
        }
        let mut overdue = false;
        if compaction.max_lag_ms < i64::MAX {
            for segment in dirty().take_while(|segment| segment.base < end) {
                let first = segment.first_timestamp()?;
                overdue |= first > Millis(0) && now.since(first) > compaction.max_lag_ms;
            }
        }
        let (clean_bytes, dirty_bytes) = bytes(&sketches, first_dirty, end);
        Ok(Dirt { first_dirty, end, clean_bytes, dirty_bytes, overdue, checkpoint_was_off })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(base: i64, len: u64) -> Sketch {
        Sketch { base: Offset(base), len, index_len: 8, time_index_len: 12 }
    }

    #[test]
    fn an_impossible_checkpoint_counts_as_none() {
        let first = |checkpoint: Option<i64>| first_dirty(checkpoint.map(Offset), Offset(10), Offset(20));
        assert_eq!(first(None), (Offset(10), false));
        assert_eq!(first(Some(10)), (Offset(10), false));
        assert_eq!(first(Some(20)), (Offset(20), false));
        assert_eq!(first(Some(9)), (Offset(10), true));
        assert_eq!(first(Some(21)), (Offset(10), true));
    }

    #[test]
    fn bytes_are_counted_by_segment() {
        let segments = [sketch(0, 100), sketch(10, 50), sketch(20, 30), sketch(30, 7)];
        assert_eq!(bytes(&segments, Offset(0), Offset(30)), (0, 180));
        assert_eq!(bytes(&segments, Offset(10), Offset(30)), (100, 80));
        assert_eq!(bytes(&segments, Offset(15), Offset(30)), (150, 80), "the second has both");
        assert_eq!(bytes(&segments, Offset(30), Offset(30)), (180, 0));
        assert_eq!(bytes(&segments, Offset(20), Offset(10)), (100, 0));
    }

    #[test]
    fn a_log_is_due_above_its_ratio_or_when_it_is_overdue() {
        let dirt = |clean_bytes, dirty_bytes, overdue| Dirt {
            first_dirty: Offset(0),
            end: Offset(9),
            clean_bytes,
            dirty_bytes,
            overdue,
            checkpoint_was_off: false,
        };
        let compaction = Compaction::default();
        for (clean, dirty, overdue, due) in [
            (50, 50, false, false),
            (49, 50, false, true),
            (0, 1, false, true),
            (0, 0, false, false),
            (99, 1, true, true),
            (99, 0, true, false),
        ] {
            assert_eq!(dirt(clean, dirty, overdue).is_due(&compaction), due, "{clean} {dirty} {overdue}");
        }
    }

    /// Where each group begins and ends.
    fn pairs(segments: &[Sketch], bytes: u64, index_bytes: u64, end: Offset) -> Vec<(usize, usize)> {
        groups(segments, bytes, index_bytes, end).into_iter().map(|group| (group.start, group.end)).collect()
    }

    #[test]
    fn a_group_fits_into_one_segment() {
        let segments = [sketch(0, 40), sketch(10, 40), sketch(20, 30), sketch(30, 90), sketch(40, 5)];
        assert_eq!(pairs(&segments, 100, 1000, Offset(50)), [(0, 2), (2, 3), (3, 5)]);
        assert_eq!(pairs(&segments, 1000, 1000, Offset(50)), [(0, 5)]);
        assert_eq!(pairs(&segments, 1000, 1000, Offset(40)), [(0, 4)], "not beyond the end");
        assert_eq!(pairs(&segments, 1000, 24, Offset(50)), [(0, 2), (2, 4), (4, 5)], "by the time index");
        assert_eq!(pairs(&segments, 10, 1000, Offset(20)), [(0, 1), (1, 2)], "one alone may be too large");
        assert_eq!(pairs(&segments, 10, 1000, Offset(0)), []);
    }

    #[test]
    fn a_group_spans_what_an_index_can_count() {
        let far = i64::from(i32::MAX);
        let segments = [sketch(0, 1), sketch(10, 1), sketch(far, 1), sketch(far + 10, 1)];
        assert_eq!(pairs(&segments, 100, 1000, Offset(far + 20)), [(0, 2), (2, 4)]);
        assert_eq!(pairs(&segments[..3], 100, 1000, Offset(far + 1)), [(0, 3)]);
        let empty = [sketch(0, 1), sketch(far + 5, 0)];
        assert_eq!(pairs(&empty, 100, 1000, Offset(far + 90)), [(0, 2)], "an empty one reaches nowhere");
    }
}
