//! What a directory holds, once leftovers are gone: files that were being deleted, and compactions that did not end
//! (Kafka: `LogLoader.load`, its first passes).

use std::collections::BTreeMap;

use base::Offset;
use disk::{Entry, OpenHow};

use crate::error::LogError;
use crate::names::{FileName, Kind, Parked};
use crate::place::Place;
use crate::walk::{Expected, HeaderWalk, Step};

/// The files of one segment, by their lengths in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) base: Offset,
    pub(super) log: u64,
    pub(super) index: Option<u64>,
    pub(super) time_index: Option<u64>,
    /// Whether there is a `.txnindex`.
    pub(super) txn_index: bool,
}

/// Sweeps the directory, and says which segments it holds, oldest first.
pub(super) fn sweep(place: &Place) -> Result<Vec<Files>, LogError> {
    let mut entries = list(place)?;
    if entries.iter().any(|(name, _)| name.parked.is_some()) {
        clear(place, &entries)?;
        entries = list(place)?;
    }
    let mut segments = BTreeMap::new();
    for (name, len) in entries.iter().filter(|(name, _)| name.kind == Kind::Log) {
        let files = Files { base: name.offset, log: *len, index: None, time_index: None, txn_index: false };
        segments.insert(name.offset, files);
    }
    for (name, len) in entries {
        match (segments.get_mut(&name.offset), name.kind) {
            (Some(files), Kind::Index) => files.index = Some(len),
            (Some(files), Kind::TimeIndex) => files.time_index = Some(len),
            (Some(files), Kind::TxnIndex) => files.txn_index = true,
            (None, Kind::Index | Kind::TimeIndex | Kind::TxnIndex) => {
                tracing::warn!(file = %place.path(name).display(), "an index without its segment is removed");
                place.disk.remove_file(&place.path(name))?;
            }
            _ => {}
        }
    }
    Ok(segments.into_values().collect())
}

/// The files with names of ours. What a rebuild of an index left half written is removed.
fn list(place: &Place) -> Result<Vec<(FileName, u64)>, LogError> {
    let mut ours = Vec::new();
    for Entry { name, is_dir, len, .. } in place.disk.list(&place.dir)? {
        if is_dir {
            continue;
        }
        if let Some(parsed) = FileName::parse(&name) {
            ours.push((parsed, len));
        } else if name.strip_suffix(".tmp").and_then(FileName::parse).is_some() {
            place.disk.remove_file(&place.dir.join(name))?;
        }
    }
    Ok(ours)
}

/// Removes what was being deleted or written, and puts finished compactions in their place.
fn clear(place: &Place, entries: &[(FileName, u64)]) -> Result<(), LogError> {
    let parked = |kind: Parked| entries.iter().filter(move |(name, _)| name.parked == Some(kind));
    for (name, _) in parked(Parked::Deleted) {
        place.disk.remove_file(&place.path(*name))?;
    }
    // A finished output above one that was being written belongs to a split that did not end: both go.
    let unfinished = parked(Parked::Cleaned).map(|(name, _)| name.offset).min();
    let (split, finished): (Vec<_>, Vec<_>) = parked(Parked::Swap)
        .copied()
        .partition(|(name, _)| unfinished.is_some_and(|unfinished| name.offset >= unfinished));
    // Each step is on disk before the next: of the removed, an index without its segment would be taken for the rest of a
    // finished output, and a replaced segment would stand beside what replaces it.
    let sync = |is_due: bool| if is_due { place.disk.sync_dir(&place.dir) } else { Ok(()) };
    for (name, _) in &split {
        place.disk.remove_file(&place.path(*name))?;
    }
    sync(!split.is_empty())?;
    for (name, _) in parked(Parked::Cleaned) {
        place.disk.remove_file(&place.path(*name))?;
    }
    // The segments that a finished output replaces go, then it takes their place.
    let mut range: Option<(Offset, Offset)> = None;
    for (name, len) in finished.iter().filter(|(name, _)| name.kind == Kind::Log) {
        let end = end_of(place, *name, *len)?;
        range = Some(range.map_or((name.offset, end), |(from, to)| (from.min(name.offset), to.max(end))));
    }
    if let Some((from, to)) = range {
        for (name, _) in entries.iter().filter(|(name, _)| name.parked.is_none()) {
            // Producer snapshots stay: what they say may stand nowhere else.
            if name.kind != Kind::Snapshot && name.offset >= from && name.offset < to {
                tracing::info!(file = %place.path(*name).display(), "a compacted segment is removed");
                place.disk.remove_file(&place.path(*name))?;
            }
        }
    }
    sync(range.is_some())?;
    let (logs, others): (Vec<_>, Vec<_>) = finished.into_iter().partition(|(name, _)| name.kind == Kind::Log);
    for names in [logs, others] {
        for (name, _) in &names {
            place.disk.rename(&place.path(*name), &place.path(FileName { parked: None, ..*name }))?;
        }
        sync(!names.is_empty())?;
    }
    Ok(())
}

/// The offset after the last batch of a segment that has no trusted index.
fn end_of(place: &Place, name: FileName, len: u64) -> Result<Offset, LogError> {
    let file = place.disk.open(&place.path(name), OpenHow::Read)?;
    let expected = Expected { base: name.offset, next: name.offset };
    let mut walk = HeaderWalk::new(file, 0, len, expected, HeaderWalk::LONG);
    while let Step::Batch(..) = walk.step()? {}
    Ok(walk.next_offset())
}
