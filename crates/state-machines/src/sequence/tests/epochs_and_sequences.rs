//! One test per row of the decision table in Kafka's order, and per consequence of it.

use super::*;

#[test]
fn step_0_the_same_epoch_and_sequences_are_a_duplicate() {
    let mut stage = Stage::new();
    stage.send(&batch(0, 0, 10));
    stage.send(&batch(0, 10, 10));
    assert_eq!(stage.send(&batch(0, 0, 10)), Told::Again(0));
    assert_eq!(stage.send(&batch(0, 10, 10)), Told::Again(10));
    assert_eq!(stage.end, 20);
}

#[test]
fn step_0_a_duplicate_answers_the_timestamp_of_the_first_write() {
    let mut stage = Stage::new();
    stage.send(&Claim { max_timestamp: Millis(123), ..batch(0, 0, 10) });
    let Verdict::Duplicate(earlier) = stage.tracker.check(&batch(0, 0, 10)) else { panic!("a duplicate") };
    assert_eq!(earlier.timestamp, Millis(123));
    assert_eq!((earlier.first_offset(), earlier.last_offset), (Offset(0), Offset(9)));
}

#[test]
fn step_0_comes_before_all_else_even_in_a_transaction() {
    let mut stage = Stage::new();
    stage.send(&batch(0, 0, 1));
    stage.send(&in_transaction(batch(0, 1, 1)));
    assert_eq!(stage.send(&batch(0, 0, 1)), Told::Again(0), "the transaction would refuse it");
}

#[test]
fn row_1_an_older_epoch_is_stale() {
    let mut stage = Stage::new();
    stage.send(&batch(4, 0, 1));
    assert_eq!(stage.send(&batch(3, 0, 1)), Told::StaleEpoch);
    assert_eq!(stage.send(&batch(3, 1, 1)), Told::StaleEpoch);
    // Not even as a duplicate: what the older epoch wrote is forgotten.
    stage.send(&batch(5, 0, 1));
    assert_eq!(stage.send(&batch(4, 0, 1)), Told::StaleEpoch);
}

#[test]
fn row_2_a_batch_must_not_overtake_one_that_waits_for_the_coordinator() {
    let mut stage = Stage::new();
    stage.tracker.begin_verification(ProducerId(P), ProducerEpoch(0), Sequence(5), false, Millis(0));
    assert_eq!(stage.send(&in_transaction(batch(0, 6, 1))), Told::Expected(5));
    assert_eq!(stage.send(&in_transaction(batch(0, 5, 1))), Told::At(0));
    assert!(!stage.tracker.is_verifying(ProducerId(P)), "the first transactional batch ends it");
    assert_eq!(stage.send(&in_transaction(batch(0, 6, 1))), Told::At(1));
}

#[test]
fn row_2_counts_the_lowest_sequence_of_the_newest_epoch() {
    let mut stage = Stage::new();
    let mut begin = |epoch, sequence| {
        stage.tracker.begin_verification(
            ProducerId(P),
            ProducerEpoch(epoch),
            Sequence(sequence),
            false,
            Millis(0),
        );
    };
    begin(0, 5);
    begin(0, 3);
    begin(0, 9);
    begin(1, 4);
    begin(0, 1);
    assert_eq!(stage.send(&in_transaction(batch(1, 5, 1))), Told::Expected(4));
}

#[test]
fn row_2_a_client_that_bumps_its_epoch_per_transaction_begins_at_zero() {
    let mut stage = Stage::new();
    stage.tracker.begin_verification(ProducerId(P), ProducerEpoch(0), Sequence(5), true, Millis(0));
    assert_eq!(stage.send(&in_transaction(batch(0, 5, 1))), Told::Expected(0));
}

#[test]
fn row_3_a_new_epoch_that_does_not_begin_at_zero_is_out_of_order() {
    let mut stage = Stage::new();
    stage.send(&batch(0, 0, 10));
    assert_eq!(stage.send(&batch(1, 5, 1)), Told::Expected(0));
    assert_eq!(stage.send(&batch(1, 10, 1)), Told::Expected(0), "nor does the old count go on");
}

#[test]
fn row_4_a_new_epoch_begins_at_zero_and_forgets_the_old_batches() {
    let mut stage = Stage::new();
    stage.send(&batch(0, 0, 10));
    assert_eq!(stage.send(&batch(1, 0, 10)), Told::At(10));
    assert_eq!(stage.tracker.remembered(ProducerId(P)).len(), 1);
    assert_eq!(stage.send(&batch(1, 0, 10)), Told::Again(10));
}

#[test]
fn row_5_an_unknown_producer_may_begin_anywhere() {
    let mut stage = Stage::new();
    assert_eq!(stage.send(&batch(3, 4321, 10)), Told::At(0));
    assert_eq!(stage.send(&batch(3, 4331, 1)), Told::At(10));
}

#[test]
fn row_5_a_row_without_an_epoch_is_an_unknown_producer() {
    let mut stage = Stage::new();
    stage.send(&batch(3, 0, 1));
    let without_epoch = Row {
        epoch: ProducerEpoch::NONE,
        last_sequence: Sequence::NONE,
        last_offset: Offset::NONE,
        ..stage.row(P)
    };
    let mut stage = Stage::new();
    stage.tracker.load([(without_epoch, Millis(0))]);
    assert_eq!(stage.send(&batch(0, 4321, 1)), Told::At(0));
}

#[test]
fn row_6_the_next_sequence_is_fresh() {
    let mut stage = Stage::new();
    stage.send(&batch(0, 0, 10));
    assert_eq!(stage.send(&batch(0, 10, 1)), Told::At(10));
    assert_eq!(stage.send(&batch(0, 11, 1)), Told::At(11));
}

#[test]
fn row_7_after_the_largest_sequence_comes_zero() {
    let mut stage = Stage::new();
    stage.send(&batch(0, i32::MAX - 1, 2));
    assert_eq!(stage.send(&batch(0, 0, 3)), Told::At(2));
    assert_eq!(stage.send(&batch(0, 0, 3)), Told::Again(2));
    assert_eq!(stage.send(&batch(0, i32::MAX - 1, 2)), Told::Again(0));
}

#[test]
fn row_8_an_epoch_known_only_from_a_marker_begins_at_zero() {
    let mut stage = Stage::new();
    stage.mark(2, 0, Outcome::Abort);
    assert_eq!(stage.send(&batch(2, 3, 1)), Told::Expected(0));
    assert_eq!(stage.send(&batch(2, 0, 1)), Told::At(1));
}

#[test]
fn row_9_a_gap_is_out_of_order() {
    let mut stage = Stage::new();
    stage.send(&batch(0, 0, 10));
    assert_eq!(stage.send(&batch(0, 11, 1)), Told::Expected(10));
}

#[test]
fn row_9_a_batch_older_than_five_is_out_of_order() {
    let mut stage = Stage::new();
    for sequence in 0..6 {
        stage.send(&batch(0, sequence, 1));
    }
    assert_eq!(stage.send(&batch(0, 0, 1)), Told::Expected(6));
}

#[test]
fn row_9_an_overlap_is_out_of_order_and_no_duplicate() {
    let mut stage = Stage::new();
    stage.send(&batch(0, 0, 10));
    assert_eq!(stage.send(&batch(0, 0, 9)), Told::Expected(10), "the first part of it");
    assert_eq!(stage.send(&batch(0, 1, 9)), Told::Expected(10), "the last part of it");
    assert_eq!(stage.send(&batch(0, 0, 20)), Told::Expected(10), "it and more");
    assert_eq!(stage.send(&batch(0, 5, 10)), Told::Expected(10), "half of it and more");
}

#[test]
fn row_9_past_the_largest_sequence_the_count_does_not_go_on_below_zero() {
    let mut stage = Stage::new();
    stage.send(&batch(0, i32::MAX, 1));
    assert_eq!(stage.send(&batch(0, 1, 1)), Told::Expected(0));
}

#[test]
fn row_10_only_transactional_batches_while_a_transaction_is_open() {
    let mut stage = Stage::new();
    stage.send(&in_transaction(batch(0, 0, 1)));
    assert_eq!(stage.send(&batch(0, 1, 1)), Told::InTransaction);
    assert_eq!(stage.send(&in_transaction(batch(0, 1, 1))), Told::At(1));
    stage.mark(0, 0, Outcome::Commit);
    assert_eq!(stage.send(&batch(0, 2, 1)), Told::At(3));
}

#[test]
fn row_10_comes_after_the_sequence() {
    let mut stage = Stage::new();
    stage.send(&in_transaction(batch(0, 0, 1)));
    assert_eq!(stage.send(&batch(0, 5, 1)), Told::Expected(1));
    assert_eq!(
        stage.send(&batch(1, 0, 1)),
        Told::InTransaction,
        "a new epoch does not close the transaction"
    );
}

#[test]
fn a_coordinators_batch_is_asked_for_its_epoch_only() {
    let mut stage = Stage::new();
    assert_eq!(stage.send(&by_coordinator(batch(1, 0, 3))), Told::At(0));
    assert_eq!(stage.send(&by_coordinator(batch(1, 0, 3))), Told::At(3), "it has no sequence: no duplicate");
    assert_eq!(stage.send(&by_coordinator(batch(0, 0, 3))), Told::StaleEpoch);
    assert_eq!(stage.send(&by_coordinator(batch(2, 0, 3))), Told::At(6));
    let numbered = Claim { origin: Origin::Coordinator, ..batch(2, 9, 1) };
    assert_eq!(stage.send(&numbered), Told::At(9));
    assert_eq!(stage.send(&numbered), Told::At(10), "nor would one be looked for");
    stage.send(&by_coordinator(batch(2, 0, 1)));
    // A client that goes on in that epoch begins to count.
    assert_eq!(stage.send(&batch(2, 0, 1)), Told::At(12));
}

#[test]
fn producers_do_not_know_of_each_other() {
    let mut stage = Stage::new();
    stage.send(&batch(0, 0, 10));
    assert_eq!(stage.send(&from(8, batch(0, 0, 10))), Told::At(10));
    assert_eq!(stage.send(&from(8, batch(0, 0, 10))), Told::Again(10));
    assert_eq!(stage.send(&batch(0, 0, 10)), Told::Again(0));
}

#[test]
fn a_replay_refuses_nothing() {
    let mut stage = Stage::new();
    let mut replay = |claim: &Claim, offset| stage.tracker.replay(claim, Offset(offset), Millis(0));
    replay(&batch(3, 5, 1), 0);
    replay(&batch(3, 90, 1), 1);
    replay(&batch(1, 17, 1), 2);
    assert_eq!(stage.row(P).epoch, ProducerEpoch(1), "the log is the truth");
    assert_eq!(stage.send(&batch(1, 18, 1)), Told::At(0));
}

#[test]
fn numbers_that_no_checked_batch_has_do_no_harm() {
    let mut stage = Stage::new();
    for (sequence, delta) in [(i32::MIN, i32::MIN), (i32::MIN, i32::MAX), (i32::MAX, i32::MAX), (-1, -1)] {
        let claim = Claim { base_sequence: Sequence(sequence), last_offset_delta: delta, ..batch(0, 0, 1) };
        stage.tracker.replay(&claim, Offset(0), Millis(i64::MIN));
        let _ = stage.tracker.check(&claim);
        let _ = stage.tracker.rows();
    }
    assert!(!format!("{:?}", stage.tracker.check(&batch(0, 3, 1))).is_empty());
}
