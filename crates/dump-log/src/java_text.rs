//! Bytes as the text that Java makes of them.

/// What `new String(bytes, UTF_8)` gives: U+FFFD for what is not UTF-8. Java and Rust agree on how many of them, but for
/// encoded surrogates: Java's decoder takes all bytes of one for a single mistake.
pub(crate) fn utf8(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    loop {
        match std::str::from_utf8(bytes) {
            Ok(rest) => {
                text.push_str(rest);
                return text;
            }
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(valid));
                text.push('\u{fffd}');
                let wrong = surrogate_len(rest).or(error.error_len()).unwrap_or(rest.len());
                bytes = &rest[wrong..];
            }
        }
    }
}

/// The length of what begins like an encoded surrogate: ED, then A0 to BF, then perhaps one more byte of it.
fn surrogate_len(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => Some(3),
        [0xed, 0xa0..=0xbf, ..] => Some(2),
        _ => None,
    }
}

/// What `Bytes.toString` of Kafka's clients gives: printable ASCII as it is, all else as `\xNN`.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_as_java_decodes_it() {
        // The counts are those of OpenJDK 17.
        for (bytes, expected) in [
            (&b"plain"[..], "plain"),
            ("é✓😀".as_bytes(), "é✓😀"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
            (b"a\xc0\x80b", "a\u{fffd}\u{fffd}b"),
            (b"\xe2\x82", "\u{fffd}"),
            (b"\xe2\x82 ", "\u{fffd} "),
            (b"\xf0\x9f\x98 x", "\u{fffd} x"),
            (b"\xf5\x80\x80\x80", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            (b"\xed\xa0\x80", "\u{fffd}"),
            (b"\xed\xa0x", "\u{fffd}x"),
            (b"\xed\xbf", "\u{fffd}"),
            (b"\xed\xa0\x80\xed\xb0\x80", "\u{fffd}\u{fffd}"),
            (b"\xed\x80", "\u{fffd}"),
        ] {
            assert_eq!(utf8(bytes), expected, "{bytes:02x?}");
        }
    }

    #[test]
    fn bytes_are_escaped() {
        assert_eq!(escaped(b"a b\\\x00\xff~"), "a b\\\\\\x00\\xFF~");
    }
}
