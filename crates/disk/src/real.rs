//! The disk of this machine.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::lock::LOCK_FILE;
use crate::{Disk, DiskError, DiskFile, Entry, OpenHow, Operation, Volume};

/// How many slices one `pwritev` takes on Linux and macOS (`IOV_MAX`).
const MAX_SLICES: usize = 1024;

/// The file system of this machine. Symbolic links are followed, as Kafka follows them.
///
/// It refuses to open a file called `.lock`: closing any descriptor of it would silently release the lock that
/// [`crate::DirLock`] holds (record locks belong to the process, not to the descriptor).
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl RealDisk {
    /// The disk of this machine; all values are the same one.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Disk for RealDisk {
    fn open(&self, path: &Path, how: OpenHow) -> Result<Arc<dyn DiskFile>, DiskError> {
        if path.file_name().is_some_and(|name| name == LOCK_FILE) {
            let why = "only the directory lock opens this file: closing it would release the lock";
            return Err(DiskError::new(
                Operation::Open,
                path,
                io::Error::new(io::ErrorKind::ResourceBusy, why),
            ));
        }
        let mut options = OpenOptions::new();
        match how {
            OpenHow::Read => options.read(true),
            OpenHow::Existing => options.read(true).write(true),
            OpenHow::Write => options.read(true).write(true).create(true).truncate(false),
            OpenHow::New => options.read(true).write(true).create_new(true),
        };
        let file = options.open(path).map_err(|e| DiskError::new(Operation::Open, path, e))?;
        Ok(Arc::new(RealFile { path: path.to_owned(), file }))
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>, DiskError> {
        let failed = |e| DiskError::new(Operation::List, path, e);
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            match fs::metadata(entry.path()) {
                Ok(metadata) => entries.push(describe(name, &metadata)),
                // Removed between the two calls, or a symbolic link to nowhere.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(DiskError::new(Operation::Look, &entry.path(), e)),
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn entry(&self, path: &Path) -> Result<Option<Entry>, DiskError> {
        match fs::metadata(path) {
            Ok(metadata) => {
                let name =
                    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                Ok(Some(describe(name, &metadata)))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(DiskError::new(Operation::Look, path, e)),
        }
    }

    fn create_dir_all(&self, path: &Path) -> Result<(), DiskError> {
        fs::create_dir_all(path).map_err(|e| DiskError::new(Operation::CreateDir, path, e))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        fs::rename(from, to).map_err(|e| DiskError::new(Operation::Rename, from, e))
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        fs::remove_file(path).map_err(|e| DiskError::new(Operation::Remove, path, e))
    }

    fn remove_dir_all(&self, path: &Path) -> Result<(), DiskError> {
        fs::remove_dir_all(path).map_err(|e| DiskError::new(Operation::Remove, path, e))
    }

    fn volume(&self, path: &Path) -> Result<Option<Volume>, DiskError> {
        let found = rustix::fs::statvfs(path).map_err(|e| DiskError::new(Operation::Look, path, e.into()))?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Ok(Some(Volume { total: bytes(found.f_blocks), usable: bytes(found.f_bavail) }))
    }

    fn files_allowed(&self) -> Option<u64> {
        rustix::process::getrlimit(rustix::process::Resource::Nofile).current
    }

    fn sync_dir(&self, path: &Path) -> Result<(), DiskError> {
        let failed = |e| DiskError::new(Operation::SyncDir, path, e);
        let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(path, how, Mode::empty()).map_err(|e| failed(e.into()))?;
        match rustix::io::retry_on_intr(|| rustix::fs::fsync(&directory)) {
            // Some network and FUSE file systems do not know how to sync a directory; refusing to run on them helps
            // nobody (Kafka does not even ask on Windows: `Utils.flushDir`).
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(e) => Err(failed(e.into())),
        }
    }
}

fn describe(name: String, metadata: &Metadata) -> Entry {
    let is_dir = metadata.is_dir();
    Entry {
        name,
        is_dir,
        len: if is_dir { 0 } else { metadata.len() },
        modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
    }
}

#[derive(Debug)]
struct RealFile {
    path: PathBuf,
    file: File,
}

impl RealFile {
    fn failed(&self, operation: Operation, why: io::Error) -> DiskError {
        DiskError::new(operation, &self.path, why)
    }
}

impl DiskFile for RealFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn len(&self) -> Result<u64, DiskError> {
        Ok(self.file.metadata().map_err(|e| self.failed(Operation::Look, e))?.len())
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], position + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.failed(Operation::Read, e)),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, position: u64, parts: &[IoSlice<'_>]) -> Result<(), DiskError> {
        write_all(parts, position, |slices, at| {
            Ok(rustix::io::retry_on_intr(|| rustix::io::pwritev(&self.file, slices, at))?)
        })
        .map_err(|e| self.failed(Operation::Write, e))
    }

    fn set_len(&self, len: u64) -> Result<(), DiskError> {
        self.file.set_len(len).map_err(|e| self.failed(Operation::SetLen, e))
    }

    fn sync(&self) -> Result<(), DiskError> {
        // The standard library knows that macOS needs F_FULLFSYNC to reach the medium.
        self.file.sync_data().map_err(|e| self.failed(Operation::Sync, e))
    }

    fn set_modified(&self, modified: SystemTime) -> Result<(), DiskError> {
        self.file.set_modified(modified).map_err(|e| self.failed(Operation::SetTime, e))
    }

    fn as_file(&self) -> Option<&File> {
        Some(&self.file)
    }
}

/// Hands all of `parts` to `write(slices, position)`, which says how many bytes it took: in one call as a rule, and with
/// no copy of the list then.
fn write_all(
    parts: &[IoSlice<'_>],
    mut position: u64,
    mut write: impl FnMut(&[IoSlice<'_>], u64) -> io::Result<usize>,
) -> io::Result<()> {
    let mut left: usize = parts.iter().map(|part| part.len()).sum();
    if left == 0 {
        return Ok(());
    }
    let mut take = |slices: &[IoSlice<'_>], left: usize| {
        let taken = write(&slices[..slices.len().min(MAX_SLICES)], position)?;
        assert!(taken <= left, "the kernel takes at most what it was given");
        if taken == 0 {
            return Err(io::Error::new(io::ErrorKind::WriteZero, "the file takes no more bytes"));
        }
        position += taken as u64;
        Ok(taken)
    };
    let mut taken = take(parts, left)?;
    left -= taken;
    if left == 0 {
        return Ok(());
    }
    let mut rest = parts.to_vec();
    let mut rest = rest.as_mut_slice();
    loop {
        IoSlice::advance_slices(&mut rest, taken);
        if left == 0 {
            return Ok(());
        }
        taken = take(rest, left)?;
        left -= taken;
    }
}

#[cfg(test)]
mod tests;
