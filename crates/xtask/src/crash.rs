//! Crash stories, repeated or many: what they are stands in `crates/crash`.

use clap::Args;

use crate::command::{Workspace, in_ci};

/// Passed on as they are: `cargo xtask crash --help` lists them.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Chosen {
    /// Which stories and cuts.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, chosen: &Chosen) -> bool {
    play(workspace, &chosen.arguments, |_| ())
}

/// Plays, and hands over each line that is printed.
pub(crate) fn play(workspace: &Workspace, arguments: &[String], line: impl FnMut(&str)) -> bool {
    let locked: &[&str] = if in_ci() { &["--locked"] } else { &[] };
    let run = workspace.cargo().args(["run", "--quiet", "--package", "crash"]).args(locked);
    run.arg("--").args(arguments).succeeds_with(line)
}
