//! Bytes as a batch: both ways of reading its records end, within their limit, and agree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use records::{BatchError, RecordStream, records_of};

const LIMIT: usize = 1 << 20;

fuzz_target!(|batch: &[u8]| {
    let whole = records_of(batch, LIMIT).and_then(|records| {
        records
            .iter()
            .map(|record| record.map(|r| (r.offset_delta, r.headers.iter().count())))
            .collect::<Result<Vec<_>, _>>()
    });
    let streamed = (|| {
        let mut stream = RecordStream::open(batch, LIMIT)?;
        let mut seen = Vec::new();
        while let Some(record) = stream.next_record()? {
            seen.push((record.offset_delta, record.headers.iter().count()));
        }
        Ok::<_, BatchError>(seen)
    })();
    assert_eq!(whole.is_ok(), streamed.is_ok());
    assert!(whole.is_err() || whole == streamed);
});
