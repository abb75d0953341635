//! Writing small files without syncing their directory each time.

use std::ffi::OsString;
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::{Disk, DiskError, DiskFile, OpenHow};

/// New content of a file, written beside it. To be synced, then put in its place. Whoever has many writes them all first:
/// the first sync then does most of the work of the others.
#[derive(Debug)]
pub(crate) struct Pending {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
}

impl Pending {
    pub(crate) fn write(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<Self, DiskError> {
        let mut temporary = OsString::from(path);
        temporary.push(".tmp");
        let file = disk.open(Path::new(&temporary), OpenHow::Write)?;
        file.set_len(0)?;
        file.write_at(0, &[IoSlice::new(bytes)])?;
        Ok(Self { file, path: path.to_owned() })
    }

    pub(crate) fn sync(&self) -> Result<(), DiskError> {
        self.file.sync()
    }

    /// Puts the content in its place; it must be synced. The name is only on disk for good once the directory is synced:
    /// until then a power loss may bring the old content back.
    pub(crate) fn publish(self, disk: &dyn Disk) -> Result<(), DiskError> {
        disk.rename(self.file.path(), &self.path)
    }
}

/// Replaces the content of `path`, whole or not at all: as `disk::write_atomically`, but without syncing the directory.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let pending = Pending::write(disk, path, bytes)?;
    pending.sync()?;
    pending.publish(disk)
}
