//! The memory that requests in work hold together (`queued.max.request.bytes`).
//!
//! A connection asks before a frame's buffer grows and before a frame is begun, and gives back when the outcome is
//! known. Where the memory is used up its reading pauses.
//!
//! Large frames have three quarters of the memory between them, so that a few of them, however slowly they arrive, never
//! stand in the way of ordinary ones. Frames that are half read must not wait for each other for ever, so one waiting
//! frame of either size at a time, in turn, may go beyond the limit until its request is done: together requests hold at
//! most the limit, one largest request and one ordinary one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Frames up to this length, if that is not much of the limit, are ordinary: a batch of the usual largest size
/// (`message.max.bytes`: 1 MiB) and what stands around it.
const ORDINARY: u64 = 2 << 20;
/// An ordinary frame is at most this part of the limit.
const ORDINARY_PART: u64 = 16;

/// Which frames one frame shares memory with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Ordinary,
    Large,
}

/// The memory of all requests in work.
#[derive(Debug)]
pub(crate) struct RequestMemory {
    limit: u64,
    /// How much of it large frames may hold.
    for_large: u64,
    /// The lock is held for a sum only.
    used: Mutex<Used>,
    ordinary: Queue,
    large: Queue,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Used {
    ordinary: u64,
    /// More than `for_large` only by what one frame holds beyond the limit.
    large: u64,
}

/// The frames of one size that wait.
#[derive(Debug)]
struct Queue {
    /// How many there are now.
    waiting: AtomicUsize,
    /// One permit: the right of one frame to go beyond the limit.
    beyond: Arc<Semaphore>,
}

impl Queue {
    fn new() -> Self {
        Self { waiting: AtomicUsize::new(0), beyond: Arc::new(Semaphore::new(1)) }
    }

    fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) == 0
    }
}

impl RequestMemory {
    pub(crate) fn new(limit: Option<u64>) -> Arc<Self> {
        let limit = limit.unwrap_or(u64::MAX);
        Arc::new(Self {
            limit,
            for_large: limit - limit / 4,
            used: Mutex::default(),
            ordinary: Queue::new(),
            large: Queue::new(),
            freed: Notify::new(),
        })
    }

    /// The size of a frame of `len` bytes.
    pub(crate) fn size_of(&self, len: usize) -> Size {
        if len as u64 <= ORDINARY.min(self.limit / ORDINARY_PART) { Size::Ordinary } else { Size::Large }
    }

    /// Whether somebody waits for memory.
    pub(crate) fn is_short(&self) -> bool {
        !self.ordinary.is_empty() || !self.large.is_empty()
    }

    /// Whether somebody waits for memory that a frame of this size keeps from it.
    pub(crate) fn is_short_because_of(&self, size: Size) -> bool {
        match size {
            Size::Ordinary => !self.ordinary.is_empty(),
            Size::Large => self.is_short(),
        }
    }

    fn queue(&self, size: Size) -> &Queue {
        match size {
            Size::Ordinary => &self.ordinary,
            Size::Large => &self.large,
        }
    }

    fn try_take(&self, size: Size, bytes: u64) -> bool {
        let mut used = self.used.lock();
        // What a large frame holds beyond the limit is not taken from ordinary ones.
        let all = used.ordinary.saturating_add(used.large.min(self.for_large)).saturating_add(bytes);
        match size {
            _ if all > self.limit => return false,
            Size::Ordinary => used.ordinary += bytes,
            Size::Large if used.large.saturating_add(bytes) > self.for_large => return false,
            Size::Large => used.large += bytes,
        }
        true
    }

    fn take_beyond(&self, size: Size, bytes: u64) {
        let mut used = self.used.lock();
        match size {
            Size::Ordinary => used.ordinary += bytes,
            Size::Large => used.large += bytes,
        }
    }

    fn give_back(&self, size: Size, bytes: u64) {
        let mut used = self.used.lock();
        match size {
            Size::Ordinary => used.ordinary -= bytes,
            Size::Large => used.large -= bytes,
        }
    }
}

/// What one request holds of [`RequestMemory`]; given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    of: Arc<RequestMemory>,
    size: Size,
    bytes: u64,
    beyond: Option<OwnedSemaphorePermit>,
}

impl Held {
    pub(crate) fn nothing(of: &Arc<RequestMemory>) -> Self {
        Self { of: Arc::clone(of), size: Size::Ordinary, bytes: 0, beyond: None }
    }

    /// How many bytes are held.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether somebody waits for memory that this keeps from it.
    pub(crate) fn is_wanted(&self) -> bool {
        self.bytes > 0 && self.of.is_short_because_of(self.size)
    }

    /// Holds `total` bytes from now on, if there is room for what is missing; otherwise nothing changes. Never gives
    /// back. One request asks for the same `size` each time.
    pub(crate) fn cover(&mut self, size: Size, total: u64) -> bool {
        let Some(more) = total.checked_sub(self.bytes).filter(|more| *more > 0) else { return true };
        if self.beyond.is_some() {
            self.of.take_beyond(size, more);
        } else if !self.of.try_take(size, more) {
            return false;
        }
        self.size = size;
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
    pub(crate) fn wait(&self, size: Size, total: u64) -> impl Future<Output = Self> + Send + use<> {
        let more = total.saturating_sub(self.bytes);
        let waiting = Waiting::new(&self.of, size);
        async move {
            let of = &waiting.of;
            let grant = |beyond| Self { of: Arc::clone(of), size, bytes: more, beyond };
            loop {
                let mut freed = std::pin::pin!(of.freed.notified());
                freed.as_mut().enable();
                if of.try_take(size, more) {
                    return grant(None);
                }
                tokio::select! {
                    () = freed => {}
                    permit = Arc::clone(&of.queue(size).beyond).acquire_owned() => {
                        of.take_beyond(size, more);
                        return grant(Some(permit.expect("the semaphore is never closed")));
                    }
                }
            }
        }
    }

    /// Adds what [`Held::wait`] came back with.
    pub(crate) fn add(&mut self, mut granted: Self) {
        self.size = granted.size;
        self.bytes += std::mem::take(&mut granted.bytes);
        self.beyond = self.beyond.take().or_else(|| granted.beyond.take());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.of.give_back(self.size, self.bytes);
            if self.of.is_short() {
                self.of.freed.notify_waiters();
            }
        }
    }
}

struct Waiting {
    of: Arc<RequestMemory>,
    size: Size,
}

impl Waiting {
    fn new(of: &Arc<RequestMemory>, size: Size) -> Self {
        of.queue(size).waiting.fetch_add(1, Ordering::SeqCst);
        Self { of: Arc::clone(of), size }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.of.queue(self.size).waiting.fetch_sub(1, Ordering::SeqCst);
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

    impl RequestMemory {
        fn is_free(&self) -> bool {
            let used = self.used.lock();
            (used.ordinary, used.large) == (0, 0)
        }
    }

    #[test]
    fn memory_is_given_back_when_a_request_ends() {
        let memory = RequestMemory::new(Some(100));
        let mut one = Held::nothing(&memory);
        let mut other = Held::nothing(&memory);
        assert!(
            one.cover(Size::Ordinary, 60) && one.cover(Size::Ordinary, 50),
            "covering less changes nothing"
        );
        assert!(!other.cover(Size::Ordinary, 41) && other.cover(Size::Ordinary, 40));
        drop(one);
        assert!(other.cover(Size::Ordinary, 100));
        drop(other.take());
        assert!(memory.is_free());
    }

    #[test]
    fn one_waiting_frame_at_a_time_goes_beyond_the_limit() {
        let memory = RequestMemory::new(Some(100));
        let (mut full, mut a, mut b) =
            (Held::nothing(&memory), Held::nothing(&memory), Held::nothing(&memory));
        assert!(full.cover(Size::Ordinary, 100));
        let mut wait_a = pin!(a.wait(Size::Ordinary, 10));
        let mut wait_b = pin!(b.wait(Size::Ordinary, 10));
        assert!(memory.is_short());
        let Poll::Ready(grant) = poll(wait_a.as_mut()) else { panic!("the first to wait goes beyond") };
        a.add(grant);
        assert!(poll(wait_b.as_mut()).is_pending(), "the second one waits its turn");
        assert!(a.cover(Size::Ordinary, 1_000), "until its request is done");
        drop(a);
        let Poll::Ready(grant) = poll(wait_b.as_mut()) else { panic!("then it is the second one's turn") };
        b.add(grant);
        drop((full, b));
        assert!(memory.is_free());
    }

    #[test]
    fn freed_memory_wakes_who_waits() {
        let memory = RequestMemory::new(Some(100));
        let (mut full, first, mut second) =
            (Held::nothing(&memory), Held::nothing(&memory), Held::nothing(&memory));
        assert!(full.cover(Size::Ordinary, 100));
        let mut wait_first = pin!(first.wait(Size::Ordinary, 10));
        let Poll::Ready(_beyond) = poll(wait_first.as_mut()) else { panic!("the first to wait goes beyond") };
        let mut wait_second = pin!(second.wait(Size::Ordinary, 20));
        assert!(poll(wait_second.as_mut()).is_pending());
        drop(full);
        let Poll::Ready(grant) = poll(wait_second.as_mut()) else { panic!("there is room again") };
        assert!(grant.beyond.is_none());
        second.add(grant);
    }

    #[test]
    fn large_frames_leave_a_quarter_to_ordinary_ones() {
        let memory = RequestMemory::new(Some(1_000));
        let (mut large, mut next) = (Held::nothing(&memory), Held::nothing(&memory));
        assert!(!large.cover(Size::Large, 751) && large.cover(Size::Large, 750));
        let Poll::Ready(beyond) = poll(pin!(next.wait(Size::Large, 700)).as_mut()) else {
            panic!("one goes beyond")
        };
        next.add(beyond);
        let mut ordinary = Held::nothing(&memory);
        assert!(!ordinary.cover(Size::Ordinary, 251) && ordinary.cover(Size::Ordinary, 250));
        let third = Held::nothing(&memory);
        let mut wait_third = pin!(third.wait(Size::Large, 10));
        assert!(poll(wait_third.as_mut()).is_pending());
        assert!(large.is_wanted() && !ordinary.is_wanted(), "an ordinary frame is not in a large one's way");
        let fourth = Held::nothing(&memory);
        let mut wait_fourth = pin!(fourth.wait(Size::Ordinary, 10));
        assert!(poll(wait_fourth.as_mut()).is_ready(), "of ordinary frames one goes beyond as well");
        drop((large, next, ordinary));
        assert!(poll(wait_third.as_mut()).is_ready());
        assert!(memory.is_free());
    }

    #[test]
    fn ordinary_frames_have_the_whole_when_there_is_no_large_one() {
        let memory = RequestMemory::new(Some(1_000));
        let (mut ordinary, mut large) = (Held::nothing(&memory), Held::nothing(&memory));
        assert!(ordinary.cover(Size::Ordinary, 900));
        assert!(!large.cover(Size::Large, 101) && large.cover(Size::Large, 100));
    }

    #[test]
    fn what_is_ordinary() {
        let memory = RequestMemory::new(Some(256 << 20));
        assert_eq!(memory.size_of(2 << 20), Size::Ordinary);
        assert_eq!(memory.size_of((2 << 20) + 1), Size::Large);
        let small = RequestMemory::new(Some(16_000));
        assert_eq!((small.size_of(1_000), small.size_of(1_001)), (Size::Ordinary, Size::Large));
    }

    #[test]
    fn without_a_limit_there_is_always_room() {
        let memory = RequestMemory::new(None);
        assert!(Held::nothing(&memory).cover(Size::Ordinary, 1 << 50));
        assert!(!memory.is_short());
    }
}
