//! The `.txnindex` of a segment: the transactions that an abort marker in it has ended (Kafka: `TransactionIndex`).
//!
//! Most segments have none. A file that is there is read whole when a `read_committed` reader first needs it, and kept in
//! memory for as long as the segment's other files are kept open. Its entries come from transactions, of which this room
//! knows nothing: after a scan the owner of the log works them out, and hands them in.

use std::path::Path;
use std::sync::Arc;

use base::Offset;
use disk::{Disk, read_whole, write_atomically};
use parking_lot::Mutex;

use crate::error::LogError;
use crate::index::TxnEntry;
use crate::names::Kind;
use crate::segment::Segment;
use crate::writer::Log;

/// A `.txnindex` is read whole, so it may not be larger than this: 31 million aborted transactions.
const LARGEST: u64 = 1 << 30;

/// What is known of a segment's aborted transactions.
#[derive(Clone, Debug, Default)]
enum Known {
    /// Nobody has looked yet, or what was read was given up.
    #[default]
    Unread,
    /// In their order.
    Read(Arc<[TxnEntry]>),
}

/// The aborted transactions of one segment, as its readers share them.
#[derive(Debug, Default)]
pub(crate) struct Aborted {
    known: Mutex<Known>,
}

impl Aborted {
    /// Forgets what was read, unless it is nothing: that takes no memory.
    pub(crate) fn give_up(&self) {
        let mut known = self.known.lock();
        if matches!(&*known, Known::Read(entries) if !entries.is_empty()) {
            *known = Known::Unread;
        }
    }
}

impl Segment {
    /// The aborted transactions whose markers are in this segment, by the offset of the marker.
    pub(crate) fn aborted(self: &Arc<Self>) -> Result<Arc<[TxnEntry]>, LogError> {
        if let Known::Read(entries) = &*self.aborted.known.lock() {
            return Ok(Arc::clone(entries));
        }
        let found = self.files.at(Kind::TxnIndex, |disk, path| read(disk, path, self.base))?;
        let entries: Arc<[TxnEntry]> = found.unwrap_or_default().into();
        let mut known = self.aborted.known.lock();
        if let Known::Read(newer) = &*known {
            return Ok(Arc::clone(newer));
        }
        *known = Known::Read(Arc::clone(&entries));
        drop(known);
        if !entries.is_empty() && self.is_sealed() {
            self.place.commons.open_files.note(self);
        }
        Ok(entries)
    }
}

/// Reads a `.txnindex` and holds it against what such a file can say; `None` when there is no such file.
///
/// # Errors
/// When it cannot be read, or says something else ([`LogError::DamagedTxnIndex`]).
pub(crate) fn read(disk: &dyn Disk, path: &Path, base: Offset) -> Result<Option<Vec<TxnEntry>>, LogError> {
    let Some(bytes) = read_whole(disk, path, LARGEST)? else {
        return Ok(None);
    };
    let damaged = |at: usize, why: String| {
        Err(LogError::DamagedTxnIndex { file: path.to_owned(), position: (at * TxnEntry::LEN) as u64, why })
    };
    let mut entries: Vec<TxnEntry> = Vec::with_capacity(bytes.len() / TxnEntry::LEN);
    for entry in TxnEntry::all(&bytes) {
        let at = entries.len();
        if entry.version != 0 {
            return damaged(at, format!("version {} of an aborted transaction is not known", entry.version));
        }
        if entry.last_offset < entry.first_offset || entry.last_offset < base {
            let TxnEntry { first_offset, last_offset, .. } = entry;
            return damaged(at, format!("no transaction from {first_offset} to {last_offset} ends here"));
        }
        if entries.last().is_some_and(|before| before.last_offset >= entry.last_offset) {
            return damaged(
                at,
                format!("the marker at {} does not follow the one before", entry.last_offset),
            );
        }
        entries.push(entry);
    }
    if !bytes.len().is_multiple_of(TxnEntry::LEN) {
        return damaged(entries.len(), "the file ends within an entry".to_owned());
    }
    Ok(Some(entries))
}

impl Log {
    /// Replaces the `.txnindex` of the segment at `base`: the aborted transactions that [`crate::Opened::unindexed`] asks
    /// for, or those that a compaction has left. On disk for good when this returns. None: the file goes.
    ///
    /// # Errors
    /// When a file operation fails; then the old file is still there.
    ///
    /// # Panics
    /// When no segment begins at `base`.
    pub fn write_aborted(&mut self, base: Offset, entries: &[TxnEntry]) -> Result<(), LogError> {
        let segments = self.shared.segments.load();
        let segment = segments.iter().find(|segment| segment.base == base).expect("a segment begins there");
        let (place, path) = (&segment.place, segment.path(Kind::TxnIndex));
        if !entries.is_empty() {
            let bytes: Vec<u8> = entries.iter().flat_map(TxnEntry::encode).collect();
            write_atomically(&*place.disk, &path, &bytes)?;
        } else if place.disk.entry(&path)?.is_some() {
            place.disk.remove_file(&path)?;
            place.disk.sync_dir(&place.dir)?;
        }
        *segment.aborted.known.lock() = Known::Read(entries.into());
        if !entries.is_empty() && segment.is_sealed() {
            place.commons.open_files.note(segment);
        }
        Ok(())
    }
}
