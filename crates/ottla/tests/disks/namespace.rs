//! A mount namespace of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{BINARY, wrapper};

/// A mount namespace in which a directory is a tmpfs with what was in it. It goes with this value.
pub(crate) struct Namespace {
    holder: Child,
}

impl Namespace {
    /// The tmpfs holds `megabytes`.
    pub(crate) fn with_tmpfs(directory: &Path, megabytes: u32) -> Self {
        let script = "cp -a \"$1\" \"$1.saved\" && mount -t tmpfs -o \"size=$2m\" none \"$1\" \
            && cp -a \"$1.saved/.\" \"$1\" && rm -r \"$1.saved\" && echo mounted && exec cat";
        let mut holder = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c", script, "sh"])
            .arg(directory)
            .arg(megabytes.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "mounted\n", "a tmpfs can be mounted in a user namespace");
        Self { holder }
    }

    /// What a path within is called from outside.
    pub(crate) fn seen_from_outside(&self, path: &Path) -> PathBuf {
        format!("/proc/{}/root{}", self.holder.id(), path.display()).into()
    }

    /// A program that runs the broker within the namespace.
    pub(crate) fn broker(&self, at: &Path) -> PathBuf {
        wrapper(&format!("exec {} {BINARY}", self.enter().join(" ")), at)
    }

    /// Runs `mount` within, for `directory`.
    pub(crate) fn mount(&self, arguments: &[&str], directory: &Path) {
        let enter = self.enter();
        let status =
            Command::new(&enter[0]).args(&enter[1..]).arg("mount").args(arguments).arg(directory).status();
        assert!(status.unwrap().success(), "mount {arguments:?} {}", directory.display());
    }

    fn enter(&self) -> Vec<String> {
        let pid = self.holder.id().to_string();
        ["nsenter", "--target", &pid, "--user", "--mount", "--preserve-credentials"].map(str::to_owned).into()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _gone = self.holder.kill();
        let _status = self.holder.wait();
    }
}
