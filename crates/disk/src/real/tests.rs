use proptest::prelude::*;

use super::*;
use crate::{read_whole, write_atomically};

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn names(entries: &[Entry]) -> Vec<(&str, bool, u64)> {
    entries.iter().map(|e| (e.name.as_str(), e.is_dir, e.len)).collect()
}

#[test]
fn a_file_can_be_given_the_time_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    let disk = RealDisk::new();
    let file = disk.open(&path, OpenHow::New).unwrap();
    file.write_at(0, &[IoSlice::new(b"x")]).unwrap();
    let then = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_600_000_000_123);
    file.set_modified(then).unwrap();
    assert_eq!(disk.entry(&path).unwrap().unwrap().modified, then);
}

#[test]
fn a_volume_has_a_size() {
    let dir = temporary();
    let volume = RealDisk.volume(dir.path()).unwrap().unwrap();
    assert!(volume.total > 0 && volume.usable <= volume.total, "{volume:?}");
    let missing = RealDisk.volume(&dir.path().join("missing")).unwrap_err();
    assert!(missing.is_not_found(), "{missing}");
}

#[test]
fn what_is_written_at_a_position_is_read_there() {
    let dir = temporary();
    let file = RealDisk.open(&dir.path().join("a"), OpenHow::New).unwrap();
    file.write_at(3, &[IoSlice::new(b"one"), IoSlice::new(b""), IoSlice::new(b"two")]).unwrap();
    assert_eq!(file.len().unwrap(), 9);
    let mut buffer = [9; 12];
    assert_eq!(file.read_at(0, &mut buffer).unwrap(), 9, "fewer than asked, only at the end");
    assert_eq!(&buffer[..9], b"\0\0\0onetwo");
    assert_eq!(file.read_at(9, &mut buffer).unwrap(), 0);
    assert_eq!(file.read_at(5, &mut buffer[..2]).unwrap(), 2);
    assert_eq!(&buffer[..2], b"et");
}

#[test]
fn the_length_can_be_cut_and_extended_with_zeros() {
    let dir = temporary();
    let file = RealDisk.open(&dir.path().join("a"), OpenHow::New).unwrap();
    file.write_at(0, &[IoSlice::new(b"abcdef")]).unwrap();
    file.set_len(2).unwrap();
    file.set_len(4).unwrap();
    file.sync().unwrap();
    let mut buffer = [9; 8];
    assert_eq!(file.read_at(0, &mut buffer).unwrap(), 4);
    assert_eq!(&buffer[..4], b"ab\0\0");
}

#[test]
fn more_slices_than_the_kernel_takes_in_one_call() {
    let dir = temporary();
    let file = RealDisk.open(&dir.path().join("a"), OpenHow::New).unwrap();
    let bytes: Vec<u8> = (0..3 * MAX_SLICES + 7).map(|i| (i % 251) as u8).collect();
    let parts: Vec<IoSlice<'_>> = bytes.chunks(1).map(IoSlice::new).collect();
    file.write_at(0, &parts).unwrap();
    let mut read = vec![0; bytes.len()];
    assert_eq!(file.read_at(0, &mut read).unwrap(), bytes.len());
    assert_eq!(read, bytes);
}

#[test]
fn how_a_file_is_opened() {
    let dir = temporary();
    let path = dir.path().join("a");
    assert!(RealDisk.open(&path, OpenHow::Read).unwrap_err().is_not_found());
    RealDisk.open(&path, OpenHow::Write).unwrap().write_at(0, &[IoSlice::new(b"kept")]).unwrap();
    assert_eq!(RealDisk.open(&path, OpenHow::Write).unwrap().len().unwrap(), 4, "opening does not empty it");
    let refused = RealDisk.open(&path, OpenHow::New).unwrap_err();
    assert_eq!(refused.source.kind(), io::ErrorKind::AlreadyExists);
    assert!(refused.to_string().starts_with(&format!("cannot open {}: ", path.display())), "{refused}");
    let reader = RealDisk.open(&path, OpenHow::Read).unwrap();
    assert_eq!(reader.write_at(0, &[IoSlice::new(b"x")]).unwrap_err().operation, Operation::Write);
}

#[test]
fn a_directory_is_listed_by_name() {
    let dir = temporary();
    let root = dir.path();
    RealDisk.create_dir_all(&root.join("b/deep")).unwrap();
    RealDisk.create_dir_all(&root.join("b/deep")).unwrap();
    write_atomically(&RealDisk, &root.join("c"), b"123").unwrap();
    write_atomically(&RealDisk, &root.join("a"), b"").unwrap();
    std::os::unix::fs::symlink("nowhere", root.join("dangling")).unwrap();
    assert_eq!(names(&RealDisk.list(root).unwrap()), [("a", false, 0), ("b", true, 0), ("c", false, 3)]);
    assert_eq!(
        RealDisk.entry(&root.join("b")).unwrap().map(|e| (e.name, e.is_dir)),
        Some(("b".into(), true))
    );
    assert_eq!(RealDisk.entry(&root.join("none")).unwrap(), None);
    assert!(RealDisk.list(&root.join("none")).unwrap_err().is_not_found());
}

#[test]
fn renames_and_removals() {
    let dir = temporary();
    let [a, b, sub] = ["a", "b", "sub"].map(|name| dir.path().join(name));
    write_atomically(&RealDisk, &a, b"new").unwrap();
    write_atomically(&RealDisk, &b, b"old").unwrap();
    let open = RealDisk.open(&b, OpenHow::Read).unwrap();
    RealDisk.rename(&a, &b).unwrap();
    RealDisk.sync_dir(dir.path()).unwrap();
    assert_eq!(read_whole(&RealDisk, &b, 10).unwrap().unwrap(), b"new");
    assert_eq!(read_whole(&RealDisk, &a, 10).unwrap(), None);
    let mut old = [0; 3];
    open.read_at(0, &mut old).unwrap();
    assert_eq!(&old, b"old", "a reader keeps the file it opened");
    RealDisk.create_dir_all(&sub.join("below")).unwrap();
    RealDisk.remove_dir_all(&sub).unwrap();
    RealDisk.remove_file(&b).unwrap();
    assert!(RealDisk.remove_file(&b).unwrap_err().is_not_found());
    assert!(RealDisk.list(dir.path()).unwrap().is_empty());
}

#[test]
fn a_file_larger_than_its_limit_is_not_read() {
    let dir = temporary();
    let path = dir.path().join("a");
    write_atomically(&RealDisk, &path, b"12345").unwrap();
    assert_eq!(read_whole(&RealDisk, &path, 5).unwrap().unwrap(), b"12345");
    assert_eq!(read_whole(&RealDisk, &path, 4).unwrap_err().source.kind(), io::ErrorKind::FileTooLarge);
}

#[test]
fn a_file_that_takes_no_more_bytes_is_an_error() {
    let refused = write_all(&[IoSlice::new(b"abc")], 0, |_, _| Ok(0)).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::WriteZero);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn short_writes_go_on_where_they_stopped(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..9),
        steps in prop::collection::vec(1_usize..7, 1..9),
        start in 0_u64..5,
    ) {
        let mut taken = vec![0; usize::try_from(start).unwrap()];
        let mut steps = steps.iter().cycle();
        let slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        write_all(&slices, start, |slices, at| {
            assert_eq!(at, taken.len() as u64);
            let bytes = slices.iter().flat_map(|slice| slice.iter().copied());
            let before = taken.len();
            taken.extend(bytes.take(*steps.next().unwrap()));
            Ok(taken.len() - before)
        }).unwrap();
        prop_assert_eq!(&taken[usize::try_from(start).unwrap()..], parts.concat());
    }
}
