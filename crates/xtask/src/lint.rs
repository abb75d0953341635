//! Formatting, clippy, rustdoc, tidy and generated pages: all of them, whichever fails.

use crate::command::{Workspace, in_ci};
use crate::{apis, tidy};

pub(crate) fn run(workspace: &Workspace) -> bool {
    let locked: &[&str] = if in_ci() { &["--locked"] } else { &[] };
    let everything = ["--workspace", "--all-targets", "--all-features"];
    let checks = [
        workspace.cargo().args(["fmt", "--all", "--check"]),
        workspace.cargo().arg("clippy").args(locked).args(everything).args(["--", "-D", "warnings"]),
        workspace.cargo().env("RUSTDOCFLAGS", "-D warnings").arg("doc").args(locked).args([
            "--workspace",
            "--no-deps",
            "--all-features",
        ]),
    ];
    let mut failed = Vec::new();
    for check in checks {
        let line = check.line();
        if !check.succeeds() {
            failed.push(line);
        }
    }
    println!("$ cargo xtask tidy");
    if !tidy::run(workspace) {
        failed.push("cargo xtask tidy".to_owned());
    }
    if !apis::run(workspace, true) {
        failed.push("cargo xtask apis --check".to_owned());
    }
    for line in &failed {
        println!("failed; repeat with: {line}");
    }
    failed.is_empty()
}
