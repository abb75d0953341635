//! What a partition does besides appending and reading: snapshots of its producers, retention, expiry, the clean stop.

use base::{Millis, Offset};
use log::LogError;
use state_machines::sequence::Producers;

use crate::board::Health;
use crate::config::PartitionConfig;
use crate::error::{PartitionError, Stopped};
use crate::partition::{Appender, Partition};

/// So many producers are forgotten with the append lock held: a few dozen microseconds.
const EXPIRED_AT_ONCE: usize = 128;

/// After this long the removal of a file that failed is tried again.
const REMOVAL_RETRY_MS: i64 = 60_000;

/// What is due, and when. Guarded by the append lock.
#[derive(Debug)]
pub(crate) struct Chores {
    /// Producer state at the base of each new segment, to be written to its `.snapshot` after the next flush, which a
    /// roll asks for.
    snapshots: Vec<(Offset, Producers)>,
    /// Whether a flush must be asked for once the append lock is free.
    flush_due: bool,
    /// Whether a flush came to nothing, and the next upkeep asks for another one.
    flush_again: bool,
    unflushed_records: i64,
    unflushed_since: Option<Millis>,
    /// Whether the last append failed for lack of space: the log says so once, not for each attempt.
    pub(crate) write_failing: bool,
    next_expiry: Millis,
    next_retention: Millis,
    /// Whether a clean stop was tried, and did not succeed.
    close_failed: bool,
}

impl Chores {
    pub(crate) fn new(config: &PartitionConfig, now: Millis) -> Self {
        Self {
            snapshots: Vec::new(),
            flush_due: false,
            flush_again: false,
            unflushed_records: 0,
            unflushed_since: None,
            write_failing: false,
            next_expiry: now.plus(config.producer_expiration_check_ms),
            next_retention: now.plus(config.retention_check_ms.min(config.first_retention_ms)),
            close_failed: false,
        }
    }

    /// A segment begins at `base`, where these are the producers. The segment before it should be flushed soon.
    pub(crate) fn rolled(&mut self, base: Offset, producers: Producers) {
        self.snapshots.push((base, producers));
        self.flush_due = true;
    }

    pub(crate) fn appended(&mut self, last_offset_delta: i32, config: &PartitionConfig, now: Millis) {
        self.unflushed_records = self.unflushed_records.saturating_add(i64::from(last_offset_delta) + 1);
        self.unflushed_since.get_or_insert(now);
        self.flush_due |= self.unflushed_records >= config.flush_messages;
    }

    pub(crate) fn take_flush_due(&mut self) -> bool {
        std::mem::take(&mut self.flush_due)
    }

    /// A flush of everything begins: nothing is unflushed that came before. Returns the snapshots to be written.
    pub(crate) fn begin_flush(&mut self) -> Vec<(Offset, Producers)> {
        self.flush_again = false;
        self.unflushed_records = 0;
        self.unflushed_since = None;
        std::mem::take(&mut self.snapshots)
    }

    /// The flush that took these snapshots is to be tried again.
    pub(crate) fn flush_failed(&mut self, snapshots: Vec<(Offset, Producers)>) {
        self.flush_again = true;
        self.snapshots.splice(..0, snapshots);
    }

    fn timed_flush_due(&self, config: &PartitionConfig, now: Millis) -> bool {
        self.flush_again || self.unflushed_since.is_some_and(|since| now.since(since) >= config.flush_ms)
    }
}

/// Whether `due` has come; if so, it comes again `every` milliseconds after `now`.
fn came_due(due: &mut Millis, every: i64, now: Millis) -> bool {
    let came = now >= *due;
    if came {
        *due = now.plus(every.max(1));
    }
    came
}

impl Partition {
    /// What is due by now: timed flush, retention, expiry of producers, removal of deleted files. Blocks; call it about
    /// once a second from a thread that may wait. Does nothing on a partition that is shut or closed.
    pub fn tend(&self, now: Millis) {
        let due = self.exclusive(|appender| {
            let Appender { producers, config, chores, .. } = appender;
            let expiry = came_due(&mut chores.next_expiry, config.producer_expiration_check_ms, now);
            let expiry = expiry.then(|| (producers.producers().clone(), producers.expiration_ms()));
            let retention = came_due(&mut chores.next_retention, config.retention_check_ms, now);
            (chores.timed_flush_due(config, now), retention, expiry)
        });
        let Ok((flush, retention, expiry)) = due else { return };
        if flush {
            self.ask_for_flush();
        }
        if let Some((producers, expiration_ms)) = expiry {
            self.expire(&producers, expiration_ms, now);
        }
        if retention {
            // First, and synced, so that no producer is forgotten with the segments, not even by a power loss; and a restart
            // after a kill has less to walk.
            self.snapshot_now();
            let _segments = self.segments.lock();
            self.write_epochs_ahead(now);
            self.warn_of("retention failed, and is tried again", |appender| {
                appender.log.apply_retention(self.expendable(appender), now).map(drop)
            });
        }
        self.remove_due_files(now);
    }

    /// Below this retention may take segments: what stands in no snapshot yet, because it was appended since the last one, or
    /// because none can be written, is all that a start after a kill would know of its producers.
    fn expendable(&self, appender: &Appender) -> Offset {
        let high_watermark = self.marks().high_watermark;
        if appender.producers.is_empty() {
            high_watermark
        } else {
            high_watermark.min(self.snapshots.newest())
        }
    }

    /// The leader epochs as they will be once retention has removed segments must be on disk before those go. Here they are
    /// written without the append lock; what this does not get done, retention does with it.
    fn write_epochs_ahead(&self, now: Millis) {
        let expired = self.exclusive(|appender| {
            let flush = appender.log.expire(self.expendable(appender), now);
            (flush, self.publish(appender))
        });
        let Ok((flush, moved)) = expired else { return };
        if moved {
            self.board.wake();
        }
        if let Ok(flush) = flush
            && flush.write_epochs().is_ok()
        {
            // A partition that was closed meanwhile has written them itself.
            let _ = self.exclusive(|appender| appender.log.wrote_epochs(&flush));
        }
    }

    /// Takes `.deleted` files off the disk whose delay is over, without the append lock.
    fn remove_due_files(&self, now: Millis) {
        let Ok(mut due) = self.exclusive(|appender| appender.log.take_due_files(now)) else { return };
        if due.is_empty() {
            return;
        }
        if let Err(error) = due.remove() {
            tracing::error!(
                partition = %self.dir.display(), %error,
                "a deleted file cannot be removed; it is tried again in a minute"
            );
            // A partition that was closed meanwhile leaves them to the next start.
            let _ = self.exclusive(|appender| appender.log.remove_later(due, now.plus(REMOVAL_RETRY_MS)));
        }
    }

    /// Forgets idle producers, a few at a time, so that no append waits for a million of them.
    fn expire(&self, producers: &Producers, expiration_ms: i64, now: Millis) {
        let idle = producers.idle(now, expiration_ms);
        // At least once, for what else the tracker forgets by time.
        for some in std::iter::once(&[][..]).chain(idle.chunks(EXPIRED_AT_ONCE)) {
            if self.exclusive(|appender| appender.producers.forget(some, now)).is_err() {
                return;
            }
        }
    }

    /// Does `work` on the log, then shows where it stands. A failure of upkeep does not stop appends: it is logged.
    fn warn_of(&self, what: &str, work: impl FnOnce(&mut Appender) -> Result<(), LogError>) {
        let moved = self.exclusive(|appender| {
            if let Err(error) = work(appender) {
                tracing::error!(partition = %self.dir.display(), %error, "{what}");
            }
            self.publish(appender)
        });
        if moved.unwrap_or(false) {
            self.board.wake();
        }
    }

    /// Moves the log start up to `offset`, or to the high watermark without one, and returns the log start
    /// (DeleteRecords). The caller writes it down: this touches no file, and segments below it go with the next retention.
    ///
    /// # Errors
    /// When `offset` is below zero or above the high watermark, or the partition is shut or closed.
    pub fn delete_records_before(&self, offset: Option<Offset>) -> Result<Offset, PartitionError> {
        let (log_start, moved) = self.exclusive(|appender| {
            let high_watermark = self.marks().high_watermark;
            let offset = offset.unwrap_or(high_watermark);
            if !(Offset::ZERO..=high_watermark).contains(&offset) {
                return Err(PartitionError::NotDeletable { asked: offset, high_watermark });
            }
            let log_start = appender.log.delete_records_before(offset);
            Ok((log_start, self.publish(appender)))
        })??;
        if moved {
            self.board.wake();
        }
        Ok(log_start)
    }

    /// The clean stop: refuses further appends, writes the snapshot of the producers that are not idle at the log end,
    /// flushes and closes the log.
    /// Reads go on. Closing twice does nothing.
    ///
    /// # Errors
    /// When something could not be written, or the partition was shut: then the clean-shutdown marker must not be
    /// written.
    pub fn close(&self, now: Millis) -> Result<(), PartitionError> {
        let first = self.exclusive_even_if_shut(|appender| match self.board.health() {
            Health::Open => {
                appender.producers.expire(now);
                self.board.close();
                Ok(true)
            }
            Health::Closed if !appender.chores.close_failed => Ok(false),
            Health::Closed => Err(Stopped::Closed),
            Health::Shut(why) => Err(why.into()),
        })??;
        if !first {
            return Ok(());
        }
        let closed = self.close_files();
        if closed.is_err() {
            self.exclusive_even_if_shut(|appender| appender.chores.close_failed = true)?;
        }
        closed
    }

    /// No append comes any more.
    fn close_files(&self) -> Result<(), PartitionError> {
        let _turn = loop {
            // A flush that is under way ends first.
            if let Some(turn) = self.turn.take_or_wait(self) {
                break turn;
            }
        };
        let (end, producers, rolled) = self.exclusive_even_if_shut(|appender| {
            (appender.log.log_end(), appender.producers.producers().clone(), appender.chores.begin_flush())
        })?;
        let mut snapshots = self.snapshots.take_waiting().into_iter().chain(rolled).chain([(end, producers)]);
        let written = snapshots.try_for_each(|(offset, producers)| self.write_snapshot(offset, &producers));
        // The batches are synced also when there is no room for a snapshot.
        self.exclusive_even_if_shut(|appender| {
            appender.log.close()?;
            self.publish(appender);
            Ok::<_, LogError>(())
        })??;
        Ok(written?)
    }
}
