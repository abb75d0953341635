//! What does not fit together, collected while files are dumped and said at the end, in the words of Kafka's tool.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::Path;

/// How many findings of one kind are kept for a file. Kafka keeps all; a compacted segment can have millions of gaps.
const MOST_KEPT: usize = 100_000;

/// What was found, by kind and file.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    index_mismatches: Vec<List>,
    time_mismatches: Vec<List>,
    out_of_order: Vec<List>,
    not_found: Vec<List>,
    not_consecutive: Vec<List>,
}

/// Pairs of numbers found in one file.
#[derive(Debug)]
struct List {
    file: String,
    pairs: VecDeque<(i64, i64)>,
    left_out: u64,
}

impl Findings {
    /// An entry of an `.index` names another offset than the batch at its position has.
    pub(crate) fn index_mismatch(&mut self, path: &Path, index_offset: i64, log_offset: i64) {
        list(&mut self.index_mismatches, path).push_newest((index_offset, log_offset));
    }

    /// An entry of a `.timeindex` has another timestamp than its batch.
    pub(crate) fn time_mismatch(&mut self, path: &Path, index_timestamp: i64, log_timestamp: i64) {
        list(&mut self.time_mismatches, path).push_oldest((index_timestamp, log_timestamp));
    }

    /// An entry of a `.timeindex` is not later than the one before.
    pub(crate) fn out_of_order(&mut self, path: &Path, timestamp: i64, previous: i64) {
        list(&mut self.out_of_order, path).push_oldest((timestamp, previous));
    }

    /// An entry of a `.timeindex` names an offset that no batch ends with; -1: nor does any reach as far.
    pub(crate) fn not_found(&mut self, path: &Path, index_offset: i64, log_offset: i64) {
        list(&mut self.not_found, path).push_oldest((index_offset, log_offset));
    }

    /// A record's offset does not follow the one before.
    pub(crate) fn not_consecutive(&mut self, path: &Path, offset: i64, next: i64) {
        list(&mut self.not_consecutive, path).push_newest((offset, next));
    }

    /// All of it as text, in Kafka's order.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        say(&mut text, &self.index_mismatches, "Mismatches in :", |(index, log)| {
            format!("  Index offset: {index}, log offset: {log}")
        });
        say(&mut text, &self.time_mismatches, "Found timestamp mismatch in :", |(index, log)| {
            format!("  Index timestamp: {index}, log timestamp: {log}")
        });
        say(&mut text, &self.out_of_order, "Found out of order timestamp in :", |(index, previous)| {
            format!("  Index timestamp: {index}, Previously indexed timestamp: {previous}")
        });
        for list in &self.not_found {
            text.push_str("The following indexed offsets are not found in the log.\n");
            list.say(&mut text, |(index, log)| format!("Indexed offset: {index}, found log offset: {log}"));
        }
        say(&mut text, &self.not_consecutive, "Non-consecutive offsets in ", |(first, second)| {
            format!("  {first} is followed by {second}")
        });
        text
    }
}

fn list<'a>(lists: &'a mut Vec<List>, path: &Path) -> &'a mut List {
    let file = absolute(path);
    let at = lists.iter().position(|list| list.file == file).unwrap_or_else(|| {
        lists.push(List { file, pairs: VecDeque::new(), left_out: 0 });
        lists.len() - 1
    });
    &mut lists[at]
}

fn say(text: &mut String, lists: &[List], title: &str, line: impl Fn((i64, i64)) -> String) {
    for list in lists {
        writeln!(text, "{title}{}", list.file).expect("a String takes everything");
        list.say(text, &line);
    }
}

impl List {
    /// For what is listed newest first: if some must go, the oldest do.
    fn push_newest(&mut self, pair: (i64, i64)) {
        self.pairs.push_front(pair);
        if self.pairs.len() > MOST_KEPT {
            self.pairs.pop_back();
            self.left_out += 1;
        }
    }

    /// For what is listed oldest first: if some must go, the newest do.
    fn push_oldest(&mut self, pair: (i64, i64)) {
        if self.pairs.len() < MOST_KEPT {
            self.pairs.push_back(pair);
        } else {
            self.left_out += 1;
        }
    }

    fn say(&self, text: &mut String, line: impl Fn((i64, i64)) -> String) {
        for &pair in &self.pairs {
            text.push_str(&line(pair));
            text.push('\n');
        }
        if self.left_out > 0 {
            writeln!(text, "  and {} more", self.left_out).expect("a String takes everything");
        }
    }
}

/// The path as Java's `File.getAbsolutePath` has it: behind the working directory, and otherwise as it was named.
fn absolute(path: &Path) -> String {
    let shown = shown(path);
    match std::env::current_dir() {
        Ok(dir) if path.is_relative() => format!("{}/{shown}", dir.display()),
        _ => shown,
    }
}

/// The path as Java's `File.toString` has it: without doubled slashes and one at the end.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if !(letter == '/' && shown.ends_with('/')) {
            shown.push(letter);
        }
    }
    if shown.len() > 1 && shown.ends_with('/') {
        shown.pop();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_as_java_shows_them() {
        for (path, expected) in [("a//b.log", "a/b.log"), ("./a.log", "./a.log"), ("/a/", "/a"), ("/", "/")] {
            assert_eq!(shown(Path::new(path)), expected);
        }
        assert!(absolute(Path::new("./a.log")).ends_with("/./a.log"));
    }

    #[test]
    fn findings_are_said_by_kind_and_capped() {
        let mut findings = Findings::default();
        for n in 0..MOST_KEPT as i64 + 2 {
            findings.not_consecutive(Path::new("/a.log"), n, n + 2);
            findings.time_mismatch(Path::new("/a.timeindex"), n, 0);
        }
        findings.index_mismatch(Path::new("/a.index"), 1, 2);
        let text = findings.text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[..2], ["Mismatches in :/a.index", "  Index offset: 1, log offset: 2"]);
        assert_eq!(
            lines[2..4],
            ["Found timestamp mismatch in :/a.timeindex", "  Index timestamp: 0, log timestamp: 0"]
        );
        assert_eq!(lines[MOST_KEPT + 3], "  and 2 more");
        assert_eq!(
            lines[MOST_KEPT + 4..][..2],
            ["Non-consecutive offsets in /a.log", "  100001 is followed by 100003"]
        );
        assert_eq!(lines.last(), Some(&"  and 2 more"));
    }
}
