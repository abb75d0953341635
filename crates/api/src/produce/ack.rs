//! When a Produce may be answered: when everything it wrote is below the high watermark.
//!
//! On one node the high watermark follows the log end at once, unless every ack has to mean "on the disk"
//! (`log.flush.interval.messages` = 1): then it follows the flushes. Kafka flushes within the append in that case, so
//! there acks=1 too means "on the disk", and here it waits for the high watermark just like acks=all. Only acks=all
//! gives up when its time is over.

use std::sync::Arc;
use std::time::Duration;

use base::Offset;
use catalog::Catalog;
use partition::{Partition, Stopped};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::verdict::{Answers, Failure, Verdict};
use crate::answer::outcome;
use crate::broker::{Pending, Request};
use crate::code::Code;

/// What has to come true before the answer.
pub(super) struct Promise {
    waits: Vec<(Arc<Partition>, Offset)>,
    deadline: Option<Instant>,
}

impl Promise {
    pub(super) fn new(answers: &Answers, acks: i16, timeout_ms: i32) -> Self {
        let waits = answers
            .verdicts()
            .filter_map(|verdict| match verdict {
                Verdict::Appended { appended, partition }
                    if !is_acknowledged(partition, appended.last_offset) =>
                {
                    Some((partition.clone(), appended.last_offset))
                }
                Verdict::Appended { .. } | Verdict::Failed(_) => None,
            })
            .collect();
        let timeout = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
        Self { waits, deadline: (acks == -1).then(|| Instant::now() + timeout) }
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_kept(&self) -> bool {
        self.waits.is_empty()
    }

    /// Waits until all is acknowledged, or will not be any more.
    async fn kept(mut self) {
        let moved = Arc::new(Notify::new());
        let _registered: Vec<_> =
            self.waits.iter().map(|(partition, _)| partition.on_advance(&moved)).collect();
        loop {
            self.waits
                .retain(|(partition, last)| !is_acknowledged(partition, *last) && partition.health().is_ok());
            if self.waits.is_empty() {
                return;
            }
            match self.deadline {
                None => moved.notified().await,
                Some(deadline) => {
                    if tokio::time::timeout_at(deadline, moved.notified()).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

fn is_acknowledged(partition: &Partition, last: Offset) -> bool {
    partition.marks().high_watermark > last
}

/// Answers when the promise is kept or broken.
pub(super) fn later(
    promise: Promise,
    mut answers: Answers,
    catalog: Arc<Catalog>,
    request: Request,
) -> Pending {
    Pending::Later(Box::pin(async move {
        promise.kept().await;
        for verdict in answers.verdicts_mut() {
            if let Verdict::Appended { appended, partition } = verdict
                && !is_acknowledged(partition, appended.last_offset)
            {
                *verdict = Verdict::Failed(unacknowledged(partition.health().err(), partition));
            }
        }
        outcome(&answers.into_response(&catalog, &request), request.version())
    }))
}

/// Written, but in doubt: the flush failed, or has not come in time.
fn unacknowledged(ill: Option<Stopped>, partition: &Partition) -> Failure {
    match ill {
        Some(stopped) => Failure::of_append(&stopped.into(), partition),
        None => Failure::bare(Code::RequestTimedOut)
            .because(&"the batch is written, but not flushed in time; send it again to be sure"),
    }
}
