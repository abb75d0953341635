//! A short run of each fuzz target. Long ones are run by hand: `cargo +nightly fuzz run --fuzz-dir ... TARGET`.

use std::fs;
use std::path::Path;

use super::{Context, Outcome};
use crate::command::{Run, can_run};

/// A directory of fuzz targets.
struct Fuzzed {
    place: &'static str,
    /// More memory at once, in MB, than this is a find.
    memory: u32,
}

const FUZZED: [Fuzzed; 2] =
    [Fuzzed { place: "crates/wire/fuzz", memory: 8 }, Fuzzed { place: "crates/records/fuzz", memory: 64 }];
/// Longer inputs find nothing that shorter ones do not.
const LONGEST: u32 = 4096;
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
    let builds = context.workspace.target.join("fuzz");
    let mut failed = Vec::new();
    for (fuzzed, target) in &targets {
        let fuzz = |verb: &str| -> Run {
            // Not the cargo that runs this: the nightly one, which only rustup's proxy finds.
            let run = context.workspace.run("cargo").env("CARGO_TARGET_DIR", &builds);
            run.args(["+nightly", "fuzz", verb, "--fuzz-dir", fuzzed.place, target])
        };
        // Kept, so that the next run here goes on from it.
        let corpus = builds.join("corpus").join(target);
        let good = fs::create_dir_all(&corpus).is_ok()
            && fuzz("build").succeeds()
            && fuzz("run")
                .arg(&corpus)
                .args(["--".to_owned(), format!("-max_total_time={seconds}"), format!("-max_len={LONGEST}")])
                .args([format!("-malloc_limit_mb={}", fuzzed.memory), "-verbosity=0".to_owned()])
                .succeeds();
        if !good {
            failed.push(format!("{target} of {}", fuzzed.place));
        }
    }
    if failed.is_empty() {
        Outcome::Passed(format!("{} targets, {seconds} s each", targets.len()))
    } else {
        Outcome::Failed(failed.join(", "))
    }
}

/// Each target, and where it is.
fn targets(root: &Path) -> Vec<(&'static Fuzzed, String)> {
    let mut found = Vec::new();
    for fuzzed in &FUZZED {
        let Ok(entries) = fs::read_dir(root.join(fuzzed.place).join("fuzz_targets")) else { continue };
        let sources = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut names: Vec<String> = sources.filter_map(|path| name(&path)).collect();
        names.sort();
        found.extend(names.into_iter().map(|name| (fuzzed, name)));
    }
    found
}

fn name(source: &Path) -> Option<String> {
    let is_rust = source.extension().is_some_and(|extension| extension == "rs");
    is_rust.then(|| source.file_stem().map(|stem| stem.to_string_lossy().into_owned())).flatten()
}
