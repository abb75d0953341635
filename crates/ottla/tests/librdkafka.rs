//! librdkafka itself against the running broker: idempotent producers over several partitions, while the broker is killed
//! and started again, and a consumer that reads everything back.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the answer, also in the functions that several tests share"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext, Message, Offset, TopicPartitionList};
use testkit::broker::Launch;

const PARTITIONS: i32 = 3;
const PER_PARTITION: usize = 3_000;
const PRODUCERS: usize = 2;

/// Counts what was acknowledged; anything else fails the test.
struct Deliveries {
    acknowledged: Arc<AtomicUsize>,
}

impl ClientContext for Deliveries {
    /// librdkafka reports each lost connection, and here there are many.
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        assert_ne!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::Fatal), "{reason}");
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => self.acknowledged.fetch_add(1, Ordering::SeqCst),
            Err((error, _)) => panic!("a record was not delivered: {error}"),
        };
    }
}

#[test]
fn every_acknowledged_record_is_there_once_and_in_order_whatever_happens_to_the_broker() {
    let broker = Launch::of(env!("CARGO_BIN_EXE_ottla"))
        .set("num.partitions", &PARTITIONS.to_string())
        // A kill leaves a log to be recovered, of which the broker may warn.
        .asked_for("recover")
        .start();
    let address = broker.address().to_string();
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let total = PRODUCERS * PER_PARTITION * PARTITIONS as usize;
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|number| {
            let (address, acknowledged) = (address.clone(), Arc::clone(&acknowledged));
            thread::spawn(move || write(number, &address, acknowledged))
        })
        .collect();

    let mut broker = Some(broker);
    for part in 1..=5 {
        while acknowledged.load(Ordering::SeqCst) < total * part / 6 {
            assert!(!producers.iter().all(thread::JoinHandle::is_finished), "the producers ended early");
            thread::sleep(Duration::from_millis(1));
        }
        broker = broker.map(|broker| broker.kill().start());
    }
    for producer in producers {
        producer.join().unwrap();
    }
    assert_eq!(acknowledged.load(Ordering::SeqCst), total);

    let expected: Vec<usize> = (0..PER_PARTITION).collect();
    for (partition, by_producer) in read(&address).into_iter().enumerate() {
        for (producer, numbers) in by_producer.into_iter().enumerate() {
            assert_eq!(numbers, expected, "partition {partition}, producer {producer}");
        }
    }
}

/// Writes 0, 1, 2, ... to each partition, at a pace that leaves time for the kills.
fn write(number: usize, address: &str, acknowledged: Arc<AtomicUsize>) {
    let producer: ThreadedProducer<Deliveries> = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("enable.idempotence", "true")
        .set("max.in.flight.requests.per.connection", "5")
        .set("batch.num.messages", "20")
        .set("reconnect.backoff.ms", "10")
        .set("reconnect.backoff.max.ms", "50")
        .create_with_context(Deliveries { acknowledged })
        .unwrap();
    for i in 0..PER_PARTITION {
        for partition in 0..PARTITIONS {
            let value = format!("{number} {i}");
            let record = BaseRecord::<(), str>::to("test").partition(partition).payload(&value);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        if i % 20 == 0 {
            thread::sleep(Duration::from_millis(5));
        }
    }
    producer.flush(Duration::from_secs(120)).unwrap();
}

/// For each partition and producer, the numbers read back.
fn read(address: &str) -> Vec<Vec<Vec<usize>>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", "none")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let mut assigned = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        assigned.add_partition_offset("test", partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&assigned).unwrap();
    let mut read = vec![vec![Vec::new(); PRODUCERS]; PARTITIONS as usize];
    let mut ended = 0;
    while ended < PARTITIONS {
        match consumer.poll(Duration::from_secs(60)).expect("something comes within a minute") {
            Ok(message) => {
                let value = message.payload_view::<str>().unwrap().unwrap();
                let (producer, number) = value.split_once(' ').unwrap();
                let partition = usize::try_from(message.partition()).unwrap();
                read[partition][producer.parse::<usize>().unwrap()].push(number.parse().unwrap());
            }
            Err(KafkaError::PartitionEOF(_)) => ended += 1,
            Err(error) => panic!("{error}"),
        }
    }
    read
}
