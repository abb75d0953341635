//! Random producers against one partition, held against a model that remembers everything ever written.
//!
//! What must hold, through retries, gaps, epoch bumps, expiry, and restarts from any snapshot and any replay: a producer
//! that goes on in order is never refused; nothing is stored twice; a retry of a batch that had to be remembered is
//! answered with its first offset; what is stored per producer and epoch has no gap.

use std::collections::BTreeMap;

use base::{Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use proptest::prelude::*;
use proptest::sample::Index;
use state_machines::sequence::{Claim, Origin, REMEMBERED_BATCHES, Refusal, Row, Tracker, Verdict};

const PRODUCERS: usize = 3;
const EXPIRATION_MS: i64 = 100;

#[derive(Clone, Debug)]
enum Step {
    /// The next batch in order.
    Next { producer: usize, records: i32 },
    /// The next batch, whose write fails.
    Failed { producer: usize, records: i32 },
    /// One of the last eight batches again.
    Retry { producer: usize, back: usize },
    /// A batch that begins where none may.
    Astray { producer: usize, ahead: i32, records: i32 },
    /// A new epoch, from 0 or astray.
    Bump { producer: usize, first: i32 },
    /// A batch of an epoch that is over.
    Stale { producer: usize },
    /// A restart from the snapshot at one log end, with the log replayed from another before it.
    Restart { snapshot: Index, replay: Index },
    /// Time goes on, and who is idle is forgotten.
    Wait { ms: i64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let producer = 0..PRODUCERS;
    let records = prop_oneof![4 => 1..5_i32, 1 => 1..400_000_000_i32];
    let step = prop_oneof![
        8 => (producer.clone(), records.clone()).prop_map(|(producer, records)| Step::Next { producer, records }),
        1 => (producer.clone(), records.clone()).prop_map(|(producer, records)| Step::Failed { producer, records }),
        6 => (producer.clone(), 0..8_usize).prop_map(|(producer, back)| Step::Retry { producer, back }),
        2 => (producer.clone(), any::<i32>(), records)
            .prop_map(|(producer, ahead, records)| Step::Astray { producer, ahead, records }),
        1 => (producer.clone(), prop_oneof![Just(0), 1..i32::MAX])
            .prop_map(|(producer, first)| Step::Bump { producer, first }),
        1 => producer.prop_map(|producer| Step::Stale { producer }),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(snapshot, replay)| Step::Restart { snapshot, replay }),
        1 => (0..60_i64).prop_map(|ms| Step::Wait { ms }),
    ];
    prop::collection::vec(step, 1..80)
}

/// What one producer has written, and what the partition must know of it.
#[derive(Clone, Debug, Default)]
struct Producer {
    /// Batches of the current epoch: claim and offset, oldest first.
    written: Vec<(Claim, Offset)>,
    epoch: i16,
    /// Whether the partition must know it.
    known: bool,
    /// Batches below this offset, other than the newest, may have been forgotten by a restart.
    certain_from: Offset,
    last_write: i64,
}

impl Producer {
    fn next(&self) -> Sequence {
        self.written.last().map_or(Sequence::FIRST, |(claim, _)| claim.last_sequence().plus(1))
    }

    /// Whether the batch `back` steps from the newest must be remembered.
    fn must_be_remembered(&self, back: usize) -> bool {
        let (_, offset) = self.written[self.written.len() - 1 - back];
        self.known && back < REMEMBERED_BATCHES && (back == 0 || offset >= self.certain_from)
    }
}

struct Stage {
    tracker: Tracker,
    producers: [Producer; PRODUCERS],
    log: BTreeMap<Offset, (Claim, Millis)>,
    snapshots: BTreeMap<Offset, Vec<Row>>,
    end: Offset,
    now: i64,
}

impl Stage {
    fn new() -> Self {
        Self {
            tracker: Tracker::new(EXPIRATION_MS),
            producers: Default::default(),
            log: BTreeMap::new(),
            snapshots: BTreeMap::from([(Offset::ZERO, Vec::new())]),
            end: Offset::ZERO,
            now: 0,
        }
    }

    fn claim(&self, producer: usize, epoch: i16, first: Sequence, records: i32) -> Claim {
        Claim {
            producer_id: ProducerId(producer as i64),
            epoch: ProducerEpoch(epoch),
            base_sequence: first,
            last_offset_delta: records - 1,
            transactional: false,
            max_timestamp: Millis(self.now),
            origin: Origin::Client,
        }
    }

    fn store(&mut self, producer: usize, claim: Claim) -> Result<(), TestCaseError> {
        let verdict = self.tracker.check(&claim);
        let Verdict::Fresh(ticket) = verdict else {
            return Err(TestCaseError::fail(format!("in order, but {verdict:?}")));
        };
        self.tracker.record(ticket, self.end, Millis(self.now));
        self.log.insert(self.end, (claim, Millis(self.now)));
        let writer = &mut self.producers[producer];
        writer.written.push((claim, self.end));
        writer.known = true;
        writer.last_write = self.now;
        self.end = self.end.plus(i64::from(claim.last_offset_delta) + 1);
        self.snapshots.insert(self.end, self.tracker.rows());
        Ok(())
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Next { producer, records } => {
                let writer = &self.producers[producer];
                let claim = self.claim(producer, writer.epoch, writer.next(), records);
                self.store(producer, claim)?;
            }
            Step::Failed { producer, records } => {
                let writer = &self.producers[producer];
                let claim = self.claim(producer, writer.epoch, writer.next(), records);
                prop_assert!(matches!(self.tracker.check(&claim), Verdict::Fresh(_)));
            }
            Step::Retry { producer, back } => {
                let writer = &self.producers[producer];
                if back < writer.written.len() {
                    let (claim, offset) = writer.written[writer.written.len() - 1 - back];
                    match self.tracker.check(&claim) {
                        Verdict::Duplicate(earlier) => prop_assert_eq!(earlier.first_offset(), offset),
                        Verdict::Refused(Refusal::OutOfOrder(_)) => {
                            prop_assert!(!writer.must_be_remembered(back), "forgotten: {:?}", claim);
                        }
                        Verdict::Fresh(_) => prop_assert!(!writer.known, "stored twice: {:?}", claim),
                        other => prop_assert!(false, "{:?}", other),
                    }
                }
            }
            Step::Astray { producer, ahead, records } => {
                let writer = &self.producers[producer];
                let first = writer.next().plus(ahead & i32::MAX);
                let claim = self.claim(producer, writer.epoch, first, records);
                let again = |(written, _): &(Claim, Offset)| {
                    written.base_sequence == first && written.last_sequence() == claim.last_sequence()
                };
                if writer.known && first != writer.next() && !writer.written.iter().any(again) {
                    let verdict = self.tracker.check(&claim);
                    prop_assert!(
                        matches!(verdict, Verdict::Refused(Refusal::OutOfOrder(_))),
                        "{:?}",
                        verdict
                    );
                }
            }
            Step::Bump { producer, first } => {
                let writer = &mut self.producers[producer];
                let known = writer.known;
                let claim = {
                    let epoch = writer.epoch + 1;
                    self.claim(producer, epoch, Sequence(first), 1)
                };
                if first == 0 {
                    let writer = &mut self.producers[producer];
                    writer.epoch += 1;
                    writer.written.clear();
                    self.store(producer, claim)?;
                } else if known {
                    let verdict = self.tracker.check(&claim);
                    prop_assert!(
                        matches!(verdict, Verdict::Refused(Refusal::OutOfOrder(_))),
                        "{:?}",
                        verdict
                    );
                }
            }
            Step::Stale { producer } => {
                let writer = &self.producers[producer];
                if writer.known && writer.epoch > 0 {
                    let claim = self.claim(producer, writer.epoch - 1, Sequence::FIRST, 1);
                    let verdict = self.tracker.check(&claim);
                    prop_assert!(
                        matches!(verdict, Verdict::Refused(Refusal::StaleEpoch(_))),
                        "{:?}",
                        verdict
                    );
                }
            }
            Step::Restart { snapshot, replay } => self.restart(snapshot, replay),
            Step::Wait { ms } => {
                self.now += ms;
                self.tracker.expire(Millis(self.now));
                for writer in &mut self.producers {
                    if self.now - writer.last_write >= EXPIRATION_MS {
                        // It may begin anew, and goes on where it was all the same.
                        writer.known = false;
                        writer.certain_from = self.end;
                    }
                }
            }
        }
        Ok(())
    }

    fn restart(&mut self, snapshot: Index, replay: Index) {
        let ends: Vec<Offset> = self.snapshots.keys().copied().collect();
        let snapshot = ends[snapshot.index(ends.len())];
        let upto: Vec<Offset> = ends.into_iter().filter(|end| *end <= snapshot).collect();
        let from = upto[replay.index(upto.len())];
        let rows = self.snapshots[&snapshot].clone();
        self.tracker = Tracker::new(EXPIRATION_MS);
        self.replay(from, snapshot);
        // A batch of the row was appended before the snapshot was taken.
        self.tracker.load(rows.into_iter().map(|row| (row, Millis(row.timestamp.0))));
        self.replay(snapshot, self.end);
        self.tracker.expire(Millis(self.now));
        for writer in &mut self.producers {
            writer.certain_from = writer.certain_from.max(from);
        }
    }

    fn replay(&mut self, from: Offset, to: Offset) {
        for (offset, (claim, at)) in self.log.range(from..to) {
            self.tracker.replay(claim, *offset, *at);
        }
    }

    /// Each producer's batches of an epoch follow each other without a gap, also around 2147483647.
    fn check_log(&self) {
        let mut next: BTreeMap<(ProducerId, ProducerEpoch), Sequence> = BTreeMap::new();
        for (claim, _) in self.log.values() {
            let expected = next.entry((claim.producer_id, claim.epoch)).or_insert(Sequence::FIRST);
            assert_eq!(claim.base_sequence, *expected, "{claim:?}");
            *expected = claim.last_sequence().plus(1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn producers_write_once_and_in_order(steps in steps()) {
        let mut stage = Stage::new();
        for step in steps {
            stage.take(&step)?;
        }
        stage.check_log();
    }
}
