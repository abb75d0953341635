//! The records that a start writes: feature levels into a fresh log, this process as controller and broker, and this
//! node as leader of its partitions.

use base::{NodeId, Offset, PartitionIndex, Uuid};
use settings::Endpoint;
use state_machines::topics::{PartitionChange, PartitionInfo, Record, Topics};
use wire::metadata_records::nodes::{BrokerEndpoint, BrokerFeature, ControllerEndpoint, ControllerFeature};
use wire::metadata_records::{
    AbortTransactionRecord, BeginTransactionRecord, BrokerRegistrationChangeRecord, ConfigRecord,
    EndTransactionRecord, FeatureLevelRecord, MetadataRecord, RegisterBrokerRecord, RegisterControllerRecord,
};

use crate::convert::{self, BROKER_RESOURCE};
use crate::features::{ELIGIBLE_LEADER_REPLICAS, FRESH, Levels, SUPPORTED};

/// Where the only voter of a fresh cluster is said to listen. Nothing does: there is nobody to talk to.
const CONTROLLER: (&str, &str, u16) = ("CONTROLLER", "localhost", 9093);

/// Most records in one batch (Kafka: `QuorumController.MAX_RECORDS_PER_BATCH`).
pub(crate) const MOST_RECORDS: usize = 10_000;

pub(crate) const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";

/// BrokerRegistrationChangeRecord's values of `fenced`.
const FENCE: i8 = 1;
const UNFENCE: i8 = -1;

/// A record and its version.
pub(crate) type Versioned = (MetadataRecord, i16);

/// Drops a transaction that another start left open.
pub(crate) fn abort() -> Versioned {
    (AbortTransactionRecord { reason: Some("Controller failover".into()) }.into(), 0)
}

/// The records of an empty log: `given` by the format tool, or the levels that Kafka 4.1 sets
/// (Kafka: `ActivationRecordsGenerator.recordsForEmptyLog`). `min_insync_replicas` is the broker's setting, which
/// eligible leader replicas pin for the whole cluster (KIP-966).
pub(crate) fn bootstrap(given: Option<Vec<Versioned>>, min_insync_replicas: i32) -> Vec<Versioned> {
    let level = |&(name, level): &(&'static str, i16)| {
        (FeatureLevelRecord { name: name.into(), feature_level: level }.into(), 0)
    };
    let mut records = given.unwrap_or_else(|| FRESH.iter().map(level).collect());
    let mut levels = Levels::default();
    for (record, _) in &records {
        if let MetadataRecord::FeatureLevel(record) = record {
            levels.set(&record.name, record.feature_level);
        }
    }
    if levels.of(ELIGIBLE_LEADER_REPLICAS) > 0 {
        records.push(self::min_insync_replicas(min_insync_replicas));
    }
    if levels.has_transactions() {
        records.insert(0, (BeginTransactionRecord { name: Some("Bootstrap records".into()) }.into(), 0));
        records.push((EndTransactionRecord {}.into(), 0));
    }
    records
}

/// Pins `min.insync.replicas` for the whole cluster.
pub(crate) fn min_insync_replicas(value: i32) -> Versioned {
    let pinned = ConfigRecord {
        resource_type: BROKER_RESOURCE,
        name: MIN_INSYNC_REPLICAS.into(),
        value: Some(value.to_string().into()),
        ..ConfigRecord::default()
    };
    (pinned.into(), 0)
}

/// Who is being registered.
#[derive(Debug)]
pub(crate) struct Process<'a> {
    pub(crate) node: NodeId,
    /// A random id of this run as controller, and as broker.
    pub(crate) incarnations: [Uuid; 2],
    pub(crate) directory: Uuid,
    pub(crate) endpoints: &'a [Endpoint],
    /// `broker.rack`.
    pub(crate) rack: Option<String>,
}

/// Registers the process in a batch that begins at `base`, and says which broker epoch that gives.
pub(crate) fn register(process: &Process<'_>, levels: &Levels, base: Offset) -> (Vec<Versioned>, i64) {
    let mut records = Vec::new();
    if levels.has_controller_registration() {
        records.push((controller(process), 0));
    }
    let broker_epoch = base.0 + i64::try_from(records.len()).expect("0 or 1");
    records.push((broker(process, levels, broker_epoch), levels.register_broker_version()));
    records.push(fence(process.node, broker_epoch, UNFENCE));
    (records, broker_epoch)
}

/// The last record of a clean stop. Without it Kafka, started on this directory, would take this process for alive until
/// its session had timed out.
pub(crate) fn farewell(node: NodeId, broker_epoch: i64) -> Versioned {
    fence(node, broker_epoch, FENCE)
}

fn fence(node: NodeId, broker_epoch: i64, fenced: i8) -> Versioned {
    let change = BrokerRegistrationChangeRecord {
        broker_id: node.0,
        broker_epoch,
        fenced,
        ..BrokerRegistrationChangeRecord::default()
    };
    (change.into(), 0)
}

fn controller(process: &Process<'_>) -> MetadataRecord {
    let (name, host, port) = CONTROLLER;
    let feature = |range: &crate::FeatureRange| ControllerFeature {
        name: range.name.into(),
        min_supported_version: range.min,
        max_supported_version: range.max,
    };
    RegisterControllerRecord {
        controller_id: process.node.0,
        incarnation_id: process.incarnations[0],
        zk_migration_ready: false,
        end_points: vec![ControllerEndpoint {
            name: name.into(),
            host: host.into(),
            port,
            security_protocol: 0,
        }],
        features: SUPPORTED.iter().map(feature).collect(),
    }
    .into()
}

fn broker(process: &Process<'_>, levels: &Levels, broker_epoch: i64) -> MetadataRecord {
    let endpoint = |endpoint: &Endpoint| BrokerEndpoint {
        name: endpoint.name.clone().into(),
        host: endpoint.host.clone().into(),
        port: endpoint.port,
        security_protocol: 0,
    };
    let feature = |range: &crate::FeatureRange| BrokerFeature {
        name: range.name.into(),
        min_supported_version: range.min,
        max_supported_version: range.max,
    };
    RegisterBrokerRecord {
        broker_id: process.node.0,
        incarnation_id: process.incarnations[1],
        broker_epoch,
        end_points: process.endpoints.iter().map(endpoint).collect(),
        features: SUPPORTED.iter().map(feature).collect(),
        rack: process.rack.clone().map(Into::into),
        fenced: true,
        log_dirs: if levels.has_directories() { vec![process.directory] } else { Vec::new() },
        ..RegisterBrokerRecord::default()
    }
    .into()
}

/// Makes `node` the leader of every partition that has none, as Kafka leaves them on a clean stop. After an unclean stop
/// of ours, `bump_all` raises the leader epoch of the others as well: their end may have been cut, and consumers find
/// that out by the epoch (OffsetForLeaderEpoch).
pub(crate) fn elections(topics: &Topics, node: NodeId, bump_all: bool) -> Vec<Record> {
    let mut records = Vec::new();
    for topic in topics.iter() {
        for (index, info) in (0..).zip(&topic.partitions) {
            if let Some(change) = election(info, node, bump_all) {
                records.push(Record::PartitionChange {
                    topic: topic.id,
                    index: PartitionIndex(index),
                    change,
                });
            }
        }
    }
    records
}

fn election(info: &PartitionInfo, node: NodeId, bump: bool) -> Option<PartitionChange> {
    let leads = info.leader == Some(node) && info.isr == [node];
    if leads && !bump {
        return None;
    }
    let cleared = |list: &[NodeId]| (!list.is_empty()).then(Vec::new);
    Some(PartitionChange {
        leader: Some(Some(node)),
        isr: (info.isr != [node]).then(|| vec![node]),
        eligible_leaders: cleared(&info.eligible_leaders),
        last_known_eligible_leaders: cleared(&info.last_known_eligible_leaders),
        ..PartitionChange::default()
    })
}

/// `records` as the metadata log stores them.
pub(crate) fn to_wire(records: Vec<Record>, levels: &Levels) -> Vec<Versioned> {
    records.into_iter().map(|record| convert::to_wire(record, levels)).collect()
}
