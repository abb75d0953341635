//! What the catalogue is opened with.

use std::path::PathBuf;
use std::sync::Arc;

use base::NodeId;
use settings::{Endpoint, Settings};

/// What the catalogue is opened with.
#[derive(Clone, Debug)]
pub struct CatalogConfig {
    /// The one log directory (`log.dirs`).
    pub data_dir: PathBuf,
    /// This node (`node.id`).
    pub node_id: NodeId,
    /// The cluster this node belongs to; a fresh directory takes it, any other must agree. `None`: whatever stands in
    /// the directory, or a random one.
    pub cluster_id: Option<String>,
    /// The broker's advertised listeners, as they are registered in the metadata log: with the host and port that
    /// clients are told. So a listener on port 0 is bound before the catalogue is opened.
    pub endpoints: Vec<Endpoint>,
    /// Broker-wide settings; topics resolve theirs from these and their own.
    pub settings: Arc<Settings>,
}
