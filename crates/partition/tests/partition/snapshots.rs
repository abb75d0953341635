//! Producer snapshots beside the appends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

use base::{LeaderEpoch, Offset};
use disk::{Disk, Operation, RealDisk};
use log::Known;
use partition::{Flusher, Partition, PartitionConfig};
use testkit::WatchedDisk;

use crate::flushes::wait_for;
use crate::stage::{NOW, send, small_segments};

/// A snapshot is written by a thread that no append and no ack waits for, and the one before it stays until it is whole.
#[test]
fn a_snapshot_that_takes_long_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("t-0");
    let (barrier, armed) = (Arc::new(Barrier::new(2)), Arc::new(AtomicBool::new(false)));
    let (at, waits) = (Arc::clone(&barrier), Arc::clone(&armed));
    let disk = WatchedDisk::new(Arc::new(RealDisk::new()), move |operation, path| {
        let snapshot = path.to_string_lossy().ends_with(".snapshot.tmp");
        if operation == Operation::Sync && snapshot && waits.swap(false, Ordering::SeqCst) {
            at.wait();
            at.wait();
        }
    });
    let disk: Arc<dyn Disk> = Arc::new(disk);
    let known = Known { clean: true, recovery_point: Offset(0), log_start: Offset(0) };
    let config = PartitionConfig { flush_messages: 1, ..small_segments(300) };
    let open = |disk: &Arc<dyn Disk>, known: Known| {
        let flusher = Flusher::start(1, Arc::default());
        Partition::open(Arc::clone(disk), flusher, &dir, config.clone(), known, LeaderEpoch(0), NOW)
            .unwrap()
            .0
    };
    let partition = open(&disk, known);
    let mut next = 0;
    let mut write = |partition: &Partition| {
        let appended = partition.append(&send(1, next, 10).checked(), NOW).unwrap();
        wait_for(partition, appended.last_offset.next());
        next += 10;
    };
    write(&partition);
    armed.store(true, Ordering::SeqCst);
    write(&partition);
    barrier.wait();
    // The snapshot of that roll is half way. Appends, rolls, flushes and reads go on.
    for _ in 0..20 {
        write(&partition);
    }
    assert!(partition.log().segment_bases().len() > 20);
    assert_eq!(partition.marks().high_watermark, partition.marks().log_end);
    // A kill at this moment: what is written of it is taken for nothing, and the producer is known from the log.
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for entry in std::fs::read_dir(&dir).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    let known = Known { clean: false, recovery_point: partition.marks().flushed, log_start: Offset(0) };
    let (killed, opened) = Partition::open(
        Arc::new(RealDisk::new()),
        Flusher::inline(),
        &copy,
        config.clone(),
        known,
        LeaderEpoch(0),
        NOW,
    )
    .unwrap();
    assert_eq!((opened.snapshot, opened.bad_snapshots.len()), (None, 0));
    assert!(killed.append(&send(1, 210, 10).checked(), NOW).unwrap().duplicate);
    barrier.wait();
    // A clean stop waits for it, and leaves the newest at the log end.
    partition.close(NOW).unwrap();
    let end = partition.marks().log_end;
    drop(partition);
    let newest = log::producer_snapshot::list(&*disk, &dir).unwrap().pop();
    assert_eq!(newest, Some(end));
}

/// So many that they are forgotten in several steps, while others append.
#[test]
fn idle_producers_go_a_few_at_a_time() {
    let stage = crate::stage::Stage::in_memory(PartitionConfig::default());
    for producer in 0..1000 {
        stage.fresh(send(producer, 0, 1));
    }
    let later = NOW.plus(stage.config.producer_expiration_ms - 1);
    let mut young = send(7, 1, 1);
    young.time = later;
    stage.partition.append(&young.checked(), later).unwrap();
    stage.partition.tend(later.plus(1));
    let left = stage.partition.producers();
    assert_eq!(left.iter().map(|row| row.producer_id.0).collect::<Vec<_>>(), [7]);
}
