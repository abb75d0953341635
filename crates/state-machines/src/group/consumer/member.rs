//! One member of a consumer group.

use std::sync::Arc;

use base::{PartitionIndex, Uuid};

use crate::group::classic::drop_repeated_names;
use crate::group::record::{ConsumerMemberMetadata, CurrentAssignment, Partitions};

/// Kafka's numbers of a member's states (`MemberState`).
pub(super) const STABLE: i8 = 0;
pub(super) const UNREVOKED_PARTITIONS: i8 = 1;
pub(super) const UNRELEASED_PARTITIONS: i8 = 2;

/// The member epoch of one that has left.
pub(super) const LEFT: i32 = -1;
/// The member epoch of a static member that is away for a while.
pub(super) const AWAY: i32 = -2;

/// What a member holds, as it says itself.
pub(super) type Owned = [(Uuid, Vec<PartitionIndex>)];

/// A member (Kafka: `ConsumerGroupMember`). Its id is its key in the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// What it says of itself.
    pub(super) about: ConsumerMemberMetadata,
    /// Its epoch, and what it has. Shared with who looks whether it has changed.
    pub(super) current: Arc<CurrentAssignment>,
}

impl Default for Member {
    /// One that nothing is known of yet.
    fn default() -> Self {
        let about = ConsumerMemberMetadata {
            instance_id: None,
            rack_id: None,
            client_id: Arc::default(),
            client_host: Arc::default(),
            subscribed_topic_names: Vec::new(),
            subscribed_topic_regex: Some(Arc::default()),
            rebalance_timeout_ms: -1,
            server_assignor: None,
            classic: None,
        };
        let current = CurrentAssignment { previous_member_epoch: LEFT, ..CurrentAssignment::default() };
        Self { about, current: Arc::new(current) }
    }
}

impl Member {
    /// Takes over what is stored of it.
    pub(super) fn adopt(&mut self, stored: &ConsumerMemberMetadata) {
        self.about = stored.clone();
        // Kafka writes them in the order of a hash table.
        self.about.subscribed_topic_names.sort();
        self.about.subscribed_topic_names.dedup();
        if let Some(classic) = &mut self.about.classic {
            drop_repeated_names(&mut classic.supported_protocols);
        }
    }

    /// It is about to go: it has nothing any more.
    pub(super) fn forget_partitions(&mut self) {
        self.current = Arc::new(CurrentAssignment {
            member_epoch: LEFT,
            previous_member_epoch: LEFT,
            state: self.current.state,
            assigned: Partitions::new(),
            pending_revocation: Partitions::new(),
        });
    }

    /// Its regular expression, if it has one.
    pub(super) fn regex(&self) -> Option<&Arc<str>> {
        self.about.subscribed_topic_regex.as_ref().filter(|regex| !regex.is_empty())
    }

    pub(super) fn speaks_classic(&self) -> bool {
        self.about.classic.is_some()
    }

    pub(super) fn epoch(&self) -> i32 {
        self.current.member_epoch
    }

    /// Whether it has come all the way to the assignment of that epoch.
    pub(super) fn is_reconciled_to(&self, assignment_epoch: i32) -> bool {
        self.current.state == STABLE && self.epoch() == assignment_epoch
    }

    pub(super) fn has_to_revoke(&self) -> bool {
        self.current.state == UNREVOKED_PARTITIONS && self.epoch() >= 0
    }

    /// All that it may hold: what it may read, and what it has not given up yet.
    pub(super) fn held(&self) -> Partitions {
        let mut held = self.current.assigned.clone();
        for (topic, indexes) in &self.current.pending_revocation {
            held.entry(*topic).or_default().extend(indexes);
        }
        held
    }

    /// Whether all that it says it holds is assigned to it.
    pub(super) fn is_assigned_all(&self, owned: &Owned) -> bool {
        let is_assigned = |(topic, indexes): &(Uuid, Vec<PartitionIndex>)| {
            let assigned = self.current.assigned.get(topic);
            assigned.is_some_and(|assigned| indexes.iter().all(|index| assigned.contains(index)))
        };
        owned.iter().all(is_assigned)
    }
}
