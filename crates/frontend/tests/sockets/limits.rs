//! What comes in is bounded, and what is no request costs its sender the connection and nobody else anything.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::stand_in::{Client, Stage, a_moment, frame, settings, stage, stage_with, until};
use frontend::Limits;

#[tokio::test]
async fn lengths_that_no_request_has_close_the_connection() {
    let stage = stage(&[("socket.request.max.bytes", "1000")]);
    for len in [0i32, -1, i32::MIN, i32::MAX, 1001] {
        let mut client = stage.client().await;
        client.send("say before").await;
        client.send_raw(&len.to_be_bytes()).await;
        assert_eq!(client.receive().await, "before", "{len}");
        assert!(client.is_closed().await, "{len}");
    }
    assert_eq!(stage.server.counters().bad_frames.load(Ordering::Relaxed), 5);
    stage.still_serves().await;
}

#[tokio::test]
async fn a_request_of_exactly_the_limit_is_served() {
    let stage = stage(&[("socket.request.max.bytes", "1000")]);
    let mut client = stage.client().await;
    let text = "x".repeat(1000 - 10 - "say ".len());
    client.send(&format!("say {text}")).await;
    assert_eq!(client.receive().await, text);
    client.send(&format!("say {text}x")).await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn other_protocols_are_turned_away() {
    let stage = stage(&[]);
    for garbage in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        &[0xff; 64],
    ] {
        let mut client = stage.client().await;
        client.send_raw(garbage).await;
        assert!(client.is_closed().await, "{garbage:?}");
    }
    stage.still_serves().await;
}

#[tokio::test]
async fn headers_that_cannot_be_read_close_the_connection() {
    let stage = stage(&[]);
    let unknown_api = [0, 0, 0, 10, 0x7f, 0xff, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
    let cut_short = [0, 0, 0, 3, 0, 3, 0];
    let client_id_beyond_the_frame = [0, 0, 0, 10, 0, 3, 0, 0, 0, 0, 0, 1, 0x7f, 0xff];
    for bytes in [&unknown_api[..], &cut_short, &client_id_beyond_the_frame] {
        let mut client = stage.client().await;
        client.send_raw(bytes).await;
        assert!(client.is_closed().await, "{bytes:?}");
    }
    assert!(stage.service.begun().is_empty());
    stage.still_serves().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_at_once() {
    let stage = stage(&[("max.connections", "2")]);
    let (_one, mut two, mut three) = (stage.client().await, stage.client().await, stage.client().await);
    assert!(three.is_closed().await);
    assert_eq!(stage.server.counters().refused.load(Ordering::Relaxed), 1);
    two.send("say hello").await;
    assert_eq!(two.receive().await, "hello");
    drop(two);
    let counters = stage.server.counters();
    until(|| counters.closed.load(Ordering::Relaxed) == 1).await;
    stage.still_serves().await;
}

#[tokio::test]
async fn connections_from_one_address_have_a_limit() {
    let stage = stage(&[("max.connections.per.ip", "1")]);
    let _one = stage.client().await;
    let mut two = stage.client().await;
    assert!(two.is_closed().await);
}

#[tokio::test]
async fn an_address_may_have_a_limit_of_its_own_and_it_may_change() {
    let mut settings =
        settings(&[("max.connections.per.ip", "0"), ("max.connections.per.ip.overrides", "127.0.0.1:1")]);
    let stage = stage_with(&settings, Limits::new(&settings));
    let mut one = stage.client().await;
    one.send("say hello").await;
    assert_eq!(one.receive().await, "hello");
    assert!(stage.client().await.is_closed().await);
    settings.set("max.connections.per.ip.overrides", "localhost:2").expect("allowed");
    stage.server.doors().set(&Limits::new(&settings));
    let mut two = stage.client().await;
    two.send("say hello").await;
    assert_eq!(two.receive().await, "hello");
    assert!(stage.client().await.is_closed().await);
}

#[tokio::test]
async fn a_silent_connection_is_closed_and_a_waiting_one_is_not() {
    let stage = stage(&[("connections.max.idle.ms", "200")]);
    let (mut silent, mut waiting, mut half) =
        (stage.client().await, stage.client().await, stage.client().await);
    waiting.send("wait a answer").await;
    half.send_raw(&[0, 0, 0, 20, 1, 2, 3]).await;
    assert!(silent.is_closed().await);
    assert!(half.is_closed().await, "a request that is never completed");
    a_moment().await;
    stage.service.open("a");
    assert_eq!(waiting.receive().await, "answer");
    assert!(waiting.is_closed().await, "now it is silent too");
}

#[tokio::test]
async fn a_busy_connection_is_not_idle() {
    let stage = stage(&[("connections.max.idle.ms", "400")]);
    let mut client = stage.client().await;
    for _ in 0..10 {
        client.send("say hello").await;
        assert_eq!(client.receive().await, "hello");
        a_moment().await;
    }
}

#[tokio::test]
async fn requests_in_work_have_a_limit_per_connection() {
    let stage = stage(&[("queued.max.requests", "3")]);
    let (mut client, mut other) = (stage.client().await, stage.client().await);
    for n in 0..10 {
        client.send(&format!("wait a {n}")).await;
    }
    stage.service.until_begun(3).await;
    a_moment().await;
    assert_eq!(stage.service.begun().len(), 3);
    other.send("wait a other").await;
    stage.service.until_begun(4).await;
    stage.service.open("a");
    for n in 0..10 {
        assert_eq!(client.receive().await, n.to_string());
    }
    assert_eq!(other.receive().await, "other");
}

/// Request memory for one large request of 100 000 bytes and a half.
fn short_of_memory(frame_time: Duration) -> Stage {
    let settings =
        settings(&[("socket.request.max.bytes", "100000"), ("queued.max.request.bytes", "150000")]);
    stage_with(&settings, Limits { frame_time, ..Limits::new(&settings) })
}

fn large(gate: &str) -> String {
    format!("wait {gate} {}", "x".repeat(90_000))
}

#[tokio::test]
async fn reading_pauses_when_requests_hold_too_much_and_goes_on_when_they_end() {
    let stage = short_of_memory(Duration::from_secs(30));
    let (mut one, mut two, mut three) = (stage.client().await, stage.client().await, stage.client().await);
    one.send(&large("a")).await;
    stage.service.until_begun(1).await;
    // This one is in turn to go beyond the limit.
    two.send(&large("b")).await;
    stage.service.until_begun(2).await;
    three.send(&large("c")).await;
    a_moment().await;
    assert_eq!(stage.service.begun().len(), 2, "the third one waits for memory");
    stage.service.open("c");
    stage.service.open("b");
    assert_eq!(two.receive().await.len(), 90_000);
    assert_eq!(three.receive().await.len(), 90_000);
    stage.service.open("a");
    assert_eq!(one.receive().await.len(), 90_000);
}

#[tokio::test]
async fn large_requests_that_arrive_together_all_come_through() {
    let stage = short_of_memory(Duration::from_secs(30));
    let serve = async |mut client: Client| {
        for _ in 0..5 {
            let text = "y".repeat(95_000);
            let bytes = frame(0, &format!("say {text}"));
            let (head, tail) = bytes.split_at(60_000);
            client.send_raw(head).await;
            tokio::task::yield_now().await;
            client.send_raw(tail).await;
            assert_eq!(client.receive().await, text);
        }
    };
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(serve(stage.client().await));
    }
    for client in clients {
        client.await;
    }
}

#[tokio::test]
async fn half_requests_cannot_keep_memory_from_others() {
    let stage = short_of_memory(Duration::from_millis(300));
    let bytes = frame(0, &large("a"));
    let mut slow = Vec::new();
    for _ in 0..3 {
        let mut client = stage.client().await;
        client.send_raw(&bytes[..60_000]).await;
        slow.push(client);
    }
    a_moment().await;
    // Nobody waits who could finish; this one does, and gets its turn once the others are overdue.
    let mut honest = stage.client().await;
    let text = "z".repeat(80_000);
    honest.send(&format!("say {text}")).await;
    assert_eq!(honest.receive().await, text);
    assert!(stage.service.begun().len() == 1);
}

#[tokio::test]
async fn a_thousand_idle_connections_do_not_disturb() {
    let stage = stage(&[]);
    let mut clients = Vec::new();
    for _ in 0..1_000 {
        clients.push(stage.client().await);
    }
    for client in &mut clients {
        client.send("say hello").await;
    }
    for client in &mut clients {
        assert_eq!(client.receive().await, "hello");
    }
    stage.still_serves().await;
    let counters = stage.server.counters();
    drop(clients);
    until(|| counters.closed.load(Ordering::Relaxed) == 1_001).await;
}
