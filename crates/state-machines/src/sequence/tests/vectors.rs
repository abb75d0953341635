//! The fifteen test vectors of the facts about Kafka's producer state, in one partition each.

use super::*;

/// Vector 1's state: ten records with the sequences 0 to 9 at offset 0.
fn after_1() -> Stage {
    let mut stage = Stage::new();
    assert_eq!(stage.send(&batch(0, 0, 10)), Told::At(0));
    stage
}

/// Six batches of one record each, so that a batch's offset is its sequence.
fn six_batches() -> Stage {
    let mut stage = Stage::new();
    for sequence in 0..6 {
        assert_eq!(stage.send(&batch(0, sequence, 1)), Told::At(i64::from(sequence)));
    }
    stage
}

/// A clean restart as this broker does it: the newest batch from the snapshot, the others from the log before it.
fn restarted(stage: &Stage, replayed: &[(Claim, i64)]) -> Stage {
    let mut tracker = Tracker::new(DAY_MS);
    for (claim, offset) in replayed {
        tracker.replay(claim, Offset(*offset), Millis(stage.now));
    }
    tracker.load(stage.tracker.rows().into_iter().map(|row| (row, Millis(stage.now))));
    Stage { tracker, ..*stage }
}

#[test]
fn vector_1_a_new_producer_begins() {
    after_1();
}

#[test]
fn vector_2_the_same_batch_again() {
    let mut stage = after_1();
    assert_eq!(stage.send(&batch(0, 0, 10)), Told::Again(0));
    assert_eq!(stage.end, 10, "the log is unchanged");
}

#[test]
fn vector_3_a_gap() {
    assert_eq!(after_1().send(&batch(0, 20, 10)), Told::Expected(10));
}

#[test]
fn vector_4_a_new_epoch_at_5() {
    assert_eq!(after_1().send(&batch(1, 5, 1)), Told::Expected(0));
}

#[test]
fn vector_5_a_new_epoch_at_0() {
    assert_eq!(after_1().send(&batch(1, 0, 1)), Told::At(10));
}

#[test]
fn vector_6_the_old_epoch_after_the_new() {
    let mut stage = after_1();
    stage.send(&batch(1, 0, 1));
    assert_eq!(stage.send(&batch(0, 10, 1)), Told::StaleEpoch);
}

#[test]
fn vector_7_an_unknown_producer_at_1234() {
    assert_eq!(Stage::new().send(&batch(0, 1234, 1)), Told::At(0));
}

#[test]
fn vector_8_the_first_of_six() {
    assert_eq!(six_batches().send(&batch(0, 0, 1)), Told::Expected(6));
}

#[test]
fn vector_9_the_second_of_six() {
    assert_eq!(six_batches().send(&batch(0, 1, 1)), Told::Again(1));
}

#[test]
fn vector_10_after_a_batch_that_ends_at_the_largest_sequence() {
    let mut stage = Stage::new();
    stage.send(&batch(0, i32::MAX - 9, 10));
    assert_eq!(stage.send(&batch(0, 0, 1)), Told::At(10));
}

#[test]
fn vector_11_a_batch_across_the_largest_sequence() {
    let mut stage = Stage::new();
    stage.send(&batch(0, 2_147_483_640, 16));
    assert_eq!(stage.send(&batch(0, 8, 1)), Told::At(16));
    assert_eq!(stage.send(&batch(0, 2_147_483_640, 16)), Told::Again(0));
}

#[test]
fn vector_12_the_newest_batch_after_a_clean_restart() {
    let stage = six_batches();
    let mut stage = restarted(&stage, &[]);
    assert_eq!(stage.send(&batch(0, 5, 1)), Told::Again(5));
    assert_eq!(stage.send(&batch(0, 4, 1)), Told::Expected(6), "as Kafka, which has the snapshot alone");
}

#[test]
fn vector_13_the_five_newest_batches_after_a_clean_restart() {
    let stage = six_batches();
    let written: Vec<_> = (0..6).map(|sequence| (batch(0, sequence, 1), i64::from(sequence))).collect();
    let mut stage = restarted(&stage, &written[1..]);
    for sequence in 1..6 {
        assert_eq!(stage.send(&batch(0, sequence, 1)), Told::Again(i64::from(sequence)));
    }
    assert_eq!(stage.send(&batch(0, 6, 1)), Told::At(6));
}

#[test]
fn vector_14_no_producer_id() {
    let mut stage = Stage::new();
    let claim = from(-1, Claim { base_sequence: Sequence::NONE, ..batch(-1, 0, 3) });
    assert_eq!(stage.send(&claim), Told::At(0));
    assert_eq!(stage.send(&claim), Told::At(3), "it is not deduplicated");
    assert!(stage.tracker.is_empty());
}

/// A batch with a producer but without a sequence is refused before it gets here (INVALID_RECORD). Should one come all
/// the same, it is never taken for a duplicate of another.
#[test]
fn vector_15_a_producer_without_a_sequence() {
    let mut stage = Stage::new();
    stage.send(&by_coordinator(batch(0, 0, 1)));
    let claim = Claim { base_sequence: Sequence::NONE, ..batch(0, 0, 1) };
    assert_eq!(stage.send(&claim), Told::Expected(0));
}
