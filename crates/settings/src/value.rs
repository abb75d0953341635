//! Types of values: how text becomes a value (Kafka: `ConfigDef.parseType`) and what a row allows.

use std::fmt;

/// The type of a value, under Kafka's name (`ConfigDef.Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`, in any case.
    Boolean,
    /// A 16-bit decimal number.
    Short,
    /// A 32-bit decimal number.
    Int,
    /// A 64-bit decimal number.
    Long,
    /// A decimal fraction.
    Double,
    /// Text as it stands.
    Text,
    /// Items between commas; spaces around them do not count. Empty text is the empty list.
    List,
    /// The name of a Java class.
    Class,
    /// Text that is not shown.
    Password,
}

/// Which values of its type a row takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Allowed {
    /// All of them.
    Any,
    /// Numbers from this one on.
    AtLeast(i64),
    /// Numbers from the first to the second, both included.
    Between(i64, i64),
    /// This number, or those from the second to the third.
    OneOrBetween(i64, i64, i64),
    /// Fractions from 0 to 1.
    Ratio,
    /// One of these words; in a list, any of them.
    Words(&'static [&'static str]),
    /// One of these words, however its letters are written.
    WordsInAnyCase(&'static [&'static str]),
    /// A list of `partition:broker` pairs, or `*`.
    Replicas,
    /// `false` alone, with the reason why not `true`.
    Never(&'static str),
}

/// What a row says about its values, ready to check one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) kind: Kind,
    pub(crate) allowed: Allowed,
}

impl fmt::Display for Rule {
    /// "must be an integer of at least 1": completes "`key` cannot be `value`: ...".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, largest) = match self.kind {
            Kind::Boolean => ("true or false", 0),
            Kind::Short => ("a whole number", i64::from(i16::MAX)),
            Kind::Int => ("a whole number", i64::from(i32::MAX)),
            Kind::Long => ("a whole number", i64::MAX),
            Kind::Double => ("a number", 0),
            Kind::Text | Kind::Password => ("text", 0),
            Kind::Class => ("the name of a class", 0),
            Kind::List => ("a list with commas", 0),
        };
        match self.allowed {
            Allowed::Any if largest > 0 => write!(f, "must be {kind} up to {largest}"),
            Allowed::Any => write!(f, "must be {kind}"),
            Allowed::AtLeast(min) => write!(f, "must be {kind} from {min} to {largest}"),
            Allowed::Between(min, max) => write!(f, "must be {kind} from {min} to {max}"),
            Allowed::OneOrBetween(one, min, max) => {
                write!(f, "must be {one}, or {kind} from {min} to {max}")
            }
            Allowed::Ratio => write!(f, "must be {kind} from 0 to 1"),
            Allowed::Words(words) if self.kind == Kind::List => {
                write!(f, "must be a list, with commas, of: {}", words.join(", "))
            }
            Allowed::Words(words) | Allowed::WordsInAnyCase(words) => {
                write!(f, "must be one of: {}", words.join(", "))
            }
            Allowed::Replicas => f.write_str("must be a list of partition:broker pairs, or *"),
            Allowed::Never(reason) => write!(f, "must be false, because {reason}"),
        }
    }
}

/// A type that text can be read as, in the way of Kafka's `ConfigDef`.
pub(crate) trait Typed: Sized {
    const KIND: Kind;
    /// The value that `text` stands for, if it is of this type and allowed.
    fn read(text: &str, allowed: Allowed) -> Option<Self>;
    /// What a row without a default starts with.
    fn unset() -> Option<Self> {
        None
    }
}

impl Typed for bool {
    const KIND: Kind = Kind::Boolean;
    fn read(text: &str, allowed: Allowed) -> Option<Self> {
        let text = text.trim();
        let value = if text.eq_ignore_ascii_case("true") {
            true
        } else if text.eq_ignore_ascii_case("false") {
            false
        } else {
            return None;
        };
        (!value || !matches!(allowed, Allowed::Never(_))).then_some(value)
    }
}

fn number_allowed(value: i64, allowed: Allowed) -> bool {
    match allowed {
        Allowed::AtLeast(min) => value >= min,
        Allowed::Between(min, max) => (min..=max).contains(&value),
        Allowed::OneOrBetween(one, min, max) => value == one || (min..=max).contains(&value),
        _ => true,
    }
}

impl Typed for i16 {
    const KIND: Kind = Kind::Short;
    fn read(text: &str, allowed: Allowed) -> Option<Self> {
        text.trim().parse().ok().filter(|value| number_allowed(i64::from(*value), allowed))
    }
}

impl Typed for i32 {
    const KIND: Kind = Kind::Int;
    fn read(text: &str, allowed: Allowed) -> Option<Self> {
        text.trim().parse().ok().filter(|value| number_allowed(i64::from(*value), allowed))
    }
}

impl Typed for i64 {
    const KIND: Kind = Kind::Long;
    fn read(text: &str, allowed: Allowed) -> Option<Self> {
        text.trim().parse().ok().filter(|value| number_allowed(*value, allowed))
    }
}

impl Typed for f64 {
    const KIND: Kind = Kind::Double;
    fn read(text: &str, allowed: Allowed) -> Option<Self> {
        let value: Self = text.trim().parse().ok()?;
        (!matches!(allowed, Allowed::Ratio) || (0.0..=1.0).contains(&value)).then_some(value)
    }
}

impl Typed for String {
    const KIND: Kind = Kind::Text;
    fn read(text: &str, allowed: Allowed) -> Option<Self> {
        match allowed {
            Allowed::Words(words) if !words.contains(&text.trim()) => None,
            Allowed::WordsInAnyCase(words)
                if !words.iter().any(|word| word.eq_ignore_ascii_case(text.trim())) =>
            {
                None
            }
            _ => Some(text.trim().to_owned()),
        }
    }
}

impl Typed for Vec<String> {
    const KIND: Kind = Kind::List;
    fn read(text: &str, allowed: Allowed) -> Option<Self> {
        let items = items(text);
        let fits = match allowed {
            Allowed::Words(words) => items.iter().all(|item| words.contains(&item.as_str())),
            Allowed::Replicas => items == ["*"] || items.iter().all(|item| is_pair(item)),
            _ => true,
        };
        fits.then_some(items)
    }
}

/// The items of a list, also of one that Kafka's table calls text.
pub(crate) fn items(text: &str) -> Vec<String> {
    let text = text.trim();
    if text.is_empty() { Vec::new() } else { text.split(',').map(|item| item.trim().to_owned()).collect() }
}

/// As [`items`], without those that are empty: how Kafka reads the lists that its table calls text (`Csv.parseCsvList`).
pub(crate) fn filled_items(text: &str) -> Vec<String> {
    let mut items = items(text);
    items.retain(|item| !item.is_empty());
    items
}

fn is_pair(item: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    item.split_once(':').is_some_and(|(partition, broker)| is_number(partition) && is_number(broker))
}

/// A row that may be left without a value.
impl<T: Typed> Typed for Option<T> {
    const KIND: Kind = T::KIND;
    fn read(text: &str, allowed: Allowed) -> Option<Self> {
        T::read(text, allowed).map(Some)
    }
    fn unset() -> Option<Self> {
        Some(None)
    }
}

impl Rule {
    /// Whether `text` is a value of this row.
    pub(crate) fn takes(self, text: &str) -> bool {
        match self.kind {
            Kind::Boolean => bool::read(text, self.allowed).is_some(),
            Kind::Short => i16::read(text, self.allowed).is_some(),
            Kind::Int => i32::read(text, self.allowed).is_some(),
            Kind::Long => i64::read(text, self.allowed).is_some(),
            Kind::Double => f64::read(text, self.allowed).is_some(),
            Kind::Text | Kind::Class | Kind::Password => String::read(text, self.allowed).is_some(),
            Kind::List => Vec::<String>::read(text, self.allowed).is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_words_in_any_case() {
        for (text, value) in
            [("true", Some(true)), (" FALSE ", Some(false)), ("True", Some(true)), ("1", None)]
        {
            assert_eq!(bool::read(text, Allowed::Any), value, "{text}");
        }
        assert_eq!(bool::read("", Allowed::Any), None);
        assert_eq!(bool::read("true", Allowed::Never("of tests")), None);
        assert_eq!(bool::read("false", Allowed::Never("of tests")), Some(false));
    }

    #[test]
    fn numbers_are_decimal_and_stay_in_their_type() {
        assert_eq!(i32::read(" 12 ", Allowed::Any), Some(12));
        assert_eq!(i32::read("+5", Allowed::Any), Some(5));
        assert_eq!(i32::read("2147483648", Allowed::Any), None);
        assert_eq!(i64::read("2147483648", Allowed::Any), Some(2_147_483_648));
        for wrong in ["", " ", "1_000", "0x10", "1.0", "1k", "nine"] {
            assert_eq!(i64::read(wrong, Allowed::Any), None, "{wrong}");
        }
    }

    #[test]
    fn bounds_include_their_ends() {
        assert_eq!(i32::read("1", Allowed::AtLeast(1)), Some(1));
        assert_eq!(i32::read("0", Allowed::AtLeast(1)), None);
        for (text, fits) in [("1", true), ("17", true), ("0", false), ("18", false)] {
            assert_eq!(i32::read(text, Allowed::Between(1, 17)).is_some(), fits, "{text}");
        }
        for (text, fits) in
            [("-1", true), ("1", true), ("9", true), ("0", false), ("10", false), ("-2", false)]
        {
            assert_eq!(i32::read(text, Allowed::OneOrBetween(-1, 1, 9)).is_some(), fits, "{text}");
        }
    }

    #[test]
    fn a_ratio_lies_between_nothing_and_all() {
        for (text, value) in
            [("0", Some(0.0)), ("1", Some(1.0)), ("5e-1", Some(0.5)), ("1.01", None), ("-0.1", None)]
        {
            assert_eq!(f64::read(text, Allowed::Ratio), value, "{text}");
        }
        assert_eq!(f64::read("NaN", Allowed::Ratio), None);
    }

    #[test]
    fn words_keep_their_case_and_lose_the_spaces_around_them() {
        const WORDS: Allowed = Allowed::Words(&["one", "two"]);
        assert_eq!(String::read(" one ", WORDS).as_deref(), Some("one"));
        assert_eq!(String::read("One", WORDS), None);
        const ANY_CASE: Allowed = Allowed::WordsInAnyCase(&["ONE", "two"]);
        assert_eq!(String::read(" one", ANY_CASE).as_deref(), Some("one"));
        assert_eq!(String::read("TWO", ANY_CASE).as_deref(), Some("TWO"));
        assert_eq!(String::read("three", ANY_CASE), None);
        assert_eq!(Vec::<String>::read("one , two", WORDS), Some(vec!["one".to_owned(), "two".to_owned()]));
        assert_eq!(Vec::<String>::read("one,,two", WORDS), None);
        assert_eq!(Vec::<String>::read("", WORDS), Some(vec![]));
        assert_eq!(Vec::<String>::read("one,three", WORDS), None);
    }

    #[test]
    fn replicas_are_pairs_or_a_star() {
        for (text, fits) in
            [("*", true), ("", true), ("0:1, 1:2", true), ("none", false), ("0:", false), ("*,0:1", false)]
        {
            assert_eq!(Vec::<String>::read(text, Allowed::Replicas).is_some(), fits, "{text}");
        }
    }

    #[test]
    fn a_rule_says_what_it_takes() {
        let say = |kind, allowed| Rule { kind, allowed }.to_string();
        assert_eq!(say(Kind::Boolean, Allowed::Any), "must be true or false");
        assert_eq!(say(Kind::Int, Allowed::AtLeast(1)), "must be a whole number from 1 to 2147483647");
        assert_eq!(
            say(Kind::Int, Allowed::OneOrBetween(-1, 1, 9)),
            "must be -1, or a whole number from 1 to 9"
        );
        assert_eq!(say(Kind::Double, Allowed::Ratio), "must be a number from 0 to 1");
        assert_eq!(say(Kind::Text, Allowed::Words(&["a", "b"])), "must be one of: a, b");
        assert_eq!(say(Kind::List, Allowed::Words(&["a", "b"])), "must be a list, with commas, of: a, b");
    }
}
