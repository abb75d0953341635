//! The running server: its listeners, what their connections share, and how all of it stops.

use std::sync::Arc;
use std::time::Duration;

use api::Listener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::Service;
use crate::accept::accept;
use crate::bind::Bound;
use crate::count::{Counters, Places};
use crate::limits::Limits;
use crate::memory::RequestMemory;
use crate::stalls::Stalls;
use crate::throttle::Throttle;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) memory: Arc<RequestMemory>,
    pub(crate) places: Arc<Places>,
    pub(crate) counters: Arc<Counters>,
    /// Runs what blocks for a moment: handlers, and the writing of files.
    pub(crate) stalls: Arc<Stalls>,
    /// For lines that any stranger can cause.
    pub(crate) throttle: Throttle,
}

/// A running server. Dropping it closes all connections at once; [`Server::stop`] does it with care.
pub struct Server {
    /// One task per listener, each with its connections.
    listeners: JoinSet<()>,
    stop: watch::Sender<bool>,
    counters: Arc<Counters>,
    doors: Doors,
}

/// How many connections are let in: may be changed while the server runs.
#[derive(Clone, Debug)]
pub struct Doors(Arc<Places>);

impl Doors {
    /// From now on so many connections are let in as `limits` say, overall and from one address. Whoever is in stays in.
    pub fn set(&self, limits: &Limits) {
        self.0.set_limits(limits);
    }
}

impl Server {
    /// Accepts connections from now on and hands their requests to `service`. Each port comes with the listener that its
    /// requests are said to come in on. Must be called within a tokio runtime.
    #[must_use]
    pub fn start<S: Service>(ports: Vec<(Bound, Arc<Listener>)>, service: &Arc<S>, limits: Limits) -> Self {
        let counters = Arc::new(Counters::default());
        let shared = Arc::new(Shared {
            memory: RequestMemory::new(limits.request_memory),
            places: Places::new(&limits),
            counters: Arc::clone(&counters),
            stalls: Stalls::start(),
            throttle: Throttle::new(std::time::Instant::now()),
            limits,
        });
        let doors = Doors(Arc::clone(&shared.places));
        let (stop, stopped) = watch::channel(false);
        let mut listeners = JoinSet::new();
        for (bound, listener) in ports {
            let (service, shared) = (Arc::clone(service), Arc::clone(&shared));
            listeners.spawn(accept(bound.socket, listener, service, shared, stopped.clone()));
        }
        Self { listeners, stop, counters, doors }
    }

    /// Numbers that count up while the server runs.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// What lets connections in.
    #[must_use]
    pub fn doors(&self) -> Doors {
        self.doors.clone()
    }

    /// Accepts no more connections and reads no more requests, waits until those in work are answered, for `grace` at
    /// most, and closes all connections. `false` when time ran out before all was answered.
    pub async fn stop(mut self, grace: Duration) -> bool {
        // Nobody listening any more is as good as everybody having heard.
        let _ = self.stop.send(true);
        let finished = async { while self.listeners.join_next().await.is_some() {} };
        let in_time = tokio::time::timeout(grace, finished).await.is_ok();
        self.listeners.shutdown().await;
        in_time
    }
}
