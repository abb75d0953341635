use std::path::Path;

use base::{Millis, Offset};

use super::*;
use crate::place::Place;

fn files(dir: &Path) -> Arc<Whereabouts> {
    let place = Place::new(Arc::new(disk::RealDisk::new()), dir, Arc::default());
    Whereabouts::new(&Arc::new(place), Offset(0), None)
}

fn entry(at: i32) -> OffsetEntry {
    OffsetEntry { relative_offset: at * 10, position: at * 100 }
}

fn index_of(dir: &Path, entries: i32, zeros: usize) -> IndexFile<OffsetEntry> {
    let mut bytes: Vec<u8> = (1..=entries).flat_map(|at| entry(at).encode()).collect();
    bytes.extend(vec![0; zeros]);
    let index = IndexFile::new(files(dir), bytes.len() as u64);
    std::fs::write(index.path(), bytes).unwrap();
    index
}

fn floor(index: &IndexFile<OffsetEntry>, offset: i32) -> Option<i32> {
    index.floor(|entry| entry.relative_offset <= offset).unwrap().map(|entry| entry.relative_offset / 10)
}

#[test]
fn a_search_finds_the_last_entry_reached() {
    let dir = tempfile::tempdir().unwrap();
    for entries in [0, 1, 2, 511, 512, 513, 1024, 3000] {
        let index = index_of(dir.path(), entries, 0);
        for asked in [0, 1, 2, 17, 511, 512, 513, 514, 1023, 1024, 1025, 2999, 3000, 3001, 100_000] {
            let expected = (asked.min(entries) > 0).then_some(asked.min(entries));
            assert_eq!(floor(&index, asked * 10), expected, "{asked} of {entries}");
            assert_eq!(floor(&index, asked * 10 + 9), expected, "after {asked} of {entries}");
        }
    }
}

#[test]
fn zeros_put_there_in_advance_do_not_count() {
    let dir = tempfile::tempdir().unwrap();
    for entries in [0, 1, 2, 700] {
        for zeros in [8, 16, 800, 10_000] {
            let index = index_of(dir.path(), entries, zeros);
            index.resolve().unwrap();
            assert_eq!(index.len(), entries as u64, "{entries} entries and {zeros} zeros");
            assert_eq!(index.last(), (entries > 0).then(|| entry(entries)));
            assert_eq!(floor(&index, 5), None);
            index.push(entry(entries + 1));
            index.settle(false).unwrap();
            assert_eq!(std::fs::metadata(index.path()).unwrap().len(), (entries as u64 + 1) * 8);
            assert_eq!(floor(&index, i32::MAX), Some(entries + 1));
        }
    }
}

#[test]
fn a_part_of_an_entry_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let index = index_of(dir.path(), 3, 7);
    assert_eq!(floor(&index, i32::MAX), Some(3));
    index.settle(false).unwrap();
    assert_eq!(std::fs::metadata(index.path()).unwrap().len(), 24);
}

#[test]
fn a_time_index_may_be_a_single_entry_of_zeros() {
    let dir = tempfile::tempdir().unwrap();
    for (len, entries) in [(12, 1), (24, 0), (240, 0)] {
        let index = IndexFile::<TimeEntry>::new(files(dir.path()), len);
        std::fs::write(index.path(), vec![0; len as usize]).unwrap();
        index.resolve().unwrap();
        assert_eq!(index.len(), entries, "{len} bytes");
    }
    let index = IndexFile::<TimeEntry>::new(files(dir.path()), 0);
    assert_eq!(index.last(), None);
    index.push(TimeEntry { timestamp: Millis(5), relative_offset: 0 });
    assert_eq!(index.last().unwrap().timestamp, Millis(5));
}

#[test]
fn entries_are_found_in_memory_and_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let index = index_of(dir.path(), 0, 0);
    for at in 1..=100 {
        index.push(entry(at));
        if at == 40 || at == 90 {
            index.write_through().unwrap();
            assert_eq!(std::fs::metadata(index.path()).unwrap().len(), at as u64 * 8);
        }
    }
    for at in 1..=100 {
        assert_eq!(floor(&index, at * 10 + 5), Some(at));
    }
    assert_eq!(index.len(), 100);
    index.close_handle();
    assert_eq!(floor(&index, 305), Some(30));
    index.settle(true).unwrap();
    let bytes = std::fs::read(index.path()).unwrap();
    assert_eq!(OffsetEntry::all(&bytes).collect::<Vec<_>>(), (1..=100).map(entry).collect::<Vec<_>>());
}

#[test]
fn a_rebuild_keeps_what_came_after_it_began() {
    let dir = tempfile::tempdir().unwrap();
    let index = index_of(dir.path(), 50, 0);
    index.resolve().unwrap();
    index.push(entry(51));
    index.pause();
    index.push(entry(52));
    index.push(entry(53));
    index.write_through().unwrap();
    assert_eq!(
        std::fs::metadata(index.path()).unwrap().len(),
        400,
        "nothing is written through while it runs"
    );
    let rebuilt: Vec<_> = (1..=26).map(|at| entry(at * 2)).collect();
    index.replace(&rebuilt, 520).unwrap();
    assert_eq!(index.len(), 27);
    assert_eq!(index.last(), Some(entry(53)));
    assert_eq!(floor(&index, 519), Some(50), "51 is not in the rebuilt index");
    index.settle(false).unwrap();
    let bytes = std::fs::read(index.path()).unwrap();
    assert_eq!(OffsetEntry::all(&bytes).count(), 27);
    assert!(!dir.path().join("00000000000000000000.index.tmp").exists());
}
