//! What is decided about configurations, and that replaying what was decided gives the same image.

use std::collections::BTreeMap;

use base::NodeId;
use proptest::prelude::*;

use super::*;

/// Knows the topic `orders`, the lists `list` (empty by default) and `policy` (`delete`), and that `bad` is no value.
#[derive(Default)]
struct World {
    configs: Configs,
    topic: BTreeMap<String, String>,
    eligible_leaders: bool,
}

impl Known for World {
    fn node(&self) -> NodeId {
        NodeId(1)
    }
    fn tracks_eligible_leaders(&self) -> bool {
        self.eligible_leaders
    }
    fn current(&self, resource: &Resource) -> Option<&BTreeMap<String, String>> {
        match resource.kind {
            ResourceType::Topic => Some(&self.topic),
            _ => self.configs.get(resource),
        }
    }
    fn has_topic(&self, name: &str) -> bool {
        name == "orders"
    }
    fn list(&self, _: ResourceType, key: &str) -> Option<&str> {
        match key {
            "list" => Some(""),
            "policy" => Some("delete"),
            _ => None,
        }
    }
    fn check(&self, _: &Resource, configs: &BTreeMap<String, String>) -> Result<(), Refusal> {
        match configs.iter().find(|(_, value)| *value == "bad") {
            Some((key, _)) => Err(Refusal::InvalidConfig(format!("{key} is bad"))),
            None => Ok(()),
        }
    }
}

fn replace(kind: i8, name: &str, pairs: &[(&str, Option<&str>)]) -> Alteration {
    let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned)));
    let change = Change::Replace(pairs.collect());
    Alteration { resource: Resource::new(ResourceType::of(kind), name), change }
}

fn each(kind: i8, name: &str, changes: &[(&str, i8, Option<&str>)]) -> Alteration {
    let change =
        |(key, op, value): &(&str, i8, Option<&str>)| ((*key).to_owned(), *op, value.map(str::to_owned));
    let change = Change::Each(changes.iter().map(change).collect());
    Alteration { resource: Resource::new(ResourceType::of(kind), name), change }
}

/// The keys and values that are written.
fn written(world: &World, alteration: Alteration) -> Vec<(String, Option<String>)> {
    let resource = alteration.resource.clone();
    let records = alter(&[alteration], world).remove(0).unwrap();
    let pair = |record: Record| {
        assert_eq!(record.resource, resource);
        (record.key, record.value)
    };
    records.into_iter().map(pair).collect()
}

fn pair(key: &str, value: Option<&str>) -> (String, Option<String>) {
    (key.to_owned(), value.map(str::to_owned))
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_full_set_takes_the_rest_away() {
    let world = World { topic: map(&[("a", "1"), ("b", "2"), ("c", "3")]), ..World::default() };
    let wanted = replace(2, "orders", &[("c", Some("4")), ("a", Some("1"))]);
    assert_eq!(written(&world, wanted), [pair("c", Some("4")), pair("b", None)]);
}

#[test]
fn single_changes_leave_the_rest_alone() {
    let world = World { topic: map(&[("a", "1"), ("b", "2")]), ..World::default() };
    let wanted = [("a", 1, None), ("b", 0, Some("2")), ("c", 0, Some("3")), ("d", 1, Some("whatever"))];
    assert_eq!(written(&world, each(2, "orders", &wanted)), [pair("a", None), pair("c", Some("3"))]);
}

#[test]
fn items_of_lists_come_and_go() {
    let world = World { topic: map(&[("list", "x,y,x")]), ..World::default() };
    for (key, op, items, value) in [
        ("list", 2, "z,x", Some("x,y,x,z")),
        ("list", 3, "x", Some("y,x")),
        ("list", 3, "x,y,x", Some("")),
        ("policy", 2, "compact", Some("delete,compact")),
        ("policy", 3, "delete", Some("")),
        ("policy", 3, "compact", Some("delete")),
        ("list", 2, "", Some("x,y,x,")),
        ("list", 2, "x,,", None),
        ("list", 2, ",", None),
    ] {
        let expected: Vec<_> = value.map(|value| pair(key, Some(value))).into_iter().collect();
        assert_eq!(
            written(&world, each(2, "orders", &[(key, op, Some(items))])),
            expected,
            "{key} {op} {items}"
        );
    }
}

#[test]
fn every_refusal() {
    let world = World { eligible_leaders: true, ..World::default() };
    let long = "ä".repeat(32_768);
    let isr = "min.insync.replicas";
    for (alteration, message) in [
        (
            each(2, "orders", &[("a", 0, Some("1")), ("a", 1, None)]),
            "the request names the key a more than once",
        ),
        (
            replace(2, "orders", &[("a", Some("1")), ("a", None)]),
            "the request names the key a more than once",
        ),
        (replace(2, "orders", &[("a", None), ("b", None)]), "these keys have no value: a, b"),
        (
            each(2, "orders", &[("a", 0, None), ("b", 1, None), ("c", 3, None)]),
            "these keys have no value: a, c",
        ),
        (each(3, "x", &[]), "resources of the type 3 are not configured here"),
        (replace(8, "1", &[]), "resources of the type 8 are not configured here"),
        (each(4, "2", &[]), "\"2\" is not this broker, which is 1"),
        (each(4, "01", &[]), "\"01\" is not this broker, which is 1"),
        (each(8, "", &[]), "\"\" is not this broker, which is 1"),
        (each(2, "orders", &[("a", 4, Some("1"))]), "there is no operation 4"),
        (each(2, "orders", &[("a", 2, Some("1"))]), "APPEND is for lists, and a is none"),
        (each(4, "", &[("a", 3, Some("1"))]), "SUBTRACT is for lists, and a is none"),
        (each(8, "1", &[("kafka", 0, Some("DEBUG"))]), "there is no logger kafka"),
        (each(8, "1", &[("kafka", 2, Some("DEBUG"))]), "APPEND is not for the levels of loggers"),
        (
            each(4, "1", &[(isr, 0, Some("2"))]),
            "min.insync.replicas of one broker cannot be changed; it can for all brokers, and for topics",
        ),
        (
            each(4, "", &[(isr, 1, None)]),
            "min.insync.replicas of all brokers can be changed, but not taken away",
        ),
        (each(2, "orders", &[("a", 0, Some(&long))]), "the value of a is longer than 32767 characters"),
        (each(2, "", &[("a", 0, Some("1"))]), "the resource has no name"),
        (each(16, "", &[]), "the resource has no name"),
        (each(32, "", &[("a", 0, Some("1"))]), "the resource has no name"),
        (
            each(2, "a/b", &[]),
            "a topic name is made of letters and digits of ASCII, '.', '_' and '-', and \"a/b\" is not",
        ),
        (each(2, "orders", &[("a", 0, Some("bad"))]), "a is bad"),
        (each(2, "missing", &[("a", 0, Some("bad"))]), "a is bad"),
        (each(2, "missing", &[]), "there is no such topic"),
    ] {
        assert_eq!(alter(std::slice::from_ref(&alteration), &world), [Err(refusal(&world, &alteration))]);
        assert_eq!(refusal(&world, &alteration).to_string(), message);
    }
}

fn refusal(world: &World, alteration: &Alteration) -> Refusal {
    alter(std::slice::from_ref(alteration), world).remove(0).unwrap_err()
}

#[test]
fn a_resource_twice_is_changed_neither_time_and_the_others_are() {
    let world = World::default();
    let one = || each(32, "a", &[("x", 0, Some("1"))]);
    let answers = alter(&[one(), each(32, "b", &[("x", 0, Some("1"))]), one()], &world);
    assert_eq!(answers[0], Err(Refusal::DuplicateResource));
    assert_eq!(answers[1].as_ref().map(Vec::len), Ok(1));
    assert_eq!(answers[2], Err(Refusal::DuplicateResource));
}

#[test]
fn one_request_does_not_fill_the_metadata_log() {
    let value = "x".repeat(32_767);
    let some = |count: usize| {
        let changes = (0..count).map(|number| (number.to_string(), 0, Some(value.clone()))).collect();
        Alteration { resource: Resource::new(ResourceType::Group, "g"), change: Change::Each(changes) }
    };
    assert_eq!(alter(&[some(127)], &World::default())[0].as_ref().map(Vec::len), Ok(127));
    let few = each(32, "h", &[("x", 0, Some("1"))]);
    assert_eq!(alter(&[some(129), few], &World::default()), [Err(Refusal::TooMuch), Err(Refusal::TooMuch)]);
    let many = (0..10_001).map(|number| (number.to_string(), 0, Some(String::new()))).collect();
    let many = Alteration { resource: Resource::new(ResourceType::Group, "g"), change: Change::Each(many) };
    assert_eq!(alter(&[many], &World::default()), [Err(Refusal::TooMuch)]);
}

#[test]
fn what_a_broker_has_already_is_written_again() {
    let mut world = World::default();
    let set = || each(4, "", &[("a", 0, Some("1"))]);
    for record in alter(&[set()], &world).remove(0).unwrap() {
        world.configs.apply(&record);
    }
    assert_eq!(written(&world, set()), [pair("a", Some("1"))]);
}

#[test]
fn without_the_feature_one_broker_may_have_its_own_min_insync_replicas() {
    let set = each(4, "1", &[("min.insync.replicas", 0, Some("2"))]);
    assert_eq!(written(&World::default(), set), [pair("min.insync.replicas", Some("2"))]);
}

#[test]
fn types_have_kafkas_numbers() {
    for number in i8::MIN..=i8::MAX {
        assert_eq!(ResourceType::of(number).number(), number);
    }
}

fn alterations() -> impl Strategy<Value = Vec<Vec<Alteration>>> {
    let key = || prop::sample::select(vec!["a", "b", "list", "policy"]).prop_map(str::to_owned);
    let value = || prop::option::weighted(0.8, prop::sample::select(vec!["1", "x,y", "bad"]));
    let value = move || value().prop_map(|value| value.map(str::to_owned));
    let change = prop_oneof![
        prop::collection::vec((key(), value()), 0..3).prop_map(Change::Replace),
        prop::collection::vec((key(), 0_i8..5, value()), 0..3).prop_map(Change::Each),
    ];
    let resource = (prop::sample::select(vec![4_i8, 8, 16, 32, 7]), prop::sample::select(vec!["", "1", "g"]));
    let one = (resource, change).prop_map(|((kind, name), change)| Alteration {
        resource: Resource::new(ResourceType::of(kind), name),
        change,
    });
    prop::collection::vec(prop::collection::vec(one, 1..4), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is asked for, what was decided gives the same image again when it is replayed, and nothing that is wrong
    /// ever gets in.
    #[test]
    fn a_replay_gives_an_equal_image(requests in alterations()) {
        let mut world = World::default();
        let mut log = Vec::new();
        for request in requests {
            let records: Vec<Record> = alter(&request, &world).into_iter().flatten().flatten().collect();
            records.iter().for_each(|record| world.configs.apply(record));
            log.extend(records);
        }
        let mut replayed = Configs::default();
        log.iter().for_each(|record| replayed.apply(record));
        prop_assert_eq!(&replayed, &world.configs);
        prop_assert!(replayed.iter().all(|(_, configs)| !configs.is_empty()));
        prop_assert!(replayed.iter().flat_map(|(_, configs)| configs.values()).all(|value| value != "bad"));
    }
}
