//! The declared table holds together, and says what Apache Kafka 4.1 says.

use std::collections::{BTreeMap, BTreeSet};

use settings::{Allowed, BrokerKey, Effect, Kind, Scope, SettingError, Settings, TABLE};

/// Kafka 4.1.1's own table, `name|type|default|bounds`, `B` for broker keys and `T` for topic keys; written by its
/// `AbstractKafkaConfig.CONFIG_DEF` and `LogConfig.configKeys()`.
const KAFKA: &str = include_str!("kafka-4.1.1-configs.txt");

/// Where a default differs from Kafka's on purpose.
const OWN_DEFAULTS: &[&str] = &[
    "node.id",
    "broker.id",
    "process.roles",
    "log.dir",
    "listeners",
    "listener.security.protocol.map",
    "num.network.threads",
    "socket.receive.buffer.bytes",
    "max.connections",
    "max.connections.per.ip",
    "queued.max.request.bytes",
    "group.max.size",
    "group.consumer.max.size",
];

/// Keys that are in no list yet.
const UNKNOWN: &[&str] = &[];

/// What Kafka lets be changed while the broker runs, and cannot be here.
const READ_AT_THE_START: &[&str] = &["listeners", "listener.security.protocol.map", "num.network.threads"];

/// Where bounds differ: tighter, because Kafka checks the same thing elsewhere or because the rest has no meaning.
const OWN_BOUNDS: &[&str] = &[
    "broker.id",
    "authorizer.class.name",
    "controller.quorum.bootstrap.servers",
    "controller.quorum.voters",
    "offsets.topic.segment.bytes",
    "group.consumer.assignors",
    "socket.send.buffer.bytes",
    "socket.receive.buffer.bytes",
    "internal.segment.bytes",
    "remote.storage.enable",
    "remote.log.storage.system.enable",
    "min.cleanable.dirty.ratio",
];

fn kafka(scope: &str) -> BTreeMap<&'static str, [&'static str; 3]> {
    KAFKA
        .lines()
        .filter_map(|line| {
            let [of, name, kind, default, bounds] = line.split('|').collect::<Vec<_>>()[..] else {
                return None;
            };
            (of == scope).then_some((name, [kind, default, bounds]))
        })
        .collect()
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "BOOLEAN",
        Kind::Short => "SHORT",
        Kind::Int => "INT",
        Kind::Long => "LONG",
        Kind::Double => "DOUBLE",
        Kind::Text => "STRING",
        Kind::List => "LIST",
        Kind::Class => "CLASS",
        Kind::Password => "PASSWORD",
    }
}

/// The bounds as Kafka prints them.
fn bounds_name(allowed: Allowed) -> String {
    match allowed {
        Allowed::Any | Allowed::Never(_) => "null".to_owned(),
        Allowed::AtLeast(min) => format!("[{min},...]"),
        Allowed::Between(min, max) => format!("[{min},...,{max}]"),
        Allowed::OneOrBetween(one, min, max) => format!("[{min},...,{max}] or {one}"),
        Allowed::Ratio => "[0,...,1]".to_owned(),
        Allowed::Words(words) => format!("[{}]", words.join(", ")),
        Allowed::WordsInAnyCase(words) => format!("(case insensitive) [{}]", words.join(", ")),
        Allowed::Replicas => "[partitionId]:[brokerId],[partitionId]:[brokerId],...".to_owned(),
    }
}

fn default_name(kind: Kind, default: Option<&str>) -> String {
    match (kind, default) {
        (_, None) => "null".to_owned(),
        (Kind::List, Some(text)) => format!("[{text}]"),
        (_, Some(text)) => text.to_owned(),
    }
}

#[test]
fn broker_rows_are_kafkas() {
    let kafka = kafka("B");
    for row in TABLE.broker.iter().filter(|row| !row.name.starts_with("ottla.")) {
        let [kind, default, bounds] =
            kafka.get(row.name).unwrap_or_else(|| panic!("Kafka has no {}", row.name));
        assert_eq!(kind_name(row.kind), *kind, "{}", row.name);
        if !OWN_DEFAULTS.contains(&row.name) {
            assert_eq!(default_name(row.kind, row.default), *default, "default of {}", row.name);
        }
        if !OWN_BOUNDS.contains(&row.name) {
            assert_eq!(bounds_name(row.allowed), *bounds, "bounds of {}", row.name);
        }
        assert_eq!(row.scope, scope(row.name), "who may change {} while running", row.name);
    }
}

/// Kafka: `DynamicBrokerConfig.AllDynamicConfigs` and `PerBrokerConfigs`, which holds what belongs to listeners.
fn scope(name: &str) -> Scope {
    if READ_AT_THE_START.contains(&name) {
        return Scope::ReadOnly;
    }
    const OF_LISTENERS: [&str; 5] =
        ["ssl.", "sasl.", "listeners", "listener.security.protocol.map", "principal.builder.class"];
    if !KAFKA.lines().any(|line| line.strip_prefix("D|") == Some(name)) {
        Scope::ReadOnly
    } else if OF_LISTENERS.iter().any(|prefix| name.starts_with(prefix)) {
        Scope::PerBroker
    } else {
        Scope::ClusterWide
    }
}

#[test]
fn idle_rows_are_kafkas() {
    let kafka = kafka("B");
    for row in TABLE.idle {
        let [kind, default, bounds] =
            kafka.get(row.name).unwrap_or_else(|| panic!("Kafka has no {}", row.name));
        assert_eq!(kind_name(row.kind), *kind, "{}", row.name);
        let kafkas = default.strip_prefix("class ").unwrap_or(default).replace(", ", ",");
        assert_eq!(default_name(row.kind, row.default), kafkas, "default of {}", row.name);
        if row.allowed != Allowed::Any && !OWN_BOUNDS.contains(&row.name) {
            assert_eq!(bounds_name(row.allowed), *bounds, "bounds of {}", row.name);
        }
        assert_eq!(row.scope, scope(row.name), "who may change {} while running", row.name);
        assert!(row.reason.text.ends_with('.'), "{}", row.name);
    }
}

#[test]
fn every_key_of_kafkas_is_in_one_list() {
    for name in kafka("B").keys().filter(|name| !UNKNOWN.contains(name)) {
        assert!(BrokerKey::named(name).is_ok(), "{name} is in no list");
    }
    let idle: BTreeSet<&str> = TABLE.idle.iter().map(|row| row.name).collect();
    assert_eq!(idle.len(), TABLE.idle.len(), "an idle key comes twice");
    for row in TABLE.broker {
        assert!(!idle.contains(row.name), "{} cannot both work and be idle", row.name);
    }
}

#[test]
fn what_is_given_to_an_idle_key_is_checked_and_kept() {
    let mut settings = Settings::default();
    settings.set("num.io.threads", "4").expect("allowed");
    assert_eq!(settings.given("num.io.threads"), Some("4"));
    assert!(settings.missed().next().is_none(), "nobody misses it");
    let error = settings.set("num.io.threads", "0").unwrap_err();
    assert!(error.to_string().contains("from 1 to"), "{error}");
    settings.set("ssl.client.auth", "none").expect("allowed");
    assert!(settings.missed().next().is_none(), "it is the default");
    settings.set("ssl.client.auth", "required").expect("allowed");
    assert_eq!(settings.missed().map(|row| row.name).collect::<Vec<_>>(), ["ssl.client.auth"]);
}

#[test]
fn topic_rows_are_kafkas_and_none_is_missing() {
    let kafka = kafka("T");
    let ours: BTreeSet<&str> = TABLE.topic.iter().map(|row| row.name).collect();
    assert_eq!(ours, kafka.keys().copied().collect());
    for row in TABLE.topic {
        let [kind, default, bounds] = kafka[row.name];
        assert_eq!(kind_name(row.kind), kind, "{}", row.name);
        assert_eq!(default_name(row.kind, row.default), default, "default of {}", row.name);
        if !OWN_BOUNDS.contains(&row.name) {
            assert_eq!(bounds_name(row.allowed), bounds, "bounds of {}", row.name);
        }
        let synonyms = row.synonyms.iter().map(|s| s.name).collect::<Vec<_>>().join(", ");
        let kafkas = KAFKA.lines().find_map(|line| line.strip_prefix(&format!("S|{}|[", row.name)));
        match row.effect {
            Effect::Works => {
                assert_eq!(Some(format!("{synonyms}]").as_str()), kafkas, "synonyms of {}", row.name);
            }
            // DescribeConfigs shows them all the same.
            Effect::Stored | Effect::Internal => {
                assert_eq!(format!("{synonyms}]"), kafkas.unwrap_or("]"), "synonyms of {}", row.name);
            }
        }
    }
}

#[test]
fn every_row_is_well_formed() {
    let mut seen = BTreeSet::new();
    for row in TABLE.broker {
        assert!(seen.insert(row.name), "{} comes twice", row.name);
        assert!(row.doc.ends_with('.') && row.doc.len() > 10, "{}: {}", row.name, row.doc);
        if let Some(default) = row.default {
            Settings::default().set(row.name, default).unwrap_or_else(|e| panic!("{e}"));
        }
    }
    assert!(TABLE.topic.windows(2).all(|pair| pair[0].name < pair[1].name), "topic rows are sorted");
    for row in TABLE.topic {
        assert!(row.doc.ends_with('.') && row.doc.len() > 10, "{}: {}", row.name, row.doc);
        if let Some(default) = row.default {
            let overrides = BTreeMap::from([(row.name.to_owned(), default.to_owned())]);
            Settings::default().topic(&overrides).unwrap_or_else(|e| panic!("{e}"));
        }
        for synonym in row.synonyms {
            assert!(
                BrokerKey::named(synonym.name).is_ok(),
                "{} has no row, though {} falls back on it",
                synonym.name,
                row.name
            );
        }
    }
    Settings::default().check().unwrap();
}

#[test]
fn a_value_outside_its_row_is_refused_and_changes_nothing() {
    for row in TABLE.broker {
        let wrong = match (row.kind, row.allowed) {
            (_, Allowed::AtLeast(min) | Allowed::Between(min, _)) => (min - 1).to_string(),
            (_, Allowed::OneOrBetween(one, ..)) => (one - 1).to_string(),
            (Kind::Boolean | Kind::Int | Kind::Long | Kind::Double, _)
            | (_, Allowed::Words(_) | Allowed::WordsInAnyCase(_)) => "maybe".to_owned(),
            _ => continue,
        };
        let mut settings = Settings::default();
        match settings.set(row.name, &wrong) {
            Err(SettingError::Bad { key, value, allowed }) => {
                assert_eq!((key.as_str(), value.as_str()), (row.name, wrong.as_str()));
                assert!(allowed.starts_with("must be "), "{allowed}");
            }
            other => panic!("{} = {wrong}: {other:?}", row.name),
        }
        assert_eq!(settings.given(row.name), None);
    }
    for row in TABLE.topic {
        let wrong = match (row.kind, row.allowed) {
            (_, Allowed::AtLeast(min) | Allowed::Between(min, _)) => (min - 1).to_string(),
            (_, Allowed::Never(_)) => "true".to_owned(),
            _ => "maybe".to_owned(),
        };
        let overrides = BTreeMap::from([(row.name.to_owned(), wrong)]);
        assert!(
            matches!(Settings::default().topic(&overrides), Err(SettingError::Bad { .. })),
            "{}",
            row.name
        );
    }
}
