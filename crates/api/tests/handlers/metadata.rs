use std::time::{Duration, Instant};

use base::Uuid;
use wire::messages::describe_cluster::DescribeClusterRequest;
use wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, TopicRequest,
};
use wire::messages::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};

use crate::house::{House, text};

fn named(names: &[&str]) -> MetadataRequest {
    MetadataRequest {
        topics: Some(
            names
                .iter()
                .map(|name| MetadataRequestTopic {
                    name: Some(text(name)),
                    ..MetadataRequestTopic::default()
                })
                .collect(),
        ),
        allow_auto_topic_creation: false,
        ..MetadataRequest::default()
    }
}

fn by_id(ids: &[Uuid]) -> MetadataRequest {
    MetadataRequest {
        topics: Some(ids.iter().map(|id| MetadataRequestTopic { topic_id: *id, name: None }).collect()),
        ..named(&[])
    }
}

fn verdicts(response: &MetadataResponse) -> Vec<(Option<&str>, i16)> {
    response.topics.iter().map(|topic| (topic.name.as_deref(), topic.error_code)).collect()
}

#[test]
fn the_one_broker_is_reached_through_the_listener_of_the_request() {
    let house = House::new();
    for version in 0..=13 {
        let response = house.ask(version, &MetadataRequest { allow_auto_topic_creation: true, ..named(&[]) });
        let broker = &response.brokers[0];
        assert_eq!((broker.node_id, &*broker.host, broker.port), (1, "broker.example", 9092));
        assert_eq!(broker.rack.as_deref(), (version >= 1).then_some("r1"), "version {version}");
        assert_eq!(response.controller_id, if version >= 1 { 1 } else { -1 });
        assert_eq!(response.cluster_id.is_some(), version >= 2, "version {version}");
        assert_eq!(response.cluster_authorized_operations, i32::MIN);
    }
}

#[test]
fn a_partition_is_led_here_and_nowhere_else() {
    let house = House::new();
    let id = house.create("t", 2, &[]);
    for version in [0, 1, 7, 9, 12, 13] {
        let request = MetadataRequest { allow_auto_topic_creation: version < 4, ..named(&["t"]) };
        let response = house.ask(version, &request);
        let topic = &response.topics[0];
        assert_eq!((topic.error_code, topic.is_internal), (0, false));
        assert_eq!(topic.topic_id, if version >= 10 { id } else { Uuid::nil() });
        let partitions: Vec<_> = topic
            .partitions
            .iter()
            .map(|one| {
                assert_eq!((&one.replica_nodes, &one.isr_nodes), (&vec![1], &vec![1]));
                assert!(one.offline_replicas.is_empty());
                (one.partition_index, one.error_code, one.leader_id, one.leader_epoch)
            })
            .collect();
        let epoch = if version >= 7 { 0 } else { -1 };
        assert_eq!(partitions, [(0, 0, 1, epoch), (1, 0, 1, epoch)], "version {version}");
    }
}

#[test]
fn all_topics_are_null_or_in_version_0_an_empty_list() {
    let house = House::new();
    house.create("b", 1, &[]);
    house.create("a", 1, &[]);
    let all = MetadataRequest { topics: None, allow_auto_topic_creation: true, ..MetadataRequest::default() };
    let none = MetadataRequest { allow_auto_topic_creation: true, ..named(&[]) };
    let both = vec![(Some("a"), 0), (Some("b"), 0)];
    for version in [1, 9, 13] {
        assert_eq!(verdicts(&house.ask(version, &all)), both);
        assert_eq!(verdicts(&house.ask(version, &none)), []);
    }
    assert_eq!(verdicts(&house.ask(0, &none)), both);
}

#[test]
fn names_that_are_unknown_invalid_or_named_twice() {
    let house = House::new();
    house.create("t", 1, &[]);
    let response = house.ask(12, &named(&["nope", "t", "bad name", "", "t", "nope", "."]));
    let expected =
        [(Some("t"), 0), (Some("nope"), 3), (Some("bad name"), 17), (Some(""), 17), (Some("."), 17)];
    assert_eq!(verdicts(&response), expected);
    assert!(response.topics[1].partitions.is_empty());
    let internal = house.ask(12, &named(&["__consumer_offsets"]));
    assert_eq!((internal.topics[0].error_code, internal.topics[0].is_internal), (3, true));
}

#[test]
fn a_topic_is_found_by_its_id() {
    let house = House::new();
    let id = house.create("t", 1, &[]);
    let unknown = Uuid::from_u128(0xff);
    let response = house.ask(12, &by_id(&[id, unknown, id]));
    assert_eq!(verdicts(&response), [(None, 100), (Some("t"), 0)]);
    assert_eq!((response.topics[0].topic_id, response.topics[1].topic_id), (unknown, id));
    assert_eq!(house.ask(13, &by_id(&[unknown])).error_code, 0);
}

#[test]
fn ids_before_version_12_and_topics_without_a_name_refuse_the_request() {
    let house = House::new();
    let id = house.create("t", 1, &[]);
    for (version, request) in [(10, by_id(&[id])), (11, by_id(&[id])), (12, by_id(&[Uuid::nil()]))] {
        let response = house.ask(version, &request);
        assert_eq!(response.topics[0].error_code, 42, "version {version}");
        assert!(response.brokers.is_empty());
    }
    assert_eq!(house.ask(13, &by_id(&[Uuid::nil()])).error_code, 42);
}

#[test]
fn operations_are_shown_when_asked_for() {
    let house = House::new();
    house.create("t", 1, &[]);
    let asking = MetadataRequest { include_topic_authorized_operations: true, ..named(&["t", "nope"]) };
    for version in [8, 10, 13] {
        let response = house.ask(version, &asking);
        assert!(response.topics.iter().all(|topic| topic.topic_authorized_operations == 3576));
        assert_eq!(house.ask(version, &named(&["t"])).topics[0].topic_authorized_operations, i32::MIN);
    }
    let asking = MetadataRequest { include_cluster_authorized_operations: true, ..named(&[]) };
    assert_eq!(house.ask(10, &asking).cluster_authorized_operations, 8096);
}

#[test]
fn a_topic_that_is_asked_for_comes_to_be() {
    let house = House::with(&[("num.partitions", "3")]);
    let creating = MetadataRequest { allow_auto_topic_creation: true, ..named(&["fresh", "bad name"]) };
    assert_eq!(verdicts(&house.ask(9, &creating)), [(Some("fresh"), 3), (Some("bad name"), 17)]);
    let began = Instant::now();
    let found = loop {
        let response = house.ask(9, &named(&["fresh"]));
        if response.topics[0].error_code == 0 {
            break response;
        }
        assert_eq!(response.topics[0].error_code, 3);
        assert!(began.elapsed() < Duration::from_secs(10), "it never came");
        std::thread::sleep(Duration::from_millis(2));
    };
    assert_eq!(found.topics[0].partitions.len(), 3);
    assert_eq!(verdicts(&house.ask(9, &creating))[0], (Some("fresh"), 0));
}

#[test]
fn no_topic_comes_to_be_unless_client_and_broker_allow_it() {
    let house = House::new();
    house.ask(9, &named(&["unwanted"]));
    house.ask(9, &MetadataRequest { allow_auto_topic_creation: true, ..named(&["__consumer_offsets"]) });
    let strict = House::with(&[("auto.create.topics.enable", "false")]);
    strict.ask(9, &MetadataRequest { allow_auto_topic_creation: true, ..named(&["unwanted"]) });
    std::thread::sleep(Duration::from_millis(50));
    assert!(house.catalog.topics().is_empty() && strict.catalog.topics().is_empty());
}

#[test]
fn describe_cluster_names_the_one_node() {
    let house = House::new();
    let request = DescribeClusterRequest::default();
    for version in 0..=2 {
        let response = house.ask(version, &request);
        assert_eq!((response.error_code, response.endpoint_type, response.controller_id), (0, 1, 1));
        assert_eq!(&*response.cluster_id, "5L6g3nShT-eMCtK--X86sw");
        let broker = &response.brokers[0];
        assert_eq!((broker.broker_id, &*broker.host, broker.port), (1, "broker.example", 9092));
        assert_eq!((broker.is_fenced, broker.rack.as_deref()), (false, Some("r1")));
        assert_eq!(response.cluster_authorized_operations, i32::MIN);
    }
    let operations = DescribeClusterRequest {
        include_cluster_authorized_operations: true,
        ..DescribeClusterRequest::default()
    };
    assert_eq!(house.ask(2, &operations).cluster_authorized_operations, 8096);
    for (endpoint_type, code) in [(2, 114), (0, 115), (7, 115)] {
        let other = DescribeClusterRequest { endpoint_type, ..DescribeClusterRequest::default() };
        let response = house.ask(1, &other);
        assert_eq!((response.error_code, response.brokers.len()), (code, 0));
        assert!(response.error_message.is_some());
    }
}

fn describe(names: &[&str], limit: i32, cursor: Option<(&str, i32)>) -> DescribeTopicPartitionsRequest {
    DescribeTopicPartitionsRequest {
        topics: names.iter().map(|name| TopicRequest { name: text(name) }).collect(),
        response_partition_limit: limit,
        cursor: cursor.map(|(name, partition)| Cursor { topic_name: text(name), partition_index: partition }),
    }
}

/// Name, error and partitions of each topic, and where the next page begins.
#[expect(clippy::type_complexity, reason = "only to compare with")]
fn page(response: &DescribeTopicPartitionsResponse) -> (Vec<(&str, i16, Vec<i32>)>, Option<(&str, i32)>) {
    let topics = response
        .topics
        .iter()
        .map(|topic| {
            let partitions = topic.partitions.iter().map(|one| one.partition_index).collect();
            (topic.name.as_deref().unwrap(), topic.error_code, partitions)
        })
        .collect();
    let next = response.next_cursor.as_ref().map(|cursor| (&*cursor.topic_name, cursor.partition_index));
    (topics, next)
}

#[test]
fn topics_are_described_page_by_page() {
    let house = House::new();
    for (name, partitions) in [("b", 3), ("a", 1), ("c", 2)] {
        house.create(name, partitions, &[]);
    }
    let ask = |request| house.ask(0, &request);
    let all = ask(describe(&[], 2000, None));
    assert_eq!(page(&all), (vec![("a", 0, vec![0]), ("b", 0, vec![0, 1, 2]), ("c", 0, vec![0, 1])], None));
    let first = ask(describe(&[], 3, None));
    assert_eq!(page(&first), (vec![("a", 0, vec![0]), ("b", 0, vec![0, 1])], Some(("b", 2))));
    let second = ask(describe(&[], 3, Some(("b", 2))));
    assert_eq!(page(&second), (vec![("b", 0, vec![2]), ("c", 0, vec![0, 1])], None));
    let whole = ask(describe(&[], 4, None));
    assert_eq!(page(&whole).1, Some(("c", 0)), "a page that ends with a topic points at the next one");
    let described = &all.topics[0];
    assert_eq!(described.topic_authorized_operations, 3576);
    let partition = &described.partitions[0];
    assert_eq!((partition.leader_id, partition.leader_epoch), (1, 0));
    assert_eq!(partition.eligible_leader_replicas, Some(Vec::new()));
}

#[test]
fn pages_of_named_topics() {
    let house = House::new();
    house.create("a", 2, &[]);
    house.create("b", 1, &[]);
    let ask = |request| house.ask(0, &request);
    let one = ask(describe(&["zz", "b", "bad name", "a", "a"], 0, None));
    assert_eq!(page(&one), (vec![("a", 0, vec![0])], Some(("a", 1))), "a limit of 0 is 1");
    let rest = ask(describe(&["zz", "b", "bad name", "a"], 9, Some(("a", 1))));
    assert_eq!(
        page(&rest),
        (vec![("a", 0, vec![1]), ("b", 0, vec![0]), ("bad name", 17, vec![]), ("zz", 3, vec![])], None)
    );
    let beyond = ask(describe(&["a"], 9, Some(("a", 99))));
    assert_eq!(page(&beyond), (vec![("a", 0, vec![])], None));
    for astray in [describe(&["a", "b"], 9, Some(("c", 0))), describe(&["a", "b"], 9, Some(("a", -1)))] {
        assert_eq!(page(&ask(astray)), (vec![("a", 42, vec![]), ("b", 42, vec![])], None));
    }
    let limited = House::with(&[("max.request.partition.size.limit", "1")]);
    limited.create("a", 2, &[]);
    let response = limited.ask(0, &describe(&[], 2000, None));
    assert_eq!(page(&response).1, Some(("a", 1)));
}
