use api::CloseReason;
use wire::StrBytes;
use wire::messages::consumer_group_describe::ConsumerGroupDescribeRequest;
use wire::messages::delete_groups::DeleteGroupsRequest;
use wire::messages::describe_groups::DescribeGroupsRequest;
use wire::messages::find_coordinator::FindCoordinatorRequest;
use wire::messages::list_groups::ListGroupsRequest;
use wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics};

use crate::house::{House, text};

const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const INVALID_REQUEST: i16 = 42;
const METADATA_TOO_LARGE: i16 = 12;
const GROUP_ID_NOT_FOUND: i16 = 69;

/// With a topic `t` of two partitions, and a coordinator.
fn house() -> House {
    let house = House::with(&[
        ("offsets.topic.num.partitions", "1"),
        ("offset.metadata.max.bytes", "4"),
        // A commit has to fit a batch.
        ("message.max.bytes", "10000000"),
    ]);
    house.create("t", 2, &[]);
    let find = FindCoordinatorRequest {
        key_type: 0,
        coordinator_keys: vec![text("g")],
        ..FindCoordinatorRequest::default()
    };
    assert_eq!(house.ask(4, &find).coordinators[0].error_code, 0);
    house
}

/// Partition, offset and metadata.
type Commit<'a> = (i32, i64, &'a str);

/// A commit of a consumer without a group.
fn commit(topics: &[(&str, &[Commit<'_>])]) -> OffsetCommitRequest {
    let topic = |(name, partitions): &(&str, &[Commit<'_>])| OffsetCommitRequestTopic {
        name: text(name),
        partitions: partitions
            .iter()
            .map(|&(partition_index, committed_offset, metadata)| OffsetCommitRequestPartition {
                partition_index,
                committed_offset,
                committed_metadata: Some(text(metadata)),
                ..OffsetCommitRequestPartition::default()
            })
            .collect(),
        ..OffsetCommitRequestTopic::default()
    };
    OffsetCommitRequest {
        group_id: text("g"),
        generation_id_or_member_epoch: -1,
        topics: topics.iter().map(topic).collect(),
        ..OffsetCommitRequest::default()
    }
}

/// The answer: of each topic, partition and code.
fn codes(house: &House, request: &OffsetCommitRequest) -> Vec<(String, Vec<(i32, i16)>)> {
    let topics = house.ask(8, request).topics;
    let topic = |topic: &wire::messages::offset_commit::OffsetCommitResponseTopic| {
        let partitions = topic.partitions.iter();
        (topic.name.to_string(), partitions.map(|one| (one.partition_index, one.error_code)).collect())
    };
    topics.iter().map(topic).collect()
}

/// Partition, offset and metadata of what is stored for `t`.
fn stored(house: &House) -> Vec<(i32, i64, String)> {
    let group =
        OffsetFetchRequestGroup { group_id: text("g"), topics: None, ..OffsetFetchRequestGroup::default() };
    let fetch = OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() };
    let mut groups = house.ask(8, &fetch).groups;
    let topics = groups.remove(0).topics;
    let partitions = topics.iter().flat_map(|topic| &topic.partitions);
    partitions
        .map(|one| (one.partition_index, one.committed_offset, one.metadata.as_ref().unwrap().to_string()))
        .collect()
}

#[test]
fn each_partition_of_a_commit_has_its_own_answer() {
    let house = house();
    let request = commit(&[
        ("t", &[(1, 10, "long metadata"), (2, 1, ""), (0, -7, "m"), (-1, 1, ""), (1, 11, "")]),
        ("gone", &[(0, 1, "")]),
        ("t", &[(1, 12, "n")]),
    ]);
    let unknown = UNKNOWN_TOPIC_OR_PARTITION;
    let expected = [
        ("t".to_owned(), vec![(1, METADATA_TOO_LARGE), (2, unknown), (0, 0), (-1, unknown), (1, 0)]),
        ("gone".to_owned(), vec![(0, unknown)]),
        ("t".to_owned(), vec![(1, 0)]),
    ];
    assert_eq!(codes(&house, &request), expected);
    assert_eq!(stored(&house), [(0, -7, "m".to_owned()), (1, 12, "n".to_owned())]);
}

/// With a look through the whole answer for each partition this test would take minutes.
#[test]
fn a_commit_that_names_a_partition_very_often_is_answered() {
    let house = house();
    let often: Vec<_> = (0..50_000).map(|offset| (1, offset, "")).collect();
    let answered = codes(&house, &commit(&[("t", &often)]));
    assert_eq!(answered[0].1.len(), often.len());
    assert!(answered[0].1.iter().all(|answer| *answer == (1, 0)));
    assert_eq!(stored(&house), [(1, 49_999, String::new())]);
}

/// The same for groups that are deleted, and for offsets.
#[test]
fn long_lists_of_what_is_to_go_are_answered() {
    let house = house();
    codes(&house, &commit(&[("t", &[(0, 1, ""), (1, 1, "")])]));
    let topics = (0..30_000).map(|place| OffsetDeleteRequestTopic {
        name: if place == 20_000 { text("t") } else { text(&format!("no-{place}")) },
        partitions: vec![OffsetDeleteRequestPartition { partition_index: 1 }],
    });
    let delete = OffsetDeleteRequest { group_id: text("g"), topics: topics.collect() };
    let deleted = house.ask(0, &delete);
    assert_eq!((deleted.error_code, deleted.topics.len()), (0, 30_000));
    let done: Vec<_> = deleted.topics.iter().filter(|topic| topic.partitions[0].error_code == 0).collect();
    assert_eq!(done.iter().map(|topic| topic.name.as_str()).collect::<Vec<_>>(), ["t"]);
    assert_eq!(stored(&house), [(0, 1, String::new())]);

    let names = (0..30_000).map(|place| text(&format!("no-{place}")));
    let groups_names = names.chain([text("g"), text("no-1")]).collect();
    let results = house.ask(2, &DeleteGroupsRequest { groups_names }).results;
    assert_eq!(results.len(), 30_001, "a name that stands twice is answered once");
    assert_eq!((results[1].error_code, results[30_000].error_code), (GROUP_ID_NOT_FOUND, 0));
    assert_eq!(stored(&house), []);
}

/// Each answer may be a thousand times as long as what asks for it.
#[test]
fn what_is_asked_for_again_and_again_is_refused() {
    let house = house();
    codes(&house, &commit(&[("t", &[(0, 1, "m"), (1, 2, "m")])]));
    let asked = |partitions: &[i32], name: &str| OffsetFetchRequestTopics {
        name: text(name),
        partition_indexes: partitions.to_vec(),
        ..OffsetFetchRequestTopics::default()
    };
    let group = |topics| OffsetFetchRequestGroup {
        group_id: text("g"),
        topics,
        ..OffsetFetchRequestGroup::default()
    };
    let fetch = |groups| {
        let fetched = house.ask(8, &OffsetFetchRequest { groups, ..OffsetFetchRequest::default() }).groups;
        fetched.iter().map(|group| (group.error_code, group.topics.len())).collect::<Vec<_>>()
    };
    let refused = (INVALID_REQUEST, 0);
    let often = fetch(vec![group(None); 20]);
    assert_eq!((often[..17].to_vec(), often[17..].to_vec()), (vec![(0, 1); 17], vec![refused; 3]));
    assert_eq!(fetch(vec![group(Some(vec![asked(&[0, 1, 0], "t")]))]), [(0, 1)]);
    assert_eq!(fetch(vec![group(Some(vec![asked(&[0; 2_000], "t")]))]), [refused]);
    assert_eq!(fetch(vec![group(Some(vec![asked(&[0], "t"); 2_000]))]), [refused]);
    assert_eq!(fetch(vec![group(Some(vec![asked(&[0], "t"), asked(&[0], "u"), asked(&[1], "t")]))])[0].0, 0);
    let groups = [vec![text("other")], vec![text("g"); 20]].concat();
    let described =
        house.ask(5, &DescribeGroupsRequest { groups, ..DescribeGroupsRequest::default() }).groups;
    let codes: Vec<_> =
        described.iter().map(|group| (group.error_code, group.group_state.as_str())).collect();
    let expected = [vec![(0, "Dead")], vec![(0, "Empty"); 17], vec![(INVALID_REQUEST, ""); 3]].concat();
    assert_eq!(codes, expected);

    let group_ids = vec![text("g"); 20];
    let request = ConsumerGroupDescribeRequest { group_ids, ..ConsumerGroupDescribeRequest::default() };
    let described = house.ask(1, &request).groups;
    let codes: Vec<_> = described.iter().map(|group| group.error_code).collect();
    assert_eq!(codes, [vec![GROUP_ID_NOT_FOUND; 17], vec![INVALID_REQUEST; 3]].concat());

    // A filter of a million words is looked through once, not for each group.
    let list = |states: Vec<StrBytes>| {
        let list = ListGroupsRequest { states_filter: states, ..ListGroupsRequest::default() };
        house.ask(4, &list).groups.len()
    };
    assert_eq!((list(vec![text("no such state"); 200_000]), list(vec![text(" empty "); 200_000])), (0, 1));
    assert_eq!(list(vec![text("stable"), text("Empty")]), 1);
}

/// Each name costs a hundred times what it takes in the request.
#[test]
fn who_names_more_groups_than_a_request_may_is_cut_off() {
    let house = house();
    let names = |count: usize| vec![text("g"); count];
    let find = |count| FindCoordinatorRequest {
        coordinator_keys: names(count),
        ..FindCoordinatorRequest::default()
    };
    assert_eq!(house.ask(4, &find(100_000)).coordinators.len(), 100_000);

    let too_many = || names(100_001);
    let group = OffsetFetchRequestGroup { group_id: text("g"), ..OffsetFetchRequestGroup::default() };
    let fetch = OffsetFetchRequest { groups: vec![group; 100_001], ..OffsetFetchRequest::default() };
    let describe = DescribeGroupsRequest { groups: too_many(), ..DescribeGroupsRequest::default() };
    let describe_new =
        ConsumerGroupDescribeRequest { group_ids: too_many(), ..ConsumerGroupDescribeRequest::default() };
    for pending in [
        house.begin(4, &find(100_001)),
        house.begin(8, &fetch),
        house.begin(6, &describe),
        house.begin(1, &describe_new),
        house.begin(2, &DeleteGroupsRequest { groups_names: too_many() }),
    ] {
        let closed = house.end(pending).unwrap_err();
        assert!(matches!(closed, CloseReason::TooManyGroups { named: 100_001, .. }), "{closed}");
    }
}
