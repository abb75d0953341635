//! Retention, deleted records, expiry, and what they must not take with them.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak, mpsc};
use std::time::Duration;

use base::{Millis, Offset, Sequence};
use disk::Operation;
use partition::{Isolation, Partition, PartitionConfig, PartitionError, ReadError};

use testkit::{CrashDisk, FailingDisk, Fault, Injected, WatchedDisk};

use crate::stage::{NOW, Send, Stage, anonymous, send, small_segments};

const LATER: Millis = NOW.plus(3_600_000);

#[test]
fn retention_by_size_takes_segments_and_their_snapshots() {
    let mut config = small_segments(700);
    config.log.retention_bytes = 1_000;
    let stage = Stage::in_memory(config);
    for batch in 0..20 {
        stage.fresh(send(1, batch * 10, 10));
    }
    let before = stage.partition.log().segment_bases();
    stage.partition.tend(LATER);
    let after = stage.partition.log().segment_bases();
    assert!(after.len() < before.len());
    let marks = stage.partition.marks();
    assert_eq!(marks.log_start, after[0]);
    assert!(stage.files().iter().any(|name| name.ends_with(".log.deleted")));
    assert!(stage.snapshots().iter().all(|name| name[..20].parse::<i64>().unwrap() >= after[0].0));
    assert!(matches!(
        stage.partition.read(Offset(0), 1, true, Isolation::default()),
        Err(ReadError::OutOfRange { .. })
    ));
    stage.partition.tend(LATER.plus(3_600_000));
    assert!(!stage.files().iter().any(|name| name.ends_with(".deleted")));
    let stage = stage.kill();
    assert_eq!(stage.fresh(send(1, 200, 10)), Offset(200));
}

/// A large file takes its time to go, and so does a sync before; nobody who appends waits for that.
#[test]
fn retention_syncs_and_removes_without_the_append_lock() {
    let partition: Arc<OnceLock<Weak<Partition>>> = Arc::default();
    let within = Arc::clone(&partition);
    let counts: Arc<[AtomicUsize; 2]> = Arc::default();
    let count = Arc::clone(&counts);
    let disk = WatchedDisk::new(CrashDisk::calm(1).shared(), move |operation, _| {
        if matches!(operation, Operation::Sync | Operation::Remove)
            && let Some(partition) = within.get().and_then(Weak::upgrade)
        {
            // On another thread, as producers are: under the append lock nothing would come of it.
            let (done, end) = mpsc::channel();
            std::thread::spawn(move || done.send(partition.append(&anonymous(1).checked(), LATER).is_ok()));
            assert_eq!(
                end.recv_timeout(Duration::from_secs(20)),
                Ok(true),
                "an append waits for a {operation}"
            );
            count[usize::from(operation == Operation::Remove)].fetch_add(1, Ordering::SeqCst);
        }
    });
    let mut config = small_segments(700);
    config.log.retention_bytes = 1_000;
    let stage = Stage::on(Arc::new(disk), Path::new("/data/t-0"), config);
    for batch in 0..20 {
        stage.fresh(send(1, batch * 10, 10));
    }
    partition.set(Arc::downgrade(&stage.partition)).unwrap();
    stage.partition.tend(LATER);
    let parked = stage.files().iter().filter(|name| name.ends_with(".log.deleted")).count();
    assert!(parked > 0);
    let counted = |at: usize| counts[at].load(Ordering::SeqCst);
    assert!(counted(0) > 1, "a producer snapshot and the leader epochs are synced, and let appends through");
    // Too early for the next retention, late enough for the files.
    stage.partition.tend(LATER.plus(60_000));
    assert!(counted(1) > parked, "each removal let an append through");
    assert!(!stage.files().iter().any(|name| name.ends_with(".deleted")));
}

/// What retention syncs it syncs beside the appends; and what is appended meanwhile is in no snapshot, so it stays.
#[test]
fn what_is_appended_under_a_retention_stays_and_so_does_its_producer() {
    let partition: Arc<OnceLock<Weak<Partition>>> = Arc::default();
    let (within, synced) = (Arc::clone(&partition), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&synced);
    let disk = WatchedDisk::new(CrashDisk::calm(1).shared(), move |operation, path| {
        let path = path.to_string_lossy();
        if operation == Operation::Sync
            && (path.contains(".snapshot") || path.contains("leader-epoch-checkpoint"))
            && let Some(partition) = within.get().and_then(Weak::upgrade)
        {
            let next = 70 + 10 * i32::try_from(count.fetch_add(1, Ordering::SeqCst)).unwrap();
            let (done, end) = mpsc::channel();
            std::thread::spawn(move || {
                done.send(partition.append(&send(1, next, 10).checked(), LATER).is_ok())
            });
            assert_eq!(
                end.recv_timeout(Duration::from_secs(20)),
                Ok(true),
                "an append waits for the sync of {path} as {next}"
            );
        }
    });
    let mut config = small_segments(1_300);
    config.log.retention_bytes = 0;
    let stage = Stage::on(Arc::new(disk), Path::new("/data/t-0"), config);
    for batch in 0..7 {
        stage.fresh(send(1, batch * 10, 10));
    }
    partition.set(Arc::downgrade(&stage.partition)).unwrap();
    stage.partition.tend(LATER);
    assert_eq!(synced.load(Ordering::SeqCst), 2, "a snapshot and the epochs");
    let marks = stage.partition.marks();
    assert_eq!((marks.log_start, marks.log_end), (Offset(50), Offset(90)));
    let stage = stage.kill();
    for batch in 6..9 {
        assert_eq!(stage.duplicate(send(1, batch * 10, 10)), Offset(i64::from(batch) * 10));
    }
    // Nothing comes between now, so all goes.
    stage.partition.tend(LATER.plus(3_600_000));
    assert_eq!(stage.partition.marks().log_start, Offset(90));
    assert_eq!(stage.duplicate(send(1, 80, 10)), Offset(80), "a retry is not stored again");
    assert_eq!(stage.kill().fresh(send(1, 90, 10)), Offset(90));
}

/// Without a snapshot the log is all that is left of a producer, after a kill.
#[test]
fn segments_stay_while_no_snapshot_can_be_written() {
    let disk = FailingDisk::new(CrashDisk::calm(1).shared());
    let mut config = small_segments(700);
    config.log.retention_bytes = 0;
    let stage = Stage::on(Arc::new(disk.clone()), Path::new("/data/t-0"), config.clone());
    for batch in 0..6 {
        stage.fresh(send(1, batch * 10, 10));
    }
    disk.fail(Fault::on(Operation::Open, "*.snapshot.tmp", Injected::NoSpace));
    for batch in 6..9 {
        stage.fresh(send(1, batch * 10, 10));
    }
    stage.partition.tend(LATER);
    let first = stage.partition.log().segment_bases()[0];
    assert!(Offset(0) < first && first < Offset(90), "what a snapshot covers is gone: {first}");
    disk.heal();
    let stage = stage.kill();
    assert_eq!(stage.duplicate(send(1, 80, 10)), Offset(80));
    stage.partition.tend(LATER.plus(3_600_000));
    assert_eq!(stage.partition.log().segment_bases(), [Offset(90)]);

    // Where there are no producers nothing is lost.
    let stage = Stage::on(Arc::new(disk.clone()), Path::new("/data/t-1"), config);
    for _ in 0..6 {
        stage.fresh(anonymous(10));
    }
    disk.fail(Fault::on(Operation::Open, "*.snapshot.tmp", Injected::NoSpace));
    stage.partition.tend(LATER);
    assert_eq!(stage.partition.log().segment_bases(), [Offset(60)]);
}

#[test]
fn a_file_that_cannot_be_removed_is_tried_again() {
    let disk = FailingDisk::new(CrashDisk::calm(1).shared());
    let mut config = small_segments(700);
    config.log.retention_bytes = 0;
    let stage = Stage::on(Arc::new(disk.clone()), Path::new("/data/t-0"), config);
    for batch in 0..6 {
        stage.fresh(send(1, batch * 10, 10));
    }
    let parked = || stage.files().iter().filter(|name| name.ends_with(".deleted")).count();
    stage.partition.tend(LATER);
    let before = parked();
    assert!(before > 0);
    disk.fail(Fault::on(Operation::Remove, "*.deleted", Injected::Io));
    stage.partition.tend(LATER.plus(60_000));
    assert_eq!(parked(), before);
    disk.heal();
    stage.partition.tend(LATER.plus(119_999));
    assert_eq!(parked(), before, "not at once: the log would be full of it");
    stage.partition.tend(LATER.plus(120_000));
    assert_eq!(parked(), 0);
    stage.fresh(send(1, 60, 10));
}

#[test]
fn new_limits_of_retention_hold_from_the_next_run_on() {
    let mut config = small_segments(700);
    config.retention_check_ms = 1_000;
    let stage = Stage::in_memory(config.clone());
    for batch in 0..20 {
        stage.fresh(send(1, batch * 10, 10));
    }
    let segments = || stage.partition.log().segment_bases().len();
    let all = segments();
    stage.partition.tend(NOW.plus(60_000));
    assert_eq!(segments(), all, "a week is not over");
    config.log.retention_bytes = 2_000;
    stage.partition.set_config(config.clone());
    stage.partition.tend(NOW.plus(60_999));
    assert_eq!(segments(), all, "not before the next run");
    stage.partition.tend(NOW.plus(61_000));
    let fewer = segments();
    assert!(fewer < all && stage.partition.log_size() >= 2_000, "as few as keep the size");
    // Without `delete` neither size nor time counts.
    config.log.delete_enabled = false;
    config.log.retention_ms = 1_000;
    config.log.retention_bytes = 0;
    stage.partition.set_config(config.clone());
    stage.partition.tend(NOW.plus(70_000));
    assert_eq!(segments(), fewer);
    config.log.delete_enabled = true;
    config.log.retention_bytes = -1;
    stage.partition.set_config(config);
    stage.partition.tend(NOW.plus(80_000));
    assert_eq!((segments(), stage.partition.log_size()), (1, 0), "all was too old: a new segment is begun");
    assert_eq!(stage.fresh(send(1, 200, 10)), Offset(200));
}

/// Kafka forgets the producers here: its snapshot must lie above the log start.
#[test]
fn when_retention_takes_everything_the_producers_stay() {
    for clean in [true, false] {
        let mut config = small_segments(700);
        config.log.retention_ms = 1_000;
        config.producer_expiration_ms = i64::MAX;
        let stage = Stage::in_memory(config);
        for batch in 0..6 {
            stage.fresh(send(1, batch * 10, 10));
        }
        stage.partition.tend(LATER);
        let marks = stage.partition.marks();
        assert_eq!((marks.log_start, marks.log_end), (Offset(60), Offset(60)), "nothing is left");
        assert_eq!(stage.duplicate(send(1, 50, 10)), Offset(50));
        let stage = if clean { stage.restart() } else { stage.kill() };
        assert_eq!(stage.opened.snapshot, Some(Offset(60)));
        assert_eq!(stage.duplicate(send(1, 50, 10)), Offset(50), "a retry is not stored again");
        assert_eq!(stage.out_of_order(send(1, 40, 10)), Sequence(60), "nor one whose batch went");
        assert_eq!(stage.fresh(send(1, 60, 10)), Offset(60));
    }
}

#[test]
fn deleted_records_are_gone_and_their_producers_are_not() {
    for clean in [true, false] {
        let stage = Stage::in_memory(PartitionConfig::default());
        stage.fresh(send(1, 0, 10));
        stage.fresh(send(2, 0, 10));
        assert!(matches!(
            stage.partition.delete_records_before(Some(Offset(21))),
            Err(PartitionError::NotDeletable { asked: Offset(21), high_watermark: Offset(20) })
        ));
        assert_eq!(stage.partition.delete_records_before(Some(Offset(15))).unwrap(), Offset(15));
        assert_eq!(stage.partition.delete_records_before(Some(Offset(3))).unwrap(), Offset(15), "never down");
        assert!(matches!(
            stage.partition.delete_records_before(Some(Offset(-1))),
            Err(PartitionError::NotDeletable { asked: Offset(-1), .. })
        ));
        assert_eq!(stage.partition.marks().log_start, Offset(15));
        let stage = if clean { stage.restart() } else { stage.kill() };
        assert_eq!(stage.partition.marks().log_start, Offset(15));
        assert_eq!(stage.duplicate(send(1, 0, 10)), Offset(0));
        assert_eq!(stage.duplicate(send(2, 0, 10)), Offset(10));
        assert_eq!(stage.fresh(send(1, 10, 1)), Offset(20));
    }
}

/// What is not acknowledged yet is not deleted either, and the marks keep their order.
#[test]
fn deletion_stops_at_the_high_watermark() {
    let config = PartitionConfig { flush_messages: 1, ..PartitionConfig::default() };
    let disk = FailingDisk::new(CrashDisk::calm(1).shared());
    let stage = Stage::on(Arc::new(disk.clone()), Path::new("/data/t-0"), config);
    stage.fresh(send(1, 0, 10));
    disk.fail(Fault::on(Operation::Sync, "*.log", Injected::Io));
    stage.fresh(send(1, 10, 10));
    let marks = stage.partition.marks();
    assert_eq!((marks.high_watermark, marks.log_end), (Offset(10), Offset(20)), "the last sync failed");
    // The failed sync shut the partition: it takes no deletion either.
    assert!(matches!(stage.partition.delete_records_before(None), Err(PartitionError::Shut(_))));

    let stage = Stage::in_memory(PartitionConfig::default());
    stage.fresh(Send { transactional: true, ..send(7, 0, 10) });
    stage.fresh(send(1, 0, 10));
    assert_eq!(stage.partition.delete_records_before(None).unwrap(), Offset(20));
    let marks = stage.partition.marks();
    assert_eq!((marks.log_start, marks.last_stable), (Offset(20), Offset(20)), "an open transaction too");
    assert_eq!(stage.fresh(Send { transactional: true, ..send(7, 10, 1) }), Offset(20));
    assert_eq!(stage.partition.marks().last_stable, Offset(20));
}

#[test]
fn records_deleted_up_to_the_end_leave_the_producers() {
    for clean in [true, false] {
        let stage = Stage::in_memory(small_segments(700));
        for batch in 0..6 {
            stage.fresh(send(1, batch * 10, 10));
        }
        assert_eq!(stage.partition.delete_records_before(Some(Offset(60))).unwrap(), Offset(60));
        let stage = if clean { stage.restart() } else { stage.kill() };
        assert_eq!(stage.duplicate(send(1, 50, 10)), Offset(50));
        stage.partition.tend(LATER);
        let stage = if clean { stage.restart() } else { stage.kill() };
        assert_eq!(stage.duplicate(send(1, 50, 10)), Offset(50));
        assert_eq!(stage.fresh(send(1, 60, 10)), Offset(60));
    }
}

#[test]
fn idle_producers_expire() {
    let stage =
        Stage::in_memory(PartitionConfig { producer_expiration_ms: 1_000, ..PartitionConfig::default() });
    stage.fresh(send(1, 0, 1));
    stage.partition.tend(NOW.plus(500));
    assert_eq!(stage.partition.producers().len(), 1);
    stage.partition.tend(NOW.plus(600_000));
    assert!(stage.partition.producers().is_empty());
    assert_eq!(stage.fresh(send(1, 77, 1)), Offset(1), "an unknown producer may begin anywhere");
}

/// While it runs, a snapshot between segments keeps what a restart after a kill must walk short.
#[test]
fn upkeep_keeps_the_walk_after_a_kill_short() {
    let stage = Stage::in_memory(PartitionConfig::default());
    for batch in 0..200 {
        stage.fresh(anonymous(1));
        stage.fresh(send(1, batch, 1));
    }
    stage.partition.tend(LATER);
    assert_eq!(stage.snapshots(), [format!("{:020}.snapshot", 400)]);
    for _ in 0..3 {
        stage.fresh(anonymous(1));
    }
    stage.partition.tend(LATER.plus(3_600_000));
    assert_eq!(stage.snapshots(), [format!("{:020}.snapshot", 403)], "one of them is enough");
    stage.partition.tend(LATER.plus(2 * 3_600_000));
    let stage = stage.kill();
    assert_eq!(stage.opened.snapshot, Some(Offset(403)));
    for batch in 195..200 {
        stage.duplicate(send(1, batch, 1));
    }
}

#[test]
fn new_limits_count_from_the_next_append_on() {
    let stage = Stage::in_memory(PartitionConfig::default());
    stage.fresh(send(1, 0, 10));
    stage.partition.set_config(small_segments(300));
    stage.fresh(send(1, 10, 10));
    assert_eq!(stage.partition.log().segment_bases(), [Offset(0), Offset(10)]);
    let large = Send { value: 400, ..send(1, 20, 1) };
    assert!(stage.append(large).is_err());
}

#[test]
fn a_closed_partition_is_closed() {
    let stage = Stage::in_memory(PartitionConfig::default());
    stage.fresh(send(1, 0, 10));
    stage.partition.close(NOW).unwrap();
    stage.partition.close(NOW).unwrap();
    assert!(matches!(stage.append(send(1, 10, 1)), Err(partition::AppendError::Closed)));
    assert!(matches!(stage.partition.flush(), Ok(())), "all is flushed");
    assert!(matches!(stage.partition.delete_records_before(Some(Offset(1))), Err(PartitionError::Closed)));
    stage.partition.tend(LATER);
    assert_eq!(stage.headers().len(), 1, "but read");
}
