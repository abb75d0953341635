use super::*;
use crate::samples::THEN;
use crate::{crc_is_valid, records_of};

/// A batch that Kafka has written, as a printout of its dump tool shows it: `size: 291 ... crc: 307611005`.
#[test]
fn ten_records_become_the_bytes_that_kafka_wrote() {
    let mut batch = BatchBuilder::new(Offset::ZERO).leader_epoch(LeaderEpoch(0)).producer(
        ProducerId(3001),
        ProducerEpoch(0),
        Sequence(0),
    );
    for index in 0..10 {
        let value = format!("{{\"msg_count\": {index}}}");
        let timestamp = THEN.plus(i64::from(index == 9));
        batch.push(&NewRecord { timestamp, value: Some(value.as_bytes()), ..NewRecord::default() });
    }
    assert_eq!((batch.len(), batch.uncompressed_size(), batch.size_so_far()), (10, 291, 291));
    let header = BatchHeader::parse(&batch.build()).unwrap();
    assert_eq!((header.size(), header.crc), (291, 307_611_005));
    assert_eq!((header.base_timestamp, header.max_timestamp), (THEN, Millis(1_589_818_655_781)));
}

#[test]
fn a_batch_without_records_is_only_a_header() {
    let builder = BatchBuilder::new(Offset(5)).codec(Codec::Gzip, None);
    assert!(builder.is_empty());
    let batch = builder.build();
    assert!(crc_is_valid(&batch));
    let header = BatchHeader::parse(&batch).unwrap();
    assert_eq!((header.size(), header.record_count, header.last_offset()), (61, 0, Offset(5)));
    assert_eq!(header.attributes, Attributes(0));
    assert_eq!(records_of(&batch, 0).unwrap().iter().count(), 0);
}

#[test]
fn every_field_of_the_header_can_be_set() {
    let mut builder = BatchBuilder::new(Offset(100))
        .leader_epoch(LeaderEpoch(4))
        .codec(Codec::Lz4, None)
        .producer(ProducerId(9), ProducerEpoch(2), Sequence(i32::MAX))
        .transactional(true)
        .control(true)
        .log_append_time(Millis(77))
        .delete_horizon(Millis(55));
    builder.push(&NewRecord { timestamp: Millis(60), ..NewRecord::default() });
    builder.push_at(7, &NewRecord { timestamp: Millis(50), ..NewRecord::default() });
    let batch = builder.build();
    assert!(crc_is_valid(&batch));
    let header = BatchHeader::parse(&batch).unwrap();
    assert_eq!(
        (header.base_offset, header.last_offset(), header.record_count),
        (Offset(100), Offset(107), 2)
    );
    assert_eq!((header.leader_epoch, header.attributes), (LeaderEpoch(4), Attributes(0x7b)));
    assert_eq!((header.base_timestamp, header.max_timestamp), (Millis(55), Millis(77)));
    assert_eq!(header.delete_horizon(), Some(Millis(55)));
    assert_eq!((header.producer_id, header.producer_epoch), (ProducerId(9), ProducerEpoch(2)));
    assert_eq!((header.base_sequence, header.last_sequence()), (Sequence(i32::MAX), Sequence(6)));
    let records = records_of(&batch, 1000).unwrap();
    let deltas: Vec<_> =
        records.iter().map(Result::unwrap).map(|r| (r.offset_delta, r.timestamp_delta)).collect();
    assert_eq!(deltas, [(0, 5), (7, -5)]);
    let last = records.iter().last().unwrap().unwrap();
    assert_eq!((last.offset(&header), last.timestamp(&header)), (Offset(107), Millis(77)));
    assert_eq!(last.sequence(&header), Sequence(6));
}

#[test]
#[should_panic(expected = "offsets rise within a batch")]
fn an_offset_does_not_come_twice() {
    let mut builder = BatchBuilder::new(Offset::ZERO);
    builder.push(&NewRecord::default());
    builder.push_at(0, &NewRecord::default());
}

#[test]
fn sealing_makes_length_and_crc_right_and_nothing_else() {
    let header = BatchHeader::parse(&BatchBuilder::new(Offset::ZERO).build()).unwrap();
    let odd = BatchHeader { record_count: -4, attributes: Attributes(7), ..header };
    let batch = seal(&odd, b"anything");
    assert!(crc_is_valid(&batch));
    let sealed = BatchHeader::parse(&batch).unwrap();
    assert_eq!((sealed.size(), sealed.record_count, sealed.attributes), (69, -4, Attributes(7)));
}
