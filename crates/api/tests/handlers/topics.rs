use base::{NodeId, Uuid};
use wire::messages::create_partitions::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
};
use wire::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
    CreateTopicsResponse,
};
use wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse};

use crate::house::{House, batch, text};

fn topic(name: &str, num_partitions: i32, replication_factor: i16) -> CreatableTopic {
    CreatableTopic { name: text(name), num_partitions, replication_factor, ..CreatableTopic::default() }
}

fn configured(name: &str, key: &str, value: Option<&str>) -> CreatableTopic {
    CreatableTopic {
        configs: vec![CreatableTopicConfig { name: text(key), value: value.map(text) }],
        ..topic(name, 1, 1)
    }
}

fn assigned(name: &str, assignments: &[(i32, &[i32])]) -> CreatableTopic {
    CreatableTopic {
        assignments: assignments
            .iter()
            .map(|(partition_index, broker_ids)| CreatableReplicaAssignment {
                partition_index: *partition_index,
                broker_ids: broker_ids.to_vec(),
            })
            .collect(),
        ..topic(name, -1, -1)
    }
}

fn create(topics: Vec<CreatableTopic>) -> CreateTopicsRequest {
    CreateTopicsRequest { topics, timeout_ms: 10_000, validate_only: false }
}

fn codes(response: &CreateTopicsResponse) -> Vec<(&str, i16)> {
    response.topics.iter().map(|topic| (&*topic.name, topic.error_code)).collect()
}

#[test]
fn each_version_creates() {
    let house = House::with(&[("num.partitions", "4")]);
    for version in 2..=7 {
        let name = format!("v{version}");
        let request = create(vec![CreatableTopic {
            configs: configured("", "retention.ms", Some("1000")).configs,
            ..topic(&name, -1, -1)
        }]);
        let response = house.ask(version, &request);
        let answer = &response.topics[0];
        assert_eq!((answer.error_code, answer.error_message.as_deref()), (0, None));
        let stored = house.catalog.topics().by_name(&name).unwrap().clone();
        assert_eq!(stored.partitions.len(), 4);
        assert_eq!(answer.topic_id, if version >= 7 { stored.id } else { Uuid::nil() });
        if version < 5 {
            continue;
        }
        assert_eq!((answer.num_partitions, answer.replication_factor), (4, 1));
        let configs = answer.configs.as_ref().unwrap();
        assert!(configs.is_sorted_by_key(|config| config.name.as_str().to_owned()));
        let of = |key: &str| {
            let config = configs.iter().find(|config| config.name == *key).unwrap();
            (config.value.as_deref().unwrap().to_owned(), config.config_source)
        };
        assert_eq!(of("retention.ms"), ("1000".to_owned(), 1));
        assert_eq!(of("cleanup.policy"), ("delete".to_owned(), 5));
        assert_eq!(of("max.message.bytes"), ("1048588".to_owned(), 5));
    }
}

#[test]
fn settings_of_the_broker_show_as_such() {
    let house = House::with(&[("log.retention.hours", "1")]);
    let response = house.ask(7, &create(vec![topic("t", 1, 1)]));
    let configs = response.topics[0].configs.as_ref().unwrap();
    let retention = configs.iter().find(|config| config.name == *"retention.ms").unwrap();
    assert_eq!((retention.value.as_deref(), retention.config_source), (Some("3600000"), 4));
    assert!(configs.iter().all(|config| !config.name.starts_with("internal.")), "as in Kafka");
}

#[test]
fn a_topic_fails_alone_and_says_why() {
    let house = House::new();
    house.create("exists", 1, &[]);
    house.create("a_b", 1, &[]);
    let long = "x".repeat(250);
    let response = house.ask(
        7,
        &create(vec![
            topic("exists", 1, 1),
            topic("good", 1, 1),
            topic("rf", 1, 3),
            topic("rf0", 1, 0),
            topic("p0", 0, 1),
            topic("p-2", -2, 1),
            configured("key", "nonsense", Some("1")),
            configured("value", "retention.ms", Some("abc")),
            configured("null", "retention.ms", None),
            topic("bad name", 1, 1),
            topic("", 1, 1),
            topic(".", 1, 1),
            topic(&long, 1, 1),
            topic("a.b", 1, 1),
            topic("__cluster_metadata", 1, 1),
        ]),
    );
    let expected = [
        ("exists", 36),
        ("good", 0),
        ("rf", 38),
        ("rf0", 38),
        ("p0", 37),
        ("p-2", 37),
        ("key", 40),
        ("value", 40),
        ("null", 40),
        ("bad name", 17),
        ("", 17),
        (".", 17),
        (&long, 17),
        ("a.b", 17),
        ("__cluster_metadata", 42),
    ];
    assert_eq!(codes(&response), expected);
    for answer in response.topics.iter().filter(|topic| topic.error_code != 0) {
        assert!(answer.error_message.is_some(), "{}", answer.name);
        assert_eq!((answer.num_partitions, answer.replication_factor), (-1, -1));
        assert_eq!((answer.topic_id, answer.configs.as_deref()), (Uuid::nil(), Some(&[][..])));
    }
}

#[test]
fn assignments_by_hand() {
    let house = House::new();
    let both = CreatableTopic { num_partitions: 1, ..assigned("both", &[(0, &[1])]) };
    let factor = CreatableTopic { replication_factor: 1, ..assigned("factor", &[(0, &[1])]) };
    let response = house.ask(
        7,
        &create(vec![
            assigned("good", &[(1, &[1]), (0, &[1])]),
            both,
            factor,
            assigned("stranger", &[(0, &[2])]),
            assigned("gap", &[(1, &[1])]),
            assigned("twice", &[(0, &[1, 1])]),
            assigned("nobody", &[(0, &[])]),
            assigned("again", &[(0, &[1]), (0, &[1])]),
        ]),
    );
    let expected = [
        ("good", 0),
        ("both", 42),
        ("factor", 42),
        ("stranger", 39),
        ("gap", 39),
        ("twice", 39),
        ("nobody", 39),
        ("again", 39),
    ];
    assert_eq!(codes(&response), expected);
    assert_eq!(response.topics[0].num_partitions, 2);
    let topics = house.catalog.topics();
    assert_eq!(topics.by_name("good").unwrap().partitions[1].leader, Some(NodeId(1)));
}

#[test]
fn a_name_that_stands_twice_is_answered_once() {
    let house = House::new();
    let request = create(vec![topic("twice", 1, 1), topic("once", 1, 1), topic("twice", 2, 1)]);
    assert_eq!(codes(&house.ask(7, &request)), [("twice", 42), ("once", 0)]);
    assert!(house.catalog.topics().by_name("twice").is_none());
}

#[test]
fn only_to_see_whether_it_could_be() {
    let house = House::new();
    let request = CreateTopicsRequest {
        validate_only: true,
        ..create(vec![topic("t", 3, 1), topic("bad name", 1, 1)])
    };
    let response = house.ask(7, &request);
    assert_eq!(codes(&response), [("t", 0), ("bad name", 17)]);
    assert_eq!(response.topics[0].num_partitions, 3);
    assert!(house.catalog.topics().is_empty());
}

#[test]
fn more_partitions_than_one_request_may_make() {
    let house = House::new();
    let response = house.ask(7, &create(vec![topic("few", 1, 1), topic("many", 10_000, 1)]));
    assert_eq!(codes(&response), [("few", 44), ("many", 44)]);
    assert!(house.catalog.topics().is_empty());
    house.create("t", 1, &[]);
    let grow = CreatePartitionsRequest { topics: vec![grown("t", 20_000)], ..growing(Vec::new()) };
    assert_eq!(grown_codes(&house.ask(3, &grow)), [("t", 44)]);
}

#[test]
fn without_time_nothing_is_done() {
    let house = House::new();
    for timeout_ms in [0, -1] {
        let request = CreateTopicsRequest { timeout_ms, ..create(vec![topic("t", 1, 1), topic("t", 1, 1)]) };
        assert_eq!(codes(&house.ask(7, &request)), [("t", 7), ("t", 7)]);
    }
    assert!(house.catalog.topics().is_empty());
    house.create("t", 1, &[]);
    let delete = DeleteTopicsRequest { timeout_ms: 0, ..deletion(&["t"]) };
    assert_eq!(deleted_codes(&house.ask(5, &delete)), [(Some("t"), 7)]);
    let grow = CreatePartitionsRequest { timeout_ms: 0, ..growing(vec![grown("t", 2)]) };
    assert_eq!(grown_codes(&house.ask(3, &grow)), [("t", 7)]);
    assert_eq!(house.catalog.topics().by_name("t").unwrap().partitions.len(), 1);
}

fn grown(name: &str, count: i32) -> CreatePartitionsTopic {
    CreatePartitionsTopic { name: text(name), count, assignments: None }
}

fn growing(topics: Vec<CreatePartitionsTopic>) -> CreatePartitionsRequest {
    CreatePartitionsRequest { topics, timeout_ms: 10_000, validate_only: false }
}

fn grown_codes(response: &CreatePartitionsResponse) -> Vec<(&str, i16)> {
    response.results.iter().map(|result| (&*result.name, result.error_code)).collect()
}

#[test]
fn a_topic_only_grows() {
    let house = House::new();
    for name in ["a", "b", "c", "d", "e"] {
        house.create(name, 2, &[]);
    }
    let hand = |name, count, brokers: &[&[i32]]| CreatePartitionsTopic {
        assignments: Some(
            brokers.iter().map(|ids| CreatePartitionsAssignment { broker_ids: ids.to_vec() }).collect(),
        ),
        ..grown(name, count)
    };
    let request = growing(vec![
        grown("a", 3),
        grown("b", 2),
        grown("c", 1),
        grown("nope", 5),
        hand("d", 4, &[&[1], &[1]]),
        hand("e", 4, &[&[1]]),
        grown("c2", 1),
        grown("c2", 1),
    ]);
    let expected = [("a", 0), ("b", 37), ("c", 37), ("nope", 3), ("d", 0), ("e", 39), ("c2", 42)];
    let response = house.ask(3, &request);
    assert_eq!(grown_codes(&response), expected);
    assert!(response.results.iter().all(|one| one.error_code == 0 || one.error_message.is_some()));
    let partitions = |name| house.catalog.topics().by_name(name).unwrap().partitions.len();
    assert_eq!((partitions("a"), partitions("d"), partitions("e")), (3, 4, 2));
    assert_eq!(
        house.produce(9, "a", &[(2, batch(&["new"]))]).responses[0].partition_responses[0].error_code,
        0
    );

    let only_look = CreatePartitionsRequest { validate_only: true, ..growing(vec![grown("b", 9)]) };
    for version in 0..=3 {
        assert_eq!(grown_codes(&house.ask(version, &only_look)), [("b", 0)]);
    }
    assert_eq!(partitions("b"), 2);
}

fn deletion(names: &[&str]) -> DeleteTopicsRequest {
    DeleteTopicsRequest {
        topic_names: names.iter().copied().map(text).collect(),
        timeout_ms: 10_000,
        ..DeleteTopicsRequest::default()
    }
}

fn deleted_codes(response: &DeleteTopicsResponse) -> Vec<(Option<&str>, i16)> {
    response.responses.iter().map(|one| (one.name.as_deref(), one.error_code)).collect()
}

#[test]
fn topics_are_deleted_by_name() {
    let house = House::new();
    for version in 1..=5 {
        house.create("t", 1, &[]);
        house.create("u", 1, &[]);
        let response = house.ask(version, &deletion(&["t", "nope", "u", "u", ""]));
        assert_eq!(
            deleted_codes(&response),
            [(Some("t"), 0), (Some("nope"), 3), (Some("u"), 42), (Some(""), 3)],
            "version {version}"
        );
        assert_eq!(response.responses[1].error_message.is_some(), version >= 5);
        assert_eq!(deleted_codes(&house.ask(version, &deletion(&["u"]))), [(Some("u"), 0)]);
        assert!(house.catalog.topics().is_empty());
    }
    assert_eq!(house.send("t", batch(&["a"])).error_code, 3);
}

#[test]
fn topics_are_deleted_by_name_or_id() {
    let house = House::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| house.create(name, 1, &[]));
    let either = |topics: Vec<(Option<&str>, Uuid)>| DeleteTopicsRequest {
        topics: topics
            .into_iter()
            .map(|(name, topic_id)| DeleteTopicState { name: name.map(text), topic_id })
            .collect(),
        ..deletion(&[])
    };
    let nil = Uuid::nil();
    let unknown = Uuid::from_u128(0xff);
    let odd = house.ask(
        6,
        &either(vec![
            (None, nil),
            (Some("a"), a),
            (None, unknown),
            (Some("nope"), nil),
            (None, b),
            (None, b),
            (Some("c"), nil),
            (None, c),
        ]),
    );
    let expected = [
        (None, 42, nil),
        (Some("a"), 42, a),
        (None, 100, unknown),
        (Some("nope"), 3, nil),
        (None, 42, b),
        (Some("c"), 42, nil),
        (None, 42, c),
    ];
    let answers: Vec<_> =
        odd.responses.iter().map(|one| (one.name.as_deref(), one.error_code, one.topic_id)).collect();
    assert_eq!(answers, expected);
    assert_eq!(house.catalog.topics().len(), 3);
    let response = house.ask(6, &either(vec![(Some("a"), nil), (None, b)]));
    let answers: Vec<_> =
        response.responses.iter().map(|one| (one.name.as_deref(), one.error_code, one.topic_id)).collect();
    assert_eq!(answers, [(Some("a"), 0, a), (Some("b"), 0, b)]);
}

#[test]
fn deletion_can_be_switched_off() {
    let house = House::with(&[("delete.topic.enable", "false")]);
    house.create("t", 1, &[]);
    for (version, code) in [(1, 42), (2, 42), (3, 73), (5, 73)] {
        assert_eq!(deleted_codes(&house.ask(version, &deletion(&["t"]))), [(Some("t"), code)]);
    }
    assert_eq!(house.catalog.topics().len(), 1);
}
