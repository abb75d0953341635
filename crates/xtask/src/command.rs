//! Running other programs, and saying so.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The checkout, as `cargo metadata` describes it.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Its top directory.
    pub(crate) root: PathBuf,
    /// Where builds go.
    pub(crate) target: PathBuf,
    /// The metadata itself.
    pub(crate) metadata: Value,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn find() -> io::Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let output = Command::new(cargo())
            .args(["metadata", "--format-version=1", "--no-deps"])
            .current_dir(here)
            .stderr(Stdio::inherit())
            .output()?;
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let path = |key: &str| match metadata[key].as_str() {
            Some(path) => Ok(PathBuf::from(path)),
            None => Err(io::Error::other(format!("cargo metadata has no {key}"))),
        };
        Ok(Self { root: path("workspace_root")?, target: path("target_directory")?, metadata })
    }

    /// A program to be run at the top of the checkout.
    pub(crate) fn run(&self, program: impl AsRef<OsStr>) -> Run {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        Run { command, shown: Vec::new() }
    }

    /// Cargo.
    pub(crate) fn cargo(&self) -> Run {
        self.run(cargo())
    }

    /// Files that git knows or would take, relative to the top.
    pub(crate) fn files(&self) -> io::Result<Vec<PathBuf>> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&self.root)
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(io::Error::other("git cannot list the files"));
        }
        let listed = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut files: Vec<PathBuf> = listed.split_terminator('\0').map(PathBuf::from).collect();
        // A file that was removed but not yet committed is still listed.
        files.retain(|file| self.root.join(file).is_file());
        files.sort();
        files.dedup();
        Ok(files)
    }
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Whether this runs in CI, where nothing may change under way.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some()
}

/// Whether `program arguments...` can be run and succeeds; what it prints is dropped.
pub(crate) fn can_run(program: &str, arguments: &[&str]) -> bool {
    let mut run = Command::new(program);
    run.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    run.status().is_ok_and(|status| status.success())
}

/// The first line that `program arguments...` prints, when it succeeds.
pub(crate) fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}

/// A program about to be run.
#[derive(Debug)]
pub(crate) struct Run {
    command: Command,
    /// What is set for it, as one would type it.
    shown: Vec<String>,
}

impl Run {
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.shown.push(format!("{name}={}", quoted(value.as_ref())));
        self.command.env(name, value);
        self
    }

    /// Runs it in this directory instead of the top of the checkout.
    pub(crate) fn within(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self.shown.insert(0, format!("cd {};", quoted(directory.as_os_str())));
        self
    }

    /// What one would type at the top of the checkout to do the same.
    pub(crate) fn line(&self) -> String {
        let program = Path::new(self.command.get_program());
        let program = match program.file_stem() {
            Some(stem) if stem == "cargo" => stem.to_owned(),
            _ => program.as_os_str().to_owned(),
        };
        let words = std::iter::once(program.as_os_str()).chain(self.command.get_args()).map(quoted);
        self.shown.iter().cloned().chain(words).collect::<Vec<_>>().join(" ")
    }

    /// Runs it. False when it fails or cannot be run, which is said.
    pub(crate) fn succeeds(mut self) -> bool {
        self.announce();
        let status = self.command.stdin(Stdio::null()).status();
        self.judge(status)
    }

    /// Runs it, and gives what it writes to its standard output; `None` when it fails, which is said.
    pub(crate) fn output(mut self) -> Option<Vec<u8>> {
        self.announce();
        match self.command.stdin(Stdio::null()).stderr(Stdio::inherit()).output() {
            Ok(output) => self.judge(Ok(output.status)).then_some(output.stdout),
            Err(why) => {
                self.judge(Err(why));
                None
            }
        }
    }

    /// Runs it, and keeps what it writes to its standard output.
    pub(crate) fn output_kept(mut self, said: &mut Vec<u8>) -> bool {
        self.announce();
        let output = self.command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let status = output.map(|output| {
            *said = output.stdout;
            output.status
        });
        self.judge(status)
    }

    /// Runs it, and hands each line of its standard output to `line` besides printing it.
    pub(crate) fn succeeds_with(mut self, mut line: impl FnMut(&str)) -> bool {
        self.announce();
        let child = self.command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let status = child.and_then(|mut child| {
            let output = child.stdout.take().expect("it is piped");
            for bytes in BufReader::new(output).split(b'\n') {
                let text = String::from_utf8_lossy(&bytes?).into_owned();
                println!("{text}");
                line(&text);
            }
            child.wait()
        });
        self.judge(status)
    }

    fn announce(&self) {
        println!("$ {}", self.line());
        let _unbuffered = io::stdout().flush();
    }

    fn judge(&self, status: io::Result<std::process::ExitStatus>) -> bool {
        match status {
            Ok(status) if status.success() => true,
            Ok(_) => false,
            Err(why) => {
                println!("cannot run {}: {why}", self.command.get_program().display());
                false
            }
        }
    }
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy().into_owned();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word
    } else if word.chars().any(char::is_control) {
        // As bash takes it.
        let shown = |c: char| match c {
            '\\' | '\'' => format!("\\{c}"),
            c if c.is_ascii_control() => format!("\\x{:02x}", u32::from(c)),
            c => c.to_string(),
        };
        format!("$'{}'", word.chars().map(shown).collect::<String>())
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Run {
        Run { command: Command::new("sh"), shown: Vec::new() }.args(["-c", script])
    }

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let run = Run { command: Command::new("/opt/bin/cargo"), shown: Vec::new() };
        let run = run.env("RUSTDOCFLAGS", "-D warnings").args(["doc", "it's", "", "-C\x1fit's"]);
        assert_eq!(run.line(), r"RUSTDOCFLAGS='-D warnings' cargo doc 'it'\''s' '' $'-C\x1fit\'s'");
    }

    #[test]
    fn success_and_failure() {
        assert!(shell("exit 0").succeeds());
        assert!(!shell("exit 3").succeeds());
        let mut lines = Vec::new();
        assert!(!shell("echo a; echo b; exit 1").succeeds_with(|line| lines.push(line.to_owned())));
        assert_eq!(lines, ["a", "b"]);
        assert_eq!(shell("printf ab").output(), Some(b"ab".to_vec()));
        assert_eq!(shell("printf ab; exit 1").output(), None);
        let missing = Run { command: Command::new("no-such-program-here"), shown: Vec::new() };
        assert!(!missing.succeeds());
    }
}
