//! Acknowledged means flushed: how many acks a second the disk, Ottla and Apache Kafka give when every record is synced.

use std::fs::{self, File};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use testkit::raw::{RawClient, batch, produce};
use wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use wire::messages::init_producer_id::InitProducerIdRequest;

/// How long each is measured.
const TIME: Duration = Duration::from_secs(3);

/// Bytes of a record's value.
const VALUE: usize = 100;

/// What a batch of one such record takes on disk.
const BATCH: usize = 61 + 10 + VALUE;

/// Appends as large as a batch, each followed by `fdatasync`, a second, by one thread, in a file of `directory`.
pub(crate) fn disk_rate(directory: &Path) -> f64 {
    let mut file = File::create(directory.join("appended")).expect("a file can be made");
    let mut syncs = 0;
    let started = Instant::now();
    while started.elapsed() < TIME {
        file.write_all(&[7; BATCH])
            .and_then(|()| file.sync_data())
            .expect("a file can be written and synced");
        syncs += 1;
    }
    f64::from(syncs) / started.elapsed().as_secs_f64()
}

/// Acks a second when each of `producers` sends a record as soon as its last one is acknowledged, over `partitions`
/// partitions of a new topic.
pub(crate) fn acks(address: SocketAddr, topic: &str, producers: usize, partitions: usize) -> f64 {
    create(address, topic, partitions);
    let started = Instant::now();
    let producing = |number: usize| {
        let mut client = connect(address);
        let id = client
            .call(&InitProducerIdRequest { transactional_id: None, ..Default::default() }, 4)
            .expect("a producer id");
        let mut sequence = 0;
        while started.elapsed() < TIME {
            let records = batch((id.producer_id, id.producer_epoch, sequence), &[&[b'x'; VALUE]]);
            let partition = (number % partitions) as i32;
            let answer = client.call(&produce(topic, partition, records), 12).expect("an answer");
            assert_eq!(answer.responses[0].partition_responses[0].error_code, 0, "{answer:?}");
            sequence += 1;
        }
        sequence
    };
    let acks: i32 = thread::scope(|scope| {
        let producing = &producing;
        let threads: Vec<_> = (0..producers).map(|number| scope.spawn(move || producing(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a producer does not panic")).sum()
    });
    f64::from(acks) / started.elapsed().as_secs_f64()
}

fn connect(address: SocketAddr) -> RawClient {
    let client = RawClient::connect(address).expect("the broker listens");
    client.set_patience(Duration::from_secs(60)).expect("a socket takes a time limit");
    client
}

/// Makes the topic, and waits until it takes records.
fn create(address: SocketAddr, name: &str, partitions: usize) {
    let mut client = connect(address);
    let topic = CreatableTopic {
        name: name.to_owned().into(),
        num_partitions: partitions as i32,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
    let answer = client.call(&request, 5).expect("an answer");
    assert_eq!(answer.topics[0].error_code, 0, "{answer:?}");
    let deadline = Instant::now() + Duration::from_secs(30);
    for partition in 0..partitions {
        loop {
            let records = batch((-1, -1, -1), &[b"first"]);
            let answer = client.call(&produce(name, partition as i32, records), 12).expect("an answer");
            if answer.responses[0].partition_responses[0].error_code == 0 {
                break;
            }
            assert!(Instant::now() < deadline, "{answer:?}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Apache Kafka in one process, on a directory of its own.
pub(crate) struct Kafka {
    process: Child,
    pub(crate) address: SocketAddr,
    _directory: tempfile::TempDir,
}

impl Kafka {
    /// Starts the Kafka whose jars are in the directory `jars`, with an fsync per record.
    pub(crate) fn start(jars: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let free = || {
            let listener = TcpListener::bind("127.0.0.1:0").expect("loopback works");
            listener.local_addr().expect("a bound socket has an address")
        };
        let (address, controller) = (free(), free());
        let settings = directory.path().join("server.properties");
        let text = format!(
            "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@{controller}\n\
             listeners=PLAINTEXT://{address},CONTROLLER://{controller}\ncontroller.listener.names=CONTROLLER\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             log.dirs={}\noffsets.topic.replication.factor=1\nlog.flush.interval.messages=1\n",
            directory.path().join("data").display()
        );
        fs::write(&settings, text).expect("a file can be written");
        let classes = format!("{jars}/*");
        let java = |class: &str| {
            let mut java = Command::new("java");
            java.args(["-Xmx1g", "-cp", &classes, class]).stdout(Stdio::null()).stderr(Stdio::null());
            java
        };
        let format = java("kafka.tools.StorageTool")
            .args(["format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c"])
            .arg(&settings)
            .status();
        assert!(format.expect("java runs").success(), "the storage tool of {jars} formats a directory");
        let process = java("kafka.Kafka").arg(&settings).spawn().expect("java runs");
        let deadline = Instant::now() + Duration::from_secs(60);
        while RawClient::connect(address).is_err() {
            assert!(Instant::now() < deadline, "Kafka does not listen");
            thread::sleep(Duration::from_millis(100));
        }
        Self { process, address, _directory: directory }
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
