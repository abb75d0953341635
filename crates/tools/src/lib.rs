//! Kafka's command line tools, as far as people call them in health checks, init containers and at a terminal: under
//! Kafka's names they take Kafka's flags, print what Kafka 4.1.1's tools print and end with their exit codes; as
//! commands of `ottla` they have friendlier defaults.
//!
//! # Where they differ from Kafka's
//! - A flag that is Kafka's but not supported here is refused by name, and so is a word that belongs to no flag, which
//!   Kafka's tools pass over.
//! - `kafka-configs.sh` describes users without SCRAM credentials, where Kafka's ends with an error if the broker has none,
//!   and `kafka-delete-records.sh` tells at once of a partition that is not there, where Kafka's waits for it.
//! - Where a broker's answer brings no message of its own, the name of Kafka's error code is shown. No stack traces.
//! - Regular expressions are those of the `regex` crates: without look-around and back-references.
//! - Only PLAINTEXT; `--command-config` and the like refuse another `security.protocol`.
//! - As commands of `ottla`: `--bootstrap-server` defaults to 127.0.0.1:9092, a broker that is not there is told within
//!   seconds instead of a minute, `--help` is no error.

mod all_groups;
mod call;
mod cluster;
mod configs;
mod consumer;
mod elections;
mod features;
mod groups;
mod health;
mod java;
mod json;
mod log_dirs;
mod moment;
mod offsets;
mod options;
mod pattern;
mod producer;
mod properties;
mod quorum;
mod records;
mod topics;
mod versions;

use std::ffi::OsString;
use std::io::{BufRead, Write};

pub use health::health;

use call::{Call, Failure};
use options::{Declaration, Options};

/// Where a tool reads and writes.
pub struct Streams<'a> {
    /// Standard input; read by a thread of its own.
    pub input: Box<dyn BufRead + Send>,
    /// Standard output; should be buffered.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
}

/// Under which name a tool was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// `kafka-topics.sh`.
    Kafkas,
    /// `ottla topics`.
    Ours,
}

/// One of the tools.
#[derive(Debug)]
pub struct Tool {
    /// Kafka's name for it, without `.sh`.
    name: &'static str,
    /// Ours, behind `ottla`, if it has one.
    verb: Option<&'static str>,
    declaration: &'static Declaration,
    run: fn(&mut Call<'_>) -> Result<(), Failure>,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "kafka-console-producer",
        verb: Some("produce"),
        declaration: &producer::DECLARATION,
        run: producer::run,
    },
    Tool { name: "kafka-topics", verb: Some("topics"), declaration: &topics::DECLARATION, run: topics::run },
    Tool {
        name: "kafka-console-consumer",
        verb: Some("consume"),
        declaration: &consumer::DECLARATION,
        run: consumer::run,
    },
    Tool {
        name: "kafka-configs",
        verb: Some("configs"),
        declaration: &configs::DECLARATION,
        run: configs::run,
    },
    Tool {
        name: "kafka-consumer-groups",
        verb: Some("groups"),
        declaration: &groups::DECLARATION,
        run: groups::run,
    },
    Tool {
        name: "kafka-get-offsets",
        verb: Some("offsets"),
        declaration: &offsets::DECLARATION,
        run: offsets::run,
    },
    Tool {
        name: "kafka-broker-api-versions",
        verb: Some("api-versions"),
        declaration: &versions::DECLARATION,
        run: versions::run,
    },
    Tool { name: "kafka-groups", verb: None, declaration: &all_groups::DECLARATION, run: all_groups::run },
    Tool { name: "kafka-cluster", verb: None, declaration: &cluster::DECLARATION, run: cluster::run },
    Tool { name: "kafka-delete-records", verb: None, declaration: &records::DECLARATION, run: records::run },
    Tool { name: "kafka-features", verb: None, declaration: &features::DECLARATION, run: features::run },
    Tool {
        name: "kafka-leader-election",
        verb: None,
        declaration: &elections::DECLARATION,
        run: elections::run,
    },
    Tool { name: "kafka-log-dirs", verb: None, declaration: &log_dirs::DECLARATION, run: log_dirs::run },
    Tool { name: "kafka-metadata-quorum", verb: None, declaration: &quorum::DECLARATION, run: quorum::run },
];

impl Tool {
    /// The tool that a program of this name is: `kafka-topics.sh` or `kafka-topics`.
    #[must_use]
    pub fn by_program(name: &str) -> Option<&'static Self> {
        let name = name.strip_suffix(".sh").unwrap_or(name);
        TOOLS.iter().find(|tool| tool.name == name)
    }

    /// The tool that `ottla VERB` runs.
    #[must_use]
    pub fn by_verb(verb: &str) -> Option<&'static Self> {
        TOOLS.iter().find(|tool| tool.verb == Some(verb))
    }

    /// Runs it with what follows its name on the command line, and gives the exit code: 0, or 1 as in Kafka.
    pub fn run(&self, arguments: Vec<OsString>, manner: Manner, streams: Streams<'_>) -> u8 {
        let called = match manner {
            Manner::Kafkas => format!("{}.sh", self.name),
            Manner::Ours => format!("ottla {}", self.verb.unwrap_or(self.name)),
        };
        let arguments: Result<Vec<_>, _> = arguments.into_iter().map(OsString::into_string).collect();
        let options = match arguments {
            Ok(arguments) => Options::parse(self.declaration, &called, manner, arguments),
            Err(word) => Err(Failure::Usage(format!("{} is no UTF-8", word.display()))),
        };
        let Streams { input, out, err } = streams;
        let result = options.and_then(|options| {
            let mut call = Call { options, manner, input, out: &mut *out, err: &mut *err };
            (self.run)(&mut call)
        });
        let ended = result.and_then(|()| out.flush().map_err(Failure::Output));
        // What was put out belongs in front of the reason why it ends there; who reads neither has seen enough.
        let _ = out.flush();
        let usage = || self.declaration.usage(&called);
        match ended {
            Ok(()) => 0,
            Err(Failure::Output(error)) => {
                let gone = error.kind() == std::io::ErrorKind::BrokenPipe;
                let _ = if gone { Ok(()) } else { writeln!(err, "cannot write: {error}") };
                u8::from(!gone)
            }
            Err(Failure::Usage(why)) => {
                let _ = writeln!(err, "{why}\n{}", usage());
                1
            }
            Err(Failure::Help) if manner == Manner::Ours => {
                let _ = writeln!(out, "{}", usage()).and_then(|()| out.flush());
                0
            }
            Err(Failure::Help) => {
                let _ = writeln!(err, "{}", usage());
                1
            }
            Err(Failure::Version) => {
                let _ = writeln!(out, "ottla {}", env!("CARGO_PKG_VERSION")).and_then(|()| out.flush());
                0
            }
            Err(Failure::Told(why)) => {
                let _ = writeln!(err, "{why}");
                1
            }
            Err(Failure::Client(error)) => {
                let _ = writeln!(err, "{error}");
                1
            }
            Err(Failure::Said) => 1,
        }
    }
}

impl std::fmt::Debug for Streams<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(program: &str, manner: Manner, line: &str) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let tool = Tool::by_program(program).expect("a tool");
        let arguments = line.split_whitespace().map(OsString::from).collect();
        let streams = Streams { input: Box::new(std::io::empty()), out: &mut out, err: &mut err };
        let code = tool.run(arguments, manner, streams);
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn a_tool_is_found_by_the_name_of_the_program_and_by_its_verb() {
        assert!(Tool::by_program("kafka-topics.sh").is_some_and(|tool| tool.verb == Some("topics")));
        assert!(Tool::by_program("kafka-topics").is_some());
        assert!(Tool::by_program("ottla").is_none() && Tool::by_program("topics.sh").is_none());
        assert!(Tool::by_verb("topics").is_some_and(|tool| tool.name == "kafka-topics"));
    }

    #[test]
    fn each_flag_is_declared_once_and_described() {
        for tool in TOOLS {
            let flags = tool.declaration.flags;
            for (at, flag) in flags.iter().enumerate() {
                assert!(!flag.help.is_empty(), "{} --{}", tool.name, flag.name);
                let twice = flags[at + 1..].iter().any(|other| other.name == flag.name);
                assert!(!twice, "{} --{}", tool.name, flag.name);
            }
        }
    }

    #[test]
    fn help_and_missing_arguments_end_as_in_kafka() {
        let (code, out, err) = run("kafka-topics.sh", Manner::Kafkas, "--help");
        assert!(code == 1 && out.is_empty() && err.contains("--replication-factor"), "{err}");
        let (code, out, err) = run("kafka-topics.sh", Manner::Ours, "--help");
        assert!(code == 0 && err.is_empty() && out.contains("ottla topics"), "{out}");
        let (code, out, err) = run("kafka-topics.sh", Manner::Kafkas, "--list");
        assert!(code == 1 && out.is_empty() && err.starts_with("--bootstrap-server must be"), "{err}");
        let (code, _, err) = run("kafka-topics.sh", Manner::Kafkas, "");
        assert!(code == 1 && err.contains("--bootstrap-server"), "{err}");
        let (code, out, _) = run("kafka-topics.sh", Manner::Kafkas, "--version");
        assert!(code == 0 && out.starts_with("ottla "), "{out}");
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        let (code, _, err) =
            run("kafka-topics.sh", Manner::Kafkas, "--bootstrap-server h:1 --delete-config x");
        assert!(code == 1 && err.contains("--delete-config"), "{err}");
        let (code, _, err) = run("kafka-topics.sh", Manner::Kafkas, "--bootstrap-server h:1 --frobnicate");
        assert!(code == 1 && err.starts_with("--frobnicate is not a recognized option"), "{err}");
        let (code, _, err) = run("kafka-topics.sh", Manner::Kafkas, "--bootstrap-server h:1 --list stray");
        assert!(code == 1 && err.contains("stray"), "{err}");
    }
}
