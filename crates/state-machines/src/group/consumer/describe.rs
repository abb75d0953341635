//! What others may see of a consumer group, and may do to its offsets.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{Millis, PartitionIndex, Uuid};

use super::ConsumerGroup;
use super::member::Member;
use crate::group::error::GroupError;
use crate::group::offsets::Retention;
use crate::group::record::{CommittedOffset, Partitions};
use crate::group::reply::{
    AssignedTopic, ConsumerState, DescribedConsumerGroup, DescribedConsumerMember, GroupKind,
};
use crate::group::request::{CommitOffsets, FetchOffsets};
use crate::group::settings::Settings;
use crate::topics::Topics;

impl ConsumerGroup {
    pub(in crate::group) fn state(&self) -> ConsumerState {
        if self.members.is_empty() {
            ConsumerState::Empty
        } else if self.epoch > self.assignment_epoch {
            ConsumerState::Assigning
        } else if self.members.values().all(|member| member.is_reconciled_to(self.assignment_epoch)) {
            ConsumerState::Stable
        } else {
            ConsumerState::Reconciling
        }
    }

    pub(in crate::group) fn describe(&self, topics: &Topics, settings: &Settings) -> DescribedConsumerGroup {
        // An assignor that most ask for is named even if the broker does not know it any more.
        let most = self.assignors.values().max();
        let asked = self.assignors.iter().find(|(_, count)| Some(*count) == most).map(|(name, _)| name);
        let known = self.assignor(settings).name();
        let assignor_name = match asked {
            Some(name) if self.assignors.get(known) != most => Arc::clone(name),
            _ => Arc::from(known),
        };
        DescribedConsumerGroup {
            state: self.state(),
            group_epoch: self.epoch,
            assignment_epoch: self.assignment_epoch,
            assignor_name,
            members: self
                .members
                .iter()
                .map(|(id, member)| self.describe_member(id, member, topics))
                .collect(),
        }
    }

    fn describe_member(&self, id: &Arc<str>, member: &Member, topics: &Topics) -> DescribedConsumerMember {
        let about = &member.about;
        DescribedConsumerMember {
            member_id: Arc::clone(id),
            instance_id: about.instance_id.clone(),
            rack_id: about.rack_id.clone(),
            member_epoch: member.epoch(),
            client_id: Arc::clone(&about.client_id),
            client_host: Arc::clone(&about.client_host),
            subscribed_topic_names: about.subscribed_topic_names.clone(),
            subscribed_topic_regex: about.subscribed_topic_regex.clone(),
            assignment: named(&member.current.assigned, topics),
            target_assignment: self.targets.get(id).map(|target| named(target, topics)).unwrap_or_default(),
            kind: if member.speaks_classic() { GroupKind::Classic } else { GroupKind::Consumer },
        }
    }

    /// Whether a commit is welcome. Tools, and consumers that are in no group, commit without an epoch, and only while nobody
    /// is in the group.
    pub(in crate::group) fn check_commit(&self, commit: &CommitOffsets) -> Result<(), GroupError> {
        if commit.generation < 0 && self.members.is_empty() {
            return Ok(());
        }
        let member = self.members.get(&commit.member_id).ok_or(GroupError::UnknownMemberId)?;
        if !member.speaks_classic() && !commit.names_unknown_group {
            return Err(GroupError::UnsupportedVersion);
        }
        check_epoch(member, commit.generation)
    }

    /// Whether the offsets may be seen by who asks.
    pub(in crate::group) fn check_fetch(&self, fetch: &FetchOffsets) -> Result<(), GroupError> {
        if fetch.member_id.is_none() && fetch.member_epoch < 0 {
            return Ok(());
        }
        let member = fetch.member_id.as_ref().and_then(|id| self.members.get(id));
        check_epoch(member.ok_or(GroupError::UnknownMemberId)?, fetch.member_epoch)
    }

    pub(in crate::group) fn check_delete(&self) -> Result<(), GroupError> {
        if self.is_empty() { Ok(()) } else { Err(GroupError::NonEmptyGroup) }
    }
}

fn check_epoch(member: &Member, epoch: i32) -> Result<(), GroupError> {
    if epoch == member.epoch() {
        Ok(())
    } else if member.speaks_classic() {
        Err(GroupError::IllegalGeneration)
    } else {
        Err(GroupError::StaleMemberEpoch)
    }
}

impl Retention for ConsumerGroup {
    fn reads(&self, topic: &str) -> bool {
        self.topics.contains_key(topic)
    }

    fn retention_start(&self, offset: &CommittedOffset) -> Option<Millis> {
        Some(offset.commit_timestamp)
    }
}

/// Partitions with their topics' names. Topics that are gone are left out.
fn named(partitions: &Partitions, topics: &Topics) -> Vec<AssignedTopic> {
    let topic = |(id, indexes): (&Uuid, &BTreeSet<PartitionIndex>)| {
        let topic = topics.by_id(*id)?;
        let partitions = indexes.iter().copied().collect();
        Some(AssignedTopic { topic_id: *id, topic_name: Arc::clone(&topic.name), partitions })
    };
    partitions.iter().filter_map(topic).collect()
}
