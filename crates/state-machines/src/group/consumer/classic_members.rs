//! Members of a consumer group that speak the classic protocol, while clients are rolled over from one to the other (Kafka:
//! `classicGroupJoinToConsumerGroup`, `classicGroupSyncToConsumerGroup`, `classicGroupHeartbeatToConsumerGroup`).
//!
//! Such a member's epoch is its generation. It is told of a new assignment by REBALANCE_IN_PROGRESS; its JoinGroup tells what it
//! holds and takes it a step on, and SyncGroup hands it what it may read. Nobody leads and nobody waits for the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{PartitionIndex, Uuid};

use super::member::{Member, UNRELEASED_PARTITIONS, UNREVOKED_PARTITIONS};
use super::{ConsumerGroup, migrate};
use crate::group::embedded::{self, Named, Subscription};
use crate::group::error::GroupError;
use crate::group::groups::Group;
use crate::group::record::{ClassicMemberMetadata, Partitions};
use crate::group::reply::{ConsumerState, JoinRefused, Joined, Reply, Synced};
use crate::group::request::{Heartbeat, Join, Sync};
use crate::group::settings::Settings;
use crate::group::step::{Context, Ticket};
use crate::topics::Topics;

/// Lets a member of the classic protocol into a consumer group that has members, or takes it a step on.
pub(in crate::group) fn join(
    groups: &mut BTreeMap<Arc<str>, Group>,
    ticket: Ticket,
    join: &Join,
    ctx: &mut Context<'_>,
) {
    let Some(Group::Consumer(group)) = groups.get_mut(&join.group_id) else { return };
    let (id, subscription) = match group.check_join(join, ctx.settings) {
        Ok(checked) => checked,
        Err(refused) => return ctx.reply(ticket, Reply::Join(Err(refused))),
    };
    let holder = join.instance_id.as_ref().and_then(|instance| group.static_members.get(instance));
    let becomes_classic =
        holder.cloned().is_some_and(|holder| group.holder_may_become_classic(&holder, join, ctx));
    if join.member_id.is_empty() {
        group.replace_static_member(join.instance_id.as_ref(), &id, ctx);
    }
    let owned = with_ids(&subscription.owned, ctx.topics);
    let wants_others = group.subscribe_classic(&id, join, subscription, ctx);
    if !becomes_classic {
        group.update_target(ctx);
    }
    if !becomes_classic || !wants_others {
        group.reconcile(&id, Some(&owned), ctx);
    }
    let epoch = group.members.get(&id).map_or(0, Member::epoch);
    if becomes_classic {
        // Where members are still on their way, a classic group cannot take them on.
        let rebalance = wants_others || group.state() != ConsumerState::Stable;
        migrate::to_classic(groups, &join.group_id, &[], rebalance, ctx);
    } else {
        ctx.timers.cancel(group.join_timer(&id));
        ctx.timers.cancel(group.rebalance_timer(&id));
        ctx.set_timer(group.session_timer(&id), i64::from(join.session_timeout_ms));
        ctx.set_timer(group.sync_timer(&id), i64::from(join.rebalance_timeout_ms));
    }
    let joined = Joined {
        member_id: id,
        generation: epoch,
        protocol_type: Some(Arc::from(embedded::CONSUMER)),
        protocol: join.protocols.first().map(|protocol| Arc::clone(&protocol.name)),
        leader: Arc::default(),
        skip_assignment: false,
        members: Vec::new(),
    };
    ctx.reply(ticket, Reply::Join(Ok(joined)));
}

impl ConsumerGroup {
    /// Under which id one who sends JoinGroup is let in, and what it says. Nothing has changed when it is not.
    fn check_join(&self, join: &Join, settings: &Settings) -> Result<(Arc<str>, Subscription), JoinRefused> {
        let refuse = |error| Err(JoinRefused { member_id: Arc::clone(&join.member_id), error });
        let is_new = join.member_id.is_empty();
        if self.members.len() >= settings.consumer_max_size && !self.members.contains_key(&join.member_id) {
            return refuse(GroupError::GroupMaxSizeReached);
        }
        let all_speak =
            |name: &Arc<str>| self.classic_protocols.get(name).copied().unwrap_or(0) == self.classic_members;
        let subscription = join.protocols.first().and_then(|first| embedded::subscription(&first.metadata));
        let Some(subscription) = subscription.filter(|_| {
            &*join.protocol_type == embedded::CONSUMER
                && join.protocols.iter().any(|protocol| all_speak(&protocol.name))
        }) else {
            return refuse(GroupError::InconsistentProtocol);
        };
        let id = if is_new { Arc::from(join.uuid.to_string()) } else { Arc::clone(&join.member_id) };
        if is_new && join.requires_member_id && join.instance_id.is_none() {
            return Err(JoinRefused { member_id: id, error: GroupError::MemberIdRequired });
        }
        match &join.instance_id {
            Some(instance) if !is_new => match self.static_members.get(instance) {
                None => refuse(GroupError::UnknownMemberId),
                Some(holder) if *holder != id => refuse(GroupError::FencedInstanceId),
                Some(_) => Ok((id, subscription)),
            },
            _ => Ok((id, subscription)),
        }
    }

    /// Stores what a member says in its JoinGroup, and says whether it wants other topics than before.
    fn subscribe_classic(
        &mut self,
        id: &Arc<str>,
        join: &Join,
        subscription: Subscription,
        ctx: &mut Context<'_>,
    ) -> bool {
        let known = self.members.get(id).map(|member| &member.about);
        let mut about = known.cloned().unwrap_or_else(|| Member::default().about);
        about.instance_id = join.instance_id.clone().or(about.instance_id);
        about.rack_id = subscription.rack_id.or(about.rack_id);
        if join.rebalance_timeout_ms != -1 {
            about.rebalance_timeout_ms = join.rebalance_timeout_ms;
        }
        about.subscribed_topic_names = subscription.topics;
        about.subscribed_topic_names.sort();
        about.subscribed_topic_names.dedup();
        // Whoever held the place before may have had an expression; this protocol has none.
        about.subscribed_topic_regex = Some(Arc::default());
        about.client_id = Arc::clone(&join.client_id);
        about.client_host = Arc::clone(&join.client_host);
        about.classic = Some(ClassicMemberMetadata {
            session_timeout_ms: join.session_timeout_ms,
            supported_protocols: join.protocols.clone(),
        });
        if known == Some(&about) {
            self.look_at_topics(false, ctx);
            return false;
        }
        self.change_subscription(id, about, ctx)
    }

    /// Gives a member what it may read.
    pub(in crate::group) fn sync(&self, sync: &Sync, ctx: &mut Context<'_>) -> Result<Synced, GroupError> {
        let (id, member, classic) =
            self.classic_member(&sync.member_id, sync.instance_id.as_deref(), sync.generation)?;
        let first = classic.supported_protocols.first();
        let differs =
            |asked: &Option<Arc<str>>, known: Option<&str>| asked.is_some() && asked.as_deref() != known;
        if differs(&sync.protocol_type, Some(embedded::CONSUMER))
            || differs(&sync.protocol, first.map(|protocol| &*protocol.name))
        {
            return Err(GroupError::InconsistentProtocol);
        }
        if self.epoch > member.epoch() && member.current.state != UNREVOKED_PARTITIONS {
            self.call_to_join(id, member, ctx);
            return Err(GroupError::RebalanceInProgress);
        }
        ctx.timers.cancel(self.sync_timer(id));
        ctx.set_timer(self.session_timer(id), i64::from(classic.session_timeout_ms));
        let version = first.and_then(|protocol| embedded::version(&protocol.metadata)).unwrap_or(0);
        Ok(Synced {
            protocol_type: sync.protocol_type.clone(),
            protocol: sync.protocol.clone(),
            assignment: embedded::encode_assignment(
                version,
                &with_names(&member.current.assigned, ctx.topics),
            ),
        })
    }

    /// Keeps a member's session alive, and tells it when it can go on.
    pub(in crate::group) fn classic_heartbeat(
        &self,
        beat: &Heartbeat,
        ctx: &mut Context<'_>,
    ) -> Result<(), GroupError> {
        let (id, member, classic) =
            self.classic_member(&beat.member_id, beat.instance_id.as_deref(), beat.generation)?;
        ctx.set_timer(self.session_timer(id), i64::from(classic.session_timeout_ms));
        let has_to_join = member.epoch() < self.epoch
            || member.current.state == UNREVOKED_PARTITIONS
            || (member.current.state == UNRELEASED_PARTITIONS && !self.waits_for_others(id, member));
        if has_to_join {
            self.call_to_join(id, member, ctx);
            return Err(GroupError::RebalanceInProgress);
        }
        Ok(())
    }

    /// The member is sent to join, and has its rebalance timeout for that from the first call on.
    fn call_to_join(&self, id: &Arc<str>, member: &Member, ctx: &mut Context<'_>) {
        ctx.set_timer_if_absent(self.join_timer(id), i64::from(member.about.rebalance_timeout_ms));
    }

    fn classic_member(
        &self,
        member: &str,
        instance: Option<&str>,
        generation: i32,
    ) -> Result<(&Arc<str>, &Member, &ClassicMemberMetadata), GroupError> {
        let holder = match instance {
            None => member,
            Some(instance) => match self.static_members.get(instance) {
                None => return Err(GroupError::UnknownMemberId),
                Some(holder) if &**holder != member => return Err(GroupError::FencedInstanceId),
                Some(holder) => holder,
            },
        };
        let (id, member) = self.members.get_key_value(holder).ok_or(GroupError::UnknownMemberId)?;
        let classic = member.about.classic.as_ref().ok_or(GroupError::UnknownMemberId)?;
        if generation != member.epoch() {
            return Err(GroupError::IllegalGeneration);
        }
        Ok((id, member, classic))
    }
}

/// By id instead of by name; topics that do not exist are left out.
pub(super) fn with_ids(partitions: &Named, topics: &Topics) -> Vec<(Uuid, Vec<PartitionIndex>)> {
    let topic = |(name, indexes): &(Arc<str>, Vec<PartitionIndex>)| {
        topics.by_name(name).map(|topic| (topic.id, indexes.clone()))
    };
    partitions.iter().filter_map(topic).collect()
}

/// By name instead of by id; topics that do not exist are left out.
pub(super) fn with_names(partitions: &Partitions, topics: &Topics) -> Named {
    let topic = |(id, indexes): (&Uuid, &std::collections::BTreeSet<PartitionIndex>)| {
        topics.by_id(*id).map(|topic| (Arc::clone(&topic.name), indexes.iter().copied().collect()))
    };
    partitions.iter().filter_map(topic).collect()
}
