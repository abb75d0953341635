//! Values as Java prints them (`toString`), and ids as it reads them.

use base::Uuid;

/// A number as Java prints it: `1024.0`, `1.0E7`.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value == 0.0 || (1e-3..1e7).contains(&size) || value.is_nan() {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    exponent(&text)
}

/// The same of a `float`.
pub(crate) fn short_number(value: f32) -> String {
    let size = value.abs();
    if value != 0.0 && value.is_finite() && !(1e-3..1e7).contains(&size) {
        return exponent(&format!("{value:e}"));
    }
    if value.is_finite() { format!("{value:?}") } else { number(value.into()) }
}

fn exponent(text: &str) -> String {
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => format!("{digits}E{exponent}"),
        Some((digits, exponent)) => format!("{digits}.0E{exponent}"),
        None => text.to_owned(),
    }
}

const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// An id as Kafka writes it: 22 characters of base64url (`Uuid.toString`).
pub(crate) fn id(id: Uuid) -> String {
    // 128 bits and 4 zeros behind them make 22 groups of 6.
    let bits = id.as_u128();
    (0..22)
        .map(|at| {
            let group = if at == 21 { (bits << 4) & 0x3f } else { (bits >> (122 - 6 * at)) & 0x3f };
            char::from(BASE64URL[group as usize])
        })
        .collect()
}

/// The id that is written so.
pub(crate) fn parse_id(text: &str) -> Option<Uuid> {
    if text.len() != 22 {
        return None;
    }
    let mut bits: u128 = 0;
    for (at, byte) in text.bytes().enumerate() {
        let group = BASE64URL.iter().position(|known| *known == byte)? as u128;
        bits = if at == 21 { (bits << 2) | (group >> 4) } else { (bits << 6) | group };
    }
    Some(Uuid::from_u128(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_number() {
        for (value, shown) in [
            (0.0, "0.0"),
            (1024.0, "1024.0"),
            (0.001, "0.001"),
            (0.0005, "5.0E-4"),
            (9_999_999.5, "9999999.5"),
            (1e7, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (-3e20, "-3.0E20"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(number(value), shown);
        }
        assert_eq!([0.1, 1e10, -2.5].map(short_number), ["0.1", "1.0E10", "-2.5"]);
    }

    #[test]
    fn an_id_is_22_characters_of_base64url() {
        let id = Uuid::from_u128(0xfbff_0001_0203_0405_0607_0809_0a0b_0c0d);
        // As the urlsafe Base64 of other languages has it.
        assert_eq!(super::id(id), "-_8AAQIDBAUGBwgJCgsMDQ");
        assert_eq!(parse_id("-_8AAQIDBAUGBwgJCgsMDQ"), Some(id));
        assert_eq!(parse_id("-_8AAQIDBAUGBwgJCgsMD"), None);
        assert_eq!(parse_id("-_8AAQIDBAUGBwgJCgsMD!"), None);
    }
}
