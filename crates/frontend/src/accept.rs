//! Letting connections in, as far as the limits allow.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::Listener;
use rustix::io::Errno;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::Service;
use crate::connection::Connection;
use crate::count::{Counters, Full, Place};
use crate::server::Shared;

/// How long to wait after the operating system refused a connection, most likely for want of file descriptors.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Serves the connections of one port until `stop`, and then until the last of them has ended.
pub(crate) async fn accept<S: Service>(
    socket: TcpListener,
    listener: Arc<Listener>,
    service: Arc<S>,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    failed(&error, &shared).await;
                    continue;
                }
            },
            Some(_ended) = connections.join_next() => continue,
            () = stopped(&mut stop) => break,
        };
        if let Some(time) = service.delays_connection() {
            tracing::debug!(%peer, ?time, "connection waits: too many lately (max.connection.creation.rate)");
            tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = stopped(&mut stop) => break,
            }
        }
        let Some(place) = take_place(peer, &shared) else { continue };
        if let Some(time) = service.refuses_connection(peer.ip()) {
            Counters::add(&shared.counters.refused);
            tracing::debug!(%peer, ?time, "connection refused: too many lately (connection_creation_rate)");
            let mut stop = stop.clone();
            connections.spawn(async move {
                // Closed at once, the client would be back at once. Its place is taken for so long.
                let _kept = (stream, place);
                tokio::select! {
                    () = tokio::time::sleep(time) => {}
                    () = stopped(&mut stop) => {}
                }
            });
            continue;
        }
        if let Err(error) = prepare(&stream, &shared) {
            tracing::debug!(%peer, "connection closed: {error}");
            continue;
        }
        Counters::add(&shared.counters.accepted);
        let connection =
            Connection::new(stream, peer, Arc::clone(&listener), Arc::clone(&service), Arc::clone(&shared));
        let (stop, counters) = (stop.clone(), Arc::clone(&shared.counters));
        let leaving = Leaving { _place: place, counters, service: Arc::clone(&service), peer };
        connections.spawn(async move {
            let _leaving = leaving;
            connection.run(stop).await;
        });
    }
    drop(socket);
    while connections.join_next().await.is_some() {}
}

/// Returns when the server is told to stop, or is gone.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a reason to stop as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Frees the place, counts, and has the service know, however the connection ends.
struct Leaving<S: Service> {
    _place: Place,
    counters: Arc<Counters>,
    service: Arc<S>,
    peer: SocketAddr,
}

impl<S: Service> Drop for Leaving<S> {
    fn drop(&mut self) {
        self.service.connection_ended(self.peer);
        Counters::add(&self.counters.closed);
    }
}

fn take_place(peer: SocketAddr, shared: &Shared) -> Option<Place> {
    let full = match shared.places.take(peer.ip()) {
        Ok(place) => return Some(place),
        Err(full) => full,
    };
    Counters::add(&shared.counters.refused);
    let (name, limit) = match full {
        Full::Overall(limit) => ("max.connections", limit),
        Full::OfAddress(limit) => ("max.connections.per.ip", limit),
        Full::OfHost(limit) => ("max.connections.per.ip.overrides", limit),
    };
    let text = format!("connection refused: there are {limit}, as many as `{name}` allows");
    if shared.throttle.allow(Instant::now()).is_some() {
        tracing::warn!(%peer, "{text}");
    } else {
        tracing::debug!(%peer, "{text}");
    }
    None
}

fn prepare(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    use rustix::net::sockopt::{set_socket_keepalive, set_socket_send_buffer_size};
    stream.set_nodelay(true)?;
    set_socket_keepalive(stream, true)?;
    if let Some(bytes) = shared.limits.send_buffer {
        set_socket_send_buffer_size(stream, bytes)?;
    }
    Ok(())
}

async fn failed(error: &io::Error, shared: &Shared) {
    let advice = match Errno::from_io_error(error) {
        Some(Errno::MFILE | Errno::NFILE) => "; raise the limit of open files (`ulimit -n`, LimitNOFILE=)",
        _ => "",
    };
    match shared.throttle.allow(Instant::now()) {
        Some(_) => tracing::warn!("a connection could not be accepted: {error}{advice}"),
        None => tracing::debug!("a connection could not be accepted: {error}{advice}"),
    }
    // A connection that is gone before it was accepted is no reason to wait.
    if error.kind() != io::ErrorKind::ConnectionAborted {
        tokio::time::sleep(AFTER_FAILURE).await;
    }
}
