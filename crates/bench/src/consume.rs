//! Consume throughput with librdkafka, from the page cache, and the broker's CPU time for it.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// Reads `messages` messages of partition 0 from the beginning; the clock starts with the first of them. Gives the time
/// and the bytes of their values.
pub(crate) fn run(address: &str, topic: &str, messages: usize) -> (Duration, u64) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", "none")
        .set("enable.auto.commit", "false")
        .set("fetch.message.max.bytes", "10485760")
        .set("queued.min.messages", "1000000")
        .create()
        .expect("the configuration above is librdkafka's own");
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_offset(topic, 0, Offset::Beginning).expect("an offset that librdkafka knows");
    consumer.assign(&partitions).expect("the list holds one partition");
    let mut started = None;
    let (mut count, mut bytes) = (0, 0);
    while count < messages {
        let message = consumer
            .poll(Duration::from_secs(60))
            .expect("a message comes within a minute")
            .expect("no error from the broker");
        started.get_or_insert_with(Instant::now);
        count += 1;
        bytes += message.payload_len() as u64;
    }
    (started.map_or(Duration::ZERO, |at| at.elapsed()), bytes)
}
