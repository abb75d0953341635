//! A disk that can be taken away from who uses it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::{Disk, DiskError, DiskFile, Entry, OpenHow, Operation, Volume};

/// Another disk, until it is [revoked](Self::revoke): from then on every path is answered as if nothing were there.
///
/// For a directory that is given up while readers and flushes may still be under way in it. Once it is renamed, another
/// owner may make a directory under the old name, and no file in that one may be opened, made or renamed by the former
/// owner. Files that are open already stay good: they are the old ones, wherever they lie now.
#[derive(Debug)]
pub struct RevocableDisk {
    inner: Arc<dyn Disk>,
    /// Whether it was taken away. Held for reading during each operation on a path, so that none is half way when
    /// [`Self::revoke`] returns; syncing a file is none.
    revoked: RwLock<bool>,
}

impl RevocableDisk {
    /// `inner`, until it is revoked.
    #[must_use]
    pub fn new(inner: Arc<dyn Disk>) -> Self {
        Self { inner, revoked: RwLock::new(false) }
    }

    /// Takes the disk away. When this returns, no operation on a path is under way, and none will begin.
    pub fn revoke(&self) {
        *self.revoked.write() = true;
    }

    fn granted<T>(
        &self,
        operation: Operation,
        path: &Path,
        work: impl FnOnce(&dyn Disk) -> Result<T, DiskError>,
    ) -> Result<T, DiskError> {
        let revoked = self.revoked.read();
        if *revoked {
            let why = io::Error::new(io::ErrorKind::NotFound, "the directory was given up");
            return Err(DiskError::new(operation, path, why));
        }
        work(&*self.inner)
    }
}

impl Disk for RevocableDisk {
    fn open(&self, path: &Path, how: OpenHow) -> Result<Arc<dyn DiskFile>, DiskError> {
        self.granted(Operation::Open, path, |disk| disk.open(path, how))
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>, DiskError> {
        self.granted(Operation::List, path, |disk| disk.list(path))
    }

    fn entry(&self, path: &Path) -> Result<Option<Entry>, DiskError> {
        self.granted(Operation::Look, path, |disk| disk.entry(path))
    }

    fn create_dir_all(&self, path: &Path) -> Result<(), DiskError> {
        self.granted(Operation::CreateDir, path, |disk| disk.create_dir_all(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.granted(Operation::Rename, from, |disk| disk.rename(from, to))
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        self.granted(Operation::Remove, path, |disk| disk.remove_file(path))
    }

    fn remove_dir_all(&self, path: &Path) -> Result<(), DiskError> {
        self.granted(Operation::Remove, path, |disk| disk.remove_dir_all(path))
    }

    fn volume(&self, path: &Path) -> Result<Option<Volume>, DiskError> {
        self.granted(Operation::Look, path, |disk| disk.volume(path))
    }

    fn sync_dir(&self, path: &Path) -> Result<(), DiskError> {
        self.granted(Operation::SyncDir, path, |disk| disk.sync_dir(path))
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use super::*;
    use crate::RealDisk;

    #[test]
    fn once_revoked_no_path_is_there_and_open_files_stay_good() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let disk = RevocableDisk::new(Arc::new(RealDisk::new()));
        let file = disk.open(&path, OpenHow::New).unwrap();
        disk.revoke();
        assert!(disk.open(&path, OpenHow::Read).unwrap_err().is_not_found());
        assert!(disk.open(&path, OpenHow::Write).unwrap_err().is_not_found());
        assert!(disk.entry(&path).unwrap_err().is_not_found());
        assert!(disk.list(dir.path()).unwrap_err().is_not_found());
        assert!(disk.create_dir_all(&dir.path().join("b")).unwrap_err().is_not_found());
        assert!(disk.rename(&path, &dir.path().join("c")).unwrap_err().is_not_found());
        assert!(disk.remove_file(&path).unwrap_err().is_not_found());
        assert!(disk.remove_dir_all(dir.path()).unwrap_err().is_not_found());
        assert!(disk.sync_dir(dir.path()).unwrap_err().is_not_found());
        file.write_at(0, &[IoSlice::new(b"still")]).unwrap();
        file.sync().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"still");
    }
}
