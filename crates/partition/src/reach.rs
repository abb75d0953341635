//! From a distance in bytes to an offset.

use std::path::Path;

use base::Offset;
use log::{LogError, LogReader};

/// A place in one segment: an offset, and where its batch begins in the file.
#[derive(Clone, Copy)]
struct Place {
    offset: Offset,
    position: u64,
}

/// An offset that has at least `bytes` bytes of log behind it, and not many more: the log start if the log is shorter, the
/// log end if damage stands in the way.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn offset_before_end(log: &LogReader, bytes: u64, dir: &Path) -> Result<Offset, LogError> {
    look_back(log, bytes).or_else(|error| match error {
        LogError::Damaged { .. } => {
            let partition = dir.display();
            tracing::warn!(%partition, %error, "only the newest batch of each producer is remembered");
            Ok(log.log_end())
        }
        error => Err(error),
    })
}

fn look_back(log: &LogReader, bytes: u64) -> Result<Offset, LogError> {
    let mut left = bytes;
    let mut after = log.log_end();
    for base in log.segment_bases().into_iter().rev() {
        let first = base.max(log.log_start());
        if first >= after {
            continue;
        }
        // A segment of which compaction has left nothing has no place for its offsets.
        let (Some((begins, _)), Some((last, len))) = (probe(log, first)?, probe(log, after.plus(-1))?) else {
            continue;
        };
        let end = last + len;
        if end - begins >= left {
            let low = Place { offset: first, position: begins };
            let high = Place { offset: after, position: end };
            return search(log, low, high, end - left, left / 4);
        }
        left -= end - begins;
        after = first;
    }
    Ok(log.log_start())
}

/// The offset of a batch between `low` and `high` that begins at `wanted` or at most `slack` bytes before, or as near
/// before it as there is one. Positions grow about evenly with offsets, so interpolation finds it in a few steps; every
/// other step halves, so that it also ends where they do not.
fn search(log: &LogReader, low: Place, high: Place, wanted: u64, slack: u64) -> Result<Offset, LogError> {
    let (mut low, mut high) = (low, high);
    let mut halve = false;
    while high.offset.since(low.offset) > 1 && wanted - low.position > slack {
        let span = high.offset.since(low.offset);
        let step = if halve {
            span / 2
        } else {
            // A little below the guess, so that the step more often ends on the side that is looked for.
            let part = u128::from(wanted - low.position - slack / 2) * u128::from(span.unsigned_abs());
            i64::try_from(part / u128::from((high.position - low.position).max(1))).unwrap_or(span / 2)
        };
        halve = !halve;
        let offset = low.offset.plus(step.clamp(1, span - 1));
        match probe(log, offset)? {
            Some((position, _)) if position <= wanted => low = Place { offset, position },
            Some((position, _)) => high = Place { offset, position },
            None => high.offset = offset,
        }
    }
    Ok(low.offset)
}

/// Where in its segment the batch of `offset` begins, and its size.
fn probe(log: &LogReader, offset: Offset) -> Result<Option<(u64, u64)>, LogError> {
    let found = log.read(offset, log.log_end(), 1, true)?;
    Ok(found.range.map(|range| (range.position, u64::from(range.len))))
}
