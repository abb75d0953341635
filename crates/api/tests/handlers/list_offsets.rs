use base::Millis;
use wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopic,
};

use crate::house::{House, batch_at, text};

fn request(topic: &str, partitions: &[(i32, i64)]) -> ListOffsetsRequest {
    ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic {
            name: text(topic),
            partitions: partitions
                .iter()
                .map(|&(partition_index, timestamp)| ListOffsetsPartition {
                    partition_index,
                    timestamp,
                    ..ListOffsetsPartition::default()
                })
                .collect(),
        }],
        ..ListOffsetsRequest::default()
    }
}

/// Index, code, timestamp, offset, leader epoch.
fn found(response: &ListOffsetsResponse) -> Vec<(i32, i16, i64, i64, i32)> {
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    partitions
        .map(|one| (one.partition_index, one.error_code, one.timestamp, one.offset, one.leader_epoch))
        .collect()
}

/// Partition 0: records of 1000, 1000, 1010, 1010 ... 1040, 1040 at offsets 0 to 9. Partition 1: nothing.
fn filled() -> House {
    let house = House::new();
    house.create("t", 2, &[]);
    for nth in 0..5 {
        house.send("t", batch_at(Millis(1000 + 10 * nth), &["a", "b"]));
    }
    house
}

#[test]
fn the_ends_of_a_partition() {
    let house = filled();
    for version in 1..=10 {
        let epoch = if version >= 4 { 0 } else { -1 };
        let ask = |timestamp| found(&house.ask(version, &request("t", &[(0, timestamp), (1, timestamp)])));
        assert_eq!(ask(-1), [(0, 0, -1, 10, epoch), (1, 0, -1, 0, epoch)], "version {version}");
        assert_eq!(ask(-2), [(0, 0, -1, 0, epoch), (1, 0, -1, 0, epoch)], "version {version}");
    }
}

#[test]
fn times_that_came_with_later_versions() {
    let house = filled();
    let ask = |version, timestamp| {
        let found = found(&house.ask(version, &request("t", &[(0, timestamp), (1, timestamp)])));
        (found[0], found[1])
    };
    let nothing = |index| (index, 0, -1, -1, -1);
    let refused = |index| (index, 35, -1, -1, -1);
    for (timestamp, since, in_0, in_1) in [
        (-3, 7, (0, 0, 1040, 8, 0), nothing(1)),
        (-4, 8, (0, 0, -1, 0, 0), (1, 0, -1, 0, 0)),
        (-5, 9, nothing(0), nothing(1)),
        (-6, 11, refused(0), refused(1)),
        (i64::MIN, 11, refused(0), refused(1)),
    ] {
        for version in 4..=10 {
            let expected = if version >= since { (in_0, in_1) } else { (refused(0), refused(1)) };
            assert_eq!(ask(version, timestamp), expected, "time {timestamp}, version {version}");
        }
    }
}

#[test]
fn the_first_record_that_is_not_older() {
    let house = filled();
    for (timestamp, expected) in [
        (0, (0, 0, 1000, 0, 0)),
        (1000, (0, 0, 1000, 0, 0)),
        (1001, (0, 0, 1010, 2, 0)),
        (1040, (0, 0, 1040, 8, 0)),
        (1041, (0, 0, -1, -1, -1)),
        (i64::MAX, (0, 0, -1, -1, -1)),
    ] {
        assert_eq!(found(&house.ask(10, &request("t", &[(0, timestamp)]))), [expected], "time {timestamp}");
    }
    assert_eq!(found(&house.ask(10, &request("t", &[(1, 5)]))), [(1, 0, -1, -1, -1)]);
    assert_eq!(found(&house.ask(1, &request("t", &[(0, 1001)]))), [(0, 0, 1010, 2, -1)]);
}

#[test]
fn what_cannot_be_asked() {
    let house = filled();
    let ask = |request: &ListOffsetsRequest| found(&house.ask(10, request));
    assert_eq!(ask(&request("t", &[(9, -1), (-1, -1)])), [(9, 3, -1, -1, -1), (-1, 3, -1, -1, -1)]);
    assert_eq!(ask(&request("nope", &[(0, -1)])), [(0, 3, -1, -1, -1)]);
    let twice = request("t", &[(0, -1), (1, -1), (0, -2)]);
    assert_eq!(ask(&twice), [(0, 42, -1, -1, -1), (1, 0, -1, 0, 0)]);
    let mut apart = request("t", &[(0, -1)]);
    apart.topics.push(apart.topics[0].clone());
    assert_eq!(ask(&apart), [(0, 42, -1, -1, -1), (0, 42, -1, -1, -1)]);
    for (epoch, code) in [(0, 0), (5, 75)] {
        let mut known = request("t", &[(0, -2)]);
        known.topics[0].partitions[0].current_leader_epoch = epoch;
        assert_eq!(ask(&known)[0].1, code);
    }
    let odd = ListOffsetsRequest { isolation_level: 9, ..request("t", &[(0, -1)]) };
    assert_eq!(ask(&odd), [(0, 42, -1, -1, -1)]);
    assert_eq!(ask(&ListOffsetsRequest::default()), []);
}

#[test]
fn who_asks_makes_no_difference_when_all_is_flushed() {
    let house = filled();
    for (replica_id, isolation_level) in [(-1, 0), (-1, 1), (-2, 0), (3, 0)] {
        let of =
            |timestamp| ListOffsetsRequest { replica_id, isolation_level, ..request("t", &[(0, timestamp)]) };
        assert_eq!(found(&house.ask(10, &of(-1))), [(0, 0, -1, 10, 0)]);
        assert_eq!(found(&house.ask(10, &of(-3))), [(0, 0, 1040, 8, 0)]);
        assert_eq!(found(&house.ask(10, &of(1020))), [(0, 0, 1020, 4, 0)]);
    }
}
