//! ConsumerGroupHeartbeat of a member that comes or goes on (Kafka: `consumerGroupHeartbeat`).

use std::sync::Arc;

use super::member::{AWAY, Member, Owned, STABLE, UNRELEASED_PARTITIONS, UNREVOKED_PARTITIONS};
use super::regex::Pattern;
use super::{ConsumerGroup, refuse};
use crate::group::assignor::Assignor;
use crate::group::error::GroupError;
use crate::group::record::{ConsumerMemberMetadata, CurrentAssignment, Record};
use crate::group::reply::{ConsumerHeartbeatAnswer, Refused};
use crate::group::request::ConsumerHeartbeat;
use crate::group::settings::Settings;
use crate::group::step::Context;

/// Different regular expressions in one group. All are looked up together and stored in one batch, each with the topics it stands
/// for, which may be all there are.
const MOST_REGEXES: usize = 100;

/// Whether a request makes sense by itself, whatever its group is like.
pub(in crate::group) fn validate(beat: &ConsumerHeartbeat, settings: &Settings) -> Result<(), Refused> {
    let invalid = |message: &str| Err(refuse(GroupError::InvalidRequest, message.to_owned()));
    let is_empty = |text: &Option<Arc<str>>| text.as_deref() == Some("");
    let needs_id = beat.requires_member_id || beat.member_epoch > 0 || beat.member_epoch == -1;
    if needs_id && beat.member_id.is_empty() {
        return invalid("the member id must not be empty");
    }
    if beat.group_id.is_empty() {
        return invalid("the group id must not be empty");
    }
    if is_empty(&beat.instance_id) {
        return invalid("the instance id must not be empty");
    }
    if is_empty(&beat.rack_id) {
        return invalid("the rack id must not be empty");
    }
    match beat.member_epoch {
        0 if beat.rebalance_timeout_ms == -1 => {
            return invalid("who joins has to name its rebalance timeout");
        }
        0 if beat.topic_partitions.as_ref().is_none_or(|held| !held.is_empty()) => {
            return invalid("who joins must hold no partitions, and has to say so");
        }
        0 if beat.subscribed_topic_names.is_none() && beat.subscribed_topic_regex.is_none() => {
            return invalid("who joins has to name topics or a regular expression");
        }
        AWAY if beat.instance_id.is_none() => {
            return invalid("only a static member, which has an instance id, may leave with epoch -2");
        }
        ..AWAY => return invalid("there is no such member epoch"),
        _ => {}
    }
    match &beat.server_assignor {
        Some(name)
            if Assignor::named(name).is_none_or(|known| !settings.consumer_assignors.contains(&known)) =>
        {
            let known: Vec<_> = settings.consumer_assignors.iter().map(|known| known.name()).collect();
            let message = format!("there is no assignor {name}; there are: {}", known.join(", "));
            Err(refuse(GroupError::UnsupportedAssignor, message))
        }
        _ => Ok(()),
    }
}

/// Whether the expression that a member brings can be read. Others had it before: then it can.
pub(in crate::group) fn validate_regex(beat: &ConsumerHeartbeat) -> Result<(), Refused> {
    let Some(expression) = beat.subscribed_topic_regex.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(());
    };
    let error = Pattern::read(expression).err();
    error.map_or(Ok(()), |why| {
        let message = format!("{expression:?} is no regular expression: {why}");
        Err(refuse(GroupError::InvalidRegularExpression, message))
    })
}

/// Whether one more fits in beside so many members.
pub(in crate::group) fn validate_size(
    members: usize,
    is_member: bool,
    settings: &Settings,
) -> Result<(), Refused> {
    if members < settings.consumer_max_size || is_member {
        return Ok(());
    }
    let message = format!("the group has {members} members, as many as group.consumer.max.size allows");
    Err(refuse(GroupError::GroupMaxSizeReached, message))
}

impl ConsumerGroup {
    /// Whether the group lets this request in. Nothing has changed when it does not.
    pub(in crate::group) fn check_heartbeat(
        &self,
        beat: &ConsumerHeartbeat,
        settings: &Settings,
    ) -> Result<(), Refused> {
        validate_size(self.members.len(), self.members.contains_key(&beat.member_id), settings)?;
        let joins = beat.member_epoch == 0;
        let member = match &beat.instance_id {
            None => self.members.get(&beat.member_id),
            Some(instance) => {
                let holder = self.static_members.get(instance).and_then(|id| self.members.get_key_value(id));
                match holder {
                    Some((id, member)) if joins => {
                        if !member.speaks_classic() && member.epoch() != AWAY {
                            let message = format!("the instance id {instance} is held by the member {id}");
                            return Err(refuse(GroupError::UnreleasedInstanceId, message));
                        }
                        return self.check_regex(beat);
                    }
                    Some((id, _)) if *id != beat.member_id => {
                        let message = format!("the member {id} has taken over the instance id {instance}");
                        return Err(refuse(GroupError::FencedInstanceId, message));
                    }
                    holder => holder.map(|(_, member)| member),
                }
            }
        };
        match member {
            Some(member) => check_epoch(member, beat)?,
            None if joins => {}
            None => return Err(self.unknown(beat)),
        }
        self.check_regex(beat)
    }

    fn check_regex(&self, beat: &ConsumerHeartbeat) -> Result<(), Refused> {
        match beat.subscribed_topic_regex.as_ref().filter(|regex| !regex.is_empty()) {
            Some(regex) if self.regexes.contains_key(regex) => Ok(()),
            Some(_) if self.regexes.len() >= MOST_REGEXES => {
                let message = format!(
                    "the members of the group {} have {MOST_REGEXES} different regular expressions already",
                    self.id
                );
                Err(refuse(GroupError::InvalidRegularExpression, message))
            }
            Some(_) => validate_regex(beat),
            None => Ok(()),
        }
    }

    pub(super) fn unknown(&self, beat: &ConsumerHeartbeat) -> Refused {
        let message = match &beat.instance_id {
            Some(instance) => format!("the group {} has no member with the instance id {instance}", self.id),
            None => format!("the group {} has no member {}", self.id, beat.member_id),
        };
        refuse(GroupError::UnknownMemberId, message)
    }

    /// Lets a member in, or takes it on. The request is checked.
    pub(in crate::group) fn heartbeat(
        &mut self,
        beat: &ConsumerHeartbeat,
        ctx: &mut Context<'_>,
    ) -> ConsumerHeartbeatAnswer {
        let id = if beat.member_id.is_empty() {
            Arc::from(beat.uuid.to_string())
        } else {
            Arc::clone(&beat.member_id)
        };
        if beat.member_epoch == 0 {
            self.replace_static_member(beat.instance_id.as_ref(), &id, ctx);
        }
        let known = self.members.get(&id);
        let before = known.map(|member| Arc::clone(&member.current));
        let about = known.map(|member| &member.about);
        if !about.is_some_and(|about| says_the_same(about, beat)) {
            let mut about = about.cloned().unwrap_or_else(|| Member::default().about);
            merge(&mut about, beat);
            self.change_subscription(&id, about, ctx);
        } else {
            self.look_at_topics(self.epoch == 0, ctx);
        }
        self.update_target(ctx);
        self.reconcile(&id, beat.topic_partitions.as_deref(), ctx);
        self.hear_of(&id, ctx);
        // One that came from the classic protocol has no time of its own to join and to sync any more.
        ctx.timers.cancel(self.join_timer(&id));
        ctx.timers.cancel(self.sync_timer(&id));

        let current = self.members.get(&id).map(|member| Arc::clone(&member.current)).unwrap_or_default();
        let says_all = beat.rebalance_timeout_ms != -1
            && (beat.subscribed_topic_names.is_some() || beat.subscribed_topic_regex.is_some())
            && beat.topic_partitions.is_some();
        let has_changed = || match &before {
            Some(before) => !Arc::ptr_eq(before, &current) && before.assigned != current.assigned,
            None => true,
        };
        let tells = beat.member_epoch == 0 || says_all || has_changed();
        ConsumerHeartbeatAnswer {
            member_id: id,
            member_epoch: current.member_epoch,
            heartbeat_interval_ms: ctx.consumer_heartbeat_interval_ms(&self.id),
            assignment: tells.then(|| current.assigned.clone()),
        }
    }

    /// A static member that was away is back under another id, or with another protocol: it gets the place, and what was to be
    /// its own (Kafka: `replaceMember`).
    pub(super) fn replace_static_member(
        &mut self,
        instance: Option<&Arc<str>>,
        id: &Arc<str>,
        ctx: &mut Context<'_>,
    ) {
        let Some(former) = instance.and_then(|instance| self.static_members.get(instance)).cloned() else {
            return;
        };
        let Some(member) = self.members.get(&former).cloned() else { return };
        let target = self.targets.get(&former).cloned().unwrap_or_default();
        self.remove_member(&former, ctx);
        let (group, member_id) = (Arc::clone(&self.id), Arc::clone(id));
        let about =
            Record::ConsumerGroupMemberMetadata { group, member: member_id, value: Some(member.about) };
        self.store(about, ctx);
        self.store_target(id, target, ctx);
        let current =
            CurrentAssignment { member_epoch: 0, previous_member_epoch: 0, ..(*member.current).clone() };
        self.store_current(id, current, ctx);
    }
}

/// Whether a member may name this epoch. It may name the one before if the answer with the new one was lost, as long as it
/// holds nothing else than what is assigned to it.
fn check_epoch(member: &Member, beat: &ConsumerHeartbeat) -> Result<(), Refused> {
    let fenced = |message: String| Err(refuse(GroupError::FencedMemberEpoch, message));
    let (named, epoch) = (beat.member_epoch, member.epoch());
    let owned: Option<&Owned> = beat.topic_partitions.as_deref();
    let state_is_known =
        matches!(member.current.state, STABLE | UNREVOKED_PARTITIONS | UNRELEASED_PARTITIONS);
    if !state_is_known && owned.is_none_or(|owned| !owned.is_empty()) {
        return fenced(
            "the member's state is of a kind that is not known here; it has to give all up and rejoin".into(),
        );
    }
    if named > epoch {
        return fenced(format!(
            "the member names epoch {named}, and is in {epoch}; it has to give all up and rejoin"
        ));
    }
    let answer_was_lost = named == member.current.previous_member_epoch
        && owned.is_some_and(|owned| member.is_assigned_all(owned));
    if named < epoch && !answer_was_lost {
        return fenced(format!(
            "the member names epoch {named}, and is in {epoch}; it has to give all up and rejoin"
        ));
    }
    Ok(())
}

/// Whether a request says nothing new. Such are nearly all, so nothing is copied.
fn says_the_same(about: &ConsumerMemberMetadata, beat: &ConsumerHeartbeat) -> bool {
    let unchanged = |said: &Option<Arc<str>>, known: &Option<Arc<str>>| said.is_none() || said == known;
    let same_names = beat.subscribed_topic_names.as_ref().is_none_or(|names| {
        let mut names: Vec<_> = names.iter().collect();
        names.sort();
        names.dedup();
        names.iter().copied().eq(&about.subscribed_topic_names)
    });
    unchanged(&beat.instance_id, &about.instance_id)
        && unchanged(&beat.rack_id, &about.rack_id)
        && unchanged(&beat.server_assignor, &about.server_assignor)
        && unchanged(&beat.subscribed_topic_regex, &about.subscribed_topic_regex)
        && (beat.rebalance_timeout_ms == -1 || beat.rebalance_timeout_ms == about.rebalance_timeout_ms)
        && beat.client_id == about.client_id
        && beat.client_host == about.client_host
        && about.classic.is_none()
        && same_names
}

/// Takes over what a request says.
fn merge(about: &mut ConsumerMemberMetadata, beat: &ConsumerHeartbeat) {
    let take = |place: &mut Option<Arc<str>>, said: &Option<Arc<str>>| {
        if said.is_some() {
            place.clone_from(said);
        }
    };
    take(&mut about.instance_id, &beat.instance_id);
    take(&mut about.rack_id, &beat.rack_id);
    take(&mut about.server_assignor, &beat.server_assignor);
    take(&mut about.subscribed_topic_regex, &beat.subscribed_topic_regex);
    if beat.rebalance_timeout_ms != -1 {
        about.rebalance_timeout_ms = beat.rebalance_timeout_ms;
    }
    if let Some(names) = &beat.subscribed_topic_names {
        about.subscribed_topic_names.clone_from(names);
        about.subscribed_topic_names.sort();
        about.subscribed_topic_names.dedup();
    }
    about.client_id = Arc::clone(&beat.client_id);
    about.client_host = Arc::clone(&beat.client_host);
    about.classic = None;
}

#[cfg(test)]
mod tests {
    use base::{Millis, Uuid};

    use super::*;
    use crate::group::reply::Reply;
    use crate::group::request::Event;
    use crate::group::{Groups, Ticket};

    fn join(groups: &mut Groups, number: usize, regex: &str) -> Result<(), GroupError> {
        let beat = ConsumerHeartbeat {
            group_id: Arc::from("g"),
            member_id: Arc::from(format!("m{number}")),
            member_epoch: 0,
            instance_id: None,
            rack_id: None,
            rebalance_timeout_ms: 60_000,
            subscribed_topic_names: None,
            subscribed_topic_regex: Some(Arc::from(regex)),
            server_assignor: None,
            topic_partitions: Some(Vec::new()),
            client_id: Arc::default(),
            client_host: Arc::default(),
            uuid: Uuid::nil(),
            requires_member_id: true,
        };
        let step = groups.handle(Ticket(0), Event::ConsumerHeartbeat(beat), Millis(0));
        match step.replies.into_iter().next() {
            Some((_, Reply::ConsumerHeartbeat(reply))) => reply.map(drop).map_err(|refused| refused.error),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_group_has_only_so_many_expressions() {
        let mut groups = Groups::new(Settings::default());
        for number in 0..MOST_REGEXES {
            assert_eq!(join(&mut groups, number, &format!("topic-{number}")), Ok(()));
        }
        assert_eq!(join(&mut groups, 1_000, "another"), Err(GroupError::InvalidRegularExpression));
        // One that somebody has is no further one, nor is none.
        assert_eq!(join(&mut groups, 1_000, "topic-7"), Ok(()));
        assert_eq!(join(&mut groups, 1_001, ""), Ok(()));
    }
}
