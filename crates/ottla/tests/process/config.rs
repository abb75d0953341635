//! Settings from a file and from the environment, and what `ottla config` says of them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use testkit::broker::{Broker, Launch, Refusal};
use wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use wire::messages::describe_cluster::DescribeClusterRequest;
use wire::messages::find_coordinator::FindCoordinatorRequest;
use wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};

use crate::launch;

/// The pairs of the file that Kafka 4.1 brings along for a node in both roles (its `docker/server.properties`), but for the
/// ports and the directory.
const KAFKAS: &str = "\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:9093
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
num.partitions=1
num.recovery.threads.per.data.dir=2
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
";

/// A launch with Kafka's file, to which `more` is added, on a free port. The file is at the path that comes with it.
fn with_file(more: &str) -> (Launch, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (file, data) = (directory.path().join("server.properties"), directory.path().join("data"));
    let listeners = "listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://:9093\n\
                     advertised.listeners=PLAINTEXT://localhost:0,CONTROLLER://localhost:9093\n";
    fs::write(&file, format!("{KAFKAS}{listeners}log.dirs={}\n{more}", data.display())).expect("writable");
    let launch =
        launch().unplaced().data_dir(data).argument("--config").argument(&file.display().to_string());
    (launch, directory)
}

fn partitions_of_a_new_topic(broker: &Broker) -> usize {
    let topic = MetadataRequestTopic { name: Some("new".into()), ..MetadataRequestTopic::default() };
    let request = MetadataRequest { topics: Some(vec![topic]), ..MetadataRequest::default() };
    let mut client = broker.connect();
    loop {
        let answer = client.call(&request, 12).expect("an answer");
        if answer.topics[0].error_code == 0 {
            return answer.topics[0].partitions.len();
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

fn refused(launch: &Launch) -> String {
    let Refusal { status, log } = launch.try_start().expect_err("wrong settings");
    assert_eq!(status.code(), Some(2), "{log:#?}");
    assert_eq!(log.len(), 1, "{log:#?}");
    assert!(!launch.path().exists(), "nothing was touched");
    log[0].clone()
}

#[test]
fn a_file_of_kafkas_starts_unchanged_and_again() {
    let (launch, _directory) = with_file("");
    let broker = launch.start();
    assert!(launch.path().join("meta.properties").exists(), "log.dirs is where the data is");
    let told = broker.connect().call(&MetadataRequest::default(), 1).expect("an answer").brokers;
    assert_eq!((told.len(), told[0].host.as_str(), told[0].node_id), (1, "localhost", 1));
    assert_eq!(told[0].port, i32::from(broker.address().port()));
    assert_eq!(partitions_of_a_new_topic(&broker), 1);
    let broker = broker.restart();
    let all = broker.connect().call(&MetadataRequest { topics: None, ..Default::default() }, 12);
    assert_eq!(all.expect("an answer").topics[0].name.as_deref(), Some("new"));
    assert_eq!(broker.stop().code(), Some(0));
}

#[test]
fn the_environment_beats_the_file_and_a_flag_beats_the_environment() {
    let (launch, _directory) = with_file("num.partitions=2\n");
    let (two, three) = (launch.clone().start(), launch.environment("KAFKA_NUM_PARTITIONS", "3"));
    assert_eq!(partitions_of_a_new_topic(&two), 2);
    drop(two);
    fs::remove_dir_all(three.path()).expect("there");
    let broker = three.start();
    assert_eq!(partitions_of_a_new_topic(&broker), 3);
    drop(broker);
    fs::remove_dir_all(three.path()).expect("there");
    assert_eq!(partitions_of_a_new_topic(&three.set("num.partitions", "4").start()), 4);
}

#[test]
fn the_environment_alone_is_enough() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let variables = [
        ("KAFKA_NODE_ID", "7"),
        ("KAFKA_PROCESS_ROLES", "broker,controller"),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", "7@localhost:29093"),
        ("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
        ("KAFKA_LISTENERS", "PLAINTEXT://127.0.0.1:0,CONTROLLER://:29093"),
        ("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1"),
        ("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0"),
        ("KAFKA_HEAP_OPTS", "-Xmx1G"),
        ("KAFKA_LOG_DIRS", data.to_str().expect("text")),
        ("CLUSTER_ID", "4L6g3nShT-eMCtK--X86sw"),
    ];
    let mut launch = launch().unplaced().data_dir(&data);
    for (name, value) in variables {
        launch = launch.environment(name, value);
    }
    let broker = launch.start();
    let answer = broker.connect().call(&DescribeClusterRequest::default(), 0).expect("an answer");
    assert_eq!((answer.cluster_id.as_str(), answer.brokers[0].broker_id), ("4L6g3nShT-eMCtK--X86sw", 7));
    assert_eq!(broker.stop().code(), Some(0));

    let other = launch.environment("CLUSTER_ID", "5L6g3nShT-eMCtK--X86sw");
    let Refusal { status, log } = other.try_start().expect_err("another cluster's directory");
    assert_eq!(status.code(), Some(1));
    let error = log.last().expect("a line");
    assert!(error.contains("4L6g3nShT-eMCtK--X86sw") && error.contains("5L6g3nShT-eMCtK--X86sw"), "{error}");
}

#[test]
fn a_wrong_value_says_what_is_allowed_and_where_it_was_given() {
    let (launch, directory) = with_file("num.partitions=0\n");
    let line = KAFKAS.lines().count() + 4;
    let place = format!("{}:{line}", directory.path().join("server.properties").display());
    let error = refused(&launch);
    assert!(error.contains("`num.partitions` cannot be `0`: must be a whole number from 1"), "{error}");
    assert!(error.contains(&place), "{error}");

    let (launch, _directory) = with_file("");
    let error = refused(&launch.clone().environment("KAFKA_COMPRESSION_TYPE", "brotli"));
    assert!(error.contains("zstd, lz4") && error.contains("$KAFKA_COMPRESSION_TYPE"), "{error}");
    let error = refused(&launch.clone().set("controller.quorum.voters", "2@localhost:9093"));
    assert!(error.contains("`controller.quorum.voters`") && error.contains("--set"), "{error}");
    let error = refused(&launch.clone().environment("CLUSTER_ID", "mine"));
    assert!(error.contains("CLUSTER_ID") && error.contains("mine"), "{error}");
    let error = refused(&launch.environment("KAFKA_LISTENERS", "SASL_SSL://127.0.0.1:0,CONTROLLER://:9093"));
    assert!(error.contains("SASL_SSL") && error.contains("$KAFKA_LISTENERS"), "{error}");
}

#[test]
fn unknown_keys_are_warnings_with_their_place_and_kafkas_own_are_none() {
    let (launch, directory) = with_file("default.replication.factr=3\nssl.keystore.location=/etc/keys\n");
    let launch = launch.asked_for("factr").asked_for("zookeeper").asked_for("ssl.keystore.location");
    let broker = launch.environment("KAFKA_ZOOKEEPER_CONNECT", "zk:2181").start();
    let line = broker.wait_for_line("factr");
    assert!(line.contains(" WARN ") && line.contains("did you mean `default.replication.factor`?"), "{line}");
    assert!(line.contains(&directory.path().display().to_string()), "{line}");
    assert!(broker.wait_for_line("zookeeper").contains("$KAFKA_ZOOKEEPER_CONNECT"));
    assert!(broker.wait_for_line("ssl.keystore.location").contains("not built"));
    let warnings = broker.log().iter().filter(|line| line.contains(" WARN ")).count();
    assert_eq!(warnings, 3, "what does nothing on one node is no warning: {:#?}", broker.log());
    assert_eq!(broker.stop().code(), Some(0));
}

fn create(broker: &Broker, name: &str, replication_factor: i16) -> (i16, i16) {
    let topic = CreatableTopic {
        name: name.to_owned().into(),
        num_partitions: 1,
        replication_factor,
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], ..CreateTopicsRequest::default() };
    let answer = broker.connect().call(&request, 5).expect("an answer");
    (answer.topics[0].error_code, answer.topics[0].replication_factor)
}

#[test]
fn with_the_clamp_who_asks_for_three_replicas_gets_one_and_a_warning() {
    const INVALID_REPLICATION_FACTOR: i16 = 38;
    let broker = launch().set("default.replication.factor", "3").start();
    assert_eq!(create(&broker, "three", 3).0, INVALID_REPLICATION_FACTOR);
    assert_eq!(create(&broker, "default", -1).0, INVALID_REPLICATION_FACTOR);
    assert_eq!(broker.stop().code(), Some(0));

    let clamp = "ottla.replication.factor.clamp";
    let launch = launch().set("default.replication.factor", "3").asked_for(clamp);
    let broker = launch.set(clamp, "true").set("offsets.topic.replication.factor", "3").start();
    assert_eq!(create(&broker, "three", 3), (0, 1));
    assert!(broker.wait_for_line("topic three has 1 copy").contains(" WARN "));
    assert_eq!(create(&broker, "default", -1), (0, 1));
    assert_eq!(create(&broker, "one", 1), (0, 1));
    assert_eq!(partitions_of_a_new_topic(&broker), 1, "created on first use");
    let group = FindCoordinatorRequest { key: "group".into(), ..FindCoordinatorRequest::default() };
    assert_eq!(broker.connect().call(&group, 3).expect("an answer").error_code, 0);
    let warnings: Vec<_> = broker.log().into_iter().filter(|line| line.contains(" WARN ")).collect();
    assert_eq!(warnings.len(), 3, "neither for one copy nor for internal topics: {warnings:#?}");
    assert_eq!(broker.stop().code(), Some(0));
}

fn ottla(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
    command.args(arguments).env_clear().envs(variables.iter().copied());
    command.output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[test]
fn config_shows_each_value_and_where_it_comes_from() {
    let (launch, directory) = with_file("sasl.jaas.config=secret\nno.such.key=1\n");
    let file = directory.path().join("server.properties").display().to_string();
    let arguments = ["config", "--show", "--config", &file, "--set", "num.partitions=5"];
    let output = ottla(&arguments, &[("KAFKA_LOG_RETENTION_MS", "77")]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    for line in [
        format!("node.id = 1  ({file}:2)"),
        "num.partitions = 5  (--set)".to_owned(),
        "log.retention.ms = 77  ($KAFKA_LOG_RETENTION_MS)".to_owned(),
        "fetch.max.bytes = 57671680  (default)".to_owned(),
        "metadata.log.dir is unset  (default)".to_owned(),
    ] {
        assert!(shown.lines().any(|there| there == line), "no line {line:?} in:\n{shown}");
    }
    assert!(shown.contains("num.io.threads = 8") && !shown.contains("secret"), "{shown}");
    assert!(text(&output.stderr).contains("no.such.key"));
    assert!(!launch.path().exists(), "it is only shown");

    // The node that starts with this is 5.
    let shown = text(&ottla(&["config", "--show", "--set", "broker.id=5"], &[]).stdout);
    for line in ["node.id = 5  (broker.id: --set)", "broker.id = 5  (--set)"] {
        assert!(shown.lines().any(|there| there == line), "no line {line:?} in:\n{shown}");
    }

    let output = ottla(&["config", "--show"], &[("KAFKA_NUM_PARTITIONS", "none")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("$KAFKA_NUM_PARTITIONS") && output.stdout.is_empty());
}

#[test]
fn config_prints_the_page_of_all_settings() {
    let output = ottla(&["config", "--docs"], &[]);
    assert_eq!(output.status.code(), Some(0));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let is_same = text(&output.stdout) == fs::read_to_string(page).expect("there");
    assert!(is_same, "docs/configuration.md is old; write it with: cargo xtask apis");
    assert_eq!(ottla(&["config"], &[]).status.code(), Some(2), "which of the two?");
}
