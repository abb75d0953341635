//! A disk that is full, a disk that fails, and a panic: what shuts the door and what does not.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::{LeaderEpoch, Offset};
use disk::Disk;
use disk::Operation::{Open, SetLen, Sync, SyncDir, Write};
use log::Known;
use partition::{AppendError, Flusher, Partition, PartitionConfig, PartitionError, Shut, Stopped};
use testkit::{Crash, CrashDisk, FailingDisk, Fault, Injected, WatchedDisk};
use tokio::sync::Notify;

use crate::stage::{NOW, Stage, anonymous, send, small_segments};

const LOG: &str = "*.log";

fn failing(config: PartitionConfig) -> (Stage, FailingDisk) {
    let disk = FailingDisk::new(CrashDisk::calm(3).shared());
    (Stage::on(disk.shared(), Path::new("/data/t-0"), config), disk)
}

#[test]
fn a_full_disk_fails_the_append_and_nothing_else() {
    let (stage, disk) = failing(PartitionConfig::default());
    stage.fresh(send(1, 0, 10));
    disk.fail(Fault::on(Write, LOG, Injected::NoSpace).short(30));
    let error = stage.append(send(1, 10, 10)).unwrap_err();
    assert!(matches!(error, AppendError::Failed(_)), "{error:?}");
    assert!(error.to_string().contains("00000000000000000000.log"), "it names the path: {error}");
    // The producer's state has not moved: neither the batch nor the one behind it is known.
    assert!(matches!(stage.append(send(1, 20, 10)), Err(AppendError::Refused(_))));
    assert_eq!(stage.duplicate(send(1, 0, 10)), Offset(0), "what was stored is still acknowledged");
    assert_eq!(stage.headers().len(), 1, "and read");
    assert!(stage.partition.health().is_ok());

    disk.heal();
    assert_eq!(stage.fresh(send(1, 10, 10)), Offset(10), "the same batch, once there is space");
    assert_eq!(stage.headers().len(), 2);
}

#[test]
fn everything_acknowledged_is_there_when_a_full_disk_is_killed() {
    let (stage, disk) = failing(PartitionConfig::default());
    stage.fresh(send(1, 0, 10));
    disk.fail(Fault::on(Write, LOG, Injected::NoSpace).short(70));
    stage.append(send(1, 10, 10)).unwrap_err();
    // Not even the cutting back works before the kill.
    disk.heal();
    disk.fail(Fault::on(Write, LOG, Injected::NoSpace).short(70));
    disk.fail(Fault::on(SetLen, LOG, Injected::Io));
    stage.append(send(1, 10, 10)).unwrap_err();
    disk.heal();
    let stage = stage.kill();
    assert_eq!(stage.duplicate(send(1, 0, 10)), Offset(0));
    assert_eq!(stage.fresh(send(1, 10, 10)), Offset(10));
}

#[test]
fn a_cut_back_that_fails_shuts_the_partition() {
    let (stage, disk) = failing(PartitionConfig::default());
    stage.fresh(send(1, 0, 1));
    disk.fail(Fault::on(Write, LOG, Injected::NoSpace).short(30));
    disk.fail(Fault::on(SetLen, LOG, Injected::Io));
    stage.append(send(1, 1, 1)).unwrap_err();
    let error = stage.append(send(1, 1, 1)).unwrap_err();
    assert!(matches!(error, AppendError::Shut(Shut::Write(_))), "{error:?}");
    disk.heal();
    assert!(matches!(stage.append(send(1, 1, 1)), Err(AppendError::Shut(_))), "the door stays shut");
}

#[test]
fn a_write_error_shuts_the_partition_until_restart() {
    let (stage, disk) = failing(PartitionConfig::default());
    stage.fresh(send(1, 0, 10));
    disk.fail(Fault::on(Write, LOG, Injected::Io).times(1).short(5));
    let error = stage.append(send(1, 10, 10)).unwrap_err();
    assert!(matches!(error, AppendError::Shut(Shut::Write(_))), "{error:?}");
    // Health is asked before the tracker: not even a duplicate is acknowledged now.
    assert!(matches!(stage.append(send(1, 0, 10)), Err(AppendError::Shut(_))));
    assert!(matches!(stage.partition.health(), Err(Stopped::Shut(_))));
    assert!(stage.partition.shut().is_some());
    assert_eq!(stage.headers().len(), 1, "reads go on");
    assert_eq!(stage.partition.producers().len(), 1);
    assert!(matches!(stage.partition.flush(), Err(PartitionError::Shut(_))));
    stage.partition.tend(NOW.plus(1 << 40));
    assert!(matches!(stage.partition.close(NOW), Err(PartitionError::Shut(_))), "such a stop is not clean");

    let stage = stage.kill();
    assert_eq!(stage.duplicate(send(1, 0, 10)), Offset(0));
    assert_eq!(stage.fresh(send(1, 10, 10)), Offset(10));
}

#[test]
fn a_failed_sync_shuts_the_partition_and_wakes_those_who_wait() {
    let config = PartitionConfig { flush_messages: 1, ..PartitionConfig::default() };
    let (stage, disk) = failing(config);
    stage.fresh(send(1, 0, 10));
    assert_eq!(stage.partition.marks().high_watermark, Offset(10));
    let notify = Arc::new(Notify::new());
    let _waiting = stage.partition.on_advance(&notify);
    disk.fail(Fault::on(Sync, LOG, Injected::Io).times(1));
    // The write succeeds; it is the ack, which waits for the high watermark, that never comes.
    let appended = stage.append(send(1, 10, 10)).unwrap();
    assert_eq!(appended.base_offset, Offset(10));
    let marks = stage.partition.marks();
    assert_eq!((marks.high_watermark, marks.flushed, marks.log_end), (Offset(10), Offset(10), Offset(20)));
    assert!(is_woken(&notify));
    assert!(matches!(stage.partition.shut(), Some(Shut::Flush(_))));
    // A second sync that would succeed proves nothing about the first one's bytes.
    assert!(matches!(stage.append(send(1, 10, 10)), Err(AppendError::Shut(_))));
    assert!(matches!(stage.partition.flush(), Err(PartitionError::Shut(_))));
    assert_eq!(stage.headers().len(), 1, "what was not acknowledged is not read");
    assert!(stage.partition.close(NOW).is_err());
}

/// Nothing was synced, so nothing is in doubt; and the producer that waits has nothing new to send, so upkeep asks again.
#[test]
fn a_flush_that_finds_too_many_files_open_is_tried_again() {
    for (operation, path) in [(SyncDir, "*"), (Open, "*leader-epoch-checkpoint.tmp")] {
        let (stage, disk) = failing(PartitionConfig { flush_messages: 1, ..PartitionConfig::default() });
        disk.fail(Fault::on(operation, path, Injected::TooManyFiles));
        stage.fresh(send(1, 0, 10));
        assert!(stage.partition.health().is_ok(), "{operation}");
        assert_eq!(stage.partition.marks().high_watermark, Offset(0), "no ack without a sync");
        stage.duplicate(send(1, 0, 10));
        stage.partition.tend(NOW);
        assert_eq!(stage.partition.marks().high_watermark, Offset(0));
        disk.heal();
        stage.partition.tend(NOW);
        assert_eq!(stage.partition.marks().high_watermark, Offset(10), "{operation}");
    }
}

#[test]
fn a_flush_that_may_open_no_file_is_tried_again() {
    let (stage, disk) = failing(small_segments(300));
    disk.fail(Fault::on(SyncDir, "*", Injected::TooManyFiles));
    stage.fresh(send(1, 0, 10));
    stage.fresh(send(1, 10, 10));
    let error = stage.partition.flush().unwrap_err();
    assert!(error.to_string().contains("ulimit -n"), "{error}");
    assert!(stage.partition.health().is_ok(), "no sync has failed, so nothing is in doubt");
    assert!(stage.partition.marks().flushed < Offset(20));
    disk.heal();
    stage.partition.flush().unwrap();
    assert_eq!(stage.partition.marks().flushed, Offset(20));
}

#[test]
fn a_failed_roll_fails_the_append_and_is_tried_again() {
    let (stage, disk) = failing(small_segments(300));
    stage.fresh(send(1, 0, 10));
    disk.fail(Fault::on(Open, "*00010.*", Injected::TooManyFiles));
    assert!(matches!(stage.append(send(1, 10, 10)), Err(AppendError::Failed(_))));
    assert!(stage.partition.health().is_ok(), "nothing was written, so nothing is in doubt");
    disk.heal();
    assert_eq!(stage.fresh(send(1, 10, 10)), Offset(10));
    assert_eq!(stage.partition.log().segment_bases(), [Offset(0), Offset(10)]);
}

#[test]
fn a_snapshot_that_cannot_be_written_harms_nobody() {
    let (stage, disk) = failing(small_segments(300));
    disk.fail(Fault::on(Open, "*.snapshot.tmp", Injected::NoSpace));
    for batch in 0..4 {
        stage.fresh(send(1, batch * 10, 10));
    }
    assert!(stage.snapshots().is_empty());
    assert!(stage.partition.health().is_ok());
    let stage = stage.kill();
    assert_eq!(stage.duplicate(send(1, 0, 10)), Offset(0));
    // But a stop without it is not a clean one.
    assert!(stage.partition.close(NOW).is_err());
    assert!(stage.partition.close(NOW).is_err(), "and does not become one by asking again");
}

#[test]
fn a_stop_without_room_for_a_snapshot_syncs_all_the_same() {
    let (stage, disk) = failing(PartitionConfig::default());
    stage.fresh(send(1, 0, 10));
    assert_eq!(stage.partition.marks().flushed, Offset(0));
    disk.fail(Fault::on(Open, "*.snapshot.tmp", Injected::NoSpace));
    assert!(stage.partition.close(NOW).is_err());
    assert_eq!(stage.partition.marks().flushed, Offset(10));
}

/// Whatever panics under the append lock: here a disk whose write does.
#[test]
fn a_panic_shuts_the_partition_and_not_the_process() {
    let armed = Arc::new(AtomicBool::new(false));
    let on_fire = Arc::clone(&armed);
    let disk = WatchedDisk::new(CrashDisk::calm(3).shared(), move |operation, _| {
        assert!(operation != Write || !on_fire.load(Ordering::SeqCst), "the disk is on fire");
    });
    let stage = Stage::on(Arc::new(disk), Path::new("/data/t-0"), PartitionConfig::default());
    stage.fresh(send(1, 0, 10));
    armed.store(true, Ordering::SeqCst);
    let error = stage.append(send(1, 10, 10)).unwrap_err();
    match &error {
        AppendError::Shut(Shut::Panic(said)) => assert_eq!(said.as_ref(), "the disk is on fire"),
        other => panic!("{other:?}"),
    }
    armed.store(false, Ordering::SeqCst);
    assert!(matches!(stage.append(anonymous(1)), Err(AppendError::Shut(Shut::Panic(_)))));
    assert_eq!(stage.headers().len(), 1, "reads go on");
    assert_eq!(stage.partition.marks().log_end, Offset(10));
    let stage = stage.kill();
    assert_eq!(stage.fresh(send(1, 10, 10)), Offset(10));
}

/// Nothing that was acknowledged is lost when the sync failed and the machine then goes dark.
#[test]
fn after_a_failed_sync_a_power_loss_takes_only_what_was_not_acknowledged() {
    let behind = CrashDisk::calm(3);
    behind.create_dir_all(Path::new("/data")).unwrap();
    behind.settle();
    let disk = FailingDisk::new(behind.shared());
    let config = PartitionConfig { flush_messages: 1, ..PartitionConfig::default() };
    let stage = Stage::on(disk.shared(), Path::new("/data/t-0"), config.clone());
    stage.fresh(send(1, 0, 10));
    disk.fail(Fault::on(Sync, LOG, Injected::Io).times(1));
    stage.append(send(1, 10, 10)).unwrap();
    for seed in 0..20 {
        let left = behind.after_with(Crash::PowerLoss, seed).shared();
        let known = Known { clean: false, recovery_point: Offset(10), log_start: Offset(0) };
        let (partition, _) = Partition::open(
            left,
            Flusher::inline(),
            Path::new("/data/t-0"),
            config.clone(),
            known,
            LeaderEpoch(1),
            NOW,
        )
        .unwrap();
        let again = partition.append(&send(1, 0, 10).checked(), NOW).unwrap();
        assert!(again.duplicate, "seed {seed}");
        assert!(partition.marks().high_watermark >= Offset(10), "seed {seed}");
    }
}

/// Whether an await of `notify` would end at once.
pub(crate) fn is_woken(notify: &Notify) -> bool {
    use std::future::Future;
    use std::task::{Context, Poll, Waker};
    let mut notified = std::pin::pin!(notify.notified());
    matches!(notified.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(()))
}
