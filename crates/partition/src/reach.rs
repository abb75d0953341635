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
    for (base, end) in log.segment_sizes().into_iter().rev() {
        let first = base.max(log.log_start());
        if first >= after {
            continue;
        }
        // A segment of which compaction has left nothing has no place for its offsets.
        let Some(begins) = probe(log, first, after)? else {
            after = first;
            continue;
        };
        let bytes = end.saturating_sub(begins);
        if bytes >= left {
            let low = Place { offset: first, position: begins };
            let high = Place { offset: after, position: end };
            return search(log, low, high, end - left, left / 4);
        }
        left -= bytes;
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
        match probe(log, offset, high.offset)? {
            Some(position) if position <= wanted => low = Place { offset, position },
            Some(position) => high = Place { offset, position },
            // Compaction has left nothing between.
            None => high.offset = offset,
        }
    }
    Ok(low.offset)
}

/// Where in its segment the batch of `offset` begins, or the next one below `end`, where compaction has left a gap.
fn probe(log: &LogReader, offset: Offset, end: Offset) -> Result<Option<u64>, LogError> {
    let found = log.read(offset, end, 1, true)?;
    Ok(found.range.map(|range| range.position))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use base::{LeaderEpoch, Millis};
    use log::{Known, Log, LogConfig};
    use records::{BatchBuilder, BatchHeader, HEADER_LEN, NewRecord};
    use testkit::{CrashDisk, Random};

    use super::*;

    const NOW: Millis = Millis(1_000_000_000_500);

    /// A log of batches of these sizes (about), each of a random number of records.
    fn log_of(segment_bytes: u32, sizes: impl Iterator<Item = usize>, random: &mut Random) -> Log {
        let known = Known { clean: true, recovery_point: Offset::ZERO, log_start: Offset::ZERO };
        let config = LogConfig { segment_bytes, ..LogConfig::default() };
        let (mut log, _) =
            Log::open(CrashDisk::calm(0).shared(), Path::new("/t-0"), config, known, NOW).unwrap();
        for size in sizes {
            let mut batch = BatchBuilder::new(log.log_end()).leader_epoch(LeaderEpoch(0));
            let records = 1 + random.below(20) as usize;
            let value = vec![b'v'; size / records];
            for _ in 0..records {
                batch.push(&NewRecord { timestamp: NOW, value: Some(&value), ..NewRecord::default() });
            }
            let bytes = batch.build();
            let header = BatchHeader::parse(&bytes).unwrap();
            if log.roll_due(&header, NOW) {
                log.roll(NOW).unwrap();
            }
            log.append(&header, bytes.first_chunk::<HEADER_LEN>().unwrap(), &bytes[HEADER_LEN..]).unwrap();
        }
        log
    }

    #[test]
    fn the_offset_lies_at_least_so_far_before_the_end_and_not_much_farther() {
        for seed in 0..30 {
            let mut random = Random::new(seed);
            let segment_bytes = [2_000, 20_000, 1 << 20][random.below(3) as usize];
            // Even batches, and batches of which a few are much larger than the others.
            let largest = 20 + random.below(1_500) as usize;
            let rare = 1 + random.below(30);
            let sizes: Vec<usize> =
                (0..150).map(|_| if random.one_in(rare) { largest } else { 20 }).collect();
            let log = log_of(segment_bytes, sizes.into_iter(), &mut random);
            let reader = log.reader();
            let batches: Vec<(Offset, u64)> = reader
                .headers(Offset::ZERO)
                .map(|walked| {
                    walked.map(|walked| (walked.header.last_offset(), u64::from(walked.at.len))).unwrap()
                })
                .collect();
            for bytes in [1, 100, 1_000, 5_000, 12_000, 1 << 30] {
                let offset = offset_before_end(&reader, bytes, Path::new("/t-0")).unwrap();
                let behind: u64 =
                    batches.iter().filter(|(last, _)| *last >= offset).map(|(_, len)| *len).sum();
                let what = format!("seed {seed}, {bytes} bytes: {behind} from {offset}");
                if bytes >= reader.size() {
                    assert_eq!(offset, Offset::ZERO, "{what}");
                } else {
                    assert!(behind >= bytes, "{what}");
                    assert!(behind <= bytes + bytes / 4 + 3_000, "{what}");
                }
            }
        }
    }

    #[test]
    fn an_empty_log_has_no_depth() {
        let log = log_of(1 << 20, std::iter::empty(), &mut Random::new(0));
        assert_eq!(offset_before_end(&log.reader(), 100, Path::new("/t-0")).unwrap(), Offset::ZERO);
    }
}
