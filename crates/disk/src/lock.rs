//! The lock by which one process owns a data directory.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Flock, FlockType, fcntl_getlk};

use crate::{DiskError, Operation};

/// The file that is locked, in each data directory (Kafka: `LogManager.LOCK_FILE_NAME`).
pub(crate) const LOCK_FILE: &str = ".lock";

/// Device and inode of the lock files that this process holds. A record lock goes when *any* descriptor of its file is
/// closed, so a second attempt from the same process must be turned away before it opens the file.
static HELD: Mutex<Vec<(u64, u64)>> = Mutex::new(Vec::new());

fn held() -> MutexGuard<'static, Vec<(u64, u64)>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A data directory that belongs to this process until the value is dropped, or the process ends in whatever way.
///
/// It is an exclusive `fcntl` record lock over the whole of `.lock`: the lock that Java's `FileChannel.tryLock` takes, so
/// a Kafka broker and this one exclude each other. (`File::try_lock` of the standard library is `flock`, and Linux does
/// not let those two see each other.) The file itself stays behind, as Kafka leaves it.
#[derive(Debug)]
pub struct DirLock {
    file: Option<File>,
    id: (u64, u64),
}

/// Why a data directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("the data directory {} is in use by another process{}", dir.display(), holder.map(|pid| format!(", pid {pid}")).unwrap_or_default())]
    HeldElsewhere {
        /// The directory.
        dir: PathBuf,
        /// The process that has it, where the system tells: not from another pid namespace.
        holder: Option<i32>,
    },
    /// This process has it already.
    #[error("the data directory {} is in use by this process already", dir.display())]
    HeldHere {
        /// The directory.
        dir: PathBuf,
    },
    /// The lock file cannot be made, opened or locked.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl DirLock {
    /// Locks the existing directory `dir`, without waiting. Makes its file `.lock` if it is missing.
    ///
    /// # Errors
    /// When the directory is locked, by this process or another one, or its lock file cannot be opened.
    pub fn take(dir: &Path) -> Result<Self, LockError> {
        let path = dir.join(LOCK_FILE);
        let failed = |e: io::Error| DiskError::new(Operation::Lock, &path, e);
        let mut held = held();
        match fs::metadata(&path) {
            Ok(metadata) if held.contains(&(metadata.dev(), metadata.ino())) => {
                return Err(LockError::HeldHere { dir: dir.to_owned() });
            }
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(failed(e).into()),
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::ACCESS | Errno::AGAIN) => {
                return Err(LockError::HeldElsewhere { dir: dir.to_owned(), holder: holder(&file) });
            }
            Err(e) => return Err(failed(e.into()).into()),
        }
        let metadata = file.metadata().map_err(failed)?;
        let id = (metadata.dev(), metadata.ino());
        held.push(id);
        Ok(Self { file: Some(file), id })
    }
}

impl Drop for DirLock {
    fn drop(&mut self) {
        let mut held = held();
        // Closing the file releases the lock; within this process nobody may try before that is done.
        drop(self.file.take());
        held.retain(|id| *id != self.id);
    }
}

/// The process that stands in the way, if there still is one and it is visible from here.
fn holder(file: &File) -> Option<i32> {
    let blocking = fcntl_getlk(file, &Flock::from(FlockType::WriteLock)).ok()??;
    blocking.pid.map(|pid| pid.as_raw_nonzero().get())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Disk, OpenHow, RealDisk};

    /// Whether a process of its own, running `python3`, can take the lock as Java takes it; it says `yes` or `no`.
    fn another_process_can_lock(dir: &Path) -> bool {
        let script = "import fcntl, sys\nf = open(sys.argv[1], 'r+')\ntry:\n    fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)\n    print('yes')\nexcept OSError:\n    print('no')";
        let output = std::process::Command::new("python3")
            .args(["-c", script])
            .arg(dir.join(LOCK_FILE))
            .output()
            .expect("python3 is needed");
        match String::from_utf8_lossy(&output.stdout).trim() {
            "yes" => true,
            "no" => false,
            other => panic!("python3 said {other:?}, {output:?}"),
        }
    }

    #[test]
    fn another_process_sees_the_lock_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let lock = DirLock::take(dir.path()).unwrap();
        assert!(!another_process_can_lock(dir.path()), "the lock holds");
        assert!(matches!(DirLock::take(dir.path()), Err(LockError::HeldHere { .. })));
        assert!(RealDisk::new().open(&dir.path().join(LOCK_FILE), OpenHow::Read).is_err());
        assert!(!another_process_can_lock(dir.path()), "it survives attempts from this process");
        drop(lock);
        assert!(another_process_can_lock(dir.path()));
        assert!(dir.path().join(LOCK_FILE).exists(), "the file stays, as Kafka leaves it");
        DirLock::take(dir.path()).unwrap();
    }

    #[test]
    fn the_error_names_the_process_that_holds_it() {
        use std::io::{BufRead, BufReader};
        use std::process::{Command, Stdio};

        let dir = tempfile::tempdir().unwrap();
        let script = "import fcntl, sys\nf = open(sys.argv[1], 'w')\nfcntl.lockf(f, fcntl.LOCK_EX)\nprint('locked', flush=True)\nsys.stdin.read()";
        let mut holder = Command::new("python3")
            .args(["-c", script])
            .arg(dir.path().join(LOCK_FILE))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is needed");
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "locked");
        let refused = DirLock::take(dir.path()).unwrap_err();
        let expected = format!(
            "the data directory {} is in use by another process, pid {}",
            dir.path().display(),
            holder.id()
        );
        assert_eq!(refused.to_string(), expected);
        drop(holder.stdin.take());
        holder.wait().unwrap();
        DirLock::take(dir.path()).unwrap();
    }

    #[test]
    fn only_an_existing_directory_can_be_locked() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("none");
        let Err(LockError::Disk(refused)) = DirLock::take(&missing) else {
            panic!("locked a missing directory")
        };
        assert!(refused.is_not_found());
        assert!(!missing.exists());
    }
}
