//! The door of the room: a request goes in, a [`Pending`] comes out.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base::Millis;
use bytes::{Bytes, BytesMut};
use catalog::Catalog;
use coordinator::Coordinator;
use log::FileRange;
use parking_lot::Mutex;
use settings::Settings;
use tokio::sync::watch;
use wire::header::RequestHeader;
use wire::{DecodeError, EncodeError, StrBytes};

use crate::code::Code;
use crate::fetch::Sessions;
use crate::table;
use crate::telemetry::Telemetry;
use crate::throttle::Throttles;

/// Where clients reach this broker: one `listeners` entry with its `advertised.listeners` entry, if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name, upper case, as `PLAINTEXT`.
    pub name: String,
    /// The host and the port that clients are told to connect to; `None`: whoever asks here is told of no broker.
    pub advertised: Option<(String, u16)>,
    /// The rack that clients are told beside it (`broker.rack`).
    pub rack: Option<String>,
}

impl Listener {
    pub(crate) fn rack(&self) -> Option<StrBytes> {
        self.rack.clone().map(StrBytes::from)
    }
}

/// A request, framed and with its header read.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which API at which version, and who asks.
    pub header: RequestHeader,
    /// What follows the header in the frame; shared with the frame, not copied.
    pub body: Bytes,
    /// The clock, read once when the frame was complete.
    pub received_at: Millis,
    /// Where the connection comes from.
    pub peer: SocketAddr,
    /// The listener it came in on.
    pub listener: Arc<Listener>,
}

impl Request {
    /// What the client calls itself; Kafka takes null as "".
    pub(crate) fn client_id(&self) -> &str {
        self.header.client_id.as_deref().unwrap_or("")
    }

    pub(crate) const fn version(&self) -> i16 {
        self.header.api_version
    }

    /// All but the body: what an answer needs that takes its time, without keeping the frame in memory.
    pub(crate) fn envelope(&self) -> Self {
        Self { body: Bytes::new(), ..self.clone() }
    }
}

/// What became of a request when [`Broker::begin`] returns.
pub enum Pending {
    /// The answer is known.
    Ready(Reply),
    /// The answer waits for a flush, for records or for blocking work. Dropping the future gives up the answer and
    /// nothing else: what was begun is finished.
    Later(Pin<Box<dyn Future<Output = Outcome> + Send>>),
    /// There is no answer: Produce with acks=0.
    Silent {
        /// For how long nothing more is to be read from the connection, because of a quota.
        mute: Duration,
    },
    /// The connection has to be closed without an answer to this request; the earlier ones are still answered.
    Close(CloseReason),
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(reply) => f.debug_tuple("Ready").field(reply).finish(),
            Self::Later(_) => f.write_str("Later(..)"),
            Self::Silent { .. } => f.write_str("Silent"),
            Self::Close(reason) => f.debug_tuple("Close").field(reason).finish(),
        }
    }
}

/// What a [`Pending::Later`] ends in.
#[derive(Debug)]
pub enum Outcome {
    /// The answer.
    Reply(Reply),
    /// The connection has to be closed without an answer.
    Close(CloseReason),
}

impl Outcome {
    /// See [`Reply::throttle`].
    pub(crate) fn throttled(mut self, throttle_ms: i32) -> Self {
        if let Self::Reply(reply) = &mut self {
            reply.throttle(throttle_ms);
        }
        self
    }
}

/// The body of an answer, without size and header.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// The parts, to be written one behind the other.
    pub pieces: Vec<Piece>,
    /// For how long nothing more is to be read from the connection once the answer is on its way, because of a quota.
    pub mute: Duration,
    /// Where in the pieces the field `throttle_time_ms` stands.
    throttle_time_at: Option<usize>,
}

impl Reply {
    /// An answer of these parts.
    #[must_use]
    pub fn new(pieces: Vec<Piece>) -> Self {
        Self { pieces, ..Self::default() }
    }

    pub(crate) fn with_throttle_time_at(pieces: Vec<Piece>, throttle_time_at: Option<usize>) -> Self {
        Self { throttle_time_at, ..Self::new(pieces) }
    }

    /// Tells the client to wait for `throttle_ms`, if its version of the answer can say so, and has its connection muted
    /// for so long; unless it has to wait for longer already.
    pub(crate) fn throttle(&mut self, throttle_ms: i32) {
        let mute = Duration::from_millis(u64::try_from(throttle_ms).unwrap_or(0));
        if mute <= self.mute {
            return;
        }
        self.mute = mute;
        let Some(mut at) = self.throttle_time_at else { return };
        for piece in &mut self.pieces {
            let len = usize::try_from(piece.len()).unwrap_or(usize::MAX);
            if at < len {
                let Piece::Bytes(bytes) = piece else { unreachable!("no field stands in a file") };
                let mut patched = BytesMut::from(&bytes[..]);
                patched[at..at + 4].copy_from_slice(&throttle_ms.to_be_bytes());
                *bytes = patched.freeze();
                return;
            }
            at -= len;
        }
    }

    /// How many bytes the pieces have together.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.pieces.iter().map(Piece::len).sum()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A part of an answer.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Bytes at hand.
    Bytes(Bytes),
    /// Stored batches, still in their file: to be read or sent from there.
    File(FileRange),
}

impl Piece {
    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(range) => u64::from(range.len),
        }
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a connection is closed without an answer, as Kafka does it.
#[derive(Debug, thiserror::Error)]
pub enum CloseReason {
    /// No such API here.
    #[error("API key {key} is not served")]
    UnknownApi {
        /// The key that came.
        key: i16,
    },
    /// The API exists, this version of it does not.
    #[error("version {version} of API key {key} is not served")]
    UnsupportedVersion {
        /// The key that came.
        key: i16,
        /// The version that came.
        version: i16,
    },
    /// The body is not what its key and version say.
    #[error("the body of a request with API key {key} and version {version} cannot be decoded: {source}")]
    Undecodable {
        /// The key that came.
        key: i16,
        /// The version that came.
        version: i16,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The body can be read, and says what no client would.
    #[error("a request with API key {key} and version {version} names what its sender does not know")]
    Senseless {
        /// The key that came.
        key: i16,
        /// The version that came.
        version: i16,
    },
    /// The body names more of something than one request may.
    #[error("a request with API key {key} and version {version} names {named} groups, and may name {most}")]
    TooManyGroups {
        /// The key that came.
        key: i16,
        /// The version that came.
        version: i16,
        /// How many groups it names.
        named: usize,
        /// How many it may name.
        most: usize,
    },
    /// The answer cannot be put into bytes: a mistake of ours.
    #[error("the answer to a request with version {version} cannot be encoded: {source}")]
    Unencodable {
        /// The version that was asked for.
        version: i16,
        /// What is wrong with it.
        source: EncodeError,
    },
    /// The handler of the request panicked: a mistake of ours.
    #[error("the handler of the request panicked")]
    Panicked,
    /// A Produce with acks=0 failed: there is no answer to say so in, so the closing says it.
    #[error("a Produce with acks=0 failed with {code}")]
    ProduceFailed {
        /// What an answer would have said, for the first partition that failed.
        code: Code,
    },
}

/// What the handlers share. Each takes from it only what it uses.
pub struct Broker {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) coordinator: Arc<Coordinator>,
    pub(crate) sessions: Mutex<Sessions>,
    /// What clients had, against their quotas.
    pub(crate) throttles: Throttles,
    /// The metrics that clients push.
    pub(crate) telemetry: Telemetry,
    /// Topics that are being created because a Metadata request named them.
    pub(crate) creating: Arc<Mutex<HashSet<String>>>,
    /// Whether nobody waits for records any more.
    pub(crate) stopping: watch::Sender<bool>,
    /// Says in the log once, not once per request, that clients want transactions.
    transactions_wanted: AtomicBool,
}

impl Broker {
    /// A broker over an open catalog, whose groups `coordinator` runs.
    #[must_use]
    pub fn new(catalog: Arc<Catalog>, coordinator: Arc<Coordinator>, settings: Arc<Settings>) -> Arc<Self> {
        let slots = usize::try_from(settings.max_incremental_fetch_session_cache_slots()).unwrap_or(0);
        let throttles = Throttles::new(&settings, &catalog);
        let telemetry = Telemetry::new(&settings);
        Arc::new(Self {
            catalog,
            settings,
            coordinator,
            sessions: Mutex::new(Sessions::new(slots)),
            throttles,
            telemetry,
            creating: Arc::default(),
            stopping: watch::Sender::new(false),
            transactions_wanted: AtomicBool::new(false),
        })
    }

    /// Begins a request. Requests of one connection must be begun in the order they came; what is [`Pending::Later`]
    /// may overlap with the next ones. Needs a tokio runtime around it, and waits for nothing but the page cache.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a request is begun once; whoever waits keeps what it needs of it"
    )]
    pub fn begin(self: &Arc<Self>, request: Request) -> Pending {
        table::dispatch(self, &request)
    }

    /// From now on no request waits for records or for other members to come: open long polls answer with what there is,
    /// members of a rebalance are told to look for their coordinator again. The first step of a graceful stop.
    pub fn stop_waiting(&self) {
        self.stopping.send_replace(true);
        self.coordinator.close();
    }

    /// For how long a connection from `address` is to be left alone before it is closed, because there were too many from
    /// there lately (`connection_creation_rate`); `None`: it is to be served.
    pub fn refuses_connection(&self, address: IpAddr, now: Millis) -> Option<Duration> {
        self.throttles.connect(address, self.connection_rate(), now)
    }

    /// For how long a connection that has come, from wherever, and those behind it, are to wait because there were too many
    /// lately (`max.connection.creation.rate`); `None`: not at all.
    pub fn delays_connection(&self, now: Millis) -> Option<Duration> {
        self.throttles.accept(self.connection_rate(), now)
    }

    /// A connection from `peer` is over.
    pub fn connection_ended(&self, peer: SocketAddr) {
        self.telemetry.ended(peer);
    }

    /// Connections per second, if they have a limit.
    fn connection_rate(&self) -> Option<f64> {
        let rate = self.catalog.settings().max_connection_creation_rate();
        (rate < i32::MAX).then(|| f64::from(rate))
    }

    /// Notes that a client asked for a transaction: a warning the first time, then DEBUG.
    pub(crate) fn refuse_transaction(&self, request: &Request, transactional_id: Option<&str>) {
        let (client, peer) = (request.client_id(), request.peer);
        let transactional_id = transactional_id.unwrap_or("(none)");
        if self.transactions_wanted.swap(true, Ordering::Relaxed) {
            tracing::debug!(client, %peer, transactional_id, "refused: transactions are not supported");
        } else {
            tracing::warn!(
                client,
                %peer,
                transactional_id,
                "refused: this broker does not support transactions yet; drop transactional.id from the producer's \
                 configuration (said once, later refusals at DEBUG)"
            );
        }
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").finish_non_exhaustive()
    }
}
