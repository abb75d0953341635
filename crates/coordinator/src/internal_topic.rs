//! `__consumer_offsets`: made when somebody first asks for a coordinator.

use std::sync::Arc;

use base::Millis;
use catalog::{Catalog, NewTopic, Refusal, Topic, TopicError};
use settings::Settings;

/// The topic that groups and their offsets are kept in.
pub const CONSUMER_OFFSETS: &str = "__consumer_offsets";

/// The topic, made now if it is missing (Kafka: `AutoTopicCreationManager`, `GroupCoordinatorConfig`). Its replication
/// factor is 1 whatever `offsets.topic.replication.factor` says: one node holds one copy, and without this topic there is
/// no group. Waits for syncs when it has to be made.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn ensure(catalog: &Catalog, settings: &Settings, now: Millis) -> Result<Arc<Topic>, TopicError> {
    if let Some(topic) = find(catalog) {
        return Ok(topic);
    }
    let config = |key: &str, value: String| (key.to_owned(), Some(value));
    let wish = NewTopic {
        partitions: settings.offsets_topic_num_partitions(),
        replication_factor: 1,
        configs: vec![
            config("cleanup.policy", "compact".to_owned()),
            config("compression.type", "producer".to_owned()),
            config("segment.bytes", settings.offsets_topic_segment_bytes().to_string()),
        ],
        ..NewTopic::with_defaults(CONSUMER_OFFSETS)
    };
    for made in catalog.create_topics(vec![wish], false, now) {
        match made {
            // Another request was quicker.
            Ok(_) | Err(TopicError::Refused(Refusal::Exists { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    find(catalog).ok_or(TopicError::Refused(Refusal::UnknownTopic))
}

/// The topic, if there is one.
pub(crate) fn find(catalog: &Catalog) -> Option<Arc<Topic>> {
    catalog.topics().by_name(CONSUMER_OFFSETS).cloned()
}
