//! A disk that tells before it reads, writes, syncs or removes a file, so that a test can count, wait or panic there.

use std::fmt;
use std::fs::File;
use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use disk::{Disk, DiskError, DiskFile, Entry, OpenHow, Operation, Volume};

type Watch = Arc<dyn Fn(Operation, &Path) + Send + Sync>;

/// Another disk, and a function that is called before each [`Operation::Read`], [`Operation::Write`] and [`Operation::Sync`] of a file, with
/// the path that the file was opened at, and before each [`Operation::Remove`] of a file.
#[derive(Clone)]
pub struct WatchedDisk {
    behind: Arc<dyn Disk>,
    watch: Watch,
}

impl WatchedDisk {
    /// `behind`, watched by `watch`, which is called on the thread that does it.
    pub fn new(behind: Arc<dyn Disk>, watch: impl Fn(Operation, &Path) + Send + Sync + 'static) -> Self {
        Self { behind, watch: Arc::new(watch) }
    }
}

impl fmt::Debug for WatchedDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedDisk").field("behind", &self.behind).finish_non_exhaustive()
    }
}

impl Disk for WatchedDisk {
    fn open(&self, path: &Path, how: OpenHow) -> Result<Arc<dyn DiskFile>, DiskError> {
        let behind = self.behind.open(path, how)?;
        Ok(Arc::new(WatchedFile { behind, watch: Arc::clone(&self.watch) }))
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>, DiskError> {
        self.behind.list(path)
    }

    fn entry(&self, path: &Path) -> Result<Option<Entry>, DiskError> {
        self.behind.entry(path)
    }

    fn create_dir_all(&self, path: &Path) -> Result<(), DiskError> {
        self.behind.create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.behind.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        (self.watch)(Operation::Remove, path);
        self.behind.remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> Result<(), DiskError> {
        self.behind.remove_dir_all(path)
    }

    fn volume(&self, path: &Path) -> Result<Option<Volume>, DiskError> {
        self.behind.volume(path)
    }

    fn sync_dir(&self, path: &Path) -> Result<(), DiskError> {
        self.behind.sync_dir(path)
    }
}

struct WatchedFile {
    behind: Arc<dyn DiskFile>,
    watch: Watch,
}

impl fmt::Debug for WatchedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WatchedFile").field(&self.behind).finish()
    }
}

impl DiskFile for WatchedFile {
    fn path(&self) -> &Path {
        self.behind.path()
    }

    fn len(&self) -> Result<u64, DiskError> {
        self.behind.len()
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        (self.watch)(Operation::Read, self.path());
        self.behind.read_at(position, buffer)
    }

    fn write_at(&self, position: u64, parts: &[IoSlice<'_>]) -> Result<(), DiskError> {
        (self.watch)(Operation::Write, self.path());
        self.behind.write_at(position, parts)
    }

    fn set_len(&self, len: u64) -> Result<(), DiskError> {
        self.behind.set_len(len)
    }

    fn sync(&self) -> Result<(), DiskError> {
        (self.watch)(Operation::Sync, self.path());
        self.behind.sync()
    }

    fn set_modified(&self, modified: SystemTime) -> Result<(), DiskError> {
        self.behind.set_modified(modified)
    }

    fn as_file(&self) -> Option<&File> {
        self.behind.as_file()
    }
}
