//! Frames and bodies that are not Kafka's: the connection is closed or the right code comes back, other clients notice
//! nothing, and memory stays bounded.

use bytes::{BufMut, BytesMut};
use testkit::raw::{RawClient, frame};
use wire::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use wire::messages::metadata::MetadataRequest;

use crate::client::{batch, broker_with_topic, count, launch, produce_ok, produce_request};

const UNSUPPORTED_VERSION: i16 = 35;

/// A request header and a body of any bytes.
fn request(api_key: i16, api_version: i16, flexible: bool, body: &[u8]) -> Vec<u8> {
    let mut frame = BytesMut::new();
    frame.put_i16(api_key);
    frame.put_i16(api_version);
    frame.put_i32(1);
    frame.put_i16(-1);
    if flexible {
        frame.put_u8(0);
    }
    frame.extend_from_slice(body);
    frame.to_vec()
}

fn works(client: &mut RawClient) {
    let answer = client.call(&ApiVersionsRequest::default(), 0).unwrap();
    assert_eq!(answer.error_code, 0);
}

#[test]
fn a_bad_frame_costs_its_sender_the_connection_and_nobody_else() {
    let bad: [(&str, Vec<u8>); 12] = [
        ("a negative length", vec![0xff, 0xff, 0xff, 0xff]),
        ("the smallest length", vec![0x80, 0, 0, 0]),
        ("no length at all", vec![0, 0, 0, 0]),
        ("a length above the limit", vec![0x7f, 0xff, 0xff, 0xff]),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("an HTTP request", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("a frame too short for a header", framed(&[0, 18])),
        ("an unknown API", framed(&request(12345, 0, false, &[]))),
        ("an API of groups, which there are none of yet", framed(&request(11, 0, false, &[]))),
        ("a negative version", framed(&request(3, -1, false, &[]))),
        ("a version to come", framed(&request(3, 99, true, &[]))),
        ("a body that is cut off", framed(&request(0, 3, false, &[0xff, 0xff, 0, 1]))),
    ];
    let (broker, mut good) = broker_with_topic();
    for (what, bytes) in bad {
        let mut client = broker.connect();
        client.send_bytes(&bytes).unwrap();
        client.wait_for_close().unwrap_or_else(|e| panic!("{what}: {e}"));
        works(&mut good);
    }
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

#[test]
fn no_claimed_count_reserves_memory() {
    let most = i32::MAX.to_be_bytes();
    let endless = [0xff; 30];
    let bad: [(&str, Vec<u8>); 6] = [
        ("Metadata v8 of 2147483647 topics", request(3, 8, false, &most)),
        ("Metadata v12 with a varint without end", request(3, 12, true, &endless)),
        ("Metadata v12 of 4294967294 topics", request(3, 12, true, &[0xff, 0xff, 0xff, 0xff, 0x0f])),
        ("Fetch v4 of 2147483647 topics", request(1, 4, false, &[&[0; 17][..], &most].concat())),
        ("CreateTopics v2 of 2147483647 topics", request(19, 2, false, &most)),
        ("a topic's name that is not UTF-8", request(3, 8, false, &[0, 0, 0, 1, 0, 2, 0xc3, 0x28, 1, 0, 0])),
    ];
    let (broker, mut good) = broker_with_topic();
    for (what, bytes) in bad {
        let mut client = broker.connect();
        client.send_frame(&bytes).unwrap();
        client.wait_for_close().unwrap_or_else(|e| panic!("{what}: {e}"));
        works(&mut good);
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", broker.pid())).unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kilobytes < 100_000, "the broker once held {kilobytes} kB");
}

#[test]
fn a_frame_that_never_ends_holds_up_nobody() {
    let (broker, mut good) = broker_with_topic();
    let mut stuck: Vec<RawClient> = (0..50).map(|_| broker.connect()).collect();
    for client in &mut stuck {
        client.send_bytes(&[0x05, 0, 0, 0, 0, 3]).unwrap();
    }
    works(&mut good);
    assert_eq!(produce_ok(&mut good, batch(-1, -1, -1, 1)), 0);
}

#[test]
fn a_connection_that_is_dropped_within_a_frame_leaves_nothing_behind() {
    let (broker, mut good) = broker_with_topic();
    let whole = frame(&produce_request("test", -1, batch(-1, -1, -1, 5)), 9, 1).unwrap();
    for cut in [1, 8, whole.len() / 2, whole.len() - 1] {
        let mut client = broker.connect();
        client.send_bytes(&framed(&whole)[..4 + cut]).unwrap();
    }
    works(&mut good);
    assert_eq!(count(&mut good), 0);
}

#[test]
fn an_idle_connection_is_closed() {
    let broker = launch().set("connections.max.idle.ms", "200").start();
    let mut idle = broker.connect();
    idle.wait_for_close().unwrap();
    works(&mut broker.connect());
}

#[test]
fn connections_above_the_limit_are_closed_and_the_others_go_on() {
    let broker = launch().set("max.connections.per.ip", "2").asked_for("max.connections").start();
    let (mut one, mut two) = (broker.connect(), broker.connect());
    works(&mut one);
    works(&mut two);
    broker.connect().wait_for_close().unwrap();
    works(&mut one);
    drop(two);
    // The place is free again as soon as the broker has seen the other one go.
    loop {
        let mut again = broker.connect();
        if again.call(&ApiVersionsRequest::default(), 0).is_ok() {
            break;
        }
    }
}

#[test]
fn an_unknown_version_of_api_versions_is_answered_with_what_is_known() {
    let broker = launch().start();
    let mut client = broker.connect();
    client.send_frame(&request(18, 99, true, b"whatever")).unwrap();
    let answer = client.read_frame().unwrap().unwrap();
    let answer: ApiVersionsResponse = wire::decode_exact(answer.slice(4..), 0).unwrap();
    assert_eq!(answer.error_code, UNSUPPORTED_VERSION);
    assert_eq!(answer.api_keys.len(), 1);
    assert_eq!(
        (answer.api_keys[0].api_key, answer.api_keys[0].min_version, answer.api_keys[0].max_version),
        (18, 0, 4)
    );
    works(&mut client);
}

#[test]
fn answers_leave_in_the_order_of_the_requests() {
    let (_broker, mut client) = broker_with_topic();
    let mut sent = Vec::new();
    for i in 0..200 {
        if i % 3 == 0 {
            let request = MetadataRequest { topics: None, ..Default::default() };
            sent.push((3, client.send(&request, 9).unwrap()));
        } else {
            sent.push((0, client.send(&produce_request("test", -1, batch(-1, -1, -1, 1)), 9).unwrap()));
        }
    }
    for (key, correlation_id) in sent {
        if key == 3 {
            client.receive::<MetadataRequest>(correlation_id, 9).unwrap();
        } else {
            client.receive::<wire::messages::produce::ProduceRequest>(correlation_id, 9).unwrap();
        }
    }
}
