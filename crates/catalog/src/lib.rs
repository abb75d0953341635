//! The catalogue of one node: its topics, their ids and configurations, its partitions and producer ids, kept in Kafka's
//! own metadata log.
//!
//! [`Catalog::open`] looks at the data directory, refuses what is not ours to touch, formats what is empty, replays
//! `__cluster_metadata-0` and knows which partitions there are. A partition is opened when it is first asked for, unless
//! the last stop was not clean. Every change is one batch of the metadata log, fsynced before the answer.
//! Knows nothing of requests and connections.
//!
//! Its own calls block, and those that change something wait for an fsync: the caller chooses the thread.

mod batches;
mod catalog;
mod changes;
mod checkpoints;
mod clean_shutdown;
mod config;
mod convert;
mod directories;
mod error;
mod features;
mod files;
mod hosted;
mod image;
mod meta_properties;
mod metadata_log;
mod names;
mod producer_ids;
mod quorum_state;
mod registration;
mod replay;
mod start;
mod survey;
mod upkeep;
mod writer;

#[cfg(test)]
mod tests;

pub use catalog::Catalog;
pub use config::CatalogConfig;
pub use error::{CatalogError, MetadataFault, NoPartition, OpenError, TopicError, Unservable};
pub use features::{FeatureLevel, FeatureRange, Features};
pub use meta_properties::MetaPropertiesError;
pub use settings::Endpoint;
pub use state_machines::topics::{CreatedTopic, NewPartitions, NewTopic, Refusal, Topic, TopicRef, Topics};
