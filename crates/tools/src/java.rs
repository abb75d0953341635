//! Values as Java prints them (`toString`).

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
}
