//! Writing small files without syncing their directory each time.

use std::ffi::OsString;
use std::io::IoSlice;
use std::path::{Path, PathBuf};

use disk::{Disk, DiskError, OpenHow};

/// Replaces the content of `path`, whole or not at all: as `disk::write_atomically`, but the name is only on disk for
/// good once the caller has synced the directory. Until then a power loss may bring the old content back.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let mut temporary = OsString::from(path);
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let file = disk.open(&temporary, OpenHow::Write)?;
    file.set_len(0)?;
    file.write_at(0, &[IoSlice::new(bytes)])?;
    file.sync()?;
    disk.rename(&temporary, path)
}
