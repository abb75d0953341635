use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;

use base::Millis;
use disk::{Disk, OpenHow};
use records::{BatchBuilder, NewRecord};
use testkit::CrashDisk;

use super::*;

/// Batches of values of these sizes, one behind the other, and the position of each.
fn batches(first: i64, sizes: &[usize]) -> (Vec<u8>, Vec<u64>) {
    let mut bytes = Vec::new();
    let mut positions = Vec::new();
    for (at, size) in sizes.iter().enumerate() {
        let mut builder = BatchBuilder::new(Offset(first + at as i64));
        let value: Vec<u8> = (0..*size).map(|byte| (byte * 7 + at) as u8).collect();
        builder.push(&NewRecord {
            timestamp: Millis(at as i64),
            value: Some(&value),
            ..NewRecord::default()
        });
        positions.push(bytes.len() as u64);
        bytes.extend(builder.build());
    }
    (bytes, positions)
}

fn file_of(bytes: &[u8]) -> Arc<dyn DiskFile> {
    let file = CrashDisk::calm(1).open(Path::new("/log"), OpenHow::New).unwrap();
    file.write_at(0, &[IoSlice::new(bytes)]).unwrap();
    file
}

fn scanner<'a>(file: &'a dyn DiskFile, len: usize, first: i64) -> Scanner<'a> {
    Scanner::new(file, 0, len as u64, Expected { base: Offset(first), next: Offset(first) })
}

fn scan_all(scanner: &mut Scanner<'_>) -> (Vec<u64>, Step) {
    let mut positions = Vec::new();
    loop {
        match scanner.step().unwrap() {
            Step::Batch(position, _) => positions.push(position),
            end => return (positions, end),
        }
    }
}

#[test]
fn batches_of_any_size_are_checked() {
    let sizes = [0, 10, BUFFER - 200, BUFFER, 3 * BUFFER + 5, 1, 2, BUFFER / 2, BUFFER / 2, 7, 2 * BUFFER];
    let (bytes, positions) = batches(5, &sizes);
    let file = file_of(&bytes);
    let mut whole = scanner(&*file, bytes.len(), 5);
    let (found, end) = scan_all(&mut whole);
    assert_eq!(found, positions);
    assert!(matches!(end, Step::End));
    assert_eq!(whole.next_offset(), Offset(5 + sizes.len() as i64));
    assert!(whole.buffer.capacity() <= BUFFER, "no batch reserves memory by its length");
}

#[test]
fn a_flipped_bit_anywhere_stops_the_scan() {
    let (bytes, positions) = batches(0, &[20, 30, 40]);
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        let file = file_of(&damaged);
        let (found, end) = scan_all(&mut scanner(&*file, damaged.len(), 0));
        let batch = positions.iter().filter(|position| **position <= at as u64).count() - 1;
        match at - positions[batch] as usize {
            // The base offset is no part of the checksum. A lower one cannot follow; a higher one leaves a gap, which
            // may be right, and then the next batch cannot follow.
            0..8 => {
                assert!(found.len() <= batch + 1, "byte {at}");
                assert!(batch == 2 || !matches!(end, Step::End), "byte {at}");
            }
            // Nor is the leader epoch.
            12..16 => assert_eq!(found.len(), 3, "byte {at}"),
            _ => assert_eq!((found.len(), matches!(end, Step::End)), (batch, false), "byte {at}"),
        }
    }
}

#[test]
fn a_batch_must_be_whole() {
    let (bytes, positions) = batches(0, &[20, BUFFER + 30]);
    for len in (0..200).step_by(7).chain((bytes.len() - 70..bytes.len()).step_by(9)) {
        let file = file_of(&bytes[..len]);
        let (found, end) = scan_all(&mut scanner(&*file, len, 0));
        let whole = usize::from(len as u64 >= positions[1]);
        assert_eq!(found.len(), whole, "{len} bytes");
        let left = len as u64 - if whole == 1 { positions[1] } else { 0 };
        match end {
            Step::End => assert_eq!(left, 0),
            Step::Bad(Fault::Torn { left: said }) => assert_eq!(said, left),
            other => panic!("{len} bytes: {other:?}"),
        }
    }
}

#[test]
fn offsets_must_follow() {
    let (first, _) = batches(10, &[5, 5]);
    let (again, _) = batches(11, &[5]);
    let bytes = [first, again].concat();
    let file = file_of(&bytes);
    let (found, end) = scan_all(&mut scanner(&*file, bytes.len(), 10));
    assert_eq!(found.len(), 2);
    assert!(matches!(end, Step::Bad(Fault::Offsets { first: Offset(11), expected: Offset(12), .. })));
    let (far, _) = batches(i64::from(i32::MAX) + 1, &[5]);
    assert!(matches!(
        scan_all(&mut scanner(&*file_of(&far), far.len(), 0)).1,
        Step::Bad(Fault::Offsets { .. })
    ));
    assert!(matches!(scan_all(&mut scanner(&*file_of(&far), far.len(), 1)).1, Step::End));
}

#[test]
fn the_next_batch_behind_damage_is_found() {
    let (bytes, positions) = batches(0, &[20, 300, 40, BUFFER]);
    for (damaged, fill) in [(0, 0), (0, 2), (1, 2), (1, 0xff), (2, 2)] {
        let mut bytes = bytes.clone();
        let end = positions[damaged + 1] as usize;
        bytes[positions[damaged] as usize + 3..end].fill(fill);
        let file = file_of(&bytes);
        let mut scanner = scanner(&*file, bytes.len(), 0);
        let (found, _) = scan_all(&mut scanner);
        assert_eq!(found, positions[..damaged]);
        assert_eq!(scanner.find_next().unwrap(), Some(end as u64));
        assert_eq!(scanner.position(), positions[damaged], "looking ahead moves nothing");
        scanner.jump(end as u64);
        assert_eq!(scan_all(&mut scanner).0, positions[damaged + 1..]);
    }
    let mut last = bytes.clone();
    last[positions[3] as usize + 100] ^= 1;
    let file = file_of(&last);
    let mut scanner = scanner(&*file, last.len(), 0);
    assert_eq!(scan_all(&mut scanner).0.len(), 3);
    assert_eq!(scanner.find_next().unwrap(), None);
}

#[test]
fn a_batch_within_a_value_is_not_taken_for_the_next_one() {
    // A record holds the bytes of a batch with an offset from before: it may not follow here.
    let (inner, _) = batches(3, &[10]);
    let mut builder = BatchBuilder::new(Offset(7));
    builder.push(&NewRecord { value: Some(&inner), ..NewRecord::default() });
    let mut bytes = builder.build().to_vec();
    bytes[30] ^= 1;
    let end = bytes.len() as u64;
    bytes.extend(batches(8, &[10]).0);
    let file = file_of(&bytes);
    let mut scanner = scanner(&*file, bytes.len(), 7);
    assert_eq!(scan_all(&mut scanner).0.len(), 0);
    assert_eq!(scanner.find_next().unwrap(), Some(end));
}

#[test]
fn messages_of_older_formats_are_recognised() {
    // Format v1, offset 5, timestamp 7, no key, value "hi"; the checksum is zlib's `crc32` of what follows it.
    let old = [
        0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 24, 0xc5, 0x32, 0xce, 0xfc, 1, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0xff,
        0xff, 0xff, 0xff, 0, 0, 0, 2, b'h', b'i',
    ];
    let recognised = |bytes: &[u8]| {
        let file = file_of(bytes);
        scanner(&*file, bytes.len(), 5).is_old_format().unwrap()
    };
    assert!(recognised(&old));
    assert!(recognised(&[&old[..], &[9; 100]].concat()));
    for len in 0..old.len() {
        assert!(!recognised(&old[..len]), "cut to {len} bytes");
    }
    for at in 8..old.len() {
        let mut bent = old;
        bent[at] ^= 2;
        assert!(!recognised(&bent), "byte {at}");
    }
    // A torn batch of today's format may look like one at first sight.
    assert!(!recognised(&[&batches(5, &[40]).0[..12], &[0; 200]].concat()));
    assert!(!recognised(&[0; 100]));
}
