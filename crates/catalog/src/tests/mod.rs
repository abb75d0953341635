//! The catalogue through its public face, on disks of all kinds.

mod broker_settings;
mod changes;
mod cleaning;
mod configs;
mod crashes;
mod deleted_records;
mod durability;
mod faults;
mod fresh;
mod inspection;
mod kafka;
mod quotas;
mod recovery_points;
mod refusals;
mod restarts;
mod snapshots;
mod transactions;

use std::path::Path;
use std::sync::Arc;

use base::{Millis, NodeId, Offset, PartitionIndex, Uuid};
use bytes::Bytes;
use disk::Disk;
use records::control::ControlType;
use records::{
    BatchBuilder, BatchHeader, BatchRules, NewRecord, TimestampType, TopicCompression, records_of,
};
use settings::{Endpoint, Settings};
use testkit::CrashDisk;
use wire::metadata_records::MetadataRecord;
use wire::{Value, decode_exact};

use crate::batches::Batches;
use crate::{Catalog, CatalogConfig, NewTopic, OpenError};

/// Where the data directory of a test is.
pub(crate) const DIR: &str = "/ottla-data";

pub(crate) const NOW: Millis = Millis(1_795_369_603_000);

/// Ids that count up from `seed`, so that tests can name them.
pub(crate) fn ids(seed: u128) -> Box<dyn FnMut() -> Uuid + Send> {
    let mut last = seed << 64;
    Box::new(move || {
        last += 1;
        Uuid::from_u128(last)
    })
}

pub(crate) fn config(dir: &Path) -> CatalogConfig {
    CatalogConfig {
        data_dir: dir.to_owned(),
        node_id: NodeId(1),
        cluster_id: Some("4L6g3nShT-eMCtK--X86sw".into()),
        endpoints: vec![Endpoint { name: "PLAINTEXT".into(), host: "127.0.0.1".into(), port: 9092 }],
        settings: Arc::new(Settings::default()),
    }
}

/// Opens the catalogue on a disk in memory.
pub(crate) fn open(disk: &CrashDisk, seed: u128) -> Result<Arc<Catalog>, OpenError> {
    Catalog::open_unlocked(disk.shared(), config(Path::new(DIR)), ids(seed), NOW)
}

pub(crate) fn topic(name: &str, partitions: i32) -> NewTopic {
    NewTopic { partitions, ..NewTopic::with_defaults(name) }
}

/// Creates a topic that there is no reason to refuse.
pub(crate) fn create(catalog: &Catalog, name: &str, partitions: i32) -> Uuid {
    catalog.create_topics(vec![topic(name, partitions)], false, NOW).remove(0).unwrap().id
}

/// Appends one record to partition 0 of `topic` and says where it went.
pub(crate) fn append(catalog: &Catalog, topic: Uuid, value: &str) -> Offset {
    let mut builder = BatchBuilder::new(Offset::ZERO);
    builder.push(&NewRecord { timestamp: NOW, value: Some(value.as_bytes()), ..NewRecord::default() });
    let batch = records::check(&builder.build(), 9, &rules(), NOW).unwrap();
    let partition = catalog.partition(topic, PartitionIndex(0)).unwrap();
    partition.append(&batch, NOW).unwrap().base_offset
}

/// Rules that refuse nothing.
pub(crate) fn rules() -> BatchRules {
    BatchRules {
        compression: TopicCompression::Producer,
        timestamp_type: TimestampType::CreateTime,
        max_message_bytes: 1 << 20,
        timestamp_before_max_ms: i64::MAX,
        timestamp_after_max_ms: i64::MAX,
        keys_required: false,
        max_decompressed_bytes: 1 << 20,
    }
}

/// The names in a directory.
pub(crate) fn names(disk: &dyn Disk, dir: impl AsRef<Path>) -> Vec<String> {
    disk.list(dir.as_ref()).unwrap().into_iter().map(|entry| entry.name).collect()
}

/// The names and leader epochs of all topics' partitions: `a-0 e0`.
pub(crate) fn partitions(catalog: &Catalog) -> Vec<String> {
    let of = |topic: &Arc<crate::Topic>| -> Vec<String> {
        let infos = (0..).zip(&topic.partitions);
        infos.map(|(index, info)| format!("{}-{index} e{}", topic.name, info.leader_epoch)).collect()
    };
    catalog.topics().iter().flat_map(of).collect()
}

/// The metadata log, one line per record: batch number, offset, leader epoch, and the record as Kafka's tools name it.
pub(crate) fn metadata_lines(disk: &dyn Disk, dir: &Path) -> Vec<String> {
    let path = dir.join("__cluster_metadata-0/00000000000000000000.log");
    let mut batches = Batches::open(disk, &path).unwrap();
    let mut lines = Vec::new();
    let mut number = 0;
    while let Some(batch) = batches.next().unwrap() {
        let (_, batch) = batch.unwrap();
        let header = BatchHeader::parse(&batch).unwrap();
        for record in records_of(&batch, 1 << 20).unwrap().iter() {
            let record = record.unwrap();
            let text = if header.attributes.is_control() {
                control(record.key.unwrap(), record.value.unwrap())
            } else {
                let (record, version) =
                    MetadataRecord::decode(Bytes::copy_from_slice(record.value.unwrap())).unwrap();
                format!("{} v{version} {}", record.name(), compact(&record.value(version)))
            };
            lines.push(format!("{number} @{} e{} {text}", record.offset(&header), header.leader_epoch));
        }
        number += 1;
    }
    lines
}

fn control(key: &[u8], value: &[u8]) -> String {
    let control = ControlType::parse(key).unwrap();
    assert_eq!(control, ControlType::LeaderChange);
    let version = i16::from_be_bytes([value[0], value[1]]);
    let message: wire::control_records::LeaderChangeMessage =
        decode_exact(Bytes::copy_from_slice(value), version).unwrap();
    format!("{} v{version} {}", control.name(), compact(&wire::Message::value(&message, version)))
}

/// Short enough to read in an assertion.
pub(crate) fn compact(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Bool(bool) => bool.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Str(text) => text.clone(),
        Value::Uuid(id) => format!("#{:x}", id.as_u128()),
        Value::Bytes(bytes) => format!("{bytes:?}"),
        Value::List(list) => format!("[{}]", list.iter().map(compact).collect::<Vec<_>>().join(" ")),
        Value::Struct(fields) => {
            let field = |(name, value): &(&'static str, Value)| format!("{name}={}", compact(value));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(" "))
        }
    }
}
