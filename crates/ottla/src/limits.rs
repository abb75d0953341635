//! What the operating system allows this process.

use frontend::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use settings::Settings;

/// Raises the soft limit of open files to the hard one, and says how many files may be open then.
pub(crate) fn raise_open_files() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // Where the hard limit is "none" the kernel has another one of its own, and refuses; then the soft one stays.
    if current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_err() {
        return current;
    }
    maximum
}

/// Lowers the limit of connections so that half of the files that may be open are left for segments.
pub(crate) fn fit_connections(limits: &mut Limits, settings: &Settings, open_files: Option<u64>) {
    let Some(open_files) = open_files else { return };
    let half = usize::try_from(open_files / 2).unwrap_or(usize::MAX);
    if limits.connections <= half {
        return;
    }
    limits.connections = half;
    if settings.given("max.connections").is_some() {
        tracing::warn!(
            "`max.connections` is lowered to {half}, since this process may open {open_files} files only"
        );
    } else {
        tracing::info!("`max.connections` is {half}, since this process may open {open_files} files only");
    }
}
