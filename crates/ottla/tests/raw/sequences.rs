//! Sequences and epochs: the test vectors of Kafka's idempotent producer, played against the running broker.

use crate::client::{batch, broker_with_topic, count, produce, produce_ok, producer_id, stored};

const OUT_OF_ORDER_SEQUENCE_NUMBER: i16 = 45;
const INVALID_PRODUCER_EPOCH: i16 = 47;
const INVALID_RECORD: i16 = 87;

#[test]
fn a_retried_batch_gets_the_first_offset_and_is_stored_once() {
    let (_broker, mut client) = broker_with_topic();
    let id = producer_id(&mut client);
    assert_eq!(produce_ok(&mut client, batch(id, 0, 0, 10)), 0);
    assert_eq!(produce_ok(&mut client, batch(id, 0, 10, 5)), 10);
    for _ in 0..3 {
        assert_eq!(produce_ok(&mut client, batch(id, 0, 0, 10)), 0);
        assert_eq!(produce_ok(&mut client, batch(id, 0, 10, 5)), 10);
    }
    let (headers, high_watermark) = stored(&mut client);
    assert_eq!((headers.len(), high_watermark), (2, 15));
}

#[test]
fn a_gap_is_refused_and_explained() {
    let (_broker, mut client) = broker_with_topic();
    let id = producer_id(&mut client);
    produce_ok(&mut client, batch(id, 0, 0, 10));
    let refused = produce(&mut client, batch(id, 0, 20, 10));
    assert_eq!((refused.error_code, refused.base_offset), (OUT_OF_ORDER_SEQUENCE_NUMBER, -1));
    let why = refused.error_message.unwrap().to_string();
    for number in [id.to_string(), "10".to_owned(), "20".to_owned()] {
        assert!(why.contains(&number), "{number} is missing in {why:?}");
    }
    assert_eq!(count(&mut client), 10);
    assert_eq!(produce_ok(&mut client, batch(id, 0, 10, 10)), 10, "the tracker has not moved");
}

#[test]
fn five_batches_are_remembered_and_a_sixth_pushes_the_first_out() {
    let (_broker, mut client) = broker_with_topic();
    let id = producer_id(&mut client);
    for i in 0..6 {
        produce_ok(&mut client, batch(id, 0, i * 2, 2));
    }
    let forgotten = produce(&mut client, batch(id, 0, 0, 2));
    assert_eq!((forgotten.error_code, forgotten.base_offset), (OUT_OF_ORDER_SEQUENCE_NUMBER, -1));
    for i in 1..6 {
        assert_eq!(produce_ok(&mut client, batch(id, 0, i * 2, 2)), i64::from(i) * 2);
    }
    assert_eq!(count(&mut client), 12);
}

#[test]
fn a_new_epoch_starts_at_zero_and_fences_the_old_one() {
    let (_broker, mut client) = broker_with_topic();
    let id = producer_id(&mut client);
    produce_ok(&mut client, batch(id, 0, 0, 10));
    assert_eq!(produce(&mut client, batch(id, 1, 5, 1)).error_code, OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(produce_ok(&mut client, batch(id, 1, 0, 10)), 10);
    let fenced = produce(&mut client, batch(id, 0, 10, 1));
    assert_eq!((fenced.error_code, fenced.base_offset), (INVALID_PRODUCER_EPOCH, -1));
    assert!(fenced.error_message.unwrap().contains("epoch 0"));
    assert_eq!(count(&mut client), 20);
}

#[test]
fn an_unknown_producer_may_start_anywhere() {
    let (_broker, mut client) = broker_with_topic();
    assert_eq!(produce_ok(&mut client, batch(4711, 3, 1234, 1)), 0);
    assert_eq!(produce_ok(&mut client, batch(4711, 3, 1235, 1)), 1);
}

#[test]
fn after_2147483647_the_sequence_is_zero() {
    let (_broker, mut client) = broker_with_topic();
    let id = producer_id(&mut client);
    produce_ok(&mut client, batch(id, 0, i32::MAX - 4, 5));
    assert_eq!(produce_ok(&mut client, batch(id, 0, 0, 3)), 5);
    assert_eq!(produce_ok(&mut client, batch(id, 0, i32::MAX - 4, 5)), 0, "a duplicate from before the wrap");

    let (_broker, mut client) = broker_with_topic();
    let id = producer_id(&mut client);
    produce_ok(&mut client, batch(id, 0, 2_147_483_640, 16));
    assert_eq!(produce_ok(&mut client, batch(id, 0, 8, 1)), 16, "a batch may lie across the wrap");
    assert_eq!(produce_ok(&mut client, batch(id, 0, 2_147_483_640, 16)), 0);
}

#[test]
fn without_a_producer_id_nothing_is_compared() {
    let (_broker, mut client) = broker_with_topic();
    assert_eq!(produce_ok(&mut client, batch(-1, -1, -1, 2)), 0);
    assert_eq!(produce_ok(&mut client, batch(-1, -1, -1, 2)), 2);
}

#[test]
fn a_producer_id_needs_a_sequence() {
    let (_broker, mut client) = broker_with_topic();
    assert_eq!(produce(&mut client, batch(5, 0, -1, 1)).error_code, INVALID_RECORD);
    assert_eq!(count(&mut client), 0);
}

#[test]
fn producers_do_not_see_each_other() {
    let (_broker, mut client) = broker_with_topic();
    let (one, two) = (producer_id(&mut client), producer_id(&mut client));
    assert_ne!(one, two);
    assert_eq!(produce_ok(&mut client, batch(one, 0, 0, 1)), 0);
    assert_eq!(produce_ok(&mut client, batch(two, 0, 0, 1)), 1);
    assert_eq!(produce_ok(&mut client, batch(one, 0, 1, 1)), 2);
    assert_eq!(produce_ok(&mut client, batch(two, 0, 0, 1)), 1);
}
