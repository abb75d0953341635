//! The rules of topics, and that a replay gives the same image.

use std::collections::BTreeMap;

use base::{LeaderEpoch, NodeId, PartitionIndex, Uuid};
use proptest::prelude::*;

use super::*;

const RULES: Rules = Rules {
    partitions: 2,
    replication_factor: 1,
    node: NodeId(1),
    directory: Uuid::from_u128(0xd1),
    clamp: false,
};

fn any_config(_: &BTreeMap<String, String>) -> Result<(), String> {
    Ok(())
}

fn ids() -> impl FnMut() -> Uuid {
    let mut last = 0;
    move || {
        last += 1;
        Uuid::from_u128(last)
    }
}

fn wish(name: &str, partitions: i32) -> NewTopic {
    NewTopic { partitions, ..NewTopic::with_defaults(name) }
}

fn assigned(assignments: &[(i32, &[i32])]) -> NewTopic {
    let nodes = |nodes: &[i32]| nodes.iter().copied().map(NodeId).collect();
    let assignments =
        assignments.iter().map(|(index, brokers)| (PartitionIndex(*index), nodes(brokers))).collect();
    NewTopic { assignments, ..NewTopic::with_defaults("t") }
}

fn judge(topics: &Topics, wish: &NewTopic) -> Result<Creation, Refusal> {
    topics.create(std::slice::from_ref(wish), &RULES, &any_config, &mut ids()).remove(0)
}

fn topics(names: &[&str]) -> Topics {
    let mut image = Topics::default();
    let mut id = ids();
    for name in names {
        for creation in image.create(&[wish(name, 1)], &RULES, &any_config, &mut id) {
            creation.unwrap().records.iter().for_each(|record| image.apply(record).unwrap());
        }
    }
    image
}

#[test]
fn a_creation_is_stored_as_kafka_stores_it() {
    let mut wish = wish("orders", -1);
    wish.configs = vec![
        ("retention.ms".into(), Some("1".into())),
        ("cleanup.policy".into(), Some("compact".into())),
        ("retention.ms".into(), Some("2".into())),
    ];
    let creation = judge(&Topics::default(), &wish).unwrap();
    let id = Uuid::from_u128(1);
    let config = |name: &str, value: &str| Record::Config {
        topic: "orders".into(),
        name: name.into(),
        value: Some(value.into()),
    };
    let partition = |index| Record::Partition {
        topic: id,
        index: PartitionIndex(index),
        info: PartitionInfo {
            replicas: vec![NodeId(1)],
            directories: vec![Uuid::from_u128(0xd1)],
            isr: vec![NodeId(1)],
            leader: Some(NodeId(1)),
            ..PartitionInfo::default()
        },
    };
    let records = [
        Record::Topic { id, name: "orders".into() },
        config("cleanup.policy", "compact"),
        config("retention.ms", "2"),
        partition(0),
        partition(1),
    ];
    assert_eq!(creation.records, records);
    assert_eq!((creation.topic.partitions, creation.topic.replication_factor), (2, 1));
}

#[test]
fn every_refusal_of_a_creation() {
    let image = topics(&["orders", "a.b"]);
    let longest = "x".repeat(name::MAX_LEN);
    let too_long = "x".repeat(name::MAX_LEN + 1);
    let null = NewTopic {
        configs: vec![("a".into(), None), ("b".into(), Some("1".into())), ("c".into(), None)],
        ..wish("t", 1)
    };
    let factor = |replication_factor| NewTopic { replication_factor, ..wish("t", 1) };
    let mut assigned_and_factor = assigned(&[(0, &[1])]);
    assigned_and_factor.replication_factor = 1;
    let mut assigned_and_partitions = assigned(&[(0, &[1])]);
    assigned_and_partitions.partitions = 1;
    for (wish, message) in [
        (wish("orders", 1), "there is a topic orders already"),
        (wish("a_b", 1), "topic a_b would fall together with a.b, from which it differs only in '.' and '_'"),
        (wish("", 1), "a topic name has at least one character"),
        (wish(".", 1), "\".\" cannot be the name of a topic"),
        (wish("..", 1), "\"..\" cannot be the name of a topic"),
        (wish(&too_long, 1), &format!("a topic name has at most 249 characters, and {too_long:?} has more")),
        (
            wish("ü", 1),
            "a topic name is made of letters and digits of ASCII, '.', '_' and '-', and \"ü\" is not",
        ),
        (
            wish("a/b", 1),
            "a topic name is made of letters and digits of ASCII, '.', '_' and '-', and \"a/b\" is not",
        ),
        (
            wish("__cluster_metadata", 1),
            "__cluster_metadata is the metadata log and cannot be created as a topic",
        ),
        (null, "these topic configs have no value: a, c"),
        (wish("t", 0), "the number of partitions must be at least 1, or -1 for the default"),
        (wish("t", -2), "the number of partitions must be at least 1, or -1 for the default"),
        (factor(0), "the replication factor must be at least 1, or -1 for the default"),
        (factor(-2), "the replication factor must be at least 1, or -1 for the default"),
        (
            factor(3),
            "a replication factor of 3 needs 3 brokers, and there are 1; ask for 1, or have the broker lower it with ottla.replication.factor.clamp=true",
        ),
        (wish("t", 10_001), "one request may create at most 10000 partitions"),
        (wish("t", i32::MAX), "one request may create at most 10000 partitions"),
        (assigned_and_factor, "with replicas assigned by hand the replication factor must be -1"),
        (assigned_and_partitions, "with replicas assigned by hand the number of partitions must be -1"),
        (assigned(&[(0, &[1]), (0, &[1])]), "partition 0 is assigned more than once"),
        (assigned(&[(0, &[])]), "a partition is assigned to no broker"),
        (assigned(&[(0, &[1, 2])]), "a partition is assigned to broker 2, which does not exist"),
        (assigned(&[(0, &[1, 1])]), "a partition is assigned to broker 1 more than once"),
        (assigned(&[(0, &[1]), (2, &[1])]), "the assigned partitions must be numbered 0, 1, 2 and so on"),
        (assigned(&[(-1, &[1]), (0, &[1])]), "the assigned partitions must be numbered 0, 1, 2 and so on"),
    ] {
        assert_eq!(judge(&image, &wish).unwrap_err().to_string(), message);
    }
    assert!(judge(&image, &wish(&longest, 10_000)).is_ok());
    assert!(judge(&image, &wish("a-b", 1)).is_ok());
    let unordered = judge(&image, &assigned(&[(1, &[1]), (0, &[1])])).unwrap();
    assert_eq!(unordered.topic.partitions, 2);
    let bad_config = image.create(&[wish("t", 1)], &RULES, &|_| Err("no".into()), &mut ids()).remove(0);
    assert_eq!(bad_config.unwrap_err(), Refusal::InvalidConfig("no".into()));
}

#[test]
fn a_name_twice_in_a_request_is_created_neither_time() {
    let wishes = [wish("a", 1), wish("b", 1), wish("a", 2)];
    let answers = Topics::default().create(&wishes, &RULES, &any_config, &mut ids());
    assert_eq!(answers[0], Err(Refusal::DuplicateName));
    assert!(answers[1].is_ok());
    assert_eq!(answers[2], Err(Refusal::DuplicateName));
}

#[test]
fn partitions_only_grow() {
    let mut image = topics(&["a"]);
    let more = |count, assignments: Option<Vec<Vec<i32>>>| NewPartitions {
        topic: "a".into(),
        count,
        assignments: assignments
            .map(|all| all.into_iter().map(|nodes| nodes.into_iter().map(NodeId).collect()).collect()),
    };
    let grow = |image: &Topics, wish: NewPartitions| image.grow(&[wish], &RULES).remove(0);
    for (wish, message) in [
        (more(1, None), "the topic has 1 partitions already"),
        (more(0, None), "topic a has 1 partitions and can only grow; 0 were asked for"),
        (more(i32::MIN, None), "topic a has 1 partitions and can only grow; -2147483648 were asked for"),
        (more(3, Some(vec![vec![1]])), "2 partitions are to be added, and 1 are assigned"),
        (more(2, Some(vec![vec![]])), "a partition is assigned to no broker"),
        (more(2, Some(vec![vec![7]])), "a partition is assigned to broker 7, which does not exist"),
        (more(i32::MAX, None), "one request may create at most 10000 partitions"),
        (NewPartitions { topic: "b".into(), ..more(2, None) }, "there is no such topic"),
    ] {
        assert_eq!(grow(&image, wish).unwrap_err().to_string(), message);
    }
    let growth = grow(&image, more(3, Some(vec![vec![1], vec![1]]))).unwrap();
    growth.records.iter().for_each(|record| image.apply(record).unwrap());
    assert_eq!(image.by_name("a").unwrap().partitions.len(), 3);
    let twice = image.grow(&[more(4, None), more(5, None)], &RULES);
    assert_eq!(twice, [Err(Refusal::DuplicateName), Err(Refusal::DuplicateName)]);
}

#[test]
fn the_only_way_to_move_a_partition_is_to_leave_it() {
    let topics = topics(&["a"]);
    let node = RULES.node;
    let other = NodeId(node.0 + 1);
    let judge = |topic: &str, index, target: Option<&[NodeId]>| {
        topics.reassign(topic, PartitionIndex(index), target, node)
    };
    assert_eq!(judge("a", 0, Some(&[node])), Ok(()));
    assert_eq!(judge("a", 0, None), Err(Refusal::NoReassignment));
    assert_eq!(judge("a", 0, Some(&[])), Err(Refusal::EmptyAssignment));
    assert_eq!(judge("a", 0, Some(&[other])), Err(Refusal::UnknownNode { node: other }));
    assert_eq!(judge("a", 0, Some(&[node, node])), Err(Refusal::NodeTwice { node }));
    let index = PartitionIndex(9);
    assert_eq!(judge("a", 9, None), Err(Refusal::UnknownPartition { index }));
    assert_eq!(judge("b", 0, None), Err(Refusal::UnknownTopic));
}

#[test]
fn a_topic_is_deleted_by_name_or_by_id_but_not_by_both() {
    let mut image = topics(&["a", "b"]);
    let (a, b) = (image.by_name("a").unwrap().id, image.by_name("b").unwrap().id);
    let name = |name: &str| TopicRef::Name(name.into());
    assert_eq!(image.delete(&[name("x")]), [Err(Refusal::UnknownTopic)]);
    assert_eq!(image.delete(&[TopicRef::Id(Uuid::from_u128(77))]), [Err(Refusal::UnknownTopicId)]);
    assert_eq!(
        image.delete(&[name("a"), TopicRef::Id(a)]),
        [Err(Refusal::NamedTwice), Err(Refusal::NamedTwice)]
    );
    assert_eq!(
        image.delete(&[name("a"), name("a")]),
        [Err(Refusal::DuplicateName), Err(Refusal::DuplicateName)]
    );
    assert_eq!(
        image.delete(&[TopicRef::Id(a), TopicRef::Id(a)]),
        [Err(Refusal::DuplicateId), Err(Refusal::DuplicateId)]
    );
    for deletion in image.delete(&[name("a"), TopicRef::Id(b)]) {
        image.apply(&deletion.unwrap().record).unwrap();
    }
    assert!(image.is_empty());
    assert_eq!(image, Topics::default());
}

#[test]
fn naming_a_leader_raises_the_leader_epoch() {
    let mut image = topics(&["a"]);
    let id = image.by_name("a").unwrap().id;
    let mut change = |change| {
        image.apply(&Record::PartitionChange { topic: id, index: PartitionIndex(0), change }).unwrap();
        let info = image.by_id(id).unwrap().partition(PartitionIndex(0)).unwrap().clone();
        (info.leader, info.leader_epoch, info.partition_epoch)
    };
    let nobody = PartitionChange { leader: Some(None), isr: Some(vec![]), ..PartitionChange::default() };
    assert_eq!(change(nobody), (None, LeaderEpoch(1), 1));
    let back = PartitionChange { leader: Some(Some(NodeId(1))), ..PartitionChange::default() };
    assert_eq!(change(back.clone()), (Some(NodeId(1)), LeaderEpoch(2), 2));
    assert_eq!(change(back), (Some(NodeId(1)), LeaderEpoch(3), 3));
    let isr = PartitionChange { isr: Some(vec![NodeId(1)]), ..PartitionChange::default() };
    assert_eq!(change(isr), (Some(NodeId(1)), LeaderEpoch(3), 4));
}

#[test]
fn absurd_records_are_refused_and_change_nothing() {
    let image = topics(&["a"]);
    let id = image.by_name("a").unwrap().id;
    let stranger = Uuid::from_u128(99);
    let partition = |topic, index| Record::Partition {
        topic,
        index: PartitionIndex(index),
        info: PartitionInfo::default(),
    };
    for record in [
        Record::Topic { id: stranger, name: "a".into() },
        Record::Topic { id, name: "b".into() },
        Record::RemoveTopic { id: stranger },
        partition(stranger, 0),
        partition(id, -1),
        Record::PartitionChange { topic: id, index: PartitionIndex(1), change: PartitionChange::default() },
        Record::PartitionChange {
            topic: stranger,
            index: PartitionIndex(0),
            change: PartitionChange::default(),
        },
    ] {
        let mut copy = image.clone();
        assert!(copy.apply(&record).is_err(), "{record:?}");
        assert_eq!(copy, image);
    }
}

#[test]
fn partitions_may_come_in_any_order_but_none_may_be_missing_in_the_end() {
    let mut image = Topics::default();
    let id = Uuid::from_u128(5);
    image.apply(&Record::Topic { id, name: "a".into() }).unwrap();
    let mut put = |index: i32| {
        let info = PartitionInfo { partition_epoch: index, ..PartitionInfo::default() };
        image.apply(&Record::Partition { topic: id, index: PartitionIndex(index), info }).unwrap();
        (image.by_id(id).unwrap().partitions.len(), image.check_whole())
    };
    let gap = |index| Err(Absurd::Gap { topic: id, index: PartitionIndex(index) });
    assert_eq!(put(2), (0, gap(2)));
    assert_eq!(put(0), (1, gap(2)));
    assert_eq!(put(1), (3, Ok(())));
    let epochs: Vec<_> =
        image.by_id(id).unwrap().partitions.iter().map(|info| info.partition_epoch).collect();
    assert_eq!(epochs, [0, 1, 2]);
}

#[derive(Clone, Debug)]
enum Request {
    Create(Vec<NewTopic>),
    Grow(Vec<NewPartitions>),
    Delete(Vec<TopicRef>),
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let name = prop::sample::select(vec!["a", "b", "a.b", "a_b", "c-d", "", "__consumer_offsets"]);
    let config = (prop::sample::select(vec!["x", "y"]), prop::option::weighted(0.9, "[a-c]"))
        .prop_map(|(key, value)| (key.to_owned(), value));
    let new_topic = (name.clone(), -1..4, -1_i16..3, prop::collection::vec(config, 0..3)).prop_map(
        |(name, partitions, replication_factor, configs)| NewTopic {
            partitions,
            replication_factor,
            configs,
            ..NewTopic::with_defaults(name)
        },
    );
    let growth = (name.clone(), 0..6).prop_map(|(topic, count)| NewPartitions {
        topic: topic.to_owned(),
        count,
        assignments: None,
    });
    let topic_ref = prop_oneof![
        name.prop_map(|name| TopicRef::Name(name.to_owned())),
        (0_u128..30).prop_map(|id| TopicRef::Id(Uuid::from_u128(id))),
    ];
    let request = prop_oneof![
        prop::collection::vec(new_topic, 1..4).prop_map(Request::Create),
        prop::collection::vec(growth, 1..3).prop_map(Request::Grow),
        prop::collection::vec(topic_ref, 1..3).prop_map(Request::Delete),
    ];
    prop::collection::vec(request, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is asked for, applying the decided records never fails, and applying them again from nothing gives the
    /// same image.
    #[test]
    fn a_replay_gives_an_equal_image(requests in requests()) {
        let mut live = Topics::default();
        let mut log = Vec::new();
        let mut id = ids();
        for request in requests {
            let records: Vec<Record> = match request {
                Request::Create(wishes) => live
                    .create(&wishes, &RULES, &any_config, &mut id)
                    .into_iter().flatten().flat_map(|creation| creation.records).collect(),
                Request::Grow(wishes) => live
                    .grow(&wishes, &RULES)
                    .into_iter().flatten().flat_map(|growth| growth.records).collect(),
                Request::Delete(topics) => live
                    .delete(&topics)
                    .into_iter().flatten().map(|deletion| deletion.record).collect(),
            };
            for record in &records {
                prop_assert_eq!(live.apply(record), Ok(()));
            }
            log.extend(records);
        }
        prop_assert_eq!(live.check_whole(), Ok(()));
        let mut replayed = Topics::default();
        for record in &log {
            replayed.apply(record).unwrap();
        }
        prop_assert_eq!(replayed, live);
    }
}

#[test]
fn with_the_clamp_one_copy_stands_for_all() {
    let rules = Rules { clamp: true, replication_factor: 3, ..RULES };
    let image = topics(&["old"]);
    let create = |wish: NewTopic| {
        let mut id = || Uuid::from_u128(1);
        image.create(&[wish], &rules, &|_| Ok(()), &mut id).remove(0)
    };
    let factor = |replication_factor| NewTopic { replication_factor, ..wish("t", 2) };
    for (wish, clamped_from) in [
        (factor(3), Some(3)),
        (factor(-1), Some(3)),
        (factor(i16::MAX), Some(32_767)),
        (factor(1), None),
        (assigned(&[(0, &[1, 2]), (1, &[3, 2])]), Some(2)),
        (assigned(&[(0, &[7]), (1, &[1])]), None),
    ] {
        let creation = create(wish.clone()).unwrap_or_else(|refusal| panic!("{wish:?}: {refusal}"));
        assert_eq!((creation.topic.partitions, creation.topic.replication_factor), (2, 1), "{wish:?}");
        assert_eq!(creation.topic.clamped_from, clamped_from, "{wish:?}");
        for record in &creation.records {
            let Record::Partition { info, .. } = record else { continue };
            assert_eq!((&info.replicas[..], &info.isr[..]), (&[NodeId(1)][..], &[NodeId(1)][..]));
        }
    }
    for (wish, message) in [
        (factor(0), "the replication factor must be at least 1, or -1 for the default"),
        (assigned(&[(0, &[])]), "a partition is assigned to no broker"),
        (assigned(&[(0, &[2, 2])]), "a partition is assigned to broker 2 more than once"),
        (assigned(&[(0, &[-2])]), "a partition is assigned to broker -2, which does not exist"),
    ] {
        assert_eq!(create(wish).expect_err(message).to_string(), message);
    }
    assert!(create(assigned(&[(0, &[1, 2]), (1, &[1])])).is_err(), "as many copies for each");

    let grow = |assignments: &[&[i32]]| {
        let nodes = |nodes: &&[i32]| nodes.iter().map(|node| NodeId(*node)).collect();
        let assignments: Vec<Vec<NodeId>> = assignments.iter().map(nodes).collect();
        let there = i32::try_from(image.by_name("old").expect("there").partitions.len()).expect("few");
        let count = there + i32::try_from(assignments.len()).expect("few");
        let wish = NewPartitions { topic: "old".into(), count, assignments: Some(assignments) };
        image.grow(&[wish], &rules).remove(0)
    };
    assert_eq!(grow(&[&[2, 3], &[1, 2]]).expect("clamped").records.len(), 2);
    assert!(grow(&[&[2, 3], &[1]]).is_err());
}
