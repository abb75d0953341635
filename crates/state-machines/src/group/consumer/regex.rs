//! Regular expressions in place of topic names (KIP-848, version 1 of the heartbeat).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::pattern;
use crate::topics::Topics;

/// Bytes that a compiled expression may take. Names like `orders-.*|payments-[0-9]{1,4}` take some ten thousand.
const COMPILED_BYTES: usize = 1 << 20;

/// An expression that can be matched.
#[derive(Debug)]
pub(super) struct Pattern(pattern::Pattern);

impl Pattern {
    /// Reads an expression. Without classes such as `\p{Greek}` it is one over ASCII, which topic names are made of.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn read(expression: &str) -> Result<Self, String> {
        pattern::Pattern::read(expression, COMPILED_BYTES).map(Self)
    }

    /// The topics whose whole name matches.
    pub(super) fn topics(&self, topics: &Topics) -> BTreeSet<Arc<str>> {
        let names = topics.iter().map(|topic| &topic.name);
        names.filter(|name| self.0.matches(name)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use base::Uuid;

    use super::*;
    use crate::topics::Record;

    fn matched(expression: &str) -> Vec<String> {
        let mut topics = Topics::default();
        for (number, name) in ["a", "ab", "b-1", "b.2", "xab"].into_iter().enumerate() {
            let id = Uuid::from_u128(number as u128 + 1);
            topics.apply(&Record::Topic { id, name: name.to_owned() }).expect("new");
        }
        let pattern = Pattern::read(expression).expect("sound");
        pattern.topics(&topics).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_whole_name_has_to_match() {
        assert_eq!(matched("a"), ["a"]);
        assert_eq!(matched("a|ab"), ["a", "ab"]);
        assert_eq!(matched("ab?"), ["a", "ab"]);
        assert_eq!(matched(r"b[-.]\d"), ["b-1", "b.2"]);
        assert_eq!(matched(r"\p{Latin}b"), ["ab"]);
        assert_eq!(matched(".*"), ["a", "ab", "b-1", "b.2", "xab"]);
        assert!(matched("").is_empty());
    }

    #[test]
    fn what_is_no_expression_or_too_large_is_refused() {
        let nested = format!("{}a{}", "(".repeat(200), ")".repeat(200));
        for refused in ["(", "a)(?:b", "[", "a**{", r"(?x)a # b", "(a{1000}){1000}", &nested] {
            assert!(Pattern::read(refused).is_err(), "{refused}");
        }
    }
}
