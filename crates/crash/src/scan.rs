//! What stands in a partition's directory, read from the first byte to the last without the help of any index.

use std::path::Path;

use base::Offset;
use disk::{Disk, DiskError, read_whole};
use log::index::{OffsetEntry, TimeEntry, check_offset_index, check_time_index};
use log::names::{FileName, Kind};
use records::{BatchHeader, crc_is_valid};

/// No file of a story is larger.
const LARGEST: u64 = 64 << 20;

/// One batch as it stands in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The base offset of its segment.
    pub segment: Offset,
    /// Where it begins in the file.
    pub position: u64,
    /// Its header.
    pub header: BatchHeader,
}

/// The base offsets of the segments in `dir`, ascending.
///
/// # Errors
/// When the directory cannot be listed.
pub fn segments(disk: &dyn Disk, dir: &Path) -> Result<Vec<Offset>, DiskError> {
    let names = disk.list(dir)?.into_iter().filter_map(|entry| FileName::parse(&entry.name));
    let mut bases: Vec<Offset> = names
        .filter(|name| name.kind == Kind::Log && name.parked.is_none())
        .map(|name| name.offset)
        .collect();
    bases.sort_unstable();
    Ok(bases)
}

/// All batches in `dir`, in order. Zeros at the end of the last segment, as preallocation leaves them, are no batch.
///
/// # Errors
/// Says what is no batch, or does not follow the one before.
pub fn batches(disk: &dyn Disk, dir: &Path) -> Result<Vec<Stored>, String> {
    let bases = segments(disk, dir).map_err(|error| error.to_string())?;
    let mut found: Vec<Stored> = Vec::new();
    for (at, base) in bases.iter().enumerate() {
        let bytes = content(disk, dir, *base, Kind::Log)?;
        let mut position = 0;
        while position < bytes.len() {
            let rest = &bytes[position..];
            if at + 1 == bases.len() && rest.iter().all(|byte| *byte == 0) {
                break;
            }
            let place = format!("position {position} of segment {base} in {}", dir.display());
            let header = BatchHeader::parse(rest).map_err(|error| format!("{place}: {error}"))?;
            let batch = rest.get(..header.size()).ok_or(format!("{place}: the batch is cut short"))?;
            if !crc_is_valid(batch) {
                return Err(format!("{place}: the checksum is wrong"));
            }
            let follows = match found.last() {
                Some(last) => last.header.next_offset() == header.base_offset,
                None => header.base_offset == *base,
            };
            if !follows {
                return Err(format!("{place}: offset {} does not follow", header.base_offset));
            }
            found.push(Stored { segment: *base, position: position as u64, header });
            position += header.size();
        }
    }
    Ok(found)
}

/// The content of one file of a segment; empty when it is missing.
///
/// # Errors
/// When it cannot be read.
pub fn content(disk: &dyn Disk, dir: &Path, base: Offset, kind: Kind) -> Result<Vec<u8>, String> {
    let path = dir.join(FileName::new(base, kind).to_string());
    let read = read_whole(disk, &path, LARGEST).map_err(|error| error.to_string())?;
    Ok(read.unwrap_or_default())
}

/// Holds every index entry in `dir` against the batches there. For a directory that nobody has open: a running broker keeps
/// its newest entries in memory.
///
/// # Errors
/// Says which entry is wrong.
pub fn check_indexes(disk: &dyn Disk, dir: &Path, stored: &[Stored]) -> Result<(), String> {
    for base in segments(disk, dir).map_err(|error| error.to_string())? {
        let own: Vec<&Stored> = stored.iter().filter(|stored| stored.segment == base).collect();
        let place = |kind: &str| format!("the {kind} of segment {base} in {}", dir.display());

        let bytes = content(disk, dir, base, Kind::Index)?;
        check_offset_index(&bytes, base).map_err(|error| format!("{}: {error}", place("index")))?;
        for entry in OffsetEntry::all(&bytes) {
            let points_at = |batch: &&&Stored| batch.position == entry.position as u64;
            let batch = own
                .iter()
                .find(points_at)
                .ok_or(format!("{}: {entry:?}: no batch is there", place("index")))?;
            if batch.header.last_offset() != entry.offset(base) {
                return Err(format!(
                    "{}: {entry:?} points at offset {}",
                    place("index"),
                    batch.header.base_offset
                ));
            }
        }
        if !OffsetEntry::all(&bytes).is_sorted_by(|a, b| a.relative_offset < b.relative_offset) {
            return Err(format!("{}: it does not ascend", place("index")));
        }

        let bytes = content(disk, dir, base, Kind::TimeIndex)?;
        check_time_index(&bytes, base).map_err(|error| format!("{}: {error}", place("time index")))?;
        for entry in TimeEntry::all(&bytes) {
            let up_to = own.iter().filter(|batch| batch.header.last_offset() <= entry.offset(base));
            let largest = up_to.map(|batch| batch.header.max_timestamp).max();
            if largest != Some(entry.timestamp) {
                return Err(format!(
                    "{}: {entry:?}, but the largest timestamp is {largest:?}",
                    place("time index")
                ));
            }
        }
        if !TimeEntry::all(&bytes).is_sorted_by(|a, b| a.timestamp < b.timestamp) {
            return Err(format!("{}: it does not ascend", place("time index")));
        }
        let last = TimeEntry::all(&bytes).last().map(|entry| entry.timestamp);
        let largest = own.iter().map(|batch| batch.header.max_timestamp).max();
        if last != largest {
            return Err(format!(
                "{}: it ends with {last:?}, the segment's largest is {largest:?}",
                place("time index")
            ));
        }
    }
    Ok(())
}

/// Names in the data directory that Kafka does not know.
///
/// # Errors
/// When a directory cannot be listed.
pub fn foreign_names(disk: &dyn Disk, dir: &Path) -> Result<Vec<String>, DiskError> {
    const BESIDE: [&str; 8] = [
        "meta.properties",
        "bootstrap.checkpoint",
        ".kafka_cleanshutdown",
        ".lock",
        "recovery-point-offset-checkpoint",
        "log-start-offset-checkpoint",
        "replication-offset-checkpoint",
        "cleaner-offset-checkpoint",
    ];
    const WITHIN: [&str; 3] = ["leader-epoch-checkpoint", "partition.metadata", "quorum-state"];
    let plain = |name: &str, known: &[&str]| known.contains(&name.strip_suffix(".tmp").unwrap_or(name));
    let mut foreign = Vec::new();
    for entry in disk.list(dir)? {
        if !entry.is_dir {
            foreign.extend((!plain(&entry.name, &BESIDE)).then_some(entry.name));
            continue;
        }
        if !is_partition(&entry.name) {
            foreign.push(entry.name);
            continue;
        }
        for file in disk.list(&dir.join(&entry.name))? {
            let known = !file.is_dir
                && (plain(&file.name, &WITHIN)
                    || FileName::parse(&file.name).is_some()
                    || is_left_aside(&entry.name, &file.name)
                    || (entry.name == "__cluster_metadata-0" && file.name.contains(".checkpoint")));
            if !known {
                foreign.push(format!("{}/{}", entry.name, file.name));
            }
        }
    }
    Ok(foreign)
}

/// In a directory that nobody opens any more, nobody takes away what was half written when the crash came.
fn is_left_aside(dir: &str, file: &str) -> bool {
    let whole = file.strip_suffix(".tmp").and_then(FileName::parse);
    whole.is_some() && (dir.ends_with("-stray") || dir.ends_with("-delete"))
}

fn is_partition(name: &str) -> bool {
    let plain = |name: &str| {
        name.rsplit_once('-').is_some_and(|(topic, index)| !topic.is_empty() && index.parse::<u32>().is_ok())
    };
    let set_aside = |name: &str| {
        name.rsplit_once('.').is_some_and(|(partition, unique)| {
            plain(partition) && unique.split_once('-').is_some_and(|(id, _)| id.len() == 32)
        })
    };
    plain(name) || ((name.ends_with("-delete") || name.ends_with("-stray")) && set_aside(name))
}
