//! Opening a log: after a clean stop without reading what the marker vouches for, after a crash by reading all from the
//! recovery point on.
//!
//! Looks first, decides from a table, touches last: segments are read and judged from the oldest on; only then are
//! segments dropped (the newest first, so that a second crash leaves no gap), and the last one is cut. Rebuilt indexes are
//! written along the way, being hints.

mod epochs;
mod scan_segment;
mod sweep;
mod tail;

use std::path::Path;
use std::sync::Arc;

use base::{Millis, Offset};
use disk::{Disk, OpenHow};

use crate::aborted;
use crate::checkpoint::EpochLine;
use crate::commons::{Commons, Running};
use crate::config::{Known, LogConfig};
use crate::error::{Damage, LogError};
use crate::names::{FileName, Kind, Parked};
use crate::place::Place;
use crate::retention::park_snapshot;
use crate::segment::{Lengths, Segment};
use crate::shared::Shared;
use crate::whereabouts::{OWN, Whereabouts};
use crate::writer::{Active, Log, create_files};
use scan_segment::{Given, Scanned};
use sweep::Files;
use tail::Tail;

/// What [`Log::open`] found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Whether the directory had no segment, and got its first one now.
    pub created: bool,
    /// Bytes that were read and checked because nothing vouched for them.
    pub scanned_bytes: u64,
    /// Bytes cut off the last segment that was kept.
    pub truncated_bytes: u64,
    /// Base offsets of segments that were dropped: behind a cut or a missing stretch, or all, below the log start.
    pub dropped_segments: Vec<Offset>,
    /// Base offsets of segments whose indexes were rebuilt.
    pub rebuilt_indexes: Vec<Offset>,
    /// Base offsets of segments whose `.txnindex` must be made anew from the markers in them ([`Log::write_aborted`]),
    /// ascending: those that were scanned and hold markers, and those whose `.txnindex` is damaged.
    pub unindexed: Vec<Offset>,
    /// What was flushed once and is damaged now. It was left as it is; reading it is an error.
    pub damage: Vec<Damage>,
}

impl Log {
    /// Opens the log in `dir`, which is made together with a first segment (at the known log start) if missing.
    ///
    /// After an unclean stop every batch from the recovery point's segment on is checked. At or above the recovery
    /// point the first bad one ends the log; below it, where everything was promised once, nothing is cut: damage is
    /// reported, and what lies behind it is served. Leftovers of deletions and compactions are swept away in any case.
    ///
    /// The recovery point must be of this very log: one of an older log of the same name would hold damage to be
    /// promised data.
    ///
    /// # Errors
    /// When a file operation fails, or the log holds messages in a format that is not read here.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        config: LogConfig,
        known: Known,
        now: Millis,
    ) -> Result<(Self, Opened), LogError> {
        Self::open_among(Arc::default(), disk, dir, config, known, now)
    }

    /// As [`Self::open`], as one of many logs.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_among(
        commons: Arc<Commons>,
        disk: Arc<dyn Disk>,
        dir: &Path,
        config: LogConfig,
        known: Known,
        now: Millis,
    ) -> Result<(Self, Opened), LogError> {
        let place = Arc::new(Place::new(disk, dir, commons));
        let dir_made = place.disk.entry(dir)?.is_none();
        if dir_made {
            place.disk.create_dir_all(dir)?;
        }
        let files = sweep::sweep(&place)?;
        let epochs = epochs::read_epochs(&place)?;
        let mut opening = Opening {
            place,
            config,
            known,
            epochs,
            kept: Vec::new(),
            unsynced: Vec::new(),
            cut: None,
            opened: Opened::default(),
        };
        opening.read(&files)?;
        let (mut log, opened) = opening.finish(&files, now)?;
        if dir_made || !known.clean {
            // After a crash nobody knows which names are on disk for good.
            log.dir_made = true;
            log.names_made = 1;
        }
        Ok((log, opened))
    }
}

/// What to do about a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// Believe its files.
    Trust,
    /// Find its end, from the last index entry on.
    FindEnd,
    /// Read and check all of it.
    Scan,
}

/// | stop    | segment                                   | plan    |
/// |---------|-------------------------------------------|---------|
/// | any     | an index file is missing                  | scan    |
/// | unclean | the last one, or reaches past the recovery point | scan |
/// | clean   | the last one                              | find end |
/// | any     | any other                                 | trust   |
fn plan(known: &Known, files: &Files, next: Option<Offset>) -> Plan {
    let missing = files.index.is_none() || files.time_index.is_none();
    match (known.clean, next) {
        _ if missing => Plan::Scan,
        (true, None) => Plan::FindEnd,
        (false, next) if reaches_past(known.recovery_point, next) => Plan::Scan,
        _ => Plan::Trust,
    }
}

/// Whether a segment may have batches at the recovery point or above.
fn reaches_past(recovery_point: Offset, next: Option<Offset>) -> bool {
    next.is_none_or(|next| next > recovery_point)
}

/// What to do where no whole batch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The log ends here: nobody was promised what may have been here.
    Cut,
    /// Something was flushed here and is damaged: report it, keep it, go on behind it.
    Report,
}

/// The lost offsets begin at `first`; below `promised` everything was flushed.
fn judge(first: Offset, promised: Offset) -> Verdict {
    if first >= promised { Verdict::Cut } else { Verdict::Report }
}

struct Opening {
    place: Arc<Place>,
    config: LogConfig,
    known: Known,
    /// The leader epochs of the checkpoint; `None` when it is lost.
    epochs: Option<Vec<EpochLine>>,
    kept: Vec<Kept>,
    /// Kept segments that may not be on disk as they are now.
    unsynced: Vec<Arc<Segment>>,
    /// Where the last kept segment is to be cut.
    cut: Option<u64>,
    opened: Opened,
}

/// A segment that stays.
struct Kept {
    segment: Arc<Segment>,
    /// The offset after its last batch.
    end: Offset,
    scanned: Option<Scanned>,
    tail: Option<Tail>,
}

impl Opening {
    /// Bytes of the segments that are to be checked.
    fn to_check(&self, files: &[Files]) -> u64 {
        let next = files.iter().skip(1).map(|file| Some(file.base)).chain([None]);
        let checked =
            files.iter().zip(next).filter(|(file, next)| plan(&self.known, file, *next) == Plan::Scan);
        checked.map(|(file, _)| file.log).sum()
    }

    /// Reads and judges the segments, oldest first, until one ends the log.
    fn read(&mut self, files: &[Files]) -> Result<(), LogError> {
        let commons = Arc::clone(&self.place.commons);
        let to_check = self.to_check(files);
        let running = commons.checks.begin(&self.place.dir, to_check);
        for (at, file) in files.iter().enumerate() {
            let next = files.get(at + 1).map(|next| next.base);
            let end = match plan(&self.known, file, next) {
                Plan::Trust => {
                    let end = next.expect("the last segment is never only trusted");
                    let segment = self.segment(file, file.log, end);
                    if !self.known.clean && end == self.known.recovery_point {
                        if tail::check_seal(&segment)? {
                            self.opened.rebuilt_indexes.push(file.base);
                        }
                        self.unsynced.push(Arc::clone(&segment));
                    }
                    self.kept.push(Kept { segment, end, scanned: None, tail: None });
                    self.check_aborted(file)?;
                    end
                }
                Plan::FindEnd => {
                    let segment = self.segment(file, file.log, file.base);
                    match tail::find_end(&segment)? {
                        Some(tail) => {
                            let end = tail.end;
                            if tail.rebuilt {
                                self.opened.rebuilt_indexes.push(file.base);
                            }
                            self.kept.push(Kept { segment, end, scanned: None, tail: Some(tail) });
                            self.check_aborted(file)?;
                            end
                        }
                        None => self.scan(file, next, &running)?,
                    }
                }
                Plan::Scan => self.scan(file, next, &running)?,
            };
            if self.cut.is_some() {
                break;
            }
            if let Some(next) = next
                && self.breaks_off(file, end, next)
            {
                break;
            }
        }
        Ok(())
    }

    /// Whether the log ends at `end` because offsets are missing, or twice there, before the next segment's `next`.
    /// Where nothing is compacted that is the trace of lost writes.
    fn breaks_off(&mut self, file: &Files, end: Offset, next: Offset) -> bool {
        // Retention writes down where the log begins before it deletes; a power loss may bring back some of what it did.
        let deleted = self.first_epoch_start().is_some_and(|start| start >= next);
        if end == next || self.config.compact_enabled || deleted {
            return false;
        }
        if !self.known.clean && judge(end, self.known.recovery_point) == Verdict::Cut {
            tracing::warn!(
                dir = %self.place.dir.display(), log_end = end.0, next_segment = next.0,
                "the next segment does not follow; the log ends before it"
            );
            return true;
        }
        if end < next {
            self.report(Damage {
                file: self.place.path(FileName::new(file.base, Kind::Log)),
                position: file.log,
                len: 0,
                first: end,
                next,
            });
        }
        false
    }

    fn segment(&self, file: &Files, len: u64, end: Offset) -> Arc<Segment> {
        let lengths =
            Lengths { log: len, index: file.index.unwrap_or(0), time_index: file.time_index.unwrap_or(0) };
        Arc::new(Segment::new(&self.place, file.base, lengths, end, self.config.index_rules()))
    }

    /// Reads a whole segment, keeps what stands, and returns its end.
    fn scan(
        &mut self,
        file: &Files,
        next: Option<Offset>,
        running: &Running<'_>,
    ) -> Result<Offset, LogError> {
        // What a clean stop left was flushed, all but what may have been added to the last segment since.
        let promised =
            if self.known.clean && next.is_some() { Offset(i64::MAX) } else { self.known.recovery_point };
        let given = Given { promised, gaps: self.config.compact_enabled, rules: self.config.index_rules() };
        let mut scanned = scan_segment::scan(&self.place, file, given, running)?;
        self.opened.scanned_bytes += file.log;
        self.opened.rebuilt_indexes.extend((file.log > 0).then_some(file.base));
        if next.is_some() && scanned.cut.is_none() {
            scanned.builder.seal();
        }
        if let Some(fault) = &scanned.cut {
            tracing::warn!(
                file = %self.place.path(FileName::new(file.base, Kind::Log)).display(),
                position = scanned.len, bytes = file.log - scanned.len, log_end = scanned.end.0, why = %fault,
                "no whole batch is there, and nothing from there on was flushed; the log is cut"
            );
            self.cut = Some(scanned.len);
            self.opened.truncated_bytes += file.log - scanned.len;
        }
        // A hole at the very end swallows all offsets up to those that are known to be free.
        let end = match scanned.holes.last() {
            Some(hole) if hole.to == file.log => next.unwrap_or(self.known.recovery_point.max(scanned.end)),
            _ => scanned.end,
        };
        let bound = next.filter(|_| scanned.cut.is_none()).unwrap_or(end).max(end);
        let segment = self.segment(file, scanned.len, bound);
        let (offsets, times) = (&scanned.builder.offsets, &scanned.builder.times);
        if !self.known.clean && reaches_past(self.known.recovery_point, next) {
            // Until the recovery point has passed it, this segment is scanned at every start.
            segment.offsets.overwrite(offsets)?;
            segment.times.overwrite(times)?;
        } else {
            segment.offsets.replace(offsets, i64::MAX)?;
            segment.times.replace(times, i64::MAX)?;
        }
        *segment.max.lock() = Some(scanned.builder.max);
        for mut hole in std::mem::take(&mut scanned.holes) {
            if hole.to == file.log {
                hole.next = end;
                scanned.ends_in_a_hole = true;
            }
            let (position, len) = (hole.from, hole.to - hole.from);
            self.opened.damage.push(Damage {
                file: segment.path(Kind::Log),
                position,
                len,
                first: hole.first,
                next: hole.next,
            });
            segment.note_hole(hole);
        }
        if scanned.has_markers {
            self.opened.unindexed.push(file.base);
        } else if file.txn_index {
            self.place.disk.remove_file(&segment.path(Kind::TxnIndex))?;
        }
        self.unsynced.push(Arc::clone(&segment));
        self.kept.push(Kept { segment, end, scanned: Some(scanned), tail: None });
        Ok(end)
    }

    /// Looks whether the `.txnindex` of a segment that is not scanned can be believed.
    fn check_aborted(&mut self, file: &Files) -> Result<(), LogError> {
        if !file.txn_index {
            return Ok(());
        }
        let path = self.place.path(FileName::new(file.base, Kind::TxnIndex));
        match aborted::read(&*self.place.disk, &path, file.base) {
            Err(LogError::DamagedTxnIndex { file: path, position, why }) => {
                tracing::warn!(file = %path.display(), position, why, "aborted transactions are looked for again");
                self.opened.unindexed.push(file.base);
                Ok(())
            }
            other => other.map(drop),
        }
    }

    fn report(&mut self, damage: Damage) {
        tracing::error!(
            file = %damage.file.display(), position = damage.position, bytes = damage.len,
            first_offset = damage.first.0, next_offset = damage.next.0,
            "what was flushed here is missing"
        );
        self.opened.damage.push(damage);
    }

    /// Touches the files, and makes the log.
    fn finish(mut self, files: &[Files], now: Millis) -> Result<(Log, Opened), LogError> {
        let mut log_end = self.kept.last().map_or(Offset(0), |kept| kept.end);
        let mut dropped: Vec<Offset> = files[self.kept.len()..].iter().map(|file| file.base).collect();
        let known_start = self.log_start(log_end)?;
        if !self.kept.is_empty() && log_end < known_start {
            tracing::warn!(
                dir = %self.place.dir.display(), log_end = log_end.0, log_start = known_start.0,
                "the log ends below its start; all segments are dropped"
            );
            dropped = files.iter().map(|file| file.base).collect();
            self.kept.clear();
            self.unsynced.clear();
            self.opened.unindexed.clear();
            self.cut = None;
        }
        let changed = self.cut.is_some() || !dropped.is_empty();
        if self.known.clean && !changed && log_end < self.known.recovery_point && !self.kept.is_empty() {
            let last = files.last().expect("something was kept");
            self.report(Damage {
                file: self.place.path(FileName::new(last.base, Kind::Log)),
                position: last.log,
                len: 0,
                first: log_end,
                next: self.known.recovery_point,
            });
        }
        let mut parked = Vec::new();
        for base in dropped.iter().rev() {
            let files = Whereabouts::new(&self.place, *base, None);
            for kind in OWN {
                parked.extend(files.rename(kind, Some(Parked::Deleted))?);
            }
            parked.extend(park_snapshot(&self.place, *base)?);
        }
        if !dropped.is_empty() {
            self.place.disk.sync_dir(&self.place.dir)?;
        }
        if let (Some(len), Some(last)) = (self.cut, self.kept.last()) {
            cut(&last.segment, len)?;
        }
        self.opened.dropped_segments = dropped;

        let mut names_made = 0;
        let mut unsynced = std::mem::take(&mut self.unsynced);
        let mut segments: Vec<Arc<Segment>> =
            self.kept.iter().map(|kept| Arc::clone(&kept.segment)).collect();

        // A new segment is begun when there is none, and behind a hole that nothing ends.
        let begin_at = match self.kept.last() {
            None => Some(known_start),
            Some(last) => last.scanned.as_ref().is_some_and(|scan| scan.ends_in_a_hole).then_some(last.end),
        };
        let active = if let Some(base) = begin_at {
            let rules = self.config.index_rules();
            let segment = Arc::new(Segment::new(&self.place, base, Lengths::NOTHING, base, rules));
            create_files(&segment, self.config.preallocate.then(|| self.config.segment_limit()))?;
            *segment.max.lock() = Some(crate::rebuild::MaxTimestamp::none(base));
            names_made = 1;
            if self.kept.is_empty() {
                // The next segment's name may outlive a power loss that this one's does not, and with nothing before the
                // gap nobody could tell that the log had begun earlier.
                self.place.disk.sync_dir(&self.place.dir)?;
            }
            log_end = base;
            self.opened.created = self.kept.is_empty() && files.is_empty();
            segments.push(Arc::clone(&segment));
            let mut active = Active::empty(segment, now);
            active.preallocated = self.config.preallocate;
            active
        } else {
            let last = self.kept.last().expect("else a segment is begun");
            unsynced.retain(|segment| !Arc::ptr_eq(segment, &last.segment));
            activate(last, now)?
        };

        let first = segments.first().expect("there is at least the new one").base;
        let log_start = known_start.max(first);
        let recovery_point =
            if self.known.clean && !changed { log_end } else { self.known.recovery_point.min(log_end) };
        let (epochs, learnt) = self.epochs(&segments, log_start, log_end)?;
        let shared = Shared::new(Arc::clone(&self.place), segments, log_start, log_end, epochs);
        let due = now.plus(self.config.file_delete_delay_ms.max(0));
        let mut log = Log {
            shared: Arc::new(shared),
            config: self.config,
            active,
            recovery_point,
            unsynced,
            names_made,
            // The first flush syncs the name of the directory as well.
            names_synced: 0,
            dir_made: false,
            parked: parked.into_iter().map(|path| (due, path)).collect(),
            epochs_made: u64::from(learnt),
            epochs_written: 0,
        };
        log.write_epochs()?;
        Ok((log, self.opened))
    }
}

/// Makes the last segment the one that is appended to.
fn activate(last: &Kept, now: Millis) -> Result<Active, LogError> {
    let mut active = Active::empty(Arc::clone(&last.segment), now);
    if let Some(scanned) = &last.scanned {
        active.max = scanned.builder.max;
        active.first_timestamp = scanned.first_timestamp;
        if scanned.len > 0 {
            // Nobody knows whether what was read is on disk already.
            active.writer()?;
            active.unsynced = true;
            active.unsettled = true;
        }
    } else if let Some(tail) = &last.tail {
        active.max = tail.max;
        active.first_timestamp = tail.first_timestamp;
    }
    *last.segment.max.lock() = Some(active.max);
    Ok(active)
}

/// Cuts a segment at a batch border, and syncs that: bytes behind it must not come back when others were written over
/// them in part.
fn cut(segment: &Arc<Segment>, len: u64) -> Result<(), LogError> {
    let file = segment.place.disk.open(&segment.path(Kind::Log), OpenHow::Write)?;
    file.set_len(len)?;
    file.sync()?;
    Ok(())
}

#[cfg(test)]
mod tests;
