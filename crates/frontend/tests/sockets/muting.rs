//! A connection whose client has had too much: the answer leaves, and nothing more is begun for a while.

use std::time::Duration;

use crate::stand_in::{SOON, a_moment, stage, until};

/// Longer than any test waits.
const LONG: &str = "3600000";

#[tokio::test]
async fn the_answer_leaves_at_once_and_nothing_more_is_begun() {
    let stage = stage(&[]);
    let mut client = stage.client().await;
    client.send("say before").await;
    client.send(&format!("mute {LONG} wait")).await;
    client.send("say later").await;
    assert_eq!(client.receive().await, "before");
    assert_eq!(client.receive().await, "wait");
    client.send("say much later").await;
    a_moment().await;
    assert_eq!(stage.service.begun().len(), 2);
    stage.still_serves().await;
}

#[tokio::test]
async fn what_waited_is_begun_in_order_when_the_time_is_over() {
    let stage = stage(&[]);
    let mut client = stage.client().await;
    for body in ["mute 150 one", "say two", "silent-mute 150", "mute 1 three", "say four"] {
        client.send(body).await;
    }
    for expected in ["one", "two", "three", "four"] {
        assert_eq!(client.receive().await, expected);
    }
}

#[tokio::test]
async fn an_answer_that_took_its_time_mutes_too() {
    let stage = stage(&[]);
    let mut client = stage.client().await;
    client.send(&format!("wait-mute gate {LONG}")).await;
    client.send("say overlapping").await;
    stage.service.until_begun(2).await;
    stage.service.open("gate");
    assert_eq!(client.receive().await, "muted");
    assert_eq!(client.receive().await, "overlapping");
    client.send("say later").await;
    a_moment().await;
    assert_eq!(stage.service.begun().len(), 2);
}

#[tokio::test]
async fn a_muted_connection_does_not_delay_a_stop() {
    let stage = stage(&[]);
    let mut client = stage.client().await;
    client.send(&format!("mute {LONG} wait")).await;
    client.send("say later").await;
    assert_eq!(client.receive().await, "wait");
    let stopped = tokio::time::timeout(SOON, stage.server.stop(Duration::from_secs(3600)));
    assert_eq!(stopped.await, Ok(true));
    assert!(client.is_closed().await);
}

/// The memory of a large frame that is arriving when the mute begins is not kept for as long.
#[tokio::test]
async fn muting_keeps_no_request_memory() {
    let stage = stage(&[("queued.max.request.bytes", "4194304"), ("socket.request.max.bytes", "4194304")]);
    let mut muted = stage.client().await;
    muted.send(&format!("wait-mute gate {LONG}")).await;
    let large = format!("say {}", "x".repeat(3 << 20));
    let frame = crate::stand_in::frame(1, &large);
    let (first, rest) = frame.split_at(1 << 20);
    muted.send_raw(first).await;
    stage.service.until_begun(1).await;
    a_moment().await;
    stage.service.open("gate");
    assert_eq!(muted.receive().await, "muted");
    muted.send_raw(rest).await;
    stage.service.until_begun(2).await;
    let mut other = stage.client().await;
    other.send(&large).await;
    assert_eq!(other.receive().await.len(), 3 << 20);
}

#[tokio::test]
async fn connections_that_are_too_many_are_closed_after_a_while() {
    let stage = stage(&[]);
    *stage.service.refused.lock().unwrap() = Some(Duration::from_millis(50));
    let mut client = stage.client().await;
    client.send("say anything").await;
    assert!(client.is_closed().await);
    assert!(stage.service.begun().is_empty());
    *stage.service.refused.lock().unwrap() = Some(Duration::from_secs(3600));
    let mut kept = stage.client().await;
    let counters = stage.server.counters();
    until(|| counters.refused.load(std::sync::atomic::Ordering::Relaxed) == 2).await;
    let stopped = tokio::time::timeout(SOON, stage.server.stop(Duration::from_secs(3600)));
    assert_eq!(stopped.await, Ok(true), "nor do they delay a stop");
    assert!(kept.is_closed().await);
}

#[tokio::test]
async fn connections_that_come_too_fast_wait_and_do_not_delay_a_stop() {
    let stage = stage(&[]);
    *stage.service.delayed.lock().unwrap() = Some(Duration::from_millis(50));
    let mut client = stage.client().await;
    client.send("say hello").await;
    assert_eq!(client.receive().await, "hello");
    *stage.service.delayed.lock().unwrap() = Some(Duration::from_secs(3600));
    let mut waits = stage.client().await;
    waits.send("say later").await;
    a_moment().await;
    assert_eq!(stage.service.begun().len(), 1);
    client.send("say more").await;
    assert_eq!(client.receive().await, "more", "who is in is served");
    let stopped = tokio::time::timeout(SOON, stage.server.stop(Duration::from_secs(3600)));
    assert_eq!(stopped.await, Ok(true));
    assert!(waits.is_closed().await);
}
