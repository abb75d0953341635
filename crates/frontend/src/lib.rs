//! Connections: accepting them, reading frames off them, keeping answers in order, and writing those.
//!
//! A connection is one task. It cuts frames out of the stream, reads the request header, asks the clock once, and hands
//! the request to a [`Service`]; requests of one connection are begun in the order they came, and their answers leave in
//! that order, while what they wait for overlaps. An answer is a list of bytes and file ranges; a range becomes
//! `sendfile` on Linux and a read and a write elsewhere.
//!
//! What comes from outside is bounded by names: `socket.request.max.bytes`, `max.connections`,
//! `max.connections.per.ip` with its `.overrides`, `connections.max.idle.ms`, `queued.max.requests` (per connection) and
//! `queued.max.request.bytes` (over all connections). Memory for a frame grows with the bytes that arrive, not with the
//! length it claims.
//!
//! Frames hold at most `queued.max.request.bytes`, one largest frame and one ordinary one (2 MiB): of frames that wait
//! for each other's memory one of each kind goes on. Large frames share three quarters of the memory, so that those which
//! arrive slowly, or never whole, leave the rest to ordinary ones; who holds what others wait for and has stopped
//! sending is cut off after two seconds, and who is merely slow after thirty. On top of that every connection has a
//! chunk (16 KiB) to read into, and one small request in work, which must fit a chunk and waits for nobody's memory.
//!
//! Knows nothing of topics, offsets or what a handler does.

mod accept;
mod bind;
mod connection;
mod count;
mod end;
mod frame;
mod limits;
mod memory;
mod outbox;
mod server;
mod stalls;
mod throttle;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use api::{Broker, Pending, Request};

pub use bind::{BindError, Bound, bind};
pub use count::Counters;
pub use limits::Limits;
pub use server::{Doors, Server};

/// What requests are handed to: the broker, or a stand-in for it in tests.
pub trait Service: Send + Sync + 'static {
    /// Begins a request; see [`Broker::begin`]. Called within a tokio runtime. A panic costs the connection alone.
    fn begin(self: &Arc<Self>, request: Request) -> Pending;

    /// For how long a new connection from `address` is left alone before it is closed; `None`: it is served.
    fn refuses_connection(&self, _address: IpAddr) -> Option<Duration> {
        None
    }

    /// For how long a new connection, and those behind it, wait before anything is done with it; `None`: not at all.
    fn delays_connection(&self) -> Option<Duration> {
        None
    }

    /// A connection from `peer` whose requests were served is over.
    fn connection_ended(&self, _peer: SocketAddr) {}
}

impl Service for Broker {
    fn begin(self: &Arc<Self>, request: Request) -> Pending {
        Self::begin(self, request)
    }

    fn refuses_connection(&self, address: IpAddr) -> Option<Duration> {
        Self::refuses_connection(self, address, connection::now())
    }

    fn delays_connection(&self) -> Option<Duration> {
        Self::delays_connection(self, connection::now())
    }

    fn connection_ended(&self, peer: SocketAddr) {
        Self::connection_ended(self, peer);
    }
}
