//! Work that waits for the disk, away from the threads that serve connections.

use std::time::Duration;

use crate::broker::{CloseReason, Outcome, Pending};
use crate::code::Code;

/// An answer that a thread which may wait comes to, however long that takes.
pub(crate) fn answer(work: impl FnOnce() -> Outcome + Send + 'static) -> Pending {
    let work = tokio::task::spawn_blocking(work);
    Pending::Later(Box::pin(async move {
        match work.await {
            Ok(outcome) => outcome,
            Err(_panicked) => Outcome::Close(CloseReason::Panicked),
        }
    }))
}

/// Work that has begun.
pub(crate) struct Work<T>(Option<(tokio::task::JoinHandle<T>, Duration)>);

/// Begins `work` on a thread that may wait, to be finished within `timeout_ms`. Without time it is not begun at all, as
/// Kafka's controller lets a request expire before it looks at it.
pub(crate) fn begin<T: Send + 'static>(
    timeout_ms: i32,
    work: impl FnOnce() -> T + Send + 'static,
) -> Work<T> {
    let timeout = u64::try_from(timeout_ms).unwrap_or(0);
    Work((timeout > 0).then(|| (tokio::task::spawn_blocking(work), Duration::from_millis(timeout))))
}

impl<T> Work<T> {
    /// What it gave. When time runs out the work goes on, but nobody hears of it.
    pub(crate) async fn end(self) -> Result<T, Code> {
        let Some((work, timeout)) = self.0 else { return Err(Code::RequestTimedOut) };
        match tokio::time::timeout(timeout, work).await {
            Ok(Ok(value)) => Ok(value),
            // The panic itself has been reported by whoever watches them.
            Ok(Err(_panicked)) => Err(Code::UnknownServerError),
            Err(_elapsed) => Err(Code::RequestTimedOut),
        }
    }
}
