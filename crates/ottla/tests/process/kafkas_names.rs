//! Kafka's start script and storage tool, which the image and init containers call, and what is said at a start in
//! Kafka's place.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

const OTTLA: &str = env!("CARGO_BIN_EXE_ottla");
const ID: &str = "MkU3OEVBNTcwNTJENDM2Qk";

/// A folder with links of Kafka's names, a server.properties, and a place for data.
struct Place {
    folder: TempDir,
    port: u16,
}

impl Place {
    fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["kafka-storage.sh", "kafka-server-start.sh"] {
            symlink(OTTLA, folder.path().join(name)).expect("a link");
        }
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let place = Self { folder, port: free.expect("a free port").port() };
        let text = format!(
            "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@localhost:9093\n\
             controller.listener.names=CONTROLLER\nlisteners=PLAINTEXT://127.0.0.1:{},CONTROLLER://:9093\n\
             log.dirs={}\n{more}",
            place.port,
            place.data().display()
        );
        fs::write(place.file(), text).expect("written");
        place
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("server.properties")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, name: &str, words: &[&str]) -> Command {
        let mut command = Command::new(self.folder.path().join(name));
        command.args(words);
        command
    }

    fn storage(&self, words: &[&str]) -> (i32, String, String) {
        ended(&mut self.command("kafka-storage.sh", words))
    }

    fn format(&self, words: &[&str]) -> (i32, String, String) {
        let file = self.file();
        self.storage(&[&["format", "-c", file.to_str().expect("text")], words].concat())
    }
}

fn ended(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code().expect("it ends by itself"), text(stdout), text(stderr))
}

/// The broker, once it has said that it has started; with what it said.
fn started(command: &mut Command) -> (Child, Vec<String>) {
    let mut broker = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut said = Vec::new();
    for line in BufReader::new(broker.stdout.take().expect("piped")).lines() {
        said.push(line.expect("text"));
        if said.last().is_some_and(|line| line.contains("Kafka Server started")) {
            return (broker, said);
        }
    }
    panic!("it ended with {:?}: {said:#?}", broker.wait());
}

fn stop(mut broker: Child) {
    let pid = rustix::process::Pid::from_child(&broker);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    assert_eq!(broker.wait().expect("it ends").code(), Some(0));
}

fn cluster_of(data: &Path) -> String {
    let text = fs::read_to_string(data.join("meta.properties")).expect("formatted");
    text.lines().find_map(|line| line.strip_prefix("cluster.id=")).expect("an id").to_owned()
}

#[test]
fn the_storage_tool_formats_once() {
    let place = Place::new("");
    let (code, id, _) = place.storage(&["random-uuid"]);
    assert!(code == 0 && id.trim_end().len() == 22, "{id}");
    assert_ne!(place.storage(&["random-uuid"]).1, id);

    let (code, out, _) = place.storage(&["info", "--config", place.file().to_str().expect("text")]);
    assert!(code == 1 && out.contains("data does not exist"), "{out}");
    let (code, out, err) = place.format(&["-t", ID]);
    assert!(code == 0 && out.starts_with("Formatting metadata directory "), "{out}{err}");
    assert_eq!(cluster_of(&place.data()), ID);
    let (code, _, err) = place.format(&["--cluster-id", ID]);
    assert!(code == 1 && err.contains("is already formatted. Use --ignore-formatted"), "{err}");
    let (code, out, _) = place.format(&["-t", ID, "--ignore-formatted"]);
    assert_eq!((code, out.as_str()), (0, "All of the log directories are already formatted.\n"));
    let (code, _, err) = place.format(&["-t", id.trim_end(), "-g"]);
    assert!(code == 1 && err.starts_with("Invalid cluster.id in: "), "{err}");
    let (code, out, _) = place.storage(&["info", "-c", place.file().to_str().expect("text")]);
    assert!(code == 0 && out.contains(&format!("cluster.id={ID}, directory.id=")), "{out}");
}

#[test]
fn what_the_storage_tool_cannot_do_is_refused_by_name() {
    let place = Place::new("");
    for (words, named) in [
        (&["--add-scram", "x"][..], "--add-scram is not supported"),
        (&["-f", "kraft.version=1"], "--feature is not supported"),
        (&["-r", "3.9"], "--release-version 3.9 is not supported"),
        (&["--standalone"], "controller.quorum.voters"),
        (&["--frobnicate"], "--frobnicate"),
    ] {
        let (code, out, err) = place.format(&[&["-t", ID], words].concat());
        assert!(code == 1 && out.is_empty() && err.contains(named), "{words:?}: {err}");
    }
    assert!(!place.data().exists());
    fs::write(place.file(), "node.id=1\n").expect("written");
    let (code, _, err) = place.format(&["-t", ID]);
    assert!(
        code == 1
            && err.contains("Missing required configuration \"process.roles\" which has no default value."),
        "{err}"
    );
}

#[test]
fn kafkas_start_script_takes_the_file_alone_and_says_what_kafka_says() {
    let place = Place::new("num.partitions=2\n");
    assert_eq!(place.format(&["-t", ID]).0, 0);
    let file = place.file().display().to_string();
    let mut start = place.command("kafka-server-start.sh", &[&file, "--override", "broker.rack=r"]);
    // Neither is Kafka's to look at here.
    start.env("KAFKA_NUM_PARTITIONS", "nonsense").env("CLUSTER_ID", "another");
    let (broker, said) = started(start.env("KAFKA_LOG4J_ROOT_LOGLEVEL", "ERROR"));
    let [running, server] = said.last_chunk().expect("two lines");
    assert_eq!(said.len(), 2, "the rest is below the level: {said:#?}");
    let tail = "] INFO [BrokerLifecycleManager id=1] The broker has been unfenced. Transitioning from RECOVERY to RUNNING. \
                (kafka.server.BrokerLifecycleManager)";
    assert!(running.ends_with(tail), "{running}");
    assert!(
        server.ends_with(
            "] INFO [KafkaRaftServer nodeId=1] Kafka Server started (kafka.server.KafkaRaftServer)"
        )
    );
    let (time, digits) =
        (&running[..24], |range: std::ops::Range<usize>| running[range].bytes().all(|b| b.is_ascii_digit()));
    assert!(
        time.starts_with('[') && &time[11..12] == " " && &time[20..21] == "," && digits(21..24),
        "{running}"
    );

    // Who waits for the line may connect at once.
    let health = |config: &str| ended(Command::new(OTTLA).args(["health", "--config", config]));
    assert_eq!(health(&file), (0, format!("127.0.0.1:{} answers\n", place.port), String::new()));
    stop(broker);
    assert_eq!(health(&file).0, 1);
    assert_eq!(health("/nowhere").0, 1);
    assert_eq!(cluster_of(&place.data()), ID);
}

#[test]
fn the_images_defaults_are_kafkas() {
    let place = Place::new("");
    let file = place.file().display().to_string();
    let words = ["serve", "--defaults", "kafka", "--log-format", "kafka", "--config", &file];
    let mut serve = Command::new(OTTLA);
    // Kafka takes any text for the id of a cluster.
    let (broker, said) = started(serve.args(words).env("CLUSTER_ID", "mine"));
    assert!(said.iter().any(|line| line.contains(" INFO ") && line.ends_with("(ottla.serve)")), "{said:#?}");
    stop(broker);
    assert_eq!(cluster_of(&place.data()), "mine");

    let (code, out, _) = ended(Command::new(OTTLA).args(&words[..5]).env("KAFKA_NUM_PARTITIONS", "3"));
    assert!(code == 1 && out.contains("\"process.roles\"") && out.contains("KAFKA_PROCESS_ROLES"), "{out}");
}
