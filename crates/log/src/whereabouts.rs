//! Where the files of one segment are by now.
//!
//! A segment's files change their names while readers use them: those of a compaction's output lose their suffix, those
//! that it replaces, and those that retention takes away, get one. Who opens a file by its name holds the name still
//! meanwhile, so nobody is given a file of another segment. Nothing is awaited under this lock but a rename.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::Offset;
use disk::{Disk, DiskError, DiskFile, OpenHow};
use parking_lot::RwLock;

use crate::error::LogError;
use crate::names::{FileName, Kind, Parked};
use crate::place::Place;

/// The kinds of file that belong to one segment alone: all but the producer snapshots.
pub(crate) const OWN: [Kind; 4] = [Kind::Log, Kind::Index, Kind::TimeIndex, Kind::TxnIndex];

/// Where the files of one segment are. Shared by the segment and its indexes.
#[derive(Debug)]
pub(crate) struct Whereabouts {
    pub(crate) place: Arc<Place>,
    base: Offset,
    /// The second suffix of each of [`OWN`].
    suffixes: RwLock<[Option<Parked>; OWN.len()]>,
}

fn at(kind: Kind) -> usize {
    OWN.iter().position(|own| *own == kind).expect("a snapshot is no file of a segment")
}

impl Whereabouts {
    /// The files of the segment at `base`, all with the same second suffix.
    pub(crate) fn new(place: &Arc<Place>, base: Offset, parked: Option<Parked>) -> Arc<Self> {
        let suffixes = RwLock::new([parked; OWN.len()]);
        Arc::new(Self { place: Arc::clone(place), base, suffixes })
    }

    fn name(&self, kind: Kind, parked: Option<Parked>) -> PathBuf {
        self.place.path(FileName { offset: self.base, kind, parked })
    }

    /// The path of now, to speak of; it may change at any time.
    pub(crate) fn path(&self, kind: Kind) -> PathBuf {
        let parked = self.suffixes.read()[at(kind)];
        self.name(kind, parked)
    }

    /// Does `work` with a file's path, which stays as it is meanwhile.
    pub(crate) fn at<T>(&self, kind: Kind, work: impl FnOnce(&dyn Disk, &Path) -> T) -> T {
        let suffixes = self.suffixes.read();
        work(&*self.place.disk, &self.name(kind, suffixes[at(kind)]))
    }

    /// Opens a file.
    pub(crate) fn open(&self, kind: Kind, how: OpenHow) -> Result<Arc<dyn DiskFile>, DiskError> {
        let suffixes = self.suffixes.read();
        self.place.open(&self.name(kind, suffixes[at(kind)]), how)
    }

    /// Gives a file another second suffix, and says what it is called now; `None` when there is no such file.
    pub(crate) fn rename(&self, kind: Kind, to: Option<Parked>) -> Result<Option<PathBuf>, LogError> {
        let mut suffixes = self.suffixes.write();
        let suffix = &mut suffixes[at(kind)];
        let (from, path) = (self.name(kind, *suffix), self.name(kind, to));
        match self.place.disk.rename(&from, &path) {
            Ok(()) => {
                *suffix = to;
                Ok(Some(path))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
