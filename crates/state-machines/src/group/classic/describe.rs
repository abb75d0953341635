//! What others may see of a classic group, and may do to its offsets.

use base::Millis;

use super::ClassicGroup;
use crate::group::error::GroupError;
use crate::group::offsets::Retention;
use crate::group::record::CommittedOffset;
use crate::group::reply::{DescribedGroup, State};
use crate::group::request::CommitOffsets;

impl ClassicGroup {
    pub(in crate::group) fn describe(&self) -> DescribedGroup {
        let stable = self.state == State::Stable;
        let protocol = self.protocol.as_ref().filter(|_| stable);
        let members = self.members.iter().map(|(id, member)| {
            let metadata = protocol.map(|protocol| member.metadata(Some(protocol))).unwrap_or_default();
            member.describe(id, metadata)
        });
        DescribedGroup {
            state: self.state,
            protocol_type: self.protocol_type(),
            protocol: protocol.cloned().unwrap_or_default(),
            members: members.collect(),
        }
    }

    /// Whether a commit is welcome. A consumer that is in no group, and a tool, commit without a generation, and only while
    /// nobody is in the group.
    pub(in crate::group) fn check_commit(&self, commit: &CommitOffsets) -> Result<(), GroupError> {
        if commit.generation < 0 && self.state == State::Empty {
            return Ok(());
        }
        if commit.generation < 0 && commit.member_id.is_empty() && commit.instance_id.is_none() {
            return Err(GroupError::UnknownMemberId);
        }
        self.check_member(&commit.member_id, commit.instance_id.as_deref())?;
        if commit.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        match self.state {
            State::CompletingRebalance => Err(GroupError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// Whether a commit keeps its sender's session alive.
    pub(in crate::group) const fn commit_is_sign_of_life(&self) -> bool {
        matches!(self.state, State::Stable | State::PreparingRebalance)
    }

    /// Whether single offsets may be deleted: while there are members, only consumers' groups know which they need.
    pub(in crate::group) fn check_delete_offsets(&self) -> Result<(), GroupError> {
        if self.state == State::Empty || self.is_of_consumers() {
            Ok(())
        } else {
            Err(GroupError::NonEmptyGroup)
        }
    }

    pub(in crate::group) fn check_delete(&self) -> Result<(), GroupError> {
        if self.state == State::Empty { Ok(()) } else { Err(GroupError::NonEmptyGroup) }
    }
}

impl Retention for ClassicGroup {
    /// Where consumers' subscriptions are unknown, every topic may be read.
    fn reads(&self, topic: &str) -> bool {
        self.subscribed.as_ref().map_or_else(|| self.is_of_consumers(), |topics| topics.contains(topic))
    }

    fn retention_start(&self, offset: &CommittedOffset) -> Option<Millis> {
        match (&self.protocol_type, self.state) {
            (None, _) => Some(offset.commit_timestamp),
            (Some(_), State::Empty) => Some(self.state_since.unwrap_or(offset.commit_timestamp)),
            (Some(_), State::Stable) if self.is_of_consumers() && self.subscribed.is_some() => {
                Some(offset.commit_timestamp)
            }
            _ => None,
        }
    }
}
