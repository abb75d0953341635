//! Clients of both protocols in one group, over a network that loses messages, with a broker that restarts, topics that come, grow
//! and go, and clients that are rolled over from one protocol to the other: whatever happens, no partition is read by two members
//! at a time, a replay of the log makes an equal group, and in the end every partition is read by somebody.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use base::{Millis, PartitionIndex, Uuid};
use proptest::prelude::*;
use state_machines::group::{
    Assignment, ConsumerHeartbeat, ConsumerState, Event, GroupError, Groups, Heartbeat, Join, Leave, Leaving,
    Partitions, Protocol, Record, Reply, Settings, State, Step, Sync, Ticket,
};
use state_machines::topics::{self, Topics};

const CLIENTS: usize = 5;
const TOPICS: [&str; 3] = ["t", "u", "v"];

/// What happens next.
#[derive(Clone, Debug)]
enum Happening {
    /// A client does what its protocol says.
    Next(usize),
    /// A client of the consumer protocol begins to read what it was told to, and has given up the rest.
    Reconcile(usize),
    /// The next request of a client, or the answer to it, is lost.
    LoseRequest(usize),
    LoseReply(usize),
    /// A client is killed and started again, with the same protocol or the other.
    Restart(usize, bool),
    /// A client leaves and comes back.
    Leave(usize),
    /// A client wants other topics.
    Subscribe(usize, u8),
    /// A topic comes or grows, or goes.
    Grow(usize),
    Delete(usize),
    /// Time goes by.
    Wait(i64),
    /// The broker is killed and started again.
    RestartBroker,
}

fn happening() -> impl Strategy<Value = Happening> {
    let client = 0..CLIENTS;
    let topic = 0..TOPICS.len();
    prop_oneof![
        24 => client.clone().prop_map(Happening::Next),
        10 => client.clone().prop_map(Happening::Reconcile),
        2 => client.clone().prop_map(Happening::LoseRequest),
        2 => client.clone().prop_map(Happening::LoseReply),
        1 => (client.clone(), any::<bool>()).prop_map(|(client, other)| Happening::Restart(client, other)),
        1 => client.clone().prop_map(Happening::Leave),
        1 => (client, 0..8_u8).prop_map(|(client, topics)| Happening::Subscribe(client, topics)),
        1 => topic.clone().prop_map(Happening::Grow),
        1 => topic.prop_map(Happening::Delete),
        3 => (0..9_000_i64).prop_map(Happening::Wait),
        1 => Just(Happening::RestartBroker),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_no_partition_has_two_readers(
        classic in prop::collection::vec(any::<bool>(), CLIENTS),
        story in prop::collection::vec(happening(), 0..200),
    ) {
        let mut world = World::new(&classic);
        for happening in story {
            world.happen(&happening);
            world.check();
        }
        world.settle();
    }
}

type Named = BTreeMap<String, BTreeSet<i32>>;

#[derive(Clone, Debug, Default)]
struct Client {
    classic: bool,
    instance: Option<Arc<str>>,
    member_id: Arc<str>,
    /// Its epoch or generation.
    epoch: i32,
    phase: Phase,
    /// What it wants: bits of [`TOPICS`].
    topics: u8,
    /// What it reads.
    reads: Partitions,
    /// What it was told to read, while it does not do so yet.
    told: Option<Partitions>,
    /// The last request may not have been answered: all is said once more.
    says_all: bool,
    waits_for: Option<Ticket>,
    loses_request: bool,
    loses_reply: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
enum Phase {
    #[default]
    Out,
    /// Of the classic protocol: has joined; the leader knows whom to assign to, and what they want.
    Joined(Option<Vec<(Arc<str>, Vec<u8>)>>),
    Member,
}

struct World {
    groups: Groups,
    /// Goes by the log alone.
    replica: Groups,
    settings: Settings,
    log: Vec<Record>,
    topics: Arc<Topics>,
    version: i64,
    now: Millis,
    wake_at: Option<Millis>,
    clients: Vec<Client>,
    open: HashMap<Ticket, usize>,
    last_ticket: u64,
    uuids: u128,
}

impl World {
    fn new(classic: &[bool]) -> Self {
        let settings = Settings { initial_rebalance_delay_ms: 0, ..Settings::default() };
        let client = |(number, classic): (usize, &bool)| Client {
            classic: *classic,
            instance: (number >= 3).then(|| Arc::from(format!("i{number}"))),
            topics: 0b011,
            ..Client::default()
        };
        let mut world = Self {
            groups: Groups::new(settings.clone()),
            replica: Groups::new(settings.clone()),
            settings,
            log: Vec::new(),
            topics: Arc::default(),
            version: 0,
            now: Millis(0),
            wake_at: None,
            clients: classic.iter().enumerate().map(client).collect(),
            open: HashMap::new(),
            last_ticket: 0,
            uuids: 0,
        };
        for _ in 0..4 {
            world.grow(0);
        }
        world.grow(1);
        for number in 0..CLIENTS {
            world.start(number);
        }
        let step = world.groups.loaded(world.now);
        world.take(step);
        world
    }

    fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Next(number) => self.next(*number),
            Happening::Reconcile(number) => self.clients[*number].reconcile(),
            Happening::LoseRequest(number) => self.clients[*number].loses_request = true,
            Happening::LoseReply(number) => self.clients[*number].loses_reply = true,
            Happening::Restart(number, other) => {
                self.clients[*number].classic ^= other;
                self.start(*number);
            }
            Happening::Leave(number) => self.leave(*number),
            Happening::Subscribe(number, topics) => {
                let client = &mut self.clients[*number];
                client.topics = *topics;
                client.says_all = true;
                // A consumer of the classic protocol joins anew, whatever it waits for, and reads nothing meanwhile.
                if client.classic {
                    client.waits_for = None;
                    client.drop_out();
                }
            }
            Happening::Grow(topic) => self.grow(*topic),
            Happening::Delete(topic) => self.delete(*topic),
            Happening::Wait(ms) => self.wait(*ms),
            Happening::RestartBroker => self.restart(),
        }
    }

    /// A process begins: it knows nothing, and reads nothing.
    fn start(&mut self, number: usize) {
        self.uuids += 1;
        let client = &mut self.clients[number];
        client.member_id =
            if client.classic { Arc::default() } else { Arc::from(Uuid::from_u128(self.uuids).to_string()) };
        client.epoch = 0;
        client.waits_for = None;
        client.drop_out();
    }

    fn grow(&mut self, topic: usize) {
        let topics = Arc::make_mut(&mut self.topics);
        let name = TOPICS[topic].to_owned();
        if topics.by_name(&name).is_none() {
            self.uuids += 1;
            let id = Uuid::from_u128(self.uuids);
            topics.apply(&topics::Record::Topic { id, name: name.clone() }).unwrap();
        }
        let known = topics.by_name(&name).unwrap();
        let (id, count) = (known.id, known.partitions.len());
        if count < 6 {
            let index = PartitionIndex(i32::try_from(count).unwrap());
            let info = topics::PartitionInfo::default();
            topics.apply(&topics::Record::Partition { topic: id, index, info }).unwrap();
        }
        self.show_topics();
    }

    fn delete(&mut self, topic: usize) {
        if let Some(id) = self.topics.by_name(TOPICS[topic]).map(|topic| topic.id) {
            Arc::make_mut(&mut self.topics).apply(&topics::Record::RemoveTopic { id }).unwrap();
            self.show_topics();
            let step = self.groups.topic_deleted(TOPICS[topic]);
            self.take(step);
        }
    }

    fn show_topics(&mut self) {
        self.version += 1;
        self.groups.set_topics(&self.topics, self.version);
        self.replica.set_topics(&self.topics, self.version);
    }

    fn next(&mut self, number: usize) {
        let client = &self.clients[number];
        if client.classic {
            if client.waits_for.is_none() {
                self.next_classic(number);
            }
            return;
        }
        // A lost answer left it waiting.
        let says_all = client.epoch == 0 || client.says_all || client.waits_for.is_some();
        let client = &mut self.clients[number];
        if says_all {
            // It is going to be told anew; the broker takes what it says it reads for all that it will read until then.
            client.told = None;
        }
        let client = client.clone();
        let names = wanted(client.topics).map(Arc::from).collect();
        let reads = client.reads.iter().map(|(topic, indexes)| (*topic, indexes.iter().copied().collect()));
        let beat = ConsumerHeartbeat {
            group_id: Arc::from("g"),
            member_id: client.member_id,
            member_epoch: client.epoch,
            instance_id: client.instance,
            rack_id: None,
            rebalance_timeout_ms: if says_all { 20_000 } else { -1 },
            subscribed_topic_names: says_all.then_some(names),
            subscribed_topic_regex: None,
            server_assignor: None,
            topic_partitions: (says_all || client.told.is_none()).then(|| reads.collect()),
            client_id: Arc::from("c"),
            client_host: Arc::from("/127.0.0.1"),
            uuid: Uuid::nil(),
            requires_member_id: true,
        };
        self.send(number, Event::ConsumerHeartbeat(beat));
    }

    fn next_classic(&mut self, number: usize) {
        self.uuids += 1;
        let client = self.clients[number].clone();
        let group_id = Arc::from("g");
        let event = match client.phase {
            Phase::Out => Event::Join(Join {
                group_id,
                member_id: client.member_id,
                instance_id: client.instance,
                client_id: Arc::from("c"),
                client_host: Arc::from("/127.0.0.1"),
                session_timeout_ms: 10_000,
                rebalance_timeout_ms: 20_000,
                protocol_type: Arc::from("consumer"),
                protocols: vec![Protocol { name: Arc::from("range"), metadata: subscription(client.topics) }],
                uuid: Uuid::from_u128(self.uuids),
                requires_member_id: number.is_multiple_of(2),
                skips_assignment: true,
            }),
            Phase::Joined(lead) => Event::Sync(Sync {
                group_id,
                member_id: client.member_id,
                instance_id: client.instance,
                generation: client.epoch,
                protocol_type: None,
                protocol: None,
                assignments: lead.map(|members| self.assign(&members)).unwrap_or_default(),
            }),
            Phase::Member => Event::Heartbeat(Heartbeat {
                group_id,
                member_id: client.member_id,
                instance_id: client.instance,
                generation: client.epoch,
            }),
        };
        self.send(number, event);
    }

    /// What a leader assigns: each partition to one of those that want it, in turn.
    fn assign(&self, members: &[(Arc<str>, Vec<u8>)]) -> Vec<Assignment> {
        let mut shares: BTreeMap<Arc<str>, Named> =
            members.iter().map(|(id, _)| (Arc::clone(id), Named::new())).collect();
        let mut turn = 0;
        for topic in self.topics.iter() {
            for index in 0..topic.partitions.len() {
                let wants = |wanted: &[u8]| {
                    wanted.windows(topic.name.len()).any(|name| name == topic.name.as_bytes())
                };
                let willing: Vec<_> = members.iter().filter(|(_, wanted)| wants(wanted)).collect();
                if let Some((id, _)) = willing.get(turn % willing.len().max(1)) {
                    let share = shares.get_mut(id).unwrap().entry(topic.name.to_string()).or_default();
                    share.insert(i32::try_from(index).unwrap());
                }
                turn += 1;
            }
        }
        let assignment = |(member_id, share)| Assignment { member_id, assignment: encode(&share) };
        shares.into_iter().map(assignment).collect()
    }

    fn leave(&mut self, number: usize) {
        let client = self.clients[number].clone();
        if client.classic {
            let members = vec![Leaving { member_id: client.member_id, instance_id: client.instance }];
            self.send(number, Event::Leave(Leave { group_id: Arc::from("g"), members }));
        } else {
            let epoch = if client.instance.is_some() { -2 } else { -1 };
            self.clients[number].epoch = epoch;
            self.next(number);
        }
        self.start(number);
    }

    fn send(&mut self, number: usize, event: Event) {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        let client = &mut self.clients[number];
        client.waits_for = Some(ticket);
        if std::mem::take(&mut client.loses_request) {
            // Its connection is closed, and it notices.
            if client.classic {
                client.waits_for = None;
            }
            return;
        }
        self.open.insert(ticket, number);
        let step = self.groups.handle(ticket, event, self.now);
        self.take(step);
    }

    fn take(&mut self, step: Step) {
        self.wake_at = step.wake_at;
        for record in step.records {
            self.replica.replay(&record, None);
            self.log.push(record);
        }
        for (ticket, reply) in step.replies {
            let number = self.open.remove(&ticket).expect("only those that wait are answered");
            let client = &mut self.clients[number];
            if client.waits_for != Some(ticket) {
                continue;
            }
            if std::mem::take(&mut client.loses_reply) {
                if client.classic {
                    // It closes its connection, and asks anew.
                    client.waits_for = None;
                }
                continue;
            }
            client.waits_for = None;
            client.hear(reply, &self.topics);
        }
    }

    fn wait(&mut self, ms: i64) {
        let end = self.now.plus(ms);
        while let Some(at) = self.wake_at.filter(|at| *at <= end) {
            self.now = self.now.max(at);
            let step = self.groups.tick(self.now);
            self.take(step);
        }
        self.now = end;
    }

    fn restart(&mut self) {
        let mut groups = Groups::new(self.settings.clone());
        groups.set_topics(&self.topics, self.version);
        self.log.iter().for_each(|record| groups.replay(record, None));
        self.groups = groups;
        for ticket in std::mem::take(&mut self.open).into_keys() {
            for client in &mut self.clients {
                if client.waits_for == Some(ticket) && client.classic {
                    client.waits_for = None;
                }
            }
        }
        let step = self.groups.loaded(self.now);
        self.take(step);
    }

    /// A replay makes an equal group; what members hold is disjoint, for the broker and in truth.
    fn check(&self) {
        let group = self.groups.describe_consumer("g");
        assert_eq!(group, self.replica.describe_consumer("g"));
        let classic = self.groups.describe("g");
        if let Some(group) = classic.filter(|group| matches!(group.state, State::Empty | State::Stable)) {
            assert_eq!(Some(group), self.replica.describe("g"));
        }
        let Some(group) = group else { return };
        let mut assigned = BTreeSet::new();
        for topic in group.members.iter().flat_map(|member| &member.assignment) {
            for index in &topic.partitions {
                assert!(assigned.insert((topic.topic_id, *index)), "assigned twice: {group:?}");
            }
        }
        // Whoever is no member any more, and has not heard of it, reads on; nobody can help that.
        let ids: BTreeSet<_> = group.members.iter().map(|member| &member.member_id).collect();
        let mut read = BTreeMap::new();
        for client in self.clients.iter().filter(|client| ids.contains(&client.member_id)) {
            for (topic, indexes) in &client.reads {
                for index in indexes {
                    if let Some(other) = read.insert((*topic, *index), client) {
                        panic!("{topic} {index} is read twice: {client:?} {other:?} {group:?}");
                    }
                }
            }
        }
    }

    /// From here on all goes well: soon every partition that somebody wants has one reader, and no other has any.
    fn settle(&mut self) {
        for client in &mut self.clients {
            (client.loses_request, client.loses_reply) = (false, false);
        }
        for _ in 0..150 {
            for number in 0..CLIENTS {
                self.next(number);
                self.check();
                self.clients[number].reconcile();
                self.check();
            }
            if self.is_settled() {
                return;
            }
            self.wait(1_000);
        }
        let (consumers, classic) = (self.groups.describe_consumer("g"), self.groups.describe("g"));
        panic!("stuck: {consumers:#?}\n{classic:#?}\n{:#?}", self.clients);
    }

    fn is_settled(&self) -> bool {
        let consumers = self.groups.describe_consumer("g").map(|group| group.state == ConsumerState::Stable);
        let classic = || self.groups.describe("g").map(|group| group.state == State::Stable);
        if consumers.or_else(classic) != Some(true) {
            return false;
        }
        let mut read = BTreeMap::new();
        for (topic, indexes) in self.clients.iter().flat_map(|client| &client.reads) {
            for index in indexes {
                *read.entry((*topic, *index)).or_insert(0) += 1;
            }
        }
        let wanted: BTreeSet<_> = self.clients.iter().flat_map(|client| wanted(client.topics)).collect();
        let topics = wanted.into_iter().filter_map(|name| self.topics.by_name(name));
        let mut expected = topics.flat_map(|topic| {
            let count = i32::try_from(topic.partitions.len()).unwrap();
            (0..count).map(|index| (topic.id, PartitionIndex(index)))
        });
        self.clients
            .iter()
            .all(|client| client.phase == Phase::Member || (!client.classic && client.epoch > 0))
            && expected.all(|partition| read.remove(&partition) == Some(1))
            && read.is_empty()
    }
}

impl Client {
    fn drop_out(&mut self) {
        self.phase = Phase::Out;
        self.reads = Partitions::new();
        self.told = None;
        self.says_all = true;
    }

    /// Gives up what it is not to read any more, and begins with the rest.
    fn reconcile(&mut self) {
        if let Some(told) = self.told.take() {
            self.reads = told;
        }
    }

    fn hear(&mut self, reply: Reply, topics: &Topics) {
        match reply {
            Reply::ConsumerHeartbeat(Ok(answer)) => {
                self.says_all = false;
                self.epoch = answer.member_epoch;
                if let Some(told) = answer.assignment {
                    self.told = Some(told);
                }
            }
            Reply::ConsumerHeartbeat(Err(refused)) => match refused.error {
                GroupError::UnknownMemberId
                | GroupError::FencedMemberEpoch
                | GroupError::GroupIdNotFound
                | GroupError::FencedInstanceId
                | GroupError::UnreleasedInstanceId => {
                    self.epoch = 0;
                    self.drop_out();
                }
                error => panic!("{error}: {}", refused.message),
            },
            Reply::Join(Ok(joined)) => {
                let leads = joined.leader == joined.member_id && !joined.skip_assignment;
                let members =
                    joined.members.into_iter().map(|member| (member.member_id, member.metadata.to_vec()));
                self.phase = Phase::Joined(leads.then(|| members.collect()));
                (self.member_id, self.epoch) = (joined.member_id, joined.generation);
            }
            Reply::Join(Err(refused)) => match refused.error {
                GroupError::MemberIdRequired => self.member_id = refused.member_id,
                GroupError::UnknownMemberId | GroupError::FencedInstanceId => self.member_id = Arc::default(),
                GroupError::RebalanceInProgress | GroupError::Superseded => {}
                error => panic!("{error}"),
            },
            Reply::Sync(Ok(synced)) => {
                self.phase = Phase::Member;
                self.reads = decode(&synced.assignment, topics);
            }
            Reply::Sync(Err(error)) | Reply::Heartbeat(Err(error)) => {
                self.drop_out();
                match error {
                    GroupError::UnknownMemberId | GroupError::FencedInstanceId => {
                        self.member_id = Arc::default();
                    }
                    GroupError::IllegalGeneration
                    | GroupError::RebalanceInProgress
                    | GroupError::InconsistentProtocol
                    | GroupError::Superseded => {}
                    error => panic!("{error}"),
                }
            }
            Reply::Heartbeat(Ok(())) | Reply::Leave(Ok(_)) => {}
            reply => panic!("nobody asked for {reply:?}"),
        }
    }
}

fn wanted(topics: u8) -> impl Iterator<Item = &'static str> {
    TOPICS.into_iter().enumerate().filter(move |(number, _)| topics >> number & 1 == 1).map(|(_, name)| name)
}

/// What a consumer says of itself in version 0.
fn subscription(topics: u8) -> Arc<[u8]> {
    let mut bytes = vec![0, 0];
    bytes.extend(topics.count_ones().to_be_bytes());
    for name in wanted(topics) {
        bytes.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
        bytes.extend(name.as_bytes());
    }
    bytes.extend((-1_i32).to_be_bytes());
    Arc::from(bytes)
}

fn encode(share: &Named) -> Arc<[u8]> {
    let mut bytes = vec![0, 0];
    bytes.extend(u32::try_from(share.len()).unwrap().to_be_bytes());
    for (name, indexes) in share {
        bytes.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend(u32::try_from(indexes.len()).unwrap().to_be_bytes());
        indexes.iter().for_each(|index| bytes.extend(index.to_be_bytes()));
    }
    bytes.extend((-1_i32).to_be_bytes());
    Arc::from(bytes)
}

/// Reads an assignment; topics that are gone are nothing to read.
fn decode(mut bytes: &[u8], topics: &Topics) -> Partitions {
    let mut share = Partitions::new();
    if bytes.is_empty() {
        return share;
    }
    let mut take = |length: usize| {
        let (taken, rest) = bytes.split_at(length);
        bytes = rest;
        taken.iter().fold(0_i32, |number, byte| number << 8 | i32::from(*byte))
    };
    take(2);
    for _ in 0..take(4) {
        let name: String = (0..take(2)).map(|_| char::from(u8::try_from(take(1)).unwrap())).collect();
        let indexes: BTreeSet<_> = (0..take(4)).map(|_| PartitionIndex(take(4))).collect();
        if let Some(topic) = topics.by_name(&name) {
            share.insert(topic.id, indexes);
        }
    }
    share
}
