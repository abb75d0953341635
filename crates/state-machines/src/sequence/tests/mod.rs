//! The table of KIP-98 row by row, and the stories around it.

mod epochs_and_sequences;
mod expiry;
mod snapshots;
mod transactions;
mod vectors;

use base::{Millis, Offset, ProducerEpoch, ProducerId, Sequence};

use super::{Claim, Marker, Origin, Outcome, Refusal, Row, Tracker, Verdict};

const DAY_MS: i64 = 86_400_000;
const P: i64 = 7;

/// A partition without files: a tracker, and the offset that the next record gets.
struct Stage {
    tracker: Tracker,
    end: i64,
    now: i64,
}

/// What a producer is told.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    /// Appended at this offset.
    At(i64),
    /// Was appended before, at this offset.
    Again(i64),
    /// Kafka's 47.
    StaleEpoch,
    /// Kafka's 45, and the sequence that was expected.
    Expected(i32),
    /// Kafka's 48.
    InTransaction,
}

impl Stage {
    fn new() -> Self {
        Self { tracker: Tracker::new(DAY_MS), end: 0, now: 1_000_000 }
    }

    /// Sends what `claim` says, appends it if it is fresh, and says what the producer is told.
    fn send(&mut self, claim: &Claim) -> Told {
        match self.tracker.check(claim) {
            Verdict::NotIdempotent => Told::At(self.append(claim, None)),
            Verdict::Fresh(ticket) => Told::At(self.append(claim, Some(ticket))),
            Verdict::Duplicate(earlier) => Told::Again(earlier.first_offset().0),
            Verdict::Refused(Refusal::StaleEpoch(_)) => Told::StaleEpoch,
            Verdict::Refused(Refusal::OutOfOrder(why)) => Told::Expected(why.expected_sequence.unwrap().0),
            Verdict::Refused(Refusal::InTransaction(_)) => Told::InTransaction,
            Verdict::Refused(other) => panic!("not an answer to a batch: {other}"),
        }
    }

    fn append(&mut self, claim: &Claim, ticket: Option<super::Ticket>) -> i64 {
        let base = self.end;
        self.end += i64::from(claim.last_offset_delta) + 1;
        if let Some(ticket) = ticket {
            self.tracker.record(ticket, Offset(base), Millis(self.now));
        }
        base
    }

    fn mark(&mut self, epoch: i16, coordinator_epoch: i32, outcome: Outcome) -> Option<super::Ended> {
        let marker = marker(epoch, coordinator_epoch, outcome);
        let ticket = self.tracker.check_marker(marker).expect("the marker is in order");
        self.end += 1;
        self.tracker.record_marker(ticket, Offset(self.end - 1), Millis(self.now))
    }

    fn row(&self, producer: i64) -> Row {
        *self.tracker.rows().iter().find(|row| row.producer_id.0 == producer).expect("the producer is known")
    }

    fn knows(&self, producer: i64) -> bool {
        self.tracker.rows().iter().any(|row| row.producer_id.0 == producer)
    }
}

/// A batch of producer [`P`] with the sequences `first..first + count`.
fn batch(epoch: i16, first: i32, count: i32) -> Claim {
    Claim {
        producer_id: ProducerId(P),
        epoch: ProducerEpoch(epoch),
        base_sequence: Sequence(first),
        last_offset_delta: count - 1,
        transactional: false,
        max_timestamp: Millis(1_000_000),
        origin: Origin::Client,
    }
}

fn from(producer: i64, claim: Claim) -> Claim {
    Claim { producer_id: ProducerId(producer), ..claim }
}

fn in_transaction(claim: Claim) -> Claim {
    Claim { transactional: true, ..claim }
}

fn by_coordinator(claim: Claim) -> Claim {
    Claim { origin: Origin::Coordinator, base_sequence: Sequence::NONE, ..claim }
}

fn marker(epoch: i16, coordinator_epoch: i32, outcome: Outcome) -> Marker {
    Marker {
        producer_id: ProducerId(P),
        epoch: ProducerEpoch(epoch),
        coordinator_epoch,
        outcome,
        timestamp: Millis(2_000_000),
    }
}

#[test]
fn a_refusal_says_what_was_expected_what_came_and_what_is_remembered() {
    let mut stage = Stage::new();
    stage.send(&batch(0, 0, 10));
    stage.send(&batch(0, 10, 5));
    let Verdict::Refused(why) = stage.tracker.check(&batch(0, 20, 10)) else { panic!("a gap is refused") };
    assert_eq!(
        why.to_string(),
        "out of order sequence: producer 7 sent sequences 20..=29 in epoch 0, expected was 15; known is epoch 0 with \
         0..=9 at offset 0, 10..=14 at offset 10"
    );
    let story = why.conflict();
    assert_eq!(story.given_sequences, Some((Sequence(20), Sequence(29))));
    assert_eq!(story.remembered.len(), 2);

    stage.send(&batch(3, 0, 1));
    let Verdict::Refused(why) = stage.tracker.check(&batch(2, 0, 1)) else {
        panic!("an old epoch is refused")
    };
    assert_eq!(
        why.to_string(),
        "stale producer epoch: producer 7 sent sequences 0..=0 in epoch 2; known is epoch 3 with 0..=0 at offset 15"
    );
}

#[test]
fn checking_changes_nothing() {
    let mut stage = Stage::new();
    stage.send(&batch(0, 0, 10));
    let before = stage.tracker.rows();
    for claim in [batch(0, 10, 1), batch(0, 0, 10), batch(5, 0, 1), from(99, batch(0, 0, 1)), batch(0, 77, 1)]
    {
        let _ = stage.tracker.check(&claim);
    }
    assert_eq!(stage.tracker.rows(), before);
    // A ticket that is thrown away, because the write failed, leaves no trace: the same batch is fresh again.
    assert_eq!(stage.send(&batch(0, 10, 1)), Told::At(10));
}
