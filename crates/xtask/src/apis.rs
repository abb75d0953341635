//! `docs/apis.md`, computed from the handler table.

use std::fs;

use crate::command::Workspace;

const PAGE: &str = "docs/apis.md";

/// Writes the page; with `check`, only says whether it is what it would write.
pub(crate) fn run(workspace: &Workspace, check: bool) -> bool {
    // An example of `api`, so that this crate need not be built on top of the house.
    let printed =
        workspace.cargo().args(["run", "--quiet", "--package", "api", "--example", "apis"]).output();
    let Some(printed) = printed else { return false };
    let page = workspace.root.join(PAGE);
    if fs::read(&page).is_ok_and(|there| there == printed) {
        return true;
    }
    if check {
        println!("{PAGE} is not what the handler table says; write it with: cargo xtask apis");
        return false;
    }
    match fs::write(&page, printed) {
        Ok(()) => true,
        Err(why) => {
            println!("cannot write {PAGE}: {why}");
            false
        }
    }
}
