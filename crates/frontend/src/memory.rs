//! The memory that requests in work hold together (`queued.max.request.bytes`).
//!
//! A connection asks before a frame's buffer grows and before a frame is begun, and gives back when the outcome is
//! known. Where the memory is used up its reading pauses. Frames that are half read must not wait for each other for
//! ever, so one waiting frame at a time, in turn, may go beyond the limit until its request is done: together requests
//! hold at most the limit and one largest request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The memory of all requests in work.
#[derive(Debug)]
pub(crate) struct RequestMemory {
    limit: u64,
    used: AtomicU64,
    /// Frames that wait for memory now.
    waiting: AtomicUsize,
    freed: Notify,
    /// One permit: the right of one frame to go beyond the limit.
    beyond: Arc<Semaphore>,
}

impl RequestMemory {
    pub(crate) fn new(limit: Option<u64>) -> Arc<Self> {
        Arc::new(Self {
            limit: limit.unwrap_or(u64::MAX),
            used: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            freed: Notify::new(),
            beyond: Arc::new(Semaphore::new(1)),
        })
    }

    /// Whether somebody waits for memory.
    pub(crate) fn is_short(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    fn try_take(&self, bytes: u64) -> bool {
        let take = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok()
    }
}

/// What one request holds of [`RequestMemory`]; given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    of: Arc<RequestMemory>,
    bytes: u64,
    beyond: Option<OwnedSemaphorePermit>,
}

impl Held {
    pub(crate) fn nothing(of: &Arc<RequestMemory>) -> Self {
        Self { of: Arc::clone(of), bytes: 0, beyond: None }
    }

    /// Holds `total` bytes from now on, if there is room for what is missing; otherwise nothing changes. Never gives
    /// back.
    pub(crate) fn cover(&mut self, total: u64) -> bool {
        let Some(more) = total.checked_sub(self.bytes).filter(|more| *more > 0) else { return true };
        if self.beyond.is_some() {
            self.of.used.fetch_add(more, Ordering::SeqCst);
        } else if !self.of.try_take(more) {
            return false;
        }
        self.bytes = total;
        true
    }

    /// What this holds, leaving nothing behind.
    pub(crate) fn take(&mut self) -> Self {
        let nothing = Self::nothing(&self.of);
        std::mem::replace(self, nothing)
    }

    /// Waits until `total` bytes can be held, or until it is this one's turn to go beyond the limit. Comes back with what
    /// is missing, to be [added](Self::add).
    pub(crate) fn wait(&self, total: u64) -> impl Future<Output = Self> + Send + use<> {
        let more = total.saturating_sub(self.bytes);
        let waiting = Waiting::new(&self.of);
        async move {
            let of = &waiting.0;
            loop {
                let mut freed = std::pin::pin!(of.freed.notified());
                freed.as_mut().enable();
                if of.try_take(more) {
                    return Self { of: Arc::clone(of), bytes: more, beyond: None };
                }
                tokio::select! {
                    () = freed => {}
                    permit = Arc::clone(&of.beyond).acquire_owned() => {
                        let permit = permit.expect("the semaphore is never closed");
                        of.used.fetch_add(more, Ordering::SeqCst);
                        return Self { of: Arc::clone(of), bytes: more, beyond: Some(permit) };
                    }
                }
            }
        }
    }

    /// Adds what [`Held::wait`] came back with.
    pub(crate) fn add(&mut self, mut granted: Self) {
        self.bytes += std::mem::take(&mut granted.bytes);
        self.beyond = self.beyond.take().or_else(|| granted.beyond.take());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.of.used.fetch_sub(self.bytes, Ordering::SeqCst);
            if self.of.is_short() {
                self.of.freed.notify_waiters();
            }
        }
    }
}

struct Waiting(Arc<RequestMemory>);

impl Waiting {
    fn new(of: &Arc<RequestMemory>) -> Self {
        of.waiting.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(of))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn memory_is_given_back_when_a_request_ends() {
        let memory = RequestMemory::new(Some(100));
        let mut one = Held::nothing(&memory);
        let mut other = Held::nothing(&memory);
        assert!(one.cover(60) && one.cover(50), "covering less changes nothing");
        assert!(!other.cover(41) && other.cover(40));
        drop(one);
        assert!(other.cover(100));
        drop(other.take());
        assert_eq!(memory.used.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn one_waiting_frame_at_a_time_goes_beyond_the_limit() {
        let memory = RequestMemory::new(Some(100));
        let (mut full, mut a, mut b) =
            (Held::nothing(&memory), Held::nothing(&memory), Held::nothing(&memory));
        assert!(full.cover(100));
        let mut wait_a = pin!(a.wait(10));
        let mut wait_b = pin!(b.wait(10));
        assert!(memory.is_short());
        let Poll::Ready(grant) = poll(wait_a.as_mut()) else { panic!("the first to wait goes beyond") };
        a.add(grant);
        assert!(poll(wait_b.as_mut()).is_pending(), "the second one waits its turn");
        assert!(a.cover(1_000), "until its request is done");
        drop(a);
        let Poll::Ready(grant) = poll(wait_b.as_mut()) else { panic!("then it is the second one's turn") };
        b.add(grant);
        drop((full, b));
        assert_eq!(memory.used.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn freed_memory_wakes_who_waits() {
        let memory = RequestMemory::new(Some(100));
        let (mut full, first, mut second) =
            (Held::nothing(&memory), Held::nothing(&memory), Held::nothing(&memory));
        assert!(full.cover(100));
        let mut wait_first = pin!(first.wait(10));
        let Poll::Ready(_beyond) = poll(wait_first.as_mut()) else { panic!("the first to wait goes beyond") };
        let mut wait_second = pin!(second.wait(20));
        assert!(poll(wait_second.as_mut()).is_pending());
        drop(full);
        let Poll::Ready(grant) = poll(wait_second.as_mut()) else { panic!("there is room again") };
        assert!(grant.beyond.is_none());
        second.add(grant);
    }

    #[test]
    fn without_a_limit_there_is_always_room() {
        let memory = RequestMemory::new(None);
        assert!(Held::nothing(&memory).cover(1 << 50));
        assert!(!memory.is_short());
    }
}
