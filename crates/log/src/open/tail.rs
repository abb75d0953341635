//! The ends of segments that are not scanned: where a clean stop left the last one, and whether the indexes of a sealed one
//! are whole.

use std::sync::Arc;

use base::{Millis, Offset};

use crate::error::LogError;
use crate::locate::SPARSE;
use crate::rebuild::{IndexBuilder, MaxTimestamp};
use crate::segment::Segment;
use crate::walk::{Expected, HeaderWalk, Step};

/// An index that could have fewer entries than this may have none: a live index is sparser than a rebuilt one after
/// each restart, and such a gap is walked quickly.
const FEW: usize = 16;

/// The end of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    /// The offset after the last batch.
    pub(super) end: Offset,
    pub(super) max: MaxTimestamp,
    /// The largest timestamp of the first batch.
    pub(super) first_timestamp: Option<Millis>,
    /// Whether the indexes did not fit, and were rebuilt.
    pub(super) rebuilt: bool,
}

/// Finds and publishes the end of `segment`, whose published length is that of its file. `None`: the files are not what
/// a clean stop leaves, and must be scanned.
pub(super) fn find_end(segment: &Arc<Segment>) -> Result<Option<Tail>, LogError> {
    segment.offsets.resolve()?;
    segment.times.resolve()?;
    if segment.len() == 0 {
        let untouched = segment.offsets.len() == 0 && segment.times.len() == 0;
        let max = MaxTimestamp::none(segment.base);
        return Ok(untouched.then_some(Tail {
            end: segment.base,
            max,
            first_timestamp: None,
            rebuilt: false,
        }));
    }
    let entry = segment.offsets.last();
    let mut skip_to = entry.and_then(|entry| u64::try_from(entry.position).ok());
    let mut landed = entry.is_none();
    let mut builder = IndexBuilder::new(segment.base, segment.rules);
    let mut first_timestamp = None;
    let expected = Expected { base: segment.base, next: segment.base };
    let mut walk = HeaderWalk::new(segment.log_file()?, 0, segment.len(), expected, HeaderWalk::SHORT);
    loop {
        match walk.step()? {
            Step::Batch(position, header) => {
                first_timestamp.get_or_insert(header.max_timestamp);
                builder.take(&header, position, false);
                let here = entry.filter(|entry| u64::try_from(entry.position) == Ok(position));
                landed |= here.is_some_and(|entry| header.last_offset() <= entry.offset(segment.base));
                // The first batch is read for its timestamp; then the walk goes on at the last entry's.
                if let Some(position) = skip_to.take().filter(|to| *to > position && *to < segment.len()) {
                    walk.jump(position, walk.next_offset());
                }
            }
            Step::End => break,
            Step::Bad(_) => return Ok(None),
        }
    }
    if !landed {
        return Ok(None);
    }
    let end = walk.next_offset();
    segment.publish(segment.len(), end);
    let mut max = builder.max;
    let mut rebuilt = false;
    if entry.is_some() {
        let before = segment.max_timestamp()?;
        max = if before.timestamp >= max.timestamp { before } else { max };
        rebuilt = segment.rebuilds() > 0;
    } else if builder.offsets.len() >= FEW || segment.times.last() != max.entry(segment.base) {
        builder.seal();
        segment.offsets.overwrite(&builder.offsets)?;
        segment.times.overwrite(&builder.times)?;
        rebuilt = true;
    }
    Ok(Some(Tail { end, max, first_timestamp, rebuilt }))
}

/// Checks the indexes of a sealed segment that ends at the recovery point: its batches are on disk, but of what was
/// written to its indexes at last, any part may not be. Rebuilds them unless they are in order and reach to the end, and
/// says whether it did.
pub(super) fn check_seal(segment: &Arc<Segment>) -> Result<bool, LogError> {
    let limit = segment.rules.index_bytes;
    let in_order = segment.offsets.ascends(limit, |entry| entry.relative_offset)?
        && segment.offsets.ascends(limit, |entry| entry.position)?
        && segment.times.ascends(limit, |entry| entry.timestamp)?;
    if !in_order || !ends_well(segment)? {
        segment.repair_indexes(0, "it was not written to the end")?;
        return Ok(true);
    }
    // Now the time index names a batch with its timestamp, or has been rebuilt. None behind that may have a larger one.
    let max = segment.max_timestamp()?;
    if let Some(mut batches) = segment.batches_from(max.last_offset, segment.len(), true)? {
        while let Some((_, header)) = batches.next()? {
            if header.max_timestamp > max.timestamp {
                segment.repair_indexes(0, "it does not have the largest timestamp")?;
                break;
            }
        }
    }
    Ok(segment.rebuilds() > 0)
}

/// Whether the last entry of the index is that of a batch not far from the end, and that of the time index is whole.
fn ends_well(segment: &Arc<Segment>) -> Result<bool, LogError> {
    segment.offsets.resolve()?;
    segment.times.resolve()?;
    if let Some(offset) = segment.times.last().map(|entry| entry.offset(segment.base)) {
        let batch = segment.locate(offset, segment.len())?;
        if batch.is_none_or(|batch| batch.header.last_offset() != offset) {
            return Ok(false);
        }
    }
    let Some(entry) = segment.offsets.last() else {
        return Ok(segment.len() <= SPARSE);
    };
    let Some(position) = u64::try_from(entry.position).ok().filter(|at| at + SPARSE > segment.len()) else {
        return Ok(false);
    };
    let expected = Expected { base: segment.base, next: segment.base };
    let mut walk = HeaderWalk::new(segment.log_file()?, position, segment.len(), expected, HeaderWalk::SHORT);
    let step = walk.step()?;
    Ok(matches!(step, Step::Batch(_, header) if header.last_offset() == entry.offset(segment.base)))
}
