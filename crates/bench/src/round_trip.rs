//! One record, one request, one answer: the time of a produce with `acks=all` over one connection.

use std::time::{Duration, Instant};

use base::{Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use records::{BatchBuilder, NewRecord};
use testkit::raw::RawClient;
use wire::Payload;
use wire::messages::init_producer_id::InitProducerIdRequest;
use wire::messages::produce::{PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData};

const VERSION: i16 = 12;

/// Bytes of a request and of its answer on the wire, as close as the yardstick needs them.
pub(crate) struct Sizes {
    pub(crate) request: usize,
    pub(crate) answer: usize,
}

/// Sends `rounds` batches of one record each, one after the other; gives their times, sorted, and the sizes.
pub(crate) fn run(
    client: &mut RawClient,
    topic: &str,
    rounds: usize,
    bytes: usize,
) -> (Vec<Duration>, Sizes) {
    let producer = client
        .call(&InitProducerIdRequest { transactional_id: None, ..Default::default() }, 4)
        .expect("a producer id");
    let value = vec![b'x'; bytes];
    let mut times = Vec::with_capacity(rounds);
    let mut sizes = Sizes { request: 0, answer: 0 };
    for sequence in 0..rounds {
        let mut batch = BatchBuilder::new(Offset::ZERO).producer(
            ProducerId(producer.producer_id),
            ProducerEpoch(producer.producer_epoch),
            Sequence(i32::try_from(sequence).expect("fewer rounds than sequences")),
        );
        batch.push(&NewRecord { timestamp: Millis(1), value: Some(&value), ..Default::default() });
        let request = request(topic, batch.build());
        if sequence == 0 {
            sizes.request = testkit::raw::frame(&request, VERSION, 0).expect("a request").len() + 4;
        }
        let started = Instant::now();
        let answer: ProduceResponse = client.call(&request, VERSION).expect("an answer");
        times.push(started.elapsed());
        let partition = &answer.responses[0].partition_responses[0];
        assert_eq!(partition.error_code, 0, "the batch is taken");
        if sequence == 0 {
            sizes.answer = wire::to_bytes(&answer, VERSION).expect("an answer").len() + 9;
        }
    }
    times.sort();
    (times, sizes)
}

fn request(topic: &str, batch: bytes::Bytes) -> ProduceRequest {
    ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: topic.to_owned().into(),
            partition_data: vec![PartitionProduceData { index: 0, records: Some(Payload::Bytes(batch)) }],
            ..Default::default()
        }],
        ..Default::default()
    }
}
