//! What a user may set about groups and offsets.

use std::sync::Arc;

use super::assignor::Assignor;

/// How long a group waits, how large it may grow, and how long its offsets are kept. The defaults are Kafka's
/// (`GroupCoordinatorConfig`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `group.min.session.timeout.ms`, inclusive.
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`, inclusive.
    pub max_session_timeout_ms: i32,
    /// `group.initial.rebalance.delay.ms`: how long the first rebalance of an empty group waits for more members.
    pub initial_rebalance_delay_ms: i32,
    /// `group.max.size`: most members of one classic group.
    pub max_size: usize,
    /// `offset.metadata.max.bytes`. Kafka counts UTF-16 units, not bytes, and so do we.
    pub offset_metadata_max_bytes: usize,
    /// `offsets.retention.minutes`, in milliseconds.
    pub offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`.
    pub offsets_retention_check_interval_ms: i64,
    /// `group.consumer.session.timeout.ms`: how long a member of a consumer group may be silent, unless its group says otherwise.
    pub consumer_session_timeout_ms: i32,
    /// `group.consumer.heartbeat.interval.ms`: how often it is to come, unless its group says otherwise.
    pub consumer_heartbeat_interval_ms: i32,
    /// `group.consumer.max.size`: most members of one consumer group.
    pub consumer_max_size: usize,
    /// `group.consumer.assignors`, the default one first.
    pub consumer_assignors: Vec<Assignor>,
    /// `group.consumer.migration.policy`.
    pub consumer_migration_policy: MigrationPolicy,
    /// `group.consumer.regex.refresh.interval.ms`: how old what a regular expression matches may become.
    pub consumer_regex_refresh_interval_ms: i64,
    /// `broker.rack`: part of what consumer groups know of their topics.
    pub rack: Option<Arc<str>>,
}

/// Which groups may go over to the other protocol while they have members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationPolicy {
    /// None.
    Disabled,
    /// Classic groups, when a member of the consumer protocol joins.
    Upgrade,
    /// Consumer groups, when the last member of the consumer protocol leaves.
    Downgrade,
    /// Both.
    Bidirectional,
}

impl MigrationPolicy {
    /// Whether a classic group may become a consumer group.
    #[must_use]
    pub const fn allows_upgrade(self) -> bool {
        matches!(self, Self::Upgrade | Self::Bidirectional)
    }

    /// Whether a consumer group may become a classic group.
    #[must_use]
    pub const fn allows_downgrade(self) -> bool {
        matches!(self, Self::Downgrade | Self::Bidirectional)
    }
}

/// What a group has of its own in place of the broker's settings (KIP-848: configs of the resource type `GROUP`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupOverrides {
    /// `consumer.session.timeout.ms`.
    pub consumer_session_timeout_ms: Option<i32>,
    /// `consumer.heartbeat.interval.ms`.
    pub consumer_heartbeat_interval_ms: Option<i32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_session_timeout_ms: 6_000,
            max_session_timeout_ms: 1_800_000,
            initial_rebalance_delay_ms: 3_000,
            max_size: 2_147_483_647,
            offset_metadata_max_bytes: 4_096,
            offsets_retention_ms: 7 * 24 * 60 * 60 * 1_000,
            offsets_retention_check_interval_ms: 600_000,
            consumer_session_timeout_ms: 45_000,
            consumer_heartbeat_interval_ms: 5_000,
            consumer_max_size: 2_147_483_647,
            consumer_assignors: vec![Assignor::Uniform, Assignor::Range],
            consumer_migration_policy: MigrationPolicy::Bidirectional,
            consumer_regex_refresh_interval_ms: 600_000,
            rack: None,
        }
    }
}
