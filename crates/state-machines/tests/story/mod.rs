//! Stories as text: files of blocks, each of commands, `----`, and what the commands answered.
//!
//! `UPDATE_SCENARIOS=1` writes the answers anew; read the difference before it is committed. What follows `# ` is a comment.

use std::fmt::Write as _;
use std::path::Path;

/// Something that commands can be given to.
pub(crate) trait Stage: Default {
    /// Does what a command says and tells what came of it, line by line.
    fn run(&mut self, command: &str) -> Vec<String>;
}

/// Retells every story in a folder under `tests/scenarios`, each on a stage of its own, and compares.
#[expect(clippy::disallowed_methods, reason = "the runner reads and writes stories; the machine does not")]
pub(crate) fn retell_all<S: Stage>(folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(folder);
    let update = std::env::var_os("UPDATE_SCENARIOS").is_some();
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "there are stories");
    let mut differing = Vec::new();
    for path in paths {
        let told = std::fs::read_to_string(&path).unwrap();
        let happened = retell(&mut S::default(), &told);
        if told == happened {
            continue;
        }
        if update {
            std::fs::write(&path, happened).unwrap();
        } else {
            differing.push(format!("{}:\n{}", path.display(), difference(&told, &happened)));
        }
    }
    assert!(differing.is_empty(), "UPDATE_SCENARIOS=1 writes these anew:\n{}", differing.join("\n"));
}

/// The story with the answers that are given now.
fn retell(stage: &mut impl Stage, story: &str) -> String {
    let mut retold = String::new();
    for (number, block) in story.trim_end().split("\n\n").enumerate() {
        if number > 0 {
            retold.push('\n');
        }
        let mut answers = String::new();
        for line in block.lines().take_while(|line| *line != "----") {
            writeln!(retold, "{line}").unwrap();
            let command = line.split("# ").next().unwrap_or_default().trim();
            if !command.is_empty() {
                stage.run(command).iter().for_each(|answer| writeln!(answers, "{answer}").unwrap());
            }
        }
        if !answers.is_empty() {
            write!(retold, "----\n{answers}").unwrap();
        }
    }
    retold
}

fn difference(told: &str, happened: &str) -> String {
    let mut lines = String::new();
    for (number, (told, happened)) in told.lines().zip(happened.lines()).enumerate() {
        if told != happened {
            writeln!(lines, "  line {}: told {told:?}, happened {happened:?}", number + 1).unwrap();
        }
    }
    lines
}
