//! Points in time as people name them in Java (`SimpleDateFormat`, `Duration.parse`).

use regex::Regex;

const MINUTE: i64 = 60 * 1000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `YYYY-MM-DDThh:mm:ss.sss`, with `Z`, `+hh` or `+hh:mm` behind it or nothing for UTC, as milliseconds since 1970.
///
/// # Errors
/// In the words of Kafka's tool.
pub(crate) fn datetime(text: &str) -> Result<i64, String> {
    if !text.contains('T') {
        return Err(
            "java.text.ParseException: Error parsing timestamp. It does not contain a 'T' according to \
                    ISO8601 format"
                .to_owned(),
        );
    }
    parsed(text).ok_or_else(|| format!("java.text.ParseException: Unparseable date: \"{text}\""))
}

fn parsed(text: &str) -> Option<i64> {
    let form =
        Regex::new(r"^(\d{1,9})-(\d{1,2})-(\d{1,2})T(\d{1,2}):(\d{1,2}):(\d{1,2})\.(\d{1,3})(?:Z|([+-])(\d\d)(?::(\d\d))?)?$")
            .ok()?;
    let found = form.captures(text)?;
    let number = |at| found.get(at).map_or(Some(0), |part| part.as_str().parse::<i64>().ok());
    let [year, month, day] = [number(1)?, number(2)?, number(3)?];
    let [hour, minute, second, millis] = [number(4)?, number(5)?, number(6)?, number(7)?];
    let [zone_hour, zone_minute] = [number(9)?, number(10)?];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let is_sound = year >= 1
        && (1..=12).contains(&month)
        && (1..=days).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && zone_hour < 24
        && zone_minute < 60;
    if !is_sound {
        return None;
    }
    // Years that begin with March have their odd day at the end.
    let from_march = (month + 9) % 12;
    let years = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    let days = 365 * years + years / 4 - years / 100 + years / 400 + day_of_year - 719_468;
    let sign = if found.get(8).is_some_and(|sign| sign.as_str() == "-") { -1 } else { 1 };
    let zone = sign * (zone_hour * HOUR + zone_minute * MINUTE);
    Some(days * DAY + hour * HOUR + minute * MINUTE + second * 1000 + millis - zone)
}

/// `PnDTnHnMnS`, in milliseconds; what is below one counts as a whole one, as it ends up when it is taken from a time.
///
/// # Errors
/// In the words of Kafka's tool.
pub(crate) fn duration(text: &str) -> Result<i64, String> {
    span(text).ok_or_else(|| "Text cannot be parsed to a Duration".to_owned())
}

fn span(text: &str) -> Option<i64> {
    let form = Regex::new(
        r"(?i)^([-+]?)P(?:([-+]?\d+)D)?(T(?:([-+]?\d+)H)?(?:([-+]?\d+)M)?(?:([-+]?)(\d+)(?:[.,](\d{0,9}))?S)?)?$",
    )
    .ok()?;
    let found = form.captures(text)?;
    let part = |at: usize| found.get(at).map(|part| part.as_str());
    // Something must stand behind P, and behind T.
    if (2..=7).all(|at| part(at).is_none_or(|part| part.eq_ignore_ascii_case("T")))
        || part(3).is_some_and(|part| part.len() == 1)
    {
        return None;
    }
    let times = |at, unit: i64| part(at).map_or(Some(0), |part| part.parse::<i64>().ok()?.checked_mul(unit));
    let fraction: i64 = format!("{:0<9}", part(8).unwrap_or_default()).parse().ok()?;
    let negative = |at| part(at) == Some("-");
    let seconds = times(7, 1_000_000_000)?.checked_add(fraction)?;
    let nanos = if negative(6) { seconds.checked_neg()? } else { seconds };
    let whole = times(2, DAY)?.checked_add(times(4, HOUR)?)?.checked_add(times(5, MINUTE)?)?;
    let (millis, rest) = (nanos.div_euclid(1_000_000), nanos.rem_euclid(1_000_000));
    let total = whole.checked_add(millis)?.checked_add(i64::from(rest > 0))?;
    if negative(1) { total.checked_neg() } else { Some(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (text, millis) in [
            ("1970-01-01T00:00:00.000", 0),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29T12:34:56.789", 951_827_696_789),
            ("2024-12-31T23:00:00.5+01:00", 1_735_682_400_005),
            ("2024-12-31T23:00:00.5-01:30", 1_735_691_400_005),
            ("1900-03-01T00:00:00.000+00", -2_203_891_200_000),
        ] {
            assert_eq!(datetime(text), Ok(millis), "{text}");
        }
        for wrong in [
            "2023-02-29T00:00:00.000",
            "2024-01-01T24:00:00.000",
            "2024-01-01T00:00:00",
            "2024-13-01T00:00:00.0",
        ] {
            assert!(datetime(wrong).unwrap_err().contains("Unparseable"), "{wrong}");
        }
        assert!(datetime("2024-01-01").unwrap_err().contains("'T'"));
    }

    #[test]
    fn durations_are_those_of_java() {
        for (text, millis) in [
            ("P1D", DAY),
            ("pt1h2m3.5s", HOUR + 2 * MINUTE + 3500),
            ("P1DT-1H", DAY - HOUR),
            ("-PT1M", -MINUTE),
            ("PT-0.5S", -500),
            ("PT0.0001S", 1),
        ] {
            assert_eq!(duration(text), Ok(millis), "{text}");
        }
        for wrong in ["", "P", "PT", "1D", "P1DT", "P1H", "PT1.5M", "P99999999999999D"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
