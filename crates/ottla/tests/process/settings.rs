//! Settings whose effect shows in the process alone.

use std::time::{Duration, Instant};

use records::{BatchBuilder, NewRecord};
use testkit::broker::Broker;
use wire::messages::api_versions::ApiVersionsRequest;
use wire::messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};

use crate::launch;

/// Whether a new connection is served. One that is refused is closed at once.
fn serves(client: &mut testkit::raw::RawClient) -> bool {
    client.call(&ApiVersionsRequest::default(), 0).is_ok_and(|answer| answer.error_code == 0)
}

/// Changes a setting of the running broker.
fn change(client: &mut testkit::raw::RawClient, name: &str, value: &str) {
    const BROKER: i8 = 4;
    let config = AlterableConfig {
        name: name.to_owned().into(),
        config_operation: 0,
        value: Some(value.to_owned().into()),
    };
    let resource =
        AlterConfigsResource { resource_type: BROKER, resource_name: "1".into(), configs: vec![config] };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    let answer = client.call(&request, 1).expect("an answer");
    assert_eq!(answer.responses[0].error_code, 0, "{:?}", answer.responses[0].error_message);
}

#[test]
fn how_many_connections_there_may_be_is_changed_while_it_runs() {
    let broker = launch().asked_for("max.connections").start();
    let (mut one, mut two) = (broker.connect(), broker.connect());
    assert!(serves(&mut one) && serves(&mut two));
    change(&mut one, "max.connections", "2");
    assert!(!serves(&mut broker.connect()), "a third one");
    assert!(serves(&mut one) && serves(&mut two), "those that were there");
    change(&mut one, "max.connections", "3");
    let mut three = broker.connect();
    assert!(serves(&mut three));
    assert!(!serves(&mut broker.connect()), "a fourth one");
    change(&mut one, "max.connections.per.ip", "4");
    assert!(!serves(&mut broker.connect()), "both limits hold");
    change(&mut one, "max.connections", "10");
    let mut four = broker.connect();
    assert!(serves(&mut four) && !serves(&mut broker.connect()));
}

/// How many threads serve connections.
fn workers(broker: &Broker) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", broker.pid())).expect("Linux says");
    let name = |task: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
    };
    tasks.filter_map(name).filter(|name| name.starts_with("tokio-")).count()
}

#[cfg(target_os = "linux")]
#[test]
fn so_many_threads_serve_connections() {
    // Threads that wait for the disk come beside them, a few at the start.
    let with = |threads: &str| workers(&launch().set("num.network.threads", threads).start());
    let (few, many) = (with("1"), with("31"));
    assert_eq!(many - few, 30, "{few} and {many}");
}

#[test]
fn the_data_lies_in_log_dir_unless_log_dirs_says_otherwise() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| directory.path().join(name).display().to_string();
    let has_data = |name: &str| directory.path().join(name).join("meta.properties").exists();
    let launch = launch().unplaced().set("listeners", "PLAINTEXT://127.0.0.1:0");
    let broker = launch.clone().set("log.dir", &at("one")).set("metadata.log.dir", &at("one")).start();
    assert!(has_data("one"));
    drop(broker);
    let broker = launch.clone().set("log.dir", &at("two")).set("log.dirs", &at("three")).start();
    assert!(has_data("three") && !has_data("two"));
    drop(broker);
    let elsewhere = launch.set("log.dir", &at("four")).set("metadata.log.dir", &at("five"));
    let refusal = elsewhere.try_start().expect_err("another directory");
    assert_eq!(refusal.status.code(), Some(2));
    assert!(refusal.log[0].contains("`metadata.log.dir`"), "{:?}", refusal.log);
}

#[test]
fn no_authorizer_is_promised() {
    let refusal =
        launch().set("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
    let refusal = refusal.try_start().expect_err("everybody would be let in");
    assert_eq!(refusal.status.code(), Some(2));
    assert!(refusal.log[0].contains("`authorizer.class.name`"), "{:?}", refusal.log);
}

#[test]
fn compaction_rests_as_long_as_was_set() {
    /// Less than it rests unless it is told otherwise.
    const PATIENCE: Duration = Duration::from_secs(12);
    let broker = launch().set("log.cleaner.backoff.ms", "20").start();
    let mut client = broker.connect();
    let config = |(name, value): (&str, &str)| CreatableTopicConfig {
        name: name.to_owned().into(),
        value: Some(value.to_owned().into()),
    };
    let compacted = [
        ("cleanup.policy", "compact"),
        ("internal.segment.bytes", "1000"),
        ("min.cleanable.dirty.ratio", "0.01"),
    ];
    let topic = CreatableTopic {
        name: "t".into(),
        num_partitions: 1,
        replication_factor: 1,
        configs: compacted.map(config).into(),
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], ..CreateTopicsRequest::default() };
    assert_eq!(client.call(&request, 7).expect("an answer").topics[0].error_code, 0);
    for _ in 0..40 {
        let mut builder = BatchBuilder::new(base::Offset::ZERO);
        let timestamp = base::Millis(1_700_000_000_000);
        builder.push(&NewRecord { timestamp, key: Some(b"k"), value: Some(&[7; 60]), headers: &[] });
        let produce = testkit::raw::produce("t", 0, builder.build());
        let answer = client.call(&produce, 12).expect("an answer");
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    }
    let checkpoint = broker.data_dir().join("cleaner-offset-checkpoint");
    let began = Instant::now();
    while !std::fs::read_to_string(&checkpoint).is_ok_and(|text| text.contains("t 0 ")) {
        assert!(began.elapsed() < PATIENCE, "nothing was compacted");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_limit_that_does_not_fit_is_spoken_of_once() {
    let broker = launch().set("max.connections", "2000000000").asked_for("max.connections").start();
    let mut client = broker.connect();
    let said = || broker.log().iter().filter(|line| line.contains("`max.connections` is lowered")).count();
    for bytes in ["5000000", "6000000"] {
        change(&mut client, "log.retention.bytes", bytes);
    }
    assert_eq!(said(), 1, "{:#?}", broker.log());
    change(&mut client, "max.connections", "1900000000");
    let _line = broker.wait_for_line("`max.connections` is lowered from 1900000000");
    assert_eq!(said(), 2, "{:#?}", broker.log());
}

#[test]
fn who_wants_share_groups_is_told_that_there_are_none() {
    let key = "group.coordinator.rebalance.protocols";
    let broker = launch().set(key, "classic,consumer,share").asked_for(key).start();
    assert!(broker.wait_for_line(key).contains("`share`"));
    assert_eq!(broker.stop().code(), Some(0));
    let broker = launch().set(key, "classic,consumer,streams").start();
    assert_eq!(broker.stop().code(), Some(0));
}
