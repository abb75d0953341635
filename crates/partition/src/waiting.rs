//! Waiting for a mark to move, without a lost wake-up.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Those who wait for a partition to move.
///
/// Why nothing is lost: a waiter registers, *then* looks at the marks, *then* awaits its `Notify`; who moves a mark
/// publishes it, *then* wakes. Either the look sees the new mark, or the registration came before the waking, and
/// `notify_one` leaves a permit that the await takes at once.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    registered: Mutex<Registered>,
}

#[derive(Debug, Default)]
struct Registered {
    next: u64,
    waiters: BTreeMap<u64, Arc<Notify>>,
}

impl Waiters {
    pub(crate) fn register(self: &Arc<Self>, waiter: &Arc<Notify>) -> Waiting {
        let mut registered = self.registered.lock();
        let key = registered.next;
        registered.next += 1;
        registered.waiters.insert(key, Arc::clone(waiter));
        Waiting { waiters: Arc::clone(self), key }
    }

    /// To be called after the change has been published, and best without a lock that the woken will want.
    pub(crate) fn wake(&self) {
        for waiter in self.registered.lock().waiters.values() {
            waiter.notify_one();
        }
    }
}

/// A registration with a partition; dropping it ends it. See [`crate::Partition::on_advance`].
#[derive(Debug)]
#[must_use = "dropping it ends the registration"]
pub struct Waiting {
    waiters: Arc<Waiters>,
    key: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.waiters.registered.lock().waiters.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_up_before_the_await_is_kept() {
        let waiters = Arc::new(Waiters::default());
        let notify = Arc::new(Notify::new());
        let waiting = waiters.register(&notify);
        waiters.wake();
        let mut notified = tokio_test_ready(&notify);
        assert!(notified(), "the permit was left for the await that came later");
        drop(waiting);
        waiters.wake();
        assert!(!notified(), "a dropped registration is not woken");
        assert!(waiters.registered.lock().waiters.is_empty());
    }

    /// Whether an await of `notify` would end at once.
    fn tokio_test_ready(notify: &Notify) -> impl FnMut() -> bool {
        use std::future::Future;
        use std::task::{Context, Poll, Waker};
        || {
            let mut notified = std::pin::pin!(notify.notified());
            matches!(notified.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(()))
        }
    }
}
