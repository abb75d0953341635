//! What people and CI run besides the broker itself: `cargo xtask help` lists it.
#![expect(clippy::print_stdout, reason = "a command-line tool prints")]

mod apis;
mod bench;
mod command;
mod compat;
mod crash;
mod image;
mod lint;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::command::Workspace;

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "What people and CI run besides the broker itself"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Formatting, clippy and rustdoc with warnings as errors, and tidy.
    Lint,
    /// The house rules that no compiler knows: which room may use which, file sizes, words that must not stay.
    Tidy,
    /// Writes docs/apis.md from the handler table and docs/configuration.md from the table of settings.
    Apis {
        /// Only say whether it is up to date.
        #[arg(long)]
        check: bool,
    },
    /// Measures the release binary beside its yardsticks, and prints a table for docs/benchmarks.md.
    Bench(bench::Chosen),
    /// Test suites of others against the built broker.
    Compat(compat::Chosen),
    /// Crash stories: `--seed N --cut M --mode kill|power` repeats one, `--seeds K` plays many.
    Crash(crash::Chosen),
    /// The docker image, built without pulling anything: `ottla:latest`.
    Image(image::Chosen),
    /// The tests, in rings from the inside out.
    Test(test::Selection),
}

fn main() -> ExitCode {
    let workspace = match Workspace::find() {
        Ok(workspace) => workspace,
        Err(why) => {
            println!("cannot look at the workspace: {why}");
            return ExitCode::from(2);
        }
    };
    let good = match Arguments::parse().task {
        Task::Lint => lint::run(&workspace),
        Task::Tidy => tidy::run(&workspace),
        Task::Apis { check } => apis::run(&workspace, check),
        Task::Bench(chosen) => bench::run(&workspace, &chosen),
        Task::Compat(chosen) => compat::run(&workspace, &chosen),
        Task::Crash(chosen) => crash::run(&workspace, &chosen),
        Task::Image(chosen) => image::run(&workspace, &chosen),
        Task::Test(selection) => test::run(&workspace, &selection),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
