//! Many small groups: their members join, send heartbeats in their interval, and commit.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testkit::broker::{Broker, Launch};
use testkit::raw::RawClient;
use wire::StrBytes;
use wire::messages::api_versions::ApiVersionsRequest;
use wire::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};
use wire::messages::find_coordinator::FindCoordinatorRequest;
use wire::messages::heartbeat::HeartbeatRequest;
use wire::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};

use crate::{mb, percent, percentile, process, row, start, us, yardstick};

const GROUPS: usize = 500;
const MEMBERS: usize = 10;
/// What the Java consumer of the classic protocol does.
const INTERVAL: Duration = Duration::from_secs(3);
const BEATING: Duration = Duration::from_secs(15);
/// Each has a share of the groups, and sends one heartbeat after the other.
const DRIVERS: usize = 4;
const COMMITTERS: usize = 32;
const COMMITTING: Duration = Duration::from_secs(5);
const TOPIC: &str = "read";

const JOIN: i16 = 3;
const SYNC: i16 = 3;
const BEAT: i16 = 4;
const CONSUMER_BEAT: i16 = 1;
const COMMIT: i16 = 9;

/// Which protocol the members speak.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Classic,
    Consumer,
}

/// A member, and the connection that it keeps.
struct Member {
    client: RawClient,
    group: StrBytes,
    id: StrBytes,
    /// The generation, or the member's epoch.
    epoch: i32,
    /// What it has, in the new protocol.
    held: Vec<TopicPartitions>,
}

pub(crate) fn run(binary: &Path) {
    measure(binary, Protocol::Classic);
    measure(binary, Protocol::Consumer);
}

fn measure(binary: &Path, protocol: Protocol) {
    let name = if protocol == Protocol::Classic { "classic" } else { "consumer" };
    let broker = Launch::of(binary).set("group.initial.rebalance.delay.ms", "500").start();
    if protocol == Protocol::Consumer && !speaks_consumer(&broker) {
        println!("The consumer protocol is left out: this broker does not offer ConsumerGroupHeartbeat");
        return;
    }
    start::create_topic(&broker, TOPIC, i32::try_from(MEMBERS).expect("few"));
    make_coordinator(&broker);
    let mut groups: Vec<Vec<Member>> = (0..GROUPS).map(|number| connect(&broker, number)).collect();
    let connected = process::resident(broker.pid());
    let began = Instant::now();
    each_driver(&mut groups, |groups| form(groups, protocol));
    let formed = began.elapsed();
    let joined = process::resident(broker.pid());

    let before = process::cpu(broker.pid());
    let began = Instant::now();
    let mut times = each_driver(&mut groups, |groups| beat(groups, protocol));
    let share = (process::cpu(broker.pid()) - before).as_secs_f64() / began.elapsed().as_secs_f64();
    times.sort();
    let what = |what: &str| format!("{} members in {GROUPS} {name} groups: {what}", GROUPS * MEMBERS);
    let echo = yardstick::echo(20_000, 100, 20).expect("loopback works");
    row(&what("all joined"), &format!("{:.1} s", formed.as_secs_f64()), "", "");
    let each = joined.saturating_sub(connected) / (GROUPS * MEMBERS) as u64;
    row(&what("resident"), &mb(joined), "", "");
    row(&what("memory of each beside its connection"), &format!("{each} B"), "", "");
    row(
        &what(&format!("CPU of {:.0} heartbeats a second", rate(times.len(), BEATING))),
        &percent(share),
        "",
        "",
    );
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
        let (ours, bare) = (percentile(&times, share), percentile(&echo, share));
        let over = format!("+{}", us(ours.saturating_sub(bare)));
        row(&what(&format!("heartbeat, {name} (TCP echo)")), &us(ours), &us(bare), &over);
    }

    let before = process::cpu(broker.pid());
    let commits = commit(&mut groups);
    let cpu = (process::cpu(broker.pid()) - before) / u32::try_from(commits).expect("fewer commits");
    row(
        &what(&format!("commits a second, by {COMMITTERS}")),
        &format!("{:.0}/s, CPU {} each", rate(commits, COMMITTING), us(cpu)),
        "",
        "",
    );
}

fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

fn speaks_consumer(broker: &Broker) -> bool {
    let answer = broker.connect().call(&ApiVersionsRequest::default(), 0).expect("the list of APIs");
    answer.api_keys.iter().any(|api| api.api_key == 68 && api.max_version >= CONSUMER_BEAT)
}

fn make_coordinator(broker: &Broker) {
    let mut client = broker.connect();
    let find = FindCoordinatorRequest { key: "any".to_owned().into(), ..Default::default() };
    assert_eq!(client.call(&find, 3).expect("an answer").error_code, 0);
    // Each partition is loaded before the first member comes; until then heartbeats are answered as if there were one.
    for group in 0..GROUPS {
        let beat = HeartbeatRequest { group_id: group_name(group), ..Default::default() };
        const UNKNOWN_MEMBER_ID: i16 = 25;
        while client.call(&beat, BEAT).expect("an answer").error_code != UNKNOWN_MEMBER_ID {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn group_name(number: usize) -> StrBytes {
    format!("group-{number}").into()
}

fn connect(broker: &Broker, group: usize) -> Vec<Member> {
    let one = |member| {
        let mut client = broker.connect();
        client.set_patience(Duration::from_secs(120)).expect("a socket takes a time limit");
        client.call(&ApiVersionsRequest::default(), 3).expect("the list of APIs");
        let id = format!("member-{member:036}").into();
        Member { client, group: group_name(group), id, epoch: 0, held: Vec::new() }
    };
    (0..MEMBERS).map(one).collect()
}

/// Runs `work` on a share of the groups in each of some threads, and gives all that comes out of it.
fn each_driver<T: Send>(
    groups: &mut [Vec<Member>],
    work: impl Fn(&mut [Vec<Member>]) -> Vec<T> + Sync,
) -> Vec<T> {
    thread::scope(|scope| {
        let shares = groups.chunks_mut(GROUPS.div_ceil(DRIVERS));
        let drivers: Vec<_> = shares.map(|share| scope.spawn(|| work(share))).collect();
        drivers.into_iter().flat_map(|driver| driver.join().expect("a driver does not panic")).collect()
    })
}

fn form(groups: &mut [Vec<Member>], protocol: Protocol) -> Vec<()> {
    match protocol {
        Protocol::Classic => form_classic(groups),
        Protocol::Consumer => groups.iter_mut().for_each(|group| form_consumers(group)),
    }
    Vec::new()
}

/// All ask before anybody waits for an answer, as processes of their own would.
fn form_classic(groups: &mut [Vec<Member>]) {
    let mut asked = Vec::new();
    for member in groups.iter_mut().flatten() {
        let join = JoinGroupRequest {
            group_id: member.group.clone(),
            session_timeout_ms: 45_000,
            rebalance_timeout_ms: 300_000,
            protocol_type: "consumer".to_owned().into(),
            protocols: vec![JoinGroupRequestProtocol {
                name: "range".to_owned().into(),
                metadata: subscription().into(),
            }],
            ..Default::default()
        };
        asked.push(member.client.send(&join, JOIN).expect("the request leaves"));
    }
    let mut synced = Vec::new();
    for (member, asked) in groups.iter_mut().flatten().zip(asked) {
        let joined = member.client.receive::<JoinGroupRequest>(asked, JOIN).expect("an answer");
        assert_eq!(joined.error_code, 0, "{joined:?}");
        (member.id, member.epoch) = (joined.member_id, joined.generation_id);
        let shares = joined.members.into_iter().map(|member| SyncGroupRequestAssignment {
            member_id: member.member_id,
            assignment: subscription().into(),
        });
        let sync = SyncGroupRequest {
            group_id: member.group.clone(),
            generation_id: member.epoch,
            member_id: member.id.clone(),
            assignments: shares.collect(),
            ..Default::default()
        };
        synced.push(member.client.send(&sync, SYNC).expect("the request leaves"));
    }
    for (member, asked) in groups.iter_mut().flatten().zip(synced) {
        let synced = member.client.receive::<SyncGroupRequest>(asked, SYNC).expect("an answer");
        assert_eq!(synced.error_code, 0, "{synced:?}");
    }
}

/// As many bytes as a consumer says of itself that reads one topic; an assignment takes about as many.
fn subscription() -> Vec<u8> {
    let mut bytes = vec![0, 1, 0, 0, 0, 1, 0, 4];
    bytes.extend(TOPIC.bytes());
    bytes.extend([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    bytes
}

/// They come one after the other, and send heartbeats until each has its share.
fn form_consumers(group: &mut [Member]) {
    for member in &mut *group {
        consumer_beat(member, true);
    }
    let settled = |group: &[Member]| {
        let epoch = group[0].epoch;
        let shares = group.iter().map(|member| member.held.iter().map(|topic| topic.partitions.len()).sum());
        group.iter().all(|member| member.epoch == epoch) && shares.into_iter().all(|share: usize| share == 1)
    };
    while !settled(group) {
        group.iter_mut().for_each(|member| consumer_beat(member, false));
    }
}

/// Sends a heartbeat that says all that a consumer says when something has changed, and goes by its answer.
fn consumer_beat(member: &mut Member, joins: bool) {
    let mut beat = consumer_heartbeat(member);
    if joins {
        beat.rebalance_timeout_ms = 300_000;
        beat.subscribed_topic_names = Some(vec![TOPIC.to_owned().into()]);
    }
    beat.topic_partitions = Some(member.held.clone());
    let answer: ConsumerGroupHeartbeatResponse = member.client.call(&beat, CONSUMER_BEAT).expect("an answer");
    assert_eq!(answer.error_code, 0, "{answer:?}");
    member.epoch = answer.member_epoch;
    if let Some(assignment) = answer.assignment {
        member.held = assignment.topic_partitions;
    }
}

fn consumer_heartbeat(member: &Member) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: member.group.clone(),
        member_id: member.id.clone(),
        member_epoch: member.epoch,
        rebalance_timeout_ms: -1,
        ..Default::default()
    }
}

/// Every member in its interval, evenly spread; gives the times of the round trips.
fn beat(groups: &mut [Vec<Member>], protocol: Protocol) -> Vec<Duration> {
    let mut members: Vec<&mut Member> = groups.iter_mut().flatten().collect();
    let slot = INTERVAL / u32::try_from(members.len()).expect("some thousands");
    let mut times = Vec::new();
    let (began, mut due) = (Instant::now(), Duration::ZERO);
    while due < BEATING {
        for member in &mut members {
            thread::sleep(due.saturating_sub(began.elapsed()));
            due += slot;
            let asked = Instant::now();
            let error = match protocol {
                Protocol::Classic => {
                    let beat = HeartbeatRequest {
                        group_id: member.group.clone(),
                        generation_id: member.epoch,
                        member_id: member.id.clone(),
                        ..Default::default()
                    };
                    member.client.call(&beat, BEAT).expect("an answer").error_code
                }
                Protocol::Consumer => {
                    let beat = consumer_heartbeat(member);
                    member.client.call(&beat, CONSUMER_BEAT).expect("an answer").error_code
                }
            };
            times.push(asked.elapsed());
            assert_eq!(error, 0, "nobody has left");
        }
    }
    times
}

/// One member of each of some groups commits as fast as it is answered; says how often.
fn commit(groups: &mut [Vec<Member>]) -> usize {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let committers = groups.iter_mut().take(COMMITTERS);
        let over = &over;
        let committers: Vec<_> =
            committers.map(|group| scope.spawn(move || commit_until(&mut group[0], over))).collect();
        thread::sleep(COMMITTING);
        over.store(true, Ordering::Relaxed);
        committers.into_iter().map(|committer| committer.join().expect("it does not panic")).sum()
    })
}

fn commit_until(member: &mut Member, over: &AtomicBool) -> usize {
    let mut count = 0;
    while !over.load(Ordering::Relaxed) {
        let partition = OffsetCommitRequestPartition {
            committed_offset: i64::try_from(count).expect("not so many"),
            committed_leader_epoch: 0,
            ..Default::default()
        };
        let topic = OffsetCommitRequestTopic {
            name: TOPIC.to_owned().into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let commit = OffsetCommitRequest {
            group_id: member.group.clone(),
            generation_id_or_member_epoch: member.epoch,
            member_id: member.id.clone(),
            topics: vec![topic],
            ..Default::default()
        };
        let answer = member.client.call(&commit, COMMIT).expect("an answer");
        assert_eq!(answer.topics[0].partitions[0].error_code, 0, "{answer:?}");
        count += 1;
    }
    count
}
