//! Requests as no client would send them, in any order, and records as no broker would write them: nothing breaks, each request
//! is answered once, what is in force is what is stored, and the offsets are those of a simple model.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset, PartitionIndex, ProducerId, Uuid};
use proptest::prelude::*;
use state_machines::group::{
    Assignment, ClassicMemberMetadata, CommitOffsets, CommitPartition, CommitTopic, CommittedOffset,
    ConsumerGroupMetadata, ConsumerHeartbeat, ConsumerMemberMetadata, CurrentAssignment, DeleteOffsets,
    Event, FetchOffsets, GroupError, GroupMetadata, Groups, Heartbeat, Join, Leave, Leaving, OffsetKey,
    Partitions, Protocol, Record, Reply, ResolvedRegex, Settings, State, Step, StoredMember, Sync, Ticket,
};
use state_machines::sequence::Outcome;
use state_machines::topics::{self, Topics};

#[derive(Clone, Debug)]
enum Happening {
    /// A request. All but one in four are aimed: they come from a member, in its group's generation.
    Event(Event, u8),
    /// A record of a transaction, or one that is just there.
    Record(Record, Option<ProducerId>),
    End(ProducerId, Outcome),
    TopicDeleted,
    /// The topics `t` and `u` have so many partitions; none: the topic is not there.
    Topics(usize, usize),
    Wait(i64),
    Restart,
}

/// A member id: none, or one that nobody has. Those that members have are aimed at later.
fn member() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![6 => Just(Arc::from("")), 1 => Just(Arc::from("x"))]
}

fn instance() -> impl Strategy<Value = Option<Arc<str>>> {
    prop_oneof![3 => Just(None), 1 => Just(Some(Arc::from("i"))), 1 => Just(Some(Arc::from("j")))]
}

fn group() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![1 => Just(Arc::from("")), 40 => Just(Arc::from("g")), 3 => Just(Arc::from("h"))]
}

fn bytes() -> impl Strategy<Value = Arc<[u8]>> {
    prop_oneof![
        Just(Arc::from(&b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff"[..])),
        prop::collection::vec(any::<u8>(), 0..6).prop_map(Arc::from),
    ]
}

fn protocols() -> impl Strategy<Value = Vec<Protocol>> {
    let name = prop_oneof![8 => Just("p"), 2 => Just("q"), 1 => Just("r")].prop_map(Arc::from);
    let protocol = (name, bytes()).prop_map(|(name, metadata)| Protocol { name, metadata });
    prop::collection::vec(protocol, 0..4)
}

fn kind() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![20 => Just(Arc::from("consumer")), 1 => Just(Arc::from("connect")), 1 => Just(Arc::from(""))]
}

fn join() -> impl Strategy<Value = Join> {
    let timeouts = (prop_oneof![9 => Just(6_000), 9 => Just(60_000), 1 => Just(0)], any::<i16>());
    (group(), member(), instance(), kind(), protocols(), timeouts, any::<(bool, bool)>()).prop_map(
        |(group_id, member_id, instance_id, protocol_type, protocols, timeouts, flags)| Join {
            group_id,
            member_id,
            instance_id,
            client_id: Arc::from("c"),
            client_host: Arc::from("/127.0.0.1"),
            session_timeout_ms: timeouts.0,
            rebalance_timeout_ms: i32::from(timeouts.1),
            protocol_type,
            protocols,
            uuid: Uuid::nil(),
            requires_member_id: flags.0,
            skips_assignment: flags.1,
        },
    )
}

/// Topic ids: those of `t` and `u`, and one that nobody knows.
fn topic_id() -> impl Strategy<Value = Uuid> {
    (1..4_u128).prop_map(Uuid::from_u128)
}

fn index() -> impl Strategy<Value = PartitionIndex> {
    prop_oneof![8 => 0..4_i32, 1 => Just(-1), 1 => Just(i32::MAX)].prop_map(PartitionIndex)
}

fn names() -> impl Strategy<Value = Vec<Arc<str>>> {
    let name = prop_oneof![Just("t"), Just("u"), Just("w"), Just("")].prop_map(Arc::from);
    prop::collection::vec(name, 0..4)
}

fn regex() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![Just(""), Just("t|u"), Just("."), Just("("), Just("a)(?:b")].prop_map(Arc::from)
}

fn partitions() -> impl Strategy<Value = Partitions> {
    prop::collection::btree_map(topic_id(), prop::collection::btree_set(index(), 1..4), 0..3)
}

fn assignor() -> impl Strategy<Value = Option<Arc<str>>> {
    let name = prop_oneof![4 => Just("range"), 4 => Just("uniform"), 1 => Just("best")].prop_map(Arc::from);
    prop::option::of(name)
}

fn timeout() -> impl Strategy<Value = i32> {
    prop_oneof![6 => Just(5_000), 2 => Just(-1), 1 => any::<i32>()]
}

fn consumer_heartbeat() -> impl Strategy<Value = ConsumerHeartbeat> {
    let held = prop::collection::vec((topic_id(), prop::collection::vec(index(), 0..4)), 0..3);
    let held = prop_oneof![2 => Just(None), 3 => Just(Some(Vec::new())), 3 => held.prop_map(Some)];
    let epoch = prop_oneof![8 => Just(0), 8 => 1..9_i32, 3 => -3..0_i32, 1 => any::<i32>()];
    let subscription = (prop::option::of(names()), prop::option::of(regex()), assignor());
    let who = (group(), member(), instance(), prop::option::of(Just(Arc::from("r"))), any::<bool>());
    (who, epoch, timeout(), subscription, held).prop_map(
        |(
            (group_id, member_id, instance_id, rack_id, requires_member_id),
            member_epoch,
            timeout,
            wish,
            held,
        )| {
            ConsumerHeartbeat {
                group_id,
                member_id,
                member_epoch,
                instance_id,
                rack_id,
                rebalance_timeout_ms: timeout,
                subscribed_topic_names: wish.0,
                subscribed_topic_regex: wish.1,
                server_assignor: wish.2,
                topic_partitions: held,
                client_id: Arc::from("c"),
                client_host: Arc::from("/127.0.0.1"),
                uuid: Uuid::nil(),
                requires_member_id,
            }
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    let generation = -1..5_i32;
    let assignment =
        (member(), bytes()).prop_map(|(member_id, assignment)| Assignment { member_id, assignment });
    let sync = (group(), member(), instance(), generation.clone(), prop::collection::vec(assignment, 0..4));
    let leaving =
        (member(), instance()).prop_map(|(member_id, instance_id)| Leaving { member_id, instance_id });
    let commit = (group(), member(), instance(), generation.clone(), key(), offset());
    prop_oneof![
        8 => join().prop_map(Event::Join),
        10 => consumer_heartbeat().prop_map(Event::ConsumerHeartbeat),
        6 => sync.prop_map(|(group_id, member_id, instance_id, generation, assignments)| {
            let (protocol_type, protocol) = (None, None);
            Event::Sync(Sync { group_id, member_id, instance_id, generation, protocol_type, protocol, assignments })
        }),
        2 => (group(), member(), instance(), generation).prop_map(
            |(group_id, member_id, instance_id, generation)| {
                Event::Heartbeat(Heartbeat { group_id, member_id, instance_id, generation })
            }
        ),
        2 => (group(), prop::collection::vec(leaving, 0..3))
            .prop_map(|(group_id, members)| Event::Leave(Leave { group_id, members })),
        4 => commit.prop_map(|(group_id, member_id, instance_id, generation, key, offset)| {
            let partition = CommitPartition {
                index: key.partition,
                offset,
                leader_epoch: LeaderEpoch(0),
                metadata: Arc::default(),
            };
            let (name, topic_id) = (key.topic, Uuid::nil());
            Event::CommitOffsets(CommitOffsets {
                group_id,
                member_id,
                instance_id,
                generation,
                retention_ms: None,
                names_unknown_group: true,
                topics: vec![CommitTopic { name, topic_id, partitions: vec![partition] }],
            })
        }),
        1 => key().prop_map(|key| {
            let topics = vec![(key.topic, vec![key.partition])];
            Event::DeleteOffsets(DeleteOffsets { group_id: key.group, topics })
        }),
        1 => prop::collection::vec(group(), 0..3).prop_map(Event::DeleteGroups),
    ]
}

fn key() -> impl Strategy<Value = OffsetKey> {
    (group(), prop_oneof![4 => Just("t"), 1 => Just("u")], 0..2_i32).prop_map(|(group, topic, partition)| {
        OffsetKey { group, topic: Arc::from(topic), partition: PartitionIndex(partition) }
    })
}

fn offset() -> impl Strategy<Value = Offset> {
    (0..1_000_i64).prop_map(Offset)
}

fn offset_record() -> impl Strategy<Value = Record> {
    let value = offset().prop_map(|offset| CommittedOffset {
        offset,
        leader_epoch: LeaderEpoch::NONE,
        metadata: Arc::default(),
        commit_timestamp: Millis(0),
        expire_timestamp: Millis::NONE,
        topic_id: Uuid::nil(),
    });
    (key(), prop::option::of(value)).prop_map(|(key, value)| Record::OffsetCommit { key, value })
}

fn group_record() -> impl Strategy<Value = Record> {
    let stored = (member(), instance(), any::<(i16, i16)>(), bytes(), bytes()).prop_map(
        |(member_id, instance_id, timeouts, subscription, assignment)| StoredMember {
            member_id,
            instance_id,
            client_id: Arc::from("c"),
            client_host: Arc::from("/127.0.0.1"),
            rebalance_timeout_ms: i32::from(timeouts.0),
            session_timeout_ms: i32::from(timeouts.1),
            subscription,
            assignment,
        },
    );
    let generation = prop_oneof![0..4_i32, Just(i32::MAX), Just(-1)];
    let names = (kind(), prop::option::of(Just(Arc::from("p"))), prop::option::of(member()));
    let value = (generation, names, -1..10_i64, prop::collection::vec(stored, 0..3)).prop_map(
        |(generation, (protocol_type, protocol, leader), since, members)| GroupMetadata {
            protocol_type,
            generation,
            protocol,
            leader,
            state_since: Millis(since),
            members,
        },
    );
    (group(), prop::option::of(value)).prop_map(|(group, value)| Record::GroupMetadata { group, value })
}

fn consumer_record() -> impl Strategy<Value = Record> {
    let epoch = || prop_oneof![-2..4_i32, Just(i32::MAX)];
    let who = || (group(), member());
    let classic = (any::<i32>(), protocols()).prop_map(|(session_timeout_ms, supported_protocols)| {
        ClassicMemberMetadata { session_timeout_ms, supported_protocols }
    });
    let wish = (names(), prop::option::of(regex()), assignor());
    let about = (instance(), wish, timeout(), prop::option::of(classic)).prop_map(
        |(instance_id, wish, rebalance_timeout_ms, classic)| ConsumerMemberMetadata {
            instance_id,
            rack_id: None,
            client_id: Arc::from("c"),
            client_host: Arc::from("/127.0.0.1"),
            subscribed_topic_names: wish.0,
            subscribed_topic_regex: wish.1,
            rebalance_timeout_ms,
            server_assignor: wish.2,
            classic,
        },
    );
    let current = (epoch(), epoch(), -1..4_i8, partitions(), partitions()).prop_map(
        |(member_epoch, previous_member_epoch, state, assigned, pending_revocation)| CurrentAssignment {
            member_epoch,
            previous_member_epoch,
            state,
            assigned,
            pending_revocation,
        },
    );
    let resolved = names().prop_map(|names| ResolvedRegex {
        topics: names.into_iter().collect(),
        version: 7,
        timestamp: Millis(0),
    });
    let metadata = (epoch(), any::<i64>())
        .prop_map(|(epoch, metadata_hash)| ConsumerGroupMetadata { epoch, metadata_hash });
    prop_oneof![
        3 => (group(), prop::option::of(metadata))
            .prop_map(|(group, value)| Record::ConsumerGroupMetadata { group, value }),
        1 => (group(), any::<bool>())
            .prop_map(|(group, exists)| Record::ConsumerGroupPartitionMetadata { group, exists }),
        4 => (who(), prop::option::of(about)).prop_map(|((group, member), value)| {
            Record::ConsumerGroupMemberMetadata { group, member, value }
        }),
        2 => (group(), prop::option::of(epoch()))
            .prop_map(|(group, value)| Record::ConsumerGroupTargetAssignmentMetadata { group, value }),
        3 => (who(), prop::option::of(partitions())).prop_map(|((group, member), value)| {
            Record::ConsumerGroupTargetAssignmentMember { group, member, value }
        }),
        4 => (who(), prop::option::of(current)).prop_map(|((group, member), value)| {
            Record::ConsumerGroupCurrentMemberAssignment { group, member, value }
        }),
        2 => (group(), regex(), prop::option::of(resolved)).prop_map(|(group, regex, value)| {
            Record::ConsumerGroupRegularExpression { group, regex, value }
        }),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let producer = (0..3_i64).prop_map(ProducerId);
    let outcome = prop_oneof![Just(Outcome::Commit), Just(Outcome::Abort)];
    prop_oneof![
        30 => (event(), any::<u8>()).prop_map(|(event, aim)| Happening::Event(event, aim)),
        6 => (offset_record(), prop::option::of(producer.clone())).prop_map(|(record, transaction)| {
            Happening::Record(record, transaction)
        }),
        4 => (producer, outcome).prop_map(|(producer, outcome)| Happening::End(producer, outcome)),
        1 => Just(Happening::TopicDeleted),
        2 => (0..4_usize, 0..4_usize).prop_map(|(t, u)| Happening::Topics(t, u)),
        6 => (0..8_000_i64).prop_map(Happening::Wait),
        1 => Just(Happening::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_may_happen(
        max_size in 1..4_usize,
        delay in prop_oneof![Just(0), Just(3_000)],
        before in prop::collection::vec(prop_oneof![offset_record(), group_record(), consumer_record()], 0..12),
        story in prop::collection::vec(happening(), 0..120),
    ) {
        let settings = Settings { max_size, initial_rebalance_delay_ms: delay, ..Settings::default() };
        let mut world = World::new(settings, before);
        for happening in story {
            world.happen(happening);
            world.check();
        }
    }
}

enum Logged {
    Record(Record, Option<ProducerId>),
    End(ProducerId, Outcome),
}

struct World {
    settings: Settings,
    groups: Groups,
    log: Vec<Logged>,
    now: Millis,
    wake_at: Option<Millis>,
    last_ticket: u64,
    /// Requests that were not answered, with their groups.
    open: BTreeMap<Ticket, Arc<str>>,
    /// Member ids that clients were told to come again with.
    given_out: Vec<Arc<str>>,
    /// The last generation that a member was told.
    generation: i32,
    topics: Arc<Topics>,
    version: i64,
}

impl World {
    fn new(settings: Settings, before: Vec<Record>) -> Self {
        let mut world = Self {
            groups: Groups::new(settings.clone()),
            settings,
            log: before.into_iter().map(|record| Logged::Record(record, None)).collect(),
            now: Millis(0),
            wake_at: None,
            last_ticket: 0,
            open: BTreeMap::new(),
            given_out: Vec::new(),
            generation: 0,
            topics: Arc::default(),
            version: 0,
        };
        world.restart();
        world
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Event(mut event, aim) => {
                self.last_ticket += 1;
                self.aim(&mut event, usize::from(aim));
                let ticket = Ticket(self.last_ticket);
                let group = match &event {
                    Event::Join(join) => Arc::clone(&join.group_id),
                    Event::Sync(sync) => Arc::clone(&sync.group_id),
                    _ => Arc::default(),
                };
                self.open.insert(ticket, group);
                let step = self.groups.handle(ticket, event, self.now);
                self.take(step);
            }
            Happening::Record(record, transaction) => {
                self.groups.replay(&record, transaction);
                self.log.push(Logged::Record(record, transaction));
            }
            Happening::End(producer, outcome) => {
                self.groups.complete(producer, outcome);
                self.log.push(Logged::End(producer, outcome));
            }
            Happening::TopicDeleted => {
                let step = self.groups.topic_deleted("t");
                self.take(step);
            }
            Happening::Topics(t, u) => self.show_topics(t, u),
            Happening::Wait(ms) => self.wait(ms),
            Happening::Restart => self.restart(),
        }
    }

    fn show_topics(&mut self, t: usize, u: usize) {
        let mut topics = Topics::default();
        for (number, (name, count)) in
            [("t", t), ("u", u)].into_iter().enumerate().filter(|(_, (_, count))| *count > 0)
        {
            let id = Uuid::from_u128(number as u128 + 1);
            topics.apply(&topics::Record::Topic { id, name: name.to_owned() }).unwrap();
            for index in 0..i32::try_from(count).unwrap() {
                let (index, info) = (PartitionIndex(index), topics::PartitionInfo::default());
                topics.apply(&topics::Record::Partition { topic: id, index, info }).unwrap();
            }
        }
        self.topics = Arc::new(topics);
        self.version += 1;
        self.groups.set_topics(&self.topics, self.version);
    }

    /// Makes a request one of a member, and draws the random number of a JoinGroup.
    fn aim(&self, event: &mut Event, aim: usize) {
        let mut known: Vec<(Arc<str>, Option<Arc<str>>)> =
            self.given_out.iter().map(|id| (Arc::clone(id), None)).collect();
        let members = self.groups.describe("g").map(|group| group.members).unwrap_or_default();
        known.extend(members.iter().map(|member| (member.member_id.clone(), member.instance_id.clone())));
        let consumers = self.groups.describe_consumer("g").map(|group| group.members).unwrap_or_default();
        known.extend(consumers.iter().map(|member| (member.member_id.clone(), member.instance_id.clone())));
        let mut epoch = self.generation;
        if let Some(member) = consumers.get((aim >> 3) % consumers.len().max(1)) {
            epoch = member.member_epoch;
        }
        let (member_id, instance_id, generation) = match event {
            Event::ConsumerHeartbeat(beat) => {
                beat.uuid = Uuid::from_u128(self.last_ticket.into());
                if aim & 3 != 0 && beat.member_id.is_empty() {
                    beat.member_id = Arc::from(format!("m{}", aim & 7));
                }
                // One in two joins under such an id; of the others most go on.
                if aim & 4 == 0 {
                    return;
                }
                let Some(member) = consumers.get((aim >> 3) % consumers.len().max(1)) else { return };
                (beat.member_id, beat.instance_id) = (member.member_id.clone(), member.instance_id.clone());
                if beat.member_epoch >= 0 && aim & 3 != 0 {
                    beat.member_epoch = member.member_epoch;
                }
                return;
            }
            Event::Join(join) => {
                join.uuid = Uuid::from_u128(self.last_ticket.into());
                // One in two is new.
                if aim & 4 == 0 {
                    return;
                }
                (&mut join.member_id, &mut join.instance_id, &mut 0)
            }
            Event::Sync(sync) => {
                for (place, assignment) in sync.assignments.iter_mut().enumerate() {
                    if let Some(member) = members.get(place) {
                        assignment.member_id = Arc::clone(&member.member_id);
                    }
                }
                (&mut sync.member_id, &mut sync.instance_id, &mut sync.generation)
            }
            Event::Heartbeat(beat) => (&mut beat.member_id, &mut beat.instance_id, &mut beat.generation),
            Event::CommitOffsets(commit) => {
                (&mut commit.member_id, &mut commit.instance_id, &mut commit.generation)
            }
            Event::Leave(leave) => match leave.members.first_mut() {
                Some(leaving) => (&mut leaving.member_id, &mut leaving.instance_id, &mut 0),
                None => return,
            },
            Event::DeleteOffsets(_) | Event::DeleteGroups(_) => return,
        };
        if aim & 3 != 0 && !known.is_empty() {
            (*member_id, *instance_id) = known[(aim >> 3) % known.len()].clone();
            *generation = epoch;
        }
    }

    fn wait(&mut self, ms: i64) {
        let end = self.now.plus(ms);
        let mut calls = 0;
        while let Some(at) = self.wake_at.filter(|at| *at <= end) {
            calls += 1;
            assert!(calls < 2_000, "deadlines follow deadlines");
            self.now = self.now.max(at);
            let step = self.groups.tick(self.now);
            self.take(step);
        }
        self.now = end;
    }

    fn restart(&mut self) {
        self.groups = self.replayed();
        self.open.clear();
        let step = self.groups.loaded(self.now);
        self.take(step);
    }

    fn replayed(&self) -> Groups {
        let mut groups = Groups::new(self.settings.clone());
        groups.set_topics(&self.topics, self.version);
        for logged in &self.log {
            match logged {
                Logged::Record(record, transaction) => groups.replay(record, *transaction),
                Logged::End(producer, outcome) => groups.complete(*producer, *outcome),
            }
        }
        groups
    }

    fn take(&mut self, step: Step) {
        self.wake_at = step.wake_at;
        self.log.extend(step.records.into_iter().map(|record| Logged::Record(record, None)));
        let mut answered = HashSet::new();
        for (ticket, reply) in step.replies {
            assert!(answered.insert(ticket), "a ticket is answered once");
            assert!(self.open.remove(&ticket).is_some(), "only those that wait are answered");
            match reply {
                Reply::Join(Ok(joined)) => self.generation = joined.generation,
                Reply::Join(Err(refused)) if refused.error == GroupError::MemberIdRequired => {
                    self.given_out.push(refused.member_id);
                }
                _ => {}
            }
        }
        assert!(self.wake_at.is_some(), "offsets are looked through for ever");
    }

    fn check(&self) {
        let replayed = self.replayed();
        let ids = |groups: &Groups| {
            groups.list(&[], &[]).into_iter().map(|group| group.group_id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&self.groups), ids(&replayed));
        for id in ids(&self.groups) {
            let consumers = self.groups.describe_consumer(&id);
            assert_eq!(consumers, replayed.describe_consumer(&id));
            let Some(group) = self.groups.describe(&id) else {
                assert!(consumers.is_some(), "each group is of one kind");
                assert!(!self.open.values().any(|waits| *waits == id), "nobody waits in a consumer group");
                continue;
            };
            if matches!(group.state, State::Empty | State::Stable) {
                assert_eq!(Some(group), replayed.describe(&id));
                assert!(!self.open.values().any(|waits| *waits == id), "nobody waits in a group at rest");
            }
        }
        self.check_offsets();
    }

    /// The log read by the book: a commit counts from its record on, or from its marker on unless a later record counts already.
    fn check_offsets(&self) {
        let mut committed: BTreeMap<OffsetKey, (usize, Offset)> = BTreeMap::new();
        let mut pending: BTreeMap<(ProducerId, OffsetKey), (usize, Offset)> = BTreeMap::new();
        for (place, logged) in self.log.iter().enumerate() {
            match logged {
                Logged::Record(Record::OffsetCommit { key, value: None }, _) => {
                    committed.remove(key);
                    pending.retain(|(_, other), _| other != key);
                }
                Logged::Record(Record::OffsetCommit { key, value: Some(value) }, None) => {
                    committed.insert(key.clone(), (place, value.offset));
                }
                Logged::Record(Record::OffsetCommit { key, value: Some(value) }, Some(producer)) => {
                    pending.insert((*producer, key.clone()), (place, value.offset));
                }
                Logged::Record(_, _) => {}
                Logged::End(producer, outcome) => {
                    let ended: Vec<_> = pending.keys().filter(|(by, _)| by == producer).cloned().collect();
                    for ended in ended {
                        let offset = pending.remove(&ended).unwrap();
                        let known = committed.get(&ended.1).map(|known| known.0);
                        if *outcome == Outcome::Commit && known.is_none_or(|known| known < offset.0) {
                            committed.insert(ended.1, offset);
                        }
                    }
                }
            }
        }
        for group in self.groups.list(&[], &[]) {
            let fetch = FetchOffsets {
                group_id: Arc::clone(&group.group_id),
                topics: None,
                require_stable: true,
                member_id: None,
                member_epoch: -1,
            };
            let shown = self.groups.fetch_offsets(&fetch).unwrap();
            let shown = shown.into_iter().flat_map(|topic| {
                let key = |partition| OffsetKey {
                    group: Arc::clone(&group.group_id),
                    topic: Arc::clone(&topic.name),
                    partition,
                };
                topic
                    .partitions
                    .iter()
                    .map(|shown| (key(shown.index), (!shown.unstable).then_some(shown.offset)))
                    .collect::<Vec<_>>()
            });
            let expected =
                committed.iter().filter(|(key, _)| key.group == group.group_id).map(|(key, (_, offset))| {
                    let unstable = pending.keys().any(|(_, other)| other == key);
                    (key.clone(), (!unstable).then_some(*offset))
                });
            assert_eq!(shown.collect::<BTreeMap<_, _>>(), expected.collect());
        }
    }
}
