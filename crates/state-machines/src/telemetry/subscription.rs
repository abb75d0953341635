//! What an administrator wants of which clients (Kafka: `ClientMetricsConfigs`).

use std::collections::{BTreeMap, BTreeSet};

use crate::pattern::Pattern;

/// How often clients push when no subscription says otherwise, in milliseconds (Kafka: `INTERVAL_MS_DEFAULT`).
pub(super) const DEFAULT_INTERVAL_MS: i32 = 300_000;

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
    /// Says which of the patterns is none.
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
            let pattern = Pattern::read(expression)
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

/// The items of a list with commas between; none of nothing.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim();
    text.split(',').map(str::trim).filter(move |_| !text.is_empty())
}

/// What all subscriptions that are for a client come to together: prefixes of metrics, each once, and how often to push them.
pub(super) fn wanted(subscriptions: &[Subscription], client: &Attributes) -> (Vec<String>, i32) {
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
            subscription(&[("metrics", "b., a."), ("interval.ms", "5000")]).expect("sound"),
            subscription(&[("metrics", "a.,c."), ("interval.ms", "7000")]).expect("sound"),
            subscription(&[("metrics", "*"), ("interval.ms", "100"), ("match", "client_id=else")])
                .expect("sound"),
        ];
        let texts = |metrics: &[&str]| metrics.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(wanted(&all, &client()), (texts(&["a.", "b.", "c."]), 5000));
        let other = Attributes { client_id: "else".to_owned(), ..client() };
        assert_eq!(wanted(&all, &other), (texts(&["*"]), 100));
        assert_eq!(wanted(&[], &client()), (Vec::new(), 300_000));
        assert_eq!(wanted(&[subscription(&[("metrics", "")]).expect("sound")], &client()).0, texts(&[]));
        let slow = subscription(&[("interval.ms", "3600000")]).expect("sound");
        assert_eq!(wanted(&[slow], &client()).1, 300_000, "as in Kafka");
    }
}
