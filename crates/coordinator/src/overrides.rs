//! What groups have of their own in place of the broker's settings: configurations of the resource type GROUP.

use std::collections::BTreeMap;
use std::sync::Arc;

use state_machines::configs::{Configs, ResourceType};
use state_machines::group::GroupOverrides;

/// The groups that have any. Values were checked before they were stored; one that is no number is none.
pub(crate) fn of_groups(configs: &Configs) -> BTreeMap<Arc<str>, GroupOverrides> {
    let one = |given: &BTreeMap<String, String>| {
        let number = |key: &str| given.get(key).and_then(|text| text.trim().parse().ok());
        GroupOverrides {
            consumer_session_timeout_ms: number("consumer.session.timeout.ms"),
            consumer_heartbeat_interval_ms: number("consumer.heartbeat.interval.ms"),
        }
    };
    configs.of_type(ResourceType::Group).map(|(group, given)| (Arc::from(group), one(given))).collect()
}
