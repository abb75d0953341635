//! The coordinator over a real catalogue: what was answered is written, and what is written is what counts.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

mod node;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use base::{Millis, PartitionIndex, Uuid};
use coordinator::Unavailable;
use disk::{Disk, Operation, RealDisk};
use state_machines::configs::{Alteration, Change, Resource, ResourceType};
use state_machines::group::{
    Assignment, ConsumerHeartbeat, ConsumerHeartbeatAnswer, Event, GroupError, Heartbeat, Join, Joined,
    Protocol, Reply, Sync,
};
use testkit::{Crash, CrashDisk, FailingDisk, Fault, Injected};
use tokio::runtime::Runtime;

use node::{Node, commit, join, now, runtime};

/// A heartbeat of the member `m` of the consumer group `crew`, once its groups are in force. It reads `work`.
fn consume(node: &Node, epoch: i32, runtime: &Runtime) -> ConsumerHeartbeatAnswer {
    let joins = epoch == 0;
    let beat = ConsumerHeartbeat {
        group_id: "crew".into(),
        member_id: "m".into(),
        member_epoch: epoch,
        instance_id: None,
        rack_id: None,
        rebalance_timeout_ms: if joins { 60_000 } else { -1 },
        subscribed_topic_names: joins.then(|| vec!["work".into()]),
        subscribed_topic_regex: None,
        server_assignor: None,
        topic_partitions: joins.then(Vec::new),
        client_id: "c".into(),
        client_host: "/127.0.0.1".into(),
        uuid: Uuid::nil(),
        requires_member_id: true,
    };
    loop {
        match node.ask("crew", Event::ConsumerHeartbeat(beat.clone()), runtime) {
            Ok(Reply::ConsumerHeartbeat(answer)) => return answer.unwrap(),
            Err(Unavailable::Loading) => std::thread::sleep(Duration::from_millis(5)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_consumer_group_sees_topics_and_its_own_settings_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = runtime();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let node = Node::fresh(Arc::clone(&disk), dir.path(), &[], &runtime);
    let joined = consume(&node, 0, &runtime);
    let topic = node.catalog.topics().by_name("work").unwrap().id;
    assert_eq!((joined.member_epoch, joined.heartbeat_interval_ms), (1, 5_000));
    assert_eq!(joined.assignment.unwrap()[&topic], [PartitionIndex(0)].into());

    let change = vec![("consumer.heartbeat.interval.ms".to_owned(), 0, Some("6000".to_owned()))];
    let resource = Resource::new(ResourceType::Group, "crew");
    let alteration = Alteration { resource, change: Change::Each(change) };
    node.catalog.alter_configs(vec![alteration], false, now()).remove(0).unwrap();
    assert_eq!(consume(&node, 1, &runtime).heartbeat_interval_ms, 6_000);
    node.stop();

    let node = Node::start(disk, dir.path(), &[], &runtime);
    let back = consume(&node, 1, &runtime);
    assert_eq!((back.member_epoch, back.heartbeat_interval_ms, back.assignment), (1, 6_000, None));
    let described = node.coordinator.look("crew", |groups| groups.describe_consumer("crew")).unwrap();
    let described = runtime.block_on(described.get()).unwrap().unwrap();
    assert_eq!((described.group_epoch, described.assignment_epoch, described.members.len()), (1, 1, 1));
    node.stop();
}

#[test]
fn commits_outlive_a_stop_and_a_kill() {
    for flush in ["1", "9223372036854775807"] {
        let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
        let given = [("log.flush.interval.messages", flush)];
        let disk = || Arc::new(RealDisk::new()) as Arc<dyn Disk>;
        let node = Node::fresh(disk(), dir.path(), &given, &runtime);
        for group in 0..20 {
            node.commit(&format!("group-{group}"), group, &runtime).unwrap();
        }
        node.commit("group-7", 700, &runtime).unwrap();
        node.stop();

        let node = Node::start(disk(), dir.path(), &given, &runtime);
        assert_eq!(node.committed("group-7", &runtime), 700);
        assert_eq!(node.committed("group-8", &runtime), 8);
        node.commit("group-8", 800, &runtime).unwrap();
        // A kill: nothing is closed, and the next start finds what the operating system has.
        drop(node);

        let node = Node::start(disk(), dir.path(), &given, &runtime);
        let offsets: Vec<i64> =
            (0..20).map(|group| node.committed(&format!("group-{group}"), &runtime)).collect();
        let mut expected: Vec<i64> = (0..20).collect();
        (expected[7], expected[8]) = (700, 800);
        assert_eq!(offsets, expected);
        node.stop();
    }
}

#[test]
fn a_member_of_a_stable_group_outlives_a_restart() {
    let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
    let disk = || Arc::new(RealDisk::new()) as Arc<dyn Disk>;
    let node = Node::fresh(disk(), dir.path(), &[], &runtime);
    let Reply::Join(Ok(joined)) = node.ask("team", join("team", ""), &runtime).unwrap() else { panic!() };
    let member = joined.member_id;
    let sync = Event::Sync(Sync {
        group_id: "team".into(),
        member_id: Arc::clone(&member),
        instance_id: None,
        generation: joined.generation,
        protocol_type: Some("consumer".into()),
        protocol: Some("range".into()),
        assignments: vec![Assignment { member_id: Arc::clone(&member), assignment: Arc::from(&b"all"[..]) }],
    });
    let Reply::Sync(Ok(synced)) = node.ask("team", sync, &runtime).unwrap() else { panic!() };
    assert_eq!(&synced.assignment[..], b"all");
    node.stop();

    let node = Node::start(disk(), dir.path(), &[], &runtime);
    node.committed("team", &runtime);
    let heartbeat = |generation| {
        Event::Heartbeat(Heartbeat {
            group_id: "team".into(),
            member_id: Arc::clone(&member),
            instance_id: None,
            generation,
        })
    };
    assert_eq!(node.ask("team", heartbeat(joined.generation), &runtime), Ok(Reply::Heartbeat(Ok(()))));
    let wrong = node.ask("team", heartbeat(joined.generation + 1), &runtime);
    assert_eq!(wrong, Ok(Reply::Heartbeat(Err(GroupError::IllegalGeneration))));
    node.stop();
}

#[test]
fn a_failed_write_is_not_acknowledged_and_the_log_decides() {
    let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
    let disk = FailingDisk::new(Arc::new(RealDisk::new()));
    let node = Node::fresh(disk.shared(), dir.path(), &[], &runtime);
    node.commit("team", 1, &runtime).unwrap();
    disk.fail(Fault::on(Operation::Write, "*/__consumer_offsets-*/*.log", Injected::NoSpace).times(1));
    assert_eq!(node.commit("team", 2, &runtime), Err(Unavailable::Failed));
    assert_eq!(node.committed("team", &runtime), 1, "what could not be written did not happen");
    node.commit("team", 3, &runtime).unwrap();
    assert_eq!(node.committed("team", &runtime), 3);
    node.stop();
}

#[test]
fn a_member_that_waits_is_told_of_the_stop() {
    let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
    let slow = [("group.initial.rebalance.delay.ms", "600000")];
    let node = Node::fresh(Arc::new(RealDisk::new()), dir.path(), &slow, &runtime);
    let waits = node.coordinator.submit("team", join("team", ""), now()).unwrap();
    node.coordinator.close();
    assert_eq!(runtime.block_on(waits.get()), Err(Unavailable::Failed));
    let late = node.coordinator.submit("team", join("team", ""), now());
    assert_eq!(late.map(drop), Err(Unavailable::NotHere));
    node.stop();
}

#[test]
fn the_offsets_of_a_deleted_topic_go() {
    let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
    let disk = || Arc::new(RealDisk::new()) as Arc<dyn Disk>;
    let node = Node::fresh(disk(), dir.path(), &[], &runtime);
    node.commit("team", 5, &runtime).unwrap();
    node.coordinator.topic_deleted("another", now());
    assert_eq!(node.committed("team", &runtime), 5);
    node.coordinator.topic_deleted("work", now());
    assert_eq!(node.committed("team", &runtime), -1);
    node.stop();
    let node = Node::start(disk(), dir.path(), &[], &runtime);
    assert_eq!(node.committed("team", &runtime), -1);
    node.stop();
}

#[test]
fn a_group_has_no_coordinator_before_there_is_a_topic() {
    let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
    let node = Node::start(Arc::new(RealDisk::new()), dir.path(), &[], &runtime);
    assert!(!node.coordinator.has_offsets_topic());
    assert_eq!(node.commit("team", 1, &runtime), Err(Unavailable::NotHere));
    assert!(node.coordinator.look_at_all(|_| ()).is_empty());
    node.coordinator.ensure_offsets_topic(now()).unwrap();
    node.commit("team", 1, &runtime).unwrap();
    node.stop();
}

#[test]
fn groups_that_cannot_be_read_are_read_later() {
    let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
    let disk = FailingDisk::new(Arc::new(RealDisk::new()));
    let one = [("offsets.topic.num.partitions", "1")];
    let node = Node::fresh(disk.shared(), dir.path(), &one, &runtime);
    node.commit("team", 7, &runtime).unwrap();
    node.stop();

    let node = Node::start(disk.shared(), dir.path(), &one, &runtime);
    assert_eq!(node.committed("team", &runtime), 7);
    // The write fails, and so does the first attempt to read the groups again.
    disk.fail(Fault::on(Operation::Write, "*/__consumer_offsets-*/*.log", Injected::NoSpace).times(1));
    disk.fail(Fault::on(Operation::Read, "*/__consumer_offsets-*/*.log", Injected::Io).times(1));
    assert_eq!(node.commit("team", 8, &runtime), Err(Unavailable::Failed));
    assert_eq!(node.commit("team", 8, &runtime), Err(Unavailable::Failed), "it is not tried again at once");
    assert_eq!(node.committed("team", &runtime), 7);
    assert_eq!(disk.failures(), 2);
    node.commit("team", 9, &runtime).unwrap();
    node.stop();
}

#[test]
fn a_client_with_the_longest_of_names_can_join() {
    let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
    let disk = || Arc::new(RealDisk::new()) as Arc<dyn Disk>;
    let node = Node::fresh(disk(), dir.path(), &[], &runtime);
    let long: Arc<str> = "ä".repeat(32_766 / 2).into();
    for instance in [None, Some(Arc::clone(&long))] {
        let Event::Join(join) = join("team", "") else { panic!() };
        let join = Join { client_id: Arc::clone(&long), instance_id: instance.clone(), ..join };
        let group: Arc<str> = format!("team {}", instance.is_some()).into();
        let event = Event::Join(Join { group_id: Arc::clone(&group), ..join });
        let Reply::Join(Ok(joined)) = node.ask(&group, event, &runtime).unwrap() else { panic!() };
        assert!(joined.member_id.len() <= 32_767);
        let sync = Event::Sync(Sync {
            group_id: Arc::clone(&group),
            member_id: joined.member_id,
            instance_id: instance,
            generation: joined.generation,
            protocol_type: None,
            protocol: None,
            assignments: Vec::new(),
        });
        let Reply::Sync(Ok(_)) = node.ask(&group, sync, &runtime).unwrap() else { panic!() };
    }
    node.stop();
    let node = Node::start(disk(), dir.path(), &[], &runtime);
    for group in ["team false", "team true"] {
        node.committed(group, &runtime);
        let members = node.coordinator.look(group, |groups| groups.describe(group).unwrap().members.len());
        assert_eq!(runtime.block_on(members.unwrap().get()), Ok(1));
    }
    node.stop();
}

/// By how much the clock of the next test is wrong, in milliseconds.
static ASTRAY: AtomicI64 = AtomicI64::new(0);

fn astray() -> Millis {
    now().plus(ASTRAY.load(Ordering::SeqCst))
}

#[test]
fn no_member_goes_because_the_clock_was_set() {
    const HOUR: i64 = 3_600_000;
    let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
    let one = [("offsets.topic.num.partitions", "1")];
    let disk = Arc::new(RealDisk::new());
    let node = Node::start_by(astray, disk, dir.path(), &one, &runtime);
    node.coordinator.ensure_offsets_topic(astray()).unwrap();
    let joins = |group: &str| {
        let answer = node.coordinator.submit(group, join(group, ""), astray()).unwrap();
        let Reply::Join(Ok(joined)) = runtime.block_on(answer.get()).unwrap() else { panic!() };
        joined.member_id
    };
    let groups = ["before", "later", "earlier"];
    for (group, by) in groups.into_iter().zip([0, HOUR, -HOUR]) {
        ASTRAY.store(by, Ordering::SeqCst);
        // A join is answered when the time of its group has come, and so was that of the others looked at.
        joins(group);
    }
    for group in groups {
        let members = node.coordinator.look(group, |groups| groups.describe(group).unwrap().members.len());
        assert_eq!(runtime.block_on(members.unwrap().get()), Ok(1), "{group}");
    }
    node.stop();
}

/// The disk stops at every operation of a few commits in turn. What was acknowledged is found after the power loss, and what
/// is found was asked for.
#[test]
fn acknowledged_commits_outlive_a_power_loss() {
    const GROUPS: [&str; 2] = ["team", "another team"];
    let runtime = runtime();
    let (dir, given) = (Path::new("/"), [("log.flush.interval.messages", "1")]);
    let settled = CrashDisk::calm(7);
    let node = Node::fresh(settled.shared(), dir, &given, &runtime);
    for group in GROUPS {
        node.commit(group, 0, &runtime).unwrap();
    }
    node.stop();
    settled.settle();

    for cut in 0.. {
        let disk = settled.after_with(Crash::PowerLoss, cut);
        let node = Node::start(disk.shared(), dir, &given, &runtime);
        let mut acknowledged = GROUPS.map(|group| node.committed(group, &runtime));
        assert_eq!(acknowledged, [0, 0]);
        disk.cut_after(cut);
        let mut asked = [0, 0];
        for offset in 1..=6 {
            let place = usize::from(offset % 3 == 0);
            asked[place] = offset;
            match node.commit(GROUPS[place], offset, &runtime) {
                Ok(()) => acknowledged[place] = offset,
                Err(_) => break,
            }
        }
        let was_cut = disk.has_stopped();
        node.coordinator.stop();
        drop(node);

        let disk = disk.after_with(Crash::PowerLoss, cut);
        let node = Node::start(disk.shared(), dir, &given, &runtime);
        for (place, group) in GROUPS.into_iter().enumerate() {
            let found = node.committed(group, &runtime);
            let (least, most) = (acknowledged[place], asked[place]);
            assert!(
                (least..=most).contains(&found),
                "cut {cut}: {group} is at {found}, not {least} to {most}"
            );
            node.commit(group, 100, &runtime).unwrap();
        }
        node.stop();
        if !was_cut {
            assert_eq!(acknowledged, [5, 6]);
            assert!(cut > 10, "{cut} operations");
            return;
        }
    }
}

#[test]
fn a_group_gives_out_as_many_ids_as_it_may_have_members() {
    let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
    let small = [("group.max.size", "2")];
    let node = Node::fresh(Arc::new(RealDisk::new()), dir.path(), &small, &runtime);
    let ask = || {
        let Event::Join(join) = join("team", "") else { panic!() };
        let event = Event::Join(Join { requires_member_id: true, ..join });
        let Reply::Join(Err(refused)) = node.ask("team", event, &runtime).unwrap() else { panic!() };
        (refused.error, refused.member_id)
    };
    let (error, first) = ask();
    assert_eq!(error, GroupError::MemberIdRequired);
    assert_eq!(ask().0, GroupError::MemberIdRequired);
    assert_eq!(ask(), (GroupError::GroupMaxSizeReached, "".into()));
    // An id that was given out still counts.
    let reply = node.ask("team", join("team", &first), &runtime).unwrap();
    assert!(matches!(reply, Reply::Join(Ok(joined)) if joined.member_id == first));
    node.stop();
}

fn sync(group: &str, joined: &Joined, assignment: &[u8]) -> Event {
    let member_id = Arc::clone(&joined.member_id);
    Event::Sync(Sync {
        group_id: group.into(),
        member_id: Arc::clone(&member_id),
        instance_id: None,
        generation: joined.generation,
        protocol_type: None,
        protocol: None,
        assignments: vec![Assignment { member_id, assignment: assignment.into() }],
    })
}

/// Nothing of it can be written, and it says so; who else lives in the same partition does not notice.
#[test]
fn what_does_not_fit_a_batch_is_refused_alone() {
    let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
    let disk = || Arc::new(RealDisk::new()) as Arc<dyn Disk>;
    let given = [("offsets.topic.num.partitions", "1"), ("offsets.topic.segment.bytes", "1048576")];
    let node = Node::fresh(disk(), dir.path(), &given, &runtime);
    let joins = |node: &Node, group: &str| {
        let Reply::Join(Ok(joined)) = node.ask(group, join(group, ""), &runtime).unwrap() else { panic!() };
        joined
    };
    let other = joins(&node, "other");
    let waits = node.coordinator.submit("other", join("other", ""), now()).unwrap();
    node.commit("team", 1, &runtime).unwrap();

    let joined = joins(&node, "team");
    let huge = vec![7; (1 << 20) + 1];
    let refused = node.ask("team", sync("team", &joined, &huge), &runtime);
    assert_eq!(refused, Ok(Reply::Sync(Err(GroupError::RecordTooLarge))));
    let Event::Join(huge_join) = join("team", "") else { panic!() };
    let protocols = vec![Protocol { name: "range".into(), metadata: vec![7; 4 << 20].into() }];
    let Reply::Join(Err(refused)) =
        node.ask("team", Event::Join(Join { protocols, ..huge_join }), &runtime).unwrap()
    else {
        panic!()
    };
    assert_eq!(refused.error, GroupError::RecordTooLarge);
    let Event::CommitOffsets(mut huge_commit) = commit("simple", 2) else { panic!() };
    let partitions = &mut huge_commit.topics[0].partitions;
    partitions[0].metadata = "m".repeat(4_000).into();
    *partitions = vec![partitions[0].clone(); 300];
    let refused = node.ask("simple", Event::CommitOffsets(huge_commit), &runtime);
    assert_eq!(refused, Ok(Reply::CommitOffsets(Err(GroupError::RecordTooLarge))));

    // The member of the other group still waits, and is answered.
    let again = join("other", &other.member_id);
    let Reply::Join(Ok(other)) = node.ask("other", again, &runtime).unwrap() else { panic!() };
    assert!(matches!(runtime.block_on(waits.get()), Ok(Reply::Join(Ok(_)))));
    let Reply::Sync(Ok(_)) = node.ask("other", sync("other", &other, b"all"), &runtime).unwrap() else {
        panic!()
    };
    node.stop();

    let node = Node::start(disk(), dir.path(), &given, &runtime);
    assert_eq!(node.committed("team", &runtime), 1);
    assert_eq!(node.committed("simple", &runtime), -1);
    let states = node
        .coordinator
        .look("team", |groups| ["team", "other"].map(|group| groups.describe(group).unwrap().state.name()));
    assert_eq!(runtime.block_on(states.unwrap().get()), Ok(["Empty", "Stable"]));
    let joined = joins(&node, "team");
    let Reply::Sync(Ok(_)) = node.ask("team", sync("team", &joined, b"all"), &runtime).unwrap() else {
        panic!()
    };
    node.stop();
}
