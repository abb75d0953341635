//! The test suites of other projects that are quick enough for every run.

use super::{Context, Outcome};
use crate::compat::{self, Trouble};

pub(super) fn run(context: &Context<'_>) -> Outcome {
    match compat::run_quick(context.workspace) {
        Ok(summary) => Outcome::Passed(summary),
        Err(Trouble::Missing(why)) => Outcome::Missing(why),
        Err(Trouble::Failed(why)) => Outcome::Failed(why),
    }
}
