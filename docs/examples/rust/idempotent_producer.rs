//! Writes ten records with rdkafka, each of them once whatever happens to the connection or the broker, and prints where
//! each one is: `PARTITION:OFFSET`.
//!
//! ```text
//! cargo add rdkafka
//! cargo run -- 127.0.0.1:9092 my-topic
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it speaks to whoever runs it")]

use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};

use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext, Message};

/// A record's number, and where it was stored or why it was not.
type Report = (usize, Result<(i32, i64), KafkaError>);

/// Hands on what librdkafka reports of each record.
struct Reports(Sender<Report>);

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<usize>;

    fn delivery(&self, result: &DeliveryResult<'_>, number: Box<usize>) {
        let place = match result {
            Ok(record) => Ok((record.partition(), record.offset())),
            Err((error, _)) => Err(error.clone()),
        };
        // Nobody listens any more once one record has failed.
        let _unheard = self.0.send((*number, place));
    }
}

fn run(bootstrap: &str, topic: &str) -> Result<(), KafkaError> {
    let (sender, reports) = channel();
    let producer: ThreadedProducer<Reports> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        // Not the default of this client. It implies acks=all, and keeps order with up to five requests in flight.
        .set("enable.idempotence", "true")
        // For how long a record is tried again before its failure is reported.
        .set("delivery.timeout.ms", "120000")
        .create_with_context(Reports(sender))?;
    for number in 0..10 {
        let (key, value) = (format!("key-{number}"), format!("example-{number}"));
        let record = BaseRecord::with_opaque_to(topic, Box::new(number)).key(&key).payload(&value);
        producer.send(record).map_err(|(error, _)| error)?;
    }
    // A record is stored once its report has come.
    let mut places = [(0, 0); 10];
    for (number, place) in reports.iter().take(10) {
        places[number] = place?;
    }
    for (partition, offset) in places {
        println!("{partition}:{offset}");
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bootstrap, topic] = arguments.as_slice() else {
        eprintln!("usage: idempotent_producer BOOTSTRAP_SERVERS TOPIC");
        return ExitCode::from(2);
    };
    match run(bootstrap, topic) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("not all records were stored: {why}");
            ExitCode::FAILURE
        }
    }
}
