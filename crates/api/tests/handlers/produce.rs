use api::{CloseReason, Code, Pending};
use base::{Millis, Offset, PartitionIndex, ProducerEpoch, ProducerId, Sequence, Uuid};
use bytes::Bytes;
use records::{BatchBuilder, BatchHeader, seal};
use wire::Payload;
use wire::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData,
};

use crate::house::{House, NOW, batch, batch_at, batch_of, produce_request, signed};

/// Code, base offset and log start.
fn told(answer: &PartitionProduceResponse) -> (i16, i64, i64) {
    (answer.error_code, answer.base_offset, answer.log_start_offset)
}

fn answers(response: &ProduceResponse) -> Vec<(i32, i16, i64)> {
    response
        .responses
        .iter()
        .flat_map(|topic| &topic.partition_responses)
        .map(|one| (one.index, one.error_code, one.base_offset))
        .collect()
}

fn log_end(house: &House, topic: &str, index: i32) -> i64 {
    let id = house.catalog.topics().by_name(topic).unwrap().id;
    house.catalog.partition(id, PartitionIndex(index)).unwrap().marks().log_end.0
}

/// The batch with another header and a CRC that fits.
fn with_header(batch: &Bytes, change: impl FnOnce(&mut BatchHeader)) -> Bytes {
    let mut header = BatchHeader::parse(batch).unwrap();
    change(&mut header);
    seal(&header, &batch[61..])
}

#[test]
fn each_version_answers_with_its_fields() {
    let house = House::new();
    let id = house.create("t", 1, &[]);
    for version in 3..=13 {
        let mut request = produce_request("t", &[(0, batch(&["a", "b"]))]);
        request.topic_data[0].topic_id = id;
        let response = house.ask(version, &request);
        let topic = &response.responses[0];
        assert_eq!((&*topic.name == "t", topic.topic_id == id), (version <= 12, version >= 13));
        let answer = &topic.partition_responses[0];
        let log_start = if version >= 5 { 0 } else { -1 };
        assert_eq!(told(answer), (0, i64::from(version - 3) * 2, log_start), "version {version}");
        assert_eq!(answer.log_append_time_ms, -1);
        assert!(answer.error_message.is_none() && answer.record_errors.is_empty());
    }
    assert_eq!(log_end(&house, "t", 0), 22);
}

#[test]
fn topics_and_partitions_that_are_not_there() {
    let house = House::new();
    house.create("t", 1, &[]);
    let response = house.produce(9, "t", &[(0, batch(&["a"])), (9, batch(&["a"])), (-1, batch(&["a"]))]);
    assert_eq!(answers(&response), [(0, 0, 0), (9, 3, -1), (-1, 3, -1)]);
    assert_eq!(answers(&house.produce(9, "nope", &[(0, batch(&["a"]))])), [(0, 3, -1)]);
    for unknown in [Uuid::from_u128(0xff), Uuid::nil()] {
        let mut request = produce_request("", &[(0, batch(&["a"]))]);
        request.topic_data[0].topic_id = unknown;
        assert_eq!(answers(&house.ask(13, &request)), [(0, 100, -1)]);
    }
}

#[test]
fn records_that_are_not_one_batch_of_magic_2() {
    let house = House::new();
    house.create("t", 1, &[]);
    let good = batch(&["a"]);
    let magic = |magic: u8| {
        let mut bytes = good.to_vec();
        bytes[16] = magic;
        Bytes::from(bytes)
    };
    let two = Bytes::from([&good[..], &good[..]].concat());
    for (records, code, what) in [
        (Bytes::new(), 87, "nothing"),
        (good.slice(..30), 87, "less than a header"),
        (good.slice(..good.len() - 1), 87, "less than a batch"),
        (two, 87, "two batches"),
        (magic(0), 87, "magic 0"),
        (magic(1), 87, "magic 1"),
        (magic(3), 2, "magic 3"),
    ] {
        assert_eq!(told(&house.send("t", records)), (code, -1, -1), "{what}");
    }
    let mut null = produce_request("t", &[(0, good.clone())]);
    null.topic_data[0].partition_data[0].records = None;
    assert_eq!(answers(&house.ask(9, &null)), [(0, 87, -1)]);
    assert_eq!(log_end(&house, "t", 0), 0);
    let and_a_part = Bytes::from([&good[..], &good[..20]].concat());
    assert_eq!(told(&house.send("t", and_a_part)), (0, 0, 0), "what follows the batch is cut off");
}

#[test]
fn batches_that_break_a_rule() {
    let house = House::new();
    house.create("t", 1, &[]);
    let good = batch(&["a", "b"]);
    let mut flipped = good.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    for (records, code, log_start, what) in [
        (Bytes::from(flipped), 2, -1, "a bad CRC"),
        (with_header(&good, |header| header.base_offset = Offset(5)), 87, 0, "a base offset"),
        (with_header(&good, |header| header.record_count = 3), 87, 0, "a wrong count"),
        (with_header(&good, |header| header.record_count = 0), 87, 0, "no records"),
        (with_header(&good, |header| header.last_offset_delta = -1), 87, 0, "a negative delta"),
        (with_header(&good, |header| header.attributes.0 |= 0x20), 87, 0, "a control batch"),
        (signed(5, 0, -1, &["a"]), 87, 0, "a producer without a sequence"),
    ] {
        let answer = house.send("t", records);
        assert_eq!(told(&answer), (code, -1, log_start), "{what}");
        assert!(answer.error_message.is_some() && answer.record_errors.is_empty(), "{what}");
    }
    assert_eq!(log_end(&house, "t", 0), 0);
}

#[test]
fn zstd_is_for_version_7() {
    let house = House::new();
    house.create("t", 1, &[]);
    let zstd = batch_of(BatchBuilder::new(Offset(0)).codec(records::Codec::Zstd, None), &["a"], NOW);
    assert_eq!(answers(&house.produce(6, "t", &[(0, zstd.clone())])), [(0, 76, -1)]);
    assert_eq!(answers(&house.produce(7, "t", &[(0, zstd)])), [(0, 0, 0)]);
}

#[test]
fn a_batch_larger_than_the_topic_allows() {
    let house = House::new();
    house.create("t", 1, &[("max.message.bytes", "200")]);
    let long = "x".repeat(300);
    assert_eq!(told(&house.send("t", batch(&[&long]))), (10, -1, -1));
    assert_eq!(told(&house.send("t", batch(&["short"]))), (0, 0, 0));
}

#[test]
fn records_at_fault_are_named() {
    let house = House::new();
    house.create("t", 1, &[]);
    house.create("compact", 1, &[("cleanup.policy", "compact")]);
    let future = batch_at(NOW.plus(7_200_000), &["a", "b"]);
    let answer = house.send("t", future.clone());
    assert_eq!(told(&answer), (32, -1, 0));
    assert_eq!(answer.record_errors.iter().map(|error| error.batch_index).collect::<Vec<_>>(), [0, 1]);
    assert!(answer.record_errors[0].batch_index_error_message.is_some() && answer.error_message.is_some());
    let old = house.produce(7, "t", &[(0, future)]);
    assert_eq!(answers(&old), [(0, 32, -1)]);

    let mut keyless = BatchBuilder::new(Offset(0));
    let record = |key| records::NewRecord { timestamp: NOW, key, value: Some(b"v"), headers: &[] };
    keyless.push(&record(Some(&b"k"[..])));
    keyless.push(&record(None));
    let answer = house.send("compact", keyless.build());
    assert_eq!(told(&answer), (87, -1, 0));
    assert_eq!(answer.record_errors.iter().map(|error| error.batch_index).collect::<Vec<_>>(), [1]);
}

#[test]
fn log_append_time_is_the_clock_of_the_request() {
    let house = House::new();
    house.create("t", 1, &[("message.timestamp.type", "LogAppendTime")]);
    let answer = house.send("t", batch_at(Millis(5), &["a"]));
    assert_eq!((answer.error_code, answer.log_append_time_ms), (0, NOW.0));
}

#[test]
fn a_retry_is_stored_once_and_told_the_first_offset() {
    let house = House::new();
    house.create("t", 1, &[]);
    let ten = |epoch, sequence| signed(5, epoch, sequence, &["v"; 10]);
    assert_eq!(told(&house.send("t", ten(0, 0))), (0, 0, 0));
    let again = house.send("t", ten(0, 0));
    assert_eq!(told(&again), (0, 0, 0));
    assert_eq!(again.log_append_time_ms, NOW.0, "of a retry Kafka tells the batch's own time");
    assert_eq!(log_end(&house, "t", 0), 10);
    for sequence in [10, 20, 30, 40, 50] {
        assert_eq!(house.send("t", ten(0, sequence)).error_code, 0);
    }
    assert_eq!(told(&house.send("t", ten(0, 10))), (0, 10, 0), "the fifth newest is remembered");
    assert_eq!(told(&house.send("t", ten(0, 0))), (45, -1, 0), "the sixth is not");
    assert_eq!(log_end(&house, "t", 0), 60);
}

#[test]
fn sequences_and_epochs_that_do_not_fit_are_explained() {
    let house = House::new();
    house.create("t", 1, &[]);
    assert_eq!(house.send("t", signed(5, 1, 0, &["v"; 10])).error_code, 0);
    for (batch, code, words) in [
        (signed(5, 1, 20, &["v"; 10]), 45, ["producer 5", "20..=29", "expected was 10", "0..=9"]),
        (signed(5, 2, 5, &["v"]), 45, ["producer 5", "5..=5", "expected was 0", "epoch 1"]),
        (signed(5, 0, 10, &["v"]), 47, ["producer 5", "10..=10", "epoch 0", "epoch 1"]),
    ] {
        let answer = house.send("t", batch);
        assert_eq!(told(&answer), (code, -1, 0));
        let message = answer.error_message.unwrap();
        for word in words {
            assert!(message.contains(word), "{word} is missing in: {message}");
        }
    }
    assert_eq!(house.send("t", signed(5, 2, 0, &["v"])).error_code, 0, "a new epoch starts over");
    assert_eq!(
        house.send("t", signed(6, 0, 1234, &["v"])).error_code,
        0,
        "an unknown producer starts anywhere"
    );
    assert_eq!(house.send("t", signed(7, 0, i32::MAX, &["v"])).error_code, 0);
    assert_eq!(house.send("t", signed(7, 0, 0, &["v"])).error_code, 0, "after the largest sequence comes 0");
}

#[test]
fn acks_that_do_not_exist() {
    let house = House::new();
    house.create("t", 2, &[]);
    let mut request = produce_request("t", &[(0, batch(&["a"])), (9, batch(&["a"])), (1, Bytes::new())]);
    for acks in [7, -2, 2] {
        request.acks = acks;
        assert_eq!(answers(&house.ask(9, &request)), [(0, 21, -1), (9, 3, -1), (1, 87, -1)]);
    }
    assert_eq!(log_end(&house, "t", 0), 0);
}

#[test]
fn acks_0_is_silent_and_closes_on_a_failure() {
    let house = House::new();
    house.create("t", 1, &[]);
    let mut request = produce_request("t", &[(0, batch(&["a"]))]);
    request.acks = 0;
    assert!(matches!(house.begin(9, &request), Pending::Silent { .. }));
    assert_eq!(log_end(&house, "t", 0), 1);
    let mut failing = produce_request("t", &[(0, batch(&["a"])), (5, batch(&["a"]))]);
    failing.acks = 0;
    let closed = house.begin(9, &failing);
    let Pending::Close(CloseReason::ProduceFailed { code }) = closed else { panic!("{closed:?}") };
    assert_eq!(code, Code::UnknownTopicOrPartition);
    assert_eq!(log_end(&house, "t", 0), 2, "what could be written was written");
}

#[test]
fn a_transactional_batch_refuses_the_whole_request() {
    let house = House::new();
    house.create("t", 2, &[]);
    let transactional = |id| {
        let builder = BatchBuilder::new(Offset(0)).transactional(true);
        batch_of(builder.producer(ProducerId(id), ProducerEpoch(0), Sequence(0)), &["a"], NOW)
    };
    for transactional_id in [None, Some(wire::StrBytes::from_static("tx"))] {
        let request = ProduceRequest {
            transactional_id,
            ..produce_request("t", &[(0, batch(&["a"])), (1, transactional(5)), (9, batch(&["a"]))])
        };
        for version in [3, 9, 12] {
            assert_eq!(answers(&house.ask(version, &request)), [(0, 53, -1), (1, 53, -1), (9, 53, -1)]);
        }
    }
    assert_eq!((log_end(&house, "t", 0), log_end(&house, "t", 1)), (0, 0));
    let named = ProduceRequest {
        transactional_id: Some(wire::StrBytes::from_static("tx")),
        ..produce_request("t", &[(0, batch(&["a"]))])
    };
    assert_eq!(answers(&house.ask(9, &named)), [(0, 0, 0)], "the name alone harms nobody");
}

#[test]
fn internal_topics_are_for_the_admin_client() {
    let house = House::new();
    house.create("__consumer_offsets", 1, &[]);
    assert_eq!(told(&house.send("__consumer_offsets", batch(&["a"]))), (17, -1, -1));
    let body = wire::to_bytes(&produce_request("__consumer_offsets", &[(0, batch(&["a"]))]), 9).unwrap();
    let mut request = house.request(0, 9, body);
    request.header.client_id = Some(wire::StrBytes::from_static("__admin_client"));
    let reply = house.end(house.broker.begin(request)).unwrap();
    assert_eq!(answers(&house.decode::<ProduceRequest>(9, reply)), [(0, 0, 0)]);
    assert_eq!(told(&house.send("__cluster_metadata", batch(&["a"]))), (3, -1, -1));
}

#[test]
fn a_partition_named_twice_is_refused_and_the_others_are_not() {
    let house = House::new();
    house.create("t", 2, &[]);
    let response = house.produce(9, "t", &[(0, batch(&["a"])), (1, batch(&["b"])), (0, batch(&["c"]))]);
    assert_eq!(answers(&response), [(0, 42, -1), (1, 0, 0), (0, 42, -1)]);
    let mut apart = produce_request("t", &[(0, batch(&["a"]))]);
    apart.topic_data.push(apart.topic_data[0].clone());
    assert_eq!(answers(&house.ask(9, &apart)), [(0, 42, -1), (0, 42, -1)]);
    assert_eq!(log_end(&house, "t", 0), 0);
}

#[test]
fn a_batch_has_its_place_when_begin_returns() {
    let house = House::with(&[("log.flush.interval.messages", "1")]);
    house.create("t", 1, &[]);
    let begun: Vec<_> = (1..=5)
        .map(|place| {
            let pending = house.begin(9, &produce_request("t", &[(0, batch(&["v"]))]));
            assert_eq!(log_end(&house, "t", 0), place);
            pending
        })
        .collect();
    for (place, pending) in (0..).zip(begun).collect::<Vec<_>>().into_iter().rev() {
        let reply = house.end(pending).unwrap();
        assert_eq!(answers(&house.decode::<ProduceRequest>(9, reply)), [(0, 0, place)]);
    }
}

#[test]
fn a_request_without_partitions() {
    let house = House::new();
    assert!(house.ask(9, &ProduceRequest { acks: -1, ..ProduceRequest::default() }).responses.is_empty());
    let empty = ProduceRequest {
        acks: -1,
        topic_data: vec![TopicProduceData::default()],
        ..ProduceRequest::default()
    };
    assert_eq!(answers(&house.ask(9, &empty)), []);
    let odd = ProduceRequest {
        acks: 1,
        topic_data: vec![TopicProduceData {
            partition_data: vec![PartitionProduceData { index: i32::MIN, records: Some(Payload::default()) }],
            ..TopicProduceData::default()
        }],
        ..ProduceRequest::default()
    };
    assert_eq!(answers(&house.ask(9, &odd)), [(i32::MIN, 3, -1)]);
}
