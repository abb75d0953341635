//! A connection with just the requests that these tests need.

use base::{Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use bytes::Bytes;
use records::{BatchBuilder, BatchHeader, NewRecord};
use testkit::broker::{Broker, Launch};
use testkit::raw::RawClient;
use wire::Payload;
use wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use wire::messages::init_producer_id::InitProducerIdRequest;
use wire::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, TopicProduceData,
};

/// The newest version of Produce that names topics.
pub(crate) const PRODUCE: i16 = 12;
pub(crate) const TOPIC: &str = "test";

/// A broker of the binary under test, ready to be started.
pub(crate) fn launch() -> Launch {
    Launch::of(env!("CARGO_BIN_EXE_ottla"))
}

/// A started broker with the topic `test` of one partition, and a connection to it.
pub(crate) fn broker_with_topic() -> (Broker, RawClient) {
    let broker = launch().start();
    let mut client = broker.connect();
    create_topic(&mut client, TOPIC, 1);
    (broker, client)
}

pub(crate) fn create_topic(client: &mut RawClient, name: &str, num_partitions: i32) {
    let topic = CreatableTopic {
        name: name.to_owned().into(),
        num_partitions,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    let answer = client.call(&request, 7).unwrap();
    assert_eq!(answer.topics[0].error_code, 0, "{answer:?}");
}

pub(crate) fn producer_id(client: &mut RawClient) -> i64 {
    let answer =
        client.call(&InitProducerIdRequest { transactional_id: None, ..Default::default() }, 5).unwrap();
    assert_eq!((answer.error_code, answer.producer_epoch), (0, 0));
    answer.producer_id
}

/// A batch of `count` records, signed.
pub(crate) fn batch(producer_id: i64, epoch: i16, base_sequence: i32, count: usize) -> Bytes {
    let mut batch = BatchBuilder::new(Offset::ZERO).producer(
        ProducerId(producer_id),
        ProducerEpoch(epoch),
        Sequence(base_sequence),
    );
    for i in 0..count {
        let value = format!("epoch {epoch} sequence {base_sequence} + {i}");
        batch.push(&NewRecord {
            timestamp: Millis(1_700_000_000_000),
            value: Some(value.as_bytes()),
            ..Default::default()
        });
    }
    batch.build()
}

pub(crate) fn produce_request(topic: &str, acks: i16, records: Bytes) -> ProduceRequest {
    ProduceRequest {
        acks,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: topic.to_owned().into(),
            partition_data: vec![PartitionProduceData { index: 0, records: Some(Payload::Bytes(records)) }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// Sends `records` to partition 0 of `test` with `acks=all`.
pub(crate) fn produce(client: &mut RawClient, records: Bytes) -> PartitionProduceResponse {
    let mut answer = client.call(&produce_request(TOPIC, -1, records), PRODUCE).unwrap();
    answer.responses.remove(0).partition_responses.remove(0)
}

/// Sends `records`, which must be taken, and gives the offset of the first.
pub(crate) fn produce_ok(client: &mut RawClient, records: Bytes) -> i64 {
    let answer = produce(client, records);
    assert_eq!((answer.error_code, &answer.error_message), (0, &None));
    answer.base_offset
}

/// The headers of all batches in partition 0 of `test`, fetched, and the high watermark.
pub(crate) fn stored(client: &mut RawClient) -> (Vec<BatchHeader>, i64) {
    let mut headers = Vec::new();
    let mut fetch_offset = 0;
    loop {
        let partition = FetchPartition { fetch_offset, partition_max_bytes: 1 << 20, ..Default::default() };
        let request = FetchRequest {
            max_bytes: 1 << 20,
            topics: vec![FetchTopic {
                topic: TOPIC.into(),
                partitions: vec![partition],
                ..Default::default()
            }],
            ..Default::default()
        };
        let mut answer = client.call(&request, 12).unwrap();
        let partition = answer.responses.remove(0).partitions.remove(0);
        assert_eq!(partition.error_code, 0);
        let Some(Payload::Bytes(mut bytes)) = partition.records.filter(|records| !records.is_empty()) else {
            return (headers, partition.high_watermark);
        };
        while !bytes.is_empty() {
            let header = BatchHeader::parse(&bytes).unwrap();
            assert!(records::crc_is_valid(&bytes[..header.size()]), "what is served is whole");
            fetch_offset = header.next_offset().0;
            bytes = bytes.slice(header.size()..);
            headers.push(header);
        }
    }
}

/// How many records partition 0 of `test` holds.
pub(crate) fn count(client: &mut RawClient) -> i64 {
    stored(client).1
}
