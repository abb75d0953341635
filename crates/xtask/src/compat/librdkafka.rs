//! librdkafka's own tests, against the built broker: built from the source in the crate rdkafka-sys, below the target
//! directory, and run one by one.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use crate::command::{Workspace, can_run};

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

pub(super) fn run(workspace: &Workspace, chosen: &[String]) -> bool {
    for (program, word) in [("make", "--version"), ("cc", "--version"), ("c++", "--version")] {
        if !can_run(program, &[word]) {
            println!("cannot run here: needs {program}");
            return false;
        }
    }
    let place = workspace.target.join("compat/librdkafka");
    if !built(workspace, &place) || !workspace.cargo().args(["build", "--package", "ottla"]).succeeds() {
        return false;
    }
    let binary = workspace.target.join("debug/ottla");
    let ready = match tools(&binary, &place).and_then(|()| Broker::start(&binary, &place)) {
        Ok(broker) => broker,
        Err(why) => {
            println!("the broker does not start: {why}");
            return false;
        }
    };
    let wanted =
        |test: &str| chosen.is_empty() || chosen.iter().any(|chosen| test.starts_with(chosen.as_str()));
    let (mut passed, mut failed) = (0, 0);
    for (test, parts) in TESTS.iter().filter(|(test, _)| wanted(test)) {
        let parts = if parts.is_empty() { &[""][..] } else { parts };
        for part in parts {
            let start = Instant::now();
            let good = run_one(&place, &ready.address, test, part);
            let how = if good { "passed" } else { "FAILED" };
            println!("{test} {part}: {how} in {} s", start.elapsed().as_secs());
            if good { passed += 1 } else { failed += 1 }
        }
    }
    println!("{passed} passed, {failed} failed; what they said is in {}", place.join("said").display());
    passed > 0 && failed == 0
}

/// Builds the program that runs the tests, unless it is there.
fn built(workspace: &Workspace, place: &Path) -> bool {
    let Some(source) = source(workspace) else {
        println!("the source of rdkafka-sys is not to be found");
        return false;
    };
    let mark = place.join("built-from.txt");
    let from = source.display().to_string();
    if fs::read_to_string(&mark).is_ok_and(|there| there == from) {
        return true;
    }
    let tree = place.join("tree");
    let _was_there = fs::remove_dir_all(&tree);
    if let Err(why) = fs::create_dir_all(&tree) {
        println!("cannot make {}: {why}", tree.display());
        return false;
    }
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
        if workspace.run("sh").args(["-c", &script]).output_kept(&mut last) {
            continue;
        }
        println!("{}", String::from_utf8_lossy(&last));
        return false;
    }
    fs::write(&mark, from).is_ok()
}

/// Where librdkafka's source lies.
fn source(workspace: &Workspace) -> Option<PathBuf> {
    let output = workspace.cargo().args(["metadata", "--format-version=1"]).output()?;
    let metadata: Value = serde_json::from_slice(&output).ok()?;
    let package = metadata["packages"].as_array()?.iter().find(|package| package["name"] == "rdkafka-sys")?;
    let source = Path::new(package["manifest_path"].as_str()?).parent()?.join("librdkafka");
    source.join("tests").is_dir().then_some(source)
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
fn run_one(place: &Path, address: &str, test: &str, part: &str) -> bool {
    let said = place.join("said");
    let log = said.join(format!("{test}-{part}.log"));
    let configuration = said.join("test.conf");
    let outcome = fs::create_dir_all(&said)
        .and_then(|()| fs::write(&configuration, format!("metadata.broker.list={address}\n")))
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

/// The broker under test; killed when dropped.
struct Broker {
    child: Child,
    address: String,
}

impl Broker {
    fn start(binary: &Path, place: &Path) -> io::Result<Self> {
        let data = place.join("data");
        let _was_there = fs::remove_dir_all(&data);
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data);
        // What the tests expect of a broker: several partitions for topics made on the way, and no time lost in groups.
        command.args(["--set", "num.partitions=4", "--set", "group.initial.rebalance.delay.ms=0"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let errors = child.stderr.take().ok_or_else(|| io::Error::other("it has no standard error"))?;
        let mut broker = Self { child, address: String::new() };
        let mut errors = BufReader::new(errors).lines();
        let ready = errors
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("ottla ready on ")?.1.trim().to_owned()));
        broker.address = ready.ok_or_else(|| io::Error::other("it ends before it is ready"))?;
        // Read on, so that it never waits for somebody to read; warnings and errors are shown.
        thread::spawn(move || {
            for line in errors.map_while(Result::ok) {
                if line.contains(" WARN ") || line.contains(" ERROR ") {
                    println!("  broker: {line}");
                }
            }
        });
        Ok(broker)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}
