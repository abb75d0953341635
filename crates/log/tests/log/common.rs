//! A log in a directory of its own, batches to put into it, and what should be in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset};
use bytes::Bytes;
use disk::{Disk, RealDisk};
use log::{Known, Log, LogConfig, LogError, LogReader, Opened, Written};
use records::{BatchBuilder, BatchHeader, Codec, HEADER_LEN, NewRecord};
use tempfile::TempDir;

/// The time of the tests that do not care.
pub(crate) const NOW: Millis = Millis(1_700_000_000_000);

/// A clean stop of a log of which nothing is known yet.
pub(crate) const NEW: Known = Known { clean: true, recovery_point: Offset(0), log_start: Offset(0) };

/// A crash before anything was flushed.
pub(crate) const CRASHED: Known = Known { clean: false, recovery_point: Offset(0), log_start: Offset(0) };

/// A real directory that goes away with the test.
pub(crate) struct Rig {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    _temporary: TempDir,
}

impl Rig {
    pub(crate) fn new() -> Self {
        // Where there is a file system in memory the tests need not wait for a disk.
        let temporary = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Self { disk: Arc::new(RealDisk::new()), dir: temporary.path().join("t-0"), _temporary: temporary }
    }

    pub(crate) fn open(&self, config: &LogConfig, known: Known) -> (Log, Opened) {
        self.try_open(config, known).unwrap()
    }

    pub(crate) fn try_open(&self, config: &LogConfig, known: Known) -> Result<(Log, Opened), LogError> {
        Log::open(Arc::clone(&self.disk), &self.dir, config.clone(), known, NOW)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// All names in the directory, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names(&self.dir)
    }
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A batch to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) records: i32,
    /// Bytes of each value.
    pub(crate) value: usize,
    /// The timestamp of the first record; each later one is a millisecond later. Negative: no timestamps.
    pub(crate) timestamp: i64,
    pub(crate) epoch: i32,
    pub(crate) codec: Codec,
    pub(crate) append_time: Option<i64>,
}

impl Plan {
    pub(crate) const fn of(records: i32, value: usize, timestamp: i64) -> Self {
        Self { records, value, timestamp, epoch: 0, codec: Codec::None, append_time: None }
    }

    /// The batch's bytes at `base`.
    pub(crate) fn at(&self, base: Offset) -> Bytes {
        let mut builder =
            BatchBuilder::new(base).leader_epoch(LeaderEpoch(self.epoch)).codec(self.codec, None);
        if let Some(now) = self.append_time {
            builder = builder.log_append_time(Millis(now));
        }
        for at in 0..self.records {
            let value: Vec<u8> =
                (0..self.value).map(|byte| (byte as i64 + base.0 + i64::from(at)) as u8).collect();
            let timestamp =
                if self.timestamp < 0 { Millis::NONE } else { Millis(self.timestamp + i64::from(at)) };
            builder.push(&NewRecord { timestamp, key: None, value: Some(&value), headers: &[] });
        }
        builder.build()
    }
}

/// Appends a batch at the log end, without rolling.
pub(crate) fn append(log: &mut Log, plan: Plan) -> Written {
    try_append(log, plan).unwrap()
}

pub(crate) fn try_append(log: &mut Log, plan: Plan) -> Result<Written, LogError> {
    let bytes = plan.at(log.log_end());
    append_bytes(log, &bytes)
}

pub(crate) fn append_bytes(log: &mut Log, bytes: &[u8]) -> Result<Written, LogError> {
    let (head, rest) = bytes.split_first_chunk::<HEADER_LEN>().unwrap();
    log.append(&BatchHeader::parse(bytes).unwrap(), head, rest)
}

/// Appends a batch as the owner of a partition does: rolls first where that is due.
pub(crate) fn write(log: &mut Log, plan: Plan) -> Result<Written, LogError> {
    let bytes = plan.at(log.log_end());
    if log.roll_due(&BatchHeader::parse(&bytes).unwrap(), NOW) {
        log.roll(NOW)?;
    }
    append_bytes(log, &bytes)
}

/// Everything from `from` on, read in pieces of at most `max_bytes`.
pub(crate) fn read_from(reader: &LogReader, from: Offset, max_bytes: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut next = from;
    let end = reader.log_end();
    while next < end {
        let out = reader.read(next, end, max_bytes, true).unwrap();
        let Some(range) = out.range else { break };
        let piece = range.read().unwrap();
        let mut rest = &piece[..];
        while !rest.is_empty() {
            let header = BatchHeader::parse(rest).unwrap();
            assert!(records::crc_is_valid(&rest[..header.size()]));
            next = header.next_offset();
            rest = &rest[header.size()..];
        }
        bytes.extend(piece);
    }
    bytes
}

/// The base offsets of all batches that `reader` walks over.
pub(crate) fn walked(reader: &LogReader, from: Offset) -> Vec<i64> {
    reader.headers(from).map(|walked| walked.unwrap().header.base_offset.0).collect()
}

pub(crate) fn flush(log: &mut Log) {
    let flush = log.begin_flush();
    flush.run().unwrap();
    log.flushed(&flush);
}

/// Segments of eleven batches of two records with values of 30 bytes, and an index entry for every second one.
pub(crate) fn small() -> LogConfig {
    LogConfig { segment_bytes: 1500, index_interval_bytes: 200, ..LogConfig::default() }
}
