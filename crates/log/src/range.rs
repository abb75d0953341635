//! A stretch of a file, handed out instead of bytes.

use std::sync::Arc;

use bytes::Bytes;
use disk::DiskFile;
use records::BatchHeader;

use crate::error::LogError;

/// `len` bytes of `file` from `position` on. Stays readable when the segment is deleted meanwhile: it keeps the file
/// open.
#[derive(Clone, Debug)]
pub struct FileRange {
    /// The open segment file.
    pub file: Arc<dyn DiskFile>,
    /// Where the range begins, in bytes from the start of the file.
    pub position: u64,
    /// Its length in bytes.
    pub len: u32,
}

impl FileRange {
    pub(crate) fn of_batch(file: &Arc<dyn DiskFile>, position: u64, header: &BatchHeader) -> Self {
        let len = u32::try_from(header.size()).expect("a batch length is an i32");
        Self { file: Arc::clone(file), position, len }
    }

    /// The bytes themselves.
    ///
    /// # Errors
    /// When they cannot be read, or the file has become shorter.
    pub fn read(&self) -> Result<Bytes, LogError> {
        let mut bytes = vec![0; self.len as usize];
        let read = self.file.read_at(self.position, &mut bytes)?;
        if read < bytes.len() {
            return Err(LogError::Damaged {
                file: self.file.path().to_owned(),
                position: self.position + read as u64,
                why: "the file has become shorter".to_owned(),
            });
        }
        Ok(bytes.into())
    }
}
