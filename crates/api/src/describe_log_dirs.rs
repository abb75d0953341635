//! DescribeLogDirs (key 35): how much lies in the log directory (KIP-113, KIP-827). There is one.
//!
//! As in Kafka (`ReplicaManager.describeLogDirs`) partitions that do not exist are left out, one that is named twice is
//! told once, and the metadata log is not told of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{PartitionIndex, Uuid};
use catalog::{Catalog, Topics};
use wire::StrBytes;
use wire::messages::describe_log_dirs::{
    DescribableLogDirTopic, DescribeLogDirsPartition, DescribeLogDirsRequest, DescribeLogDirsResponse,
    DescribeLogDirsResult, DescribeLogDirsTopic,
};

use crate::answer::{Handled, body, outcome};
use crate::blocking;
use crate::broker::Request;
use crate::code::Code;

pub(crate) fn handle(catalog: &Arc<Catalog>, request: &Request) -> Handled {
    let version = request.version();
    let asked: DescribeLogDirsRequest = body(request)?;
    let catalog = catalog.clone();
    Ok(blocking::answer(move || {
        let results = vec![describe(&catalog, asked.topics.as_deref())];
        outcome(&DescribeLogDirsResponse { results, ..DescribeLogDirsResponse::default() }, version)
    }))
}

fn describe(catalog: &Catalog, asked: Option<&[DescribableLogDirTopic]>) -> DescribeLogDirsResult {
    let log_dir = StrBytes::from(catalog.log_dir().to_string_lossy().into_owned());
    let volume = match catalog.volume() {
        Ok(volume) => volume,
        Err(error) => {
            tracing::warn!("{error}");
            let error_code = Code::KafkaStorageError.into();
            return DescribeLogDirsResult { error_code, log_dir, ..DescribeLogDirsResult::default() };
        }
    };
    DescribeLogDirsResult {
        error_code: Code::None.into(),
        log_dir,
        topics: topics(catalog, asked),
        total_bytes: bytes(volume.map(|volume| volume.total)),
        usable_bytes: bytes(volume.map(|volume| volume.usable)),
    }
}

/// -1 stands for what nobody knows.
fn bytes(number: Option<u64>) -> i64 {
    number.map_or(-1, |number| i64::try_from(number).unwrap_or(i64::MAX))
}

fn topics(catalog: &Catalog, asked: Option<&[DescribableLogDirTopic]>) -> Vec<DescribeLogDirsTopic> {
    let known = catalog.topics();
    let mut topics = Vec::new();
    for (name, (id, partitions)) in wanted(&known, asked) {
        let partition = |index: i32| {
            let size = catalog.partition_size(id, PartitionIndex(index))?;
            Some(DescribeLogDirsPartition {
                partition_index: index,
                partition_size: i64::try_from(size).unwrap_or(i64::MAX),
                // The one copy there is holds all that there is.
                offset_lag: 0,
                is_future_key: false,
            })
        };
        let partitions: Vec<_> = partitions.into_iter().filter_map(partition).collect();
        if !partitions.is_empty() {
            topics.push(DescribeLogDirsTopic { name: StrBytes::from(name.to_owned()), partitions });
        }
    }
    topics
}

/// The partitions that are asked for and exist, by topic.
fn wanted<'a>(
    known: &'a Topics,
    asked: Option<&[DescribableLogDirTopic]>,
) -> BTreeMap<&'a str, (Uuid, BTreeSet<i32>)> {
    let mut wanted = BTreeMap::new();
    let Some(asked) = asked else {
        for topic in known.iter() {
            let all = (0..).zip(&topic.partitions).map(|(index, _)| index).collect();
            wanted.insert(&*topic.name, (topic.id, all));
        }
        return wanted;
    };
    for asked in asked {
        let Some(topic) = known.by_name(&asked.topic) else { continue };
        let (_, partitions) = wanted.entry(&*topic.name).or_insert_with(|| (topic.id, BTreeSet::new()));
        partitions.extend(
            asked.partitions.iter().filter(|index| topic.partition(PartitionIndex(**index)).is_some()),
        );
    }
    wanted
}
