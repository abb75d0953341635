//! The end-to-end benchmarks: `cargo xtask bench [NAME...]` runs them against the release binary, each beside its
//! yardstick in the same run, and prints a table for `docs/benchmarks.md`.
#![expect(clippy::print_stdout, reason = "what it measures goes to stdout")]

mod bare;
mod consume;
mod durability;
mod groups;
mod growth;
mod process;
mod produce;
mod round_trip;
mod start;
mod yardstick;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use testkit::broker::Launch;

use crate::produce::{Load, Target};

/// Each is run this often; the median counts.
const RUNS: usize = 5;

/// Measures the binary at a path, and prints its rows.
type Bench = fn(&Path);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let binary = PathBuf::from(arguments.next().expect("usage: bench PATH-OF-OTTLA [NAME...]"));
    let chosen: Vec<String> = arguments.collect();
    println!("| what | Ottla | yardstick | ratio |\n| --- | --- | --- | --- |");
    let all: [(&str, Bench); 8] = [
        ("start", starting),
        ("round-trip", round_trips),
        ("produce", producing),
        ("consume", consuming),
        ("recovery", recovering),
        ("durability", durability),
        ("growth", growing),
        ("groups", groups::run),
    ];
    for (name, bench) in all {
        if chosen.is_empty() || chosen.iter().any(|wanted| wanted == name) {
            bench(&binary);
        }
    }
}

fn starting(binary: &Path) {
    let mut times: Vec<Duration> = (0..RUNS).map(|_| start::to_first_answer(&Launch::of(binary)).0).collect();
    row("empty directory to first answer", &ms(median(&mut times)), "", "");

    let launch = Launch::of(binary);
    let (_, broker) = start::to_first_answer(&launch);
    row("resident, idle", &mb(process::resident(broker.pid())), "", "");
    let resident = start::resident_with_connections(&broker, 1000);
    row("resident, 1,000 idle connections", &mb(resident), "", "");
    start::create_topic(&broker, "many", 1000);
    let broker = broker.restart();
    row("resident, 1,000 partitions", &mb(process::resident(broker.pid())), "", "");
    assert!(broker.stop().success());
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let (time, broker) = start::to_first_answer(&launch);
            assert!(broker.stop().success());
            time
        })
        .collect();
    row("clean start with 1,000 partitions", &ms(median(&mut times)), "", "");
}

fn round_trips(binary: &Path) {
    const ROUNDS: usize = 20_000;
    let broker = Launch::of(binary).start();
    start::create_topic(&broker, "round-trip", 1);
    let (times, sizes) = round_trip::run(&mut broker.connect(), "round-trip", ROUNDS, 100);
    let echo = yardstick::echo(ROUNDS, sizes.request, sizes.answer).expect("loopback works");
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
        let (ours, bare) = (percentile(&times, share), percentile(&echo, share));
        let over = format!("+{}", us(ours.saturating_sub(bare)));
        row(&format!("one-record round trip, {name} (TCP echo)"), &us(ours), &us(bare), &over);
    }
}

fn producing(binary: &Path) {
    for load in
        [Load { message_bytes: 100, messages: 2_000_000 }, Load { message_bytes: 1000, messages: 500_000 }]
    {
        let (mut ours, mut mock, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        let mut cpu = Duration::ZERO;
        for _ in 0..RUNS {
            let broker = Launch::of(binary).start();
            let before = process::cpu(broker.pid());
            ours.push(produce::run(&Target::Server(broker.address().to_string()), "bench", load));
            cpu += process::cpu(broker.pid()) - before;
            mock.push(produce::run(&Target::Mock, "bench", load));
            let directory = tempfile::tempdir().expect("a temporary directory");
            let address = bare::start("bench", &directory.path().join("bare.log")).expect("loopback works");
            bare.push(produce::run(&Target::Server(address.to_string()), "bench", load));
        }
        let bytes = (load.message_bytes * load.messages) as f64;
        let rate = |times: &mut [Duration]| bytes / median(times).as_secs_f64() / 1e6;
        let (ours, mock, bare) = (rate(&mut ours), rate(&mut mock), rate(&mut bare));
        let what = format!("produce {} B, idempotent, acks=all", load.message_bytes);
        row(&format!("{what} (librdkafka's mock)"), &mbs(ours), &mbs(mock), &percent(ours / mock));
        row(&format!("{what} (bare receiver)"), &mbs(ours), &mbs(bare), &percent(ours / bare));
        let per_gb = cpu.as_secs_f64() / RUNS as f64 / bytes * 1e9;
        row(&format!("{what}: broker CPU per GB"), &format!("{per_gb:.2} s"), "", "");
    }
}

fn consuming(binary: &Path) {
    for load in
        [Load { message_bytes: 100, messages: 4_000_000 }, Load { message_bytes: 1000, messages: 1_000_000 }]
    {
        let broker = Launch::of(binary).start();
        let address = broker.address().to_string();
        produce::run(&Target::Server(address.clone()), "bench", load);
        let segment = broker.data_dir().join("bench-0/00000000000000000000.log");
        let file = File::open(segment).expect("the topic's first segment");
        let log_bytes = file.metadata().expect("a file has a size").len() as f64;
        let (mut rates, mut cpus, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let before = process::cpu(broker.pid());
            let (time, bytes) = consume::run(&address, "bench", load.messages);
            cpus.push(process::cpu(broker.pid()) - before);
            rates.push(Duration::from_secs_f64(time.as_secs_f64() / bytes as f64 * 1e6));
            bare.push(yardstick::sendfile(&file, 1 << 20).expect("loopback works"));
        }
        let what = format!("consume {} B from the page cache", load.message_bytes);
        row(&what, &mbs(1.0 / median(&mut rates).as_secs_f64()), "", "");
        let per_gb = |times: &mut [Duration]| median(times).as_secs_f64() / log_bytes * 1e9;
        let (ours, bare) = (per_gb(&mut cpus), per_gb(&mut bare));
        let ratio = format!("{:.2}", ours / bare);
        row(
            &format!("{what}: CPU per GB (sendfile loop)"),
            &format!("{ours:.3} s"),
            &format!("{bare:.3} s"),
            &ratio,
        );
    }
}

fn recovering(binary: &Path) {
    let load = Load { message_bytes: 1000, messages: 1_500_000 };
    let mut times = Vec::new();
    let mut bytes = 0;
    for _ in 0..RUNS {
        // Each on a log of its own: what was recovered once lies below the recovery point.
        let launch = Launch::of(binary);
        let broker = launch.start();
        produce::run(&Target::Server(broker.address().to_string()), "bench", load);
        bytes = start::log_bytes(launch.path());
        // A recovery warns of what it finds; here only its time counts.
        let (time, _broker) = start::to_first_answer(&broker.kill().asked_for(""));
        times.push(time);
    }
    let time = median(&mut times);
    let rate = bytes as f64 / time.as_secs_f64() / 1e9;
    let what = format!("recovery after kill -9, {:.1} GB of log", bytes as f64 / 1e9);
    row(&what, &format!("{} ({rate:.1} GB/s)", ms(time)), "", "");
}

fn durability(binary: &Path) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let jars = std::env::var("KAFKA_LIBS");
    if jars.is_err() {
        println!("Apache Kafka is left out: set KAFKA_LIBS to the directory of its jars");
    }
    // On the same file system as the yardstick's file, and Kafka's.
    let data = directory.path().join("ottla");
    let broker = Launch::of(binary).data_dir(data).set("log.flush.interval.messages", "1").start();
    let kafka = jars.ok().map(|jars| durability::Kafka::start(&jars));
    for (producers, partitions) in [(1, 1), (32, 1), (32, 8)] {
        let (mut disk, mut ours, mut kafkas) = (Vec::new(), Vec::new(), Vec::new());
        for run in 0..3 {
            let topic = format!("acks-{producers}-{partitions}-{run}");
            disk.push(durability::disk_rate(directory.path()));
            ours.push(durability::acks(broker.address(), &topic, producers, partitions));
            if let Some(kafka) = &kafka {
                kafkas.push(durability::acks(kafka.address, &topic, producers, partitions));
            }
        }
        let middle = |rates: &mut Vec<f64>| {
            rates.sort_by(f64::total_cmp);
            rates.get(rates.len() / 2).copied()
        };
        let (disk, ours) = (middle(&mut disk).unwrap_or(0.0), middle(&mut ours).unwrap_or(0.0));
        let what = format!("acks a second, each flushed, {producers} producers on {partitions} partitions");
        let rate = |rate: f64| format!("{rate:.0}/s");
        row(&format!("{what} (fdatasync by one thread)"), &rate(ours), &rate(disk), &percent(ours / disk));
        if let Some(kafkas) = middle(&mut kafkas) {
            let times = format!("{:.1}", ours / kafkas);
            row(&format!("{what} (Apache Kafka)"), &rate(ours), &rate(kafkas), &times);
        }
    }
}

fn growing(binary: &Path) {
    [1_000, 10_000].iter().for_each(|partitions| growth::partitions(binary, *partitions));
    [100, 1_000].iter().for_each(|segments| growth::segments(*segments));
    [100_000, 1_000_000].iter().for_each(|producers| growth::producers(*producers));
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn percentile(sorted: &[Duration], share: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

fn row(what: &str, ours: &str, yardstick: &str, ratio: &str) {
    println!("| {what} | {ours} | {yardstick} | {ratio} |");
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn us(time: Duration) -> String {
    format!("{:.0} us", time.as_secs_f64() * 1e6)
}

fn mb(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn mbs(rate: f64) -> String {
    format!("{rate:.0} MB/s")
}

fn percent(ratio: f64) -> String {
    format!("{:.0} %", ratio * 100.0)
}
