//! The assignors of KIP-848 groups: beside Kafka's own answers, and what must hold for any group.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use base::{PartitionIndex, Uuid};
use proptest::prelude::*;
use state_machines::group::assignor::{Assignor, Partitions, Subscriber, assign};

#[derive(Clone, Debug, Default, PartialEq)]
struct Member {
    instance: Option<Arc<str>>,
    wants: BTreeSet<Uuid>,
    has: Partitions,
}

#[derive(Clone, Debug, Default)]
struct Group {
    topics: BTreeMap<Uuid, i32>,
    members: BTreeMap<Arc<str>, Member>,
}

impl Group {
    fn assign(&self, assignor: Assignor) -> BTreeMap<Arc<str>, Partitions> {
        let subscribers: BTreeMap<Arc<str>, Subscriber<'_>> = self
            .members
            .iter()
            .map(|(id, member)| {
                let subscriber = Subscriber {
                    instance_id: member.instance.clone(),
                    topics: &member.wants,
                    assigned: &member.has,
                };
                (id.clone(), subscriber)
            })
            .collect();
        assign(assignor, &subscribers, &|topic| self.topics.get(&topic).copied())
    }

    fn settle(&mut self, assignor: Assignor) {
        for (id, has) in self.assign(assignor) {
            self.members.get_mut(&id).unwrap().has = has;
        }
    }

    fn join(&mut self, id: &str, topics: &[u128]) {
        let wants = topics.iter().copied().map(topic).collect();
        self.members.insert(id.into(), Member { wants, ..Member::default() });
    }

    fn has(&self, id: &str) -> String {
        shown(&self.members[id].has)
    }

    fn sizes(&self) -> Vec<usize> {
        self.members.values().map(|member| size(&member.has)).collect()
    }

    /// Partitions that a member has now, that existed before, and that it did not have then.
    fn taken_over_since(&self, before: &Self) -> usize {
        self.members
            .iter()
            .flat_map(|(id, member)| pairs(&member.has).map(move |pair| (id, pair)))
            .filter(|(id, pair)| {
                pair.1.0 < before.topics.get(&pair.0).copied().unwrap_or(0)
                    && !before
                        .members
                        .get(*id)
                        .is_some_and(|member| pairs(&member.has).any(|had| had == *pair))
            })
            .count()
    }
}

fn topic(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn pairs(partitions: &Partitions) -> impl Iterator<Item = (Uuid, PartitionIndex)> {
    partitions
        .iter()
        .flat_map(|(&topic, partitions)| partitions.iter().map(move |&partition| (topic, partition)))
}

fn size(partitions: &Partitions) -> usize {
    pairs(partitions).count()
}

fn shown(partitions: &Partitions) -> String {
    if partitions.is_empty() {
        return "nothing".into();
    }
    let topics: Vec<String> = partitions
        .iter()
        .map(|(topic, partitions)| {
            let numbers: Vec<String> = partitions.iter().map(ToString::to_string).collect();
            format!("{}:{}", topic.as_u128(), numbers.join(","))
        })
        .collect();
    topics.join(";")
}

fn read(text: &str) -> Partitions {
    if text == "nothing" {
        return Partitions::new();
    }
    let read_topic = |part: &str| {
        let (number, partitions) = part.split_once(':').unwrap();
        let partitions =
            partitions.split(',').map(|number| PartitionIndex(number.parse().unwrap())).collect();
        (topic(number.parse().unwrap()), partitions)
    };
    text.split(';').map(read_topic).collect()
}

/// The topics and members of one case of the fixture; the last column is left out.
fn read_case(case: &str) -> (Assignor, Group) {
    let mut lines = case.lines();
    let assignor = Assignor::named(lines.next().unwrap().strip_prefix("assignor ").unwrap()).unwrap();
    let mut group = Group::default();
    for part in lines.next().unwrap().split(' ').skip(1) {
        let (number, partitions) = part.split_once('=').unwrap();
        group.topics.insert(topic(number.parse().unwrap()), partitions.parse().unwrap());
    }
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let word = |name: &str| words.iter().position(|word| *word == name).map(|at| words[at + 1]);
        let member = Member {
            instance: word("instance").map(Arc::from),
            wants: word("wants").unwrap().split(',').map(|number| topic(number.parse().unwrap())).collect(),
            has: read(word("had").unwrap()),
        };
        group.members.insert(word("member").unwrap().into(), member);
    }
    (assignor, group)
}

#[test]
fn assigns_as_kafka_does() {
    let fixture = include_str!("fixtures/assignors/kafka-4.1.1.txt");
    let mut cases = 0;
    for case in fixture.split("\n\n").filter(|case| !case.is_empty()) {
        let (assignor, group) = read_case(case);
        let mut ours = String::new();
        for line in case.lines() {
            if let Some((before, _)) = line.split_once(" gets ") {
                let id = line.split(' ').nth(1).unwrap();
                writeln!(ours, "{before} gets {}", shown(&group.assign(assignor)[id])).unwrap();
            } else {
                writeln!(ours, "{line}").unwrap();
            }
        }
        assert_eq!(ours.trim_end(), case.trim_end());
        cases += 1;
    }
    assert_eq!(cases, 468);
}

#[test]
fn range_gives_the_same_run_of_topics_of_one_size() {
    let mut group = Group { topics: [(topic(1), 6), (topic(2), 6)].into(), ..Group::default() };
    for id in ["a", "b", "c"] {
        group.join(id, &[1, 2]);
    }
    group.settle(Assignor::Range);
    assert_eq!(group.has("a"), "1:0,1;2:0,1");
    assert_eq!(group.has("b"), "1:2,3;2:2,3");
    assert_eq!(group.has("c"), "1:4,5;2:4,5");
}

#[test]
fn range_knows_static_members_again_by_their_instance() {
    let mut group = Group { topics: [(topic(1), 4)].into(), ..Group::default() };
    group.join("a", &[1]);
    group.join("z", &[1]);
    group.members.get_mut("z").unwrap().instance = Some("first".into());
    group.settle(Assignor::Range);
    assert_eq!(group.has("z"), "1:0,1");
    let member = group.members.remove("z").unwrap();
    group.members.insert("0".into(), Member { has: Partitions::new(), ..member });
    group.join("b", &[1]);
    group.settle(Assignor::Range);
    assert_eq!(group.has("0"), "1:0,1");
}

/// Java's order, and Kafka's: U+10000 is written with surrogates, which are below U+E000.
#[test]
fn range_sorts_members_as_java_does() {
    let mut group = Group { topics: [(topic(1), 2)].into(), ..Group::default() };
    group.join("\u{E000}", &[1]);
    group.join("\u{10000}", &[1]);
    group.settle(Assignor::Range);
    assert_eq!(group.has("\u{10000}"), "1:0");
}

#[test]
fn a_leaving_member_moves_only_its_own_share() {
    let mut group = Group { topics: [(topic(1), 7), (topic(2), 4)].into(), ..Group::default() };
    for id in ["a", "b", "c"] {
        group.join(id, &[1, 2]);
    }
    group.settle(Assignor::Uniform);
    let before = group.clone();
    let left = group.members.remove("b").unwrap();
    group.settle(Assignor::Uniform);
    assert_eq!(group.taken_over_since(&before), size(&left.has));
    assert_eq!(group.sizes(), [5, 6]);
}

#[test]
fn a_joining_member_takes_only_what_it_is_due() {
    let mut group = Group { topics: [(topic(1), 11)].into(), ..Group::default() };
    group.join("b", &[1]);
    group.join("c", &[1]);
    group.settle(Assignor::Uniform);
    let before = group.clone();
    group.join("a", &[1]);
    group.settle(Assignor::Uniform);
    assert_eq!(group.sizes(), [3, 4, 4]);
    assert_eq!(group.taken_over_since(&before), 3);
}

#[test]
fn what_is_gone_is_taken_away() {
    for assignor in Assignor::ALL {
        let mut group = Group { topics: [(topic(1), 3), (topic(2), 3)].into(), ..Group::default() };
        group.join("a", &[1, 2, 3]);
        group.settle(assignor);
        assert_eq!(group.has("a"), "1:0,1,2;2:0,1,2");
        group.topics.remove(&topic(2));
        group.topics.insert(topic(1), 2);
        group.settle(assignor);
        assert_eq!(group.has("a"), "1:0,1");
        group.topics.clear();
        group.settle(assignor);
        assert_eq!(group.has("a"), "nothing");
    }
}

#[test]
fn a_partition_that_two_have_stays_with_the_first() {
    let mut group = Group { topics: [(topic(1), 2), (topic(2), 1)].into(), ..Group::default() };
    group.join("a", &[1]);
    group.join("b", &[1]);
    for id in ["a", "b"] {
        group.members.get_mut(id).unwrap().has = read("1:1");
    }
    group.settle(Assignor::Uniform);
    assert_eq!((group.has("a"), group.has("b")), ("1:1".into(), "1:0".into()));
}

#[test]
fn nobody_and_nothing_are_no_matter() {
    for assignor in Assignor::ALL {
        let mut group = Group { topics: [(topic(1), 3)].into(), ..Group::default() };
        assert!(group.assign(assignor).is_empty());
        group.join("a", &[]);
        group.join("b", &[]);
        group.settle(assignor);
        assert_eq!(group.sizes(), [0, 0]);
        group.join("b", &[1]);
        group.settle(assignor);
        assert_eq!(group.sizes(), [0, 3]);
    }
}

#[test]
fn names() {
    assert_eq!(Assignor::named("uniform"), Some(Assignor::Uniform));
    assert_eq!(Assignor::named("range"), Some(Assignor::Range));
    assert_eq!(Assignor::named("Range"), None);
}

fn any_group() -> impl Strategy<Value = Group> {
    let topics = prop::collection::btree_map((1_u128..7).prop_map(topic), 1_i32..9, 0..6);
    let partitions = prop::collection::btree_map(
        (1_u128..8).prop_map(topic),
        prop::collection::btree_set((-1_i32..10).prop_map(PartitionIndex), 1..9),
        0..4,
    );
    let wants = prop::collection::btree_set((1_u128..8).prop_map(topic), 0..6);
    let member = (prop::option::of("[a-d]"), wants, partitions).prop_map(|(instance, wants, has)| Member {
        instance: instance.map(Arc::from),
        wants,
        has,
    });
    let members = prop::collection::btree_map("[a-z]{1,3}".prop_map(Arc::from), member, 0..9);
    (topics, members, any::<bool>()).prop_map(|(topics, mut members, equal)| {
        if let Some(wants) = members.values().next().map(|member| member.wants.clone()).filter(|_| equal) {
            members.values_mut().for_each(|member| member.wants = wants.clone());
        }
        Group { topics, members }
    })
}

fn check(group: &Group) {
    let mut owners: BTreeMap<(Uuid, PartitionIndex), &str> = BTreeMap::new();
    for (id, member) in &group.members {
        for pair in pairs(&member.has) {
            assert!(member.wants.contains(&pair.0), "{id} does not want {pair:?}");
            assert_eq!(owners.insert(pair, id), None, "{pair:?} has one owner");
        }
        assert!(member.has.values().all(|partitions| !partitions.is_empty()));
    }
    let wanted: BTreeSet<Uuid> = group.members.values().flat_map(|member| &member.wants).copied().collect();
    let all = group
        .topics
        .iter()
        .filter(|(topic, _)| wanted.contains(topic))
        .flat_map(|(&topic, &count)| (0..count).map(move |partition| (topic, PartitionIndex(partition))));
    assert!(all.eq(owners.into_keys()), "every partition has an owner, and no other does");
}

/// No two members are further apart than one, where one that has more could give the other some of it.
fn check_even(group: &Group) {
    for (id, rich) in &group.members {
        for (other, poor) in &group.members {
            let could_give = rich.has.keys().any(|topic| poor.wants.contains(topic));
            assert!(!could_give || size(&rich.has) <= size(&poor.has) + 1, "{id} and {other}: {group:?}");
        }
    }
}

proptest! {
    #[test]
    fn whatever_the_group_each_partition_has_one_owner(mut group in any_group()) {
        for assignor in Assignor::ALL {
            group.settle(assignor);
            check(&group);
        }
    }

    #[test]
    fn a_second_run_changes_nothing(mut group in any_group()) {
        for assignor in Assignor::ALL {
            group.settle(assignor);
            let before = group.members.clone();
            group.settle(assignor);
            prop_assert_eq!(&before, &group.members);
        }
    }

    #[test]
    fn uniform_is_even(mut group in any_group()) {
        group.settle(Assignor::Uniform);
        check_even(&group);
    }

    #[test]
    fn with_equal_subscriptions_no_more_moves_than_evenness_asks_for(mut group in any_group(), joins in any::<bool>()) {
        let wants: BTreeSet<Uuid> = group.topics.keys().copied().collect();
        group.members.values_mut().for_each(|member| member.wants = wants.clone());
        group.settle(Assignor::Uniform);
        let before = group.clone();
        if joins {
            group.members.insert("joining".into(), Member { wants, ..Member::default() });
            group.settle(Assignor::Uniform);
            prop_assert_eq!(group.taken_over_since(&before), size(&group.members["joining"].has));
        } else if let Some((_, left)) = group.members.pop_first() && !group.members.is_empty() {
            group.settle(Assignor::Uniform);
            prop_assert_eq!(group.taken_over_since(&before), size(&left.has));
        }
    }
}
