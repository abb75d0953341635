//! Produce throughput with librdkafka: idempotent, `acks=all`, against Ottla, against librdkafka's own in-process mock
//! cluster, and against a bare receiver that only checks CRCs and writes.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

/// How much one run sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) message_bytes: usize,
    pub(crate) messages: usize,
}

/// Where a run sends to.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Server(String),
    /// librdkafka's mock cluster, in this process.
    Mock,
}

/// Sends `load` and waits until everything is acknowledged. The clock starts after the first acknowledged message, so
/// that connecting and creating the topic do not count.
pub(crate) fn run(target: &Target, topic: &str, load: Load) -> Duration {
    let mut config = ClientConfig::new();
    config
        .set("enable.idempotence", "true")
        .set("linger.ms", "5")
        .set("batch.size", "1000000")
        .set("queue.buffering.max.messages", "1000000")
        .set("queue.buffering.max.kbytes", "1048576");
    match target {
        Target::Server(address) => config.set("bootstrap.servers", address),
        Target::Mock => config.set("test.mock.num.brokers", "1"),
    };
    let producer: BaseProducer = config.create().expect("the configuration above is librdkafka's own");
    let payload = vec![b'x'; load.message_bytes];
    send(&producer, topic, &payload);
    producer.flush(Duration::from_secs(60)).expect("the first message is acknowledged within a minute");
    let started = Instant::now();
    for _ in 0..load.messages {
        send(&producer, topic, &payload);
    }
    producer.flush(Duration::from_secs(300)).expect("all messages are acknowledged within five minutes");
    started.elapsed()
}

fn send(producer: &BaseProducer, topic: &str, payload: &[u8]) {
    let mut record = BaseRecord::<(), [u8]>::to(topic).payload(payload).partition(0);
    loop {
        match producer.send(record) {
            Ok(()) => return,
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                producer.poll(Duration::from_millis(10));
                record = again;
            }
            Err((error, _)) => panic!("librdkafka took no message: {error}"),
        }
    }
}
