//! The broker is killed in the middle of what groups do: afterwards they stand where their log says.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use testkit::broker::{Broker, Launch};
use testkit::raw::RawClient;
use wire::StrBytes;
use wire::messages::describe_groups::{DescribeGroupsRequest, DescribedGroup};
use wire::messages::find_coordinator::FindCoordinatorRequest;
use wire::messages::heartbeat::HeartbeatRequest;
use wire::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use wire::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};

use crate::client::{TOPIC, create_topic, launch};

const LOADING: i16 = 14;
const ILLEGAL_GENERATION: i16 = 22;
const UNKNOWN_MEMBER_ID: i16 = 25;
const REBALANCE_IN_PROGRESS: i16 = 27;
const JOIN: i16 = 3;
const SYNC: i16 = 3;
const COMMIT: i16 = 8;
const GROUP: &str = "team";

fn group() -> StrBytes {
    StrBytes::from_static(GROUP)
}

/// A member, and its connection.
struct Member {
    client: RawClient,
    id: StrBytes,
    generation: i32,
}

impl Member {
    fn new(broker: &Broker) -> Self {
        Self { client: broker.connect(), id: StrBytes::default(), generation: -1 }
    }

    /// Asks to join; the number of the request.
    fn ask_to_join(&mut self) -> i32 {
        let protocols =
            vec![JoinGroupRequestProtocol { name: StrBytes::from_static("range"), ..Default::default() }];
        let join = JoinGroupRequest {
            group_id: group(),
            member_id: self.id.clone(),
            session_timeout_ms: 60_000,
            rebalance_timeout_ms: 60_000,
            protocol_type: StrBytes::from_static("consumer"),
            protocols,
            ..Default::default()
        };
        self.client.send(&join, JOIN).unwrap()
    }

    fn joined(&mut self, asked: i32) -> JoinGroupResponse {
        let joined = self.client.receive::<JoinGroupRequest>(asked, JOIN).unwrap();
        assert_eq!(joined.error_code, 0);
        (self.id, self.generation) = (joined.member_id.clone(), joined.generation_id);
        joined
    }

    /// Asks for its share, and gives these to others; the number of the request.
    fn ask_to_sync(&mut self, shares: &[(&StrBytes, &'static [u8])]) -> i32 {
        let share = |(id, share): &(&StrBytes, &'static [u8])| SyncGroupRequestAssignment {
            member_id: (*id).clone(),
            assignment: bytes::Bytes::from_static(share),
        };
        let sync = SyncGroupRequest {
            group_id: group(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            assignments: shares.iter().map(share).collect(),
            ..Default::default()
        };
        self.client.send(&sync, SYNC).unwrap()
    }

    fn synced(&mut self, asked: i32) -> Vec<u8> {
        let synced = self.client.receive::<SyncGroupRequest>(asked, SYNC).unwrap();
        assert_eq!(synced.error_code, 0);
        synced.assignment.to_vec()
    }

    fn beat(&mut self, generation: i32) -> i16 {
        let beat = HeartbeatRequest {
            group_id: group(),
            generation_id: generation,
            member_id: self.id.clone(),
            ..Default::default()
        };
        self.client.call(&beat, 3).unwrap().error_code
    }

    /// Asks to store an offset; the number of the request.
    fn ask_to_commit(&mut self, offset: i64) -> i32 {
        let partition = OffsetCommitRequestPartition { committed_offset: offset, ..Default::default() };
        let topic = OffsetCommitRequestTopic {
            name: StrBytes::from_static(TOPIC),
            partitions: vec![partition],
            ..Default::default()
        };
        let commit = OffsetCommitRequest {
            group_id: group(),
            generation_id_or_member_epoch: self.generation,
            member_id: self.id.clone(),
            topics: vec![topic],
            ..Default::default()
        };
        self.client.send(&commit, COMMIT).unwrap()
    }

    fn commit(&mut self, offset: i64) {
        let asked = self.ask_to_commit(offset);
        let answer = self.client.receive::<OffsetCommitRequest>(asked, COMMIT).unwrap();
        assert_eq!(answer.topics[0].partitions[0].error_code, 0);
    }
}

/// A group of two members in generation 2, which has committed the offset 5.
fn stable_pair() -> (Broker, Member, Member) {
    let launch: Launch =
        launch().set("group.initial.rebalance.delay.ms", "0").set("offsets.topic.num.partitions", "1");
    let broker = launch.start();
    let mut client = broker.connect();
    create_topic(&mut client, TOPIC, 1);
    let find = FindCoordinatorRequest { key: group(), ..Default::default() };
    assert_eq!(client.call(&find, 3).unwrap().error_code, 0);
    let (mut leader, mut other) = (Member::new(&broker), Member::new(&broker));
    let asked = leader.ask_to_join();
    leader.joined(asked);
    let asked = leader.ask_to_sync(&[]);
    leader.synced(asked);
    let others = other.ask_to_join();
    wait_until(|| leader.beat(1) == REBALANCE_IN_PROGRESS);
    let leaders = leader.ask_to_join();
    assert_eq!(leader.joined(leaders).members.len(), 2);
    other.joined(others);
    let leaders = leader.ask_to_sync(&[(&leader.id.clone(), b"one"), (&other.id, b"two")]);
    let others = other.ask_to_sync(&[]);
    assert_eq!((leader.synced(leaders), other.synced(others)), (b"one".to_vec(), b"two".to_vec()));
    leader.commit(5);
    (broker, leader, other)
}

fn wait_until(mut reached: impl FnMut() -> bool) {
    let began = Instant::now();
    while !reached() {
        assert!(began.elapsed() < Duration::from_secs(30), "not within 30 s");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What is stored, once the groups are loaded.
fn committed(client: &mut RawClient) -> i64 {
    let asked = OffsetFetchRequestGroup { group_id: group(), topics: None, ..Default::default() };
    let fetch = OffsetFetchRequest { groups: vec![asked], ..Default::default() };
    loop {
        let found = client.call(&fetch, 8).unwrap().groups.remove(0);
        if found.error_code != LOADING {
            assert_eq!(found.error_code, 0);
            return found.topics[0].partitions[0].committed_offset;
        }
    }
}

fn described(client: &mut RawClient) -> DescribedGroup {
    let describe = DescribeGroupsRequest { groups: vec![group()], ..Default::default() };
    client.call(&describe, 5).unwrap().groups.remove(0)
}

#[test]
fn a_rebalance_that_a_kill_cuts_short_never_was() {
    for others_have_rejoined in [false, true] {
        let (broker, mut leader, mut other) = stable_pair();
        let mut third = Member::new(&broker);
        let thirds = third.ask_to_join();
        wait_until(|| leader.beat(2) == REBALANCE_IN_PROGRESS);
        if others_have_rejoined {
            // All are told a generation that nothing is stored of: its leader has not assigned yet.
            let (leaders, others) = (leader.ask_to_join(), other.ask_to_join());
            assert_eq!(leader.joined(leaders).members.len(), 3);
            assert_eq!((other.joined(others).generation_id, third.joined(thirds).generation_id), (3, 3));
            third.ask_to_sync(&[]);
        }
        let broker = broker.kill().start();

        let mut client = broker.connect();
        assert_eq!(committed(&mut client), 5);
        let found = described(&mut client);
        let mut shares: Vec<_> = found.members.iter().map(|member| &member.member_assignment[..]).collect();
        shares.sort_unstable();
        assert_eq!((found.group_state.as_str(), shares), ("Stable", vec![&b"one"[..], b"two"]));
        for member in [&mut leader, &mut other, &mut third] {
            member.client = broker.connect();
        }
        assert_eq!((leader.beat(3), leader.beat(2), other.beat(2)), (ILLEGAL_GENERATION, 0, 0));
        assert_eq!(third.beat(3), UNKNOWN_MEMBER_ID);
        leader.generation = 2;
        leader.commit(6);
        assert_eq!(committed(&mut client), 6);

        // Nobody is in the way of the next rebalance.
        let asked = leader.ask_to_join();
        wait_until(|| other.beat(2) == REBALANCE_IN_PROGRESS);
        let others = other.ask_to_join();
        assert_eq!((leader.joined(asked).members.len(), other.joined(others).generation_id), (2, 3));
    }
}

#[test]
fn a_commit_whose_answer_a_kill_took_stands_where_the_log_says() {
    let (mut broker, mut leader, _other) = stable_pair();
    for offset in 6..16 {
        let log: PathBuf = broker.data_dir().join("__consumer_offsets-0/00000000000000000000.log");
        let size = || fs::metadata(&log).unwrap().len();
        let before = size();
        leader.ask_to_commit(offset);
        // Written, and the answer perhaps not sent; in every other round perhaps not even written.
        if offset % 2 == 0 {
            wait_until(|| size() > before);
        }
        broker = broker.kill().start();
        let written = size() > before;
        leader.client = broker.connect();
        let found = committed(&mut leader.client);
        assert_eq!(found, if written { offset } else { offset - 1 });
        assert!(written || offset % 2 == 1);
        // The client asks again, as it must.
        leader.commit(offset);
        assert_eq!(committed(&mut leader.client), offset);
    }
}
