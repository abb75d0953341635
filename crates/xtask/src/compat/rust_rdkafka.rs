//! The integration tests of the crate rdkafka, from its source. Two addresses that stand in them are replaced by the one in
//! `KAFKA_HOST`, which all the others go by; nothing else is changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use super::{Case, Judged, Trouble};
use crate::command::can_run;

/// The version of Kafka that they are told of, which decides what they expect.
const KAFKA: &str = "4.1.1";

/// What the tests expect of their broker.
const SETTINGS: &[(&str, &str)] =
    &[("node.id", "0"), ("num.partitions", "3"), ("group.initial.rebalance.delay.ms", "0")];

/// A file, what stands in it, and what takes its place.
const CHANGES: &[(&str, &str, &str)] = &[
    (
        "tests/test_high_producers.rs",
        r#""bootstrap.servers", "localhost")"#,
        r#""bootstrap.servers", get_bootstrap_server().as_str())"#,
    ),
    (
        "tests/test_metadata.rs",
        "assert_eq!(broker_metadata[0].port(), 9092);",
        r#"assert!(get_bootstrap_server().ends_with(&format!(":{}", broker_metadata[0].port())));"#,
    ),
    // So that cargo does not take it for a member of the workspace that it lies in.
    ("Cargo.toml", "[package]\n", "[workspace]\n\n[package]\n"),
];

pub(super) fn judge(case: &Case<'_>) -> Result<Judged, Trouble> {
    if !can_run("cc", &["--version"]) || !can_run("make", &["--version"]) {
        return Err(Trouble::Missing("needs cc and make".to_owned()));
    }
    let (source, version) = case.crate_source("rdkafka")?;
    let tree = case.place.join("tree");
    copied(&source, &tree).map_err(|why| Trouble::Failed(format!("{}: {why}", tree.display())))?;
    let mut all = Vec::new();
    for (file, program) in built(case, &tree)? {
        let tests = tests(case, &file, &program)?;
        all.extend(tests.into_iter().map(|test| (format!("{file}::{test}"), program.clone(), test)));
    }
    case.knows(all.iter().map(|(name, ..)| &**name))?;
    let broker = case.broker(SETTINGS)?;
    let mut judged = Judged::of(version);
    for (name, program, test) in all {
        if case.wants(&name) {
            let start = Instant::now();
            let good = run_one(case, &broker.address, &name, &program, &test);
            judged.count(&name, good, start);
        }
    }
    println!("what they said is in {}", case.place.join("said").display());
    Ok(judged)
}

/// Copies the crate, with the changes.
fn copied(source: &Path, tree: &Path) -> io::Result<()> {
    for part in ["src", "tests", "examples"] {
        copy_all(&source.join(part), &tree.join(part))?;
    }
    for part in ["Cargo.toml", "Cargo.lock", "README.md"] {
        fs::write(tree.join(part), fs::read(source.join(part))?)?;
    }
    for (file, old, new) in CHANGES {
        let file = tree.join(file);
        let text = fs::read_to_string(&file)?;
        if !text.contains(old) {
            return Err(io::Error::other(format!("there is no `{old}` in {}", file.display())));
        }
        fs::write(&file, text.replacen(old, new, 1))?;
    }
    Ok(())
}

fn copy_all(source: &Path, place: &Path) -> io::Result<()> {
    fs::create_dir_all(place)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let to = place.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &to)?;
        } else {
            // Not copied with its permissions: the registry's files are read-only for some.
            fs::write(to, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// Builds the tests; gives the name of each file of them and its program.
fn built(case: &Case<'_>, tree: &Path) -> Result<Vec<(String, PathBuf)>, Trouble> {
    let build = ["test", "--no-run", "--tests", "--locked", "--message-format=json-render-diagnostics"];
    let cargo = case.workspace.cargo().within(tree).args(build);
    // A directory of their own: their features would build what the workspace has built once more.
    let cargo = cargo.env("CARGO_TARGET_DIR", case.place.join("target"));
    let said = cargo.output().ok_or_else(|| Trouble::Failed("rdkafka's tests do not build".to_owned()))?;
    let said = String::from_utf8_lossy(&said);
    let messages = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let programs = messages.filter_map(|message| {
        let name = message["target"]["name"].as_str().filter(|name| name.starts_with("test_"))?;
        Some((name.to_owned(), PathBuf::from(message["executable"].as_str()?)))
    });
    Ok(programs.collect())
}

/// The names of the tests in a program. What checks the tests' own tools is in each, and not counted.
fn tests(case: &Case<'_>, file: &str, program: &Path) -> Result<Vec<String>, Trouble> {
    let listed = case.workspace.run(program).args(["--list", "--format", "terse"]).output();
    let listed = listed.ok_or_else(|| Trouble::Failed(format!("{file} does not say what it has")))?;
    let listed = String::from_utf8_lossy(&listed);
    let tests = listed.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(tests.filter(|test| !test.starts_with("utils::")).map(str::to_owned).collect())
}

fn run_one(case: &Case<'_>, address: &str, name: &str, program: &Path, test: &str) -> bool {
    let mut said = Vec::new();
    let run = case.workspace.run(program).env("KAFKA_HOST", address).env("KAFKA_VERSION", KAFKA);
    let good = run.args(["--exact", test, "--nocapture"]).output_kept(&mut said);
    // Whoever was chosen by its exact name has run.
    let good = good && String::from_utf8_lossy(&said).contains("test result: ok. 1 passed");
    if let Err(why) = fs::write(case.said(name), &said) {
        println!("  what it said cannot be kept: {why}");
    }
    good
}
