//! The health check and Kafka's tools, as a container calls them.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::process::{Command, Output};

use crate::launch;

const OTTLA: &str = env!("CARGO_BIN_EXE_ottla");

fn run(program: &std::path::Path, words: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(program).args(words).output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code().expect("it ends by itself"), text(stdout), text(stderr))
}

fn ottla(words: &[&str]) -> (i32, String, String) {
    run(OTTLA.as_ref(), words)
}

#[test]
fn a_broker_that_answers_is_healthy() {
    let broker = launch().start();
    let address = broker.address().to_string();
    let health = |servers: &str| ottla(&["health", "--bootstrap-server", servers]);
    assert_eq!(health(&address), (0, format!("{address} answers\n"), String::new()));
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    assert_eq!(health(&format!("{nobody},{address}")).0, 0, "one of several is enough");
    assert!(broker.stop().success());
    let (code, out, err) = health(&address);
    assert!(code == 1 && out.is_empty() && err.starts_with("cannot connect to "), "{err}");
}

#[test]
fn a_health_check_finds_where_the_broker_listens() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("addresses");
    let file = file.to_str().expect("text");
    let health = || {
        let mut command = Command::new(OTTLA);
        let Output { status, stdout, stderr } =
            command.arg("health").env("OTTLA_ADDRESSES_FILE", file).output().expect("it starts");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (status.code(), text(stdout), text(stderr))
    };
    let (code, _, why) = health();
    assert!(
        code == Some(1) && why.starts_with("no broker says where it listens") && why.contains(file),
        "{why}"
    );
    // On a port that nobody could know before.
    let broker = launch().environment("OTTLA_ADDRESSES_FILE", file).start();
    assert_eq!(health(), (Some(0), format!("{} answers\n", broker.address()), String::new()));
}

#[test]
fn who_does_not_answer_as_a_broker_is_not_healthy() {
    // Takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address").to_string();
    let words = ["health", "--bootstrap-server", &address, "--timeout-ms", "50"];
    let (code, _, err) = ottla(&words);
    assert!(code == 1 && err.contains("did not answer ApiVersions in time"), "{err}");
    assert_eq!(ottla(&["health", "--bootstrap-server", "nonsense"]).0, 1);
    assert_eq!(ottla(&["health", "--nonsense"]).0, 2);
}

#[test]
fn under_the_name_of_a_tool_of_kafka_it_is_that_tool() {
    let broker = launch().start();
    let address = broker.address().to_string();
    let bin = tempfile::tempdir().expect("a directory");
    let topics = bin.path().join("kafka-topics.sh");
    symlink(OTTLA, &topics).expect("a link");
    let made = ["--bootstrap-server", &address, "--create", "--topic", "orders", "--partitions", "2"];
    assert_eq!(run(&topics, &made), (0, "Created topic orders.\n".to_owned(), String::new()));
    let (code, out, _) = run(&topics, &made);
    assert!(code == 1 && out.starts_with("Error while executing topic command : "), "{out}");
    let dump_log = bin.path().join("kafka-dump-log.sh");
    symlink(OTTLA, &dump_log).expect("a link");
    let file = bin.path().join("00000000000000000000.log");
    std::fs::write(&file, []).expect("written");
    let (code, out, err) = run(&dump_log, &["--files", file.to_str().expect("text")]);
    assert!(code == 0 && out.contains("Log starting offset: 0"), "{code} {out}{err}");
}

/// Kafka's tools end before they have tried once; who waits for a broker waits for its answer, not for its name.
#[test]
fn a_server_whose_name_has_no_address_is_not_tried_again() {
    let list = |servers: &str| ottla(&["topics", "--bootstrap-server", servers, "--list"]);
    let (code, out, err) = list("nowhere.invalid:9092");
    assert!(code == 1 && out.is_empty() && !err.contains("trying again"), "{out}{err}");
    let said = [
        "Couldn't resolve server nowhere.invalid:9092 from bootstrap.servers",
        "No resolvable bootstrap urls given in bootstrap.servers",
    ];
    assert_eq!(err.lines().collect::<Vec<_>>(), said);
    let broker = launch().start();
    let (code, _, err) = list(&format!("nowhere.invalid:9092,{}", broker.address()));
    assert_eq!((code, err.lines().collect::<Vec<_>>()), (0, vec![said[0]]), "one of several is enough");
}

#[test]
fn the_commands_of_ottla_have_friendlier_defaults() {
    let broker = launch().start();
    let address = broker.address().to_string();
    let at = ["--bootstrap-server", &address];
    assert_eq!(ottla(&[&["topics"][..], &at, &["--create", "orders"]].concat()).0, 0);
    assert_eq!(ottla(&[&["topics"][..], &at].concat()).1, "orders\n", "alone it lists");
    assert_eq!(ottla(&[&["offsets", "orders"][..], &at].concat()).1, "orders:0:0\n");
    let (code, out, _) = ottla(&[&["api-versions"][..], &at].concat());
    assert!(code == 0 && out.contains("Produce(0): "), "{out}");
    let (code, out, _) = ottla(&["topics", "--help"]);
    assert!(code == 0 && out.contains("--exclude-internal"), "{out}");
}
