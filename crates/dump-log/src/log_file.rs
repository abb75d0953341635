//! A `.log` or `.checkpoint` file, read through a window, batch by batch, as Kafka's `FileLogInputStream` walks it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::batch::Batch;
use crate::error::DumpError;

/// Bytes up to the magic number and with it: what a batch must at least have to be looked at.
const UP_TO_MAGIC: u64 = 17;
/// Bytes of offset and length, which the length does not count.
const OVERHEAD: u64 = 12;
/// The smallest length of any format.
const SMALLEST_LENGTH: i32 = 14;
/// How much is read at once.
const WINDOW: usize = 256 * 1024;
/// A batch above this is not held in memory only to compute its CRC, nor for its records if that CRC is wrong: then it is
/// more likely that its length is.
const LARGE: u64 = 64 * 1024 * 1024;

/// An open file and the part of it that was read last.
#[derive(Debug)]
pub(crate) struct LogFile {
    file: File,
    path: String,
    len: u64,
    window: Vec<u8>,
    /// Where in the file the window begins, and how much of it holds bytes of the file.
    start: u64,
    filled: usize,
}

/// A stretch of the file whose batches are walked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    /// Where the next batch begins.
    pub(crate) position: u64,
    /// Where the stretch ends; a batch that reaches past it is not looked at.
    pub(crate) end: u64,
}

impl LogFile {
    /// Opens `path`; `shown` is how messages name it.
    pub(crate) fn open(path: &Path, shown: &str) -> Result<Self, DumpError> {
        let fail = |error| DumpError::read(shown, error);
        let file = File::open(path).map_err(fail)?;
        let len = file.metadata().map_err(fail)?.len();
        Ok(Self { file, path: shown.to_owned(), len, window: Vec::new(), start: 0, filled: 0 })
    }

    /// Bytes in the file when it was opened.
    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// The stretch of `size` bytes from `position` on, or what there is of it.
    pub(crate) fn walk(&self, position: u64, size: u64) -> Walk {
        Walk { position, end: self.len.min(position.saturating_add(size)) }
    }

    /// The next batch of `walk`, which moves on; `None` when there is no further whole one.
    pub(crate) fn next_batch(&mut self, walk: &mut Walk) -> Result<Option<Batch>, DumpError> {
        let Walk { position, end } = *walk;
        // Kafka asks for one byte more than it reads.
        if position + UP_TO_MAGIC >= end {
            return Ok(None);
        }
        let front = self.bytes(position, UP_TO_MAGIC as usize)?;
        let length = i32::from_be_bytes([front[8], front[9], front[10], front[11]]);
        let magic = i8::from_be_bytes([front[16]]);
        if length < SMALLEST_LENGTH {
            return Err(DumpError::Damaged(format!(
                "{}: the batch at position {position} has the length {length}; the smallest there is are \
                 {SMALLEST_LENGTH} bytes. Nothing behind it can be read",
                self.path
            )));
        }
        let size = OVERHEAD + length as u64;
        if position + size > end {
            return Ok(None);
        }
        walk.position += size;
        let header = self.bytes(position, Batch::header_len(magic).min((self.len - position) as usize))?;
        Batch::read(magic, position, size, header).map(Some).map_err(|why| {
            DumpError::Damaged(format!(
                "{}: the batch at position {position} cannot be shown: {why}",
                self.path
            ))
        })
    }

    /// Whether the CRC of `batch` is right.
    pub(crate) fn is_valid(&mut self, batch: &Batch) -> Result<bool, DumpError> {
        let Some(mut crc) = batch.crc() else {
            return Ok(false);
        };
        let (mut at, end) = (batch.position + crc.from(), batch.position + batch.size);
        while at < end {
            // A batch that will be asked for whole is read whole at once.
            let wanted = if batch.size <= LARGE { end - at } else { (end - at).min(WINDOW as u64) };
            crc.update(self.bytes(at, wanted as usize)?);
            at += wanted;
        }
        Ok(crc.is_right())
    }

    /// The bytes of `batch`, of which `valid` says whether its CRC is right.
    pub(crate) fn batch_bytes(&mut self, batch: &Batch, valid: bool) -> Result<&[u8], DumpError> {
        if batch.size > LARGE && !valid {
            return Err(DumpError::Damaged(format!(
                "{}: the batch at position {} claims {} bytes and its CRC is wrong: its records are not looked at",
                self.path, batch.position, batch.size
            )));
        }
        self.bytes(batch.position, batch.size as usize)
    }

    /// `len` bytes from `position` on, which lie within the file as it was when it was opened.
    fn bytes(&mut self, position: u64, len: usize) -> Result<&[u8], DumpError> {
        let offset = position.checked_sub(self.start).and_then(|offset| usize::try_from(offset).ok());
        let at_hand = offset.filter(|offset| offset.saturating_add(len) <= self.filled);
        let offset = match at_hand {
            Some(offset) => offset,
            None => {
                self.fill(position, len).map_err(|error| DumpError::read(&self.path, error))?;
                0
            }
        };
        Ok(&self.window[offset..offset + len])
    }

    /// Reads at least `len` bytes from `position` on into the window.
    fn fill(&mut self, position: u64, len: usize) -> io::Result<()> {
        let wanted = len.max(WINDOW);
        if self.window.len() < wanted {
            self.window.resize(wanted, 0);
        } else if self.window.len() > 4 * wanted {
            // One large batch does not keep its room for the rest of the file.
            self.window = vec![0; wanted];
        }
        self.start = position;
        self.filled = 0;
        while self.filled < len {
            let read = self.file.read_at(&mut self.window[self.filled..], position + self.filled as u64);
            match read {
                Ok(0) => {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file has become shorter"));
                }
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, LogFile) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        std::fs::write(&path, bytes).unwrap();
        let file = LogFile::open(&path, "a.log").unwrap();
        (dir, file)
    }

    fn front(length: i32) -> Vec<u8> {
        let mut bytes = vec![0; 17];
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        bytes[16] = 2;
        bytes
    }

    #[test]
    fn a_claimed_length_beyond_the_file_is_neither_a_batch_nor_memory() {
        let (_dir, mut file) = file(&[front(i32::MAX), vec![0; 100]].concat());
        let mut walk = file.walk(0, u64::MAX);
        assert!(file.next_batch(&mut walk).unwrap().is_none());
        assert_eq!(walk.position, 0);
        assert!(file.window.capacity() <= WINDOW);
    }

    #[test]
    fn a_length_too_small_ends_the_walk_with_a_reason() {
        let (_dir, mut file) = file(&[front(13), vec![0; 100]].concat());
        let mut walk = file.walk(0, u64::MAX);
        let why = file.next_batch(&mut walk).unwrap_err().to_string();
        assert!(why.contains("position 0") && why.contains("length 13"), "{why}");
    }

    #[test]
    fn seventeen_bytes_are_not_looked_at_and_eighteen_are() {
        let (_dir, mut short) = file(&front(5));
        let mut walk = short.walk(0, u64::MAX);
        assert!(short.next_batch(&mut walk).unwrap().is_none());
        let (_dir, mut long) = file(&[front(5), vec![0]].concat());
        let mut walk = long.walk(0, u64::MAX);
        assert!(long.next_batch(&mut walk).is_err());
    }

    #[test]
    fn a_large_claim_is_checked_through_the_window_and_not_loaded_if_its_crc_is_wrong() {
        let (dir, mut file) = file(&[front(LARGE as i32), vec![0; 100]].concat());
        let room = std::fs::OpenOptions::new().write(true).open(dir.path().join("a.log")).unwrap();
        room.set_len(LARGE + 100).unwrap();
        file.len = LARGE + 100;
        let mut walk = file.walk(0, u64::MAX);
        let batch = file.next_batch(&mut walk).unwrap().expect("the claim is within the file");
        assert_eq!(batch.size, LARGE + 12);
        assert!(!file.is_valid(&batch).unwrap());
        assert!(file.batch_bytes(&batch, false).unwrap_err().to_string().contains("not looked at"));
        assert!(file.window.capacity() <= WINDOW);
        assert_eq!(file.batch_bytes(&batch, true).unwrap().len() as u64, LARGE + 12);
        file.bytes(0, 1).unwrap();
        file.bytes(LARGE - 1, 100).unwrap();
        assert!(file.window.capacity() <= 2 * (LARGE as usize + 12), "what is at hand is used");
        file.bytes(LARGE + 50, 50).unwrap();
        assert!(file.window.capacity() <= WINDOW, "the room of a large batch is given back");
    }
}
