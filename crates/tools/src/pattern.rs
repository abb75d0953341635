//! Names of topics by a regular expression (Kafka: `TopicFilter.IncludeList`).

use regex::Regex;

/// Topics that Kafka keeps for itself (`Topic.isInternal`).
pub(crate) fn is_internal(topic: &str) -> bool {
    matches!(topic, "__consumer_offsets" | "__transaction_state" | "__share_group_state")
}

/// A pattern that a whole name must match; a comma stands for "or".
#[derive(Debug)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let quotes = ['"', '\''];
        let plain = text.trim().replace(',', "|").replace(' ', "");
        let plain = plain.trim_start_matches(quotes).trim_end_matches(quotes);
        let whole = format!("^(?:{plain})$");
        Regex::new(&whole).map(Self).map_err(|_| format!("{plain} is an invalid regex."))
    }

    /// An expression as it stands, for a whole name too.
    pub(crate) fn exact(text: &str) -> Result<Self, String> {
        Regex::new(&format!("^(?:{text})$")).map(Self).map_err(|_| format!("{text} is an invalid regex."))
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_name_matches() {
        let pattern = Pattern::new("'a.c, b+'").unwrap();
        let names = ["abc", "bb", "abcd", "xbb", ""];
        assert_eq!(names.map(|name| pattern.matches(name)), [true, true, false, false, false]);
        assert_eq!(Pattern::new("(").unwrap_err(), "( is an invalid regex.");
    }
}
