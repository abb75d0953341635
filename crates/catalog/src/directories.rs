//! Which directories belong to which partition, how they are made, and what becomes of the others.

use std::path::PathBuf;

use base::{Millis, PartitionIndex};
use disk::{DiskError, Entry};
use log::LogError;
use log::checkpoint::{PARTITION_METADATA, format_partition_metadata, read_partition_metadata};
use log::names::{FileName, Kind};

use crate::error::OpenError;
use crate::files::Pending;
use crate::hosted::{Ground, Hosted};
use crate::image::MetadataImage;
use crate::names::{deleted_dir, partition_dir, stray_dir};
use crate::survey::Survey;

/// Threads that sync the ids of many new partitions.
const SYNCING_THREADS: usize = 8;
/// A thread is not worth its while for fewer.
const LEAST_SHARE: usize = 8;

/// A directory to be removed, and when.
pub(crate) type Removal = (Millis, PathBuf);

/// Renames the directories of partitions that do not exist: those of deleted topics, whose deletion a crash cut short,
/// go the way of the others; what nobody knows is set aside, as Kafka does. Returns what is to be removed.
///
/// # Errors
/// When a directory cannot be looked at or renamed.
pub(crate) fn sort(
    ground: &Ground,
    survey: &Survey,
    image: &MetadataImage,
    now: Millis,
) -> Result<Vec<Removal>, OpenError> {
    // A restart is no reason to hurry: who deleted a topic by mistake has as long as otherwise to save its files.
    let due = now.plus(ground.settings().log_segment_delete_delay_ms());
    let mut removals: Vec<Removal> =
        survey.deleted.iter().map(|name| (due, ground.data_dir.join(name))).collect();
    for name in &survey.set_aside {
        tracing::info!("{} belongs to no partition and is left alone", ground.data_dir.join(name).display());
    }
    let mut has_renamed = false;
    for (name, topic, index) in &survey.partitions {
        let known = image.topics.by_name(topic).is_some_and(|topic| topic.partition(*index).is_some());
        if known {
            // Whether it is of this topic and not of an earlier one of the name shows when it is opened.
            continue;
        }
        let dir = ground.data_dir.join(name);
        let id = match read_partition_metadata(&*ground.disk, &dir) {
            Ok(id) => id,
            Err(LogError::Disk(error)) => return Err(error.into()),
            Err(_) => None,
        };
        if id.is_some_and(|id| image.removed_topics.contains(&id)) {
            let deleted = ground.data_dir.join(deleted_dir(topic, *index, ground.random()));
            ground.disk.rename(&dir, &deleted)?;
            removals.push((due, deleted));
        } else {
            let stray = stray_dir(topic, *index, ground.random());
            tracing::warn!("{} belongs to no topic; it is set aside as {stray}", dir.display());
            ground.disk.rename(&dir, &ground.data_dir.join(stray))?;
        }
        has_renamed = true;
    }
    if has_renamed {
        ground.disk.sync_dir(&ground.data_dir)?;
    }
    Ok(removals)
}

/// A partition's directory.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// It was there, and names the topic.
    Found,
    /// It was made now. The topic's id is written and has to be [finished](finish).
    Made(Pending),
}

/// Sees to it that the partition has a directory. One of another topic of that name is set aside.
///
/// # Errors
/// When it cannot be looked at, renamed or made.
pub(crate) fn prepare(ground: &Ground, topic: &Hosted, index: PartitionIndex) -> Result<Prepared, LogError> {
    let dir = ground.data_dir.join(partition_dir(&topic.name, index));
    let disk = &*ground.disk;
    if disk.entry(&dir)?.is_some() {
        let id = match read_partition_metadata(disk, &dir) {
            Err(LogError::Disk(error)) => return Err(error.into()),
            // What is not understood counts as missing, as in Kafka.
            id => id.unwrap_or_default(),
        };
        if id == Some(topic.id) {
            return Ok(Prepared::Found);
        }
        // A directory that was being made when the process ended has no id yet; nor has one whose id a power loss took
        // before anything in it was flushed.
        if id.is_some() || disk.list(&dir)?.iter().any(has_records) {
            let stray = stray_dir(&topic.name, index, ground.random());
            tracing::warn!(
                "{} does not belong to the topic {} of today; it is set aside as {stray}",
                dir.display(),
                topic.name
            );
            disk.rename(&dir, &ground.data_dir.join(stray))?;
        }
    }
    disk.create_dir_all(&dir)?;
    let text = format_partition_metadata(topic.id);
    Ok(Prepared::Made(Pending::write(disk, &dir.join(PARTITION_METADATA), text.as_bytes())?))
}

/// Puts the ids of new partitions in their place. What is acknowledged as flushed must be found again after a power loss:
/// so the ids are on disk before the first record is, and the directories' names too. The names within them get there with
/// the first flush of each log.
///
/// # Errors
/// When something cannot be synced.
pub(crate) fn finish(ground: &Ground, ids: Vec<Pending>) -> Result<(), LogError> {
    sync_all(&ids)?;
    ids.into_iter().try_for_each(|id| id.publish(&*ground.disk))?;
    Ok(ground.disk.sync_dir(&ground.data_dir)?)
}

/// Syncs on several threads: the disk then flushes many files at a time.
fn sync_all(ids: &[Pending]) -> Result<(), DiskError> {
    let share = ids.len().div_ceil(SYNCING_THREADS).max(LEAST_SHARE);
    let mut shares = ids.chunks(share);
    let own = shares.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let others: Vec<_> =
            shares.map(|some| scope.spawn(|| some.iter().try_for_each(Pending::sync))).collect();
        let own = own.iter().try_for_each(Pending::sync);
        let join =
            |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().expect("a sync does not panic");
        others.into_iter().map(join).fold(own, Result::and)
    })
}

/// Whether it is a segment with records.
pub(crate) fn has_records(entry: &Entry) -> bool {
    entry.len > 0 && FileName::parse(&entry.name).is_some_and(|name| name.kind == Kind::Log)
}
