//! The crate kafka-protocol as a second opinion: it reads what the builder writes, and the iterator reads what it
//! writes, over generated records.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use base::{LeaderEpoch, Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use bytes::{Bytes, BytesMut};
use kafka_protocol::indexmap::IndexMap;
use kafka_protocol::records::{
    Compression, Record, RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use records::{
    BatchBuilder, BatchRules, Codec, NewRecord, RecordStream, RecordView, check, crc_is_valid, records_of,
};

#[derive(Clone, Debug, PartialEq)]
struct Message {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..40),
        (any::<u8>(), 0_usize..70_000).prop_map(|(byte, len)| vec![byte; len])
    ]
}

fn message() -> impl Strategy<Value = Message> {
    // The second opinion keeps headers in a map, so their keys differ here.
    let headers = vec(option::of(vec(any::<u8>(), 0..10)), 0..4).prop_map(|values| {
        values.into_iter().enumerate().map(|(at, value)| ("k".repeat(at), value)).collect::<Vec<_>>()
    });
    (0..2_000_000_000_000_i64, option::of(bytes()), option::of(bytes()), headers)
        .prop_map(|(timestamp, key, value, headers)| Message { timestamp, key, value, headers })
}

#[derive(Clone, Debug)]
struct Batch {
    codec: Codec,
    base_offset: i64,
    producer: (i64, i16, i32),
    transactional: bool,
    messages: Vec<Message>,
}

fn batch() -> impl Strategy<Value = Batch> {
    let producer = prop_oneof![Just((-1, -1, -1)), (0..i64::MAX, 0..i16::MAX, 0..i32::MAX - 20)];
    (0..5_usize, 0..1_i64 << 40, producer, any::<bool>(), vec(message(), 1..8)).prop_map(
        |(codec, base_offset, producer, transactional, messages)| {
            // Without sequences kafka-protocol cuts batches where `offset as i32 - sequence` changes.
            let producer = if producer.0 == -1 { (-1, -1, 0) } else { producer };
            Batch { codec: Codec::ALL[codec], base_offset, producer, transactional, messages }
        },
    )
}

impl Batch {
    fn ours(&self) -> Bytes {
        let (id, epoch, sequence) = self.producer;
        let mut builder = BatchBuilder::new(Offset(self.base_offset))
            .leader_epoch(LeaderEpoch(9))
            .codec(self.codec, None)
            .producer(ProducerId(id), ProducerEpoch(epoch), Sequence(sequence))
            .transactional(self.transactional);
        for message in &self.messages {
            let headers: Vec<_> =
                message.headers.iter().map(|(key, value)| (key.as_bytes(), value.as_deref())).collect();
            builder.push(&NewRecord {
                timestamp: Millis(message.timestamp),
                key: message.key.as_deref(),
                value: message.value.as_deref(),
                headers: &headers,
            });
        }
        builder.build()
    }

    fn theirs(&self) -> Vec<Record> {
        let (producer_id, producer_epoch, sequence) = self.producer;
        (0_i32..)
            .zip(&self.messages)
            .map(|(at, message)| Record {
                transactional: self.transactional,
                control: false,
                delete_horizon: false,
                partition_leader_epoch: 9,
                producer_id,
                producer_epoch,
                timestamp_type: TimestampType::Creation,
                offset: self.base_offset + i64::from(at),
                sequence: sequence + at,
                timestamp: message.timestamp,
                key: message.key.clone().map(Bytes::from),
                value: message.value.clone().map(Bytes::from),
                headers: message
                    .headers
                    .iter()
                    .map(|(key, value)| (key.clone().into(), value.clone().map(Bytes::from)))
                    .collect::<IndexMap<_, _>>(),
            })
            .collect()
    }

    fn their_codec(&self) -> Compression {
        match self.codec {
            Codec::None => Compression::None,
            Codec::Gzip => Compression::Gzip,
            Codec::Snappy => Compression::Snappy,
            Codec::Lz4 => Compression::Lz4,
            Codec::Zstd => Compression::Zstd,
        }
    }
}

fn message_of(record: &RecordView<'_>, header: &records::BatchHeader) -> Message {
    let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
    let headers = record
        .headers
        .iter()
        .map(|(key, value)| (String::from_utf8(key.to_vec()).unwrap(), owned(value)))
        .collect();
    Message {
        timestamp: record.timestamp(header).0,
        key: owned(record.key),
        value: owned(record.value),
        headers,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn kafka_protocol_reads_what_the_builder_writes(batch in batch()) {
        let mut bytes = batch.ours();
        prop_assert!(crc_is_valid(&bytes));
        let decoded = RecordBatchDecoder::decode_all(&mut bytes).unwrap();
        prop_assert_eq!(decoded.len(), 1);
        prop_assert_eq!(decoded[0].compression, batch.their_codec());
        prop_assert_eq!(&decoded[0].records, &batch.theirs());
    }

    #[test]
    fn the_iterator_and_the_stream_read_what_kafka_protocol_writes(batch in batch()) {
        let mut bytes = BytesMut::new();
        let options = RecordEncodeOptions { version: 2, compression: batch.their_codec() };
        RecordBatchEncoder::encode(&mut bytes, &batch.theirs(), &options).unwrap();
        prop_assert!(crc_is_valid(&bytes));

        let opened = records_of(&bytes, 1 << 24).unwrap();
        let header = *opened.header();
        prop_assert_eq!(header.size(), bytes.len());
        prop_assert_eq!(header.attributes.codec(), Ok(batch.codec));
        prop_assert_eq!(header.attributes.is_transactional(), batch.transactional);
        let (id, epoch, sequence) = batch.producer;
        prop_assert_eq!(header.producer_id, ProducerId(id));
        prop_assert_eq!(header.producer_epoch, ProducerEpoch(epoch));
        prop_assert_eq!(header.base_sequence, Sequence(sequence));
        let records: Vec<_> = opened.iter().map(|record| message_of(&record.unwrap(), &header)).collect();
        prop_assert_eq!(&records, &batch.messages);

        let mut stream = RecordStream::open(&bytes, 1 << 24).unwrap();
        let mut streamed = Vec::new();
        while let Some(record) = stream.next_record().unwrap() {
            streamed.push(message_of(&record, &header));
        }
        prop_assert_eq!(&streamed, &batch.messages);
    }

    #[test]
    fn a_sound_batch_passes_the_check_and_is_stored_as_it_came(batch in batch(), behind in vec(any::<u8>(), 0..8)) {
        let batch = Batch { base_offset: 0, ..batch };
        let records = batch.ours();
        let sent = Bytes::from([&records[..], &behind].concat());
        let checked = check(&sent, 9, &BatchRules::default(), Millis(2_000_000_000_000)).unwrap();
        let (header, rest) = checked.stamp(Offset(0), LeaderEpoch(9));
        prop_assert_eq!([&header[..], &rest].concat(), records);
    }
}
