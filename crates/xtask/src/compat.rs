//! Test suites that others have written for Kafka, against the built broker or, to compare, against Apache Kafka.
//!
//! Their sources come from the package registries at run time, go below the target directory, and are never committed. What
//! is left out of a suite stands in `tests/compat/NAME.left-out` with its reason.

mod broker;
mod franz_go;
mod go;
mod kafka;
mod kafka_python;
mod left_out;
mod librdkafka;
mod node;
mod rust_rdkafka;
mod sarama;
mod table;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::command::Workspace;
pub(crate) use go::usable as usable_go;
pub(crate) use left_out::{ROADMAP, check as check_left_out};

#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// Whose tests.
    suite: Suite,
    /// Only tests whose name begins with one of these; without one all that are not left out.
    tests: Vec<String>,
    /// Which broker is judged.
    #[arg(long, value_enum, default_value_t = Against::Ottla)]
    against: Against,
    /// Writes what came of it into docs/compatibility.md.
    #[arg(long, conflicts_with_all = ["tests", "against"])]
    record: bool,
}

/// Which broker a suite runs against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Against {
    /// The one built here.
    Ottla,
    /// Apache Kafka, of the version that the ring `kafka` pins (which fetches it).
    Kafka,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// kafka-python's integration tests, from its source distribution.
    KafkaPython,
    /// Stories of ours that confluent-kafka-javascript tells.
    ConfluentKafkaJavascript,
    /// Stories of ours that kafkajs tells.
    Kafkajs,
    /// The integration tests of the crate rdkafka.
    RustRdkafka,
    /// librdkafka's own, from the source that the crate rdkafka-sys brings along.
    Librdkafka,
    /// Apache Kafka's verifiers and measuring tools.
    KafkaTools,
    /// A word count on Kafka Streams.
    KafkaStreams,
    /// Kafka Connect between two files.
    KafkaConnect,
    /// franz-go's own, from its Go module.
    FranzGo,
    /// sarama's functional tests, from its Go module.
    Sarama,
}

/// All suites, and whether they are quick enough for every CI run.
const SUITES: &[(Suite, bool)] = &[
    (Suite::Librdkafka, true),
    (Suite::KafkaTools, true),
    (Suite::KafkaStreams, true),
    (Suite::KafkaConnect, true),
    (Suite::FranzGo, true),
    (Suite::Sarama, true),
    (Suite::KafkaPython, true),
    (Suite::ConfluentKafkaJavascript, false),
    (Suite::Kafkajs, true),
    (Suite::RustRdkafka, false),
];

impl Suite {
    /// Its name, as in `tests/compat/NAME.left-out`.
    fn name(self) -> &'static str {
        match self {
            Self::KafkaPython => "kafka-python",
            Self::ConfluentKafkaJavascript => "confluent-kafka-javascript",
            Self::Kafkajs => "kafkajs",
            Self::RustRdkafka => "rust-rdkafka",
            Self::Librdkafka => "librdkafka",
            Self::KafkaTools => "kafka-tools",
            Self::KafkaStreams => "kafka-streams",
            Self::KafkaConnect => "kafka-connect",
            Self::FranzGo => "franz-go",
            Self::Sarama => "sarama",
        }
    }

    fn judge(self, case: &Case<'_>) -> Result<Judged, Trouble> {
        match self {
            Self::KafkaPython => kafka_python::judge(case),
            Self::ConfluentKafkaJavascript => node::confluent(case),
            Self::Kafkajs => node::kafkajs(case),
            Self::RustRdkafka => rust_rdkafka::judge(case),
            Self::Librdkafka => librdkafka::judge(case),
            Self::KafkaTools => kafka::judge(case, "test_tools.py"),
            Self::KafkaStreams => kafka::judge(case, "test_streams.py"),
            Self::KafkaConnect => kafka::judge(case, "test_connect.py"),
            Self::FranzGo => franz_go::judge(case),
            Self::Sarama => sarama::judge(case),
        }
    }
}

/// Why a suite said nothing.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// This machine lacks what the suite needs.
    Missing(String),
    /// It was to run, and did not.
    Failed(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(why) => write!(f, "cannot run here: {why}"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// What came of a suite.
#[derive(Debug, Default)]
struct Judged {
    /// The version of the client, or of the suite.
    version: String,
    passed: usize,
    /// The names of the tests that failed.
    failed: Vec<String>,
}

impl Judged {
    fn of(version: impl Into<String>) -> Self {
        Self { version: version.into(), ..Self::default() }
    }

    /// Counts a test, and says how it went.
    fn count(&mut self, test: &str, good: bool, start: Instant) {
        self.count_timed(test, good, start.elapsed());
    }

    /// The same for a test that somebody else has timed.
    fn count_timed(&mut self, test: &str, good: bool, took: Duration) {
        let how = if good { "passed" } else { "FAILED" };
        println!("{test}: {how} in {} s", took.as_secs());
        if good { self.passed += 1 } else { self.failed.push(test.to_owned()) }
    }
}

/// A suite about to run.
struct Case<'a> {
    workspace: &'a Workspace,
    /// A directory for its source, its builds and what it says, kept between runs.
    place: PathBuf,
    against: Against,
    /// Beginnings of the names that were asked for.
    chosen: &'a [String],
    left_out: Vec<left_out::LeftOut>,
    /// Leaves out what there is no time for in every CI run.
    quick: bool,
}

impl<'a> Case<'a> {
    fn of(
        suite: Suite,
        workspace: &'a Workspace,
        against: Against,
        chosen: &'a [String],
    ) -> Result<Self, Trouble> {
        let left_out = left_out::of(&workspace.root, suite.name()).map_err(Trouble::Failed)?;
        let place = workspace.target.join("compat").join(suite.name());
        fs::create_dir_all(place.join("said"))
            .map_err(|why| Trouble::Failed(format!("cannot make {}: {why}", place.display())))?;
        Ok(Self { workspace, place, against, chosen, left_out, quick: false })
    }

    /// Whether a test is to run: chosen by the beginning of its name, or not left out. One that is named runs even if it is
    /// left out, to look at it.
    fn wants(&self, test: &str) -> bool {
        if self.chosen.is_empty() {
            !self.left_out.iter().any(|left_out| left_out.names(test))
        } else {
            self.chosen.iter().any(|chosen| test.starts_with(chosen.as_str()))
        }
    }

    /// Checks that whatever is left out is there to be left out: `all` are the names of the suite's tests.
    fn knows<'n>(&self, all: impl IntoIterator<Item = &'n str>) -> Result<(), Trouble> {
        let all: Vec<&str> = all.into_iter().collect();
        match self.left_out.iter().find(|left_out| !all.iter().any(|test| left_out.names(test))) {
            Some(gone) => {
                Err(Trouble::Failed(format!("`{}` is left out, and there is no such test", gone.test())))
            }
            None => Ok(()),
        }
    }

    /// Where to write what a test says.
    fn said(&self, test: &str) -> PathBuf {
        let name: String = test.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        self.place.join("said").join(format!("{name}.log"))
    }

    /// Starts the broker that is judged, on an empty directory, with these settings.
    fn broker(&self, settings: &[(&str, &str)]) -> Result<broker::Broker, Trouble> {
        broker::Broker::start(self.workspace, self.against, &self.place.join("broker"), settings)
    }

    /// The source of a crate that the workspace depends on, and its version.
    fn crate_source(&self, name: &str) -> Result<(PathBuf, String), Trouble> {
        let missing = || Trouble::Failed(format!("the source of the crate {name} is not to be found"));
        let output =
            self.workspace.cargo().args(["metadata", "--format-version=1"]).output().ok_or_else(missing)?;
        let metadata: Value = serde_json::from_slice(&output).map_err(|_| missing())?;
        let packages = metadata["packages"].as_array().ok_or_else(missing)?;
        let package = packages.iter().find(|package| package["name"] == name).ok_or_else(missing)?;
        let manifest = package["manifest_path"].as_str().map(Path::new).and_then(Path::parent);
        let version = package["version"].as_str().ok_or_else(missing)?;
        Ok((manifest.ok_or_else(missing)?.to_owned(), version.to_owned()))
    }
}

/// `cargo xtask compat NAME`.
pub(crate) fn run(workspace: &Workspace, chosen: &Chosen) -> bool {
    let judged = Case::of(chosen.suite, workspace, chosen.against, &chosen.tests).and_then(|case| {
        let judged = chosen.suite.judge(&case)?;
        Ok((judged, case.left_out))
    });
    let (judged, left_out) = match judged {
        Ok(judged) => judged,
        Err(why) => {
            println!("{why}");
            return false;
        }
    };
    let good = said(chosen.suite, &judged, &left_out);
    if !chosen.record {
        return good;
    }
    match table::record(&workspace.root, chosen.suite.name(), &judged, &left_out) {
        Ok(()) => good,
        Err(why) => {
            println!("docs/compatibility.md: {why}");
            false
        }
    }
}

/// The suites that are quick enough for every run: what they say in a line, or why they did not.
pub(crate) fn run_quick(workspace: &Workspace) -> Result<String, Trouble> {
    let (mut lines, mut failed) = (Vec::new(), Vec::new());
    for (suite, _) in SUITES.iter().filter(|(_, quick)| *quick) {
        println!("-- {}", suite.name());
        let judged = Case::of(*suite, workspace, Against::Ottla, &[]).and_then(|mut case| {
            case.quick = true;
            let judged = suite.judge(&case)?;
            Ok((judged, case.left_out))
        });
        match judged {
            Ok((judged, left_out)) => {
                if !said(*suite, &judged, &left_out) {
                    failed.push(format!("{}: {}", suite.name(), judged.failed.join(", ")));
                }
                lines.push(format!("{} {}", judged.passed, suite.name()));
            }
            Err(Trouble::Missing(why)) => return Err(Trouble::Missing(format!("{}: {why}", suite.name()))),
            Err(Trouble::Failed(why)) => failed.push(format!("{}: {why}", suite.name())),
        }
    }
    if failed.is_empty() {
        Ok(format!("passed: {}", lines.join(", ")))
    } else {
        Err(Trouble::Failed(failed.join("; ")))
    }
}

/// Says how a suite ended; whether it is good.
fn said(suite: Suite, judged: &Judged, left_out: &[left_out::LeftOut]) -> bool {
    let (name, version) = (suite.name(), &judged.version);
    println!(
        "{name} {version}: {} passed, {} failed; {} lines of left-out tests",
        judged.passed,
        judged.failed.len(),
        left_out.len()
    );
    for test in &judged.failed {
        println!("  failed: {test}");
    }
    judged.passed > 0 && judged.failed.is_empty()
}
