//! When a producer is forgotten.

use super::*;

fn stage_with(record_time: i64, append_time: i64) -> Stage {
    let mut stage = Stage { now: append_time, ..Stage::new() };
    stage.send(&Claim { max_timestamp: Millis(record_time), ..batch(0, 0, 1) });
    stage
}

#[test]
fn an_idle_producer_is_forgotten_after_the_expiration() {
    let mut stage = stage_with(5_000, 5_000);
    assert_eq!(stage.tracker.expire(Millis(5_000 + DAY_MS - 1)), 0);
    assert!(stage.knows(P));
    assert_eq!(stage.tracker.expire(Millis(5_000 + DAY_MS)), 1);
    assert_eq!(stage.send(&batch(0, 500, 1)), Told::At(1), "then it is unknown, and may begin anywhere");
}

/// Kafka counts from record time alone, and forgets such a producer while it writes.
#[test]
fn old_record_times_do_not_make_an_active_producer_idle() {
    let mut stage = stage_with(0, 10 * DAY_MS);
    stage.tracker.expire(Millis(10 * DAY_MS + 1));
    assert_eq!(stage.send(&batch(0, 0, 1)), Told::Again(0));
    stage.tracker.expire(Millis(11 * DAY_MS));
    assert!(!stage.knows(P));
}

#[test]
fn record_times_that_are_ahead_count_too() {
    let mut stage = stage_with(2 * DAY_MS, DAY_MS);
    stage.tracker.expire(Millis(3 * DAY_MS - 1));
    assert!(stage.knows(P));
    stage.tracker.expire(Millis(3 * DAY_MS));
    assert!(!stage.knows(P));
}

#[test]
fn a_producer_with_an_open_transaction_is_kept() {
    let mut stage = Stage::new();
    stage.send(&in_transaction(batch(0, 0, 1)));
    stage.tracker.expire(Millis(100 * DAY_MS));
    assert!(stage.knows(P));
    stage.mark(0, 0, Outcome::Abort);
    stage.tracker.expire(Millis(100 * DAY_MS));
    assert!(!stage.knows(P));
}

#[test]
fn a_marker_is_a_sign_of_life() {
    let mut stage = stage_with(0, 0);
    stage.now = DAY_MS;
    stage.mark(0, 0, Outcome::Commit);
    stage.tracker.expire(Millis(DAY_MS + 2_000_000 - 1));
    assert!(stage.knows(P));
}

#[test]
fn a_verification_is_forgotten_as_well() {
    let mut stage = Stage::new();
    stage.tracker.begin_verification(ProducerId(P), ProducerEpoch(0), Sequence(0), false, Millis(0));
    stage.tracker.expire(Millis(DAY_MS - 1));
    assert!(stage.tracker.is_verifying(ProducerId(P)));
    stage.tracker.expire(Millis(DAY_MS));
    assert!(!stage.tracker.is_verifying(ProducerId(P)));
}

#[test]
fn the_expiration_can_be_changed() {
    let mut stage = stage_with(0, 0);
    stage.tracker.set_expiration(10);
    assert_eq!(stage.tracker.expire(Millis(10)), 1);
}

#[test]
fn times_at_the_ends_of_the_numbers_do_not_overflow() {
    let mut stage = stage_with(i64::MIN, i64::MIN);
    stage.tracker.expire(Millis(i64::MAX));
    assert!(!stage.knows(P));
    let mut stage = stage_with(i64::MAX, i64::MAX);
    stage.tracker.expire(Millis(i64::MIN));
    assert!(stage.knows(P));
}
