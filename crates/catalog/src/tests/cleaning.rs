//! Which partition is compacted, and what the checkpoint says of it.

use std::time::Duration;

use disk::{Operation, read_whole};
use testkit::{Crash, FailingDisk, Fault, Injected};

use super::*;
use crate::{Cleaner, Round};

fn compacted(catalog: &Catalog, name: &str) -> Uuid {
    let pair = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
    let configs = vec![pair("cleanup.policy", "compact"), pair("internal.segment.bytes", "1000")];
    let wish = NewTopic { configs, ..topic(name, 1) };
    catalog.create_topics(vec![wish], false, NOW).remove(0).unwrap().id
}

/// Appends so many records of two keys.
fn write(catalog: &Catalog, topic: Uuid, count: usize) {
    let partition = catalog.partition(topic, PartitionIndex(0)).unwrap();
    for at in 0..count {
        let mut builder = BatchBuilder::new(Offset::ZERO);
        let key = [at as u8 % 2];
        builder.push(&NewRecord { timestamp: NOW, key: Some(&key), value: Some(&[7; 60]), headers: &[] });
        partition.append(&records::check(&builder.build(), 9, &rules(), NOW).unwrap(), NOW).unwrap();
    }
}

fn round(cleaner: &mut Cleaner) -> Round {
    cleaner.round(NOW, &mut |_: Duration| true)
}

fn checkpoint(disk: &dyn Disk) -> String {
    let path = Path::new(DIR).join("cleaner-offset-checkpoint");
    let bytes = read_whole(disk, &path, 1000).unwrap().unwrap_or_default();
    String::from_utf8(bytes).unwrap()
}

/// The base offset of the segment that is appended to.
fn active(catalog: &Catalog, topic: Uuid) -> i64 {
    catalog.partition(topic, PartitionIndex(0)).unwrap().log().segment_bases().last().unwrap().0
}

#[test]
fn the_dirtiest_comes_first_and_the_checkpoint_follows() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let (little, much) = (compacted(&catalog, "little"), compacted(&catalog, "much"));
    let plain = create(&catalog, "plain", 1);
    let mut cleaner = Cleaner::new(Arc::clone(&catalog)).unwrap();
    assert_eq!(round(&mut cleaner), Round::Idle);
    write(&catalog, little, 100);
    write(&catalog, plain, 100);
    assert_eq!(round(&mut cleaner), Round::Cleaned);
    let cleaned = active(&catalog, little);
    assert_eq!(checkpoint(&disk), format!("0\n1\nlittle 0 {cleaned}\n"));
    assert_eq!(round(&mut cleaner), Round::Idle);
    // Of `little` a part is clean, of `much` nothing.
    write(&catalog, little, 100);
    write(&catalog, much, 100);
    assert_eq!(round(&mut cleaner), Round::Cleaned);
    assert!(
        checkpoint(&disk).contains(&format!("much 0 {}\n", active(&catalog, much))),
        "the dirtiest is first"
    );
    while round(&mut cleaner) == Round::Cleaned {}
    let lines = format!("little 0 {}\nmuch 0 {}\n", active(&catalog, little), active(&catalog, much));
    assert_eq!(checkpoint(&disk), format!("0\n2\n{lines}"));

    catalog.delete_topics(vec![crate::TopicRef::Name("little".into())], NOW).remove(0).unwrap();
    assert_eq!(checkpoint(&disk), format!("0\n1\nmuch 0 {}\n", active(&catalog, much)));
    let again = compacted(&catalog, "little");
    write(&catalog, again, 100);
    assert_eq!(round(&mut cleaner), Round::Cleaned, "a new topic of the name begins anew");

    // What nobody asked for since the start is known from the checkpoint.
    let before = checkpoint(&disk);
    catalog.close(NOW).unwrap();
    assert_eq!(round(&mut cleaner), Round::Stopped);
    let catalog = open(&disk.after(Crash::ProcessKill), 2).unwrap();
    let mut cleaner = Cleaner::new(Arc::clone(&catalog)).unwrap();
    assert_eq!(round(&mut cleaner), Round::Idle);
    assert_eq!(checkpoint(&disk), before);
}

#[test]
fn a_partition_that_fails_does_not_keep_the_others() {
    let disk = FailingDisk::new(CrashDisk::calm(1).shared());
    let catalog = Catalog::open_unlocked(disk.shared(), config(Path::new(DIR)), ids(1), NOW).unwrap();
    let (full, fine) = (compacted(&catalog, "full"), compacted(&catalog, "fine"));
    write(&catalog, full, 200);
    write(&catalog, fine, 100);
    disk.fail(Fault::on(Operation::Write, "*/full-0/*.cleaned", Injected::NoSpace));
    let mut cleaner = Cleaner::new(Arc::clone(&catalog)).unwrap();
    while !checkpoint(&disk).contains("fine") {
        round(&mut cleaner);
    }
    assert_eq!(round(&mut cleaner), Round::Idle, "it rests");
    assert!(!checkpoint(&disk).contains("full"));
    assert!(!names(&disk, Path::new(DIR).join("full-0")).iter().any(|name| name.contains(".cleaned")));
    disk.heal();
    assert_eq!(cleaner.round(NOW.plus(60_000), &mut |_: Duration| true), Round::Cleaned);
    assert!(checkpoint(&disk).contains(&format!("full 0 {}\n", active(&catalog, full))));
}

#[test]
fn a_partition_whose_compaction_panics_does_not_keep_the_others() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let (bad, fine) = (compacted(&catalog, "bad"), compacted(&catalog, "fine"));
    write(&catalog, bad, 200);
    let mut cleaner = Cleaner::new(Arc::clone(&catalog)).unwrap();
    let panics = || cleaner.round(NOW, &mut |_: Duration| panic!("as if compaction had"));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).unwrap_err();
    write(&catalog, fine, 100);
    assert_eq!(round(&mut cleaner), Round::Cleaned);
    assert_eq!(checkpoint(&disk), format!("0\n1\nfine 0 {}\n", active(&catalog, fine)));
    assert_eq!(round(&mut cleaner), Round::Idle, "it is left alone");
}
