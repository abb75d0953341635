//! All groups of one partition: who is asked, what is read back, what is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Millis, ProducerId};

use super::classic::{ClassicGroup, drop_repeated_names};
use super::consumer::{self, ConsumerGroup};
use super::embedded;
use super::error::GroupError;
use super::offsets::{self, Offsets, Retention};
use super::record::Record;
use super::reply::{
    ConsumerHeartbeatAnswer, DescribedConsumerGroup, DescribedGroup, FetchedTopic, GroupKind, JoinRefused,
    LeftMember, ListedGroup, Refused, Reply, State, TopicResults,
};
use super::request::{
    CommitOffsets, ConsumerHeartbeat, DeleteOffsets, Event, FetchOffsets, Heartbeat, Join, Leave, Leaving,
    Sync,
};
use super::settings::{GroupOverrides, Settings};
use super::size;
use super::step::{Context, Step, Ticket};
use super::timers::{Timer, Timers};
use crate::sequence::Outcome;
use crate::topics::{Topic, Topics};

/// How many bytes of records one look at the deadlines may collect before it leaves the rest to the next one.
const ENOUGH_AT_ONCE: usize = 1 << 18;

/// All groups of one partition of `__consumer_offsets`, and their offsets.
#[derive(Debug)]
pub struct Groups {
    settings: Settings,
    groups: BTreeMap<Arc<str>, Group>,
    offsets: Offsets,
    timers: Timers,
    /// Most bytes that a batch may take.
    room: usize,
    /// How far the wall clock is ahead of the time that the shell names.
    wall_ahead_ms: i64,
    topics: Arc<Topics>,
    topics_version: i64,
    overrides: Arc<BTreeMap<Arc<str>, GroupOverrides>>,
}

/// A group of either protocol.
#[derive(Debug)]
pub(super) enum Group {
    Classic(ClassicGroup),
    Consumer(ConsumerGroup),
}

impl Groups {
    /// No groups yet. What the log holds is to be replayed, then [`loaded`](Self::loaded) is to be called.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            groups: BTreeMap::new(),
            offsets: Offsets::default(),
            timers: Timers::default(),
            room: usize::MAX,
            wall_ahead_ms: 0,
            topics: Arc::default(),
            topics_version: 0,
            overrides: Arc::default(),
        }
    }

    /// From now on a batch may take so many bytes (Kafka: `max.message.bytes` of the topic); at first there is no limit. What a
    /// request would have to store beyond that is refused.
    pub fn set_batch_room(&mut self, bytes: usize) {
        self.room = bytes;
    }

    /// From now on the wall clock is so far ahead of the time that comes with events, in milliseconds; at first it is not. Events
    /// come with a time that never jumps, which sessions and rebalances go by; what is stored carries the wall clock's.
    pub fn set_wall_ahead(&mut self, ms: i64) {
        self.wall_ahead_ms = ms;
    }

    /// The topics are these from now on, at this version of the metadata (the offset of its last record). To be told before each
    /// event; it costs nothing while the image is the same. A group notices what has changed at its next heartbeat.
    pub fn set_topics(&mut self, topics: &Arc<Topics>, version: i64) {
        if Arc::ptr_eq(&self.topics, topics) {
            return;
        }
        let before = std::mem::replace(&mut self.topics, Arc::clone(topics));
        self.topics_version = version;
        let mut groups = self.groups.values_mut().filter_map(|group| match group {
            Group::Consumer(group) => Some(group),
            Group::Classic(_) => None,
        });
        let Some(first) = groups.next() else { return };
        let is_same = |topic: &&Arc<Topic>, other: &Topics| {
            other.by_name(&topic.name).is_some_and(|other| Arc::ptr_eq(topic, other))
        };
        let gone = before.iter().filter(|topic| topics.by_name(&topic.name).is_none());
        let changed = topics.iter().filter(|topic| !is_same(topic, &before)).chain(gone);
        let changed: Vec<_> = changed.map(|topic| Arc::clone(&topic.name)).collect();
        let came = changed.iter().filter_map(|name| topics.by_name(name));
        let some_came = came.into_iter().any(|topic| before.by_id(topic.id).is_none());
        std::iter::once(first).chain(groups).for_each(|group| group.topics_changed(&changed, some_came));
    }

    /// What groups have of their own in place of the broker's settings, by group id; it holds from each member's next sign of life.
    pub fn set_overrides(&mut self, overrides: Arc<BTreeMap<Arc<str>, GroupOverrides>>) {
        self.overrides = overrides;
    }

    /// Goes by a record of the log, in the order of the log. `transaction` names the producer of a transactional batch: its
    /// offsets count from [`complete`](Self::complete) on.
    pub fn replay(&mut self, record: &Record, transaction: Option<ProducerId>) {
        match record {
            Record::OffsetCommit { key, value } => {
                if value.is_some() {
                    classic_entry(&mut self.groups, &key.group);
                }
                self.offsets.apply(key, value.as_ref(), transaction);
            }
            Record::GroupMetadata { group, value: Some(stored) } => {
                if matches!(self.groups.get(group), Some(Group::Consumer(_))) {
                    self.groups.remove(group);
                }
                if let Group::Classic(group) = classic_entry(&mut self.groups, group) {
                    group.adopt(stored);
                }
            }
            // Of a group that went over to the other protocol the tombstone comes first, and says nothing of what came after it.
            Record::GroupMetadata { group, value: None }
            | Record::ConsumerGroupMetadata { group, value: None } => drop(self.groups.remove(group)),
            Record::ConsumerGroupMetadata { group, value: Some(_) }
            | Record::ConsumerGroupPartitionMetadata { group, exists: true }
            | Record::ConsumerGroupMemberMetadata { group, value: Some(_), .. }
            | Record::ConsumerGroupTargetAssignmentMetadata { group, value: Some(_) }
            | Record::ConsumerGroupTargetAssignmentMember { group, value: Some(_), .. }
            | Record::ConsumerGroupCurrentMemberAssignment { group, value: Some(_), .. }
            | Record::ConsumerGroupRegularExpression { group, value: Some(_), .. } => {
                consumer_entry(&mut self.groups, group).apply(record);
            }
            Record::ConsumerGroupPartitionMetadata { group, exists: false }
            | Record::ConsumerGroupMemberMetadata { group, value: None, .. }
            | Record::ConsumerGroupTargetAssignmentMetadata { group, value: None }
            | Record::ConsumerGroupTargetAssignmentMember { group, value: None, .. }
            | Record::ConsumerGroupCurrentMemberAssignment { group, value: None, .. }
            | Record::ConsumerGroupRegularExpression { group, value: None, .. } => {
                if let Some(Group::Consumer(group)) = self.groups.get_mut(group) {
                    group.apply(record);
                }
            }
        }
    }

    /// A transaction has ended, by a control record of the log.
    pub fn complete(&mut self, producer: ProducerId, outcome: Outcome) {
        self.offsets.complete(producer, outcome);
    }

    /// The whole log has been replayed: sessions start, as long as each member asked for (Kafka: `onLoaded`).
    pub fn loaded(&mut self, now: Millis) -> Step {
        let mut step = Step { atomic: true, ..Step::default() };
        let (groups, mut ctx) = self.parts(now, &mut step);
        for group in groups.values_mut() {
            match group {
                Group::Classic(group) => {
                    group.start_sessions(&mut ctx);
                    group.shrink_if_too_large(&mut ctx);
                }
                Group::Consumer(group) => group.start_timers(&mut ctx),
            }
        }
        ctx.set_timer(Timer::Expiry, ctx.settings.offsets_retention_check_interval_ms);
        self.finish(step)
    }

    /// Does what a request asks for. It is answered in this step or, when it has to wait for other members, in a later one.
    pub fn handle(&mut self, ticket: Ticket, event: Event, now: Millis) -> Step {
        let mut step = Step { atomic: true, ..Step::default() };
        let reply = match event {
            Event::Join(join) => {
                self.join(ticket, join, now, &mut step);
                None
            }
            Event::Sync(sync) => {
                self.sync(ticket, sync, now, &mut step);
                None
            }
            Event::Heartbeat(heartbeat) => Some(Reply::Heartbeat(self.heartbeat(&heartbeat, now, &mut step))),
            Event::Leave(leave) => Some(Reply::Leave(self.leave(leave, now, &mut step))),
            Event::CommitOffsets(commit) => {
                Some(Reply::CommitOffsets(self.commit_offsets(&commit, now, &mut step)))
            }
            Event::DeleteOffsets(delete) => {
                Some(Reply::DeleteOffsets(self.delete_offsets(&delete, &mut step)))
            }
            Event::DeleteGroups(groups) => Some(Reply::DeleteGroups(self.delete_groups(groups, &mut step))),
            Event::ConsumerHeartbeat(beat) => {
                Some(Reply::ConsumerHeartbeat(self.consumer_heartbeat(&beat, now, &mut step)))
            }
        };
        step.replies.extend(reply.map(|reply| (ticket, reply)));
        self.finish(step)
    }

    /// Does what is due. To be called at [`Step::wake_at`]; sooner or later does no harm. What would make a large batch is left
    /// to a next call, which is due at once.
    pub fn tick(&mut self, now: Millis) -> Step {
        let mut step = Step { atomic: true, ..Step::default() };
        // What becomes due meanwhile waits for the next call, so that no chain of deadlines keeps the caller.
        for _ in 0..self.timers.count_due(now) {
            let Some(timer) = self.timers.take_due(now) else { break };
            if timer == Timer::Expiry && !step.records.is_empty() {
                // Its records may be spread over several batches, those of others may not.
                self.timers.set(timer, now);
                break;
            }
            let (groups, mut ctx) = self.parts(now, &mut step);
            match &timer {
                Timer::Expiry => self.expire(now, &mut step),
                Timer::Session { group: id, member } => match groups.get_mut(id) {
                    Some(Group::Classic(group)) => group.session_timer_fired(member, &mut ctx),
                    Some(Group::Consumer(_)) => fence_member(groups, id, member, &mut ctx),
                    None => {}
                },
                Timer::MemberJoin { group, member } | Timer::MemberSync { group, member } => {
                    fence_member(groups, group, member, &mut ctx);
                }
                Timer::Rebalance { group: id, member } => {
                    if let Some(Group::Consumer(group)) = groups.get(id)
                        && group.is_late(member)
                    {
                        fence_member(groups, id, member, &mut ctx);
                    }
                }
                Timer::Join(group) => {
                    if let Some(Group::Classic(group)) = groups.get_mut(group) {
                        group.join_timer_fired(&mut ctx);
                    }
                }
                Timer::Sync(group) => {
                    if let Some(Group::Classic(group)) = groups.get_mut(group) {
                        group.sync_timer_fired(&mut ctx);
                    }
                }
            }
            if timer == Timer::Expiry || size::of_records(&step.records) > ENOUGH_AT_ONCE {
                break;
            }
        }
        self.finish(step)
    }

    /// A topic is gone, and with it every offset in it.
    pub fn topic_deleted(&mut self, topic: &str) -> Step {
        let mut step = Step::default();
        self.store(self.offsets.delete_topic(topic), &mut step);
        self.finish(step)
    }

    /// What a group has committed. Offsets show whose records the shell may still be writing: the answer has to leave after them.
    ///
    /// # Errors
    /// None for classic groups; an unknown group has no offsets. A consumer group's offsets are shown to its members in their
    /// present epoch, and to those who do not claim to be one.
    pub fn fetch_offsets(&self, fetch: &FetchOffsets) -> Result<Vec<FetchedTopic>, GroupError> {
        if let Some(Group::Consumer(group)) = self.groups.get(&fetch.group_id) {
            group.check_fetch(fetch)?;
        }
        Ok(self.offsets.fetch(fetch, self.groups.contains_key(&fetch.group_id)))
    }

    /// A consumer group and its members; none if there is no such group, or it is a classic one.
    #[must_use]
    pub fn describe_consumer(&self, group: &str) -> Option<DescribedConsumerGroup> {
        match self.groups.get(group)? {
            Group::Consumer(group) => Some(group.describe(&self.topics, &self.settings)),
            Group::Classic(_) => None,
        }
    }

    /// A classic group and its members. DescribeGroups calls one that is not there `Dead`, and from version 6 on not found.
    #[must_use]
    pub fn describe(&self, group: &str) -> Option<DescribedGroup> {
        match self.groups.get(group)? {
            Group::Classic(group) => Some(group.describe()),
            Group::Consumer(_) => None,
        }
    }

    /// The groups in any of these states and of any of these types, by Kafka's names in any case; an empty list asks for all.
    #[must_use]
    pub fn list(&self, states: &[String], types: &[String]) -> Vec<ListedGroup> {
        let listed = |(id, group): (&Arc<str>, &Group)| {
            let (protocol_type, state, kind) = match group {
                Group::Classic(group) => (group.protocol_type(), group.state().name(), GroupKind::Classic),
                Group::Consumer(group) => {
                    (Arc::from(embedded::CONSUMER), group.state().name(), GroupKind::Consumer)
                }
            };
            ListedGroup { group_id: Arc::clone(id), protocol_type, state, kind }
        };
        let wanted = |group: &ListedGroup| {
            let in_state = |state: &String| state.trim().eq_ignore_ascii_case(group.state);
            let of_type = |kind: &String| kind.eq_ignore_ascii_case(group.kind.name());
            (states.is_empty() || states.iter().any(in_state))
                && (types.is_empty() || types.iter().any(of_type))
        };
        self.groups.iter().map(listed).filter(wanted).collect()
    }

    fn join(&mut self, ticket: Ticket, mut join: Join, now: Millis, step: &mut Step) {
        let consumers = match self.groups.get(&join.group_id) {
            Some(Group::Consumer(group)) => Some(group),
            Some(Group::Classic(_)) | None => None,
        };
        // A consumer group without members makes room for a classic one, which does not know anybody.
        let makes_room = consumers.is_some_and(ConsumerGroup::is_empty);
        let known = self.groups.contains_key(&join.group_id) && !makes_room;
        if let Err(error) = self.check_join(&join, known) {
            let refused = JoinRefused { member_id: join.member_id, error };
            return step.replies.push((ticket, Reply::Join(Err(refused))));
        }
        drop_repeated_names(&mut join.protocols);
        let (groups, mut ctx) = self.parts(now, step);
        if let Some(Group::Consumer(group)) = groups.get(&join.group_id) {
            if size::of_join(&join) > ctx.room {
                let refused = JoinRefused { member_id: join.member_id, error: GroupError::RecordTooLarge };
                return ctx.reply(ticket, Reply::Join(Err(refused)));
            }
            if !makes_room {
                return consumer::join(groups, ticket, &join, &mut ctx);
            }
            ctx.step.records.extend(group.tombstones());
            groups.remove(&join.group_id);
        }
        if let Group::Classic(group) = classic_entry(groups, &join.group_id) {
            if !known {
                group.found(&mut ctx);
            }
            group.join(ticket, join, &mut ctx);
        }
    }

    fn check_join(&self, join: &Join, known: bool) -> Result<(), GroupError> {
        let sessions = self.settings.min_session_timeout_ms..=self.settings.max_session_timeout_ms;
        if join.group_id.is_empty() {
            Err(GroupError::InvalidGroupId)
        } else if !sessions.contains(&join.session_timeout_ms) {
            Err(GroupError::InvalidSessionTimeout)
        } else if !known && !join.member_id.is_empty() {
            Err(GroupError::UnknownMemberId)
        } else {
            Ok(())
        }
    }

    fn sync(&mut self, ticket: Ticket, sync: Sync, now: Millis, step: &mut Step) {
        let (groups, mut ctx) = self.parts(now, step);
        let error = match groups.get_mut(&sync.group_id) {
            _ if sync.group_id.is_empty() => GroupError::InvalidGroupId,
            Some(Group::Classic(group)) => return group.sync(ticket, sync, &mut ctx),
            Some(Group::Consumer(group)) => {
                let synced = group.sync(&sync, &mut ctx);
                return ctx.reply(ticket, Reply::Sync(synced));
            }
            None => GroupError::UnknownMemberId,
        };
        ctx.reply(ticket, Reply::Sync(Err(error)));
    }

    fn heartbeat(&mut self, heartbeat: &Heartbeat, now: Millis, step: &mut Step) -> Result<(), GroupError> {
        let (groups, mut ctx) = self.parts(now, step);
        match groups.get_mut(&heartbeat.group_id) {
            _ if heartbeat.group_id.is_empty() => Err(GroupError::InvalidGroupId),
            Some(Group::Classic(group)) => group.heartbeat(heartbeat, &mut ctx),
            Some(Group::Consumer(group)) => group.classic_heartbeat(heartbeat, &mut ctx),
            None => Err(GroupError::UnknownMemberId),
        }
    }

    fn leave(&mut self, leave: Leave, now: Millis, step: &mut Step) -> Result<Vec<LeftMember>, GroupError> {
        let (groups, mut ctx) = self.parts(now, step);
        let unknown = |leaving: Leaving| LeftMember {
            member_id: leaving.member_id,
            instance_id: leaving.instance_id,
            result: Err(GroupError::UnknownMemberId),
        };
        match groups.get_mut(&leave.group_id) {
            _ if leave.group_id.is_empty() => Err(GroupError::InvalidGroupId),
            Some(Group::Classic(group)) => Ok(group.leave(leave.members, &mut ctx)),
            Some(Group::Consumer(group)) => {
                let mut leaving = BTreeSet::new();
                let left = leave.members.into_iter().map(|member| {
                    let result = group.find_leaving(&member).map(|id| {
                        leaving.insert(id);
                    });
                    LeftMember { member_id: member.member_id, instance_id: member.instance_id, result }
                });
                let left = left.collect();
                let leaving: Vec<_> = leaving.into_iter().collect();
                consumer::fence(groups, &leave.group_id, &leaving, &mut ctx);
                Ok(left)
            }
            None => Ok(leave.members.into_iter().map(unknown).collect()),
        }
    }

    /// ConsumerGroupHeartbeat. Whatever is refused has changed nothing.
    fn consumer_heartbeat(
        &mut self,
        beat: &ConsumerHeartbeat,
        now: Millis,
        step: &mut Step,
    ) -> Result<ConsumerHeartbeatAnswer, Refused> {
        consumer::validate(beat, &self.settings)?;
        if size::of_heartbeat(beat) > self.room {
            let error = GroupError::RecordTooLarge;
            return Err(Refused { error, message: error.to_string() });
        }
        let (groups, mut ctx) = self.parts(now, step);
        let id = &beat.group_id;
        if beat.member_epoch < 0 {
            let Some(Group::Consumer(group)) = groups.get_mut(id) else { return Err(no_consumer_group(id)) };
            let (answer, leaving) = group.leave(beat, &mut ctx)?;
            consumer::fence(groups, id, leaving.as_slice(), &mut ctx);
            return Ok(answer);
        }
        match groups.get(id) {
            Some(Group::Consumer(group)) => group.check_heartbeat(beat, ctx.settings)?,
            Some(Group::Classic(_)) | None if beat.member_epoch != 0 => return Err(no_consumer_group(id)),
            Some(Group::Classic(group)) if group.state() != State::Empty => {
                consumer::validate_upgrade(group, ctx.settings)?;
                consumer::validate_size(group.size(), group.has_member(&beat.member_id), ctx.settings)?;
                consumer::validate_epoch(group, beat)?;
                consumer::validate_regex(beat)?;
                consumer::to_consumer(groups, id, &mut ctx);
            }
            // A classic group without members makes room.
            Some(Group::Classic(_)) | None => {
                consumer::validate_size(0, false, ctx.settings)?;
                consumer::validate_regex(beat)?;
                if let Some(Group::Classic(mut group)) = groups.remove(id) {
                    group.dismiss(&mut ctx);
                    ctx.step.records.push(tombstone(id));
                }
            }
        }
        Ok(consumer_entry(groups, id).heartbeat(beat, &mut ctx))
    }

    /// The group id may be empty here, for the sake of old clients.
    fn commit_offsets(
        &mut self,
        commit: &CommitOffsets,
        now: Millis,
        step: &mut Step,
    ) -> Result<Vec<TopicResults>, GroupError> {
        let (groups, mut ctx) = self.parts(now, step);
        match groups.get(&commit.group_id) {
            Some(Group::Classic(group)) => {
                group.check_commit(commit)?;
                if group.commit_is_sign_of_life() {
                    group.hear_of(&commit.member_id, &mut ctx);
                }
            }
            Some(Group::Consumer(group)) => group.check_commit(commit)?,
            // The first commit of a consumer without a group, or of a tool, makes a simple group.
            None if commit.generation < 0 => {}
            None if commit.names_unknown_group => return Err(GroupError::GroupIdNotFound),
            None => return Err(GroupError::IllegalGeneration),
        }
        let (records, results) = offsets::commit(commit, &self.settings, self.room, self.wall(now))?;
        self.store(records, step);
        Ok(results)
    }

    fn delete_offsets(
        &mut self,
        delete: &DeleteOffsets,
        step: &mut Step,
    ) -> Result<Vec<TopicResults>, GroupError> {
        if delete.group_id.is_empty() {
            return Err(GroupError::InvalidGroupId);
        }
        let (records, results) = match self.groups.get(&delete.group_id) {
            None => return Err(GroupError::GroupIdNotFound),
            Some(Group::Classic(group)) => {
                group.check_delete_offsets()?;
                self.offsets.delete(delete, |topic| group.reads(topic))
            }
            Some(Group::Consumer(group)) => self.offsets.delete(delete, |topic| group.reads(topic)),
        };
        step.atomic = false;
        self.store(records, step);
        Ok(results)
    }

    /// Each group stands alone, and is gone when its last record is: a deletion that stops half-way is asked for once more. The
    /// group id may be empty here.
    fn delete_groups(
        &mut self,
        ids: Vec<Arc<str>>,
        step: &mut Step,
    ) -> Vec<(Arc<str>, Result<(), GroupError>)> {
        let mut delete = |id: Arc<str>| {
            let checked = match self.groups.get(&id) {
                Some(Group::Classic(group)) => group.check_delete().map(|()| vec![tombstone(&id)]),
                Some(Group::Consumer(group)) => group.check_delete().map(|()| group.tombstones()),
                None => Err(GroupError::GroupIdNotFound),
            };
            let deleted = checked.map(|tombstones| {
                let mut records = self.offsets.delete_all(&id);
                records.extend(tombstones);
                self.store(records, step);
            });
            (id, deleted)
        };
        let done = ids.into_iter().map(&mut delete).collect();
        step.atomic = false;
        done
    }

    /// Looks through all offsets for expired ones. A group without members that has none left goes too.
    fn expire(&mut self, now: Millis, step: &mut Step) {
        let mut records = Vec::new();
        let (retention_ms, wall) = (self.settings.offsets_retention_ms, self.wall(now));
        for (id, group) in &self.groups {
            let (expired, none_left) = match group {
                Group::Classic(group) => self.offsets.expire(id, group, retention_ms, wall),
                Group::Consumer(group) => self.offsets.expire(id, group, retention_ms, wall),
            };
            records.extend(expired);
            match group {
                Group::Classic(group) if none_left && group.state() == State::Empty => {
                    records.push(tombstone(id));
                }
                Group::Consumer(group) if none_left && group.is_empty() => {
                    records.extend(group.tombstones());
                }
                Group::Classic(_) | Group::Consumer(_) => {}
            }
        }
        step.atomic = false;
        self.store(records, step);
        let again = now.plus(self.settings.offsets_retention_check_interval_ms);
        self.timers.set(Timer::Expiry, again);
    }

    /// Goes by records of this moment as by those of the log, and hands them to the shell.
    fn store(&mut self, records: Vec<Record>, step: &mut Step) {
        records.iter().for_each(|record| self.replay(record, None));
        step.records.extend(records);
    }

    fn parts<'a>(
        &'a mut self,
        now: Millis,
        step: &'a mut Step,
    ) -> (&'a mut BTreeMap<Arc<str>, Group>, Context<'a>) {
        let wall = self.wall(now);
        let ctx = Context {
            settings: &self.settings,
            timers: &mut self.timers,
            step,
            room: self.room,
            now,
            wall,
            topics: &self.topics,
            topics_version: self.topics_version,
            overrides: &self.overrides,
        };
        (&mut self.groups, ctx)
    }

    const fn wall(&self, now: Millis) -> Millis {
        now.plus(self.wall_ahead_ms)
    }

    fn finish(&self, step: Step) -> Step {
        Step { wake_at: self.timers.next(), ..step }
    }
}

/// The group, or a new simple one: it has no record of its own, and lives as long as its offsets.
fn classic_entry<'a>(groups: &'a mut BTreeMap<Arc<str>, Group>, id: &Arc<str>) -> &'a mut Group {
    groups.entry(Arc::clone(id)).or_insert_with(|| Group::Classic(ClassicGroup::new(Arc::clone(id), None)))
}

/// The group, or a new one in place of what there was.
fn consumer_entry<'a>(groups: &'a mut BTreeMap<Arc<str>, Group>, id: &Arc<str>) -> &'a mut ConsumerGroup {
    let group =
        groups.entry(Arc::clone(id)).or_insert_with(|| Group::Consumer(ConsumerGroup::new(Arc::clone(id))));
    if matches!(group, Group::Classic(_)) {
        *group = Group::Consumer(ConsumerGroup::new(Arc::clone(id)));
    }
    match group {
        Group::Consumer(group) => group,
        Group::Classic(_) => unreachable!("has just been replaced"),
    }
}

fn no_consumer_group(id: &str) -> Refused {
    Refused { error: GroupError::GroupIdNotFound, message: format!("there is no consumer group {id}") }
}

/// A member of a consumer group has let its time go by.
fn fence_member(
    groups: &mut BTreeMap<Arc<str>, Group>,
    id: &Arc<str>,
    member: &Arc<str>,
    ctx: &mut Context<'_>,
) {
    if matches!(groups.get(id), Some(Group::Consumer(group)) if group.has_member(member)) {
        consumer::fence(groups, id, std::slice::from_ref(member), ctx);
    }
}

fn tombstone(group: &Arc<str>) -> Record {
    Record::GroupMetadata { group: Arc::clone(group), value: None }
}
