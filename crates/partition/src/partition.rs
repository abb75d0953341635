//! The partition's public face, and the order of an append.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use base::{LeaderEpoch, Millis, Offset};
use disk::{Disk, RevocableDisk};
use log::index::TxnEntry;
use log::{FileRange, Found, Known, Log, LogError, LogReader};
use parking_lot::Mutex;
use records::{BatchHeader, CheckedBatch};
use state_machines::sequence::{Row, Tracker, Verdict};
use tokio::sync::Notify;

use crate::board::{Board, Health};
use crate::config::PartitionConfig;
use crate::error::{AppendError, PartitionError, ReadError, Shut, Stopped};
use crate::flusher::Flusher;
use crate::flushing::Turn;
use crate::marks::{Isolation, LogMarks, Marks};
use crate::restore::{self, Restored};
use crate::snapshots::Snapshots;
use crate::upkeep::Chores;
use crate::waiting::Waiting;

/// One partition. Shared by all threads as `Arc<Partition>`.
#[derive(Debug)]
pub struct Partition {
    /// Itself, for the queue of the flusher.
    pub(crate) me: Weak<Self>,
    pub(crate) dir: PathBuf,
    /// The disk, until the partition is abandoned.
    pub(crate) disk: Arc<RevocableDisk>,
    leader_epoch: LeaderEpoch,
    /// What readers read through, without any lock of ours.
    pub(crate) log: LogReader,
    /// The append lock. Everything that changes the log or the producers happens under it; nobody holds it while
    /// syncing, and nobody awaits with it.
    appender: Mutex<Appender>,
    /// Marks, health and the bell. Taken after the append lock, never before it.
    pub(crate) board: Board,
    pub(crate) snapshots: Snapshots,
    /// Held while segments are taken away, or replaced by compacted ones: longer than the append lock may be, and taken
    /// before it.
    pub(crate) segments: Mutex<()>,
    /// Whose turn it is to sync. Taken alone.
    pub(crate) turn: Turn,
    pub(crate) flusher: Arc<Flusher>,
}

/// What the append lock guards.
#[derive(Debug)]
pub(crate) struct Appender {
    pub(crate) log: Log,
    pub(crate) producers: Tracker,
    pub(crate) config: PartitionConfig,
    pub(crate) chores: Chores,
}

/// Where a batch stands, or stood already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The offset of the batch's first record.
    pub base_offset: Offset,
    /// The offset of its last record. An ack of all waits until the high watermark is above it.
    pub last_offset: Offset,
    /// The append time on a LogAppendTime topic, else [`Millis::NONE`]. For a duplicate the remembered timestamp of the
    /// first write, whatever the topic says, as Kafka answers.
    pub log_append_time: Millis,
    /// The log start at that moment.
    pub log_start: Offset,
    /// Whether this very batch had been written before, and nothing was written now.
    pub duplicate: bool,
}

/// What a read found.
#[derive(Clone, Debug)]
pub struct Read {
    /// Whole batches as stored, in order; empty when there is nothing below the ceiling.
    pub ranges: Vec<FileRange>,
    /// Bytes in all of [`Self::ranges`].
    pub bytes: u32,
    /// For read_committed: the aborted transactions among the records, in the order of their markers.
    pub aborted: Option<Vec<TxnEntry>>,
    /// The marks that bounded the read.
    pub marks: Marks,
}

/// What opening a partition found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What the log says.
    pub log: log::Opened,
    /// The producer snapshot that was loaded.
    pub snapshot: Option<Offset>,
    /// Snapshots that could not be read and were removed.
    pub bad_snapshots: Vec<Offset>,
    /// Batch headers that were read to restore producer state.
    pub replayed_batches: u64,
    /// Producers remembered now.
    pub producers: usize,
}

impl Partition {
    /// Opens the partition in `dir`, which is made if missing, and restores its producers. With `flush_messages` = 1 an
    /// unflushed tail is flushed before this returns, so that the high watermark stands at the log end.
    ///
    /// # Errors
    /// When a file operation fails.
    pub fn open(
        disk: Arc<dyn Disk>,
        flusher: Arc<Flusher>,
        dir: &Path,
        config: PartitionConfig,
        known: Known,
        leader_epoch: LeaderEpoch,
        now: Millis,
    ) -> Result<(Arc<Self>, Opened), PartitionError> {
        let disk = Arc::new(RevocableDisk::new(disk));
        let (mut log, opened) =
            Log::open_among(Arc::clone(flusher.logs()), disk.clone(), dir, config.log.clone(), known, now)?;
        let reader = log.reader();
        let Restored { tracker: mut producers, snapshot, bad: mut bad_snapshots, replayed: replayed_batches } =
            restore::restore(disk.as_ref(), dir, &reader, config.producer_expiration_ms, now)?;
        bad_snapshots.extend(restore::index_aborted(disk.as_ref(), dir, &mut log, &opened.unindexed)?);
        let mut marks = Marks::at_open(log_marks(&log), config.ack());
        producers.settle_below(marks.high_watermark);
        marks.hold_stable(producers.first_unstable());
        let opened =
            Opened { log: opened, snapshot, bad_snapshots, replayed_batches, producers: producers.len() };
        let chores = Chores::new(&config, now);
        let newest = snapshot.unwrap_or_else(|| restore::first_offset(&reader));
        let partition = Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            dir: dir.to_owned(),
            disk,
            leader_epoch,
            log: reader,
            appender: Mutex::new(Appender { log, producers, config, chores }),
            board: Board::new(marks),
            snapshots: Snapshots::new(newest),
            segments: Mutex::new(()),
            turn: Turn::default(),
            flusher,
        });
        if marks.high_watermark < marks.log_end {
            // With an fsync per ack, what a kill left was acknowledged once its flush was over: a reader that asks right
            // after the start must find it. A failure shuts the partition, is logged there, and leaves the tail unseen.
            let _shut = partition.flush();
        }
        Ok((partition, opened))
    }

    /// Appends one checked batch, or finds that it was appended before. Blocks for a page-cache write, never for a sync:
    /// an ack waits for the high watermark ([`Self::on_advance`]).
    ///
    /// An append that failed because the disk (or a quota) is full, or because a file could not be opened, harms nothing
    /// but itself: it is cut back, and the next one is tried. A write that fails otherwise speaks against the disk, and
    /// shuts the partition.
    ///
    /// # Errors
    /// [`AppendError`]; nothing was written then, and no producer's state has moved.
    pub fn append(&self, batch: &CheckedBatch, now: Millis) -> Result<Appended, AppendError> {
        let (appended, moved, flush_due) = self.exclusive(|appender| {
            let appended = self.append_in_order(appender, batch, now);
            // A failed append may have rolled a segment, which is to be flushed all the same.
            (appended, self.publish(appender), appender.chores.take_flush_due())
        })?;
        if moved {
            self.board.wake();
        }
        if flush_due {
            self.ask_for_flush();
        }
        appended
    }

    /// Health was asked by [`Self::exclusive`]. Then: sequence, roll, stamp, write, record.
    fn append_in_order(
        &self,
        appender: &mut Appender,
        batch: &CheckedBatch,
        now: Millis,
    ) -> Result<Appended, AppendError> {
        let Appender { log, producers, config, chores } = appender;
        let limit = config.log.segment_bytes;
        if batch.size() > limit as usize {
            return Err(AppendError::LargerThanSegment { size: batch.size() as u64, limit });
        }
        let claim = restore::claim_of(batch.header());
        let ticket = match producers.check(&claim) {
            Verdict::NotIdempotent => None,
            Verdict::Fresh(ticket) => Some(ticket),
            Verdict::Duplicate(earlier) => {
                return Ok(Appended {
                    base_offset: earlier.first_offset(),
                    last_offset: earlier.last_offset,
                    log_append_time: earlier.timestamp,
                    log_start: log.log_start(),
                    duplicate: true,
                });
            }
            Verdict::Refused(why) => {
                tracing::debug!(partition = %self.dir.display(), %why, "a batch was refused");
                return Err(why.into());
            }
        };
        let base_offset = log.log_end();
        let header = BatchHeader { base_offset, leader_epoch: self.leader_epoch, ..*batch.header() };
        if log.roll_due(&header, now) {
            let rolled = log.roll(now);
            rolled.map_err(|error| self.write_failed(chores, error))?;
            chores.rolled(base_offset, producers.producers().clone());
        }
        let (head, rest) = batch.stamp(base_offset, self.leader_epoch);
        let written = log.append(&header, &head, &rest).map_err(|error| self.write_failed(chores, error))?;
        assert_eq!(written.base_offset, base_offset, "a batch goes to the log end");
        if let Some(ticket) = ticket {
            producers.record(ticket, base_offset, now);
        }
        chores.appended(header.last_offset_delta, config, now);
        if chores.write_failing {
            chores.write_failing = false;
            tracing::info!(partition = %self.dir.display(), "appends succeed again");
        }
        Ok(Appended {
            base_offset,
            last_offset: written.last_offset,
            log_append_time: batch.log_append_time(),
            log_start: log.log_start(),
            duplicate: false,
        })
    }

    /// Decides what a failed write means for the appends to come, and logs it once.
    fn write_failed(&self, chores: &mut Chores, error: LogError) -> AppendError {
        if is_grave(&error) {
            let why = Shut::Write(Arc::new(error));
            self.board.shut(&why, &self.dir);
            return AppendError::Shut(why);
        }
        if !chores.write_failing {
            chores.write_failing = true;
            tracing::error!(
                partition = %self.dir.display(),
                %error,
                "an append failed and was undone; the next is tried again"
            );
        }
        AppendError::Failed(error)
    }

    /// Runs `work` under the append lock, if the partition is healthy. A panic inside shuts this partition, and goes no
    /// farther.
    pub(crate) fn exclusive<R>(&self, work: impl FnOnce(&mut Appender) -> R) -> Result<R, Stopped> {
        let mut appender = self.appender.lock();
        self.board.ok()?;
        Ok(self.guarded(&mut appender, work)?)
    }

    /// As [`Self::exclusive`], whatever the health.
    pub(crate) fn exclusive_even_if_shut<R>(&self, work: impl FnOnce(&mut Appender) -> R) -> Result<R, Shut> {
        let mut appender = self.appender.lock();
        self.guarded(&mut appender, work)
    }

    fn guarded<R>(&self, appender: &mut Appender, work: impl FnOnce(&mut Appender) -> R) -> Result<R, Shut> {
        catch_unwind(AssertUnwindSafe(|| work(appender))).map_err(|panic| {
            let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
            let why = Shut::Panic(said.unwrap_or_else(|| "without a message".to_owned()).into());
            self.board.shut(&why, &self.dir);
            why
        })
    }

    /// Shows where the log stands now, and says whether a mark has moved: then the waiters are to be woken, best without
    /// the append lock.
    pub(crate) fn publish(&self, appender: &mut Appender) -> bool {
        let mut marks = self.board.marks();
        marks.follow(log_marks(&appender.log), appender.config.ack());
        appender.producers.settle_below(marks.high_watermark);
        marks.hold_stable(appender.producers.first_unstable());
        self.board.show(marks)
    }

    pub(crate) fn ask_for_flush(&self) {
        if self.turn.ask() {
            self.flusher.ask(&self.me);
        }
    }

    /// Whole batches from the one that holds `from` on, up to the ceiling of `isolation`, in at most `max_bytes` bytes
    /// (the first batch may exceed that if `at_least_one`).
    ///
    /// # Errors
    /// When `from` is outside the log, or a file cannot be read.
    pub fn read(
        &self,
        from: Offset,
        max_bytes: u32,
        at_least_one: bool,
        isolation: Isolation,
    ) -> Result<Read, ReadError> {
        let marks = self.marks();
        if from < marks.log_start || from > marks.log_end {
            return Err(ReadError::OutOfRange { from, log_start: marks.log_start, log_end: marks.log_end });
        }
        let ceiling = marks.ceiling(isolation);
        if from >= ceiling {
            let aborted = (isolation == Isolation::ReadCommitted).then(Vec::new);
            return Ok(Read { ranges: Vec::new(), bytes: 0, aborted, marks });
        }
        let (found, aborted) = match isolation {
            Isolation::ReadUncommitted => (self.log.read(from, ceiling, max_bytes, at_least_one)?, None),
            Isolation::ReadCommitted => {
                let (found, aborted) = self.log.read_committed(from, ceiling, max_bytes, at_least_one)?;
                (found, Some(aborted))
            }
        };
        Ok(Read { ranges: found.range.into_iter().collect(), bytes: found.bytes, aborted, marks })
    }

    /// The marks of now.
    #[must_use]
    pub fn marks(&self) -> Marks {
        self.board.marks()
    }

    /// Whether appends are taken.
    ///
    /// # Errors
    /// When none is taken any more: why.
    pub fn health(&self) -> Result<(), Stopped> {
        self.board.ok()
    }

    /// Why the partition is shut, if it is.
    #[must_use]
    pub fn shut(&self) -> Option<Shut> {
        match self.board.health() {
            Health::Shut(why) => Some(why),
            Health::Open | Health::Closed => None,
        }
    }

    /// Registers `waiter`: `notify_one` is called on it whenever a mark moves, health changes or the partition closes.
    /// No wake-up is lost if the caller registers first, then looks at the marks (and at the health), and then awaits.
    /// One `Notify` may be registered with many partitions.
    pub fn on_advance(&self, waiter: &Arc<Notify>) -> Waiting {
        self.board.on_advance(waiter)
    }

    /// The log's readers' view, for what is not offered here.
    #[must_use]
    pub fn log(&self) -> &LogReader {
        &self.log
    }

    /// The first record, below the ceiling of `isolation`, whose timestamp is `timestamp` or later.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn offset_for_timestamp(
        &self,
        timestamp: Millis,
        isolation: Isolation,
    ) -> Result<Option<Found>, ReadError> {
        Ok(self.log.offset_for_timestamp(timestamp, self.marks().ceiling(isolation))?)
    }

    /// The first record with the largest timestamp (KIP-734).
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn offset_of_max_timestamp(&self, isolation: Isolation) -> Result<Option<Found>, ReadError> {
        Ok(self.log.offset_of_max_timestamp(self.marks().ceiling(isolation))?)
    }

    /// The largest leader epoch not above `epoch` and where it ends; `(-1, -1)` when unknown.
    #[must_use]
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> (LeaderEpoch, Offset) {
        self.log.end_offset_for_epoch(epoch)
    }

    /// The leader epoch that appends carry.
    #[must_use]
    pub fn leader_epoch(&self) -> LeaderEpoch {
        self.leader_epoch
    }

    /// Bytes in all segments.
    #[must_use]
    pub fn log_size(&self) -> u64 {
        self.log.size()
    }

    /// The remembered producers, by id: for DescribeProducers.
    #[must_use]
    pub fn producers(&self) -> Vec<Row> {
        let producers = self.exclusive_even_if_shut(|appender| appender.producers.producers().clone());
        producers.unwrap_or_default().rows_by_id().collect()
    }

    /// Takes new limits from now on. An ack that was given before stays given.
    pub fn set_config(&self, config: PartitionConfig) {
        let changed = self.exclusive(|appender| {
            appender.log.set_config(config.log.clone());
            appender.producers.set_expiration(config.producer_expiration_ms);
            let flushes = |config: &PartitionConfig| (config.flush_messages, config.flush_ms);
            let is_about_flushing = flushes(&config) != flushes(&appender.config);
            appender.config = config;
            (self.publish(appender), is_about_flushing)
        });
        if let Ok((moved, is_about_flushing)) = changed {
            if moved {
                self.board.wake();
            }
            if is_about_flushing {
                self.ask_for_flush();
            }
        }
    }

    /// The partition is being deleted: refuses further appends, wakes those who wait, and touches no path any more when
    /// this returns, neither here nor in a flush, a read or a snapshot that is under way: the directory may be renamed, and
    /// another topic may get its name.
    pub fn abandon(&self) {
        // With the append lock held, so that no append is half way when this returns.
        let _appender = self.appender.lock();
        self.board.close();
        self.disk.revoke();
    }
}

fn log_marks(log: &Log) -> LogMarks {
    LogMarks { log_start: log.log_start(), flushed: log.recovery_point(), log_end: log.log_end() }
}

/// Whether the failure speaks against the disk, so that nothing more is entrusted to it. A disk that is full does not; nor
/// does a step before the write, such as opening a file: nothing is in doubt then. (What a failed write has left the log
/// cuts off before the next one, and a cut that fails is such a failure again.)
pub(crate) fn is_grave(error: &LogError) -> bool {
    use disk::Operation::{SetLen, Sync, SyncDir, Write};
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    let LogError::Disk(error) = error else { return false };
    let changes = matches!(error.operation, Write | SetLen | Sync | SyncDir);
    changes && !error.is_too_many_files() && !matches!(error.source.kind(), StorageFull | QuotaExceeded)
}

impl From<LogError> for ReadError {
    fn from(error: LogError) -> Self {
        match error {
            // The log start has moved since the marks were looked at.
            LogError::OutOfRange { from, log_start, log_end, .. } => {
                Self::OutOfRange { from, log_start, log_end }
            }
            other => Self::Log(other),
        }
    }
}
