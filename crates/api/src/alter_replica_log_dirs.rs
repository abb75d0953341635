//! AlterReplicaLogDirs (key 34): moves partitions between log directories (KIP-113). There is one, so the only move there
//! is ends where it began.
//!
//! Of a partition that is named twice the last directory counts, and it is answered once, as in Kafka
//! (`ReplicaManager.alterReplicaLogDirs`).

use std::collections::HashMap;
use std::path::Path;

use catalog::Catalog;
use wire::StrBytes;
use wire::messages::alter_replica_log_dirs::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult, AlterReplicaLogDirsRequest,
    AlterReplicaLogDirsResponse,
};

use crate::answer::{Handled, body, ready};
use crate::broker::Request;
use crate::code::Code;
use crate::partitions::partition;

/// Most characters of the directory that a move would be made in (KAFKA-4893).
const LONGEST_DIRECTORY: usize = 255;
/// What such a directory's name has behind topic and partition: a dot, 32 hexadecimal digits and `-future`.
const SUFFIX: usize = 40;

pub(crate) fn handle(catalog: &Catalog, request: &Request) -> Handled {
    let asked: AlterReplicaLogDirsRequest = body(request)?;
    let log_dir = catalog.log_dir();
    let mut results: Vec<AlterReplicaLogDirTopicResult> = Vec::new();
    let mut topics: HashMap<StrBytes, usize> = HashMap::new();
    let mut partitions: HashMap<(usize, i32), usize> = HashMap::new();
    for dir in &asked.dirs {
        for topic in &dir.topics {
            for &index in &topic.partitions {
                let code = alter(catalog, &log_dir, &dir.path, &topic.name, index);
                let place = *topics.entry(topic.name.clone()).or_insert_with(|| {
                    let topic_name = topic.name.clone();
                    results.push(AlterReplicaLogDirTopicResult { topic_name, partitions: Vec::new() });
                    results.len() - 1
                });
                let told = &mut results[place].partitions;
                let at = *partitions.entry((place, index)).or_insert(told.len());
                let result =
                    AlterReplicaLogDirPartitionResult { partition_index: index, error_code: code.into() };
                match told.get_mut(at) {
                    Some(earlier) => *earlier = result,
                    None => told.push(result),
                }
            }
        }
    }
    let response = AlterReplicaLogDirsResponse { results, ..AlterReplicaLogDirsResponse::default() };
    ready(&response, request.version())
}

fn alter(catalog: &Catalog, log_dir: &Path, path: &str, topic: &str, index: i32) -> Code {
    if format!("{topic}-{index}").encode_utf16().count() + SUFFIX > LONGEST_DIRECTORY {
        return Code::InvalidTopicException;
    }
    if log_dir.as_os_str() != path {
        return Code::LogDirNotFound;
    }
    let known = catalog.topics();
    let found = match known.by_name(topic) {
        Some(topic) => partition(catalog, topic, index),
        None => Err(Code::UnknownTopicOrPartition),
    };
    match found {
        Ok(_) => Code::None,
        // The code that clients of this API know.
        Err(Code::NotLeaderOrFollower) => Code::ReplicaNotAvailable,
        Err(code) => code,
    }
}
