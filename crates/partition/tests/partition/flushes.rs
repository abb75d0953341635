//! When records are flushed, and what an ack waits for.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base::{LeaderEpoch, Offset};
use disk::{Operation, RealDisk};
use log::Known;
use partition::{Flusher, Isolation, Partition, PartitionConfig};
use testkit::{CrashDisk, FailingDisk, Fault, Injected, WatchedDisk};
use tokio::sync::Notify;

use crate::faults::is_woken;
use crate::stage::{NOW, Stage, anonymous, send, small_segments};

fn each_ack_fsynced() -> PartitionConfig {
    PartitionConfig { flush_messages: 1, ..PartitionConfig::default() }
}

#[test]
fn by_default_an_ack_waits_for_no_flush() {
    let stage = Stage::in_memory(PartitionConfig::default());
    stage.fresh(anonymous(5));
    let marks = stage.partition.marks();
    assert_eq!((marks.high_watermark, marks.flushed), (Offset(5), Offset(0)));
    stage.partition.flush().unwrap();
    assert_eq!(stage.partition.marks().flushed, Offset(5));
    stage.partition.flush().unwrap();
}

#[test]
fn with_one_message_per_flush_the_high_watermark_is_flushed() {
    let stage = Stage::in_memory(each_ack_fsynced());
    let notify = Arc::new(Notify::new());
    let waiting = stage.partition.on_advance(&notify);
    stage.fresh(anonymous(5));
    let marks = stage.partition.marks();
    assert_eq!((marks.high_watermark, marks.flushed, marks.log_end), (Offset(5), Offset(5), Offset(5)));
    assert!(is_woken(&notify));
    assert!(!is_woken(&notify));
    drop(waiting);
    stage.fresh(anonymous(5));
    assert!(!is_woken(&notify), "who has gone is not woken");
}

#[test]
fn after_so_many_messages_a_flush_is_due() {
    let stage = Stage::in_memory(PartitionConfig { flush_messages: 10, ..PartitionConfig::default() });
    stage.fresh(anonymous(9));
    let marks = stage.partition.marks();
    assert_eq!((marks.high_watermark, marks.flushed), (Offset(9), Offset(0)));
    stage.fresh(anonymous(1));
    assert_eq!(stage.partition.marks().flushed, Offset(10));
    stage.fresh(anonymous(9));
    assert_eq!(stage.partition.marks().flushed, Offset(10), "the count begins anew");
}

#[test]
fn after_so_long_a_flush_is_due() {
    let stage = Stage::in_memory(PartitionConfig { flush_ms: 500, ..PartitionConfig::default() });
    stage.fresh(anonymous(5));
    stage.partition.tend(NOW.plus(499));
    assert_eq!(stage.partition.marks().flushed, Offset(0));
    stage.partition.tend(NOW.plus(500));
    assert_eq!(stage.partition.marks().flushed, Offset(5));
}

#[test]
fn a_roll_flushes_the_segment_before_it_and_its_snapshot() {
    let stage = Stage::in_memory(small_segments(300));
    stage.fresh(send(1, 0, 10));
    assert!(stage.snapshots().is_empty());
    stage.fresh(send(1, 10, 10));
    assert_eq!(stage.snapshots(), [format!("{:020}.snapshot", 10)]);
    assert!(stage.partition.marks().flushed >= Offset(10));
}

#[test]
fn an_unflushed_tail_is_not_acknowledged_after_a_restart_before_it_is_flushed() {
    let disk = FailingDisk::new(CrashDisk::calm(1).shared());
    let mut stage = Stage::on(disk.shared(), Path::new("/data/t-0"), PartitionConfig::default());
    stage.fresh(send(1, 0, 10));
    stage.config = each_ack_fsynced();
    let known = stage.known(false);
    // Sound disk: it is flushed at the start.
    let stage = stage.open(known);
    assert_eq!(stage.partition.marks().high_watermark, Offset(10));
    // A disk that does not sync: it never becomes visible.
    disk.fail(Fault::on(disk::Operation::Sync, "*.log", Injected::Io));
    stage.append(send(1, 10, 1)).unwrap();
    let known = stage.known(false);
    let stage = stage.open(known);
    assert_eq!(stage.partition.marks().high_watermark, Offset(10));
    assert!(stage.partition.shut().is_some());
}

#[test]
fn switching_to_an_fsync_per_ack_takes_nothing_back() {
    let stage = Stage::in_memory(PartitionConfig::default());
    stage.fresh(anonymous(5));
    stage.partition.set_config(each_ack_fsynced());
    let marks = stage.partition.marks();
    assert_eq!((marks.high_watermark, marks.flushed), (Offset(5), Offset(5)));
    stage.partition.set_config(PartitionConfig::default());
    stage.fresh(anonymous(1));
    let marks = stage.partition.marks();
    assert_eq!((marks.high_watermark, marks.flushed), (Offset(6), Offset(5)));
}

/// Many producers at once, each waiting for its own ack: they share fsyncs.
#[test]
fn concurrent_acks_share_an_fsync() {
    const PRODUCERS: i64 = 32;
    const BATCHES: i32 = 20;
    let folder = tempfile::tempdir().unwrap();
    let syncs = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&syncs);
    let disk = WatchedDisk::new(Arc::new(RealDisk::new()), move |operation, _| {
        if operation == Operation::Sync {
            counted.fetch_add(1, Ordering::SeqCst);
            // A little longer than this machine's own, as on a disk that is one.
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let known = Known { clean: true, recovery_point: Offset(0), log_start: Offset(0) };
    let (partition, _) = Partition::open(
        Arc::new(disk),
        Flusher::start(2, Arc::default()),
        &folder.path().join("t-0"),
        each_ack_fsynced(),
        known,
        LeaderEpoch(0),
        NOW,
    )
    .unwrap();
    std::thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let partition = &partition;
            scope.spawn(move || {
                for batch in 0..BATCHES {
                    let appended = partition.append(&send(producer, batch, 1).checked(), NOW).unwrap();
                    wait_for(partition, appended.last_offset.next());
                    assert!(partition.marks().flushed > appended.last_offset);
                }
            });
        }
    });
    let total = PRODUCERS * i64::from(BATCHES);
    assert_eq!(partition.marks().high_watermark, Offset(total));
    let syncs = syncs.load(Ordering::SeqCst);
    assert!(syncs < total as u64 / 4, "{syncs} syncs for {total} acks");
    partition.close(NOW).unwrap();
    let read = partition.read(Offset(0), 1 << 20, true, Isolation::default()).unwrap();
    assert!(read.bytes > 0, "reads go on after the stop");
}

/// Registers, looks, waits: as whoever waits for an ack does.
pub(crate) fn wait_for(partition: &Partition, offset: Offset) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let notify = Arc::new(Notify::new());
    let _waiting = partition.on_advance(&notify);
    let deadline = Instant::now() + Duration::from_secs(10);
    runtime.block_on(async {
        while partition.marks().high_watermark < offset {
            assert!(Instant::now() < deadline, "a wake-up was lost: {:?}", partition.marks());
            let _ = tokio::time::timeout(Duration::from_secs(11), notify.notified()).await;
        }
    });
}

/// Sixteen partitions with two producers each, on a disk whose syncs take their time: the partitions' syncs are in flight
/// together, and none waits for as long as all of them take one after the other.
#[test]
fn several_partitions_sync_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let syncing = Arc::new(AtomicU64::new(0));
    let most = Arc::new(AtomicU64::new(0));
    let (inside, largest) = (Arc::clone(&syncing), Arc::clone(&most));
    let disk = WatchedDisk::new(Arc::new(RealDisk::new()), move |operation, path| {
        if operation == Operation::Sync && path.extension().is_some_and(|end| end == "log") {
            largest.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(2));
            inside.fetch_sub(1, Ordering::SeqCst);
        }
    });
    let disk: Arc<dyn disk::Disk> = Arc::new(disk);
    let flusher = Flusher::start(4, Arc::default());
    let known = Known { clean: true, recovery_point: Offset(0), log_start: Offset(0) };
    let open = |at: usize| {
        let dir = folder.path().join(format!("t-{at}"));
        let (disk, flusher) = (Arc::clone(&disk), Arc::clone(&flusher));
        Partition::open(disk, flusher, &dir, each_ack_fsynced(), known, LeaderEpoch(0), NOW).unwrap().0
    };
    let partitions: Vec<_> = (0..16).map(open).collect();
    std::thread::scope(|scope| {
        for producer in 0..32 {
            let partition = &partitions[producer as usize % 16];
            scope.spawn(move || {
                for batch in 0..10 {
                    let appended = partition.append(&send(producer, batch, 1).checked(), NOW).unwrap();
                    wait_for(partition, appended.last_offset.next());
                }
            });
        }
    });
    assert!(partitions.iter().all(|partition| partition.marks().flushed == Offset(20)));
    let most = most.load(Ordering::SeqCst);
    assert!((2..=4).contains(&most), "{most} syncs at once");
}
