//! Apache Kafka itself: its tools on our files, its broker on our directory, ours on its.

use std::fs;
use std::path::{Path, PathBuf};

use super::python;
use super::{Context, Outcome};
use crate::command::can_run;

const TESTS: &str = "tests/kafka";
/// The one place that names versions of Kafka.
const POM: &str = "tests/kafka/pom.xml";
/// Its profiles: the version that Ottla is compared with, and the newest one.
const PINNED: &str = "pinned";
const NEWEST: &str = "newest";

pub(super) fn run(context: &Context<'_>) -> Outcome {
    if !can_run("java", &["-version"]) {
        return Outcome::Missing("needs java, 17 or later".to_owned());
    }
    let (pinned, newest) = match (jars(context, PINNED), jars(context, NEWEST)) {
        (Ok(pinned), Ok(newest)) => (pinned, newest),
        (Err(outcome), _) | (_, Err(outcome)) => return outcome,
    };
    let python = match python::environment(context) {
        Ok(python) => python,
        Err(outcome) => return outcome,
    };
    let Some(broker) = context.broker() else {
        return Outcome::Failed("the broker does not build".to_owned());
    };
    let python = context.workspace.run(python).env("KAFKA_LIBS", pinned).env("KAFKA_NEWEST_LIBS", newest);
    python::pytest(python.env(python::BROKER, broker), Path::new(TESTS))
}

/// The directory with the pinned Kafka's jars.
pub(super) fn pinned(context: &Context<'_>) -> Result<PathBuf, Outcome> {
    if !can_run("java", &["-version"]) {
        return Err(Outcome::Missing("needs java, 17 or later".to_owned()));
    }
    jars(context, PINNED)
}

/// The directory with the pinned Kafka's jars, which are fetched if they are not there; nothing where that is impossible.
pub(super) fn pinned_jars(context: &Context<'_>) -> Option<PathBuf> {
    pinned(context).ok()
}

/// The directory with the pinned Kafka's jars, if they were fetched already.
pub(super) fn fetched(context: &Context<'_>) -> Option<PathBuf> {
    fetched_for(context, PINNED).filter(|_| can_run("java", &["-version"]))
}

fn fetched_for(context: &Context<'_>, profile: &str) -> Option<PathBuf> {
    let place = context.workspace.target.join("kafka").join(profile);
    let wanted = fs::read(context.workspace.root.join(POM)).ok()?;
    let there = fs::read(place.join("fetched.xml")).ok()?;
    (there == wanted).then(|| place.join("libs"))
}

/// The directory with the jars of a profile of the POM, fetched once per POM.
fn jars(context: &Context<'_>, profile: &str) -> Result<PathBuf, Outcome> {
    let workspace = context.workspace;
    if let Some(libs) = fetched_for(context, profile) {
        return Ok(libs);
    }
    let place = workspace.target.join("kafka").join(profile);
    let failed = |what: &str| Err(Outcome::Failed(what.to_owned()));
    let Ok(wanted) = fs::read(workspace.root.join(POM)) else { return failed("pom.xml cannot be read") };
    let (libs, fetched) = (place.join("libs"), place.join("fetched.xml"));
    if !can_run("mvn", &["--version"]) {
        return Err(Outcome::Missing("needs mvn (Maven), to fetch Kafka's jars".to_owned()));
    }
    if libs.exists() && fs::remove_dir_all(&libs).is_err() {
        return failed("the old jars cannot be removed");
    }
    let goal = ["--batch-mode", "--quiet", "--file", POM, "dependency:copy-dependencies"];
    let output = format!("-DoutputDirectory={}", libs.display());
    if !workspace.run("mvn").args(goal).arg(format!("-P{profile}")).arg(output).succeeds() {
        return failed("Kafka's jars cannot be fetched");
    }
    match fs::write(&fetched, wanted) {
        Ok(()) => Ok(libs),
        Err(_) => failed("the directory of Kafka's jars cannot be written"),
    }
}
