//! A living index file: entries in the file, and the newest ones in memory until they are worth a write.
//!
//! The lock inside is never held over I/O. What is in the file below `stored` entries does not change, so a lookup
//! takes the handle and the count together and then reads without the lock. A rebuild writes a new file and renames it
//! over the old one, so that a lookup under way goes on in the old file.

use std::io::IoSlice;
use std::path::PathBuf;
use std::sync::Arc;

use disk::{DiskFile, OpenHow};
use parking_lot::Mutex;

use crate::error::LogError;
use crate::index::{OffsetEntry, TimeEntry};
use crate::names::Kind;
use crate::whereabouts::Whereabouts;

/// So many entries are kept in memory before they are written through. With the default `index.interval.bytes` the file
/// of a running log is at most 256 KiB of small batches behind it, and an append pays for a 64th of two small writes.
pub(crate) const WRITE_THROUGH: usize = 64;

/// Bytes of a file that a search reads at once when it has come near.
const BLOCK: usize = 4 << 10;

/// An entry of one of the two indexes.
pub(crate) trait Entry: Copy + Send + std::fmt::Debug {
    const LEN: usize;
    const KIND: Kind;
    fn read(bytes: &[u8]) -> Self;
    fn write(&self, out: &mut Vec<u8>);
    fn relative_offset(&self) -> i32;
    /// Whether the entry is what Kafka fills an index with in advance.
    fn is_filler(&self) -> bool;
}

impl Entry for OffsetEntry {
    const LEN: usize = Self::LEN;
    const KIND: Kind = Kind::Index;
    fn read(bytes: &[u8]) -> Self {
        Self::decode(bytes.first_chunk().expect("the caller cuts whole entries"))
    }
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.encode());
    }
    fn relative_offset(&self) -> i32 {
        self.relative_offset
    }
    fn is_filler(&self) -> bool {
        // The first batch of a segment has no entry.
        self.position == 0
    }
}

impl Entry for TimeEntry {
    const LEN: usize = Self::LEN;
    const KIND: Kind = Kind::TimeIndex;
    fn read(bytes: &[u8]) -> Self {
        Self::decode(bytes.first_chunk().expect("the caller cuts whole entries"))
    }
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.encode());
    }
    fn relative_offset(&self) -> i32 {
        self.relative_offset
    }
    fn is_filler(&self) -> bool {
        self.relative_offset == 0 && self.timestamp.0 == 0
    }
}

/// One index file of one segment.
#[derive(Debug)]
pub(crate) struct IndexFile<E> {
    files: Arc<Whereabouts>,
    state: Mutex<State<E>>,
}

#[derive(Debug)]
struct State<E> {
    handle: Option<Handle>,
    /// The length of a file that nobody has looked into yet; then the three fields below are not known.
    unread: Option<u64>,
    /// Entries in the file that count.
    stored: u64,
    /// The entries behind them.
    tail: Vec<E>,
    last: Option<E>,
    /// Raised whenever a rebuild begins or ends: what was learnt before does not hold afterwards.
    generation: u32,
    /// While a rebuild runs, the tail is not written through.
    paused: bool,
}

#[derive(Clone, Debug)]
struct Handle {
    file: Arc<dyn DiskFile>,
    writable: bool,
}

impl<E: Entry> IndexFile<E> {
    /// An index whose file has `len` bytes, which are looked at when they are needed first.
    pub(crate) fn new(files: Arc<Whereabouts>, len: u64) -> Self {
        let state = State {
            handle: None,
            unread: (len >= E::LEN as u64).then_some(len),
            stored: 0,
            tail: Vec::new(),
            last: None,
            generation: 0,
            paused: false,
        };
        Self { files, state: Mutex::new(state) }
    }

    /// Finds out how many entries the file has. Zeros that Kafka put there in advance do not count.
    pub(crate) fn resolve(&self) -> Result<(), LogError> {
        let Some(len) = self.state.lock().unread else {
            return Ok(());
        };
        let file = self.files.open(E::KIND, OpenHow::Read)?;
        let (stored, last) = count(&*file, len / E::LEN as u64)?;
        let mut state = self.state.lock();
        if state.unread.take().is_some() {
            state.stored = stored;
            state.last = last;
            state.handle = Some(Handle { file, writable: false });
        }
        Ok(())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.files.path(E::KIND)
    }

    /// Bytes of the entries, or of the file if nobody has looked into it yet.
    pub(crate) fn bytes(&self) -> u64 {
        let state = self.state.lock();
        state.unread.unwrap_or((state.stored + state.tail.len() as u64) * E::LEN as u64)
    }

    /// How many entries there are. The index must be resolved.
    pub(crate) fn len(&self) -> u64 {
        let state = self.state.lock();
        debug_assert!(state.unread.is_none(), "who asks has resolved it");
        state.stored + state.tail.len() as u64
    }

    /// The last entry. The index must be resolved.
    pub(crate) fn last(&self) -> Option<E> {
        let state = self.state.lock();
        debug_assert!(state.unread.is_none(), "who asks has resolved it");
        state.last
    }

    /// Adds an entry behind the others, in memory, and says how many wait there. The index must be resolved.
    pub(crate) fn push(&self, entry: E) -> usize {
        let mut state = self.state.lock();
        state.tail.push(entry);
        state.last = Some(entry);
        state.tail.len()
    }

    /// The last entry for which `reached` is true; it must be true for some first entries and false for all others.
    pub(crate) fn floor(&self, reached: impl Fn(&E) -> bool) -> Result<Option<E>, LogError> {
        self.resolve()?;
        let (file, stored) = loop {
            let generation = {
                let state = self.state.lock();
                // Who reads at the end of the log is answered without a look at the file.
                if state.last.as_ref().is_some_and(&reached) {
                    return Ok(state.last);
                }
                if state.tail.first().is_some_and(&reached) {
                    let after = state.tail.partition_point(&reached);
                    return Ok(Some(state.tail[after - 1]));
                }
                if state.stored == 0 {
                    return Ok(None);
                }
                match &state.handle {
                    Some(handle) => break (Arc::clone(&handle.file), state.stored),
                    None => state.generation,
                }
            };
            self.open(generation, false)?;
        };
        search(&*file, stored, reached)
    }

    /// Writes the entries that are only in memory.
    pub(crate) fn write_through(&self) -> Result<(), LogError> {
        let (file, generation, from, to, bytes) = loop {
            let generation = {
                let state = self.state.lock();
                if state.paused || state.tail.is_empty() {
                    return Ok(());
                }
                match &state.handle {
                    Some(handle) if handle.writable => {
                        let mut bytes = Vec::with_capacity(state.tail.len() * E::LEN);
                        state.tail.iter().for_each(|entry| entry.write(&mut bytes));
                        let to = state.stored + state.tail.len() as u64;
                        break (Arc::clone(&handle.file), state.generation, state.stored, to, bytes);
                    }
                    _ => state.generation,
                }
            };
            self.open(generation, true)?;
        };
        file.write_at(from * E::LEN as u64, &[IoSlice::new(&bytes)])?;
        let mut state = self.state.lock();
        if state.generation == generation && state.stored < to {
            // Somebody else may have written some of the same entries to the same places meanwhile.
            let written = usize::try_from(to - state.stored).expect("no more than were in memory");
            state.tail.drain(..written);
            state.stored = to;
        }
        Ok(())
    }

    /// Writes what is in memory, makes the file exactly as long as its entries, and syncs it if asked to.
    pub(crate) fn settle(&self, sync: bool) -> Result<(), LogError> {
        self.resolve()?;
        self.write_through()?;
        let (file, stored) = loop {
            let generation = {
                let state = self.state.lock();
                match &state.handle {
                    Some(handle) if handle.writable => break (Arc::clone(&handle.file), state.stored),
                    _ => state.generation,
                }
            };
            self.open(generation, true)?;
        };
        let len = stored * E::LEN as u64;
        if file.len()? != len {
            file.set_len(len)?;
        }
        if sync {
            file.sync()?;
        }
        Ok(())
    }

    /// Keeps the entries added from now on in memory, until [`Self::replace`] or [`Self::resume`].
    pub(crate) fn pause(&self) {
        let mut state = self.state.lock();
        state.paused = true;
        state.generation += 1;
    }

    /// Ends a pause without a change.
    pub(crate) fn resume(&self) {
        self.state.lock().paused = false;
    }

    /// Ends a pause: `entries` take the place of all entries that reach no further than `covered` above the base offset.
    pub(crate) fn replace(&self, entries: &[E], covered: i64) -> Result<(), LogError> {
        let mut bytes = Vec::with_capacity(entries.len() * E::LEN);
        entries.iter().for_each(|entry| entry.write(&mut bytes));
        let written = self.files.at(E::KIND, |disk, path| disk::write_atomically(disk, path, &bytes));
        let mut state = self.state.lock();
        state.paused = false;
        state.generation += 1;
        written?;
        state.handle = None;
        state.unread = None;
        state.stored = entries.len() as u64;
        state.tail.retain(|entry| i64::from(entry.relative_offset()) > covered);
        state.last = state.tail.last().or(entries.last()).copied();
        Ok(())
    }

    /// Makes `entries` the whole file, without the care for a crash that [`Self::replace`] takes: recovery does so, and
    /// would only do it again.
    pub(crate) fn overwrite(&self, entries: &[E]) -> Result<(), LogError> {
        let mut bytes = Vec::with_capacity(entries.len() * E::LEN);
        entries.iter().for_each(|entry| entry.write(&mut bytes));
        let file = self.files.open(E::KIND, OpenHow::Write)?;
        if file.len()? != bytes.len() as u64 {
            file.set_len(bytes.len() as u64)?;
        }
        if !bytes.is_empty() {
            file.write_at(0, &[IoSlice::new(&bytes)])?;
        }
        let mut state = self.state.lock();
        state.unread = None;
        state.stored = entries.len() as u64;
        state.last = entries.last().copied();
        Ok(())
    }

    /// Whether the file is a whole number of entries that ascend in `key`, none of them filler, and has at most `limit`
    /// bytes, as is true unless a power loss tore it.
    pub(crate) fn ascends<K: PartialOrd>(&self, limit: u64, key: impl Fn(&E) -> K) -> Result<bool, LogError> {
        let len = self.files.at(E::KIND, |disk, path| disk.entry(path))?.map_or(0, |entry| entry.len);
        if len > limit {
            return Ok(false);
        }
        let bytes =
            self.files.at(E::KIND, |disk, path| disk::read_whole(disk, path, limit))?.unwrap_or_default();
        let entries = || bytes.chunks_exact(E::LEN).map(E::read);
        let real =
            entries().all(|entry| !entry.is_filler() || may_be_real::<E>(bytes.len() as u64 / E::LEN as u64));
        Ok(real
            && bytes.len().is_multiple_of(E::LEN)
            && entries().map(|entry| key(&entry)).is_sorted_by(|a, b| a < b))
    }

    /// Closes the file; the next use opens it again.
    pub(crate) fn close_handle(&self) {
        self.state.lock().handle = None;
    }

    /// Opens the file and keeps the handle, unless a rebuild has put another file there since `generation`.
    fn open(&self, generation: u32, writable: bool) -> Result<(), LogError> {
        // Not made anew: it may have been renamed away together with its segment.
        let how = if writable { OpenHow::Existing } else { OpenHow::Read };
        let file = self.files.open(E::KIND, how)?;
        let mut state = self.state.lock();
        if state.generation == generation {
            state.handle = Some(Handle { file, writable });
        }
        Ok(())
    }
}

/// How many of the `entries` in a file count, and the last of those. Kafka makes an index file as large as it may become
/// and fills it with zeros; after a crash they are still there.
fn count<E: Entry>(file: &dyn DiskFile, entries: u64) -> Result<(u64, Option<E>), LogError> {
    let Some(last) = entry_at::<E>(file, entries - 1)? else {
        return Ok((0, None));
    };
    if !last.is_filler() || may_be_real::<E>(entries) {
        return Ok((entries, Some(last)));
    }
    let (mut real, mut filler) = (0, entries - 1);
    while real < filler {
        let middle = real.midpoint(filler);
        match entry_at::<E>(file, middle)? {
            Some(entry) if !entry.is_filler() => real = middle + 1,
            _ => filler = middle,
        }
    }
    Ok((real, if real == 0 { None } else { entry_at(file, real - 1)? }))
}

/// Whether an entry that looks like filler need not be: the only entry of a time index, for a record at the base offset
/// with timestamp 0.
fn may_be_real<E: Entry>(entries: u64) -> bool {
    entries == 1 && E::KIND == Kind::TimeIndex
}

fn entry_at<E: Entry>(file: &dyn DiskFile, at: u64) -> Result<Option<E>, LogError> {
    let mut bytes = [0; 16];
    let bytes = &mut bytes[..E::LEN];
    let read = file.read_at(at * E::LEN as u64, bytes)?;
    Ok((read == E::LEN).then(|| E::read(bytes)))
}

/// The last of the first `stored` entries of `file` for which `reached` is true: halves the file down to a block, and
/// reads that. Entries that are missing from the file count as not reached.
fn search<E: Entry>(
    file: &dyn DiskFile,
    stored: u64,
    reached: impl Fn(&E) -> bool,
) -> Result<Option<E>, LogError> {
    let per_block = (BLOCK / E::LEN) as u64;
    // The entry before `low` is known to be reached, the one at `high` not to be.
    let (mut low, mut high) = (0, stored);
    let mut best = None;
    while high - low > per_block {
        let middle = low.midpoint(high);
        match entry_at::<E>(file, middle)? {
            Some(entry) if reached(&entry) => {
                best = Some(entry);
                low = middle + 1;
            }
            _ => high = middle,
        }
    }
    let mut block = [0; BLOCK];
    let block = &mut block[..(high - low) as usize * E::LEN];
    let read = file.read_at(low * E::LEN as u64, block)?;
    let entries = block[..read].chunks_exact(E::LEN);
    Ok(entries.map(E::read).take_while(reached).last().or(best))
}

#[cfg(test)]
mod tests;
