use api::Pending;
use wire::messages::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};

use crate::house::{House, batch, fetch_request, signed, text};

fn request(topics: &[(&str, &[(i32, i64)])]) -> DeleteRecordsRequest {
    let topic = |(name, partitions): &(&str, &[(i32, i64)])| DeleteRecordsTopic {
        name: text(name),
        partitions: partitions
            .iter()
            .map(|&(partition_index, offset)| DeleteRecordsPartition { partition_index, offset })
            .collect(),
    };
    // There are no other replicas to wait for, and so no time is too short.
    DeleteRecordsRequest { topics: topics.iter().map(topic).collect(), timeout_ms: 0 }
}

/// Of a partition: index, low watermark and code.
type Seen = (i32, i64, i16);

/// Topic, and of its partitions index, low watermark and code.
fn ask(house: &House, version: i16, topics: &[(&str, &[(i32, i64)])]) -> Vec<(String, Vec<Seen>)> {
    let response = house.ask(version, &request(topics));
    let topic = |topic: &wire::messages::delete_records::DeleteRecordsTopicResult| {
        let partitions = topic.partitions.iter();
        let seen = partitions.map(|one| (one.partition_index, one.low_watermark, one.error_code)).collect();
        (topic.name.to_string(), seen)
    };
    response.topics.iter().map(topic).collect()
}

fn one(house: &House, topic: &str, offset: i64) -> (i64, i16) {
    let (_, partitions) = ask(house, 2, &[(topic, &[(0, offset)])]).remove(0);
    (partitions[0].1, partitions[0].2)
}

/// Six records in partition 0 of the topic `t`, two to a batch.
fn filled() -> House {
    let house = House::new();
    house.create("t", 2, &[]);
    for sequence in [0, 2, 4] {
        house.send("t", signed(7, 0, sequence, &["a", "b"]));
    }
    house
}

#[test]
fn records_below_the_offset_are_gone() {
    for version in 0..=2 {
        let house = filled();
        assert_eq!(ask(&house, version, &[("t", &[(0, 3)])]), [("t".to_owned(), vec![(0, 3, 0)])]);
        assert_eq!(house.read("t", 2).error_code, 1, "OFFSET_OUT_OF_RANGE");
        let left = house.read("t", 3);
        assert_eq!((left.error_code, left.log_start_offset, left.high_watermark), (0, 3, 6));
        let earliest = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: text("t"),
                partitions: vec![ListOffsetsPartition { timestamp: -2, ..ListOffsetsPartition::default() }],
            }],
            ..ListOffsetsRequest::default()
        };
        assert_eq!(house.ask(7, &earliest).topics[0].partitions[0].offset, 3);
        assert_eq!(house.send("t", batch(&["c"])).log_start_offset, 3);
    }
}

#[test]
fn the_log_start_never_moves_back_and_reaches_the_high_watermark() {
    let house = filled();
    assert_eq!(one(&house, "t", 4), (4, 0));
    assert_eq!(one(&house, "t", 0), (4, 0), "what is below is gone already");
    assert_eq!(one(&house, "t", 7), (-1, 1));
    assert_eq!(one(&house, "t", -2), (-1, 1));
    assert_eq!(one(&house, "t", -1), (6, 0), "all of it");
    assert_eq!(one(&house, "t", -1), (6, 0));
    let empty = house.read("t", 6);
    assert_eq!((empty.error_code, empty.log_start_offset, empty.last_stable_offset), (0, 6, 6));
}

#[test]
fn a_producer_is_not_forgotten_with_its_records() {
    let house = filled();
    assert_eq!(one(&house, "t", -1), (6, 0));
    let retried = house.send("t", signed(7, 0, 4, &["a", "b"]));
    assert_eq!((retried.error_code, retried.base_offset), (0, 4));
    assert_eq!(house.send("t", signed(7, 0, 9, &["a"])).error_code, 45);
    assert_eq!(house.send("t", signed(7, 0, 6, &["a"])).base_offset, 6);
}

#[test]
fn each_partition_stands_or_falls_alone() {
    let house = filled();
    house.create("compacted", 1, &[("cleanup.policy", "compact")]);
    house.create("both", 1, &[("cleanup.policy", "compact,delete")]);
    house.create("__consumer_offsets", 1, &[]);
    let asked: &[(&str, &[(i32, i64)])] = &[
        ("nowhere", &[(0, 0)]),
        ("compacted", &[(0, 99)]),
        ("t", &[(1, 1), (0, 1), (2, 0), (-1, 0)]),
        ("__consumer_offsets", &[(0, 0), (1, 0)]),
        ("both", &[(0, 0)]),
        ("t", &[]),
        ("compacted", &[]),
    ];
    let named = |name: &str, partitions: &[(i32, i64, i16)]| (name.to_owned(), partitions.to_vec());
    assert_eq!(
        ask(&house, 1, asked),
        [
            named("nowhere", &[(0, -1, 3)]),
            named("compacted", &[(0, -1, 44)]),
            named("t", &[(1, -1, 1), (0, 1, 0), (2, -1, 3), (-1, -1, 3)]),
            named("__consumer_offsets", &[(0, -1, 17), (1, -1, 3)]),
            named("both", &[(0, 0, 0)]),
        ]
    );
}

#[test]
fn of_a_partition_named_twice_the_last_offset_counts() {
    let house = filled();
    let answer = ask(&house, 2, &[("t", &[(0, 5), (0, 9)]), ("none", &[(0, 0)]), ("t", &[(0, 2), (1, 0)])]);
    assert_eq!(answer, [("t".to_owned(), vec![(0, 2, 0), (1, 0, 0)]), ("none".to_owned(), vec![(0, -1, 3)])]);
}

/// The next request of a connection is begun before this one's answer is ready, and sees it all the same.
#[test]
fn the_next_request_sees_it() {
    let house = filled();
    let deletion = house.begin(2, &request(&[("t", &[(0, 3)])]));
    assert!(matches!(deletion, Pending::Later(_)), "the answer waits for the disk");
    assert_eq!(house.read("t", 2).error_code, 1);
    house.end(deletion).unwrap();
}

#[test]
fn a_fetch_that_waits_at_the_end_waits_on() {
    let house = filled();
    let mut waiting = fetch_request("t", &[(0, 6)]);
    waiting.max_wait_ms = 20_000;
    let Pending::Later(mut fetch) = house.begin(12, &waiting) else { panic!("there is nothing to read yet") };
    assert_eq!(one(&house, "t", -1), (6, 0));
    let woken = house.runtime.block_on(async {
        tokio::select! {
            biased;
            _ = &mut fetch => true,
            () = std::future::ready(()) => false,
        }
    });
    assert!(!woken, "a deletion is nothing to read");
    house.send("t", batch(&["c"]));
    let reply = house.end(Pending::Later(fetch)).unwrap();
    let answer = house.decode::<wire::messages::fetch::FetchRequest>(12, reply);
    let partition = &answer.responses[0].partitions[0];
    assert_eq!((partition.error_code, partition.high_watermark, partition.log_start_offset), (0, 7, 6));
}
