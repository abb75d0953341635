//! When a Produce is answered: with an fsync per ack, on a disk that is slow, and on one that fails.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{Outcome, Pending};
use disk::{Operation, RealDisk};
use parking_lot::{Condvar, Mutex};
use testkit::{FailingDisk, Fault, Injected, WatchedDisk};
use wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use wire::messages::produce::{PartitionProduceResponse, ProduceRequest};

use crate::house::{House, batch, fetch_request, produce_request, signed, text};

const FSYNC_PER_ACK: &[(&str, &str)] = &[("log.flush.interval.messages", "1")];

/// What syncs of `.log` files in the directory `t-0` wait for while it is shut.
#[derive(Debug, Default)]
struct Gate {
    shut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn shut(&self) {
        *self.shut.lock() = true;
    }

    fn open(&self) {
        *self.shut.lock() = false;
        self.opened.notify_all();
    }

    fn pass(&self, path: &Path) {
        if path.extension().is_some_and(|end| end == "log") && path.to_string_lossy().contains("/t-0/") {
            let mut shut = self.shut.lock();
            while *shut {
                self.opened.wait(&mut shut);
            }
        }
    }
}

/// A house with a topic `t` on a disk whose gate is shut.
fn slow_house() -> (House, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    let passed = gate.clone();
    let disk = WatchedDisk::new(Arc::new(RealDisk::new()), move |operation, path| {
        if operation == Operation::Sync {
            passed.pass(path);
        }
    });
    let house = House::over(Arc::new(disk), tempfile::tempdir().unwrap(), FSYNC_PER_ACK);
    house.create("t", 1, &[]);
    gate.shut();
    (house, gate)
}

fn one(house: &House, outcome: Outcome) -> PartitionProduceResponse {
    let Outcome::Reply(reply) = outcome else { panic!("{outcome:?}") };
    house.decode::<ProduceRequest>(9, reply).responses.remove(0).partition_responses.remove(0)
}

/// Waits for what was begun, but not for ever.
fn end(house: &House, begun: tokio::task::JoinHandle<Outcome>) -> PartitionProduceResponse {
    let in_time = async { tokio::time::timeout(Duration::from_secs(20), begun).await };
    one(house, house.runtime.block_on(in_time).expect("an answer within 20 s").unwrap())
}

fn begin(house: &House, acks: i16, timeout_ms: i32, sequence: i32) -> tokio::task::JoinHandle<Outcome> {
    let request =
        ProduceRequest { acks, timeout_ms, ..produce_request("t", &[(0, signed(5, 0, sequence, &["a"]))]) };
    let Pending::Later(later) = house.begin(9, &request) else { panic!("answered before it was flushed") };
    house.runtime.spawn(later)
}

#[test]
fn with_an_fsync_per_ack_an_answer_means_flushed() {
    let (house, gate) = slow_house();
    let all = begin(&house, -1, 20_000, 0);
    let leader = begin(&house, 1, 20_000, 1);
    std::thread::sleep(Duration::from_millis(80));
    assert!(!all.is_finished() && !leader.is_finished(), "acks=1 as well: Kafka flushes before it answers");
    assert_eq!(house.read("t", 0).high_watermark, 0, "nobody reads what may be lost");
    assert_eq!((latest(&house, -1), latest(&house, -2)), (0, 2), "and no consumer is sent there");
    gate.open();
    for (waiting, offset) in [(all, 0), (leader, 1)] {
        let answer = end(&house, waiting);
        assert_eq!((answer.error_code, answer.base_offset), (0, offset));
    }
    assert_eq!(house.read("t", 0).high_watermark, 2);
}

/// The end of the partition as this replica id is told.
fn latest(house: &House, replica_id: i32) -> i64 {
    let request = ListOffsetsRequest {
        replica_id,
        topics: vec![ListOffsetsTopic {
            name: text("t"),
            partitions: vec![ListOffsetsPartition { timestamp: -1, ..ListOffsetsPartition::default() }],
        }],
        ..ListOffsetsRequest::default()
    };
    house.ask(7, &request).topics[0].partitions[0].offset
}

#[test]
fn acks_0_does_not_wait() {
    let (house, gate) = slow_house();
    let request = ProduceRequest { acks: 0, ..produce_request("t", &[(0, batch(&["a"]))]) };
    assert!(matches!(house.begin(9, &request), Pending::Silent { .. }));
    gate.open();
}

#[test]
fn acks_all_gives_up_when_its_time_is_over() {
    let (house, gate) = slow_house();
    let began = Instant::now();
    let answer = end(&house, begin(&house, -1, 80, 0));
    assert_eq!((answer.error_code, answer.base_offset), (7, -1));
    assert!(began.elapsed() >= Duration::from_millis(79));
    // The batch has its place all the same: the retry is told so once it is flushed.
    let retry = begin(&house, -1, 20_000, 0);
    gate.open();
    let answer = end(&house, retry);
    assert_eq!((answer.error_code, answer.base_offset), (0, 0));
}

#[test]
fn flushing_wakes_a_fetch() {
    let (house, gate) = slow_house();
    let produce = begin(&house, -1, 20_000, 0);
    let waiting =
        wire::messages::fetch::FetchRequest { max_wait_ms: 15_000, ..fetch_request("t", &[(0, 0)]) };
    let Pending::Later(fetch) = house.begin(12, &waiting) else { panic!("nothing is to be read yet") };
    let fetch = house.runtime.spawn(fetch);
    gate.open();
    let Outcome::Reply(reply) = house.runtime.block_on(fetch).unwrap() else { panic!("no answer") };
    let response = house.decode::<wire::messages::fetch::FetchRequest>(12, reply);
    assert_eq!(response.responses[0].partitions[0].high_watermark, 1);
    house.runtime.block_on(produce).unwrap();
}

#[test]
fn a_flush_that_fails_is_no_ack() {
    let disk = FailingDisk::new(Arc::new(RealDisk::new()));
    let house = House::over(disk.shared(), tempfile::tempdir().unwrap(), FSYNC_PER_ACK);
    house.create("t", 1, &[]);
    house.create("other", 1, &[]);
    disk.fail(Fault::on(Operation::Sync, "*/t-0/*.log", Injected::Io));
    let answer = house.send("t", batch(&["a"]));
    assert_eq!((answer.error_code, answer.base_offset, answer.log_start_offset), (56, -1, -1));
    disk.heal();
    let answer = house.send("t", batch(&["a"]));
    assert_eq!(answer.error_code, 56, "until a restart");
    assert_eq!(house.send("other", batch(&["a"])).error_code, 0);
}

#[test]
fn a_full_disk_fails_one_partition() {
    let disk = FailingDisk::new(Arc::new(RealDisk::new()));
    let house = House::over(disk.shared(), tempfile::tempdir().unwrap(), &[]);
    house.create("t", 2, &[]);
    disk.fail(Fault::on(Operation::Write, "*/t-1/*.log", Injected::NoSpace).short(10));
    let response = house.produce(9, "t", &[(0, batch(&["a"])), (1, batch(&["a"]))]);
    let codes: Vec<_> = response.responses[0]
        .partition_responses
        .iter()
        .map(|one| (one.error_code, one.base_offset))
        .collect();
    assert_eq!(codes, [(0, 0), (56, -1)]);
    assert_eq!(house.read("t", 0).high_watermark, 1);
}
