//! Brokers, controllers and the features of the cluster.
//!
//! RegisterBrokerRecord: version 1 adds the controlled shutdown, 2 the migration from ZooKeeper, 3 the log directories.
//! BrokerRegistrationChangeRecord: version 1 adds the controlled shutdown, 2 the log directories (KIP-858).

use uuid::Uuid;

use crate::{Message, StrBytes};

/// Registers a broker, once per run of its process.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 0, versions = "0-3", flexible = "0+")]
pub struct RegisterBrokerRecord {
    /// Node id of the broker.
    pub broker_id: i32,
    /// Whether it is a ZooKeeper broker on its way to KRaft.
    #[field(versions = "2+")]
    pub is_migrating_zk_broker: bool,
    /// A random id of this run of the process.
    pub incarnation_id: Uuid,
    /// The broker epoch: the offset of its registration.
    pub broker_epoch: i64,
    /// Where it listens.
    pub end_points: Vec<BrokerEndpoint>,
    /// The features it supports.
    pub features: Vec<BrokerFeature>,
    /// Its rack; null when it has none.
    pub rack: Option<StrBytes>,
    /// Whether it is fenced, which a broker is until it has caught up.
    #[field(default = true)]
    pub fenced: bool,
    /// Whether it is about to stop.
    #[field(versions = "1+")]
    pub in_controlled_shutdown: bool,
    /// Ids of its log directories that are online.
    #[field(versions = "3+", tag = 0)]
    pub log_dirs: Vec<Uuid>,
}

/// A listener of the broker.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct BrokerEndpoint {
    /// The listener.
    pub name: StrBytes,
    /// Its host name.
    pub host: StrBytes,
    /// Its port.
    pub port: u16,
    /// 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.
    pub security_protocol: i16,
}

/// A feature that the broker supports.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct BrokerFeature {
    /// The feature.
    pub name: StrBytes,
    /// Its lowest level.
    pub min_supported_version: i16,
    /// Its highest level.
    pub max_supported_version: i16,
}

/// Changes the registration of a broker.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 17, versions = "0-2", flexible = "0+")]
pub struct BrokerRegistrationChangeRecord {
    /// Node id of the broker.
    pub broker_id: i32,
    /// The broker epoch: the offset of its registration.
    pub broker_epoch: i64,
    /// 1 fences the broker, -1 lifts that, 0 changes nothing.
    #[field(tag = 0)]
    pub fenced: i8,
    /// 1 for a broker that is about to stop, 0 changes nothing.
    #[field(versions = "1+", tag = 1)]
    pub in_controlled_shutdown: i8,
    /// Ids of its log directories that are online; empty changes nothing.
    #[field(versions = "2+", tag = 2)]
    pub log_dirs: Vec<Uuid>,
}

/// Removes a broker from the cluster.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 1, versions = "0", flexible = "0+")]
pub struct UnregisterBrokerRecord {
    /// Node id of the broker.
    pub broker_id: i32,
    /// The broker epoch: the offset of its registration.
    pub broker_epoch: i64,
}

/// Fences a broker. Written by old releases only; today a [`BrokerRegistrationChangeRecord`] says it.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 7, versions = "0", flexible = "0+")]
pub struct FenceBrokerRecord {
    /// Node id of the broker.
    pub id: i32,
    /// Its broker epoch.
    pub epoch: i64,
}

/// Unfences a broker. Written by old releases only; today a [`BrokerRegistrationChangeRecord`] says it.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 8, versions = "0", flexible = "0+")]
pub struct UnfenceBrokerRecord {
    /// Node id of the broker.
    pub id: i32,
    /// Its broker epoch.
    pub epoch: i64,
}

/// Registers a controller, once per run of its process.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 27, versions = "0", flexible = "0+")]
pub struct RegisterControllerRecord {
    /// Node id of the controller.
    pub controller_id: i32,
    /// A random id of this run of the process.
    pub incarnation_id: Uuid,
    /// Whether it is set up for a migration from ZooKeeper.
    pub zk_migration_ready: bool,
    /// Where it listens.
    pub end_points: Vec<ControllerEndpoint>,
    /// The features it supports.
    pub features: Vec<ControllerFeature>,
}

/// A listener of the controller.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ControllerEndpoint {
    /// The listener.
    pub name: StrBytes,
    /// Its host name.
    pub host: StrBytes,
    /// Its port.
    pub port: u16,
    /// 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.
    pub security_protocol: i16,
}

/// A feature that the controller supports.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ControllerFeature {
    /// The feature.
    pub name: StrBytes,
    /// Its lowest level.
    pub min_supported_version: i16,
    /// Its highest level.
    pub max_supported_version: i16,
}

/// Sets the level of a feature.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 12, versions = "0", flexible = "0+")]
pub struct FeatureLevelRecord {
    /// The feature.
    pub name: StrBytes,
    /// Its level; 0 switches it off.
    pub feature_level: i16,
}

/// How far a migration from ZooKeeper has come. A fresh cluster says 0.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 21, versions = "0", flexible = "0+")]
pub struct ZkMigrationStateRecord {
    /// 0 for a cluster that never was on ZooKeeper, else how far it has come.
    pub zk_migration_state: i8,
}
