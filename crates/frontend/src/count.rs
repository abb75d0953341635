//! How many connections there are, and numbers for those who watch.

use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::limits::Limits;

/// Numbers that count up while the server runs; readable at any time.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections that were let in.
    pub accepted: AtomicU64,
    /// Connections that were closed at once because of a limit.
    pub refused: AtomicU64,
    /// Connections that have ended; `accepted - closed` are open.
    pub closed: AtomicU64,
    /// Requests that were begun.
    pub requests: AtomicU64,
    /// Connections closed because of what came in on them.
    pub bad_frames: AtomicU64,
    /// Times that a frame had to wait for request memory.
    pub memory_waits: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Which limit a new connection meets, and how many it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// `max.connections`.
    Overall(usize),
    /// `max.connections.per.ip`.
    OfAddress(usize),
    /// `max.connections.per.ip.overrides`.
    OfHost(usize),
}

/// The open connections, by address.
#[derive(Debug)]
pub(crate) struct Places {
    /// Both may change at any time; whoever is in stays in.
    limit: AtomicUsize,
    limit_per_ip: AtomicUsize,
    /// Every address has at least one connection. The lock is held for a lookup only.
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
    /// Limits of single addresses.
    limits: HashMap<IpAddr, usize>,
    /// What those were asked for as.
    hosts: Vec<(String, usize)>,
}

impl Places {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        let (limit, limit_per_ip) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let places = Self { limit, limit_per_ip, open: Mutex::default() };
        places.set_limits(limits);
        Arc::new(places)
    }

    /// From now on so many are let in. Whoever is in stays in. Looks up the names of hosts (blocking) where they changed.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        self.limit.store(limits.connections, Ordering::Relaxed);
        self.limit_per_ip.store(limits.connections_per_ip, Ordering::Relaxed);
        let hosts = &limits.connections_of_hosts;
        if self.open.lock().hosts == *hosts {
            return;
        }
        let of_addresses =
            hosts.iter().flat_map(|(host, limit)| addresses(host).map(|address| (address, *limit)));
        let of_addresses = of_addresses.collect();
        let mut open = self.open.lock();
        open.limits = of_addresses;
        open.hosts.clone_from(hosts);
    }

    /// Takes a place for a connection from `address`; it is free again when the [`Place`] is dropped. An IPv4 address
    /// counts as the same whether it came in over an IPv4 or an IPv6 socket.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let address = address.to_canonical();
        let mut open = self.open.lock();
        let limit = self.limit.load(Ordering::Relaxed);
        if open.all >= limit {
            return Err(Full::Overall(limit));
        }
        let here = open.by_address.get(&address).copied().unwrap_or(0);
        match open.limits.get(&address).copied() {
            Some(limit) if here >= limit => return Err(Full::OfHost(limit)),
            Some(_) => {}
            None => {
                let limit = self.limit_per_ip.load(Ordering::Relaxed);
                if here >= limit {
                    return Err(Full::OfAddress(limit));
                }
            }
        }
        open.all += 1;
        open.by_address.insert(address, here + 1);
        Ok(Place { of: Arc::clone(self), address })
    }
}

/// The addresses of a host. One that has none is said, and limits nobody.
fn addresses(host: &str) -> impl Iterator<Item = IpAddr> + use<> {
    let found = (host, 0).to_socket_addrs().map(Iterator::collect::<Vec<_>>).unwrap_or_else(|error| {
        tracing::warn!("{host} of `max.connections.per.ip.overrides` has no address: {error}");
        Vec::new()
    });
    found.into_iter().map(|address| address.ip().to_canonical())
}

/// One connection's place among [`Places`].
#[derive(Debug)]
pub(crate) struct Place {
    of: Arc<Places>,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.of.open.lock();
        open.all -= 1;
        if let Some(here) = open.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn limits(connections: usize, connections_per_ip: usize) -> Limits {
        Limits { connections, connections_per_ip, ..Limits::new(&settings::Settings::default()) }
    }

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const AWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let places = Places::new(&limits(3, 2));
        let first = places.take(HOME).expect("free");
        let _second = places.take(HOME).expect("free");
        assert_eq!(places.take(HOME).unwrap_err(), Full::OfAddress(2));
        let _third = places.take(AWAY).expect("free");
        assert_eq!(places.take(AWAY).unwrap_err(), Full::Overall(3));
        drop(first);
        drop(places.take(HOME).expect("free again"));
        assert_eq!(places.open.lock().by_address.len(), 2);
    }

    #[test]
    fn a_limit_that_changes_counts_for_the_next_one() {
        let places = Places::new(&limits(2, 2));
        let first = places.take(HOME).expect("free");
        places.set_limits(&limits(1, 2));
        assert_eq!(places.take(HOME).unwrap_err(), Full::Overall(1));
        places.set_limits(&limits(9, 1));
        assert_eq!(places.take(HOME).unwrap_err(), Full::OfAddress(1));
        let _other = places.take(AWAY).expect("free");
        places.set_limits(&limits(9, 2));
        let _second = places.take(HOME).expect("free");
        drop(first);
    }

    #[test]
    fn an_ipv4_address_is_one_address_over_both_families() {
        let places = Places::new(&limits(9, 1));
        let _place = places.take(HOME).expect("free");
        let mapped = IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped());
        assert_eq!(places.take(mapped).unwrap_err(), Full::OfAddress(1));
    }

    #[test]
    fn addresses_without_connections_are_forgotten() {
        let places = Places::new(&limits(9, 9));
        drop(places.take(HOME).expect("free"));
        assert!(places.open.lock().by_address.is_empty());
    }

    #[test]
    fn a_host_has_a_limit_of_its_own() {
        let of = |hosts: &[(&str, usize)]| {
            let hosts = hosts.iter().map(|(host, limit)| ((*host).to_owned(), *limit));
            Limits { connections_of_hosts: hosts.collect(), ..limits(9, 1) }
        };
        let places = Places::new(&of(&[("localhost", 2), ("::ffff:10.0.0.1", 0)]));
        assert_eq!(places.take(AWAY).unwrap_err(), Full::OfHost(0));
        let _first = places.take(HOME).expect("free");
        let _second = places.take(HOME).expect("free, though another address has one place only");
        assert_eq!(places.take(HOME).unwrap_err(), Full::OfHost(2));
        places.set_limits(&of(&[]));
        let _other = places.take(AWAY).expect("free");
        assert_eq!(places.take(HOME).unwrap_err(), Full::OfAddress(1));
    }
}
