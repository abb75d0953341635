//! What the keys of consumer groups come to together (Kafka: `GroupCoordinatorConfig`, `KafkaConfig`).

use crate::error::SettingError;
use crate::settings::{Settings, bad};

/// # Errors
/// The first contradiction, naming the key to change.
pub(crate) fn check(settings: &Settings) -> Result<(), SettingError> {
    let protocols = settings.group_coordinator_rebalance_protocols();
    if !protocols.iter().any(|protocol| protocol == "classic") {
        return Err(bad(
            "group.coordinator.rebalance.protocols",
            &protocols.join(","),
            "must list classic, which cannot be switched off".to_owned(),
        ));
    }
    if settings.group_consumer_assignors().is_empty() {
        return Err(bad(
            "group.consumer.assignors",
            "",
            "must list an assignor: uniform or range".to_owned(),
        ));
    }
    let heartbeat = ("group.consumer.heartbeat.interval.ms", settings.group_consumer_heartbeat_interval_ms());
    let least_heartbeat =
        ("group.consumer.min.heartbeat.interval.ms", settings.group_consumer_min_heartbeat_interval_ms());
    let most_heartbeat =
        ("group.consumer.max.heartbeat.interval.ms", settings.group_consumer_max_heartbeat_interval_ms());
    let session = ("group.consumer.session.timeout.ms", settings.group_consumer_session_timeout_ms());
    let least_session =
        ("group.consumer.min.session.timeout.ms", settings.group_consumer_min_session_timeout_ms());
    let most_session =
        ("group.consumer.max.session.timeout.ms", settings.group_consumer_max_session_timeout_ms());
    for (larger, smaller) in [
        (most_heartbeat, least_heartbeat),
        (heartbeat, least_heartbeat),
        (most_heartbeat, heartbeat),
        (most_session, least_session),
        (session, least_session),
        (most_session, session),
    ] {
        if larger.1 < smaller.1 {
            return Err(SettingError::Conflict(format!(
                "`{}` ({}) must be at least `{}` ({})",
                larger.0, larger.1, smaller.0, smaller.1
            )));
        }
    }
    if heartbeat.1 >= session.1 {
        return Err(SettingError::Conflict(format!(
            "`{}` ({}) must be less than `{}` ({})",
            heartbeat.0, heartbeat.1, session.0, session.1
        )));
    }
    Ok(())
}
