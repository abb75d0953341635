use super::*;
use crate::str_bytes::StrBytes;

const PLAIN: Layout = Layout::new(0, false);
const FLEXIBLE: Layout = Layout::new(0, true);

fn read<T: Field>(bytes: &[u8], layout: Layout) -> Result<T, DecodeFault> {
    T::read(&mut Decoder::new(Bytes::copy_from_slice(bytes)), layout).map_err(|error| error.fault)
}

#[test]
fn unsigned_varints_hold_32_bits() {
    for (bytes, expected) in [
        (&[0x00][..], 0),
        (&[0x7f], 127),
        (&[0x80, 0x01], 128),
        (&[0xff, 0xff, 0xff, 0xff, 0x07], i32::MAX as u32),
        (&[0xff, 0xff, 0xff, 0xff, 0x0f], u32::MAX),
        // Longer than it need be, which Kafka takes too.
        (&[0x80, 0x80, 0x80, 0x80, 0x00], 0),
    ] {
        let mut from = Decoder::new(Bytes::copy_from_slice(bytes));
        assert_eq!(from.unsigned_varint(), Ok(expected), "{bytes:x?}");
        assert_eq!(from.remaining(), 0);
    }
}

#[test]
fn a_varint_without_end_is_refused() {
    let varint = |bytes: &'static [u8]| {
        Decoder::new(Bytes::from_static(bytes)).unsigned_varint().map_err(|error| error.fault)
    };
    assert_eq!(varint(&[0xff; 5]), Err(DecodeFault::VarintTooLong));
    assert_eq!(varint(&[0xff; 100]), Err(DecodeFault::VarintTooLong));
    assert_eq!(varint(&[0xff, 0xff, 0xff, 0xff, 0x10]), Err(DecodeFault::VarintTooLong));
    assert_eq!(varint(&[0xff; 4]), Err(DecodeFault::TooShort { needed: 1, left: 0 }));
    assert_eq!(varint(&[]), Err(DecodeFault::TooShort { needed: 1, left: 0 }));
}

#[test]
fn text_and_bytes_share_the_frame() {
    let frame = Bytes::from_static(b"\x00\x03abc\x00\x00\x00\x02de");
    let mut from = Decoder::new(frame.clone());
    let text = StrBytes::read(&mut from, PLAIN).unwrap();
    let bytes = Bytes::read(&mut from, PLAIN).unwrap();
    assert_eq!((&*text, &bytes[..]), ("abc", &b"de"[..]));
    assert_eq!(text.as_ptr(), frame[2..].as_ptr());
    assert_eq!(bytes.as_ptr(), frame[9..].as_ptr());
    assert_ne!(text.detached().as_ptr(), text.as_ptr());
}

#[test]
fn text_must_be_utf8_and_short() {
    assert_eq!(read::<StrBytes>(&[0, 2, 0xc3, 0x28], PLAIN), Err(DecodeFault::NotUtf8));
    // A surrogate, which Java's own encoding of text would let through.
    assert_eq!(read::<StrBytes>(&[4, 0xed, 0xa0, 0x80], FLEXIBLE), Err(DecodeFault::NotUtf8));
    let long = [&[0x81, 0x80, 0x02][..], &[b'a'; 32768]].concat();
    assert_eq!(read::<StrBytes>(&long, FLEXIBLE), Err(DecodeFault::StringTooLong(32768)));
    let longest = [&[0x80, 0x80, 0x02][..], &[b'a'; 32767]].concat();
    assert_eq!(read::<StrBytes>(&longest, FLEXIBLE).map(|text| text.len()), Ok(32767));
}

#[test]
fn null_and_lengths_below_it() {
    assert_eq!(read::<Option<StrBytes>>(&[0xff, 0xff], PLAIN.nullable(true)), Ok(None));
    assert_eq!(read::<Option<StrBytes>>(&[0], FLEXIBLE.nullable(true)), Ok(None));
    assert_eq!(read::<StrBytes>(&[0xff, 0xff], PLAIN), Err(DecodeFault::UnexpectedNull));
    assert_eq!(read::<Option<StrBytes>>(&[0xff, 0xff], PLAIN), Err(DecodeFault::UnexpectedNull));
    assert_eq!(read::<Vec<i32>>(&[0xff; 4], PLAIN), Err(DecodeFault::UnexpectedNull));
    assert_eq!(read::<Bytes>(&[0xff, 0xff, 0xff, 0xfe], PLAIN), Err(DecodeFault::BadLength(-2)));
    assert_eq!(read::<StrBytes>(&[0x80, 0], PLAIN), Err(DecodeFault::BadLength(-32768)));
}

#[test]
fn lengths_beyond_the_frame_are_refused() {
    assert_eq!(
        read::<Bytes>(&[0, 0, 0, 5, 1, 2], PLAIN),
        Err(DecodeFault::BytesBeyondFrame { claimed: 5, left: 2 })
    );
    let most = DecodeFault::BytesBeyondFrame { claimed: 0x7fff_ffff, left: 0 };
    assert_eq!(read::<Bytes>(&[0x7f, 0xff, 0xff, 0xff], PLAIN), Err(most));
    let most = DecodeFault::BytesBeyondFrame { claimed: 0xffff_fffe, left: 0 };
    assert_eq!(read::<Bytes>(&[0xff, 0xff, 0xff, 0xff, 0x0f], FLEXIBLE), Err(most));
}

#[test]
fn who_reads_on_finds_where_the_bytes_end() {
    let read = |bytes: &'static [u8]| {
        let mut from = Decoder::reading_on(Bytes::from_static(bytes));
        Vec::<StrBytes>::read(&mut from, PLAIN).map_err(|error| error.fault)
    };
    let beyond = DecodeFault::LengthBeyondFrame { claimed: 7, fits: 3, left: 6 };
    assert_eq!(read(b"\0\0\0\x07\0\0\0\0\0\0"), Err(beyond));
    assert_eq!(read(b"\0\0\0\x04\0\0\0\x02ab\0"), Err(DecodeFault::TooShort { needed: 2, left: 1 }));
    let cut = DecodeFault::BytesBeyondFrame { claimed: 5, left: 3 };
    assert_eq!(read(b"\0\0\0\x04\0\0\0\x05abc"), Err(cut));
    assert_eq!(read(b"\0\0\0\x02\0\0\0\x01a").map(|list| list.len()), Ok(2));
}

#[test]
fn a_list_claims_no_more_than_fits() {
    fn refused<T: Field + std::fmt::Debug>(bytes: &[u8], layout: Layout, claimed: usize, fits: usize) {
        let left = match (layout.is_flexible(), bytes[0]) {
            (true, 0xff) => 0,
            (true, _) => bytes.len() - 1,
            (false, _) => bytes.len() - 4,
        };
        assert_eq!(read::<T>(bytes, layout), Err(DecodeFault::LengthBeyondFrame { claimed, fits, left }));
    }
    refused::<Vec<i32>>(&[0x7f, 0xff, 0xff, 0xff], PLAIN, 0x7fff_ffff, 0);
    refused::<Vec<i32>>(&[0xff, 0xff, 0xff, 0xff, 0x0f], FLEXIBLE, 0xffff_fffe, 0);
    refused::<Vec<i32>>(&[0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0], PLAIN, 2, 1);
    refused::<Vec<i32>>(&[3, 0, 0, 0, 1, 0, 0, 0], FLEXIBLE, 2, 1);
    refused::<Vec<StrBytes>>(&[0, 0, 0, 2, 0, 0, 0], PLAIN, 2, 1);
    refused::<Option<Vec<StrBytes>>>(&[5, 1, 1, 1], FLEXIBLE.nullable(true), 4, 3);
    assert_eq!(read::<Vec<i32>>(&[2, 0, 0, 0, 1], FLEXIBLE), Ok(vec![1]));
}

#[test]
fn a_list_reserves_no_more_than_the_bytes_at_hand() {
    let capacity = |claimed| {
        let mut from = Decoder::new(Bytes::from_static(&[0; 1_000]));
        from.reserve::<StrBytes>(claimed, FLEXIBLE).map(|list| list.capacity())
    };
    // 1,000 strings can be there, but until they are read they take no more memory than they came in.
    assert_eq!(capacity(1_000), Ok(1_000 / size_of::<StrBytes>()));
    assert_eq!(capacity(3), Ok(3));
    assert_eq!(capacity(0), Ok(0));
}

#[test]
fn lists_take_a_limited_amount_of_memory() {
    // One byte in the frame for each empty string, and many more in memory.
    let most = LIST_MEMORY_LIMIT / size_of::<StrBytes>();
    let list = |len: usize| {
        let length = u32::try_from(len).expect("a test length").to_be_bytes();
        let bytes = [&length[..], &vec![0; len * 2]].concat();
        read::<Vec<StrBytes>>(&bytes, PLAIN).map(|list| list.len())
    };
    assert_eq!(list(most), Ok(most));
    assert_eq!(list(most + 1), Err(DecodeFault::ListsTooLarge));
}

#[test]
fn tagged_fields_draw_on_the_limit_of_their_message() {
    // Twice the tag 7 with a list of four bytes, where lists may take six.
    let tag = [7, 5, 5, 0, 0, 0, 0];
    let mut from = Decoder { bytes: Bytes::from([tag, tag].concat()), list_memory: 6, reads_on: false };
    let (number, mut content) = from.tagged().unwrap();
    assert_eq!((number, Vec::<i8>::read(&mut content, FLEXIBLE)), (7, Ok(vec![0; 4])));
    from.tagged_end(&content).unwrap();
    let (_, mut content) = from.tagged().unwrap();
    assert_eq!(Vec::<i8>::read(&mut content, FLEXIBLE), Err(DecodeFault::ListsTooLarge.into()));
}

#[test]
fn an_error_names_the_path_to_its_field() {
    let error = DecodeError::from(DecodeFault::NotUtf8).within("name").within("topicData");
    assert_eq!(error.field, "topicData.name");
    assert_eq!(error.to_string(), "text is not UTF-8 (in topicData.name)");
    assert_eq!(DecodeError::from(DecodeFault::NotUtf8).to_string(), "text is not UTF-8");
}
