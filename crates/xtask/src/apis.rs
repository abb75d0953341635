//! The pages that are computed from tables: `docs/apis.md` and `docs/configuration.md`.

use std::fs;

use crate::command::Workspace;

/// A page, and the example that prints it: not called from here, so that this crate need not be built on top of the house.
struct Page {
    path: &'static str,
    package: &'static str,
    example: &'static str,
}

const PAGES: [Page; 2] = [
    Page { path: "docs/apis.md", package: "api", example: "apis" },
    Page { path: "docs/configuration.md", package: "settings", example: "configuration" },
];

/// Writes the pages; with `check`, only says whether they are what it would write.
pub(crate) fn run(workspace: &Workspace, check: bool) -> bool {
    // All of them, whichever fails.
    PAGES.iter().filter(|page| !page.is_good(workspace, check)).count() == 0
}

impl Page {
    fn is_good(&self, workspace: &Workspace, check: bool) -> bool {
        let run = ["run", "--quiet", "--package", self.package, "--example", self.example];
        let Some(printed) = workspace.cargo().args(run).output() else { return false };
        let file = workspace.root.join(self.path);
        if fs::read(&file).is_ok_and(|there| there == printed) {
            return true;
        }
        if check {
            println!("{} is not what its table says; write it with: cargo xtask apis", self.path);
            return false;
        }
        match fs::write(&file, printed) {
            Ok(()) => true,
            Err(why) => {
                println!("cannot write {}: {why}", self.path);
                false
            }
        }
    }
}
