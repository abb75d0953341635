//! The copy of a group of segments, as it is written.

use std::io::IoSlice;
use std::sync::Arc;

use base::Offset;
use disk::{Disk, DiskFile, OpenHow};
use records::BatchHeader;

use crate::error::LogError;
use crate::index::{OffsetEntry, TimeEntry, TxnEntry};
use crate::names::{Kind, Parked};
use crate::rebuild::{IndexBuilder, IndexRules};
use crate::segment::{Lengths, Segment};
use crate::whereabouts::{OWN, Whereabouts};

/// A segment that is being written, under names that end in `.cleaned`.
#[derive(Debug)]
pub(super) struct Output {
    base: Offset,
    rules: IndexRules,
    files: Arc<Whereabouts>,
    log: Arc<dyn DiskFile>,
    /// Bytes in the file, and behind them those that wait to be written.
    written: u64,
    waiting: Vec<u8>,
    write_bytes: usize,
    builder: IndexBuilder,
    is_rewritten: bool,
}

/// A finished copy, and the segments whose place it is to take.
#[derive(Debug)]
pub struct Cleaned {
    pub(super) segment: Arc<Segment>,
    pub(super) replaces: Vec<Arc<Segment>>,
}

impl Output {
    /// Begins a copy at the base offset of `first`. What an earlier try may have left is written over.
    pub(super) fn create(first: &Segment, rules: IndexRules, write_bytes: usize) -> Result<Self, LogError> {
        let base = first.base;
        let files = Whereabouts::new(&first.place, base, Some(Parked::Cleaned));
        let log = emptied(&files, Kind::Log)?;
        Ok(Self {
            base,
            rules,
            files,
            log,
            written: 0,
            waiting: Vec::new(),
            write_bytes,
            builder: IndexBuilder::new(base, rules),
            is_rewritten: false,
        })
    }

    /// Bytes of all batches so far.
    pub(super) fn len(&self) -> u64 {
        self.written + self.waiting.len() as u64
    }

    /// A batch was not taken over as it was.
    pub(super) fn rewritten(&mut self) {
        self.is_rewritten = true;
    }

    pub(super) fn is_rewritten(&self) -> bool {
        self.is_rewritten
    }

    /// Adds a batch.
    pub(super) fn push(&mut self, header: &BatchHeader, batch: &[u8]) -> Result<(), LogError> {
        let (position, end) = (self.len(), self.len() + batch.len() as u64);
        if end > i32::MAX as u64 || header.last_offset().since(self.base) > i64::from(i32::MAX) {
            let why = "what is left of it does not fit into one segment".to_owned();
            return Err(LogError::Damaged { file: self.files.path(Kind::Log), position, why });
        }
        self.builder.take(header, position, false);
        self.waiting.extend_from_slice(batch);
        if self.waiting.len() >= self.write_bytes {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), LogError> {
        if !self.waiting.is_empty() {
            self.log.write_at(self.written, &[IoSlice::new(&self.waiting)])?;
            self.written += self.waiting.len() as u64;
            self.waiting.clear();
        }
        Ok(())
    }

    /// Writes the rest, the indexes, and syncs all of it with its names.
    pub(super) fn finish(&mut self, aborted: &[TxnEntry]) -> Result<(), LogError> {
        self.write()?;
        self.builder.seal();
        self.log.sync()?;
        let offsets: Vec<u8> = self.builder.offsets.iter().flat_map(OffsetEntry::encode).collect();
        let times: Vec<u8> = self.builder.times.iter().flat_map(TimeEntry::encode).collect();
        let aborted: Vec<u8> = aborted.iter().flat_map(TxnEntry::encode).collect();
        for (kind, bytes) in [(Kind::Index, offsets), (Kind::TimeIndex, times), (Kind::TxnIndex, aborted)] {
            if kind == Kind::TxnIndex && bytes.is_empty() {
                continue;
            }
            let file = emptied(&self.files, kind)?;
            if !bytes.is_empty() {
                file.write_at(0, &[IoSlice::new(&bytes)])?;
            }
            file.sync()?;
        }
        let place = &self.files.place;
        Ok(place.disk.sync_dir(&place.dir)?)
    }

    /// Removes what was written.
    pub(super) fn discard(&self) -> Result<(), LogError> {
        discard(&self.files)
    }

    /// The finished copy of `group`.
    pub(super) fn into_cleaned(self, group: Vec<Arc<Segment>>) -> Cleaned {
        let end = group.last().expect("a group has a segment").published().1;
        let lengths = Lengths {
            log: self.written,
            index: (self.builder.offsets.len() * OffsetEntry::LEN) as u64,
            time_index: (self.builder.times.len() * TimeEntry::LEN) as u64,
        };
        let segment = Segment::of(self.files, self.base, lengths, end, self.rules);
        *segment.max.lock() = Some(self.builder.max);
        Cleaned { segment: Arc::new(segment), replaces: group }
    }
}

/// Opens a file, and makes it empty if there is something in it.
fn emptied(files: &Whereabouts, kind: Kind) -> Result<Arc<dyn DiskFile>, LogError> {
    let file = files.open(kind, OpenHow::Write)?;
    if file.len()? != 0 {
        file.set_len(0)?;
    }
    Ok(file)
}

/// Removes the files of a copy, under whatever suffix. The `.log` goes last, and after a sync: a start takes an index without one for
/// what a finished swap has left, and would put it beside the old segment.
pub(super) fn discard(files: &Whereabouts) -> Result<(), LogError> {
    let remove = |disk: &dyn Disk, path: &std::path::Path| match disk.remove_file(path) {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    };
    for kind in OWN.into_iter().filter(|kind| *kind != Kind::Log) {
        files.at(kind, remove)?;
    }
    files.place.disk.sync_dir(&files.place.dir)?;
    Ok(files.at(Kind::Log, remove)?)
}
