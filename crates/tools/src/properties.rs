//! Settings of a client: from a file of properties (`--command-config` and the like) and from KEY=VALUE flags.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::time::Duration;

use client::Config;
use java_properties::PropertiesIter;

use crate::call::Failure;
use crate::options::Options;

/// Settings by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Properties(BTreeMap<String, String>);

impl Properties {
    /// Reads a file.
    pub(crate) fn read(path: &str) -> Result<Self, Failure> {
        let told = |error: &dyn std::fmt::Display| Failure::Told(format!("cannot read {path}: {error}"));
        let file = File::open(path).map_err(|error| told(&error))?;
        let mut all = BTreeMap::new();
        PropertiesIter::new(BufReader::new(file))
            .read_into(|key, value| {
                all.insert(key, value);
            })
            .map_err(|error| told(&error))?;
        Ok(Self(all))
    }

    /// Reads the files that any of these flags name, the later beating the earlier.
    pub(crate) fn read_any(options: &Options, flags: &[&str]) -> Result<Self, Failure> {
        let mut all = Self::default();
        for flag in flags {
            if let Some(path) = options.value(flag)? {
                all.0.extend(Self::read(path)?.0);
            }
        }
        Ok(all)
    }

    /// Adds pairs; a pair without a value has the empty one, as in Kafka.
    pub(crate) fn add<'a>(&mut self, pairs: impl Iterator<Item = &'a str>) {
        for pair in pairs {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.0.insert(key.to_owned(), value.to_owned());
        }
    }

    pub(crate) fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether a setting is true in the eyes of Kafka's formatters and readers.
    pub(crate) fn is_true(&self, key: &str) -> Option<bool> {
        self.get(key).map(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// A number.
    pub(crate) fn number<T: std::str::FromStr>(&self, key: &str) -> Result<Option<T>, Failure> {
        self.get(key)
            .map(|value| {
                value.trim().parse().map_err(|_| {
                    Failure::Told(format!(
                        "Invalid value {value} for configuration {key}: no number in its range"
                    ))
                })
            })
            .transpose()
    }

    /// What every client heeds. The rest is for those who know it; what nobody knows is passed over, as in Kafka.
    pub(crate) fn apply(&self, config: &mut Config) -> Result<(), Failure> {
        if let Some(protocol) = self.get("security.protocol")
            && !protocol.eq_ignore_ascii_case("PLAINTEXT")
        {
            return Err(Failure::Told(format!(
                "security.protocol={protocol} is not supported: only PLAINTEXT is"
            )));
        }
        if let Some(timeout) = self.number("request.timeout.ms")? {
            config.request_timeout = Duration::from_millis(timeout);
        }
        if let Some(timeout) = self.number("default.api.timeout.ms")? {
            config.api_timeout = Duration::from_millis(timeout);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_beat_each_other_and_may_lack_a_value() {
        let mut properties = Properties::default();
        properties.add(["a=1", "a=b=c", "d"].into_iter());
        assert_eq!(
            (properties.get("a"), properties.get("d"), properties.get("e")),
            (Some("b=c"), Some(""), None)
        );
        assert!(properties.number::<i64>("a").is_err());
    }

    #[test]
    fn another_protocol_is_refused_by_name() {
        let mut config = Config::new("h:1", "x").unwrap();
        let mut properties = Properties::default();
        properties.add(["security.protocol=plaintext", "request.timeout.ms=7"].into_iter());
        properties.apply(&mut config).unwrap();
        assert_eq!(config.request_timeout, Duration::from_millis(7));
        properties.add(["security.protocol=SSL"].into_iter());
        assert!(matches!(properties.apply(&mut config), Err(Failure::Told(why)) if why.contains("=SSL")));
    }
}
