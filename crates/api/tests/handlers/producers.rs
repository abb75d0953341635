use base::Uuid;
use wire::messages::describe_producers::{DescribeProducersRequest, TopicRequest};
use wire::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use wire::messages::offset_for_leader_epoch::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};

use crate::house::{House, NOW, batch, signed, text};

fn idempotent() -> InitProducerIdRequest {
    InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: 60_000,
        ..InitProducerIdRequest::default()
    }
}

fn refused(code: i16) -> InitProducerIdResponse {
    InitProducerIdResponse {
        error_code: code,
        producer_id: -1,
        producer_epoch: -1,
        ..InitProducerIdResponse::default()
    }
}

#[test]
fn every_producer_gets_an_id_of_its_own() {
    let house = House::new();
    let mut ids: Vec<i64> = (0..1200)
        .map(|nth| {
            let response = house.ask(nth % 6, &idempotent());
            assert_eq!((response.error_code, response.producer_epoch), (0, 0));
            response.producer_id
        })
        .collect();
    assert!(ids.iter().all(|id| *id >= 0));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1200);
}

#[test]
fn an_id_in_the_request_is_not_taken_over() {
    let house = House::new();
    let first = house.ask(5, &idempotent()).producer_id;
    let again = InitProducerIdRequest { producer_id: first, producer_epoch: 3, ..idempotent() };
    let second = house.ask(5, &again);
    assert_ne!(second.producer_id, first);
    assert_eq!(second.producer_epoch, 0);
    for (producer_id, producer_epoch) in [(3, -1), (-1, 3)] {
        let half = InitProducerIdRequest { producer_id, producer_epoch, ..idempotent() };
        assert_eq!(house.ask(4, &half), refused(42));
    }
}

#[test]
fn a_transactional_id_is_refused_for_good() {
    let house = House::new();
    for version in 0..=5 {
        let named = InitProducerIdRequest { transactional_id: Some(text("tx")), ..idempotent() };
        assert_eq!(house.ask(version, &named), refused(53));
        let unnamed = InitProducerIdRequest { transactional_id: Some(text("")), ..idempotent() };
        assert_eq!(house.ask(version, &unnamed), refused(42));
    }
}

#[test]
fn a_partition_tells_of_its_producers() {
    let house = House::new();
    house.create("t", 2, &[]);
    house.send("t", signed(7, 2, 0, &["a", "b"]));
    house.send("t", signed(3, 0, 10, &["a"]));
    house.send("t", batch(&["nobody's"]));
    let request = DescribeProducersRequest {
        topics: vec![
            TopicRequest { name: text("t"), partition_indexes: vec![0, 1, 9, 0] },
            TopicRequest { name: text("nope"), partition_indexes: vec![0] },
            TopicRequest { name: text("bad name"), partition_indexes: vec![0] },
            TopicRequest { name: text(""), partition_indexes: Vec::new() },
        ],
    };
    let response = house.ask(0, &request);
    let codes: Vec<Vec<_>> = response
        .topics
        .iter()
        .map(|topic| topic.partitions.iter().map(|one| (one.partition_index, one.error_code)).collect())
        .collect();
    assert_eq!(codes, [vec![(0, 0), (1, 0), (9, 3), (0, 42)], vec![(0, 3)], vec![(0, 17)], vec![]]);
    let mut producers = response.topics[0].partitions[0].active_producers.clone();
    producers.sort_by_key(|producer| producer.producer_id);
    let told: Vec<_> = producers
        .iter()
        .map(|one| {
            assert_eq!((one.coordinator_epoch, one.current_txn_start_offset), (-1, -1));
            (one.producer_id, one.producer_epoch, one.last_sequence, one.last_timestamp)
        })
        .collect();
    assert_eq!(told, [(3, 0, 10, NOW.0), (7, 2, 1, NOW.0)]);
    assert!(response.topics[0].partitions[1].active_producers.is_empty());
    assert!(response.topics[1].partitions[0].error_message.is_some());
}

#[test]
fn where_a_leader_epoch_ends() {
    let house = House::new();
    let id = house.create("t", 2, &[]);
    assert_ne!(id, Uuid::nil());
    house.send("t", batch(&["a", "b"]));
    let ask = |topic: &str, partitions: &[(i32, i32, i32)]| {
        let request = OffsetForLeaderEpochRequest {
            topics: vec![OffsetForLeaderTopic {
                topic: text(topic),
                partitions: partitions
                    .iter()
                    .map(|&(partition, leader_epoch, current_leader_epoch)| OffsetForLeaderPartition {
                        partition,
                        current_leader_epoch,
                        leader_epoch,
                    })
                    .collect(),
            }],
            ..OffsetForLeaderEpochRequest::default()
        };
        for version in 2..=3 {
            assert_eq!(house.ask(version, &request).topics, house.ask(4, &request).topics);
        }
        let mut response = house.ask(4, &request);
        let ends = response.topics.remove(0).partitions;
        ends.iter()
            .map(|end| (end.partition, end.error_code, end.leader_epoch, end.end_offset))
            .collect::<Vec<_>>()
    };
    assert_eq!(ask("t", &[(0, 0, -1), (0, 0, 0)]), [(0, 0, 0, 2), (0, 0, 0, 2)]);
    assert_eq!(ask("t", &[(1, 0, -1)]), [(1, 0, 0, 0)], "an empty log has its leader's epoch");
    assert_eq!(ask("t", &[(0, 5, -1), (0, -1, -1)]), [(0, 0, -1, -1), (0, 0, -1, -1)]);
    assert_eq!(ask("t", &[(0, 0, 3), (9, 0, -1)]), [(0, 75, -1, -1), (9, 3, -1, -1)]);
    assert_eq!(ask("nope", &[(0, 0, -1)]), [(0, 3, -1, -1)]);
}
