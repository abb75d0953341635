//! One member of a classic group.

use std::sync::Arc;

use crate::group::Ticket;
use crate::group::record::StoredMember;
use crate::group::reply::DescribedMember;
use crate::group::request::{Join, Protocol};

/// A member (Kafka: `ClassicGroupMember`). Its id is its key in the group.
///
/// What it holds of the client is what one JoinGroup carried and one assignment; the group bounds what all members together hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) instance_id: Option<Arc<str>>,
    pub(super) client_id: Arc<str>,
    pub(super) client_host: Arc<str>,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) session_timeout_ms: i32,
    /// The protocols it speaks, dearest first; no name twice. After a restart only the one that was chosen.
    pub(super) protocols: Vec<Protocol>,
    pub(super) assignment: Arc<[u8]>,
    /// The JoinGroup that waits. It is counted by the group: change it through the group only.
    pub(super) joining: Option<Ticket>,
    /// The SyncGroup that waits.
    pub(super) syncing: Option<Ticket>,
    /// Has not been told its first generation yet, so it may be given up even while its JoinGroup waits.
    pub(super) is_new: bool,
}

/// What a member takes beside texts and bytes, and what a protocol does.
const MEMBER: usize = 400;
const PROTOCOL: usize = 100;

impl Member {
    /// A member as its first JoinGroup describes it.
    pub(super) fn joining(join: &Join) -> Self {
        Self {
            instance_id: join.instance_id.clone(),
            client_id: Arc::clone(&join.client_id),
            client_host: Arc::clone(&join.client_host),
            rebalance_timeout_ms: join.rebalance_timeout_ms,
            session_timeout_ms: join.session_timeout_ms,
            protocols: join.protocols.clone(),
            assignment: Arc::default(),
            joining: None,
            syncing: None,
            is_new: true,
        }
    }

    /// A member as it stands in the log.
    pub(super) fn stored(stored: &StoredMember, protocol: Option<&Arc<str>>) -> Self {
        let rebalance_timeout_ms = match stored.rebalance_timeout_ms {
            -1 => stored.session_timeout_ms,
            timeout => timeout,
        };
        let name = protocol.cloned().unwrap_or_default();
        Self {
            instance_id: stored.instance_id.clone(),
            client_id: Arc::clone(&stored.client_id),
            client_host: Arc::clone(&stored.client_host),
            rebalance_timeout_ms,
            session_timeout_ms: stored.session_timeout_ms,
            protocols: vec![Protocol { name, metadata: Arc::clone(&stored.subscription) }],
            assignment: Arc::clone(&stored.assignment),
            joining: None,
            syncing: None,
            is_new: false,
        }
    }

    /// The member as it is written to the log.
    pub(super) fn to_stored(
        &self,
        id: &Arc<str>,
        protocol: Option<&str>,
        assignment: Arc<[u8]>,
    ) -> StoredMember {
        StoredMember {
            member_id: Arc::clone(id),
            instance_id: self.instance_id.clone(),
            client_id: Arc::clone(&self.client_id),
            client_host: Arc::clone(&self.client_host),
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            session_timeout_ms: self.session_timeout_ms,
            subscription: self.metadata(protocol),
            assignment,
        }
    }

    /// The member as DescribeGroups shows it.
    pub(super) fn describe(&self, id: &Arc<str>, metadata: Arc<[u8]>) -> DescribedMember {
        DescribedMember {
            member_id: Arc::clone(id),
            instance_id: self.instance_id.clone(),
            client_id: Arc::clone(&self.client_id),
            client_host: Arc::clone(&self.client_host),
            metadata,
            assignment: Arc::clone(&self.assignment),
        }
    }

    /// What it says about itself in a protocol; nothing in one that it does not speak.
    pub(super) fn metadata(&self, protocol: Option<&str>) -> Arc<[u8]> {
        let known = self.protocols.iter().find(|known| Some(&*known.name) == protocol);
        known.map(|protocol| Arc::clone(&protocol.metadata)).unwrap_or_default()
    }

    /// About how many bytes of memory it takes to keep what it says of itself.
    pub(super) fn said(&self) -> usize {
        let instance = self.instance_id.as_ref().map_or(0, |instance| instance.len());
        let protocols = self.protocols.iter();
        MEMBER
            + instance
            + self.client_id.len()
            + self.client_host.len()
            + protocols
                .map(|protocol| PROTOCOL + protocol.name.len() + protocol.metadata.len())
                .sum::<usize>()
    }

    /// Whether it need not send heartbeats now: it waits in a request of ours.
    pub(super) const fn is_waiting(&self) -> bool {
        !self.is_new && (self.joining.is_some() || self.syncing.is_some())
    }
}
