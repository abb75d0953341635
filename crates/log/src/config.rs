//! What a log is told from outside: its limits, and what the checkpoint files say about it.

use base::Offset;

use crate::clean::Compaction;
use crate::rebuild::IndexRules;

/// The limits of one log. The names are Kafka's topic settings; all sizes are bytes, all times milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct LogConfig {
    /// `segment.bytes`: no segment grows beyond this. At most 2147483647.
    pub segment_bytes: u32,
    /// `segment.ms`: a segment is rolled when the record times in it would span more.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: up to this much is taken off [`Self::segment_ms`], so that not all logs roll at once.
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`: an index is full at this size, and its segment is rolled then.
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`: an index entry is added when more than this was appended since the last one.
    pub index_interval_bytes: u32,
    /// `preallocate`: make a new segment's file as large as it may become, and cut it on roll and on close.
    pub preallocate: bool,
    /// `file.delete.delay.ms`: how long a removed segment stays as `.deleted`, for readers that still have it open.
    pub file_delete_delay_ms: i64,
    /// `retention.ms`; negative: no limit.
    pub retention_ms: i64,
    /// `retention.bytes`; negative: no limit.
    pub retention_bytes: i64,
    /// Whether `cleanup.policy` contains `delete`. Without it only what lies below the log start is removed.
    pub delete_enabled: bool,
    /// Whether `cleanup.policy` contains `compact`. Then offsets may be missing between segments; else recovery takes a
    /// missing stretch above the recovery point for lost writes, and cuts there.
    pub compact_enabled: bool,
    /// When and how the log is compacted, if [`Self::compact_enabled`].
    pub compaction: Compaction,
}

impl Default for LogConfig {
    /// Kafka's defaults.
    fn default() -> Self {
        Self {
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 3600 * 1000,
            segment_jitter_ms: 0,
            segment_index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            preallocate: false,
            file_delete_delay_ms: 60_000,
            retention_ms: 7 * 24 * 3600 * 1000,
            retention_bytes: -1,
            delete_enabled: true,
            compact_enabled: false,
            compaction: Compaction::default(),
        }
    }
}

impl LogConfig {
    pub(crate) fn index_rules(&self) -> IndexRules {
        IndexRules {
            interval: self.index_interval_bytes.into(),
            index_bytes: self.segment_index_bytes.into(),
        }
    }

    /// `segment.bytes`, within what an index can point into.
    pub(crate) fn segment_limit(&self) -> u32 {
        self.segment_bytes.min(i32::MAX as u32)
    }
}

/// What the checkpoint files beside the partition directories say about a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whether the clean-shutdown marker was there: then what the files say is believed, and not read again.
    pub clean: bool,
    /// Everything below this offset was flushed. 0 when unknown.
    pub recovery_point: Offset,
    /// The log start offset. 0 when unknown.
    pub log_start: Offset,
}
