//! The tests, in rings from the inside out. A ring that cannot run here says why.

mod crash;
mod docker;
mod examples;
mod fuzz;
mod kafka;
mod kills;
mod python;
mod rust;
mod suites;

use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};

use crate::command::{Workspace, in_ci};
use crate::compat::Trouble;

/// Which rings to run, and how strictly.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// The rings to run; all of them without one.
    rings: Vec<Ring>,
    /// A ring that cannot run is a failure.
    #[arg(long)]
    require_all: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Ring {
    /// The Rust tests of the workspace.
    Rust,
    /// Crash stories, cut at every operation on the disk.
    Crash,
    /// Python clients against the built broker.
    Python,
    /// Apache Kafka itself, beside the built broker and on its files.
    Kafka,
    /// The programs of docs/examples, in every language.
    Examples,
    /// The broker killed a hundred times under load.
    Kills,
    /// The image, in containers, under compose files and Testcontainers.
    Docker,
    /// The test suites of other projects that are quick enough for every run; `cargo xtask compat` has them all.
    Suites,
    /// A short run of each fuzz target.
    Fuzz,
}

impl fmt::Display for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "rust",
            Self::Crash => "crash",
            Self::Python => "python",
            Self::Kafka => "kafka",
            Self::Examples => "examples",
            Self::Kills => "kills",
            Self::Docker => "docker",
            Self::Suites => "suites",
            Self::Fuzz => "fuzz",
        })
    }
}

/// How a ring ended, and its own summary.
#[derive(Debug)]
enum Outcome {
    Passed(String),
    Failed(String),
    /// It cannot run here, because of this.
    Missing(String),
}

/// What a ring needs to know.
struct Context<'a> {
    workspace: &'a Workspace,
}

pub(crate) fn run(workspace: &Workspace, selection: &Selection) -> bool {
    let all = [
        Ring::Rust,
        Ring::Crash,
        Ring::Python,
        Ring::Kafka,
        Ring::Examples,
        Ring::Kills,
        Ring::Docker,
        Ring::Suites,
        Ring::Fuzz,
    ];
    let chosen: Vec<Ring> =
        all.into_iter().filter(|ring| selection.rings.is_empty() || selection.rings.contains(ring)).collect();
    let context = Context { workspace };
    let mut report = Vec::new();
    for ring in chosen {
        println!("== {ring}");
        let start = Instant::now();
        let outcome = match ring {
            Ring::Rust => rust::run(&context),
            Ring::Crash => crash::run(&context),
            Ring::Python => python::run(&context),
            Ring::Kafka => kafka::run(&context),
            Ring::Examples => examples::run(&context),
            Ring::Kills => kills::run(&context),
            Ring::Docker => docker::run(&context),
            Ring::Suites => suites::run(&context),
            Ring::Fuzz => fuzz::run(&context),
        };
        report.push((ring, outcome, start.elapsed().as_secs()));
    }
    println!("== summary");
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (ring, outcome, seconds) in &report {
        match outcome {
            Outcome::Passed(what) => {
                passed += 1;
                println!("{ring}: passed in {seconds} s: {what}");
            }
            Outcome::Failed(what) => {
                failed += 1;
                println!("{ring}: FAILED after {seconds} s: {what}; repeat with: cargo xtask test {ring}");
            }
            Outcome::Missing(why) if selection.require_all => {
                failed += 1;
                println!("{ring}: FAILED, since it is required and cannot run here: {why}");
            }
            Outcome::Missing(why) => {
                skipped += 1;
                println!("{ring}: skipped, it cannot run here: {why}");
            }
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    failed == 0
}

impl Context<'_> {
    /// Builds the broker, as the rings outside Rust use it, and says where it is.
    fn broker(&self) -> Option<PathBuf> {
        let locked: &[&str] = if in_ci() { &["--locked"] } else { &[] };
        let built = self.workspace.cargo().arg("build").args(locked).args(["--package", "ottla"]).succeeds();
        built.then(|| self.workspace.target.join("debug/ottla"))
    }
}

/// The interpreter of the virtual environment that the Python tests run in, for the suites of `cargo xtask compat`.
pub(crate) fn python_environment(workspace: &Workspace) -> Result<PathBuf, Trouble> {
    python::environment(&Context { workspace }).map_err(|outcome| match outcome {
        Outcome::Missing(why) => Trouble::Missing(why),
        Outcome::Passed(why) | Outcome::Failed(why) => Trouble::Failed(why),
    })
}

/// Passed or failed, with the summary that the tests themselves gave.
fn outcome(good: bool, summary: String) -> Outcome {
    if good { Outcome::Passed(summary) } else { Outcome::Failed(summary) }
}
