//! The house rules that no compiler knows.

mod layers;
mod text;

use std::fs;

use crate::command::Workspace;
use crate::compat::{ROADMAP, check_left_out};

pub(crate) fn run(workspace: &Workspace) -> bool {
    let mut complaints = layers::check(&workspace.metadata);
    match workspace.files() {
        Err(why) => complaints.push(why.to_string()),
        Ok(files) => {
            let roadmap = fs::read_to_string(workspace.root.join(ROADMAP)).unwrap_or_default();
            for file in files {
                // What is not text is a fixture.
                if let Ok(content) = fs::read_to_string(workspace.root.join(&file)) {
                    complaints.extend(text::check(&file, &content));
                    if file.extension().is_some_and(|ending| ending == "left-out") {
                        complaints.extend(check_left_out(&file, &content, &roadmap));
                    }
                }
            }
        }
    }
    for complaint in &complaints {
        println!("tidy: {complaint}");
    }
    complaints.is_empty()
}
