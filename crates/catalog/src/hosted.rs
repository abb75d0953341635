//! The partitions of a topic as this node holds them: opened when first asked for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use base::{LeaderEpoch, Millis, Offset, PartitionIndex, Uuid};
use disk::Disk;
use log::clean::Compaction;
use log::{Known, LogConfig};
use parking_lot::Mutex;
use partition::{Flusher, Partition, PartitionConfig, PartitionError};
use settings::{Settings, TopicSettings};
use state_machines::topics::{PartitionInfo, Topic, Topics};

use crate::checkpoints::{Points, PointsByPartition};
use crate::cleaning::Cleaning;
use crate::directories::{self, Prepared, has_records};
use crate::names::partition_dir;
use crate::progress;

/// Threads that close partitions: most of it is waiting for the disk, which flushes many files at a time.
const CLOSING_THREADS: usize = 8;

/// Gives random (version 4) ids.
pub(crate) type Random = Box<dyn FnMut() -> Uuid + Send>;

/// What opening a partition takes, shared by all of them.
pub(crate) struct Ground {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) data_dir: PathBuf,
    /// As they were given at the start.
    pub(crate) given: Arc<Settings>,
    /// With what was changed since.
    pub(crate) settings: ArcSwap<Settings>,
    pub(crate) flusher: Arc<Flusher>,
    pub(crate) random: Mutex<Random>,
    /// Whether all is done on the calling thread, so that file operations come in the same order each time.
    pub(crate) in_order: bool,
    /// The latest time that a caller brought along.
    pub(crate) clock: AtomicI64,
}

impl std::fmt::Debug for Ground {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ground").field("data_dir", &self.data_dir).finish_non_exhaustive()
    }
}

impl Ground {
    /// The broker's settings as they are now.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// From now on these are the settings. Whoever keeps some of them is told by others.
    pub(crate) fn set_settings(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// The time as far as it is known here.
    pub(crate) fn now(&self) -> Millis {
        Millis(self.clock.load(Ordering::Relaxed))
    }

    pub(crate) fn at(&self, now: Millis) {
        self.clock.fetch_max(now.0, Ordering::Relaxed);
    }

    pub(crate) fn random(&self) -> Uuid {
        (self.random.lock())()
    }
}

/// A topic as this node holds it. Replaced as a whole when partitions are added.
#[derive(Debug)]
pub(crate) struct Hosted {
    pub(crate) name: Arc<str>,
    pub(crate) id: Uuid,
    /// Shared with those that it replaces and that replace it: a partition may be opened through any of them.
    settings: Arc<ArcSwap<TopicSettings>>,
    /// Number `i` at place `i`.
    pub(crate) slots: Vec<Arc<Slot>>,
}

/// All topics, by id, and gone through in that order.
pub(crate) type HostedTopics = BTreeMap<Uuid, Arc<Hosted>>;

/// One partition, opened or not.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) index: PartitionIndex,
    leader_epoch: LeaderEpoch,
    /// What the checkpoint files said at the start.
    points: Points,
    /// Whether the last stop was clean.
    clean: bool,
    opened: OnceLock<Arc<Partition>>,
    pub(crate) cleaning: Cleaning,
    /// Why it will not be opened, if so. Held while it is being opened.
    closed: Mutex<Option<String>>,
}

impl Hosted {
    /// The topic, with the partitions that `before` already held.
    pub(crate) fn new(
        topic: &Topic,
        settings: impl FnOnce() -> Arc<TopicSettings>,
        before: Option<&Hosted>,
        known: &PointsByPartition,
        clean: bool,
    ) -> Self {
        let slot = |(index, info): (i32, &PartitionInfo)| {
            let index = PartitionIndex(index);
            let points = known.get(&(Arc::clone(&topic.name), index)).copied().unwrap_or_default();
            Arc::new(Slot {
                index,
                leader_epoch: info.leader_epoch,
                points,
                cleaning: Cleaning::new(points.first_dirty),
                clean,
                opened: OnceLock::new(),
                closed: Mutex::new(None),
            })
        };
        let kept = before.map_or(&[][..], |before| &before.slots);
        let added = (0..).zip(&topic.partitions).skip(kept.len()).map(slot);
        let slots = kept.iter().cloned().chain(added).collect();
        let settings = match before {
            Some(before) => Arc::clone(&before.settings),
            None => Arc::new(ArcSwap::new(settings())),
        };
        Self { name: Arc::clone(&topic.name), id: topic.id, settings, slots }
    }

    /// The topic's settings as they are now.
    pub(crate) fn settings(&self) -> Arc<TopicSettings> {
        self.settings.load_full()
    }

    /// From now on these are the topic's settings, also for its open partitions.
    pub(crate) fn set_settings(&self, settings: Arc<TopicSettings>, ground: &Ground) {
        let config = partition_config(&ground.settings(), &settings);
        self.settings.store(settings);
        for slot in &self.slots {
            // One that is being opened may have begun with the old ones.
            let _not_half_way = slot.closed.lock();
            if let Some(partition) = slot.opened.get() {
                partition.set_config(config.clone());
            }
        }
    }

    pub(crate) fn slot(&self, index: PartitionIndex) -> Option<&Arc<Slot>> {
        self.slots.get(usize::try_from(index.0).ok()?)
    }

    /// The partition of `slot`, opened now if need be.
    ///
    /// # Errors
    /// Says why it cannot be opened; a partition that could not be opened stays so.
    pub(crate) fn open(&self, slot: &Slot, ground: &Ground) -> Result<Arc<Partition>, String> {
        if let Some(partition) = slot.opened.get() {
            return Ok(Arc::clone(partition));
        }
        let mut closed = slot.closed.lock();
        if let Some(partition) = slot.opened.get() {
            return Ok(Arc::clone(partition));
        }
        if let Some(reason) = &*closed {
            return Err(reason.clone());
        }
        match self.open_slot(slot, ground) {
            Ok(partition) => Ok(Arc::clone(slot.opened.get_or_init(|| partition))),
            Err(error) => {
                tracing::error!("partition {}-{} is offline until a restart: {error}", self.name, slot.index);
                let reason = error.to_string();
                *closed = Some(reason.clone());
                Err(reason)
            }
        }
    }

    fn open_slot(&self, slot: &Slot, ground: &Ground) -> Result<Arc<Partition>, PartitionError> {
        let dir = ground.data_dir.join(partition_dir(&self.name, slot.index));
        let is_ours = match directories::prepare(ground, self, slot.index)? {
            Prepared::Found => true,
            Prepared::Made(id) => {
                directories::finish(ground, vec![id])?;
                false
            }
        };
        let points = if is_ours { slot.points } else { Points::default() };
        if !is_ours {
            slot.cleaning.forget();
        }
        let known = Known {
            clean: slot.clean && is_ours,
            recovery_point: points.recovery_point.unwrap_or(Offset::ZERO),
            log_start: points.log_start.unwrap_or(Offset::ZERO),
        };
        let config = partition_config(&ground.settings(), &self.settings());
        let (partition, opened) = Partition::open(
            Arc::clone(&ground.disk),
            Arc::clone(&ground.flusher),
            &dir,
            config,
            known,
            slot.leader_epoch,
            ground.now(),
        )?;
        slot.cleaning.cut(partition.marks().log_end);
        if opened.log.truncated_bytes > 0 || !opened.log.dropped_segments.is_empty() {
            tracing::info!(
                "recovered {}-{}: checked {} bytes, cut {} bytes and {} segments after them",
                self.name,
                slot.index,
                opened.log.scanned_bytes,
                opened.log.truncated_bytes,
                opened.log.dropped_segments.len()
            );
        }
        for damage in &opened.log.damage {
            tracing::error!(
                "{} is damaged: the {} bytes from position {} on, which were on disk once, are no batches (offsets {} to {})",
                damage.file.display(),
                damage.len,
                damage.position,
                damage.first,
                damage.next
            );
        }
        Ok(partition)
    }

    /// Whether retention might find something to delete in a partition that nobody opened yet.
    pub(crate) fn may_lose_segments(&self, slot: &Slot, ground: &Ground) -> bool {
        let settings = self.settings();
        let limited = settings.retention_ms >= 0 || settings.retention_bytes >= 0;
        let dir = ground.data_dir.join(partition_dir(&self.name, slot.index));
        // What lies below the log start goes whatever the policy.
        (slot.points.log_start.is_some() || settings.delete && limited)
            && ground.disk.list(&dir).is_ok_and(|entries| entries.iter().any(has_records))
    }

    /// Whether compaction might find something in a partition that nobody opened yet: more than one segment.
    pub(crate) fn may_be_dirty(&self, slot: &Slot, ground: &Ground) -> bool {
        let dir = ground.data_dir.join(partition_dir(&self.name, slot.index));
        let has_two =
            |entries: Vec<disk::Entry>| entries.iter().filter(|entry| has_records(entry)).count() > 1;
        ground.disk.list(&dir).is_ok_and(has_two)
    }
}

impl Slot {
    /// The partition, if it was opened.
    pub(crate) fn opened(&self) -> Option<&Arc<Partition>> {
        self.opened.get()
    }

    /// Whether it could not be opened, or must not be any more.
    pub(crate) fn is_offline(&self) -> bool {
        self.closed.lock().is_some()
    }

    /// Keeps the partition from being opened from now on, and gives it out if it already was. The second value says
    /// whether it could not be opened before.
    pub(crate) fn seal(&self, reason: &str) -> (Option<&Arc<Partition>>, bool) {
        let mut closed = self.closed.lock();
        let was_offline = closed.is_some();
        closed.get_or_insert_with(|| reason.to_owned());
        (self.opened.get(), was_offline)
    }

    /// What the checkpoint files shall say.
    pub(crate) fn points(&self) -> Points {
        let first_dirty = self.cleaning.first_dirty();
        let Some(partition) = self.opened.get() else { return Points { first_dirty, ..self.points } };
        let marks = partition.marks();
        let first = partition.log().segment_bases().first().copied();
        Points {
            recovery_point: Some(marks.flushed),
            // Never above what is on disk: a log that ended below its start after a power loss would be dropped.
            log_start: Some(marks.log_start.min(marks.flushed))
                .filter(|start| first.is_some_and(|first| *start > first)),
            high_watermark: Some(marks.high_watermark),
            first_dirty,
        }
    }
}

/// All topics of `topics`, none of their partitions opened.
pub(crate) fn host_all(
    topics: &Topics,
    settings: &Settings,
    known: &PointsByPartition,
    clean: bool,
) -> HostedTopics {
    // Most topics have no settings of their own, and share these.
    let mut plain: Option<Arc<TopicSettings>> = None;
    let mut host = |topic: &Arc<Topic>| {
        let resolved = match (&plain, topic.configs.is_empty()) {
            (Some(plain), true) => Arc::clone(plain),
            _ => topic_settings(settings, topic),
        };
        if topic.configs.is_empty() {
            plain.get_or_insert_with(|| Arc::clone(&resolved));
        }
        (topic.id, Arc::new(Hosted::new(topic, || resolved, None, known, clean)))
    };
    topics.iter().map(&mut host).collect()
}

/// The settings of a topic. A stored override that is not known here, or cannot be what it is, counts as not given.
pub(crate) fn topic_settings(settings: &Settings, topic: &Topic) -> Arc<TopicSettings> {
    let resolved = settings.topic(&topic.configs).or_else(|_| {
        let mut kept = BTreeMap::new();
        for (key, value) in &topic.configs {
            let mut with = kept.clone();
            with.insert(key.clone(), value.clone());
            match settings.topic(&with) {
                Ok(_) => kept = with,
                Err(error) => tracing::warn!("a setting of topic {} is not acted on: {error}", topic.name),
            }
        }
        settings.topic(&kept)
    });
    Arc::new(resolved.expect("the start sees that the broker's own settings make up a topic's"))
}

/// Opens every partition, on as many threads as there are processors: after an unclean stop each is recovered. One that
/// cannot be opened is offline and does not keep the others.
pub(crate) fn open_all(hosted: &HostedTopics, ground: &Ground) {
    let open = |hosted: &Hosted, slot: &Slot| {
        // The reason is remembered in the slot, and logged.
        let _ = hosted.open(slot, ground);
    };
    if ground.in_order {
        for_each_slot(hosted, 1, open);
        return;
    }
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    progress::told(ground.flusher.logs().checks(), || for_each_slot(hosted, processors, open));
}

/// Closes every partition, so that none is opened any more.
///
/// # Errors
/// Says what went wrong first; the others are closed all the same.
pub(crate) fn close_all(hosted: &HostedTopics, ground: &Ground, now: Millis) -> Result<(), String> {
    let failure = Mutex::new(None);
    for_each_slot(hosted, if ground.in_order { 1 } else { CLOSING_THREADS }, |hosted, slot| {
        let (opened, was_offline) = slot.seal("the broker is stopping");
        let name = || format!("partition {}-{}", hosted.name, slot.index);
        let result = match opened {
            Some(partition) => partition.close(now).map_err(|error| format!("{}: {error}", name())),
            None if was_offline => Err(format!("{} was offline", name())),
            None => Ok(()),
        };
        if let Err(reason) = result {
            failure.lock().get_or_insert(reason);
        }
    });
    failure.into_inner().map_or(Ok(()), Err)
}

/// Calls `work` for every partition, on several threads.
fn for_each_slot(hosted: &HostedTopics, threads: usize, work: impl Fn(&Hosted, &Slot) + Sync) {
    let slots: Vec<(&Hosted, &Slot)> =
        hosted.values().flat_map(|hosted| hosted.slots.iter().map(|slot| (&**hosted, &**slot))).collect();
    let threads = threads.min(slots.len());
    let next = AtomicUsize::new(0);
    let work_on = || {
        while let Some((hosted, slot)) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(hosted, slot);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work_on);
        }
        work_on();
    });
}

/// What a partition of a topic with these settings is told.
pub(crate) fn partition_config(settings: &Settings, topic: &TopicSettings) -> PartitionConfig {
    PartitionConfig {
        log: LogConfig {
            segment_bytes: topic.segment_bytes,
            // A segment that is not rolled is not compacted either.
            segment_ms: if topic.compact {
                topic.segment_ms.min(topic.max_compaction_lag_ms)
            } else {
                topic.segment_ms
            },
            segment_jitter_ms: topic.segment_jitter_ms,
            segment_index_bytes: topic.segment_index_bytes,
            index_interval_bytes: topic.index_interval_bytes,
            preallocate: topic.preallocate,
            file_delete_delay_ms: topic.file_delete_delay_ms,
            retention_ms: topic.retention_ms,
            retention_bytes: topic.retention_bytes,
            delete_enabled: topic.delete,
            compact_enabled: topic.compact,
            compaction: Compaction {
                min_dirty_ratio: topic.min_cleanable_dirty_ratio,
                delete_retention_ms: topic.delete_retention_ms,
                min_lag_ms: topic.min_compaction_lag_ms,
                max_lag_ms: topic.max_compaction_lag_ms,
            },
        },
        flush_messages: topic.flush_messages,
        flush_ms: topic.flush_ms,
        producer_expiration_ms: settings.producer_id_expiration_ms().into(),
        producer_expiration_check_ms: settings.producer_id_expiration_check_interval_ms().into(),
        retention_check_ms: settings.log_retention_check_interval_ms(),
        first_retention_ms: settings.log_initial_task_delay_ms(),
    }
}
