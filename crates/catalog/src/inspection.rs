//! What Apache Kafka 4.1 would meet in a data directory: the checks that it makes at a start, and those that it leaves out
//! after a clean stop and pays for later. Changes nothing.

use std::collections::HashSet;
use std::path::Path;

use base::{LeaderEpoch, NodeId, Offset, PartitionIndex};
use disk::{Disk, DiskError, OpenHow};
use log::LogError;
use log::checkpoint::{
    HIGH_WATERMARKS, LOG_STARTS, RECOVERY_POINTS, read_epochs, read_offsets, read_partition_metadata,
};
use log::index::{OffsetEntry, TimeEntry};
use log::names::{FileName, Kind};
use records::{BatchHeader, HEADER_LEN};
use state_machines::topics::{PartitionInfo, Topic};

use crate::error::{OpenError, Unservable};
use crate::image::MetadataImage;
use crate::meta_properties::{self, MetaProperties};
use crate::metadata_log;
use crate::names::{METADATA_DIR, partition_dir};
use crate::replay::{self, Quorum};
use crate::survey::{self, Survey};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The node that the directory belongs to.
    pub node_id: NodeId,
    /// The cluster that it belongs to.
    pub cluster_id: String,
    /// Where the only voter of the metadata log listens, if the log says so (`kraft.version` 1). Else the configuration
    /// says it.
    pub voter: Option<VoterEndpoint>,
    /// How many topics there are.
    pub topics: usize,
    /// How many partitions there are.
    pub partitions: usize,
    /// What keeps Kafka from starting, or from serving all that is there.
    pub obstacles: Vec<String>,
    /// What is good to know.
    pub notes: Vec<String>,
}

/// A listener of the voter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoterEndpoint {
    /// The listener's name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// Looks at `data_dir`, whose broker is stopped.
///
/// # Errors
/// When it is no data directory of one node, cannot be read, or its metadata is not whole: Kafka would not start on it.
pub fn inspect(disk: &dyn Disk, data_dir: &Path) -> Result<Inspection, OpenError> {
    let Some(meta) = MetaProperties::read(disk, data_dir)? else {
        let path = data_dir.to_owned();
        let entries = if disk.entry(data_dir)?.is_some() { disk.list(data_dir)? } else { Vec::new() };
        return Err(survey::without_meta(data_dir, entries).unwrap_or(OpenError::Nothing { path }));
    };
    let meta = meta
        .map_err(|source| OpenError::MetaProperties { path: data_dir.join(meta_properties::FILE), source })?;
    let node = meta.node_id;
    let survey = survey::look(disk, data_dir, node, None)?;
    let dir = data_dir.join(METADATA_DIR);
    metadata_log::check_topic_id(disk, &dir)?;
    let replayed = replay::replay(disk, &dir)?;
    let image = &replayed.image;

    let mut this = Inspector { disk, data_dir, survey: &survey, obstacles: Vec::new(), notes: Vec::new() };
    if image.is_bootstrapped {
        this.whole(image, node, meta.directory_id, &replayed.quorum);
    } else {
        this.obstacles.push("its metadata log is empty: no broker has served it yet".to_owned());
    }
    for (id, why) in &replayed.damaged {
        this.obstacles.push(format!(
            "the snapshot {} is damaged {why}; start and stop Ottla on the directory, which sets it aside",
            id.path(&dir).display()
        ));
    }
    if let Some((path, position)) = &replayed.torn {
        this.notes.push(format!(
            "{} ends in a write that was cut short at position {position}; Kafka cuts it off",
            path.display()
        ));
    }
    let Inspector { obstacles, notes, .. } = this;
    Ok(Inspection {
        node_id: node,
        cluster_id: meta.cluster_id,
        voter: voter(&replayed.quorum, node),
        topics: image.topics.len(),
        partitions: image.topics.iter().map(|topic| topic.partitions.len()).sum(),
        obstacles,
        notes,
    })
}

fn voter(quorum: &Quorum, node: NodeId) -> Option<VoterEndpoint> {
    let voters = &quorum.voter_set.as_ref().filter(|_| quorum.kraft_version > 0)?.voters;
    let endpoint = voters.iter().find(|voter| voter.voter_id == node.0)?.endpoints.first()?;
    let (name, host) = (endpoint.name.to_string(), endpoint.host.to_string());
    Some(VoterEndpoint { name, host, port: endpoint.port })
}

struct Inspector<'a> {
    disk: &'a dyn Disk,
    data_dir: &'a Path,
    survey: &'a Survey,
    obstacles: Vec<String>,
    notes: Vec<String>,
}

impl Inspector<'_> {
    fn whole(&mut self, image: &MetadataImage, node: NodeId, directory: Option<base::Uuid>, quorum: &Quorum) {
        if let Err(why) = image.check_servable(node, directory) {
            self.obstacles.push(why.to_string());
        }
        if let Some(voter) = quorum.voters.iter().flatten().find(|voter| **voter != node) {
            self.obstacles.push(Unservable::OtherVoter { voter: *voter, node }.to_string());
        }
        if !self.survey.clean {
            self.notes.push(
                "the last stop was not clean: Kafka reads the logs from their recovery points on, and cuts torn ends"
                    .to_owned(),
            );
        }
        self.around(image);
        let here: HashSet<&str> = self.survey.partitions.iter().map(|(name, ..)| name.as_str()).collect();
        for topic in image.topics.iter() {
            for (index, info) in (0..).zip(&topic.partitions) {
                let name = partition_dir(&topic.name, PartitionIndex(index));
                if !here.contains(name.as_str()) {
                    let what = "has no directory: Kafka would make an empty one";
                    self.obstacles.push(format!("partition {name} {what}"));
                } else if let Err(why) = self.partition(&name, topic, info) {
                    self.obstacles.push(format!("partition {name}: {why}"));
                }
            }
        }
    }

    /// What is in the directory beside partitions.
    fn around(&mut self, image: &MetadataImage) {
        for (name, topic, index) in &self.survey.partitions {
            if image.topics.by_name(topic).is_none_or(|topic| topic.partition(*index).is_none()) {
                self.notes.push(format!("{name} belongs to no topic; Kafka sets it aside as -stray"));
            }
        }
        self.notes.extend(self.survey.set_aside.iter().map(|name| format!("{name} is left alone")));
        self.notes.extend(self.survey.deleted.iter().map(|name| format!("{name} is removed by Kafka")));
        for name in [RECOVERY_POINTS, LOG_STARTS, HIGH_WATERMARKS] {
            if let Err(error) = read_offsets(self.disk, &self.data_dir.join(name)) {
                self.obstacles.push(error.to_string());
            }
        }
    }

    fn partition(&self, name: &str, topic: &Topic, info: &PartitionInfo) -> Result<(), String> {
        let dir = self.data_dir.join(name);
        let text = |error: LogError| error.to_string();
        match read_partition_metadata(self.disk, &dir).map_err(text)? {
            Some(id) if id == topic.id => {}
            Some(id) => {
                return Err(format!(
                    "its partition.metadata names the topic {id}, and Kafka would set it aside"
                ));
            }
            None => return Err("it has no partition.metadata, and Kafka would set it aside".to_owned()),
        }
        let epochs = read_epochs(self.disk, &dir).map_err(text)?.unwrap_or_default();
        let last = epochs.iter().map(|line| line.epoch).max().unwrap_or(LeaderEpoch::NONE);
        if last > info.leader_epoch {
            return Err(format!(
                "its log knows leader epoch {last}, and the metadata only {}",
                info.leader_epoch
            ));
        }
        self.segments(&dir).map_err(|error| error.to_string())?
    }

    /// Looks at the sizes, the first batch of each segment, and the end of each index.
    fn segments(&self, dir: &Path) -> Result<Result<(), String>, DiskError> {
        let entries = self.disk.list(dir)?;
        let len = |base: Offset, kind| {
            let name = FileName::new(base, kind).to_string();
            entries.iter().find(|entry| entry.name == name).map(|entry| entry.len)
        };
        let base = |name: &str| {
            let name = FileName::parse(name)?;
            (name.kind == Kind::Log && name.parked.is_none()).then_some(name.offset)
        };
        let mut bases: Vec<Offset> = entries.iter().filter_map(|entry| base(&entry.name)).collect();
        bases.sort_unstable();
        for (at, base) in bases.iter().enumerate() {
            let log = len(*base, Kind::Log).unwrap_or(0);
            let path = dir.join(FileName::new(*base, Kind::Log).to_string());
            if log > i32::MAX.unsigned_abs().into() {
                return Ok(Err(format!("{} has {log} bytes, more than a segment may have", path.display())));
            }
            if let Err(why) = self.first_batch(&path, log, *base, bases.get(at + 1).copied())? {
                return Ok(Err(format!("{}: {why}", path.display())));
            }
            let kinds = [(Kind::Index, OffsetEntry::LEN), (Kind::TimeIndex, TimeEntry::LEN)];
            // After an unclean stop Kafka makes them again.
            for (kind, entry) in kinds.into_iter().filter(|_| self.survey.clean) {
                let Some(bytes) = len(*base, kind) else { continue };
                let path = dir.join(FileName::new(*base, kind).to_string());
                let at_end = kind == Kind::Index && bytes >= entry as u64;
                let past = at_end && self.last_position(&path, bytes, entry)? >= log;
                if !bytes.is_multiple_of(entry as u64) || past {
                    let what = "does not fit its segment; remove it, and Kafka makes it again";
                    return Ok(Err(format!("{} {what}", path.display())));
                }
            }
        }
        Ok(Ok(()))
    }

    fn first_batch(
        &self,
        path: &Path,
        len: u64,
        base: Offset,
        next: Option<Offset>,
    ) -> Result<Result<(), String>, DiskError> {
        if len == 0 {
            return Ok(Ok(()));
        }
        let mut bytes = [0; HEADER_LEN];
        let read = self.disk.open(path, OpenHow::Read)?.read_at(0, &mut bytes)?;
        Ok(match BatchHeader::parse(&bytes[..read]) {
            // A torn end is cut by the recovery.
            Err(_) if !self.survey.clean && next.is_none() => Ok(()),
            Err(error) => Err(error.to_string()),
            Ok(header)
                if header.base_offset < base || next.is_some_and(|next| header.base_offset >= next) =>
            {
                Err(format!("its first batch has the offset {}", header.base_offset))
            }
            Ok(_) => Ok(()),
        })
    }

    /// Where the last entry of an offset index points to.
    fn last_position(&self, path: &Path, len: u64, entry: usize) -> Result<u64, DiskError> {
        let mut bytes = vec![0; entry];
        let whole = len - len % entry as u64;
        self.disk.open(path, OpenHow::Read)?.read_at(whole - entry as u64, &mut bytes)?;
        let position = bytes.last_chunk::<4>().map_or(0, |position| u32::from_be_bytes(*position));
        Ok(position.into())
    }
}
