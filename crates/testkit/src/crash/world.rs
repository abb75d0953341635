//! Everything there is on a simulated disk, and the moment at which it stops.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use disk::{Entry, Operation};

use super::names::{Names, NodeId};
use super::{Crash, chance};
use crate::Random;
use crate::content::Content;

/// A write is torn at multiples of this: what a disk puts down in one piece.
const SECTOR: u64 = 512;

/// What becomes of one operation.
#[derive(Debug)]
pub(super) enum Fate {
    /// It happens.
    Whole,
    /// The world stops in it, and chance decides how far it got.
    Cut(Random),
}

impl Fate {
    /// For an operation that happens or does not.
    pub(super) fn happens(&mut self) -> bool {
        self.part_of(1) == 1
    }

    /// How many of `steps` steps happen.
    fn part_of(&mut self, steps: u64) -> u64 {
        match self {
            Self::Whole => steps,
            Self::Cut(random) => match random.below(3) {
                0 => 0,
                1 => steps,
                _ => random.below(steps + 1),
            },
        }
    }
}

#[derive(Clone, Debug)]
enum Change {
    Write { position: u64, bytes: Vec<u8> },
    SetLen(u64),
}

impl Change {
    fn apply(&self, content: &mut Content) {
        match self {
            Self::Write { position, bytes } => content.write(*position, bytes),
            Self::SetLen(len) => content.set_len(*len),
        }
    }
}

#[derive(Clone, Debug)]
struct FileNode {
    now: Content,
    /// What surely outlives a power loss.
    synced: Content,
    /// What has happened since, oldest first.
    pending: Vec<Change>,
    modified: SystemTime,
}

impl FileNode {
    fn happen(&mut self, change: Change, now: SystemTime) {
        change.apply(&mut self.now);
        self.modified = now;
        self.pending.push(change);
    }

    fn sync(&mut self) {
        self.synced = self.now.clone();
        self.pending.clear();
    }

    /// The file that a power loss leaves.
    fn after_power_loss(&self, random: &mut Random) -> Self {
        let mut left = self.synced.clone();
        match random.below(4) {
            0 => {}
            1 => left = self.now.clone(),
            2 => {
                let kept = usize::try_from(random.below(self.pending.len() as u64 + 1)).expect("an index");
                self.pending[..kept].iter().for_each(|change| change.apply(&mut left));
                if let Some(Change::Write { position, bytes }) = self.pending.get(kept) {
                    let part = usize::try_from(random.below(bytes.len() as u64 + 1)).expect("a part of it");
                    left.write(*position, &bytes[..part]);
                }
            }
            _ => self.scatter(&mut left, random),
        }
        Self { now: left.clone(), synced: left, pending: Vec::new(), modified: self.modified }
    }

    /// Any sector of any write survives or not, and so does any size: a size that grew may stand over data that never
    /// came, which then reads as zeros or as what was there before.
    fn scatter(&self, left: &mut Content, random: &mut Random) {
        let mut len = left.len();
        let mut running = self.synced.clone();
        for change in &self.pending {
            change.apply(&mut running);
            if random.one_in(2) {
                len = running.len();
            }
            match change {
                Change::Write { position, bytes } => {
                    let mut at = 0;
                    while at < bytes.len() {
                        let to_boundary = SECTOR - (position + at as u64) % SECTOR;
                        let end = bytes.len().min(at + usize::try_from(to_boundary).expect("a sector"));
                        if random.one_in(2) {
                            left.write(position + at as u64, &bytes[at..end]);
                        }
                        at = end;
                    }
                }
                // A cut that survives takes the bytes with it; one that is lost leaves them.
                Change::SetLen(to) if random.one_in(2) => left.set_len(*to),
                Change::SetLen(_) => {}
            }
        }
        left.set_len(len);
    }
}

/// The disk.
#[derive(Clone, Debug)]
pub(super) struct World {
    seed: u64,
    cut: Option<u64>,
    operations: u64,
    stopped: Option<u64>,
    time: SystemTime,
    names: Names,
    files: HashMap<NodeId, FileNode>,
    /// What each operation was.
    journal: Vec<(Operation, PathBuf)>,
}

impl World {
    pub(super) fn new(seed: u64, cut: Option<u64>) -> Self {
        Self {
            seed,
            cut,
            operations: 0,
            stopped: None,
            time: SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000_000_000),
            names: Names::new(),
            files: HashMap::new(),
            journal: Vec::new(),
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn operations(&self) -> u64 {
        self.operations
    }

    pub(super) fn journal(&self) -> &[(Operation, PathBuf)] {
        &self.journal
    }

    /// Notes what the last operation was.
    pub(super) fn note(&mut self, operation: Operation, path: &Path) {
        self.journal.push((operation, path.to_owned()));
    }

    pub(super) fn stopped(&self) -> Option<u64> {
        self.stopped
    }

    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    pub(super) fn set_time(&mut self, time: SystemTime) {
        self.time = time;
    }

    pub(super) fn cut_after(&mut self, further: u64) {
        self.cut = Some(self.operations + further);
    }

    /// An error once the world has stopped.
    pub(super) fn running(&self) -> io::Result<()> {
        match self.stopped {
            None => Ok(()),
            Some(operation) => {
                let why = format!("the disk stopped at operation {operation} (seed {})", self.seed);
                Err(io::Error::other(why))
            }
        }
    }

    /// Runs one operation that counts. `body` does as much as its fate allows; when that was the cut, the caller hears an
    /// error whatever happened.
    pub(super) fn change<T>(&mut self, body: impl FnOnce(&mut Self, &mut Fate) -> T) -> io::Result<T> {
        self.running()?;
        let number = self.operations;
        self.operations += 1;
        if self.cut != Some(number) {
            return Ok(body(self, &mut Fate::Whole));
        }
        body(self, &mut Fate::Cut(chance(self.seed, number)));
        self.stopped = Some(number);
        Err(self.running().expect_err("it has just stopped"))
    }

    pub(super) fn entry(&self, name: &str, node: NodeId) -> Entry {
        let (is_dir, len, modified) = match self.files.get(&node) {
            Some(file) => (false, file.now.len(), file.modified),
            None => (true, 0, self.time),
        };
        Entry { name: name.to_owned(), is_dir, len, modified }
    }

    pub(super) fn file(&self, node: NodeId) -> &Content {
        &self.files[&node].now
    }

    fn file_mut(&mut self, node: NodeId) -> &mut FileNode {
        self.files.get_mut(&node).expect("a file stays as long as the world, even without a name")
    }

    pub(super) fn create(&mut self, parent: NodeId, name: String) -> NodeId {
        let node = self.names.create(parent, name, false);
        let (now, synced, pending) = (Content::default(), Content::default(), Vec::new());
        self.files.insert(node, FileNode { now, synced, pending, modified: self.time });
        node
    }

    pub(super) fn write(&mut self, node: NodeId, position: u64, mut bytes: Vec<u8>, fate: &mut Fate) {
        let part = fate.part_of(bytes.len() as u64);
        bytes.truncate(usize::try_from(part).expect("a part of it"));
        if !bytes.is_empty() {
            let time = self.time;
            self.file_mut(node).happen(Change::Write { position, bytes }, time);
        }
    }

    pub(super) fn set_modified(&mut self, node: NodeId, modified: SystemTime) {
        self.file_mut(node).modified = modified;
    }

    pub(super) fn set_len(&mut self, node: NodeId, len: u64) {
        let time = self.time;
        self.file_mut(node).happen(Change::SetLen(len), time);
    }

    pub(super) fn sync(&mut self, node: NodeId) {
        self.file_mut(node).sync();
    }

    pub(super) fn create_dir_all(&mut self, path: &Path, fate: &mut Fate) -> io::Result<()> {
        let mut missing: Vec<PathBuf> = Vec::new();
        for above in path.ancestors() {
            match self.names.find(above)? {
                Some(node) if self.names.is_dir(node) => break,
                Some(_) => return Err(io::ErrorKind::AlreadyExists.into()),
                None => missing.push(above.to_owned()),
            }
        }
        for _ in 0..fate.part_of(missing.len() as u64) {
            let (parent, name) = self.names.place(&missing.pop().expect("as many as were missing"))?;
            self.names.create(parent, name, true);
        }
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path, fate: &mut Fate) -> io::Result<()> {
        let node = self.names.find(from)?.ok_or(io::ErrorKind::NotFound)?;
        let (source, target) = (self.names.place(from)?, self.names.place(to)?);
        if to != from && to.starts_with(from) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a directory cannot move into itself"));
        }
        if let Some(replaced) = self.names.find(to)? {
            if replaced == node {
                return Ok(());
            }
            let in_the_way = self.names.children(replaced).map(Iterator::count);
            match (self.names.is_dir(node), in_the_way) {
                (false, None) | (true, Some(0)) => {}
                (true, Some(_)) => return Err(io::ErrorKind::DirectoryNotEmpty.into()),
                (true, None) => return Err(io::ErrorKind::NotADirectory.into()),
                (false, Some(_)) => return Err(io::ErrorKind::IsADirectory.into()),
            }
        }
        if fate.happens() {
            self.names.rename(source, target, node);
        }
        Ok(())
    }

    pub(super) fn remove_file(&mut self, path: &Path, fate: &mut Fate) -> io::Result<()> {
        let node = self.names.find(path)?.ok_or(io::ErrorKind::NotFound)?;
        if self.names.is_dir(node) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let (parent, name) = self.names.place(path)?;
        if fate.happens() {
            self.names.unlink(parent, &name, node);
        }
        Ok(())
    }

    pub(super) fn remove_dir_all(&mut self, path: &Path, fate: &mut Fate) -> io::Result<()> {
        let node = self.names.find(path)?.ok_or(io::ErrorKind::NotFound)?;
        let (parent, name) = self.names.place(path)?;
        if !self.names.is_dir(node) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let mut below = Vec::new();
        self.below(node, &mut below);
        below.push((parent, name, node));
        let part = usize::try_from(fate.part_of(below.len() as u64)).expect("a part of it");
        for (dir, name, node) in below.drain(..part) {
            self.names.unlink(dir, &name, node);
        }
        Ok(())
    }

    /// All that lies below a directory, in an order in which it can be removed.
    fn below(&self, directory: NodeId, found: &mut Vec<(NodeId, String, NodeId)>) {
        for (name, node) in self.names.children(directory).into_iter().flatten() {
            self.below(node, found);
            found.push((directory, name.to_owned(), node));
        }
    }

    pub(super) fn sync_dir(&mut self, path: &Path, fate: &mut Fate) -> io::Result<()> {
        let directory = self.names.find(path)?.ok_or(io::ErrorKind::NotFound)?;
        if !self.names.is_dir(directory) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        if fate.happens() {
            self.names.sync(directory);
        }
        Ok(())
    }

    pub(super) fn settle(&mut self) {
        self.names.settle();
        self.files.values_mut().for_each(FileNode::sync);
    }

    pub(super) fn after(&self, crash: Crash, seed: u64) -> Self {
        let mut world = self.clone();
        world.seed = seed;
        world.cut = None;
        world.stopped = None;
        world.operations = 0;
        world.journal.clear();
        if crash == Crash::PowerLoss {
            let mut random = chance(seed, u64::MAX ^ self.operations);
            world.names = self.names.after_power_loss(&mut random);
            // In order of age, so that the seed alone decides.
            let mut nodes: Vec<&NodeId> = self.files.keys().collect();
            nodes.sort();
            for node in nodes {
                world.files.insert(*node, self.files[node].after_power_loss(&mut random));
            }
        }
        world
    }
}
