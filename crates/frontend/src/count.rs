//! How many connections there are, and numbers for those who watch.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

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

/// Which limit a new connection meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// `max.connections`.
    Overall,
    /// `max.connections.per.ip`.
    OfAddress,
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
}

impl Places {
    pub(crate) fn new(limit: usize, limit_per_ip: usize) -> Arc<Self> {
        let (limit, limit_per_ip) = (AtomicUsize::new(limit), AtomicUsize::new(limit_per_ip));
        Arc::new(Self { limit, limit_per_ip, open: Mutex::default() })
    }

    /// From now on so many are let in. Whoever is in stays in.
    pub(crate) fn set_limits(&self, limit: usize, limit_per_ip: usize) {
        self.limit.store(limit, Ordering::Relaxed);
        self.limit_per_ip.store(limit_per_ip, Ordering::Relaxed);
    }

    /// How many there may be, overall or from one address.
    pub(crate) fn limit(&self, which: Full) -> usize {
        match which {
            Full::Overall => self.limit.load(Ordering::Relaxed),
            Full::OfAddress => self.limit_per_ip.load(Ordering::Relaxed),
        }
    }

    /// Takes a place for a connection from `address`; it is free again when the [`Place`] is dropped. An IPv4 address
    /// counts as the same whether it came in over an IPv4 or an IPv6 socket.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let address = address.to_canonical();
        let mut open = self.open.lock();
        if open.all >= self.limit(Full::Overall) {
            return Err(Full::Overall);
        }
        let here = open.by_address.get(&address).copied().unwrap_or(0);
        if here >= self.limit(Full::OfAddress) {
            return Err(Full::OfAddress);
        }
        open.all += 1;
        open.by_address.insert(address, here + 1);
        Ok(Place { of: Arc::clone(self), address })
    }
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

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const AWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let places = Places::new(3, 2);
        let first = places.take(HOME).expect("free");
        let _second = places.take(HOME).expect("free");
        assert_eq!(places.take(HOME).unwrap_err(), Full::OfAddress);
        let _third = places.take(AWAY).expect("free");
        assert_eq!(places.take(AWAY).unwrap_err(), Full::Overall);
        drop(first);
        drop(places.take(HOME).expect("free again"));
        assert_eq!(places.open.lock().by_address.len(), 2);
    }

    #[test]
    fn a_limit_that_changes_counts_for_the_next_one() {
        let places = Places::new(2, 2);
        let first = places.take(HOME).expect("free");
        places.set_limits(1, 2);
        assert_eq!(places.take(HOME).unwrap_err(), Full::Overall);
        places.set_limits(9, 1);
        assert_eq!(places.take(HOME).unwrap_err(), Full::OfAddress);
        let _other = places.take(AWAY).expect("free");
        places.set_limits(9, 2);
        let _second = places.take(HOME).expect("free");
        drop(first);
    }

    #[test]
    fn an_ipv4_address_is_one_address_over_both_families() {
        let places = Places::new(9, 1);
        let _place = places.take(HOME).expect("free");
        let mapped = IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped());
        assert_eq!(places.take(mapped).unwrap_err(), Full::OfAddress);
    }

    #[test]
    fn addresses_without_connections_are_forgotten() {
        let places = Places::new(9, 9);
        drop(places.take(HOME).expect("free"));
        assert!(places.open.lock().by_address.is_empty());
    }
}
