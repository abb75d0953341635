//! What the operating system allows this process.

use std::sync::{Mutex, PoisonError};

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

/// The limits of connections, as they fit the files that may be open.
pub(crate) struct Fitting {
    open_files: Option<u64>,
    /// The `max.connections` that was last said to be lowered.
    said: Mutex<Option<usize>>,
}

impl Fitting {
    pub(crate) fn new(open_files: Option<u64>) -> Self {
        Self { open_files, said: Mutex::new(None) }
    }

    /// What `settings` allow, with the limit of connections lowered so that half of the files that may be open are left for
    /// segments. Says so, unless it has said that of this limit already.
    pub(crate) fn limits(&self, settings: &Settings) -> Limits {
        let mut limits = Limits::new(settings);
        let Some(open_files) = self.open_files else { return limits };
        let half = usize::try_from(open_files / 2).unwrap_or(usize::MAX);
        let asked = limits.connections;
        let said = std::mem::replace(
            &mut *self.said.lock().unwrap_or_else(PoisonError::into_inner),
            (asked > half).then_some(asked),
        );
        if asked <= half {
            return limits;
        }
        limits.connections = half;
        if said == Some(asked) {
            return limits;
        }
        if settings.given("max.connections").is_some() {
            tracing::warn!(
                "`max.connections` is lowered from {asked} to {half}, since this process may open {open_files} files only"
            );
        } else {
            tracing::info!(
                "`max.connections` is {half}, since this process may open {open_files} files only"
            );
        }
        limits
    }
}
