//! One story, cut at each of its file operations, by a kill and by a power loss.
//!
//! What was acknowledged is there afterwards, once, and its retry is answered with the first offset: after a kill in
//! every configuration, after a power loss where an ack means fsynced.

use std::path::Path;
use std::sync::Arc;

use base::{LeaderEpoch, Offset};
use disk::Disk;
use log::Known;
use partition::{Flusher, Partition, PartitionConfig};
use testkit::{Crash, CrashDisk};

use crate::stage::{NOW, Send, Stage, anonymous, send, small_segments};

const DIR: &str = "/data/t-0";
const PRODUCERS: i64 = 3;

/// What clients were told, as far as the story got.
#[derive(Debug, Default)]
struct Promised {
    /// Each acknowledged batch, and the recovery point at that moment.
    batches: Vec<(Send, Offset)>,
    flushed: Offset,
    log_start: Offset,
    /// Whether a clean stop was the last that was done, and succeeded.
    clean: bool,
}

fn known(promised: &Promised) -> Known {
    Known { clean: promised.clean, recovery_point: promised.flushed, log_start: promised.log_start }
}

fn open(disk: Arc<dyn Disk>, config: &PartitionConfig, known: Known) -> Option<Arc<Partition>> {
    Partition::open(disk, Flusher::inline(), Path::new(DIR), config.clone(), known, LeaderEpoch(0), NOW)
        .ok()
        .map(|(partition, _)| partition)
}

/// Two lives of a partition: appends with rolls, upkeep, a clean stop, and more appends. Ends where the disk does.
fn story(disk: &Arc<dyn Disk>, config: &PartitionConfig) -> Promised {
    let mut promised = Promised { clean: true, ..Promised::default() };
    for life in 0..2 {
        let Some(partition) = open(Arc::clone(disk), config, known(&promised)) else {
            promised.clean = false;
            return promised;
        };
        promised.clean = false;
        for batch in life * 7..(life + 1) * 7 {
            for producer in 0..PRODUCERS {
                let sent = send(producer, batch * 2, 2);
                let Ok(appended) = partition.append(&sent.checked(), NOW) else { return promised };
                let marks = partition.marks();
                promised.flushed = marks.flushed;
                if marks.high_watermark > appended.last_offset {
                    promised.batches.push((sent, appended.base_offset));
                }
            }
            if partition.append(&anonymous(1).checked(), NOW).is_err() {
                return promised;
            }
            if batch % 5 == 4 {
                partition.tend(NOW.plus(i64::from(batch) * 400_000));
            }
        }
        if life == 0 {
            promised.clean = partition.close(NOW).is_ok();
            promised.flushed = partition.marks().flushed;
            if !promised.clean {
                return promised;
            }
        }
    }
    promised
}

#[track_caller]
fn check(left: &CrashDisk, config: &PartitionConfig, promised: &Promised, what: &str) {
    let partition =
        open(left.shared(), config, known(promised)).unwrap_or_else(|| panic!("{what}: it does not open"));
    for producer in 0..PRODUCERS {
        let told: Vec<_> = promised.batches.iter().filter(|(sent, _)| sent.producer == producer).collect();
        // A batch that was written and not acknowledged may be there as well, so one fewer may be remembered.
        for (sent, offset) in told.iter().rev().take(4) {
            let again = partition.append(&sent.checked(), NOW);
            let again = again.unwrap_or_else(|error| panic!("{what}: {sent:?}: {error}"));
            assert!(again.duplicate, "{what}: {sent:?} was stored twice, or lost");
            assert_eq!(again.base_offset, *offset, "{what}: {sent:?}");
        }
        // The producer goes on, whether or not its last batch made it.
        let next = told.last().map_or(0, |(sent, _)| sent.first + sent.records);
        for first in [next, next + 2] {
            let sent = send(producer, first, 2);
            partition
                .append(&sent.checked(), NOW)
                .unwrap_or_else(|error| panic!("{what}: {sent:?}: {error}"));
        }
    }
    for (sent, offset) in &promised.batches {
        let read = partition.read(*offset, 1, true, partition::Isolation::default());
        let read = read.unwrap_or_else(|error| panic!("{what}: {sent:?} cannot be read: {error}"));
        let header = records::BatchHeader::parse(&read.ranges[0].read().unwrap()).unwrap();
        assert_eq!((header.base_offset, header.base_sequence.0), (*offset, sent.first), "{what}");
    }
}

fn cut_everywhere(config: &PartitionConfig, crashes: &[Crash], seeds: u64) {
    let calm = CrashDisk::calm(0);
    calm.create_dir_all(Path::new("/data")).unwrap();
    calm.settle();
    let set_up = calm.operations();
    story(&calm.shared(), config);
    let operations = calm.operations();
    assert!(operations > 50);
    for cut in set_up..operations {
        for seed in 0..seeds {
            let disk = CrashDisk::new(seed, cut);
            disk.create_dir_all(Path::new("/data")).unwrap();
            disk.settle();
            let promised = story(&disk.shared(), config);
            for crash in crashes {
                check(&disk.after(*crash), config, &promised, &format!("{crash:?}, seed {seed}, cut {cut}"));
            }
        }
    }
}

#[test]
fn a_kill_at_any_operation() {
    cut_everywhere(&small_segments(600), &[Crash::ProcessKill], 1);
}

#[test]
fn a_kill_or_a_power_loss_at_any_operation_with_an_fsync_per_ack() {
    let config = PartitionConfig { flush_messages: 1, ..small_segments(600) };
    cut_everywhere(&config, &[Crash::ProcessKill, Crash::PowerLoss], 2);
}

/// Without an fsync per ack a power loss may take acknowledged records, but what is left is sound: it opens, it reads, and
/// nobody is told that a batch is stored which is not.
#[test]
fn a_power_loss_leaves_a_sound_partition() {
    let config = small_segments(600);
    for cut in (10..120).step_by(7) {
        let disk = CrashDisk::new(cut, cut);
        let promised = story(&disk.shared(), &config);
        for seed in 0..4 {
            let left = disk.after_with(Crash::PowerLoss, seed).shared();
            let known = Known { clean: false, ..known(&promised) };
            let Some(partition) = open(left, &config, known) else { panic!("cut {cut}, seed {seed}") };
            for (sent, _) in &promised.batches {
                if let Ok(again) = partition.append(&sent.checked(), NOW) {
                    let read =
                        partition.read(again.base_offset, 1, true, partition::Isolation::default()).unwrap();
                    let header = records::BatchHeader::parse(&read.ranges[0].read().unwrap()).unwrap();
                    assert_eq!(header.producer_id.0, sent.producer, "cut {cut}, seed {seed}");
                    assert_eq!(header.base_sequence.0, sent.first, "cut {cut}, seed {seed}");
                }
            }
        }
    }
}

/// The stage's own restart is the same as the story's.
#[test]
fn the_story_ends_well_without_a_crash() {
    let stage = Stage::in_memory(small_segments(600));
    let disk = Arc::clone(&stage.disk);
    drop(stage);
    let promised = story(&disk, &small_segments(600));
    assert_eq!(promised.batches.len(), 42);
}

/// A snapshot above the end that a power loss left is gone for good before anything is appended: should a second power loss
/// bring it back, it would speak of batches that others have taken the place of.
#[test]
fn a_snapshot_of_a_lost_end_does_not_come_back() {
    let disk = CrashDisk::calm(3);
    disk.create_dir_all(Path::new("/data")).unwrap();
    disk.settle();
    let fresh = Known { clean: true, recovery_point: Offset::ZERO, log_start: Offset::ZERO };
    let config = PartitionConfig::default();
    let partition = open(disk.shared(), &config, fresh).unwrap();
    partition.append(&send(1, 0, 2).checked(), NOW).unwrap();
    partition.flush().unwrap();
    partition.append(&send(2, 0, 2).checked(), NOW).unwrap();
    // Retention is preceded by a snapshot at the log end, which is synced; the log is not.
    partition.tend(NOW.plus(400_000));
    let known = Known { clean: false, recovery_point: Offset(2), log_start: Offset::ZERO };
    let mut lost = 0;
    for seed in 0..40 {
        let left = disk.after_with(Crash::PowerLoss, seed);
        let partition = open(left.shared(), &config, known).unwrap();
        if partition.marks().log_end != Offset(2) {
            continue;
        }
        lost += 1;
        partition.append(&send(3, 0, 5).checked(), NOW).unwrap();
        for seed in 0..40 {
            let left = left.after_with(Crash::PowerLoss, seed);
            let partition = open(left.shared(), &config, known).unwrap();
            let producers: Vec<i64> = partition.producers().iter().map(|row| row.producer_id.0).collect();
            assert!(!producers.contains(&2), "seed {seed}: producer 2 has no batch here: {producers:?}");
        }
    }
    assert!(lost > 0, "some power loss takes what was not synced");
}
