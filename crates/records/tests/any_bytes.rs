//! Whatever bytes come, reading them ends with an answer; the same properties that the fuzz targets run for longer.

use base::Millis;
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use records::{
    Attributes, BatchBuilder, BatchHeader, BatchRules, Codec, HEADER_LEN, NewRecord, RecordStream,
    TopicCompression, check, crc_is_valid, records_of, seal,
};

fn read_every_way(batch: &[u8]) {
    const LIMIT: usize = 1 << 16;
    let whole = records_of(batch, LIMIT).and_then(|records| {
        records.iter().map(|record| record.map(|r| r.offset_delta)).collect::<Result<Vec<_>, _>>()
    });
    let streamed = (|| {
        let mut stream = RecordStream::open(batch, LIMIT)?;
        let mut deltas = Vec::new();
        while let Some(record) = stream.next_record()? {
            record.headers.iter().for_each(drop);
            deltas.push(record.offset_delta);
        }
        Ok::<_, records::BatchError>(deltas)
    })();
    assert_eq!(whole.is_ok(), streamed.is_ok(), "{whole:?} and {streamed:?}");
    assert!(whole.is_err() || whole == streamed);
}

fn check_every_way(records: &Bytes) {
    for compression in [TopicCompression::Producer, TopicCompression::Codec(Codec::Zstd, Some(1))] {
        let rules = BatchRules { compression, max_decompressed_bytes: 1 << 16, ..BatchRules::default() };
        if let Ok(checked) = check(records, 9, &rules, Millis(0)) {
            let (header, rest) = checked.stamp(base::Offset(0), base::LeaderEpoch(0));
            let stored = [&header[..], &rest].concat();
            assert!(crc_is_valid(&stored) && stored.len() == checked.size());
            let records = records_of(&stored, 1 << 17).expect("what passed the check can be read");
            assert!(records.iter().all(|record| record.is_ok()), "what passed the check can be read");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_get_an_answer(bytes in vec(any::<u8>(), 0..200)) {
        read_every_way(&bytes);
        check_every_way(&Bytes::from(bytes));
    }

    #[test]
    fn any_header_in_front_of_any_body_gets_an_answer(
        codec in 0..8_i16, record_count in -1..4_i32, body in vec(any::<u8>(), 0..100),
    ) {
        let header = BatchHeader::parse(&BatchBuilder::new(base::Offset(0)).build()).unwrap();
        let header = BatchHeader {
            attributes: Attributes(codec), record_count, last_offset_delta: record_count - 1, ..header
        };
        let batch = seal(&header, &body);
        read_every_way(&batch);
        check_every_way(&batch);
    }

    #[test]
    fn a_sound_batch_with_one_byte_changed_gets_an_answer(codec in 0..5_usize, at in 0..1000_usize, to: u8) {
        let mut builder = BatchBuilder::new(base::Offset(0)).codec(Codec::ALL[codec], None);
        for n in 0..5_u8 {
            let headers: [(&[u8], Option<&[u8]>); 1] = [(b"h", Some(b"1"))];
            builder.push(&NewRecord { timestamp: Millis(1), key: Some(&[n]), value: Some(b"value"), headers: &headers });
        }
        let batch = builder.build();
        let mut body = batch[HEADER_LEN..].to_vec();
        let at = at % body.len();
        body[at] = to;
        let bent = seal(&BatchHeader::parse(&batch).unwrap(), &body);
        read_every_way(&bent);
        check_every_way(&bent);
    }
}
