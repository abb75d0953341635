//! A [`Value`] as compact JSON, to the byte what Jackson prints for the trees of Kafka's converters.

use std::fmt::Write;

use uuid::Uuid;

use crate::value::Value;

impl Value {
    /// The value as JSON without white space.
    ///
    /// Ids are 22 characters of URL-safe base64 and bytes are padded base64, as in Kafka; text beyond ASCII stays as
    /// it is, as in Jackson. A float that is no number is the string `"NaN"`, `"Infinity"` or `"-Infinity"`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::new();
        self.write_json(&mut json);
        json
    }

    fn write_json(&self, json: &mut String) {
        match self {
            Self::Null => json.push_str("null"),
            Self::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
            Self::Int(number) => write!(json, "{number}").expect("a String takes everything"),
            Self::Float(number) => write_float(*number, json),
            Self::Str(text) => write_text(text, json),
            Self::Uuid(id) => {
                json.push('"');
                write_uuid(*id, json);
                json.push('"');
            }
            Self::Bytes(bytes) => {
                json.push('"');
                write_base64(bytes, STANDARD, Some('='), json);
                json.push('"');
            }
            Self::List(list) => {
                json.push('[');
                for (at, element) in list.iter().enumerate() {
                    if at > 0 {
                        json.push(',');
                    }
                    element.write_json(json);
                }
                json.push(']');
            }
            Self::Struct(members) => {
                json.push('{');
                for (at, (name, member)) in members.iter().enumerate() {
                    if at > 0 {
                        json.push(',');
                    }
                    write_text(name, json);
                    json.push(':');
                    member.write_json(json);
                }
                json.push('}');
            }
        }
    }
}

/// Quotes and escapes: `"`, `\` and what is below U+0020, no more.
fn write_text(text: &str, json: &mut String) {
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            control if control < ' ' => {
                write!(json, "\\u{:04X}", u32::from(control)).expect("a String takes everything");
            }
            other => json.push(other),
        }
    }
    json.push('"');
}

/// As Java's `Double.toString`: at least one digit after the point, and an exponent outside of 0.001 to 10,000,000.
fn write_float(number: f64, json: &mut String) {
    if !number.is_finite() {
        let name = match number {
            _ if number.is_nan() => "NaN",
            _ if number > 0.0 => "Infinity",
            _ => "-Infinity",
        };
        return write_text(name, json);
    }
    let size = number.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        // `{:?}` has the fewest digits that name this number, and `.0` after a whole one.
        write!(json, "{number:?}").expect("a String takes everything");
        return;
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').expect("`{:e}` writes an exponent");
    json.push_str(digits);
    if !digits.contains('.') {
        json.push_str(".0");
    }
    json.push('E');
    json.push_str(exponent);
}

/// An id as Kafka's `Uuid.toString` writes it.
fn write_uuid(id: Uuid, json: &mut String) {
    write_base64(id.as_bytes(), URL_SAFE, None, json);
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 (RFC 4648): three bytes are four letters, and what is missing is left out or padded.
fn write_base64(bytes: &[u8], alphabet: &[u8; 64], padding: Option<char>, json: &mut String) {
    for group in bytes.chunks(3) {
        let mut bits = 0;
        for at in 0..3 {
            bits = bits << 8 | usize::from(group.get(at).copied().unwrap_or(0));
        }
        for at in 0..4 {
            if at <= group.len() {
                json.push(char::from(alphabet[bits >> (18 - 6 * at) & 0x3f]));
            } else {
                json.extend(padding);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(number: f64) -> String {
        Value::Float(number).to_json()
    }

    #[test]
    fn text_is_escaped_as_jackson_does() {
        let text = "a\"b\\c/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}\u{e9}\u{2028}\u{1f600}";
        let expected = "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0000\\u001F\u{7f}\u{e9}\u{2028}\u{1f600}\"";
        assert_eq!(Value::Str(text.to_owned()).to_json(), expected);
    }

    #[test]
    fn floats_are_written_as_java_does() {
        for (number, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100.5, "100.5"),
            (1e-3, "0.001"),
            (9.99e-4, "9.99E-4"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (-1e100, "-1.0E100"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::NAN, "\"NaN\""),
            (f64::INFINITY, "\"Infinity\""),
            (f64::NEG_INFINITY, "\"-Infinity\""),
        ] {
            assert_eq!(float(number), expected);
        }
    }

    #[test]
    fn bytes_are_padded_base64() {
        // The vectors of RFC 4648, section 10.
        for (bytes, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(Value::Bytes(bytes.as_bytes().to_vec()).to_json(), format!("\"{expected}\""));
        }
        assert_eq!(Value::Bytes(vec![0xfb, 0xff]).to_json(), "\"+/8=\"");
    }

    #[test]
    fn ids_are_kafkas_22_characters() {
        assert_eq!(Value::Uuid(Uuid::nil()).to_json(), "\"AAAAAAAAAAAAAAAAAAAAAA\"");
        assert_eq!(Value::Uuid(Uuid::from_u128(1)).to_json(), "\"AAAAAAAAAAAAAAAAAAAAAQ\"");
        assert_eq!(Value::Uuid(Uuid::from_u128(u128::MAX)).to_json(), "\"_____________________w\"");
    }

    #[test]
    fn structs_and_lists_have_no_white_space() {
        let value = Value::Struct(vec![
            ("name", Value::Str("a".to_owned())),
            ("none", Value::Null),
            ("list", Value::List(vec![Value::Int(-1), Value::Bool(true)])),
            ("empty", Value::Struct(Vec::new())),
        ]);
        assert_eq!(value.to_json(), r#"{"name":"a","none":null,"list":[-1,true],"empty":{}}"#);
    }
}
