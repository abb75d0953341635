//! The few threads that sync the log and write producer snapshots, so that no runtime worker waits for that.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use log::Commons;
use parking_lot::{Condvar, Mutex};

use crate::partition::Partition;

/// A small pool of threads that flush partitions in the background, and one that writes their snapshots. Shared by all
/// partitions of a broker.
///
/// One fsync at a time runs per partition, and covers every append that came before it (group commit): see
/// [`crate::Partition::flush`]. A partition stands in each queue at most once.
#[derive(Debug)]
pub struct Flusher {
    flushes: Arc<Queue>,
    snapshots: Arc<Queue>,
    segments: Arc<SegmentsFlushed>,
    logs: Arc<Commons>,
    inline: bool,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Line>,
    came: Condvar,
}

#[derive(Debug, Default)]
struct Line {
    partitions: VecDeque<Weak<Partition>>,
    over: bool,
}

impl Flusher {
    /// Starts `threads` threads (at least one) that flush, and one that writes snapshots, for partitions whose logs have
    /// `logs` in common. The threads end when the last handle is dropped.
    #[must_use]
    pub fn start(threads: usize, logs: Arc<Commons>) -> Arc<Self> {
        let flushes = Arc::<Queue>::default();
        let snapshots = Arc::<Queue>::default();
        let started = (0..threads.max(1))
            .filter(|number| {
                spawn(&flushes, format!("flusher-{number}"), |partition| partition.flush_in_background())
            })
            .count();
        let writes =
            spawn(&snapshots, "snapshots".to_owned(), |partition| partition.write_waiting_snapshots());
        Arc::new(Self { flushes, snapshots, segments: Arc::default(), logs, inline: started == 0 || !writes })
    }

    /// Without threads: whoever asks for a flush waits for it. For tests that want every file operation in order.
    #[must_use]
    pub fn inline() -> Arc<Self> {
        Arc::new(Self {
            flushes: Arc::default(),
            snapshots: Arc::default(),
            segments: Arc::default(),
            logs: Arc::default(),
            inline: true,
        })
    }

    /// Where one may wait for segments that are sealed and on disk.
    #[must_use]
    pub fn segments_flushed(&self) -> Arc<SegmentsFlushed> {
        Arc::clone(&self.segments)
    }

    /// What the logs have in common.
    #[must_use]
    pub fn logs(&self) -> &Arc<Commons> {
        &self.logs
    }

    /// Asks for a flush of `partition`. The caller must not hold its append lock.
    pub(crate) fn ask(&self, partition: &Weak<Partition>) {
        if !self.inline {
            self.flushes.add(partition);
        } else if let Some(partition) = partition.upgrade() {
            partition.flush_in_background();
        }
    }

    /// Asks for the waiting snapshots of `partition`. The caller must not hold its append lock.
    pub(crate) fn ask_for_snapshots(&self, partition: &Weak<Partition>) {
        if !self.inline {
            self.snapshots.add(partition);
        } else if let Some(partition) = partition.upgrade() {
            partition.write_waiting_snapshots();
        }
    }

    pub(crate) fn segment_flushed(&self) {
        self.segments.came();
    }
}

impl Drop for Flusher {
    /// The threads are not waited for: the handle may be dropped by one of them.
    fn drop(&mut self) {
        for queue in [&self.flushes, &self.snapshots] {
            queue.waiting.lock().over = true;
            queue.came.notify_all();
        }
        self.segments.end();
    }
}

fn spawn(queue: &Arc<Queue>, name: String, work: fn(&Partition)) -> bool {
    let queue = Arc::clone(queue);
    let started = thread::Builder::new().name(name).spawn(move || queue.work_through(work));
    if let Err(error) = &started {
        tracing::error!(%error, "cannot start a thread for the disk");
    }
    started.is_ok()
}

impl Queue {
    fn add(&self, partition: &Weak<Partition>) {
        self.waiting.lock().partitions.push_back(Weak::clone(partition));
        self.came.notify_one();
    }

    fn work_through(&self, work: fn(&Partition)) {
        loop {
            let next = {
                let mut line = self.waiting.lock();
                loop {
                    if let Some(next) = line.partitions.pop_front() {
                        break next;
                    }
                    if line.over {
                        return;
                    }
                    self.came.wait(&mut line);
                }
            };
            if let Some(partition) = next.upgrade() {
                work(&partition);
            }
        }
    }
}

/// Rings when a sealed segment of some partition has been flushed: then the recovery points are worth writing down, so
/// that a start after a kill need not read it. Many at once ring once.
#[derive(Debug, Default)]
pub struct SegmentsFlushed {
    state: Mutex<Rung>,
    rang: Condvar,
}

#[derive(Debug, Default)]
struct Rung {
    rang: bool,
    over: bool,
}

impl SegmentsFlushed {
    fn came(&self) {
        self.state.lock().rang = true;
        self.rang.notify_all();
    }

    /// Nobody waits any more, now or later.
    pub fn end(&self) {
        self.state.lock().over = true;
        self.rang.notify_all();
    }

    /// Waits until a segment was flushed since the last call; false when there will be none.
    #[must_use]
    pub fn wait(&self) -> bool {
        let mut state = self.state.lock();
        while !state.rang && !state.over {
            self.rang.wait(&mut state);
        }
        state.rang = false;
        !state.over
    }

    /// Waits for so long, or until it is over.
    pub fn rest(&self, time: Duration) {
        let mut state = self.state.lock();
        self.rang.wait_while_for(&mut state, |state| !state.over, time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_segments_ring_once() {
        let segments = SegmentsFlushed::default();
        (0..1000).for_each(|_| segments.came());
        assert!(segments.wait());
        segments.end();
        assert!(!segments.wait(), "the thousand were answered together");
        segments.rest(Duration::from_secs(3600));
    }
}
