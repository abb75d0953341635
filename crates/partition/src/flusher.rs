//! The few threads that sync the log, so that no runtime worker waits for that.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::thread;

use parking_lot::{Condvar, Mutex};

use crate::partition::Partition;

/// A small pool of threads that flush partitions in the background. Shared by all partitions of a broker.
///
/// One fsync at a time runs per partition, and covers every append that came before it (group commit): see
/// [`crate::Partition::flush`]. A partition stands in the queue at most once.
#[derive(Debug)]
pub struct Flusher {
    queue: Arc<Queue>,
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
    /// Starts `threads` threads (at least one). They end when the last handle is dropped.
    #[must_use]
    pub fn start(threads: usize) -> Arc<Self> {
        let queue = Arc::new(Queue::default());
        let mut started = 0;
        for number in 0..threads.max(1) {
            let queue = Arc::clone(&queue);
            let thread = thread::Builder::new().name(format!("flusher-{number}"));
            match thread.spawn(move || queue.work_through()) {
                Ok(_) => started += 1,
                Err(error) => tracing::error!(%error, "cannot start a flusher thread"),
            }
        }
        Arc::new(Self { queue, inline: started == 0 })
    }

    /// Without threads: whoever asks for a flush waits for it. For tests that want every file operation in order.
    #[must_use]
    pub fn inline() -> Arc<Self> {
        Arc::new(Self { queue: Arc::default(), inline: true })
    }

    /// Asks for a flush of `partition`. The caller must not hold its append lock.
    pub(crate) fn ask(&self, partition: &Weak<Partition>) {
        if self.inline {
            if let Some(partition) = partition.upgrade() {
                partition.flush_in_background();
            }
            return;
        }
        self.queue.waiting.lock().partitions.push_back(Weak::clone(partition));
        self.queue.came.notify_one();
    }
}

impl Drop for Flusher {
    /// The threads are not waited for: the handle may be dropped by one of them.
    fn drop(&mut self) {
        self.queue.waiting.lock().over = true;
        self.queue.came.notify_all();
    }
}

impl Queue {
    fn work_through(&self) {
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
                partition.flush_in_background();
            }
        }
    }
}
