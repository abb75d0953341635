//! A fixed set of stories, each cut at every operation, by a kill and by a power loss.

use super::{Context, Outcome, outcome};
use crate::crash;

/// As many as two processors play in about two minutes.
const STORIES: u32 = 10;

pub(super) fn run(context: &Context<'_>) -> Outcome {
    let mut summary = String::from("the stories could not be played");
    let stories = ["--seeds".to_owned(), STORIES.to_string()];
    let good = crash::play(context.workspace, &stories, |line| {
        if line.ends_with("broken promises") {
            line.clone_into(&mut summary);
        }
    });
    outcome(good, summary)
}
