//! A full disk under one partition: that partition says so, the others serve on, nothing acknowledged is lost.
//!
//! The partition's directory is a small tmpfs, mounted in a mount namespace of its own (`unshare`, `nsenter`), so that the
//! test needs no rights beyond a user namespace and leaves no mount behind.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the answer, also in the functions that several tests share"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base::{Millis, Offset};
use records::{BatchBuilder, NewRecord};
use testkit::broker::Launch;
use testkit::raw::RawClient;
use wire::Payload;
use wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use wire::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, TopicProduceData,
};

const KAFKA_STORAGE_ERROR: i16 = 56;

/// A mount namespace in which a directory is a tmpfs of 2 MB, three quarters of it taken by a filler.
struct SmallDisk {
    holder: Child,
    filler: PathBuf,
}

impl SmallDisk {
    fn under(directory: &Path) -> Self {
        let script = "cp -a \"$1\" \"$1.saved\" && mount -t tmpfs -o size=2m none \"$1\" && cp -a \"$1.saved/.\" \"$1\" \
            && rm -r \"$1.saved\" && head -c 1500000 /dev/zero > \"$1/filler\" && echo mounted && exec cat";
        let mut holder = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c", script, "sh"])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "mounted\n", "a tmpfs can be mounted in a user namespace");
        let seen_from_outside = format!("/proc/{}/root{}", holder.id(), directory.join("filler").display());
        Self { holder, filler: seen_from_outside.into() }
    }

    /// A program that runs `binary` within the namespace.
    fn wrapper(&self, binary: &str, at: &Path) -> PathBuf {
        let pid = self.holder.id();
        let script = format!(
            "#!/bin/sh\nexec nsenter --target {pid} --user --mount --preserve-credentials {binary} \"$@\"\n"
        );
        fs::write(at, script).unwrap();
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
        at.to_owned()
    }

    fn free_space(&self) {
        fs::remove_file(&self.filler).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _gone = self.holder.kill();
        let _status = self.holder.wait();
    }
}

fn produce(client: &mut RawClient, topic: &str, bytes: usize) -> PartitionProduceResponse {
    let mut batch = BatchBuilder::new(Offset::ZERO);
    batch.push(&NewRecord { timestamp: Millis(1), value: Some(&vec![b'x'; bytes]), ..Default::default() });
    let request = ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: topic.to_owned().into(),
            partition_data: vec![PartitionProduceData {
                index: 0,
                records: Some(Payload::Bytes(batch.build())),
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut answer = client.call(&request, 9).unwrap();
    answer.responses.remove(0).partition_responses.remove(0)
}

fn end_offset(client: &mut RawClient, topic: &str) -> i64 {
    let partition = ListOffsetsPartition { timestamp: -1, ..Default::default() };
    let topic = ListOffsetsTopic { name: topic.to_owned().into(), partitions: vec![partition] };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
    client.call(&request, 7).unwrap().topics[0].partitions[0].offset
}

#[test]
fn a_full_disk_stops_one_partition_and_loses_nothing() {
    let binary = env!("CARGO_BIN_EXE_ottla");
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let broker = Launch::of(binary).data_dir(&data).start();
    let topics = ["full", "other"].map(|name| CreatableTopic {
        name: name.into(),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    });
    let request = CreateTopicsRequest { topics: topics.to_vec(), ..Default::default() };
    assert!(broker.connect().call(&request, 7).unwrap().topics.iter().all(|topic| topic.error_code == 0));
    assert!(broker.stop().success());

    let disk = SmallDisk::under(&data.join("full-0"));
    let wrapper = disk.wrapper(binary, &home.path().join("ottla-in-namespace"));
    let broker = Launch::of(wrapper).data_dir(&data).asked_for("full-0").start();
    let mut client = broker.connect();
    let mut acknowledged = 0;
    let refused = loop {
        let answer = produce(&mut client, "full", 50_000);
        if answer.error_code != 0 {
            break answer;
        }
        acknowledged += 1;
        assert!(acknowledged < 100, "2 MB hold no more than forty of these");
    };
    assert!(acknowledged > 0);
    assert_eq!((refused.error_code, refused.base_offset), (KAFKA_STORAGE_ERROR, -1));
    let line = broker.wait_for_line("full-0");
    assert!(line.contains("No space left"), "{line}");
    assert_eq!(produce(&mut client, "other", 50_000).error_code, 0, "the other partition serves on");
    assert_eq!(end_offset(&mut client, "full"), acknowledged, "what is there can still be read");

    disk.free_space();
    let broker = broker.restart();
    let mut client = broker.connect();
    assert_eq!(end_offset(&mut client, "full"), acknowledged);
    assert_eq!(produce(&mut client, "full", 50_000).base_offset, acknowledged);
    assert_eq!(end_offset(&mut client, "other"), 1);
}
