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
    // An attribute or a name that pytest looks for makes it a test.
    let is_rust = [format!("#[test]\nfn {function}("), format!("#[test]\n    fn {function}(")];
    let is_async = format!("async fn {function}(");
    let is_test = is_rust.iter().any(|start| text.contains(start))
        || (text.contains("#[tokio::test") && text.contains(&is_async))
        || (file.ends_with(".py")
            && function.starts_with("test_")
            && text.contains(&format!("\ndef {function}(")));
    (!is_test).then(|| format!("{file} has no test {function}"))
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
    }
}
