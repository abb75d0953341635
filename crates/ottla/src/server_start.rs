//! `kafka-server-start.sh FILE [--override KEY=VALUE]...` (Kafka: `Kafka.getPropsFromArgs`).

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::arguments::ServeArguments;

const USAGE: &str = "USAGE: kafka-server-start.sh server.properties [--override property=value]*";

/// Why no broker is started.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unstarted {
    /// `--version`.
    Version,
    /// The command line is wrong.
    Usage(String),
}

impl Unstarted {
    /// Says it, and gives the exit code.
    pub(crate) fn tell(&self) -> ExitCode {
        match self {
            Self::Version => {
                let _ = writeln!(io::stdout(), "ottla {}", env!("CARGO_PKG_VERSION"));
                ExitCode::SUCCESS
            }
            Self::Usage(why) => {
                let _ = writeln!(io::stderr(), "{why}{}{USAGE}", if why.is_empty() { "" } else { "\n" });
                ExitCode::FAILURE
            }
        }
    }
}

/// What the words behind the program's name ask for.
///
/// # Errors
/// When no broker is to be started.
pub(crate) fn read(words: impl Iterator<Item = OsString>) -> Result<ServeArguments, Unstarted> {
    let usage = |why: String| Err(Unstarted::Usage(why));
    let words: Result<Vec<_>, _> = words.map(OsString::into_string).collect();
    let Ok(words) = words else { return usage("the command line is no UTF-8".to_owned()) };
    if words.iter().any(|word| word == "--version") {
        return Err(Unstarted::Version);
    }
    let mut words = words.into_iter();
    let file = match words.next() {
        Some(word) if word == "-daemon" => {
            return usage("-daemon is not supported: run it in the background instead".to_owned());
        }
        Some(file) if !file.starts_with("--") => PathBuf::from(file),
        _ => return usage(String::new()),
    };
    let mut overrides = Vec::new();
    while let Some(word) = words.next() {
        let pair = match word.split_once('=') {
            _ if word == "--override" => words.next(),
            Some(("--override", pair)) => Some(pair.to_owned()),
            _ if word.starts_with('-') => return usage(format!("{word} is not a recognized option")),
            _ => return usage(format!("Found non argument parameters: {word}")),
        };
        let Some(pair) = pair else { return usage("Option override requires an argument".to_owned()) };
        match pair.parse() {
            Ok(pair) => overrides.push(pair),
            Err(why) => return usage(format!("--override {pair}: {why}")),
        }
    }
    Ok(ServeArguments::as_kafka(file, overrides))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<ServeArguments, Unstarted> {
        super::read(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn a_file_and_overrides() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("server.properties");
        let text = "process.roles=broker,controller\nnode.id=1\ncontroller.listener.names=C\n\
                    listeners=PLAINTEXT://:1,C://:2\ncontroller.quorum.voters=1@h:2\nnum.partitions=2\n";
        std::fs::write(&file, text).expect("written");
        let line = format!("{} --override num.partitions=5 --override=log.dirs=/a=b", file.display());
        let (settings, _) = read(&line).expect("understood").settings().expect("sound");
        assert_eq!((settings.num_partitions(), settings.data_dir().expect("one")), (5, "/a=b".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, named) in [
            ("", ""),
            ("--override a=b", ""),
            ("-daemon f", "-daemon"),
            ("f more", "more"),
            ("f --override", "requires"),
            ("f --override a", "KEY=VALUE"),
            ("f --frobnicate", "--frobnicate"),
        ] {
            match read(line) {
                Err(Unstarted::Usage(why)) => assert!(why.contains(named), "{line}: {why}"),
                other => panic!("{line}: {other:?}"),
            }
        }
        assert!(matches!(read("--version"), Err(Unstarted::Version)));
    }
}
