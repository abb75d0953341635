//! Taking a port.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use settings::{Endpoint, Settings};
use tokio::net::{TcpListener, TcpSocket};

/// A port that is ours; connections wait in the kernel until [`crate::Server::start`].
#[derive(Debug)]
pub struct Bound {
    pub(crate) socket: TcpListener,
    /// The listener it belongs to.
    pub endpoint: Endpoint,
    /// The address with the port that was bound, also when port 0 was asked for.
    pub address: SocketAddr,
}

/// Why a port could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else listens there.
    #[error(
        "cannot listen on {endpoint}: the port is in use by another process; stop it, or choose another port"
    )]
    Taken {
        /// What was asked for.
        endpoint: Endpoint,
    },
    /// The host has no address of this machine, or the operating system refuses.
    #[error("cannot listen on {endpoint}: {source}")]
    Failed {
        /// What was asked for.
        endpoint: Endpoint,
        /// What the operating system says.
        source: io::Error,
    },
}

/// Takes the port of `endpoint`, at the first address of its host that can be had; an empty host is every interface.
/// Looks up host names (blocking). Must be called within a tokio runtime.
///
/// # Errors
/// [`BindError`], in words for the person who chose the port.
pub fn bind(endpoint: &Endpoint, settings: &Settings) -> Result<Bound, BindError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::Taken { endpoint: endpoint.clone() },
        _ => BindError::Failed { endpoint: endpoint.clone(), source },
    };
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in addresses(endpoint).map_err(failed)? {
        match listen(address, settings) {
            Ok(socket) => {
                let address = socket.local_addr().map_err(failed)?;
                return Ok(Bound { socket, endpoint: endpoint.clone(), address });
            }
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

/// The addresses to try, in order. Every interface is IPv6's "any" (which takes IPv4 too), or IPv4's where there is no
/// IPv6.
fn addresses(endpoint: &Endpoint) -> io::Result<Vec<SocketAddr>> {
    let port = endpoint.port;
    if endpoint.host.is_empty() {
        return Ok(vec![(Ipv6Addr::UNSPECIFIED, port).into(), (Ipv4Addr::UNSPECIFIED, port).into()]);
    }
    Ok((endpoint.host.as_str(), port).to_socket_addrs()?.collect())
}

fn listen(address: SocketAddr, settings: &Settings) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    // After a restart the old connections of this port linger in TIME_WAIT; they must not keep it taken.
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit it; set later, it could no longer widen the TCP window.
    if let Ok(bytes) = u32::try_from(settings.socket_receive_buffer_bytes()) {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.bind(address)?;
    socket.listen(settings.socket_listen_backlog_size().unsigned_abs())
}
