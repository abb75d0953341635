//! Requests of one connection are begun in the order they came, wait side by side, and are answered in order.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::stand_in::{a_moment, frame, stage, until};

#[tokio::test]
async fn a_request_is_answered_under_its_own_number() {
    let stage = stage(&[]);
    let mut client = stage.client().await;
    for expected in 0..3 {
        client.send(&format!("say {expected}")).await;
        assert_eq!(client.next().await, Some((expected, expected.to_string().into_bytes())));
    }
}

#[tokio::test]
async fn answers_leave_in_request_order_however_waits_overlap() {
    let stage = stage(&[]);
    let mut client = stage.client().await;
    for body in ["wait a first", "wait b second", "say third", "silent", "wait c fourth", "say fifth"] {
        client.send(body).await;
    }
    stage.service.until_begun(6).await;
    let begun = stage.service.begun();
    assert_eq!(begun, ["wait a first", "wait b second", "say third", "silent", "wait c fourth", "say fifth"]);
    stage.service.open("c");
    stage.service.open("b");
    until(|| stage.service.finished.load(Ordering::SeqCst) == 2).await;
    stage.service.open("a");
    for (id, text) in [(0, "first"), (1, "second"), (2, "third"), (4, "fourth"), (5, "fifth")] {
        assert_eq!(client.next().await, Some((id, text.as_bytes().to_vec())));
    }
}

#[tokio::test]
async fn a_waiting_connection_holds_up_no_other() {
    let stage = stage(&[]);
    let mut waiting = stage.client().await;
    waiting.send("wait never").await;
    stage.service.until_begun(1).await;
    stage.still_serves().await;
}

#[tokio::test]
async fn many_requests_in_one_packet() {
    let stage = stage(&[]);
    let mut client = stage.client().await;
    let all: Vec<u8> = (0..5_000).flat_map(|id| frame(id, &format!("say {id}"))).collect();
    let (mut read, mut write) = client.stream.split();
    let send = async { tokio::io::AsyncWriteExt::write_all(&mut write, &all).await.unwrap() };
    let receive = async {
        use tokio::io::AsyncReadExt;
        for id in 0..5_000 {
            let len = read.read_i32().await.unwrap();
            let mut answer = vec![0; usize::try_from(len).unwrap()];
            read.read_exact(&mut answer).await.unwrap();
            assert_eq!(answer[..4], i32::to_be_bytes(id));
            assert_eq!(answer[4..], *id.to_string().as_bytes());
        }
    };
    tokio::join!(send, receive);
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() {
    let stage = stage(&[]);
    let mut client = stage.client().await;
    client.stream.set_nodelay(true).unwrap();
    for byte in frame(7, "say slowly") {
        client.send_raw(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(client.next().await, Some((7, b"slowly".to_vec())));
}

#[tokio::test]
async fn a_large_request_arrives_whole() {
    let stage = stage(&[]);
    let mut client = stage.client().await;
    let text = "0123456789".repeat(1_000_000);
    client.send(&format!("say {text}")).await;
    client.send("say next").await;
    assert_eq!(client.receive().await, text);
    assert_eq!(client.receive().await, "next");
}

#[tokio::test]
async fn closing_comes_after_the_earlier_answers() {
    for close in ["close", "wait-close b"] {
        let stage = stage(&[]);
        let mut client = stage.client().await;
        for body in ["say one", "wait a two", close, "say never"] {
            client.send(body).await;
        }
        stage.service.until_begun(3).await;
        stage.service.open("b");
        a_moment().await;
        stage.service.open("a");
        assert_eq!(client.receive().await, "one");
        assert_eq!(client.receive().await, "two");
        assert!(client.is_closed().await, "{close}");
        stage.still_serves().await;
    }
}

#[tokio::test]
async fn closing_over_unread_bytes_loses_no_answer() {
    let stage = stage(&[("socket.send.buffer.bytes", "1000000")]);
    let mut client = stage.client().await;
    client.send("large 3000000").await;
    client.send("close").await;
    client.send_raw(&[0; 50_000]).await;
    stage.service.until_begun(1).await;
    let mut received = Vec::new();
    let mut buffer = vec![0; 100_000];
    while received.len() < 3_000_008 {
        // Slower than the server, so that the kernel still holds much of the answer when it closes.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        let read = tokio::io::AsyncReadExt::read(&mut client.stream, &mut buffer).await.unwrap();
        assert!(read > 0, "{} bytes of the answer came", received.len());
        received.extend_from_slice(&buffer[..read]);
    }
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_panic_costs_the_connection_alone() {
    for panic in ["panic", "wait-panic b"] {
        let stage = stage(&[]);
        stage.service.open("b");
        let mut client = stage.client().await;
        client.send("say one").await;
        client.send(panic).await;
        assert_eq!(client.receive().await, "one");
        assert!(client.is_closed().await, "{panic}");
        stage.still_serves().await;
    }
}

#[tokio::test]
async fn what_was_begun_is_finished_without_its_connection() {
    let stage = stage(&[]);
    let mut client = stage.client().await;
    client.send("wait a lost").await;
    stage.service.until_begun(1).await;
    // Closing resets the connection then, which is how a client looks that was killed or is in a hurry.
    rustix::net::sockopt::set_socket_linger(&client.stream, Some(Duration::ZERO)).unwrap();
    drop(client);
    let counters = stage.server.counters();
    until(|| counters.closed.load(Ordering::Relaxed) == 1).await;
    assert_eq!(stage.service.finished.load(Ordering::SeqCst), 0);
    stage.service.open("a");
    until(|| stage.service.finished.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn a_peer_that_only_stops_sending_gets_its_answers() {
    let stage = stage(&[("queued.max.requests", "1")]);
    let mut client = stage.client().await;
    client.send("wait a one").await;
    client.send("say two").await;
    tokio::io::AsyncWriteExt::shutdown(&mut client.stream).await.unwrap();
    stage.service.until_begun(1).await;
    stage.service.open("a");
    assert_eq!(client.receive().await, "one");
    assert_eq!(client.receive().await, "two");
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_connection_dropped_within_a_request_leaves_no_trace() {
    let stage = stage(&[]);
    let mut client = stage.client().await;
    let whole = frame(0, "say cut");
    client.send_raw(&whole[..whole.len() - 1]).await;
    drop(client);
    let counters = stage.server.counters();
    until(|| counters.closed.load(Ordering::Relaxed) == 1).await;
    assert!(stage.service.begun().is_empty());
    stage.still_serves().await;
}

#[tokio::test]
async fn stopping_answers_what_is_in_work_and_takes_no_more() {
    let stage = stage(&[]);
    let (mut busy, mut idle) = (stage.client().await, stage.client().await);
    idle.send("say hello").await;
    assert_eq!(idle.receive().await, "hello");
    busy.send("wait a done").await;
    stage.service.until_begun(2).await;

    let stop = tokio::spawn(stage.server.stop(Duration::from_secs(10)));
    assert!(idle.is_closed().await);
    busy.send("say too late").await;
    assert!(tokio::net::TcpStream::connect(stage.address).await.is_err(), "the port is closed");
    assert!(!stop.is_finished());
    stage.service.open("a");
    assert_eq!(busy.receive().await, "done");
    assert!(busy.is_closed().await);
    assert!(stop.await.unwrap(), "all was answered in time");
    assert_eq!(stage.service.begun().len(), 2);
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let stage = stage(&[]);
    let mut client = stage.client().await;
    client.send("wait never").await;
    stage.service.until_begun(1).await;
    assert!(!stage.server.stop(Duration::from_millis(50)).await);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn the_service_hears_of_each_connection_that_is_over() {
    let stage = stage(&[]);
    let (one, mut two) = (stage.client().await, stage.client().await);
    let peers = [one.stream.local_addr().unwrap(), two.stream.local_addr().unwrap()];
    let ended = || stage.service.ended.lock().unwrap().clone();
    drop(one);
    until(|| ended() == peers[..1]).await;
    two.send("close").await;
    assert!(two.is_closed().await);
    until(|| ended() == peers).await;
}
