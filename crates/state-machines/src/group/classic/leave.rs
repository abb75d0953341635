//! LeaveGroup (Kafka: `classicGroupLeaveToClassicGroup`).

use std::sync::Arc;

use super::ClassicGroup;
use crate::group::error::GroupError;
use crate::group::reply::{LeftMember, State};
use crate::group::request::Leaving;
use crate::group::step::Context;

impl ClassicGroup {
    /// Removes members. Each stands alone; if any left, the others rebalance.
    pub(in crate::group) fn leave(
        &mut self,
        leaving: Vec<Leaving>,
        ctx: &mut Context<'_>,
    ) -> Vec<LeftMember> {
        let mut left = Vec::with_capacity(leaving.len());
        for member in leaving {
            let result =
                self.find_leaving(&member).map(|id| self.remove(&id, GroupError::UnknownMemberId, ctx));
            left.push(LeftMember { member_id: member.member_id, instance_id: member.instance_id, result });
        }
        if left.iter().any(|member| member.result.is_ok()) && self.state != State::Empty {
            self.rebalance_or_complete(ctx);
        }
        left
    }

    fn find_leaving(&self, leaving: &Leaving) -> Result<Arc<str>, GroupError> {
        let Leaving { member_id, instance_id } = leaving;
        if member_id.is_empty() {
            // An administrator removes a static member by its instance id alone.
            let holder = instance_id.as_ref().and_then(|instance| self.static_members.get(instance));
            return holder.cloned().ok_or(GroupError::UnknownMemberId);
        }
        if !self.pending.contains(member_id) {
            self.check_member(member_id, instance_id.as_deref())?;
        }
        Ok(Arc::clone(member_id))
    }
}
