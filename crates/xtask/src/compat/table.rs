//! docs/compatibility.md: one row for each suite.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::Judged;
use super::left_out::LeftOut;

const PAGE: &str = "docs/compatibility.md";

/// Writes what came of a suite into its row, or a new row.
pub(super) fn record(root: &Path, suite: &str, judged: &Judged, left_out: &[LeftOut]) -> io::Result<()> {
    let file = root.join(PAGE);
    let text = fs::read_to_string(&file)?;
    let text = with_row(&text, suite, &row(suite, judged, left_out))
        .ok_or_else(|| io::Error::other("it has no table that begins with `| suite |`"))?;
    fs::write(file, text)
}

fn row(suite: &str, judged: &Judged, left_out: &[LeftOut]) -> String {
    let mut reasons = BTreeMap::new();
    for one in left_out {
        *reasons.entry(one.reason()).or_insert(0_usize) += 1;
    }
    let reasons: Vec<String> = reasons.iter().map(|(reason, times)| format!("{times} {reason}")).collect();
    let mut why = reasons.join(", ");
    if !left_out.is_empty() {
        why = format!("[{why}](../tests/compat/{suite}.left-out)");
    }
    let (version, passed, failed) = (&judged.version, judged.passed, judged.failed.len());
    format!("| {suite} | {version} | {passed} | {failed} | {} | {why} |", left_out.len())
}

/// The page with this row in its table, which is ordered by the names of the suites.
fn with_row(page: &str, suite: &str, row: &str) -> Option<String> {
    let mut lines: Vec<&str> = page.lines().collect();
    let first = lines.iter().position(|line| line.starts_with("| suite |"))? + 2;
    let own = format!("| {suite} |");
    let end = first + lines.get(first..)?.iter().take_while(|line| line.starts_with('|')).count();
    let place = (first..end).find(|at| lines[*at] >= own.as_str()).unwrap_or(end);
    if lines.get(place).is_some_and(|line| line.starts_with(&own)) {
        lines[place] = row;
    } else {
        lines.insert(place, row);
    }
    Some(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_written_in_its_place_or_anew() {
        let page = "# Page\n\n| suite | v |\n| --- | --- |\n| b | 1 |\n\nText.\n";
        let more = with_row(page, "a", "| a | 2 |").expect("there is a table");
        assert_eq!(more, "# Page\n\n| suite | v |\n| --- | --- |\n| a | 2 |\n| b | 1 |\n\nText.\n");
        let more = with_row(&more, "b", "| b | 3 |").expect("there is a table");
        let more = with_row(&more, "c", "| c | 4 |").expect("there is a table");
        assert_eq!(
            more,
            "# Page\n\n| suite | v |\n| --- | --- |\n| a | 2 |\n| b | 3 |\n| c | 4 |\n\nText.\n"
        );
        assert_eq!(with_row("no table\n", "a", "| a |"), None);
    }
}
