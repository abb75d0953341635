use super::*;
use crate::crc_is_valid;

#[test]
fn a_sound_batch_is_kept_byte_for_byte_and_not_copied() {
    for codec in Codec::ALL {
        let records = batch(codec, 10).build();
        let checked = checked(&records, &plain());
        assert_eq!(on_disk(&checked), records, "{codec}");
        let (_, rest) = checked.stamp(Offset(5), LeaderEpoch(3));
        assert_eq!(rest.as_ptr(), records[HEADER_LEN..].as_ptr(), "{codec}: the rest is shared");
        assert_eq!((checked.size(), checked.log_append_time()), (records.len(), Millis::NONE));
    }
}

#[test]
fn a_stamp_writes_offset_and_epoch_which_the_crc_does_not_cover() {
    let records = batch(Codec::None, 10).build();
    let (header, rest) = checked(&records, &plain()).stamp(Offset(1000), LeaderEpoch(7));
    let stored = [&header[..], &rest].concat();
    let header = BatchHeader::parse(&stored).unwrap();
    assert_eq!(
        (header.base_offset, header.last_offset(), header.leader_epoch),
        (Offset(1000), Offset(1009), LeaderEpoch(7))
    );
    assert!(crc_is_valid(&stored));
    assert_eq!(stored[16..], records[16..]);
}

#[test]
fn the_same_codec_is_kept_whatever_its_level() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let rules = BatchRules { compression: TopicCompression::Codec(codec, Some(9)), ..plain() };
        let records = batch(codec, 10).build();
        assert_eq!(on_disk(&checked(&records, &rules)), records, "{codec}");
    }
    let records = batch(Codec::None, 10).build();
    assert_eq!(on_disk(&checked(&records, &compressed_as(Codec::None))), records);
}

#[test]
fn append_time_is_written_into_the_header_of_a_kept_batch() {
    for codec in Codec::ALL {
        let records = batch(codec, 10).build();
        let checked = checked(&records, &append_time());
        assert_eq!(checked.log_append_time(), NOW);
        let stored = on_disk(&checked);
        assert!(crc_is_valid(&stored), "{codec}");
        let header = BatchHeader::parse(&stored).unwrap();
        assert_eq!(header.attributes.timestamp_type(), TimestampType::LogAppendTime);
        assert_eq!((header.max_timestamp, header.base_timestamp), (NOW, THEN));
        assert_eq!(stored[HEADER_LEN..], records[HEADER_LEN..], "{codec}: the records' own deltas stay");
        let (_, rest) = checked.stamp(Offset(5), LeaderEpoch(3));
        assert_eq!(rest.as_ptr(), records[HEADER_LEN..].as_ptr(), "{codec}: the rest is shared");
    }
}

#[test]
fn a_wrong_max_timestamp_is_put_right() {
    for codec in Codec::ALL {
        let records = bent_from(&batch(codec, 10).build(), |header| header.max_timestamp = Millis(3));
        let stored = on_disk(&checked(&records, &plain()));
        assert!(crc_is_valid(&stored), "{codec}");
        assert_eq!(BatchHeader::parse(&stored).unwrap().max_timestamp, THEN.plus(9), "{codec}");
    }
}

#[test]
fn a_mark_of_append_time_is_taken_away_and_with_it_bits_without_meaning() {
    let records = bent(|header| header.attributes = Attributes(0x7f08));
    let checked = checked(&records, &plain());
    let header = checked.header();
    assert_eq!(header.attributes, Attributes(0));
    assert_eq!(header.max_timestamp, THEN.plus(1), "the time of every record was the header's, and stays it");
    let kept = bent(|header| header.attributes = Attributes(0x7f80));
    assert_eq!(
        on_disk(&super::checked(&kept, &plain())),
        kept,
        "a batch in which nothing changes keeps them"
    );
}

#[test]
fn offset_deltas_of_an_uncompressed_batch_are_not_looked_at() {
    let body = [crate::samples::plain_record(5), crate::samples::plain_record(9)].concat();
    let records = around(Codec::None, 2, &body);
    assert_eq!(on_disk(&checked(&records, &plain())), records);
}

#[test]
fn bytes_behind_the_batch_that_are_no_batch_are_left_out() {
    let sound = batch(Codec::None, 2).build();
    for behind in [&[0; 11][..], &sound[..40], &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 99]] {
        let records = Bytes::from([&sound[..], behind].concat());
        assert_eq!(on_disk(&checked(&records, &plain())), sound);
    }
}

#[test]
fn a_transactional_batch_passes() {
    let records = bent(|header| header.attributes = header.attributes.with_transactional(true));
    assert!(
        checked(&records, &plain()).header().attributes.is_transactional(),
        "whether it may is asked elsewhere"
    );
}
