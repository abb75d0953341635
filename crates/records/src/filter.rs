//! Taking records out of a stored batch, as compaction does (Kafka: `MemoryRecords.filterTo`).
//!
//! Whatever is left, base offset, last offset delta and the producer's numbers stay those of the batch as it was appended,
//! so that offsets have gaps and not shifts, and a producer's last sequence is still known.

use base::Millis;

use crate::record::{RecordStream, RecordView};
use crate::{Attributes, BatchBuilder, BatchError, BatchHeader, Codec, TimestampType, seal};

/// What of a batch is kept besides its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Whether the header stays when no record does: somebody still has to know of its offsets or sequences.
    pub empty: bool,
    /// The delete horizon for a batch that has none yet and needs one (KIP-534).
    pub horizon: Millis,
    /// Whether the batch needs one although none of its records is a tombstone: the marker of a transaction of which
    /// nothing is left.
    pub needs_horizon: bool,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filtered {
    /// All of it stays as it is.
    Whole,
    /// These bytes stay: another batch at the same offsets.
    Rewritten(bytes::Bytes),
    /// Nothing stays.
    Gone,
}

/// What was counted on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Records before.
    pub read: u64,
    /// Records that stay.
    pub kept: u64,
}

/// Keeps the records of `batch`, the bytes of one whole batch, that `wanted` names: it is asked once for each, in order.
/// A batch whose tombstones are kept for the first time gets the delete horizon. At most `max_decompressed` bytes of
/// records are unpacked, and one record at a time is held. The CRC is not looked at.
///
/// # Errors
/// When the batch is not whole, or its records cannot be read.
pub fn filter(
    batch: &[u8],
    keep: &Keep,
    max_decompressed: usize,
    mut wanted: impl FnMut(&BatchHeader, &RecordView<'_>) -> bool,
) -> Result<(Filtered, Counted), BatchError> {
    let mut records = RecordStream::open(batch, max_decompressed)?;
    let header = *records.header();
    let mut counted = Counted::default();
    // One bit for each record, so that a batch is unpacked again only if it is rewritten.
    let mut stays = Vec::new();
    let mut has_tombstone = false;
    while let Some(record) = records.next_record()? {
        let stay = wanted(&header, &record);
        has_tombstone |= stay && record.value.is_none();
        counted.kept += u64::from(stay);
        let bit = (counted.read % 64) as u32;
        if bit == 0 {
            stays.push(0_u64);
        }
        *stays.last_mut().expect("a word was begun") |= u64::from(stay) << bit;
        counted.read += 1;
    }
    if counted.kept == 0 {
        let filtered = match keep.empty {
            true if counted.read == 0 && is_bare(&header) => Filtered::Whole,
            true => Filtered::Rewritten(emptied(&header)),
            false => Filtered::Gone,
        };
        return Ok((filtered, counted));
    }
    let horizon = match header.delete_horizon() {
        None if has_tombstone || keep.needs_horizon => Some(keep.horizon),
        known => known,
    };
    if counted.kept == counted.read && horizon == header.delete_horizon() {
        return Ok((Filtered::Whole, counted));
    }
    if batch.len() > max_decompressed {
        // Its records are not packed, so this is the same limit.
        return Err(BatchError::DecompressedTooLarge { limit: max_decompressed });
    }
    let mut records = RecordStream::open(batch, max_decompressed)?;
    let mut builder = BatchBuilder::like(&header, horizon)?;
    let mut at = 0;
    while let Some(record) = records.next_record()? {
        if stays[at / 64] >> (at % 64) & 1 == 1 {
            builder.copy(&record, record.timestamp(&header));
        }
        at += 1;
    }
    Ok((Filtered::Rewritten(builder.reaching(header.last_offset_delta).build()), counted))
}

/// Whether the header is one that [`emptied`] leaves as it is.
fn is_bare(header: &BatchHeader) -> bool {
    let plain = header.attributes.known().with_codec(Codec::None).with_delete_horizon(false);
    header.attributes == plain && header.base_timestamp == Millis::NONE && header.size() == crate::HEADER_LEN
}

/// The batch without its records: its offsets, its producer's numbers and its largest timestamp (Kafka:
/// `DefaultRecordBatch.writeEmptyHeader`).
fn emptied(header: &BatchHeader) -> bytes::Bytes {
    let attributes: Attributes = header.attributes.known().with_codec(Codec::None).with_delete_horizon(false);
    seal(&BatchHeader { attributes, base_timestamp: Millis::NONE, record_count: 0, ..*header }, &[])
}

impl BatchBuilder {
    /// A batch without records yet, at the offset and with the properties of another one.
    fn like(header: &BatchHeader, horizon: Option<Millis>) -> Result<Self, BatchError> {
        let mut like = Self::new(header.base_offset)
            .leader_epoch(header.leader_epoch)
            .codec(header.attributes.codec()?, None)
            .producer(header.producer_id, header.producer_epoch, header.base_sequence)
            .transactional(header.attributes.is_transactional())
            .control(header.attributes.is_control());
        if header.attributes.timestamp_type() == TimestampType::LogAppendTime {
            like = like.log_append_time(header.max_timestamp);
        }
        Ok(match horizon {
            Some(horizon) => like.delete_horizon(horizon),
            None => like,
        })
    }
}

#[cfg(test)]
mod tests;
