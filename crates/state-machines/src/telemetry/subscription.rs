//! What an administrator wants of which clients (Kafka: `ClientMetricsConfigs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::pattern::Pattern;

/// How often clients push when no subscription says otherwise, in milliseconds (Kafka: `INTERVAL_MS_DEFAULT`).
pub(super) const DEFAULT_INTERVAL_MS: i32 = 300_000;

/// Most subscriptions that there may be.
pub const MOST_SUBSCRIPTIONS: usize = 100;
/// Most patterns that all of them may have together.
pub const MOST_PATTERNS: usize = 100;
/// Bytes that a pattern may have.
const LONGEST_PATTERN: usize = 1024;
/// Bytes that a compiled pattern may take.
const COMPILED_BYTES: usize = 64 << 10;

/// Stands for all metrics.
const ALL: &str = "*";

/// What a client is chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Attribute {
    InstanceId,
    ClientId,
    SoftwareName,
    SoftwareVersion,
    SourceAddress,
    SourcePort,
}

impl Attribute {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "client_instance_id" => Self::InstanceId,
            "client_id" => Self::ClientId,
            "client_software_name" => Self::SoftwareName,
            "client_software_version" => Self::SoftwareVersion,
            "client_source_address" => Self::SourceAddress,
            "client_source_port" => Self::SourcePort,
            _ => return None,
        })
    }
}

/// A client as subscriptions see it.
#[derive(Clone, Debug)]
pub(super) struct Attributes {
    pub(super) instance_id: String,
    pub(super) client_id: String,
    pub(super) software_name: String,
    pub(super) software_version: String,
    pub(super) source_address: String,
    pub(super) source_port: String,
}

impl Attributes {
    fn get(&self, attribute: Attribute) -> &str {
        match attribute {
            Attribute::InstanceId => &self.instance_id,
            Attribute::ClientId => &self.client_id,
            Attribute::SoftwareName => &self.software_name,
            Attribute::SoftwareVersion => &self.software_version,
            Attribute::SourceAddress => &self.source_address,
            Attribute::SourcePort => &self.source_port,
        }
    }
}

/// One subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    metrics: Vec<String>,
    interval_ms: i32,
    /// All of them have to match.
    patterns: BTreeMap<Attribute, Pattern>,
}

impl Subscription {
    /// Reads its keys, as they are stored: `metrics`, `interval.ms`, `match`.
    ///
    /// # Errors
    /// Says which of the patterns is none, or is too large.
    pub fn read(configs: &BTreeMap<String, String>) -> Result<Self, String> {
        let list = |key: &str| items(configs.get(key).map_or("", String::as_str));
        let interval = configs.get("interval.ms").and_then(|text| text.trim().parse().ok());
        let mut patterns = BTreeMap::new();
        for pattern in list("match") {
            // As Java splits: nothing comes behind the last `=`.
            let (name, expression) = pattern
                .trim_end_matches('=')
                .split_once('=')
                .ok_or_else(|| format!("`{pattern}` is no NAME=PATTERN"))?;
            let attribute = Attribute::named(name.trim())
                .ok_or_else(|| format!("`{}` is nothing that a client is chosen by", name.trim()))?;
            let expression = expression.trim();
            if expression.len() > LONGEST_PATTERN {
                return Err(format!("a regular expression is longer than {LONGEST_PATTERN} bytes"));
            }
            let pattern = Pattern::read(expression, COMPILED_BYTES)
                .map_err(|why| format!("`{expression}` is no regular expression: {why}"))?;
            patterns.insert(attribute, pattern);
        }
        let metrics = list("metrics").map(str::to_owned).collect();
        Ok(Self { metrics, interval_ms: interval.unwrap_or(DEFAULT_INTERVAL_MS), patterns })
    }

    fn is_for(&self, client: &Attributes) -> bool {
        self.patterns.iter().all(|(attribute, pattern)| pattern.matches(client.get(*attribute)))
    }
}

/// How many subscriptions there are, and how many patterns they have: clients are chosen by them while others wait.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    /// The patterns of each subscription, by its name.
    patterns: BTreeMap<String, usize>,
}

impl Budget {
    /// These subscriptions stand, by name, even if they are more than there may be: another broker has stored them.
    pub fn standing<'a>(all: impl Iterator<Item = (&'a str, &'a BTreeMap<String, String>)>) -> Self {
        Self { patterns: all.map(|(name, configs)| (name.to_owned(), patterns(configs))).collect() }
    }

    /// The subscription `name` is to have these keys from now on; without keys it is none. Says whether there is room, and
    /// takes it. There always is for less than stood before.
    pub fn take(&mut self, name: &str, configs: &BTreeMap<String, String>) -> bool {
        if configs.is_empty() {
            self.patterns.remove(name);
            return true;
        }
        let (before, after) = (self.patterns.get(name).copied(), patterns(configs));
        let all = self.patterns.values().sum::<usize>() - before.unwrap_or(0) + after;
        let is_room_for_one = before.is_some() || self.patterns.len() < MOST_SUBSCRIPTIONS;
        let is_room = is_room_for_one && (all <= MOST_PATTERNS || after <= before.unwrap_or(0));
        if is_room {
            self.patterns.insert(name.to_owned(), after);
        }
        is_room
    }
}

/// How many patterns a subscription with these keys has.
fn patterns(configs: &BTreeMap<String, String>) -> usize {
    items(configs.get("match").map_or("", String::as_str)).count()
}

/// What is wrong with the patterns of subscriptions that have these texts as their `match`. At most [`MOST_PATTERNS`] are
/// read; texts with more of them are left out of the answer.
pub fn faults<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, Result<(), String>> {
    let mut known = BTreeMap::new();
    let mut left = MOST_PATTERNS;
    for text in texts {
        let configs = [("match".to_owned(), text.to_owned())].into();
        if let Some(rest) = left.checked_sub(patterns(&configs))
            && !known.contains_key(text)
        {
            left = rest;
            known.insert(text, Subscription::read(&configs).map(drop));
        }
    }
    known
}

/// The items of a list with commas between; none of nothing.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim();
    text.split(',').map(str::trim).filter(move |_| !text.is_empty())
}

/// What all subscriptions that are for a client come to together: prefixes of metrics, each once, and how often to push them.
pub(super) fn wanted(subscriptions: &[Arc<Subscription>], client: &Attributes) -> (Vec<String>, i32) {
    let mut metrics = BTreeSet::new();
    let mut interval_ms = DEFAULT_INTERVAL_MS;
    for subscription in subscriptions.iter().filter(|subscription| subscription.is_for(client)) {
        metrics.extend(subscription.metrics.iter().cloned());
        interval_ms = interval_ms.min(subscription.interval_ms);
    }
    if metrics.contains(ALL) {
        metrics = [ALL.to_owned()].into();
    }
    (metrics.into_iter().collect(), interval_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(pairs: &[(&str, &str)]) -> Result<Subscription, String> {
        Subscription::read(
            &pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        )
    }

    fn client() -> Attributes {
        Attributes {
            instance_id: "AAAAAAAAAAAAAAAAAAAAAw".to_owned(),
            client_id: "orders".to_owned(),
            software_name: "librdkafka".to_owned(),
            software_version: "2.11.1".to_owned(),
            source_address: "127.0.0.1".to_owned(),
            source_port: "5000".to_owned(),
        }
    }

    #[test]
    fn all_patterns_match_the_whole_of_what_they_are_for() {
        for (patterns, is_for) in [
            ("", true),
            ("client_id=orders", true),
            ("client_id=order", false),
            (" client_id = ord.* ", true),
            ("client_id=orders=", true),
            ("client_id=orders,client_software_name=java", false),
            ("client_software_name=librdkafka,client_software_version=2\\.11\\..*", true),
            ("client_source_address=127\\.0\\.0\\.1,client_source_port=50[0-9]+", true),
            ("client_instance_id=A+w", true),
            ("client_id=x|orders", true),
            ("client_id=payments,client_id=orders", true),
        ] {
            let one = subscription(&[("match", patterns)]).expect("sound");
            assert_eq!(one.is_for(&client()), is_for, "{patterns}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (patterns, words) in [
            ("client_id", "no NAME=PATTERN"),
            ("client=a", "nothing that a client is chosen by"),
            ("client_id=a(", "no regular expression"),
            ("client_id=a,", "no NAME=PATTERN"),
        ] {
            let said = subscription(&[("match", patterns)]).expect_err(patterns);
            assert!(said.contains(words), "{patterns}: {said}");
        }
    }

    #[test]
    fn subscriptions_come_together() {
        let all = [
            subscription(&[("metrics", "b., a."), ("interval.ms", "5000")]).expect("sound").into(),
            subscription(&[("metrics", "a.,c."), ("interval.ms", "7000")]).expect("sound").into(),
            subscription(&[("metrics", "*"), ("interval.ms", "100"), ("match", "client_id=else")])
                .expect("sound")
                .into(),
        ];
        let texts = |metrics: &[&str]| metrics.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(wanted(&all, &client()), (texts(&["a.", "b.", "c."]), 5000));
        let other = Attributes { client_id: "else".to_owned(), ..client() };
        assert_eq!(wanted(&all, &other), (texts(&["*"]), 100));
        assert_eq!(wanted(&[], &client()), (Vec::new(), 300_000));
        assert_eq!(
            wanted(&[subscription(&[("metrics", "")]).expect("sound").into()], &client()).0,
            texts(&[])
        );
        let slow = subscription(&[("interval.ms", "3600000")]).expect("sound");
        assert_eq!(wanted(&[slow.into()], &client()).1, 300_000, "as in Kafka");
    }

    fn keys(patterns: &str) -> BTreeMap<String, String> {
        [("match".to_owned(), patterns.to_owned())].into()
    }

    #[test]
    fn a_pattern_is_not_large() {
        let long = format!("client_id={}", "a".repeat(LONGEST_PATTERN));
        assert!(subscription(&[("match", &long)]).is_ok());
        for patterns in [&format!("{long}a")[..], "client_id=((a{50}){50}){6}", r"client_id=(?i)\pL{50}"] {
            assert!(subscription(&[("match", patterns)]).is_err(), "{patterns}");
        }
        assert!(subscription(&[("match", r"client_id=\p{Greek}.*|[a-z0-9.-]{100}")]).is_ok());
    }

    #[test]
    fn so_many_patterns_are_read_and_no_more() {
        let two = |at: usize| format!("client_id={at},client_source_port={at}");
        let texts: Vec<String> = (0..MOST_PATTERNS).map(two).chain(["client_id=(".to_owned()]).collect();
        let known = faults(texts.iter().map(String::as_str));
        assert_eq!(known.len(), MOST_PATTERNS / 2);
        assert!(known.values().all(Result::is_ok));
        let known = faults(["client_id=(", "client_id=a", "client_id=a"].into_iter());
        assert_eq!(known.values().map(Result::is_ok).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn subscriptions_have_a_limit() {
        let three = keys("client_id=a,client_id=b,client_source_port=1");
        let mut budget = Budget::default();
        assert!((0..33).all(|at| budget.take(&format!("s{at}"), &three)), "99 patterns");
        assert!(!budget.take("more", &keys("client_id=a,client_id=b")));
        assert!(budget.take("more", &keys("client_id=a")) && !budget.take("one", &keys("client_id=a")));
        assert!(budget.take("s0", &three) && budget.take("s0", &keys("")), "it was there before");
        assert!(budget.take("one", &three), "what another gave back");
        assert!(budget.take("one", &BTreeMap::new()) && budget.take("two", &three), "what is gone");

        let plain = [("metrics".to_owned(), "*".to_owned())].into();
        let mut budget = Budget::default();
        assert!((0..MOST_SUBSCRIPTIONS).all(|at| budget.take(&format!("s{at}"), &plain)));
        assert!(!budget.take("one", &plain) && budget.take("s1", &three));

        let many: Vec<String> = (0..60).map(|at| format!("s{at}")).collect();
        let mut budget = Budget::standing(many.iter().map(|name| (&**name, &three)));
        assert!(budget.take("s0", &three) && budget.take("s1", &keys("client_id=a")), "no more than before");
        assert!(!budget.take("s1", &three) && !budget.take("one", &keys("client_id=a")));
    }
}
