use wire::messages::alter_configs::{self, AlterConfigsRequest};
use wire::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use wire::messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResult,
};
use wire::messages::find_coordinator::FindCoordinatorRequest;
use wire::messages::incremental_alter_configs::{self, IncrementalAlterConfigsRequest};
use wire::messages::list_config_resources::ListConfigResourcesRequest;

use base::Millis;

use crate::house::{House, NOW, batch, batch_at, text};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const LOGGERS: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

/// A full set for one resource; gives the code.
fn replace(house: &House, version: i16, kind: i8, name: &str, pairs: &[(&str, Option<&str>)]) -> i16 {
    let config = |(key, value): &(&str, Option<&str>)| alter_configs::AlterableConfig {
        name: text(key),
        value: value.map(text),
    };
    let resource = alter_configs::AlterConfigsResource {
        resource_type: kind,
        resource_name: text(name),
        configs: pairs.iter().map(config).collect(),
    };
    let request = AlterConfigsRequest { resources: vec![resource], validate_only: false };
    let mut response = house.ask(version, &request);
    let answer = response.responses.remove(0);
    assert_eq!((answer.resource_type, answer.resource_name), (kind, text(name)));
    assert_eq!(answer.error_code == 0, answer.error_message.is_none(), "{:?}", answer.error_message);
    answer.error_code
}

fn resource(
    kind: i8,
    name: &str,
    changes: &[(&str, i8, Option<&str>)],
) -> incremental_alter_configs::AlterConfigsResource {
    let config =
        |(key, operation, value): &(&str, i8, Option<&str>)| incremental_alter_configs::AlterableConfig {
            name: text(key),
            config_operation: *operation,
            value: value.map(text),
        };
    incremental_alter_configs::AlterConfigsResource {
        resource_type: kind,
        resource_name: text(name),
        configs: changes.iter().map(config).collect(),
    }
}

/// Single changes of one resource; gives the code.
fn change(house: &House, kind: i8, name: &str, changes: &[(&str, i8, Option<&str>)]) -> i16 {
    let resources = vec![resource(kind, name, changes)];
    let request = IncrementalAlterConfigsRequest { resources, validate_only: false };
    house.ask(1, &request).responses.remove(0).error_code
}

fn asked(kind: i8, name: &str, keys: Option<&[&str]>) -> DescribeConfigsResource {
    DescribeConfigsResource {
        resource_type: kind,
        resource_name: text(name),
        configuration_keys: keys.map(|keys| keys.iter().map(|key| text(key)).collect()),
    }
}

fn describe(
    house: &House,
    version: i16,
    kind: i8,
    name: &str,
    keys: Option<&[&str]>,
) -> DescribeConfigsResult {
    let request = DescribeConfigsRequest {
        resources: vec![asked(kind, name, keys)],
        include_synonyms: true,
        include_documentation: version >= 3,
    };
    let mut response = house.ask(version, &request);
    let answer = response.results.remove(0);
    assert_eq!((answer.resource_type, &answer.resource_name), (kind, &text(name)));
    answer
}

/// One setting: value, source, and where its synonyms are set.
fn one(house: &House, kind: i8, name: &str, key: &str) -> (Option<String>, i8, Vec<(String, i8)>) {
    let answer = describe(house, 4, kind, name, Some(&[key]));
    assert_eq!((answer.error_code, answer.configs.len()), (0, 1), "{key}");
    let config = &answer.configs[0];
    let synonyms = config.synonyms.iter().map(|one| (one.name.to_string(), one.source)).collect();
    (config.value.as_deref().map(str::to_owned), config.config_source, synonyms)
}

fn find<'a>(answer: &'a DescribeConfigsResult, key: &str) -> &'a DescribeConfigsResourceResult {
    answer.configs.iter().find(|config| &*config.name == key).unwrap_or_else(|| panic!("no {key}"))
}

#[test]
fn a_topic_is_described_in_each_version() {
    let house = House::with(&[("log.retention.ms", "9000")]);
    house.create("t", 1, &[("segment.bytes", "2000000")]);
    for version in 1..=4 {
        let answer = describe(&house, version, TOPIC, "t", None);
        assert_eq!((answer.error_code, answer.error_message.as_deref()), (0, None));
        assert_eq!(answer.configs.len(), settings::TABLE.topic.len() - 1, "but for the internal one");
        let segment = find(&answer, "segment.bytes");
        assert_eq!((segment.value.as_deref(), segment.config_source), (Some("2000000"), 1));
        assert!(!segment.read_only && !segment.is_sensitive);
        let retention = find(&answer, "retention.ms");
        assert_eq!((retention.value.as_deref(), retention.config_source), (Some("9000"), 4));
        let (kind, has_doc) =
            (segment.config_type, segment.documentation.as_deref().is_some_and(|doc| !doc.is_empty()));
        assert_eq!((kind, has_doc), if version >= 3 { (3, true) } else { (0, false) });
    }
    let synonyms = one(&house, TOPIC, "t", "segment.bytes").2;
    assert_eq!(synonyms, [("segment.bytes".to_owned(), 1), ("log.segment.bytes".to_owned(), 5)]);
}

#[test]
fn keys_are_chosen_and_extras_only_told_when_asked_for() {
    let house = House::new();
    house.create("t", 1, &[]);
    let names = |keys: Option<&[&str]>| -> Vec<String> {
        describe(&house, 4, TOPIC, "t", keys).configs.iter().map(|config| config.name.to_string()).collect()
    };
    assert_eq!(names(Some(&["retention.ms", "no.such"])), ["retention.ms"]);
    assert!(names(Some(&[])).len() > 30, "none means all");
    let request = DescribeConfigsRequest { resources: vec![asked(TOPIC, "t", None)], ..Default::default() };
    let answer = house.ask(4, &request).results.remove(0);
    assert!(answer.configs.iter().all(|config| config.synonyms.is_empty() && config.documentation.is_none()));
    let types: Vec<i8> = [
        "preallocate",
        "compression.type",
        "segment.bytes",
        "retention.ms",
        "min.cleanable.dirty.ratio",
        "cleanup.policy",
    ]
    .iter()
    .map(|key| find(&answer, key).config_type)
    .collect();
    assert_eq!(types, [1, 2, 3, 5, 6, 7]);
}

#[test]
fn every_layer_shows() {
    let house = House::with(&[("log.retention.ms", "1")]);
    house.create("t", 1, &[]);
    let retention = || one(&house, TOPIC, "t", "retention.ms");
    assert_eq!(
        retention(),
        (
            Some("1".to_owned()),
            4,
            vec![("log.retention.ms".to_owned(), 4), ("log.retention.hours".to_owned(), 5)]
        )
    );
    assert_eq!(change(&house, BROKER, "", &[("log.retention.ms", SET, Some("2"))]), 0);
    assert_eq!((retention().0.as_deref(), retention().1), (Some("2"), 3));
    assert_eq!(change(&house, BROKER, "1", &[("log.retention.ms", SET, Some("3"))]), 0);
    assert_eq!((retention().0.as_deref(), retention().1), (Some("3"), 2));
    assert_eq!(change(&house, TOPIC, "t", &[("retention.ms", SET, Some("4"))]), 0);
    let sources: Vec<i8> = retention().2.into_iter().map(|(_, source)| source).collect();
    assert_eq!((retention().0.as_deref(), sources), (Some("4"), vec![1, 2, 3, 4, 5]));
    assert_eq!(one(&house, BROKER, "1", "log.retention.ms").0.as_deref(), Some("3"));
    let all = describe(&house, 4, BROKER, "", None);
    let changed: Vec<_> =
        all.configs.iter().map(|one| (&*one.name, one.value.as_deref(), one.config_source)).collect();
    assert!(changed.contains(&("log.retention.ms", Some("2"), 3)), "{changed:?}");
    assert_eq!(find(&all, "log.retention.ms").synonyms.len(), 1);
    for (kind, name, key) in
        [(TOPIC, "t", "retention.ms"), (BROKER, "1", "log.retention.ms"), (BROKER, "", "log.retention.ms")]
    {
        assert_eq!(change(&house, kind, name, &[(key, DELETE, None)]), 0);
    }
    assert_eq!(retention().0.as_deref(), Some("1"));
}

#[test]
fn a_broker_is_described_with_what_it_takes_and_ignores() {
    let house = House::with(&[("ssl.keystore.password", "secret")]);
    let answer = describe(&house, 4, BROKER, "1", None);
    assert_eq!(answer.configs.len(), settings::TABLE.broker.len() + settings::TABLE.idle.len());
    assert!(find(&answer, "node.id").read_only && !find(&answer, "log.retention.ms").read_only);
    assert!(!find(&answer, "num.io.threads").read_only, "it has no effect, and may be changed");
    let secret = find(&answer, "ssl.keystore.password");
    assert_eq!(
        (secret.value.as_deref(), secret.is_sensitive, secret.config_source, secret.config_type),
        (None, true, 4, 9)
    );
    assert!(secret.synonyms.iter().all(|synonym| synonym.value.is_none()));
    assert!(answer.configs.iter().all(|config| config.documentation.is_some()));
}

#[test]
fn groups_and_subscriptions_are_there_before_they_are_given_anything() {
    let house = House::new();
    assert_eq!(
        one(&house, GROUP, "g", "consumer.session.timeout.ms"),
        (Some("45000".to_owned()), 5, vec![("consumer.session.timeout.ms".to_owned(), 5)])
    );
    assert_eq!(change(&house, GROUP, "g", &[("consumer.session.timeout.ms", SET, Some("50000"))]), 0);
    assert_eq!(
        one(&house, GROUP, "g", "consumer.session.timeout.ms"),
        (Some("50000".to_owned()), 8, vec![("consumer.session.timeout.ms".to_owned(), 8)])
    );
    assert_eq!(one(&house, CLIENT_METRICS, "m", "interval.ms"), (Some("300000".to_owned()), 5, vec![]));
    assert_eq!(
        change(
            &house,
            CLIENT_METRICS,
            "m",
            &[("interval.ms", SET, Some("1000")), ("metrics", SET, Some("a.,b."))]
        ),
        0
    );
    assert_eq!(
        one(&house, CLIENT_METRICS, "m", "interval.ms"),
        (Some("1000".to_owned()), 7, vec![("interval.ms".to_owned(), 7)])
    );
    assert_eq!(change(&house, CLIENT_METRICS, "m", &[("metrics", SUBTRACT, Some("a."))]), 40, "as in Kafka");
    assert_eq!(one(&house, CLIENT_METRICS, "m", "metrics").0.as_deref(), Some("a.,b."));
}

#[test]
fn what_cannot_be_described() {
    let house = House::new();
    for (kind, name, code) in [
        (TOPIC, "missing", 3),
        (TOPIC, "a/b", 17),
        (TOPIC, "", 17),
        (BROKER, "2", 42),
        (BROKER, "one", 42),
        (LOGGERS, "", 42),
        (LOGGERS, "2", 42),
        (LOGGERS, "1", 0),
        (GROUP, "", 42),
        (CLIENT_METRICS, "", 42),
    ] {
        let answer = describe(&house, 4, kind, name, None);
        assert_eq!((answer.error_code, answer.configs.len()), (code, 0), "{kind} {name}");
    }
    house.create("t", 1, &[]);
    let resources = vec![asked(TOPIC, "t", None), asked(7, "x", None)];
    let answer = house.ask(4, &DescribeConfigsRequest { resources, ..Default::default() });
    let codes: Vec<i16> = answer.results.iter().map(|result| result.error_code).collect();
    assert_eq!(codes, [42, 42], "a type that nobody knows fails all");
}

#[test]
fn a_small_question_gets_no_endless_answer() {
    let house = House::new();
    let resources = vec![asked(BROKER, "1", None); 2500];
    let answer = house.ask(4, &DescribeConfigsRequest { resources, ..Default::default() });
    let codes: Vec<i16> = answer.results.iter().map(|result| result.error_code).collect();
    assert_eq!((codes.first(), codes.last(), codes.len()), (Some(&0), Some(&44), 2500));
}

#[test]
fn a_full_set_replaces_in_each_version() {
    let house = House::new();
    house.create("t", 1, &[("segment.bytes", "2000000")]);
    for version in 0..=2 {
        let ms = format!("{}", 1000 + version);
        assert_eq!(replace(&house, version, TOPIC, "t", &[("retention.ms", Some(&ms))]), 0);
        assert_eq!(one(&house, TOPIC, "t", "retention.ms").0, Some(ms));
        assert_eq!(one(&house, TOPIC, "t", "segment.bytes").1, 5, "what is not named goes");
    }
    assert_eq!(
        replace(
            &house,
            2,
            TOPIC,
            "t",
            &[("cleanup.policy", Some(" compact , delete")), ("preallocate", Some("TRUE"))]
        ),
        0
    );
    assert_eq!(
        one(&house, TOPIC, "t", "cleanup.policy").0.as_deref(),
        Some("compact,delete"),
        "as it is read"
    );
    assert_eq!(one(&house, TOPIC, "t", "preallocate").0.as_deref(), Some("true"));
    for (kind, name, pairs, code) in [
        (TOPIC, "t", &[("retention.ms", None)][..], 42),
        (TOPIC, "t", &[("retention.ms", Some("x"))], 40),
        (TOPIC, "t", &[("no.such", Some("1"))], 40),
        (TOPIC, "missing", &[], 3),
        (BROKER, "", &[("node.id", Some("2")), ("min.insync.replicas", Some("1"))], 42),
        (BROKER, "", &[], 40),
        (BROKER, "2", &[], 42),
        (LOGGERS, "1", &[], 42),
        (9, "1", &[], 42),
    ] {
        assert_eq!(replace(&house, 2, kind, name, pairs), code, "{kind} {name} {pairs:?}");
    }
}

#[test]
fn each_resource_stands_alone_and_answers_in_order() {
    let house = House::new();
    house.create("t", 1, &[]);
    let resources = vec![
        resource(TOPIC, "t", &[("cleanup.policy", APPEND, Some("compact"))]),
        resource(TOPIC, "t", &[]),
        resource(GROUP, "g", &[("share.isolation.level", SET, Some("read_committed"))]),
        resource(TOPIC, "u", &[("retention.ms", APPEND, Some("5"))]),
        resource(TOPIC, "v", &[("retention.ms", 9, Some("5"))]),
        resource(LOGGERS, "1", &[("kafka", SET, Some("DEBUG"))]),
    ];
    for version in 0..=1 {
        let request = IncrementalAlterConfigsRequest { resources: resources.clone(), validate_only: false };
        let codes: Vec<i16> =
            house.ask(version, &request).responses.iter().map(|one| one.error_code).collect();
        assert_eq!(codes, [42, 42, 0, 40, 42, 40]);
    }
    assert_eq!(one(&house, GROUP, "g", "share.isolation.level").1, 8);
    let validated = IncrementalAlterConfigsRequest {
        resources: vec![resource(GROUP, "h", &[("share.isolation.level", SET, Some("read_committed"))])],
        validate_only: true,
    };
    assert_eq!(house.ask(1, &validated).responses[0].error_code, 0);
    assert_eq!(one(&house, GROUP, "h", "share.isolation.level").1, 5);
}

#[test]
fn what_there_are_settings_for() {
    let house = House::new();
    house.create("t", 1, &[]);
    assert_eq!(change(&house, GROUP, "g", &[("consumer.session.timeout.ms", SET, Some("50000"))]), 0);
    assert_eq!(change(&house, CLIENT_METRICS, "m", &[("interval.ms", SET, Some("1000"))]), 0);
    let list = |version: i16, types: &[i8]| {
        let answer = house.ask(version, &ListConfigResourcesRequest { resource_types: types.to_vec() });
        let resources: Vec<(String, i8)> = answer
            .config_resources
            .iter()
            .map(|one| (one.resource_name.to_string(), one.resource_type))
            .collect();
        (answer.error_code, resources)
    };
    let resource = |name: &str, kind| (name.to_owned(), kind);
    assert_eq!(list(0, &[]), (0, vec![resource("m", 16)]));
    assert_eq!(
        list(1, &[]),
        (0, vec![resource("g", 32), resource("m", 16), resource("1", 8), resource("1", 4), resource("t", 2)])
    );
    assert_eq!(list(1, &[2, 4]), (0, vec![resource("1", 4), resource("t", 2)]));
    assert_eq!(list(1, &[2, 3]), (35, vec![]));
}

#[test]
fn a_new_topic_is_told_what_describing_it_tells() {
    let house = House::with(&[("log.retention.ms", "7")]);
    assert_eq!(change(&house, BROKER, "", &[("log.segment.bytes", SET, Some("3000000"))]), 0);
    let topic = CreatableTopic {
        name: text("t"),
        num_partitions: 1,
        replication_factor: 1,
        configs: vec![CreatableTopicConfig { name: text("preallocate"), value: Some(text("true")) }],
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 20_000, validate_only: false };
    let mut created = house.ask(7, &request);
    let told: Vec<_> = created.topics.remove(0).configs.unwrap();
    let described = describe(&house, 4, TOPIC, "t", None);
    assert_eq!(told.len(), described.configs.len());
    for config in &told {
        let other = find(&described, &config.name);
        assert_eq!(
            (&config.value, config.config_source),
            (&other.value, other.config_source),
            "{}",
            config.name
        );
    }
}

#[test]
fn a_group_keeps_the_time_that_is_its_own() {
    let house = House::with(&[("offsets.topic.num.partitions", "1")]);
    house.create("t", 1, &[]);
    let find = FindCoordinatorRequest { coordinator_keys: vec![text("g")], ..Default::default() };
    assert_eq!(house.ask(4, &find).coordinators[0].error_code, 0);
    let mut member = ConsumerGroupHeartbeatRequest {
        group_id: text("g"),
        member_id: text("m"),
        rebalance_timeout_ms: 5_000,
        subscribed_topic_names: Some(vec![text("t")]),
        topic_partitions: Some(Vec::new()),
        ..Default::default()
    };
    let joined = house.ask(1, &member);
    assert_eq!((joined.error_code, joined.heartbeat_interval_ms), (0, 5_000));
    member = ConsumerGroupHeartbeatRequest {
        group_id: text("g"),
        member_id: text("m"),
        member_epoch: joined.member_epoch,
        ..Default::default()
    };
    let own = |value| {
        [("consumer.heartbeat.interval.ms", if value { SET } else { DELETE }, value.then_some("7000"))]
    };
    assert_eq!(change(&house, GROUP, "other", &own(true)), 0);
    assert_eq!(house.ask(1, &member).heartbeat_interval_ms, 5_000);
    assert_eq!(change(&house, GROUP, "g", &own(true)), 0);
    assert_eq!(house.ask(1, &member).heartbeat_interval_ms, 7_000);
    assert_eq!(change(&house, GROUP, "g", &own(false)), 0);
    assert_eq!(house.ask(1, &member).heartbeat_interval_ms, 5_000);
}

#[test]
fn producers_feel_a_change_at_once() {
    let house = House::new();
    house.create("t", 1, &[]);
    let send = || house.send("t", batch(&["a value of some length"])).error_code;
    assert_eq!(send(), 0);
    assert_eq!(change(&house, TOPIC, "t", &[("max.message.bytes", SET, Some("20"))]), 0);
    assert_eq!(send(), 10);
    assert_eq!(change(&house, TOPIC, "t", &[("max.message.bytes", DELETE, None)]), 0);
    let send_old = || house.send("t", batch_at(Millis(1000), &["old"])).error_code;
    assert_eq!(send_old(), 0);
    assert_eq!(change(&house, TOPIC, "t", &[("message.timestamp.before.max.ms", SET, Some("1000"))]), 0);
    assert_eq!(send_old(), 32);
    let send_early = || house.send("t", batch_at(NOW.plus(5000), &["early"])).error_code;
    assert_eq!(send_early(), 0);
    assert_eq!(change(&house, TOPIC, "t", &[("message.timestamp.after.max.ms", SET, Some("1000"))]), 0);
    assert_eq!(send_early(), 32);
    assert_eq!(change(&house, TOPIC, "t", &[("message.timestamp.type", SET, Some("LogAppendTime"))]), 0);
    let stamped = house.send("t", batch(&["a"]));
    assert_eq!((stamped.error_code, stamped.log_append_time_ms), (0, NOW.0));
    assert_eq!(change(&house, TOPIC, "t", &[("message.timestamp.type", DELETE, None)]), 0);
    let stored = || {
        let from = house
            .send("t", batch(&["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]))
            .base_offset;
        house.read("t", from).records.unwrap().len()
    };
    let plain = stored();
    for codec in ["gzip", "zstd", "lz4", "snappy"] {
        assert_eq!(change(&house, TOPIC, "t", &[("compression.type", SET, Some(codec))]), 0);
        assert!(stored() < plain, "{codec}");
    }
    assert_eq!(change(&house, TOPIC, "t", &[("compression.type", DELETE, None)]), 0);
    assert_eq!(stored(), plain);
    assert_eq!(change(&house, BROKER, "", &[("message.max.bytes", SET, Some("20"))]), 0);
    assert_eq!(send(), 10, "topics follow their broker");
}

#[test]
fn batches_are_packed_as_tightly_as_was_set() {
    let words = (0..2000).map(|n| format!("{} ", n * n % 977)).collect::<String>();
    for (codec, key, low, high) in
        [("gzip", "compression.gzip.level", "1", "9"), ("zstd", "compression.zstd.level", "-50", "19")]
    {
        let house = House::with(&[("compression.type", codec), (key, low)]);
        house.create("t", 1, &[]);
        let stored = || {
            let from = house.send("t", batch(&[&words])).base_offset;
            house.read("t", from).records.unwrap().len()
        };
        let loose = stored();
        assert_eq!(change(&house, BROKER, "", &[(key, SET, Some(high))]), 0);
        assert!(stored() < loose, "{key}");
        assert_eq!(change(&house, TOPIC, "t", &[(key, SET, Some(low))]), 0);
        assert_eq!(stored(), loose, "{key} of the topic");
    }
}
