//! What the broker and its topics come to, from what was given.

use std::collections::BTreeMap;

use settings::{Compression, Endpoint, SettingError, Settings, Source, TimestampType, parse_host_port};

fn given(pairs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    for (key, value) in pairs {
        settings.set(key, value).unwrap_or_else(|error| panic!("{error}"));
    }
    settings
}

fn overrides(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn endpoint(name: &str, host: &str, port: u16) -> Endpoint {
    Endpoint { name: name.to_owned(), host: host.to_owned(), port }
}

#[test]
fn nothing_given_is_kafkas_default() {
    let settings = Settings::default();
    assert_eq!(settings.num_partitions(), 1);
    assert_eq!(settings.data_dir().unwrap(), "./ottla-data");
    assert_eq!(settings.listeners().unwrap(), [endpoint("PLAINTEXT", "127.0.0.1", 9092)]);
    let topic = settings.topic(&overrides(&[])).unwrap();
    assert_eq!(topic.retention_ms, 604_800_000);
    assert_eq!(topic.segment_ms, 604_800_000);
    assert_eq!(topic.segment_bytes, 1 << 30);
    assert_eq!(topic.flush_ms, i64::MAX);
    assert_eq!(topic.compression, Compression::Producer);
    assert_eq!(topic.timestamp_type, TimestampType::CreateTime);
    assert!(topic.delete && !topic.compact);
}

#[test]
fn an_unknown_key_names_the_nearest_one() {
    let mut settings = Settings::default();
    let error = settings.set("num.partition", "3").unwrap_err();
    assert_eq!(error.to_string(), "unknown setting `num.partition` (did you mean `num.partitions`?)");
    let error = settings.set("zookeeper.connect", "localhost:2181").unwrap_err();
    assert_eq!(error.to_string(), "unknown setting `zookeeper.connect`");
    let error = settings.topic(&overrides(&[("retention.hours", "3")])).unwrap_err();
    assert!(
        matches!(error, SettingError::Unknown { nearest: Some("retention.ms" | "retention.bytes"), .. }),
        "{error}"
    );
}

#[test]
fn a_bad_value_says_what_is_allowed() {
    let error = Settings::default().set("num.partitions", "0").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`num.partitions` cannot be `0`: must be a whole number from 1 to 2147483647"
    );
    let error = Settings::default().set("compression.type", "brotli").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`compression.type` cannot be `brotli`: must be one of: uncompressed, zstd, lz4, snappy, gzip, producer"
    );
}

#[test]
fn a_later_value_wins() {
    let settings = given(&[("num.partitions", "3"), ("num.partitions", "5")]);
    assert_eq!(settings.num_partitions(), 5);
    assert_eq!(settings.given("num.partitions"), Some("5"));
}

#[test]
fn milliseconds_beat_minutes_beat_hours() {
    let retention = |pairs| given(pairs).topic(&BTreeMap::new()).unwrap().retention_ms;
    assert_eq!(retention(&[("log.retention.hours", "2")]), 7_200_000);
    assert_eq!(retention(&[("log.retention.hours", "2"), ("log.retention.minutes", "3")]), 180_000);
    assert_eq!(
        retention(&[("log.retention.ms", "9"), ("log.retention.minutes", "3"), ("log.retention.hours", "2")]),
        9
    );
    let roll =
        given(&[("log.roll.hours", "1"), ("log.roll.jitter.hours", "1")]).topic(&BTreeMap::new()).unwrap();
    assert_eq!((roll.segment_ms, roll.segment_jitter_ms), (3_600_000, 3_600_000));
}

#[test]
fn any_negative_retention_of_the_broker_means_for_ever() {
    for (key, value) in
        [("log.retention.ms", "-7"), ("log.retention.minutes", "-1"), ("log.retention.hours", "-1")]
    {
        let settings = given(&[(key, value)]);
        settings.check().unwrap();
        assert_eq!(settings.topic(&BTreeMap::new()).unwrap().retention_ms, -1, "{key}");
    }
}

#[test]
fn a_retention_of_nothing_is_refused_by_its_own_name() {
    let error = given(&[("log.retention.hours", "0")]).check().unwrap_err();
    assert!(matches!(&error, SettingError::Bad { key, .. } if key == "log.retention.hours"), "{error}");
    given(&[("log.retention.hours", "0"), ("log.retention.ms", "5")]).check().unwrap();
}

#[test]
fn a_broker_value_that_no_topic_can_take_is_found_before_the_start() {
    for (key, value) in [("log.roll.ms", "0"), ("log.roll.jitter.ms", "-1"), ("log.flush.interval.ms", "-1")]
    {
        let error = given(&[(key, value)]).check().unwrap_err();
        assert!(matches!(&error, SettingError::Bad { key: k, .. } if k == key), "{error}");
    }
}

#[test]
fn a_topic_override_beats_the_broker() {
    let settings = given(&[("log.segment.bytes", "2000000"), ("compression.type", "gzip")]);
    let topic =
        settings.topic(&overrides(&[("segment.bytes", "3000000"), ("compression.type", "zstd")])).unwrap();
    assert_eq!(topic.segment_bytes, 3_000_000);
    assert_eq!(topic.compression, Compression::Zstd(3));
    let topic = settings.topic(&overrides(&[("compression.gzip.level", "4")])).unwrap();
    assert_eq!((topic.segment_bytes, topic.compression), (2_000_000, Compression::Gzip(4)));
}

#[test]
fn a_topic_takes_every_codec_and_policy() {
    let topic = |pairs| Settings::default().topic(&overrides(pairs)).unwrap();
    assert_eq!(topic(&[("compression.type", "uncompressed")]).compression, Compression::None);
    assert_eq!(topic(&[("compression.type", "snappy")]).compression, Compression::Snappy);
    assert_eq!(
        topic(&[("compression.type", "lz4"), ("compression.lz4.level", "1")]).compression,
        Compression::Lz4
    );
    let both = topic(&[("cleanup.policy", "compact, delete")]);
    assert!(both.delete && both.compact);
    let neither = topic(&[("cleanup.policy", "")]);
    assert!(!neither.delete && !neither.compact);
    let append_time = topic(&[("message.timestamp.type", "LogAppendTime")]);
    assert_eq!(append_time.timestamp_type, TimestampType::LogAppendTime);
    assert_eq!(topic(&[("internal.segment.bytes", "100"), ("segment.bytes", "2000000")]).segment_bytes, 100);
}

#[test]
fn lags_of_compaction_must_not_cross() {
    let crossed = overrides(&[("min.compaction.lag.ms", "10"), ("max.compaction.lag.ms", "5")]);
    assert!(matches!(Settings::default().topic(&crossed), Err(SettingError::Conflict(_))));
}

#[test]
fn compaction_takes_what_it_can_work_with() {
    for (key, value) in [
        ("log.cleaner.dedupe.buffer.size", "1048575"),
        ("log.cleaner.io.buffer.load.factor", "0"),
        ("log.cleaner.io.buffer.load.factor", "1.0"),
        ("log.cleaner.io.max.bytes.per.second", "0"),
        ("log.cleaner.io.max.bytes.per.second", "NaN"),
    ] {
        let error = given(&[(key, value)]).check().unwrap_err();
        assert!(error.to_string().contains(key), "{error}");
    }
    given(&[("log.cleaner.dedupe.buffer.size", "1048576"), ("log.cleaner.io.max.bytes.per.second", "0.5")])
        .check()
        .unwrap();
    let settings =
        given(&[("log.cleaner.min.cleanable.ratio", "0.25"), ("log.cleaner.delete.retention.ms", "7")]);
    let topic = settings.topic(&overrides(&[("delete.retention.ms", "9")])).unwrap();
    assert_eq!((topic.min_cleanable_dirty_ratio, topic.delete_retention_ms), (0.25, 9));
}

#[test]
fn an_entry_says_where_its_value_comes_from() {
    let settings = given(&[("log.roll.hours", "2")]);
    let entries = settings.topic_entries(&overrides(&[("retention.ms", "77")]));
    let find = |name: &str| {
        let entry = entries.iter().find(|entry| entry.row.name == name).unwrap();
        (entry.value.clone(), entry.source)
    };
    assert_eq!(find("retention.ms"), (Some("77".to_owned()), Source::Topic));
    assert_eq!(find("segment.ms"), (Some("7200000".to_owned()), Source::Static));
    assert_eq!(find("segment.bytes"), (Some("1073741824".to_owned()), Source::Default));
    assert_eq!(find("internal.segment.bytes"), (None, Source::Default));
}

#[test]
fn memory_for_requests_has_a_limit_unless_told_otherwise() {
    let limit = |pairs| given(pairs).queued_max_request_bytes();
    assert_eq!(limit(&[]), Some(268_435_456));
    assert_eq!(limit(&[("socket.request.max.bytes", "2000000000")]), Some(2_000_000_000));
    assert_eq!(limit(&[("queued.max.request.bytes", "104857600")]), Some(104_857_600));
    assert_eq!(limit(&[("queued.max.request.bytes", "-1")]), None);
    let error = given(&[("queued.max.request.bytes", "1000")]).check().unwrap_err();
    assert!(error.to_string().contains("socket.request.max.bytes"), "{error}");
}

#[test]
fn one_data_directory() {
    assert_eq!(given(&[("log.dir", "/a")]).data_dir().unwrap(), "/a");
    assert_eq!(given(&[("log.dir", "/a"), ("log.dirs", "/b")]).data_dir().unwrap(), "/b");
    for (key, value) in [("log.dirs", "/a,/b"), ("log.dir", "/a,/b"), ("log.dirs", ""), ("log.dir", " ")] {
        assert!(given(&[(key, value)]).check().is_err(), "{key}={value}");
    }
}

#[test]
fn listeners_have_names_hosts_and_ports() {
    let settings = given(&[
        ("listeners", "PLAINTEXT://[::1]:9092, inside://host-1.example:0"),
        ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,INSIDE:plaintext"),
        ("advertised.listeners", "INSIDE://inner:7,PLAINTEXT://outer:8"),
    ]);
    settings.check().unwrap();
    assert_eq!(
        settings.listeners().unwrap(),
        [endpoint("PLAINTEXT", "::1", 9092), endpoint("INSIDE", "host-1.example", 0)]
    );
    assert_eq!(
        settings.advertised_listeners().unwrap(),
        [endpoint("INSIDE", "inner", 7), endpoint("PLAINTEXT", "outer", 8)]
    );
}

#[test]
fn listeners_that_cannot_work_are_refused() {
    for (pairs, word) in [
        (&[("listeners", "")][..], "at least one"),
        (&[("listeners", "localhost:9092")], "NAME://HOST:PORT"),
        (&[("listeners", "PLAINTEXT://localhost")], "NAME://HOST:PORT"),
        (&[("listeners", "PLAINTEXT://localhost:65536")], "65535"),
        (&[("listeners", "PLAINTEXT://localhost:-1")], "65535"),
        (&[("listeners", "PLAINTEXT://a b:1")], "NAME://HOST:PORT"),
        (&[("listeners", "PLAINTEXT://a:1,PLAINTEXT://b:2")], "twice"),
        (&[("listeners", "PLAINTEXT://127.0.0.1:1,PLAINTEXT://[::1]:1")], "twice"),
        (
            &[
                ("listeners", "A://a:1,B://b:1"),
                ("listener.security.protocol.map", "A:PLAINTEXT,B:PLAINTEXT"),
            ],
            "port 1 twice",
        ),
        (&[("listeners", "SSL://a:1")], "SSL"),
        (&[("listeners", "INSIDE://a:1")], "INSIDE:PLAINTEXT"),
        (&[("listeners", "A://a:1"), ("listener.security.protocol.map", "A")], "NAME:PROTOCOL"),
        (&[("listeners", "PLAINTEXT://0.0.0.0:9092")], "--advertise"),
        (&[("listeners", "PLAINTEXT://[::]:9092")], "--advertise"),
        (&[("advertised.listeners", "PLAINTEXT://0.0.0.0:9092")], "connect to"),
        (&[("advertised.listeners", "OTHER://a:9092")], "has no OTHER"),
    ] {
        let error = given(pairs).check().unwrap_err().to_string();
        assert!(error.contains(word), "{pairs:?}: {error}");
    }
}

#[test]
fn an_ipv4_and_an_ipv6_address_may_share_a_port() {
    let map = ("listener.security.protocol.map", "FOUR:PLAINTEXT,SIX:PLAINTEXT");
    let both = [("listeners", "FOUR://127.0.0.1:9092,SIX://[::1]:9092"), map];
    given(&both).check().unwrap();
}

#[test]
fn host_and_port_come_apart() {
    assert_eq!(parse_host_port("localhost:9092"), Some(("localhost".to_owned(), 9092)));
    assert_eq!(parse_host_port(":0"), Some((String::new(), 0)));
    assert_eq!(parse_host_port("[fe80::1%eth0]:1"), Some(("fe80::1%eth0".to_owned(), 1)));
    for wrong in ["", "host", "host:", "host:x", "host:+1", "[::1:9092", "host name:1", "host:99999"] {
        assert_eq!(parse_host_port(wrong), None, "{wrong}");
    }
}

#[test]
fn a_value_comes_from_the_strongest_layer() {
    let start = given(&[("log.segment.bytes", "2000000"), ("log.flush.scheduler.interval.ms", "77")]);
    let (changed, left_out) = start.with_changes(
        &overrides(&[("log.segment.bytes", "4000000")]),
        &overrides(&[("log.segment.bytes", "3000000"), ("log.retention.ms", " 5 ")]),
    );
    assert!(left_out.is_empty(), "{left_out:?}");
    let topic = |settings: &Settings, pairs| settings.topic(&overrides(pairs)).unwrap();
    assert_eq!(topic(&changed, &[]).segment_bytes, 4_000_000);
    assert_eq!((changed.log_segment_bytes(), changed.log_retention_ms()), (4_000_000, Some(5)));
    assert_eq!(topic(&changed, &[("segment.bytes", "5000000")]).segment_bytes, 5_000_000);

    let entries = changed.topic_entries(&overrides(&[("segment.bytes", "5000000")]));
    let segment = entries.iter().find(|entry| entry.row.name == "segment.bytes").unwrap();
    let synonyms: Vec<_> = segment.synonyms.iter().map(|s| (s.name, s.value.as_str(), s.source)).collect();
    assert_eq!(
        synonyms,
        [
            ("segment.bytes", "5000000", Source::Topic),
            ("log.segment.bytes", "4000000", Source::DynamicBroker),
            ("log.segment.bytes", "3000000", Source::DynamicDefault),
            ("log.segment.bytes", "2000000", Source::Static),
            ("log.segment.bytes", "1073741824", Source::Default),
        ]
    );
    let of = |name: &str| changed.broker_entries().find(|entry| entry.key.name() == name).unwrap();
    let retention = of("log.retention.ms");
    assert_eq!((retention.value.as_deref(), retention.source), (Some("5"), Source::DynamicDefault));
    let flush = of("log.flush.interval.ms");
    assert_eq!((flush.value, flush.source), (None, Source::Default));

    // The next change says all that is in force, so what is gone falls back.
    let (back, _) = changed.with_changes(&overrides(&[]), &overrides(&[("log.segment.bytes", "3000000")]));
    assert_eq!((back.log_segment_bytes(), back.log_retention_ms()), (3_000_000, None));
    assert_eq!(start.log_segment_bytes(), 2_000_000);
}

#[test]
fn hours_alone_leave_no_synonym_as_in_kafka() {
    let settings = given(&[("log.retention.hours", "2")]);
    let entries = settings.topic_entries(&overrides(&[]));
    let retention = entries.iter().find(|entry| entry.row.name == "retention.ms").unwrap();
    assert_eq!((retention.value.as_deref(), retention.source), (Some("7200000"), Source::Static));
    assert!(retention.synonyms.is_empty());
    let minutes = settings.broker_entries().find(|entry| entry.key.name() == "log.retention.hours").unwrap();
    assert_eq!(minutes.synonyms.len(), 2, "{:?}", minutes.synonyms);
}

#[test]
fn a_change_that_may_not_be_is_left_out_with_the_reason() {
    for (key, value, is_one, word) in [
        ("num.partitions", "3", true, "while the broker runs"),
        ("listeners", "PLAINTEXT://:1", true, "while the broker runs"),
        ("ssl.key.password", "secret", true, "while the broker runs"),
        ("log.segment.bytes", "5", false, "from 1048576"),
        ("no.such.key", "5", true, "unknown setting"),
    ] {
        let error = Settings::check_change(key, value, is_one).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        let (one, all) =
            if is_one { ([(key, value)].to_vec(), vec![]) } else { (vec![], vec![(key, value)]) };
        let (settings, left_out) = Settings::default().with_changes(&overrides(&one), &overrides(&all));
        assert_eq!(left_out, [error]);
        assert!(
            settings.changed_for_this_broker().is_empty() && settings.changed_for_all_brokers().is_empty()
        );
    }
    assert!(
        Settings::check_change("num.io.threads", "16", false).is_ok(),
        "idle keys can be changed as well"
    );
    let kerberos = |is_one| Settings::check_change("sasl.kerberos.min.time.before.relogin", "58000", is_one);
    assert!(kerberos(true).is_ok(), "also one of one broker, unless it is about TLS or a secret");
    assert!(matches!(kerberos(false), Err(SettingError::PerBroker { .. })));
}

#[test]
fn the_times_of_consumer_groups_fit_each_other() {
    let check = |given: &[(&str, &str)]| {
        let mut settings = Settings::default();
        for (key, value) in given {
            settings.set(&format!("group.consumer.{key}"), value).unwrap();
        }
        settings.check().map_err(|error| error.to_string())
    };
    assert_eq!(check(&[]), Ok(()));
    assert_eq!(
        check(&[("session.timeout.ms", "44999")]),
        Err("`group.consumer.session.timeout.ms` (44999) must be at least `group.consumer.min.session.timeout.ms` (45000)"
            .to_owned())
    );
    assert_eq!(check(&[("session.timeout.ms", "44999"), ("min.session.timeout.ms", "44999")]), Ok(()));
    for refused in [
        [("session.timeout.ms", "60001"), ("max.heartbeat.interval.ms", "5000")],
        [("min.session.timeout.ms", "60000"), ("max.session.timeout.ms", "59999")],
        [("heartbeat.interval.ms", "4999"), ("max.heartbeat.interval.ms", "5000")],
        [("heartbeat.interval.ms", "15001"), ("min.session.timeout.ms", "1")],
        [("min.heartbeat.interval.ms", "5001"), ("max.heartbeat.interval.ms", "5000")],
        [("heartbeat.interval.ms", "45000"), ("max.heartbeat.interval.ms", "60000")],
        [("assignors", ""), ("max.size", "1")],
    ] {
        assert!(check(&refused).is_err(), "{refused:?}");
    }
}

#[test]
fn classic_groups_cannot_be_switched_off() {
    let mut settings = Settings::default();
    settings.set("group.coordinator.rebalance.protocols", "consumer").unwrap();
    let refusal = settings.check().unwrap_err().to_string();
    assert!(refusal.ends_with("must list classic, which cannot be switched off"), "{refusal}");
    settings.set("group.coordinator.rebalance.protocols", "classic").unwrap();
    settings.check().unwrap();
}

#[test]
fn single_hosts_have_limits_of_their_own() {
    let check = |pairs: &[(&str, &str)]| {
        let mut settings = Settings::default();
        for (key, value) in pairs {
            settings.set(key, value).unwrap();
        }
        settings.check().map(|()| settings.max_connections_per_ip_overrides().expect("checked"))
    };
    const KEY: &str = "max.connections.per.ip.overrides";
    let hosts = check(&[(KEY, "broker.example: 5, ::1:6 ,"), ("max.connections.per.ip", "0")]).unwrap();
    assert_eq!(hosts, [("broker.example".to_owned(), 5), ("::1".to_owned(), 6)]);
    for bad in ["one:two:three", ":5", "localhost", "a b:5"] {
        let refusal = check(&[(KEY, bad)]).unwrap_err().to_string();
        assert_eq!(
            refusal,
            format!("`{KEY}` cannot be `{bad}`: must be a list, with commas, of HOST:NUMBER")
        );
    }
    let refusal = check(&[("max.connections.per.ip", "0")]).unwrap_err().to_string();
    assert!(refusal.contains("must be at least 1 unless"), "{refusal}");
    let early = |name| check(&[("early.start.listeners", name)]);
    assert!(early("PLAINTEXT").is_ok() && early("plaintext").is_err());
}
