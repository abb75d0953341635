//! What may not stand in a file.

use std::path::Path;

/// Lines that a source file may have: beyond it, a second story has begun.
const MAX_LINES: usize = 800;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 6] = ["util", "utils", "helper", "helpers", "misc", "manager"];

/// A piece of text that may not stay, in files with this ending (`""`: in any), and why. Split in two, so that this file
/// does not complain about itself.
struct Banned {
    text: (&'static str, &'static str),
    ending: &'static str,
    reason: &'static str,
}

const BANNED: &[Banned] = &[
    Banned { text: ("to", "do!("), ending: "rs", reason: "is unfinished" },
    Banned { text: ("unimple", "mented!("), ending: "rs", reason: "is unfinished" },
    Banned { text: ("db", "g!("), ending: "rs", reason: "is a leftover" },
    Banned {
        text: ("#[ig", "nore"),
        ending: "rs",
        reason: "hides a test; a test that cannot run here says so",
    },
    Banned {
        text: ("#[al", "low("),
        ending: "rs",
        reason: "outlives its cause; use expect, with the reason",
    },
    Banned {
        text: ("#![al", "low("),
        ending: "rs",
        reason: "outlives its cause; use expect, with the reason",
    },
    Banned { text: ("@pytest.mark.sk", "ip"), ending: "py", reason: "hides a test" },
    Banned { text: ("/wo", "rk/"), ending: "", reason: "is a path of one machine" },
    Banned { text: ("/ro", "ot/"), ending: "", reason: "is a path of one machine" },
    Banned { text: ("/ho", "me/"), ending: "", reason: "is a path of one machine" },
    Banned { text: ("py", "pi.org"), ending: "", reason: "names a registry; the tools know where theirs is" },
    Banned {
        text: ("maven", ".org"),
        ending: "",
        reason: "names a registry; the tools know where theirs is",
    },
    Banned {
        text: ("maven.apa", "che.org/maven2"),
        ending: "",
        reason: "names a registry; the tools know where theirs is",
    },
    Banned {
        text: ("index.cra", "tes.io"),
        ending: "",
        reason: "names a registry; the tools know where theirs is",
    },
    Banned {
        text: ("deb.debi", "an.org"),
        ending: "",
        reason: "names a registry; the tools know where theirs is",
    },
];

/// What is wrong with a file.
pub(super) fn check(file: &Path, content: &str) -> Vec<String> {
    let shown = file.display();
    let ending = file.extension().unwrap_or_default().to_string_lossy();
    let mut complaints = Vec::new();
    // A lock file is written by a tool, which puts its registry in.
    if file.file_name().is_some_and(|name| name == "Cargo.lock") {
        return complaints;
    }
    let is_source = ending == "rs" || ending == "py";
    if is_source {
        let lines = content.lines().count();
        if lines > MAX_LINES {
            complaints.push(format!(
                "{shown} has {lines} lines, more than {MAX_LINES}: it tells more than one story"
            ));
        }
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        if EMPTY_NAMES.contains(&&*stem) {
            complaints.push(format!("{shown}: a file called {stem} says nothing about what is inside"));
        }
    }
    for (number, line) in (1..).zip(content.lines()) {
        for banned in BANNED.iter().filter(|banned| banned.ending.is_empty() || banned.ending == ending) {
            let text = [banned.text.0, banned.text.1].concat();
            // Below `docker` it is a path of the image.
            let of_image = text.starts_with('/') && file.starts_with("docker");
            if stands_in(line, &text) && !of_image {
                complaints.push(format!("{shown}:{number}: {text} {}", banned.reason));
            }
        }
    }
    let is_crate_root = ["src/lib.rs", "src/main.rs"].iter().any(|root| file.ends_with(root));
    if is_crate_root && !content.lines().any(|line| line.starts_with("//!")) {
        complaints.push(format!("{shown} does not say what the crate is for"));
    }
    if file.starts_with("crates")
        && file.ends_with("Cargo.toml")
        && !content.contains("[lints]\nworkspace = true")
    {
        let fuzzing = file.parent().is_some_and(|place| place.ends_with("fuzz"));
        if !fuzzing {
            complaints.push(format!("{shown} does not take the lints of the workspace"));
        }
    }
    complaints
}

/// Whether `text` stands in `line`, and not as the tail of a longer word or, for a path, of a longer path.
fn stands_in(line: &str, text: &str) -> bool {
    let is_path = text.starts_with('/');
    line.match_indices(text).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || (is_path && (c == '.' || c == '}')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(file: &str, content: &str) -> Vec<String> {
        check(Path::new(file), content)
    }

    #[test]
    fn what_may_not_stay() {
        let unfinished = ["    to", "do!()"].concat();
        let path = ["see /wo", "rk/x"].concat();
        let attribute = ["#[al", "low(dead_code)]"].concat();
        for (file, content) in
            [("crates/log/src/a.rs", &unfinished), ("docs/a.md", &path), ("crates/log/src/a.rs", &attribute)]
        {
            assert_eq!(said(file, content).len(), 1, "{file}: {content}");
        }
        assert_eq!(said("docs/a.md", &unfinished), [""; 0], "only code can be unfinished that way");
        assert_eq!(said("docs/a.md", concat!("the frame/", "work/ and ${HOME}/", "work/ are fine")), [""; 0]);
    }

    #[test]
    fn the_line_is_named() {
        let content = ["\n\nx = /ro", "ot/y\n"].concat();
        let expected = ["a.toml:3: /ro", "ot/ is a path of one machine"].concat();
        assert_eq!(said("a.toml", &content), [expected]);
        assert_eq!(said("docker/Dockerfile", &content), [""; 0], "there it is a path of the image");
    }

    #[test]
    fn a_file_that_tells_two_stories() {
        assert_eq!(said("a.rs", &"x\n".repeat(MAX_LINES)), [""; 0]);
        assert_eq!(said("a.rs", &"x\n".repeat(MAX_LINES + 1)).len(), 1);
        assert_eq!(said("a.md", &"x\n".repeat(MAX_LINES + 1)), [""; 0]);
    }

    #[test]
    fn names_that_say_nothing() {
        assert_eq!(said("crates/log/src/helpers.rs", "").len(), 1);
        assert_eq!(said("crates/log/src/segment.rs", ""), [""; 0]);
    }

    #[test]
    fn a_crate_says_what_it_is_for_and_takes_the_lints() {
        assert_eq!(said("crates/log/src/lib.rs", "mod a;").len(), 1);
        assert_eq!(said("crates/log/src/lib.rs", "//! Segments.\nmod a;"), [""; 0]);
        assert_eq!(said("crates/log/Cargo.toml", "[package]").len(), 1);
        assert_eq!(said("crates/log/Cargo.toml", "[lints]\nworkspace = true"), [""; 0]);
    }
}
