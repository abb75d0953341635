//! Regular expressions that clients and administrators give.
//!
//! The `regex` crate searches in linear time, as the RE2 that Kafka uses for groups; what somebody may make the broker compile is
//! limited here.

use regex::bytes::RegexBuilder;
use regex_syntax::ast::parse::ParserBuilder;

/// Parentheses within parentheses.
const NESTED: u32 = 100;

/// An expression that can be matched.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(regex::bytes::Regex);

impl Pattern {
    /// Reads an expression, which may take `most_bytes` once it is compiled. Without classes such as `\p{Greek}` it is one over
    /// ASCII.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn read(expression: &str, most_bytes: usize) -> Result<Self, String> {
        // By itself first: parentheses that do not match must not pair with ours. This compiles nothing.
        let syntax = ParserBuilder::new().nest_limit(NESTED).build().parse(expression);
        syntax.map_err(|error| cause(&error))?;
        let whole = format!(r"\A(?:{expression})\z");
        let compile = |unicode| {
            RegexBuilder::new(&whole)
                .unicode(unicode)
                .size_limit(most_bytes)
                .dfa_size_limit(most_bytes)
                .nest_limit(NESTED + 1)
                .build()
        };
        let compiled = match compile(false) {
            Err(regex::Error::Syntax(_)) => compile(true),
            compiled => compiled,
        };
        compiled.map(Self).map_err(|error| cause(&error))
    }

    /// Whether it matches the whole of `text`.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text.as_bytes())
    }
}

/// What is wrong, in one line; the lines before it draw where.
fn cause(error: &dyn std::error::Error) -> String {
    let told = error.to_string();
    let last = told.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
