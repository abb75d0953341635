//! `cargo test` over the workspace.

use super::{Context, Outcome, outcome};
use crate::command::in_ci;

pub(super) fn run(context: &Context<'_>) -> Outcome {
    let locked: &[&str] = if in_ci() { &["--locked"] } else { &[] };
    let mut counts = Counts::default();
    let good = context
        .workspace
        .cargo()
        .arg("test")
        .args(locked)
        .args(["--workspace", "--no-fail-fast"])
        .succeeds_with(|line| counts.add(line));
    outcome(good, format!("{} tests passed, {} failed", counts.passed, counts.failed))
}

/// Sums the lines `test result: ok. 12 passed; 0 failed; ...`.
#[derive(Debug, Default)]
struct Counts {
    passed: u64,
    failed: u64,
}

impl Counts {
    fn add(&mut self, line: &str) {
        let Some((_, result)) = line.split_once("test result: ") else { return };
        let words: Vec<&str> = result.split_whitespace().collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else { continue };
            match pair[1].trim_end_matches(';') {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_summed() {
        let mut counts = Counts::default();
        counts.add(
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
        );
        counts.add("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        counts.add("test it_said_5_passed ... ok");
        assert_eq!((counts.passed, counts.failed), (15, 2));
    }
}
