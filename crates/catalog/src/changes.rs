//! Creating, growing and deleting topics, and taking blocks of producer ids: one batch of the metadata log each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use base::{Millis, ProducerId, Uuid};
use disk::DiskError;
use log::LogError;
use state_machines::topics::{CreatedTopic, NewPartitions, NewTopic, Record, Rules, TopicRef};
use wire::metadata_records::ProducerIdsRecord;

use crate::catalog::{Catalog, State};
use crate::checkpoints::PointsByPartition;
use crate::directories::{self, Prepared};
use crate::error::{CatalogError, TopicError};
use crate::hosted::{Hosted, topic_settings};
use crate::meta_properties::is_reserved;
use crate::names::{deleted_dir, partition_dir};
use crate::producer_ids::BLOCK_SIZE;
use crate::registration;
use crate::writer::Writer;

/// How many new directories are made at a time: each takes an open file.
const DIRS_AT_A_TIME: usize = 256;

/// Says whether so many partitions may come or go, and counts them if so (Kafka: `applyPartitionChangeQuota`). Asked once
/// per topic, last of all.
pub type Leave<'a> = &'a mut dyn FnMut(usize) -> bool;

/// The leave of somebody without a quota.
fn always(_partitions: usize) -> bool {
    true
}

impl Catalog {
    /// Creates topics, in one batch of the metadata log; the answers stand in the order of the request. Each topic
    /// stands or falls alone. With `validate_only` nothing is created. Waits for syncs.
    pub fn create_topics(
        &self,
        topics: Vec<NewTopic>,
        validate_only: bool,
        now: Millis,
    ) -> Vec<Result<CreatedTopic, TopicError>> {
        self.create_topics_with(topics, validate_only, now, &mut always)
    }

    /// As [`Self::create_topics`], if `leave` is given.
    #[expect(clippy::needless_pass_by_value, reason = "callers make the list for this call")]
    pub fn create_topics_with(
        &self,
        topics: Vec<NewTopic>,
        validate_only: bool,
        now: Millis,
        leave: Leave<'_>,
    ) -> Vec<Result<CreatedTopic, TopicError>> {
        self.at(now);
        let mut writer = self.writer.lock();
        let check = |configs: &BTreeMap<String, String>| {
            self.ground.settings().topic(configs).map(drop).map_err(|error| error.to_string())
        };
        let mut id = || self.fresh_topic_id(&writer);
        let decided = writer.image.topics.create(&topics, &self.rules(), &check, &mut id);
        let mut records = Vec::new();
        let answers: Vec<Result<CreatedTopic, TopicError>> = decided
            .into_iter()
            .map(|decided| {
                let creation = decided?;
                ask(leave, usize::try_from(creation.topic.partitions).unwrap_or(0))?;
                records.extend(creation.records);
                Ok(creation.topic)
            })
            .collect();
        let stored = if validate_only { writer.check_open() } else { self.store(&mut writer, records, now) };
        if !validate_only && stored.is_ok() {
            for topic in answers.iter().flatten() {
                tracing::info!("created topic {} with {} partitions", topic.name, topic.partitions);
                if let Some(copies) = topic.clamped_from {
                    tracing::warn!(
                        "topic {} has 1 copy of each partition, not {copies} as was asked for: there is one node, and \
                         ottla.replication.factor.clamp is true",
                        topic.name
                    );
                }
            }
        }
        answer(answers, &stored)
    }

    /// Adds partitions to topics; the answers stand in the order of the request. Waits for syncs.
    pub fn create_partitions(
        &self,
        growths: Vec<NewPartitions>,
        validate_only: bool,
        now: Millis,
    ) -> Vec<Result<(), TopicError>> {
        self.create_partitions_with(growths, validate_only, now, &mut always)
    }

    /// As [`Self::create_partitions`], if `leave` is given.
    #[expect(clippy::needless_pass_by_value, reason = "callers make the list for this call")]
    pub fn create_partitions_with(
        &self,
        growths: Vec<NewPartitions>,
        validate_only: bool,
        now: Millis,
        leave: Leave<'_>,
    ) -> Vec<Result<(), TopicError>> {
        self.at(now);
        let mut writer = self.writer.lock();
        let mut records = Vec::new();
        let answers = writer.image.topics.grow(&growths, &self.rules());
        let answers = answers
            .into_iter()
            .map(|growth| {
                let growth = growth?;
                ask(leave, growth.records.len())?;
                records.extend(growth.records);
                Ok(())
            })
            .collect();
        let stored = if validate_only { writer.check_open() } else { self.store(&mut writer, records, now) };
        answer(answers, &stored)
    }

    /// Deletes topics and answers with the name and id of each, in the order of the request. Waits for syncs. The files
    /// are renamed now and removed `log.segment.delete.delay.ms` later.
    pub fn delete_topics(
        &self,
        topics: Vec<TopicRef>,
        now: Millis,
    ) -> Vec<Result<(String, Uuid), TopicError>> {
        self.delete_topics_with(topics, now, &mut always)
    }

    /// As [`Self::delete_topics`], if `leave` is given.
    #[expect(clippy::needless_pass_by_value, reason = "callers make the list for this call")]
    pub fn delete_topics_with(
        &self,
        topics: Vec<TopicRef>,
        now: Millis,
        leave: Leave<'_>,
    ) -> Vec<Result<(String, Uuid), TopicError>> {
        self.at(now);
        if !self.ground.given.delete_topic_enable() {
            return topics.iter().map(|_| Err(TopicError::DeletionDisabled)).collect();
        }
        let mut writer = self.writer.lock();
        let mut records = Vec::new();
        let answers: Vec<_> = writer
            .image
            .topics
            .delete(&topics)
            .into_iter()
            .map(|deletion| {
                let deletion = deletion?;
                let topic = writer.image.topics.by_id(deletion.id);
                ask(leave, topic.map_or(0, |topic| topic.partitions.len()))?;
                records.push(deletion.record);
                Ok((deletion.name.to_string(), deletion.id))
            })
            .collect();
        let before = self.state.load_full();
        let stored = self.store(&mut writer, records, now);
        if stored.is_ok() {
            let deleted = answers.iter().flatten().filter_map(|(_, id)| before.hosted.get(id));
            self.retire(deleted.map(Arc::as_ref), now);
        }
        answer(answers, &stored)
    }

    /// A producer id nobody ever had, if one is at hand without waiting.
    #[must_use]
    pub fn try_next_producer_id(&self) -> Option<ProducerId> {
        self.producer_ids.take()
    }

    /// A producer id nobody ever had. Waits for a sync when a new block has to be taken.
    ///
    /// # Errors
    /// When the metadata log cannot be written.
    pub fn next_producer_id(&self, now: Millis) -> Result<ProducerId, CatalogError> {
        self.at(now);
        if let Some(id) = self.producer_ids.take() {
            return Ok(id);
        }
        let mut writer = self.writer.lock();
        loop {
            // Somebody else may have taken a block while this call waited for the lock.
            if let Some(id) = self.producer_ids.take() {
                return Ok(id);
            }
            let first = writer.image.next_producer_id;
            let next_producer_id = first.checked_add(BLOCK_SIZE).ok_or(CatalogError::NoProducerIds)?;
            let record = ProducerIdsRecord {
                broker_id: self.node_id.0,
                broker_epoch: self.broker_epoch,
                next_producer_id,
            };
            writer.commit(vec![(record.into(), 0)], now)?;
            self.applied(&writer);
            self.producer_ids.refill(first..next_producer_id);
        }
    }

    /// Stores decided records, makes the directories of new partitions, and lets readers see the result.
    fn store(&self, writer: &mut Writer, records: Vec<Record>, now: Millis) -> Result<(), CatalogError> {
        if records.is_empty() {
            return writer.check_open();
        }
        let records = registration::to_wire(records, &writer.image.levels);
        writer.commit(records, now)?;
        let before = self.state.load();
        let topics = Arc::new(writer.image.topics.clone());
        let mut hosted = before.hosted.clone();
        hosted.retain(|id, _| topics.by_id(*id).is_some());
        let mut added = Vec::new();
        for topic in topics.iter() {
            let known = hosted.get(&topic.id);
            let slots = known.map_or(0, |known| known.slots.len());
            if slots == topic.partitions.len() {
                continue;
            }
            let settings = || topic_settings(&self.ground.settings(), topic);
            let grown = Hosted::new(topic, settings, known.map(Arc::as_ref), &PointsByPartition::new(), true);
            let grown = Arc::new(grown);
            added.extend((slots..topic.partitions.len()).map(|place| (Arc::clone(&grown), place)));
            hosted.insert(topic.id, grown);
        }
        added.chunks(DIRS_AT_A_TIME).for_each(|some| self.make_dirs(some));
        self.state.store(Arc::new(State {
            topics,
            hosted,
            configs: before.configs.clone(),
            group_overrides: Arc::clone(&before.group_overrides),
        }));
        self.applied(writer);
        Ok(())
    }

    /// Makes the directories of new partitions. The topics exist already, so where that fails the partition is offline
    /// until a restart makes it good.
    fn make_dirs(&self, added: &[(Arc<Hosted>, usize)]) {
        let mut ids = Vec::new();
        let offline = |(hosted, place): &(Arc<Hosted>, usize), error: &LogError| {
            let slot = &hosted.slots[*place];
            tracing::error!("partition {}-{} is offline until a restart: {error}", hosted.name, slot.index);
            slot.seal(&error.to_string());
        };
        for new in added {
            match directories::prepare(&self.ground, &new.0, new.0.slots[new.1].index) {
                Ok(Prepared::Made(id)) => ids.push(id),
                Ok(Prepared::Found) => {}
                Err(error) => offline(new, &error),
            }
        }
        if let Err(error) = directories::finish(&self.ground, ids) {
            added.iter().for_each(|new| offline(new, &error));
        }
    }

    /// Takes deleted topics off the disk. What fails here is made good at the next start.
    fn retire<'a>(&self, deleted: impl Iterator<Item = &'a Hosted>, now: Millis) {
        let ground = &self.ground;
        let due = now.plus(ground.settings().log_segment_delete_delay_ms());
        let mut upkeep = self.upkeep.lock();
        let mut first_error: Option<DiskError> = None;
        for hosted in deleted {
            tracing::info!("deleted topic {}", hosted.name);
            for slot in &hosted.slots {
                if let (Some(partition), _) = slot.seal("its topic was deleted") {
                    partition.abandon();
                }
                let dir = ground.data_dir.join(partition_dir(&hosted.name, slot.index));
                let renamed = ground.data_dir.join(deleted_dir(&hosted.name, slot.index, ground.random()));
                match ground.disk.rename(&dir, &renamed) {
                    Ok(()) => upkeep.remove_later(due, renamed),
                    Err(error) if error.is_not_found() => {}
                    Err(error) => first_error = first_error.or(Some(error)),
                }
            }
        }
        let synced = ground.disk.sync_dir(&ground.data_dir);
        if let Some(error) = first_error.or(synced.err()) {
            tracing::error!("{error}; the files of the deleted topic go at the next start");
        }
        // A new topic of the same name must not find the old one's offsets there.
        if let Err(error) = upkeep.forget_strangers(&self.state.load()) {
            tracing::error!("{error}");
        }
    }

    pub(crate) fn applied(&self, writer: &Writer) {
        self.metadata_offset.store(writer.end().0 - 1, Ordering::Relaxed);
    }

    fn rules(&self) -> Rules {
        let settings = &self.ground.given;
        Rules {
            partitions: settings.num_partitions(),
            replication_factor: i16::try_from(settings.default_replication_factor()).unwrap_or(i16::MAX),
            node: self.node_id,
            directory: self.directory,
            clamp: settings.replication_factor_clamp(),
        }
    }

    fn fresh_topic_id(&self, writer: &Writer) -> Uuid {
        loop {
            let id = self.ground.random();
            let is_taken =
                writer.image.topics.by_id(id).is_some() || writer.image.removed_topics.contains(&id);
            if !is_reserved(id) && !is_taken {
                return id;
            }
        }
    }
}

fn ask(leave: &mut dyn FnMut(usize) -> bool, partitions: usize) -> Result<(), TopicError> {
    if leave(partitions) { Ok(()) } else { Err(TopicError::OverQuota) }
}

/// What was decided, unless what was to be stored could not be.
fn answer<T>(
    decided: Vec<Result<T, TopicError>>,
    stored: &Result<(), CatalogError>,
) -> Vec<Result<T, TopicError>> {
    let one = |decided: Result<T, TopicError>| {
        let decided = decided?;
        stored.clone()?;
        Ok(decided)
    };
    decided.into_iter().map(one).collect()
}
