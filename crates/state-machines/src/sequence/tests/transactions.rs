//! Transactions and their markers, as a partition's replay and its last stable offset need them.

use super::*;

#[test]
fn an_open_transaction_holds_the_stable_offset() {
    let mut stage = Stage::new();
    stage.send(&batch(0, 0, 5));
    assert_eq!(stage.tracker.first_unstable(), None);
    stage.send(&in_transaction(batch(0, 5, 5)));
    stage.send(&in_transaction(batch(0, 10, 5)));
    assert_eq!(stage.tracker.first_unstable(), Some(Offset(5)));
    assert_eq!(stage.row(P).open_transaction, Some(Offset(5)));
}

#[test]
fn a_marker_ends_it_and_the_high_watermark_settles_it() {
    let mut stage = Stage::new();
    stage.send(&in_transaction(batch(0, 0, 5)));
    let ended = stage.mark(0, 3, Outcome::Abort).expect("a transaction was open");
    assert_eq!((ended.first_offset, ended.last_offset), (Offset(0), Offset(5)));
    assert_eq!(ended.outcome, Outcome::Abort);
    assert_eq!(stage.tracker.first_unstable(), Some(Offset(0)), "its marker is not acknowledged yet");
    stage.tracker.settle_below(Offset(5));
    assert_eq!(stage.tracker.first_unstable(), Some(Offset(0)));
    stage.tracker.settle_below(Offset(6));
    assert_eq!(stage.tracker.first_unstable(), None);
}

#[test]
fn the_oldest_of_several_transactions_counts() {
    let mut stage = Stage::new();
    stage.send(&from(1, in_transaction(batch(0, 0, 1))));
    stage.send(&from(2, in_transaction(batch(0, 0, 1))));
    let first = Marker { producer_id: ProducerId(1), ..marker(0, 0, Outcome::Commit) };
    stage.tracker.replay_marker(&first, Offset(2), Millis(0));
    stage.tracker.settle_below(Offset(3));
    assert_eq!(stage.tracker.first_unstable(), Some(Offset(1)));
}

#[test]
fn a_marker_keeps_the_batches_of_its_epoch() {
    let mut stage = Stage::new();
    stage.send(&in_transaction(batch(0, 0, 1)));
    stage.mark(0, 0, Outcome::Commit);
    assert_eq!(stage.send(&in_transaction(batch(0, 0, 1))), Told::Again(0));
    assert_eq!(stage.send(&in_transaction(batch(0, 1, 1))), Told::At(2));
}

#[test]
fn a_marker_of_a_newer_epoch_forgets_the_batches() {
    let mut stage = Stage::new();
    stage.send(&in_transaction(batch(0, 0, 1)));
    stage.mark(1, 0, Outcome::Commit);
    assert_eq!(stage.send(&in_transaction(batch(0, 1, 1))), Told::StaleEpoch);
    assert_eq!(stage.send(&in_transaction(batch(1, 1, 1))), Told::Expected(0));
    assert_eq!(stage.send(&in_transaction(batch(1, 0, 1))), Told::At(2));
}

#[test]
fn a_marker_of_an_older_epoch_is_stale() {
    let mut stage = Stage::new();
    stage.send(&in_transaction(batch(2, 0, 1)));
    let refused = stage.tracker.check_marker(marker(1, 0, Outcome::Commit));
    assert!(matches!(refused, Err(Refusal::StaleEpoch(_))));
    assert!(stage.tracker.check_marker(marker(2, 0, Outcome::Commit)).is_ok());
}

#[test]
fn a_marker_of_an_older_coordinator_is_fenced() {
    let mut stage = Stage::new();
    stage.mark(0, 5, Outcome::Commit);
    let refused = stage.tracker.check_marker(marker(0, 4, Outcome::Commit)).unwrap_err();
    assert!(matches!(refused, Refusal::StaleCoordinator { known: 5, given: 4, .. }));
    assert_eq!(
        refused.to_string(),
        "stale coordinator epoch 4, 5 is known: producer 7 has a marker of epoch 0; known is epoch 0 without a batch"
    );
    assert!(stage.tracker.check_marker(marker(0, 5, Outcome::Commit)).is_ok());
}

#[test]
fn a_marker_without_a_transaction_ends_none() {
    let mut stage = Stage::new();
    assert_eq!(stage.mark(0, 0, Outcome::Commit), None);
    assert_eq!(stage.tracker.first_unstable(), None);
    assert!(stage.knows(P), "but it makes the producer known");
    assert_eq!(stage.row(P).timestamp, Millis(2_000_000), "with the marker's own timestamp");
}

#[test]
fn a_marker_ends_a_verification() {
    let mut stage = Stage::new();
    stage.tracker.begin_verification(ProducerId(P), ProducerEpoch(0), Sequence(5), false, Millis(0));
    stage.mark(0, 0, Outcome::Abort);
    assert!(!stage.tracker.is_verifying(ProducerId(P)));
}

#[test]
fn a_marker_of_nobody_is_nothing() {
    let mut tracker = Tracker::new(DAY_MS);
    let nobody = Marker { producer_id: ProducerId::NONE, ..marker(0, 0, Outcome::Commit) };
    assert_eq!(tracker.replay_marker(&nobody, Offset(0), Millis(0)), None);
    assert!(tracker.is_empty());
}
