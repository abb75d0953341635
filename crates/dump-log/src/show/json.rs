//! Objects of one line.

use std::fmt::{Display, Write};

use records::Headers;
use wire::Value;

use crate::java_text;

/// A JSON object under construction; the order of its members is that of the calls.
#[derive(Debug)]
pub(crate) struct Object(String);

impl Object {
    /// An object that speaks of `file`.
    pub(crate) fn new(file: &str) -> Self {
        Self(String::from("{")).text("file", file)
    }

    pub(crate) fn text(self, name: &str, text: &str) -> Self {
        self.raw(name, &quoted(text))
    }

    pub(crate) fn texts<'a>(self, name: &str, texts: impl Iterator<Item = &'a str>) -> Self {
        let list: Vec<_> = texts.map(quoted).collect();
        self.raw(name, &format!("[{}]", list.join(",")))
    }

    pub(crate) fn number(self, name: &str, number: impl Display) -> Self {
        self.raw(name, &number.to_string())
    }

    pub(crate) fn number_or_null(self, name: &str, number: Option<impl Display>) -> Self {
        match number {
            Some(number) => self.number(name, number),
            None => self.raw(name, "null"),
        }
    }

    pub(crate) fn flag(self, name: &str, flag: bool) -> Self {
        self.raw(name, if flag { "true" } else { "false" })
    }

    /// A member whose value is JSON already.
    pub(crate) fn raw(mut self, name: &str, json: &str) -> Self {
        let comma = if self.0.len() > 1 { "," } else { "" };
        write!(self.0, "{comma}\"{name}\":{json}").expect("a String takes everything");
        self
    }

    /// The object as a line.
    pub(crate) fn finish(mut self) -> String {
        self.0.push_str("}\n");
        self.0
    }
}

/// `[{"key":...,"value":...},...]`, with U+FFFD for what is not UTF-8.
pub(super) fn headers(headers: &Headers<'_>) -> String {
    let one = |(key, value): (&[u8], Option<&[u8]>)| {
        let value = value.map_or("null".to_owned(), |value| quoted(&java_text::utf8(value)));
        format!("{{\"key\":{},\"value\":{value}}}", quoted(&java_text::utf8(key)))
    };
    let list: Vec<_> = headers.iter().map(one).collect();
    format!("[{}]", list.join(","))
}

fn quoted(text: &str) -> String {
    Value::Str(text.to_owned()).to_json()
}
