//! Apache Kafka itself: its tools on our files, its broker on our directory, ours on its.

use std::fs;
use std::path::{Path, PathBuf};

use super::python;
use super::{Context, Outcome};
use crate::command::can_run;

const TESTS: &str = "tests/kafka";
/// The one place that pins Kafka's version.
const POM: &str = "tests/kafka/pom.xml";

pub(super) fn run(context: &Context<'_>) -> Outcome {
    if !can_run("java", &["-version"]) {
        return Outcome::Missing("needs java, 17 or later".to_owned());
    }
    let jars = match jars(context) {
        Ok(jars) => jars,
        Err(outcome) => return outcome,
    };
    let python = match python::environment(context) {
        Ok(python) => python,
        Err(outcome) => return outcome,
    };
    let Some(broker) = context.broker() else {
        return Outcome::Failed("the broker does not build".to_owned());
    };
    python::pytest(context.workspace.run(python).env("KAFKA_LIBS", jars), Path::new(TESTS), &broker)
}

/// The directory with Kafka's jars, if they were fetched already.
pub(super) fn fetched(context: &Context<'_>) -> Option<PathBuf> {
    let place = context.workspace.target.join("kafka");
    let wanted = fs::read(context.workspace.root.join(POM)).ok()?;
    let there = fs::read(place.join("fetched.xml")).ok()?;
    (there == wanted && can_run("java", &["-version"])).then(|| place.join("libs"))
}

/// The directory with Kafka's jars, fetched once per version.
fn jars(context: &Context<'_>) -> Result<PathBuf, Outcome> {
    let workspace = context.workspace;
    if let Some(libs) = fetched(context) {
        return Ok(libs);
    }
    let place = workspace.target.join("kafka");
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
    if !workspace.run("mvn").args(goal).arg(output).succeeds() {
        return failed("Kafka's jars cannot be fetched");
    }
    match fs::write(&fetched, wanted) {
        Ok(()) => Ok(libs),
        Err(_) => failed("the directory of Kafka's jars cannot be written"),
    }
}
