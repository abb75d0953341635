//! The checkpoint text files: offsets per partition, leader epochs, and `partition.metadata`
//! (Kafka: `CheckpointFile`, `OffsetCheckpointFile`, `LeaderEpochCheckpointFile`, `PartitionMetadataFile`).
//!
//! Each is written whole or not at all: to `<name>.tmp`, synced, and renamed.

use std::fmt::Write;
use std::path::Path;
use std::str::FromStr;

use base::{LeaderEpoch, Offset, PartitionIndex, Uuid};
use disk::Disk;

use crate::error::LogError;

/// Below these offsets everything is on disk.
pub const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
/// First offsets that may be read.
pub const LOG_STARTS: &str = "log-start-offset-checkpoint";
/// High watermarks.
pub const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";
/// Where each leader epoch of a partition begins; in the partition's directory.
pub const LEADER_EPOCHS: &str = "leader-epoch-checkpoint";
/// The topic id; in the partition's directory.
pub const PARTITION_METADATA: &str = "partition.metadata";

/// A checkpoint is read whole, so it may not be larger than this: about a million lines.
const LARGEST: u64 = 1 << 28;

/// Why a checkpoint's text cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// A line that is not of its form.
    #[error("line {line} is malformed: {text:?}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// The line, cut to 100 characters.
        text: String,
    },
    /// The first line is not `0`.
    #[error("version {0} is not known")]
    Version(i64),
    /// The second line does not say how many follow.
    #[error("{said} entries are announced, {found} are there")]
    Count {
        /// What the second line says.
        said: i64,
        /// How many lines follow.
        found: usize,
    },
    /// It is not UTF-8.
    #[error("it is not text")]
    NotText,
}

/// One line of an offset checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OffsetLine {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: PartitionIndex,
    /// The offset.
    pub offset: Offset,
}

/// One line of `leader-epoch-checkpoint`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochLine {
    /// The leader epoch.
    pub epoch: LeaderEpoch,
    /// The first offset written under it.
    pub start: Offset,
}

/// Parses an offset checkpoint. An empty text has no entries.
///
/// # Errors
/// When the text is not of its form.
pub fn parse_offsets(text: &str) -> Result<Vec<OffsetLine>, CheckpointError> {
    parse_lines(text, |fields| match fields {
        [topic, partition, offset] => Some(OffsetLine {
            topic: (*topic).to_owned(),
            partition: PartitionIndex(number(partition)?),
            offset: Offset(number(offset)?),
        }),
        _ => None,
    })
}

/// The text of an offset checkpoint.
#[must_use]
pub fn format_offsets(lines: &[OffsetLine]) -> String {
    format_lines(lines, |text, line| writeln!(text, "{} {} {}", line.topic, line.partition, line.offset))
}

/// Reads the offset checkpoint at `path`; no entries when it is missing.
///
/// # Errors
/// When it cannot be read or is not of its form.
pub fn read_offsets(disk: &dyn Disk, path: &Path) -> Result<Vec<OffsetLine>, LogError> {
    Ok(read(disk, path, parse_offsets)?.unwrap_or_default())
}

/// Writes the offset checkpoint at `path`, whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_offsets(disk: &dyn Disk, path: &Path, lines: &[OffsetLine]) -> Result<(), LogError> {
    Ok(disk::write_atomically(disk, path, format_offsets(lines).as_bytes())?)
}

/// Parses a `leader-epoch-checkpoint`. An empty text has no entries.
///
/// # Errors
/// When the text is not of its form.
pub fn parse_epochs(text: &str) -> Result<Vec<EpochLine>, CheckpointError> {
    parse_lines(text, |fields| match fields {
        [epoch, start] => {
            Some(EpochLine { epoch: LeaderEpoch(number(epoch)?), start: Offset(number(start)?) })
        }
        _ => None,
    })
}

/// The text of a `leader-epoch-checkpoint`.
#[must_use]
pub fn format_epochs(lines: &[EpochLine]) -> String {
    format_lines(lines, |text, line| writeln!(text, "{} {}", line.epoch, line.start))
}

/// Reads the leader epochs of the partition directory `dir`; `None` when the file is missing.
///
/// # Errors
/// When it cannot be read or is not of its form.
pub fn read_epochs(disk: &dyn Disk, dir: &Path) -> Result<Option<Vec<EpochLine>>, LogError> {
    read(disk, &dir.join(LEADER_EPOCHS), parse_epochs)
}

/// Writes the leader epochs of the partition directory `dir`, whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_epochs(disk: &dyn Disk, dir: &Path, lines: &[EpochLine]) -> Result<(), LogError> {
    Ok(disk::write_atomically(disk, &dir.join(LEADER_EPOCHS), format_epochs(lines).as_bytes())?)
}

/// Parses `partition.metadata`. Versions above 0 are read as 0, as Kafka does.
///
/// # Errors
/// When the text is not of its form, or its id is the zero id.
pub fn parse_partition_metadata(text: &str) -> Result<Uuid, CheckpointError> {
    let mut lines = text.lines();
    let mut field = |line: usize| {
        let text = lines.next().unwrap_or_default();
        let mut words = text.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(_), Some(value), None) => Ok((value, text)),
            _ => Err(malformed(line, text)),
        }
    };
    let (version, line) = field(1)?;
    match version.parse::<i32>() {
        Ok(version) if version >= 0 => {}
        Ok(version) => return Err(CheckpointError::Version(version.into())),
        Err(_) => return Err(malformed(1, line)),
    }
    let (id, line) = field(2)?;
    parse_id(id).filter(|id| !id.is_nil()).ok_or_else(|| malformed(2, line))
}

/// The text of `partition.metadata`; no newline ends it.
#[must_use]
pub fn format_partition_metadata(topic: Uuid) -> String {
    format!("version: 0\ntopic_id: {}", format_id(topic))
}

/// The topic id that the partition directory `dir` belongs to; `None` when its `partition.metadata` is missing.
///
/// # Errors
/// When it cannot be read or is not of its form.
pub fn read_partition_metadata(disk: &dyn Disk, dir: &Path) -> Result<Option<Uuid>, LogError> {
    read(disk, &dir.join(PARTITION_METADATA), parse_partition_metadata)
}

/// Writes `partition.metadata` into the partition directory `dir`, whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_partition_metadata(disk: &dyn Disk, dir: &Path, topic: Uuid) -> Result<(), LogError> {
    let text = format_partition_metadata(topic);
    Ok(disk::write_atomically(disk, &dir.join(PARTITION_METADATA), text.as_bytes())?)
}

const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// An id as Kafka writes it: base64url without padding, 22 characters (Kafka: `Uuid.toString`).
#[must_use]
pub fn format_id(id: Uuid) -> String {
    // 128 bits are 21 groups of 6 and one of 2, which is filled up with zeros on the right.
    let bits = id.as_u128();
    let groups = (0..21).map(|group| bits >> (122 - 6 * group)).chain([bits << 4]);
    groups.map(|group| char::from(BASE64URL[(group & 0x3f) as usize])).collect()
}

/// Reads an id of 22 base64url characters; bits beyond the 128 are ignored, as Java does.
#[must_use]
pub fn parse_id(text: &str) -> Option<Uuid> {
    if text.len() != 22 {
        return None;
    }
    let mut bits = 0_u128;
    for (at, byte) in text.bytes().enumerate() {
        let group = BASE64URL.iter().position(|known| *known == byte)? as u128;
        bits = if at < 21 { bits << 6 | group } else { bits << 2 | group >> 4 };
    }
    Some(Uuid::from_u128(bits))
}

fn read<T>(
    disk: &dyn Disk,
    path: &Path,
    parse: impl FnOnce(&str) -> Result<T, CheckpointError>,
) -> Result<Option<T>, LogError> {
    let Some(bytes) = disk::read_whole(disk, path, LARGEST)? else {
        return Ok(None);
    };
    let parsed = std::str::from_utf8(&bytes).map_err(|_| CheckpointError::NotText).and_then(parse);
    parsed.map(Some).map_err(|source| LogError::Checkpoint { file: path.to_owned(), source })
}

fn parse_lines<T>(text: &str, parse: impl Fn(&[&str]) -> Option<T>) -> Result<Vec<T>, CheckpointError> {
    let mut lines = text.lines();
    let Some(version) = lines.next() else {
        return Ok(Vec::new());
    };
    match number::<i64>(version).ok_or_else(|| malformed(1, version))? {
        0 => {}
        other => return Err(CheckpointError::Version(other)),
    }
    let Some(count) = lines.next() else {
        return Ok(Vec::new());
    };
    let said = number::<i64>(count).ok_or_else(|| malformed(2, count))?;
    let mut entries = Vec::new();
    for (at, line) in lines.enumerate() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        entries.push(parse(&fields).ok_or_else(|| malformed(at + 3, line))?);
    }
    if usize::try_from(said) != Ok(entries.len()) {
        return Err(CheckpointError::Count { said, found: entries.len() });
    }
    Ok(entries)
}

fn format_lines<T>(lines: &[T], write: impl Fn(&mut String, &T) -> std::fmt::Result) -> String {
    let mut text = format!("0\n{}\n", lines.len());
    for line in lines {
        write(&mut text, line).expect("writing to a string cannot fail");
    }
    text
}

/// A number as Java reads it: digits with an optional sign, nothing around them.
fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn malformed(line: usize, text: &str) -> CheckpointError {
    CheckpointError::Malformed { line, text: text.chars().take(100).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(topic: &str, partition: i32, offset: i64) -> OffsetLine {
        OffsetLine { topic: topic.to_owned(), partition: PartitionIndex(partition), offset: Offset(offset) }
    }

    #[test]
    fn an_offset_checkpoint_has_a_line_per_partition() {
        let lines = [line("test", 0, 10), line("__consumer_offsets", 49, 0)];
        let text = format_offsets(&lines);
        assert_eq!(text, "0\n2\ntest 0 10\n__consumer_offsets 49 0\n");
        assert_eq!(parse_offsets(&text), Ok(lines.to_vec()));
        assert_eq!(format_offsets(&[]), "0\n0\n");
        assert_eq!(parse_offsets("0\n0\n"), Ok(vec![]));
        assert_eq!(parse_offsets(""), Ok(vec![]));
        assert_eq!(parse_offsets("0\n"), Ok(vec![]));
    }

    #[test]
    fn a_checkpoint_of_another_form_is_refused() {
        let malformed = |line, text: &str| Err(CheckpointError::Malformed { line, text: text.to_owned() });
        assert_eq!(parse_offsets("1\n0\n"), Err(CheckpointError::Version(1)));
        assert_eq!(parse_offsets("zero\n"), malformed(1, "zero"));
        assert_eq!(parse_offsets("0\nmany\n"), malformed(2, "many"));
        assert_eq!(parse_offsets("0\n1\n"), Err(CheckpointError::Count { said: 1, found: 0 }));
        assert_eq!(parse_offsets("0\n-1\n"), Err(CheckpointError::Count { said: -1, found: 0 }));
        assert_eq!(
            parse_offsets("0\n1\ntest 0 1\ntest 1 1"),
            Err(CheckpointError::Count { said: 1, found: 2 })
        );
        assert_eq!(parse_offsets("0\n1\ntest 0"), malformed(3, "test 0"));
        assert_eq!(parse_offsets("0\n1\ntest 0 1 2"), malformed(3, "test 0 1 2"));
        assert_eq!(parse_offsets("0\n1\ntest 0 x"), malformed(3, "test 0 x"));
        assert_eq!(parse_offsets("0\n1\n\0\0\0"), malformed(3, "\0\0\0"));
        assert_eq!(
            parse_offsets("0\n9223372036854775807\n"),
            Err(CheckpointError::Count { said: i64::MAX, found: 0 })
        );
    }

    #[test]
    fn leader_epochs_have_a_line_each() {
        let lines = [
            EpochLine { epoch: LeaderEpoch(0), start: Offset(0) },
            EpochLine { epoch: LeaderEpoch(3), start: Offset(17) },
        ];
        assert_eq!(format_epochs(&lines), "0\n2\n0 0\n3 17\n");
        assert_eq!(parse_epochs("0\n2\n0 0\n3 17\n"), Ok(lines.to_vec()));
        assert!(parse_epochs("0\n1\n0 0 0\n").is_err());
    }

    #[test]
    fn partition_metadata_names_the_topic_id() {
        let id = Uuid::from_u128(1);
        let text = format_partition_metadata(id);
        assert_eq!(text, "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!(parse_partition_metadata(&text), Ok(id));
        assert_eq!(parse_partition_metadata("version: 1\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ\n"), Ok(id));
        for text in [
            "",
            "version: 0",
            "version: 0\n",
            "version: x\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ",
            "version: -1\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ",
            "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA",
            "version: 0\ntopic_id: AAAA",
            "version: 0\ntopic_id AAAAAAAAAAAAAAAAAAAAAQ more",
        ] {
            assert!(parse_partition_metadata(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn ids_are_base64url_of_22_characters() {
        // As the urlsafe Base64 of other languages has it.
        for (bits, text) in [
            (0, "AAAAAAAAAAAAAAAAAAAAAA"),
            (0xfbff_0011_2233_4455_6677_8899_aabb_ccdd, "-_8AESIzRFVmd4iZqrvM3Q"),
            (u128::MAX, "_____________________w"),
        ] {
            assert_eq!(format_id(Uuid::from_u128(bits)), text);
            assert_eq!(parse_id(text), Some(Uuid::from_u128(bits)));
        }
        for text in [
            "",
            "AAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAA=",
            "AAAAAAAAAAAAAAAAAAAA+A",
        ] {
            assert_eq!(parse_id(text), None, "{text}");
        }
    }
}
