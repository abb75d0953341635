//! What readers of a log hold: reads by offset, header walks, epochs, aborted transactions.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base::{LeaderEpoch, Millis, Offset};
use records::{BatchHeader, HEADER_LEN};

use crate::error::LogError;
use crate::index::TxnEntry;
use crate::locate::Batches;
use crate::names::Kind;
use crate::range::FileRange;
use crate::segment::Segment;
use crate::shared::{Shared, holding};

/// A view of a log for any number of readers, valid for the life of the log. Sees whole appended batches only, and takes
/// no lock that anybody holds over I/O.
#[derive(Clone, Debug)]
pub struct LogReader {
    pub(crate) shared: Arc<Shared>,
}

/// What [`LogReader::read`] found.
#[derive(Clone, Debug, Default)]
pub struct ReadOut {
    /// Whole batches, as stored; `None` when there is nothing to read.
    pub range: Option<FileRange>,
    /// Bytes in [`Self::range`].
    pub bytes: u32,
    /// An offset that is not below the end of these batches, if [`Self::range`] reaches as far as its segment does; else the
    /// next batch begins behind it.
    end: Option<Offset>,
}

/// One step of a walk over batch headers.
#[derive(Clone, Debug)]
pub struct Walked {
    /// The batch's header.
    pub header: BatchHeader,
    /// The whole batch.
    pub at: FileRange,
    /// The batch was appended at this time or earlier: when its segment file was last written.
    pub appended_before: Millis,
}

impl LogReader {
    /// The first offset that may be read.
    #[must_use]
    pub fn log_start(&self) -> Offset {
        self.shared.log_start()
    }

    /// The offset after the last whole appended batch.
    #[must_use]
    pub fn log_end(&self) -> Offset {
        self.shared.log_end()
    }

    /// Bytes in all segments.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.shared.size()
    }

    /// The base offset of each segment, ascending, and how many bytes it has.
    #[must_use]
    pub fn segment_sizes(&self) -> Vec<(Offset, u64)> {
        self.shared.segments.load().iter().map(|segment| (segment.base, segment.len())).collect()
    }

    /// The base offsets of all segments, ascending.
    #[must_use]
    pub fn segment_bases(&self) -> Vec<Offset> {
        self.shared.segments.load().iter().map(|segment| segment.base).collect()
    }

    /// Whole batches from the one that holds `from` on (or the next one, where compaction left a gap), none of which
    /// reaches `ceiling`, in at most `max_bytes` bytes; the first batch may exceed that if `at_least_one`. A read never
    /// crosses a segment border, as Kafka's does not.
    ///
    /// # Errors
    /// [`LogError::OutOfRange`] when `from` is below the log start or above the log end; when a file cannot be read, or
    /// is damaged at `from`.
    pub fn read(
        &self,
        from: Offset,
        ceiling: Offset,
        max_bytes: u32,
        at_least_one: bool,
    ) -> Result<ReadOut, LogError> {
        let log_end = self.log_end();
        if from < self.log_start() || from > log_end {
            return Err(self.shared.out_of_range(from));
        }
        let ceiling = ceiling.min(log_end);
        self.on_segments(from, |segments| {
            for segment in &segments[holding(segments, from)..] {
                if from >= ceiling || segment.base >= ceiling {
                    break;
                }
                let read = read_segment(segment, from, ceiling, max_bytes, at_least_one);
                if let Some(out) = read.map_err(|error| Trouble::in_one(segment, error))? {
                    return Ok(out);
                }
            }
            Ok(ReadOut::default())
        })
    }

    /// All batch headers from the batch that holds `from` up to the log end of now, oldest first.
    #[must_use]
    pub fn headers(&self, from: Offset) -> Headers {
        let segments = self.shared.segments.load_full();
        let at = holding(&segments, from);
        Headers { segments, at, from, log_end: self.log_end(), current: None }
    }

    /// The largest leader epoch that is not above `epoch`, and the offset where it ends; `(-1, -1)` when unknown
    /// (Kafka: `LeaderEpochFileCache.endOffsetFor`).
    #[must_use]
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> (LeaderEpoch, Offset) {
        self.shared.epochs.load().end_offset_for(epoch, self.log_end())
    }

    /// The leader epoch of the record at `offset`, if known.
    #[must_use]
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.shared.epochs.load().at(offset)
    }

    /// The newest leader epoch of the log.
    #[must_use]
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.shared.epochs.load().latest()
    }

    /// As [`Self::read`], and the aborted transactions among what was read: those that overlap the offsets from `from` to the
    /// end of the last batch, in the order of their markers.
    ///
    /// # Errors
    /// Those of [`Self::read`] and of [`Self::aborted_transactions`].
    pub fn read_committed(
        &self,
        from: Offset,
        ceiling: Offset,
        max_bytes: u32,
        at_least_one: bool,
    ) -> Result<(ReadOut, Vec<TxnEntry>), LogError> {
        loop {
            let segments = self.shared.segments.load_full();
            let out = self.read(from, ceiling, max_bytes, at_least_one)?;
            let Some(range) = &out.range else { return Ok((out, Vec::new())) };
            let to = match out.end {
                Some(end) => end,
                None => behind(range)?.unwrap_or(ceiling),
            };
            let aborted = self.aborted_transactions(from, to)?;
            // They must be those of the segments that were read: compaction drops aborted records and what speaks of them
            // together.
            if Arc::ptr_eq(&self.shared.segments.load(), &segments) {
                return Ok((out, aborted));
            }
        }
    }

    /// The aborted transactions that overlap `from..to`, in the order of their markers (Kafka:
    /// `TransactionIndex.collectAbortedTxns`).
    ///
    /// # Errors
    /// When a `.txnindex` cannot be read, or says what such a file cannot say.
    pub fn aborted_transactions(&self, from: Offset, to: Offset) -> Result<Vec<TxnEntry>, LogError> {
        self.on_segments(from, |segments| {
            let mut aborted = Vec::new();
            for segment in &segments[holding(segments, from)..] {
                let entries = segment.aborted().map_err(|error| Trouble::in_one(segment, error))?;
                for entry in &entries[entries.partition_point(|entry| entry.last_offset < from)..] {
                    if entry.first_offset < to {
                        aborted.push(*entry);
                    }
                    // When it ended, no older transaction was open: whatever ends behind it begins at `to` or later.
                    if entry.last_stable_offset >= to {
                        return Ok(aborted);
                    }
                }
            }
            Ok(aborted)
        })
    }

    /// Asks the segments of now; again, if compaction put others in their place meanwhile. That retention took one away is
    /// no error of the disk.
    pub(crate) fn on_segments<T>(
        &self,
        from: Offset,
        ask: impl Fn(&[Arc<Segment>]) -> Result<T, Trouble>,
    ) -> Result<T, LogError> {
        loop {
            match ask(&self.shared.segments.load()) {
                Ok(answer) => return Ok(answer),
                Err(Trouble { segment, error: LogError::Disk(error) }) if error.is_not_found() => {
                    if segment.is_removed() {
                        return Err(self.shared.out_of_range(from));
                    }
                    if !segment.is_replaced() {
                        return Err(error.into());
                    }
                }
                Err(Trouble { error, .. }) => return Err(error),
            }
        }
    }
}

/// What went wrong in which segment.
pub(crate) struct Trouble {
    segment: Arc<Segment>,
    error: LogError,
}

impl Trouble {
    pub(crate) fn in_one(segment: &Arc<Segment>, error: LogError) -> Self {
        Self { segment: Arc::clone(segment), error }
    }
}

/// Reads from one segment; `None` when all its batches end below `from`.
fn read_segment(
    segment: &Arc<Segment>,
    from: Offset,
    ceiling: Offset,
    max_bytes: u32,
    at_least_one: bool,
) -> Result<Option<ReadOut>, LogError> {
    let (len, end) = segment.published();
    let Some(first) = segment.locate(from, len)? else {
        return Ok(None);
    };
    if first.header.next_offset() > end {
        let why = format!(
            "a batch up to offset {} is there, and the segment ends at {end}",
            first.header.last_offset()
        );
        return Err(segment.damaged(first.position, why));
    }
    if first.header.next_offset() > ceiling {
        return Ok(Some(ReadOut::default()));
    }
    let start = first.position;
    let below_ceiling = if ceiling >= end {
        len
    } else {
        segment.locate(ceiling, len)?.map_or(len, |beyond| beyond.position)
    };
    let whole = segment.before_holes(start, below_ceiling);
    let wanted = start + u64::from(max_bytes);
    let mut border = if whole <= wanted { whole } else { segment.border(start, wanted)? };
    if border == start && at_least_one {
        border = start + first.header.size() as u64;
    }
    let bytes = u32::try_from(border - start).expect("no more than was asked for, or one batch");
    let range = FileRange { file: first.file, position: start, len: bytes };
    let end = (border >= len).then_some(end);
    Ok(Some(ReadOut { range: (bytes > 0).then_some(range), bytes, end }))
}

/// The offset of the batch that begins where `range` ends, in a part of the file that counts; `None` where damage begins.
fn behind(range: &FileRange) -> Result<Option<Offset>, LogError> {
    let mut header = [0; HEADER_LEN];
    let read = range.file.read_at(range.position + u64::from(range.len), &mut header)?;
    let header = (read == HEADER_LEN).then(|| BatchHeader::parse(&header).ok()).flatten();
    Ok(header.map(|header| header.base_offset))
}

/// The walk of [`LogReader::headers`]. Steps over damage, which is logged; ends after the first error.
#[derive(Debug)]
pub struct Headers {
    segments: Arc<Vec<Arc<Segment>>>,
    at: usize,
    from: Offset,
    log_end: Offset,
    current: Option<(Batches, Millis)>,
}

impl Iterator for Headers {
    type Item = Result<Walked, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if !matches!(step, Ok(Some(_))) {
            self.at = self.segments.len();
            self.current = None;
        }
        step.transpose()
    }
}

impl Headers {
    fn step(&mut self) -> Result<Option<Walked>, LogError> {
        loop {
            if let Some((batches, appended_before)) = &mut self.current {
                if let Some((position, header)) = batches.next()? {
                    if header.base_offset >= self.log_end {
                        return Ok(None);
                    }
                    let at = FileRange::of_batch(batches.file(), position, &header);
                    return Ok(Some(Walked { header, at, appended_before: *appended_before }));
                }
                self.current = None;
                self.at += 1;
            }
            let Some(segment) = self.segments.get(self.at) else {
                return Ok(None);
            };
            match segment.batches_from(self.from, segment.len(), true)? {
                Some(batches) => self.current = Some((batches, last_written(segment)?)),
                None => self.at += 1,
            }
        }
    }
}

/// When the segment's file was last written.
pub(crate) fn last_written(segment: &Segment) -> Result<Millis, LogError> {
    Ok(last_written_at(segment)?.map_or(Millis::NONE, millis))
}

/// As [`last_written`], as the file system has it; `None` when the file is gone.
pub(crate) fn last_written_at(segment: &Segment) -> Result<Option<SystemTime>, LogError> {
    let entry = segment.files.at(Kind::Log, |disk, path| disk.entry(path))?;
    Ok(entry.map(|entry| entry.modified))
}

fn millis(time: SystemTime) -> Millis {
    let since = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Millis(i64::try_from(since).unwrap_or(i64::MAX))
}
