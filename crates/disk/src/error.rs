//! What can go wrong with a file.

use std::borrow::Cow;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What was being done when a file operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name is the whole of what there is to say")]
pub enum Operation {
    Open,
    List,
    Look,
    CreateDir,
    Rename,
    Remove,
    SyncDir,
    Read,
    Write,
    SetLen,
    Sync,
    SetTime,
    Lock,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::List => "list",
            Self::Look => "look at",
            Self::CreateDir => "make the directory",
            Self::Rename => "rename",
            Self::Remove => "remove",
            Self::SyncDir => "sync the directory",
            Self::Read => "read",
            Self::Write => "write",
            Self::SetLen => "set the length of",
            Self::Sync => "sync",
            Self::SetTime => "set the time of",
            Self::Lock => "lock",
        })
    }
}

/// A file operation that failed: which one, on which path, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {}: {source}{}", path.display(), self.advice())]
pub struct DiskError {
    /// What was being done.
    pub operation: Operation,
    /// To which file or directory.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

impl DiskError {
    /// An error of `operation` on `path`.
    #[must_use]
    pub fn new(operation: Operation, path: &Path, source: io::Error) -> Self {
        Self { operation, path: path.to_owned(), source }
    }

    /// Whether the cause is that nothing stands at the path.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }

    /// Whether the process, or the machine, has too many files open (`EMFILE`, `ENFILE`): then nothing was done, and it may
    /// be tried again. The standard library has no kind for them.
    #[must_use]
    pub fn is_too_many_files(&self) -> bool {
        matches!(self.source.raw_os_error(), Some(23 | 24))
    }

    /// What the operator can do about it, where that is the same for every file.
    fn advice(&self) -> Cow<'static, str> {
        if self.is_too_many_files() {
            "; raise the limit of open files (`ulimit -n`, LimitNOFILE=)".into()
        } else if self.source.kind() == io::ErrorKind::ReadOnlyFilesystem {
            "; remount the file system read-write".into()
        } else if self.source.kind() == io::ErrorKind::PermissionDenied {
            whose(&self.path).into()
        } else {
            "".into()
        }
    }

    pub(crate) fn too_large(path: &Path, len: u64, limit: u64) -> Self {
        let why = format!("{len} bytes are more than the {limit} that such a file may have");
        Self::new(Operation::Read, path, io::Error::new(io::ErrorKind::FileTooLarge, why))
    }
}

/// To whom belongs what stands in the way, and who asks: a volume of a container often is another user's.
fn whose(path: &Path) -> String {
    let found = path.ancestors().find_map(|path| Some((path, fs::metadata(path).ok()?)));
    found.map_or_else(String::new, |(path, metadata)| {
        let (owner, group, mode) = (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777);
        let me = rustix::process::geteuid();
        format!(
            "; {} belongs to user {owner} and group {group} (mode {mode:o}), and this process runs as user {me}: give it to \
             that user, or run as its owner",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_done_is_said() {
        let said =
            |code| DiskError::new(Operation::Open, Path::new("/d/f"), io::Error::from_raw_os_error(code));
        assert!(said(24).is_too_many_files() && said(24).to_string().contains("ulimit -n"));
        assert!(said(23).is_too_many_files() && !said(5).is_too_many_files());
        assert!(said(30).to_string().ends_with("; remount the file system read-write"));
        let denied = said(13).to_string();
        assert!(denied.contains("; / belongs to user 0 and group 0"), "the nearest that is there: {denied}");
        assert!(said(5).to_string().ends_with("(os error 5)"));
    }
}
