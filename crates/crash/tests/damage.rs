//! Files that were damaged while nobody ran: what starts, what is served, what is refused.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the answer, also in the functions that several tests share"
)]

use std::io::IoSlice;
use std::path::{Path, PathBuf};

use base::{Offset, PartitionIndex};
use crash::cluster::{self, DIR};
use crash::judge::{self, Indexes};
use crash::ledger::Ledger;
use crash::player::Player;
use crash::scan::{self, Stored};
use disk::{Disk, OpenHow, read_whole};
use log::names::{FileName, Kind};
use partition::Isolation;
use records::{BatchHeader, crc_is_valid};
use testkit::{Crash, CrashDisk, Random};

const APPENDS: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    Deleted,
    Emptied,
    Halved,
    BitFlipped,
    Zeroed,
    ZerosAppended,
    GarbageAppended,
    Garbage,
}

const DAMAGES: [Damage; 8] = [
    Damage::Deleted,
    Damage::Emptied,
    Damage::Halved,
    Damage::BitFlipped,
    Damage::Zeroed,
    Damage::ZerosAppended,
    Damage::GarbageAppended,
    Damage::Garbage,
];

/// A filled directory, stopped cleanly or killed.
struct Stage {
    disk: CrashDisk,
    player: Player,
    stored: Vec<Stored>,
}

impl Stage {
    fn new(seed: u64, clean: bool) -> Self {
        let disk = CrashDisk::calm(seed);
        let mut player = Player::new(&disk, seed, Ledger::default());
        player.fill(APPENDS).unwrap();
        if clean {
            player.stop().unwrap();
        }
        // A dead process holds nothing in memory.
        let disk = disk.after(Crash::ProcessKill);
        let stored = scan::batches(&disk, &orders()).unwrap();
        Self { disk, player, stored }
    }

    fn judge(&self, what: &str) {
        let Player { ledger, life, now, .. } = &self.player;
        let judged = judge::judge(&self.disk, ledger, Crash::ProcessKill, Indexes::Hints, *life, *now);
        judged.unwrap_or_else(|why| panic!("{what}: {why}"));
    }

    /// Everything below is on disk, as the checkpoint file has it.
    fn recovery_point(&self) -> Offset {
        let path = Path::new(DIR).join("recovery-point-offset-checkpoint");
        log::checkpoint::read_offsets(&self.disk, &path).unwrap()[0].offset
    }
}

fn orders() -> PathBuf {
    Path::new(DIR).join("orders-0")
}

fn damage(disk: &CrashDisk, path: &Path, damage: Damage, random: &mut Random) {
    if damage == Damage::Deleted {
        return disk.remove_file(path).unwrap();
    }
    let mut bytes = read_whole(disk, path, 1 << 20).unwrap().unwrap();
    let mut garbage = || (0..40).map(|_| random.next() as u8).collect::<Vec<u8>>();
    match damage {
        Damage::Deleted | Damage::Emptied => bytes.clear(),
        Damage::Halved => bytes.truncate(bytes.len() / 2),
        Damage::BitFlipped => {
            let len = bytes.len() as u64;
            if len > 0 {
                bytes[random.below(len) as usize] ^= 1 << random.below(8);
            }
        }
        Damage::Zeroed => bytes.fill(0),
        Damage::ZerosAppended => bytes.extend([0; 24]),
        Damage::GarbageAppended => bytes.extend(garbage()),
        Damage::Garbage => bytes = garbage(),
    }
    let file = disk.open(path, OpenHow::Existing).unwrap();
    file.set_len(0).unwrap();
    file.write_at(0, &[IoSlice::new(&bytes)]).unwrap();
}

/// The files whose loss costs nothing: indexes, snapshots, epochs, checkpoints, the quorum's state. With the marker of a clean
/// stop and without.
#[test]
fn everything_is_served_whatever_becomes_of_a_file_that_can_be_made_again() {
    for clean in [true, false] {
        let stage = Stage::new(1, clean);
        let bases = scan::segments(&stage.disk, &orders()).unwrap();
        assert!(bases.len() > 4, "{bases:?}");
        let mut files = Vec::new();
        for base in [bases[0], bases[bases.len() / 2], *bases.last().unwrap()] {
            files.extend(
                [Kind::Index, Kind::TimeIndex]
                    .map(|kind| orders().join(FileName::new(base, kind).to_string())),
            );
        }
        let snapshots = stage.disk.list(&orders()).unwrap().into_iter().map(|entry| entry.name);
        let snapshots: Vec<String> = snapshots.filter(|name| name.ends_with(".snapshot")).collect();
        assert!(snapshots.len() > 1, "{snapshots:?}");
        files.extend(snapshots.iter().rev().take(2).map(|name| orders().join(name)));
        files.push(orders().join("leader-epoch-checkpoint"));
        files.push(Path::new(DIR).join("__cluster_metadata-0/quorum-state"));
        files.push(Path::new(DIR).join("__cluster_metadata-0/leader-epoch-checkpoint"));
        files.push(Path::new(DIR).join("__cluster_metadata-0/00000000000000000000.index"));
        for name in ["recovery-point", "log-start", "replication"] {
            files.push(Path::new(DIR).join(format!("{name}-offset-checkpoint")));
        }
        if clean {
            files.push(Path::new(DIR).join(".kafka_cleanshutdown"));
        }
        for (number, file) in files.iter().enumerate() {
            for kind in DAMAGES {
                let stage = Stage::new(1, clean);
                damage(&stage.disk, file, kind, &mut Random::branch(number as u64, kind as u64));
                stage.judge(&format!("{} {kind:?}, clean stop: {clean}", file.display()));
            }
        }
    }
}

/// All snapshots at once: then the log alone says who wrote.
#[test]
fn without_any_snapshot_the_log_says_who_wrote() {
    for clean in [true, false] {
        for kind in DAMAGES {
            let stage = Stage::new(2, clean);
            for entry in stage.disk.list(&orders()).unwrap() {
                if entry.name.ends_with(".snapshot") {
                    damage(&stage.disk, &orders().join(entry.name), kind, &mut Random::new(3));
                }
            }
            stage.judge(&format!("all snapshots {kind:?}, clean stop: {clean}"));
        }
    }
}

/// Above the recovery point nothing was promised to outlive this: the first bad batch ends the log.
#[test]
fn above_the_recovery_point_the_first_bad_batch_ends_the_log() {
    let stage = Stage::new(3, false);
    let recovery_point = stage.recovery_point();
    let above: Vec<Stored> =
        stage.stored.iter().copied().filter(|stored| stored.header.base_offset >= recovery_point).collect();
    assert!(above.len() > 10);
    for (number, bad) in above.iter().enumerate() {
        let stage = Stage::new(3, false);
        let path = orders().join(FileName::new(bad.segment, Kind::Log).to_string());
        let file = stage.disk.open(&path, OpenHow::Existing).unwrap();
        let mut random = Random::new(number as u64);
        let within = bad.position + random.below(bad.header.size() as u64);
        match number % 3 {
            0 => file.set_len(within).unwrap(),
            1 => file.write_at(bad.position + 17, &[IoSlice::new(&random.next().to_be_bytes())]).unwrap(),
            _ => file.write_at(bad.position, &[IoSlice::new(&vec![0; bad.header.size()])]).unwrap(),
        }
        let catalog = cluster::start(stage.disk.shared(), 9, stage.player.now).unwrap();
        let topic = catalog.topics().by_name("orders").unwrap().id;
        let partition = catalog.partition(topic, PartitionIndex(0)).unwrap();
        assert_eq!(partition.marks().log_end, bad.header.base_offset, "batch {number}");
        let left = scan::batches(&stage.disk, &orders()).unwrap();
        assert_eq!(left[..], stage.stored[..left.len()]);
        assert_eq!(left.last().unwrap().header.next_offset(), bad.header.base_offset);
    }
}

/// What a read of one offset gives.
#[derive(Debug, PartialEq)]
enum Got {
    Right,
    /// Bytes whose checksum tells the reader.
    BadChecksum,
    /// An error that names the file.
    Error,
    /// Another header: its checksum covers neither the offset nor the leader epoch.
    Other(BatchHeader),
}

fn read(partition: &partition::Partition, stored: &Stored, what: &str) -> Got {
    let offset = stored.header.last_offset();
    let name = FileName::new(stored.segment, Kind::Log).to_string();
    let read = match partition.read(offset, 1, true, Isolation::ReadUncommitted) {
        Ok(read) => read,
        Err(error) => {
            assert!(error.to_string().contains(&name), "{what}: {error}");
            return Got::Error;
        }
    };
    let bytes = read.ranges.first().unwrap_or_else(|| panic!("{what}: nothing at {offset}")).read().unwrap();
    if !crc_is_valid(&bytes) {
        return Got::BadChecksum;
    }
    let header = BatchHeader::parse(&bytes).unwrap();
    if header == stored.header { Got::Right } else { Got::Other(header) }
}

/// Below the recovery point, and after a clean stop, nothing is cut: what is damaged is an error or fails its checksum, and
/// never another batch; the other segments are served whole, appends go on, and the next start finds the same.
#[test]
fn below_the_recovery_point_nothing_is_cut_and_the_rest_is_served() {
    for seed in 0..60 {
        let clean = seed % 2 == 0;
        let mut random = Random::branch(seed, 5);
        let stage = Stage::new(4, clean);
        let recovery_point = stage.recovery_point();
        let last_segment = stage.stored.last().unwrap().segment;
        let below = |stored: &&Stored| {
            stored.header.next_offset() <= recovery_point && (!clean || stored.segment < last_segment)
        };
        let below: Vec<&Stored> = stage.stored.iter().filter(below).collect();
        let bad = below[random.below(below.len() as u64) as usize];
        let path = orders().join(FileName::new(bad.segment, Kind::Log).to_string());
        let file = stage.disk.open(&path, OpenHow::Existing).unwrap();
        let what = match random.below(4) {
            0 => {
                let at = bad.position + random.below(bad.header.size() as u64);
                let mut byte = [0];
                file.read_at(at, &mut byte).unwrap();
                file.write_at(at, &[IoSlice::new(&[byte[0] ^ (1 << random.below(8))])]).unwrap();
                format!("a bit at {at}")
            }
            1 => {
                file.write_at(bad.position, &[IoSlice::new(&vec![0; bad.header.size()])]).unwrap();
                "zeros".to_owned()
            }
            2 => {
                let garbage: Vec<u8> = (0..bad.header.size()).map(|_| random.next() as u8).collect();
                file.write_at(bad.position, &[IoSlice::new(&garbage)]).unwrap();
                "garbage".to_owned()
            }
            _ => {
                file.set_len(bad.position + random.below(bad.header.size() as u64)).unwrap();
                "cut".to_owned()
            }
        };
        let what = format!(
            "seed {seed}, clean stop: {clean}, {what} in batch {} of {}",
            bad.header.base_offset,
            path.display()
        );
        let mut ends = Vec::new();
        for life in 0..2 {
            let catalog = cluster::start(stage.disk.shared(), 9 + life, stage.player.now)
                .unwrap_or_else(|error| panic!("{what}: {error}"));
            let topic = catalog.topics().by_name("orders").unwrap().id;
            let partition =
                catalog.partition(topic, PartitionIndex(0)).unwrap_or_else(|error| panic!("{what}: {error}"));
            for stored in &stage.stored {
                let got = read(&partition, stored, &what);
                assert!(
                    got == Got::Right || stored.segment == bad.segment,
                    "{what}: {got:?} at {}",
                    stored.header.base_offset
                );
            }
            assert_ne!(read(&partition, bad, &what), Got::Right, "{what}: the damage was not met");
            ends.push(partition.marks().log_end);
        }
        let end = stage.stored.last().unwrap().header.next_offset();
        assert_eq!(ends, [end, end], "{what}");
    }
}
