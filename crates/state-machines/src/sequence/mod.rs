//! What one partition remembers of its idempotent producers, and what it answers a batch that claims to be the next
//! (KIP-98, KIP-360, KIP-890; Kafka: `ProducerStateManager`, `ProducerAppendInfo`, `ProducerStateEntry`).
//!
//! Ask first, tell after: [`Tracker::check`] changes nothing and hands out a [`Ticket`] for a fresh batch; after the
//! batch has been written, [`Tracker::record`] takes the ticket in. What a log already holds is told with
//! [`Tracker::replay`], which refuses nothing. Time comes in as a number; nothing here reads a clock.
//!
//! Five batches are remembered per producer. A snapshot [`Row`] keeps only the newest, as Kafka's files do; the others
//! come back by replaying the tail of the log into an empty tracker before [`Tracker::load`] takes the rows in.
//!
//! Where Kafka differs: a producer expires by the later of its record time and its append time. Kafka counts from record
//! time alone, so that an active producer with old timestamps is forgotten, and its retries are stored twice.

mod entry;
mod producers;
mod refusal;
mod transactions;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use base::{Millis, Offset, ProducerEpoch, ProducerId, Sequence};

use entry::Entry;
pub use entry::{REMEMBERED_BATCHES, Remembered, Row};
pub use producers::Producers;
pub use refusal::{Conflict, Refusal, Story};
use transactions::Verification;
pub use transactions::{Ended, Marker, MarkerTicket, Outcome, Transactions};

/// Who appends, which decides how much is asked (Kafka: `AppendOrigin`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// A Produce request: duplicates are looked for, epoch and sequence are checked.
    #[default]
    Client,
    /// A coordinator of this broker: only the epoch is checked, for its batches carry no sequence.
    Coordinator,
}

/// What a data batch says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who sent it; [`ProducerId::NONE`] for a producer that is not idempotent.
    pub producer_id: ProducerId,
    /// The life of that producer it was sent in.
    pub epoch: ProducerEpoch,
    /// The sequence of its first record; [`Sequence::NONE`] in a coordinator's batch.
    pub base_sequence: Sequence,
    /// Its last offset less its first: not negative.
    pub last_offset_delta: i32,
    /// Whether it belongs to a transaction.
    pub transactional: bool,
    /// The largest timestamp of its records.
    pub max_timestamp: Millis,
    /// Who appends it.
    pub origin: Origin,
}

impl Claim {
    /// The sequence of the last record, past 2147483647 counted on from 0; [`Sequence::NONE`] if there is no first.
    #[must_use]
    pub fn last_sequence(&self) -> Sequence {
        if self.base_sequence.0 < 0 {
            Sequence::NONE
        } else {
            self.base_sequence.plus(self.last_offset_delta.max(0))
        }
    }

    fn remembered_at(&self, base_offset: Offset) -> Remembered {
        let offset_delta = self.last_offset_delta.max(0);
        Remembered {
            last_sequence: self.last_sequence(),
            last_offset: base_offset.plus(i64::from(offset_delta)),
            offset_delta,
            timestamp: self.max_timestamp,
        }
    }
}

/// The answer to a [`Claim`].
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It carries no producer id: append it; there is nothing to compare it with.
    NotIdempotent,
    /// Append it, and then hand the ticket to [`Tracker::record`].
    Fresh(Ticket),
    /// This very batch was appended before: append nothing, answer with where it stands.
    Duplicate(Remembered),
    /// Append nothing.
    Refused(Refusal),
}

/// The leave to append one batch, given by [`Tracker::check`] and used up by [`Tracker::record`].
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket(Claim);

/// What one partition remembers of its producers.
#[derive(Clone, Debug)]
pub struct Tracker {
    producers: Producers,
    /// Transactions that hold back the last stable offset.
    transactions: Transactions,
    /// Producers whose first transactional batch waits for the coordinator's word (KIP-890).
    verifying: HashMap<ProducerId, Verification>,
    expiration_ms: i64,
}

impl Tracker {
    /// A tracker that knows nobody, and forgets a producer `expiration_ms` milliseconds after its last sign of life
    /// (`producer.id.expiration.ms`).
    #[must_use]
    pub fn new(expiration_ms: i64) -> Self {
        Self {
            producers: Producers::default(),
            transactions: Transactions::default(),
            verifying: HashMap::new(),
            expiration_ms,
        }
    }

    /// Changes how long an idle producer is remembered.
    pub fn set_expiration(&mut self, expiration_ms: i64) {
        self.expiration_ms = expiration_ms;
    }

    /// Whether the batch may be appended. Changes nothing.
    #[must_use]
    pub fn check(&self, claim: &Claim) -> Verdict {
        if !claim.producer_id.is_some() {
            return Verdict::NotIdempotent;
        }
        let entry = self.producers.get(claim.producer_id);
        if claim.origin == Origin::Client
            && let Some(earlier) = entry.and_then(|entry| entry.find(claim))
        {
            return Verdict::Duplicate(earlier);
        }
        match self.judge(claim, entry) {
            Ok(()) => Verdict::Fresh(Ticket(*claim)),
            Err(why) => Verdict::Refused(why),
        }
    }

    /// The rules, in Kafka's order (`ProducerAppendInfo.appendDataBatch`).
    fn judge(&self, claim: &Claim, entry: Option<&Entry>) -> Result<(), Refusal> {
        let conflict = |expected| Conflict::of_batch(claim, entry, expected);
        // An entry that only a coordinator epoch is known of has no producer epoch: such a producer is unknown.
        let known_epoch = entry.map_or(ProducerEpoch::NONE, |entry| entry.epoch);
        if claim.epoch < known_epoch {
            return Err(Refusal::StaleEpoch(conflict(None)));
        }
        if claim.origin == Origin::Client {
            if let Some(verification) = self.verifying.get(&claim.producer_id) {
                let remembers_nothing = entry.is_none_or(|entry| entry.batches().is_empty());
                if verification.supports_epoch_bump
                    && remembers_nothing
                    && claim.base_sequence != Sequence::FIRST
                {
                    return Err(Refusal::OutOfOrder(conflict(Some(Sequence::FIRST))));
                }
                if claim.base_sequence > verification.lowest_sequence {
                    return Err(Refusal::OutOfOrder(conflict(Some(verification.lowest_sequence))));
                }
            }
            if let Some(entry) = entry
                && known_epoch != ProducerEpoch::NONE
            {
                let expected = entry.expected_sequence(claim.epoch);
                if claim.base_sequence != expected {
                    return Err(Refusal::OutOfOrder(conflict(Some(expected))));
                }
            }
        }
        match entry {
            Some(entry) if entry.open_transaction.is_some() && !claim.transactional => {
                Err(Refusal::InTransaction(conflict(None)))
            }
            _ => Ok(()),
        }
    }

    /// The batch of `ticket` now stands in the log at `base_offset`, appended at `now`.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is used up: one batch, one leave")]
    pub fn record(&mut self, ticket: Ticket, base_offset: Offset, now: Millis) {
        self.replay(&ticket.0, base_offset, now);
    }

    /// A batch that the log already holds at `base_offset`, appended at `appended_at` or earlier. Nothing is refused: the
    /// log is the truth (Kafka: `AppendOrigin.REPLICATION`).
    pub fn replay(&mut self, claim: &Claim, base_offset: Offset, appended_at: Millis) {
        if !claim.producer_id.is_some() {
            return;
        }
        let entry = self.producers.entry(claim.producer_id);
        entry.add(claim.epoch, claim.remembered_at(base_offset));
        entry.touch(claim.max_timestamp, appended_at);
        if claim.transactional {
            self.verifying.remove(&claim.producer_id);
            if entry.open_transaction.is_none() {
                entry.open_transaction = Some(base_offset).into();
                self.transactions.begin(claim.producer_id, base_offset);
            }
        }
    }

    /// Takes in the rows of a snapshot, each with a time before which its batch was appended.
    ///
    /// The tracker may have replayed the log up to the snapshot's offset, from some earlier offset on. What that brought
    /// stays: it has seen every batch of that stretch. A row adds what lies before it: a producer, or its newest batch, if
    /// the stretch holds none; the coordinator's epoch; the beginning of an open transaction.
    pub fn load(&mut self, rows: impl IntoIterator<Item = (Row, Millis)>) {
        for (row, appended_at) in rows {
            if !row.producer_id.is_some() {
                continue;
            }
            let entry = self.producers.entry(row.producer_id);
            if let Some(begun_in_replay) = entry.open_transaction.into_option() {
                self.transactions.forget(begun_in_replay);
            }
            entry.load(&row, appended_at);
            if let Some(first) = row.open_transaction {
                self.transactions.begin(row.producer_id, first);
            }
        }
    }

    /// Forgets producers without an open transaction whose last batch or marker is `expiration_ms` old, by the later of
    /// its record time and its append time; and verifications as old as that. Returns how many producers went.
    pub fn expire(&mut self, now: Millis) -> usize {
        self.forget(&self.producers.idle(now, self.expiration_ms), now)
    }

    /// Forgets those of `idle` that are so still: as [`Self::expire`], in steps, for an owner who looks for idle producers
    /// ([`Producers::idle`]) while others append.
    pub fn forget(&mut self, idle: &[ProducerId], now: Millis) -> usize {
        let before = self.producers.len();
        for id in idle {
            if self.producers.get(*id).is_some_and(|entry| entry.is_idle(now, self.expiration_ms)) {
                self.producers.remove(*id);
            }
        }
        self.verifying.retain(|_, verification| now.since(verification.since) < self.expiration_ms);
        before - self.producers.len()
    }

    /// How long an idle producer is remembered, in milliseconds.
    #[must_use]
    pub fn expiration_ms(&self) -> i64 {
        self.expiration_ms
    }

    /// Every remembered producer. A clone of it costs as little as one batch, however many there are, and stays as it is.
    #[must_use]
    pub fn producers(&self) -> &Producers {
        &self.producers
    }

    /// Every remembered producer as a snapshot keeps it, in no particular order.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.producers.rows().collect()
    }

    /// What is remembered of one producer's batches, oldest first; empty when it is unknown.
    #[must_use]
    pub fn remembered(&self, producer_id: ProducerId) -> &[Remembered] {
        self.producers.get(producer_id).map_or(&[], |entry| entry.batches())
    }

    /// Whether a batch that ends at `last_offset` must stay known in the log, as a header at least: its producer may send it
    /// again, or, where only a marker is known of the producer, its epoch would be forgotten (Kafka:
    /// `UnifiedLog.lastRecordsOfActiveProducers`, which asks for the newest batch alone).
    #[must_use]
    pub fn needs(
        &self,
        producer_id: ProducerId,
        epoch: ProducerEpoch,
        last_offset: Offset,
        is_control: bool,
    ) -> bool {
        self.producers.get(producer_id).is_some_and(|entry| match entry.batches() {
            [] => is_control && entry.epoch == epoch,
            batches => batches.iter().any(|batch| batch.last_offset == last_offset),
        })
    }

    /// How many producers are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.producers.len()
    }

    /// Whether nobody is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.producers.is_empty()
    }
}
