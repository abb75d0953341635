//! Compacting a partition: who may change its segments when, and what its producers still need.

use base::{Millis, Offset};
use log::LogError;
use log::clean::{CleanError, CleanLimits, Cleaned, Cleaning, Dirt, GoOn, Summary};
use records::BatchHeader;

use crate::partition::Partition;

impl Partition {
    /// How dirty the partition is, if it is compacted. `checkpoint`: the first dirty offset as far as it is known. Flushes
    /// first what stands in the way of being cleaned.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn dirt(&self, checkpoint: Option<Offset>, now: Millis) -> Result<Option<(Dirt, bool)>, LogError> {
        let config = self.exclusive(|appender| appender.config.log.clone());
        let Some(config) = config.ok().filter(|config| config.compact_enabled) else {
            return Ok(None);
        };
        let active = self.log.segment_bases().last().copied().unwrap_or(Offset::ZERO);
        if self.marks().flushed < active {
            // A failure shuts the partition, and is logged there.
            let _shut = self.flush();
        }
        let marks = self.marks();
        let stable = marks.last_stable.min(marks.flushed);
        let dirt = self.log.dirt(checkpoint, stable, &config.compaction, now)?;
        Ok(Some((dirt, dirt.is_due(&config.compaction))))
    }

    /// Cleans the dirty part that `dirt` found, and returns up to where everything is clean then. Appends and reads go on
    /// meanwhile. Blocks for as long as it takes; one cleaning at a time per partition. `go_on` hears of the bytes that are
    /// read and written, may wait, and says whether to go on.
    ///
    /// # Errors
    /// When it is stopped or cannot go on. What was cleaned by then stays so.
    pub fn clean(
        &self,
        dirt: &Dirt,
        limits: CleanLimits,
        now: Millis,
        go_on: GoOn<'_>,
    ) -> Result<(Offset, Summary), CleanError> {
        let config =
            self.exclusive(|appender| appender.config.log.clone()).map_err(|_| CleanError::Stopped)?;
        let mut go_on = |bytes: u64| self.health().is_ok() && go_on(bytes);
        let mut cleaning = Cleaning::begin(&self.log, dirt, &config, limits, now, &mut go_on)?;
        while let Some(cleaned) =
            cleaning.next_group(&mut |headers: &[BatchHeader]| self.needed(headers), &mut go_on)?
        {
            self.swap(&cleaned, now)?;
        }
        Ok((cleaning.cleaned_to(), cleaning.summary()))
    }

    /// Which of these batches their producers may still ask about.
    fn needed(&self, headers: &[BatchHeader]) -> Vec<bool> {
        let needed = self.exclusive_even_if_shut(|appender| {
            let needs = |header: &BatchHeader| {
                appender.producers.needs(
                    header.producer_id,
                    header.producer_epoch,
                    header.last_offset(),
                    header.attributes.is_control(),
                )
            };
            headers.iter().map(needs).collect()
        });
        needed.unwrap_or_else(|_| vec![true; headers.len()])
    }

    /// Puts a finished copy in its place.
    fn swap(&self, cleaned: &Cleaned, now: Millis) -> Result<(), CleanError> {
        let _segments = self.segments.lock();
        if !self.exclusive(|appender| appender.log.can_swap(cleaned)).unwrap_or(false) {
            // Retention took some of it away, its topic is not compacted any more, or the partition is closed.
            cleaned.discard()?;
            return Err(CleanError::Stopped);
        }
        cleaned.commit()?;
        // Also if it was shut meanwhile: reads go on, and the next start would do the same.
        let swapped = self.exclusive_even_if_shut(|appender| appender.log.swap_in(cleaned));
        swapped.map_err(|_| CleanError::Stopped)?;
        let files = cleaned.finish()?;
        self.exclusive_even_if_shut(|appender| appender.log.remove_replaced(files, now))
            .map_err(|_| CleanError::Stopped)
    }
}
