//! One partition of `__consumer_offsets` as a log of records: writing what was decided, and reading it all back.

use base::{Millis, Offset, ProducerId};
use bytes::Bytes;
use partition::{AppendError, Isolation, Partition, ReadError};
use records::control::{ControlError, EndTxnMarker};
use records::{BatchBuilder, BatchError, BatchHeader, BatchRules, NewRecord, crc_is_valid, records_of};
use wire::CoordinatorRecordError;

/// Key and value of a record as they stand in the log; without a value it is a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyValue {
    pub(crate) key: Bytes,
    pub(crate) value: Option<Bytes>,
}

/// The version of Produce whose rules a batch of our own keeps.
const PRODUCE_VERSION: i16 = 12;

/// What a batch takes beside its records, and a record beside its key and value, at most.
const BATCH_OVERHEAD: usize = 61;
const RECORD_OVERHEAD: usize = 21;

/// Why records were not written. Those of a list that were written before the one that failed stand in the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// One record is larger than a batch may be (Kafka: RECORD_LIST_TOO_LARGE, MESSAGE_TOO_LARGE).
    #[error(transparent)]
    Refused(#[from] records::Refusal),
    /// The partition did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// A batch of our own: whatever fits a segment is taken. The machine has refused what does not fit `max.message.bytes`; what is
/// larger all the same is the least that keeps groups in order, such as a deletion.
fn rules() -> BatchRules {
    BatchRules { max_message_bytes: usize::MAX, keys_required: true, ..BatchRules::default() }
}

/// Where a list that may be divided is divided: the default of `max.message.bytes`.
const COMFORTABLE: usize = 1 << 20;

/// Appends `records` and says the offset of the last one: in one batch if they are `atomic`, else in several of a
/// comfortable size.
///
/// # Errors
/// When a batch is refused or cannot be written.
///
/// # Panics
/// When there are no records.
pub(crate) fn append(
    partition: &Partition,
    records: &[KeyValue],
    atomic: bool,
    now: Millis,
) -> Result<Offset, WriteError> {
    assert!(!records.is_empty(), "nothing is written for nothing");
    let mut last = Offset::NONE;
    let mut rest = records;
    while !rest.is_empty() {
        let (batch, left) = rest.split_at(if atomic { rest.len() } else { fitting(rest) });
        let mut builder = BatchBuilder::new(Offset::ZERO);
        for KeyValue { key, value } in batch {
            let (key, value) = (Some(&key[..]), value.as_deref());
            builder.push(&NewRecord { timestamp: now, key, value, headers: &[] });
        }
        let checked = records::check(&builder.build(), PRODUCE_VERSION, &rules(), now)?;
        last = partition.append(&checked, now)?.last_offset;
        rest = left;
    }
    Ok(last)
}

/// How many of `records` fit into a batch of a comfortable size; at least one.
fn fitting(records: &[KeyValue]) -> usize {
    let mut size = BATCH_OVERHEAD;
    let fit = records.iter().take_while(|record| {
        size += RECORD_OVERHEAD + record.key.len() + record.value.as_ref().map_or(0, Bytes::len);
        size <= COMFORTABLE
    });
    fit.count().max(1)
}

/// What stands in the log.
#[derive(Debug, PartialEq)]
pub(crate) enum Entry<'a> {
    /// A record.
    Record {
        /// Whose transaction it is part of, if of any.
        transaction: Option<ProducerId>,
        key: &'a [u8],
        value: Option<&'a [u8]>,
    },
    /// A producer's transaction ended.
    End { producer_id: ProducerId, committed: bool },
}

/// Why a partition could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// What was written before a failure is on its way to the disk, or will never get there.
    #[error("the records from offset {high_watermark} to {log_end} are not durable yet")]
    Undurable { high_watermark: Offset, log_end: Offset },
    /// There are batches left that a read does not give.
    #[error("nothing is read from offset {from} on, and the high watermark is {high_watermark}")]
    Stuck { from: Offset, high_watermark: Offset },
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file cannot be read.
    #[error(transparent)]
    Log(#[from] log::LogError),
    /// A batch is damaged.
    #[error("the batch at offset {offset}: {why}")]
    Batch { offset: Offset, why: BatchError },
    /// A batch's checksum does not fit.
    #[error("the batch at offset {0} is damaged: its checksum does not fit")]
    Checksum(Offset),
    /// A control record says nothing.
    #[error("the control record at offset {offset}: {why}")]
    Control { offset: Offset, why: ControlError },
    /// A record is none of Kafka's.
    #[error("a record of the batch at offset {offset}: {why}")]
    Record { offset: Offset, why: CoordinatorRecordError },
}

/// Most bytes that a compressed batch may unpack to, as at a Produce.
const MAX_DECOMPRESSED: usize = 100 << 20;

/// Reads all that stands in `partition` now, in order, `window` bytes at a time. Says how many records there were. Nobody
/// else writes to it meanwhile, so that what stands there is all.
///
/// # Errors
/// When something cannot be read, or is not below the high watermark yet; what came before it has been told.
pub(crate) fn replay(
    partition: &Partition,
    window: u32,
    mut tell: impl FnMut(Entry<'_>) -> Result<(), CoordinatorRecordError>,
) -> Result<u64, LoadError> {
    let mut from = partition.marks().log_start;
    let mut count = 0;
    loop {
        let marks = partition.marks();
        let high_watermark = marks.high_watermark;
        if from >= high_watermark {
            if high_watermark < marks.log_end {
                // A next start would read it, so it counts.
                return Err(LoadError::Undurable { high_watermark, log_end: marks.log_end });
            }
            return Ok(count);
        }
        let found = partition.read(from, window, true, Isolation::ReadUncommitted)?;
        let before = from;
        for range in found.ranges {
            let bytes = range.read()?;
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let failed = |why| LoadError::Batch { offset: from, why };
                let header = BatchHeader::parse(rest).map_err(failed)?;
                let Some((batch, behind)) = rest.split_at_checked(header.size()) else {
                    return Err(failed(BatchError::Truncated { needed: header.size(), got: rest.len() }));
                };
                count += tell_batch(&header, batch, &mut tell)?;
                from = from.max(header.next_offset());
                rest = behind;
            }
        }
        if from == before {
            if partition.log().headers(from).next().transpose()?.is_some() {
                return Err(LoadError::Stuck { from, high_watermark });
            }
            // Nothing but offsets without records is left below the high watermark, as compaction leaves them.
            from = high_watermark;
        }
    }
}

fn tell_batch(
    header: &BatchHeader,
    batch: &[u8],
    tell: &mut impl FnMut(Entry<'_>) -> Result<(), CoordinatorRecordError>,
) -> Result<u64, LoadError> {
    let offset = header.base_offset;
    if !crc_is_valid(batch) {
        return Err(LoadError::Checksum(offset));
    }
    let failed = |why| LoadError::Batch { offset, why };
    let told =
        |told: Result<(), CoordinatorRecordError>| told.map_err(|why| LoadError::Record { offset, why });
    let records = records_of(batch, MAX_DECOMPRESSED).map_err(failed)?;
    let mut count = 0;
    for record in &records {
        let record = record.map_err(failed)?;
        count += 1;
        if header.attributes.is_control() {
            let marker = EndTxnMarker::of(&record).map_err(|why| LoadError::Control { offset, why })?;
            told(tell(Entry::End { producer_id: header.producer_id, committed: marker.committed }))?;
            continue;
        }
        // A record without a key says nothing about anybody; the topic is compacted, so only another program writes one.
        let Some(key) = record.key else { continue };
        told(tell(Entry::Record {
            transaction: header.attributes.is_transactional().then_some(header.producer_id),
            key,
            value: record.value,
        }))?;
    }
    Ok(count)
}

#[cfg(test)]
mod tests;
