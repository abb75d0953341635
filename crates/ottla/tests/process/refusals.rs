//! What is in the way of a start: one message, code 1, and nothing changed.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use testkit::broker::{Launch, Refusal};
use wire::messages::api_versions::ApiVersionsRequest;

use crate::launch;

fn refused(launch: &Launch) -> String {
    let Refusal { status, log } = launch.try_start().expect_err("something is in the way");
    assert_eq!(status.code(), Some(1), "{log:#?}");
    let errors: Vec<&String> = log.iter().filter(|line| line.contains(" ERROR ")).collect();
    let [error] = errors[..] else { panic!("one message: {log:#?}") };
    error.clone()
}

/// Every file below `directory`, with its size and the time of its last change.
fn state_of(directory: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut state = BTreeMap::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("a directory") {
            let entry = entry.expect("an entry");
            let about = entry.metadata().expect("it is there");
            state.insert(entry.path(), (about.len(), about.modified().expect("Linux knows")));
            if about.is_dir() {
                directories.push(entry.path());
            }
        }
    }
    state
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound");
    let launch = launch().listen(address);
    let error = refused(&launch);
    assert!(error.contains(&format!("{address}")) && error.contains("in use"), "{error}");
    assert!(!launch.path().exists(), "the data directory was not made");
}

#[test]
fn a_host_that_is_not_here() {
    let launch = launch().listen("192.0.2.1:9092".parse().expect("an address"));
    let error = refused(&launch);
    assert!(error.contains("192.0.2.1:9092"), "{error}");
    assert!(!launch.path().exists());
}

#[test]
fn a_data_directory_that_another_broker_serves() {
    let first = launch().start();
    let before = state_of(first.data_dir());
    let error = refused(&launch().data_dir(first.data_dir()));
    assert!(error.contains(&first.data_dir().display().to_string()), "{error}");
    assert_eq!(state_of(first.data_dir()), before);
    first.connect().call(&ApiVersionsRequest::default(), 0).expect("the first one serves on");
    assert_eq!(first.stop().code(), Some(0));
}

#[test]
fn a_data_directory_that_is_a_file() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("file");
    fs::write(&file, "not a directory").expect("writable");
    let before = state_of(directory.path());
    assert!(refused(&launch().data_dir(&file)).contains("file"));
    assert_eq!(state_of(directory.path()), before);
}

#[test]
fn a_data_directory_that_cannot_be_made() {
    let error = refused(&launch().data_dir("/proc/ottla-data"));
    assert!(error.contains("/proc/ottla-data"), "{error}");
}

#[test]
fn a_data_directory_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    fs::create_dir(&data).expect("writable");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o555)).expect("ours");
    let mut launch = launch();
    if fs::write(data.join("probe"), "").is_ok() {
        // The superuser may write anywhere, unless the capability for that is taken from it.
        fs::remove_file(data.join("probe")).expect("just written");
        let wrapper = directory.path().join("ottla-without-capabilities");
        let binary = env!("CARGO_BIN_EXE_ottla");
        let script =
            format!("#!/bin/sh\nexec setpriv --inh-caps=-all --bounding-set=-all '{binary}' \"$@\"\n");
        fs::write(&wrapper, script).expect("writable");
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).expect("ours");
        launch = Launch::of(wrapper);
    }
    let before = state_of(&data);
    let error = refused(&launch.data_dir(&data));
    assert!(error.contains(&data.display().to_string()), "{error}");
    assert!(error.contains("Permission denied"), "{error}");
    assert_eq!(state_of(&data), before);
}

#[test]
fn a_directory_that_something_else_wrote() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::write(directory.path().join("holiday.jpg"), "not Kafka's").expect("writable");
    let before = state_of(directory.path());
    let error = refused(&launch().data_dir(directory.path()));
    assert!(error.contains(&directory.path().display().to_string()), "{error}");
    assert_eq!(state_of(directory.path()), before);
}

#[test]
fn a_directory_of_another_node() {
    let broker = launch().start();
    let directory = broker.data_dir().to_owned();
    let launch = broker.kill().set("node.id", "2");
    let before = state_of(&directory);
    let error = refused(&launch);
    assert!(error.contains("node 1") && error.contains("node.id=1"), "{error}");
    assert_eq!(state_of(&directory), before);
}
