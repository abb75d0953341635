//! Where a log lies: a directory on a disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::Disk;

use crate::names::FileName;
use crate::segment::OpenFiles;

/// A log's directory, and the disk it is on.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    /// Which sealed segments have their files open.
    pub(crate) open_files: OpenFiles,
}

impl Place {
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: &Path) -> Self {
        Self { disk, dir: dir.to_owned(), open_files: OpenFiles::default() }
    }

    pub(crate) fn path(&self, name: FileName) -> PathBuf {
        self.dir.join(name.to_string())
    }
}
