//! What a partition is told from outside.

use log::LogConfig;

use crate::marks::Ack;

/// The limits and habits of one partition. Names are Kafka's settings; times are milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionConfig {
    /// The log's own limits.
    pub log: LogConfig,
    /// `flush.messages`: a flush is asked for when so many records were appended since the last. With 1 the high
    /// watermark never passes what is flushed, so that an ack means fsynced; `i64::MAX`: never.
    pub flush_messages: i64,
    /// `flush.ms`: appended records are flushed by [`crate::Partition::tend`] when they have waited so long;
    /// `i64::MAX`: never.
    pub flush_ms: i64,
    /// `producer.id.expiration.ms`: how long a producer that writes nothing is remembered.
    pub producer_expiration_ms: i64,
    /// `producer.id.expiration.check.interval.ms`: how often [`crate::Partition::tend`] looks for such producers.
    pub producer_expiration_check_ms: i64,
    /// `log.retention.check.interval.ms`: how often [`crate::Partition::tend`] looks for segments to delete.
    pub retention_check_ms: i64,
    /// Time from the opening to the first time that is done, unless [`Self::retention_check_ms`] is less.
    pub first_retention_ms: i64,
}

impl Default for PartitionConfig {
    /// Kafka's defaults.
    fn default() -> Self {
        Self {
            log: LogConfig::default(),
            flush_messages: i64::MAX,
            flush_ms: i64::MAX,
            producer_expiration_ms: 86_400_000,
            producer_expiration_check_ms: 600_000,
            retention_check_ms: 300_000,
            first_retention_ms: 30_000,
        }
    }
}

impl PartitionConfig {
    /// What an acknowledgement stands for.
    pub(crate) fn ack(&self) -> Ack {
        if self.flush_messages <= 1 { Ack::Flushed } else { Ack::Written }
    }
}
