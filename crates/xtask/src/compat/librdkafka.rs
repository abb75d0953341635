//! librdkafka's own tests, against the built broker: built from the source in the crate rdkafka-sys, below the target
//! directory, and run one by one.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use super::broker::ottla;
use super::{Case, Judged, Trouble};
use crate::command::can_run;

/// The Kafka that the tests are told they talk to.
const KAFKA: &str = "4.1.0";

/// What the tests are told to run: a test, and the parts of it that can be run. No part is named: all of it.
///
/// Not listed: tests that need no broker or librdkafka's own mock of one, transactions, TLS, SASL, or a second broker; of
/// 0081 the access rules and SCRAM users, which need an authorizer; and 0077, whose `segment.bytes` Kafka 4 refuses too.
const TESTS: &[(&str, &[&str])] = &[
    ("0002_unkpart", &[]),
    ("0003_msgmaxsize", &[]),
    ("0005_order", &[]),
    ("0007_autotopic", &[]),
    ("0008_reqacks", &[]),
    ("0011_produce_batch", &[]),
    ("0012_produce_consume", &[]),
    ("0013_null_msgs", &[]),
    ("0014_reconsume_191", &[]),
    ("0015_offsets_seek", &[]),
    ("0017_compression", &[]),
    ("0018_cgrp_term", &[]),
    ("0019_list_groups", &[]),
    ("0022_consume_batch", &[]),
    ("0026_consume_pause", &[]),
    ("0028_long_topicnames", &[]),
    ("0029_assign_offset", &[]),
    ("0030_offset_commit", &[]),
    ("0031_get_offsets", &[]),
    ("0033_regex_subscribe", &[]),
    ("0034_offset_reset", &[]),
    ("0036_partial_fetch", &[]),
    ("0039_event", &[]),
    ("0041_fetch_max_bytes", &[]),
    ("0042_many_topics", &[]),
    ("0044_partition_cnt", &[]),
    ("0052_msg_timestamps", &[]),
    ("0057_invalid_topic", &[]),
    ("0080_admin_ut", &[]),
    (
        "0081_admin",
        &[
            "do_test_unclean_destroy",
            "do_test_CreateTopics",
            "do_test_DeleteTopics",
            "do_test_CreatePartitions",
            "do_test_AlterConfigs",
            "do_test_IncrementalAlterConfigs",
            "do_test_DescribeConfigs",
            "do_test_DeleteRecords",
            "do_test_ListConsumerGroups",
            "do_test_DescribeConsumerGroups",
            "do_test_DescribeTopics",
            "do_test_DescribeCluster",
            "do_test_DeleteGroups",
            "do_test_DeleteConsumerGroupOffsets",
            "do_test_ListOffsets",
            "do_test_AlterConsumerGroupOffsets",
            "do_test_ListConsumerGroupOffsets",
        ],
    ),
    ("0107_topic_recreate", &[]),
    ("0121_clusterid", &[]),
    ("0140_commit_metadata", &[]),
];

pub(super) fn judge(case: &Case<'_>) -> Result<Judged, Trouble> {
    for (program, word) in [("make", "--version"), ("cc", "--version"), ("c++", "--version")] {
        if !can_run(program, &[word]) {
            return Err(Trouble::Missing(format!("needs {program}")));
        }
    }
    let (source, version) = case.crate_source("rdkafka-sys")?;
    built(case, &source.join("librdkafka"))?;
    tools(&ottla(case.workspace)?, &case.place)
        .map_err(|why| Trouble::Failed(format!("kafka-topics.sh cannot be laid out: {why}")))?;
    // What the tests expect of a broker: several partitions for topics made on the way, and no time lost in groups.
    let broker = case.broker(&[("num.partitions", "4"), ("group.initial.rebalance.delay.ms", "0")])?;
    // The version of the crate is its own and, after a plus sign, librdkafka's.
    let mut judged = Judged::of(version.split_once('+').map_or(version.as_str(), |(_, theirs)| theirs));
    for (test, parts) in TESTS.iter().filter(|(test, _)| case.wants(test)) {
        let parts = if parts.is_empty() { &[""][..] } else { parts };
        for part in parts {
            let start = Instant::now();
            let good = run_one(case, &broker.address, test, part);
            judged.count(format!("{test} {part}").trim_end(), good, start);
        }
    }
    println!("what they said is in {}", case.place.join("said").display());
    Ok(judged)
}

/// Builds the program that runs the tests, unless it is there.
fn built(case: &Case<'_>, source: &Path) -> Result<(), Trouble> {
    let place = &case.place;
    let failed = |what: &Path, why: io::Error| Trouble::Failed(format!("{}: {why}", what.display()));
    let mark = place.join("built-from.txt");
    let from = source.display().to_string();
    if fs::read_to_string(&mark).is_ok_and(|there| there == from) {
        return Ok(());
    }
    let tree = place.join("tree");
    let _was_there = fs::remove_dir_all(&tree);
    fs::create_dir_all(&tree).map_err(|why| failed(&tree, why))?;
    let jobs = format!("-j{}", thread::available_parallelism().map_or(1, std::num::NonZero::get));
    let tree_text = tree.display().to_string();
    let without =
        "--disable-ssl --disable-gssapi --disable-curl --disable-zstd --disable-lz4-ext --enable-static";
    let steps = [
        format!("cp -R '{from}/.' '{tree_text}' && chmod -R u+w '{tree_text}'"),
        format!("cd '{tree_text}' && ./configure {without}"),
        format!("make {jobs} -C '{tree_text}/src' librdkafka.a"),
        format!("make {jobs} -C '{tree_text}/src-cpp' librdkafka++.a"),
        format!("make {jobs} -C '{tree_text}/tests' build"),
    ];
    for step in steps {
        let mut last = Vec::new();
        let script = format!("{step} 2>&1");
        if !case.workspace.run("sh").args(["-c", &script]).output_kept(&mut last) {
            println!("{}", String::from_utf8_lossy(&last));
            return Err(Trouble::Failed("librdkafka's tests do not build".to_owned()));
        }
    }
    fs::write(&mark, from).map_err(|why| failed(&mark, why))
}

/// Some tests make topics by `kafka-topics.sh`, which the binary is when it is called so.
fn tools(binary: &Path, place: &Path) -> io::Result<()> {
    let bin = place.join("kafka/bin");
    fs::create_dir_all(&bin)?;
    let link = bin.join("kafka-topics.sh");
    if link.symlink_metadata().is_ok() {
        fs::remove_file(&link)?;
    }
    std::os::unix::fs::symlink(binary, link)
}

/// Runs a test, or the parts of it whose names hold `part`.
fn run_one(case: &Case<'_>, address: &str, test: &str, part: &str) -> bool {
    let place = &case.place;
    let log = case.said(format!("{test}-{part}").trim_end_matches('-'));
    let configuration = place.join("test.conf");
    let outcome = fs::write(&configuration, format!("metadata.broker.list={address}\n"))
        .and_then(|()| File::create(&log))
        .and_then(|file| {
            let mut command = Command::new("./test-runner");
            command.current_dir(place.join("tree/tests")).args(["-p1", "-E"]).stdin(Stdio::null());
            command.env("RDKAFKA_TEST_CONF", &configuration);
            command.env("KAFKA_PATH", place.join("kafka")).env("BROKERS", address);
            command.env("TEST_KAFKA_VERSION", KAFKA).env("TESTS", &test[..4]);
            if !part.is_empty() {
                command.env("SUBTESTS", part);
            }
            command.stdout(file.try_clone()?).stderr(file).status()
        });
    match outcome {
        // A part that does not exist passes as well, so it has to have said something.
        Ok(status) if status.success() => part.is_empty() || holds(&log, &format!("{part}:")),
        Ok(_) => {
            for line in
                lines(&log).filter(|line| line.contains("### Test") || line.contains("assertion failed"))
            {
                println!("  {line}");
            }
            false
        }
        Err(why) => {
            println!("  cannot be run: {why}");
            false
        }
    }
}

fn holds(log: &Path, text: &str) -> bool {
    lines(log).any(|line| line.contains(text))
}

fn lines(log: &Path) -> impl Iterator<Item = String> {
    let text = fs::read(log).unwrap_or_default();
    let lines: Vec<String> = String::from_utf8_lossy(&text).lines().map(str::to_owned).collect();
    lines.into_iter()
}
