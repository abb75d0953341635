//! The value of a record in the metadata log.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wire::metadata_records::MetadataRecord;

fuzz_target!(|value: &[u8]| {
    let Ok((record, version)) = MetadataRecord::decode(Bytes::copy_from_slice(value)) else { return };
    let written = record.encode(version).expect("what was read can be written");
    let json = record.value(version).to_json();
    let (again, same_version) = MetadataRecord::decode(written).expect("what was written can be read");
    // Compared as text, since a quota that is not a number is not equal to itself.
    assert_eq!((again.value(version).to_json(), same_version), (json, version));
});
