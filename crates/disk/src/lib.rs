//! Files and bytes, behind a trait, so that everything above can run on a disk that crashes.
//!
//! Knows nothing of logs or records. Paths are whole paths; every error names the path and the operation that failed.
//! The calls block: who calls chooses the thread.

mod error;
mod lock;
mod real;
mod revocable;

use std::fmt::Debug;
use std::fs::File;
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

pub use error::{DiskError, Operation};
pub use lock::{DirLock, LockError};
pub use real::RealDisk;
pub use revocable::RevocableDisk;

/// What a directory entry or a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The last component of the path.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Bytes in the file; 0 for a directory.
    pub len: u64,
    /// When its content last changed.
    pub modified: SystemTime,
}

/// The size of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Bytes in all.
    pub total: u64,
    /// Bytes that this process may still write.
    pub usable: u64,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenHow {
    /// An existing file, only to be read.
    Read,
    /// For reading and writing; must exist.
    Existing,
    /// For reading and writing; made empty if it is missing.
    Write,
    /// For reading and writing; must not exist yet.
    New,
}

/// A place that holds directories and files. Each call is one operation that a crash may fall into.
pub trait Disk: Debug + Send + Sync + 'static {
    /// Opens `path`.
    ///
    /// # Errors
    /// When it is missing (and [`OpenHow`] does not make it), exists already, or cannot be opened.
    fn open(&self, path: &Path, how: OpenHow) -> Result<Arc<dyn DiskFile>, DiskError>;
    /// The entries of the directory `path`, sorted by name. A name that is not UTF-8 is shown with replacement characters.
    ///
    /// # Errors
    /// When the directory cannot be read.
    fn list(&self, path: &Path) -> Result<Vec<Entry>, DiskError>;
    /// What `path` is, or `None` when nothing is there.
    ///
    /// # Errors
    /// When it cannot be looked up.
    fn entry(&self, path: &Path) -> Result<Option<Entry>, DiskError>;
    /// Makes the directory `path` and those above it, if missing.
    ///
    /// # Errors
    /// When that fails.
    fn create_dir_all(&self, path: &Path) -> Result<(), DiskError>;
    /// Renames a file or directory; an existing file at `to` is replaced in one step.
    ///
    /// # Errors
    /// When that fails.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError>;
    /// Removes a file.
    ///
    /// # Errors
    /// When it is missing or cannot be removed.
    fn remove_file(&self, path: &Path) -> Result<(), DiskError>;
    /// Removes a directory and all below it.
    ///
    /// # Errors
    /// When that fails.
    fn remove_dir_all(&self, path: &Path) -> Result<(), DiskError>;
    /// How large the volume is that `path` lies on; `None` when nobody knows.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn volume(&self, _path: &Path) -> Result<Option<Volume>, DiskError> {
        Ok(None)
    }
    /// How many files this process may have open at once; `None` when nobody knows.
    fn files_allowed(&self) -> Option<u64> {
        None
    }
    /// Makes creations, renames and removals directly inside the directory `path` outlive a power loss.
    ///
    /// # Errors
    /// When that fails.
    fn sync_dir(&self, path: &Path) -> Result<(), DiskError>;
}

/// An open file. Shared by readers and its one writer; every call names its position.
#[expect(
    clippy::len_without_is_empty,
    reason = "asking costs a system call that can fail; nobody wants only `is_empty`"
)]
pub trait DiskFile: Debug + Send + Sync {
    /// The path it was opened at (a later rename does not change it).
    fn path(&self) -> &Path;
    /// Its size in bytes.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn len(&self) -> Result<u64, DiskError>;
    /// Fills `buffer` from `position` on and says how many bytes there were: fewer than asked only at the end of the file.
    ///
    /// # Errors
    /// When reading fails.
    fn read_at(&self, position: u64, buffer: &mut [u8]) -> Result<usize, DiskError>;
    /// Writes all of `parts`, one behind the other, from `position` on: one `pwritev` unless the kernel takes less.
    ///
    /// # Errors
    /// When not all was written; then any part of it may stand in the file.
    fn write_at(&self, position: u64, parts: &[IoSlice<'_>]) -> Result<(), DiskError>;
    /// Cuts or extends (with zeros) the file to `len` bytes.
    ///
    /// # Errors
    /// When that fails.
    fn set_len(&self, len: u64) -> Result<(), DiskError>;
    /// Makes everything written so far outlive a power loss (`fdatasync`).
    ///
    /// # Errors
    /// When that fails; what was written since the last success is then in doubt for ever.
    fn sync(&self) -> Result<(), DiskError>;
    /// Makes `modified` the time at which the content changed last ([`Entry::modified`]), until it changes again.
    ///
    /// # Errors
    /// When that fails.
    fn set_modified(&self, modified: SystemTime) -> Result<(), DiskError>;
    /// The operating system's file, where there is one: for `sendfile`.
    fn as_file(&self) -> Option<&File>;
}

/// Writes `bytes` as the whole content of `path`: to `<path>.tmp`, synced, renamed, and the directory synced, so that a
/// crash leaves the old content or the new one (Kafka: `CheckpointFile`, `Utils.atomicMoveWithFallback`).
///
/// # Errors
/// When any step fails; the old content is then still there.
pub fn write_atomically(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let file = disk.open(&temporary, OpenHow::Write)?;
    file.set_len(0)?;
    file.write_at(0, &[IoSlice::new(bytes)])?;
    file.sync()?;
    disk.rename(&temporary, path)?;
    match path.parent() {
        Some(parent) => disk.sync_dir(parent),
        None => Ok(()),
    }
}

/// The whole content of `path`, or `None` when there is no such file. Refuses more than `limit` bytes.
///
/// # Errors
/// When it cannot be read, or is larger than `limit`.
pub fn read_whole(disk: &dyn Disk, path: &Path, limit: u64) -> Result<Option<Vec<u8>>, DiskError> {
    if disk.entry(path)?.is_none() {
        return Ok(None);
    }
    let file = disk.open(path, OpenHow::Read)?;
    let len = file.len()?;
    if len > limit {
        return Err(DiskError::too_large(path, len, limit));
    }
    let mut bytes = vec![0; usize::try_from(len).expect("a file below the limit fits in memory")];
    let read = file.read_at(0, &mut bytes)?;
    bytes.truncate(read);
    Ok(Some(bytes))
}
