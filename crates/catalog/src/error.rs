//! What can go wrong.

use std::path::PathBuf;

use base::{PartitionIndex, Uuid};
use disk::DiskError;
use state_machines::topics::Refusal;

/// Why a data directory cannot be served. Nothing was changed in it unless a variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Another process holds `.lock`.
    #[error(
        "the data directory {} is in use by another process (its .lock is held): stop that process, or choose another directory",
        path.display()
    )]
    Locked {
        /// The data directory.
        path: PathBuf,
    },
}

/// Why a change or an allocation failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CatalogError {
    /// The metadata log failed to write or to sync; it takes no further change until a restart.
    #[error("the metadata log is closed for changes until a restart: {reason}")]
    Shut {
        /// What happened first.
        reason: String,
    },
    /// [`crate::Catalog::close`] was called.
    #[error("the catalogue is closed")]
    Closed,
}

/// Why a topic was not created, grown or deleted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TopicError {
    /// The rules of topics forbid it; the message is Kafka's.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// `delete.topic.enable` is false (Kafka: TOPIC_DELETION_DISABLED 73).
    #[error("Topic deletion is disabled.")]
    DeletionDisabled,
    /// It could not be stored.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Why a partition cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPartition {
    /// No topic of this id has this partition.
    #[error("no partition {index} of topic {topic}")]
    Unknown {
        /// The topic asked for.
        topic: Uuid,
        /// The partition asked for.
        index: PartitionIndex,
    },
    /// It exists, but its log could not be opened (Kafka: KAFKA_STORAGE_ERROR 56).
    #[error("partition {index} of topic {topic} is offline: {reason}")]
    Offline {
        /// The topic asked for.
        topic: Uuid,
        /// The partition asked for.
        index: PartitionIndex,
        /// Why the log could not be opened.
        reason: String,
    },
}
