//! The names on a simulated disk: what they are now, and what a power loss would leave of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Component, Path};

use crate::Random;

/// A file or directory, whatever its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct NodeId(u64);

/// The root directory, which is always there.
const ROOT: NodeId = NodeId(0);

type Tree = HashMap<NodeId, BTreeMap<String, NodeId>>;

/// One change of names that a power loss may still take back.
#[derive(Clone, Debug)]
enum Change {
    Link { dir: NodeId, name: String, node: NodeId },
    Unlink { dir: NodeId, name: String, node: NodeId },
    Move { from: (NodeId, String), to: (NodeId, String), node: NodeId },
}

impl Change {
    fn touches(&self, directory: NodeId) -> bool {
        match self {
            Self::Link { dir, .. } | Self::Unlink { dir, .. } => *dir == directory,
            Self::Move { from, to, .. } => from.0 == directory || to.0 == directory,
        }
    }

    /// The file or directory it is about.
    fn node(&self) -> NodeId {
        match self {
            Self::Link { node, .. } | Self::Unlink { node, .. } | Self::Move { node, .. } => *node,
        }
    }

    /// The places whose meaning it changes.
    fn places(&self) -> Vec<(NodeId, String)> {
        match self {
            Self::Link { dir, name, .. } | Self::Unlink { dir, name, .. } => vec![(*dir, name.clone())],
            Self::Move { from, to, .. } => vec![from.clone(), to.clone()],
        }
    }

    fn apply(&self, tree: &mut Tree) {
        match self {
            Self::Link { dir, name, node } => {
                tree.entry(*dir).or_default().insert(name.clone(), *node);
            }
            Self::Unlink { dir, name, .. } => {
                tree.entry(*dir).or_default().remove(name);
            }
            Self::Move { from, to, node } => {
                tree.entry(from.0).or_default().remove(&from.1);
                tree.entry(to.0).or_default().insert(to.1.clone(), *node);
            }
        }
    }
}

/// Adds to the chosen changes those earlier ones without which they could not have reached the medium: the ones about the
/// same file or the same place. Nothing else orders changes.
fn with_what_they_rest_on(changes: &[Change], mut chosen: Vec<bool>) -> Vec<bool> {
    let mut nodes = HashSet::new();
    let mut places = HashSet::new();
    for (change, chosen) in changes.iter().zip(&mut chosen).rev() {
        let at = change.places();
        *chosen |= nodes.contains(&change.node()) || at.iter().any(|place| places.contains(place));
        if *chosen {
            nodes.insert(change.node());
            places.extend(at);
        }
    }
    chosen
}

/// Which directory holds which names.
#[derive(Clone, Debug)]
pub(super) struct Names {
    next: u64,
    now: Tree,
    /// What surely outlives a power loss.
    durable: Tree,
    /// What has happened since, oldest first.
    pending: Vec<Change>,
    directories: HashSet<NodeId>,
}

impl Names {
    pub(super) fn new() -> Self {
        let tree = Tree::from([(ROOT, BTreeMap::new())]);
        Self {
            next: 1,
            now: tree.clone(),
            durable: tree,
            pending: Vec::new(),
            directories: HashSet::from([ROOT]),
        }
    }

    pub(super) fn is_dir(&self, node: NodeId) -> bool {
        self.directories.contains(&node)
    }

    /// What stands at `path`, if anything does.
    pub(super) fn find(&self, path: &Path) -> io::Result<Option<NodeId>> {
        let mut at = ROOT;
        for name in components(path)? {
            let Some(names) = self.now.get(&at) else { return Err(io::ErrorKind::NotADirectory.into()) };
            match names.get(&name) {
                Some(node) => at = *node,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// The directory that would hold `path`, and the name there.
    pub(super) fn place(&self, path: &Path) -> io::Result<(NodeId, String)> {
        let mut names = components(path)?;
        let name = names.pop().ok_or(io::ErrorKind::InvalidInput)?;
        let parent =
            self.find(&names.iter().collect::<std::path::PathBuf>())?.ok_or(io::ErrorKind::NotFound)?;
        if self.is_dir(parent) { Ok((parent, name)) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// The names in a directory, sorted; `None` when it is a file.
    pub(super) fn children(&self, directory: NodeId) -> Option<impl Iterator<Item = (&str, NodeId)>> {
        Some(self.now.get(&directory)?.iter().map(|(name, node)| (name.as_str(), *node)))
    }

    /// Makes a file or directory.
    pub(super) fn create(&mut self, dir: NodeId, name: String, is_dir: bool) -> NodeId {
        let node = NodeId(self.next);
        self.next += 1;
        if is_dir {
            self.directories.insert(node);
            self.now.insert(node, BTreeMap::new());
            self.durable.insert(node, BTreeMap::new());
        }
        self.happen(Change::Link { dir, name, node });
        node
    }

    /// Takes a name away. The names inside a directory must be gone.
    pub(super) fn unlink(&mut self, dir: NodeId, name: &str, node: NodeId) {
        self.happen(Change::Unlink { dir, name: name.to_owned(), node });
    }

    /// Renames; what stood at `to` is replaced.
    pub(super) fn rename(&mut self, from: (NodeId, String), to: (NodeId, String), node: NodeId) {
        self.happen(Change::Move { from, to, node });
    }

    fn happen(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.pending.push(change);
    }

    /// What happened in this directory outlives a power loss from now on. A move between two directories is one change.
    pub(super) fn sync(&mut self, directory: NodeId) {
        let chosen = self.pending.iter().map(|change| change.touches(directory)).collect();
        let chosen = with_what_they_rest_on(&self.pending, chosen);
        let mut chosen = chosen.into_iter();
        for change in self.pending.extract_if(.., |_| chosen.next().expect("one answer per change")) {
            change.apply(&mut self.durable);
        }
    }

    /// Makes all of it durable.
    pub(super) fn settle(&mut self) {
        self.durable = self.now.clone();
        self.pending.clear();
    }

    /// The names that a power loss leaves.
    pub(super) fn after_power_loss(&self, random: &mut Random) -> Self {
        let mut tree = self.durable.clone();
        let kind = random.below(4);
        let kept = random.below(self.pending.len() as u64 + 1);
        let chosen = (0..self.pending.len() as u64).map(|index| match kind {
            0 => false,
            1 => true,
            2 => index < kept,
            _ => random.one_in(2),
        });
        let chosen = with_what_they_rest_on(&self.pending, chosen.collect());
        for (change, _) in self.pending.iter().zip(chosen).filter(|(_, chosen)| *chosen) {
            change.apply(&mut tree);
        }
        let mut left = self.clone();
        left.now = tree;
        left.settle();
        left
    }
}

/// The names on the way to `path`, from the root.
fn components(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) => names.push(name.to_string_lossy().into_owned()),
            Component::ParentDir | Component::Prefix(_) => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "the crashing disk knows no `..`"));
            }
        }
    }
    Ok(names)
}
