//! Writing producer snapshots, beside the appends: whoever wants one takes a clone of the producers under the append lock,
//! which costs no more than an append does, and the file is written later, by a thread that nobody waits for.
//!
//! The newest older snapshot stays until a newer one is whole and synced, so a kill at any moment only makes the next start
//! walk farther.

use std::sync::atomic::{AtomicI64, Ordering};

use base::Offset;
use log::{LogError, producer_snapshot};
use parking_lot::Mutex;
use state_machines::sequence::Producers;

use crate::partition::Partition;
use crate::restore;

/// So many snapshots of a partition wait at most. Who rolls faster than the disk takes snapshots gets fewer of them.
const MOST_WAITING: usize = 2;

/// The snapshots of one partition.
#[derive(Debug)]
pub(crate) struct Snapshots {
    /// The offset of the newest one. Held while snapshot files are written or removed; not under the append lock.
    newest: Mutex<Offset>,
    /// The same, for who holds the append lock.
    newest_seen: AtomicI64,
    /// To be written, oldest first. Taken alone.
    waiting: Mutex<Vec<(Offset, Producers)>>,
}

impl Snapshots {
    pub(crate) fn new(newest: Offset) -> Self {
        Self {
            newest: Mutex::new(newest),
            newest_seen: AtomicI64::new(newest.0),
            waiting: Mutex::new(Vec::new()),
        }
    }

    /// Adds snapshots to those that wait, and says whether none waited before.
    fn wait(&self, snapshots: Vec<(Offset, Producers)>) -> bool {
        let mut waiting = self.waiting.lock();
        let is_first = waiting.is_empty() && !snapshots.is_empty();
        for snapshot in snapshots {
            waiting.truncate(MOST_WAITING - 1);
            waiting.push(snapshot);
        }
        is_first
    }

    /// The offset of the newest snapshot on the disk, or where the log began when it was opened without one.
    pub(crate) fn newest(&self) -> Offset {
        Offset(self.newest_seen.load(Ordering::Acquire))
    }

    pub(crate) fn take_waiting(&self) -> Vec<(Offset, Producers)> {
        std::mem::take(&mut self.waiting.lock())
    }

    fn next_waiting(&self) -> Option<(Offset, Producers)> {
        let mut waiting = self.waiting.lock();
        (!waiting.is_empty()).then(|| waiting.remove(0))
    }
}

impl Partition {
    /// Has snapshots written that belong to the begin of segments, everything below which is flushed.
    pub(crate) fn snapshot_later(&self, snapshots: Vec<(Offset, Producers)>) {
        if self.snapshots.wait(snapshots) {
            self.flusher.ask_for_snapshots(&self.me);
        }
    }

    /// What the flusher's thread for snapshots does for a partition.
    pub(crate) fn write_waiting_snapshots(&self) {
        while let Some((offset, producers)) = self.snapshots.next_waiting() {
            self.write_snapshot_or_warn(offset, &producers);
        }
    }

    /// Writes a snapshot of the producers as they are, unless there is one.
    pub(crate) fn snapshot_now(&self) {
        let now = |appender: &mut crate::partition::Appender| {
            (appender.log.log_end(), appender.producers.producers().clone())
        };
        if let Ok((end, producers)) = self.exclusive(now) {
            self.write_snapshot_or_warn(end, &producers);
        }
    }

    /// A snapshot that cannot be written only makes the next start walk farther: the older ones are still there.
    fn write_snapshot_or_warn(&self, offset: Offset, producers: &Producers) {
        if let Err(error) = self.write_snapshot(offset, producers)
            && self.health().is_ok()
        {
            tracing::warn!(partition = %self.dir.display(), %offset, %error, "cannot write a producer snapshot");
        }
    }

    /// Writes the snapshot at `offset`, unless nothing was appended since the newest one (Kafka:
    /// `ProducerStateManager.takeSnapshot`), and removes those that it makes needless. Without the append lock.
    pub(crate) fn write_snapshot(&self, offset: Offset, producers: &Producers) -> Result<(), LogError> {
        let mut newest = self.snapshots.newest.lock();
        if offset <= *newest {
            return Ok(());
        }
        let rows = producers.rows_by_id().map(|row| restore::for_file(&row));
        producer_snapshot::write(self.disk.as_ref(), &self.dir, offset, rows, true)?;
        *newest = offset;
        self.snapshots.newest_seen.store(offset.0, Ordering::Release);
        restore::tidy(self.disk.as_ref(), &self.dir, &self.log).map(drop)
    }
}
