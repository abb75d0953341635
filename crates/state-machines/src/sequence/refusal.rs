//! Refusals that say what was expected, what came, and what is remembered.

use std::fmt;

use base::{ProducerEpoch, ProducerId, Sequence};

use super::Claim;
use super::entry::{Entry, Remembered};
use super::transactions::Marker;

/// Why a batch or a marker must not be appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A newer life of the producer has written here (Kafka: INVALID_PRODUCER_EPOCH).
    #[error("stale producer epoch: {0}")]
    StaleEpoch(Conflict),
    /// The sequence is neither the next one nor that of a remembered batch (Kafka: OUT_OF_ORDER_SEQUENCE_NUMBER).
    #[error("out of order sequence: {0}")]
    OutOfOrder(Conflict),
    /// The producer has an open transaction here, and the batch does not belong to it (Kafka: INVALID_TXN_STATE).
    #[error("not transactional, while a transaction is open: {0}")]
    InTransaction(Conflict),
    /// A newer coordinator has written a marker here (Kafka: TRANSACTION_COORDINATOR_FENCED).
    #[error("stale coordinator epoch {given}, {known} is known: {conflict}")]
    StaleCoordinator {
        /// The coordinator epoch of the newest marker.
        known: i32,
        /// That of the refused one.
        given: i32,
        /// The rest of the story.
        conflict: Conflict,
    },
}

impl Refusal {
    /// What was expected, what came, and what is remembered.
    #[must_use]
    pub fn conflict(&self) -> &Conflict {
        match self {
            Self::StaleEpoch(conflict) | Self::OutOfOrder(conflict) | Self::InTransaction(conflict) => {
                conflict
            }
            Self::StaleCoordinator { conflict, .. } => conflict,
        }
    }
}

/// What was expected, what came, and what is remembered. Boxed: refusals are rare, results are moved often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict(Box<Story>);

/// The numbers of a [`Conflict`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// The producer.
    pub producer_id: ProducerId,
    /// Its newest known epoch; [`ProducerEpoch::NONE`] when it is unknown.
    pub known_epoch: ProducerEpoch,
    /// The epoch that came.
    pub given_epoch: ProducerEpoch,
    /// The sequence that a batch should have begun with, where that was the question.
    pub expected_sequence: Option<Sequence>,
    /// The first and last sequence that came; `None` for a marker.
    pub given_sequences: Option<(Sequence, Sequence)>,
    /// The remembered batches of the known epoch, oldest first.
    pub remembered: Vec<Remembered>,
}

impl Conflict {
    pub(super) fn of_batch(
        claim: &Claim,
        entry: Option<&Entry>,
        expected_sequence: Option<Sequence>,
    ) -> Self {
        Self(Box::new(Story {
            producer_id: claim.producer_id,
            known_epoch: entry.map_or(ProducerEpoch::NONE, |entry| entry.epoch),
            given_epoch: claim.epoch,
            expected_sequence,
            given_sequences: Some((claim.base_sequence, claim.last_sequence())),
            remembered: entry.map_or_else(Vec::new, |entry| entry.batches().to_vec()),
        }))
    }

    pub(super) fn of_marker(marker: &Marker, entry: &Entry) -> Self {
        Self(Box::new(Story {
            producer_id: marker.producer_id,
            known_epoch: entry.epoch,
            given_epoch: marker.epoch,
            expected_sequence: None,
            given_sequences: None,
            remembered: entry.batches().to_vec(),
        }))
    }
}

impl std::ops::Deref for Conflict {
    type Target = Story;
    fn deref(&self) -> &Story {
        &self.0
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "producer {} ", self.producer_id)?;
        match self.given_sequences {
            Some((first, last)) => write!(f, "sent sequences {first}..={last} in epoch {}", self.given_epoch),
            None => write!(f, "has a marker of epoch {}", self.given_epoch),
        }?;
        if let Some(expected) = self.expected_sequence {
            write!(f, ", expected was {expected}")?;
        }
        if self.known_epoch == ProducerEpoch::NONE {
            return f.write_str("; the producer is unknown here");
        }
        write!(f, "; known is epoch {}", self.known_epoch)?;
        let Some((first, rest)) = self.remembered.split_first() else {
            return f.write_str(" without a batch");
        };
        write!(f, " with {first}")?;
        rest.iter().try_for_each(|batch| write!(f, ", {batch}"))
    }
}
