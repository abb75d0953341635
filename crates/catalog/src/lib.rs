//! The catalogue of one node: its topics, their ids and configurations, its partitions and producer ids, kept in Kafka's
//! own metadata log.
//!
//! [`Catalog::open`] looks at the data directory, refuses what is not ours to touch, formats what is empty, replays
//! `__cluster_metadata-0` and knows which partitions there are. A partition is opened when it is first asked for, unless
//! the last stop was not clean. Every change is one batch of the metadata log, fsynced before the answer.
//! Knows nothing of requests and connections.
//!
//! Its own calls block, and those that change something wait for a sync: the caller chooses the thread.
//!
//! # What differs from a cluster of Kafka's
//! - Records of one start stand in fewer batches, and there are no NoOpRecords. Each batch is synced before the next is
//!   written, so a bad batch that good ones follow is damage, and refuses the start instead of being cut off with them.
//! - Leader epochs rise only at a start after an unclean stop, and where Kafka left a partition without a leader. A clean
//!   stop leaves the partitions their leader and only fences the broker.
//! - A directory that takes several nodes or several log directories is refused. Users, access rules and delegation tokens
//!   that Kafka stored are kept and named in the log, but not acted on.
//! - A snapshot of the metadata log begins a new segment, so that a start reads only what came after it.

mod batches;
mod bystanders;
mod catalog;
mod changes;
mod checkpoints;
mod clean_shutdown;
mod cleaning;
mod config;
mod configs;
mod convert;
mod deleted_records;
mod directories;
mod error;
mod feature_changes;
mod features;
mod files;
mod hosted;
mod image;
mod image_records;
mod inspection;
mod log_dir;
mod meta_properties;
mod metadata_log;
mod names;
mod open_transactions;
mod producer_ids;
mod progress;
mod quorum;
mod quorum_state;
mod quotas;
mod recovery_points;
mod registration;
mod replay;
mod snapshot_file;
mod snapshots;
mod start;
mod survey;
mod upkeep;
mod writer;

#[cfg(test)]
mod tests;

pub use catalog::Catalog;
pub use changes::Leave;
pub use cleaning::{Cleaner, Round};
pub use config::CatalogConfig;
pub use error::{
    CatalogError, ConfigsError, MetadataFault, NoPartition, OpenError, RecordsError, TopicError, Unservable,
};
pub use feature_changes::{FeatureError, FeatureRefusal, FeatureUpdate, UpgradeType};
pub use features::{FeatureLevel, FeatureRange, Features};
pub use inspection::{Inspection, VoterEndpoint, inspect};
pub use meta_properties::{MetaPropertiesError, random_cluster_id};
pub use open_transactions::OpenTransaction;
pub use quorum::QuorumState;
pub use settings::Endpoint;
pub use state_machines::configs::{
    Alteration, Change, Configs, Refusal as ConfigRefusal, Resource, ResourceType,
};
pub use state_machines::topics::{CreatedTopic, NewPartitions, NewTopic, Refusal, Topic, TopicRef, Topics};
