//! Transactions as a partition sees them: which are open, which have just ended, and the markers that end them.

use std::collections::BTreeMap;

use base::{Millis, Offset, ProducerEpoch, ProducerId, Sequence};

use super::Tracker;
use super::refusal::{Conflict, Refusal};

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its records count.
    Commit,
    /// They do not.
    Abort,
}

/// A control record that ends a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Whose transaction.
    pub producer_id: ProducerId,
    /// The producer's epoch, as the coordinator has it.
    pub epoch: ProducerEpoch,
    /// The epoch of the coordinator that writes it.
    pub coordinator_epoch: i32,
    /// How it ends.
    pub outcome: Outcome,
    /// The timestamp of the control record.
    pub timestamp: Millis,
}

/// The leave to append one marker, given by [`Tracker::check_marker`] and used up by [`Tracker::record_marker`].
#[derive(Debug, PartialEq, Eq)]
pub struct MarkerTicket(Marker);

/// A transaction that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Whose it was.
    pub producer_id: ProducerId,
    /// The offset of its first record.
    pub first_offset: Offset,
    /// The offset of the marker that ended it.
    pub last_offset: Offset,
    /// How it ended.
    pub outcome: Outcome,
    /// Below this no transaction was open when it had ended: where the oldest other one begins, else behind the marker
    /// (Kafka: `ProducerStateManager.lastStableOffset`).
    pub last_stable: Offset,
}

/// The transactions that hold back the last stable offset.
#[derive(Clone, Debug, Default)]
pub struct Transactions {
    /// First offset of each open transaction, and whose it is.
    open: BTreeMap<Offset, ProducerId>,
    /// First offset of each ended transaction whose marker is not below the high watermark yet, and the marker's offset.
    ended: BTreeMap<Offset, Offset>,
}

impl Transactions {
    pub(super) fn begin(&mut self, producer_id: ProducerId, first_offset: Offset) {
        self.open.insert(first_offset, producer_id);
    }

    pub(super) fn forget(&mut self, first_offset: Offset) {
        self.open.remove(&first_offset);
    }

    fn end(&mut self, first_offset: Offset, marker: Offset) {
        self.open.remove(&first_offset);
        self.ended.insert(first_offset, marker);
    }
}

/// A producer whose first transactional batch waits until the coordinator has confirmed the transaction (KIP-890;
/// Kafka: `VerificationStateEntry`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Verification {
    pub(super) epoch: ProducerEpoch,
    /// The lowest sequence seen since: one above it must not overtake it.
    pub(super) lowest_sequence: Sequence,
    /// Whether the client bumps its epoch with each transaction, so that an unknown producer begins at 0.
    pub(super) supports_epoch_bump: bool,
    pub(super) since: Millis,
}

impl Tracker {
    /// Whether the marker may be appended. Changes nothing.
    ///
    /// # Errors
    /// When the producer's or the coordinator's epoch is older than the known one.
    pub fn check_marker(&self, marker: Marker) -> Result<MarkerTicket, Refusal> {
        if let Some(entry) = self.producers.get(marker.producer_id) {
            if marker.epoch < entry.epoch {
                return Err(Refusal::StaleEpoch(Conflict::of_marker(&marker, entry)));
            }
            if marker.coordinator_epoch < entry.coordinator_epoch {
                return Err(Refusal::StaleCoordinator {
                    known: entry.coordinator_epoch,
                    given: marker.coordinator_epoch,
                    conflict: Conflict::of_marker(&marker, entry),
                });
            }
        }
        Ok(MarkerTicket(marker))
    }

    /// The marker of `ticket` now stands in the log at `offset`, appended at `now`.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is used up: one marker, one leave")]
    pub fn record_marker(&mut self, ticket: MarkerTicket, offset: Offset, now: Millis) -> Option<Ended> {
        self.replay_marker(&ticket.0, offset, now)
    }

    /// A marker that the log already holds at `offset`, appended at `appended_at` or earlier. Nothing is refused. Returns
    /// the transaction that it ended; a marker without a transaction (nothing was written here, or all was compacted
    /// away) ends none.
    pub fn replay_marker(&mut self, marker: &Marker, offset: Offset, appended_at: Millis) -> Option<Ended> {
        if !marker.producer_id.is_some() {
            return None;
        }
        self.verifying.remove(&marker.producer_id);
        let entry = self.producers.entry(marker.producer_id);
        entry.enter(marker.epoch);
        entry.coordinator_epoch = marker.coordinator_epoch;
        entry.touch(marker.timestamp, appended_at);
        let first_offset = entry.open_transaction.into_option()?;
        entry.open_transaction = None.into();
        self.transactions.end(first_offset, offset);
        let oldest = self.transactions.open.first_key_value().map(|(first, _)| *first);
        Some(Ended {
            last_stable: oldest.unwrap_or(offset.next()),
            producer_id: marker.producer_id,
            first_offset,
            last_offset: offset,
            outcome: marker.outcome,
        })
    }

    /// The first offset that a `read_committed` consumer must not pass for the sake of a transaction: one that is open,
    /// or one that has ended at or above the high watermark last told to [`Self::settle_below`].
    #[must_use]
    pub fn first_unstable(&self) -> Option<Offset> {
        let open = self.transactions.open.first_key_value().map(|(first, _)| *first);
        let ended = self.transactions.ended.first_key_value().map(|(first, _)| *first);
        open.into_iter().chain(ended).min()
    }

    /// The high watermark has reached `high_watermark`: what ended below it holds nothing back any more.
    pub fn settle_below(&mut self, high_watermark: Offset) {
        if !self.transactions.ended.is_empty() {
            self.transactions.ended.retain(|_, marker| *marker >= high_watermark);
        }
    }

    /// A transactional batch of a producer without an open transaction waits for the coordinator's word from now on.
    /// Called again for a retry or another batch, it remembers the lowest sequence, so that a later batch does not
    /// overtake an earlier one. The entry goes when a transactional batch or a marker of the producer is recorded.
    pub fn begin_verification(
        &mut self,
        producer_id: ProducerId,
        epoch: ProducerEpoch,
        base_sequence: Sequence,
        supports_epoch_bump: bool,
        now: Millis,
    ) {
        let verification = self.verifying.entry(producer_id).or_insert(Verification {
            epoch,
            lowest_sequence: base_sequence,
            supports_epoch_bump,
            since: now,
        });
        if epoch > verification.epoch {
            verification.epoch = epoch;
            verification.lowest_sequence = base_sequence;
        } else if epoch == verification.epoch {
            verification.lowest_sequence = verification.lowest_sequence.min(base_sequence);
        }
    }

    /// Whether a batch of this producer waits for the coordinator's word.
    #[must_use]
    pub fn is_verifying(&self, producer_id: ProducerId) -> bool {
        self.verifying.contains_key(&producer_id)
    }
}
