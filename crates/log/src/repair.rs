//! Rebuilding the indexes of a segment that is being read, and finding its largest timestamp.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::LogError;
use crate::index::TimeEntry;
use crate::locate::Mistrust;
use crate::rebuild::{IndexBuilder, MaxTimestamp};
use crate::segment::Segment;

/// Where timestamps rise, the batch behind a missing entry tells; where they do not, a few more may.
const LOOKED_AT: u64 = 64 << 10;

impl Segment {
    /// How often the indexes were rebuilt since the log was opened.
    pub(crate) fn rebuilds(&self) -> u32 {
        self.rebuilds.load(Ordering::Acquire)
    }

    /// Rebuilds both indexes, unless somebody else has done so since `seen` rebuilds. Appends go on meanwhile.
    pub(crate) fn repair_indexes(self: &Arc<Self>, seen: u32, why: &str) -> Result<(), LogError> {
        let builder = {
            let _repair = self.repair.lock();
            if self.rebuilds() != seen {
                return Ok(());
            }
            tracing::warn!(
                file = %self.offsets.path().display(),
                why,
                "an index does not fit its segment; it is rebuilt"
            );
            self.offsets.pause();
            self.times.pause();
            let rebuilt = self.rebuild_indexes();
            if rebuilt.is_err() {
                self.offsets.resume();
                self.times.resume();
            }
            self.rebuilds.fetch_add(1, Ordering::AcqRel);
            rebuilt?
        };
        let mut max = self.max.lock();
        if max.is_none_or(|max| builder.max.timestamp > max.timestamp) {
            *max = Some(builder.max);
        }
        Ok(())
    }

    fn rebuild_indexes(self: &Arc<Self>) -> Result<IndexBuilder, LogError> {
        let mut builder = IndexBuilder::new(self.base, self.rules);
        let len = self.len();
        let mut covered = self.base.plus(-1);
        if let Some(mut batches) = self.batches_from(self.base, len, true)? {
            while let Some((position, header)) = batches.next()? {
                builder.take(&header, position, batches.is_behind_a_hole(position));
            }
            covered = batches.next_offset().plus(-1);
        }
        if self.is_sealed() {
            builder.seal();
        }
        let covered = covered.since(self.base);
        self.offsets.replace(&builder.offsets, covered)?;
        self.times.replace(&builder.times, covered)?;
        Ok(builder)
    }

    /// The segment's largest timestamp. For a sealed segment its time index says so, if the batch it names agrees.
    pub(crate) fn max_timestamp(self: &Arc<Self>) -> Result<MaxTimestamp, LogError> {
        if let Some(max) = *self.max.lock() {
            return Ok(max);
        }
        let len = self.len();
        if len == 0 {
            return Ok(MaxTimestamp::none(self.base));
        }
        self.times.resolve()?;
        let seen = self.rebuilds();
        let why = match self.times.last() {
            None => "there is no timestamp in it".to_owned(),
            Some(entry) => match self.check_last_time_entry(entry, len)? {
                Ok(()) => {
                    let max =
                        MaxTimestamp { timestamp: entry.timestamp, last_offset: entry.offset(self.base) };
                    return Ok(*self.max.lock().get_or_insert(max));
                }
                Err(Mistrust(why)) => why,
            },
        };
        self.repair_indexes(seen, &why)?;
        Ok(self.max.lock().unwrap_or(MaxTimestamp::none(self.base)))
    }

    /// As [`Self::check_time_entry`]; and no batch soon behind it has a larger timestamp, as when the file was cut short.
    fn check_last_time_entry(
        self: &Arc<Self>,
        entry: TimeEntry,
        len: u64,
    ) -> Result<Result<(), Mistrust>, LogError> {
        if let Err(why) = self.check_time_entry(entry, len)? {
            return Ok(Err(why));
        }
        let Some(mut batches) = self.batches_from(entry.offset(self.base), len, false)? else {
            return Ok(Ok(()));
        };
        let end = batches.position() + LOOKED_AT;
        while let Some((position, header)) = batches.next()? {
            if header.max_timestamp > entry.timestamp {
                let why = format!(
                    "it ends with timestamp {}, and a later batch has {}",
                    entry.timestamp, header.max_timestamp
                );
                return Ok(Err(Mistrust(why)));
            }
            if position > end {
                break;
            }
        }
        Ok(Ok(()))
    }

    /// Whether the batch that a time index entry names has its timestamp.
    pub(crate) fn check_time_entry(
        self: &Arc<Self>,
        entry: TimeEntry,
        len: u64,
    ) -> Result<Result<(), Mistrust>, LogError> {
        let offset = entry.offset(self.base);
        let says = |why: String| {
            Ok(Err(Mistrust(format!(
                "it says that timestamp {} is at offset {offset}: {why}",
                entry.timestamp
            ))))
        };
        if offset < self.base {
            return says("the segment begins later".to_owned());
        }
        match self.locate(offset, len)? {
            Some(batch)
                if batch.header.base_offset <= offset && batch.header.max_timestamp == entry.timestamp =>
            {
                Ok(Ok(()))
            }
            Some(batch) => says(format!("the batch there has {}", batch.header.max_timestamp)),
            None => says("the segment ends earlier".to_owned()),
        }
    }
}
