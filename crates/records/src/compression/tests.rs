use super::*;

fn pack(codec: Codec, level: Option<i32>, pieces: &[&[u8]]) -> Vec<u8> {
    let mut writer = Writer::new(codec, level);
    for piece in pieces {
        writer.put(piece);
    }
    writer.finish()
}

fn unpack(codec: Codec, body: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    let mut unpacked = Vec::new();
    reader(codec, body, limit)?.read_to_end(&mut unpacked).map_err(|error| failure(codec, &error))?;
    Ok(unpacked)
}

/// Text that packs well, and noise that does not.
fn samples() -> [Vec<u8>; 5] {
    let mut state = 7_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let noise: Vec<u8> = noise.take(200_000).collect();
    [b"x".to_vec(), b"ottla ".repeat(30_000), noise[..40_000].to_vec(), noise, vec![0; 1 << 20]]
}

const PACKED: [Codec; 4] = [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

#[test]
fn every_codec_unpacks_what_it_packed() {
    for codec in Codec::ALL {
        for (at, sample) in samples().iter().enumerate() {
            let (front, back) = sample.split_at(sample.len() / 3);
            let packed = pack(codec, None, &[front, b"", back]);
            assert_eq!(unpack(codec, &packed, sample.len()), Ok(sample.clone()), "{codec}, sample {at}");
        }
    }
}

#[test]
fn a_level_out_of_range_counts_as_the_nearest() {
    let text = &samples()[1];
    for codec in Codec::ALL {
        for level in [i32::MIN, -1, 0, 1, 9, i32::MAX] {
            let packed = pack(codec, Some(level), &[text]);
            assert_eq!(unpack(codec, &packed, text.len()).as_ref(), Ok(text), "{codec} at level {level}");
        }
    }
    let sizes = [Some(1), None, Some(9)].map(|level| pack(Codec::Gzip, level, &[&samples()[1]]).len());
    assert!(sizes[0] >= sizes[1] && sizes[1] >= sizes[2], "{sizes:?}");
}

#[test]
fn one_byte_over_the_limit_is_an_error() {
    let text = &samples()[1];
    for codec in Codec::ALL {
        let packed = pack(codec, None, &[text]);
        let limit = text.len() - 1;
        assert_eq!(unpack(codec, &packed, limit), Err(BatchError::DecompressedTooLarge { limit }), "{codec}");
        assert_eq!(unpack(codec, &packed, 0), Err(BatchError::DecompressedTooLarge { limit: 0 }), "{codec}");
    }
}

#[test]
fn a_body_cut_anywhere_does_not_unpack_whole() {
    let text = b"ottla ".repeat(20);
    for codec in PACKED {
        let packed = pack(codec, None, &[&text]);
        for end in 0..packed.len() {
            let unpacked = unpack(codec, &packed[..end], 1 << 20);
            // Snappy's framing has no end mark: cut between blocks it is whole, as far as it goes.
            let whole = unpacked.as_ref() == Ok(&text);
            let tolerated = codec == Codec::Snappy && unpacked.as_ref().is_ok_and(Vec::is_empty);
            assert!(unpacked.is_err() || (tolerated && !whole), "{codec} cut at {end}: {unpacked:?}");
        }
    }
}

#[test]
fn garbage_does_not_unpack() {
    let garbage = [0x2a; 100];
    for codec in PACKED {
        let error = unpack(codec, &garbage, 1 << 20).unwrap_err();
        assert!(matches!(error, BatchError::Decompression { codec: named, .. } if named == codec), "{error}");
    }
}

#[test]
fn gzip_members_and_zstd_frames_may_stand_one_behind_the_other() {
    for codec in [Codec::Gzip, Codec::Zstd] {
        let two = [pack(codec, None, &[b"one "]), pack(codec, None, &[b"two"])].concat();
        assert_eq!(unpack(codec, &two, 100).unwrap(), b"one two", "{codec}");
    }
}

#[test]
fn snappy_is_also_read_as_one_bare_block_and_as_several_streams() {
    let bare = snap::raw::Encoder::new().compress_vec(b"from librdkafka").unwrap();
    assert_eq!(unpack(Codec::Snappy, &bare, 100).unwrap(), b"from librdkafka");
    let streams = [pack(Codec::Snappy, None, &[b"one "]), pack(Codec::Snappy, None, &[b"two"])].concat();
    assert_eq!(unpack(Codec::Snappy, &streams, 100).unwrap(), b"one two");
}

#[test]
fn snappy_framing_is_checked() {
    let packed = pack(Codec::Snappy, None, &[b"value"]);
    assert_eq!(&packed[..16], b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
    let with = |at: usize, bytes: &[u8]| {
        let mut bent = packed.clone();
        bent[at..at + bytes.len()].copy_from_slice(bytes);
        unpack(Codec::Snappy, &bent, 1 << 20)
    };
    assert!(with(8, &0_i32.to_be_bytes()).is_err(), "version 0");
    assert!(with(16, &(-1_i32).to_be_bytes()).is_err(), "a negative block length");
    assert!(with(16, &i32::MAX.to_be_bytes()).is_err(), "a block length beyond the bytes");
    assert!(with(16, &0_i32.to_be_bytes()).is_err(), "an empty block");
    assert!(unpack(Codec::Snappy, b"", 100).is_err(), "nothing at all");
}

#[test]
fn a_snappy_block_that_claims_more_than_it_can_hold_is_refused_before_it_is_given_room() {
    let claim = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
    let error = unpack(Codec::Snappy, &claim, usize::MAX).unwrap_err();
    assert!(error.to_string().contains("claims to unpack to 4294967295"), "{error}");
}

#[test]
fn only_lz4_frames_that_kafkas_consumers_read_are_read() {
    let packed = pack(Codec::Lz4, None, &[b"value"]);
    assert_eq!(
        &packed[..7],
        [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82],
        "the header that Kafka's own writer makes"
    );
    let with_flags = |flags: u8, descriptor: u8| {
        let mut bent = packed.clone();
        (bent[4], bent[5]) = (flags, descriptor);
        bent[6] = (twox_hash::XxHash32::oneshot(0, &bent[4..6]) >> 8) as u8;
        unpack(Codec::Lz4, &bent, 100)
    };
    assert_eq!(with_flags(0x60, 0x70).unwrap(), b"value", "blocks of up to 4 MiB");
    for (flags, descriptor, what) in [
        (0x20, 0x40, "version 0"),
        (0xa0, 0x40, "version 2"),
        (0x40, 0x40, "dependent blocks"),
        (0x61, 0x40, "a dictionary"),
        (0x60, 0x30, "block size 3"),
        (0x60, 0xc0, "a reserved bit"),
        (0x60, 0x41, "a reserved bit"),
    ] {
        assert!(with_flags(flags, descriptor).is_err(), "{what}");
    }
    let mut bent = packed.clone();
    bent[6] ^= 1;
    assert_eq!(unpack_old(Codec::Lz4, 0, &bent, 100).unwrap(), b"value", "format 0 has a wrong one");
    assert!(unpack_old(Codec::Lz4, 1, &bent, 100).is_err());
    assert!(unpack(Codec::Lz4, &bent, 100).unwrap_err().to_string().contains("checksum"));
    let behind = [&packed[..], b"anything"].concat();
    assert_eq!(
        unpack(Codec::Lz4, &behind, 100).unwrap(),
        b"value",
        "nothing behind the end mark is looked at"
    );
}

#[test]
fn lz4_frames_with_checksums_and_content_size_are_read() {
    let descriptor = [0b0111_1100, 0x40, 5, 0, 0, 0, 0, 0, 0, 0];
    let hash = |bytes: &[u8]| twox_hash::XxHash32::oneshot(0, bytes);
    let mut frame = 0x184d_2204_u32.to_le_bytes().to_vec();
    frame.extend(descriptor);
    frame.push((hash(&descriptor) >> 8) as u8);
    frame.extend(0x8000_0005_u32.to_le_bytes());
    frame.extend(b"value");
    let checksum_at = frame.len();
    frame.extend(hash(b"value").to_le_bytes());
    frame.extend(0_u32.to_le_bytes());
    frame.extend(hash(b"value").to_le_bytes());
    assert_eq!(unpack(Codec::Lz4, &frame, 100).unwrap(), b"value");
    assert!(unpack(Codec::Lz4, &frame[..frame.len() - 1], 100).is_err(), "the content checksum is missing");
    frame[checksum_at] ^= 1;
    assert!(unpack(Codec::Lz4, &frame, 100).unwrap_err().to_string().contains("checksum"));
}

#[test]
fn an_lz4_block_larger_than_its_frame_says_is_refused() {
    let block = vec![7; 64 * 1024 + 1];
    let mut frame = pack(Codec::Lz4, None, &[])[..7].to_vec();
    frame.extend((block.len() as u32 | 0x8000_0000).to_le_bytes());
    frame.extend(&block);
    frame.extend(0_u32.to_le_bytes());
    assert!(
        unpack(Codec::Lz4, &frame, 1 << 20).unwrap_err().to_string().contains("more than the frame's 65536")
    );
}
