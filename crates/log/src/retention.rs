//! Taking away what is old: by log start, by size, by time; and removing its files later.

use std::path::PathBuf;
use std::sync::Arc;

use base::{Millis, Offset};

use crate::epochs::Epochs;
use crate::error::LogError;
use crate::flush::{Flush, has_no_room};
use crate::names::{FileName, Kind, Parked};
use crate::place::Place;
use crate::reader::last_written;
use crate::segment::Segment;
use crate::writer::Log;

/// What retention took away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Base offsets of the removed segments, ascending.
    pub segments: Vec<Offset>,
    /// The log start after that.
    pub log_start: Offset,
}

/// `.deleted` files whose delay is over.
#[derive(Debug)]
#[must_use = "they are neither removed nor remembered otherwise"]
pub struct DueFiles {
    place: Arc<Place>,
    paths: Vec<PathBuf>,
}

impl DueFiles {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Removes them, and says how many there were. One that is gone already counts too.
    ///
    /// # Errors
    /// When a file cannot be removed. It and those behind it are still in here, for [`Log::remove_later`].
    pub fn remove(&mut self) -> Result<usize, LogError> {
        let mut count = 0;
        while let Some(path) = self.paths.last() {
            match self.place.disk.remove_file(path) {
                Err(error) if !error.is_not_found() => return Err(error.into()),
                _ => count += 1,
            }
            self.paths.pop();
        }
        Ok(count)
    }
}

impl Log {
    /// Moves the log start up to `offset`, never down, and returns the log start. Segments below it go with the next
    /// [`Self::apply_retention`].
    ///
    /// # Panics
    /// When `offset` is above the log end: the caller compares it with its high watermark.
    pub fn delete_records_before(&mut self, offset: Offset) -> Offset {
        assert!(offset <= self.log_end(), "the log start stays within the log");
        if offset > self.log_start() {
            self.shared.set_log_start(offset);
            let mut epochs = Epochs::clone(&self.shared.epochs.load());
            epochs.truncate_start(offset);
            if epochs != **self.shared.epochs.load() {
                // The checkpoint may lag until files go: opening the log cuts it at the known log start again.
                self.set_epochs(epochs);
            }
        }
        self.log_start()
    }

    /// Moves the log start to where [`Self::apply_retention`] will, as far as segments stay, and touches no file. Returns
    /// what is to be written before they go: [`Flush::write_epochs`], which needs no lock, then [`Self::wrote_epochs`].
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn expire(&mut self, high_watermark: Offset, now: Millis) -> Result<Flush, LogError> {
        let segments = self.shared.segments.load_full();
        let (log_start, delete) = (self.log_start(), self.config.delete_enabled);
        let size_limit = u64::try_from(self.config.retention_bytes).ok().filter(|_| delete);
        let age_limit = Some(self.config.retention_ms).filter(|limit| delete && *limit >= 0);
        let mut surplus = size_limit.map_or(0, |limit| {
            let below = segments.windows(2).take_while(|pair| pair[1].base <= log_start);
            let gone = below.map(|pair| pair[0].len()).sum::<u64>();
            self.shared.size().saturating_sub(gone).saturating_sub(limit)
        });
        for pair in segments.windows(2) {
            let (segment, next) = (&pair[0], pair[1].base);
            if next <= log_start {
                continue;
            }
            let fits = surplus > 0 && segment.len() <= surplus;
            surplus -= if fits { segment.len() } else { surplus };
            let is_old = || {
                Ok::<_, LogError>(match age_limit {
                    Some(limit) => now.since(largest_timestamp(segment)?) > limit,
                    None => false,
                })
            };
            if next > high_watermark || !(fits || is_old()?) {
                break;
            }
            self.delete_records_before(next);
        }
        Ok(self.begin_flush())
    }

    /// Removes segments from the oldest on, as the limits say, never beyond `high_watermark`: first those below the log
    /// start, then by size, then by time (Kafka: `UnifiedLog.deleteOldSegments`). When all go, a new one is begun first.
    /// Their files (and the `.snapshot` of the same number) become `.deleted` and go with [`Self::take_due_files`].
    ///
    /// # Errors
    /// When a file operation fails. Segments that were taken out of the log by then stay out.
    pub fn apply_retention(&mut self, high_watermark: Offset, now: Millis) -> Result<Removed, LogError> {
        let mut removed = Removed { segments: Vec::new(), log_start: self.log_start() };
        let log_start = self.log_start();
        let below_start =
            |_: &Arc<Segment>, next: Option<Offset>| Ok(next.is_some_and(|next| next <= log_start));
        self.take_while(high_watermark, now, &mut removed, below_start)?;
        if self.config.delete_enabled {
            if let Ok(limit) = u64::try_from(self.config.retention_bytes) {
                let mut surplus = self.shared.size().saturating_sub(limit);
                self.take_while(high_watermark, now, &mut removed, |segment, _| {
                    let fits = segment.len() <= surplus && surplus > 0;
                    surplus -= if fits { segment.len() } else { 0 };
                    Ok(fits)
                })?;
            }
            let limit = self.config.retention_ms;
            if limit >= 0 {
                self.take_while(high_watermark, now, &mut removed, |segment, _| {
                    Ok(now.since(largest_timestamp(segment)?) > limit)
                })?;
            }
        }
        removed.log_start = self.log_start();
        Ok(removed)
    }

    /// Takes segments from the oldest on while `wanted` (which also hears where the next one begins) says so.
    fn take_while(
        &mut self,
        high_watermark: Offset,
        now: Millis,
        removed: &mut Removed,
        mut wanted: impl FnMut(&Arc<Segment>, Option<Offset>) -> Result<bool, LogError>,
    ) -> Result<(), LogError> {
        let segments = self.shared.segments.load_full();
        let mut count = 0;
        for (at, segment) in segments.iter().enumerate() {
            let next = segments.get(at + 1).map(|next| next.base);
            let last_and_empty = next.is_none() && segment.len() == 0;
            let end = next.unwrap_or(self.log_end());
            if last_and_empty || end > high_watermark || !wanted(segment, next)? {
                break;
            }
            count = at + 1;
        }
        if count == segments.len() {
            self.roll(now)?;
        }
        if count > 0 {
            self.remove_oldest(count, now)?;
            removed.segments.extend(segments[..count].iter().map(|segment| segment.base));
        }
        Ok(())
    }

    fn remove_oldest(&mut self, count: usize, now: Millis) -> Result<(), LogError> {
        let segments = self.shared.segments.load_full();
        let (gone, kept) = segments.split_at(count);
        self.delete_records_before(kept[0].base);
        // The first epoch now begins at the log start, and that is on disk before a file goes: a power loss may bring some of
        // them back, and the next start must not take the gaps between them for lost writes.
        match self.write_epochs() {
            // What makes room must not wait for room. The next flush writes them; should a power loss come first, what is
            // missing between segments that are back is reported, and nothing is cut.
            Err(LogError::Disk(error)) if has_no_room(&error) => {
                tracing::warn!(%error, "segments are removed all the same, to make room");
            }
            written => written?,
        }
        self.shared.segments.store(Arc::new(kept.to_vec()));
        self.unsynced.retain(|segment| gone.iter().all(|gone| !Arc::ptr_eq(gone, segment)));
        let due = now.plus(self.config.file_delete_delay_ms.max(0));
        for segment in gone {
            segment.remove();
            self.parked.extend(segment.park()?.into_iter().map(|path| (due, path)));
            self.parked.extend(park_snapshot(&self.shared.place, segment.base)?.map(|path| (due, path)));
        }
        Ok(())
    }

    /// The `.deleted` files whose delay is over. Whoever takes them [removes](DueFiles::remove) them, without the log: taking a
    /// large file off a disk takes time.
    pub fn take_due_files(&mut self, now: Millis) -> DueFiles {
        let (due, later) = std::mem::take(&mut self.parked).into_iter().partition(|(due, _)| *due <= now);
        self.parked = later;
        let due: Vec<(Millis, PathBuf)> = due;
        let paths = due.into_iter().map(|(_, path)| path).collect();
        DueFiles { place: Arc::clone(&self.shared.place), paths }
    }

    /// Takes back what could not be removed, to be tried again at `due`.
    pub fn remove_later(&mut self, files: DueFiles, due: Millis) {
        self.parked.extend(files.paths.into_iter().map(|path| (due, path)));
    }

    /// When the next `.deleted` file is to be removed.
    #[must_use]
    pub fn next_removal(&self) -> Option<Millis> {
        self.parked.iter().map(|(due, _)| *due).min()
    }
}

/// The largest record timestamp, or when the file was last written if no record has one.
pub(crate) fn largest_timestamp(segment: &Arc<Segment>) -> Result<Millis, LogError> {
    match segment.max_timestamp()?.timestamp {
        none if none < Millis(0) => last_written(segment),
        timestamp => Ok(timestamp),
    }
}

/// Renames the producer snapshot at `base` to `.deleted`, if there is one.
pub(crate) fn park_snapshot(place: &Place, base: Offset) -> Result<Option<PathBuf>, LogError> {
    let name = FileName::new(base, Kind::Snapshot);
    let deleted = place.path(name.parked(Parked::Deleted));
    match place.disk.rename(&place.path(name), &deleted) {
        Ok(()) => Ok(Some(deleted)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}
