//! What the stories stand on: a partition on some disk, and batches as a producer would send them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use disk::{Disk, RealDisk};
use log::Known;
use partition::{AppendError, Appended, Flusher, Isolation, Opened, Partition, PartitionConfig};
use records::{BatchBuilder, BatchHeader, BatchRules, CheckedBatch, NewRecord};
use state_machines::sequence::Refusal;
use testkit::CrashDisk;

/// A moment after the one that a crash disk writes on its files.
pub(crate) const NOW: Millis = Millis(1_000_000_000_500);

/// A partition that can be stopped, killed and started again.
pub(crate) struct Stage {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) config: PartitionConfig,
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) now: Millis,
    pub(crate) opened: Opened,
    pub(crate) partition: Arc<Partition>,
}

/// A batch as a producer sends it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Send {
    pub(crate) producer: i64,
    pub(crate) epoch: i16,
    pub(crate) first: i32,
    pub(crate) records: i32,
    pub(crate) value: usize,
    pub(crate) transactional: bool,
    pub(crate) time: Millis,
}

/// `records` records of producer `producer` from sequence `first` on.
pub(crate) fn send(producer: i64, first: i32, records: i32) -> Send {
    Send { producer, epoch: 0, first, records, value: 10, transactional: false, time: NOW }
}

/// A batch that nobody signed.
pub(crate) fn anonymous(records: i32) -> Send {
    Send { epoch: -1, ..send(-1, -1, records) }
}

impl Send {
    pub(crate) fn checked(self) -> CheckedBatch {
        let mut builder = BatchBuilder::new(Offset::ZERO)
            .producer(ProducerId(self.producer), ProducerEpoch(self.epoch), Sequence(self.first))
            .transactional(self.transactional);
        let value = vec![b'v'; self.value];
        for _ in 0..self.records {
            builder.push(&NewRecord { timestamp: self.time, value: Some(&value), ..NewRecord::default() });
        }
        let rules = BatchRules { max_message_bytes: 1 << 30, ..BatchRules::default() };
        records::check(&builder.build(), 9, &rules, self.time).expect("the batch keeps the rules")
    }
}

/// Runs a story on a real directory, and on a disk in memory.
pub(crate) fn on_each_disk(story: impl Fn(Stage)) {
    story(Stage::on(CrashDisk::calm(1).shared(), Path::new("/data/t-0"), PartitionConfig::default()));
    let folder = tempfile::tempdir().unwrap();
    let mut stage =
        Stage::on(Arc::new(RealDisk::new()), &folder.path().join("t-0"), PartitionConfig::default());
    stage.now = NOW;
    story(stage);
}

impl Stage {
    pub(crate) fn on(disk: Arc<dyn Disk>, dir: &Path, config: PartitionConfig) -> Self {
        let known = Known { clean: true, recovery_point: Offset::ZERO, log_start: Offset::ZERO };
        let leader_epoch = LeaderEpoch(0);
        let (partition, opened) = Partition::open(
            Arc::clone(&disk),
            Flusher::inline(),
            dir,
            config.clone(),
            known,
            leader_epoch,
            NOW,
        )
        .expect("an empty directory can be opened");
        Self { disk, dir: dir.to_owned(), config, leader_epoch, now: NOW, opened, partition }
    }

    /// On a disk in memory.
    pub(crate) fn in_memory(config: PartitionConfig) -> Self {
        Self::on(CrashDisk::calm(1).shared(), Path::new("/data/t-0"), config)
    }

    pub(crate) fn append(&self, send: Send) -> Result<Appended, AppendError> {
        self.partition.append(&send.checked(), self.now)
    }

    /// Appends a fresh batch, and says where.
    #[track_caller]
    pub(crate) fn fresh(&self, send: Send) -> Offset {
        let appended = self.append(send).expect("the batch is appended");
        assert!(!appended.duplicate, "{send:?} should be fresh, and was found at {}", appended.base_offset);
        appended.base_offset
    }

    /// Sends a batch that was appended before, and says where it was.
    #[track_caller]
    pub(crate) fn duplicate(&self, send: Send) -> Offset {
        let before = self.partition.marks().log_end;
        let appended = self.append(send).expect("a duplicate is answered");
        assert!(appended.duplicate, "{send:?} was stored again, at {}", appended.base_offset);
        assert_eq!(self.partition.marks().log_end, before, "nothing is written for a duplicate");
        appended.base_offset
    }

    /// The sequence that was expected instead.
    #[track_caller]
    pub(crate) fn out_of_order(&self, send: Send) -> Sequence {
        match self.append(send) {
            Err(AppendError::Refused(Refusal::OutOfOrder(why))) => why.expected_sequence.unwrap(),
            other => panic!("{send:?} should be out of order: {other:?}"),
        }
    }

    /// What the checkpoint files would say.
    pub(crate) fn known(&self, clean: bool) -> Known {
        let marks = self.partition.marks();
        Known { clean, recovery_point: marks.flushed, log_start: marks.log_start }
    }

    /// Starts again from what is on the disk.
    pub(crate) fn open(self, known: Known) -> Self {
        let Self { disk, dir, config, leader_epoch, now, partition, .. } = self;
        drop(partition);
        let (partition, opened) = Partition::open(
            Arc::clone(&disk),
            Flusher::inline(),
            &dir,
            config.clone(),
            known,
            leader_epoch,
            now,
        )
        .expect("the partition opens again");
        Self { disk, dir, config, leader_epoch, now, opened, partition }
    }

    /// A clean stop and a start.
    pub(crate) fn restart(self) -> Self {
        self.partition.close(self.now).expect("the stop is clean");
        let known = self.known(true);
        self.open(known)
    }

    /// A kill, after which the completed writes are there, and a start.
    pub(crate) fn kill(self) -> Self {
        let known = self.known(false);
        self.open(known)
    }

    /// The headers of all batches below the ceiling.
    pub(crate) fn headers(&self) -> Vec<BatchHeader> {
        self.headers_up_to(Isolation::ReadUncommitted)
    }

    pub(crate) fn headers_up_to(&self, isolation: Isolation) -> Vec<BatchHeader> {
        let mut headers = Vec::new();
        let mut from = self.partition.marks().log_start;
        loop {
            let read = self.partition.read(from, 1 << 20, true, isolation).expect("the log can be read");
            if read.ranges.is_empty() {
                return headers;
            }
            for range in read.ranges {
                let bytes = range.read().unwrap();
                let mut at = 0;
                while at < bytes.len() {
                    let header = BatchHeader::parse(&bytes[at..]).unwrap();
                    assert!(records::crc_is_valid(&bytes[at..at + header.size()]));
                    at += header.size();
                    from = header.next_offset();
                    headers.push(header);
                }
            }
        }
    }

    /// The names of the files in the partition's directory.
    pub(crate) fn files(&self) -> Vec<String> {
        self.disk.list(&self.dir).unwrap().into_iter().map(|entry| entry.name).collect()
    }

    pub(crate) fn snapshots(&self) -> Vec<String> {
        let mut names = self.files();
        names.retain(|name| name.ends_with(".snapshot"));
        names
    }
}

/// Small segments, so that stories roll.
pub(crate) fn small_segments(bytes: u32) -> PartitionConfig {
    let mut config = PartitionConfig::default();
    config.log.segment_bytes = bytes;
    config
}
