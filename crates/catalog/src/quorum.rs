//! The quorum of the metadata log: one voter, this node, which leads since its start (Kafka: `KafkaRaftClient`).

use base::{LeaderEpoch, NodeId, Offset, Uuid};
use wire::metadata_records::RegisterControllerRecord;

use crate::catalog::Catalog;
use crate::inspection::VoterEndpoint;
use crate::replay::Quorum;

/// How the quorum stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumState {
    /// The only voter, and the leader.
    pub voter: NodeId,
    /// Its epoch, which rises at each start.
    pub leader_epoch: LeaderEpoch,
    /// The offset after the last record. All of them are on disk, so it is the high watermark too.
    pub end: Offset,
    /// The voter's directory, where the log says it (`kraft.version` 1).
    pub directory: Option<Uuid>,
    /// Where the voter is said to listen.
    pub endpoints: Vec<VoterEndpoint>,
}

/// What of it stays as it is while this process runs.
#[derive(Clone, Debug)]
pub(crate) struct Leadership {
    pub(crate) epoch: LeaderEpoch,
    directory: Option<Uuid>,
    endpoints: Vec<VoterEndpoint>,
}

impl Leadership {
    /// Before `kraft.version` 1 the log does not say where voters listen; then it is what the controller registered.
    pub(crate) fn new(
        epoch: LeaderEpoch,
        quorum: &Quorum,
        registered: Option<&RegisterControllerRecord>,
        node: NodeId,
        directory: Uuid,
    ) -> Self {
        let voters = quorum.voter_set.as_ref().filter(|_| quorum.kraft_version > 0);
        let endpoint = |name: &str, host: &str, port| VoterEndpoint {
            name: name.to_owned(),
            host: host.to_owned(),
            port,
        };
        let endpoints = match voters {
            Some(set) => {
                let of_node = set.voters.iter().filter(|voter| voter.voter_id == node.0);
                of_node
                    .flat_map(|voter| &voter.endpoints)
                    .map(|e| endpoint(&e.name, &e.host, e.port))
                    .collect()
            }
            None => {
                let registered = registered.map_or(&[][..], |controller| &controller.end_points);
                registered.iter().map(|e| endpoint(&e.name, &e.host, e.port)).collect()
            }
        };
        Self { epoch, directory: voters.map(|_| directory), endpoints }
    }
}

impl Catalog {
    /// How the quorum of the metadata log stands.
    #[must_use]
    pub fn quorum(&self) -> QuorumState {
        QuorumState {
            voter: self.node_id,
            leader_epoch: self.leadership.epoch,
            end: Offset(self.metadata_offset().0 + 1),
            directory: self.leadership.directory,
            endpoints: self.leadership.endpoints.clone(),
        }
    }
}
