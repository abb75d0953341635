//! `ottla graduate`: checks that Apache Kafka can start on a data directory, and prints the `server.properties` for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use catalog::{Inspection, VoterEndpoint, inspect};
use disk::{DirLock, RealDisk};
use java_properties::PropertiesWriter;
use settings::{Endpoint, SettingError, Settings};

use crate::arguments::GraduateArguments;

/// Kafka could not start, or would not serve all that is there.
const NOT_READY: u8 = 1;
/// The settings are wrong; nothing was looked at.
const BAD_SETTINGS: u8 = 2;

/// The port of the controller's listener, which only this node itself talks to. Kafka's sample configuration has it.
const CONTROLLER_PORT: u16 = 9093;

/// One node can keep one copy of Kafka's own topics.
const SINGLE: &[(&str, &str)] = &[
    ("offsets.topic.replication.factor", "1"),
    ("share.coordinator.state.topic.min.isr", "1"),
    ("share.coordinator.state.topic.replication.factor", "1"),
    ("transaction.state.log.min.isr", "1"),
    ("transaction.state.log.replication.factor", "1"),
];

/// Settings that are said anew, because they depend on the directory, or on the listener that Kafka has besides.
const SAID_ANEW: &[&str] = &[
    "advertised.listeners",
    "broker.id",
    "controller.listener.names",
    "controller.quorum.bootstrap.servers",
    "controller.quorum.voters",
    "inter.broker.listener.name",
    "listener.security.protocol.map",
    "listeners",
    "log.dir",
    "log.dirs",
    "metadata.log.dir",
    "node.id",
    "process.roles",
    "security.inter.broker.protocol",
];

/// Checks, and prints: the properties on stdout, everything else on stderr.
pub(crate) fn run(arguments: &GraduateArguments) -> ExitCode {
    let mut err = io::stderr().lock();
    // Whoever has closed stderr does not want to know.
    let mut say = |line: String| drop(writeln!(err, "{line}"));
    let given = match arguments.settings() {
        Ok((settings, unknown)) => {
            let unknown = unknown.into_iter().map(|unknown| (unknown.key, unknown.value.text)).collect();
            Given { settings, unknown }
        }
        Err(error) => {
            say(format!("wrong settings: {error}"));
            return ExitCode::from(BAD_SETTINGS);
        }
    };
    let outcome = directory(&given.settings).and_then(|dir| Ok((check(&dir)?, dir)));
    let (inspection, dir) = match outcome {
        Ok(found) => found,
        Err(error) => {
            say(format!("not ready: {error}"));
            return ExitCode::from(NOT_READY);
        }
    };
    inspection.notes.iter().for_each(|note| say(format!("note: {note}")));
    inspection.obstacles.iter().for_each(|obstacle| say(format!("not ready: {obstacle}")));
    if !inspection.obstacles.is_empty() {
        return ExitCode::from(NOT_READY);
    }
    match properties(&inspection, &given, &dir) {
        Ok(text) => {
            if let Err(error) = io::stdout().lock().write_all(text.as_bytes()) {
                say(format!("cannot write the properties: {error}"));
                return ExitCode::from(NOT_READY);
            }
            say(format!(
                "ready (topics: {}, partitions: {}). Save what stands on stdout as server.properties, then: \
                 bin/kafka-server-start.sh server.properties",
                inspection.topics, inspection.partitions
            ));
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(format!("wrong settings: {error}"));
            ExitCode::from(BAD_SETTINGS)
        }
    }
}

/// The settings, and what stood beside them.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) settings: Settings,
    /// What is no setting here: a plugin of Kafka's may know it.
    pub(crate) unknown: BTreeMap<String, String>,
}

type Failure = Box<dyn std::error::Error>;

/// Where Kafka will find it, from wherever it is started.
fn directory(settings: &Settings) -> Result<PathBuf, Failure> {
    Ok(std::path::absolute(settings.data_dir()?)?)
}

fn check(dir: &Path) -> Result<Inspection, Failure> {
    // Without the file nobody serves the directory; taking the lock would make it.
    let _lock = match dir.join(".lock").exists() {
        true => Some(DirLock::take(dir)?),
        false => None,
    };
    Ok(inspect(&RealDisk::new(), dir)?)
}

/// The whole file.
fn properties(inspection: &Inspection, given: &Given, dir: &Path) -> Result<String, SettingError> {
    let Inspection { node_id, cluster_id, voter, .. } = inspection;
    let listeners = given.settings.listeners()?;
    let (controller, address) = controller(voter.as_ref(), &listeners, &given.settings)?;
    let name = controller.name.clone();
    // A listener that is told to nobody is none of these.
    let advertised = given.settings.advertised_listeners()?;
    let list =
        |endpoints: &[Endpoint]| endpoints.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let protocols = listeners.iter().map(|endpoint| &endpoint.name).chain([&name]);
    let protocols: BTreeSet<String> = protocols.map(|name| format!("{name}:PLAINTEXT")).collect();
    let quorum = match voter {
        Some(_) => ("controller.quorum.bootstrap.servers", address),
        None => ("controller.quorum.voters", format!("{node_id}@{address}")),
    };
    let mut parts = vec![
        ("process.roles", "broker,controller".to_owned()),
        ("node.id", node_id.to_string()),
        quorum,
        ("controller.listener.names", name.clone()),
        ("listeners", format!("{},{controller}", list(&listeners))),
    ];
    if given.settings.given("advertised.listeners").is_some() {
        parts.push(("advertised.listeners", list(&advertised)));
    }
    parts.extend([
        ("listener.security.protocol.map", protocols.into_iter().collect::<Vec<_>>().join(",")),
        ("inter.broker.listener.name", inter_broker(&given.settings, &advertised)),
        ("log.dirs", dir.to_string_lossy().into_owned()),
    ]);

    let mut text = format!(
        "# Apache Kafka 4.1 on the data directory of node {node_id} of the cluster {cluster_id}, as Ottla served it.\n\
         # Start it with: bin/kafka-server-start.sh, and the name of this file.\n\n"
    );
    parts.iter().for_each(|(key, value)| text.push_str(&line(key, value)));
    text.push_str("\n# One node can keep one copy of these.\n");
    SINGLE.iter().for_each(|(key, value)| text.push_str(&line(key, value)));

    let known = given.settings.all_given().map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut told: BTreeMap<String, String> = given.unknown.clone();
    told.extend(known);
    told.retain(|key, _| {
        !key.starts_with("ottla.")
            && !SAID_ANEW.contains(&key.as_str())
            && SINGLE.iter().all(|(single, _)| single != key)
    });
    if !told.is_empty() {
        let _ = write!(text, "\n# What Ottla was told.\n");
        told.iter().for_each(|(key, value)| text.push_str(&line(key, value)));
    }
    Ok(text)
}

/// The listener that brokers would use: the one that was named, else the first.
fn inter_broker(settings: &Settings, advertised: &[Endpoint]) -> String {
    let first = || advertised[0].name.clone();
    settings.inter_broker_listener_name().map_or_else(first, |name| name.to_ascii_uppercase())
}

/// Where the controller listens, and the address that it is found at: where the log says, or what `controller.*` says, else
/// beside the broker.
fn controller(
    voter: Option<&VoterEndpoint>,
    listeners: &[Endpoint],
    settings: &Settings,
) -> Result<(Endpoint, String), SettingError> {
    let address = |host: &str, port: u16| {
        let host = if host.is_empty() { "localhost" } else { host };
        let endpoint = Endpoint { name: String::new(), host: host.to_owned(), port }.to_string();
        endpoint.trim_start_matches("://").to_owned()
    };
    if let Some(VoterEndpoint { name, host, port }) = voter {
        let endpoint = Endpoint { name: name.clone(), host: host.clone(), port: *port };
        return Ok((endpoint, address(host, *port)));
    }
    let told = settings.controller_address();
    if let Some(endpoint) = settings.controller_listeners()?.into_iter().next() {
        let address = match &told {
            Some((host, port)) => address(host, *port),
            None => address(&endpoint.host, endpoint.port),
        };
        return Ok((endpoint, address));
    }
    let is_free = |port: &u16| listeners.iter().all(|listener| listener.port != *port);
    let usual = || ("localhost".to_owned(), (CONTROLLER_PORT..).find(is_free).unwrap_or(CONTROLLER_PORT));
    let (host, port) = told.unwrap_or_else(usual);
    let taken = listeners.iter().any(|listener| listener.name == "CONTROLLER");
    let name = if taken { "KRAFT" } else { "CONTROLLER" };
    let address = address(&host, port);
    Ok((Endpoint { name: name.to_owned(), host, port }, address))
}

/// One line, escaped as Java reads it.
fn line(key: &str, value: &str) -> String {
    let mut bytes = Vec::new();
    let mut writer = PropertiesWriter::new(&mut bytes);
    writer.write(key, value).and_then(|()| writer.finish()).expect("a vector takes every byte");
    drop(writer);
    String::from_utf8(bytes).expect("properties are ASCII")
}

#[cfg(test)]
mod tests {
    use base::NodeId;

    use super::*;

    fn inspection(voter: Option<VoterEndpoint>) -> Inspection {
        Inspection {
            node_id: NodeId(3),
            cluster_id: "4L6g3nShT-eMCtK--X86sw".to_owned(),
            voter,
            topics: 1,
            partitions: 1,
            obstacles: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn lines(voter: Option<VoterEndpoint>, pairs: &[(&str, &str)], unknown: &[(&str, &str)]) -> Vec<String> {
        let mut settings = Settings::default();
        pairs.iter().for_each(|(key, value)| settings.set(key, value).expect("allowed"));
        let unknown = unknown.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let text = properties(&inspection(voter), &Given { settings, unknown }, Path::new("/data dir"));
        let lines = text.expect("sound").lines().map(str::to_owned).collect::<Vec<_>>();
        lines.into_iter().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
    }

    #[test]
    fn one_node_in_both_roles() {
        let lines = lines(None, &[], &[]);
        assert_eq!(
            lines[..8],
            [
                "process.roles=broker,controller",
                "node.id=3",
                "controller.quorum.voters=3@localhost\\:9093",
                "controller.listener.names=CONTROLLER",
                "listeners=PLAINTEXT\\://127.0.0.1\\:9092,CONTROLLER\\://localhost\\:9093",
                "listener.security.protocol.map=CONTROLLER\\:PLAINTEXT,PLAINTEXT\\:PLAINTEXT",
                "inter.broker.listener.name=PLAINTEXT",
                "log.dirs=/data\\ dir",
            ]
        );
        assert_eq!(lines.len(), 8 + SINGLE.len());
    }

    #[test]
    fn what_was_given_is_said_again_but_for_what_the_directory_says() {
        let given = [
            ("num.partitions", "3"),
            ("listeners", "OUT://h:9093,CONTROLLER://h:9095"),
            ("listener.security.protocol.map", "OUT:PLAINTEXT,CONTROLLER:PLAINTEXT"),
            ("advertised.listeners", "OUT://broker.example:7,CONTROLLER://h:8"),
            ("log.dirs", "elsewhere"),
        ];
        let lines =
            lines(None, &given, &[("offsets.topic.num.partitions", "5"), ("process.roles", "broker")]);
        assert_eq!(lines[3], "controller.listener.names=KRAFT");
        assert_eq!(lines[4], "listeners=OUT\\://h\\:9093,CONTROLLER\\://h\\:9095,KRAFT\\://localhost\\:9094");
        assert_eq!(lines[5], "advertised.listeners=OUT\\://broker.example\\:7,CONTROLLER\\://h\\:8");
        assert_eq!(lines[lines.len() - 2..], ["num.partitions=3", "offsets.topic.num.partitions=5"]);
        assert_eq!(lines.iter().filter(|line| line.starts_with("process.roles")).count(), 1);
    }

    #[test]
    fn a_configuration_of_kafkas_is_said_again_as_it_was() {
        let given = [
            ("process.roles", "broker,controller"),
            ("node.id", "3"),
            ("controller.quorum.voters", "3@broker:29093"),
            ("controller.listener.names", "C"),
            ("listeners", "C://:29093,OUT://:9092,IN://:19092"),
            ("listener.security.protocol.map", "C:PLAINTEXT,OUT:PLAINTEXT,IN:PLAINTEXT"),
            ("advertised.listeners", "OUT://localhost:9092,IN://broker:19092"),
            ("inter.broker.listener.name", "IN"),
        ];
        let lines = lines(None, &given, &[]);
        assert_eq!(
            lines[2..8],
            [
                "controller.quorum.voters=3@broker\\:29093",
                "controller.listener.names=C",
                "listeners=OUT\\://\\:9092,IN\\://\\:19092,C\\://\\:29093",
                "advertised.listeners=OUT\\://localhost\\:9092,IN\\://broker\\:19092",
                "listener.security.protocol.map=C\\:PLAINTEXT,IN\\:PLAINTEXT,OUT\\:PLAINTEXT",
                "inter.broker.listener.name=IN",
            ]
        );
    }

    #[test]
    fn a_voter_in_the_log_stays_where_it_is() {
        let voter = VoterEndpoint { name: "C".into(), host: "h".into(), port: 29 };
        let lines = lines(Some(voter), &[], &[]);
        assert_eq!(lines[2], "controller.quorum.bootstrap.servers=h\\:29");
        assert!(lines[4].ends_with(",C\\://h\\:29"), "{}", lines[4]);
    }
}
