//! Random stories against a list of batches.

use base::{LeaderEpoch, Millis, Offset};
use bytes::Bytes;
use log::{Known, Log, LogConfig};
use proptest::prelude::*;
use records::BatchHeader;

use crate::common::*;

#[derive(Clone, Debug)]
enum Op {
    Append { records: i32, value: usize, timestamp: i64 },
    Roll,
    Flush,
    DeleteBefore(u8),
    Retain { bytes: Option<u16>, ms: Option<i64> },
    Reopen { clean: bool },
    LoseIndex { which: u8, garbage: bool },
    Read { from: u8, ceiling: u8, max_bytes: u16, at_least_one: bool },
    Since(i64),
}

fn op() -> impl Strategy<Value = Op> {
    let timestamp = prop_oneof![4 => 0..3000_i64, 1 => Just(-1)];
    prop_oneof![
        12 => (1..5_i32, prop_oneof![0..30_usize, 0..600_usize], timestamp)
            .prop_map(|(records, value, timestamp)| Op::Append { records, value, timestamp }),
        1 => Just(Op::Roll),
        1 => Just(Op::Flush),
        1 => any::<u8>().prop_map(Op::DeleteBefore),
        1 => (proptest::option::of(0..5000_u16), proptest::option::of(0..3000_i64))
            .prop_map(|(bytes, ms)| Op::Retain { bytes, ms }),
        2 => any::<bool>().prop_map(|clean| Op::Reopen { clean }),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(which, garbage)| Op::LoseIndex { which, garbage }),
        6 => (any::<u8>(), any::<u8>(), 0..3000_u16, any::<bool>()).prop_map(
            |(from, ceiling, max_bytes, at_least_one)| Op::Read { from, ceiling, max_bytes, at_least_one }
        ),
        3 => (-5..3005_i64).prop_map(Op::Since),
    ]
}

/// What should be in the log.
#[derive(Default)]
struct Model {
    /// All batches that were ever appended.
    batches: Vec<(BatchHeader, Bytes)>,
    /// Where segments begin that are still there.
    segments: Vec<Offset>,
    log_start: Offset,
    flushed: Offset,
}

impl Model {
    fn end(&self) -> Offset {
        self.batches.last().map_or(Offset(0), |(header, _)| header.next_offset())
    }

    fn pick(&self, at: u8) -> Offset {
        let len = self.end().since(self.log_start);
        self.log_start.plus(len * i64::from(at) / 255)
    }

    /// What a read must give: batches from the one with `from` on, up to the end of its segment, the ceiling, the limit.
    fn read(&self, from: Offset, ceiling: Offset, max_bytes: usize, at_least_one: bool) -> Vec<u8> {
        let ceiling = ceiling.min(self.end());
        let mut out = Vec::new();
        if from >= ceiling {
            return out;
        }
        let border = self.segments.iter().find(|base| **base > from).copied().unwrap_or(self.end());
        let held = self.batches.iter().filter(|(header, _)| header.next_offset() > from);
        for (header, bytes) in held {
            let fits = out.len() + bytes.len() <= max_bytes || (out.is_empty() && at_least_one);
            if header.next_offset() > ceiling.min(border) || !fits {
                break;
            }
            out.extend(bytes);
        }
        out
    }

    fn since(&self, timestamp: i64) -> Option<(i64, i64)> {
        self.batches
            .iter()
            .flat_map(|(header, bytes)| {
                let records = records::records_of(bytes, 1 << 20).unwrap();
                let records: Vec<(i64, i64)> = records
                    .iter()
                    .map(|record| record.unwrap())
                    .map(|record| (record.offset(header).0, record.timestamp(header).0))
                    .collect();
                records
            })
            .find(|(offset, time)| *offset >= self.log_start.0 && *time >= timestamp)
    }
}

fn config() -> LogConfig {
    LogConfig { segment_bytes: 2500, index_interval_bytes: 150, retention_ms: -1, ..LogConfig::default() }
}

fn play(ops: &[Op]) {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&config(), NEW);
    let mut model = Model { segments: vec![Offset(0)], ..Model::default() };
    for op in ops {
        match op {
            Op::Append { records, value, timestamp } => {
                let plan = Plan::of(*records, *value, *timestamp);
                let bytes = plan.at(log.log_end());
                let Ok(written) = write(&mut log, plan) else {
                    assert!(bytes.len() > 2500);
                    continue;
                };
                if !model.segments.contains(&written.segment) {
                    model.segments.push(written.segment);
                }
                model.batches.push((BatchHeader::parse(&bytes).unwrap(), bytes));
            }
            Op::Roll => {
                let base = log.roll(NOW).unwrap();
                if !model.segments.contains(&base) {
                    model.segments.push(base);
                }
            }
            Op::Flush => {
                flush(&mut log);
                model.flushed = log.log_end();
                assert_eq!(log.recovery_point(), model.flushed);
            }
            Op::DeleteBefore(at) => {
                model.log_start = model.pick(*at);
                assert_eq!(log.delete_records_before(model.log_start), model.log_start);
            }
            Op::Retain { bytes, ms } => {
                let limits = LogConfig {
                    retention_bytes: bytes.map_or(-1, i64::from),
                    retention_ms: ms.unwrap_or(-1),
                    ..config()
                };
                log.set_config(limits);
                let removed = log.apply_retention(log.log_end(), Millis(3000)).unwrap();
                log.set_config(config());
                model.segments.retain(|base| !removed.segments.contains(base));
                if model.segments.is_empty() {
                    model.segments.push(log.log_end());
                }
                assert!(removed.log_start >= model.log_start);
                model.log_start = removed.log_start;
                log.take_due_files(Millis(i64::MAX)).remove().unwrap();
            }
            Op::Reopen { clean } => {
                if *clean {
                    log.close().unwrap();
                    model.flushed = log.log_end();
                }
                drop(log);
                let known =
                    Known { clean: *clean, recovery_point: model.flushed, log_start: model.log_start };
                let (opened, found) = rig.open(&config(), known);
                assert_eq!((found.truncated_bytes, found.damage), (0, vec![]));
                log = opened;
            }
            Op::LoseIndex { which, garbage } => {
                // Only where a stop was clean: then nobody has the file open.
                log.close().unwrap();
                model.flushed = log.log_end();
                drop(log);
                let names: Vec<String> =
                    rig.names().into_iter().filter(|name| name.ends_with("index")).collect();
                let path = rig.path(&names[usize::from(*which) % names.len()]);
                match garbage {
                    true => std::fs::write(path, [0x55_u8; 300]).unwrap(),
                    false => std::fs::remove_file(path).unwrap(),
                }
                let known = Known { clean: true, recovery_point: model.flushed, log_start: model.log_start };
                log = rig.open(&config(), known).0;
            }
            Op::Read { from, ceiling, max_bytes, at_least_one } => {
                let (from, ceiling) = (model.pick(*from), model.pick(*ceiling));
                let expected = model.read(from, ceiling, usize::from(*max_bytes), *at_least_one);
                let out = log.reader().read(from, ceiling, (*max_bytes).into(), *at_least_one).unwrap();
                let bytes = out.range.map(|range| range.read().unwrap()).unwrap_or_default();
                assert_eq!(bytes, expected, "{from} to {ceiling}, {max_bytes} bytes");
            }
            Op::Since(timestamp) => {
                let found = log.reader().offset_for_timestamp(Millis(*timestamp), log.log_end()).unwrap();
                let found = found.map(|found| (found.offset.0, found.timestamp.0));
                assert_eq!(found, model.since(*timestamp), "since {timestamp}");
            }
        }
        check(&log, &model);
    }
}

fn check(log: &Log, model: &Model) {
    assert_eq!((log.log_start(), log.log_end()), (model.log_start, model.end()));
    assert_eq!(log.reader().segment_bases(), model.segments);
    let first = model.segments[0];
    let bases: Vec<i64> = model
        .batches
        .iter()
        .map(|(header, _)| header.base_offset.0)
        .filter(|base| *base >= first.0)
        .collect();
    assert_eq!(walked(&log.reader(), first), bases);
    if log.log_start() < log.log_end() {
        assert_eq!(log.reader().epoch_at(log.log_start()), Some(LeaderEpoch(0)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_holds_what_was_appended(ops in proptest::collection::vec(op(), 1..60)) {
        play(&ops);
    }
}
