//! The catalogue of one node: its topics, their ids and configurations, its partitions and producer ids, kept in Kafka's
//! own metadata log.
//!
//! [`Catalog::open`] looks at the data directory, refuses what is not ours to touch, formats what is empty, replays
//! `__cluster_metadata-0` and knows which partitions there are. A partition is opened when it is first asked for, unless
//! the last stop was not clean. Every change is one batch of the metadata log, fsynced before the answer.
//! Knows nothing of requests and connections.
//!
//! Its own calls block, and those that change something wait for an fsync: the caller chooses the thread.

mod catalog;
mod config;
mod error;
mod features;

pub use catalog::Catalog;
pub use config::CatalogConfig;
pub use error::{CatalogError, NoPartition, OpenError, TopicError};
pub use features::{FeatureLevel, FeatureRange, Features};
pub use settings::Endpoint;
pub use state_machines::topics::{CreatedTopic, NewPartitions, NewTopic, Refusal, Topic, TopicRef, Topics};
