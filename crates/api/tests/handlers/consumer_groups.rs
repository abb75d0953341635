//! Groups of the consumer protocol (KIP-848) through the requests that members, and those who look at them, send.

use base::Uuid;
use wire::messages::consumer_group_describe::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribedGroup,
};
use wire::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};
use wire::messages::describe_groups::DescribeGroupsRequest;
use wire::messages::find_coordinator::FindCoordinatorRequest;
use wire::messages::list_groups::ListGroupsRequest;
use wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use wire::messages::update_features::{FeatureUpdateKey, UpdateFeaturesRequest};

use crate::house::{House, text};

const INVALID_GROUP_ID: i16 = 24;
const UNKNOWN_MEMBER_ID: i16 = 25;
const UNSUPPORTED_VERSION: i16 = 35;
const INVALID_REQUEST: i16 = 42;
const GROUP_ID_NOT_FOUND: i16 = 69;
const GROUP_MAX_SIZE_REACHED: i16 = 81;
const FENCED_MEMBER_EPOCH: i16 = 110;
const UNRELEASED_INSTANCE_ID: i16 = 111;
const UNSUPPORTED_ASSIGNOR: i16 = 112;
const STALE_MEMBER_EPOCH: i16 = 113;
const INVALID_REGULAR_EXPRESSION: i16 = 128;

/// With a topic `t` of four partitions, and a coordinator.
fn house(given: &[(&str, &str)]) -> (House, Uuid) {
    let given: Vec<_> = given.iter().copied().chain([("offsets.topic.num.partitions", "1")]).collect();
    let house = House::with(&given);
    let id = house.create("t", 4, &[]);
    let find = FindCoordinatorRequest {
        key_type: 0,
        coordinator_keys: vec![text("g")],
        ..FindCoordinatorRequest::default()
    };
    assert_eq!(house.ask(4, &find).coordinators[0].error_code, 0);
    (house, id)
}

/// A member that joins and wants `t`.
fn join(member: &str) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: text("g"),
        member_id: text(member),
        rebalance_timeout_ms: 5_000,
        subscribed_topic_names: Some(vec![text("t")]),
        topic_partitions: Some(Vec::new()),
        ..ConsumerGroupHeartbeatRequest::default()
    }
}

/// A member that says nothing new.
fn beat(member: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: text("g"),
        member_id: text(member),
        member_epoch: epoch,
        ..ConsumerGroupHeartbeatRequest::default()
    }
}

/// A member that says what it holds of `topic`.
fn holds(member: &str, epoch: i32, topic: Uuid, partitions: &[i32]) -> ConsumerGroupHeartbeatRequest {
    let held = TopicPartitions { topic_id: topic, partitions: partitions.to_vec() };
    ConsumerGroupHeartbeatRequest { topic_partitions: Some(vec![held]), ..beat(member, epoch) }
}

/// The topics and partitions of an answer, if it has any.
fn given(answer: &ConsumerGroupHeartbeatResponse) -> Option<Vec<(Uuid, Vec<i32>)>> {
    assert_eq!(answer.error_code, 0, "{:?}", answer.error_message);
    answer.assignment.as_ref().map(|assignment| {
        assignment.topic_partitions.iter().map(|topic| (topic.topic_id, topic.partitions.clone())).collect()
    })
}

fn describe(house: &House, version: i16, groups: &[&str]) -> ConsumerGroupDescribeResponse {
    let group_ids = groups.iter().map(|group| text(group)).collect();
    house.ask(version, &ConsumerGroupDescribeRequest { group_ids, include_authorized_operations: false })
}

fn described(house: &House) -> DescribedGroup {
    describe(house, 1, &["g"]).groups.remove(0)
}

#[test]
fn members_share_a_topic_hand_over_and_leave() {
    let (house, topic) = house(&[]);
    let first = house.ask(1, &join("a"));
    assert_eq!(given(&first), Some(vec![(topic, vec![0, 1, 2, 3])]));
    assert_eq!(first.member_id.as_deref(), Some("a"));
    assert_eq!((first.member_epoch, first.heartbeat_interval_ms), (1, 5_000));
    assert_eq!(given(&house.ask(1, &beat("a", 1))), None, "nothing has changed");

    let second = house.ask(1, &join("b"));
    assert_eq!((second.member_epoch, given(&second)), (2, Some(vec![])), "the first one has all of it still");
    let told = house.ask(1, &beat("a", 1));
    assert_eq!((told.member_epoch, given(&told)), (1, Some(vec![(topic, vec![0, 1])])));
    assert_eq!(given(&house.ask(1, &beat("b", 2))), None, "it was not given up yet");
    assert_eq!(house.ask(1, &holds("a", 1, topic, &[0, 1])).member_epoch, 2);
    assert_eq!(given(&house.ask(1, &beat("b", 2))), Some(vec![(topic, vec![2, 3])]));

    let left = house.ask(1, &beat("b", -1));
    assert_eq!((left.error_code, left.member_epoch, left.heartbeat_interval_ms), (0, -1, 0));
    let alone = house.ask(1, &holds("a", 2, topic, &[0, 1]));
    assert_eq!((alone.member_epoch, given(&alone)), (3, Some(vec![(topic, vec![0, 1, 2, 3])])));
}

#[test]
fn the_broker_makes_the_member_id_for_version_0_alone() {
    let (house, _) = house(&[]);
    let made = house.ask(0, &join("")).member_id.unwrap();
    assert_eq!(Uuid::parse_str(made.as_str()).unwrap().to_string(), made.as_str());
    assert_eq!(house.ask(1, &join("")).error_code, INVALID_REQUEST);
}

#[test]
fn a_regular_expression_stands_for_topics() {
    let (house, topic) = house(&[]);
    let other = house.create("other", 1, &[]);
    let wants = |regex: &str| ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: None,
        subscribed_topic_regex: Some(text(regex)),
        ..join("a")
    };
    let of_another = |regex: &str| ConsumerGroupHeartbeatRequest { member_id: text("b"), ..wants(regex) };
    assert_eq!(given(&house.ask(1, &wants("t|u"))), Some(vec![(topic, vec![0, 1, 2, 3])]));
    let mut both = given(&house.ask(1, &wants("t|oth.*"))).unwrap();
    both.sort();
    let mut expected = vec![(topic, vec![0, 1, 2, 3]), (other, vec![0])];
    expected.sort();
    assert_eq!(both, expected);
    let refused = house.ask(1, &of_another("(t"));
    assert_eq!(refused.error_code, INVALID_REGULAR_EXPRESSION);
    assert!(refused.error_message.unwrap().contains("(t"));
}

#[test]
fn what_a_heartbeat_may_not_say() {
    let (house, topic) = house(&[("group.consumer.max.size", "1")]);
    let joined = house.ask(1, &join("a"));
    assert_eq!(joined.error_code, 0);
    let cases = [
        ("no group", ConsumerGroupHeartbeatRequest { group_id: text(""), ..join("b") }, INVALID_REQUEST),
        (
            "an empty instance",
            ConsumerGroupHeartbeatRequest { instance_id: Some(text("")), ..join("b") },
            INVALID_REQUEST,
        ),
        (
            "an empty rack",
            ConsumerGroupHeartbeatRequest { rack_id: Some(text("")), ..join("b") },
            INVALID_REQUEST,
        ),
        (
            "no timeout",
            ConsumerGroupHeartbeatRequest { rebalance_timeout_ms: -1, ..join("b") },
            INVALID_REQUEST,
        ),
        (
            "no subscription",
            ConsumerGroupHeartbeatRequest { subscribed_topic_names: None, ..join("b") },
            INVALID_REQUEST,
        ),
        ("a joining member that holds something", holds("b", 0, topic, &[0]), INVALID_REQUEST),
        ("an epoch that is none", beat("a", -3), INVALID_REQUEST),
        ("away, and not static", beat("a", -2), INVALID_REQUEST),
        (
            "an assignor that is none",
            ConsumerGroupHeartbeatRequest { server_assignor: Some(text("sticky")), ..join("b") },
            UNSUPPORTED_ASSIGNOR,
        ),
        ("one more than there is room for", join("b"), GROUP_MAX_SIZE_REACHED),
        ("an epoch to come", beat("a", 2), FENCED_MEMBER_EPOCH),
        (
            "a group that is not there",
            ConsumerGroupHeartbeatRequest { group_id: text("h"), ..beat("a", 1) },
            GROUP_ID_NOT_FOUND,
        ),
    ];
    for (what, request, code) in cases {
        let answer = house.ask(1, &request);
        assert_eq!((what, answer.error_code), (what, code), "{:?}", answer.error_message);
        assert!(answer.error_message.is_some_and(|message| !message.is_empty()), "{what} is explained");
        assert_eq!((answer.member_id, answer.member_epoch, answer.assignment), (None, 0, None), "{what}");
    }
    assert_eq!(house.ask(1, &beat("a", 1)).error_code, 0, "the member is as it was");
}

#[test]
fn a_member_that_is_not_there_is_not_known() {
    let (house, _) = house(&[]);
    house.ask(1, &join("a"));
    assert_eq!(house.ask(1, &beat("b", 1)).error_code, UNKNOWN_MEMBER_ID);
}

#[test]
fn a_static_member_keeps_its_place_while_it_is_away() {
    let (house, topic) = house(&[]);
    let of_instance = |request: ConsumerGroupHeartbeatRequest| ConsumerGroupHeartbeatRequest {
        instance_id: Some(text("i")),
        ..request
    };
    house.ask(1, &of_instance(join("a")));
    assert_eq!(house.ask(1, &of_instance(join("b"))).error_code, UNRELEASED_INSTANCE_ID);
    let away = house.ask(1, &of_instance(beat("a", -2)));
    assert_eq!((away.error_code, away.member_epoch), (0, -2));
    let back = house.ask(1, &of_instance(join("b")));
    assert_eq!((back.member_epoch, given(&back)), (1, Some(vec![(topic, vec![0, 1, 2, 3])])));
}

#[test]
fn who_looks_sees_members_and_what_they_have() {
    let (house, topic) = house(&[]);
    let full = ConsumerGroupHeartbeatRequest {
        instance_id: Some(text("i")),
        rack_id: Some(text("r")),
        server_assignor: Some(text("range")),
        ..join("a")
    };
    house.ask(1, &full);
    house.ask(1, &ConsumerGroupHeartbeatRequest { server_assignor: Some(text("range")), ..join("b") });
    let group = described(&house);
    assert_eq!(
        (group.error_code, group.group_id.as_str(), group.group_state.as_str()),
        (0, "g", "Reconciling")
    );
    assert_eq!((group.group_epoch, group.assignment_epoch, group.assignor_name.as_str()), (2, 2, "range"));
    assert_eq!(group.authorized_operations, i32::MIN);
    let member = group.members.iter().find(|member| member.member_id.as_str() == "a").unwrap();
    assert_eq!(member.instance_id.as_deref(), Some("i"));
    assert_eq!(member.rack_id.as_deref(), Some("r"));
    assert_eq!(
        (member.member_epoch, member.client_id.as_str(), member.client_host.as_str()),
        (1, "tester", "/127.0.0.1")
    );
    assert_eq!(member.subscribed_topic_names, [text("t")]);
    assert_eq!(member.member_type, 1);
    let [has] = &member.assignment.topic_partitions[..] else { panic!("one topic") };
    assert_eq!((has.topic_id, has.topic_name.as_str(), &has.partitions[..]), (topic, "t", &[0, 1, 2, 3][..]));
    assert_eq!(member.target_assignment.topic_partitions[0].partitions, [0, 1]);
    assert_eq!(
        describe(&house, 0, &["g"]).groups[0].members[0].member_type,
        -1,
        "version 0 has no room for it"
    );

    let asked =
        ConsumerGroupDescribeRequest { group_ids: vec![text("g")], include_authorized_operations: true };
    assert_ne!(house.ask(1, &asked).groups[0].authorized_operations, i32::MIN);
}

#[test]
fn groups_that_are_no_consumer_groups() {
    let (house, _) = house(&[]);
    house.ask(1, &join("a"));
    let answers = describe(&house, 1, &["", "g", "h"]).groups;
    let codes: Vec<_> = answers.iter().map(|group| (group.group_id.as_str(), group.error_code)).collect();
    assert_eq!(codes, [("", INVALID_GROUP_ID), ("g", 0), ("h", GROUP_ID_NOT_FOUND)]);
    assert!(answers[2].error_message.as_ref().unwrap().contains('h'));

    let classic = DescribeGroupsRequest { groups: vec![text("g")], ..DescribeGroupsRequest::default() };
    let dead = &house.ask(5, &classic).groups[0];
    assert_eq!((dead.error_code, dead.group_state.as_str()), (0, "Dead"));
    assert_eq!(house.ask(6, &classic).groups[0].error_code, GROUP_ID_NOT_FOUND);
}

#[test]
fn lists_tell_consumer_groups_from_classic_ones() {
    let (house, _) = house(&[]);
    house.ask(1, &join("a"));
    assert_eq!(house.ask(8, &commit("classic", "", -1)).topics[0].partitions[0].error_code, 0);
    let list = |types: &[&str], states: &[&str]| {
        let words = |words: &[&str]| words.iter().map(|word| text(word)).collect();
        let request = ListGroupsRequest { types_filter: words(types), states_filter: words(states) };
        let groups = house.ask(5, &request).groups;
        let group = |group: &wire::messages::list_groups::ListedGroup| {
            [&group.group_id, &group.protocol_type, &group.group_state, &group.group_type]
                .map(|word| word.to_string())
                .join(" ")
        };
        groups.iter().map(group).collect::<Vec<_>>()
    };
    assert_eq!(list(&["consumer"], &[]), ["g consumer Stable consumer"]);
    assert_eq!(list(&["Consumer"], &["stable"]), ["g consumer Stable consumer"]);
    assert_eq!(list(&["consumer"], &["Empty"]), Vec::<String>::new());
    assert_eq!(list(&["classic"], &[]), ["classic  Empty classic"]);
    house.ask(1, &beat("a", -1));
    assert_eq!(list(&["consumer"], &[]), ["g consumer Empty consumer"]);
}

fn commit(group: &str, member: &str, epoch: i32) -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: text(group),
        member_id: text(member),
        generation_id_or_member_epoch: epoch,
        topics: vec![OffsetCommitRequestTopic {
            name: text("t"),
            partitions: vec![OffsetCommitRequestPartition {
                partition_index: 0,
                committed_offset: 7,
                ..OffsetCommitRequestPartition::default()
            }],
            ..OffsetCommitRequestTopic::default()
        }],
        ..OffsetCommitRequest::default()
    }
}

#[test]
fn offsets_are_committed_and_fetched_in_the_members_epoch() {
    let (house, _) = house(&[]);
    house.ask(1, &join("a"));
    let committed = |version, request: &OffsetCommitRequest| {
        house.ask(version, request).topics[0].partitions[0].error_code
    };
    assert_eq!(committed(9, &commit("g", "a", 1)), 0);
    assert_eq!(committed(9, &commit("g", "a", 0)), STALE_MEMBER_EPOCH);
    assert_eq!(committed(9, &commit("g", "b", 1)), UNKNOWN_MEMBER_ID);
    assert_eq!(committed(8, &commit("g", "a", 1)), UNSUPPORTED_VERSION);
    assert_eq!(committed(9, &commit("g", "", -1)), UNKNOWN_MEMBER_ID, "the group has members");
    let fetched = |member: Option<&str>, member_epoch| {
        let group = OffsetFetchRequestGroup {
            group_id: text("g"),
            member_id: member.map(text),
            member_epoch,
            topics: None,
        };
        let request = OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() };
        let group = house.ask(9, &request).groups.remove(0);
        let offset = group.topics.first().map(|topic| topic.partitions[0].committed_offset);
        (group.error_code, offset)
    };
    assert_eq!(fetched(Some("a"), 1), (0, Some(7)));
    assert_eq!(fetched(None, -1), (0, Some(7)), "whoever is in no group may look");
    assert_eq!(fetched(Some("a"), 2), (STALE_MEMBER_EPOCH, None));
    assert_eq!(fetched(Some("b"), 1), (UNKNOWN_MEMBER_ID, None));
}

#[test]
fn it_can_be_switched_off() {
    let (house, _) = house(&[("group.coordinator.rebalance.protocols", "classic")]);
    assert_eq!(house.ask(1, &join("a")).error_code, UNSUPPORTED_VERSION);
    assert_eq!(described(&house).error_code, UNSUPPORTED_VERSION);
}

#[test]
fn the_cluster_has_to_have_agreed_on_it() {
    let (house, _) = house(&[]);
    let agree = |level| {
        let update = FeatureUpdateKey {
            feature: text("group.version"),
            max_version_level: level,
            upgrade_type: if level == 0 { 2 } else { 1 },
            allow_downgrade: false,
        };
        let request = UpdateFeaturesRequest {
            timeout_ms: 20_000,
            feature_updates: vec![update],
            ..UpdateFeaturesRequest::default()
        };
        let answer = house.ask(1, &request);
        assert_eq!(answer.error_code, 0, "{:?}", answer.error_message);
    };
    agree(0);
    assert_eq!(house.ask(1, &join("a")).error_code, UNSUPPORTED_VERSION);
    agree(1);
    assert_eq!(house.ask(1, &join("a")).error_code, 0);
}

/// Configurations of the resource type GROUP: the next heartbeat follows them.
#[test]
fn a_group_may_have_its_own_times() {
    use wire::messages::incremental_alter_configs::{
        AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
    };
    let (house, _) = house(&[]);
    house.ask(1, &join("a"));
    let change = AlterableConfig {
        name: text("consumer.heartbeat.interval.ms"),
        config_operation: 0,
        value: Some(text("7000")),
    };
    let resource =
        AlterConfigsResource { resource_type: 32, resource_name: text("g"), configs: vec![change] };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    let answer = house.ask(1, &request);
    assert_eq!(answer.responses[0].error_code, 0, "{:?}", answer.responses[0].error_message);
    assert_eq!(house.ask(1, &beat("a", 1)).heartbeat_interval_ms, 7_000);
    let other = ConsumerGroupHeartbeatRequest { group_id: text("other"), ..join("a") };
    assert_eq!(house.ask(1, &other).heartbeat_interval_ms, 5_000);
}

#[test]
fn the_broker_says_which_assignors_there_are_and_how_often_to_come() {
    let (house, _) =
        house(&[("group.consumer.assignors", "range"), ("group.consumer.heartbeat.interval.ms", "7000")]);
    let asks =
        |assignor| ConsumerGroupHeartbeatRequest { server_assignor: Some(text(assignor)), ..join("b") };
    assert_eq!(house.ask(1, &asks("uniform")).error_code, UNSUPPORTED_ASSIGNOR);
    let joined = house.ask(1, &join("a"));
    assert_eq!((joined.error_code, joined.heartbeat_interval_ms), (0, 7_000));
    assert_eq!(described(&house).assignor_name.as_str(), "range", "the first one is for who asks for none");
    assert_eq!(house.ask(1, &asks("range")).error_code, 0);
}
