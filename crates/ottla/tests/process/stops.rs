//! How it ends.

use std::fs::File;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use testkit::broker::Broker;
use testkit::raw;
use wire::messages::api_versions::ApiVersionsRequest;
use wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};

use crate::launch;

fn send(signal: Signal, broker: &Broker) {
    let pid = i32::try_from(broker.pid()).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, signal).expect("it runs");
}

#[test]
fn a_clean_stop_leaves_the_marker_and_the_next_start_finds_everything() {
    let broker = launch().start();
    let topic = MetadataRequestTopic { name: Some("kept".into()), ..MetadataRequestTopic::default() };
    let request = MetadataRequest { topics: Some(vec![topic]), ..MetadataRequest::default() };
    let mut client = broker.connect();
    let deadline = Instant::now() + Duration::from_secs(30);
    while client.call(&request, 12).expect("an answer").topics[0].error_code != 0 {
        assert!(Instant::now() < deadline, "the topic is created");
        thread::sleep(Duration::from_millis(10));
    }
    let data_dir = broker.data_dir().to_owned();
    let broker = broker.restart();
    assert!(!data_dir.join(".kafka_cleanshutdown").exists(), "a running broker has no marker");
    let all = MetadataRequest { topics: None, ..MetadataRequest::default() };
    let names: Vec<_> = broker.connect().call(&all, 12).expect("an answer").topics;
    assert_eq!(names[0].name.as_deref(), Some("kept"));
    drop(client);
    send(Signal::INT, &broker);
    let _line = broker.wait_for_line("ottla::serve: stopped");
    assert!(data_dir.join(".kafka_cleanshutdown").exists());
}

#[test]
fn a_stop_closes_the_port_and_idle_connections() {
    let broker = launch().start();
    let address = broker.address();
    let mut idle = broker.connect();
    idle.call(&ApiVersionsRequest::default(), 0).expect("an answer");
    let begun = Instant::now();
    assert_eq!(broker.stop().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(3), "idle clients do not hold up a stop");
    idle.wait_for_close().expect("closed");
    TcpListener::bind(address).expect("the port is free");
}

/// A connection with more answers due than its peer and the kernel take, so that a stop waits for it.
fn stuck_connection(broker: &Broker) -> TcpStream {
    let mut stream = TcpStream::connect(broker.address()).expect("accepted");
    stream.set_write_timeout(Some(Duration::from_millis(500))).expect("a socket");
    let frame = raw::frame(&ApiVersionsRequest::default(), 0, 1).expect("version 0 exists");
    let mut one = u32::try_from(frame.len()).expect("short").to_be_bytes().to_vec();
    one.extend_from_slice(&frame);
    let many = one.repeat(10_000);
    while stream.write_all(&many).is_ok() {}
    stream
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let broker = launch().asked_for("without a clean stop").start();
    let stuck = stuck_connection(&broker);
    broker.terminate();
    let _line = broker.wait_for_line("stopping after SIGTERM");
    let second = Instant::now();
    assert_eq!(broker.stop().code(), Some(143));
    assert!(second.elapsed() < Duration::from_secs(3));
    drop(stuck);
}

#[test]
fn a_stop_waits_for_a_stuck_connection_only_so_long() {
    let launch = launch().asked_for("not finished");
    let broker = launch.start();
    let stuck = stuck_connection(&broker);
    let begun = Instant::now();
    assert_eq!(broker.stop().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(9), "container runtimes kill after ten seconds");
    assert!(launch.path().join(".kafka_cleanshutdown").exists());
    drop(stuck);
}

/// A file of settings that nobody has finished writing holds the start up where nothing is to be closed yet.
#[test]
fn a_signal_during_the_start_ends_it_at_once() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("server.properties");
        let made = Command::new("mkfifo").arg(&file).status().expect("it runs");
        assert!(made.success());
        let mut starting = Command::new(env!("CARGO_BIN_EXE_ottla"))
            .args(["serve", "--config"])
            .arg(&file)
            .spawn()
            .expect("it starts");
        // Opens once the other end does.
        let writer = File::create(&file).expect("it is read");
        let pid = i32::try_from(starting.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("it runs");
        // By a handler: process 1 of a container has nothing else.
        assert_eq!(starting.wait().expect("it ends").code(), Some(code));
        drop(writer);
    }
}
