//! Many threads at once: appenders, readers, waiters, upkeep, and a stop in the middle.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

use base::{LeaderEpoch, Offset};
use disk::{Disk, Operation, RealDisk};
use log::Known;
use partition::{AppendError, Flusher, Isolation, Partition, PartitionConfig, ReadError};
use records::BatchHeader;

use testkit::WatchedDisk;

use crate::flushes::wait_for;
use crate::stage::{NOW, send, small_segments};

const PRODUCERS: i64 = 4;
const BATCHES: i32 = 150;

fn open(folder: &tempfile::TempDir, config: PartitionConfig, clean: bool) -> Arc<Partition> {
    let known = Known { clean, recovery_point: Offset(0), log_start: Offset(0) };
    let dir = folder.path().join("t-0");
    Partition::open(
        Arc::new(RealDisk::new()),
        Flusher::start(2, Arc::default()),
        &dir,
        config,
        known,
        LeaderEpoch(0),
        NOW,
    )
    .unwrap()
    .0
}

/// Follows the log to `end` and says which sequences of which producer it saw.
fn follow(partition: &Partition, end: Offset) -> Vec<(i64, i32)> {
    let mut seen = Vec::new();
    let mut from = Offset(0);
    while from < end {
        wait_for(partition, from.next());
        let read = partition.read(from, 1 << 16, true, Isolation::default()).unwrap();
        let marks = read.marks;
        assert!(marks.log_start <= marks.last_stable && marks.last_stable <= marks.high_watermark);
        assert!(marks.high_watermark <= marks.log_end && marks.flushed <= marks.log_end);
        for range in read.ranges {
            let bytes = range.read().unwrap();
            let mut at = 0;
            while at < bytes.len() {
                let header = BatchHeader::parse(&bytes[at..]).unwrap();
                assert!(records::crc_is_valid(&bytes[at..at + header.size()]), "readers see whole batches");
                assert_eq!(header.base_offset, from, "without a gap");
                assert!(header.next_offset() <= marks.high_watermark, "below the ceiling");
                from = header.next_offset();
                at += header.size();
                seen.push((header.producer_id.0, header.base_sequence.0));
            }
        }
    }
    seen
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn crowd(config: PartitionConfig) {
    let folder = tempfile::tempdir().unwrap();
    let partition = open(&folder, config.clone(), true);
    let end = Offset(PRODUCERS * i64::from(BATCHES));
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Also when a reader fails: the scope waits for the thread that looks at it.
        let _at_the_end = SetOnDrop(&over);
        let readers: Vec<_> = (0..2).map(|_| scope.spawn(|| follow(&partition, end))).collect();
        scope.spawn(|| {
            let mut now = NOW;
            while !over.load(Ordering::SeqCst) {
                now = now.plus(100);
                partition.tend(now);
                let _ = partition.producers();
                std::thread::yield_now();
            }
        });
        for producer in 0..PRODUCERS {
            let partition = &partition;
            scope.spawn(move || {
                for batch in 0..BATCHES {
                    let batch = send(producer, batch, 1).checked();
                    let first = partition.append(&batch, NOW).unwrap();
                    // A retry at once, as after a lost connection, may meet a write that is not flushed yet.
                    let again = partition.append(&batch, NOW).unwrap();
                    assert!(again.duplicate);
                    assert_eq!(again.base_offset, first.base_offset);
                }
            });
        }
        for reader in readers {
            let seen = reader.join().unwrap();
            for producer in 0..PRODUCERS {
                let sequences: Vec<i32> =
                    seen.iter().filter(|(by, _)| *by == producer).map(|(_, sequence)| *sequence).collect();
                assert_eq!(sequences, (0..BATCHES).collect::<Vec<_>>(), "each once, in order");
            }
        }
    });
    partition.close(NOW).unwrap();
    drop(partition);
    let partition = open(&folder, config, true);
    for producer in 0..PRODUCERS {
        for batch in BATCHES - 5..BATCHES {
            assert!(partition.append(&send(producer, batch, 1).checked(), NOW).unwrap().duplicate);
        }
    }
}

#[test]
fn appenders_and_readers() {
    crowd(small_segments(4_000));
}

#[test]
fn appenders_and_readers_with_an_fsync_per_ack() {
    crowd(PartitionConfig { flush_messages: 1, ..small_segments(20_000) });
}

/// A stop in the middle of it all: what was answered before it is there afterwards.
#[test]
fn a_stop_between_appends() {
    let folder = tempfile::tempdir().unwrap();
    let config = small_segments(2_000);
    let partition = open(&folder, config.clone(), true);
    let answered = std::thread::scope(|scope| {
        let appenders: Vec<_> = (0..PRODUCERS)
            .map(|producer| {
                let partition = &partition;
                scope.spawn(move || {
                    let mut answered = Vec::new();
                    for batch in 0.. {
                        match partition.append(&send(producer, batch, 1).checked(), NOW) {
                            Ok(appended) => answered.push(appended.base_offset),
                            Err(AppendError::Closed) => return answered,
                            Err(other) => panic!("{other}"),
                        }
                    }
                    unreachable!("there are more batches than time")
                })
            })
            .collect();
        wait_for(&partition, Offset(300));
        partition.close(NOW).unwrap();
        appenders.into_iter().map(|appender| appender.join().unwrap()).collect::<Vec<_>>()
    });
    let end = partition.marks().log_end;
    assert_eq!(partition.marks().flushed, end);
    assert_eq!(answered.iter().map(Vec::len).sum::<usize>() as i64, end.0);
    drop(partition);
    let partition = open(&folder, config, true);
    assert_eq!(partition.marks().log_end, end);
    for (producer, offsets) in answered.iter().enumerate() {
        // A thread may not have had its turn before the stop.
        let Some(last) = offsets.len().checked_sub(1) else { continue };
        let again = partition.append(&send(producer as i64, last as i32, 1).checked(), NOW).unwrap();
        assert!(again.duplicate);
        assert_eq!(again.base_offset, offsets[last]);
    }
}

/// A topic that is deleted under its users.
#[test]
fn an_abandoned_partition_answers_closed_and_touches_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let partition = open(&folder, PartitionConfig::default(), true);
    partition.append(&send(1, 0, 10).checked(), NOW).unwrap();
    let notify = Arc::new(tokio::sync::Notify::new());
    let _waiting = partition.on_advance(&notify);
    partition.abandon();
    assert!(crate::faults::is_woken(&notify));
    let dir = folder.path().join("t-0");
    std::fs::rename(&dir, folder.path().join("t-0.gone-delete")).unwrap();
    assert!(matches!(partition.append(&send(1, 10, 1).checked(), NOW), Err(AppendError::Closed)));
    partition.tend(NOW.plus(1 << 40));
    assert!(partition.flush().is_err());
    partition.close(NOW).unwrap();
    assert!(!dir.exists());
    assert!(matches!(
        partition.read(Offset(99), 1, true, Isolation::default()),
        Err(ReadError::OutOfRange { .. })
    ));
}

/// A topic that is deleted while its partition is flushed, and made again under the same name.
#[test]
fn a_flush_under_way_when_its_partition_is_abandoned_leaves_the_next_one_of_that_name_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, gone) = (folder.path().join("t-0"), folder.path().join("t-0.gone-delete"));
    // An armed sync of a snapshot waits twice: until the test has seen it come, and until it is let go.
    let (barrier, armed) = (Arc::new(Barrier::new(2)), Arc::new(AtomicBool::new(true)));
    let (at, waits) = (Arc::clone(&barrier), Arc::clone(&armed));
    let disk = WatchedDisk::new(Arc::new(RealDisk::new()), move |operation, path| {
        let snapshot = path.to_string_lossy().ends_with(".snapshot.tmp");
        if operation == Operation::Sync && snapshot && waits.swap(false, Ordering::SeqCst) {
            at.wait();
            at.wait();
        }
    });
    let known = Known { clean: true, recovery_point: Offset(0), log_start: Offset(0) };
    let open = |disk: Arc<dyn Disk>, dir: &Path| {
        Partition::open(disk, Flusher::inline(), dir, small_segments(1000), known, LeaderEpoch(0), NOW)
            .unwrap()
            .0
    };
    let old = open(Arc::new(disk), &dir);
    std::thread::scope(|scope| {
        // Rolls, and the roll flushes on this very thread.
        let flushing = scope
            .spawn(|| (0..50).map_while(|i| old.append(&send(1, i * 10, 10).checked(), NOW).ok()).count());
        barrier.wait();
        // Several segments more, whose snapshots are all left to the next flush.
        for i in 0..50 {
            old.append(&send(2, i * 10, 10).checked(), NOW).unwrap();
        }
        armed.store(true, Ordering::SeqCst);
        barrier.wait();
        barrier.wait();
        old.abandon();
        std::fs::rename(&dir, &gone).unwrap();
        let new = open(Arc::new(RealDisk::new()), &dir);
        new.append(&send(3, 0, 1).checked(), NOW).unwrap();
        let before = RealDisk::new().list(&dir).unwrap();
        barrier.wait();
        let appended = flushing.join().unwrap();
        assert!(appended < 50, "an abandoned partition takes no more");
        assert_eq!(RealDisk::new().list(&dir).unwrap(), before);
        new.close(NOW).unwrap();
    });
    let new = open(Arc::new(RealDisk::new()), &dir);
    assert_eq!(new.marks().log_end, Offset(1));
}
