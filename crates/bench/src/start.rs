//! Start-up, memory and recovery: what a user feels before and after the traffic.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::broker::{Broker, Launch};
use testkit::raw::RawClient;
use wire::messages::api_versions::ApiVersionsRequest;
use wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};

use crate::process;

/// From the start of the process to the first answer.
pub(crate) fn to_first_answer(launch: &Launch) -> (Duration, Broker) {
    let started = Instant::now();
    let broker = launch.start();
    let mut client = broker.connect();
    client.call(&ApiVersionsRequest::default(), 0).expect("the list of APIs");
    (started.elapsed(), broker)
}

/// Creates a topic with `partitions` partitions.
pub(crate) fn create_topic(broker: &Broker, name: &str, partitions: i32) {
    let topic = CreatableTopic {
        name: name.to_owned().into(),
        num_partitions: partitions,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    let mut client = broker.connect();
    client.set_patience(Duration::from_secs(120)).expect("a socket takes a time limit");
    let answer = client.call(&request, 5).expect("an answer");
    assert_eq!(answer.topics[0].error_code, 0, "{answer:?}");
}

/// Resident memory with `connections` idle connections, each of which has asked for the list of APIs.
pub(crate) fn resident_with_connections(broker: &Broker, connections: usize) -> u64 {
    let mut clients: Vec<RawClient> = (0..connections).map(|_| broker.connect()).collect();
    for client in &mut clients {
        client.call(&ApiVersionsRequest::default(), 3).expect("the list of APIs");
    }
    process::resident(broker.pid())
}

/// Bytes of all segment files below `directory`.
pub(crate) fn log_bytes(directory: &Path) -> u64 {
    let output = Command::new("find").arg(directory).args(["-name", "*.log", "-printf", "%s\n"]).output();
    let listed = output.expect("find runs").stdout;
    String::from_utf8_lossy(&listed).lines().filter_map(|line| line.parse::<u64>().ok()).sum()
}
