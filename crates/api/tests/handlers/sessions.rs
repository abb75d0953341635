use base::Uuid;
use wire::messages::fetch::{FetchRequest, FetchResponse, ForgottenTopic};

use crate::house::{House, batch, fetch_request, text};

/// Partitions that are told of, with their codes.
fn told(response: &FetchResponse) -> Vec<(i32, i16)> {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|data| (data.partition_index, data.error_code)).collect()
}

fn step(session_id: i32, session_epoch: i32, from: &[(i32, i64)]) -> FetchRequest {
    let mut request = FetchRequest { session_id, session_epoch, ..fetch_request("t", from) };
    if from.is_empty() {
        request.topics.clear();
    }
    request
}

#[test]
fn a_session_from_its_beginning_to_its_end() {
    let house = House::new();
    house.create("t", 3, &[]);
    let ask = |request: &FetchRequest| house.fetch(12, request);
    let first = ask(&step(0, 0, &[(0, 0), (1, 0), (2, 0)]));
    let id = first.session_id;
    assert!(id > 0);
    assert_eq!(told(&first), [(0, 0), (1, 0), (2, 0)]);

    let quiet = ask(&step(id, 1, &[]));
    assert_eq!((quiet.error_code, quiet.session_id, told(&quiet)), (0, id, vec![]));
    house.produce(9, "t", &[(1, batch(&["a"]))]);
    assert_eq!(told(&ask(&step(id, 2, &[]))), [(1, 0)]);
    assert_eq!(told(&ask(&step(id, 3, &[(1, 1)]))), [], "the client moved on");

    let stale = ask(&step(id, 3, &[]));
    assert_eq!((stale.error_code, stale.session_id, told(&stale)), (71, 0, vec![]));
    assert_eq!(told(&ask(&step(id, 4, &[(7, 0)]))), [(7, 3)]);
    assert_eq!(told(&ask(&step(id, 5, &[]))), [(7, 3)], "an error is told each time");

    let forget = |epoch, partitions| FetchRequest {
        forgotten_topics_data: vec![ForgottenTopic {
            topic: text("t"),
            partitions,
            ..ForgottenTopic::default()
        }],
        ..step(id, epoch, &[])
    };
    assert_eq!(told(&ask(&forget(6, vec![7, 55]))), []);
    let last = ask(&forget(7, vec![0, 1, 2]));
    assert_eq!((last.error_code, last.session_id), (0, 0));
    assert_eq!(ask(&step(id, 8, &[])).error_code, 70);
}

#[test]
fn sessions_that_are_not_there() {
    let house = House::new();
    for (id, epoch) in [(777, 1), (0, 1), (-7, 1), (0, -2)] {
        let response = house.fetch(12, &step(id, epoch, &[]));
        assert_eq!((response.error_code, response.session_id), (70, 0), "{id} {epoch}");
    }
}

#[test]
fn a_session_keeps_to_its_way_of_naming_topics() {
    let house = House::new();
    let topic_id = house.create("t", 1, &[]);
    let by_name = house.fetch(12, &step(0, 0, &[(0, 0)])).session_id;
    assert_eq!(house.fetch(13, &step(by_name, 1, &[])).error_code, 106);
    let mut request = step(0, 0, &[(0, 0)]);
    request.topics[0].topic_id = topic_id;
    let by_id = house.fetch(13, &request).session_id;
    assert_eq!(house.fetch(12, &step(by_id, 1, &[])).error_code, 106);
    assert_eq!(house.fetch(13, &step(by_id, 1, &[])).error_code, 0);
}

#[test]
fn closing_a_session() {
    let house = House::new();
    house.create("t", 1, &[]);
    let id = house.fetch(12, &step(0, 0, &[(0, 0)])).session_id;
    let closing = house.fetch(12, &step(id, -1, &[(0, 0)]));
    assert_eq!((closing.error_code, closing.session_id, told(&closing)), (0, 0, vec![(0, 0)]));
    assert_eq!(house.fetch(12, &step(id, 1, &[])).error_code, 70);
}

#[test]
fn an_id_that_is_unknown_at_first_is_found_later() {
    let house = House::new();
    house.create("t", 1, &[]);
    let mut request = step(0, 0, &[(0, 0)]);
    request.topics[0].topic_id = Uuid::from_u128(0xff);
    let first = house.fetch(13, &request);
    assert_eq!(told(&first), [(0, 100)]);
    assert_eq!(told(&house.fetch(13, &step(first.session_id, 1, &[]))), [(0, 100)]);

    // By name the same is a matter of the topic coming to be.
    let unborn = FetchRequest { session_epoch: 0, ..fetch_request("later", &[(0, 0)]) };
    let first = house.fetch(12, &unborn);
    assert_eq!(told(&first), [(0, 3)]);
    house.create("later", 1, &[]);
    assert_eq!(told(&house.fetch(12, &step(first.session_id, 1, &[]))), [(0, 0)]);
    assert_eq!(told(&house.fetch(12, &step(first.session_id, 2, &[]))), []);
}

#[test]
fn an_answer_that_waited_tells_only_what_is_new() {
    let house = House::new();
    house.create("t", 2, &[]);
    let id = house.fetch(12, &step(0, 0, &[(0, 0), (1, 0)])).session_id;
    let waiting = FetchRequest { max_wait_ms: 60, ..step(id, 1, &[]) };
    assert_eq!(told(&house.fetch(12, &waiting)), []);
    house.produce(9, "t", &[(1, batch(&["a"]))]);
    let waiting = FetchRequest { max_wait_ms: 10_000, ..step(id, 2, &[]) };
    assert_eq!(told(&house.fetch(12, &waiting)), [(1, 0)]);
}

#[test]
fn without_slots_every_fetch_is_a_full_one() {
    let house = House::with(&[("max.incremental.fetch.session.cache.slots", "0")]);
    house.create("t", 1, &[]);
    let response = house.fetch(12, &step(0, 0, &[(0, 0)]));
    assert_eq!((response.session_id, told(&response)), (0, vec![(0, 0)]));
}

#[test]
fn an_old_version_has_no_session() {
    let house = House::new();
    house.create("t", 1, &[]);
    assert_eq!(house.fetch(6, &fetch_request("t", &[(0, 0)])).session_id, 0);
}
