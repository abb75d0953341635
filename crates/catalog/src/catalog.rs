//! The public face: what the broker asks of its catalogue.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use base::{Millis, NodeId, Offset, PartitionIndex, Uuid};
use disk::{DirLock, Disk};
use parking_lot::Mutex;
use partition::Partition;
use settings::TopicSettings;
use state_machines::configs::Configs;
use state_machines::quotas::Quotas;
use state_machines::topics::Topics;

use crate::checkpoints::PointsByPartition;
use crate::config::CatalogConfig;
use crate::configs::{GroupOverridesById, SettingsListener};
use crate::error::{NoPartition, OpenError};
use crate::features::{Features, Levels, SUPPORTED};
use crate::hosted::{Ground, HostedTopics, Random};
use crate::producer_ids::ProducerIds;
use crate::quorum::Leadership;
use crate::start::{self, Guard};
use crate::upkeep::Upkeep;
use crate::writer::Writer;

/// One node's topics, partitions and producer ids. Shared by all threads.
///
/// Locks are taken in the order `snapshotting`, `writer`, `upkeep`, a partition's own. Reading takes none of them: readers see one
/// state, which is replaced as a whole after a change is on disk.
pub struct Catalog {
    pub(crate) cluster_id: String,
    pub(crate) node_id: NodeId,
    /// The id of the data directory.
    pub(crate) directory: Uuid,
    pub(crate) broker_epoch: i64,
    pub(crate) quotas: ArcSwap<Quotas>,
    /// The feature levels.
    pub(crate) levels: ArcSwap<Levels>,
    /// Who leads the metadata log.
    pub(crate) leadership: Leadership,
    pub(crate) state: ArcSwap<State>,
    /// The last offset of the metadata log that is applied.
    pub(crate) metadata_offset: AtomicI64,
    pub(crate) producer_ids: ProducerIds,
    pub(crate) writer: Mutex<Writer>,
    /// Held while a snapshot of the metadata log is written, which does not take the writer.
    pub(crate) snapshotting: Mutex<()>,
    pub(crate) upkeep: Mutex<Upkeep>,
    /// Who is told of changed settings.
    pub(crate) told: Mutex<Vec<SettingsListener>>,
    /// Let go of at the end of a stop.
    pub(crate) lock: Mutex<Option<DirLock>>,
    pub(crate) ground: Ground,
}

/// What readers see. Topics and the partitions of theirs always belong together.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) topics: Arc<Topics>,
    pub(crate) hosted: HostedTopics,
    /// The configurations of everything but topics.
    pub(crate) configs: Configs,
    /// What of them the group machines go by.
    pub(crate) group_overrides: Arc<GroupOverridesById>,
}

impl State {
    /// What the checkpoint files shall say.
    pub(crate) fn points(&self) -> PointsByPartition {
        let of = |hosted: &Arc<crate::hosted::Hosted>| {
            let name = Arc::clone(&hosted.name);
            let point =
                move |slot: &Arc<crate::hosted::Slot>| ((Arc::clone(&name), slot.index), slot.points());
            hosted.slots.iter().map(point).collect::<Vec<_>>()
        };
        self.hosted.values().flat_map(of).collect()
    }
}

impl Catalog {
    /// Opens the data directory, or formats it when it is empty or missing, and takes its lock. `random` gives random
    /// (version 4) ids, now and later. Every partition is recovered now if the last stop was not clean.
    ///
    /// # Errors
    /// When the directory is not ours to serve, or cannot be read or written; the message says what to do.
    pub fn open(
        disk: Arc<dyn Disk>,
        config: CatalogConfig,
        random: Box<dyn FnMut() -> Uuid + Send>,
        now: Millis,
    ) -> Result<Arc<Self>, OpenError> {
        start::open(disk, config, random as Random, now)
    }

    /// As [`Self::open`], without taking the lock: for a disk that is not the file system's, as tests have it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_unlocked(
        disk: Arc<dyn Disk>,
        config: CatalogConfig,
        random: Box<dyn FnMut() -> Uuid + Send>,
        now: Millis,
    ) -> Result<Arc<Self>, OpenError> {
        start::open_locked(disk, config, random as Random, now, Guard::Nobody)
    }

    /// As [`Self::open_unlocked`], and everything that other threads would do is done by whoever calls: the same calls then
    /// make the same file operations in the same order.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_in_order(
        disk: Arc<dyn Disk>,
        config: CatalogConfig,
        random: Box<dyn FnMut() -> Uuid + Send>,
        now: Millis,
    ) -> Result<Arc<Self>, OpenError> {
        start::open_locked(disk, config, random as Random, now, Guard::NobodyInOrder)
    }

    /// The cluster's id, as `meta.properties` has it: usually 22 characters of base64url.
    #[must_use]
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// This node.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        self.node_id
    }

    /// The last offset of the metadata log that is applied: ApiVersions' `finalized_features_epoch`.
    #[must_use]
    pub fn metadata_offset(&self) -> Offset {
        Offset(self.metadata_offset.load(Ordering::Relaxed))
    }

    /// The epoch this broker got when it registered at this start: the offset of its RegisterBrokerRecord.
    #[must_use]
    pub fn broker_epoch(&self) -> i64 {
        self.broker_epoch
    }

    /// Supported and finalized features.
    #[must_use]
    pub fn features(&self) -> Features {
        Features { supported: SUPPORTED, finalized: self.levels.load().finalized() }
    }

    /// The level of a feature that the cluster has agreed on; 0 for none.
    #[must_use]
    pub fn feature_level(&self, name: &str) -> i16 {
        self.levels.load().of(name)
    }

    /// The topics as they stand now. Cheap; the image handed out never changes.
    #[must_use]
    pub fn topics(&self) -> Arc<Topics> {
        Arc::clone(&self.state.load().topics)
    }

    /// The partition `index` of `topic`, opened now if nobody asked for it before.
    ///
    /// # Errors
    /// When there is no such partition, or its log cannot be opened.
    pub fn partition(&self, topic: Uuid, index: PartitionIndex) -> Result<Arc<Partition>, NoPartition> {
        let state = self.state.load();
        let unknown = NoPartition::Unknown { topic, index };
        let hosted = state.hosted.get(&topic).ok_or_else(|| unknown.clone())?;
        let slot = hosted.slot(index).ok_or(unknown)?;
        hosted.open(slot, &self.ground).map_err(|reason| NoPartition::Offline {
            topic: hosted.name.to_string(),
            index,
            reason,
        })
    }

    /// The topic's settings: its own over the broker's. `None` for an unknown topic.
    #[must_use]
    pub fn topic_settings(&self, topic: Uuid) -> Option<Arc<TopicSettings>> {
        Some(self.state.load().hosted.get(&topic)?.settings())
    }

    /// Notes the time that a caller brought along.
    pub(crate) fn at(&self, now: Millis) {
        self.ground.at(now);
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog")
            .field("cluster_id", &self.cluster_id)
            .field("node_id", &self.node_id)
            .field("data_dir", &self.ground.data_dir)
            .finish_non_exhaustive()
    }
}
