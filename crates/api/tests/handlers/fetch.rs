use std::time::{Duration, Instant};

use api::{Pending, Piece};
use base::{LeaderEpoch, Uuid};
use bytes::Bytes;
use records::BatchHeader;
use wire::Payload;
use wire::messages::delete_topics::DeleteTopicsRequest;
use wire::messages::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData, ReplicaState,
};

use crate::house::{House, batch, batch_at, fetch_request, text};

fn records(data: &PartitionData) -> Bytes {
    match &data.records {
        Some(Payload::Bytes(bytes)) => bytes.clone(),
        other => panic!("{other:?}"),
    }
}

/// The base offsets of the batches in there.
fn batches(data: &PartitionData) -> Vec<i64> {
    let mut rest = records(data);
    let mut found = Vec::new();
    while !rest.is_empty() {
        let header = BatchHeader::parse(&rest).unwrap();
        found.push(header.base_offset.0);
        rest = rest.split_off(header.size());
    }
    found
}

/// Index, code, and base offsets.
fn told(response: &FetchResponse) -> Vec<(i32, i16, Vec<i64>)> {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|data| (data.partition_index, data.error_code, batches(data))).collect()
}

/// A topic of three partitions: five batches of two records in 0, two in 1, none in 2.
fn filled() -> (House, Uuid) {
    let house = House::new();
    let id = house.create("t", 3, &[]);
    for (partition, count) in [(0, 5), (1, 2)] {
        for _ in 0..count {
            house.produce(9, "t", &[(partition, batch(&["a", "b"]))]);
        }
    }
    (house, id)
}

/// Bytes of each of these batches.
fn size() -> i32 {
    i32::try_from(batch(&["a", "b"]).len()).unwrap()
}

fn with_max(request: FetchRequest, partition_max_bytes: i32) -> FetchRequest {
    let mut request = request;
    for partition in &mut request.topics[0].partitions {
        partition.partition_max_bytes = partition_max_bytes;
    }
    request
}

#[test]
fn each_version_sends_what_is_stored() {
    let (house, id) = filled();
    let sent = batch(&["a", "b"]);
    for version in 4..=18 {
        let mut request = fetch_request("t", &[(0, 0)]);
        request.topics[0].topic_id = id;
        let response = house.fetch(version, &request);
        let topic = &response.responses[0];
        assert_eq!((&*topic.topic == "t", topic.topic_id == id), (version <= 12, version >= 13));
        let data = &topic.partitions[0];
        assert_eq!((data.error_code, data.high_watermark, data.last_stable_offset), (0, 10, 10));
        assert_eq!(data.log_start_offset, if version >= 5 { 0 } else { -1 });
        assert_eq!(data.preferred_read_replica, -1);
        assert_eq!(data.aborted_transactions, None);
        assert_eq!(batches(data), [0, 2, 4, 6, 8], "version {version}");
        assert_eq!(
            records(data).slice(61..sent.len()),
            sent.slice(61..),
            "the records are as they were sent"
        );
        assert_eq!((response.session_id, response.error_code), (0, 0));
    }
}

#[test]
fn the_records_stay_in_their_file() {
    let (house, _) = filled();
    let body = wire::to_bytes(&fetch_request("t", &[(0, 0), (1, 0)]), 12).unwrap();
    let reply = house.end(house.begin_bytes(1, 12, body)).unwrap();
    let files: Vec<u32> = reply
        .pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::File(range) => Some(range.len),
            Piece::Bytes(_) => None,
        })
        .collect();
    let size = size().unsigned_abs();
    assert_eq!(files, [5 * size, 2 * size]);
    assert!(reply.pieces.iter().all(|piece| !piece.is_empty()));
}

#[test]
fn a_fetch_begins_with_the_batch_that_holds_the_offset() {
    let (house, _) = filled();
    for (from, found) in [(0, vec![0, 2, 4, 6, 8]), (3, vec![2, 4, 6, 8]), (9, vec![8]), (10, vec![])] {
        let data = house.read("t", from);
        assert_eq!((data.error_code, batches(&data)), (0, found), "from {from}");
    }
    for outside in [11, -1, i64::MAX] {
        let data = house.read("t", outside);
        assert_eq!((data.error_code, data.high_watermark, data.log_start_offset), (1, -1, -1));
        assert_eq!((data.last_stable_offset, data.aborted_transactions), (-1, None));
        assert_eq!(data.records, Some(Payload::default()), "empty, not null");
    }
}

#[test]
fn limits_cut_between_batches_and_the_first_batch_always_fits() {
    let (house, _) = filled();
    let size = size();
    let both = fetch_request("t", &[(0, 0), (1, 0)]);
    let ask = |request: FetchRequest| told(&house.fetch(12, &request));
    assert_eq!(ask(with_max(both.clone(), 1)), [(0, 0, vec![0]), (1, 0, vec![])]);
    assert_eq!(ask(with_max(both.clone(), 0)), [(0, 0, vec![0]), (1, 0, vec![])]);
    assert_eq!(ask(with_max(both.clone(), 2 * size + 1)), [(0, 0, vec![0, 2]), (1, 0, vec![0, 2])]);
    let whole = |max_bytes| FetchRequest { max_bytes, ..both.clone() };
    assert_eq!(ask(whole(size + 1)), [(0, 0, vec![0]), (1, 0, vec![])]);
    assert_eq!(ask(whole(0)), [(0, 0, vec![0]), (1, 0, vec![])]);
    assert_eq!(ask(whole(6 * size)), [(0, 0, vec![0, 2, 4, 6, 8]), (1, 0, vec![0])]);
    let empty_first = with_max(fetch_request("t", &[(2, 0), (1, 0), (0, 0)]), 1);
    assert_eq!(ask(empty_first), [(2, 0, vec![]), (1, 0, vec![0]), (0, 0, vec![])]);
    assert_eq!(ask(with_max(both.clone(), -1)), [(0, 4, vec![]), (1, 4, vec![])]);
    assert_eq!(ask(whole(-1)), [(0, 4, vec![]), (1, 4, vec![])]);
}

#[test]
fn the_broker_caps_the_whole_answer() {
    let house = House::with(&[("fetch.max.bytes", "1024")]);
    house.create("t", 1, &[]);
    for _ in 0..4 {
        house.send("t", batch(&[&"x".repeat(400)]));
    }
    assert_eq!(batches(&house.read("t", 0)), [0, 1]);
}

#[test]
fn what_is_unknown_is_told_behind_the_rest() {
    let (house, id) = filled();
    let mut request = fetch_request("t", &[(9, 0), (0, 8)]);
    request.topics.insert(0, fetch_request("nope", &[(0, 0)]).topics.remove(0));
    let response = house.fetch(12, &request);
    assert_eq!(told(&response), [(0, 0, vec![8]), (0, 3, vec![]), (9, 3, vec![])]);
    let stranger = &response.responses[1].partitions[0];
    assert_eq!((stranger.high_watermark, stranger.aborted_transactions.as_deref()), (-1, Some(&[][..])));
    for unknown in [Uuid::from_u128(0xff), Uuid::nil()] {
        let mut request = fetch_request("", &[(0, 0)]);
        request.topics[0].topic_id = unknown;
        assert_eq!(told(&house.fetch(13, &request)), [(0, 100, vec![])]);
    }
    let mut request = fetch_request("", &[(9, 0)]);
    request.topics[0].topic_id = id;
    assert_eq!(told(&house.fetch(13, &request)), [(9, 3, vec![])]);
}

#[test]
fn a_partition_named_twice_is_fetched_once() {
    let (house, _) = filled();
    let response = house.fetch(12, &fetch_request("t", &[(0, 0), (1, 0), (0, 8)]));
    assert_eq!(told(&response), [(0, 0, vec![8]), (1, 0, vec![0, 2])]);
}

fn one(change: impl FnOnce(&mut FetchPartition)) -> FetchRequest {
    let mut request = fetch_request("t", &[(0, 0)]);
    change(&mut request.topics[0].partitions[0]);
    request
}

#[test]
fn the_leader_epoch_must_be_the_current_one() {
    let (house, _) = filled();
    for (epoch, code) in [(-1, 0), (0, 0), (5, 75)] {
        let request = one(|partition| partition.current_leader_epoch = epoch);
        assert_eq!(house.fetch(12, &request).responses[0].partitions[0].error_code, code, "epoch {epoch}");
    }
}

#[test]
fn a_log_that_parted_from_ours_is_told_where() {
    let (house, _) = filled();
    let ask = |offset, epoch| {
        let request = one(|partition| {
            partition.fetch_offset = offset;
            partition.last_fetched_epoch = epoch;
        });
        house.fetch(12, &request).responses.remove(0).partitions.remove(0)
    };
    let agreeing = ask(2, 0);
    assert_eq!((agreeing.error_code, batches(&agreeing)), (0, vec![2, 4, 6, 8]));
    assert_eq!(agreeing.diverging_epoch.epoch, -1);
    let parted = ask(99, 0);
    assert_eq!(
        (parted.error_code, parted.diverging_epoch.epoch, parted.diverging_epoch.end_offset),
        (0, 0, 10)
    );
    assert_eq!((parted.high_watermark, batches(&parted)), (10, vec![]));
    assert_eq!(ask(2, 7).error_code, 1, "an epoch that was never heard of");
    let empty = one(|partition| {
        partition.partition = 2;
        partition.last_fetched_epoch = LeaderEpoch(0).0;
    });
    assert_eq!(told(&house.fetch(12, &empty)), [(2, 0, vec![])]);
}

#[test]
fn isolation_levels() {
    let (house, _) = filled();
    let committed = FetchRequest { isolation_level: 1, ..fetch_request("t", &[(0, 0)]) };
    let data = house.fetch(12, &committed).responses.remove(0).partitions.remove(0);
    assert_eq!((batches(&data).len(), data.aborted_transactions), (5, Some(Vec::new())));
    let odd = FetchRequest { isolation_level: 7, ..fetch_request("t", &[(0, 0)]) };
    let refused = house.fetch(12, &odd);
    assert_eq!((refused.error_code, told(&refused)), (42, vec![(0, 42, vec![])]));
}

#[test]
fn nobody_replicates_from_here() {
    let (house, id) = filled();
    let mut request = FetchRequest { replica_id: 5, ..fetch_request("t", &[(0, 0)]) };
    assert_eq!(told(&house.fetch(12, &request)), [(0, 6, vec![])]);
    request.topics[0].partitions[0].current_leader_epoch = 0;
    assert_eq!(told(&house.fetch(12, &request)), [(0, 75, vec![])]);
    let mut request = fetch_request("", &[(0, 0)]);
    request.topics[0].topic_id = id;
    request.replica_state = ReplicaState { replica_id: 5, replica_epoch: 1 };
    let response = house.fetch(16, &request);
    let data = &response.responses[0].partitions[0];
    assert_eq!((data.error_code, data.current_leader.leader_id, data.current_leader.leader_epoch), (6, 1, 0));
    let endpoint = &response.node_endpoints[0];
    assert_eq!((endpoint.node_id, &*endpoint.host, endpoint.port), (1, "broker.example", 9092));
    assert!(house.fetch(15, &request).node_endpoints.is_empty());
    let debugging = FetchRequest { replica_id: -2, ..fetch_request("t", &[(0, 8)]) };
    assert_eq!(told(&house.fetch(12, &debugging)), [(0, 0, vec![8])]);
}

#[test]
fn a_topic_kept_in_zstd_is_not_for_old_clients() {
    let house = House::new();
    house.create("z", 1, &[("compression.type", "zstd")]);
    house.send("z", batch(&["a"]));
    let request = fetch_request("z", &[(0, 0)]);
    assert_eq!(told(&house.fetch(9, &request)), [(0, 76, vec![])]);
    assert_eq!(told(&house.fetch(10, &request)), [(0, 0, vec![0])]);
}

/// How long it takes to answer, and the answer.
fn timed(house: &House, request: &FetchRequest) -> (Duration, FetchResponse) {
    let began = Instant::now();
    let response = house.fetch(12, request);
    (began.elapsed(), response)
}

fn waiting(max_wait_ms: i32, request: FetchRequest) -> FetchRequest {
    FetchRequest { max_wait_ms, ..request }
}

#[test]
fn a_fetch_waits_no_longer_than_it_says() {
    let (house, _) = filled();
    let (took, response) = timed(&house, &waiting(150, fetch_request("t", &[(0, 10)])));
    assert_eq!(told(&response), [(0, 0, vec![])]);
    assert!(took >= Duration::from_millis(149), "{took:?}");
    let too_much = FetchRequest { min_bytes: 1 << 20, ..fetch_request("t", &[(0, 0)]) };
    let (took, response) = timed(&house, &waiting(150, too_much));
    assert_eq!(batches(&response.responses[0].partitions[0]).len(), 5, "what there is comes in the end");
    assert!(took >= Duration::from_millis(149), "{took:?}");
}

#[test]
fn what_is_no_reason_to_wait() {
    let (house, _) = filled();
    let size = size();
    let minimum = |min_bytes, request| FetchRequest { min_bytes, ..request };
    let mut some_unknown = fetch_request("t", &[(9, 0)]);
    some_unknown.topics.push(FetchTopic { topic: text("nope"), ..some_unknown.topics[0].clone() });
    for (what, request) in [
        ("no minimum", minimum(0, fetch_request("t", &[(0, 10)]))),
        ("a negative minimum", minimum(-5, fetch_request("t", &[(0, 10)]))),
        ("an error", fetch_request("t", &[(0, 10), (1, 99)])),
        ("nothing known", some_unknown),
        ("nothing asked", FetchRequest { topics: Vec::new(), ..fetch_request("t", &[]) }),
        (
            "a partition limit within a batch",
            minimum(size + 5, with_max(fetch_request("t", &[(0, 0)]), size + 5)),
        ),
        (
            "a limit of the answer below the minimum",
            FetchRequest { max_bytes: size + 5, ..minimum(1 << 20, fetch_request("t", &[(0, 0)])) },
        ),
        ("a negative wait", FetchRequest { max_wait_ms: -1, ..fetch_request("t", &[(0, 10)]) }),
    ] {
        let wait = if request.max_wait_ms < 0 { request } else { waiting(10_000, request) };
        let (took, _) = timed(&house, &wait);
        assert!(took < Duration::from_secs(5), "{what}: {took:?}");
    }
}

/// A fetch that waits, as a thing to be waited for.
struct Waits<'a> {
    house: &'a House,
    answer: tokio::task::JoinHandle<api::Outcome>,
}

impl<'a> Waits<'a> {
    fn on(house: &'a House, request: &FetchRequest) -> Self {
        let Pending::Later(later) = house.begin(12, &waiting(15_000, request.clone())) else {
            panic!("it does not wait")
        };
        let answer = house.runtime.spawn(later);
        std::thread::sleep(Duration::from_millis(50));
        assert!(!answer.is_finished(), "it waits");
        Self { house, answer }
    }

    fn end(self) -> FetchResponse {
        let began = Instant::now();
        let outcome = self.house.runtime.block_on(self.answer).unwrap();
        assert!(began.elapsed() < Duration::from_secs(5));
        let api::Outcome::Reply(reply) = outcome else { panic!("{outcome:?}") };
        self.house.decode::<FetchRequest>(12, reply)
    }

    fn is_waiting(&self) -> bool {
        std::thread::sleep(Duration::from_millis(50));
        !self.answer.is_finished()
    }
}

#[test]
fn records_that_come_wake_a_fetch() {
    let (house, _) = filled();
    let waits = Waits::on(&house, &fetch_request("t", &[(0, 10), (2, 0)]));
    house.produce(9, "t", &[(1, batch(&["elsewhere"]))]);
    assert!(waits.is_waiting(), "another partition is none of its business");
    house.produce(9, "t", &[(2, batch(&["here"]))]);
    assert_eq!(told(&waits.end()), [(0, 0, vec![]), (2, 0, vec![0])]);
}

#[test]
fn a_fetch_wakes_for_good_only_when_there_is_enough() {
    let (house, _) = filled();
    let request = FetchRequest { min_bytes: 2 * size() + 1, ..fetch_request("t", &[(0, 8), (2, 0)]) };
    let waits = Waits::on(&house, &request);
    house.produce(9, "t", &[(2, batch(&["a", "b"]))]);
    assert!(waits.is_waiting(), "two batches are a byte too few");
    house.produce(9, "t", &[(0, batch(&["a", "b"]))]);
    assert_eq!(told(&waits.end()), [(0, 0, vec![8, 10]), (2, 0, vec![0])]);
}

#[test]
fn a_client_that_is_segments_behind_does_not_wait() {
    let house = House::new();
    house.create("t", 1, &[("segment.bytes", "1048576")]);
    let large = "x".repeat(600_000);
    house.send("t", batch_at(crate::house::NOW, &[&large]));
    house.send("t", batch_at(crate::house::NOW, &[&large]));
    let request = FetchRequest { min_bytes: 2 << 20, ..with_max(fetch_request("t", &[(0, 0)]), 4 << 20) };
    let (took, response) = timed(&house, &waiting(10_000, request));
    assert_eq!(told(&response), [(0, 0, vec![0])], "an answer ends with its segment");
    assert!(took < Duration::from_secs(5));
}

#[test]
fn a_stop_ends_all_waiting() {
    let (house, _) = filled();
    let waits = Waits::on(&house, &fetch_request("t", &[(0, 10)]));
    house.broker.stop_waiting();
    assert_eq!(told(&waits.end()), [(0, 0, vec![])]);
    let (took, _) = timed(&house, &waiting(10_000, fetch_request("t", &[(0, 10)])));
    assert!(took < Duration::from_secs(5), "nobody begins to wait any more");
}

#[test]
fn a_topic_that_is_deleted_ends_the_waiting_for_it() {
    let (house, _) = filled();
    let waits = Waits::on(&house, &fetch_request("t", &[(0, 10)]));
    let delete = DeleteTopicsRequest {
        topic_names: vec![text("t")],
        timeout_ms: 5000,
        ..DeleteTopicsRequest::default()
    };
    assert_eq!(house.ask(5, &delete).responses[0].error_code, 0);
    assert_eq!(told(&waits.end()), [(0, 6, vec![])]);
    assert_eq!(told(&house.fetch(12, &fetch_request("t", &[(0, 10)]))), [(0, 3, vec![])]);
}
