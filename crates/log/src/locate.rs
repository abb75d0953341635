//! Finding a batch in a segment: an index lookup, then a short walk.
//!
//! An index is a hint. The header that a lookup lands on is checked; a mismatch rebuilds the segment's indexes, once, and
//! says so. Damage in the segment itself is stepped over: what lies behind it is served, what lies in it is an error.

use std::sync::Arc;

use base::Offset;
use disk::DiskFile;
use records::BatchHeader;

use crate::error::LogError;
use crate::index::OffsetEntry;
use crate::names::Kind;
use crate::scan::Scanner;
use crate::segment::{Hole, Segment};
use crate::walk::{Expected, Fault, HeaderWalk, Step};

/// A walk from an index entry that passes more bytes than this (and more than some intervals) misses entries.
pub(crate) const SPARSE: u64 = 1 << 20;

/// A batch, and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) position: u64,
    pub(crate) header: BatchHeader,
}

/// Why an index cannot be right.
#[derive(Debug)]
pub(crate) struct Mistrust(pub(crate) String);

/// An answer for which an index was asked, or the reason why the index must be rebuilt first.
type Hinted<T> = Result<Result<T, Mistrust>, LogError>;

impl Segment {
    /// The first batch within the first `len` bytes whose last offset is `offset` or above.
    pub(crate) fn locate(self: &Arc<Self>, offset: Offset, len: u64) -> Result<Option<Located>, LogError> {
        self.with_hints(|| self.try_locate(offset, len))
    }

    /// The last batch border in `start..=limit`, where `start` is one and `limit` is not above the published length.
    pub(crate) fn border(self: &Arc<Self>, start: u64, limit: u64) -> Result<u64, LogError> {
        self.with_hints(|| self.try_border(start, limit))
    }

    /// `end`, or the first known hole behind `start`.
    pub(crate) fn before_holes(&self, start: u64, end: u64) -> u64 {
        let holes = self.holes.lock();
        holes.iter().map(|hole| hole.from).find(|from| *from >= start).map_or(end, |from| from.min(end))
    }

    /// Asks with the help of an index; if it is not right, rebuilds it and asks again.
    pub(crate) fn with_hints<T>(self: &Arc<Self>, ask: impl Fn() -> Hinted<T>) -> Result<T, LogError> {
        let seen = self.rebuilds();
        let why = match ask()? {
            Ok(answer) => return Ok(answer),
            Err(why) => why,
        };
        self.repair_indexes(seen, &why.0)?;
        ask()?.map_err(|Mistrust(why)| self.damaged(0, why))
    }

    fn try_locate(self: &Arc<Self>, offset: Offset, len: u64) -> Hinted<Option<Located>> {
        let entry = self.offsets.floor(|entry| entry.offset(self.base) <= offset)?;
        let (mut batches, first) = match self.land(entry, len)? {
            Ok(landed) => landed,
            Err(why) => return Ok(Err(why)),
        };
        let start = first.map_or(0, |(position, _)| position);
        let mut next = first;
        while let Some((position, header)) = next {
            if header.last_offset() >= offset {
                if let Some(hole) = batches.hole_in_front(offset, &header) {
                    return Err(self.damaged(hole.from, hole.why));
                }
                return Ok(Ok(Some(Located { file: Arc::clone(batches.file()), position, header })));
            }
            if position - start > SPARSE.max(16 * self.rules.interval) && self.rebuilds() == 0 {
                let why = format!("it has no entry for {} bytes from position {start} on", position - start);
                return Ok(Err(Mistrust(why)));
            }
            next = batches.next()?;
        }
        match batches.last_hole.filter(|hole| hole.next > offset) {
            Some(hole) => Err(self.damaged(hole.from, hole.why)),
            None => Ok(Ok(None)),
        }
    }

    fn try_border(self: &Arc<Self>, start: u64, limit: u64) -> Hinted<u64> {
        let entry = self.offsets.floor(|entry| u64::try_from(entry.position).is_ok_and(|at| at <= limit))?;
        let entry = entry.filter(|entry| u64::try_from(entry.position).is_ok_and(|at| at > start));
        let mut walk = match entry {
            None => {
                let expected = Expected { base: self.base, next: self.base };
                HeaderWalk::new(self.log_file()?, start, self.len(), expected, HeaderWalk::SHORT)
            }
            Some(_) => match self.land(entry, self.len())? {
                Ok((_, None)) => return Ok(Ok(start)),
                Ok((batches, Some((position, _)))) => {
                    if batches.position() > limit {
                        return Ok(Ok(position));
                    }
                    batches.walk
                }
                Err(why) => return Ok(Err(why)),
            },
        };
        loop {
            let border = walk.position();
            match walk.step()? {
                Step::Batch(..) if walk.position() <= limit => {}
                _ => return Ok(Ok(border)),
            }
        }
    }

    /// Reads the batch that `entry` speaks of (without an entry: the first one), and stands behind it.
    fn land(
        self: &Arc<Self>,
        entry: Option<OffsetEntry>,
        len: u64,
    ) -> Hinted<(Batches, Option<(u64, BatchHeader)>)> {
        let mut batches = Batches::new(self, self.walk(0, len)?);
        let Some(entry) = entry else {
            let first = batches.next()?;
            return Ok(Ok((batches, first)));
        };
        let mistrust = |why: String| {
            let offset = entry.offset(self.base);
            Ok(Err(Mistrust(format!(
                "it says that offset {offset} is at position {}: {why}",
                entry.position
            ))))
        };
        let position = match u64::try_from(entry.position) {
            Ok(position) if position < len => position,
            _ => return mistrust(format!("there are {len} bytes")),
        };
        batches.walk.jump(position, self.base);
        match batches.walk.step()? {
            // The entry names the last offset of what was appended at once: of this batch, or a later one.
            Step::Batch(_, header) if header.last_offset() <= entry.offset(self.base) => {
                Ok(Ok((batches, Some((position, header)))))
            }
            Step::Batch(_, header) => mistrust(format!("a batch ends there at {}", header.last_offset())),
            Step::End => mistrust("the segment ends there".to_owned()),
            Step::Bad(fault) => mistrust(format!("no batch is there: {fault}")),
        }
    }

    fn walk(self: &Arc<Self>, position: u64, len: u64) -> Result<HeaderWalk, LogError> {
        let expected = Expected { base: self.base, next: self.base };
        Ok(HeaderWalk::new(self.log_file()?, position, len, expected, HeaderWalk::SHORT))
    }

    /// All batches from the one that holds `offset` on, within the first `len` bytes; `long`: the caller wants many.
    pub(crate) fn batches_from(
        self: &Arc<Self>,
        offset: Offset,
        len: u64,
        long: bool,
    ) -> Result<Option<Batches>, LogError> {
        let (position, next) = if offset <= self.base {
            (0, self.base)
        } else {
            match self.locate(offset, len)? {
                Some(located) => (located.position, located.header.base_offset),
                None => return Ok(None),
            }
        };
        let window = if long { HeaderWalk::LONG } else { HeaderWalk::SHORT };
        let expected = Expected { base: self.base, next };
        let walk = HeaderWalk::new(self.log_file()?, position, len, expected, window);
        Ok(Some(Batches::new(self, walk)))
    }

    /// The hole that begins at `from`, where no batch with `first` or a later offset begins. Looks for its end, and
    /// speaks of it, when it is met for the first time.
    fn hole(self: &Arc<Self>, walk: &HeaderWalk, len: u64, fault: &Fault) -> Result<Hole, LogError> {
        let (from, first) = (walk.position(), walk.next_offset());
        if let Some(known) = self.holes.lock().iter().find(|hole| hole.from == from) {
            return Ok(known.clone());
        }
        let expected = Expected { base: self.base, next: first };
        let mut scanner = Scanner::new(&**walk.file(), from, len, expected);
        let (to, next) = match scanner.find_next()? {
            None => (len, self.published().1),
            Some(to) => {
                scanner.jump(to);
                match scanner.step()? {
                    Step::Batch(_, header) => (to, header.base_offset),
                    _ => (len, self.published().1),
                }
            }
        };
        let hole = Hole { from, to, first, next, why: fault.to_string() };
        self.note_hole(hole.clone());
        Ok(hole)
    }

    /// Remembers a hole, and says so.
    pub(crate) fn note_hole(&self, hole: Hole) {
        let mut holes = self.holes.lock();
        if holes.iter().any(|known| known.from == hole.from) {
            return;
        }
        tracing::error!(
            file = %self.path(Kind::Log).display(),
            position = hole.from,
            bytes = hole.to - hole.from,
            first_offset = hole.first.0,
            next_offset = hole.next.0,
            why = hole.why,
            "a segment is damaged; what is in this stretch cannot be read, the rest is served"
        );
        holes.push(hole);
        holes.sort_unstable_by_key(|hole| hole.from);
    }

    pub(crate) fn damaged(&self, position: u64, why: String) -> LogError {
        LogError::Damaged { file: self.path(Kind::Log), position, why }
    }
}

/// A walk over a segment's batches that steps over holes.
#[derive(Debug)]
pub(crate) struct Batches {
    segment: Arc<Segment>,
    walk: HeaderWalk,
    /// The holes that were known when the walk began.
    known: Vec<Hole>,
    /// The hole that was stepped over last.
    last_hole: Option<Hole>,
}

impl Batches {
    fn new(segment: &Arc<Segment>, walk: HeaderWalk) -> Self {
        let known = segment.holes.lock().clone();
        Self { segment: Arc::clone(segment), walk, known, last_hole: None }
    }

    /// The next batch and its position.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, BatchHeader)>, LogError> {
        loop {
            // A batch of which only the checksum is wrong could be walked over, but is as lost.
            if let Some(hole) = self.known.iter().find(|hole| hole.from == self.walk.position()) {
                self.walk.jump(hole.to, hole.next);
                self.last_hole = Some(hole.clone());
                continue;
            }
            match self.walk.step()? {
                Step::Batch(position, header) => return Ok(Some((position, header))),
                Step::End => return Ok(None),
                Step::Bad(fault) => {
                    let hole = self.segment.hole(&self.walk, self.walk.end(), &fault)?;
                    self.walk.jump(hole.to, hole.next);
                    self.last_hole = Some(hole);
                }
            }
        }
    }

    /// Where the next batch begins.
    pub(crate) fn position(&self) -> u64 {
        self.walk.position()
    }

    /// The offset after the last batch.
    pub(crate) fn next_offset(&self) -> Offset {
        self.walk.next_offset()
    }

    pub(crate) fn file(&self) -> &Arc<dyn DiskFile> {
        self.walk.file()
    }

    /// The hole right in front of the batch with this header, if `offset` is lost in it.
    fn hole_in_front(&self, offset: Offset, header: &BatchHeader) -> Option<Hole> {
        let hole = self.last_hole.as_ref().filter(|hole| hole.next == header.base_offset)?;
        (offset >= hole.first && offset < hole.next).then(|| hole.clone())
    }

    /// Whether the batch at `position` is the first one behind a hole.
    pub(crate) fn is_behind_a_hole(&self, position: u64) -> bool {
        self.last_hole.as_ref().is_some_and(|hole| hole.to == position)
    }
}
