//! The keys of groups and of subscriptions to client metrics: their rows, what they come to, and what Kafka checks.

use std::collections::BTreeMap;

use crate::error::SettingError;
use crate::nearest::nearest;
use crate::settings::{Settings, bad};
use crate::value::{Allowed, Kind, Rule, Typed};

/// One key of a group or of a subscription.
#[derive(Clone, Copy, Debug)]
pub struct ResourceRow {
    /// Kafka's name.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// The value when neither it nor [`Self::broker`] is set, as text.
    pub default: &'static str,
    /// What is allowed beyond the type.
    pub allowed: Allowed,
    /// The broker key that a group takes its value from when it has none of its own.
    pub broker: Option<&'static str>,
    /// What it does, in a sentence.
    pub doc: &'static str,
}

impl ResourceRow {
    pub(crate) const fn rule(&self) -> Rule {
        Rule { kind: self.kind, allowed: self.allowed }
    }
}

/// One key of a group or of a subscription with its value.
#[derive(Clone, Debug)]
pub struct ResourceEntry {
    /// Its row.
    pub row: &'static ResourceRow,
    /// Its value as text.
    pub value: String,
    /// Whether the value is its own, and not one that others have as well.
    pub is_own: bool,
}

/// Declares keys, one row each.
macro_rules! resource_keys {
    ($rows:ident, $what:literal; $($name:literal $kind:ident = $default:literal, $allowed:expr, $broker:expr, $doc:literal;)*) => {
        #[doc = $what]
        pub(crate) const $rows: &[ResourceRow] = &[$(ResourceRow {
            name: $name,
            kind: Kind::$kind,
            default: $default,
            allowed: { use Allowed::*; $allowed },
            broker: $broker,
            doc: $doc,
        }),*];
    };
}

resource_keys! { GROUP, "Every key of a group, sorted by name (Kafka: `GroupConfig`).";
    "consumer.heartbeat.interval.ms" Int = "5000", AtLeast(1), Some("group.consumer.heartbeat.interval.ms"),
        "How often the members of a consumer group are to send heartbeats.";
    "consumer.session.timeout.ms" Int = "45000", AtLeast(1), Some("group.consumer.session.timeout.ms"),
        "How long a member of a consumer group may be silent.";
    "share.auto.offset.reset" Text = "latest", Any, None,
        "Where a share group begins: earliest, latest, or by_duration: and an ISO 8601 duration. There are no share groups.";
    "share.heartbeat.interval.ms" Int = "5000", AtLeast(1), Some("group.share.heartbeat.interval.ms"),
        "How often the members of a share group are to send heartbeats. There are no share groups.";
    "share.isolation.level" Text = "read_uncommitted", Words(&["read_committed", "read_uncommitted"]), None,
        "Whether a share group sees what was not committed. There are no share groups.";
    "share.record.lock.duration.ms" Int = "30000", AtLeast(1_000), Some("group.share.record.lock.duration.ms"),
        "How long a member of a share group has a record for itself. There are no share groups.";
    "share.session.timeout.ms" Int = "45000", AtLeast(1), Some("group.share.session.timeout.ms"),
        "How long a member of a share group may be silent. There are no share groups.";
    "streams.heartbeat.interval.ms" Int = "5000", AtLeast(1), Some("group.streams.heartbeat.interval.ms"),
        "How often the members of a streams group are to send heartbeats. There are no streams groups.";
    "streams.num.standby.replicas" Int = "0", AtLeast(0), Some("group.streams.num.standby.replicas"),
        "How many members of a streams group keep a copy of each task's state. There are no streams groups.";
    "streams.session.timeout.ms" Int = "45000", AtLeast(1), Some("group.streams.session.timeout.ms"),
        "How long a member of a streams group may be silent. There are no streams groups.";
}

resource_keys! { CLIENT_METRICS, "Every key of a subscription, sorted by name (Kafka: `ClientMetricsConfigs`).";
    "interval.ms" Int = "300000", Any, None,
        "How often a client pushes its metrics, from 100 milliseconds to an hour.";
    "match" List = "", Any, None,
        "Which clients it is for, as NAME=PATTERN; none: all of them.";
    "metrics" List = "", Any, None,
        "Prefixes of the metrics' names; * for all.";
}

/// What a pattern of a subscription may be about.
const MATCHABLE: &[&str] = &[
    "client_instance_id",
    "client_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];
/// Kafka's bounds of `interval.ms`.
const INTERVALS_MS: std::ops::RangeInclusive<i32> = 100..=3_600_000;

/// A key that lies between two broker keys: its name, the broker keys, and their defaults.
type Bounded = (&'static str, [(&'static str, i32); 2]);

const BOUNDED: [Bounded; 7] = [
    (
        "consumer.heartbeat.interval.ms",
        [
            ("group.consumer.min.heartbeat.interval.ms", 5_000),
            ("group.consumer.max.heartbeat.interval.ms", 15_000),
        ],
    ),
    (
        "consumer.session.timeout.ms",
        [
            ("group.consumer.min.session.timeout.ms", 45_000),
            ("group.consumer.max.session.timeout.ms", 60_000),
        ],
    ),
    (
        "share.heartbeat.interval.ms",
        [("group.share.min.heartbeat.interval.ms", 5_000), ("group.share.max.heartbeat.interval.ms", 15_000)],
    ),
    (
        "share.session.timeout.ms",
        [("group.share.min.session.timeout.ms", 45_000), ("group.share.max.session.timeout.ms", 60_000)],
    ),
    (
        "share.record.lock.duration.ms",
        [
            ("group.share.min.record.lock.duration.ms", 15_000),
            ("group.share.max.record.lock.duration.ms", 60_000),
        ],
    ),
    (
        "streams.heartbeat.interval.ms",
        [
            ("group.streams.min.heartbeat.interval.ms", 5_000),
            ("group.streams.max.heartbeat.interval.ms", 15_000),
        ],
    ),
    (
        "streams.session.timeout.ms",
        [("group.streams.min.session.timeout.ms", 45_000), ("group.streams.max.session.timeout.ms", 60_000)],
    ),
];

impl Settings {
    /// Whether a group may have these keys (Kafka: `GroupConfig.validate`, which takes its own defaults for what is not
    /// among them, not the broker's).
    ///
    /// # Errors
    /// [`SettingError::Unknown`], [`SettingError::Bad`] or [`SettingError::Conflict`]; Kafka answers INVALID_CONFIG to
    /// all.
    pub fn check_group(&self, overrides: &BTreeMap<String, String>) -> Result<(), SettingError> {
        check_rows(GROUP, overrides)?;
        if let Some(text) = overrides.get("share.auto.offset.reset")
            && !is_offset_reset(text)
        {
            let allowed = "must be earliest, latest, or by_duration: and an ISO 8601 duration".to_owned();
            return Err(bad("share.auto.offset.reset", text, allowed));
        }
        let own = |name: &str| {
            let row = GROUP.iter().find(|row| row.name == name).expect("a name of the table");
            let text = overrides.get(name).map_or(row.default, String::as_str);
            i32::read(text, row.allowed).expect("checked before")
        };
        let broker = |name: &str, default: i32| {
            self.effective(name).and_then(|(text, _)| i32::read(text, Allowed::Any)).unwrap_or(default)
        };
        for (name, [(least, least_default), (most, most_default)]) in BOUNDED {
            let (value, min, max) = (own(name), broker(least, least_default), broker(most, most_default));
            if !(min..=max).contains(&value) {
                return Err(SettingError::Conflict(format!(
                    "`{name}` ({value}) must lie between `{least}` ({min}) and `{most}` ({max})"
                )));
            }
        }
        let standbys = own("streams.num.standby.replicas");
        let most = broker("group.streams.max.standby.replicas", 2);
        if standbys > most {
            return Err(SettingError::Conflict(format!(
                "`streams.num.standby.replicas` ({standbys}) must not exceed `group.streams.max.standby.replicas` ({most})"
            )));
        }
        for kind in ["consumer", "share", "streams"] {
            let [session, heartbeat] =
                ["session.timeout.ms", "heartbeat.interval.ms"].map(|name| format!("{kind}.{name}"));
            if own(&session) <= own(&heartbeat) {
                return Err(SettingError::Conflict(format!(
                    "`{session}` must be greater than `{heartbeat}`"
                )));
            }
        }
        Ok(())
    }

    /// Every key of a group with these of its own, sorted by name.
    pub fn group_entries(&self, overrides: &BTreeMap<String, String>) -> Vec<ResourceEntry> {
        let entry = |row: &'static ResourceRow| {
            let own = overrides.get(row.name);
            let broker = || row.broker.and_then(|key| Some(self.effective(key)?.0)).unwrap_or(row.default);
            let value = own.map_or_else(broker, String::as_str).to_owned();
            ResourceEntry { row, value, is_own: own.is_some() }
        };
        GROUP.iter().map(entry).collect()
    }
}

/// Whether a subscription to client metrics may have these keys (Kafka: `ClientMetricsConfigs.validate`).
///
/// # Errors
/// [`SettingError::Unknown`] or [`SettingError::Conflict`], to which Kafka answers INVALID_REQUEST, or
/// [`SettingError::Bad`], to which it answers INVALID_CONFIG.
pub fn check_client_metrics(configs: &BTreeMap<String, String>) -> Result<(), SettingError> {
    check_rows(CLIENT_METRICS, configs)?;
    if let Some(text) = configs.get("interval.ms")
        && !i32::read(text, Allowed::Any).is_some_and(|interval| INTERVALS_MS.contains(&interval))
    {
        return Err(SettingError::Conflict(format!(
            "`interval.ms` cannot be `{text}`: it must lie between {} and {}",
            INTERVALS_MS.start(),
            INTERVALS_MS.end()
        )));
    }
    let patterns = configs.get("match").map_or("", String::as_str);
    for pattern in <Vec<String>>::read(patterns, Allowed::Any).unwrap_or_default() {
        let is_sound = match pattern.trim_end_matches('=').split('=').collect::<Vec<_>>()[..] {
            [name, value] => MATCHABLE.contains(&name.trim()) && !value.is_empty(),
            _ => false,
        };
        if !is_sound {
            let allowed = format!("each pattern must be NAME=PATTERN, with one of: {}", MATCHABLE.join(", "));
            return Err(bad("match", &pattern, allowed));
        }
    }
    Ok(())
}

/// Every key of a subscription to client metrics that has these, sorted by name.
#[must_use]
pub fn client_metrics_entries(configs: &BTreeMap<String, String>) -> Vec<ResourceEntry> {
    let entry = |row: &'static ResourceRow| {
        let own = configs.get(row.name);
        ResourceEntry {
            row,
            value: own.map_or(row.default, String::as_str).to_owned(),
            is_own: own.is_some(),
        }
    };
    CLIENT_METRICS.iter().map(entry).collect()
}

fn check_rows(rows: &'static [ResourceRow], configs: &BTreeMap<String, String>) -> Result<(), SettingError> {
    let row = |key: &str| rows.iter().find(|row| row.name == key);
    if let Some(key) = configs.keys().find(|key| row(key).is_none()) {
        let nearest = nearest(key, rows.iter().map(|row| row.name));
        return Err(SettingError::Unknown { key: key.clone(), nearest });
    }
    for (key, text) in configs {
        let rule = row(key).expect("looked for before").rule();
        if !rule.takes(text) {
            return Err(bad(key, text, rule.to_string()));
        }
    }
    Ok(())
}

/// Kafka: `ShareGroupAutoOffsetResetStrategy.fromString`.
fn is_offset_reset(text: &str) -> bool {
    match text.trim().to_ascii_lowercase().split_once(':') {
        None => matches!(text.trim().to_ascii_lowercase().as_str(), "earliest" | "latest"),
        Some((word, duration)) => word == "by_duration" && is_duration(duration),
    }
}

/// Whether `text` is a duration that is not negative, as `P1DT2H3M4.5S` (Java: `Duration.parse`).
fn is_duration(text: &str) -> bool {
    let Some(rest) = text.trim().strip_prefix('p') else { return false };
    let (days, time) = match rest.split_once('t') {
        Some((days, time)) => (days, Some(time)),
        None => (rest, None),
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let has_days = !days.is_empty();
    if has_days && !days.strip_suffix('d').is_some_and(is_number) {
        return false;
    }
    let Some(mut time) = time else { return has_days };
    if time.is_empty() {
        return false;
    }
    for unit in ['h', 'm'] {
        if let Some((number, rest)) = time.split_once(unit) {
            if !is_number(number) {
                return false;
            }
            time = rest;
        }
    }
    let seconds = match time.strip_suffix('s') {
        Some(seconds) => seconds,
        None => return time.is_empty(),
    };
    match seconds.split_once('.') {
        Some((whole, part)) => is_number(whole) && part.len() <= 9 && is_number(part),
        None => is_number(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_group_stays_within_what_the_broker_allows() {
        let check = |pairs: &[(&str, &str)]| Settings::default().check_group(&map(pairs));
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(
            check(&[("consumer.session.timeout.ms", "50000"), ("consumer.heartbeat.interval.ms", "6000")]),
            Ok(())
        );
        for (key, value, words) in [
            (
                "consumer.session.timeout.ms",
                "44999",
                "must lie between `group.consumer.min.session.timeout.ms` (45000)",
            ),
            ("consumer.session.timeout.ms", "60001", "and `group.consumer.max.session.timeout.ms` (60000)"),
            ("consumer.heartbeat.interval.ms", "0", "must be a whole number from 1"),
            ("share.record.lock.duration.ms", "999", "must be a whole number from 1000"),
            ("share.record.lock.duration.ms", "14999", "(15000)"),
            ("share.isolation.level", "serializable", "must be one of: read_committed, read_uncommitted"),
            ("share.auto.offset.reset", "by_duration:-PT1H", "an ISO 8601 duration"),
            ("streams.num.standby.replicas", "3", "must not exceed"),
            ("consumer.session.timeout", "45000", "did you mean `consumer.session.timeout.ms`?"),
        ] {
            let said = check(&[(key, value)]).unwrap_err().to_string();
            assert!(said.contains(words), "{key}={value}: {said}");
        }
    }

    #[test]
    fn a_broker_may_allow_more() {
        let mut settings = Settings::default();
        settings.set("group.share.min.session.timeout.ms", "1000").expect("allowed");
        let own =
            |value| map(&[("share.session.timeout.ms", value), ("share.heartbeat.interval.ms", "5000")]);
        assert_eq!(settings.check_group(&own("5001")), Ok(()));
        let said = settings.check_group(&own("5000")).unwrap_err().to_string();
        assert_eq!(said, "`share.session.timeout.ms` must be greater than `share.heartbeat.interval.ms`");
    }

    #[test]
    fn a_group_takes_from_the_broker_what_it_has_not() {
        let mut settings = Settings::default();
        settings.set("group.share.session.timeout.ms", "50000").expect("allowed");
        let entries = settings.group_entries(&map(&[("consumer.session.timeout.ms", "46000")]));
        let of = |name: &str| {
            let entry = entries.iter().find(|entry| entry.row.name == name).expect("listed");
            (entry.value.clone(), entry.is_own)
        };
        assert_eq!(of("consumer.session.timeout.ms"), ("46000".to_owned(), true));
        assert_eq!(of("share.session.timeout.ms"), ("50000".to_owned(), false));
        assert_eq!(of("share.auto.offset.reset"), ("latest".to_owned(), false));
    }

    #[test]
    fn durations_are_written_as_iso_8601_has_it() {
        for sound in ["PT1H", "p1d", "P1DT2H3M4.5S", "PT0S", "PT5M"] {
            assert!(is_offset_reset(&format!("by_duration:{sound}")), "{sound}");
        }
        for wrong in ["", "P", "PT", "1H", "PT1", "P1H", "PT-1H", "PTS", "PT1.S", "PT1H2D", "PT1M1H"] {
            assert!(!is_offset_reset(&format!("by_duration:{wrong}")), "{wrong}");
        }
        assert!(is_offset_reset("EARLIEST") && !is_offset_reset("none"));
    }

    #[test]
    fn a_subscription_is_checked() {
        let check = |pairs: &[(&str, &str)]| check_client_metrics(&map(pairs));
        let sound =
            [("interval.ms", "100"), ("match", "client_id=a.*, client_software_name=java"), ("metrics", "*")];
        assert_eq!(check(&sound), Ok(()));
        assert_eq!(check(&[("match", "")]), Ok(()));
        assert!(matches!(check(&[("interval.ms", "99")]), Err(SettingError::Conflict(_))));
        assert!(matches!(check(&[("interval.ms", "often")]), Err(SettingError::Bad { .. })));
        assert!(matches!(check(&[("interval", "100")]), Err(SettingError::Unknown { .. })));
        for wrong in ["client_id", "client=a", "client_id=", "client_id=a=b"] {
            assert!(matches!(check(&[("match", wrong)]), Err(SettingError::Bad { .. })), "{wrong}");
        }
    }
}
