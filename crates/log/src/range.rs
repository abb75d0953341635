//! A stretch of a file, handed out instead of bytes.

use std::sync::Arc;

use bytes::Bytes;
use disk::DiskFile;

use crate::error::LogError;

/// `len` bytes of `file` from `position` on. Stays readable when the segment is deleted meanwhile: it keeps the file open.
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
    /// The bytes themselves.
    ///
    /// # Errors
    /// When they cannot be read, or the file has become shorter.
    pub fn read(&self) -> Result<Bytes, LogError> {
        todo!()
    }
}
