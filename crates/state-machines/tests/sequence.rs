//! Stories about one partition's producers, told as text: `tests/scenarios/sequence/*.txt`.
//!
//! How a story is told: `story/mod.rs`.
//!
//! | command | |
//! | --- | --- |
//! | `send 7/0 10..=14 [txn] [coordinator] [at=<record time>]` | producer 7 in epoch 0 sends these sequences |
//! | `lose 7/0 10..=14` | the same, but the write fails: the ticket is thrown away |
//! | `mark 7/0 coordinator=3 commit` | the coordinator ends a transaction |
//! | `clock 5000` / `expire` | the time of the next appends / forget who is idle |
//! | `acknowledged 20` | the high watermark reaches 20 |
//! | `restart` | as Kafka: only the rows of a snapshot at the log end come back |
//! | `restart replaying=20` | as this broker: what the log holds from offset 20 on is replayed, then the rows are taken |
//! | `restart snapshot=20` | after a kill: the rows as they were at offset 20, then a replay of what follows |
//! | `show` | each producer, and what is remembered of it |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod story;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base::{Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use state_machines::sequence::{Claim, Marker, Origin, Outcome, Row, Tracker, Verdict};

const EXPIRATION_MS: i64 = 1_000;

#[test]
fn stories() {
    story::retell_all::<Stage>("sequence");
}

/// A batch or a marker in the log.
#[derive(Clone, Copy)]
enum Logged {
    Batch(Claim),
    Marker(Marker),
}

/// A partition: the tracker, and a log that only knows what was appended.
struct Stage {
    tracker: Tracker,
    log: BTreeMap<i64, (Logged, Millis)>,
    /// The rows as they were at each log end.
    snapshots: BTreeMap<i64, Vec<Row>>,
    end: i64,
    now: Millis,
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            tracker: Tracker::new(EXPIRATION_MS),
            log: BTreeMap::new(),
            snapshots: BTreeMap::from([(0, Vec::new())]),
            end: 0,
            now: Millis(0),
        }
    }
}

impl story::Stage for Stage {
    fn run(&mut self, command: &str) -> Vec<String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["send", rest @ ..] => vec![self.send(&claim(rest, self.now), true)],
            ["lose", rest @ ..] => vec![self.send(&claim(rest, self.now), false)],
            ["mark", rest @ ..] => vec![self.mark(marker(rest, self.now))],
            ["clock", time] => {
                self.now = Millis(number(time));
                vec![format!("it is {}", self.now)]
            }
            ["expire"] => vec![format!("{} forgotten", self.tracker.expire(self.now))],
            ["acknowledged", offset] => {
                self.tracker.settle_below(Offset(number(offset)));
                vec![format!("stable up to {}", self.stable())]
            }
            ["restart"] => self.restart(self.end, self.end),
            ["restart", word] => match word.split_once('=') {
                Some(("replaying", offset)) => self.restart(number(offset), self.end),
                Some(("snapshot", offset)) => self.restart(number(offset), number(offset)),
                _ => panic!("unknown: {command}"),
            },
            ["show"] => self.show(),
            _ => panic!("unknown: {command}"),
        }
    }
}

impl Stage {
    fn send(&mut self, claim: &Claim, stored: bool) -> String {
        let base = self.end;
        let fresh = match self.tracker.check(claim) {
            Verdict::Duplicate(earlier) => {
                return format!("duplicate of offset {}, time {}", earlier.first_offset(), earlier.timestamp);
            }
            Verdict::Refused(why) => return why.to_string(),
            Verdict::NotIdempotent => None,
            Verdict::Fresh(ticket) => Some(ticket),
        };
        if !stored {
            return "fresh, but not stored".to_owned();
        }
        if let Some(ticket) = fresh {
            self.tracker.record(ticket, Offset(base), self.now);
        }
        self.logged(Logged::Batch(*claim), i64::from(claim.last_offset_delta) + 1);
        format!("stored at offset {base}")
    }

    fn mark(&mut self, marker: Marker) -> String {
        let base = self.end;
        let ended = match self.tracker.check_marker(marker) {
            Ok(ticket) => self.tracker.record_marker(ticket, Offset(base), self.now),
            Err(why) => return why.to_string(),
        };
        self.logged(Logged::Marker(marker), 1);
        match ended {
            Some(ended) => {
                format!("stored at offset {base}, ends the transaction from {}", ended.first_offset)
            }
            None => format!("stored at offset {base}, no transaction was open"),
        }
    }

    fn logged(&mut self, what: Logged, records: i64) {
        self.log.insert(self.end, (what, self.now));
        self.end += records;
        self.snapshots.insert(self.end, self.tracker.rows());
    }

    fn restart(&mut self, from: i64, snapshot: i64) -> Vec<String> {
        let rows = self.snapshots[&snapshot].clone();
        self.tracker = Tracker::new(EXPIRATION_MS);
        self.replay(from, snapshot);
        self.tracker.load(rows.into_iter().map(|row| (row, self.now)));
        self.replay(snapshot, self.end);
        self.tracker.settle_below(Offset(self.end));
        let mut answer = vec!["restarted".to_owned()];
        answer.append(&mut self.show());
        answer
    }

    fn replay(&mut self, from: i64, to: i64) {
        for (offset, (logged, at)) in self.log.range(from..to) {
            match logged {
                Logged::Batch(claim) => self.tracker.replay(claim, Offset(*offset), *at),
                Logged::Marker(marker) => drop(self.tracker.replay_marker(marker, Offset(*offset), *at)),
            }
        }
    }

    fn stable(&self) -> Offset {
        self.tracker.first_unstable().unwrap_or(Offset(self.end))
    }

    fn show(&self) -> Vec<String> {
        let mut rows = self.tracker.rows();
        rows.sort_unstable_by_key(|row| row.producer_id);
        let mut lines: Vec<String> = rows.iter().map(|row| self.line(row)).collect();
        if lines.is_empty() {
            lines.push("nobody is known".to_owned());
        }
        if self.tracker.first_unstable().is_some() {
            lines.push(format!("stable up to {}", self.stable()));
        }
        lines
    }

    fn line(&self, row: &Row) -> String {
        let batches: Vec<String> =
            self.tracker.remembered(row.producer_id).iter().map(ToString::to_string).collect();
        let mut line =
            format!("{}/{}: {}", row.producer_id, row.epoch, batches.join(", ")).trim_end().to_owned();
        if row.coordinator_epoch >= 0 {
            write!(line, " coordinator={}", row.coordinator_epoch).unwrap();
        }
        if let Some(first) = row.open_transaction {
            write!(line, " transaction from {first}").unwrap();
        }
        line
    }
}

fn claim(words: &[&str], now: Millis) -> Claim {
    let (producer_id, epoch) = producer(words[0]);
    let mut claim = Claim {
        producer_id,
        epoch,
        base_sequence: Sequence::NONE,
        last_offset_delta: 0,
        transactional: false,
        max_timestamp: now,
        origin: Origin::Client,
    };
    for word in &words[1..] {
        if let Some((first, last)) = word.split_once("..=") {
            let (first, last): (i32, i32) = (first.parse().unwrap(), last.parse().unwrap());
            claim.base_sequence = Sequence(first);
            // A range that ends below its begin has gone past 2147483647.
            claim.last_offset_delta = if last >= first { last - first } else { i32::MAX - first + last + 1 };
        } else if let Some(records) = word.strip_prefix("records=") {
            claim.last_offset_delta = records.parse::<i32>().unwrap() - 1;
        } else if let Some(time) = word.strip_prefix("at=") {
            claim.max_timestamp = Millis(number(time));
        } else {
            match *word {
                "txn" => claim.transactional = true,
                "coordinator" => claim.origin = Origin::Coordinator,
                other => panic!("unknown: {other}"),
            }
        }
    }
    claim
}

fn marker(words: &[&str], now: Millis) -> Marker {
    let (producer_id, epoch) = producer(words[0]);
    Marker {
        producer_id,
        epoch,
        coordinator_epoch: words[1].strip_prefix("coordinator=").unwrap().parse().unwrap(),
        outcome: if words[2] == "commit" { Outcome::Commit } else { Outcome::Abort },
        timestamp: now,
    }
}

fn producer(word: &str) -> (ProducerId, ProducerEpoch) {
    let (id, epoch) = word.split_once('/').unwrap();
    (ProducerId(number(id)), ProducerEpoch(epoch.parse().unwrap()))
}

fn number(word: &str) -> i64 {
    word.parse().unwrap()
}
