//! Large requests that never arrive whole, with the default limits: what they hold stops nobody else.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;

use crate::stand_in::{Client, SOON, Stage, frame, settings, stage_with, until};
use frontend::Limits;

const LARGEST: i32 = 100 << 20;
const HOUR: Duration = Duration::from_secs(3_600);

fn stage(stagnant_time: Duration) -> Stage {
    let settings = settings(&[]);
    stage_with(&settings, Limits { frame_time: HOUR, stagnant_time, ..Limits::new(&settings) })
}

/// Three largest requests, each sent as far as the server takes it, up to 60 MB: more than its memory for large ones, so
/// that one of them waits.
async fn unfinished(stage: &Stage) -> Vec<JoinHandle<Client>> {
    let mut slow = Vec::new();
    for _ in 0..3 {
        let mut client = stage.client().await;
        slow.push(tokio::spawn(async move {
            client.send_raw(&LARGEST.to_be_bytes()).await;
            // It may be cut off on the way.
            let _ = client.stream.write_all(&vec![b'x'; 60_000_000]).await;
            client
        }));
    }
    let counters = stage.server.counters();
    // One of them has gone beyond the limit, and the next one waits for its turn.
    until(|| counters.memory_waits.load(Ordering::Relaxed) >= 2).await;
    slow
}

#[tokio::test]
async fn unfinished_large_requests_do_not_stop_small_ones() {
    let stage = stage(HOUR);
    let _slow = unfinished(&stage).await;
    let mut client = stage.client().await;
    for _ in 0..100 {
        client.send("say hello").await;
        assert_eq!(client.receive().await, "hello");
    }
    assert_eq!(stage.server.counters().bad_frames.load(Ordering::Relaxed), 0, "nobody was cut off");
}

#[tokio::test]
async fn unfinished_large_requests_do_not_stop_ordinary_ones() {
    let stage = stage(HOUR);
    let _slow = unfinished(&stage).await;
    let text = "y".repeat(1_048_576);
    let mut clients = Vec::new();
    for _ in 0..10 {
        let mut client = stage.client().await;
        client.send(&format!("wait a {text}")).await;
        clients.push(client);
    }
    stage.service.until_begun(10).await;
    let mut other = stage.client().await;
    other.send(&format!("say {text}")).await;
    assert_eq!(other.receive().await, text, "also while others are in work");
    stage.service.open("a");
    for client in &mut clients {
        assert_eq!(client.receive().await, text);
    }
    assert_eq!(stage.server.counters().bad_frames.load(Ordering::Relaxed), 0, "nobody was cut off");
}

#[tokio::test]
async fn a_large_request_takes_the_place_of_stagnant_ones() {
    let stage = stage(Duration::from_millis(50));
    let _slow = unfinished(&stage).await;
    let mut honest = stage.client().await;
    let bytes = frame(0, &format!("wait a {}", "z".repeat(10_000_000)));
    tokio::time::timeout(SOON, honest.send_raw(&bytes)).await.expect("it is read soon");
    stage.service.until_begun(1).await;
    assert!(stage.server.counters().bad_frames.load(Ordering::Relaxed) > 0, "somebody made room");
    stage.service.open("a");
    assert_eq!(honest.receive().await.len(), 10_000_000);
}

#[tokio::test]
async fn small_requests_need_no_memory() {
    // Half-read requests of ordinary size that hold all there is.
    let settings =
        settings(&[("socket.request.max.bytes", "1000000"), ("queued.max.request.bytes", "1000000")]);
    let limits = Limits { frame_time: HOUR, stagnant_time: HOUR, ..Limits::new(&settings) };
    let stage = stage_with(&settings, limits);
    let counters = stage.server.counters();
    let bytes = frame(0, &format!("say {}", "x".repeat(60_000)));
    let mut half = Vec::new();
    while counters.memory_waits.load(Ordering::Relaxed) < 2 {
        let mut client = stage.client().await;
        client.send_raw(&bytes[..50_000]).await;
        half.push(client);
        assert!(half.len() < 1_000, "a megabyte holds no more than twenty of these");
    }
    stage.still_serves().await;
    let mut client = stage.client().await;
    client.send("wait a first").await;
    stage.service.until_begun(2).await;
    client.send("say second").await;
    until(|| counters.memory_waits.load(Ordering::Relaxed) >= 3).await;
    stage.service.open("a");
    assert_eq!(client.receive().await, "first");
    assert_eq!(client.receive().await, "second");
}
