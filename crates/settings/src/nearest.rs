//! The known name that looks most like a mistyped one.

/// The name among `known` with the fewest single-character changes to `given`, if those are at most a third of its
/// length. Dots, dashes and underscores count as the same, and case does not matter.
pub(crate) fn nearest(given: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    /// Longer texts than any key are not worth the time.
    const LONGEST: usize = 100;
    if given.len() > LONGEST {
        return None;
    }
    let given = folded(given);
    let (distance, name) =
        known.map(|name| (distance(&given, &folded(name)), name)).min_by_key(|(d, _)| *d)?;
    (distance <= (name.len() / 3).min(6)).then_some(name)
}

fn folded(name: &str) -> Vec<char> {
    name.chars().map(|c| if matches!(c, '-' | '_') { '.' } else { c.to_ascii_lowercase() }).collect()
}

/// Levenshtein's distance, row by row.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["log.retention.ms", "log.retention.hours", "num.partitions", "listeners"];

    fn near(given: &str) -> Option<&'static str> {
        nearest(given, KNOWN.into_iter())
    }

    #[test]
    fn a_slip_of_the_finger_finds_its_key() {
        assert_eq!(near("log.retention.hour"), Some("log.retention.hours"));
        assert_eq!(near("num.partition"), Some("num.partitions"));
        assert_eq!(near("NUM_PARTITIONS"), Some("num.partitions"));
        assert_eq!(near("listener"), Some("listeners"));
        assert_eq!(near("log.rentention.ms"), Some("log.retention.ms"));
    }

    #[test]
    fn a_stranger_gets_no_suggestion() {
        assert_eq!(near("zookeeper.connect"), None);
        assert_eq!(near(""), None);
        assert_eq!(near(&"x".repeat(1_000_000)), None);
    }

    #[test]
    fn distance_counts_single_changes() {
        let d = |a: &str, b: &str| distance(&folded(a), &folded(b));
        assert_eq!(d("kitten", "sitting"), 3);
        assert_eq!(d("", "abc"), 3);
        assert_eq!(d("abc", ""), 3);
        assert_eq!(d("same", "same"), 0);
    }
}
