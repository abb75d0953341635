use proptest::prelude::*;

use super::*;

fn fault<T: std::fmt::Debug>(result: Result<T, Trouble>) -> RecordFault {
    match result {
        Err(Trouble::Fault(fault)) => fault,
        other => panic!("expected a fault, got {other:?}"),
    }
}

fn stream(bytes: &[u8]) -> Stream<'_> {
    Stream::new(Box::new(bytes), Codec::Gzip)
}

/// A record of these fields, and a length that is right unless `length` says otherwise.
fn record(length: Option<i64>, fields: &[u8]) -> Vec<u8> {
    let mut bytes = [0; 10];
    let len = put_varlong(&mut bytes, length.unwrap_or(fields.len() as i64));
    [&bytes[..len], fields].concat()
}

/// Attributes, timestamp delta 1, offset delta 0, key "k", value null, one header "h" = "v".
const FIELDS: [u8; 11] = [0, 2, 0, 2, b'k', 1, 2, 2, b'h', 2, b'v'];

#[test]
fn numbers_are_read_as_they_are_written() {
    let numbers = [
        0,
        -1,
        1,
        63,
        64,
        -64,
        -65,
        8191,
        8192,
        i64::from(i32::MAX),
        i64::from(i32::MIN),
        i64::MAX,
        i64::MIN,
    ];
    for number in numbers {
        let mut bytes = [0; 10];
        let len = put_varlong(&mut bytes, number);
        assert_eq!(len, varlong_len(number), "{number}");
        assert_eq!(varlong(&mut Slice::new(&bytes[..len])).unwrap(), number);
        if let Ok(number) = i32::try_from(number) {
            assert_eq!(varint(&mut Slice::new(&bytes[..len])).unwrap(), number);
        }
    }
}

#[test]
fn a_number_in_more_bytes_than_it_needs_is_read() {
    assert_eq!(varint(&mut Slice::new(&[0x82, 0x80, 0x80, 0x80, 0x00])).unwrap(), 1);
    assert_eq!(
        varint(&mut Slice::new(&[0xff, 0xff, 0xff, 0xff, 0x7f])).unwrap(),
        i32::MIN,
        "bits past 32 are dropped"
    );
}

#[test]
fn a_number_without_end_is_refused() {
    assert_eq!(fault(varint(&mut Slice::new(&[0x80; 6]))), RecordFault::EndlessVarint);
    assert_eq!(fault(varlong(&mut Slice::new(&[0x80; 11]))), RecordFault::EndlessVarint);
    assert_eq!(fault(varint(&mut Slice::new(&[0x80; 4]))), RecordFault::Truncated);
    assert_eq!(fault(varlong(&mut stream(&[0xff; 9]))), RecordFault::Truncated);
    assert_eq!(fault(varlong(&mut stream(&[0xff; 20]))), RecordFault::EndlessVarint);
}

#[test]
fn a_record_is_read_field_by_field() {
    let bytes = record(None, &FIELDS);
    let framed = read_record(&mut Slice::new(&bytes)).unwrap();
    assert_eq!((framed.timestamp_delta, framed.offset_delta), (1, 0));
    assert_eq!((framed.key, framed.value), (Some(&b"k"[..]), None));
    assert_eq!((framed.header_count, framed.headers), (1, &FIELDS[7..]));
}

#[test]
fn what_is_no_record_is_refused_at_hand_and_in_a_stream() {
    let with = |at: usize, byte: u8| {
        let mut fields = FIELDS;
        fields[at] = byte;
        record(None, &fields)
    };
    let longer = |extra: i64| record(Some(FIELDS.len() as i64 + extra), &[&FIELDS[..], &[0; 9]].concat());
    for (what, bytes, expected) in [
        ("negative length", record(Some(-1), &FIELDS), RecordFault::NegativeLength),
        ("no length", Vec::new(), RecordFault::Truncated),
        ("endless length", vec![0x80; 12], RecordFault::EndlessVarint),
        ("no fields", record(Some(0), &[]), RecordFault::LengthMismatch),
        ("a length too small", longer(-1), RecordFault::LengthMismatch),
        ("a length too large", longer(1), RecordFault::LengthMismatch),
        ("a key too long", with(3, 40), RecordFault::LengthMismatch),
        ("a value too long", with(5, 40), RecordFault::LengthMismatch),
        ("a negative header count", with(6, 1), RecordFault::HeaderCount),
        ("more headers than bytes", with(6, 6), RecordFault::HeaderCount),
        ("a null header key", with(7, 1), RecordFault::NullHeaderKey),
        ("a header value too long", with(9, 8), RecordFault::LengthMismatch),
    ] {
        assert_eq!(fault(read_record(&mut Slice::new(&bytes))), expected, "{what}");
        assert_eq!(fault(read_record(&mut stream(&bytes))), expected, "{what}, in a stream");
    }
    let cut = &record(None, &FIELDS)[..9];
    assert_eq!(fault(read_record(&mut Slice::new(cut))), RecordFault::Truncated);
    assert_eq!(fault(read_record(&mut stream(cut))), RecordFault::Truncated);
}

#[test]
fn a_claimed_count_of_two_billion_headers_is_refused_at_once() {
    let fields = [0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(fault(read_record(&mut Slice::new(&record(None, &fields)))), RecordFault::HeaderCount);
    let claim = record(Some(i64::from(i32::MAX)), &fields);
    assert_eq!(fault(read_record(&mut stream(&claim))), RecordFault::HeaderCount);
}

#[test]
fn a_length_below_minus_one_is_null() {
    let fields = [0, 0, 0, 0x09, 0x0b, 0];
    let bytes = record(None, &fields);
    let framed = read_record(&mut Slice::new(&bytes)).unwrap();
    assert_eq!((framed.key, framed.value), (None, None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// The check reads compressed batches as a stream, consumers read them whole: both must take the same records.
    #[test]
    fn both_ways_of_reading_agree(mut bytes in proptest::collection::vec(any::<u8>(), 0..60), like_a_record: bool) {
        if like_a_record {
            let mut framed = record(None, &FIELDS);
            let at = bytes.len() % framed.len();
            if let Some(&byte) = bytes.first() {
                framed[at] = byte;
            }
            bytes = framed;
        }
        let at_hand = read_record(&mut Slice::new(&bytes));
        let streamed = read_record(&mut stream(&bytes));
        prop_assert_eq!(at_hand.is_ok(), streamed.is_ok());
        if let (Ok(at_hand), Ok(streamed)) = (at_hand, streamed) {
            prop_assert_eq!(at_hand.offset_delta, streamed.offset_delta);
            prop_assert_eq!(at_hand.timestamp_delta, streamed.timestamp_delta);
            prop_assert_eq!(at_hand.key.is_some(), streamed.key.is_some());
            prop_assert_eq!(at_hand.header_count, streamed.header_count);
        }
    }
}
