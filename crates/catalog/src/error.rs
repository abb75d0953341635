//! What can go wrong.

use std::path::PathBuf;

use base::{LeaderEpoch, NodeId, Offset, PartitionIndex, Uuid};
use disk::{DiskError, LockError};
use log::LogError;
use partition::PartitionError;
use settings::SettingError;
use state_machines::topics::{Absurd, Refusal};

use crate::meta_properties::MetaPropertiesError;
use crate::open_transactions::OpenTransaction;

/// Why a data directory cannot be served. But for the first three, nothing was changed in it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The metadata log could not be opened or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// What a start writes into the metadata log could not be written.
    #[error(transparent)]
    Start(CatalogError),
    /// The broker's own settings do not make up a topic's.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Another process serves it, or its lock file cannot be had.
    #[error("{0}; stop what uses it, or choose another directory")]
    Locked(LockError),
    /// A file stands where the directory should be.
    #[error("the data directory {} is no directory; choose another path", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// There is nothing to look at.
    #[error("the data directory {} is missing or empty; name the one that was served", path.display())]
    Nothing {
        /// The path.
        path: PathBuf,
    },
    /// Something else wrote here.
    #[error(
        "the directory {} is not empty and holds no meta.properties, so it is no Kafka data directory (it holds {found:?}, \
         for example); choose an empty or a new one", path.display()
    )]
    NotOurs {
        /// The data directory.
        path: PathBuf,
        /// One of the entries.
        found: String,
    },
    /// A metadata log stands here, and nothing says whose it is.
    #[error(
        "the data directory {} holds a metadata log, but its meta.properties is missing; put that back from a copy, or write \
         it anew with the lines version=1, node.id=... and cluster.id=...", path.display()
    )]
    NoMetaProperties {
        /// The data directory.
        path: PathBuf,
    },
    /// A sub-directory that Kafka does not know, and would not start with either.
    #[error(
        "the data directory {} holds {found:?}, which is no partition's directory; move it elsewhere", path.display()
    )]
    ForeignSubdir {
        /// The data directory.
        path: PathBuf,
        /// The sub-directory.
        found: String,
    },
    /// The copy of a partition that was moving to another log directory.
    #[error(
        "the data directory {} holds {found:?}: a move of that partition between log directories was never finished, and \
         Ottla serves one log directory only; let Kafka finish the move, or, if there is no other directory, remove this \
         copy", path.display()
    )]
    UnfinishedMove {
        /// The data directory.
        path: PathBuf,
        /// The copy's directory.
        found: String,
    },
    /// `meta.properties` is not understood.
    #[error("cannot understand {}: {source}", path.display())]
    MetaProperties {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: MetaPropertiesError,
    },
    /// The directory belongs to another cluster.
    #[error(
        "the data directory {} belongs to the cluster {stored}, not to {wanted}; choose another directory", path.display()
    )]
    OtherCluster {
        /// The data directory.
        path: PathBuf,
        /// The cluster that it belongs to.
        stored: String,
        /// The cluster that was asked for.
        wanted: String,
    },
    /// The directory belongs to another node.
    #[error(
        "the data directory {} belongs to node {stored}, not to node {wanted}; set node.id={stored}, or choose another \
         directory", path.display()
    )]
    OtherNode {
        /// The data directory.
        path: PathBuf,
        /// The node that it belongs to.
        stored: NodeId,
        /// The node that was asked for.
        wanted: NodeId,
    },
    /// The metadata log, or what the directory says about its quorum, cannot be served by one node alone.
    #[error("the data directory {} cannot be served: {why}", path.display())]
    Unservable {
        /// The data directory.
        path: PathBuf,
        /// The reason.
        why: Unservable,
    },
    /// The metadata log is damaged or not understood.
    #[error("cannot understand the metadata log in {}: {why}", path.display())]
    Metadata {
        /// The metadata log's directory, or the file in it.
        path: PathBuf,
        /// The reason.
        why: MetadataFault,
    },
}

/// What one node alone cannot serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unservable {
    /// There are partitions, and no metadata log that says what they are.
    #[error(
        "it holds {found}, and no metadata log; if metadata.log.dir pointed elsewhere, move its __cluster_metadata-0 \
         here"
    )]
    NoMetadataLog {
        /// The directory of one of the partitions.
        found: String,
    },
    /// The metadata log has other voters.
    #[error(
        "node {voter} votes on its metadata log, and Ottla runs as a single node {node}; serve it with Kafka, or shrink the \
         quorum to node {node} first (kafka-metadata-quorum.sh remove-controller, or controller.quorum.voters)"
    )]
    OtherVoter {
        /// The other voter.
        voter: NodeId,
        /// This node.
        node: NodeId,
    },
    /// Other brokers are registered.
    #[error(
        "broker {broker} belongs to its cluster too, and Ottla runs as a single node {node}; serve it with Kafka, or move \
         all partitions to node {node} and take the other out (kafka-cluster.sh unregister --id {broker})"
    )]
    OtherBroker {
        /// The other broker.
        broker: NodeId,
        /// This node.
        node: NodeId,
    },
    /// A partition has copies elsewhere, or none here.
    #[error(
        "partition {topic}-{index} is kept by nodes {replicas:?}, and Ottla runs as a single node {node}; serve it with \
         Kafka, and let node {node} alone keep it (kafka-reassign-partitions.sh)"
    )]
    OtherReplicas {
        /// The topic.
        topic: String,
        /// The partition.
        index: PartitionIndex,
        /// The nodes that have copies.
        replicas: Vec<i32>,
        /// This node.
        node: NodeId,
    },
    /// A partition lies in another log directory.
    #[error(
        "partition {topic}-{index} lies in the log directory {directory}, and Ottla serves one log directory only; move it \
         here with Kafka (kafka-reassign-partitions.sh with log_dirs)"
    )]
    OtherDirectory {
        /// The topic.
        topic: String,
        /// The partition.
        index: PartitionIndex,
        /// The id of the other directory.
        directory: String,
    },
    /// The node had several log directories, and which one a partition lies in is not written down.
    #[error(
        "its node had {count} log directories, and partition {topic}-{index} is not in this one; Ottla serves one log \
         directory only: move the partition's directory here, or all of them with Kafka (kafka-reassign-partitions.sh \
         with log_dirs)"
    )]
    SeveralDirectories {
        /// The topic.
        topic: String,
        /// The partition.
        index: PartitionIndex,
        /// How many there were.
        count: usize,
    },
    /// A part of a topic lies in tiered storage.
    #[error(
        "topic {topic} keeps a part of its records in tiered storage (remote.storage.enable=true), which Ottla cannot read; \
         serve it with Kafka, or switch that off for the topic (kafka-configs.sh), which takes the remote part away"
    )]
    TieredStorage {
        /// The topic.
        topic: String,
    },
    /// A transaction has neither committed nor aborted.
    #[error(
        "{transaction} is still open{}, and Ottla does not run transactions yet; start Kafka on the directory, let it \
         commit or abort (kafka-transactions.sh lists, describes and aborts), stop Kafka, and start Ottla again",
        match others { 0 => String::new(), others => format!(", and {others} more") }
    )]
    OpenTransaction {
        /// The first one.
        transaction: OpenTransaction,
        /// How many more there are.
        others: usize,
    },
    /// What the transaction coordinator wrote is not understood, so nobody can tell which transactions are open.
    #[error(
        "the record at offset {offset} of {partition} cannot be read, so that nobody can tell whether a transaction is open: \
         {why} (a newer Kafka than 4.1 may have written it); serve it with Kafka"
    )]
    TransactionState {
        /// The partition's directory.
        partition: String,
        /// The record, or the batch that it is in.
        offset: Offset,
        /// Why not.
        why: String,
    },
    /// A migration from ZooKeeper that was never finished.
    #[error("its migration from ZooKeeper was never finished; finish it with Kafka 3.9")]
    ZkMigration,
    /// A feature was raised above what is understood here.
    #[error(
        "its {feature} is {level}, and Ottla knows {min} to {max}; serve it with the Kafka that raised it, or lower it there \
         (kafka-features.sh downgrade)"
    )]
    FeatureLevel {
        /// The feature.
        feature: String,
        /// The level that the cluster agreed on.
        level: i16,
        /// The lowest known.
        min: i16,
        /// The highest known.
        max: i16,
    },
}

/// What is wrong with a metadata log.
#[derive(Debug, thiserror::Error)]
pub enum MetadataFault {
    /// A record cannot be decoded: a newer Kafka may have written it.
    #[error("the record at offset {offset} cannot be decoded: {why}")]
    Record {
        /// The record.
        offset: Offset,
        /// Why not.
        why: String,
    },
    /// A record does not fit those before it.
    #[error("the record at offset {offset} does not fit those before it: {source}")]
    Absurd {
        /// The record.
        offset: Offset,
        /// Why not.
        source: Absurd,
    },
    /// The records as a whole do not fit each other.
    #[error("{0}")]
    NotWhole(#[from] Absurd),
    /// The beginning of the log is gone and no snapshot stands in for it.
    #[error("it begins at offset {start}, and there is no snapshot of what came before")]
    NoSnapshot {
        /// The first offset.
        start: Offset,
    },
    /// A snapshot is damaged, and without it the log does not reach.
    #[error(
        "this snapshot is damaged {fault}; no older one helps, since without it the log is not enough ({without}); \
         restore it from a copy"
    )]
    DamagedSnapshot {
        /// Where and what.
        fault: String,
        /// What stands in the way of reading the log without it.
        without: Box<MetadataFault>,
    },
    /// The log ends before the newest snapshot does.
    #[error("it ends at offset {end}, before its snapshot, which goes up to {snapshot}")]
    EndsBeforeSnapshot {
        /// The end of the log.
        end: Offset,
        /// The end of the snapshot.
        snapshot: Offset,
    },
    /// Bytes that should be a batch are not, and are not just the last write that a crash cut short.
    #[error("it is damaged at position {position}: {why}; restore it from a copy")]
    Damaged {
        /// Bytes from the start of the file.
        position: u64,
        /// What is wrong.
        why: String,
    },
    /// The log room makes something else of it than was read here.
    #[error("it was read up to offset {read}, but opened up to {opened}; restore it from a copy")]
    TwoReadings {
        /// Where reading ended.
        read: Offset,
        /// Where the opened log ends.
        opened: Offset,
    },
    /// A segment is missing.
    #[error("its segments leave a gap: one ends at offset {end}, the next begins at {next}")]
    Gap {
        /// Where one ends.
        end: Offset,
        /// Where the next one begins.
        next: Offset,
    },
    /// Producer ids run backwards, or none are left.
    #[error("the record at offset {offset} sets the next producer id from {from} to {to}")]
    ProducerIds {
        /// The record.
        offset: Offset,
        /// The next id before.
        from: i64,
        /// The next id after.
        to: i64,
    },
    /// No further leader epoch can be counted.
    #[error("leader epoch {0} is the last there is")]
    LastEpoch(LeaderEpoch),
    /// Its `partition.metadata` names another topic.
    #[error("its partition.metadata names the topic {0}")]
    OtherTopic(Uuid),
}

/// Why a change or an allocation failed (Kafka: KAFKA_STORAGE_ERROR 56, while it stops: NOT_CONTROLLER 41).
#[derive(Clone, Debug, thiserror::Error)]
pub enum CatalogError {
    /// This change could not be written and has not happened; a later one may succeed.
    #[error("cannot write to the metadata log: {reason}")]
    Failed {
        /// What went wrong.
        reason: String,
    },
    /// The metadata log takes no change until a restart, because what it stored last is in doubt.
    #[error("the metadata log takes no changes until the broker restarts: {reason}")]
    Shut {
        /// What happened first.
        reason: String,
    },
    /// [`crate::Catalog::close`] was called.
    #[error("the broker is stopping")]
    Closed,
    /// All producer ids are used up.
    #[error("there are no producer ids left")]
    NoProducerIds,
    /// A stop that could not write everything.
    #[error("the stop was not clean: {reason}")]
    NotClean {
        /// What could not be written.
        reason: String,
    },
}

/// Why a topic was not created, grown or deleted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TopicError {
    /// The rules of topics forbid it; the message is Kafka's, and each variant names its error code.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// `delete.topic.enable` is false (Kafka: TOPIC_DELETION_DISABLED 73).
    #[error("Topic deletion is disabled.")]
    DeletionDisabled,
    /// The client has had too many partitions come and go (Kafka: THROTTLING_QUOTA_EXCEEDED 89).
    #[error("The throttling quota has been exceeded.")]
    OverQuota,
    /// It could not be stored.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Why a configuration is not changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConfigsError {
    /// The rules of configurations forbid it.
    #[error(transparent)]
    Refused(#[from] state_machines::configs::Refusal),
    /// It could not be stored.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Why a partition cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPartition {
    /// No topic of this id has this partition (Kafka: UNKNOWN_TOPIC_OR_PARTITION 3, UNKNOWN_TOPIC_ID 100).
    #[error("there is no partition {index} of topic {topic}")]
    Unknown {
        /// The topic asked for.
        topic: Uuid,
        /// The partition asked for.
        index: PartitionIndex,
    },
    /// It exists, but its log cannot be opened until a restart (Kafka: KAFKA_STORAGE_ERROR 56).
    #[error("partition {topic}-{index} is offline: {reason}")]
    Offline {
        /// The topic's name.
        topic: String,
        /// The partition.
        index: PartitionIndex,
        /// Why the log cannot be opened.
        reason: String,
    },
}

/// Why records were not deleted.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// There is no such partition, or its log cannot be opened.
    #[error(transparent)]
    NoPartition(#[from] NoPartition),
    /// The topic's `cleanup.policy` lacks `delete` (Kafka: POLICY_VIOLATION 44).
    #[error("records are deleted only where cleanup.policy includes delete")]
    KeptByPolicy,
    /// The offset is not within the log, or the partition takes no changes.
    #[error(transparent)]
    Partition(#[from] PartitionError),
}
