//! Clients that follow the classic protocol, over a network that loses messages, with a broker that restarts: whatever happens,
//! each member gets what its leader assigned, one generation is in force, and in the end all of them are in it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset, PartitionIndex, Uuid};
use proptest::prelude::*;
use state_machines::group::{
    Assignment, CommitOffsets, CommitPartition, CommitTopic, Event, FetchOffsets, GroupError, GroupMetadata,
    Groups, Heartbeat, Join, Joined, Leave, Leaving, Protocol, Record, Reply, Settings, State, Step, Sync,
    Ticket,
};

const CLIENTS: usize = 5;
const SESSION_MS: i32 = 10_000;
const REBALANCE_MS: i32 = 15_000;

/// What happens next.
#[derive(Clone, Debug)]
enum Happening {
    /// A client does what its protocol says, unless it waits for an answer.
    Next(usize),
    /// The next answer to a client is lost.
    LoseReply(usize),
    /// A client gives up waiting.
    GiveUp(usize),
    /// A client is killed and started again.
    Kill(usize),
    /// A client leaves and comes back.
    Leave(usize),
    /// A client's application changes which protocols it speaks.
    Change(usize),
    /// A client commits an offset.
    Commit(usize),
    /// Time goes by.
    Wait(i64),
    /// The broker is killed and started again.
    Restart,
}

fn happening() -> impl Strategy<Value = Happening> {
    let client = 0..CLIENTS;
    prop_oneof![
        20 => client.clone().prop_map(Happening::Next),
        2 => client.clone().prop_map(Happening::LoseReply),
        1 => client.clone().prop_map(Happening::GiveUp),
        1 => client.clone().prop_map(Happening::Kill),
        1 => client.clone().prop_map(Happening::Leave),
        1 => client.clone().prop_map(Happening::Change),
        2 => client.prop_map(Happening::Commit),
        6 => (0..20_000_i64).prop_map(Happening::Wait),
        1 => Just(Happening::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_group_becomes_stable(
        delay in prop_oneof![Just(0), Just(3_000)],
        story in prop::collection::vec(happening(), 0..150),
    ) {
        let mut world = World::new(delay);
        for happening in story {
            world.happen(&happening);
            world.check();
        }
        world.settle();
    }
}

#[derive(Clone, Debug, Default)]
struct Client {
    instance: Option<Arc<str>>,
    /// A JoinGroup version: what it may be told depends on it.
    version: i16,
    member_id: Arc<str>,
    generation: i32,
    phase: Phase,
    waits_for: Option<Ticket>,
    loses_reply: bool,
    speaks_both: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
enum Phase {
    #[default]
    Out,
    /// Has been told a generation; the leader knows whom to assign to.
    Joined {
        lead: Option<Vec<Arc<str>>>,
    },
    Member,
}

/// What each member gets.
type Shares = BTreeMap<Arc<str>, Arc<[u8]>>;

struct World {
    groups: Groups,
    settings: Settings,
    log: Vec<Record>,
    now: Millis,
    wake_at: Option<Millis>,
    clients: Vec<Client>,
    /// Who waits for the answer, of all that were not answered.
    open: HashMap<Ticket, usize>,
    last_ticket: u64,
    uuids: u128,
    /// The generation in force, as the log has it.
    stored: Option<GroupMetadata>,
    /// What the leader of a generation has just sent.
    assigning: Option<(i32, Shares)>,
    /// What members of a generation were told to speak since the broker started.
    told: HashMap<i32, Option<Arc<str>>>,
}

impl World {
    fn new(initial_rebalance_delay_ms: i32) -> Self {
        let settings = Settings { initial_rebalance_delay_ms, ..Settings::default() };
        let client = |number: usize| Client {
            instance: [2, 3].contains(&number).then(|| Arc::from(format!("i{number}"))),
            version: [9, 3, 9, 8, 9][number],
            speaks_both: [0, 2, 4].contains(&number),
            ..Client::default()
        };
        let mut world = Self {
            groups: Groups::new(settings.clone()),
            settings,
            log: Vec::new(),
            now: Millis(1_000),
            wake_at: None,
            clients: (0..CLIENTS).map(client).collect(),
            open: HashMap::new(),
            last_ticket: 0,
            uuids: 0,
            stored: None,
            assigning: None,
            told: HashMap::new(),
        };
        world.restart();
        world
    }

    fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::Next(client) => self.next(client),
            Happening::LoseReply(client) => self.clients[client].loses_reply = true,
            Happening::GiveUp(client) => self.clients[client].waits_for = None,
            Happening::Kill(client) => self.forget(client),
            Happening::Leave(client) => {
                let Client { member_id, instance, .. } = self.clients[client].clone();
                let members = vec![Leaving { member_id, instance_id: instance }];
                self.forget(client);
                self.send(client, Event::Leave(Leave { group_id: Arc::from("g"), members }));
                self.clients[client].waits_for = None;
            }
            Happening::Change(client) => {
                let client = &mut self.clients[client];
                client.speaks_both = !client.speaks_both;
                client.phase = Phase::Out;
                client.waits_for = None;
            }
            Happening::Commit(client) => self.commit(client),
            Happening::Wait(ms) => self.wait(ms),
            Happening::Restart => self.restart(),
        }
    }

    fn forget(&mut self, client: usize) {
        let client = &mut self.clients[client];
        client.member_id = Arc::default();
        client.phase = Phase::Out;
        client.waits_for = None;
    }

    fn next(&mut self, number: usize) {
        let client = self.clients[number].clone();
        if client.waits_for.is_some() {
            return;
        }
        let (group_id, member_id, instance_id) =
            (Arc::from("g"), Arc::clone(&client.member_id), client.instance.clone());
        let generation = client.generation;
        let event = match client.phase {
            Phase::Out => Event::Join(self.join(number)),
            Phase::Joined { lead } => {
                let share = |member: Arc<str>| {
                    let assignment: Arc<[u8]> = Arc::from(format!("{generation}:{member}").as_bytes());
                    Assignment { member_id: member, assignment }
                };
                let assignments: Vec<_> = lead.into_iter().flatten().map(share).collect();
                let shares =
                    assignments.iter().map(|share| (share.member_id.clone(), share.assignment.clone()));
                self.assigning = Some((generation, shares.collect()));
                Event::Sync(Sync {
                    group_id,
                    member_id,
                    instance_id,
                    generation,
                    protocol_type: Some(Arc::from("consumer")),
                    protocol: None,
                    assignments,
                })
            }
            Phase::Member => Event::Heartbeat(Heartbeat { group_id, member_id, instance_id, generation }),
        };
        self.send(number, event);
        self.assigning = None;
    }

    fn join(&mut self, number: usize) -> Join {
        let client = &self.clients[number];
        self.uuids += 1;
        // Everybody speaks `range`; those that speak `sticky` too like it better.
        let names = if client.speaks_both { &["sticky", "range"][..] } else { &["range"] };
        let metadata: Arc<[u8]> = Arc::from(&b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff"[..]);
        let protocol = |name: &&str| Protocol { name: Arc::from(*name), metadata: Arc::clone(&metadata) };
        Join {
            group_id: Arc::from("g"),
            member_id: Arc::clone(&client.member_id),
            instance_id: client.instance.clone(),
            client_id: Arc::from(format!("c{number}")),
            client_host: Arc::from("/127.0.0.1"),
            session_timeout_ms: SESSION_MS,
            rebalance_timeout_ms: REBALANCE_MS,
            protocol_type: Arc::from("consumer"),
            protocols: names.iter().map(protocol).collect(),
            uuid: Uuid::from_u128(self.uuids),
            requires_member_id: client.version >= 4,
            skips_assignment: client.version >= 9,
        }
    }

    fn commit(&mut self, number: usize) {
        let client = &self.clients[number];
        if client.waits_for.is_some() || client.phase != Phase::Member {
            return;
        }
        let partition = CommitPartition {
            index: PartitionIndex(i32::try_from(number).unwrap()),
            offset: Offset(self.now.0),
            leader_epoch: LeaderEpoch(0),
            metadata: Arc::default(),
        };
        let commit = CommitOffsets {
            group_id: Arc::from("g"),
            member_id: Arc::clone(&client.member_id),
            instance_id: client.instance.clone(),
            generation: client.generation,
            retention_ms: None,
            names_unknown_group: true,
            topics: vec![CommitTopic {
                name: Arc::from("t"),
                topic_id: Uuid::nil(),
                partitions: vec![partition],
            }],
        };
        self.send(number, Event::CommitOffsets(commit));
    }

    fn wait(&mut self, ms: i64) {
        let end = self.now.plus(ms);
        let mut calls = 0;
        while let Some(at) = self.wake_at.filter(|at| *at <= end) {
            calls += 1;
            assert!(calls < 1_000, "deadlines follow deadlines");
            self.now = self.now.max(at);
            let step = self.groups.tick(self.now);
            self.take(step);
        }
        self.now = end;
    }

    fn restart(&mut self) {
        self.groups = self.replayed();
        self.open.clear();
        self.told.clear();
        for client in &mut self.clients {
            client.waits_for = None;
        }
        let step = self.groups.loaded(self.now);
        self.take(step);
    }

    fn replayed(&self) -> Groups {
        let mut groups = Groups::new(self.settings.clone());
        self.log.iter().for_each(|record| groups.replay(record, None));
        groups
    }

    /// What is in force is what is stored, and nobody waits for what has come.
    fn check(&self) {
        let replayed = self.replayed();
        let fetch = FetchOffsets {
            group_id: Arc::from("g"),
            topics: None,
            require_stable: true,
            member_id: None,
            member_epoch: -1,
        };
        assert_eq!(self.groups.fetch_offsets(&fetch), replayed.fetch_offsets(&fetch));
        let group = self.groups.describe("g");
        assert_eq!(group.is_some(), replayed.describe("g").is_some());
        if group.as_ref().is_some_and(|group| matches!(group.state, State::Empty | State::Stable)) {
            assert_eq!(group, replayed.describe("g"));
            assert!(self.open.is_empty(), "no answer is forgotten");
        }
    }

    fn send(&mut self, client: usize, event: Event) {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.open.insert(ticket, client);
        self.clients[client].waits_for = Some(ticket);
        let step = self.groups.handle(ticket, event, self.now);
        self.take(step);
    }

    fn take(&mut self, step: Step) {
        self.wake_at = step.wake_at;
        for record in step.records {
            self.check_record(&record);
            self.log.push(record);
        }
        let mut answered = HashSet::new();
        for (ticket, reply) in step.replies {
            assert!(answered.insert(ticket), "a ticket is answered once");
            let client = self.open.remove(&ticket).expect("only those that wait are answered");
            self.check_reply(&reply);
            if self.clients[client].waits_for == Some(ticket) {
                self.clients[client].waits_for = None;
                if !std::mem::take(&mut self.clients[client].loses_reply) {
                    self.hear(client, reply);
                }
            }
        }
    }

    /// A generation is stored once, with what its leader assigned; later only a member's id may change in it.
    fn check_record(&mut self, record: &Record) {
        let Record::GroupMetadata { value, .. } = record else { return };
        if let (Some(now), Some(before)) = (value, &self.stored) {
            assert!(now.generation >= before.generation, "{before:?} then {now:?}");
            if now.generation == before.generation {
                let shares = |group: &GroupMetadata| {
                    let mut shares: Vec<_> =
                        group.members.iter().map(|member| member.assignment.clone()).collect();
                    shares.sort();
                    (shares, group.protocol.clone())
                };
                assert_eq!(shares(now), shares(before), "a generation's assignment does not change");
            } else if !now.members.is_empty() {
                let (generation, shares) = self.assigning.as_ref().expect("the leader has assigned");
                assert_eq!(*generation, now.generation);
                for member in &now.members {
                    let share = shares.get(&member.member_id).cloned().unwrap_or_default();
                    assert_eq!(member.assignment, share);
                }
                assert!(!shares.is_empty(), "who stores a generation leads it");
            }
        }
        self.stored.clone_from(value);
    }

    fn check_reply(&mut self, reply: &Reply) {
        if let Reply::Join(Ok(Joined { generation, protocol, .. })) = reply {
            let told = self.told.entry(*generation).or_insert_with(|| protocol.clone());
            assert_eq!(told, protocol, "a generation speaks one protocol");
        }
    }

    fn hear(&mut self, number: usize, reply: Reply) {
        let client = &mut self.clients[number];
        match reply {
            Reply::Join(Ok(joined)) => {
                let leads = joined.leader == joined.member_id && !joined.skip_assignment;
                let members = joined.members.into_iter().map(|member| member.member_id);
                client.phase = Phase::Joined { lead: leads.then(|| members.collect()) };
                (client.member_id, client.generation) = (joined.member_id, joined.generation);
            }
            Reply::Join(Err(refused)) => match refused.error {
                GroupError::MemberIdRequired => client.member_id = refused.member_id,
                GroupError::UnknownMemberId | GroupError::FencedInstanceId => {
                    client.member_id = Arc::default();
                }
                // After a restart only the chosen protocol of each member is known, until it joins again.
                GroupError::Superseded | GroupError::InconsistentProtocol => {}
                error => panic!("{error}"),
            },
            Reply::Sync(Ok(synced)) => {
                client.phase = Phase::Member;
                let stored = self.stored.as_ref().expect("a generation is in force");
                assert_eq!(stored.generation, client.generation);
                let member = stored.members.iter().find(|member| member.member_id == client.member_id);
                assert_eq!(member.expect("is a member").assignment, synced.assignment);
            }
            Reply::Sync(Err(error)) | Reply::Heartbeat(Err(error)) | Reply::CommitOffsets(Err(error)) => {
                match error {
                    GroupError::UnknownMemberId | GroupError::FencedInstanceId => {
                        client.member_id = Arc::default();
                        client.phase = Phase::Out;
                    }
                    GroupError::IllegalGeneration
                    | GroupError::RebalanceInProgress
                    | GroupError::InconsistentProtocol
                    | GroupError::GroupIdNotFound => client.phase = Phase::Out,
                    GroupError::Superseded => {}
                    error => panic!("{error}"),
                }
            }
            Reply::Heartbeat(Ok(())) | Reply::CommitOffsets(Ok(_)) | Reply::Leave(Ok(_)) => {}
            reply => panic!("nobody asked for {reply:?}"),
        }
    }

    /// From here on all goes well: soon all are members of one generation, each with what the leader assigned to it.
    fn settle(&mut self) {
        for client in &mut self.clients {
            client.loses_reply = false;
            if !std::mem::replace(&mut client.speaks_both, true) {
                client.phase = Phase::Out;
            }
        }
        for _ in 0..200 {
            for client in 0..CLIENTS {
                self.next(client);
            }
            if self.is_settled() {
                return self.check();
            }
            self.wait(1_000);
        }
        panic!("stuck: {:?}\n{:?}", self.groups.describe("g"), self.clients);
    }

    fn is_settled(&self) -> bool {
        let Some(group) = self.groups.describe("g").filter(|group| group.state == State::Stable) else {
            return false;
        };
        let stored = self.stored.as_ref().unwrap();
        let is_in = |client: &Client| {
            client.phase == Phase::Member
                && client.generation == stored.generation
                && group
                    .members
                    .iter()
                    .any(|member| member.member_id == client.member_id && !member.assignment.is_empty())
        };
        group.members.len() == CLIENTS && self.clients.iter().all(is_in)
    }
}
