//! Compaction: which partition is cleaned next, at which pace, and how far each has come.
//!
//! One thread of the broker's calls [`Cleaner::round`] over and over. It takes no lock that others wait for, but for a
//! moment; partitions see to it themselves that appends, reads and retention go on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base::{Millis, Offset};
use log::LogError;
use log::clean::{CleanError, CleanLimits, Dirt, KeyLimits, Pace, Summary};
use parking_lot::Mutex;
use partition::Partition;

use crate::catalog::Catalog;
use crate::hosted::{Hosted, Slot};

/// After a failure a partition is left alone for so long: others may be in need, and a full disk does not empty at once.
const REST_MS: i64 = 60_000;

/// What is known of one partition's compaction.
#[derive(Debug)]
pub(crate) struct Cleaning(Mutex<State>);

#[derive(Debug)]
struct State {
    /// As `cleaner-offset-checkpoint` says.
    first_dirty: Option<Offset>,
    /// It is not cleaned before; `None`: not before a restart.
    rests_until: Option<Millis>,
}

impl Cleaning {
    pub(crate) fn new(first_dirty: Option<Offset>) -> Self {
        Self(Mutex::new(State { first_dirty, rests_until: Some(Millis(i64::MIN)) }))
    }

    pub(crate) fn first_dirty(&self) -> Option<Offset> {
        self.0.lock().first_dirty
    }

    /// The checkpoint speaks of another log.
    pub(crate) fn forget(&self) {
        self.0.lock().first_dirty = None;
    }

    /// Nothing is clean from `log_end` on, whatever was there before a crash (Kafka:
    /// `LogCleanerManager.maybeTruncateCheckpoint`).
    pub(crate) fn cut(&self, log_end: Offset) {
        let first_dirty = &mut self.0.lock().first_dirty;
        *first_dirty = first_dirty.map(|first| first.min(log_end));
    }

    fn is_resting(&self, now: Millis) -> bool {
        self.0.lock().rests_until.is_none_or(|until| until > now)
    }
}

/// What a round has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// A partition was cleaned; others may be due as well.
    Cleaned,
    /// None was due, or could be cleaned.
    Idle,
    /// It was told to stop.
    Stopped,
}

/// Compacts the partitions of a catalogue, one after the other.
#[derive(Debug)]
pub struct Cleaner {
    catalog: Arc<Catalog>,
    /// Nobody can choose keys whose hashes collide under it.
    secret: u128,
    pace: Pace,
    began: Instant,
    /// Whether partitions that nobody asked for since the start were opened, where they may be dirty.
    has_opened_all: bool,
}

impl Cleaner {
    /// As the broker's settings say; `None` when `log.cleaner.enable` is false.
    #[must_use]
    pub fn new(catalog: Arc<Catalog>) -> Option<Self> {
        let settings = catalog.ground.settings();
        if !settings.log_cleaner_enable() {
            return None;
        }
        let secret = catalog.ground.random().as_u128();
        let pace = Pace::new(settings.log_cleaner_io_max_bytes_per_second());
        Some(Self { catalog, secret, pace, began: Instant::now(), has_opened_all: false })
    }

    /// As the settings are now.
    pub(crate) fn limits(&self) -> CleanLimits {
        let settings = self.catalog.ground.settings();
        let size = |bytes: i64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let keys = KeyLimits {
            bytes: size(settings.log_cleaner_dedupe_buffer_size()),
            load: settings.log_cleaner_io_buffer_load_factor(),
            secret: self.secret,
        };
        // Kafka splits the buffer too: one half is read into, the other written from.
        CleanLimits { keys, io_bytes: size(settings.log_cleaner_io_buffer_size().into()) / 2 }
    }

    /// How long to rest after an idle round (`log.cleaner.backoff.ms`).
    #[must_use]
    pub fn backoff(&self) -> Duration {
        let backoff = self.catalog.ground.settings().log_cleaner_backoff_ms();
        Duration::from_millis(u64::try_from(backoff).unwrap_or(0))
    }

    /// Cleans the dirtiest partition that is due, if there is one. Blocks for as long as that takes. `wait` is called with
    /// zero or a time to wait, to keep to the rate, and says whether to go on.
    pub fn round(&mut self, now: Millis, wait: &mut dyn FnMut(Duration) -> bool) -> Round {
        if self.catalog.writer.lock().check_open().is_err() {
            return Round::Stopped;
        }
        let Some(due) = self.dirtiest(now) else {
            return if wait(Duration::ZERO) { Round::Idle } else { Round::Stopped };
        };
        // A gap in the offsets must lie below the recovery point that the next start knows of: there it is no lost write.
        if let Err(error) = self.write_checkpoints() {
            tracing::error!("{error}; nothing is compacted before that succeeds");
            return Round::Idle;
        }
        let limits = self.limits();
        let (pace, began, ground) = (&mut self.pace, self.began, &self.catalog.ground);
        let mut go_on = |bytes: u64| {
            pace.set_rate(ground.settings().log_cleaner_io_max_bytes_per_second());
            wait(pace.spend(bytes, began.elapsed()))
        };
        let started = Instant::now();
        // Should this panic, that stays: the partition would be the dirtiest again, and keep the others.
        due.rest_until(None);
        match due.partition.clean(&due.dirt, limits, now, &mut go_on) {
            Ok((cleaned_to, summary)) => {
                due.report(cleaned_to, &summary, started.elapsed());
                due.rest_until(Some(Millis(i64::MIN)));
                due.slot.cleaning.0.lock().first_dirty = Some(cleaned_to);
                if let Err(error) = self.write_checkpoints() {
                    tracing::error!("{error}; it is tried again");
                }
                Round::Cleaned
            }
            Err(error) => {
                due.failed(&error, now);
                if wait(Duration::ZERO) { Round::Idle } else { Round::Stopped }
            }
        }
    }

    fn write_checkpoints(&self) -> Result<(), LogError> {
        let points = self.catalog.state.load().points();
        self.catalog.upkeep.lock().write_checkpoints(&points)
    }

    /// The partition with the largest dirty share of those that are due (Kafka:
    /// `LogCleanerManager.grabFilthiestCompactedLog`).
    fn dirtiest(&mut self, now: Millis) -> Option<Due> {
        let state = self.catalog.state.load_full();
        let mut dirtiest: Option<Due> = None;
        let open_all = !std::mem::replace(&mut self.has_opened_all, true);
        for hosted in state.hosted.values().filter(|hosted| hosted.settings().compact) {
            for slot in hosted.slots.iter().filter(|slot| !slot.cleaning.is_resting(now)) {
                if slot.opened().is_none() && open_all && hosted.may_be_dirty(slot, &self.catalog.ground) {
                    // The reason is remembered in the slot, and logged.
                    let _ = hosted.open(slot, &self.catalog.ground);
                }
                let Some(partition) = slot.opened().filter(|partition| partition.health().is_ok()) else {
                    continue;
                };
                let due = Due {
                    hosted: Arc::clone(hosted),
                    slot: Arc::clone(slot),
                    partition: Arc::clone(partition),
                    dirt: match partition.dirt(slot.cleaning.first_dirty(), now) {
                        Ok(Some((dirt, true))) => dirt,
                        Ok(_) => continue,
                        Err(error) => {
                            slot.cleaning.0.lock().rests_until = Some(now.plus(REST_MS));
                            tracing::error!(partition = %hosted.name, index = slot.index.0, %error, "cannot tell what to compact");
                            continue;
                        }
                    },
                };
                if dirtiest.as_ref().is_none_or(|other| due.dirt.ratio() > other.dirt.ratio()) {
                    dirtiest = Some(due);
                }
            }
        }
        dirtiest
    }
}

/// A partition that is to be cleaned.
struct Due {
    hosted: Arc<Hosted>,
    slot: Arc<Slot>,
    partition: Arc<Partition>,
    dirt: Dirt,
}

impl Due {
    fn name(&self) -> String {
        format!("{}-{}", self.hosted.name, self.slot.index)
    }

    fn report(&self, cleaned_to: Offset, summary: &Summary, took: Duration) {
        let Summary {
            keys,
            bytes_read,
            bytes_kept,
            records_read,
            records_kept,
            keyless,
            segments_read,
            segments_kept,
        } = *summary;
        let (name, from) = (self.name(), self.dirt.first_dirty);
        if self.dirt.checkpoint_was_off && !self.hosted.settings().delete {
            tracing::warn!(
                "what was known of the compaction of {name} did not fit its log; all of it was compacted anew"
            );
        }
        let took = took.as_millis();
        let message = format!(
            "compacted {name} in {took} ms, offsets {from} to {cleaned_to} ({keys} keys): {segments_read} segments of \
             {bytes_read} bytes and {records_read} records became {segments_kept} of {bytes_kept} bytes and \
             {records_kept} records"
        );
        if records_read == records_kept && segments_read == segments_kept {
            tracing::debug!("{message}");
        } else {
            tracing::info!("{message}");
        }
        if keyless > 0 {
            tracing::warn!(
                "{keyless} records of {name} had no key and could not be kept: it is compacted by key"
            );
        }
    }

    /// It is not cleaned before; `None`: not before a restart.
    fn rest_until(&self, until: Option<Millis>) {
        self.slot.cleaning.0.lock().rests_until = until;
    }

    fn failed(&self, error: &CleanError, now: Millis) {
        let name = self.name();
        match error {
            // A deletion, retention or a stop came in between; if the partition is still there it is looked at again.
            CleanError::Stopped => {
                self.rest_until(Some(Millis(i64::MIN)));
                tracing::debug!("the compaction of {name} was stopped");
            }
            CleanError::Log(LogError::Disk(_)) if self.partition.health().is_err() => {}
            CleanError::Log(LogError::Disk(error)) => {
                self.rest_until(Some(now.plus(REST_MS)));
                tracing::error!("{name} could not be compacted, which is tried again in a minute: {error}");
            }
            error => {
                tracing::error!(
                    "{name} is not compacted any more until a restart, and keeps all its records: {error}"
                );
            }
        }
    }
}
