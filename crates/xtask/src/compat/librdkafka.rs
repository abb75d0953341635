//! librdkafka's own tests, against the built broker: built from the source in the crate rdkafka-sys, below the target
//! directory, and run one by one.

mod list;

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::broker::ottla;
use super::{Case, Judged, Trouble};
use crate::command::can_run;
use list::{Run, listed, runs};

/// The Kafka that the tests are told they talk to.
const KAFKA: &str = "4.1.0";

/// What the tests expect of a broker: several partitions for topics made on the way. Some expect as well that a new group waits for
/// its members.
const SETTINGS: &[(&str, &str)] = &[("num.partitions", "4")];

/// The slow ones left out, no time is to be lost in groups.
const QUICK: (&str, &str) = ("group.initial.rebalance.delay.ms", "0");

/// How long one run may take: more than the longest test allows itself.
const PATIENCE: Duration = Duration::from_secs(900);

/// The settings of a broker: what the runner calls them, and what they are beyond those above.
struct Scenario {
    name: &'static str,
    /// Whether this is for those tests that ask for three replicas, or for all the others.
    copies: bool,
    settings: &'static [(&'static str, &'static str)],
}

const SCENARIOS: [Scenario; 3] = [
    Scenario { name: "default", copies: false, settings: &[] },
    Scenario { name: "noautocreate", copies: false, settings: &[("auto.create.topics.enable", "false")] },
    // Against Kafka, which has no such setting, they fail.
    Scenario {
        name: "noautocreate",
        copies: true,
        settings: &[("auto.create.topics.enable", "false"), ("ottla.replication.factor.clamp", "true")],
    },
];

pub(super) fn judge(case: &Case<'_>) -> Result<Judged, Trouble> {
    for (program, word) in [("make", "--version"), ("cc", "--version"), ("c++", "--version")] {
        if !can_run(program, &[word]) {
            return Err(Trouble::Missing(format!("needs {program}")));
        }
    }
    // One test reads the statistics with it.
    if !can_run("c++", &["-x", "c++", "-fsyntax-only", "-include", "rapidjson/schema.h", "/dev/null"]) {
        return Err(Trouble::Missing("needs rapidjson".to_owned()));
    }
    let (source, version) = case.crate_source("rdkafka-sys")?;
    built(case, &source.join("librdkafka"))?;
    tools(&ottla(case.workspace)?, &case.place)
        .map_err(|why| Trouble::Failed(format!("kafka-topics.sh cannot be laid out: {why}")))?;
    let file = case.place.join("tree/tests/test.c");
    let source =
        fs::read_to_string(&file).map_err(|why| Trouble::Failed(format!("{}: {why}", file.display())))?;
    let tests = listed(&source);
    let of_all = SCENARIOS.map(|scenario| runs(&tests, scenario.name));
    case.knows(of_all.iter().flatten().flat_map(|run| &run.tests).map(|test| &*test.name))?;
    // The version of the crate is its own and, after a plus sign, librdkafka's.
    let mut judged = Judged::of(version.split_once('+').map_or(version.as_str(), |(_, theirs)| theirs));
    for scenario in SCENARIOS {
        let mut runs = runs(&tests, scenario.name);
        for run in &mut runs {
            run.tests.retain(|test| {
                test.asks_for_copies() == scenario.copies
                    && case.wants(&test.name)
                    && !(case.quick && test.is_slow())
            });
        }
        runs.retain(|run| !run.tests.is_empty());
        if runs.is_empty() {
            continue;
        }
        let mut settings = [SETTINGS, scenario.settings].concat();
        settings.extend(case.quick.then_some(QUICK));
        let broker = case.broker(&settings)?;
        for run in &runs {
            run_one(case, &broker.address, scenario.name, run, &mut judged);
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
    let built_from = format!("{from}, with rapidjson");
    if fs::read_to_string(&mark).is_ok_and(|there| there == built_from) {
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
    fs::write(&mark, built_from).map_err(|why| failed(&mark, why))
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

/// Runs the tests of one number, or the parts of them whose names hold `part`, and counts each that is judged by it.
fn run_one(case: &Case<'_>, address: &str, scenario: &str, run: &Run<'_>, judged: &mut Judged) {
    let start = Instant::now();
    let place = &case.place;
    let protocol = if run.newer { "consumer" } else { "classic" };
    let log = case.said(&format!("{} {scenario} {protocol} {}", run.number, run.part));
    let configuration = place.join("test.conf");
    // By itself the library seeds the names of topics and groups with a number below 1000, so that two runs may share them.
    let settings = format!("metadata.broker.list={address}\nenable.random.seed=false\n");
    let outcome = fs::write(&configuration, settings).and_then(|()| File::create(&log)).and_then(|file| {
        let mut command = Command::new("./test-runner");
        command.current_dir(place.join("tree/tests")).args(["-p1", "-L"]).stdin(Stdio::null());
        command.env("RDKAFKA_TEST_CONF", &configuration);
        command.env("KAFKA_PATH", place.join("kafka")).env("BROKERS", address);
        command.env("TEST_KAFKA_VERSION", KAFKA).env("TESTS", run.number).env("TEST_SCENARIO", scenario);
        command.env("TEST_CONSUMER_GROUP_PROTOCOL", protocol);
        if !run.part.is_empty() {
            command.env("SUBTESTS", run.part);
        }
        finished(command.stdout(file.try_clone()?).stderr(file).spawn()?)
    });
    let log = fs::read(&log).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    if let Err(why) = outcome {
        println!("  {why}");
    }
    for test in &run.tests {
        let good = passed(&log, test.said) && (run.part.is_empty() || part_passed(&log, run.part));
        if !good {
            let telling = |line: &&str| line.contains("### Test") || line.contains("assertion failed");
            log.lines().filter(telling).for_each(|line| println!("  {line}"));
        }
        judged.count(&test.name, good, start);
    }
}

/// Waits until the runner has ended. How it went is said by what it writes.
fn finished(mut runner: Child) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while runner.try_wait()?.is_none() {
        if Instant::now() > deadline {
            runner.kill()?;
            runner.wait()?;
            return Err(io::Error::other(format!("it has not ended within {} s", PATIENCE.as_secs())));
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Whether the runner says so of a test: at its end, since it comes to no summary when another one fails.
fn passed(log: &str, test: &str) -> bool {
    log.contains(&format!("= Test {test} PASSED ="))
}

/// Whether a part has ended well: a test of which no part has that name passes as well.
fn part_passed(log: &str, part: &str) -> bool {
    log.lines().any(|line| line.contains(part) && line.contains(": PASS ("))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_was_not_run_has_not_passed() {
        let log = "Sub tests        : with a\n\
                   [ do_test:78: with b ]\n\
                   [ do_test:78: with b: PASS (0.10s) ]\n";
        assert!(part_passed(log, "with b"));
        assert!(!part_passed(log, "with a"));
    }

    #[test]
    fn the_runner_says_what_passed() {
        let log = "[0026_a / 1.0s] Test 0027_b PASSED\n\
                   [0026_a / 1.0s] ================= Test 0026_a PASSED =================\n\
                   [0028_c / 2.0s] ================= Test 0028_c FAILED =================\n\
                   [0029_d / 0.0s] ================= Test 0029_d SKIPPED =================\n";
        let all = ["0026_a", "0026", "0027_b", "0028_c", "0029_d"];
        assert_eq!(all.into_iter().filter(|test| passed(log, test)).collect::<Vec<_>>(), ["0026_a"]);
    }
}
