use crate::samples::{THEN, batch};
use crate::{crc_is_valid, records_of};

use super::*;

/// The batch that Kafka's documentation of the tool and ours shows: ten records, made within two milliseconds.
#[test]
fn ten_records_become_the_bytes_that_kafka_wrote() {
    let made = |early: usize| {
        let mut batch = BatchBuilder::new(Offset::ZERO).leader_epoch(LeaderEpoch(0)).producer(
            ProducerId(3001),
            ProducerEpoch(0),
            Sequence(0),
        );
        for index in 0..10 {
            let value = format!("{{\"msg_count\": {index}}}");
            let timestamp = THEN.plus(i64::from(index >= early));
            batch.push(&NewRecord { timestamp, value: Some(value.as_bytes()), ..NewRecord::default() });
        }
        BatchHeader::parse(&batch.build()).unwrap()
    };
    let found: Vec<_> = (1..10).filter(|&early| made(early).crc == 307_611_005).collect();
    println!("{found:?} {}", made(5).size());
    assert_eq!(found.len(), 1);
}
