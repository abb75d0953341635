//! Each setting that has an effect has a test that shows it: the list of these tests is whole, and they exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use settings::{Effect, TABLE};

const LIST: &str = "tests/settings-effects.txt";

/// Where nothing is done: there are no such groups, and the page of settings says so.
const NOT_BUILT: [&str; 2] = ["share.", "streams."];

/// The keys that have an effect, as the list names them.
fn keys() -> BTreeSet<String> {
    let broker = TABLE.broker.iter().map(|row| row.name.to_owned());
    let topic = TABLE.topic.iter().filter(|row| row.effect != Effect::Stored);
    let topic = topic.map(|row| format!("topic:{}", row.name));
    let group = TABLE.group.iter().filter(|row| !NOT_BUILT.iter().any(|prefix| row.name.starts_with(prefix)));
    let group = group.map(|row| format!("group:{}", row.name));
    let metrics = TABLE.client_metrics.iter().map(|row| format!("client-metrics:{}", row.name));
    broker.chain(topic).chain(group).chain(metrics).collect()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// What the list says: of each key its tests.
fn list() -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(root().join(LIST)).expect("the list is there");
    let mut list = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_whitespace().map(str::to_owned);
        let key = words.next().expect("a line that is not empty");
        let before = list.insert(key.clone(), words.collect::<Vec<_>>());
        assert!(before.is_none(), "{key} comes twice");
    }
    list
}

/// Why `test` does not show anything.
fn fault(test: &str) -> Option<String> {
    let (file, function) = match test.split_once("::") {
        Some((file, function)) => (file, Some(function)),
        None => (test, None),
    };
    if file.starts_with("crates/settings/") {
        return Some("this room does not know what a setting does".to_owned());
    }
    let Ok(text) = fs::read_to_string(root().join(file)) else { return Some(format!("there is no {file}")) };
    let Some(function) = function else {
        let is_story = file.contains("/scenarios/") && file.ends_with(".txt");
        return (!is_story).then(|| "a test is named by its file and its function".to_owned());
    };
    let is_test = if file.ends_with(".py") {
        function.starts_with("test_") && text.contains(&format!("\ndef {function}("))
    } else {
        is_rust_test(&text, function)
    };
    (!is_test).then(|| format!("{file} has no test {function}"))
}

/// Whether `text` has a function of this name with `#[test]` or `#[tokio::test]` on it; other attributes may stand between.
fn is_rust_test(text: &str, function: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let starts = [format!("fn {function}("), format!("async fn {function}(")];
    let is_this = |line: &str| starts.iter().any(|start| line.starts_with(start));
    let is_attribute = |line: &&&str| line.starts_with("#[") || line.starts_with("//");
    let is_told = |line: &&str| *line == "#[test]" || line.starts_with("#[tokio::test");
    lines
        .iter()
        .enumerate()
        .filter(|(_, line)| is_this(line))
        .any(|(at, _)| lines[..at].iter().rev().take_while(is_attribute).any(is_told))
}

/// Whether the file of a test says `key`. Of several tests that show it together, one gives it a value.
fn names(test: &str, key: &str) -> bool {
    let file = test.split_once("::").map_or(test, |(file, _)| file);
    fs::read_to_string(root().join(file)).is_ok_and(|text| text.contains(key))
}

#[test]
fn a_test_is_what_cargo_runs_as_one() {
    let text = "\
        #[test]\nfn a() {}\n\
        #[tokio::test(flavor = \"multi_thread\")]\n#[should_panic]\n// Why.\nasync fn b() {}\n\
        async fn c() {}\n\n#[test]\n\nfn d() {}\n    #[test]\n    fn e() {}\n#[test]\nfn f_more() {}\n";
    let found: Vec<_> =
        ["a", "b", "c", "d", "e", "f"].into_iter().filter(|name| is_rust_test(text, name)).collect();
    assert_eq!(found, ["a", "b", "e"]);
}

#[test]
fn each_setting_has_a_test_that_shows_its_effect() {
    let list = list();
    let (named, there): (BTreeSet<String>, BTreeSet<String>) = (list.keys().cloned().collect(), keys());
    let missing: Vec<_> = there.difference(&named).collect();
    assert!(missing.is_empty(), "no test in {LIST} shows what these do: {missing:?}");
    let strange: Vec<_> = named.difference(&there).collect();
    assert!(strange.is_empty(), "{LIST} speaks of what has no effect: {strange:?}");
    for (key, tests) in &list {
        assert!(!tests.is_empty(), "{key} has no test");
        for test in tests {
            assert_eq!(fault(test), None, "{key}");
        }
        let name = key.split_once(':').map_or(key.as_str(), |(_, name)| name);
        assert!(tests.iter().any(|test| names(test, name)), "none of the tests of {key} names it: {tests:?}");
    }
}
