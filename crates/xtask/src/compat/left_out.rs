//! What is left out of a suite, and why: `tests/compat/NAME.left-out`, a line `TEST: REASON` for each test.
//!
//! Three reasons count: the test needs several brokers; it needs a feature that docs/roadmap.md names; it fails against
//! Apache Kafka as well.

use std::fs;
use std::path::Path;

/// The page that names what is not built yet, a heading for each.
pub(crate) const ROADMAP: &str = "docs/roadmap.md";

const SEVERAL_BROKERS: &str = "needs several brokers";
const FAILS_TOO: &str = "fails against Apache Kafka as well";

/// A test that is not run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// Its name; with a `*` at the end the beginning of the names of several.
    test: String,
    /// One of the three reasons; more words may follow after a semicolon.
    reason: String,
}

impl LeftOut {
    /// Whether this is about the test.
    pub(super) fn names(&self, test: &str) -> bool {
        self.test.strip_suffix('*').map_or(self.test == test, |start| test.starts_with(start))
    }

    /// Its name as it stands in the list.
    pub(super) fn test(&self) -> &str {
        &self.test
    }

    /// The reason without what was added to it.
    pub(super) fn reason(&self) -> &str {
        self.reason.split(';').next().unwrap_or_default().trim()
    }
}

/// What is left out of a suite; nothing when it has no such file.
pub(super) fn of(root: &Path, suite: &str) -> Result<Vec<LeftOut>, String> {
    let file = root.join("tests/compat").join(format!("{suite}.left-out"));
    if !file.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&file).map_err(|why| format!("{}: {why}", file.display()))?;
    parse(&text)
}

fn parse(text: &str) -> Result<Vec<LeftOut>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut all: Vec<LeftOut> = Vec::new();
    for line in lines {
        // Names of tests may hold colons, reasons follow one and a space.
        let (test, reason) =
            line.rsplit_once(": ").ok_or_else(|| format!("`{line}` is not `TEST: REASON`"))?;
        if all.iter().any(|other| other.test == test) {
            return Err(format!("`{test}` stands there twice"));
        }
        all.push(LeftOut { test: test.to_owned(), reason: reason.to_owned() });
    }
    Ok(all)
}

/// What is wrong with a list of left-out tests, beside that roadmap.
pub(crate) fn check(file: &Path, text: &str, roadmap: &str) -> Vec<String> {
    let all = match parse(text) {
        Ok(all) => all,
        Err(why) => return vec![format!("{}: {why}", file.display())],
    };
    all.iter()
        .filter(|left_out| !counts(left_out.reason(), roadmap))
        .map(|left_out| complaint(file, left_out))
        .collect()
}

fn complaint(file: &Path, left_out: &LeftOut) -> String {
    let (file, test, reason) = (file.display(), &left_out.test, &left_out.reason);
    format!(
        "{file}: `{test}` is left out because it `{reason}`; a reason is `{SEVERAL_BROKERS}`, `needs FEATURE` with a heading \
         of {ROADMAP}, or `{FAILS_TOO}`"
    )
}

fn counts(reason: &str, roadmap: &str) -> bool {
    let planned = |feature: &str| {
        let headings = roadmap.lines().filter_map(|line| line.strip_prefix("## "));
        headings.map(str::trim).any(|heading| heading.eq_ignore_ascii_case(feature))
    };
    [SEVERAL_BROKERS, FAILS_TOO].contains(&reason) || reason.strip_prefix("needs ").is_some_and(planned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANS: &str = "# Roadmap\n\n## Transactions\n\nText.\n";

    #[test]
    fn a_reason_counts_when_it_is_one_of_three() {
        let list = "# why\na: needs several brokers\nb::c*: needs transactions; TxnOffsetCommit\n\
                    d: fails against Apache Kafka as well; times out\n";
        assert_eq!(check(Path::new("x.left-out"), list, PLANS), Vec::<String>::new());
        for reason in ["too slow", "needs luck", "needs", "needs Text."] {
            assert_eq!(check(Path::new("x"), &format!("a: {reason}\n"), PLANS).len(), 1, "{reason}");
        }
        assert_eq!(
            check(Path::new("x"), "a: needs several brokers\na: needs transactions\n", PLANS).len(),
            1
        );
        assert_eq!(check(Path::new("x"), "no reason\n", PLANS).len(), 1);
    }

    #[test]
    fn a_star_leaves_out_several() {
        let all = parse("a::b*: needs several brokers\nc: needs transactions; more\n").expect("it is a list");
        assert!(all[0].names("a::b") && all[0].names("a::bc") && !all[0].names("a::"));
        assert!(all[1].names("c") && !all[1].names("cd"));
        assert_eq!(all[1].reason(), "needs transactions");
    }
}
