//! The broker that a suite talks to.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use super::{Against, Trouble};
use crate::command::{Workspace, can_run};

/// A cluster id, as Kafka's tool wants one to format a directory.
const CLUSTER_ID: &str = "Zx3MQ1j6T3mnAwkqnW1qXA";

/// In the value of a setting: the broker's address.
pub(super) const ADDRESS: &str = "{address}";

/// How much Ottla says: also which batches it refuses, and why.
const LEVELS: &str = "info,partition=debug";

/// A broker on a directory that was empty; killed when dropped.
#[derive(Debug)]
pub(super) struct Broker {
    command: Command,
    /// What it says once it answers.
    ready: &'static str,
    child: Child,
    /// The file with all that it says; each line that begins with a time has it in UTC, as `2026-11-29T12:00:00`.
    pub(super) log: PathBuf,
    /// `HOST:PORT`, where clients begin.
    pub(super) address: String,
}

impl Broker {
    /// Starts the broker below `place`, whose former contents go. Returns once it answers.
    pub(super) fn start(
        workspace: &Workspace,
        against: Against,
        place: &Path,
        settings: &[(&str, &str)],
    ) -> Result<Self, Trouble> {
        let failed = |why: io::Error| Trouble::Failed(format!("the broker does not start: {why}"));
        if place.exists() {
            fs::remove_dir_all(place).map_err(failed)?;
        }
        fs::create_dir_all(place).map_err(failed)?;
        let address = free().map_err(failed)?.to_string();
        let settings: Vec<_> =
            settings.iter().map(|(key, value)| (*key, value.replace(ADDRESS, &address))).collect();
        let log = place.join("broker.log");
        match against {
            Against::Ottla => {
                let binary = ottla(workspace)?;
                let mut command = Command::new(binary);
                command
                    .env("OTTLA_LOG", LEVELS)
                    .args(["serve", "--listen", &address, "--data-dir"])
                    .arg(place.join("data"));
                for (key, value) in settings {
                    command.arg("--set").arg(format!("{key}={value}"));
                }
                Self::launch(command, "ottla ready on ", log, address).map_err(failed)
            }
            Against::Kafka => {
                let command = kafka(workspace, place, &address, &settings)?;
                Self::launch(command, "Kafka Server started", log, address).map_err(failed)
            }
        }
    }

    fn launch(mut command: Command, ready: &'static str, log: PathBuf, address: String) -> io::Result<Self> {
        let child = started(&mut command, ready, &log)?;
        Ok(Self { command, ready, child, log, address })
    }

    /// SIGKILL, and a new start on what it has left.
    pub(super) fn kill_and_start(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.child = started(&mut self.command, self.ready, &self.log)?;
        Ok(())
    }
}

/// Runs the broker until it says `ready`. All that it says, then and later, goes to the end of `log`.
fn started(command: &mut Command, ready: &str, log: &Path) -> io::Result<Child> {
    let mut log = File::options().append(true).create(true).open(log)?;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let errors = child.stderr.take().ok_or_else(|| io::Error::other("it has no standard error"))?;
    let mut lines = BufReader::new(errors).lines().map_while(move |line| {
        let line = line.ok()?;
        writeln!(log, "{line}").ok()?;
        Some(line)
    });
    let mut last = String::new();
    let said = lines.by_ref().any(|line| {
        let found = line.contains(ready);
        last = line;
        found
    });
    if !said {
        return Err(io::Error::other(format!("it ends before it is ready: {last}")));
    }
    // Read on, so that it never waits for somebody to read; warnings and errors are shown.
    thread::spawn(move || {
        for line in lines {
            if line.contains(" WARN ") || line.contains(" ERROR ") {
                println!("  broker: {line}");
            }
        }
    });
    Ok(child)
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Builds the broker, and says where it is.
pub(super) fn ottla(workspace: &Workspace) -> Result<PathBuf, Trouble> {
    if workspace.cargo().args(["build", "--package", "ottla"]).succeeds() {
        Ok(workspace.target.join("debug/ottla"))
    } else {
        Err(Trouble::Failed("the broker does not build".to_owned()))
    }
}

/// An address on which nobody listens yet.
fn free() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// The command that starts Apache Kafka at this address, on a formatted directory.
fn kafka(
    workspace: &Workspace,
    place: &Path,
    broker: &str,
    settings: &[(&str, String)],
) -> Result<Command, Trouble> {
    let failed = |why: io::Error| Trouble::Failed(format!("Kafka does not start: {why}"));
    let libs = workspace.target.join("kafka/pinned/libs");
    if !libs.is_dir() {
        return Err(Trouble::Missing(
            "needs Kafka's jars, which `cargo xtask test kafka` fetches".to_owned(),
        ));
    }
    if !can_run("java", &["-version"]) {
        return Err(Trouble::Missing("needs java, 17 or later".to_owned()));
    }
    let controller = free().map_err(failed)?;
    let data = place.join("data").display().to_string();
    // Whatever the settings say of it: the voters name it too.
    let node = settings.iter().find(|(key, _)| *key == "node.id").map_or("1", |(_, node)| node.as_str());
    let own = [
        ("process.roles", "broker,controller".to_owned()),
        ("node.id", node.to_owned()),
        ("controller.quorum.voters", format!("{node}@{controller}")),
        ("controller.listener.names", "CONTROLLER".to_owned()),
        ("listeners", format!("PLAINTEXT://{broker},CONTROLLER://{controller}")),
        ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned()),
        ("log.dirs", data),
        ("offsets.topic.replication.factor", "1".to_owned()),
        ("transaction.state.log.replication.factor", "1".to_owned()),
        ("transaction.state.log.min.isr", "1".to_owned()),
    ];
    let lines = own.iter().map(|(key, value)| format!("{key}={value}\n"));
    let more = settings.iter().map(|(key, value)| format!("{key}={value}\n"));
    let properties = place.join("server.properties");
    fs::write(&properties, lines.chain(more).collect::<String>()).map_err(failed)?;
    let java = |words: &[&str]| {
        let mut command = Command::new("java");
        command.args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        command.args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]);
        command.arg("-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info");
        command.args(["-Duser.timezone=UTC", "-Dorg.slf4j.simpleLogger.showDateTime=true"]);
        command.arg("-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss");
        command.arg("-cp").arg(format!("{}/*", libs.display())).args(words);
        command
    };
    let mut format = java(&["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"]);
    let status = format.arg(&properties).stdout(Stdio::null()).status().map_err(failed)?;
    if !status.success() {
        return Err(Trouble::Failed("Kafka cannot format its directory".to_owned()));
    }
    let mut serve = java(&["kafka.Kafka"]);
    serve.arg(&properties);
    Ok(serve)
}
