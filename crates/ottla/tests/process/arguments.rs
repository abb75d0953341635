//! Flags, settings and what is said about them.

use std::net::SocketAddr;
use std::process::Command;

use wire::messages::api_versions::ApiVersionsRequest;
use wire::messages::metadata::MetadataRequest;

use crate::launch;

#[test]
fn port_0_is_any_free_port_and_the_ready_line_names_it() {
    let broker = launch().start();
    assert_ne!(broker.address().port(), 0);
    let answer = broker.connect().call(&ApiVersionsRequest::default(), 0).expect("an answer");
    assert_eq!(answer.error_code, 0);
    assert_eq!(broker.stop().code(), Some(0));
}

#[test]
fn clients_are_told_where_to_connect() {
    let broker = launch().start();
    let told = broker.connect().call(&MetadataRequest::default(), 1).expect("an answer").brokers;
    let at = (told[0].host.to_string(), told[0].port, told[0].node_id);
    assert_eq!(at, ("127.0.0.1".to_owned(), i32::from(broker.address().port()), 1));

    assert_eq!(told[0].rack, None);

    let launch = launch().argument("--advertise").argument("broker.example:7777").set("node.id", "5");
    let broker = launch.set("broker.rack", "r1").start();
    let told = broker.connect().call(&MetadataRequest::default(), 1).expect("an answer").brokers;
    assert_eq!(
        (told[0].host.to_string(), told[0].port, told[0].node_id),
        ("broker.example".to_owned(), 7777, 5)
    );
    assert_eq!(told[0].rack.as_deref(), Some("r1"));
}

#[test]
fn the_older_name_of_its_number_counts_too() {
    let broker = launch().set("broker.id", "5").start();
    let answer = broker.connect().call(&MetadataRequest::default(), 1).expect("an answer");
    let told: Vec<i32> = answer.brokers.iter().map(|broker| broker.node_id).collect();
    assert_eq!((told, answer.controller_id), (vec![5], 5));
}

#[test]
fn an_unknown_setting_is_a_warning_that_names_the_nearest_one() {
    let broker = launch().set("num.partition", "3").asked_for("unknown setting").start();
    let line = broker.wait_for_line("unknown setting");
    assert!(line.contains(" WARN ") && line.contains("did you mean `num.partitions`?"), "{line}");
    assert_eq!(broker.stop().code(), Some(0));
}

#[test]
fn a_bad_value_says_what_is_allowed_and_touches_nothing() {
    let refusal = launch().set("num.partitions", "0").try_start().expect_err("a bad value");
    assert_eq!(refusal.status.code(), Some(2));
    assert_eq!(refusal.log.len(), 1, "{:?}", refusal.log);
    let line = &refusal.log[0];
    assert!(line.contains("`num.partitions` cannot be `0`: must be a whole number from 1"), "{line}");
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let launch = launch().set("queued.max.request.bytes", "1000");
    let refusal = launch.try_start().expect_err("less than one request");
    assert_eq!(refusal.status.code(), Some(2));
    assert!(!launch.path().exists(), "nothing was touched");
}

#[test]
fn every_interface_needs_an_address_to_advertise() {
    let everywhere: SocketAddr = "0.0.0.0:0".parse().expect("an address");
    let refusal = launch().listen(everywhere).try_start().expect_err("no client can connect to 0.0.0.0");
    assert_eq!(refusal.status.code(), Some(2));
    assert!(refusal.log[0].contains("--advertise"), "{:?}", refusal.log);
    let broker = launch().listen(everywhere).argument("--advertise").argument("localhost:9").start();
    assert_eq!(broker.stop().code(), Some(0));
}

#[test]
fn log_lines_can_be_json() {
    let broker = launch().argument("--log-format").argument("json").start();
    let line = broker.wait_for_line("ottla ready on");
    let parsed: serde_json::Value = serde_json::from_str(&line).expect("a JSON object");
    assert_eq!(parsed["level"], "INFO");
    assert_eq!(parsed["fields"]["message"], format!("ottla ready on {}", broker.address()));
}

#[test]
fn the_level_of_log_lines_comes_from_the_environment() {
    let broker = launch().environment("OTTLA_LOG", "info,frontend=debug").start();
    broker.connect().call(&ApiVersionsRequest::default(), 0).expect("an answer");
    assert!(broker.wait_for_line("api=\"ApiVersions\"").contains("DEBUG"));

    let broker = launch().environment("OTTLA_LOG", "frontend=loud").asked_for("OTTLA_LOG").start();
    assert!(broker.wait_for_line("OTTLA_LOG").contains("frontend=loud"));
}

#[test]
fn requests_are_not_logged_unless_asked_for() {
    let broker = launch().start();
    let mut client = broker.connect();
    for _ in 0..20 {
        client.call(&ApiVersionsRequest::default(), 0).expect("an answer");
    }
    drop(client);
    let lines = broker.log();
    assert!(lines.len() < 10, "{lines:#?}");
}

#[test]
fn as_many_files_may_be_open_as_the_system_allows() {
    let broker = launch().start();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", broker.pid())).expect("Linux says");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a line for open files");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[3], words[4], "soft and hard limit: {line}");
}

#[test]
fn wrong_flags_end_with_code_2() {
    for arguments in [&["--unknown"][..], &["--listen", "nowhere"], &["--set", "x"], &["serve", "now"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_ottla")).args(arguments).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    let output = Command::new(env!("CARGO_BIN_EXE_ottla")).arg("--help").output().expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(help.contains("dump-log") && help.contains("--advertise"), "{help}");
}
