//! A group goes over to the other protocol while its members stay (Kafka: `convertToConsumerGroup`, `convertToClassicGroup`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::classic_members::{with_ids, with_names};
use super::{ConsumerGroup, refuse};
use crate::group::classic::{ClassicGroup, Transferred};
use crate::group::embedded;
use crate::group::error::GroupError;
use crate::group::groups::Group;
use crate::group::record::{
    ClassicMemberMetadata, ConsumerGroupMetadata, ConsumerMemberMetadata, CurrentAssignment, Partitions,
    Record,
};
use crate::group::reply::{Refused, State};
use crate::group::request::{ConsumerHeartbeat, Join};
use crate::group::settings::Settings;
use crate::group::size;
use crate::group::step::Context;
use crate::topics::Topics;

/// A member of a classic group, read.
struct Read {
    id: Arc<str>,
    about: ConsumerMemberMetadata,
    assigned: embedded::Named,
}

/// Whether a classic group with members may become a consumer group.
pub(in crate::group) fn validate_upgrade(group: &ClassicGroup, settings: &Settings) -> Result<(), Refused> {
    let cannot = |why: &str| {
        let message = format!("the group {} is a classic group and stays one: {why}", group.id());
        Err(refuse(GroupError::GroupIdNotFound, message))
    };
    if !settings.consumer_migration_policy.allows_upgrade() {
        return cannot("group.consumer.migration.policy");
    }
    if !group.is_of_consumers() {
        return cannot("its members are no consumers");
    }
    if group.size() > settings.consumer_max_size {
        return cannot("it has more members than group.consumer.max.size");
    }
    match group.transferred().map(read).collect::<Result<Vec<_>, _>>() {
        Ok(_) => Ok(()),
        Err(why) => cannot(why),
    }
}

/// Whether one that joins does not take the id of a classic group's member, which has come further than to begin.
pub(in crate::group) fn validate_epoch(
    group: &ClassicGroup,
    beat: &ConsumerHeartbeat,
) -> Result<(), Refused> {
    let (id, generation) = (&beat.member_id, group.generation());
    if beat.instance_id.is_some() || !group.has_member(id) || beat.member_epoch >= generation {
        return Ok(());
    }
    let message =
        format!("the member {id} is in generation {generation} of the classic group {}", group.id());
    Err(refuse(GroupError::FencedMemberEpoch, message))
}

fn read(member: Transferred) -> Result<Read, &'static str> {
    let subscription =
        embedded::subscription(&member.subscription).ok_or("a subscription of its members cannot be read")?;
    let assigned = if member.assignment.is_empty() {
        Vec::new()
    } else {
        match embedded::assignment(&member.assignment) {
            None => return Err("an assignment of its members cannot be read"),
            Some((_, true)) => return Err("an assignor of its own added data that would be lost"),
            Some((assigned, false)) => assigned,
        }
    };
    let about = ConsumerMemberMetadata {
        instance_id: member.instance_id,
        rack_id: subscription.rack_id,
        client_id: member.client_id,
        client_host: member.client_host,
        subscribed_topic_names: subscription.topics,
        subscribed_topic_regex: Some(Arc::default()),
        rebalance_timeout_ms: member.rebalance_timeout_ms,
        server_assignor: None,
        classic: Some(ClassicMemberMetadata {
            session_timeout_ms: member.session_timeout_ms,
            supported_protocols: member.protocols,
        }),
    };
    Ok(Read { id: member.member_id, about, assigned })
}

/// Makes a consumer group of a classic one that may become one. Its members stay, in their generation and with their partitions;
/// those that wait for a rebalance are sent to join again.
pub(in crate::group) fn to_consumer(
    groups: &mut BTreeMap<Arc<str>, Group>,
    group_id: &Arc<str>,
    ctx: &mut Context<'_>,
) {
    let Some(Group::Classic(mut classic)) = groups.remove(group_id) else { return };
    let members: Vec<_> = classic.transferred().filter_map(|member| read(member).ok()).collect();
    let epoch = classic.generation();
    let rebalances = classic.state() != State::Stable;
    classic.dismiss(ctx);
    ctx.step.records.push(Record::GroupMetadata { group: Arc::clone(group_id), value: None });

    let mut group = ConsumerGroup::new(Arc::clone(group_id));
    // What its members have is on the way to something else, or nothing. Kafka leaves them so when it is a static member that
    // brings the other protocol and wants the same as before.
    group.rebalance_due = rebalances;
    let id = || Arc::clone(group_id);
    let shares: Vec<Partitions> = members.iter().map(|member| share(&member.assigned, ctx)).collect();
    for Read { id: member, about, .. } in &members {
        let (member, value) = (Arc::clone(member), Some(about.clone()));
        group.store(Record::ConsumerGroupMemberMetadata { group: id(), member, value }, ctx);
    }
    let metadata_hash = group.hash_now(ctx);
    let value = Some(ConsumerGroupMetadata { epoch, metadata_hash });
    group.store(Record::ConsumerGroupMetadata { group: id(), value }, ctx);
    for (Read { id: member, .. }, share) in members.iter().zip(&shares) {
        group.store_target(member, share.clone(), ctx);
    }
    group.store(Record::ConsumerGroupTargetAssignmentMetadata { group: id(), value: Some(epoch) }, ctx);
    for (Read { id: member, .. }, assigned) in members.iter().zip(shares) {
        let current = CurrentAssignment {
            member_epoch: epoch,
            previous_member_epoch: epoch,
            assigned,
            ..CurrentAssignment::default()
        };
        group.store_current(member, current, ctx);
    }
    for Read { id: member, about, .. } in &members {
        let session_ms = about.classic.as_ref().map_or(0, |classic| classic.session_timeout_ms);
        ctx.set_timer(group.session_timer(member), i64::from(session_ms));
    }
    groups.insert(id(), Group::Consumer(group));
}

fn share(assigned: &embedded::Named, ctx: &Context<'_>) -> Partitions {
    let mut share = Partitions::new();
    for (topic, indexes) in with_ids(assigned, ctx.topics) {
        if !indexes.is_empty() {
            share.entry(topic).or_default().extend(indexes);
        }
    }
    share
}

impl ConsumerGroup {
    /// Whether the group may become a classic one when these have left. One record has to hold it then: a group that is too large for
    /// that stays as it is.
    pub(super) fn may_become_classic(&self, leaving: &[Arc<str>], ctx: &Context<'_>) -> bool {
        let classic_leaving = leaving.iter().filter(|id| self.speaks_classic(id)).count();
        let left = self.members.len().saturating_sub(leaving.len());
        left > 0
            && self.classic_members - classic_leaving == left
            && left <= ctx.settings.max_size
            && ctx.settings.consumer_migration_policy.allows_downgrade()
            && self.have_protocol_in_common(leaving)
            && size::of_transferred(&self.id, &self.transferred(leaving, ctx.topics)) <= ctx.room
    }

    /// Whether the group may become a classic one when one that speaks the classic protocol takes the place of this static member.
    pub(super) fn holder_may_become_classic(
        &self,
        holder: &Arc<str>,
        join: &Join,
        ctx: &Context<'_>,
    ) -> bool {
        let leaving = std::slice::from_ref(holder);
        let held = || self.members.get(holder).map(|member| with_names(&member.held(), ctx.topics));
        let size = || {
            let others = size::of_transferred(&self.id, &self.transferred(leaving, ctx.topics));
            others + size::of_join(join) + embedded::encode_assignment(0, &held().unwrap_or_default()).len()
        };
        !self.speaks_classic(holder)
            && self.classic_members + 1 == self.members.len()
            && self.members.len() <= ctx.settings.max_size
            && ctx.settings.consumer_migration_policy.allows_downgrade()
            && (self.classic_members == 0 || self.have_protocol_in_common(leaving))
            && size() <= ctx.room
    }

    /// The members of the classic protocol, without those that leave, as a classic group takes them on.
    fn transferred(&self, leaving: &[Arc<str>], topics: &Topics) -> Vec<Transferred> {
        let staying = self.members.iter().filter(|(id, _)| !leaving.contains(id));
        let members = staying.filter_map(|(id, member)| {
            let (about, classic) = (&member.about, member.about.classic.as_ref()?);
            let held = with_names(&member.held(), topics);
            let first = classic.supported_protocols.first();
            let version = first.and_then(|protocol| embedded::version(&protocol.metadata)).unwrap_or(0);
            Some(Transferred {
                member_id: Arc::clone(id),
                instance_id: about.instance_id.clone(),
                client_id: Arc::clone(&about.client_id),
                client_host: Arc::clone(&about.client_host),
                rebalance_timeout_ms: about.rebalance_timeout_ms,
                session_timeout_ms: classic.session_timeout_ms,
                protocols: classic.supported_protocols.clone(),
                subscription: Arc::default(),
                assignment: embedded::encode_assignment(version, &held),
            })
        });
        members.collect()
    }

    fn speaks_classic(&self, id: &Arc<str>) -> bool {
        self.members.get(id).is_some_and(super::Member::speaks_classic)
    }

    /// Members are only let in when they have; a log that was written by others may tell of others.
    fn have_protocol_in_common(&self, leaving: &[Arc<str>]) -> bool {
        let staying = || {
            let staying = self.members.iter().filter(|(id, _)| !leaving.contains(id));
            staying.filter_map(|(_, member)| member.about.classic.as_ref())
        };
        let speaks = |classic: &ClassicMemberMetadata, name: &Arc<str>| {
            classic.supported_protocols.iter().any(|protocol| protocol.name == *name)
        };
        staying().next().is_some_and(|first| {
            first
                .supported_protocols
                .iter()
                .any(|protocol| staying().all(|other| speaks(other, &protocol.name)))
        })
    }
}

/// Makes a classic group of a consumer group whose members, without those that leave, all speak the classic protocol. With
/// `rebalance` all are asked to join anew; each is assigned what it may still hold until then. (Kafka writes down what it was to
/// have; should the group become a consumer group once more before it has heard, others would be given what it still reads.)
pub(super) fn to_classic(
    groups: &mut BTreeMap<Arc<str>, Group>,
    group_id: &Arc<str>,
    leaving: &[Arc<str>],
    rebalance: bool,
    ctx: &mut Context<'_>,
) {
    let Some(Group::Consumer(group)) = groups.remove(group_id) else { return };
    group.members.keys().for_each(|id| group.cancel_timers(id, ctx));
    ctx.step.records.extend(group.tombstones());
    let members = group.transferred(leaving, ctx.topics);
    let mut classic = ClassicGroup::of_consumers(Arc::clone(group_id), group.epoch, members, ctx);
    classic.start_sessions(ctx);
    if rebalance {
        classic.prepare_rebalance(ctx);
    }
    groups.insert(Arc::clone(group_id), Group::Classic(classic));
}
