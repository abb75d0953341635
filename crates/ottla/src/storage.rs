//! `kafka-storage.sh`, for the init containers and scripts that format a data directory before the broker starts (Kafka:
//! `StorageTool`, `Formatter`).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgGroup, Args, Parser, Subcommand};
use java_properties::PropertiesIter;
use settings::Settings;
use uuid::Uuid;

use crate::serve;
use crate::sources::{self, Failure, Sources};

/// The release whose records a fresh directory holds.
const RELEASE: &str = "4.1";
/// Kafka's name for what is written.
const METADATA_VERSION: &str = "4.1-IV1";

/// The Kafka storage tool.
#[derive(Debug, Parser)]
#[command(name = "kafka-storage.sh", disable_help_subcommand = true)]
struct Words {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Get information about the Kafka log directories on this node
    Info(Config),
    /// Format the Kafka log directories on this node
    Format(Format),
    /// Print a random UUID
    RandomUuid,
}

#[derive(Debug, Args)]
struct Config {
    /// The Kafka configuration file to use
    #[arg(long, short = 'c', value_name = "FILE")]
    config: PathBuf,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("quorum").args(["standalone", "no_initial_controllers", "initial_controllers"]))]
struct Format {
    #[command(flatten)]
    config: Config,
    /// The cluster ID to use
    #[arg(long, short = 't', value_name = "ID")]
    cluster_id: String,
    /// Skip directories that are formatted instead of failing
    #[arg(long, short = 'g')]
    ignore_formatted: bool,
    /// A quorum of this node alone, without controller.quorum.voters
    #[arg(long, short = 's')]
    standalone: bool,
    /// Kafka's flag for joining a quorum; here the same as --standalone
    #[arg(long, short = 'N')]
    no_initial_controllers: bool,
    /// Not supported: there are no other controllers
    #[arg(long, short = 'I', value_name = "LIST", hide = true)]
    initial_controllers: Option<String>,
    /// The release whose metadata is written: 4.1
    #[arg(long, short = 'r', value_name = "RELEASE")]
    release_version: Option<String>,
    /// Not supported: levels are changed with kafka-features.sh, once the broker runs
    #[arg(long, short = 'f', value_name = "FEATURE=LEVEL", hide = true)]
    feature: Vec<String>,
    /// Not supported: SASL is not built
    #[arg(long, short = 'S', value_name = "CREDENTIAL", hide = true)]
    add_scram: Vec<String>,
}

/// Runs it with what follows its name on the command line. Gives 0 or 1, as Kafka's does.
pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    let name = OsString::from("kafka-storage.sh");
    let verb = match Words::try_parse_from(std::iter::once(name).chain(words)) {
        Ok(words) => words.verb,
        Err(told) => {
            // Nobody is left to hear of it when they cannot be written.
            let _ = told.print();
            return ExitCode::from(u8::from(told.use_stderr()));
        }
    };
    let out = &mut io::stdout().lock();
    let outcome = match verb {
        Verb::RandomUuid => say(out, &catalog::random_cluster_id(&mut Uuid::new_v4)).map(|()| true),
        Verb::Format(format) => format.run(out).map(|()| true),
        Verb::Info(config) => config.info(out),
    };
    match outcome {
        Ok(is_sound) => ExitCode::from(u8::from(!is_sound)),
        Err(why) => {
            let _ = writeln!(io::stderr(), "{why}");
            ExitCode::FAILURE
        }
    }
}

fn say(out: &mut dyn Write, line: &str) -> Result<(), Failure> {
    Ok(writeln!(out, "{line}")?)
}

impl Config {
    /// The settings of the file alone: Kafka's tool knows no variables.
    fn settings(&self) -> Result<Settings, Failure> {
        let mut sources = Sources::default();
        sources.read_file(&self.config)?;
        sources.take_kafkas_defaults()?;
        let (settings, _) = sources.settings()?;
        sources::check(&settings)?;
        Ok(settings)
    }

    /// Tells what is in the data directory, and whether it is what it should be.
    fn info(&self, out: &mut dyn Write) -> Result<bool, Failure> {
        let directory = PathBuf::from(self.settings()?.data_dir()?);
        let shown = directory.display();
        let problem = if directory.is_dir() {
            say(out, &format!("Found log directory:\n  {shown}\n"))?;
            match stored(&directory)? {
                Some(stored) => {
                    let pairs: Vec<_> = stored.iter().map(|(key, value)| format!("{key}={value}")).collect();
                    say(out, &format!("Found metadata: {{{}}}\n", pairs.join(", ")))?;
                    None
                }
                None => Some(format!("{shown} is not formatted.")),
            }
        } else if directory.exists() {
            Some(format!("{shown} is not a directory"))
        } else {
            Some(format!("{shown} does not exist"))
        };
        match problem {
            None => Ok(true),
            Some(problem) => say(out, &format!("Found problem:\n  {problem}\n")).map(|()| false),
        }
    }
}

impl Format {
    fn run(self, out: &mut dyn Write) -> Result<(), Failure> {
        self.check_supported()?;
        let settings = self.config.settings()?;
        self.check_quorum(&settings)?;
        let directory = PathBuf::from(settings.data_dir()?);
        if let Some(stored) = stored(&directory)? {
            let id = stored.get("cluster.id").map_or("", String::as_str);
            if id != self.cluster_id {
                let (file, wanted) = (meta_properties(&directory), &self.cluster_id);
                return Err(format!(
                    "Invalid cluster.id in: {}. Expected {wanted}, but read {id}",
                    file.display()
                )
                .into());
            }
            if !self.ignore_formatted {
                return Err(format!(
                    "Log directory {} is already formatted. Use --ignore-formatted to ignore this directory and format \
                     the others.",
                    directory.display()
                )
                .into());
            }
            return say(out, "All of the log directories are already formatted.");
        }
        serve::format(&Arc::new(settings), self.cluster_id)?;
        say(
            out,
            &format!(
                "Formatting metadata directory {} with metadata.version {METADATA_VERSION}.",
                directory.display()
            ),
        )
    }

    fn check_supported(&self) -> Result<(), Failure> {
        let refused = [
            ("--initial-controllers", self.initial_controllers.is_some(), "there are no other controllers"),
            ("--feature", !self.feature.is_empty(), "levels can be changed once the broker runs"),
            ("--add-scram", !self.add_scram.is_empty(), "SASL is not built"),
        ];
        if let Some((flag, _, why)) = refused.into_iter().find(|(_, is_given, _)| *is_given) {
            return Err(format!("{flag} is not supported: {why}").into());
        }
        match self.release_version.as_deref() {
            None | Some(RELEASE | METADATA_VERSION) => Ok(()),
            Some(other) => Err(format!(
                "--release-version {other} is not supported: a fresh directory is one of Kafka {RELEASE}"
            )
            .into()),
        }
    }

    /// Kafka's own rules on how a quorum is said.
    fn check_quorum(&self, settings: &Settings) -> Result<(), Failure> {
        let is_alone = settings.controller_quorum_voters().is_empty();
        if !is_alone && self.standalone {
            return Err("You cannot specify controller.quorum.voters and format the node with \
                        --initial-controllers or --standalone. If you want to use dynamic quorum, please remove \
                        controller.quorum.voters and specify controller.quorum.bootstrap.servers instead."
                .into());
        }
        if is_alone && !self.standalone && !self.no_initial_controllers {
            return Err("Because controller.quorum.voters is not set on this controller, you must specify one of the \
                        following: --standalone, --initial-controllers, or --no-initial-controllers."
                .into());
        }
        Ok(())
    }
}

fn meta_properties(directory: &Path) -> PathBuf {
    directory.join("meta.properties")
}

/// What a data directory says of itself, by key; `None`: it is not formatted.
fn stored(directory: &Path) -> Result<Option<BTreeMap<String, String>>, Failure> {
    let path = meta_properties(directory);
    if !fs::exists(&path)? {
        return Ok(None);
    }
    let told = |error: &dyn std::fmt::Display| format!("cannot read {}: {error}", path.display());
    let file = File::open(&path).map_err(|error| told(&error))?;
    let mut pairs = BTreeMap::new();
    let read = PropertiesIter::new(BufReader::new(file)).read_into(|key, value| {
        pairs.insert(key, value);
    });
    read.map_err(|error| told(&error))?;
    Ok(Some(pairs))
}
