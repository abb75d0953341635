use super::*;
use crate::samples::{THEN, batch, plain_record};
use crate::{BatchBuilder, NewRecord, seal};

/// Every record, or the error, as the three ways of reading give it.
fn all_ways(batch: &[u8], limit: usize) -> Result<Vec<i32>, BatchError> {
    let whole = records_of(batch, limit).and_then(|records| {
        records.iter().map(|record| record.map(|r| r.offset_delta)).collect::<Result<Vec<_>, _>>()
    });
    let streamed = || {
        let mut stream = RecordStream::open(batch, limit)?;
        let mut deltas = Vec::new();
        while let Some(record) = stream.next_record()? {
            deltas.push(record.offset_delta);
        }
        Ok(deltas)
    };
    assert_eq!(whole, streamed());
    whole
}

#[test]
fn records_come_out_as_they_went_in() {
    for codec in Codec::ALL {
        let batch = batch(codec, 3).build();
        let records = records_of(&batch, 1000).unwrap();
        let seen: Vec<_> = records
            .into_iter()
            .map(|record| record.unwrap())
            .map(|r| {
                (
                    r.offset(records.header()).0,
                    r.timestamp(records.header()).0 - THEN.0,
                    r.key,
                    r.value.unwrap(),
                )
            })
            .collect();
        let value = |n: u8| [&b"{\"msg_count\": "[..], &[b'0' + n], b"}"].concat();
        let values: Vec<_> = (0..3).map(value).collect();
        let expected: Vec<_> = (0..3).map(|n: usize| (n as i64, n as i64, None, &values[n][..])).collect();
        assert_eq!(seen, expected, "{codec}");
        assert_eq!(all_ways(&batch, 1000), Ok(vec![0, 1, 2]), "{codec}");
    }
}

#[test]
fn headers_come_out_in_order_with_repeats_and_nulls() {
    let headers: [(&[u8], Option<&[u8]>); 3] = [(b"a", Some(b"1")), (b"a", None), (b"", Some(b""))];
    let mut builder = BatchBuilder::new(Offset::ZERO);
    builder.push(&NewRecord { headers: &headers, ..NewRecord::default() });
    let batch = builder.build();
    let records = records_of(&batch, 0).unwrap();
    let record = records.iter().next().unwrap().unwrap();
    assert_eq!((record.headers.len(), record.headers.is_empty()), (3, false));
    assert_eq!(record.headers.into_iter().collect::<Vec<_>>(), headers);
}

#[test]
fn an_uncompressed_batch_is_only_borrowed() {
    let batch = batch(Codec::None, 1).build();
    let records = records_of(&batch, 0).unwrap();
    let value = records.iter().next().unwrap().unwrap().value.unwrap();
    assert!(batch.as_ptr_range().contains(&value.as_ptr()));
}

#[test]
fn a_batch_that_is_not_whole_is_not_opened() {
    let batch = batch(Codec::None, 1).build();
    let size = batch.len();
    assert_eq!(all_ways(&batch[..size - 1], 0), Err(BatchError::Truncated { needed: size, got: size - 1 }));
    let behind = [&batch[..], b"next"].concat();
    assert_eq!(all_ways(&behind, 0), Ok(vec![0]), "what follows is another batch's");
}

#[test]
fn nothing_comes_behind_an_error() {
    let header =
        BatchHeader { record_count: 3, ..BatchHeader::parse(&batch(Codec::None, 3).build()).unwrap() };
    let body = [&plain_record(0)[..], &[0x80; 8], &plain_record(2)].concat();
    let batch = seal(&header, &body);
    let records = records_of(&batch, 0).unwrap();
    let seen: Vec<_> = records.iter().map(|record| record.map(|r| r.offset_delta)).collect();
    assert_eq!(seen, [Ok(0), Err(BatchError::Record { index: 1, what: RecordFault::EndlessVarint })]);
}

#[test]
fn counts_are_held_against_the_bytes() {
    let body = [plain_record(0), plain_record(1)].concat();
    for codec in Codec::ALL {
        let mut writer = compression::Writer::new(codec, None);
        writer.put(&body);
        let packed = writer.finish();
        let header = BatchHeader::parse(&batch(codec, 1).build()).unwrap();
        let claiming = |record_count| all_ways(&seal(&BatchHeader { record_count, ..header }, &packed), 100);
        let cut = Err(BatchError::Record { index: 2, what: RecordFault::Truncated });
        assert_eq!(claiming(1), Err(BatchError::LeftOver(1)), "{codec}");
        assert_eq!(claiming(2), Ok(vec![0, 1]), "{codec}");
        assert_eq!(claiming(3), cut, "{codec}");
        assert_eq!(claiming(i32::MAX), cut, "{codec}");
        assert_eq!(claiming(-1), Err(BatchError::RecordCount(-1)), "{codec}");
        assert_eq!(claiming(0), Ok(vec![]), "{codec}: a batch that compaction emptied is not looked into");
    }
}

#[test]
fn unpacking_stops_at_the_limit() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let batch = batch(codec, 10).build();
        assert_eq!(all_ways(&batch, 100), Err(BatchError::DecompressedTooLarge { limit: 100 }), "{codec}");
    }
}

#[test]
fn records_larger_than_the_window_are_streamed_whole() {
    let large = vec![7; 100_000];
    for codec in Codec::ALL {
        let mut builder = BatchBuilder::new(Offset::ZERO).codec(codec, None);
        for value in [&large[..], b"small", &large[1..]] {
            builder.push(&NewRecord { value: Some(value), ..NewRecord::default() });
        }
        let batch = builder.build();
        let mut stream = RecordStream::open(&batch, 1 << 20).unwrap();
        let mut sizes = Vec::new();
        while let Some(record) = stream.next_record().unwrap() {
            assert!(record.value.unwrap().iter().all(|&byte| byte == 7 || b"small".contains(&byte)));
            sizes.push(record.value.unwrap().len());
        }
        assert_eq!(sizes, [100_000, 5, 99_999], "{codec}");
        assert_eq!(stream.next_record(), Ok(None), "{codec}");
    }
}

#[test]
fn a_claimed_record_length_reserves_nothing() {
    let header = BatchHeader::parse(&batch(Codec::Gzip, 1).build()).unwrap();
    let mut writer = compression::Writer::new(Codec::Gzip, None);
    writer.put(&[0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0]);
    let batch = seal(&header, &writer.finish());
    let mut stream = RecordStream::open(&batch, usize::MAX).unwrap();
    assert_eq!(stream.next_record(), Err(BatchError::Record { index: 0, what: RecordFault::Truncated }));
    let StreamSource::Packed { record, .. } = &stream.source else { panic!("the batch is packed") };
    assert!(record.capacity() < 100);
}
