//! At the start: which directories belong to which partition, and what becomes of the others.

use std::path::PathBuf;

use base::Millis;
use log::LogError;
use log::checkpoint::read_partition_metadata;

use crate::error::OpenError;
use crate::hosted::Ground;
use crate::image::MetadataImage;
use crate::names::{deleted_dir, stray_dir};
use crate::survey::Survey;

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
    let mut removals: Vec<Removal> =
        survey.deleted.iter().map(|name| (now, ground.data_dir.join(name))).collect();
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
            removals.push((now, deleted));
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
