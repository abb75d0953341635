//! The real binary on real file systems that are full or read-only, and with few files that it may open.
//!
//! File systems are mounted in a mount namespace of their own (`unshare`, `nsenter`), so that the tests need no rights beyond a
//! user namespace and leave no mount behind. A failing fsync cannot be staged this way: it needs a block device, and with it
//! the superuser. That one is played on `testkit::FailingDisk`.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the answer, also in the functions that several tests share"
)]

mod full;
mod namespace;
mod open_files;
mod read_only;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use records::BatchHeader;
use testkit::raw::{self, RawClient};
use wire::Payload;
use wire::messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic, PartitionData};
use wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use wire::messages::produce::PartitionProduceResponse;

const BINARY: &str = env!("CARGO_BIN_EXE_ottla");

const KAFKA_STORAGE_ERROR: i16 = 56;

/// A program that runs `command` with the arguments it is given.
fn wrapper(command: &str, at: &Path) -> PathBuf {
    fs::write(at, format!("#!/bin/sh\n{command} \"$@\"\n")).unwrap();
    fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
    at.to_owned()
}

/// Creates a topic and says with which code.
fn create(client: &mut RawClient, name: &str, num_partitions: i32, configs: &[(&str, &str)]) -> i16 {
    let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
        name: (*name).to_owned().into(),
        value: Some((*value).to_owned().into()),
    };
    let topic = CreatableTopic {
        name: name.to_owned().into(),
        num_partitions,
        replication_factor: 1,
        configs: configs.iter().map(config).collect(),
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
    client.call(&request, 7).unwrap().topics[0].error_code
}

/// Sends one record of so many bytes.
fn produce(client: &mut RawClient, topic: &str, partition: i32, bytes: usize) -> PartitionProduceResponse {
    let batch = raw::batch((-1, -1, -1), &[&vec![b'x'; bytes]]);
    let mut answer = client.call(&raw::produce(topic, partition, batch), 9).unwrap();
    answer.responses.remove(0).partition_responses.remove(0)
}

/// The first batches from `fetch_offset` on.
fn fetch(client: &mut RawClient, topic: &str, partition: i32, fetch_offset: i64) -> PartitionData {
    let partition =
        FetchPartition { partition, fetch_offset, partition_max_bytes: 1 << 20, ..FetchPartition::default() };
    let topic =
        FetchTopic { topic: topic.to_owned().into(), partitions: vec![partition], ..Default::default() };
    let request = FetchRequest { max_bytes: 1 << 20, topics: vec![topic], ..FetchRequest::default() };
    client.call(&request, 11).unwrap().responses.remove(0).partitions.remove(0)
}

/// Whether every offset below `end` can be fetched, each in a batch of its own.
fn holds(client: &mut RawClient, topic: &str, partition: i32, end: i64) -> bool {
    (0..end).all(|offset| {
        let answer = fetch(client, topic, partition, offset);
        let Some(Payload::Bytes(bytes)) = answer.records else { return false };
        let base = BatchHeader::parse(&bytes).map(|header| header.base_offset.0);
        answer.error_code == 0 && base == Ok(offset)
    })
}

fn end_offset(client: &mut RawClient, topic: &str) -> i64 {
    let partition = ListOffsetsPartition { timestamp: -1, ..Default::default() };
    let topic = ListOffsetsTopic { name: topic.to_owned().into(), partitions: vec![partition] };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
    client.call(&request, 7).unwrap().topics[0].partitions[0].offset
}
