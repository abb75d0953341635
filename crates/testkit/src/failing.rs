//! A disk that does as told, except where a test makes it fail.

use std::fs::File;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use disk::{Disk, DiskError, DiskFile, Entry, OpenHow, Operation, Volume};
use parking_lot::Mutex;

/// What the operating system says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injected {
    /// `ENOSPC`: the disk is full.
    NoSpace,
    /// `EIO`: the medium does not answer as it should.
    Io,
    /// `EROFS`: the file system was remounted read-only, as Linux does after an error.
    ReadOnly,
    /// `EMFILE`: too many open files.
    TooManyFiles,
}

impl Injected {
    fn error(self) -> io::Error {
        // The same numbers on Linux and macOS.
        io::Error::from_raw_os_error(match self {
            Self::NoSpace => 28,
            Self::Io => 5,
            Self::ReadOnly => 30,
            Self::TooManyFiles => 24,
        })
    }
}

/// Which operations fail, and how. `Fault::on(Operation::Write, "*/orders-0/*.log", Injected::NoSpace)` is every append
/// to partition 0 of `orders`.
#[derive(Clone, Debug)]
pub struct Fault {
    operation: Operation,
    path: String,
    error: Injected,
    skip: u64,
    times: Option<u64>,
    written_first: usize,
}

impl Fault {
    /// Each `operation` on a path like `path` fails with `error`. A `*` in `path` stands for any run of characters, `/`
    /// included; the whole path is compared. A rename is matched by the path it starts from.
    #[must_use]
    pub fn on(operation: Operation, path: &str, error: Injected) -> Self {
        Self { operation, path: path.to_owned(), error, skip: 0, times: None, written_first: 0 }
    }

    /// The first `operations` matching ones still succeed.
    #[must_use]
    pub fn after(mut self, operations: u64) -> Self {
        self.skip = operations;
        self
    }

    /// Only so many fail; then the disk is sound again.
    #[must_use]
    pub fn times(mut self, failures: u64) -> Self {
        self.times = Some(failures);
        self
    }

    /// A failing write puts down its first `bytes` bytes before it fails, as a disk that fills up does.
    #[must_use]
    pub fn short(mut self, bytes: usize) -> Self {
        self.written_first = bytes;
        self
    }
}

#[derive(Debug, Default)]
struct Faults {
    active: Vec<Fault>,
    failures: u64,
}

impl Faults {
    /// The fault that this operation meets, if any.
    fn meet(&mut self, operation: Operation, path: &Path) -> Option<Fault> {
        let path = path.to_string_lossy();
        for fault in &mut self.active {
            if fault.operation != operation || !is_like(&fault.path, &path) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            match &mut fault.times {
                Some(0) => continue,
                Some(times) => *times -= 1,
                None => {}
            }
            self.failures += 1;
            return Some(fault.clone());
        }
        None
    }
}

/// A [`Disk`] in front of another one. Clones, and the files opened through it, share the faults.
///
/// A sync that it makes fail never reaches the disk behind, so over a [`crate::CrashDisk`] what was written is lost as
/// after a real one.
#[derive(Clone, Debug)]
pub struct FailingDisk {
    behind: Arc<dyn Disk>,
    faults: Arc<Mutex<Faults>>,
}

impl FailingDisk {
    /// Stands before `behind`; without faults yet.
    #[must_use]
    pub fn new(behind: Arc<dyn Disk>) -> Self {
        Self { behind, faults: Arc::default() }
    }

    /// Adds a fault; it counts from now on.
    pub fn fail(&self, fault: Fault) {
        self.faults.lock().active.push(fault);
    }

    /// Takes all faults away.
    pub fn heal(&self) {
        self.faults.lock().active.clear();
    }

    /// How many operations were made to fail so far.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.faults.lock().failures
    }

    /// This disk as rooms take it.
    #[must_use]
    pub fn shared(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }
}

fn pass(faults: &Mutex<Faults>, operation: Operation, path: &Path) -> Result<(), DiskError> {
    match faults.lock().meet(operation, path) {
        None => Ok(()),
        Some(fault) => Err(DiskError::new(operation, path, fault.error.error())),
    }
}

impl Disk for FailingDisk {
    fn open(&self, path: &Path, how: OpenHow) -> Result<Arc<dyn DiskFile>, DiskError> {
        pass(&self.faults, Operation::Open, path)?;
        let behind = self.behind.open(path, how)?;
        Ok(Arc::new(FailingFile { behind, faults: Arc::clone(&self.faults) }))
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>, DiskError> {
        pass(&self.faults, Operation::List, path)?;
        self.behind.list(path)
    }

    fn entry(&self, path: &Path) -> Result<Option<Entry>, DiskError> {
        pass(&self.faults, Operation::Look, path)?;
        self.behind.entry(path)
    }

    fn create_dir_all(&self, path: &Path) -> Result<(), DiskError> {
        pass(&self.faults, Operation::CreateDir, path)?;
        self.behind.create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        pass(&self.faults, Operation::Rename, from)?;
        self.behind.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        pass(&self.faults, Operation::Remove, path)?;
        self.behind.remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> Result<(), DiskError> {
        pass(&self.faults, Operation::Remove, path)?;
        self.behind.remove_dir_all(path)
    }

    fn volume(&self, path: &Path) -> Result<Option<Volume>, DiskError> {
        pass(&self.faults, Operation::Look, path)?;
        self.behind.volume(path)
    }

    fn sync_dir(&self, path: &Path) -> Result<(), DiskError> {
        pass(&self.faults, Operation::SyncDir, path)?;
        self.behind.sync_dir(path)
    }
}

#[derive(Debug)]
struct FailingFile {
    behind: Arc<dyn DiskFile>,
    faults: Arc<Mutex<Faults>>,
}

impl DiskFile for FailingFile {
    fn path(&self) -> &Path {
        self.behind.path()
    }

    fn len(&self) -> Result<u64, DiskError> {
        pass(&self.faults, Operation::Look, self.path())?;
        self.behind.len()
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        pass(&self.faults, Operation::Read, self.path())?;
        self.behind.read_at(position, buffer)
    }

    fn write_at(&self, position: u64, parts: &[IoSlice<'_>]) -> Result<(), DiskError> {
        let Some(fault) = self.faults.lock().meet(Operation::Write, self.path()) else {
            return self.behind.write_at(position, parts);
        };
        let mut bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        bytes.truncate(fault.written_first);
        self.behind.write_at(position, &[IoSlice::new(&bytes)])?;
        Err(DiskError::new(Operation::Write, self.path(), fault.error.error()))
    }

    fn set_len(&self, len: u64) -> Result<(), DiskError> {
        pass(&self.faults, Operation::SetLen, self.path())?;
        self.behind.set_len(len)
    }

    fn sync(&self) -> Result<(), DiskError> {
        pass(&self.faults, Operation::Sync, self.path())?;
        self.behind.sync()
    }

    fn set_modified(&self, modified: SystemTime) -> Result<(), DiskError> {
        pass(&self.faults, Operation::SetTime, self.path())?;
        self.behind.set_modified(modified)
    }

    fn as_file(&self) -> Option<&File> {
        self.behind.as_file()
    }
}

/// Whether all of `text` is like `pattern`, in which `*` stands for any run of characters.
fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, rest)) => text.strip_prefix(before).is_some_and(|text| {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| is_like(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use disk::{read_whole, write_atomically};

    use super::*;
    use crate::CrashDisk;

    const PATH: &str = "/data/t-0/00.log";

    fn disk() -> FailingDisk {
        let behind = CrashDisk::calm(0);
        behind.create_dir_all(Path::new("/data/t-0")).unwrap();
        FailingDisk::new(behind.shared())
    }

    #[test]
    fn patterns() {
        for (pattern, text, like) in [
            ("/a/b", "/a/b", true),
            ("/a/b", "/a/bc", false),
            ("*", "", true),
            ("*.log", "/a/0.log", true),
            ("*.log", "/a/0.log.deleted", false),
            ("*/t-0/*.log", "/data/t-0/00.log", true),
            ("*/t-0/*.log", "/data/t-1/00.log", false),
            ("*a*a", "aba", true),
            ("*a*a", "ab", false),
            ("é*é", "éxé", true),
        ] {
            assert_eq!(is_like(pattern, text), like, "{pattern} {text}");
        }
    }

    #[test]
    fn the_second_write_fails_half_way_and_only_there() {
        let disk = disk();
        disk.fail(Fault::on(Operation::Write, "*/t-0/*.log", Injected::NoSpace).after(1).times(1).short(2));
        let file = disk.open(Path::new(PATH), OpenHow::New).unwrap();
        file.write_at(0, &[IoSlice::new(b"one")]).unwrap();
        let full = file.write_at(3, &[IoSlice::new(b"t"), IoSlice::new(b"wo")]).unwrap_err();
        assert_eq!(full.source.kind(), io::ErrorKind::StorageFull);
        assert_eq!(full.path, Path::new(PATH));
        assert_eq!(read_whole(&disk, Path::new(PATH), 10).unwrap().unwrap(), b"onetw");
        file.write_at(3, &[IoSlice::new(b"two")]).unwrap();
        assert_eq!(disk.failures(), 1);
    }

    #[test]
    fn a_fault_stays_until_the_disk_is_healed() {
        let disk = disk();
        disk.fail(Fault::on(Operation::Sync, "*", Injected::Io));
        let path = Path::new(PATH);
        for _ in 0..3 {
            assert_eq!(write_atomically(&disk, path, b"x").unwrap_err().operation, Operation::Sync);
        }
        disk.heal();
        write_atomically(&disk, path, b"x").unwrap();
        assert_eq!(disk.failures(), 3);
    }
}
