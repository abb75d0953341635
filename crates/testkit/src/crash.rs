//! A disk in memory that crashes where a test says.
//!
//! # What counts
//! Every call that can change what a crash leaves behind is one operation, numbered from 0: `open` (when it makes the
//! file), `create_dir_all`, `rename`, `remove_file`, `remove_dir_all`, `sync_dir`, `write_at`, `set_len`, `sync`. Reads do
//! not count: a crash at a read leaves what a crash at the next of these leaves.
//!
//! # What a crash leaves
//! | crash | files | names |
//! |---|---|---|
//! | [`Crash::ProcessKill`] | all completed writes | all completed calls |
//! | [`Crash::PowerLoss`] | what `sync` covered (data and size); of later writes any 512-byte sectors, in any order; of later sizes any | what `sync_dir` covered; of later calls any, in any order |
//!
//! Of the operation that was cut itself, nothing, a part, or all may have happened.
//!
//! The rules for power loss are those that POSIX grants, not the kinder ones of a particular file system: the sync of a
//! new file does not keep its name, and calls may survive in another order than they were made, except that a call drags
//! along the earlier ones about the same file or the same name.

mod names;
mod world;

use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base::Millis;
use disk::{Disk, DiskError, DiskFile, Entry, OpenHow, Operation};
use parking_lot::Mutex;

use crate::Random;
use names::NodeId;
use world::{Fate, World};

/// How the world ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// `kill -9`: the operating system lives on, and with it every completed write.
    ProcessKill,
    /// The machine goes dark: what was not synced is in doubt.
    PowerLoss,
}

/// An in-memory [`Disk`] that stops at a chosen operation. Clones, and the files opened through it, are the same disk.
///
/// ```
/// use std::{io::IoSlice, path::Path};
/// use disk::{Disk, OpenHow, read_whole};
/// use testkit::{Crash, CrashDisk};
///
/// let disk = CrashDisk::new(7, 2);
/// let file = disk.open(Path::new("/a"), OpenHow::New)?;
/// file.write_at(0, &[IoSlice::new(b"one")])?;
/// assert!(file.write_at(3, &[IoSlice::new(b"two")]).is_err(), "operation 2 was cut");
/// let left = read_whole(&disk.after(Crash::ProcessKill), Path::new("/a"), 10)?.unwrap();
/// assert!(left.starts_with(b"one"));
/// # Ok::<(), disk::DiskError>(())
/// ```
#[derive(Clone)]
pub struct CrashDisk {
    world: Arc<Mutex<World>>,
}

impl CrashDisk {
    /// An empty disk whose operation number `cut` (from 0) is its last. What becomes of that operation, and of what is
    /// in doubt after a power loss, follows from `seed`.
    #[must_use]
    pub fn new(seed: u64, cut: u64) -> Self {
        Self::of(World::new(seed, Some(cut)))
    }

    /// An empty disk that never stops by itself: to count the operations of a story, or to crash it between two.
    #[must_use]
    pub fn calm(seed: u64) -> Self {
        Self::of(World::new(seed, None))
    }

    fn of(world: World) -> Self {
        Self { world: Arc::new(Mutex::new(world)) }
    }

    /// How many operations there were so far, the cut one included.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.world.lock().operations()
    }

    /// What the operations were, in order, the cut one included: to tell the story of a crash.
    #[must_use]
    pub fn journal(&self) -> Vec<(Operation, PathBuf)> {
        self.world.lock().journal().to_vec()
    }

    /// Whether the cut has come.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.world.lock().stopped().is_some()
    }

    /// Sets the cut anew: `further` more operations succeed, then the world stops.
    pub fn cut_after(&self, further: u64) {
        self.world.lock().cut_after(further);
    }

    /// What a restart finds after `crash`, as a new disk that never stops by itself and counts from 0. The old one is not
    /// changed, so that both crashes can be looked at. Can be called at any time: also without a cut.
    #[must_use]
    pub fn after(&self, crash: Crash) -> Self {
        let seed = self.world.lock().seed();
        self.after_with(crash, seed)
    }

    /// [`Self::after`] with another seed: many power losses out of one story.
    #[must_use]
    pub fn after_with(&self, crash: Crash, seed: u64) -> Self {
        Self::of(self.world.lock().after(crash, seed))
    }

    /// Makes all there is outlive a power loss, without counting as an operation: for what a test has set up.
    pub fn settle(&self) {
        self.world.lock().settle();
    }

    /// The time that files written from now on carry ([`Entry::modified`]); at first 2001-09-09, 1,000,000,000,000 ms.
    pub fn set_time(&self, now: Millis) {
        let since = Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
        self.world.lock().set_time(SystemTime::UNIX_EPOCH + since);
    }

    /// This disk as rooms take it.
    #[must_use]
    pub fn shared(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }
}

impl fmt::Debug for CrashDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = self.world.lock();
        f.debug_struct("CrashDisk")
            .field("seed", &world.seed())
            .field("operations", &world.operations())
            .field("stopped", &world.stopped())
            .finish_non_exhaustive()
    }
}

impl Disk for CrashDisk {
    fn open(&self, path: &Path, how: OpenHow) -> Result<Arc<dyn DiskFile>, DiskError> {
        let node = attempt(&self.world, Operation::Open, path, || {
            let mut world = self.world.lock();
            world.running()?;
            match (world.names().find(path)?, how) {
                (Some(_), OpenHow::New) => Err(io::ErrorKind::AlreadyExists.into()),
                (Some(node), _) if world.names().is_dir(node) => Err(io::ErrorKind::IsADirectory.into()),
                (Some(node), _) => Ok(node),
                (None, OpenHow::Read | OpenHow::Existing) => Err(io::ErrorKind::NotFound.into()),
                (None, _) => {
                    let (parent, name) = world.names().place(path)?;
                    world
                        .change(
                            |world, fate| {
                                if fate.happens() { Some(world.create(parent, name)) } else { None }
                            },
                        )
                        .map(|node| node.expect("an operation that was not cut happens"))
                }
            }
        })?;
        Ok(Arc::new(CrashFile {
            path: path.to_owned(),
            node,
            writable: how != OpenHow::Read,
            world: Arc::clone(&self.world),
        }))
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>, DiskError> {
        attempt(&self.world, Operation::List, path, || {
            let world = self.world.lock();
            world.running()?;
            let directory = world.names().find(path)?.ok_or(io::ErrorKind::NotFound)?;
            let names = world.names().children(directory).ok_or(io::ErrorKind::NotADirectory)?;
            Ok(names.map(|(name, node)| world.entry(name, node)).collect())
        })
    }

    fn entry(&self, path: &Path) -> Result<Option<Entry>, DiskError> {
        attempt(&self.world, Operation::Look, path, || {
            let world = self.world.lock();
            world.running()?;
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            Ok(world.names().find(path)?.map(|node| world.entry(&name, node)))
        })
    }

    fn create_dir_all(&self, path: &Path) -> Result<(), DiskError> {
        attempt(&self.world, Operation::CreateDir, path, || {
            self.world.lock().change(|world, fate| world.create_dir_all(path, fate))?
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        attempt(&self.world, Operation::Rename, from, || {
            self.world.lock().change(|world, fate| world.rename(from, to, fate))?
        })
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        attempt(&self.world, Operation::Remove, path, || {
            self.world.lock().change(|world, fate| world.remove_file(path, fate))?
        })
    }

    fn remove_dir_all(&self, path: &Path) -> Result<(), DiskError> {
        attempt(&self.world, Operation::Remove, path, || {
            self.world.lock().change(|world, fate| world.remove_dir_all(path, fate))?
        })
    }

    fn sync_dir(&self, path: &Path) -> Result<(), DiskError> {
        attempt(&self.world, Operation::SyncDir, path, || {
            self.world.lock().change(|world, fate| world.sync_dir(path, fate))?
        })
    }
}

fn attempt<T>(
    world: &Mutex<World>,
    operation: Operation,
    path: &Path,
    body: impl FnOnce() -> io::Result<T>,
) -> Result<T, DiskError> {
    let before = world.lock().operations();
    let done = body();
    let mut world = world.lock();
    if world.operations() > before {
        world.note(operation, path);
    }
    done.map_err(|e| DiskError::new(operation, path, e))
}

/// A file of a [`CrashDisk`].
struct CrashFile {
    path: PathBuf,
    node: NodeId,
    writable: bool,
    world: Arc<Mutex<World>>,
}

impl CrashFile {
    fn change(
        &self,
        operation: Operation,
        body: impl FnOnce(&mut World, &mut Fate),
    ) -> Result<(), DiskError> {
        attempt(&self.world, operation, &self.path, || {
            if !self.writable && operation != Operation::Sync {
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    "the file is open for reading only",
                ));
            }
            self.world.lock().change(body)
        })
    }
}

impl fmt::Debug for CrashFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrashFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl DiskFile for CrashFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn len(&self) -> Result<u64, DiskError> {
        attempt(&self.world, Operation::Look, &self.path, || {
            let world = self.world.lock();
            world.running()?;
            Ok(world.file(self.node).len())
        })
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        attempt(&self.world, Operation::Read, &self.path, || {
            let world = self.world.lock();
            world.running()?;
            Ok(world.file(self.node).read(position, buffer))
        })
    }

    fn write_at(&self, position: u64, parts: &[IoSlice<'_>]) -> Result<(), DiskError> {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        self.change(Operation::Write, |world, fate| world.write(self.node, position, bytes, fate))
    }

    fn set_len(&self, len: u64) -> Result<(), DiskError> {
        self.change(Operation::SetLen, |world, fate| {
            if fate.happens() {
                world.set_len(self.node, len);
            }
        })
    }

    fn sync(&self) -> Result<(), DiskError> {
        self.change(Operation::Sync, |world, fate| {
            if fate.happens() {
                world.sync(self.node);
            }
        })
    }

    fn set_modified(&self, modified: SystemTime) -> Result<(), DiskError> {
        attempt(&self.world, Operation::SetTime, &self.path, || {
            let mut world = self.world.lock();
            world.running()?;
            world.set_modified(self.node, modified);
            Ok(())
        })
    }

    fn as_file(&self) -> Option<&File> {
        None
    }
}

/// The numbers by which a power loss or a cut operation decides.
fn chance(seed: u64, place: u64) -> Random {
    Random::branch(seed, place)
}

#[cfg(test)]
mod tests;
