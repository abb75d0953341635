//! What a snapshot keeps, and how replayed batches and rows come together.

use super::*;

fn row(epoch: i16, last_sequence: i32, last_offset: i64, offset_delta: i32) -> Row {
    Row {
        producer_id: ProducerId(P),
        epoch: ProducerEpoch(epoch),
        last_sequence: Sequence(last_sequence),
        last_offset: Offset(last_offset),
        offset_delta,
        timestamp: Millis(3_000_000),
        coordinator_epoch: -1,
        open_transaction: None,
    }
}

fn loaded(rows: &[Row]) -> Stage {
    let mut stage = Stage::new();
    stage.tracker.load(rows.iter().map(|row| (*row, Millis(0))));
    stage
}

#[test]
fn a_row_keeps_the_newest_batch() {
    let mut stage = Stage::new();
    stage.send(&batch(2, 0, 10));
    stage.send(&Claim { max_timestamp: Millis(77), ..batch(2, 10, 5) });
    assert_eq!(stage.row(P), Row { timestamp: Millis(77), ..row(2, 14, 14, 4) });
}

#[test]
fn a_producer_without_a_batch_has_a_row_of_minus_ones() {
    let mut stage = Stage::new();
    stage.mark(3, 9, Outcome::Commit);
    let expected = Row { timestamp: Millis(2_000_000), coordinator_epoch: 9, ..row(3, -1, -1, 0) };
    assert_eq!(stage.row(P), expected);
    assert_eq!(loaded(&[expected]).row(P), expected);
}

#[test]
fn loading_rows_gives_the_same_rows() {
    let mut stage = Stage::new();
    for producer in 0..20 {
        for sequence in 0..producer {
            stage.send(&from(i64::from(producer), batch(1, sequence * 3, 3)));
        }
    }
    stage.send(&from(40, in_transaction(batch(0, 0, 1))));
    let sorted = |mut rows: Vec<Row>| {
        rows.sort_unstable_by_key(|row| row.producer_id);
        rows
    };
    let rows = sorted(stage.tracker.rows());
    assert_eq!(rows.len(), 20);
    assert_eq!(sorted(loaded(&rows).tracker.rows()), rows);
}

#[test]
fn a_row_adds_what_lies_before_the_replay() {
    let mut stage = Stage::new();
    stage.tracker.replay(&batch(0, 20, 10), Offset(20), Millis(5));
    stage.tracker.replay(&batch(0, 30, 10), Offset(30), Millis(5));
    let rows = [Row { coordinator_epoch: 4, open_transaction: Some(Offset(3)), ..row(0, 39, 39, 9) }];
    stage.tracker.load(rows.map(|row| (row, Millis(0))));
    assert_eq!(stage.tracker.remembered(ProducerId(P)).len(), 2, "the replayed batches stay");
    assert_eq!(stage.row(P).coordinator_epoch, 4);
    assert_eq!(stage.tracker.first_unstable(), Some(Offset(3)), "the transaction begins before the replay");
}

#[test]
fn a_row_brings_a_producer_that_the_replay_has_not_met() {
    let mut stage = Stage::new();
    stage.tracker.replay(&from(8, batch(0, 0, 1)), Offset(100), Millis(5));
    stage.tracker.load([(row(0, 9, 9, 9), Millis(0))]);
    assert_eq!(stage.send(&batch(0, 0, 10)), Told::Again(0));
    assert_eq!(stage.send(&from(8, batch(0, 0, 1))), Told::Again(100), "and one without a row stays");
}

#[test]
fn after_rows_the_replay_goes_on() {
    let mut stage = loaded(&[row(0, 9, 9, 9)]);
    stage.tracker.replay(&batch(0, 10, 1), Offset(10), Millis(5));
    assert_eq!(stage.send(&batch(0, 0, 10)), Told::Again(0));
    assert_eq!(stage.send(&batch(0, 10, 1)), Told::Again(10));
    assert_eq!(stage.send(&batch(0, 11, 1)), Told::At(0));
}

#[test]
fn what_a_replay_began_the_row_corrects() {
    let mut stage = Stage::new();
    stage.tracker.replay(&in_transaction(batch(0, 5, 1)), Offset(50), Millis(5));
    assert_eq!(stage.tracker.first_unstable(), Some(Offset(50)));
    stage.tracker.load([(Row { open_transaction: Some(Offset(40)), ..row(0, 5, 50, 0) }, Millis(0))]);
    assert_eq!(stage.tracker.first_unstable(), Some(Offset(40)));
    stage.mark(0, 0, Outcome::Commit);
    stage.tracker.settle_below(Offset(1_000));
    assert_eq!(stage.tracker.first_unstable(), None);
}

#[test]
fn impossible_rows_do_no_harm() {
    let rows = [
        row(0, i32::MIN, 5, 0),
        row(0, 5, 5, i32::MIN),
        row(i16::MIN, -2, i64::MAX, i32::MAX),
        row(0, i32::MAX, i64::MIN, -1),
        Row { producer_id: ProducerId(-5), ..row(0, 1, 1, 0) },
    ];
    for row in rows {
        let mut stage = loaded(&[row]);
        stage.send(&batch(0, 0, 1));
        stage.tracker.expire(Millis(0));
        assert!(stage.tracker.rows().len() <= 1);
    }
}

#[test]
fn a_row_ages_by_the_later_of_its_two_times() {
    let mut stage = loaded(&[row(0, 9, 9, 9)]);
    stage.tracker.expire(Millis(3_000_000 + DAY_MS - 1));
    assert!(stage.knows(P), "by its record time");
    let mut stage = Stage::new();
    stage.tracker.load([(Row { timestamp: Millis(0), ..row(0, 9, 9, 9) }, Millis(5_000_000))]);
    stage.tracker.expire(Millis(5_000_000 + DAY_MS - 1));
    assert!(stage.knows(P), "by when its segment was last written");
    stage.tracker.expire(Millis(5_000_000 + DAY_MS));
    assert!(!stage.knows(P));
}
