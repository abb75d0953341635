//! Runs the built broker as a process of its own, so that it can be killed.
//!
//! ```no_run
//! use testkit::broker::Launch;
//!
//! # fn binary() -> &'static str { "target/debug/ottla" }
//! // In a test of the crate `ottla`: Launch::of(env!("CARGO_BIN_EXE_ottla"))
//! let broker = Launch::of(binary()).set("num.partitions", "3").start();
//! let client = broker.connect();
//! let broker = broker.kill().start();
//! assert_eq!(broker.stop().code(), Some(0));
//! ```

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::raw::RawClient;

/// How long the broker may take for anything before a test gives it up: far more than it needs, on a machine busy with
/// other tests too.
const PATIENCE: Duration = Duration::from_secs(60);

/// The line by which the broker says that it accepts connections, up to the address.
const READY: &str = "ottla ready on ";

/// What to start, and where. Starting again from the same value finds the same data at the same port.
#[derive(Clone, Debug)]
pub struct Launch {
    binary: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    data_dir: PathBuf,
    /// Removes the data directory when the last value that speaks of it goes.
    _own: Option<Arc<TempDir>>,
    listen: String,
    /// Whether `--listen` and `--data-dir` are given.
    is_placed: bool,
    asked_for: Vec<String>,
}

impl Launch {
    /// The broker at `binary`, on a free port of 127.0.0.1, with an empty data directory that goes with the last value
    /// of this.
    ///
    /// # Panics
    /// When no temporary directory can be made.
    #[must_use]
    pub fn of(binary: impl Into<PathBuf>) -> Self {
        let own = TempDir::with_prefix("ottla-").expect("a temporary directory");
        Self {
            binary: binary.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            data_dir: own.path().join("data"),
            _own: Some(Arc::new(own)),
            listen: "127.0.0.1:0".to_owned(),
            is_placed: true,
            asked_for: Vec::new(),
        }
    }

    /// Adds `--set key=value`.
    #[must_use]
    pub fn set(self, key: &str, value: &str) -> Self {
        self.argument("--set").argument(&format!("{key}={value}"))
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Sets an environment variable, such as `RUST_LOG`.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Says neither where to listen nor where the data is: that is for the caller, in a file or by [`Launch::environment`].
    /// What [`Launch::path`] says should be the place of the data all the same.
    #[must_use]
    pub fn unplaced(mut self) -> Self {
        self.is_placed = false;
        self
    }

    /// Uses a data directory that the caller keeps.
    #[must_use]
    pub fn data_dir(mut self, data_dir: impl Into<PathBuf>) -> Self {
        self.data_dir = data_dir.into();
        self
    }

    /// Listens at `address` instead of at any free port.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address.to_string();
        self
    }

    /// Lines with this text may be warnings or errors. Any other such line fails the test when the broker ends.
    #[must_use]
    pub fn asked_for(mut self, text: &str) -> Self {
        self.asked_for.push(text.to_owned());
        self
    }

    /// Where the data is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.data_dir
    }

    /// Starts the broker and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready; the message holds what it said.
    #[must_use]
    pub fn start(&self) -> Broker {
        match self.try_start() {
            Ok(broker) => broker,
            Err(refusal) => {
                panic!("the broker ended with {} and said:\n{}", refusal.status, refusal.log.join("\n"))
            }
        }
    }

    /// Starts the broker and waits until it is ready, or has ended.
    ///
    /// # Errors
    /// When it ends before it is ready.
    ///
    /// # Panics
    /// When the binary cannot be run, or does neither within a minute.
    pub fn try_start(&self) -> Result<Broker, Refusal> {
        let mut command = Command::new(&self.binary);
        command.arg("serve");
        if self.is_placed {
            command.args(["--listen", &self.listen]).arg("--data-dir").arg(&self.data_dir);
        }
        // What stands in the environment of whoever runs the tests is not for this broker.
        for (name, _) in std::env::vars_os() {
            if name == "CLUSTER_ID" || name.to_string_lossy().starts_with("KAFKA_") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("cannot run {}: {e}", self.binary.display()));
        let said = Said::listen_to(child.stderr.take().expect("it is piped"));
        let ready = said.wait_for(address_in);
        let address = match ready {
            Heard::Line(address) => address,
            Heard::End => {
                let status = child.wait().expect("a child can be waited for");
                return Err(Refusal { status, log: said.finish() });
            }
            Heard::Nothing => {
                let _gone = child.kill();
                let _status = child.wait();
                panic!(
                    "the broker was not ready within {PATIENCE:?} and said:\n{}",
                    said.finish().join("\n")
                );
            }
        };
        let launch = self.clone().listen(address);
        Ok(Broker { running: Some(Running { child, said }), address, launch })
    }
}

/// The address in the line that says that the broker is ready.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, behind) = line.split_once(READY)?;
    let end = behind.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(behind.len());
    behind[..end].parse().ok()
}

/// A broker that did not become ready.
#[derive(Debug)]
pub struct Refusal {
    /// How it ended.
    pub status: ExitStatus,
    /// What it said on stderr, by line.
    pub log: Vec<String>,
}

/// A running broker. Dropped, it is killed; its log must then be free of warnings and errors nobody asked for.
#[derive(Debug)]
pub struct Broker {
    running: Option<Running>,
    address: SocketAddr,
    launch: Launch,
}

#[derive(Debug)]
struct Running {
    child: Child,
    said: Said,
}

impl Broker {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its data is.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.launch.data_dir
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running().child.id()
    }

    /// A new connection.
    ///
    /// # Panics
    /// When it is refused.
    #[must_use]
    pub fn connect(&self) -> RawClient {
        RawClient::connect(self.address).expect("a ready broker accepts connections")
    }

    /// What it said so far, by line.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.running().said.lines()
    }

    /// Waits for a line that holds `text`, and gives it.
    ///
    /// # Panics
    /// When none comes within a minute.
    #[must_use]
    pub fn wait_for_line(&self, text: &str) -> String {
        match self.running().said.wait_for(|line| line.contains(text).then(|| line.to_owned())) {
            Heard::Line(line) => line,
            Heard::End | Heard::Nothing => panic!("no line with {text:?} in:\n{}", self.log().join("\n")),
        }
    }

    /// Kills it as `kill -9` does, and gives what starts it again: the same data, the same port.
    ///
    /// # Panics
    /// When its log holds a warning or an error nobody asked for.
    #[must_use]
    pub fn kill(mut self) -> Launch {
        self.end(|child| child.kill().expect("a child that was not waited for can be killed"));
        self.launch.clone()
    }

    /// Sends SIGTERM without waiting.
    ///
    /// # Panics
    /// When it has ended already.
    pub fn terminate(&self) {
        ask_to_stop(&self.running().child);
    }

    /// Stops it with SIGTERM, waits, and says how it ended.
    ///
    /// # Panics
    /// When it does not end within a minute, or its log holds a warning or an error nobody asked for.
    #[must_use]
    pub fn stop(mut self) -> ExitStatus {
        self.end(|child| ask_to_stop(child))
    }

    /// [`Self::stop`], which must end with code 0, and what starts it again.
    ///
    /// # Panics
    /// As [`Self::stop`], and with any other exit code.
    #[must_use]
    pub fn restart(mut self) -> Self {
        let status = self.end(|child| ask_to_stop(child));
        assert_eq!(status.code(), Some(0), "a clean stop");
        self.launch.start()
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("only ending it takes it away")
    }

    fn end(&mut self, how: impl FnOnce(&mut Child)) -> ExitStatus {
        let Running { mut child, said } = self.running.take().expect("it ends once");
        how(&mut child);
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                break status;
            }
            if Instant::now() > deadline {
                let _gone = child.kill();
                let _status = child.wait();
                panic!("the broker did not end within {PATIENCE:?} and said:\n{}", said.finish().join("\n"));
            }
            thread::sleep(Duration::from_millis(5));
        };
        self.judge(&said.finish());
        status
    }

    /// A warning or an error that no test asked for fails the test.
    fn judge(&self, log: &[String]) {
        let loud =
            |line: &&String| [" WARN ", " ERROR ", "panicked at"].iter().any(|word| line.contains(word));
        let expected = |line: &&String| self.launch.asked_for.iter().any(|text| line.contains(text));
        let unasked: Vec<&String> = log.iter().filter(loud).filter(|line| !expected(line)).collect();
        assert!(unasked.is_empty(), "the broker complained: {unasked:#?}");
    }
}

fn ask_to_stop(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, Signal::TERM).expect("a child that was not waited for can be signalled");
}

impl Drop for Broker {
    fn drop(&mut self) {
        let Some(Running { mut child, said }) = self.running.take() else { return };
        let _gone = child.kill();
        let _status = child.wait();
        let log = said.finish();
        if thread::panicking() {
            show(&log);
        } else {
            self.judge(&log);
        }
    }
}

#[expect(clippy::print_stderr, reason = "the test harness shows it only with a failed test")]
fn show(log: &[String]) {
    eprintln!("the broker said:\n{}", log.join("\n"));
}

/// The lines that the broker writes to stderr, collected by a thread so that its pipe never fills.
#[derive(Debug)]
struct Said {
    heard: Arc<(Mutex<Lines>, Condvar)>,
    collector: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<String>,
    ended: bool,
}

enum Heard<T> {
    Line(T),
    End,
    Nothing,
}

impl Said {
    fn listen_to(stderr: ChildStderr) -> Self {
        let heard = Arc::new((Mutex::new(Lines::default()), Condvar::new()));
        let collected = Arc::clone(&heard);
        let collector = thread::spawn(move || {
            let (lines, more) = &*collected;
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                lines.lock().lines.push(String::from_utf8_lossy(&line).into_owned());
                more.notify_all();
            }
            lines.lock().ended = true;
            more.notify_all();
        });
        Self { heard, collector }
    }

    fn lines(&self) -> Vec<String> {
        self.heard.0.lock().lines.clone()
    }

    /// Waits for the first line, old or new, that `wanted` takes.
    fn wait_for<T>(&self, wanted: impl Fn(&str) -> Option<T>) -> Heard<T> {
        let (lines, more) = &*self.heard;
        let deadline = Instant::now() + PATIENCE;
        let mut lines = lines.lock();
        let mut seen = 0;
        loop {
            if let Some(found) = lines.lines[seen..].iter().find_map(|line| wanted(line)) {
                return Heard::Line(found);
            }
            if lines.ended {
                return Heard::End;
            }
            seen = lines.lines.len();
            if more.wait_until(&mut lines, deadline).timed_out() {
                return Heard::Nothing;
            }
        }
    }

    /// All lines, once the process has ended.
    fn finish(self) -> Vec<String> {
        let _ended = self.collector.join();
        std::mem::take(&mut self.heard.0.lock().lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stand-in that speaks as the broker does, written in shell.
    fn stand_in(script: &str) -> Launch {
        use std::os::unix::fs::PermissionsExt;

        let launch = Launch::of("");
        let path = launch.path().with_file_name("stand-in");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Launch { binary: path, ..launch }
    }

    const SERVES: &str = "trap 'echo stopping >&2; exit 0' TERM\necho \"args $*\" >&2\n\
         echo '2026-01-01T00:00:00Z  INFO ottla: ottla ready on 127.0.0.1:4711' >&2\nwhile :; do sleep 0.01; done";

    #[test]
    fn it_waits_for_the_line_and_stops_with_sigterm() {
        let broker = stand_in(SERVES).set("num.partitions", "3").start();
        assert_eq!(broker.address().port(), 4711);
        let said = broker.wait_for_line("args");
        let data = broker.data_dir().display();
        assert_eq!(said, format!("args serve --listen 127.0.0.1:0 --data-dir {data} --set num.partitions=3"));
        assert_eq!(broker.stop().code(), Some(0));
    }

    #[test]
    fn killed_it_starts_again_on_the_same_port_and_data() {
        let broker = stand_in(SERVES).start();
        let data = broker.data_dir().to_owned();
        let broker = broker.kill().start();
        assert_eq!(broker.data_dir(), data);
        assert!(broker.wait_for_line("args").contains("--listen 127.0.0.1:4711"));
    }

    #[test]
    fn a_broker_that_refuses_to_start_says_why() {
        let refusal = stand_in("echo 'ERROR the port is taken' >&2; exit 1").try_start().unwrap_err();
        assert_eq!(
            (refusal.status.code(), refusal.log),
            (Some(1), vec!["ERROR the port is taken".to_owned()])
        );
    }

    #[test]
    #[should_panic(expected = "the broker complained")]
    fn a_warning_nobody_asked_for_fails_the_test() {
        let broker = stand_in(&format!("echo '2026 WARN ottla: hm' >&2\n{SERVES}")).start();
        drop(broker);
    }

    #[test]
    fn a_warning_that_was_asked_for_does_not() {
        let broker = stand_in(&format!("echo '2026 WARN ottla: hm' >&2\n{SERVES}")).asked_for("hm").start();
        drop(broker);
    }

    #[test]
    fn the_address_is_found_in_text_and_in_json() {
        for line in ["INFO ottla: ottla ready on [::1]:9", "{\"message\":\"ottla ready on [::1]:9\"}"] {
            assert_eq!(address_in(line), Some("[::1]:9".parse().unwrap()), "{line}");
        }
        assert_eq!(address_in("ottla ready on nothing"), None);
    }
}
