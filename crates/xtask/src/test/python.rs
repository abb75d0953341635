//! Tests written in Python, in a virtual environment of their own under the target directory.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Context, Outcome, outcome};
use crate::command::{Run, can_run};

/// The tests of this ring, and what they need.
const TESTS: &str = "tests/clients/python";
const REQUIREMENTS: &str = "tests/clients/python/requirements.txt";

pub(super) fn run(context: &Context<'_>) -> Outcome {
    let python = match environment(context) {
        Ok(python) => python,
        Err(outcome) => return outcome,
    };
    let Some(broker) = context.broker() else {
        return Outcome::Failed("the broker does not build".to_owned());
    };
    pytest(context.workspace.run(python), Path::new(TESTS), &broker)
}

/// The interpreter of the virtual environment, with everything installed.
pub(super) fn environment(context: &Context<'_>) -> Result<PathBuf, Outcome> {
    if !can_run("python3", &["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"]) {
        return Err(Outcome::Missing("needs python3, at least 3.10, with venv".to_owned()));
    }
    let workspace = context.workspace;
    let place = workspace.target.join("python");
    let python = place.join("bin/python");
    let failed = |what: &str| Err(Outcome::Failed(what.to_owned()));
    let Ok(wanted) = fs::read(workspace.root.join(REQUIREMENTS)) else {
        return failed("requirements.txt cannot be read");
    };
    // A copy of the requirements is left behind once they are all there.
    let installed = place.join("installed.txt");
    if python.exists() && fs::read(&installed).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    if !workspace.run("python3").args(["-m", "venv", "--clear"]).arg(&place).succeeds() {
        return failed("the virtual environment cannot be made");
    }
    let install =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS];
    if !workspace.run(&python).args(install).succeeds() {
        return failed("the Python packages cannot be installed");
    }
    match fs::write(&installed, wanted) {
        Ok(()) => Ok(python),
        Err(_) => failed("the virtual environment cannot be written"),
    }
}

/// Runs the tests below `tests` with the interpreter `python`.
pub(super) fn pytest(python: Run, tests: &Path, broker: &Path) -> Outcome {
    let mut last = "pytest said nothing".to_owned();
    let good = python
        .env("OTTLA_BIN", broker)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .arg(tests)
        .succeeds_with(|line| {
            if !line.trim().is_empty() {
                last = line.trim_matches(['=', ' ']).to_owned();
            }
        });
    outcome(good, last)
}
