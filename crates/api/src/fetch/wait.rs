//! Waiting for records: a long poll.
//!
//! Registers with every partition first and looks again afterwards, so that nothing that happens in between is missed.
//! While it waits, only partitions whose marks have moved are looked at, and only [`enough()`] decides; the answer itself
//! is read afresh at the end.

use std::sync::Arc;

use partition::Marks;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Fetch;
use super::enough::{Look, enough};
use super::read::{Found, Target};
use crate::broker::{Outcome, Pending};
use crate::code::Code;

/// What a waiting request has seen of its partitions, in the order of its targets.
pub(super) struct Watch {
    seen: Vec<(Option<Marks>, Look)>,
}

impl Watch {
    /// `None` when `found` is enough to answer.
    pub(super) fn unless_enough(fetch: &Fetch, found: &[Result<Found, Code>]) -> Option<Self> {
        let sent = found.iter().map(|found| match found {
            Ok(Found { diverging: None, bytes, .. }) => Look { read: u64::from(*bytes), ..Look::default() },
            Ok(_) | Err(_) => Look { urgent: true, ..Look::default() },
        });
        if enough(fetch.terms.min_bytes, sent) {
            return None;
        }
        let seen = fetch
            .targets
            .iter()
            .zip(found)
            .map(|(target, found)| {
                let marks = found.as_ref().ok().map(|found| found.marks);
                let look = match found {
                    Ok(found) if found.bytes == 0 => Look::default(),
                    _ => target.look(&fetch.terms),
                };
                (marks, look)
            })
            .collect();
        let watch = Self { seen };
        (!watch.is_enough(fetch)).then_some(watch)
    }

    fn is_enough(&self, fetch: &Fetch) -> bool {
        enough(fetch.terms.min_bytes, self.seen.iter().map(|(_, look)| *look))
    }

    /// Looks again at what has moved since.
    fn look(&mut self, fetch: &Fetch) -> bool {
        for (target, (seen, look)) in fetch.targets.iter().zip(&mut self.seen) {
            let marks = marks(target);
            if marks == *seen {
                continue;
            }
            *seen = marks;
            *look = match marks {
                // Most clients wait for any byte at all; then the marks alone tell.
                Some(marks) if fetch.terms.min_bytes <= 1 => target.glance(&marks, &fetch.terms),
                _ => target.look(&fetch.terms),
            };
        }
        self.is_enough(fetch)
    }
}

/// `None` for a partition that cannot be read, or not any more.
fn marks(target: &Target) -> Option<Marks> {
    let partition = target.partition.as_ref().ok()?;
    partition.health().is_ok().then(|| partition.marks())
}

/// Answers when there is enough, when the time is over, or when the broker stops.
pub(super) fn later(mut fetch: Fetch, watch: Watch) -> Pending {
    fetch.spent = fetch.resumed.elapsed();
    Pending::Later(Box::pin(async move {
        until_enough(&fetch, watch).await;
        fetch.resumed = Instant::now();
        let found = fetch.read();
        match fetch.answer(found) {
            Ok(reply) => Outcome::Reply(reply),
            Err(reason) => Outcome::Close(reason),
        }
    }))
}

async fn until_enough(fetch: &Fetch, mut watch: Watch) {
    let moved = Arc::new(Notify::new());
    let _registered: Vec<_> = fetch
        .targets
        .iter()
        .filter_map(|target| target.partition.as_ref().ok())
        .map(|partition| partition.on_advance(&moved))
        .collect();
    let mut stopping = fetch.broker.stopping.subscribe();
    let deadline = tokio::time::sleep_until(fetch.begun + fetch.terms.wait);
    tokio::pin!(deadline);
    loop {
        if watch.look(fetch) {
            return;
        }
        tokio::select! {
            () = moved.notified() => {}
            () = &mut deadline => return,
            // An error means that the broker is gone, which is a stop as well.
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}
