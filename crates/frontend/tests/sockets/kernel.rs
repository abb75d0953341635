//! What the kernel is told of a port and of its connections.

use std::net::SocketAddr;
use std::time::Duration;

use frontend::Limits;
use tokio::net::{TcpSocket, TcpStream};

use crate::stand_in::{a_moment, settings, stage_with, until};

#[tokio::test]
async fn so_many_connections_may_wait_until_they_are_accepted() {
    // Nobody accepts them. Linux lets one more wait than it is told, and answers no further one.
    let waiting = async |backlog: &str| {
        let settings = settings(&[("socket.listen.backlog.size", backlog)]);
        let bound =
            frontend::bind(&settings.listeners().expect("allowed")[0], &settings).expect("a free port");
        let mut connections = Vec::new();
        while connections.len() < 6 {
            let connect = TcpStream::connect(bound.address);
            match tokio::time::timeout(Duration::from_millis(300), connect).await {
                Ok(connection) => connections.push(connection.expect("a port that is listened at")),
                Err(_nothing_came) => break,
            }
        }
        connections.len()
    };
    assert_eq!((waiting("2").await, waiting("50").await), (3, 6));
}

/// How many bytes a peer with a small buffer of its own can send before anybody reads them.
async fn taken_unread(receive_buffer: &str) -> usize {
    let settings = settings(&[("socket.receive.buffer.bytes", receive_buffer)]);
    let bound = frontend::bind(&settings.listeners().expect("allowed")[0], &settings).expect("a free port");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_send_buffer_size(4096).expect("allowed");
    let stream = socket.connect(bound.address).await.expect("it listens");
    let mut taken = 0;
    while let Ok(Ok(())) = tokio::time::timeout(Duration::from_millis(300), stream.writable()).await {
        taken += stream.try_write(&[7; 4096]).unwrap_or(0);
    }
    taken
}

#[tokio::test]
async fn the_kernel_takes_as_much_as_the_receive_buffer_holds() {
    let (small, large) = (taken_unread("8192").await, taken_unread("200000").await);
    assert!(small < 60_000 && large > 100_000, "{small} and {large} bytes");
}

/// What the kernel holds for a peer that has not taken it: of the connection from the port `ours` to the port `theirs`.
fn unsent(ours: SocketAddr, theirs: SocketAddr) -> u64 {
    let connections = std::fs::read_to_string("/proc/net/tcp").expect("Linux says");
    let ending = |address: SocketAddr| format!(":{:04X}", address.port());
    let found = connections.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_it = words.get(1)?.ends_with(&ending(ours)) && words.get(2)?.ends_with(&ending(theirs));
        is_it.then(|| u64::from_str_radix(words[4].split(':').next()?, 16).ok()).flatten()
    });
    found.unwrap_or(0)
}

#[tokio::test]
async fn the_kernel_holds_as_much_as_the_send_buffer_allows() {
    for (send_buffer, least, most) in [("1000000", 400_000, u64::MAX), ("16384", 1, 100_000)] {
        let settings = settings(&[("socket.send.buffer.bytes", send_buffer)]);
        let stage = stage_with(&settings, Limits::new(&settings));
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("allowed");
        let stream = socket.connect(stage.address).await.expect("it listens");
        let theirs = stream.local_addr().expect("connected");
        let mut client = stage.client_over(stream);
        client.send("large 8000000").await;
        until(|| unsent(stage.address, theirs) >= least).await;
        a_moment().await;
        let unsent = unsent(stage.address, theirs);
        assert!((least..=most).contains(&unsent), "{unsent} bytes with a buffer of {send_buffer}");
    }
}
