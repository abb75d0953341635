//! A line as a record: headers, key and value, parted by separators (Kafka: `LineMessageReader`).

use regex::Regex;

use crate::properties::Properties;

/// How lines are read.
#[derive(Debug)]
pub(super) struct LineReader {
    parse_key: bool,
    parse_headers: bool,
    key_separator: String,
    headers_delimiter: String,
    /// A regular expression, as in Kafka.
    headers_separator: Regex,
    headers_key_separator: String,
    ignore_error: bool,
    null_marker: Option<String>,
}

/// A line, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) key: Option<String>,
    pub(super) value: Option<String>,
    pub(super) headers: Vec<(String, Option<String>)>,
}

impl LineReader {
    /// What the properties say.
    pub(super) fn new(properties: &Properties) -> Result<Self, String> {
        let text = |key: &str, default: &str| properties.get(key).unwrap_or(default).to_owned();
        let is_true = |key: &str| properties.is_true(key).unwrap_or(false);
        let key_separator = text("key.separator", "\t");
        let headers_delimiter = text("headers.delimiter", "\t");
        let headers_separator = text("headers.separator", ",");
        let headers_key_separator = text("headers.key.separator", ":");
        let null_marker = properties.get("null.marker").map(str::to_owned);
        for (one, first, other, second) in [
            ("headers.delimiter", &headers_delimiter, "headers.separator", &headers_separator),
            ("headers.delimiter", &headers_delimiter, "headers.key.separator", &headers_key_separator),
            ("headers.separator", &headers_separator, "headers.key.separator", &headers_key_separator),
        ] {
            if first == second {
                return Err(format!("{one} and {other} may not be equal"));
            }
        }
        for (name, separator) in [
            ("key.separator", &key_separator),
            ("headers.separator", &headers_separator),
            ("headers.delimiter", &headers_delimiter),
            ("headers.key.separator", &headers_key_separator),
        ] {
            if null_marker.as_ref() == Some(separator) {
                return Err(format!("null.marker and {name} may not be equal"));
            }
        }
        let pattern = Regex::new(&headers_separator)
            .map_err(|error| format!("headers.separator is no regular expression: {error}"))?;
        Ok(Self {
            parse_key: is_true("parse.key"),
            parse_headers: is_true("parse.headers"),
            key_separator,
            headers_delimiter,
            headers_separator: pattern,
            headers_key_separator,
            ignore_error: is_true("ignore.error"),
            null_marker,
        })
    }

    /// Takes a line apart; `number` counts lines from 1.
    pub(super) fn parse(&self, line: &str, number: usize) -> Result<Parsed, String> {
        let (headers, rest) =
            self.cut(self.parse_headers, line, line, &self.headers_delimiter, ("headers delimiter", number))?;
        let (key, value) =
            self.cut(self.parse_key, line, rest, &self.key_separator, ("key separator", number))?;
        let unless_null = |text: &str| (Some(text) != self.null_marker.as_deref()).then(|| text.to_owned());
        let headers = match headers.and_then(unless_null) {
            Some(headers) => self.headers(&headers, number)?,
            None => Vec::new(),
        };
        Ok(Parsed { key: key.and_then(unless_null), value: unless_null(value), headers })
    }

    /// What stands before a separator, if that is wanted, and the rest.
    fn cut<'a>(
        &self,
        wanted: bool,
        line: &str,
        rest: &'a str,
        separator: &str,
        (name, number): (&str, usize),
    ) -> Result<(Option<&'a str>, &'a str), String> {
        if !wanted {
            return Ok((None, rest));
        }
        match rest.split_once(separator) {
            Some((before, behind)) => Ok((Some(before), behind)),
            None if self.ignore_error => Ok((None, rest)),
            None => Err(format!("No {name} found on line number {number}: '{line}'")),
        }
    }

    fn headers(&self, text: &str, number: usize) -> Result<Vec<(String, Option<String>)>, String> {
        let mut pairs: Vec<_> = self.headers_separator.split(text).collect();
        // Java drops what is empty at the end, but for an empty text.
        while pairs.len() > 1 && pairs.last().is_some_and(|last| last.is_empty()) {
            pairs.pop();
        }
        let null = self.null_marker.as_deref();
        let pair = |pair: &str| match pair.split_once(self.headers_key_separator.as_str()) {
            Some((key, _)) if Some(key) == null => Err(format!(
                "Header keys should not be equal to the null marker '{key}' as they can't be null"
            )),
            Some((key, value)) => Ok((key.to_owned(), (Some(value) != null).then(|| value.to_owned()))),
            None if self.ignore_error => Ok((pair.to_owned(), None)),
            None => Err(format!("No header key separator found in pair '{pair}' on line number {number}")),
        };
        pairs.into_iter().map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(pairs: &[&str]) -> Result<LineReader, String> {
        let mut properties = Properties::default();
        properties.add(pairs.iter().copied());
        LineReader::new(&properties)
    }

    fn parsed(key: Option<&str>, value: Option<&str>, headers: &[(&str, Option<&str>)]) -> Parsed {
        let headers = headers.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned)));
        Parsed { key: key.map(str::to_owned), value: value.map(str::to_owned), headers: headers.collect() }
    }

    #[test]
    fn a_line_is_a_value_unless_more_is_asked_for() {
        let line = "h:1,g:\tkey\tvalue\t2";
        assert_eq!(reader(&[]).unwrap().parse(line, 1).unwrap(), parsed(None, Some(line), &[]));
        let keyed = reader(&["parse.key=true"]).unwrap();
        assert_eq!(keyed.parse("k\tv\tw", 1).unwrap(), parsed(Some("k"), Some("v\tw"), &[]));
        let both = reader(&["parse.key=true", "parse.headers=TRUE", "null.marker=-"]).unwrap();
        let headers = [("h", Some("1")), ("g", Some("")), ("n", None)];
        assert_eq!(both.parse("h:1,g:,n:-\t-\t-", 1).unwrap(), parsed(None, None, &headers));
        assert_eq!(both.parse("-\tk\tv", 1).unwrap(), parsed(Some("k"), Some("v"), &[]));
    }

    #[test]
    fn what_cannot_be_taken_apart_ends_it_unless_errors_are_ignored() {
        let strict = reader(&["parse.key=true", "key.separator=="]).unwrap();
        assert_eq!(strict.parse("x", 7).unwrap_err(), "No key separator found on line number 7: 'x'");
        let lenient = reader(&["parse.key=true", "parse.headers=true", "ignore.error=true"]).unwrap();
        assert_eq!(lenient.parse("x", 7).unwrap(), parsed(None, Some("x"), &[]));
        assert_eq!(lenient.parse("h\tk\tv", 7).unwrap(), parsed(Some("k"), Some("v"), &[("h", None)]));
        let headers = reader(&["parse.headers=true"]).unwrap();
        assert!(headers.parse("h\tv", 2).unwrap_err().contains("pair 'h' on line number 2"));
    }

    #[test]
    fn separators_must_differ() {
        assert!(reader(&["headers.delimiter=,"]).unwrap_err().contains("headers.separator"));
        assert!(reader(&["null.marker=:"]).unwrap_err().contains("headers.key.separator"));
    }
}
