//! Apache Kafka's own applications: its verifiers and measuring tools, Kafka Streams and Kafka Connect, from the jars of the version
//! that the ring `kafka` pins. The stories that start them and judge what they did are those of `tests/compat/kafka`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::broker::ottla;
use super::{Against, Case, Judged, Trouble};
use crate::command::{Workspace, can_run};
use crate::test::python_environment;

const STORIES: &str = "tests/compat/kafka";
/// What Maven is told to fetch; its parent, the second, names the version.
const POM: &str = "tests/compat/kafka/pom.xml";
const VERSION_POM: &str = "tests/kafka/pom.xml";

/// Runs the stories of one file.
pub(super) fn judge(case: &Case<'_>, file: &str) -> Result<Judged, Trouble> {
    if !can_run("javac", &["-version"]) {
        return Err(Trouble::Missing("needs java and javac, 17 or later".to_owned()));
    }
    let libs = jars(case.workspace)?;
    let python = python_environment(case.workspace)?;
    let file = Path::new(STORIES).join(file);
    let pytest = |words: &[&str]| {
        let run = case.workspace.run(&python).args(["-m", "pytest", "-p", "no:cacheprovider"]).args(words);
        run.env("KAFKA_LIBS", &libs)
    };
    let listed = pytest(&["-q", "--collect-only"]).arg(&file).output();
    let listed = listed.ok_or_else(|| Trouble::Failed("the stories cannot be listed".to_owned()))?;
    let listed = String::from_utf8_lossy(&listed).into_owned();
    // Their ids are relative to the directory of the stories.
    let ids: Vec<String> = listed
        .lines()
        .filter(|line| name(line).is_some_and(|name| case.wants(name)))
        .map(|line| Path::new(STORIES).join(line.trim()).display().to_string())
        .collect();
    if ids.is_empty() {
        return Err(Trouble::Failed("no story has such a name".to_owned()));
    }
    let mut run = pytest(&["-v", "--tb=short"]).args(&ids);
    run = match case.against {
        Against::Ottla => run.env("OTTLA_BIN", ottla(case.workspace)?),
        Against::Kafka => run.env("STORIES_AGAINST", "kafka"),
    };
    let mut outcomes = BTreeMap::new();
    let good = run.succeeds_with(|line| {
        if let Some((name, passed)) = outcome(line) {
            // One that passed may still complain when its broker ends.
            *outcomes.entry(name.to_owned()).or_insert(true) &= passed;
        }
    });
    let mut judged = Judged::of(version(&libs)?);
    for (name, passed) in outcomes {
        if passed { judged.passed += 1 } else { judged.failed.push(name) }
    }
    if judged.passed + judged.failed.len() == ids.len() && good == judged.failed.is_empty() {
        Ok(judged)
    } else {
        Err(Trouble::Failed("pytest did not run to its end".to_owned()))
    }
}

/// The name of a test in its id, `FILE::NAME`.
fn name(id: &str) -> Option<&str> {
    id.trim().split_once("::").map(|(_, name)| name)
}

/// What a line `FILE::NAME OUTCOME [PERCENT]` says of a test.
fn outcome(line: &str) -> Option<(&str, bool)> {
    let mut words = line.split_whitespace();
    let name = name(words.next()?)?;
    match words.next()? {
        "PASSED" => Some((name, true)),
        "FAILED" | "ERROR" | "SKIPPED" => Some((name, false)),
        _ => None,
    }
}

/// The directory with the jars of Kafka and its applications, fetched once per POM.
pub(super) fn jars(workspace: &Workspace) -> Result<PathBuf, Trouble> {
    let failed = |why: io::Error| Trouble::Failed(format!("Kafka's applications cannot be fetched: {why}"));
    let place = workspace.target.join("compat/kafka");
    let (libs, fetched) = (place.join("libs"), place.join("fetched.xml"));
    let read = |pom: &str| fs::read(workspace.root.join(pom)).map_err(failed);
    let wanted = [read(POM)?, read(VERSION_POM)?].concat();
    if fs::read(&fetched).is_ok_and(|there| there == wanted) {
        return Ok(libs);
    }
    if !can_run("mvn", &["--version"]) {
        return Err(Trouble::Missing("needs mvn (Maven), to fetch Kafka's jars".to_owned()));
    }
    if libs.exists() {
        fs::remove_dir_all(&libs).map_err(failed)?;
    }
    let goal = ["--batch-mode", "--quiet", "--file", POM, "dependency:copy-dependencies", "-Ppinned"];
    let output = format!("-DoutputDirectory={}", libs.display());
    if !workspace.run("mvn").args(goal).arg(output).succeeds() {
        return Err(Trouble::Failed("Kafka's applications cannot be fetched".to_owned()));
    }
    fs::write(&fetched, wanted).map_err(failed)?;
    Ok(libs)
}

/// The version of the jars, as the name of one says it.
fn version(libs: &Path) -> Result<String, Trouble> {
    let unnamed = || Trouble::Failed("there is no jar of Kafka's clients".to_owned());
    let names = fs::read_dir(libs).map_err(|_| unnamed())?;
    names
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .find_map(|name| Some(name.strip_prefix("kafka-clients-")?.strip_suffix(".jar")?.to_owned()))
        .ok_or_else(unnamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pytest_says_of_a_test() {
        let said = |line| outcome(line);
        assert_eq!(said("test_tools.py::test_a[x] PASSED   [ 50%]"), Some(("test_a[x]", true)));
        assert_eq!(said("test_tools.py::test_a[x] ERROR [ 50%]"), Some(("test_a[x]", false)));
        assert_eq!(said("FAILED test_tools.py::test_a - assert 1 == 2"), None);
        assert_eq!(said("test_tools.py:12: in test_a"), None);
        assert_eq!(said(""), None);
    }
}
