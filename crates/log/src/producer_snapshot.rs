//! The `.snapshot` files of producer state (Kafka: `ProducerStateManager.readSnapshot`, `ProducerSnapshot.json`).
//!
//! Only the bytes and the files: what a row means, and when a snapshot is taken, is for the owner of the partition.
//!
//! ```text
//! i16 version = 1 | u32 CRC-32C of all that follows | i32 count | count rows of 46 bytes
//! ```

use std::io::IoSlice;
use std::path::{Path, PathBuf};

use base::Offset;
use disk::{Disk, DiskError, OpenHow};

use crate::error::LogError;
use crate::names::{FileName, Kind};

const VERSION: i16 = 1;
const CHECKED_FROM: usize = 6;
const ROWS_FROM: usize = 10;
const ROW_LEN: usize = 46;

/// Rows are written so many bytes at a time.
const BLOCK: usize = 1 << 20;

/// A snapshot is read whole, so it may not be larger than this: 23 million producers.
const LARGEST: u64 = 1 << 30;

/// One producer, as a snapshot keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotRow {
    /// The producer's id.
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i16,
    /// The last sequence of its newest batch; -1 when it has no batch.
    pub last_sequence: i32,
    /// The last offset of its newest batch; -1 when it has no batch.
    pub last_offset: i64,
    /// Last less first offset of that batch.
    pub offset_delta: i32,
    /// The largest record timestamp of that batch, or the timestamp of the last marker.
    pub timestamp: i64,
    /// The epoch of the coordinator that wrote the last marker; -1: none.
    pub coordinator_epoch: i32,
    /// The first offset of its open transaction; -1: none.
    pub current_txn_first_offset: i64,
}

/// Why a snapshot cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The file ends before its entries do.
    #[error("{len} bytes are too short for a snapshot of {entries} producers")]
    Short {
        /// The file's length.
        len: usize,
        /// The number of entries it claims; -1 if not even that is there.
        entries: i32,
    },
    /// The version is not 1.
    #[error("snapshot version {0} is not known")]
    Version(i16),
    /// The checksum does not fit.
    #[error("the checksum is {stored} where the bytes give {computed}")]
    Checksum {
        /// What the file says.
        stored: u32,
        /// What its bytes give.
        computed: u32,
    },
}

/// The bytes in front of the rows; the checksum of what follows it is `checksum`.
fn head(checksum: u32, count: [u8; 4]) -> [u8; ROWS_FROM] {
    let mut head = [0; ROWS_FROM];
    head[..2].copy_from_slice(&VERSION.to_be_bytes());
    head[2..CHECKED_FROM].copy_from_slice(&checksum.to_be_bytes());
    head[CHECKED_FROM..].copy_from_slice(&count);
    head
}

impl SnapshotRow {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.producer_id.to_be_bytes());
        bytes.extend(self.producer_epoch.to_be_bytes());
        bytes.extend(self.last_sequence.to_be_bytes());
        bytes.extend(self.last_offset.to_be_bytes());
        bytes.extend(self.offset_delta.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend(self.coordinator_epoch.to_be_bytes());
        bytes.extend(self.current_txn_first_offset.to_be_bytes());
    }
}

/// Reads a snapshot. Bytes behind the last row are ignored when the checksum covers them, as Kafka does.
///
/// # Errors
/// When it is not a snapshot of version 1 with a fitting checksum.
pub fn decode(bytes: &[u8]) -> Result<Vec<SnapshotRow>, SnapshotError> {
    let len = bytes.len();
    let mut reader = Reader(bytes);
    let nothing = SnapshotError::Short { len, entries: -1 };
    let version = i16::from_be_bytes(reader.take().ok_or_else(|| nothing.clone())?);
    if version != VERSION {
        return Err(SnapshotError::Version(version));
    }
    let stored = u32::from_be_bytes(reader.take().ok_or_else(|| nothing.clone())?);
    let entries = i32::from_be_bytes(reader.take().ok_or(nothing)?);
    let short = SnapshotError::Short { len, entries };
    let count = usize::try_from(entries).map_err(|_| short.clone())?;
    let rows = count.checked_mul(ROW_LEN).and_then(|wanted| reader.0.get(..wanted)).ok_or(short)?;
    let computed = crc32c::crc32c(&bytes[CHECKED_FROM..]);
    if stored != computed {
        return Err(SnapshotError::Checksum { stored, computed });
    }
    Ok(rows.chunks_exact(ROW_LEN).map(row).collect())
}

fn row(bytes: &[u8]) -> SnapshotRow {
    const WHOLE: &str = "a row has 46 bytes";
    let mut reader = Reader(bytes);
    SnapshotRow {
        producer_id: i64::from_be_bytes(reader.take().expect(WHOLE)),
        producer_epoch: i16::from_be_bytes(reader.take().expect(WHOLE)),
        last_sequence: i32::from_be_bytes(reader.take().expect(WHOLE)),
        last_offset: i64::from_be_bytes(reader.take().expect(WHOLE)),
        offset_delta: i32::from_be_bytes(reader.take().expect(WHOLE)),
        timestamp: i64::from_be_bytes(reader.take().expect(WHOLE)),
        coordinator_epoch: i32::from_be_bytes(reader.take().expect(WHOLE)),
        current_txn_first_offset: i64::from_be_bytes(reader.take().expect(WHOLE)),
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}

/// The end offsets of the snapshots in `dir`, ascending.
///
/// # Errors
/// When the directory cannot be read.
pub fn list(disk: &dyn Disk, dir: &Path) -> Result<Vec<Offset>, LogError> {
    let mut offsets: Vec<Offset> = disk
        .list(dir)?
        .iter()
        .filter(|entry| !entry.is_dir)
        .filter_map(|entry| FileName::parse(&entry.name))
        .filter(|name| name.kind == Kind::Snapshot && name.parked.is_none())
        .map(|name| name.offset)
        .collect();
    offsets.sort_unstable();
    Ok(offsets)
}

/// The path of the snapshot at `offset` in `dir`.
#[must_use]
pub fn path(dir: &Path, offset: Offset) -> PathBuf {
    dir.join(FileName::new(offset, Kind::Snapshot).to_string())
}

/// Reads the bytes of the snapshot at `offset`; `None` when it is missing.
///
/// # Errors
/// When it cannot be read.
pub fn read(disk: &dyn Disk, dir: &Path, offset: Offset) -> Result<Option<Vec<u8>>, LogError> {
    Ok(disk::read_whole(disk, &path(dir, offset), LARGEST)?)
}

/// Writes the snapshot at `offset`, over one that may be there: under a temporary name first, so that a killed process
/// leaves a whole one or none, and in blocks, so that a million producers need no memory for their bytes. If `durable`, it
/// is synced, and so is the directory; else a power loss may leave any part of it, which its checksum shows.
///
/// # Errors
/// When it cannot be written; nothing of it is left then.
///
/// # Panics
/// With more than 2147483647 rows.
pub fn write<R>(disk: &dyn Disk, dir: &Path, offset: Offset, rows: R, durable: bool) -> Result<(), LogError>
where
    R: IntoIterator<Item = SnapshotRow, IntoIter: ExactSizeIterator>,
{
    let path = path(dir, offset);
    let mut temporary = path.clone().into_os_string();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let written = write_rows(disk, &temporary, rows, durable).and_then(|()| disk.rename(&temporary, &path));
    if let Err(error) = written {
        // The disk may be full, and what is there is of no use. If it cannot be removed, the next start does it.
        let _ = disk.remove_file(&temporary);
        return Err(error.into());
    }
    if durable {
        disk.sync_dir(dir)?;
    }
    Ok(())
}

fn write_rows<R>(disk: &dyn Disk, path: &Path, rows: R, durable: bool) -> Result<(), DiskError>
where
    R: IntoIterator<Item = SnapshotRow, IntoIter: ExactSizeIterator>,
{
    let mut rows = rows.into_iter();
    let count = i32::try_from(rows.len()).expect("fewer producers than an i32 can count").to_be_bytes();
    let file = disk.open(path, OpenHow::Write)?;
    file.set_len(0)?;
    let mut checksum = crc32c::crc32c(&count);
    let mut at = ROWS_FROM as u64;
    let mut block = Vec::with_capacity((rows.len() * ROW_LEN).min(BLOCK + ROW_LEN));
    while rows.len() > 0 {
        block.clear();
        while block.len() < BLOCK
            && let Some(row) = rows.next()
        {
            row.encode(&mut block);
        }
        checksum = crc32c::crc32c_append(checksum, &block);
        file.write_at(at, &[IoSlice::new(&block)])?;
        at += block.len() as u64;
    }
    file.write_at(0, &[IoSlice::new(&head(checksum, count))])?;
    if durable { file.sync() } else { Ok(()) }
}

/// Removes the snapshot at `offset`, if there is one.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(disk: &dyn Disk, dir: &Path, offset: Offset) -> Result<(), LogError> {
    match disk.remove_file(&path(dir, offset)) {
        Err(error) if !error.is_not_found() => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of a snapshot, through a file.
    fn encode(rows: &[SnapshotRow]) -> Vec<u8> {
        let disk = testkit::CrashDisk::calm(1);
        let dir = Path::new("/d");
        disk.create_dir_all(dir).unwrap();
        write(&disk, dir, Offset(7), rows.iter().copied(), true).unwrap();
        read(&disk, dir, Offset(7)).unwrap().unwrap()
    }

    #[test]
    fn many_rows_are_written_in_blocks() {
        let row = rows()[0];
        let rows: Vec<_> = (0..100_000).map(|id| SnapshotRow { producer_id: id, ..row }).collect();
        assert_eq!(decode(&encode(&rows)), Ok(rows));
    }

    fn rows() -> Vec<SnapshotRow> {
        vec![
            SnapshotRow {
                producer_id: 3001,
                producer_epoch: 2,
                last_sequence: 9,
                last_offset: 1009,
                offset_delta: 9,
                timestamp: 1_589_818_655_781,
                coordinator_epoch: -1,
                current_txn_first_offset: -1,
            },
            SnapshotRow {
                producer_id: i64::MAX,
                producer_epoch: i16::MAX,
                last_sequence: -1,
                last_offset: -1,
                offset_delta: 0,
                timestamp: -1,
                coordinator_epoch: 7,
                current_txn_first_offset: 12,
            },
        ]
    }

    #[test]
    fn an_empty_snapshot_has_ten_bytes() {
        let bytes = encode(&[]);
        assert_eq!(bytes, [0, 1, 0x48, 0x67, 0x4b, 0xc7, 0, 0, 0, 0]);
        assert_eq!(decode(&bytes), Ok(vec![]));
    }

    #[test]
    fn each_field_has_its_place() {
        let bytes = encode(&rows());
        assert_eq!(bytes.len(), 10 + 2 * 46);
        assert_eq!(bytes[6..10], [0, 0, 0, 2]);
        assert_eq!(bytes[10..18], 3001_i64.to_be_bytes());
        assert_eq!(bytes[18..20], [0, 2]);
        assert_eq!(bytes[20..24], [0, 0, 0, 9]);
        assert_eq!(bytes[24..32], 1009_i64.to_be_bytes());
        assert_eq!(bytes[32..36], [0, 0, 0, 9]);
        assert_eq!(bytes[36..44], 1_589_818_655_781_i64.to_be_bytes());
        assert_eq!(bytes[44..48], [0xff; 4]);
        assert_eq!(bytes[48..56], [0xff; 8]);
        assert_eq!(bytes[56..64], i64::MAX.to_be_bytes());
        assert_eq!(decode(&bytes), Ok(rows()));
    }

    #[test]
    fn damage_is_seen_wherever_it_is() {
        let bytes = encode(&rows());
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(decode(&damaged).is_err(), "byte {at}");
            assert!(decode(&bytes[..at]).is_err(), "cut to {at} bytes");
        }
    }

    #[test]
    fn a_count_from_outside_reserves_nothing() {
        let mut bytes = encode(&[]);
        for claim in [i32::MAX, -1, i32::MIN, 1] {
            bytes[6..10].copy_from_slice(&claim.to_be_bytes());
            let checksum = crc32c::crc32c(&bytes[6..]).to_be_bytes();
            bytes[2..6].copy_from_slice(&checksum);
            assert_eq!(decode(&bytes), Err(SnapshotError::Short { len: 10, entries: claim }));
        }
    }
}
