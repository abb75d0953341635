//! Opening what a crash, a hand or Kafka left.

use base::{LeaderEpoch, Millis, Offset};
use log::index::{OffsetEntry, TimeEntry};
use log::{Damage, Known, LogConfig, LogError, Opened};

use crate::common::*;

/// A crash after everything below `offset` was flushed.
fn crashed(offset: i64) -> Known {
    Known { recovery_point: Offset(offset), ..CRASHED }
}

/// A clean stop at `offset`.
fn stopped(offset: i64) -> Known {
    Known { recovery_point: Offset(offset), ..NEW }
}

/// Forty batches of two records over several segments, closed; what is in the log; and its segment bases.
fn filled(rig: &Rig, config: &LogConfig) -> (Vec<u8>, Vec<i64>) {
    let (mut log, _) = rig.open(config, NEW);
    for at in 0..40 {
        write(&mut log, Plan { epoch: at / 10, ..Plan::of(2, 30, 1000 + 10 * i64::from(at)) }).unwrap();
    }
    log.close().unwrap();
    let bases = log.reader().segment_bases().iter().map(|base| base.0).collect();
    (read_from(&log.reader(), Offset(0), u32::MAX), bases)
}

fn log_name(base: i64) -> String {
    format!("{base:020}.log")
}

/// All index files, by name.
fn indexes(rig: &Rig) -> Vec<(String, Vec<u8>)> {
    let names = rig.names().into_iter().filter(|name| name.ends_with("index"));
    names.map(|name| (name.clone(), rig.bytes(&name))).collect()
}

#[test]
fn a_crash_costs_a_scan_from_the_recovery_point_on() {
    let rig = Rig::new();
    let (content, bases) = filled(&rig, &small());
    for point in 0..=80 {
        let (log, opened) = rig.open(&small(), crashed(point));
        let first = bases.iter().rposition(|base| *base <= point).unwrap();
        assert_eq!(opened.rebuilt_indexes, bases[first..].iter().copied().map(Offset).collect::<Vec<_>>());
        let scanned: usize = bases[first..].iter().map(|base| rig.bytes(&log_name(*base)).len()).sum();
        assert_eq!(opened.scanned_bytes, scanned as u64);
        assert_eq!((opened.truncated_bytes, opened.damage), (0, vec![]));
        assert_eq!((log.log_end(), log.recovery_point()), (Offset(80), Offset(point)));
        assert_eq!(read_from(&log.reader(), Offset(0), 500), content);
    }
}

#[test]
fn rebuilt_indexes_are_those_that_were_written() {
    let rig = Rig::new();
    let (_, bases) = filled(&rig, &small());
    let before = indexes(&rig);
    for base in &bases {
        for kind in ["index", "timeindex"] {
            std::fs::write(rig.path(&format!("{base:020}.{kind}")), b"stale stale stale stale").unwrap();
        }
    }
    let (mut log, _) = rig.open(&small(), CRASHED);
    log.close().unwrap();
    assert_eq!(indexes(&rig), before);
    assert_eq!(log.recovery_point(), Offset(80));
}

#[test]
fn a_torn_batch_is_cut_at_every_length() {
    let rig = Rig::new();
    let (content, bases) = filled(&rig, &small());
    let name = log_name(*bases.last().unwrap());
    let whole = rig.bytes(&name);
    let last = Plan { epoch: 3, ..Plan::of(2, 30, 1390) }.at(Offset(78)).len();
    for left in 0..last {
        let len = whole.len() - last + left;
        std::fs::write(rig.path(&name), &whole[..len]).unwrap();
        let (log, opened) = rig.open(&small(), crashed(70));
        assert_eq!(opened.truncated_bytes, left as u64);
        assert_eq!(log.log_end(), Offset(78));
        assert_eq!(rig.bytes(&name), whole[..whole.len() - last]);
        assert_eq!(read_from(&log.reader(), Offset(0), u32::MAX), content[..content.len() - last]);
    }
}

#[test]
fn garbage_behind_the_log_is_cut() {
    for clean in [false, true] {
        for garbage in [&[0; 1][..], &[0; 60], &[0; 61], &[0; 5000], &[2; 61], &[0xff; 300], b"not a batch"] {
            let rig = Rig::new();
            let (content, bases) = filled(&rig, &small());
            let name = log_name(*bases.last().unwrap());
            let sound = rig.bytes(&name);
            std::fs::write(rig.path(&name), [&sound, garbage].concat()).unwrap();
            let (mut log, opened) = rig.open(&small(), Known { clean, ..stopped(80) });
            assert_eq!(opened.truncated_bytes, garbage.len() as u64);
            assert_eq!(rig.bytes(&name), sound);
            let plan = Plan { epoch: 3, ..Plan::of(1, 5, 9) };
            let next = plan.at(Offset(80));
            write(&mut log, plan).unwrap();
            assert_eq!(read_from(&log.reader(), Offset(0), 999), [&content[..], &next].concat());
        }
    }
}

#[test]
fn the_first_bad_batch_above_the_recovery_point_ends_the_log() {
    let batch = Plan::of(2, 30, 1000).at(Offset(0)).len();
    for lost in 0..40 {
        let rig = Rig::new();
        let (content, bases) = filled(&rig, &small());
        let offset = 2 * lost;
        let segment = bases.iter().rposition(|base| *base <= offset).unwrap();
        let name = log_name(bases[segment]);
        let mut bytes = rig.bytes(&name);
        let position = (offset - bases[segment]) as usize / 2 * batch;
        bytes[position + 90] ^= 4;
        std::fs::write(rig.path(&name), &bytes).unwrap();
        let (mut log, opened) = rig.open(&small(), crashed(0));
        assert_eq!(log.log_end(), Offset(offset));
        assert_eq!(opened.truncated_bytes, (bytes.len() - position) as u64);
        let dropped: Vec<Offset> = bases[segment + 1..].iter().copied().map(Offset).collect();
        assert_eq!(opened.dropped_segments, dropped);
        assert_eq!(opened.damage, []);
        assert_eq!(read_from(&log.reader(), Offset(0), u32::MAX), content[..lost as usize * batch]);
        let kept: Vec<String> = rig.names().into_iter().filter(|name| name.ends_with(".log")).collect();
        assert_eq!(kept, bases[..=segment].iter().map(|base| log_name(*base)).collect::<Vec<_>>());
        // The epochs that only lost batches had are gone as well.
        assert_eq!(
            log.reader().latest_epoch(),
            (offset > 0).then(|| LeaderEpoch(((offset - 1) / 20) as i32))
        );
        let begun = rig.bytes("leader-epoch-checkpoint").iter().filter(|byte| **byte == b'\n').count() - 2;
        assert_eq!(begun as i64, (offset + 19) / 20);
        assert_eq!(log.take_due_files(NOW).remove().unwrap(), 0);
        assert_eq!(log.take_due_files(Millis(NOW.0 + 60_000)).remove().unwrap(), 3 * dropped.len());
        assert!(rig.names().iter().all(|name| !name.ends_with(".deleted")));
    }
}

#[test]
fn below_the_recovery_point_damage_is_reported_and_kept() {
    let batch = Plan::of(2, 30, 1000).at(Offset(0)).len() as u64;
    for lost in 0..40_i64 {
        let rig = Rig::new();
        let (content, bases) = filled(&rig, &small());
        let offset = 2 * lost;
        let segment = bases.iter().rposition(|base| *base <= offset).unwrap();
        let name = log_name(bases[segment]);
        let mut bytes = rig.bytes(&name);
        let position = (offset - bases[segment]) as u64 / 2 * batch;
        bytes[position as usize + 90] ^= 4;
        std::fs::write(rig.path(&name), &bytes).unwrap();

        // All of it was flushed, but the segment is scanned, because its index is missing.
        std::fs::remove_file(rig.path(&name.replace(".log", ".index"))).unwrap();
        let (mut log, opened) = rig.open(&small(), crashed(80));
        let damage = Damage {
            file: rig.path(&name),
            position,
            len: batch,
            first: Offset(offset),
            next: Offset(offset + 2),
        };
        assert_eq!(opened.damage, [damage]);
        assert_eq!((opened.truncated_bytes, opened.dropped_segments), (0, vec![]));
        assert_eq!(rig.bytes(&name), bytes, "nothing was cut");
        assert_eq!((log.log_end(), log.recovery_point()), (Offset(80), Offset(80)));
        let reader = log.reader();
        for from in [offset, offset + 1] {
            match reader.read(Offset(from), Offset(80), 9999, true) {
                Err(LogError::Damaged { file, position: said, .. }) => {
                    assert_eq!((file, said), (rig.path(&name), position));
                }
                other => panic!("{other:?}"),
            }
        }
        let at = lost as usize * batch as usize;
        assert_eq!(read_from(&reader, Offset(offset + 2), 9999), content[at + batch as usize..]);
        assert_eq!(walked(&reader, Offset(0)).len(), 39);
        // The log goes on, whether the last batch was the damaged one or not.
        let written = write(&mut log, Plan { epoch: 3, ..Plan::of(1, 5, 9) }).unwrap();
        assert_eq!(written.base_offset, Offset(80));
        assert_eq!(written.segment == Offset(80), lost == 39 || written.position == 0);
    }
}

#[test]
fn a_hole_at_the_very_end_is_left_behind() {
    let rig = Rig::new();
    let (_, bases) = filled(&rig, &small());
    let last = *bases.last().unwrap();
    let mut bytes = rig.bytes(&log_name(last));
    bytes.fill(0);
    std::fs::write(rig.path(&log_name(last)), &bytes).unwrap();
    let (mut log, opened) = rig.open(&small(), crashed(78));
    assert_eq!(opened.damage.len(), 1);
    assert_eq!((opened.damage[0].first, opened.damage[0].next), (Offset(last), Offset(78)));
    assert_eq!(
        (log.log_end(), log.active_base()),
        (Offset(78), Offset(78)),
        "no promised offset is given twice"
    );
    write(&mut log, Plan { epoch: 3, ..Plan::of(1, 5, 9) }).unwrap();
    assert!(matches!(log.reader().read(Offset(last), Offset(79), 99, true), Err(LogError::Damaged { .. })));
    let before: Vec<i64> = (0..last / 2).map(|at| 2 * at).chain([78]).collect();
    assert_eq!(walked(&log.reader(), Offset(0)), before);
    // And once more: what was left behind is still there, and still no reason to cut.
    flush(&mut log);
    drop(log);
    let (log, opened) = rig.open(&small(), crashed(79));
    assert_eq!((log.log_end(), opened.truncated_bytes), (Offset(79), 0));
}

#[test]
fn a_missing_segment_above_the_recovery_point_ends_the_log() {
    let rig = Rig::new();
    let (_, bases) = filled(&rig, &small());
    std::fs::remove_file(rig.path(&log_name(bases[2]))).unwrap();
    let (log, opened) = rig.open(&small(), crashed(bases[1]));
    assert_eq!(log.log_end(), Offset(bases[2]));
    assert_eq!(opened.dropped_segments, bases[3..].iter().copied().map(Offset).collect::<Vec<_>>());
    assert!(!rig.path(&format!("{:020}.index", bases[2])).exists(), "an index without its segment goes");
}

#[test]
fn what_retention_deleted_may_come_back_in_part() {
    let rig = Rig::new();
    let (content, bases) = filled(&rig, &small());
    // Retention wrote down that the log begins with the third segment. A power loss then brought back the first one.
    std::fs::remove_file(rig.path(&log_name(bases[1]))).unwrap();
    std::fs::write(rig.path("leader-epoch-checkpoint"), format!("0\n2\n2 {}\n3 60\n", bases[2])).unwrap();
    let (log, opened) = rig.open(&small(), CRASHED);
    assert_eq!((opened.dropped_segments, opened.truncated_bytes), (vec![], 0));
    assert_eq!((log.log_start(), log.log_end()), (Offset(bases[2]), Offset(80)));
    let kept = rig.bytes(&log_name(bases[2])).len() + rig.bytes(&log_name(bases[3])).len();
    assert_eq!(read_from(&log.reader(), Offset(bases[2]), 999), content[content.len() - kept..]);
}

#[test]
fn a_seal_that_is_not_on_disk_is_made_again() {
    for kind in ["index", "timeindex"] {
        for damage in ["cut", "torn", "zeros"] {
            let rig = Rig::new();
            let (_, bases) = filled(&rig, &small());
            let before = indexes(&rig);
            let name = format!("{:020}.{kind}", bases[1]);
            let mut bytes = rig.bytes(&name);
            let entry = if kind == "index" { OffsetEntry::LEN } else { TimeEntry::LEN };
            let last = bytes.len() - entry;
            match damage {
                "cut" => bytes.truncate(last),
                "torn" => bytes.truncate(last + 5),
                _ => bytes[last..].fill(0),
            }
            std::fs::write(rig.path(&name), bytes).unwrap();
            let (log, opened) = rig.open(&small(), crashed(bases[2]));
            let rebuilt = opened.rebuilt_indexes.contains(&Offset(bases[1]));
            // An offset index that misses an entry at its end only costs a longer walk.
            assert_eq!(rebuilt, kind == "timeindex" || damage != "cut", "{damage} {kind}");
            assert_eq!(indexes(&rig)[..6] == before[..6], rebuilt, "{damage} {kind}");
            let last = Millis(1000 + 10 * (bases[2] / 2 - 1) + 1);
            let found = log.reader().offset_for_timestamp(last, Offset(80)).unwrap().unwrap();
            assert_eq!(found.offset, Offset(bases[2] - 1));
        }
    }
}

#[test]
fn gaps_are_no_damage_where_compaction_leaves_them() {
    let rig = Rig::new();
    let (_, bases) = filled(&rig, &small());
    std::fs::remove_file(rig.path(&log_name(bases[2]))).unwrap();
    let config = LogConfig { compact_enabled: true, ..small() };
    let (log, opened) = rig.open(&config, CRASHED);
    assert_eq!((log.log_end(), opened.dropped_segments), (Offset(80), vec![]));
    let out = log.reader().read(Offset(bases[2]), Offset(80), 1, true).unwrap();
    let header = records::BatchHeader::parse(&out.range.unwrap().read().unwrap()).unwrap();
    assert_eq!(header.base_offset, Offset(bases[3]), "a read in a gap goes on behind it");
}

#[test]
fn a_gap_within_a_segment_ends_the_log_unless_it_is_compacted() {
    for compacted in [false, true] {
        let rig = Rig::new();
        let config = LogConfig { compact_enabled: compacted, ..LogConfig::default() };
        drop(rig.open(&config, NEW));
        let batches: Vec<u8> =
            [0, 2, 9, 11].iter().flat_map(|base| Plan::of(2, 9, 5).at(Offset(*base)).to_vec()).collect();
        std::fs::write(rig.path(&log_name(0)), batches).unwrap();
        let (log, opened) = rig.open(&config, CRASHED);
        assert_eq!(log.log_end(), Offset(if compacted { 13 } else { 4 }));
        assert_eq!(opened.truncated_bytes > 0, !compacted);
        let (log, _) = rig.open(&config, stopped(log.log_end().0));
        assert!(log.reader().read(Offset(3), log.log_end(), 1, true).unwrap().bytes > 0);
    }
}

#[test]
fn a_clean_stop_is_believed() {
    let rig = Rig::new();
    let (content, bases) = filled(&rig, &small());
    // Damage in a segment that is not the last one is not looked for.
    let mut bytes = rig.bytes(&log_name(0));
    bytes[90] ^= 1;
    std::fs::write(rig.path(&log_name(0)), &bytes).unwrap();
    let (log, opened) = rig.open(&small(), stopped(80));
    assert_eq!(opened, Opened::default());
    assert_eq!((log.log_end(), log.recovery_point()), (Offset(80), Offset(80)));
    assert_eq!(read_from(&log.reader(), Offset(bases[1]), 999).len(), content.len() - bytes.len());
}

#[test]
fn a_clean_log_that_has_become_shorter_is_reported() {
    let rig = Rig::new();
    let (_, bases) = filled(&rig, &small());
    let last = *bases.last().unwrap();
    let name = log_name(last);
    let bytes = rig.bytes(&name);
    let batch = Plan::of(2, 30, 1).at(Offset(78)).len();
    std::fs::write(rig.path(&name), &bytes[..bytes.len() - batch]).unwrap();
    let (log, opened) = rig.open(&small(), stopped(80));
    assert_eq!(log.log_end(), Offset(78));
    assert_eq!(opened.damage.len(), 1);
    assert_eq!((opened.damage[0].first, opened.damage[0].next), (Offset(78), Offset(80)));
}

#[test]
fn lost_indexes_come_back_after_a_clean_stop() {
    for kind in ["index", "timeindex"] {
        for at in 0..4 {
            let rig = Rig::new();
            let (content, bases) = filled(&rig, &small());
            assert_eq!(bases.len(), 4);
            let before = indexes(&rig);
            std::fs::remove_file(rig.path(&format!("{:020}.{kind}", bases[at]))).unwrap();
            let (mut log, opened) = rig.open(&small(), stopped(80));
            assert_eq!(opened.rebuilt_indexes, [Offset(bases[at])]);
            assert_eq!(read_from(&log.reader(), Offset(0), 99), content);
            log.close().unwrap();
            assert_eq!(indexes(&rig), before, "{kind} of segment {at}");
        }
    }
}

#[test]
fn what_kafka_put_into_an_index_in_advance_does_not_count() {
    let rig = Rig::new();
    let (content, bases) = filled(&rig, &small());
    let before = indexes(&rig);
    // A broker that was killed leaves zeros behind the entries of its last segment.
    let last = *bases.last().unwrap();
    for (kind, size) in [("index", OffsetEntry::LEN), ("timeindex", TimeEntry::LEN)] {
        let name = format!("{last:020}.{kind}");
        let mut bytes = rig.bytes(&name);
        bytes.resize(size * 1000, 0);
        std::fs::write(rig.path(&name), bytes).unwrap();
    }
    for known in [crashed(0), crashed(80), stopped(80)] {
        let (mut log, _) = rig.open(&small(), known);
        assert_eq!(read_from(&log.reader(), Offset(0), 99), content);
        let found = log.reader().offset_for_timestamp(Millis(1391), Offset(80)).unwrap().unwrap();
        assert_eq!(found.offset, Offset(79));
        log.append(
            &records::BatchHeader::parse(&Plan { epoch: 3, ..Plan::of(1, 1, 1) }.at(Offset(80))).unwrap(),
            Plan { epoch: 3, ..Plan::of(1, 1, 1) }.at(Offset(80)).first_chunk().unwrap(),
            &Plan { epoch: 3, ..Plan::of(1, 1, 1) }.at(Offset(80))[61..],
        )
        .unwrap();
        log.close().unwrap();
        assert_eq!(indexes(&rig), before, "one small batch more needs no entry");
        let name = log_name(last);
        let bytes = rig.bytes(&name);
        std::fs::write(rig.path(&name), &bytes[..bytes.len() - 69]).unwrap();
    }
}

#[test]
fn leader_epochs_are_learnt_from_the_batches() {
    let lines = b"0\n4\n0 0\n1 20\n2 40\n3 60\n";
    for (known, checkpoint) in [
        (CRASHED, Some(&b"0\n1\n0 0\n"[..])),
        (CRASHED, Some(b"")),
        (CRASHED, None),
        (stopped(80), None),
        (stopped(80), Some(b"garbage")),
        (stopped(80), Some(&[0xff, 0xfe])),
    ] {
        let rig = Rig::new();
        filled(&rig, &small());
        let path = rig.path("leader-epoch-checkpoint");
        assert_eq!(std::fs::read(&path).unwrap(), lines);
        match checkpoint {
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let (log, _) = rig.open(&small(), known);
        assert_eq!(std::fs::read(&path).unwrap(), lines);
        assert_eq!(log.reader().epoch_at(Offset(59)), Some(LeaderEpoch(2)));
    }
}

#[test]
fn a_log_that_ends_below_its_start_begins_anew() {
    for known in [crashed(80), stopped(80)] {
        let rig = Rig::new();
        let (_, bases) = filled(&rig, &small());
        let (log, opened) = rig.open(&small(), Known { log_start: Offset(100), ..known });
        assert_eq!(opened.dropped_segments.len(), bases.len());
        assert_eq!((log.log_start(), log.log_end()), (Offset(100), Offset(100)));
        assert_eq!(log.reader().segment_bases(), [Offset(100)]);
        assert_eq!(log.reader().latest_epoch(), None);
    }
}

#[test]
fn the_log_start_is_kept_within_the_first_segment() {
    let rig = Rig::new();
    filled(&rig, &small());
    let (log, _) = rig.open(&small(), Known { log_start: Offset(33), ..stopped(80) });
    assert_eq!((log.log_start(), log.log_end()), (Offset(33), Offset(80)));
    assert_eq!(log.reader().epoch_at(Offset(33)), Some(LeaderEpoch(1)));
    assert_eq!(log.reader().epoch_at(Offset(32)), None);
}

#[test]
fn leftovers_of_deletions_and_compactions_are_swept() {
    let rig = Rig::new();
    let (content, bases) = filled(&rig, &small());
    let (first, second) = (rig.bytes(&log_name(0)), rig.bytes(&log_name(bases[1])));
    for name in [
        "00000000000000000000.log.deleted",
        "00000000000000000000.snapshot.deleted",
        "00000000000000000099.index",
        "00000000000000000099.txnindex",
        "00000000000000000000.index.tmp",
        "00000000000000000050.log.cleaned",
        "00000000000000000050.index.cleaned",
        "00000000000000000060.log.swap",
    ] {
        std::fs::write(rig.path(name), b"x").unwrap();
    }
    // A finished compaction of the first two segments into one.
    std::fs::write(rig.path("00000000000000000000.log.swap"), [first, second].concat()).unwrap();
    for kind in ["index", "timeindex"] {
        std::fs::write(rig.path(&format!("00000000000000000000.{kind}.swap")), b"").unwrap();
    }
    for name in ["leader-epoch-checkpoint.tmp", "notes.txt", "00000000000000000080.snapshot"] {
        std::fs::write(rig.path(name), b"0\n0\n").unwrap();
    }
    let (log, opened) = rig.open(&small(), stopped(80));
    assert_eq!(opened.damage, []);
    assert_eq!(read_from(&log.reader(), Offset(0), 99), content);
    let kept: Vec<Offset> =
        bases.iter().enumerate().filter(|(at, _)| *at != 1).map(|(_, base)| Offset(*base)).collect();
    assert_eq!(log.reader().segment_bases(), kept);
    let others: Vec<String> =
        rig.names().into_iter().filter(|name| !name.ends_with(".log") && !name.ends_with("index")).collect();
    assert_eq!(
        others,
        [
            "00000000000000000080.snapshot",
            "leader-epoch-checkpoint",
            "leader-epoch-checkpoint.tmp",
            "notes.txt"
        ]
    );
    assert!(!rig.path("00000000000000000099.index").exists());
}

#[test]
fn messages_of_older_formats_are_refused_and_left_alone() {
    let rig = Rig::new();
    drop(rig.open(&LogConfig::default(), NEW));
    // Format v1, timestamp 7, no key, value "hi".
    let old = [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 24, 0xc5, 0x32, 0xce, 0xfc, 1, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0xff,
        0xff, 0xff, 0xff, 0, 0, 0, 2, b'h', b'i',
    ];
    std::fs::write(rig.path(&log_name(0)), old).unwrap();
    match rig.try_open(&LogConfig::default(), CRASHED) {
        Err(LogError::OldFormat { file, position: 0 }) => assert_eq!(file, rig.path(&log_name(0))),
        other => panic!("{other:?}"),
    }
    assert_eq!(rig.bytes(&log_name(0)), old);
}

#[test]
fn a_new_log_behind_garbage_alone_starts_over() {
    let rig = Rig::new();
    drop(rig.open(&LogConfig::default(), NEW));
    std::fs::write(rig.path(&log_name(0)), [7; 500]).unwrap();
    let (mut log, opened) = rig.open(&LogConfig::default(), CRASHED);
    assert_eq!((opened.truncated_bytes, log.log_end()), (500, Offset(0)));
    append(&mut log, Plan::of(1, 1, 1));
    assert_eq!(walked(&log.reader(), Offset(0)), [0]);
}
