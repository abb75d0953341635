//! kafka-python's integration tests, from its source distribution. They are pointed at a running broker by `KAFKA_URI`; a
//! plugin of ours, `tests/compat/kafka-python/outside_broker.py`, stands in for a module that the distribution lacks.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Case, Judged, Trouble};
use crate::command::{Run, can_run};

const REQUIREMENTS: &str = "tests/compat/kafka-python/requirements.txt";
const PLUGIN: &str = "tests/compat/kafka-python";
const TESTS: &str = "test/integration/";

/// The version of Kafka that they are told of, which decides what they expect.
const KAFKA: &str = "4.1.1";

/// What the suite's own configuration of a broker has, and its tests build on.
const SETTINGS: &[(&str, &str)] = &[
    ("node.id", "0"),
    ("num.partitions", "4"),
    ("group.initial.rebalance.delay.ms", "0"),
    ("group.min.session.timeout.ms", "1000"),
    ("advertised.listeners", "PLAINTEXT://{address}"),
];

pub(super) fn judge(case: &Case<'_>) -> Result<Judged, Trouble> {
    if !can_run("python3", &["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"]) {
        return Err(Trouble::Missing("needs python3, at least 3.10, with venv".to_owned()));
    }
    let (version, source) = fetched(case)?;
    let broker = case.broker(SETTINGS)?;
    let pytest = || {
        let python = case.workspace.run(case.place.join("venv/bin/python")).within(&source);
        let python = python.env("KAFKA_URI", format!("kafka://{}", broker.address));
        // The directory of a Kafka that is never started; it only has to exist.
        let python = python.env("KAFKA_VERSION", KAFKA).env("KAFKA_ROOT", &case.place);
        let python = python.env("PYTHONPATH", case.workspace.root.join(PLUGIN));
        python.args(["-m", "pytest", "-p", "no:cacheprovider", "-p", "outside_broker"])
    };
    let mut said = Vec::new();
    if !pytest().args(["-q", "--collect-only", TESTS]).output_kept(&mut said) {
        println!("{}", String::from_utf8_lossy(&said));
        return Err(Trouble::Failed("the tests cannot be collected".to_owned()));
    }
    let said = String::from_utf8_lossy(&said);
    case.knows(said.lines().filter_map(|line| line.strip_prefix(TESTS)))?;
    let tests = said.lines().filter(|line| line.strip_prefix(TESTS).is_some_and(|test| case.wants(test)));
    let tests: Vec<&str> = tests.collect();
    if tests.is_empty() {
        return Err(Trouble::Failed("there is no such test".to_owned()));
    }
    let mut judged = Judged::of(version);
    let mut counted = 0;
    let run = pytest().args(["-q", "--timeout=120"]).args(&tests);
    // The exit code says no more than the lines do, unless a test is missing from them.
    let _good = run.succeeds_with(|line| {
        let Some(outcome) = Outcome::of(line) else { return };
        counted += 1;
        judged.count_timed(outcome.test, outcome.passed, outcome.took);
    });
    if counted != tests.len() {
        return Err(Trouble::Failed(format!("{counted} of {} tests were run", tests.len())));
    }
    Ok(judged)
}

/// A line of the plugin's, `outcome: HOW SECONDS TEST`.
#[derive(Debug, PartialEq, Eq)]
struct Outcome<'a> {
    /// Its name below the directory of the tests.
    test: &'a str,
    /// A test that was skipped has not passed: there is a list for those that are left out.
    passed: bool,
    took: Duration,
}

impl<'a> Outcome<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let mut words = line.strip_prefix("outcome: ")?.splitn(3, ' ');
        let (how, seconds, test) = (words.next()?, words.next()?, words.next()?);
        let took = Duration::from_secs(seconds.parse().ok()?);
        Some(Self { test: test.strip_prefix(TESTS).unwrap_or(test), passed: how == "passed", took })
    }
}

/// Makes the environment and unpacks the source, unless they are there. Gives the version and where the source is.
fn fetched(case: &Case<'_>) -> Result<(String, PathBuf), Trouble> {
    let failed = |what: &str| Trouble::Failed(what.to_owned());
    let io_failed = |why: io::Error| Trouble::Failed(format!("{}: {why}", case.place.display()));
    let wanted = fs::read_to_string(case.workspace.root.join(REQUIREMENTS)).map_err(io_failed)?;
    let version = wanted.lines().find_map(|line| line.strip_prefix("kafka-python=="));
    let version = version.ok_or_else(|| failed("requirements.txt names no kafka-python"))?.to_owned();
    let source = case.place.join(format!("kafka_python-{version}"));
    let mark = case.place.join("installed.txt");
    if fs::read_to_string(&mark).is_ok_and(|there| there == wanted) {
        return Ok((version, source));
    }
    let venv = case.place.join("venv");
    if !case.workspace.run("python3").args(["-m", "venv", "--clear"]).arg(&venv).succeeds() {
        return Err(failed("the virtual environment cannot be made"));
    }
    let python = || case.workspace.run(venv.join("bin/python"));
    let pip = |words: &[&str], place: Option<&Path>| {
        let run = python().args(["-m", "pip", "--disable-pip-version-check"]).args(words);
        place.into_iter().fold(run, Run::arg).succeeds()
    };
    let exactly = format!("kafka-python=={version}");
    let sources = ["download", "--quiet", "--no-binary", ":all:", "--no-deps", &exactly, "--dest"];
    if !pip(&["install", "--quiet", "--requirement", REQUIREMENTS], None) || !pip(&sources, Some(&case.place))
    {
        return Err(failed("the Python packages cannot be fetched"));
    }
    let archive = case.place.join(format!("kafka_python-{version}.tar.gz"));
    let unpack = python().args(["-m", "tarfile", "--extract"]).arg(&archive).arg(&case.place);
    if !unpack.succeeds() {
        return Err(failed("the source distribution cannot be unpacked"));
    }
    // Without this file Python's own package `test` is found first.
    fs::write(source.join("test/__init__.py"), "").map_err(io_failed)?;
    fs::write(&mark, wanted).map_err(io_failed)?;
    Ok((version, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_skipped_has_not_passed() {
        let said = Outcome::of("outcome: passed 12 test/integration/test_a.py::test_b[x y]");
        let took = Duration::from_secs(12);
        assert_eq!(said, Some(Outcome { test: "test_a.py::test_b[x y]", passed: true, took }));
        assert!(Outcome::of("outcome: skipped 0 test/integration/a").is_some_and(|outcome| !outcome.passed));
        assert_eq!(Outcome::of("passed"), None);
    }
}
