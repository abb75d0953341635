//! Version ranges as Kafka's schemas write them: `3`, `0-5`, `2+`, `none`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

/// A range of versions, both ends included. Empty when `first > last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Versions {
    pub(crate) first: i16,
    pub(crate) last: i16,
}

impl Versions {
    /// Every version.
    pub(crate) const ALL: Self = Self { first: 0, last: i16::MAX };
    const NONE: Self = Self { first: 1, last: 0 };

    pub(crate) fn parse(text: &LitStr) -> syn::Result<Self> {
        let written = text.value();
        let number = |part: &str| part.parse::<i16>().ok().filter(|version| *version >= 0);
        let range = if written == "none" {
            Some(Self::NONE)
        } else if let Some(first) = written.strip_suffix('+') {
            number(first).map(|first| Self { first, last: i16::MAX })
        } else if let Some((first, last)) = written.split_once('-') {
            number(first).zip(number(last)).map(|(first, last)| Self { first, last })
        } else {
            number(&written).map(|only| Self { first: only, last: only })
        };
        match range {
            Some(range) if range == Self::NONE || range.first <= range.last => Ok(range),
            _ => Err(syn::Error::new(
                text.span(),
                format!("`{written}` is no version range: write \"3\", \"0-5\", \"2+\" or \"none\""),
            )),
        }
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.first > self.last
    }

    /// A condition on `version` (an expression of type `i16`); `None` when it always holds for versions in `within`.
    pub(crate) fn condition(self, version: &TokenStream, within: Self) -> Option<TokenStream> {
        let Self { first, last } = self;
        match (first > within.first, last < within.last) {
            _ if self.is_empty() => Some(quote!(false)),
            (false, false) => None,
            (true, false) => Some(quote!(#version >= #first)),
            (false, true) => Some(quote!(#version <= #last)),
            (true, true) => Some(quote!((#first..=#last).contains(&#version))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn parse(text: &str) -> syn::Result<Versions> {
        Versions::parse(&LitStr::new(text, Span::call_site()))
    }

    #[test]
    fn ranges_are_written_as_in_kafkas_schemas() {
        let range = |first, last| Versions { first, last };
        for (text, expected) in
            [("3", range(3, 3)), ("0-5", range(0, 5)), ("2+", range(2, i16::MAX)), ("none", Versions::NONE)]
        {
            assert_eq!(parse(text).expect(text), expected);
        }
    }

    #[test]
    fn anything_else_says_how_to_write_a_range() {
        for text in ["", "+", "-1", "5-3", "1-", "a", "99999", "1..2"] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains("is no version range: write"), "{error}");
        }
    }
}
