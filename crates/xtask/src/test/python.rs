//! Tests written in Python, in a virtual environment of their own under the target directory.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Context, Outcome, outcome};
use crate::command::{Run, can_run};

/// The tests of this ring, and what they need.
const TESTS: &str = "tests/clients/python";
const REQUIREMENTS: &str = "tests/clients/python/requirements.txt";
/// The variable that names the built broker.
pub(super) const BROKER: &str = "OTTLA_BIN";

pub(super) fn run(context: &Context<'_>) -> Outcome {
    let python = match environment(context) {
        Ok(python) => python,
        Err(outcome) => return outcome,
    };
    let Some(broker) = context.broker() else {
        return Outcome::Failed("the broker does not build".to_owned());
    };
    pytest(context.workspace.run(python).env(BROKER, broker), Path::new(TESTS))
}

/// The interpreter of the virtual environment, with everything installed.
pub(super) fn environment(context: &Context<'_>) -> Result<PathBuf, Outcome> {
    if !can_run("python3", &["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"]) {
        return Err(Outcome::Missing("needs python3, at least 3.10, with venv".to_owned()));
    }
    let workspace = context.workspace;
    let place = workspace.target.join("python");
    let python = place.join("bin/python");
    if !has(context, &python, REQUIREMENTS) {
        if !workspace.run("python3").args(["-m", "venv", "--clear"]).arg(&place).succeeds() {
            return Err(Outcome::Failed("the virtual environment cannot be made".to_owned()));
        }
        install(context, &python, REQUIREMENTS)?;
    }
    Ok(python)
}

/// The same interpreter, with what stands in another file of requirements besides.
pub(super) fn with(context: &Context<'_>, python: PathBuf, requirements: &str) -> Result<PathBuf, Outcome> {
    if !has(context, &python, requirements) {
        install(context, &python, requirements)?;
    }
    Ok(python)
}

/// Whether it has what stands in the file: a copy of the requirements is left behind once they are all there.
fn has(context: &Context<'_>, python: &Path, requirements: &str) -> bool {
    let wanted = fs::read(context.workspace.root.join(requirements)).ok();
    python.exists() && wanted.is_some() && fs::read(copy(python, requirements)).ok() == wanted
}

fn install(context: &Context<'_>, python: &Path, requirements: &str) -> Result<(), Outcome> {
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    if !context.workspace.run(python).args(install).arg(requirements).succeeds() {
        return Err(Outcome::Failed(format!("the Python packages of {requirements} cannot be installed")));
    }
    match fs::copy(context.workspace.root.join(requirements), copy(python, requirements)) {
        Ok(_) => Ok(()),
        Err(_) => Err(Outcome::Failed("the virtual environment cannot be written".to_owned())),
    }
}

fn copy(python: &Path, requirements: &str) -> PathBuf {
    python.with_file_name(format!("installed-{}", requirements.replace('/', "-")))
}

/// Runs the tests below `tests` with the interpreter `python`.
pub(super) fn pytest(python: Run, tests: &Path) -> Outcome {
    let mut last = "pytest said nothing".to_owned();
    let good =
        python.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).arg(tests).succeeds_with(|line| {
            if !line.trim().is_empty() {
                last = line.trim_matches(['=', ' ']).to_owned();
            }
        });
    outcome(good, last)
}
