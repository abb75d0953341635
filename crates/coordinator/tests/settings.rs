//! What the settings of groups and offsets do.

mod node;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base::Millis;
use disk::{Disk, Operation, RealDisk};
use state_machines::group::{Event, GroupError, Join, Reply};
use testkit::WatchedDisk;

use node::{Node, commit, join, now, runtime};

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_classic_member_may_be_silent_as_long_as_the_broker_allows() {
    let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
    let given = [("group.min.session.timeout.ms", "20000"), ("group.max.session.timeout.ms", "40000")];
    let node = Node::fresh(Arc::new(RealDisk::new()), dir.path(), &given, &runtime);
    for (session_timeout_ms, is_allowed) in [(19_999, false), (20_000, true), (40_000, true), (40_001, false)]
    {
        let group = format!("team-{session_timeout_ms}");
        let Event::Join(join) = join(&group, "") else { panic!() };
        let reply = node.ask(&group, Event::Join(Join { session_timeout_ms, ..join }), &runtime).unwrap();
        match reply {
            Reply::Join(Ok(_)) => assert!(is_allowed, "{session_timeout_ms}"),
            Reply::Join(Err(refused)) => {
                assert_eq!((refused.error, is_allowed), (GroupError::InvalidSessionTimeout, false));
            }
            other => panic!("{other:?}"),
        }
    }
    node.stop();
}

/// By how much the clock of the next test is ahead, in milliseconds.
static AHEAD: AtomicI64 = AtomicI64::new(0);

fn ahead() -> Millis {
    now().plus(AHEAD.load(Ordering::SeqCst))
}

#[test]
fn offsets_are_kept_for_the_minutes_that_were_set_and_looked_for_as_often() {
    let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
    let given = [
        ("offsets.topic.num.partitions", "1"),
        ("offsets.retention.minutes", "2"),
        ("offsets.retention.check.interval.ms", "1"),
    ];
    let node = Node::start_by(ahead, Arc::new(RealDisk::new()), dir.path(), &given, &runtime);
    node.catalog
        .create_topics(vec![catalog::NewTopic::with_defaults("work")], false, now())
        .remove(0)
        .unwrap();
    node.coordinator.ensure_offsets_topic(ahead()).unwrap();
    let commits = |group: &str, offset: i64| {
        let answer = node.coordinator.submit(group, commit(group, offset), ahead()).unwrap();
        let Reply::CommitOffsets(Ok(_)) = runtime.block_on(answer.get()).unwrap() else { panic!() };
    };
    commits("old", 7);
    AHEAD.store(70_000, Ordering::SeqCst);
    commits("young", 8);
    AHEAD.store(121_000, Ordering::SeqCst);
    let began = Instant::now();
    while node.committed("old", &runtime) == 7 {
        assert!(began.elapsed() < SOON, "two minutes have passed");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(node.committed("young", &runtime), 8, "not for it");
    node.stop();
}

#[test]
fn groups_are_read_so_many_bytes_at_a_time() {
    let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
    let one = ("offsets.topic.num.partitions", "1");
    let node = Node::fresh(Arc::new(RealDisk::new()), dir.path(), &[one], &runtime);
    for offset in 0..50 {
        node.commit("team", offset, &runtime).unwrap();
    }
    node.stop();

    let reads = |given: &[(&str, &str)]| {
        let count = Arc::new(AtomicUsize::new(0));
        let disk: Arc<dyn Disk> = Arc::new(WatchedDisk::new(Arc::new(RealDisk::new()), {
            let count = Arc::clone(&count);
            move |operation, path: &Path| {
                let is_log = path.to_string_lossy().contains("__consumer_offsets-0/")
                    && path.extension().is_some_and(|e| e == "log");
                if operation == Operation::Read && is_log {
                    count.fetch_add(1, Ordering::SeqCst);
                }
            }
        }));
        let node = Node::start(disk, dir.path(), given, &runtime);
        assert_eq!(node.committed("team", &runtime), 49);
        node.stop();
        count.load(Ordering::SeqCst)
    };
    let (whole, single) = (reads(&[one]), reads(&[one, ("offsets.load.buffer.size", "1")]));
    assert!(single >= whole + 49, "{whole} reads of all, {single} reads of a batch each");
}

#[test]
fn the_topic_of_offsets_is_made_as_it_was_set() {
    let (runtime, dir) = (runtime(), tempfile::tempdir().unwrap());
    let given = [("offsets.topic.num.partitions", "3"), ("offsets.topic.segment.bytes", "2000000")];
    let node = Node::fresh(Arc::new(RealDisk::new()), dir.path(), &given, &runtime);
    let topic = node.catalog.topics().by_name("__consumer_offsets").unwrap().clone();
    assert_eq!(topic.partitions.len(), 3);
    assert_eq!(node.catalog.topic_settings(topic.id).unwrap().segment_bytes, 2_000_000);
    node.stop();
}
