//! Where a log lies: a directory on a disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::{Disk, DiskError, DiskFile, OpenHow};

use crate::commons::Commons;
use crate::names::FileName;

/// A log's directory, and the disk it is on.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) commons: Arc<Commons>,
}

impl Place {
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: &Path, commons: Arc<Commons>) -> Self {
        Self { disk, dir: dir.to_owned(), commons }
    }

    pub(crate) fn path(&self, name: FileName) -> PathBuf {
        self.dir.join(name.to_string())
    }

    /// Opens a file of a segment, also when others must be closed for it.
    pub(crate) fn open(&self, path: &Path, how: OpenHow) -> Result<Arc<dyn DiskFile>, DiskError> {
        self.commons.open_files.open(&*self.disk, path, how)
    }
}
