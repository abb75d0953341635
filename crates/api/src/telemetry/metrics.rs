//! What stands in a push: OpenTelemetry's `MetricsData` (v1), read where it lies. Nothing is built of it but a line of text, so that
//! no push makes more of itself than it is.

use std::fmt::{self, Write};

/// Most bytes of the text that a push comes to; what is beyond is counted only.
const LONGEST: usize = 32 << 10;
/// Bytes that are written for a push, those of points that did not fit among them, before points are only counted.
const MOST_WRITTEN: usize = 2 * LONGEST;
/// Most characters of a name, or of an attribute's value, that are shown.
const LONGEST_NAME: usize = 256;

/// What was read: `NAME{ATTRIBUTE=VALUE,…}=NUMBER` of each point, with spaces between.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Metrics {
    text: String,
    /// Points that are left out of the text.
    left_out: usize,
    /// Bytes that were written into the text, also those that were taken out again.
    written: usize,
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.text.is_empty() { "none" } else { &self.text })?;
        match self.left_out {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// These bytes are no such message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("they are no OpenTelemetry metrics")]
pub(super) struct Malformed;

/// Reads a push.
pub(super) fn read(bytes: &[u8]) -> Result<Metrics, Malformed> {
    let mut metrics = Metrics::default();
    for resource in messages(bytes, 1) {
        for scope in messages(resource?, 2) {
            for metric in messages(scope?, 2) {
                metrics.add(metric?)?;
            }
        }
    }
    Ok(metrics)
}

impl Metrics {
    fn add(&mut self, metric: &[u8]) -> Result<(), Malformed> {
        /// The kinds of metrics, and in which field their points have attributes.
        const KINDS: [(u32, u32); 5] = [(5, 7), (7, 7), (9, 9), (10, 1), (11, 7)];
        let name = text_in(metric, 1)?;
        for (kind, attributes) in KINDS {
            for data in messages(metric, kind) {
                for point in messages(data?, 1) {
                    self.add_point(name, point?, attributes, kind)?;
                }
            }
        }
        Ok(())
    }

    fn add_point(&mut self, name: &str, point: &[u8], attributes: u32, kind: u32) -> Result<(), Malformed> {
        if self.written >= MOST_WRITTEN {
            self.left_out += 1;
            return Ok(());
        }
        let before = self.text.len();
        if before > 0 {
            self.write(' ');
        }
        self.write_point(name, point, attributes, kind)?;
        if self.text.len() > LONGEST {
            self.text.truncate(before);
            self.left_out += 1;
        }
        Ok(())
    }

    fn write_point(&mut self, name: &str, point: &[u8], attributes: u32, kind: u32) -> Result<(), Malformed> {
        /// The kinds whose points hold one number.
        const NUMBERS: [u32; 2] = [5, 7];
        let holds_one = NUMBERS.contains(&kind);
        self.write(Printable(name));
        let mut separator = '{';
        // Of a field that comes again the last counts, as protobuf has it: nothing is written before all are seen.
        let (mut one, mut count, mut sum) = (None, None, None);
        for field in Fields(point) {
            match field? {
                (number, Value::Bytes(attribute)) if number == attributes && self.text.len() <= LONGEST => {
                    self.write(separator);
                    self.write(Printable(text_in(attribute, 1)?));
                    self.write('=');
                    any(attribute)?.into_iter().for_each(|value| self.write(value));
                    separator = ',';
                }
                (4, Value::Fixed64(bits)) if holds_one => one = Some(Any::Double(f64::from_bits(bits))),
                (6, Value::Fixed64(bits)) if holds_one => one = Some(Any::Int(bits.cast_signed())),
                (4, Value::Fixed64(bits)) => count = Some(bits),
                (5, Value::Fixed64(bits)) if !holds_one => sum = Some(Any::Double(f64::from_bits(bits))),
                _ => {}
            }
        }
        if separator == ',' {
            self.write('}');
        }
        self.write('=');
        one.into_iter().for_each(|one| self.write(one));
        count.into_iter().for_each(|count| self.write(count));
        if let Some(sum) = sum {
            self.write('/');
            self.write(sum);
        }
        Ok(())
    }

    fn write(&mut self, what: impl fmt::Display) {
        let before = self.text.len();
        // Writing into a String does not fail.
        let _ = write!(self.text, "{what}");
        self.written += self.text.len() - before;
    }
}

/// The value of an attribute, or of a point.
enum Any<'a> {
    Text(&'a str),
    Bool(bool),
    Int(i64),
    Double(f64),
}

impl fmt::Display for Any<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Beyond, numbers are written with an exponent: all their digits would be up to 330.
        const PLAIN: std::ops::Range<f64> = 1e-7..1e21;
        match self {
            Self::Text(text) => Printable(text).fmt(f),
            Self::Bool(bit) => bit.fmt(f),
            Self::Int(number) => number.fmt(f),
            Self::Double(number) if *number == 0.0 || PLAIN.contains(&number.abs()) => number.fmt(f),
            Self::Double(number) => write!(f, "{number:e}"),
        }
    }
}

/// The value of an attribute; of several the last.
fn any(attribute: &[u8]) -> Result<Option<Any<'_>>, Malformed> {
    let mut last = None;
    for value in messages(attribute, 2) {
        for field in Fields(value?) {
            last = match field? {
                (1, Value::Bytes(bytes)) => Some(Any::Text(utf8(bytes)?)),
                (2, Value::Varint(bit)) => Some(Any::Bool(bit != 0)),
                (3, Value::Varint(bits)) => Some(Any::Int(bits.cast_signed())),
                (4, Value::Fixed64(bits)) => Some(Any::Double(f64::from_bits(bits))),
                _ => continue,
            };
        }
    }
    Ok(last)
}

/// Text from outside as it may stand in a log: in one line, and not long.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        for c in chars.by_ref().take(LONGEST_NAME) {
            f.write_char(if c.is_control() { '?' } else { c })?;
        }
        if chars.next().is_some() { f.write_char('…') } else { Ok(()) }
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_invalid| Malformed)
}

/// The text in a field; of several the last, as protobuf has it.
fn text_in(message: &[u8], field: u32) -> Result<&str, Malformed> {
    messages(message, field).last().map_or(Ok(""), |bytes| utf8(bytes?))
}

/// What a field holds, each time it comes.
fn messages(message: &[u8], field: u32) -> impl Iterator<Item = Result<&[u8], Malformed>> {
    Fields(message).filter_map(move |found| match found {
        Ok((number, Value::Bytes(bytes))) if number == field => Some(Ok(bytes)),
        // What should be a message and is none.
        Ok((number, _)) if number == field => Some(Err(Malformed)),
        Ok(_) => None,
        Err(malformed) => Some(Err(malformed)),
    })
}

/// The fields of a protobuf message, one after the other; a fault ends them.
struct Fields<'a>(&'a [u8]);

enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(Malformed))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u32, Value<'a>)> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0)?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Value::Fixed32)?,
            _ => return None,
        };
        Some((number, value))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field that holds a message or text.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let (mut len, mut rest) = (Vec::new(), content.len());
        while rest > 127 {
            len.push(u8::try_from(rest & 127).expect("seven bits") | 128);
            rest >>= 7;
        }
        len.push(u8::try_from(rest).expect("seven bits"));
        [&[number << 3 | 2][..], &len, content].concat()
    }

    fn fixed(number: u8, bits: u64) -> Vec<u8> {
        [&[number << 3 | 1][..], &bits.to_le_bytes()].concat()
    }

    fn attribute(number: u8, name: &str, value: &[u8]) -> Vec<u8> {
        field(number, &[field(1, name.as_bytes()), field(2, value)].concat())
    }

    fn push(metrics: &[Vec<u8>]) -> Vec<u8> {
        let all: Vec<u8> = metrics.iter().flat_map(|metric| field(2, metric)).collect();
        field(1, &field(2, &all))
    }

    fn metric(name: &str, kind: u8, point: &[u8]) -> Vec<u8> {
        [field(1, name.as_bytes()), field(kind, &field(1, point))].concat()
    }

    fn text(bytes: &[u8]) -> String {
        read(bytes).expect("metrics").to_string()
    }

    #[test]
    fn each_kind_is_read() {
        let gauge = metric("g", 5, &[fixed(3, 9), fixed(4, 1.5f64.to_bits())].concat());
        let labels = [attribute(7, "node_id", &field(1, b"1")), attribute(7, "n", &[3 << 3, 7])].concat();
        let sum = metric("s", 7, &[labels, fixed(6, u64::MAX)].concat());
        let histogram = metric(
            "h",
            9,
            &[fixed(4, 3), fixed(5, 2.5f64.to_bits()), attribute(9, "b", &[2 << 3, 1])].concat(),
        );
        assert_eq!(text(&push(&[gauge.clone(), sum])), "g=1.5 s{node_id=1,n=7}=-1");
        assert_eq!(text(&push(&[histogram])), "h{b=true}=3/2.5");
        assert_eq!(text(&push(&[gauge]).repeat(2)), "g=1.5 g=1.5");
        assert_eq!(text(&[]), "none");
    }

    #[test]
    fn a_line_stays_a_line_and_is_not_endless() {
        assert_eq!(text(&push(&[metric("a\nb", 5, &fixed(6, 1))])), "a?b=1");
        let one = push(&[metric(&"n".repeat(90), 5, &fixed(6, 1))]);
        let many = text(&one.repeat(1000));
        assert!(many.len() < LONGEST + 100 && many.ends_with(" more"), "{}", many.len());
    }

    #[test]
    fn of_what_comes_again_the_last_counts() {
        let twice = |number| [fixed(number, 1), fixed(number, 2)].concat();
        assert_eq!(text(&push(&[metric("g", 5, &twice(6))])), "g=2");
        assert_eq!(
            text(&push(&[metric("g", 5, &[fixed(6, 1), fixed(4, 0.5f64.to_bits())].concat())])),
            "g=0.5"
        );
        let sums = [fixed(5, 1f64.to_bits()), fixed(5, (-1e300f64).to_bits())].concat();
        assert_eq!(text(&push(&[metric("h", 9, &[twice(4), sums].concat())])), "h=2/-1e300");
        let values = [field(1, b"a"), field(1, b"b")].concat();
        assert_eq!(text(&push(&[metric("g", 5, &attribute(7, "n", &values))])), "g{n=b}=");
    }

    /// A push that makes much text of few bytes: what is built of it has a limit, whatever it repeats.
    #[test]
    fn no_push_makes_more_of_itself_than_it_is() {
        const TIMES: usize = 20_000;
        let long = "n".repeat(200_000);
        let largest = f64::MAX.to_bits();
        let counts = metric("h", 9, &fixed(4, u64::MAX).repeat(TIMES));
        let sums = metric("h", 9, &fixed(5, largest).repeat(TIMES));
        let attributes = metric("g", 5, &attribute(7, &long, &field(1, long.as_bytes())).repeat(100));
        let digits = metric("g", 5, &attribute(7, "n", &fixed(4, largest)).repeat(TIMES));
        let points = [field(1, long.as_bytes()), field(5, &field(1, &fixed(6, 1)).repeat(TIMES))].concat();
        // Each alone fits, or just does not.
        let wide = metric("g", 5, &attribute(7, "n", &field(1, &[b'v'; 250])).repeat(140));
        for (what, bytes) in [
            ("counts", push(&[counts])),
            ("sums", push(&[sums])),
            ("attributes", push(&[attributes])),
            ("digits", push(&[digits])),
            ("points", push(&[points])),
            ("points that do not fit", push(&[wide]).repeat(100)),
        ] {
            let read = read(&bytes).expect(what);
            assert!(read.text.len() <= LONGEST, "{what}: {}", read.text.len());
            assert!(read.written <= MOST_WRITTEN + 2 * LONGEST, "{what}: {}", read.written);
        }
    }

    #[test]
    fn long_names_are_cut() {
        let long = "ü".repeat(LONGEST_NAME + 1);
        let shown = format!("{}…", &long[..2 * LONGEST_NAME]);
        let point = attribute(7, &long, &field(1, long.as_bytes()));
        assert_eq!(text(&push(&[metric(&long, 5, &point)])), format!("{shown}{{{shown}={shown}}}="));
    }

    #[test]
    fn what_is_none_is_refused() {
        let whole = push(&[metric("g", 5, &fixed(6, 1))]);
        for cut in 1..whole.len() {
            assert_eq!(read(&whole[..cut]), Err(Malformed), "cut at {cut}");
        }
        for bytes in [&b"no metrics at all"[..], &[0x0b], &[0x08, 1], &[0xff; 30], &[2, 0]] {
            assert_eq!(read(bytes), Err(Malformed), "{bytes:?}");
        }
        assert_eq!(read(&push(&[metric("g", 5, &[0xff])])), Err(Malformed));
        assert_eq!(
            read(&push(&[[field(1, &[0xc3, 0x28]), field(5, &field(1, &[]))].concat()])),
            Err(Malformed)
        );
    }
}
