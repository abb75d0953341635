//! A short run of each fuzz target. Long ones are run by hand: `cargo +nightly fuzz run --fuzz-dir ... TARGET`.

use std::fs;
use std::path::Path;

use super::{Context, Outcome};
use crate::command::{Run, can_run};

/// The crates that have fuzz targets.
const FUZZED: [&str; 2] = ["crates/wire/fuzz", "crates/records/fuzz"];
/// Seconds of fuzzing for all targets together, besides building them.
const BUDGET: usize = 120;

pub(super) fn run(context: &Context<'_>) -> Outcome {
    let missing = |why: &str| Outcome::Missing(why.to_owned());
    if !can_run("cargo", &["+nightly", "--version"]) {
        return missing("needs a nightly toolchain (rustup toolchain install nightly)");
    }
    if !can_run("cargo", &["fuzz", "--version"]) {
        return missing("needs cargo-fuzz (cargo install --locked cargo-fuzz)");
    }
    let targets = targets(&context.workspace.root);
    if targets.is_empty() {
        return missing("there are no fuzz targets yet");
    }
    let seconds = (BUDGET / targets.len()).max(5);
    let mut failed = Vec::new();
    for (place, target) in &targets {
        let fuzz = |verb: &str| -> Run {
            // Not the cargo that runs this: the nightly one, which only rustup's proxy finds.
            let run = context.workspace.run("cargo").args(["+nightly", "fuzz", verb]);
            run.arg("--fuzz-dir").arg(place).arg(target)
        };
        let good = fuzz("build").succeeds()
            && fuzz("run").arg("--").arg(format!("-max_total_time={seconds}")).succeeds();
        if !good {
            failed.push(format!("{target} of {place}"));
        }
    }
    if failed.is_empty() {
        Outcome::Passed(format!("{} targets, {seconds} s each", targets.len()))
    } else {
        Outcome::Failed(failed.join(", "))
    }
}

/// Directory and name of each target.
fn targets(root: &Path) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for place in FUZZED {
        let Ok(entries) = fs::read_dir(root.join(place).join("fuzz_targets")) else { continue };
        let sources = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut names: Vec<String> = sources.filter_map(|path| name(&path)).collect();
        names.sort();
        found.extend(names.into_iter().map(|name| (place, name)));
    }
    found
}

fn name(source: &Path) -> Option<String> {
    let is_rust = source.extension().is_some_and(|extension| extension == "rs");
    is_rust.then(|| source.file_stem().map(|stem| stem.to_string_lossy().into_owned())).flatten()
}
