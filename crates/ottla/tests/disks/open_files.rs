//! Fewer files that may be open than partitions and connections would like.

use std::fs;
use std::path::Path;

use testkit::broker::Launch;
use testkit::raw::RawClient;
use wire::messages::api_versions::ApiVersionsRequest;

use crate::{BINARY, create, holds, produce, wrapper};

/// So few that connections, segments and what the broker itself needs do not all find place.
const OPEN_FILES: usize = 64;
const PARTITIONS: i32 = 40;

/// A broker that may open so many files, and may say which limit to raise.
fn limited(open_files: usize, home: &Path) -> Launch {
    let command = format!("ulimit -n {open_files}\nexec {BINARY}");
    Launch::of(wrapper(&command, &home.join("ottla-with-few-files"))).asked_for("ulimit -n")
}

#[test]
fn few_open_files_are_enough_for_many_partitions_segments_and_connections() {
    let home = tempfile::tempdir().unwrap();
    let limited =
        wrapper(&format!("ulimit -n {OPEN_FILES}\nexec {BINARY}"), &home.path().join("ottla-with-few-files"));
    let launch = Launch::of(limited).asked_for("max.connections").asked_for("ulimit -n");
    let broker = launch.start();
    let mut client = broker.connect();
    assert_eq!(create(&mut client, "many", PARTITIONS, &[("internal.segment.bytes", "3000")]), 0);
    // As many as find place, and some more, of which the broker closes what it cannot keep.
    let crowd: Vec<RawClient> = (0..2 * OPEN_FILES).map(|_| broker.connect()).collect();
    let rounds = 6;
    for round in 0..rounds {
        for partition in 0..PARTITIONS {
            let answer = produce(&mut client, "many", partition, 1000);
            assert_eq!((answer.error_code, answer.base_offset), (0, round), "partition {partition}");
        }
    }
    for partition in 0..PARTITIONS {
        assert!(holds(&mut client, "many", partition, rounds), "partition {partition}");
    }
    drop(crowd);
    let broker = broker.restart();
    let mut client = broker.connect();
    for partition in 0..PARTITIONS {
        assert!(holds(&mut client, "many", partition, rounds), "partition {partition}");
    }
    let broker = broker.kill().start();
    let mut client = broker.connect();
    for partition in 0..PARTITIONS {
        assert_eq!(produce(&mut client, "many", partition, 1000).base_offset, rounds);
    }
}

#[test]
fn a_connection_for_which_no_file_is_left_waits_and_the_log_says_what_to_raise() {
    let home = tempfile::tempdir().unwrap();
    let idle = Launch::of(BINARY).start();
    let own = fs::read_dir(format!("/proc/{}/fd", idle.pid())).unwrap().count();
    // Room for five connections: `max.connections` comes to more than that.
    let broker = limited(own + 5, home.path()).start();
    let mut first = broker.connect();
    assert_eq!(create(&mut first, "topic", 1, &[]), 0);
    assert_eq!(produce(&mut first, "topic", 0, 1000).base_offset, 0);
    let crowd: Vec<RawClient> = (0..8).map(|_| broker.connect()).collect();
    let line = broker.wait_for_line("could not be accepted");
    assert!(line.contains("ulimit -n"), "{line}");
    first.call(&ApiVersionsRequest::default(), 0).unwrap();
    // Those that left have made place, and nobody was forgotten.
    let mut waiting = broker.connect();
    drop(crowd);
    waiting.call(&ApiVersionsRequest::default(), 0).unwrap();
    assert_eq!(produce(&mut waiting, "topic", 0, 1000).base_offset, 1);
    assert!(holds(&mut first, "topic", 0, 2));
}
