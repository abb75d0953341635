//! What grows with partitions, segments and producers, at a tenth and at all of a size, so that a step that grows shows.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::{LeaderEpoch, Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use disk::RealDisk;
use log::{Commons, Known, LogConfig};
use partition::{Flusher, Isolation, Partition, PartitionConfig};
use records::{BatchBuilder, BatchRules, CheckedBatch, NewRecord};
use testkit::broker::{Broker, Launch};
use testkit::raw::{batch, produce};
use wire::messages::metadata::MetadataRequest;

use crate::{median, ms, process, row, start, us};

/// `partitions` partitions with a record each, in the broker.
pub(crate) fn partitions(binary: &Path, partitions: i32) {
    let launch = Launch::of(binary);
    let broker = launch.start();
    start::create_topic(&broker, "many", partitions);
    let started = Instant::now();
    let mut client = broker.connect();
    for partition in 0..partitions {
        let answer = client.call(&produce("many", partition, batch((-1, -1, -1), &[&[b'x'; 100]])), 12);
        assert_eq!(answer.expect("an answer").responses[0].partition_responses[0].error_code, 0);
    }
    let what = |what: &str| format!("{partitions} partitions: {what}");
    row(&what("a first record into each, for one"), &us(started.elapsed() / partitions as u32), "", "");
    row(&what("resident, all in use"), &mb(process::resident(broker.pid())), "", "");
    row(&what("open files"), &process::open_files(broker.pid()).to_string(), "", "");
    let mut times = metadata(&broker);
    row(&what("Metadata of them all"), &ms(median(&mut times)), "", "");
    let before = process::cpu(broker.pid());
    std::thread::sleep(Duration::from_secs(10));
    let upkeep = (process::cpu(broker.pid()) - before) / 10;
    row(&what("upkeep, CPU per second"), &ms(upkeep), "", "");
    let started = Instant::now();
    assert!(broker.stop().success());
    row(&what("clean stop"), &ms(started.elapsed()), "", "");
    let (time, broker) = start::to_first_answer(&launch);
    row(&what("start after a clean stop"), &ms(time), "", "");
    row(&what("resident then"), &mb(process::resident(broker.pid())), "", "");
    let (time, broker) = start::to_first_answer(&broker.kill().asked_for(""));
    row(&what("start after a kill"), &ms(time), "", "");
    row(&what("resident then, all opened"), &mb(process::resident(broker.pid())), "", "");
}

fn metadata(broker: &Broker) -> Vec<Duration> {
    let mut client = broker.connect();
    let ask = |_| {
        let started = Instant::now();
        client.call(&MetadataRequest { topics: None, ..Default::default() }, 12).expect("an answer");
        started.elapsed()
    };
    (0..5).map(ask).collect()
}

/// `segments` segments of 100 kB in one partition.
pub(crate) fn segments(segments: usize) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let log = LogConfig { segment_bytes: 100_000, ..LogConfig::default() };
    let config = PartitionConfig { log, ..PartitionConfig::default() };
    let (partition, _) = open(folder.path(), &config, &NEW);
    let mut appends = Vec::new();
    let mut time = 0;
    while partition.log().segment_bases().len() < segments {
        let batch = checked(-1, -1, Millis(time), 900);
        time += 1;
        let started = Instant::now();
        partition.append(&batch, Millis(time)).expect("the batch is appended");
        appends.push(started.elapsed());
    }
    let what = |what: &str| format!("{segments} segments: {what}");
    latencies(&what("append, with its rolls"), &mut appends);
    partition.flush().expect("a flush succeeds");
    let end = partition.marks().log_end.0;
    let mut fetches = Vec::new();
    let mut lookups = Vec::new();
    let mut at: i64 = 1;
    for _ in 0..20_000 {
        at = (at * 6_364_136_223 + 1_442_695) % end;
        let started = Instant::now();
        let read = partition.read(Offset(at), 1000, true, Isolation::ReadUncommitted).expect("it is there");
        fetches.push(started.elapsed());
        assert_eq!(read.ranges.len(), 1);
    }
    latencies(&what("fetch at a random offset"), &mut fetches);
    for _ in 0..500 {
        at = (at * 6_364_136_223 + 1_442_695) % end;
        let started = Instant::now();
        let found = partition.offset_for_timestamp(Millis(at), Isolation::ReadUncommitted);
        lookups.push(started.elapsed());
        assert_eq!(found.expect("it is there").expect("it is there").offset, Offset(at));
    }
    latencies(&what("offset by time"), &mut lookups);
    let marks = partition.marks();
    drop(partition);
    let known = Known { clean: false, recovery_point: marks.flushed, log_start: Offset(0) };
    let (partition, time) = open(folder.path(), &config, &known);
    row(&what("open after a kill"), &ms(time), "", "");
    partition.close(Millis(time.as_millis() as i64)).expect("the stop is clean");
    drop(partition);
    let (_partition, time) = open(folder.path(), &config, &Known { clean: true, ..known });
    row(&what("open after a clean stop"), &ms(time), "", "");
}

/// `producers` producers on one partition, which rolls while they write.
pub(crate) fn producers(producers: i64) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut config = PartitionConfig::default();
    let (partition, _) = open(folder.path(), &config, &NEW);
    let me = std::process::id();
    let before = process::resident(me);
    let what = |what: &str| format!("{producers} producers: {what}");
    let mut appends = Vec::with_capacity(producers as usize);
    for sequence in 0..5 {
        for producer in 0..producers {
            let batch = checked(producer, sequence, Millis(1), 1);
            let started = Instant::now();
            partition.append(&batch, Millis(1)).expect("the batch is appended");
            if sequence == 0 {
                appends.push(started.elapsed());
            }
        }
    }
    latencies(&what("first append of each"), &mut appends);
    let memory = process::resident(me).saturating_sub(before) / producers as u64;
    row(&what("memory of each, five batches"), &format!("{memory} B"), "300 B", "");
    // From now on it rolls every 4 MB, so that snapshots are always being written.
    config.log.segment_bytes = 4_000_000;
    partition.set_config(config.clone());
    let mut appends = Vec::new();
    let mut producer: i64 = 1;
    let mut next = vec![5; producers as usize];
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(10) {
        producer = (producer * 6_364_136_223 + 1_442_695) % producers;
        let sequence = &mut next[producer as usize];
        let batch = checked(producer, *sequence, Millis(1), 100);
        *sequence += 1;
        let started = Instant::now();
        partition.append(&batch, Millis(1)).expect("the batch is appended");
        appends.push(started.elapsed());
    }
    let rolls = partition.log().segment_bases().len() - 1;
    latencies(&what(&format!("append while {rolls} snapshots are due")), &mut appends);
    partition.flush().expect("a flush succeeds");
    let marks = partition.marks();
    let known = Known { clean: true, recovery_point: marks.flushed, log_start: Offset(0) };
    let started = Instant::now();
    partition.close(Millis(2)).expect("the stop is clean");
    row(&what("clean stop"), &ms(started.elapsed()), "", "");
    drop(partition);
    let (_partition, time) = open(folder.path(), &config, &known);
    row(&what("open after a clean stop"), &ms(time), "", "");
}

const NEW: Known = Known { clean: true, recovery_point: Offset(0), log_start: Offset(0) };

fn open(folder: &Path, config: &PartitionConfig, known: &Known) -> (Arc<Partition>, Duration) {
    let started = Instant::now();
    let opened = Partition::open(
        Arc::new(RealDisk::new()),
        Flusher::start(2, Arc::new(Commons::new(10_000))),
        &folder.join("t-0"),
        config.clone(),
        *known,
        LeaderEpoch(0),
        Millis(1),
    );
    (opened.expect("the partition opens").0, started.elapsed())
}

/// A batch of one record; without a producer if that is -1.
fn checked(producer: i64, sequence: i32, time: Millis, value: usize) -> CheckedBatch {
    let epoch = if producer < 0 { -1 } else { 0 };
    let mut builder = BatchBuilder::new(Offset::ZERO).producer(
        ProducerId(producer),
        ProducerEpoch(epoch),
        Sequence(sequence),
    );
    let value = vec![b'v'; value];
    builder.push(&NewRecord { timestamp: time, value: Some(&value), ..NewRecord::default() });
    records::check(&builder.build(), 9, &BatchRules::default(), time).expect("the batch keeps the rules")
}

fn latencies(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |share: f64| us(crate::percentile(times, share));
    let largest = times.last().expect("something was measured");
    row(
        &format!("{what}, p50 / p99 / most"),
        &format!("{} / {} / {}", at(0.5), at(0.99), us(*largest)),
        "",
        "",
    );
}

fn mb(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
