//! Who goes, and records that end a group (Kafka: `consumerGroupLeave`, `consumerGroupFenceMembers`,
//! `createGroupTombstoneRecords`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::member::{AWAY, LEFT};
use super::{ConsumerGroup, refuse};
use crate::group::error::GroupError;
use crate::group::groups::Group;
use crate::group::record::{CurrentAssignment, Partitions, Record};
use crate::group::reply::{ConsumerHeartbeatAnswer, Refused};
use crate::group::request::{ConsumerHeartbeat, Leaving};
use crate::group::step::Context;

/// Removes members of a consumer group. When only members of the classic protocol are left, the group becomes a classic one.
pub(in crate::group) fn fence(
    groups: &mut BTreeMap<Arc<str>, Group>,
    group_id: &Arc<str>,
    leaving: &[Arc<str>],
    ctx: &mut Context<'_>,
) {
    let Some(Group::Consumer(group)) = groups.get_mut(group_id) else { return };
    if leaving.is_empty() {
        return;
    }
    if group.may_become_classic(leaving, ctx) {
        super::migrate::to_classic(groups, group_id, leaving, true, ctx);
        return;
    }
    for id in leaving {
        let regex = group.members.get(id).and_then(|member| member.regex().cloned());
        group.remove_member(id, ctx);
        regex.iter().for_each(|regex| group.drop_regex_without_members(regex, ctx));
    }
    let hash = group.hash_now(ctx);
    group.raise_epoch(hash, ctx);
}

impl ConsumerGroup {
    /// Whom a ConsumerGroupHeartbeat with a negative epoch takes out; none for a static member that only goes for a while, which
    /// is noted here.
    pub(in crate::group) fn leave(
        &mut self,
        beat: &ConsumerHeartbeat,
        ctx: &mut Context<'_>,
    ) -> Result<(ConsumerHeartbeatAnswer, Option<Arc<str>>), Refused> {
        let id = match &beat.instance_id {
            None => self.members.get_key_value(&beat.member_id).map(|(id, _)| Arc::clone(id)),
            Some(instance) => self.static_members.get(instance).cloned(),
        };
        let id = id.ok_or_else(|| self.unknown(beat))?;
        if let Some(instance) = &beat.instance_id
            && id != beat.member_id
        {
            let message = format!("the member {id} has taken over the instance id {instance}");
            return Err(refuse(GroupError::FencedInstanceId, message));
        }
        let leaves_for_good = beat.member_epoch == LEFT;
        if !leaves_for_good && let Some(member) = self.members.get(&id) {
            let current = CurrentAssignment {
                member_epoch: AWAY,
                pending_revocation: Partitions::new(),
                ..(*member.current).clone()
            };
            self.store_current(&id, current, ctx);
            ctx.timers.cancel(self.rebalance_timer(&id));
        }
        let answer = ConsumerHeartbeatAnswer {
            member_id: Arc::clone(&id),
            member_epoch: beat.member_epoch,
            heartbeat_interval_ms: 0,
            assignment: None,
        };
        Ok((answer, leaves_for_good.then_some(id)))
    }

    /// Whom a LeaveGroup names.
    pub(in crate::group) fn find_leaving(&self, leaving: &Leaving) -> Result<Arc<str>, GroupError> {
        let Leaving { member_id, instance_id } = leaving;
        let Some(instance) = instance_id else {
            let known = self.members.get_key_value(member_id);
            return known.map(|(id, _)| Arc::clone(id)).ok_or(GroupError::UnknownMemberId);
        };
        // An administrator removes a static member by its instance id alone.
        match self.static_members.get(instance) {
            None => Err(GroupError::UnknownMemberId),
            Some(id) if !member_id.is_empty() && id != member_id => Err(GroupError::FencedInstanceId),
            Some(id) => Ok(Arc::clone(id)),
        }
    }

    /// Tombstones of a member, in the order that keeps every prefix of the log sound.
    pub(super) fn remove_member(&mut self, id: &Arc<str>, ctx: &mut Context<'_>) {
        self.cancel_timers(id, ctx);
        let [current, target, about] = self.member_tombstones(id);
        self.store(current, ctx);
        self.store(target, ctx);
        self.store(about, ctx);
    }

    fn member_tombstones(&self, id: &Arc<str>) -> [Record; 3] {
        let (group, member) = (|| Arc::clone(&self.id), || Arc::clone(id));
        [
            Record::ConsumerGroupCurrentMemberAssignment { group: group(), member: member(), value: None },
            Record::ConsumerGroupTargetAssignmentMember { group: group(), member: member(), value: None },
            Record::ConsumerGroupMemberMetadata { group: group(), member: member(), value: None },
        ]
    }

    /// Tombstones of all there is of the group.
    pub(in crate::group) fn tombstones(&self) -> Vec<Record> {
        let group = || Arc::clone(&self.id);
        let mut kinds: [Vec<Record>; 3] = Default::default();
        for id in self.members.keys() {
            for (kind, record) in kinds.iter_mut().zip(self.member_tombstones(id)) {
                kind.push(record);
            }
        }
        let [mut records, targets, members] = kinds;
        records.extend(targets);
        records.push(Record::ConsumerGroupTargetAssignmentMetadata { group: group(), value: None });
        records.extend(members);
        records.extend(self.resolved.keys().map(|regex| {
            let regex = Arc::clone(regex);
            Record::ConsumerGroupRegularExpression { group: group(), regex, value: None }
        }));
        records.push(Record::ConsumerGroupPartitionMetadata { group: group(), exists: false });
        records.push(Record::ConsumerGroupMetadata { group: group(), value: None });
        records
    }
}
