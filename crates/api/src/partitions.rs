//! From what a request names to a partition, or the code that says why there is none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base::PartitionIndex;
use catalog::{Catalog, Topics};
use log::LogError;
use parking_lot::Mutex;
use partition::{Partition, ReadError};
use state_machines::topics::Topic;

use crate::code::Code;
use crate::fetch::TopicKey;

/// The topic that `key` names.
pub(crate) fn topic<'a>(topics: &'a Topics, key: &TopicKey) -> Result<&'a Arc<Topic>, Code> {
    match key {
        TopicKey::Name(name) => topics.by_name(name).ok_or(Code::UnknownTopicOrPartition),
        TopicKey::Id(id) => topics.by_id(*id).ok_or(Code::UnknownTopicId),
    }
}

/// Partition `index` of `topic`. One that the topic does not have is unknown; one that has no log here is led by nobody
/// or by another node.
pub(crate) fn partition(catalog: &Catalog, topic: &Topic, index: i32) -> Result<Arc<Partition>, Code> {
    if usize::try_from(index).is_ok_and(|index| index < topic.partitions.len()) {
        catalog.partition(topic.id, PartitionIndex(index)).map_err(|error| Code::from(&error))
    } else {
        Err(Code::UnknownTopicOrPartition)
    }
}

/// The code of a failed read, which is said aloud unless the client alone is to blame.
pub(crate) fn unreadable(error: &ReadError) -> Code {
    match error {
        ReadError::OutOfRange { .. } => {}
        ReadError::Log(error) => complain(error),
    }
    error.into()
}

/// As [`unreadable`], for what the log itself was asked.
pub(crate) fn broken_read(error: &LogError) -> Code {
    complain(error);
    Code::KafkaStorageError
}

/// Warns of a read that failed, at most once in ten seconds: consumers try again and again.
fn complain(error: &LogError) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock();
    if last.is_none_or(|last| last.elapsed() > Duration::from_secs(10)) {
        *last = Some(Instant::now());
        tracing::warn!(%error, "records cannot be read");
    } else {
        tracing::debug!(%error, "records cannot be read");
    }
}
