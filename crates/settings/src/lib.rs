//! The settings of the broker and of its topics: one declared table, under Kafka's names.
//!
//! [`TABLE`] holds a row per key: name, type, default, what is allowed, and a line that says what it does. Values come
//! in as text ([`Settings::set`]), are checked against their row, and go out typed: broker values through the getters
//! of [`Settings`], topic values as one [`TopicSettings`] that is resolved from the topic's own overrides, then the
//! broker's synonyms, then the defaults ([`Settings::topic`]). The room knows nothing of what a setting does.
//!
//! - A broker key of Kafka's that can have no effect here is in a list of its own, with the reason ([`Table::idle`]): its
//!   value is checked and kept, and nothing looks at it. What Kafka does not know either is
//!   [`SettingError::Unknown`], which callers turn into a warning.
//! - A value is kept with the place it was given ([`Origin`]); what was changed while the broker ran lies above
//!   ([`Settings::with_changes`]), and [`Settings::broker_entries`] and [`Settings::topic_entries`] say which layer counts.
//! - A topic key that Kafka knows is always in the table, because Kafka refuses unknown ones with an error and clients
//!   set the known ones; rows whose [`TopicRow::effect`] is [`Effect::Stored`] are kept and answered, and do nothing.
//! - Defaults and bounds are those of Apache Kafka 4.1, with these exceptions. `max.connections`, `max.connections.per.ip`,
//!   `queued.max.request.bytes`, `group.max.size` and `group.consumer.max.size` are "without limit" in Kafka and finite here.
//!   `socket.receive.buffer.bytes` is left to the kernel, which takes a quarter of the CPU off a large produce.
//!   `num.network.threads` is the number of processors. Where Kafka's default makes no sense on a laptop, ours does:
//!   `listeners` is one on 127.0.0.1, `log.dir` is `./ottla-data`, `node.id` is 1.

mod broker;
mod consumer_groups;
mod docs;
mod error;
mod idle;
mod layers;
mod listeners;
mod nearest;
mod origin;
mod resources;
mod roles;
mod settings;
mod topic;
mod value;

pub use broker::{BrokerRow, Scope};
pub use docs::render_markdown;
pub use error::SettingError;
pub use idle::{IdleRow, Reason};
pub use layers::{BrokerEntry, Entry, Source, SynonymValue};
pub use listeners::{Endpoint, parse_host_port};
pub use origin::{Given, Origin};
pub use resources::{ResourceEntry, ResourceRow, check_client_metrics, client_metrics_entries};
pub use settings::{BrokerKey, Settings};
pub use topic::{Compression, Effect, Synonym, TimestampType, TopicRow, TopicSettings};
pub use value::{Allowed, Kind};

/// The whole declared table: the keys of the broker, those without effect, and the keys of topics, groups and subscriptions to
/// client metrics.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// One row per broker key that has an effect, sorted as they are documented.
    pub broker: &'static [BrokerRow],
    /// One row per broker key of Kafka's that is taken and has none.
    pub idle: &'static [IdleRow],
    /// One row per topic key, sorted by name.
    pub topic: &'static [TopicRow],
    /// One row per key of a group, sorted by name.
    pub group: &'static [ResourceRow],
    /// One row per key of a subscription to client metrics, sorted by name.
    pub client_metrics: &'static [ResourceRow],
}

/// What can be set, and how.
pub const TABLE: Table = Table {
    broker: broker::ROWS,
    idle: idle::ROWS,
    topic: topic::ROWS,
    group: resources::GROUP,
    client_metrics: resources::CLIENT_METRICS,
};
