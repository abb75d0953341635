//! A full disk under one partition: that partition says so, the others serve on, nothing acknowledged is lost.

use std::fs;

use testkit::broker::Launch;

use crate::namespace::Namespace;
use crate::{BINARY, KAFKA_STORAGE_ERROR, create, end_offset, produce};

#[test]
fn a_full_disk_stops_one_partition_and_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let broker = Launch::of(BINARY).data_dir(&data).start();
    let mut client = broker.connect();
    assert_eq!(["full", "other"].map(|name| create(&mut client, name, 1, &[])), [0, 0]);
    assert!(broker.stop().success());

    let namespace = Namespace::with_tmpfs(&data.join("full-0"), 2);
    let filler = namespace.seen_from_outside(&data.join("full-0/filler"));
    fs::write(&filler, vec![0; 1_500_000]).unwrap();
    let in_namespace = namespace.broker(&home.path().join("ottla-in-namespace"));
    let broker = Launch::of(in_namespace).data_dir(&data).asked_for("full-0").start();
    let mut client = broker.connect();
    let mut acknowledged = 0;
    let refused = loop {
        let answer = produce(&mut client, "full", 0, 50_000);
        if answer.error_code != 0 {
            break answer;
        }
        acknowledged += 1;
        assert!(acknowledged < 100, "2 MB hold no more than forty of these");
    };
    assert!(acknowledged > 0);
    assert_eq!((refused.error_code, refused.base_offset), (KAFKA_STORAGE_ERROR, -1));
    let line = broker.wait_for_line("full-0");
    assert!(line.contains("No space left"), "{line}");
    assert_eq!(produce(&mut client, "other", 0, 50_000).error_code, 0, "the other partition serves on");
    assert_eq!(end_offset(&mut client, "full"), acknowledged, "what is there can still be read");

    fs::remove_file(&filler).unwrap();
    let broker = broker.restart();
    let mut client = broker.connect();
    assert_eq!(end_offset(&mut client, "full"), acknowledged);
    assert_eq!(produce(&mut client, "full", 0, 50_000).base_offset, acknowledged);
    assert_eq!(end_offset(&mut client, "other"), 1);
}
