//! Regular expressions that clients and administrators give.
//!
//! The `regex` crate searches in linear time, as the RE2 that Kafka uses for groups; what somebody may make the broker compile is
//! limited here.

use regex::bytes::RegexBuilder;

/// Bytes that a compiled expression may take. Names like `orders-.*|payments-[0-9]{1,4}` take some ten thousand.
const COMPILED_BYTES: usize = 1 << 20;
/// Parentheses within parentheses.
const NESTED: u32 = 100;

/// An expression that can be matched.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(regex::bytes::Regex);

impl Pattern {
    /// Reads an expression. Without classes such as `\p{Greek}` it is one over ASCII.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn read(expression: &str) -> Result<Self, String> {
        let compile = |pattern: &str, unicode| {
            RegexBuilder::new(pattern)
                .unicode(unicode)
                .size_limit(COMPILED_BYTES)
                .dfa_size_limit(COMPILED_BYTES)
                .nest_limit(NESTED)
                .build()
        };
        // By itself first: parentheses that do not match must not pair with ours.
        let unicode = compile(expression, false).is_err();
        compile(expression, unicode).map_err(|error| cause(&error))?;
        let whole = compile(&format!(r"\A(?:{expression})\z"), unicode).map_err(|error| cause(&error))?;
        Ok(Self(whole))
    }

    /// Whether it matches the whole of `text`.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text.as_bytes())
    }
}

/// What is wrong, in one line; the lines before it draw where.
fn cause(error: &regex::Error) -> String {
    let told = error.to_string();
    let last = told.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
