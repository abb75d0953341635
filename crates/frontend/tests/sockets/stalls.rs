//! Handlers that block for long, as on a stalled disk, do not stop the other connections.

use std::time::{Duration, Instant};

use crate::stand_in::{Client, stage};

/// The slowest answer to one request after the other, for as long as `time`.
async fn slowest_answer(client: &mut Client, time: Duration) -> Duration {
    let begun = Instant::now();
    let mut slowest = Duration::ZERO;
    while begun.elapsed() < time {
        let sent = Instant::now();
        client.send("say hello").await;
        assert_eq!(client.receive().await, "hello");
        slowest = slowest.max(sent.elapsed());
    }
    slowest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn connections_go_on_while_others_are_stalled() {
    let stage = stage(&[]);
    let mut other = stage.client().await;
    let mut stalled = Vec::new();
    for _ in 0..6 {
        stalled.push(stage.client().await);
    }
    // All at once and out of nothing; each would keep a thread for two seconds, and then for two more.
    for client in &mut stalled {
        client.send("stall 2000 one").await;
        client.send("stall 2000 two").await;
    }
    let slowest = slowest_answer(&mut other, Duration::from_millis(1500)).await;
    assert!(slowest < Duration::from_secs(1), "an answer took {slowest:?}");
    for client in &mut stalled {
        assert_eq!((client.receive().await, client.receive().await), ("one".to_owned(), "two".to_owned()));
    }
}

/// The thread that is stalled may be the one that polls the sockets. Whether it is, is chance: hence several tries.
#[test]
fn one_stall_out_of_nothing_does_not_stop_the_polling_of_sockets() {
    for _ in 0..5 {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(3)
            .enable_all()
            .build()
            .expect("threads");
        runtime.block_on(async {
            let stage = stage(&[]);
            let (mut stalled, mut other) = (stage.client().await, stage.client().await);
            stalled.send("stall 1000 done").await;
            let slowest = slowest_answer(&mut other, Duration::from_millis(900)).await;
            assert!(slowest < Duration::from_millis(600), "an answer took {slowest:?}");
            assert_eq!(stalled.receive().await, "done");
        });
    }
}
