//! Reads by offset and by timestamp, header walks, segment borders, bad indexes.

use base::{LeaderEpoch, Millis, Offset};
use log::index::OffsetEntry;
use log::{Found, Known, Log, LogConfig, LogError};
use records::{BatchHeader, Codec};

use crate::common::*;

/// Forty batches of two records over several segments, the records' timestamps 10 apart.
fn filled(rig: &Rig) -> Log {
    let (mut log, _) = rig.open(&small(), NEW);
    for at in 0..40 {
        write(&mut log, Plan::of(2, 30, 1000 + 10 * at)).unwrap();
    }
    assert!(log.reader().segment_bases().len() > 3);
    log
}

fn reopened(rig: &Rig, end: i64) -> Log {
    let (log, _) = rig.open(&small(), Known { recovery_point: Offset(end), ..NEW });
    log
}

/// Base and last offsets of the batches in what a read gave.
fn spans(log: &Log, from: i64, ceiling: i64, max_bytes: u32, at_least_one: bool) -> Vec<(i64, i64)> {
    let out = log.reader().read(Offset(from), Offset(ceiling), max_bytes, at_least_one).unwrap();
    let Some(range) = out.range else {
        assert_eq!(out.bytes, 0);
        return Vec::new();
    };
    assert_eq!(out.bytes, range.len);
    let bytes = range.read().unwrap();
    let mut rest = &bytes[..];
    let mut spans = Vec::new();
    while !rest.is_empty() {
        let header = BatchHeader::parse(rest).unwrap();
        spans.push((header.base_offset.0, header.last_offset().0));
        rest = &rest[header.size()..];
    }
    spans
}

#[test]
fn a_read_begins_with_the_batch_that_holds_the_offset() {
    let rig = Rig::new();
    for log in [filled(&rig), reopened(&rig, 80)] {
        for from in 0..80 {
            let spans = spans(&log, from, 80, 1, true);
            assert_eq!(spans, [(from / 2 * 2, from / 2 * 2 + 1)], "offset {from}");
        }
    }
}

#[test]
fn a_read_is_made_of_whole_batches_and_stays_in_its_segment() {
    let rig = Rig::new();
    let log = filled(&rig);
    let bases: Vec<i64> = log.reader().segment_bases().iter().map(|base| base.0).collect();
    let size = log.reader().read(Offset(0), Offset(80), 1, true).unwrap().bytes;
    for from in 0..80 {
        let first = from / 2 * 2;
        let segment_end = bases.iter().copied().find(|base| *base > from).unwrap_or(80);
        for batches in 0..20 {
            for (max_bytes, spare) in
                [(size * batches, 0), (size * batches + size - 1, 0), (size * batches, 1)]
            {
                let spans = spans(&log, from, 80, max_bytes, spare == 1);
                let wanted = if batches == 0 && spare == 1 { 1 } else { i64::from(batches) };
                let expected = (segment_end - first) / 2;
                assert_eq!(spans.len() as i64, wanted.min(expected), "from {from}, {max_bytes} bytes");
                assert!(spans.iter().enumerate().all(|(at, (base, _))| *base == first + 2 * at as i64));
            }
        }
    }
}

#[test]
fn nothing_at_the_ceiling_or_above_is_read() {
    let rig = Rig::new();
    let log = filled(&rig);
    for ceiling in 0..=80 {
        let mut next = 0;
        while next < ceiling {
            let spans = spans(&log, next, ceiling, u32::MAX, true);
            let Some((_, last)) = spans.last() else { break };
            next = last + 1;
        }
        assert_eq!(next, ceiling / 2 * 2, "a batch that reaches the ceiling is above it");
    }
    assert_eq!(spans(&log, 80, 1000, u32::MAX, true), []);
    assert_eq!(spans(&log, 10, 5, u32::MAX, true), []);
}

#[test]
fn what_is_outside_the_log_is_refused() {
    let rig = Rig::new();
    let mut log = filled(&rig);
    log.delete_records_before(Offset(5));
    for from in [-1, 4, 81, i64::MAX] {
        match log.reader().read(Offset(from), Offset(80), 100, true) {
            Err(LogError::OutOfRange { from: said, log_start: Offset(5), log_end: Offset(80), .. }) => {
                assert_eq!(said, Offset(from));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(spans(&log, 5, 80, 1, true), [(4, 5)], "the batch is served whole");
}

#[test]
fn headers_are_walked_from_the_batch_that_holds_the_offset() {
    let rig = Rig::new();
    for log in [filled(&rig), reopened(&rig, 80)] {
        for from in 0..=80 {
            let bases: Vec<i64> = (from / 2..40).map(|at| at * 2).collect();
            assert_eq!(walked(&log.reader(), Offset(from)), bases, "from {from}");
        }
        let first = log.reader().headers(Offset(0)).next().unwrap().unwrap();
        let bytes = first.at.read().unwrap();
        assert_eq!(BatchHeader::parse(&bytes), Ok(first.header));
        assert!(first.appended_before > Millis(1_600_000_000_000), "the file's own time");
    }
}

#[test]
fn a_walk_reads_small_and_large_batches_alike() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&LogConfig::default(), NEW);
    let mut bases = Vec::new();
    for at in 0..120 {
        let value = [0, 10, 300, 5_000, 70_000, 300_000][at % 6];
        bases.push(append(&mut log, Plan::of(1 + (at % 3) as i32, value, 1)).base_offset.0);
    }
    assert_eq!(walked(&log.reader(), Offset(0)), bases);
    for (at, base) in bases.iter().enumerate() {
        assert_eq!(walked(&log.reader(), Offset(*base)), bases[at..], "from {base}");
    }
}

#[test]
fn a_reader_sees_whole_batches_while_the_writer_appends() {
    let rig = Rig::new();
    let config = LogConfig { segment_bytes: 20_000, index_interval_bytes: 300, ..LogConfig::default() };
    let (mut log, _) = rig.open(&config, NEW);
    let reader = log.reader();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut next = Offset(0);
                    while next < Offset(6000) {
                        let ceiling = reader.log_end();
                        let out = reader.read(next, ceiling, 3000, true).unwrap();
                        let Some(range) = out.range else { continue };
                        let bytes = range.read().unwrap();
                        let mut rest = &bytes[..];
                        while !rest.is_empty() {
                            let header = BatchHeader::parse(rest).unwrap();
                            assert_eq!(header.base_offset, next);
                            assert!(records::crc_is_valid(&rest[..header.size()]));
                            next = header.next_offset();
                            assert!(next <= ceiling);
                            rest = &rest[header.size()..];
                        }
                    }
                })
            })
            .collect();
        for at in 0..2000 {
            write(&mut log, Plan::of(3, at % 90, at as i64)).unwrap();
        }
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

fn found(offset: i64, timestamp: i64) -> Option<Found> {
    Some(Found { offset: Offset(offset), timestamp: Millis(timestamp), leader_epoch: LeaderEpoch(0) })
}

#[test]
fn the_first_record_since_a_timestamp_is_found() {
    let rig = Rig::new();
    for log in [filled(&rig), reopened(&rig, 80)] {
        let reader = log.reader();
        let ask = |timestamp| reader.offset_for_timestamp(Millis(timestamp), Offset(80)).unwrap();
        for at in 0..40 {
            let (base, time) = (2 * at, 1000 + 10 * at);
            assert_eq!(ask(time), found(base, time));
            assert_eq!(ask(time + 1), found(base + 1, time + 1), "within the batch");
            assert_eq!(ask(time - 1), if at == 0 { found(0, 1000) } else { found(base, time) });
        }
        assert_eq!(ask(0), found(0, 1000));
        assert_eq!(ask(1392), None);
        assert_eq!(reader.offset_for_timestamp(Millis(1100), Offset(20)).unwrap(), None, "above the ceiling");
        assert_eq!(reader.offset_for_timestamp(Millis(1100), Offset(21)).unwrap(), found(20, 1100));
        assert_eq!(reader.offset_of_max_timestamp(Offset(80)).unwrap(), found(79, 1391));
        assert_eq!(reader.offset_of_max_timestamp(Offset(79)).unwrap(), None);
    }
}

#[test]
fn timestamps_need_not_ascend() {
    let rig = Rig::new();
    let config = LogConfig { index_interval_bytes: 100, segment_bytes: 700, ..LogConfig::default() };
    let (mut log, _) = rig.open(&config, NEW);
    let times = [500, 300, -1, 900, 100, 900, -1, 700, 950, 20, 950, 40, -1, 5];
    let mut starts = Vec::new();
    for time in times {
        starts.push((write(&mut log, Plan::of(2, 20, time)).unwrap().base_offset.0, time));
    }
    let reader = log.reader();
    for asked in 0..960 {
        let expected = starts
            .iter()
            .filter(|(_, time)| *time >= 0)
            .flat_map(|(base, time)| [(*base, *time), (base + 1, time + 1)])
            .find(|(_, time)| *time >= asked);
        let answer = reader.offset_for_timestamp(Millis(asked), log.log_end()).unwrap();
        assert_eq!(answer.map(|found| (found.offset.0, found.timestamp.0)), expected, "since {asked}");
    }
    let largest = reader.offset_of_max_timestamp(log.log_end()).unwrap().unwrap();
    assert_eq!((largest.offset.0, largest.timestamp.0), (17, 951), "the first of those with the largest");
}

#[test]
fn records_below_the_log_start_are_not_found() {
    let rig = Rig::new();
    let mut log = filled(&rig);
    log.delete_records_before(Offset(31));
    let reader = log.reader();
    assert_eq!(reader.offset_for_timestamp(Millis(0), Offset(80)).unwrap(), found(31, 1151));
    assert_eq!(reader.offset_for_timestamp(Millis(1151), Offset(80)).unwrap(), found(31, 1151));
    assert_eq!(reader.offset_for_timestamp(Millis(1152), Offset(80)).unwrap(), found(32, 1160));
}

#[test]
fn timestamps_are_found_in_compressed_and_log_append_time_batches() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&LogConfig::default(), NEW);
    for (at, codec) in Codec::ALL.into_iter().enumerate() {
        append(&mut log, Plan { codec, ..Plan::of(3, 100, 1000 * (at as i64 + 1)) });
    }
    append(&mut log, Plan { append_time: Some(9000), ..Plan::of(3, 100, 1) });
    let reader = log.reader();
    for at in 0..5 {
        let time = 1000 * (at + 1) + 2;
        assert_eq!(reader.offset_for_timestamp(Millis(time), Offset(18)).unwrap(), found(3 * at + 2, time));
    }
    assert_eq!(reader.offset_for_timestamp(Millis(6000), Offset(18)).unwrap(), found(15, 9000));
    assert_eq!(reader.offset_of_max_timestamp(Offset(18)).unwrap(), found(15, 9000));
}

#[test]
fn a_log_without_timestamps_finds_nothing() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&small(), NEW);
    assert_eq!(log.reader().offset_of_max_timestamp(Offset(9)).unwrap(), None);
    for _ in 0..40 {
        write(&mut log, Plan::of(1, 100, -1)).unwrap();
    }
    log.close().unwrap();
    let log = reopened(&rig, 40);
    assert_eq!(log.reader().offset_for_timestamp(Millis(0), Offset(40)).unwrap(), None);
    assert_eq!(log.reader().offset_of_max_timestamp(Offset(40)).unwrap(), None);
}

#[test]
fn a_bad_index_is_rebuilt_when_a_lookup_lands_on_the_wrong_batch() {
    let garbage: Vec<u8> = (0..240_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let zeros = vec![0; 240];
    // Every entry but the last points at the batch behind its own.
    let behind = |bytes: &[u8]| -> Vec<u8> {
        let mut entries: Vec<OffsetEntry> = OffsetEntry::all(bytes).collect();
        let (_, others) = entries.split_last_mut().unwrap();
        others.iter_mut().for_each(|entry| entry.position += 135);
        entries.iter().flat_map(OffsetEntry::encode).collect()
    };
    // Every entry points one byte beside its batch, or names a timestamp that the batch does not have.
    let beside = |bytes: &[u8], entry: usize| -> Vec<u8> {
        bytes.chunks(entry).flat_map(|entry| [&entry[..7], &[entry[7] ^ 1], &entry[8..]].concat()).collect()
    };
    for name in ["00000000000000000000.index", "00000000000000000000.timeindex"] {
        for damage in 0..5 {
            let rig = Rig::new();
            let mut log = filled(&rig);
            log.close().unwrap();
            let (expected, sound) = (read_from(&log.reader(), Offset(0), 500), rig.bytes(name));
            drop(log);
            let bad = match damage {
                0 => garbage.clone(),
                1 => zeros.clone(),
                2 => Vec::new(),
                3 if name.ends_with("0.index") => behind(&sound),
                _ => beside(&sound, if name.contains("time") { 12 } else { 8 }),
            };
            std::fs::write(rig.path(name), &bad).unwrap();
            let log = reopened(&rig, 80);
            assert_eq!(read_from(&log.reader(), Offset(0), 500), expected, "{name}, damage {damage}");
            for from in (0..80).rev() {
                assert_eq!(spans(&log, from, 80, 1, true), [(from / 2 * 2, from / 2 * 2 + 1)]);
            }
            for at in (0..40).rev() {
                let time = 1000 + 10 * at;
                let answer = log.reader().offset_for_timestamp(Millis(time), Offset(80)).unwrap();
                assert_eq!(answer, found(2 * at, time), "{name}, damage {damage}");
            }
            // A lookup in the garbage or the zeros of a small `.index` may find nothing, and walk from the start.
            if damage >= 3 || name.contains("time") {
                assert_eq!(rig.bytes(name), sound, "{name}, damage {damage}");
            }
        }
    }
}

#[test]
fn an_empty_index_of_a_large_segment_is_rebuilt() {
    let rig = Rig::new();
    let config = LogConfig { segment_bytes: 4 << 20, ..LogConfig::default() };
    let (mut log, _) = rig.open(&config, NEW);
    for _ in 0..6000 {
        write(&mut log, Plan::of(1, 1000, 5)).unwrap();
    }
    log.close().unwrap();
    drop(log);
    let name = "00000000000000000000.index";
    let sound = rig.bytes(name);
    assert!(sound.len() > 4000);
    std::fs::write(rig.path(name), b"").unwrap();
    let (log, opened) = rig.open(&config, Known { recovery_point: Offset(6000), ..NEW });
    assert_eq!(opened.rebuilt_indexes, [], "a clean start does not look");
    assert_eq!(spans(&log, 3000, 6000, 1, true), [(3000, 3000)]);
    assert_eq!(rig.bytes(name), sound);
}

#[test]
fn damage_is_met_once_and_the_rest_is_served() {
    let rig = Rig::new();
    let mut log = filled(&rig);
    log.close().unwrap();
    let reader = log.reader();
    let at = |offset: i64| reader.read(Offset(offset), Offset(80), 1, true).unwrap().range.unwrap();
    // The batches at 10 and 12 lose their headers, in a segment that a clean start does not read.
    let (from, to) = (at(10).position, at(14).position);
    drop(log);
    let name = "00000000000000000000.log";
    let mut bytes = rig.bytes(name);
    bytes[from as usize..to as usize].fill(0xee);
    std::fs::write(rig.path(name), &bytes).unwrap();
    let log = reopened(&rig, 80);
    for offset in 0..80 {
        let out = log.reader().read(Offset(offset), Offset(80), u32::MAX, true);
        if (10..14).contains(&offset) {
            match out {
                Err(LogError::Damaged { position, .. }) => assert_eq!(position, from),
                other => panic!("{offset}: {other:?}"),
            }
        } else {
            let spans = spans(&log, offset, 80, 1, true);
            assert_eq!(spans, [(offset / 2 * 2, offset / 2 * 2 + 1)]);
        }
    }
    assert_eq!(spans(&log, 4, 80, u32::MAX, true), [(4, 5), (6, 7), (8, 9)], "a read ends at the damage");
    let bases: Vec<i64> = (0..5).chain(7..40).map(|at| 2 * at).collect();
    assert_eq!(walked(&log.reader(), Offset(0)), bases, "a walk steps over it");
    let since = |time| log.reader().offset_for_timestamp(Millis(time), Offset(80)).unwrap();
    assert_eq!(since(1050), found(14, 1070));
    assert_eq!(rig.bytes(name), bytes, "nothing was changed");
}

#[test]
fn only_so_many_sealed_segments_have_their_files_open() {
    let rig = Rig::new();
    let (mut log, _) = rig.open(&LogConfig { segment_bytes: 100, ..small() }, NEW);
    for at in 0..100 {
        write(&mut log, Plan::of(1, 20, at)).unwrap();
        if at % 30 == 0 {
            flush(&mut log);
        }
    }
    let open = || {
        let dir = rig.dir.canonicalize().unwrap();
        let fds = std::fs::read_dir("/proc/self/fd").unwrap();
        fds.filter(|fd| {
            let target = std::fs::read_link(fd.as_ref().unwrap().path());
            target.is_ok_and(|target| target.starts_with(&dir))
        })
        .count()
    };
    if !std::path::Path::new("/proc/self/fd").exists() {
        return;
    }
    assert_eq!(log.reader().segment_bases().len(), 100);
    assert!(open() <= 3 * 9, "{} files are open", open());
    for _ in 0..2 {
        assert_eq!(walked(&log.reader(), Offset(0)).len(), 100);
        assert_eq!(
            log.reader().offset_for_timestamp(Millis(99), Offset(100)).unwrap().unwrap().offset,
            Offset(99)
        );
        assert!(open() <= 3 * 9, "{} files are open", open());
    }
}
