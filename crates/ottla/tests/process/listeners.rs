//! Several listeners at once: each has a port, and each tells its own address.

use std::net::SocketAddr;

use testkit::broker::Broker;
use testkit::raw::RawClient;
use wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use wire::messages::describe_cluster::DescribeClusterRequest;
use wire::messages::find_coordinator::FindCoordinatorRequest;
use wire::messages::metadata::MetadataRequest;

use crate::launch;

const LISTENER_NOT_FOUND: i16 = 72;
const COORDINATOR_NOT_AVAILABLE: i16 = 15;
const LEADER_NOT_AVAILABLE: i16 = 5;

/// A broker with the listeners IN, OUT and QUIET, the last of which is advertised nowhere.
fn with_listeners() -> Broker {
    let launch = launch().unplaced();
    let data = launch.path().display().to_string();
    launch
        .set("log.dirs", &data)
        .set("listeners", "IN://127.0.0.1:0,OUT://127.0.0.1:0,QUIET://127.0.0.1:0,C://127.0.0.1:0")
        .set("listener.security.protocol.map", "IN:PLAINTEXT,OUT:PLAINTEXT,QUIET:PLAINTEXT,C:PLAINTEXT")
        .set("advertised.listeners", "OUT://outside.example:7,IN://inside.example:0")
        .set("controller.listener.names", "C")
        .set("inter.broker.listener.name", "IN")
        .start()
}

fn address(broker: &Broker, listener: &str) -> SocketAddr {
    let line = broker.wait_for_line(&format!("for {listener}"));
    let (_, rest) = line.split_once("ready on ").expect("the ready line");
    rest.split_whitespace().next().expect("an address").parse().expect("an address")
}

fn told(address: SocketAddr) -> Vec<(String, i32)> {
    let mut client = RawClient::connect(address).expect("it listens");
    let metadata = client.call(&MetadataRequest::default(), 12).expect("an answer");
    let cluster = client.call(&DescribeClusterRequest::default(), 0).expect("an answer");
    let group = FindCoordinatorRequest { key: "group".into(), ..FindCoordinatorRequest::default() };
    let group = client.call(&group, 3).expect("an answer");
    let brokers = metadata.brokers.iter().map(|broker| (broker.host.to_string(), broker.port));
    let cluster = cluster.brokers.iter().map(|broker| (broker.host.to_string(), broker.port));
    brokers.chain(cluster).chain([(group.host.to_string(), group.port)]).collect()
}

#[test]
fn each_listener_tells_its_own_address() {
    let broker = with_listeners();
    let (inside, outside) = (address(&broker, "IN"), address(&broker, "OUT"));
    assert_ne!(inside.port(), outside.port());
    assert_eq!(told(outside), vec![("outside.example".to_owned(), 7); 3]);
    assert_eq!(
        told(inside),
        vec![("inside.example".to_owned(), i32::from(inside.port())); 3],
        "the bound port"
    );
    assert!(broker.wait_for_line("not opened").contains("C://127.0.0.1:0"));
    assert!(broker.log().iter().all(|line| !line.contains("for C")), "it has no port");
    assert_eq!(broker.stop().code(), Some(0));
}

#[test]
fn a_listener_that_is_not_advertised_tells_of_no_broker() {
    let broker = with_listeners();
    let mut client = RawClient::connect(address(&broker, "QUIET")).expect("it listens");
    let topic = CreatableTopic {
        name: "t".into(),
        num_partitions: 1,
        replication_factor: 1,
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], ..CreateTopicsRequest::default() };
    assert_eq!(client.call(&request, 5).expect("an answer").topics[0].error_code, 0);
    let all = MetadataRequest { topics: None, ..MetadataRequest::default() };
    for (version, code) in [(12, LISTENER_NOT_FOUND), (5, LEADER_NOT_AVAILABLE)] {
        let answer = client.call(&all, version).expect("an answer");
        assert!(answer.brokers.is_empty());
        let partition = &answer.topics[0].partitions[0];
        assert_eq!((partition.error_code, partition.leader_id), (code, -1), "version {version}");
    }
    let group = FindCoordinatorRequest { key: "group".into(), ..FindCoordinatorRequest::default() };
    let answer = client.call(&group, 3).expect("an answer");
    assert_eq!((answer.error_code, answer.node_id), (COORDINATOR_NOT_AVAILABLE, -1));
    let answer = client.call(&DescribeClusterRequest::default(), 0).expect("an answer");
    assert!(answer.brokers.is_empty());
}
