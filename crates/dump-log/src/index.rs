//! Dumping `.index`, `.timeindex` and `.txnindex` files, the first two held against their log.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use base::Offset;
use log::index::{OffsetEntry, TimeEntry, TxnEntry};
use records::RecordStream;

use crate::batch::{Batch, Kind};
use crate::error::DumpError;
use crate::findings::Findings;
use crate::log_file::LogFile;
use crate::old_format;
use crate::options::Options;
use crate::segment::base_offset;
use crate::show::Show;

/// A file of entries of `N` bytes each; what is left over at its end is no entry.
struct EntryFile<const N: usize> {
    file: File,
    path: String,
    len: u64,
}

/// The first and the last entry.
type Ends<const N: usize> = ([u8; N], [u8; N]);

impl<const N: usize> EntryFile<N> {
    fn open(path: &Path, shown: &str) -> Result<Self, DumpError> {
        let fail = |error| DumpError::read(shown, error);
        let file = File::open(path).map_err(fail)?;
        let len = file.metadata().map_err(fail)?.len();
        Ok(Self { file, path: shown.to_owned(), len })
    }

    const fn entries(&self) -> u64 {
        self.len / N as u64
    }

    fn entry(&self, slot: u64) -> Result<[u8; N], DumpError> {
        let mut entry = [0; N];
        self.file
            .read_exact_at(&mut entry, slot * N as u64)
            .map_err(|error| DumpError::read(&self.path, error))?;
        Ok(entry)
    }

    fn first_and_last(&self) -> Result<Option<Ends<N>>, DumpError> {
        match self.entries() {
            0 => Ok(None),
            entries => Ok(Some((self.entry(0)?, self.entry(entries - 1)?))),
        }
    }

    /// All entries in order.
    fn all(&self) -> impl Iterator<Item = Result<[u8; N], DumpError>> + '_ {
        let mut reader = BufReader::new(At { file: &self.file, position: 0 });
        (0..self.entries()).map(move |_| {
            let mut entry = [0; N];
            reader.read_exact(&mut entry).map_err(|error| DumpError::read(&self.path, error))?;
            Ok(entry)
        })
    }

    fn length_fault(&self) -> Result<(), DumpError> {
        match self.len % N as u64 {
            0 => Ok(()),
            _ => Err(self.corrupt(&format!("its {} bytes are not a multiple of {N}", self.len))),
        }
    }

    fn corrupt(&self, why: &str) -> DumpError {
        DumpError::Damaged(format!("{} is corrupt: {why}", self.path))
    }
}

/// Reads on from a position of its own, so that lookups in between do not move it.
struct At<'a> {
    file: &'a File,
    position: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

/// Dumps the indexes of a segment.
pub(crate) struct IndexDump<'a, 'b> {
    pub(crate) options: &'a Options,
    pub(crate) show: &'a mut Show<'b>,
    pub(crate) findings: &'a mut Findings,
}

impl IndexDump<'_, '_> {
    /// An `.index`: the batch at each entry's position must end with the entry's offset.
    pub(crate) fn offsets(&mut self, path: &Path, shown: &str) -> Result<(), DumpError> {
        let segment = Segment::of(path, shown)?;
        let mut log = segment.log()?;
        let index = EntryFile::<{ OffsetEntry::LEN }>::open(path, shown)?;
        let Some((_, last)) = index.first_and_last()? else {
            return self.show.entry(&format!("{shown} is empty.\n"), |object| object.text("type", "empty"));
        };
        if self.options.index_sanity_check {
            let last = OffsetEntry::decode(&last).offset(segment.base);
            if last < segment.base {
                return Err(
                    index.corrupt(&format!("its last offset {last} is below its first, {}", segment.base))
                );
            }
            index.length_fault()?;
            return self.sane(shown);
        }
        for (at, entry) in index.all().enumerate() {
            let entry = OffsetEntry::decode(&entry?);
            let offset = entry.offset(segment.base);
            if at > 0 && offset == segment.base {
                // Zeros: room that was reserved and not used.
                return Ok(());
            }
            let position = position_in(&log, entry.position, shown)?;
            let mut walk = log.walk(position, self.options.max_message_size);
            let Some(batch) = log.next_batch(&mut walk)? else {
                return Err(DumpError::Damaged(format!(
                    "{shown}: the entry for offset {offset} points to position {position}, where the log has no whole \
                     batch of at most {} bytes",
                    self.options.max_message_size
                )));
            };
            if batch.last_offset() != offset.0 {
                self.findings.index_mismatch(path, offset.0, batch.last_offset());
            }
            if !self.options.verify_index_only {
                let text = format!("offset: {offset} position: {}\n", entry.position);
                self.show.entry(&text, |object| {
                    object.text("type", "index").number("offset", offset).number("position", entry.position)
                })?;
            }
        }
        Ok(())
    }

    /// A `.timeindex`: the batch that ends with each entry's offset must hold the entry's timestamp as its largest.
    pub(crate) fn times(&mut self, path: &Path, shown: &str) -> Result<(), DumpError> {
        let segment = Segment::of(path, shown)?;
        let mut log = segment.log()?;
        let offsets = segment.offset_index()?;
        let index = EntryFile::<{ TimeEntry::LEN }>::open(path, shown)?;
        if self.options.index_sanity_check {
            if let Some((first, last)) = index.first_and_last()? {
                let (first, last) = (TimeEntry::decode(&first), TimeEntry::decode(&last));
                if last.timestamp < first.timestamp {
                    let why = format!(
                        "its last timestamp {} is below its first, {}",
                        last.timestamp, first.timestamp
                    );
                    return Err(index.corrupt(&why));
                }
                let last = last.offset(segment.base);
                if last < segment.base {
                    return Err(index
                        .corrupt(&format!("its last offset {last} is below its first, {}", segment.base)));
                }
            }
            index.length_fault()?;
            return self.sane(shown);
        }
        let mut previous = -1;
        for (at, entry) in index.all().enumerate() {
            let entry = TimeEntry::decode(&entry?);
            let (offset, timestamp) = (entry.offset(segment.base), entry.timestamp.0);
            if at > 0 && offset == segment.base {
                return Ok(());
            }
            match find(&mut log, lookup(&offsets, segment.base, offset)?, offset, shown)? {
                None => self.findings.not_found(path, offset.0, -1),
                Some(batch) if batch.last_offset() != offset.0 => {
                    self.findings.not_found(path, offset.0, batch.last_offset());
                }
                Some(batch) => {
                    let largest = largest_timestamp(&mut log, &batch, shown)?;
                    if largest != timestamp {
                        self.findings.time_mismatch(path, timestamp, largest);
                    }
                    if previous >= timestamp {
                        self.findings.out_of_order(path, timestamp, previous);
                    }
                }
            }
            if !self.options.verify_index_only {
                self.show.entry(&format!("timestamp: {timestamp} offset: {offset}\n"), |object| {
                    object.text("type", "timeindex").number("timestamp", timestamp).number("offset", offset)
                })?;
            }
            previous = timestamp;
        }
        Ok(())
    }

    /// A `.txnindex`: aborted transactions.
    pub(crate) fn transactions(&mut self, path: &Path, shown: &str) -> Result<(), DumpError> {
        let index = EntryFile::<{ TxnEntry::LEN }>::open(path, shown)?;
        // Of the two bytes of the version Kafka looks at the first, and at all entries before it shows one.
        for entry in index.all() {
            let version = i8::from_be_bytes([entry?[0]]);
            if version > 0 {
                return Err(index.corrupt(&format!("an entry has the version {version}; 0 is read")));
            }
        }
        for entry in index.all() {
            let entry = entry?;
            let version = i8::from_be_bytes([entry[0]]);
            let TxnEntry { producer_id, first_offset, last_offset, last_stable_offset, .. } =
                TxnEntry::decode(&entry);
            let text = format!(
                "version: {version} producerId: {producer_id} firstOffset: {first_offset} lastOffset: {last_offset} \
                 lastStableOffset: {last_stable_offset}\n"
            );
            self.show.entry(&text, |object| {
                object
                    .text("type", "txnindex")
                    .number("version", version)
                    .number("producerId", producer_id)
                    .number("firstOffset", first_offset)
                    .number("lastOffset", last_offset)
                    .number("lastStableOffset", last_stable_offset)
            })?;
        }
        Ok(())
    }

    fn sane(&mut self, shown: &str) -> Result<(), DumpError> {
        let text = format!("{shown} passed sanity check.\n");
        self.show.entry(&text, |object| object.text("type", "sanity").flag("passed", true))
    }
}

/// The segment that an index belongs to, by its name.
struct Segment {
    base: Offset,
    dir: PathBuf,
    stem: String,
}

impl Segment {
    fn of(path: &Path, shown: &str) -> Result<Self, DumpError> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let base = base_offset(&name).ok_or_else(|| {
            DumpError::Damaged(format!(
                "{shown}: the name of an index begins with its base offset, this one does not"
            ))
        })?;
        let stem = name.split('.').next().unwrap_or_default().to_owned();
        Ok(Self { base: Offset(base), dir: path.parent().map(Path::to_owned).unwrap_or_default(), stem })
    }

    fn log(&self) -> Result<LogFile, DumpError> {
        let path = self.dir.join(format!("{}.log", self.stem));
        LogFile::open(&path, &path.display().to_string())
    }

    fn offset_index(&self) -> Result<EntryFile<{ OffsetEntry::LEN }>, DumpError> {
        let path = self.dir.join(format!("{}.index", self.stem));
        EntryFile::open(&path, &path.display().to_string())
    }
}

/// The position of the last entry at or below `offset`, or the start of the log.
fn lookup(index: &EntryFile<{ OffsetEntry::LEN }>, base: Offset, offset: Offset) -> Result<i32, DumpError> {
    let (mut from, mut to) = (0, index.entries());
    let mut position = 0;
    while from < to {
        let middle = from + (to - from) / 2;
        let entry = OffsetEntry::decode(&index.entry(middle)?);
        if entry.offset(base) <= offset {
            position = entry.position;
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    Ok(position)
}

/// The first batch from `position` on that reaches `offset`.
fn find(log: &mut LogFile, position: i32, offset: Offset, shown: &str) -> Result<Option<Batch>, DumpError> {
    let mut walk = log.walk(position_in(log, position, shown)?, u64::MAX);
    while let Some(batch) = log.next_batch(&mut walk)? {
        if batch.last_offset() >= offset.0 {
            return Ok(Some(batch));
        }
    }
    Ok(None)
}

fn position_in(log: &LogFile, position: i32, shown: &str) -> Result<u64, DumpError> {
    u64::try_from(position).ok().filter(|&position| position <= log.len()).ok_or_else(|| {
        DumpError::Damaged(format!(
            "{shown}: an entry points to position {position}, but the log has {} bytes",
            log.len()
        ))
    })
}

/// The largest timestamp of the batch's records, -1 if none is larger.
fn largest_timestamp(log: &mut LogFile, batch: &Batch, shown: &str) -> Result<i64, DumpError> {
    let fail = |why: String| {
        DumpError::Damaged(format!(
            "{shown}: the records of the log's batch at position {}: {why}",
            batch.position
        ))
    };
    let valid = log.is_valid(batch)?;
    let bytes = log.batch_bytes(batch, valid)?;
    let mut largest = -1;
    match &batch.kind {
        Kind::V2(header) => {
            let mut records =
                RecordStream::open(bytes, i32::MAX as usize).map_err(|error| fail(error.to_string()))?;
            while let Some(record) = records.next_record().map_err(|error| fail(error.to_string()))? {
                largest = largest.max(record.timestamp(header).0);
            }
        }
        Kind::Old(message) => {
            for record in old_format::records(message, bytes).map_err(fail)? {
                largest = largest.max(record.timestamp);
            }
        }
    }
    Ok(largest)
}
