//! Flushing the log: one fsync at a time per partition, shared by all who wait for it, and never under the append lock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use log::LogError;
use parking_lot::{Condvar, Mutex};

use crate::error::{PartitionError, Shut};
use crate::partition::{Partition, is_grave};

/// Whose turn it is to sync.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    state: Mutex<TurnState>,
    over: Condvar,
}

#[derive(Debug, Default)]
struct TurnState {
    /// Somebody syncs now.
    running: bool,
    /// The partition stands in the flusher's queue.
    queued: bool,
    /// A flush was asked for after the running one had begun, so what was asked about may not be in it.
    again: bool,
}

impl Turn {
    /// Notes that a flush is wanted, and says whether the partition must be put into the flusher's queue for it.
    pub(crate) fn ask(&self) -> bool {
        let mut state = self.state.lock();
        if state.running {
            state.again = true;
            return false;
        }
        !std::mem::replace(&mut state.queued, true)
    }

    /// Takes the turn for a partition that comes out of the queue; `None` while somebody else has it, who then knows that
    /// another flush is wanted.
    fn take_from_queue<'a>(&'a self, partition: &'a Partition) -> Option<Turning<'a>> {
        let mut state = self.state.lock();
        state.queued = false;
        if state.running {
            state.again = true;
            return None;
        }
        state.running = true;
        Some(Turning { turn: self, partition })
    }

    /// Takes the turn, or waits until somebody else's is over and takes nothing.
    pub(crate) fn take_or_wait<'a>(&'a self, partition: &'a Partition) -> Option<Turning<'a>> {
        let mut state = self.state.lock();
        if state.running {
            self.over.wait(&mut state);
            return None;
        }
        state.running = true;
        Some(Turning { turn: self, partition })
    }
}

/// The turn to sync, given back when dropped.
pub(crate) struct Turning<'a> {
    turn: &'a Turn,
    partition: &'a Partition,
}

impl Drop for Turning<'_> {
    fn drop(&mut self) {
        let again = {
            let mut state = self.turn.state.lock();
            state.running = false;
            std::mem::take(&mut state.again)
        };
        self.turn.over.notify_all();
        if again {
            self.partition.ask_for_flush();
        }
    }
}

impl Partition {
    /// Flushes everything appended so far. Blocks for an fsync; callers at the same time share one.
    ///
    /// # Errors
    /// When the sync fails, now or earlier: then the partition is shut.
    pub fn flush(&self) -> Result<(), PartitionError> {
        let target = self.marks().log_end;
        while self.marks().flushed < target {
            self.health()?;
            if let Some(_turn) = self.turn.take_or_wait(self) {
                self.flush_once()?;
            }
        }
        Ok(())
    }

    /// What a flusher's thread does for a partition that asked for a flush. A failure is not returned: it shuts the
    /// partition, and is logged there.
    pub(crate) fn flush_in_background(&self) {
        if let Some(_turn) = self.turn.take_from_queue(self) {
            let _ = self.flush_once();
        }
    }

    /// Flushes what is there now. The caller has the turn.
    fn flush_once(&self) -> Result<(), PartitionError> {
        let (flush, snapshots) = self.exclusive(|appender| {
            let flush =
                (appender.log.recovery_point() < appender.log.log_end()).then(|| appender.log.begin_flush());
            (flush, appender.chores.begin_flush())
        })?;
        if let Some(flush) = flush {
            let run = catch_unwind(AssertUnwindSafe(|| match flush.write_epochs() {
                Err(error) if !is_grave(&error) => Ok(Err(error)),
                written => match written.and_then(|()| flush.sync()) {
                    // No sync has failed: what was to be synced could not be opened.
                    Err(LogError::Disk(error)) if error.is_too_many_files() => Ok(Err(error.into())),
                    synced => synced.map(Ok),
                },
            }));
            let run = run.map_err(|_| Shut::Panic("while flushing".into()));
            let done = run.and_then(|synced| synced.map_err(|error: LogError| Shut::Flush(Arc::new(error))));
            match done {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    // Nothing is in doubt, and nothing was flushed. Nobody else may ever ask: those who wait for the ack may
                    // only repeat what they sent.
                    self.exclusive(|appender| appender.chores.flush_failed(snapshots))?;
                    tracing::error!(partition = %self.dir.display(), %error, "a flush failed and is tried again");
                    return Err(error.into());
                }
                Err(why) => {
                    // Does nothing to a partition that was abandoned under way.
                    self.board.shut(&why, &self.dir);
                    return Err(why.into());
                }
            }
            let moved = self.exclusive(|appender| {
                appender.log.flushed(&flush);
                self.publish(appender)
            })?;
            if moved {
                self.board.wake();
            }
        }
        if !snapshots.is_empty() {
            self.flusher.segment_flushed();
            self.snapshot_later(snapshots);
        }
        Ok(())
    }
}
