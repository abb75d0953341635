//! A look at a data directory before anything in it is touched: whose is it, and what stands in it?

use std::path::Path;

use base::{NodeId, PartitionIndex};
use disk::{Disk, Entry};

use crate::clean_shutdown;
use crate::error::OpenError;
use crate::meta_properties::{self, MetaProperties};
use crate::names::{METADATA_DIR, Subdir};

/// What a directory without `meta.properties` may hold and still count as empty: what a format that was cut short leaves.
const LEFT_BY_A_FORMAT: [&str; 2] = [".lock", "meta.properties.tmp"];

/// What stands in a data directory that is ours to serve.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// `None`: the directory is missing or empty, and has to be formatted.
    pub(crate) meta: Option<MetaProperties>,
    /// Whether the last stop was clean.
    pub(crate) clean: bool,
    /// Whether there is a metadata log.
    pub(crate) has_metadata_log: bool,
    /// Partition directories: name, topic, number.
    pub(crate) partitions: Vec<(String, String, PartitionIndex)>,
    /// Directories of deleted partitions.
    pub(crate) deleted: Vec<String>,
    /// Directories that are left alone: strays.
    pub(crate) set_aside: Vec<String>,
}

/// Looks at `data_dir`, changes nothing.
///
/// # Errors
/// When it cannot be read, or is not for this node of this cluster to serve.
pub(crate) fn look(
    disk: &dyn Disk,
    data_dir: &Path,
    node_id: NodeId,
    cluster_id: Option<&str>,
) -> Result<Survey, OpenError> {
    let path = || data_dir.to_owned();
    match disk.entry(data_dir)? {
        None => return Ok(Survey::default()),
        Some(entry) if !entry.is_dir => return Err(OpenError::NotADirectory { path: path() }),
        Some(_) => {}
    }
    let entries = disk.list(data_dir)?;
    let Some(meta) = MetaProperties::read(disk, data_dir)? else {
        return without_meta(data_dir, entries).map_or(Ok(Survey::default()), Err);
    };
    let meta = meta
        .map_err(|source| OpenError::MetaProperties { path: data_dir.join(meta_properties::FILE), source })?;
    if let Some(wanted) = cluster_id.filter(|wanted| *wanted != meta.cluster_id) {
        return Err(OpenError::OtherCluster {
            path: path(),
            stored: meta.cluster_id,
            wanted: wanted.to_owned(),
        });
    }
    if meta.node_id != node_id {
        return Err(OpenError::OtherNode { path: path(), stored: meta.node_id, wanted: node_id });
    }
    let clean = clean_shutdown::exists(disk, data_dir)?;
    let mut survey = Survey { meta: Some(meta), clean, ..Survey::default() };
    entries.into_iter().filter(|entry| entry.is_dir).try_for_each(|entry| survey.sort_in(data_dir, entry))?;
    Ok(survey)
}

/// What is wrong with a directory that has these entries and no `meta.properties`; nothing if it counts as empty.
pub(crate) fn without_meta(data_dir: &Path, entries: Vec<Entry>) -> Option<OpenError> {
    let path = data_dir.to_owned();
    if entries.iter().any(|entry| entry.is_dir && entry.name == METADATA_DIR) {
        return Some(OpenError::NoMetaProperties { path });
    }
    let foreign = entries.into_iter().find(|entry| !LEFT_BY_A_FORMAT.contains(&entry.name.as_str()))?;
    Some(OpenError::NotOurs { path, found: foreign.name })
}

impl Survey {
    fn sort_in(&mut self, data_dir: &Path, entry: Entry) -> Result<(), OpenError> {
        let name = entry.name;
        match Subdir::parse(&name) {
            Some(Subdir::Metadata) => self.has_metadata_log = true,
            Some(Subdir::Partition { topic, index }) => self.partitions.push((name, topic, index)),
            Some(Subdir::Deleted) => self.deleted.push(name),
            Some(Subdir::Stray) => self.set_aside.push(name),
            Some(Subdir::Future) => {
                return Err(OpenError::UnfinishedMove { path: data_dir.to_owned(), found: name });
            }
            Some(Subdir::Ignored) => {}
            None => return Err(OpenError::ForeignSubdir { path: data_dir.to_owned(), found: name }),
        }
        Ok(())
    }
}
