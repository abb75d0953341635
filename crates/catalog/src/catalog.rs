//! The public face: what the broker asks of its catalogue.

use std::sync::Arc;

use base::{Millis, NodeId, Offset, PartitionIndex, ProducerId, Uuid};
use disk::Disk;
use partition::Partition;
use settings::TopicSettings;
use state_machines::topics::{CreatedTopic, NewPartitions, NewTopic, TopicRef, Topics};

use crate::config::CatalogConfig;
use crate::error::{CatalogError, NoPartition, OpenError, TopicError};
use crate::features::Features;

/// One node's topics, partitions and producer ids. Shared by all threads.
#[derive(Debug)]
pub struct Catalog {}

impl Catalog {
    /// Opens the data directory, or formats it when it is empty or missing. `random` gives random (version 4) ids.
    ///
    /// # Errors
    /// When the directory is not ours to serve, or cannot be read or written; the message says what to do.
    pub fn open(
        disk: Arc<dyn Disk>,
        config: CatalogConfig,
        random: &mut dyn FnMut() -> Uuid,
        now: Millis,
    ) -> Result<Arc<Self>, OpenError> {
        let _ = (disk, config, random, now);
        todo!()
    }

    /// As [`Self::open`], without taking `.lock`: for a disk that is not the file system's, as tests have it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_unlocked(
        disk: Arc<dyn Disk>,
        config: CatalogConfig,
        random: &mut dyn FnMut() -> Uuid,
        now: Millis,
    ) -> Result<Arc<Self>, OpenError> {
        let _ = (disk, config, random, now);
        todo!()
    }

    /// The cluster's id, as `meta.properties` has it: usually 22 characters of base64url.
    pub fn cluster_id(&self) -> &str {
        todo!()
    }

    /// This node.
    pub fn node_id(&self) -> NodeId {
        todo!()
    }

    /// The last offset of the metadata log that is applied: ApiVersions' `finalized_features_epoch`.
    pub fn metadata_offset(&self) -> Offset {
        todo!()
    }

    /// The epoch this broker got when it registered at this start (the offset of its RegisterBrokerRecord).
    pub fn broker_epoch(&self) -> i64 {
        todo!()
    }

    /// Supported and finalized features.
    pub fn features(&self) -> Features {
        todo!()
    }

    /// The topics as they stand now. Cheap; the image handed out never changes.
    pub fn topics(&self) -> Arc<Topics> {
        todo!()
    }

    /// The partition `index` of `topic`, opened now if nobody asked for it before.
    ///
    /// # Errors
    /// When there is no such partition, or its log cannot be opened.
    pub fn partition(&self, topic: Uuid, index: PartitionIndex) -> Result<Arc<Partition>, NoPartition> {
        let _ = (topic, index);
        todo!()
    }

    /// The topic's settings: its own over the broker's. `None` for an unknown topic.
    pub fn topic_settings(&self, topic: Uuid) -> Option<Arc<TopicSettings>> {
        let _ = topic;
        todo!()
    }

    /// Creates topics, in one batch of the metadata log; the answers stand in the order of the request. Each topic
    /// stands or falls alone. With `validate_only` nothing is created, and the ids in the answers are all zero.
    /// Waits for an fsync.
    pub fn create_topics(
        &self,
        topics: Vec<NewTopic>,
        validate_only: bool,
        now: Millis,
    ) -> Vec<Result<CreatedTopic, TopicError>> {
        let _ = (topics, validate_only, now);
        todo!()
    }

    /// Adds partitions to topics; the answers stand in the order of the request. Waits for an fsync.
    pub fn create_partitions(
        &self,
        growths: Vec<NewPartitions>,
        validate_only: bool,
        now: Millis,
    ) -> Vec<Result<(), TopicError>> {
        let _ = (growths, validate_only, now);
        todo!()
    }

    /// Deletes topics and answers with the name and id of each, in the order of the request. Waits for an fsync; the
    /// files go `file.delete.delay.ms` later.
    pub fn delete_topics(&self, topics: Vec<TopicRef>, now: Millis) -> Vec<Result<(String, Uuid), TopicError>> {
        let _ = (topics, now);
        todo!()
    }

    /// A producer id nobody ever had, if one is at hand without waiting.
    pub fn try_next_producer_id(&self) -> Option<ProducerId> {
        todo!()
    }

    /// A producer id nobody ever had. Waits for an fsync when a new block has to be allocated.
    ///
    /// # Errors
    /// When the metadata log cannot be written.
    pub fn next_producer_id(&self, now: Millis) -> Result<ProducerId, CatalogError> {
        let _ = now;
        todo!()
    }

    /// What is due by now: checkpoint files, the partitions' own upkeep (retention, expiry, timed flushes), removal of
    /// deleted directories. Blocks; call it about once a second from a thread that may wait.
    pub fn tend(&self, now: Millis) {
        let _ = now;
        todo!()
    }

    /// The clean stop: closes every partition, then the metadata log, writes the checkpoints, and last the marker of a
    /// clean shutdown. Later calls that change something answer [`CatalogError::Closed`].
    ///
    /// # Errors
    /// When something could not be written; then the marker is not written, and the next start recovers.
    pub fn close(&self, now: Millis) -> Result<(), CatalogError> {
        let _ = now;
        todo!()
    }
}
