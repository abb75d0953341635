//! DescribeCluster (key 60): the nodes of the cluster (KIP-700).
//!
//! | version | what changed |
//! | --- | --- |
//! | 1 | brokers or controllers (KIP-919) |
//! | 2 | fenced brokers too (KIP-1073) |

use crate::{Message, StrBytes};

/// Asks for the brokers or the controllers.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = DescribeCluster, response = DescribeClusterResponse, versions = "0-2", flexible = "0+")]
pub struct DescribeClusterRequest {
    /// Whether to tell what the client may do to the cluster.
    pub include_cluster_authorized_operations: bool,
    /// 1 for brokers, 2 for controllers (KIP-919).
    #[field(versions = "1+", default = 1)]
    pub endpoint_type: i8,
    /// Whether to list brokers that are fenced too.
    #[field(versions = "2+")]
    pub include_fenced_brokers: bool,
}

/// The brokers or the controllers.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = DescribeCluster, versions = "0-2", flexible = "0+")]
pub struct DescribeClusterResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    #[field(default = null)]
    pub error_message: Option<StrBytes>,
    /// 1 for brokers, 2 for controllers (KIP-919).
    #[field(versions = "1+", default = 1)]
    pub endpoint_type: i8,
    /// The cluster's id.
    pub cluster_id: StrBytes,
    /// Node id of the controller; -1 if not known.
    #[field(default = -1)]
    pub controller_id: i32,
    /// The brokers.
    pub brokers: Vec<DescribeClusterBroker>,
    /// What the client may do to the cluster, a bit per operation; the smallest number when it was not asked.
    #[field(default = i32::MIN)]
    pub cluster_authorized_operations: i32,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DescribeClusterBroker {
    /// The node.
    pub broker_id: i32,
    /// Its host name.
    pub host: StrBytes,
    /// Its port.
    pub port: i32,
    /// Its rack; null when it has none.
    #[field(default = null)]
    pub rack: Option<StrBytes>,
    /// Whether it is fenced.
    #[field(versions = "2+")]
    pub is_fenced: bool,
}
