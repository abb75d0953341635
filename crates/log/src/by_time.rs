//! Finding records by their timestamp.

use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset};
use records::records_of;

use crate::error::LogError;
use crate::range::FileRange;
use crate::reader::{LogReader, Trouble};
use crate::rebuild::MaxTimestamp;
use crate::segment::Segment;

/// The one batch that holds the record looked for is unpacked into at most this many bytes.
const MAX_DECOMPRESSED: usize = 256 << 20;

/// A record found by its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The record's offset.
    pub offset: Offset,
    /// The record's timestamp.
    pub timestamp: Millis,
    /// The leader epoch of its batch; `-1` when it has none.
    pub leader_epoch: LeaderEpoch,
}

impl LogReader {
    /// The first record at or above the log start whose timestamp is `timestamp` or later, if it lies below `ceiling`
    /// (Kafka: `UnifiedLog.searchOffsetInLocalLog`; where that gives up after one segment, this looks into the next).
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn offset_for_timestamp(
        &self,
        timestamp: Millis,
        ceiling: Offset,
    ) -> Result<Option<Found>, LogError> {
        let from = self.log_start();
        self.on_segments(from, |segments| {
            for segment in segments {
                if segment.base >= ceiling {
                    break;
                }
                let found = first_since(segment, timestamp, from);
                if let Some(found) = found.map_err(|error| Trouble::in_one(segment, error))? {
                    return Ok(Some(found).filter(|found| found.offset < ceiling));
                }
            }
            Ok(None)
        })
    }

    /// The first record with the largest timestamp of all (KIP-734), if it lies below `ceiling`.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn offset_of_max_timestamp(&self, ceiling: Offset) -> Result<Option<Found>, LogError> {
        self.on_segments(self.log_start(), |segments| {
            let mut largest: Option<(&Arc<Segment>, MaxTimestamp)> = None;
            for segment in segments {
                let max = segment.max_timestamp().map_err(|error| Trouble::in_one(segment, error))?;
                if largest.is_none_or(|(_, largest)| max.timestamp > largest.timestamp) {
                    largest = Some((segment, max));
                }
            }
            let Some((segment, max)) = largest.filter(|(_, max)| max.timestamp > Millis::NONE) else {
                return Ok(None);
            };
            let found = holder(segment, max).map_err(|error| Trouble::in_one(segment, error))?;
            Ok(found.filter(|found| found.offset < ceiling))
        })
    }
}

/// The first record of a segment with its largest timestamp; none if compaction has left only an empty batch of it.
fn holder(segment: &Arc<Segment>, max: MaxTimestamp) -> Result<Option<Found>, LogError> {
    let Some(batch) = segment.locate(max.last_offset, segment.len())? else {
        return Ok(None);
    };
    let batch = FileRange::of_batch(&batch.file, batch.position, &batch.header);
    first_record(&batch, |at, _| at == max.timestamp)
}

/// The first record of the segment at `from` or above whose timestamp is `timestamp` or later.
fn first_since(segment: &Arc<Segment>, timestamp: Millis, from: Offset) -> Result<Option<Found>, LogError> {
    if segment.max_timestamp()?.timestamp < timestamp {
        return Ok(None);
    }
    let len = segment.len();
    let start = segment.with_hints(|| {
        let Some(entry) = segment.times.floor(|entry| entry.timestamp <= timestamp)? else {
            return Ok(Ok(from));
        };
        let checked = segment.check_time_entry(entry, len)?;
        Ok(checked.map(|()| entry.offset(segment.base).max(from)))
    })?;
    let Some(mut batches) = segment.batches_from(start, len, false)? else {
        return Ok(None);
    };
    while let Some((position, header)) = batches.next()? {
        if header.max_timestamp >= timestamp {
            let batch = FileRange::of_batch(batches.file(), position, &header);
            let found = first_record(&batch, |at, offset| at >= timestamp && offset >= from)?;
            if found.is_some() {
                return Ok(found);
            }
        }
    }
    Ok(None)
}

/// The first record of a batch that is `wanted`.
fn first_record(
    batch: &FileRange,
    wanted: impl Fn(Millis, Offset) -> bool,
) -> Result<Option<Found>, LogError> {
    let damaged = |error: records::BatchError| LogError::Damaged {
        file: batch.file.path().to_owned(),
        position: batch.position,
        why: error.to_string(),
    };
    let bytes = batch.read()?;
    let records = records_of(&bytes, MAX_DECOMPRESSED).map_err(damaged)?;
    let header = *records.header();
    for record in &records {
        let record = record.map_err(damaged)?;
        let (timestamp, offset) = (record.timestamp(&header), record.offset(&header));
        if wanted(timestamp, offset) {
            return Ok(Some(Found { offset, timestamp, leader_epoch: header.leader_epoch }));
        }
    }
    Ok(None)
}
