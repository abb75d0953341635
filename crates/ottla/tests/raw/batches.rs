//! Record batches that are not as they should be: Kafka's error code, nothing written, and the connection goes on.

use base::{Millis, Offset};
use bytes::Bytes;
use records::{Attributes, BatchBuilder, BatchHeader, Codec, HEADER_LEN, NewRecord, seal};
use wire::messages::init_producer_id::InitProducerIdRequest;

use crate::client::{
    PRODUCE, TOPIC, batch, broker_with_topic, count, launch, produce, produce_ok, produce_request,
    producer_id,
};

const CORRUPT_MESSAGE: i16 = 2;
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const MESSAGE_TOO_LARGE: i16 = 10;
const INVALID_REQUIRED_ACKS: i16 = 21;
const INVALID_RECORD: i16 = 87;

/// Changes a byte of a good batch.
fn with_byte(at: usize, value: u8) -> Bytes {
    let mut bytes = Vec::from(batch(-1, -1, -1, 3));
    bytes[at] = value;
    bytes.into()
}

/// Changes the header of a good batch and makes length and CRC right again.
fn with_header(change: impl Fn(&mut BatchHeader)) -> Bytes {
    let good = batch(-1, -1, -1, 3);
    let mut header = BatchHeader::parse(&good).unwrap();
    change(&mut header);
    seal(&header, &good[HEADER_LEN..])
}

#[test]
fn a_broken_batch_is_refused_and_nothing_is_written() {
    let good = batch(-1, -1, -1, 3);
    let last = good.len() - 1;
    let cases: [(&str, Bytes, i16); 16] = [
        ("a flipped bit in the records", with_byte(last, good[last] ^ 1), CORRUPT_MESSAGE),
        ("a wrong CRC", with_byte(17, good[17] ^ 0x80), CORRUPT_MESSAGE),
        ("magic 0", with_byte(16, 0), INVALID_RECORD),
        ("magic 1", with_byte(16, 1), INVALID_RECORD),
        ("magic 3", with_byte(16, 3), CORRUPT_MESSAGE),
        ("a batch length below a header", with_byte(11, 10), CORRUPT_MESSAGE),
        ("a base offset other than 0", with_header(|h| h.base_offset = Offset(7)), INVALID_RECORD),
        ("a count of 0", with_header(|h| h.record_count = 0), INVALID_RECORD),
        ("a negative count", with_header(|h| h.record_count = -1), INVALID_RECORD),
        ("a count above the records", with_header(|h| h.record_count = 4), INVALID_RECORD),
        (
            "a count of 2147483647",
            with_header(|h| (h.record_count, h.last_offset_delta) = (i32::MAX, i32::MAX - 1)),
            INVALID_RECORD,
        ),
        (
            "a count below the records",
            with_header(|h| (h.record_count, h.last_offset_delta) = (2, 1)),
            INVALID_RECORD,
        ),
        ("a negative last offset delta", with_header(|h| h.last_offset_delta = -1), INVALID_RECORD),
        ("a control batch", with_header(|h| h.attributes = h.attributes.with_control(true)), INVALID_RECORD),
        ("two batches", [&good[..], &good[..]].concat().into(), INVALID_RECORD),
        ("no whole batch", good.slice(..last), INVALID_RECORD),
    ];
    let (_broker, mut client) = broker_with_topic();
    for (what, bytes, code) in cases {
        let answer = produce(&mut client, bytes);
        assert_eq!((answer.error_code, answer.base_offset), (code, -1), "{what}: {answer:?}");
    }
    for bytes in [&b""[..], b"garbage", &[0xff; 300]] {
        let answer = produce(&mut client, Bytes::from_static(bytes));
        assert!([INVALID_RECORD, CORRUPT_MESSAGE].contains(&answer.error_code), "{answer:?}");
    }
    assert_eq!(count(&mut client), 0);
    assert_eq!(produce_ok(&mut client, good), 0);
}

#[test]
fn an_unknown_codec_is_refused() {
    let (_broker, mut client) = broker_with_topic();
    for codec in 5..=7 {
        let answer = produce(&mut client, with_header(|h| h.attributes = Attributes(codec)));
        assert_ne!(answer.error_code, 0, "codec {codec}");
        assert_eq!(answer.base_offset, -1);
    }
    assert_eq!(count(&mut client), 0);
}

#[test]
fn a_batch_larger_than_max_message_bytes_is_refused() {
    let (_broker, mut client) = broker_with_topic();
    let mut large = BatchBuilder::new(Offset::ZERO);
    large.push(&NewRecord {
        timestamp: Millis(1),
        value: Some(&vec![b'x'; 1_048_588]),
        ..Default::default()
    });
    let answer = produce(&mut client, large.build());
    assert_eq!((answer.error_code, answer.base_offset), (MESSAGE_TOO_LARGE, -1));
    let limit = 1_048_588 - HEADER_LEN - 20;
    let mut fits = BatchBuilder::new(Offset::ZERO);
    fits.push(&NewRecord { timestamp: Millis(1), value: Some(&vec![b'x'; limit]), ..Default::default() });
    assert_eq!(produce_ok(&mut client, fits.build()), 0);
}

#[test]
fn a_small_batch_that_unpacks_to_much_costs_no_memory() {
    /// What a batch may unpack to (docs/deviations.md).
    const LIMIT: usize = 100 << 20;
    let (broker, mut client) = broker_with_topic();
    let before = resident(broker.pid());
    let zeros = vec![0; 1 << 20];
    for codec in [Codec::Gzip, Codec::Zstd] {
        let mut bomb = BatchBuilder::new(Offset::ZERO).codec(codec, None);
        while bomb.uncompressed_size() <= LIMIT {
            bomb.push(&NewRecord { timestamp: Millis(1), value: Some(&zeros), ..Default::default() });
        }
        let bomb = bomb.build();
        assert!(bomb.len() < 1_048_588, "{codec:?}: its size lets it in");
        let answer = produce(&mut client, bomb);
        assert_eq!((answer.error_code, answer.base_offset), (MESSAGE_TOO_LARGE, -1), "{codec:?}: {answer:?}");
    }
    let grown = resident(broker.pid()).saturating_sub(before);
    assert!(grown < 32 << 20, "grown by {grown} bytes");
}

fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn acks_other_than_minus_one_zero_and_one_are_refused() {
    let (_broker, mut client) = broker_with_topic();
    let answer = client.call(&produce_request(TOPIC, 7, batch(-1, -1, -1, 1)), PRODUCE).unwrap();
    let partition = &answer.responses[0].partition_responses[0];
    assert_eq!(
        (partition.error_code, partition.base_offset, partition.log_start_offset),
        (INVALID_REQUIRED_ACKS, -1, -1)
    );
    assert_eq!(count(&mut client), 0);
}

#[test]
fn acks_0_has_no_answer_and_an_error_closes_the_connection() {
    let (broker, mut client) = broker_with_topic();
    client.send(&produce_request(TOPIC, 0, batch(-1, -1, -1, 2)), PRODUCE).unwrap();
    assert_eq!(count(&mut client), 2, "the next answer on the connection is that of the next request");
    client.send(&produce_request(TOPIC, 0, with_byte(17, 1)), PRODUCE).unwrap();
    client.wait_for_close().unwrap();
    assert_eq!(count(&mut broker.connect()), 2);
}

#[test]
fn an_unknown_topic_is_said_to_be_unknown() {
    let (_broker, mut client) = broker_with_topic();
    let answer = client.call(&produce_request("nowhere", -1, batch(-1, -1, -1, 1)), PRODUCE).unwrap();
    assert_eq!(answer.responses[0].partition_responses[0].error_code, UNKNOWN_TOPIC_OR_PARTITION);
}

#[test]
fn transactions_are_refused_by_name() {
    let broker = launch().asked_for("transaction").start();
    let mut client = broker.connect();
    crate::client::create_topic(&mut client, TOPIC, 1);
    let id = producer_id(&mut client);
    let request = InitProducerIdRequest {
        transactional_id: Some("tx".into()),
        transaction_timeout_ms: 60_000,
        ..Default::default()
    };
    let answer = client.call(&request, 4).unwrap();
    assert_ne!(answer.error_code, 0);
    assert_eq!(answer.producer_id, -1);

    let good = batch(id, 0, 0, 3);
    let mut header = BatchHeader::parse(&good).unwrap();
    header.attributes = header.attributes.with_transactional(true);
    let mut request = produce_request(TOPIC, -1, seal(&header, &good[HEADER_LEN..]));
    for transactional_id in [None, Some("tx".into())] {
        request.transactional_id = transactional_id;
        let answer = client.call(&request, PRODUCE).unwrap();
        let partition = &answer.responses[0].partition_responses[0];
        assert_ne!(partition.error_code, 0);
        assert_eq!(partition.base_offset, -1);
    }
    assert_eq!(count(&mut client), 0);
    assert_eq!(produce_ok(&mut client, good), 0, "the producer's sequence has not moved");
}
