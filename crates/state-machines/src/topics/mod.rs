//! The topics of a cluster, and the rules by which they come, grow and go (Kafka: `ReplicationControlManager`).
//!
//! [`Topics`] is an image. [`Topics::create`], [`Topics::grow`] and [`Topics::delete`] judge a request against it and
//! answer with [`Record`]s; they change nothing. [`Topics::apply`] is the only way the image changes, for a fresh decision
//! as for a replay of the metadata log, so that replaying the log gives the same image. Knows nothing of files, clocks or
//! randomness: topic ids come in from the caller.

mod decide;
mod image;
pub mod name;
mod refusal;

pub use decide::{
    ConfigCheck, CreatedTopic, Creation, Deletion, Growth, MAX_PARTITIONS_PER_REQUEST, NewPartitions,
    NewTopic, Rules, TopicRef,
};
pub use image::{Absurd, PartitionChange, PartitionInfo, Record, Topic, Topics};
pub use refusal::Refusal;

#[cfg(test)]
mod tests;
