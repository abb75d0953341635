//! Consumer groups of KIP-848 (Kafka: `ConsumerGroup`): members say what they want and what they hold, the broker assigns and
//! takes each member there step by step.
//!
//! | file | |
//! | --- | --- |
//! | this one | what a group is, and the only code that changes it: by records |
//! | `member` | one member |
//! | `heartbeat` | ConsumerGroupHeartbeat: join, and go on |
//! | `subscription` | what a changed subscription, changed topics and regular expressions lead to |
//! | `target` | who is to have what in the end |
//! | `reconcile` | the next step of one member on its way there |
//! | `leave` | who goes, and records that end a group |
//! | `classic_members` | JoinGroup, SyncGroup and Heartbeat of members that speak the classic protocol |
//! | `migrate` | a classic group becomes one of these, and the other way round |
//! | `describe` | what others may see of it, and may do to its offsets |
//! | `hash`, `regex` | topics as a number, expressions as topics |
//!
//! Three epochs lead: the *group's* rises whenever the assignment has to be thought over, the *assignment's* says for which group
//! epoch that was done, a *member's* says up to which assignment it has given up what it had to. A partition goes to its next
//! owner when nobody holds it any more, and never before.

mod classic_members;
mod describe;
mod hash;
mod heartbeat;
mod leave;
mod member;
mod migrate;
mod reconcile;
mod regex;
mod subscription;
mod target;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base::{Millis, PartitionIndex, Uuid};

pub(super) use self::classic_members::join;
pub(super) use self::heartbeat::{validate, validate_regex, validate_size};
pub(super) use self::leave::fence;
use self::member::Member;
pub(super) use self::migrate::{to_consumer, validate_epoch, validate_upgrade};
use super::error::GroupError;
use super::record::{Partitions, Record, ResolvedRegex};
use super::reply::Refused;
use super::step::Context;
use super::timers::Timer;

/// A consumer group. All of it is stored, except the fields at the end.
#[derive(Debug)]
pub(super) struct ConsumerGroup {
    id: Arc<str>,
    /// 0 until the group's first record of it.
    epoch: i32,
    metadata_hash: i64,
    /// Whether the log still holds a record of type 4, which brokers before 4.1 wrote.
    has_partition_metadata: bool,
    members: BTreeMap<Arc<str>, Member>,
    /// The group epoch that `targets` were made for; -1 once it was taken back.
    assignment_epoch: i32,
    targets: BTreeMap<Arc<str>, Partitions>,
    /// What each regular expression stands for.
    resolved: BTreeMap<Arc<str>, ResolvedRegex>,

    // Counted from the members.
    /// The member id behind each instance id.
    static_members: BTreeMap<Arc<str>, Arc<str>>,
    /// How many members hold a partition: it is assigned to them, or they have not given it up yet. None has a count of 0.
    holders: HashMap<(Uuid, PartitionIndex), usize>,
    /// How many members name a topic, and how many expressions stand for it; each topic has one at least.
    topics: BTreeMap<Arc<str>, usize>,
    /// How many members have each regular expression.
    regexes: BTreeMap<Arc<str>, usize>,
    /// How many members ask for each assignor.
    assignors: BTreeMap<Arc<str>, usize>,
    /// How many members speak the classic protocol, and of those, how many speak which of its protocols.
    classic_members: usize,
    classic_protocols: BTreeMap<Arc<str>, usize>,

    // Not stored.
    /// The assignment is to be thought over, whatever the member wants that is just being let in.
    rebalance_due: bool,
    /// Some topic of the group has changed since its hash was made, or may have.
    topics_changed: bool,
    /// Topics have come since the expressions were looked up, or may have.
    topics_came: bool,
    /// When all expressions were looked up last.
    regexes_refreshed: Option<Millis>,
}

impl ConsumerGroup {
    pub(super) fn new(id: Arc<str>) -> Self {
        Self {
            id,
            epoch: 0,
            metadata_hash: 0,
            has_partition_metadata: false,
            members: BTreeMap::new(),
            assignment_epoch: 0,
            targets: BTreeMap::new(),
            resolved: BTreeMap::new(),
            static_members: BTreeMap::new(),
            holders: HashMap::new(),
            topics: BTreeMap::new(),
            regexes: BTreeMap::new(),
            assignors: BTreeMap::new(),
            classic_members: 0,
            classic_protocols: BTreeMap::new(),
            rebalance_due: false,
            topics_changed: true,
            topics_came: true,
            regexes_refreshed: None,
        }
    }

    /// Goes by a record: one that is read back, and one that is just being written. Logs that no broker would have written make a
    /// strange group, and no panic. A tombstone of type 3 ends the group, which is its holder's to do.
    pub(super) fn apply(&mut self, record: &Record) {
        match record {
            Record::OffsetCommit { .. } | Record::GroupMetadata { .. } => {}
            Record::ConsumerGroupMetadata { value, .. } => {
                if let Some(value) = value {
                    (self.epoch, self.metadata_hash) = (value.epoch, value.metadata_hash);
                }
            }
            Record::ConsumerGroupPartitionMetadata { exists, .. } => self.has_partition_metadata = *exists,
            Record::ConsumerGroupMemberMetadata { member: id, value: Some(value), .. } => {
                self.change_member(id, |member| member.adopt(value));
            }
            Record::ConsumerGroupMemberMetadata { member: id, value: None, .. } => {
                if let Some(member) = self.members.remove(id) {
                    self.count(id, &member, false);
                }
            }
            Record::ConsumerGroupTargetAssignmentMetadata { value, .. } => {
                self.assignment_epoch = value.unwrap_or(-1);
            }
            Record::ConsumerGroupTargetAssignmentMember { member, value: Some(share), .. } => {
                self.targets.insert(Arc::clone(member), share.clone());
            }
            Record::ConsumerGroupTargetAssignmentMember { member, value: None, .. } => {
                self.targets.remove(member);
            }
            Record::ConsumerGroupCurrentMemberAssignment { member: id, value: Some(value), .. } => {
                self.change_member(id, |member| member.current = Arc::new(value.clone()));
            }
            Record::ConsumerGroupCurrentMemberAssignment { member: id, value: None, .. } => {
                if self.members.contains_key(id) {
                    self.change_member(id, Member::forget_partitions);
                }
            }
            Record::ConsumerGroupRegularExpression { regex, value, .. } => {
                let before = match value {
                    Some(value) => {
                        value.topics.iter().for_each(|topic| count(&mut self.topics, topic, true));
                        self.resolved.insert(Arc::clone(regex), value.clone())
                    }
                    None => self.resolved.remove(regex),
                };
                let topics = before.iter().flat_map(|before| &before.topics);
                topics.for_each(|topic| count(&mut self.topics, topic, false));
            }
        }
    }

    /// Writes a record, and goes by it.
    fn store(&mut self, record: Record, ctx: &mut Context<'_>) {
        self.apply(&record);
        ctx.step.records.push(record);
    }

    /// Changes a member, or a new one, and what is counted of it.
    fn change_member(&mut self, id: &Arc<str>, change: impl FnOnce(&mut Member)) {
        let mut member = match self.members.remove(id) {
            Some(member) => {
                self.count(id, &member, false);
                member
            }
            None => Member::default(),
        };
        change(&mut member);
        self.count(id, &member, true);
        self.members.insert(Arc::clone(id), member);
    }

    /// Counts a member in or out.
    fn count(&mut self, id: &Arc<str>, member: &Member, more: bool) {
        let about = &member.about;
        if let Some(instance) = &about.instance_id {
            if more {
                self.static_members.insert(Arc::clone(instance), Arc::clone(id));
            } else if self.static_members.get(instance) == Some(id) {
                self.static_members.remove(instance);
            }
        }
        about.subscribed_topic_names.iter().for_each(|topic| count(&mut self.topics, topic, more));
        member.regex().into_iter().for_each(|regex| count(&mut self.regexes, regex, more));
        about.server_assignor.iter().for_each(|assignor| count(&mut self.assignors, assignor, more));
        if let Some(classic) = &about.classic {
            self.classic_members = if more { self.classic_members + 1 } else { self.classic_members - 1 };
            let protocols = classic.supported_protocols.iter();
            protocols.for_each(|protocol| count(&mut self.classic_protocols, &protocol.name, more));
        }
        for (topic, indexes) in member.current.assigned.iter().chain(&member.current.pending_revocation) {
            for index in indexes {
                let holders = self.holders.entry((*topic, *index)).or_default();
                *holders = if more { *holders + 1 } else { *holders - 1 };
                if *holders == 0 {
                    self.holders.remove(&(*topic, *index));
                }
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Topics of these names have come, gone or changed; the group looks again when a member comes.
    pub(super) fn topics_changed(&mut self, changed: &[Arc<str>], some_came: bool) {
        self.topics_changed |= changed.iter().any(|name| self.topics.contains_key(name));
        self.topics_came |= some_came;
    }

    /// The group has been read back: every session begins, and the time to give partitions up (Kafka: `onLoaded`).
    pub(super) fn start_timers(&self, ctx: &mut Context<'_>) {
        for (id, member) in &self.members {
            self.hear_of(id, ctx);
            if member.has_to_revoke() {
                ctx.set_timer(self.rebalance_timer(id), i64::from(member.about.rebalance_timeout_ms));
            }
        }
    }

    /// The member has been heard of: its session starts anew.
    fn hear_of(&self, id: &Arc<str>, ctx: &mut Context<'_>) {
        ctx.set_timer(self.session_timer(id), i64::from(ctx.consumer_session_timeout_ms(&self.id)));
    }

    fn session_timer(&self, member: &Arc<str>) -> Timer {
        Timer::Session { group: Arc::clone(&self.id), member: Arc::clone(member) }
    }

    fn rebalance_timer(&self, member: &Arc<str>) -> Timer {
        Timer::Rebalance { group: Arc::clone(&self.id), member: Arc::clone(member) }
    }

    fn join_timer(&self, member: &Arc<str>) -> Timer {
        Timer::MemberJoin { group: Arc::clone(&self.id), member: Arc::clone(member) }
    }

    fn sync_timer(&self, member: &Arc<str>) -> Timer {
        Timer::MemberSync { group: Arc::clone(&self.id), member: Arc::clone(member) }
    }

    fn cancel_timers(&self, member: &Arc<str>, ctx: &mut Context<'_>) {
        ctx.timers.cancel(self.session_timer(member));
        ctx.timers.cancel(self.rebalance_timer(member));
        ctx.timers.cancel(self.join_timer(member));
        ctx.timers.cancel(self.sync_timer(member));
    }

    /// Whether a member still has to give up partitions, now that its time for that is over.
    pub(super) fn is_late(&self, member: &str) -> bool {
        self.members.get(member).is_some_and(Member::has_to_revoke)
    }

    pub(super) fn has_member(&self, member: &str) -> bool {
        self.members.contains_key(member)
    }
}

/// Counts in or out.
fn count(counts: &mut BTreeMap<Arc<str>, usize>, what: &Arc<str>, more: bool) {
    if more {
        *counts.entry(Arc::clone(what)).or_default() += 1;
    } else if let Some(counted) = counts.get_mut(what) {
        *counted -= 1;
        if *counted == 0 {
            counts.remove(what);
        }
    }
}

fn refuse(error: GroupError, message: String) -> Refused {
    Refused { error, message }
}
