//! A service that does what the body of a request says, a server around it, and a client that speaks frames.

#![expect(clippy::unwrap_used, reason = "what is set up for a test either stands or ends it")]

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::{CloseReason, FileRange, Listener, Outcome, Pending, Piece, Reply, Request};
use bytes::Bytes;
use disk::{Disk, OpenHow, RealDisk};
use frontend::{Limits, Server, Service};
use settings::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Longer than anything here takes.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Understands these bodies: `say <text>`, `wait <gate> <text>` (answers once the gate is open), `large <bytes>`,
/// `stall <milliseconds> <text>` (blocks its thread), `file <position> <len> <text>`, `range <text>`, `silent`, `mute <milliseconds> <text>`, `silent-mute <milliseconds>`, `wait-mute <gate> <milliseconds>`, `close`, `wait-close <gate>`, `panic`, `wait-panic <gate>`.
#[derive(Default)]
pub(crate) struct StandIn {
    gates: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// The bodies of the requests, in the order they were begun.
    pub(crate) begun: Mutex<Vec<String>>,
    /// Waiting requests that have come to their end, whether or not their connection was there to see it.
    pub(crate) finished: AtomicUsize,
    /// What `file` reads.
    pub(crate) file: Mutex<Option<PathBuf>>,
    /// For how long connections from everywhere are refused.
    pub(crate) refused: Mutex<Option<Duration>>,
    /// For how long connections wait.
    pub(crate) delayed: Mutex<Option<Duration>>,
    /// Where the connections came from that are over.
    pub(crate) ended: Mutex<Vec<SocketAddr>>,
    /// What `range` answers.
    pub(crate) range: Mutex<Option<FileRange>>,
}

impl StandIn {
    fn gate(&self, name: &str) -> Arc<Semaphore> {
        Arc::clone(
            self.gates.lock().unwrap().entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(0))),
        )
    }

    pub(crate) fn open(&self, gate: &str) {
        self.gate(gate).add_permits(1_000_000);
    }

    pub(crate) fn begun(&self) -> Vec<String> {
        self.begun.lock().unwrap().clone()
    }

    pub(crate) async fn until_begun(&self, count: usize) {
        until(|| self.begun().len() >= count).await;
    }
}

fn reply(text: &str) -> Reply {
    Reply::new(vec![Piece::Bytes(Bytes::copy_from_slice(text.as_bytes()))])
}

fn around(text: &str, range: FileRange) -> Reply {
    let mut reply = reply(text);
    reply.pieces.push(Piece::File(range));
    reply.pieces.push(Piece::Bytes(Bytes::from_static(b"end")));
    reply
}

const REASON: CloseReason = CloseReason::UnsupportedVersion { key: 3, version: 0 };

impl Service for StandIn {
    fn refuses_connection(&self, _address: IpAddr) -> Option<Duration> {
        *self.refused.lock().unwrap()
    }

    fn delays_connection(&self) -> Option<Duration> {
        *self.delayed.lock().unwrap()
    }

    fn connection_ended(&self, peer: SocketAddr) {
        self.ended.lock().unwrap().push(peer);
    }

    fn begin(self: &Arc<Self>, request: Request) -> Pending {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        self.begun.lock().unwrap().push(body.chars().take(100).collect());
        let (what, rest) = body.split_once(' ').unwrap_or((&body, ""));
        let (first, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let later = |end: fn(String) -> Outcome| {
            let (gate, this, text) = (self.gate(first), Arc::clone(self), text.to_owned());
            Pending::Later(Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                this.finished.fetch_add(1, Ordering::SeqCst);
                end(text)
            }))
        };
        match what {
            "say" => Pending::Ready(reply(rest)),
            "stall" => {
                std::thread::sleep(Duration::from_millis(first.parse().unwrap()));
                Pending::Ready(reply(text))
            }
            "large" => {
                Pending::Ready(Reply::new(vec![Piece::Bytes(vec![b'x'; first.parse().unwrap()].into())]))
            }
            "mute" => {
                let mute = Duration::from_millis(first.parse().unwrap());
                let mut reply = reply(text);
                reply.mute = mute;
                Pending::Ready(reply)
            }
            "silent-mute" => Pending::Silent { mute: Duration::from_millis(first.parse().unwrap()) },
            "file" => {
                let (len, text) = text.split_once(' ').unwrap();
                let path = self.file.lock().unwrap().clone().unwrap();
                let file = RealDisk::new().open(&path, OpenHow::Read).unwrap();
                let range = FileRange { file, position: first.parse().unwrap(), len: len.parse().unwrap() };
                Pending::Ready(around(text, range))
            }
            "range" => Pending::Ready(around(rest, self.range.lock().unwrap().clone().unwrap())),
            "silent" => Pending::Silent { mute: Duration::ZERO },
            "close" => Pending::Close(REASON),
            "panic" => panic!("asked to panic"),
            "wait" => later(|text| Outcome::Reply(reply(&text))),
            "wait-mute" => later(|text| {
                let mut reply = reply("muted");
                reply.mute = Duration::from_millis(text.parse().unwrap());
                Outcome::Reply(reply)
            }),
            "wait-close" => later(|_| Outcome::Close(REASON)),
            "wait-panic" => later(|_| panic!("asked to panic")),
            other => panic!("no such request: {other}"),
        }
    }
}

pub(crate) struct Stage {
    pub(crate) service: Arc<StandIn>,
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
}

pub(crate) fn settings(pairs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    settings.set("listeners", "PLAINTEXT://127.0.0.1:0").unwrap();
    for (key, value) in pairs {
        settings.set(key, value).unwrap();
    }
    settings
}

pub(crate) fn stage(pairs: &[(&str, &str)]) -> Stage {
    let settings = settings(pairs);
    stage_with(&settings, Limits::new(&settings))
}

pub(crate) fn stage_with(settings: &Settings, limits: Limits) -> Stage {
    let bound = frontend::bind(&settings.listeners().unwrap()[0], settings).unwrap();
    let address = bound.address;
    let listener = Arc::new(Listener {
        name: "PLAINTEXT".to_owned(),
        advertised: Some(("localhost".to_owned(), address.port())),
        rack: None,
    });
    let service = Arc::new(StandIn::default());
    let server = Server::start(vec![(bound, listener)], &service, limits);
    Stage { service, server, address }
}

impl Stage {
    pub(crate) async fn client(&self) -> Client {
        self.client_over(TcpStream::connect(self.address).await.unwrap())
    }

    /// A client on a connection that was made by hand.
    pub(crate) fn client_over(&self, stream: TcpStream) -> Client {
        Client { stream, sent: 0 }
    }

    /// The server serves others: one request on a new connection.
    pub(crate) async fn still_serves(&self) {
        let mut client = self.client().await;
        client.send("say yes").await;
        assert_eq!(client.receive().await, "yes");
    }
}

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    sent: i32,
}

/// A Metadata request, version 0, with this body.
pub(crate) fn frame(correlation_id: i32, body: &str) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend(i32::try_from(10 + body.len()).unwrap().to_be_bytes());
    frame.extend(3i16.to_be_bytes());
    frame.extend(0i16.to_be_bytes());
    frame.extend(correlation_id.to_be_bytes());
    frame.extend((-1i16).to_be_bytes());
    frame.extend(body.as_bytes());
    frame
}

impl Client {
    /// Sends a request; correlation ids count up from 0.
    pub(crate) async fn send(&mut self, body: &str) {
        let frame = frame(self.sent, body);
        self.sent += 1;
        self.stream.write_all(&frame).await.unwrap();
    }

    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next answer: its correlation id and body, or `None` when the connection ends here.
    pub(crate) async fn next(&mut self) -> Option<(i32, Vec<u8>)> {
        let read = async {
            let len = self.stream.read_i32().await.ok()?;
            let mut frame = vec![0; usize::try_from(len).unwrap()];
            self.stream.read_exact(&mut frame).await.ok()?;
            let body = frame.split_off(4);
            Some((i32::from_be_bytes(frame.try_into().unwrap()), body))
        };
        tokio::time::timeout(SOON, read).await.expect("an answer or an end comes soon")
    }

    pub(crate) async fn receive(&mut self) -> String {
        let (_, body) = self.next().await.expect("an answer");
        String::from_utf8(body).unwrap()
    }

    pub(crate) async fn is_closed(&mut self) -> bool {
        self.next().await.is_none()
    }
}

/// Waits until `what` is so.
pub(crate) async fn until(mut what: impl FnMut() -> bool) {
    let wait = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(SOON, wait).await.expect("it comes to be soon");
}

/// Long enough for something to happen that should not.
pub(crate) async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}
