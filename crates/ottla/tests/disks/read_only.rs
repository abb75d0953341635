//! A disk that becomes read-only under a running broker: what is there is served, what would change it is refused, nothing
//! acknowledged is lost.

use testkit::broker::Launch;

use crate::namespace::Namespace;
use crate::{BINARY, KAFKA_STORAGE_ERROR, create, end_offset, holds, produce};

/// The remount as an administrator does it. Linux refuses it while a file there is open for writing, so nobody has written
/// since the start.
#[test]
fn a_read_only_remount_refuses_writes_and_serves_reads() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let broker = Launch::of(BINARY).data_dir(&data).start();
    let mut client = broker.connect();
    assert_eq!(["stuck", "other"].map(|name| create(&mut client, name, 1, &[])), [0, 0]);
    for _ in 0..20 {
        assert_eq!(produce(&mut client, "stuck", 0, 1000).error_code, 0);
    }
    assert!(broker.stop().success());

    let stuck = data.join("stuck-0");
    let namespace = Namespace::with_tmpfs(&stuck, 10);
    let in_namespace = namespace.broker(&home.path().join("ottla-in-namespace"));
    let broker = Launch::of(in_namespace).data_dir(&data).asked_for("stuck-0").start();
    namespace.mount(&["-o", "remount,ro"], &stuck);
    let mut client = broker.connect();
    assert!(holds(&mut client, "stuck", 0, 20), "what is there can be read");
    for _ in 0..3 {
        let refused = produce(&mut client, "stuck", 0, 1000);
        assert_eq!((refused.error_code, refused.base_offset), (KAFKA_STORAGE_ERROR, -1));
    }
    let line = broker.wait_for_line("Read-only file system");
    assert!(line.contains("stuck-0/") && line.contains("remount"), "{line}");
    assert_eq!(produce(&mut client, "other", 0, 1000).error_code, 0, "the other partition serves on");
    assert!(holds(&mut client, "stuck", 0, 20), "a refused write does not keep readers away");

    namespace.mount(&["-o", "remount,rw"], &stuck);
    let broker = broker.restart();
    let mut client = broker.connect();
    assert_eq!((end_offset(&mut client, "stuck"), end_offset(&mut client, "other")), (20, 1));
    assert_eq!(produce(&mut client, "stuck", 0, 1000).base_offset, 20);
    assert!(holds(&mut client, "stuck", 0, 21));
}

/// The whole data directory, under load: a read-only mount over it leaves files that are open for writing as they are, and
/// refuses everything else.
#[test]
fn a_data_directory_that_becomes_read_only_under_load_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let namespace = Namespace::with_tmpfs(&data, 50);
    let in_namespace = namespace.broker(&home.path().join("ottla-in-namespace"));
    // Whatever it complains of names what it could not write.
    let launch = Launch::of(in_namespace).data_dir(&data).asked_for("Read-only file system");
    let broker = launch.start();
    let mut client = broker.connect();
    assert_eq!(create(&mut client, "rolls", 1, &[("internal.segment.bytes", "20000")]), 0);
    let mut acknowledged = 0;
    while acknowledged < 30 {
        assert_eq!(produce(&mut client, "rolls", 0, 1000).base_offset, acknowledged);
        acknowledged += 1;
    }
    namespace.mount(&["--bind", "-o", "ro", data.to_str().unwrap()], &data);
    let refused = loop {
        let answer = produce(&mut client, "rolls", 0, 1000);
        if answer.error_code != 0 {
            break answer;
        }
        acknowledged += 1;
        assert!(acknowledged < 100, "the next segment cannot be made");
    };
    assert_eq!((refused.error_code, refused.base_offset), (KAFKA_STORAGE_ERROR, -1));
    let line = broker.wait_for_line("Read-only file system");
    assert!(line.contains(data.to_str().unwrap()), "{line}");
    assert!(holds(&mut client, "rolls", 0, acknowledged), "reads go on");
    let ended = broker.stop();
    assert_eq!(ended.code(), Some(1), "it was no clean stop");
}
