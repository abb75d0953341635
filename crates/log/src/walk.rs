//! Walking over the batch headers of a segment file, with few and small reads.

use std::sync::Arc;

use base::Offset;
use disk::DiskFile;
use records::{BatchHeader, HEADER_LEN};

use crate::error::LogError;

/// Why the bytes at some position are not the next batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// The file, or what counts of it, ends within the batch.
    #[error("it ends after {left} of its bytes")]
    Torn {
        /// Bytes that are there.
        left: u64,
    },
    /// The header cannot be read.
    #[error(transparent)]
    Header(#[from] records::BatchError),
    /// The batch's offsets do not follow those before it, or do not fit the segment.
    #[error("it holds offsets {first} to {last} where {expected} or a later one should begin")]
    Offsets {
        /// Its first offset.
        first: Offset,
        /// Its last offset.
        last: Offset,
        /// The lowest offset it may begin with.
        expected: Offset,
    },
    /// The checksum does not fit.
    #[error("its checksum does not fit")]
    Checksum,
}

/// The next batch header, or what is there instead of one.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A header, and where its batch begins.
    Batch(u64, BatchHeader),
    /// The end of what counts of the file.
    End,
    /// No batch begins at the walk's position. The walk stays there.
    Bad(Fault),
}

/// What the offsets of a segment's batches must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// The segment's base offset: no batch reaches further above it than an i32 can count.
    pub(crate) base: Offset,
    /// The lowest offset that the next batch may begin with.
    pub(crate) next: Offset,
}

impl Expected {
    /// Checks a header's offsets, and expects the following one's from then on.
    pub(crate) fn take(&mut self, header: &BatchHeader) -> Result<(), Fault> {
        let (first, last) = (header.base_offset, header.last_offset());
        if first < self.next || last < first || last.since(self.base) > i64::from(i32::MAX) {
            return Err(Fault::Offsets { first, last, expected: self.next });
        }
        self.next = last.next();
        Ok(())
    }
}

/// A walk over the headers of `file`, from one batch border to the end. Reads windows while batches are small and single
/// headers while they are large, so that it never reads much more than it looks at.
#[derive(Debug)]
pub(crate) struct HeaderWalk {
    file: Arc<dyn DiskFile>,
    position: u64,
    end: u64,
    expected: Expected,
    window: Vec<u8>,
    window_at: u64,
    window_size: usize,
    last_size: usize,
}

impl HeaderWalk {
    /// Windows for a walk from an index entry to a batch nearby.
    pub(crate) const SHORT: usize = 4 << 10;
    /// Windows for a walk through a whole segment.
    pub(crate) const LONG: usize = 128 << 10;

    /// Begins at `position`, which must be a batch border; bytes from `end` on do not count. Bytes are read in windows
    /// of `window` bytes.
    pub(crate) fn new(
        file: Arc<dyn DiskFile>,
        position: u64,
        end: u64,
        expected: Expected,
        window: usize,
    ) -> Self {
        Self {
            file,
            position,
            end,
            expected,
            window: Vec::new(),
            window_at: 0,
            window_size: window,
            last_size: 0,
        }
    }

    /// Where the next batch begins.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The lowest offset that the next batch may begin with.
    pub(crate) fn next_offset(&self) -> Offset {
        self.expected.next
    }

    /// Where the bytes that count end.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    pub(crate) fn file(&self) -> &Arc<dyn DiskFile> {
        &self.file
    }

    /// Goes on at `position` instead, where a batch of `next` or a later offset begins.
    pub(crate) fn jump(&mut self, position: u64, next: Offset) {
        self.position = position;
        self.expected.next = next;
    }

    /// Reads the next header and steps over its batch.
    pub(crate) fn step(&mut self) -> Result<Step, LogError> {
        let left = self.end.saturating_sub(self.position);
        if left == 0 {
            return Ok(Step::End);
        }
        if left < HEADER_LEN as u64 {
            return Ok(Step::Bad(Fault::Torn { left }));
        }
        let header = match self.header_bytes(left)? {
            Some(bytes) => BatchHeader::parse(bytes),
            None => return Ok(Step::Bad(Fault::Torn { left })),
        };
        let header = match header {
            Ok(header) => header,
            Err(error) => return Ok(Step::Bad(error.into())),
        };
        let size = header.size();
        if size as u64 > left {
            return Ok(Step::Bad(Fault::Torn { left }));
        }
        if let Err(fault) = self.expected.take(&header) {
            return Ok(Step::Bad(fault));
        }
        let at = self.position;
        self.position += size as u64;
        self.last_size = size;
        Ok(Step::Batch(at, header))
    }

    /// The 61 bytes at the position; `None` when the file has become shorter.
    fn header_bytes(&mut self, left: u64) -> Result<Option<&[u8]>, LogError> {
        let within = self.position.checked_sub(self.window_at).and_then(|at| usize::try_from(at).ok());
        if let Some(at) = within.filter(|at| at + HEADER_LEN <= self.window.len()) {
            return Ok(Some(&self.window[at..at + HEADER_LEN]));
        }
        let wanted = if self.last_size > self.window_size / 4 { HEADER_LEN } else { self.window_size };
        let wanted = wanted.min(usize::try_from(left).unwrap_or(usize::MAX));
        self.window.resize(wanted, 0);
        let read = self.file.read_at(self.position, &mut self.window)?;
        self.window.truncate(read);
        self.window_at = self.position;
        Ok(self.window.get(..HEADER_LEN))
    }
}
