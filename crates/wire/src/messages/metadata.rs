//! Metadata (key 3): which topics there are, and where.
//!
//! The first request that a client sends after ApiVersions. It may create topics on the way.
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | null asks for all topics, as an empty list does at version 0; answer: racks, controller, internal topics |
//! | 2 | answer: cluster id |
//! | 3 | answer: throttle time |
//! | 4 | the client says whether topics may be created |
//! | 5 | answer: offline replicas |
//! | 7 | answer: leader epochs |
//! | 8 | authorized operations |
//! | 9 | flexible |
//! | 10 | topic ids in the answer; a request by id is understood from version 12 on |
//! | 11 | cluster authorized operations move to DescribeCluster (KIP-700) |
//! | 13 | answer: an error code of its own |

use uuid::Uuid;

use crate::{Message, StrBytes};

/// Asks for topics and brokers.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = Metadata, response = MetadataResponse, versions = "0-13", flexible = "9+")]
pub struct MetadataRequest {
    /// The topics to describe; null for all (at version 0: empty for all).
    #[field(nullable = "1+")]
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// Whether the broker may create a topic that does not exist, if it is configured to.
    #[field(versions = "4+", default = true)]
    pub allow_auto_topic_creation: bool,
    /// Whether to tell what the client may do to the cluster.
    #[field(versions = "8-10")]
    pub include_cluster_authorized_operations: bool,
    /// Whether to tell what the client may do to each topic.
    #[field(versions = "8+")]
    pub include_topic_authorized_operations: bool,
}

/// A topic to describe.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct MetadataRequestTopic {
    /// The topic's id; zero when it is named.
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// The topic's name; null when it is asked for by id.
    #[field(nullable = "10+")]
    pub name: Option<StrBytes>,
}

/// Topics and brokers.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = Metadata, versions = "0-13", flexible = "9+")]
pub struct MetadataResponse {
    /// For how long a quota holds the client back, in milliseconds.
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    /// The brokers.
    pub brokers: Vec<MetadataResponseBroker>,
    /// The cluster's id; null if not known.
    #[field(versions = "2+", default = null, ignorable)]
    pub cluster_id: Option<StrBytes>,
    /// Node id of the controller; -1 if not known.
    #[field(versions = "1+", default = -1, ignorable)]
    pub controller_id: i32,
    /// The topics that were asked for.
    pub topics: Vec<MetadataResponseTopic>,
    /// What the client may do to the cluster, a bit per operation; the smallest number when it was not asked.
    #[field(versions = "8-10", default = i32::MIN)]
    pub cluster_authorized_operations: i32,
    /// Kafka's error code for the request as a whole; 0 for none.
    #[field(versions = "13+", ignorable)]
    pub error_code: i16,
}

/// A broker.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct MetadataResponseBroker {
    /// The node.
    pub node_id: i32,
    /// Its host name.
    pub host: StrBytes,
    /// Its port.
    pub port: i32,
    /// Its rack; null when it has none.
    #[field(versions = "1+", default = null, ignorable)]
    pub rack: Option<StrBytes>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct MetadataResponseTopic {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The topic's name; null when it was asked for by an id that is unknown.
    #[field(nullable = "12+")]
    pub name: Option<StrBytes>,
    /// The topic's id; zero if not known.
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// Whether the topic belongs to Kafka itself.
    #[field(versions = "1+", ignorable)]
    pub is_internal: bool,
    /// Its partitions.
    pub partitions: Vec<MetadataResponsePartition>,
    /// What the client may do to the topic, a bit per operation; the smallest number when it was not asked.
    #[field(versions = "8+", default = i32::MIN)]
    pub topic_authorized_operations: i32,
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct MetadataResponsePartition {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The partition.
    pub partition_index: i32,
    /// Node id of the leader; -1 for none.
    pub leader_id: i32,
    /// Its leader epoch; -1 if not known.
    #[field(versions = "7+", default = -1, ignorable)]
    pub leader_epoch: i32,
    /// Node ids of all replicas.
    pub replica_nodes: Vec<i32>,
    /// Node ids of the replicas that are in sync.
    pub isr_nodes: Vec<i32>,
    /// Node ids of the replicas that are offline.
    #[field(versions = "5+", ignorable)]
    pub offline_replicas: Vec<i32>,
}
