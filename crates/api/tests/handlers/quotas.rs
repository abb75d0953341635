//! Quotas as clients meet them: altered and described, and what happens to those who have too much.

use std::net::IpAddr;
use std::time::Duration;

use api::{Outcome, Pending, Reply};
use wire::messages::alter_client_quotas::{
    AlterClientQuotasRequest, AlterClientQuotasResponse, EntityData, EntryData, OpData,
};
use wire::messages::api_versions::ApiVersionsRequest;
use wire::messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use wire::messages::delete_topics::DeleteTopicsRequest;
use wire::messages::describe_client_quotas::{
    ComponentData, DescribeClientQuotasRequest, DescribeClientQuotasResponse,
};
use wire::messages::fetch::FetchRequest;
use wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use wire::messages::produce::ProduceRequest;

use crate::house::{House, NOW, batch, fetch_request, produce_request, text};

type Parts<'a> = &'a [(&'a str, Option<&'a str>)];

/// Every client.
const ALL: Parts<'static> = &[("client-id", None)];

fn entry(parts: Parts<'_>, ops: &[(&str, Option<f64>)]) -> EntryData {
    let part = |(kind, name): &(&str, Option<&str>)| EntityData {
        entity_type: text(kind),
        entity_name: name.map(text),
    };
    let op = |(key, value): &(&str, Option<f64>)| OpData {
        key: text(key),
        value: value.unwrap_or_default(),
        remove: value.is_none(),
    };
    EntryData { entity: parts.iter().map(part).collect(), ops: ops.iter().map(op).collect() }
}

fn alter(house: &House, version: i16, entries: Vec<EntryData>) -> AlterClientQuotasResponse {
    house.ask(version, &AlterClientQuotasRequest { entries, validate_only: false })
}

fn limit(house: &House, key: &str, value: f64) {
    let altered = alter(house, 1, vec![entry(ALL, &[(key, Some(value))])]);
    assert_eq!(altered.entries[0].error_code, 0, "{:?}", altered.entries[0].error_message);
}

fn describe(
    house: &House,
    version: i16,
    strict: bool,
    components: &[(&str, i8, Option<&str>)],
) -> DescribeClientQuotasResponse {
    let component = |(kind, match_type, name): &(&str, i8, Option<&str>)| ComponentData {
        entity_type: text(kind),
        match_type: *match_type,
        name: name.map(text),
    };
    let components = components.iter().map(component).collect();
    house.ask(version, &DescribeClientQuotasRequest { components, strict })
}

#[test]
fn what_is_altered_is_described() {
    let house = House::new();
    for version in 0..=1 {
        let user = format!("user{version}");
        let altered = alter(
            &house,
            version,
            vec![
                entry(&[("user", Some(&user)), ("client-id", None)], &[("producer_byte_rate", Some(1024.0))]),
                entry(&[("user", Some(&user))], &[("request_percentage", Some(0.5))]),
                entry(&[("group", None)], &[("request_percentage", Some(0.5))]),
            ],
        );
        let codes: Vec<i16> = altered.entries.iter().map(|entry| entry.error_code).collect();
        assert_eq!(codes, [0, 0, 42]);
        assert_eq!(altered.entries[2].entity[0].entity_type, "group");
        assert!(altered.entries[2].error_message.is_some() && altered.entries[0].error_message.is_none());
        let found = describe(&house, version, true, &[("user", 0, Some(&user))]);
        assert_eq!((found.error_code, found.error_message), (0, None));
        let entries = found.entries.unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!((&*entries[0].values[0].key, entries[0].values[0].value), ("request_percentage", 0.5));
        let found = describe(&house, version, false, &[("client-id", 1, None), ("user", 2, None)]);
        assert_eq!(found.entries.unwrap().len(), usize::try_from(version).unwrap() + 1);
    }
    let dry = AlterClientQuotasRequest {
        entries: vec![entry(&[("user", Some("user0"))], &[("request_percentage", None)])],
        validate_only: true,
    };
    assert_eq!(house.ask(1, &dry).entries[0].error_code, 0);
    assert_eq!(describe(&house, 1, false, &[]).entries.unwrap().len(), 4);
}

#[test]
fn filters_that_make_no_sense_are_refused() {
    let house = House::new();
    for (components, code) in [
        (&[("user", 0, None)][..], 42),
        (&[("user", 1, Some("a"))], 42),
        (&[("user", 2, Some("a"))], 42),
        (&[("user", 3, None)], 42),
        (&[("", 2, None)], 42),
        (&[("user", 2, None), ("user", 1, None)], 42),
        (&[("user", 2, None), ("ip", 1, None)], 42),
        (&[("group", 2, None)], 35),
    ] {
        let found = describe(&house, 1, false, components);
        assert_eq!((found.error_code, found.entries), (code, None), "{components:?}");
        assert!(found.error_message.is_some());
    }
}

/// The answer with how long its connection is muted.
fn answer<R: wire::Request>(house: &House, version: i16, request: &R) -> (R::Response, Duration) {
    let reply: Reply = match house.begin(version, request) {
        Pending::Ready(reply) => reply,
        Pending::Later(later) => match house.runtime.block_on(later) {
            Outcome::Reply(reply) => reply,
            Outcome::Close(reason) => panic!("{reason}"),
        },
        other => panic!("{other:?}"),
    };
    let mute = reply.mute;
    (house.decode::<R>(version, reply), mute)
}

fn ms(mute: Duration) -> i32 {
    mute.as_millis().try_into().unwrap()
}

#[test]
fn a_producer_that_had_too_much_is_stored_and_muted() {
    let house = House::new();
    house.create("t", 1, &[]);
    limit(&house, "producer_byte_rate", 50.0);
    let value = "x".repeat(1000);
    for version in [3, 9, 12] {
        let request = produce_request("t", &[(0, batch(&[&value]))]);
        let (response, mute) = answer(&house, version, &request);
        let partition = &response.responses[0].partition_responses[0];
        assert_eq!(partition.error_code, 0);
        // A thousand bytes and some are at least twice what ten seconds of fifty allow.
        assert!(response.throttle_time_ms >= 10_000, "{}", response.throttle_time_ms);
        assert_eq!(response.throttle_time_ms, ms(mute));
    }
    assert_eq!(house.read("t", 0).high_watermark, 3);
}

#[test]
fn a_producer_without_answers_is_muted_too() {
    let house = House::new();
    house.create("t", 1, &[]);
    limit(&house, "producer_byte_rate", 50.0);
    let request = ProduceRequest { acks: 0, ..produce_request("t", &[(0, batch(&[&"x".repeat(1000)]))]) };
    let Pending::Silent { mute } = house.begin(9, &request) else { panic!("acks=0 has no answer") };
    assert!(ms(mute) >= 10_000);
}

#[test]
fn a_producer_within_its_quota_and_one_without_are_not_held_back() {
    let house = House::new();
    house.create("t", 1, &[]);
    limit(&house, "producer_byte_rate", 5_000.0);
    let request = produce_request("t", &[(0, batch(&["small"]))]);
    let (response, mute) = answer(&house, 9, &request);
    assert_eq!((response.throttle_time_ms, mute), (0, Duration::ZERO));
    alter(&house, 1, vec![entry(&[("client-id", Some("another"))], &[("producer_byte_rate", Some(1.0))])]);
    alter(&house, 1, vec![entry(ALL, &[("producer_byte_rate", None)])]);
    let (response, mute) = answer(&house, 9, &request);
    assert_eq!((response.throttle_time_ms, mute), (0, Duration::ZERO), "that quota is another client's");
}

fn records(response: &wire::messages::fetch::FetchResponse) -> usize {
    let parts = response.responses.iter().flat_map(|topic| &topic.partitions);
    parts.filter(|part| part.records.as_ref().is_some_and(|records| !records.is_empty())).count()
}

#[test]
fn a_consumer_that_had_too_much_gets_nothing_until_later() {
    let house = House::new();
    house.create("t", 1, &[]);
    house.send("t", batch(&[&"x".repeat(600)]));
    limit(&house, "consumer_byte_rate", 100.0);
    let request = fetch_request("t", &[(0, 0)]);
    let (first, mute) = answer(&house, 12, &request);
    assert_eq!((records(&first), first.throttle_time_ms, mute), (1, 0, Duration::ZERO));
    // Again as much is more than ten seconds of a hundred allow.
    let (second, mute) = answer(&house, 12, &request);
    assert_eq!((second.error_code, second.responses.len()), (0, 0));
    assert!(second.throttle_time_ms > 0 && ms(mute) == second.throttle_time_ms);
    assert_eq!(second.session_id, 0, "no session begins");
    // What was not given does not count.
    let (third, _) = answer(&house, 12, &request);
    assert!(third.throttle_time_ms <= second.throttle_time_ms, "{third:?}");
}

#[test]
fn a_session_goes_on_where_it_was_held_back() {
    let house = House::new();
    house.create("t", 1, &[]);
    limit(&house, "consumer_byte_rate", 100.0);
    let full = FetchRequest { session_epoch: 0, ..fetch_request("t", &[(0, 0)]) };
    let session_id = answer(&house, 12, &full).0.session_id;
    assert_ne!(session_id, 0);
    house.send("t", batch(&[&"x".repeat(700)]));
    let next = |session_epoch| FetchRequest {
        session_id,
        session_epoch,
        topics: Vec::new(),
        ..fetch_request("t", &[(0, 0)])
    };
    let (given, _) = answer(&house, 12, &next(1));
    assert_eq!((given.session_id, records(&given)), (session_id, 1));
    let (held_back, mute) = answer(&house, 12, &next(2));
    assert_eq!((held_back.session_id, held_back.error_code, records(&held_back)), (session_id, 0, 0));
    assert!(ms(mute) > 0);
    alter(&house, 1, vec![entry(ALL, &[("consumer_byte_rate", None)])]);
    let (given, _) = answer(&house, 12, &next(3));
    assert_eq!((given.error_code, records(&given)), (0, 1));
}

#[test]
fn a_consumer_gets_on_however_small_its_quota_is() {
    let house = House::new();
    house.create("t", 1, &[]);
    for _ in 0..20 {
        house.send("t", batch(&[&"x".repeat(600)]));
    }
    limit(&house, "consumer_byte_rate", 100.0);
    let (given, _) = answer(&house, 12, &fetch_request("t", &[(0, 0)]));
    assert_eq!(records(&given), 1, "as much as ten seconds allow, and not all of it at once");
}

#[test]
fn every_answer_says_how_long_request_time_lets_wait() {
    let house = House::new();
    house.create("t", 1, &[]);
    limit(&house, "request_percentage", 0.000_001);
    let (response, mute) = answer(&house, 4, &ApiVersionsRequest::default());
    assert_eq!((response.throttle_time_ms, mute), (1000, Duration::from_secs(1)));
    let (response, mute) = answer(&house, 12, &MetadataRequest::default());
    assert_eq!((response.throttle_time_ms, mute), (1000, Duration::from_secs(1)));
    let (response, mute) = answer(&house, 0, &MetadataRequest::default());
    assert_eq!(
        (response.throttle_time_ms, mute),
        (0, Duration::from_secs(1)),
        "this version has no word for it"
    );
    let (response, mute) = answer(&house, 9, &produce_request("t", &[(0, batch(&["x"]))]));
    assert_eq!((response.throttle_time_ms, mute), (1000, Duration::from_secs(1)));
    let (response, mute) = answer(&house, 12, &fetch_request("t", &[(0, 0)]));
    assert_eq!((response.throttle_time_ms, mute), (1000, Duration::from_secs(1)));
    assert_eq!(records(&response), 0);
    let altered = alter(&house, 1, vec![entry(ALL, &[("request_percentage", None)])]);
    assert_eq!(altered.entries[0].error_code, 0);
    assert_eq!(answer(&house, 12, &MetadataRequest::default()).1, Duration::ZERO);
}

fn create(names: &[&str], partitions: i32) -> CreateTopicsRequest {
    let topic = |name: &&str| CreatableTopic {
        name: text(name),
        num_partitions: partitions,
        replication_factor: 1,
        ..CreatableTopic::default()
    };
    CreateTopicsRequest {
        topics: names.iter().map(topic).collect(),
        timeout_ms: 20_000,
        validate_only: false,
    }
}

#[test]
fn topics_come_and_go_as_fast_as_the_quota_lets_them() {
    let house = House::new();
    house.create("old", 5, &[]);
    limit(&house, "controller_mutation_rate", 1.0);
    let codes = |version, request: &CreateTopicsRequest| {
        let (response, mute) = answer(&house, version, request);
        assert_eq!(response.throttle_time_ms, ms(mute));
        (response.topics.iter().map(|topic| topic.error_code).collect::<Vec<_>>(), ms(mute))
    };
    // A burst of eleven is there; the second topic goes into debt, the third is one too many.
    let (answers, throttle_ms) = codes(7, &create(&["a", "b", "c"], 10));
    assert_eq!(answers, [0, 0, 89]);
    assert!((1..=9_000).contains(&throttle_ms), "{throttle_ms}");
    assert!(house.catalog.topics().by_name("c").is_none());
    let (answers, throttle_ms) = codes(5, &create(&["c"], 10));
    assert_eq!(answers, [0], "who does not know the code is served, and waits");
    assert!(throttle_ms > 9_000, "{throttle_ms}");

    let grow = CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic { name: text("old"), count: 6, assignments: None }],
        timeout_ms: 20_000,
        validate_only: false,
    };
    let (response, mute) = answer(&house, 3, &grow);
    assert_eq!((response.results[0].error_code, response.throttle_time_ms), (89, ms(mute)));
    assert_eq!(answer(&house, 2, &grow).0.results[0].error_code, 0);
    let delete = DeleteTopicsRequest {
        topic_names: vec![text("a")],
        timeout_ms: 20_000,
        ..DeleteTopicsRequest::default()
    };
    let (response, mute) = answer(&house, 5, &delete);
    assert_eq!((response.responses[0].error_code, response.throttle_time_ms), (89, ms(mute)));
    assert!(house.catalog.topics().by_name("a").is_some());
    assert_eq!(answer(&house, 4, &delete).0.responses[0].error_code, 0);
    // Nor does a topic come because somebody names it.
    let named = MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            name: Some(text("named")),
            ..MetadataRequestTopic::default()
        }]),
        allow_auto_topic_creation: true,
        ..MetadataRequest::default()
    };
    assert_eq!(answer(&house, 12, &named).0.topics[0].error_code, 3);
    alter(&house, 1, vec![entry(ALL, &[("controller_mutation_rate", None)])]);
    assert_eq!(codes(7, &create(&["d"], 50)), (vec![0], 0));
    assert!(house.catalog.topics().by_name("named").is_none());
}

#[test]
fn addresses_have_so_many_connections() {
    let house = House::new();
    let here: IpAddr = "10.0.0.1".parse().unwrap();
    assert_eq!(house.broker.refuses_connection(here, NOW), None);
    let altered = alter(
        &house,
        1,
        vec![entry(&[("ip", Some("10.0.0.1"))], &[("connection_creation_rate", Some(1.0))])],
    );
    assert_eq!(altered.entries[0].error_code, 0);
    let refused = (0..11).filter_map(|_| house.broker.refuses_connection(here, NOW)).collect::<Vec<_>>();
    assert_eq!(refused, [Duration::from_secs(1)]);
    assert_eq!(house.broker.refuses_connection("10.0.0.2".parse().unwrap(), NOW), None);
}

#[test]
fn the_settings_say_over_what_time_is_measured() {
    let delay = |given: &[(&str, &str)], connections: usize| {
        let house = House::with(&[&[("max.connection.creation.rate", "1")], given].concat());
        (0..connections).fold(None, |_, _| house.broker.delays_connection(NOW))
    };
    assert_eq!(delay(&[("quota.window.size.seconds", "3")], 30), None);
    assert_eq!(delay(&[("quota.window.size.seconds", "3")], 35), Some(Duration::from_secs(3)));
    assert_eq!(delay(&[("quota.window.num", "3")], 2), None);
    assert_eq!(delay(&[("quota.window.num", "3")], 3), Some(Duration::from_secs(1)));
    // A burst of partitions, and what goes into debt.
    let codes = |given: &[(&str, &str)]| {
        let house = House::with(given);
        limit(&house, "controller_mutation_rate", 1.0);
        let (response, _) = answer(&house, 7, &create(&["a", "b"], 10));
        response.topics.iter().map(|topic| topic.error_code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&[]), [0, 0]);
    assert_eq!(codes(&[("controller.quota.window.num", "3")]), [0, 89]);
    let short = [("controller.quota.window.num", "3"), ("controller.quota.window.size.seconds", "5")];
    assert_eq!(codes(&short), [0, 0]);
}

#[test]
fn connections_from_everywhere_wait_when_they_are_too_many() {
    let house = House::with(&[("max.connection.creation.rate", "1")]);
    let delays = || house.broker.delays_connection(NOW);
    assert!((0..10).all(|_| delays().is_none()));
    assert_eq!(delays(), Some(Duration::from_secs(1)));
    let unlimited = House::new();
    assert!((0..100).all(|_| unlimited.broker.delays_connection(NOW).is_none()));
    // One that its address has too many of does not count for the others.
    let house = House::with(&[("max.connection.creation.rate", "2")]);
    alter(&house, 1, vec![entry(&[("ip", Some("10.0.0.1"))], &[("connection_creation_rate", Some(1.0))])]);
    let here: IpAddr = "10.0.0.1".parse().unwrap();
    for number in 0..100 {
        assert_eq!(house.broker.delays_connection(NOW), None);
        assert_eq!(house.broker.refuses_connection(here, NOW).is_some(), number >= 10);
    }
}
