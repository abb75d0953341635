//! The benchmarks, against the release binary.

mod image;

use clap::Args;

use crate::command::Workspace;

#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// The benchmarks to run; all of them without one, but for `image`, which measures the image that is there.
    names: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, chosen: &Chosen) -> bool {
    if chosen.names == ["image"] {
        return image::run(workspace);
    }
    let broker = workspace.target.join("release/ottla");
    workspace.cargo().args(["build", "--release", "--package", "ottla"]).succeeds()
        && workspace
            .cargo()
            .args(["run", "--quiet", "--release", "--package", "bench", "--"])
            .arg(broker)
            .args(&chosen.names)
            .succeeds()
}
