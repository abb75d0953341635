//! What a start after a kill has to read: the open segments, since every roll is written down once it is flushed.

use std::time::{Duration, Instant};

use log::checkpoint::{RECOVERY_POINTS, read_offsets};
use log::{Known, Log, LogConfig};
use testkit::Crash;

use super::*;

#[test]
fn a_start_after_a_kill_reads_the_open_segments_only() {
    const TOPICS: usize = 3;
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let configs = vec![("internal.segment.bytes".into(), Some("1000".into()))];
    let wish = |at| NewTopic { configs: Vec::clone(&configs), ..topic(&format!("t{at}"), 1) };
    let made = catalog.create_topics((0..TOPICS).map(wish).collect(), false, NOW);
    let ids: Vec<Uuid> = made.into_iter().map(|made| made.unwrap().id).collect();
    for _ in 0..20 {
        ids.iter().for_each(|id| _ = append(&catalog, *id, &"x".repeat(300)));
    }

    let path = Path::new(DIR).join(RECOVERY_POINTS);
    let open_segments = ids.iter().map(|id| {
        let partition = catalog.partition(*id, PartitionIndex(0)).unwrap();
        *partition.log().segment_bases().last().unwrap()
    });
    let open_segments: Vec<Offset> = open_segments.collect();
    assert!(open_segments.iter().all(|base| base.0 > 10), "the story rolls: {open_segments:?}");
    // The thread that writes them has no more to do than that.
    let deadline = Instant::now() + Duration::from_secs(20);
    let written = || {
        let lines = read_offsets(&disk, &path).unwrap();
        lines.len() == TOPICS && lines.iter().zip(&open_segments).all(|(line, base)| line.offset >= *base)
    };
    while !written() {
        assert!(Instant::now() < deadline, "nobody writes the recovery points");
        std::thread::yield_now();
    }

    let disk = disk.after(Crash::ProcessKill);
    for line in read_offsets(&disk, &path).unwrap() {
        let dir = Path::new(DIR).join(format!("{}-0", line.topic));
        let known = Known { clean: false, recovery_point: line.offset, log_start: Offset::ZERO };
        let (log, opened) = Log::open(disk.shared(), &dir, LogConfig::default(), known, NOW).unwrap();
        assert_eq!(log.log_end(), Offset(20));
        assert!(opened.scanned_bytes <= 1000, "{opened:?}");
    }
}
