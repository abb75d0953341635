//! Reading the dirty part, and copying the segments without what is superseded.

use std::collections::VecDeque;
use std::sync::Arc;

use base::{Millis, Offset};
use disk::DiskFile;
use records::{BatchHeader, Filtered, HEADER_LEN, Keep, RecordStream, crc_is_valid, filter};

use super::dirt::{Dirt, Sketch, groups};
use super::judge::{self, Circumstances};
use super::keys::{KeyLimits, KeyMap};
use super::output::{Cleaned, Output};
use super::transactions::Transactions;
use super::{CleanError, Compaction};
use crate::config::LogConfig;
use crate::error::LogError;
use crate::reader::LogReader;
use crate::segment::Segment;
use crate::walk::Expected;

/// The records of one batch are unpacked one at a time, and to at most so many bytes altogether.
const MAX_DECOMPRESSED: usize = 256 << 20;

/// What a cleaning may take.
#[derive(Clone, Copy, Debug)]
pub struct CleanLimits {
    /// The memory for keys.
    pub keys: KeyLimits,
    /// `log.cleaner.io.buffer.size`: bytes that are read and written at once; a larger batch is read whole.
    pub io_bytes: usize,
}

/// What a cleaning has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Keys in the dirty part.
    pub keys: u64,
    /// Bytes of batches that were read to be copied.
    pub bytes_read: u64,
    /// Bytes of batches that stay.
    pub bytes_kept: u64,
    /// Records that were read to be copied.
    pub records_read: u64,
    /// Records that stay.
    pub records_kept: u64,
    /// Records without a key, which a compacted log cannot keep.
    pub keyless: u64,
    /// Segments before, of those that were cleaned.
    pub segments_read: u64,
    /// Segments in their place.
    pub segments_kept: u64,
}

/// Which of these batches some producer still needs, each true or false.
pub type Needed<'a> = &'a mut dyn FnMut(&[BatchHeader]) -> Vec<bool>;

/// Told of the bytes that are read or written; false: stop.
pub type GoOn<'a> = &'a mut dyn FnMut(u64) -> bool;

/// A cleaning under way. Dropping it leaves the log as it is.
#[derive(Debug)]
pub struct Cleaning {
    reader: LogReader,
    config: LogConfig,
    compaction: Compaction,
    limits: CleanLimits,
    now: Millis,
    keys: KeyMap,
    /// The map has seen everything below this.
    mapped: Offset,
    /// Where the part that is cleaned ends, if the keys fit.
    end: Offset,
    groups: VecDeque<Vec<Arc<Segment>>>,
    transactions: Transactions,
    summary: Summary,
}

impl Cleaning {
    /// Reads the dirty part of the log, as `dirt` says where it is, and notes its keys.
    ///
    /// # Errors
    /// When a batch is damaged or a file cannot be read; when one batch has more keys than there is memory for.
    pub fn begin(
        reader: &LogReader,
        dirt: &Dirt,
        config: &LogConfig,
        limits: CleanLimits,
        now: Millis,
        go_on: GoOn<'_>,
    ) -> Result<Self, CleanError> {
        let segments = reader.shared.segments.load_full();
        let mut cleaning = Self {
            reader: reader.clone(),
            config: config.clone(),
            compaction: config.compaction,
            limits,
            now,
            keys: KeyMap::new(limits.keys),
            mapped: dirt.first_dirty,
            end: dirt.end,
            groups: VecDeque::new(),
            transactions: Transactions::new(Vec::new()),
            summary: Summary::default(),
        };
        cleaning.map(&segments, dirt.first_dirty, go_on)?;
        if cleaning.mapped <= dirt.first_dirty {
            return Err(CleanError::KeysDoNotFit {
                dir: reader.shared.place.dir.clone(),
                offset: cleaning.mapped,
                bytes: limits.keys.bytes,
            });
        }
        cleaning.summary.keys = cleaning.keys.len() as u64;
        let sketches: Vec<Sketch> = segments.iter().map(|segment| segment.sketch()).collect();
        let index_bytes = config.segment_index_bytes.into();
        let planned = groups(&sketches, config.segment_limit().into(), index_bytes, cleaning.mapped);
        cleaning.groups = planned.into_iter().map(|group| segments[group].to_vec()).collect();
        // A transaction may have begun in one segment and ended in a later one, so all are asked for at once. Whole segments
        // are copied, also where the keys did not fit: what follows in the last one has its transactions too.
        let aborted = reader.aborted_transactions(segments[0].base, cleaning.end)?;
        cleaning.transactions = Transactions::new(aborted);
        Ok(cleaning)
    }

    /// Everything below this is clean once all groups are swapped: the next first dirty offset.
    #[must_use]
    pub fn cleaned_to(&self) -> Offset {
        self.mapped
    }

    /// What was done so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// Notes the newest offset of each key from `from` on, as far as there is room for keys.
    fn map(&mut self, segments: &[Arc<Segment>], from: Offset, go_on: GoOn<'_>) -> Result<(), CleanError> {
        let mut transactions = Transactions::new(self.reader.aborted_transactions(from, self.end)?);
        let bases = segments.iter().map(|segment| segment.base).skip(1).chain([self.end]);
        for (segment, next) in segments.iter().zip(bases) {
            if segment.base >= self.end || next <= from {
                continue;
            }
            let mut chunks = Chunks::new(segment, from, self.limits.io_bytes)?;
            while let Some(chunk) = chunks.next(go_on)? {
                for (header, batch) in chunk.batches() {
                    if !self.map_batch(&header, batch, from, &mut transactions, segment)? {
                        return Ok(());
                    }
                }
            }
            // Compaction may have left no batch at the end of the segment.
            self.mapped = self.mapped.max(next.min(self.end));
        }
        Ok(())
    }

    /// Notes the keys of one batch; false when there is no room for one of them.
    fn map_batch(
        &mut self,
        header: &BatchHeader,
        batch: &[u8],
        from: Offset,
        transactions: &mut Transactions,
        segment: &Segment,
    ) -> Result<bool, CleanError> {
        let damaged = |error: records::BatchError| unreadable(segment, header, &error);
        let is_over = transactions.is_over(header, batch).map_err(damaged)?;
        if !is_over && !header.attributes.is_control() {
            let mut records = RecordStream::open(batch, MAX_DECOMPRESSED).map_err(damaged)?;
            while let Some(record) = records.next_record().map_err(damaged)? {
                let offset = record.offset(header);
                if let Some(key) = record.key.filter(|_| offset >= from)
                    && !self.keys.put(key, offset)
                {
                    return Ok(false);
                }
            }
        }
        self.mapped = self.mapped.max(header.next_offset());
        Ok(true)
    }

    /// Writes the copy of the next group that changes; `None` behind the last one. The copy is on disk, under names that a
    /// start removes, until it is swapped.
    ///
    /// # Errors
    /// As [`Self::begin`], and when the copy cannot be written. What was written of it is removed.
    pub fn next_group(&mut self, needed: Needed<'_>, go_on: GoOn<'_>) -> Result<Option<Cleaned>, CleanError> {
        while let Some(group) = self.groups.pop_front() {
            let first = group.first().expect("a group has a segment");
            let mut output = Output::create(first, self.config.index_rules(), self.limits.io_bytes)?;
            let before = self.summary;
            let copied = self.copy(&group, &mut output, needed, go_on);
            let aborted = self.transactions.take_kept();
            let changed = group.len() > 1
                || self.summary.bytes_read - before.bytes_read != output.len()
                || output.is_rewritten();
            self.summary.bytes_kept += output.len();
            self.summary.segments_read += group.len() as u64;
            self.summary.segments_kept += 1;
            let finished = copied.and_then(|()| match changed {
                true => Ok(output.finish(&aborted)?),
                false => Ok(()),
            });
            if finished.is_err() || !changed {
                // While it is there, a start takes every finished copy above it for a part of it.
                output.discard().map_err(CleanError::Unfinished)?;
                finished?;
                continue;
            }
            return Ok(Some(output.into_cleaned(group)));
        }
        Ok(None)
    }

    fn copy(
        &mut self,
        group: &[Arc<Segment>],
        output: &mut Output,
        needed: Needed<'_>,
        go_on: GoOn<'_>,
    ) -> Result<(), CleanError> {
        for segment in group {
            let mut chunks = Chunks::new(segment, segment.base, self.limits.io_bytes)?;
            while let Some(chunk) = chunks.next(go_on)? {
                let before = output.len();
                let needed = needed(&chunk.headers);
                for ((header, batch), is_needed) in chunk.batches().zip(needed) {
                    self.copy_batch(segment, &header, batch, is_needed, output)?;
                }
                if !go_on(output.len() - before) {
                    return Err(CleanError::Stopped);
                }
            }
        }
        Ok(())
    }

    fn copy_batch(
        &mut self,
        segment: &Segment,
        header: &BatchHeader,
        batch: &[u8],
        is_needed: bool,
        output: &mut Output,
    ) -> Result<(), CleanError> {
        let Self { transactions, keys, summary, mapped, now, end, .. } = self;
        let damaged = |error: records::BatchError| unreadable(segment, header, &error);
        summary.bytes_read += batch.len() as u64;
        let is_over = transactions.is_over(header, batch).map_err(damaged)?;
        let fate = judge::batch(header, &Circumstances { is_over, is_needed, end: *end, now: *now });
        if fate.drops_records && !fate.keeps_header {
            summary.records_read += u64::from(header.record_count.max(0).unsigned_abs());
            return Ok(());
        }
        let keep = Keep {
            empty: fate.keeps_header,
            horizon: now.plus(self.compaction.delete_retention_ms),
            needs_horizon: fate.needs_horizon,
        };
        let mut keyless = 0;
        let filtered = filter(batch, &keep, MAX_DECOMPRESSED, |header, record| {
            if fate.drops_records {
                return false;
            }
            let newest = record.key.and_then(|key| keys.get(key));
            let stays = judge::record(header, record, *mapped, newest, *now);
            keyless += u64::from(!stays && record.key.is_none());
            stays
        });
        let (filtered, counted) = filtered.map_err(damaged)?;
        summary.keyless += keyless;
        summary.records_read += counted.read;
        summary.records_kept += counted.kept;
        match filtered {
            Filtered::Whole => output.push(header, batch)?,
            Filtered::Rewritten(bytes) => {
                let header = BatchHeader::parse(&bytes).expect("what was built has a header");
                output.rewritten();
                output.push(&header, &bytes)?;
            }
            Filtered::Gone => {}
        }
        Ok(())
    }
}

fn unreadable(segment: &Segment, header: &BatchHeader, error: &records::BatchError) -> CleanError {
    let why = format!("the batch at offset {}: {error}", header.base_offset);
    segment.damaged(0, why).into()
}

/// A segment's batches, as many at a time as the buffer takes, each of them checked.
struct Chunks {
    segment: Arc<Segment>,
    file: Arc<dyn DiskFile>,
    position: u64,
    end: u64,
    expected: Expected,
    buffer_bytes: usize,
    chunk: Chunk,
}

/// Some whole batches.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    headers: Vec<BatchHeader>,
}

impl Chunk {
    fn batches(&self) -> impl Iterator<Item = (BatchHeader, &[u8])> {
        let mut at = 0;
        self.headers.iter().map(move |header| {
            let batch = &self.bytes[at..at + header.size()];
            at += header.size();
            (*header, batch)
        })
    }
}

impl Chunks {
    /// From the batch that holds `from` on.
    fn new(segment: &Arc<Segment>, from: Offset, buffer_bytes: usize) -> Result<Self, CleanError> {
        Self::open(segment, from, buffer_bytes).map_err(|error| match error {
            // Retention has come first.
            LogError::Disk(error) if error.is_not_found() && segment.is_removed() => CleanError::Stopped,
            error => error.into(),
        })
    }

    fn open(segment: &Arc<Segment>, from: Offset, buffer_bytes: usize) -> Result<Self, LogError> {
        let end = segment.len();
        let (position, next) = if from <= segment.base {
            (0, segment.base)
        } else {
            match segment.locate(from, end)? {
                Some(located) => (located.position, located.header.base_offset),
                None => (end, segment.base),
            }
        };
        Ok(Self {
            segment: Arc::clone(segment),
            file: segment.log_file()?,
            position,
            end,
            expected: Expected { base: segment.base, next },
            buffer_bytes: buffer_bytes.max(HEADER_LEN),
            chunk: Chunk::default(),
        })
    }

    /// The next batches; `None` at the end of the segment.
    fn next(&mut self, go_on: GoOn<'_>) -> Result<Option<&Chunk>, CleanError> {
        self.chunk.headers.clear();
        if self.position >= self.end {
            return Ok(None);
        }
        self.read(self.buffer_bytes)?;
        let first = self.header(0)?;
        if first.size() > self.chunk.bytes.len() {
            if first.size() as u64 > self.end - self.position {
                return Err(self.bad(0, "it ends within the segment".to_owned()));
            }
            self.read(first.size())?;
        }
        let mut at = 0;
        while self.chunk.bytes.len() - at >= HEADER_LEN {
            let header = self.header(at)?;
            let Some(batch) = self.chunk.bytes.get(at..at + header.size()) else { break };
            if !crc_is_valid(batch) {
                return Err(self.bad(at, "its checksum does not fit".to_owned()));
            }
            if let Err(fault) = self.expected.take(&header) {
                return Err(self.bad(at, fault.to_string()));
            }
            at += header.size();
            self.chunk.headers.push(header);
        }
        if at == 0 {
            return Err(self.bad(0, "the file ends within it".to_owned()));
        }
        self.position += at as u64;
        if !go_on(at as u64) {
            return Err(CleanError::Stopped);
        }
        Ok(Some(&self.chunk))
    }

    fn read(&mut self, bytes: usize) -> Result<(), LogError> {
        let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        self.chunk.bytes.resize(bytes.min(left), 0);
        let read = self.file.read_at(self.position, &mut self.chunk.bytes)?;
        self.chunk.bytes.truncate(read);
        Ok(())
    }

    fn header(&self, at: usize) -> Result<BatchHeader, CleanError> {
        BatchHeader::parse(&self.chunk.bytes[at..]).map_err(|error| self.bad(at, error.to_string()))
    }

    fn bad(&self, at: usize, why: String) -> CleanError {
        self.segment.damaged(self.position + at as u64, why).into()
    }
}
