//! What stands in a push: OpenTelemetry's `MetricsData` (v1), read where it lies. Nothing is built of it but a line of text, so that
//! no push makes more of itself than it is.

use std::fmt::{self, Write};

/// Most bytes of the text that a push comes to; what is beyond is counted only.
const LONGEST: usize = 32 << 10;

/// What was read: `NAME{ATTRIBUTE=VALUE,…}=NUMBER` of each point, with spaces between.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Metrics {
    text: String,
    /// Points that are left out of the text.
    left_out: usize,
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
                    let line = point_line(name, point?, attributes, kind)?;
                    if self.text.len() + line.len() > LONGEST {
                        self.left_out += 1;
                        continue;
                    }
                    if !self.text.is_empty() {
                        self.text.push(' ');
                    }
                    self.text.push_str(&line);
                }
            }
        }
        Ok(())
    }
}

/// One point of the metric `name`.
fn point_line(name: &str, point: &[u8], attributes: u32, kind: u32) -> Result<String, Malformed> {
    /// The kinds whose points hold one number.
    const NUMBERS: [u32; 2] = [5, 7];
    let mut line = printable(name);
    let mut separator = '{';
    let mut value = String::new();
    for field in Fields(point) {
        match field? {
            (number, Value::Bytes(attribute)) if number == attributes && line.len() < LONGEST => {
                // Writing into a String does not fail.
                let _ = write!(line, "{separator}{}={}", printable(text_in(attribute, 1)?), any(attribute)?);
                separator = ',';
            }
            (4, Value::Fixed64(bits)) if NUMBERS.contains(&kind) => value = f64::from_bits(bits).to_string(),
            (6, Value::Fixed64(bits)) if NUMBERS.contains(&kind) => value = bits.cast_signed().to_string(),
            (4, Value::Fixed64(count)) => value = format!("{count}{value}"),
            (5, Value::Fixed64(bits)) if !NUMBERS.contains(&kind) => {
                let _ = write!(value, "/{}", f64::from_bits(bits));
            }
            _ => {}
        }
    }
    if separator == ',' {
        line.push('}');
    }
    Ok(format!("{line}={value}"))
}

/// The value of an attribute.
fn any(attribute: &[u8]) -> Result<String, Malformed> {
    let mut text = String::new();
    for value in messages(attribute, 2) {
        for field in Fields(value?) {
            match field? {
                (1, Value::Bytes(bytes)) => text = printable(utf8(bytes)?),
                (2, Value::Varint(bit)) => text = (bit != 0).to_string(),
                (3, Value::Varint(bits)) => text = bits.cast_signed().to_string(),
                (4, Value::Fixed64(bits)) => text = f64::from_bits(bits).to_string(),
                _ => {}
            }
        }
    }
    Ok(text)
}

/// Text from outside as it may stand in a log: in one line.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
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
        let len = u8::try_from(content.len()).expect("short");
        let len = if len < 128 { vec![len] } else { vec![len | 128, 1] };
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
