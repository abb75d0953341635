//! Reading a segment file with every checksum, for recovery: in large reads, in constant memory whatever lengths the
//! batches claim.

use base::Offset;
use disk::DiskFile;
use records::{BatchHeader, HEADER_LEN, LENGTH_OVERHEAD};

use crate::error::LogError;
use crate::walk::{Expected, Fault, Step};

/// Bytes read at once. Larger ones are no faster: the data no longer stays in the processor's cache.
const BUFFER: usize = 512 << 10;

/// Where the checksum of a batch begins: at the attributes.
const CHECKED_FROM: usize = 21;

/// Where the magic byte of a batch is.
const MAGIC_AT: usize = 16;

/// Where its length is; also in formats v0 and v1, which have their checksum between the two.
const LENGTH_AT: usize = 8;
const OLD_CHECKSUM_AT: usize = 12;

/// The smallest length of a message: format v0, without key and value.
const SMALLEST_OLD_LENGTH: u32 = 14;

/// Takes one more byte into the CRC-32 of formats v0 and v1 (not the CRC-32C of v2). Slow, and hardly ever needed.
fn crc32_step(checksum: u32, byte: u8) -> u32 {
    (0..8).fold(checksum ^ u32::from(byte), |bits, _| (bits >> 1) ^ (0xedb8_8320 & (bits & 1).wrapping_neg()))
}

/// A walk over the whole batches of a file, each with its checksum.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    file: &'a dyn DiskFile,
    position: u64,
    end: u64,
    expected: Expected,
    buffer: Vec<u8>,
    buffer_at: u64,
}

impl<'a> Scanner<'a> {
    /// Begins at `position`, which must be a batch border; bytes from `end` on do not count.
    pub(crate) fn new(file: &'a dyn DiskFile, position: u64, end: u64, expected: Expected) -> Self {
        Self { file, position, end, expected, buffer: Vec::new(), buffer_at: 0 }
    }

    /// Where the next batch begins.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The lowest offset that the next batch may begin with.
    pub(crate) fn next_offset(&self) -> Offset {
        self.expected.next
    }

    /// Goes on at `position` instead, where a batch begins.
    pub(crate) fn jump(&mut self, position: u64) {
        self.position = position;
    }

    /// Checks the next batch and steps over it.
    pub(crate) fn step(&mut self) -> Result<Step, LogError> {
        let left = self.end.saturating_sub(self.position);
        if left == 0 {
            return Ok(Step::End);
        }
        let available = self.fill(self.position, HEADER_LEN)?;
        let header = match available.first_chunk::<HEADER_LEN>() {
            Some(bytes) => BatchHeader::parse(bytes).map(|header| (header, *bytes)),
            None => return Ok(Step::Bad(Fault::Torn { left })),
        };
        let (header, bytes) = match header {
            Ok(header) => header,
            Err(error) => return Ok(Step::Bad(error.into())),
        };
        let size = header.size() as u64;
        if size > left {
            return Ok(Step::Bad(Fault::Torn { left }));
        }
        let mut expected = self.expected;
        if let Err(fault) = expected.take(&header) {
            return Ok(Step::Bad(fault));
        }
        match self.checksum(&bytes, size)? {
            None => return Ok(Step::Bad(Fault::Torn { left })),
            Some(checksum) if checksum != header.crc => return Ok(Step::Bad(Fault::Checksum)),
            Some(_) => {}
        }
        let at = self.position;
        self.expected = expected;
        self.position += size;
        Ok(Step::Batch(at, header))
    }

    /// The position behind this one, up to the end, where a whole batch with a fitting checksum and an offset that may
    /// follow begins: how to go on behind damage.
    pub(crate) fn find_next(&mut self) -> Result<Option<u64>, LogError> {
        let from = self.position;
        let mut at = from + 1;
        while at + HEADER_LEN as u64 <= self.end {
            let window = self.fill(at, HEADER_LEN)?;
            let Some(starts) = window.len().checked_sub(HEADER_LEN - 1).filter(|starts| *starts > 0) else {
                break;
            };
            let magic = &window[MAGIC_AT..MAGIC_AT + starts];
            let Some(skip) = magic.iter().position(|byte| *byte == records::MAGIC as u8) else {
                at += starts as u64;
                continue;
            };
            at += skip as u64;
            self.position = at;
            if matches!(self.probe()?, Step::Batch(..)) {
                self.position = from;
                return Ok(Some(at));
            }
            at += 1;
        }
        self.position = from;
        Ok(None)
    }

    /// What a step would find, without taking it.
    fn probe(&mut self) -> Result<Step, LogError> {
        let (position, expected) = (self.position, self.expected);
        let step = self.step();
        (self.position, self.expected) = (position, expected);
        step
    }

    /// Whether a whole message of format v0 or v1 is here, with its checksum. We do not read those formats, and must not
    /// take them for a torn tail.
    pub(crate) fn is_old_format(&mut self) -> Result<bool, LogError> {
        let left = self.end.saturating_sub(self.position);
        let bytes = self.fill(self.position, MAGIC_AT + 1)?;
        let Some(bytes) = bytes.first_chunk::<{ MAGIC_AT + 1 }>() else {
            return Ok(false);
        };
        let field = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (length, stored) = (field(LENGTH_AT), field(OLD_CHECKSUM_AT));
        let size = u64::from(length) + LENGTH_OVERHEAD as u64;
        if !matches!(bytes[MAGIC_AT], 0 | 1) || length < SMALLEST_OLD_LENGTH || size > left {
            return Ok(false);
        }
        let mut checksum = u32::MAX;
        let (mut at, end) = (self.position + MAGIC_AT as u64, self.position + size);
        while at < end {
            let available = self.fill(at, 1)?;
            let part =
                usize::try_from(end - at).map_or(available.len(), |wanted| wanted.min(available.len()));
            if part == 0 {
                return Ok(false);
            }
            checksum = available[..part].iter().fold(checksum, |checksum, byte| crc32_step(checksum, *byte));
            at += part as u64;
        }
        Ok(!checksum == stored)
    }

    /// The checksum of the batch at the position, whose header and size are known; `None` when the file ends within it.
    fn checksum(&mut self, header: &[u8; HEADER_LEN], size: u64) -> Result<Option<u32>, LogError> {
        let mut checksum = crc32c::crc32c(&header[CHECKED_FROM..]);
        let (mut at, end) = (self.position + HEADER_LEN as u64, self.position + size);
        while at < end {
            let available = self.fill(at, 1)?;
            if available.is_empty() {
                return Ok(None);
            }
            let part =
                usize::try_from(end - at).map_or(available.len(), |wanted| wanted.min(available.len()));
            checksum = crc32c::crc32c_append(checksum, &available[..part]);
            at += part as u64;
        }
        Ok(Some(checksum))
    }

    /// The bytes from `at` on that are at hand; reads on if there are fewer than `least`. Fewer come only at the end.
    fn fill(&mut self, at: u64, least: usize) -> Result<&[u8], LogError> {
        let within = at.checked_sub(self.buffer_at).and_then(|within| usize::try_from(within).ok());
        if let Some(within) = within.filter(|within| within.saturating_add(least) <= self.buffer.len()) {
            return Ok(&self.buffer[within..]);
        }
        let left = usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX);
        self.buffer.resize(BUFFER.min(left), 0);
        let read = self.file.read_at(at, &mut self.buffer)?;
        self.buffer.truncate(read);
        self.buffer_at = at;
        Ok(&self.buffer)
    }
}

#[cfg(test)]
mod tests;
